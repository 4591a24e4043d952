"""The token endpoint of Microsoft Entra ID and the check of the tokens that it gave, as values."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from asr_lab.arm.wire import ArmError, iso

LIFETIME_S = 3600
"""Seconds of the clients' clock."""


@dataclass(frozen=True)
class Credentials:
    """The one service principal that may sign in."""

    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)


class SignInRefused(Exception):
    """The token endpoint refused; ``status`` and ``body`` are its answer, in the words of Microsoft Entra ID."""

    def __init__(self, status: int, error: str, number: int, sentence: str, now: datetime) -> None:
        super().__init__(sentence)
        self.status = status
        self.body = {
            "error": error,
            "error_description": f"AADSTS{number}: {sentence} Timestamp: {iso(now)}",
            "error_codes": [number],
            "timestamp": iso(now),
            "error_uri": f"https://login.microsoftonline.com/error?code={number}",
        }


class Tokens:
    """Gives and checks bearer tokens. Times are those of the clients' clock, so that a token lives an hour for them."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        # Made from the secret, so that tokens outlive a restart of a lab that keeps its secrets.
        self._key = hashlib.sha256(b"key of access tokens\n" + credentials.client_secret.encode()).digest()

    @property
    def tenant_id(self) -> str:
        """Return the tenant whose principal may sign in."""
        return self._credentials.tenant_id

    def sign_in(self, tenant: str, form: Mapping[str, str], now: datetime) -> dict[str, Any]:
        """Return the answer to a client-credentials request. Raises SignInRefused."""
        known = self._credentials
        if tenant.casefold() != known.tenant_id.casefold():
            raise SignInRefused(400, "invalid_tenant", 90002, f"Tenant '{tenant}' not found.", now)
        if form.get("grant_type") != "client_credentials":
            sentence = "The app requested an unsupported grant type; the simulator takes client_credentials."
            raise SignInRefused(400, "unsupported_grant_type", 70003, sentence, now)
        scope = form.get("scope") or form.get("resource")
        if not scope:
            sentence = "The request body must contain the following parameter: 'scope'."
            raise SignInRefused(400, "invalid_request", 900144, sentence, now)
        client = form.get("client_id", "")
        if client.casefold() != known.client_id.casefold():
            sentence = f"Application with identifier '{client}' was not found in the directory '{tenant}'."
            raise SignInRefused(400, "unauthorized_client", 700016, sentence, now)
        if not hmac.compare_digest(form.get("client_secret", "").encode(), known.client_secret.encode()):
            sentence = (
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                f"value, not the client secret ID, for a secret added to app '{client}'."
            )
            raise SignInRefused(401, "invalid_client", 7000215, sentence, now)
        audience = scope.split()[0].removesuffix(".default").rstrip("/")
        expires = int(now.timestamp()) + LIFETIME_S
        return {
            "token_type": "Bearer",
            "expires_in": LIFETIME_S,
            "ext_expires_in": LIFETIME_S,
            "expires_on": str(expires),
            "resource": audience,
            "access_token": self._token(audience, int(now.timestamp()), expires),
        }

    def check(self, authorization: str | None, host: str, now: datetime) -> str:
        """Return the principal (client id) of an Authorization header. Raises ArmError 401 that says what is wrong."""
        if not authorization:
            message = "Authentication failed. The 'Authorization' header is missing."
            raise self._refused(host, "AuthenticationFailed", message)
        scheme, _, token = authorization.partition(" ")
        claims = self._claims(token) if scheme.casefold() == "bearer" else None
        if claims is None:
            if foreign := self._foreign_tenant(token):
                raise self._refused(host, "InvalidAuthenticationTokenTenant", self._wrong_issuer(foreign))
            raise self._refused(host, "InvalidAuthenticationToken", "The access token is invalid.")
        if claims["aud"].casefold() != f"https://{host}".casefold():
            raise self._refused(
                host,
                "InvalidAuthenticationTokenAudience",
                f"The access token has been obtained for wrong audience or resource '{claims['aud']}'. It should "
                f"exactly match with one of the allowed audiences 'https://{host}', 'https://{host}/'.",
            )
        if claims["exp"] <= now.timestamp():
            expired = _american(datetime.fromtimestamp(claims["exp"], UTC))
            raise self._refused(
                host,
                "ExpiredAuthenticationToken",
                f"The access token expiry UTC time '{expired}' is earlier than current UTC time '{_american(now)}'.",
            )
        return str(claims["appid"])

    def _token(self, audience: str, issued: int, expires: int) -> str:
        known = self._credentials
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{known.tenant_id}/",
            "iat": issued,
            "nbf": issued,
            "exp": expires,
            "tid": known.tenant_id,
            "appid": known.client_id,
            "oid": known.client_id,
            "sub": known.client_id,
            "idtyp": "app",
            "ver": "1.0",
        }
        parts = ".".join(_encode(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "HS256"}, claims))
        return f"{parts}.{_encode(self._signature(parts))}"

    def _claims(self, token: str) -> dict[str, Any] | None:
        parts, _, signature = token.rpartition(".")
        try:
            if not hmac.compare_digest(_decode(signature), self._signature(parts)):
                return None
            claims: dict[str, Any] = json.loads(_decode(parts.rpartition(".")[2]))
        except (binascii.Error, ValueError):
            return None
        return claims

    def _foreign_tenant(self, token: str) -> str:
        """Return the tenant that a token of somewhere else names, empty when it is this one or there is none."""
        try:
            claims = json.loads(_decode(token.split(".")[1]))
        except (IndexError, binascii.Error, ValueError):
            return ""
        tenant = str(claims.get("tid", "")) if isinstance(claims, dict) else ""
        return "" if tenant.casefold() == self.tenant_id.casefold() else tenant

    def _wrong_issuer(self, tenant: str) -> str:
        return (
            f"The access token is from the wrong issuer 'https://sts.windows.net/{tenant}/'. It must match the tenant "
            f"'https://sts.windows.net/{self.tenant_id}/' associated with this subscription. Please use the authority "
            f"(URL) 'https://login.windows.net/{self.tenant_id}' to get the token. Note, if the subscription is "
            "transferred to another tenant there is no impact to the services, but information about new tenant could "
            "take time to propagate (up to an hour). If you just transferred your subscription and see this error "
            "message, please try back later."
        )

    def _signature(self, parts: str) -> bytes:
        return hmac.new(self._key, parts.encode(), hashlib.sha256).digest()

    def _refused(self, host: str, code: str, message: str) -> ArmError:
        challenge = (
            f'Bearer authorization_uri="https://{host}/{self.tenant_id}", error="invalid_token", '
            f'error_description="{message}"'
        )
        return ArmError(401, code, message, headers={"WWW-Authenticate": challenge})


def _american(moment: datetime) -> str:
    """Return a moment as Resource Manager writes it in sentences: ``4/1/2026 8:05:00 AM``."""
    return f"{moment.month}/{moment.day}/{moment.year} {moment.hour % 12 or 12}:{moment:%M:%S %p}"


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
