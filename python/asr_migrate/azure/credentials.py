"""Signing in to Azure: by a service principal in the environment, a workload or managed identity, or the Azure CLI.

What else azure-identity would try (PowerShell, the developer CLI, editors, a shared cache) is left out: it belongs to a
desk and not to a controller, each starts a process, and one that was stopped in the middle keeps Python from ending.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from azure.core.credentials import AccessToken, AccessTokenInfo, TokenRequestOptions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.identity.aio import DefaultAzureCredential, EnvironmentCredential

from asr_migrate.azure.transport import WrappedTransport
from asr_migrate.domain.cloud import CloudSettings

SECRET_VARIABLES = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
CERTIFICATE_VARIABLES = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_CERTIFICATE_PATH")
AWAY = (408, 429)
SERVER_ERRORS = 500
MOST_SAID = 1000
LEFT_OUT = ("powershell", "developer_cli", "visual_studio_code", "shared_token_cache")


class SignInUnavailableError(ClientAuthenticationError):
    """The sign-in service gave no answer that says yes or no: no connection, 429, 5xx, or a page of a proxy.

    A ClientAuthenticationError, because azure-core's retry policy tries a request again on every other error, and the
    sign-in has been tried again already.
    """


class NoCredentialsError(ClientAuthenticationError):
    """Nothing was given to sign in with, or what the machine offers did not work; the message is what each said."""


class WatchedTransport(WrappedTransport):
    """A transport that remembers whether its last answer was one: azure-identity's errors do not always tell.

    Before the first token only requests for one (POST) count: the chain also looks for a metadata service, and where
    there is none a proxy may answer 503 in its place.
    """

    def __init__(self, inner: AsyncHttpTransport[HttpRequest, AsyncHttpResponse]) -> None:
        super().__init__(inner)
        self.away: str | None = None
        self.worked = False

    async def send(self, request: HttpRequest, **options: Any) -> AsyncHttpResponse:
        self.away = None
        response = await super().send(request, **options)
        status, kind = response.status_code, str(response.headers.get("Content-Type") or "")
        if request.method != "POST" and not self.worked:
            return response
        if status in AWAY or status >= SERVER_ERRORS:
            self.away = f"HTTP {status}"
        elif status < 400 and "html" in kind.lower():
            self.away = "a page in place of a token"
        return response


class RenewableCredential:
    """A credential whose token can be thrown away: azure-identity keeps one until it expires, even when Azure refuses
    it. Implements ``AsyncTokenCredential``; ``make`` makes the credential of azure-identity that it stands for.

    Until there is a token one request at a time asks for it, and a refusal is told to all that wait: they do not ask
    again. ``given`` says whether the user named the credentials; without, a refusal is NoCredentialsError.
    """

    def __init__(self, make: Callable[[AsyncHttpTransport[Any, Any]], Any], transport: Any, *, given: bool) -> None:
        self._transport = WatchedTransport(transport)
        self._make = make
        self._named = given
        self._credential = make(self._transport)
        self._token: str | None = None
        self._one_at_a_time = asyncio.Lock()
        self._refusal: ClientAuthenticationError | None = None

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """Return a token.

        Raises SignInUnavailableError when nobody said yes or no, ClientAuthenticationError when the sign-in was
        refused, NoCredentialsError when there was nothing to sign in with.
        """
        token: AccessToken = await self._first(lambda: self._credential.get_token(*scopes, **options))
        return token

    async def get_token_info(self, *scopes: str, options: TokenRequestOptions | None = None) -> AccessTokenInfo:
        """Return a token as ``get_token`` does, in the newer shape."""
        token: AccessTokenInfo = await self._first(lambda: self._credential.get_token_info(*scopes, options=options))
        return token

    def renew(self, refused: str) -> None:
        """Ask for a new token next time, if ``refused`` is the one that was given last."""
        if refused == self._token:
            self._credential, self._token = self._make(self._transport), None

    async def _first(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        if self._token is not None:
            return await self._asked(ask)
        async with self._one_at_a_time:
            if self._refusal is not None:
                raise self._refusal
            return await self._asked(ask)

    async def _asked(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        self._transport.away = None
        try:
            token = await ask()
        except ClientAuthenticationError as error:
            if self._transport.away is not None:
                raise SignInUnavailableError(f"the sign-in service answered {self._transport.away}") from error
            self._refusal = error if self._named or self._transport.worked else NoCredentialsError(_said(error))
            raise self._refusal from error
        except AzureError as error:
            raise SignInUnavailableError(f"the sign-in service did not answer: {error.message}") from error
        self._token, self._transport.worked = token.token, True
        return token

    async def close(self) -> None:
        await self._credential.close()

    async def __aenter__(self) -> RenewableCredential:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _said(error: ClientAuthenticationError) -> str:
    """Return what each kind of credential said, in one line; azure-identity writes one below the other."""
    lines = [line.strip() for line in str(error.message or "").splitlines() if line.startswith("\t")]
    return "; ".join(lines)[:MOST_SAID]


def credential(cloud: CloudSettings, transport: AsyncHttpTransport[Any, Any]) -> RenewableCredential:
    """Return the credential for ``cloud``.

    A service principal in the environment is used alone, so that nothing else (instance metadata, command lines) is
    asked when its secret is wrong; without one, the chain of the module's docstring is tried.
    """
    given = any(all(os.environ.get(name) for name in names) for names in (SECRET_VARIABLES, CERTIFICATE_VARIABLES))

    def make(over: AsyncHttpTransport[Any, Any]) -> AsyncTokenCredential:
        options: dict[str, Any] = {
            "authority": cloud.authority,
            "disable_instance_discovery": not cloud.instance_discovery,
            "transport": over,
        }
        if given:
            return EnvironmentCredential(**options)
        return DefaultAzureCredential(**options, **{f"exclude_{kind}_credential": True for kind in LEFT_OUT})

    return RenewableCredential(make, transport, given=given)
