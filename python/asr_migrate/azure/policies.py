"""What every request to Azure goes through: writes are sent once, check mode sends none, a journal remembers them.

The SDK's own retry policy sends a POST or PATCH again on 500, 503 and 504 and on any error that carries Retry-After, so
a failover can be started twice; ``WriteOnceRetryPolicy`` takes its place in every client.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy, AsyncRetryPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

from asr_migrate.azure.journal import ANSWERED, NO_ANSWER, SENDING, Journal
from asr_migrate.domain.cloud import PlannedWrite, short_path
from asr_migrate.domain.errors import AsrMigrateError

READS = frozenset({"GET", "HEAD"})
THROTTLED = 429


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


class Now(Protocol):
    """The part of the clock that the journal needs."""

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
