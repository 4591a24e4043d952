"""What was asked of the world and how it answered, with secrets removed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asr_lab.arm.wire import Request, Response, iso7

WRITES = frozenset({"PUT", "POST", "PATCH", "DELETE"})
HIDDEN = "***"

_SECRET_NAMES = (
    "password",
    "passphrase",
    "secret",
    "certificate",
    "integritykey",
    "token",
    "credential",
    "privatekey",
    "connectionstring",
)
_NOT_SECRET = frozenset({"credentialtype", "authtype"})


@dataclass(frozen=True)
class LogEntry:
    """One exchange: ``at`` is virtual time, ``body`` the request's body, ``code`` the error code of the answer."""

    at: datetime
    method: str
    path: str
    query: dict[str, str]
    status: int
    body: Any | None
    client_request_id: str
    principal: str = ""
    code: str = ""

    @property
    def is_write(self) -> bool:
        """Return whether the request could change something."""
        return self.method in WRITES

    def row(self) -> dict[str, Any]:
        """Return the entry as JSON."""
        return {
            "at": iso7(self.at),
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "status": self.status,
            "code": self.code,
            "body": self.body,
            "client_request_id": self.client_request_id,
            "principal": self.principal,
        }


def entry(request: Request, response: Response, now: datetime) -> LogEntry:
    """Return the log entry of an exchange, without secrets."""
    return LogEntry(
        at=now,
        method=request.method,
        path=request.path,
        query=dict(request.query),
        status=response.status,
        body=without_secrets(request.body),
        client_request_id=request.headers.get("x-ms-client-request-id", ""),
        principal=request.principal,
        code=error_code(response),
    )


def error_code(response: Response) -> str:
    """Return the code of an error answer, or an empty string."""
    error = response.body.get("error") if response.status >= 400 and isinstance(response.body, dict) else None
    return str(error.get("code", "")) if isinstance(error, dict) else ""


def without_secrets(value: Any) -> Any:
    """Return a copy of a JSON value in which the value of every property named like a secret is ``***``."""
    if isinstance(value, dict):
        return {
            name: HIDDEN if isinstance(held, str) and _is_secret(name) else without_secrets(held)
            for name, held in value.items()
        }
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return value


def _is_secret(name: str) -> bool:
    lower = name.casefold()
    return lower not in _NOT_SECRET and any(secret in lower for secret in _SECRET_NAMES)
