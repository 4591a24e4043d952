"""What every request to Azure goes through: writes are sent once, check mode sends none, a journal remembers them.

Each attempt of a request passes, from the retry policy inwards: ``SignInAgainPolicy``, ``ReadOnlyPolicy`` in check
mode, the budget (``azure.budget``), ``JournalPolicy``, ``AnswerPolicy``; behind them is the SDK's own authentication.

The SDK's own retry policy sends a POST or PATCH again on 500, 503 and 504 and on any error that carries Retry-After, so
a failover can be started twice; ``WriteOnceRetryPolicy`` takes its place in every client.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy, AsyncRetryPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

from asr_migrate.azure.journal import ANSWERED, NO_ANSWER, SENDING, Journal
from asr_migrate.azure.transport import whole_seconds
from asr_migrate.domain.cloud import PlannedWrite, short_path
from asr_migrate.domain.errors import AsrMigrateError

READS = frozenset({"GET", "HEAD"})
UNAUTHORIZED, THROTTLED = 401, 429
BEARER = "Bearer "


class WriteRefusedError(AsrMigrateError):
    """Check mode refused a request that could change Azure. ``write`` is what would have been sent."""

    def __init__(self, write: PlannedWrite):
        super().__init__(f"check mode did not send {write.method} {write.what}", code="WriteRefused")
        self.write = write


class WriteOnceRetryPolicy(AsyncRetryPolicy[HttpRequest, AsyncHttpResponse]):
    """Retry reads as the SDK does; send a write again only when it was throttled (429), which says it was not begun.

    A connection that breaks after a write arrived is reported by aiohttp as if it had never been sent, so connection
    errors of writes are never retried either.
    """

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        if response.http_request.method in READS:
            return bool(super().is_retry(settings, response))
        return bool(response.http_response.status_code == THROTTLED)

    def configure_retries(self, options: dict[str, Any]) -> dict[str, Any]:
        return {**super().configure_retries(options), "methods": READS}


class ReadOnlyPolicy(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Refuse every request that could change Azure and note it in ``planned``."""

    def __init__(self, planned: list[PlannedWrite]) -> None:
        super().__init__()
        self._planned = planned

    async def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, AsyncHttpResponse]:
        sent = request.http_request
        if sent.method not in READS:
            path = urlsplit(sent.url).path
            write = PlannedWrite(method=sent.method, what=path, path=short_path(path))
            self._planned.append(write)
            raise WriteRefusedError(write)
        return await self.next.send(request)


class Renewable(Protocol):
    """The part of a credential that a refused token needs; see ``credentials.RenewableCredential``."""

    def renew(self, refused: str) -> None: ...


class SignInAgainPolicy(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Send a request once more, with a new token, when Azure refuses the one that it carried (401).

    That holds for writes, too: what was refused for its token was not begun. A token dies early when the clocks differ,
    when a session is revoked, or when a request waited long after its token was taken.
    """

    def __init__(self, credential: Renewable) -> None:
        super().__init__()
        self._credential = credential

    async def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, AsyncHttpResponse]:
        response = await self.next.send(request)
        if response.http_response.status_code != UNAUTHORIZED:
            return response
        self._credential.renew(str(request.http_request.headers.get("Authorization") or "").removeprefix(BEARER))
        await response.http_response.close()
        return await self.next.send(request)


class Now(Protocol):
    """The part of the clock that these policies need."""

    def now(self) -> datetime: ...


class JournalPolicy(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Write one line before a write is sent and one after its answer; see ``azure.journal``.

    Bodies are left out: they may hold secrets, and method, path and client request id are enough to find the job.
    """

    def __init__(self, journal: Journal, clock: Now) -> None:
        super().__init__()
        self._journal = journal
        self._clock = clock

    def _append(self, event: str, request: HttpRequest, **more: object) -> None:
        self._journal.append(
            self._clock.now(),
            event,
            method=request.method,
            path=urlsplit(request.url).path,
            client_request_id=request.headers.get("x-ms-client-request-id") or "",
            **more,
        )

    async def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, AsyncHttpResponse]:
        sent = request.http_request
        if sent.method in READS:
            return await self.next.send(request)
        self._append(SENDING, sent)
        try:
            response = await self.next.send(request)
        except Exception as error:
            self._append(NO_ANSWER, sent, error=type(error).__name__)
            raise
        answer = response.http_response
        self._append(
            ANSWERED,
            sent,
            status=answer.status_code,
            request_id=answer.headers.get("x-ms-request-id"),
            correlation_id=answer.headers.get("x-ms-correlation-request-id"),
        )
        return response


class AnswerPolicy(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Let only answers of Azure pass as success, with a ``Retry-After`` that the SDK can read.

    A success whose body is a page (a proxy's sign-in, HTML) or no JSON (cut off) is no answer: ServiceResponseError, so
    that a read is tried again and a write is in doubt. Bodies that are streamed are not looked at. The Site Recovery
    package parses ``Retry-After`` as int and raises ValueError on the rest of what HTTP allows, after the service has
    begun; so it becomes whole seconds here, from now, no more than ``transport.MOST_WAIT_S``.
    """

    def __init__(self, clock: Now) -> None:
        super().__init__()
        self._clock = clock

    async def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[HttpRequest, AsyncHttpResponse]:
        streamed = bool(request.context.options.get("stream"))
        response = await self.next.send(request)
        answer = response.http_response
        named = answer.headers.get("Retry-After")
        if named is not None:
            seconds = whole_seconds(named, self._clock.now())
            answer.headers.pop("Retry-After")
            if seconds is not None:
                answer.headers["Retry-After"] = str(seconds)
        if answer.status_code < 300 and (problem := _no_answer(answer, streamed)):
            raise ServiceResponseError(f"HTTP {answer.status_code} whose body is {problem}")
        return response


def _no_answer(answer: AsyncHttpResponse, streamed: bool) -> str | None:
    """Return what the body of a success is in place of Azure's, None when it is as it should be."""
    if "html" in str(answer.headers.get("Content-Type") or "").lower():
        return "a page, not Azure's"
    if streamed or not answer.content:
        return None
    try:
        answer.json()
    except ValueError:
        return "no JSON, or was cut off"
    return None
