"""What was asked of the world and how it answered, with secrets removed, and not more of it than memory can hold."""

import json
import zlib
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, overload

from asr_lab.arm.wire import Request, Response, iso7

WRITES = frozenset({"PUT", "POST", "PATCH", "DELETE"})
HIDDEN = "***"

KEPT = 10_000
"""Exchanges remembered; older ones are only counted."""

SESSION_HEADERS = (
    "Location",
    "Azure-AsyncOperation",
    "Retry-After",
    "Content-Type",
    "Date",
    "x-ms-request-id",
    "Server",
)
"""The headers that recorded sessions keep."""

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
class Answer:
    """What was answered: the headers that sessions keep, and the body without secrets as compressed JSON."""

    headers: dict[str, str]
    packed: bytes

    @property
    def body(self) -> Any:
        """Return the body, or None."""
        return json.loads(zlib.decompress(self.packed)) if self.packed else None


@dataclass(frozen=True)
class LogEntry:
    """One exchange: ``at`` is virtual time, ``body`` the request's body, ``code`` the error code of the answer.

    ``answer`` is there when the world was told to keep answers.
    """

    at: datetime
    method: str
    path: str
    query: dict[str, str]
    status: int
    body: Any | None
    client_request_id: str
    principal: str = ""
    code: str = ""
    host: str = ""
    answer: Answer | None = None

    @property
    def is_write(self) -> bool:
        """Return whether the request could change something."""
        return self.method in WRITES

    @property
    def url(self) -> str:
        """Return the URL that was asked."""
        query = "&".join(f"{name}={value}" for name, value in self.query.items())
        return f"https://{self.host}{self.path}" + (f"?{query}" if query else "")

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


@dataclass
class ExchangeLog(Sequence[LogEntry]):
    """The last exchanges, oldest first. ``seen`` counts all since the world began, also those that were dropped."""

    kept: int = KEPT
    seen: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    _entries: deque[LogEntry] = field(default_factory=deque)

    def append(self, entry: LogEntry) -> None:
        """Add an exchange; the oldest one makes room for it."""
        self.seen += 1
        self._entries.append(entry)
        while len(self._entries) > self.kept:
            old = self._entries.popleft()
            self.dropped[f"{old.method} {old.status}"] += 1

    def clear(self) -> None:
        """Forget the exchanges; ``seen`` goes on."""
        self._entries.clear()
        self.dropped.clear()

    @overload
    def __getitem__(self, index: int) -> LogEntry: ...

    @overload
    def __getitem__(self, index: slice) -> list[LogEntry]: ...

    def __getitem__(self, index: int | slice) -> LogEntry | list[LogEntry]:
        return list(self._entries)[index] if isinstance(index, slice) else self._entries[index]

    def __iter__(self) -> Iterator[LogEntry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def entry(request: Request, response: Response, now: datetime, *, keep_answer: bool = False) -> LogEntry:
    """Return the log entry of an exchange, without secrets."""
    made = LogEntry(
        at=now,
        method=request.method,
        path=request.path,
        query=dict(request.query),
        status=response.status,
        body=without_secrets(request.body),
        client_request_id=request.headers.get("x-ms-client-request-id", ""),
        principal=request.principal,
        code=error_code(response),
        host=request.host,
    )
    return replace(made, answer=_answer(response)) if keep_answer else made


def as_session(entries: Iterable[LogEntry], source: str = "asr-migrate lab") -> dict[str, Any]:
    """Return exchanges in the format of recorded sessions: ``{"source": ..., "exchanges": [...]}``.

    Each exchange is ``{"index", "request": {"method", "url", "body"}, "response": {"status", "headers", "body"}}``;
    a request without a body has no ``body``. Exchanges whose answer was not kept, or whose connection was broken, are
    left out, so ``index`` has gaps there.
    """
    return {
        "source": source,
        "exchanges": [
            _exchange(index, logged, logged.answer)
            for index, logged in enumerate(entries)
            if logged.answer is not None and logged.status
        ],
    }


def _exchange(index: int, logged: LogEntry, answer: Answer) -> dict[str, Any]:
    request: dict[str, Any] = {"method": logged.method, "url": logged.url}
    if logged.body is not None:
        request["body"] = logged.body
    return {
        "request": request,
        "response": {"status": logged.status, "headers": answer.headers, "body": answer.body},
        "index": index,
    }


def _answer(response: Response) -> Answer:
    headers = {name: response.headers[name] for name in SESSION_HEADERS if name in response.headers}
    if response.body is None:
        return Answer(headers, b"")
    return Answer(headers, zlib.compress(json.dumps(without_secrets(response.body)).encode(), 1))


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
