"""The wire under every client: one aiohttp session, our clock for every wait, and a bound for each of them.

A request waits ``CONNECT_TIMEOUT_S`` for its connection and ``READ_TIMEOUT_S`` for the next bytes of its answer (real
seconds; azure-core's own are 300 and 300). No wait between two requests is longer than ``MOST_WAIT_S`` service seconds,
whatever a ``Retry-After`` says: asking once in five minutes is polite, and a run that slept for hours would look dead.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest

from asr_migrate.clock import Clock

CONNECT_TIMEOUT_S = 30
READ_TIMEOUT_S = 60
MOST_WAIT_S = 300.0
SHORTEST_WAIT_S = 0.05

_deadline_s: ContextVar[float | None] = ContextVar("deadline_s", default=None)


class WaitedTooLongError(Exception):
    """The next wait would end after the deadline of ``no_longer_than``. Nothing was cancelled."""


@contextmanager
def no_longer_than(clock: Clock, seconds: float) -> Iterator[None]:
    """Let the waits of this task end ``seconds`` service seconds from now; one that would not raises
    WaitedTooLongError before it begins."""
    token = _deadline_s.set(clock.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline_s.reset(token)


class WrappedTransport(AsyncHttpTransport[HttpRequest, AsyncHttpResponse]):
    """A transport that leaves everything to another one; what differs is said by its subclasses."""

    def __init__(self, inner: AsyncHttpTransport[HttpRequest, AsyncHttpResponse]) -> None:
        self._inner = inner

    async def send(self, request: HttpRequest, **options: Any) -> AsyncHttpResponse:
        response: AsyncHttpResponse = await self._inner.send(request, **options)
        return response

    async def open(self) -> None:
        await self._inner.open()

    async def close(self) -> None:
        await self._inner.close()

    async def sleep(self, duration: float) -> None:
        await self._inner.sleep(duration)

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class ClockedTransport(WrappedTransport):
    """aiohttp as the SDK drives it, but every wait (Retry-After, back-off, polling) goes through our clock.

    However short the clock makes a wait, a service is never asked again at once: ``SHORTEST_WAIT_S`` real seconds.
    """

    def __init__(self, session: aiohttp.ClientSession, clock: Clock, *, read_timeout_s: float = READ_TIMEOUT_S) -> None:
        super().__init__(
            AioHttpTransport(
                session=session,
                session_owner=False,
                connection_timeout=CONNECT_TIMEOUT_S,
                read_timeout=read_timeout_s,
            )
        )
        self._clock = clock

    async def send(self, request: HttpRequest, **options: Any) -> AsyncHttpResponse:
        try:
            return await super().send(request, **options)
        except OSError as error:
            raise ServiceRequestError(f"{type(error).__name__}: {error}", error=error) from error

    async def sleep(self, duration: float) -> None:
        """Wait ``duration`` service seconds, ``MOST_WAIT_S`` at most.

        Raises WaitedTooLongError when that is after the deadline that ``no_longer_than`` has set.
        """
        wait_s = max(min(duration, MOST_WAIT_S), SHORTEST_WAIT_S / self._clock.scale)
        deadline_s = _deadline_s.get()
        if deadline_s is not None and self._clock.monotonic() + wait_s > deadline_s:
            raise WaitedTooLongError
        await self._clock.sleep(wait_s)


def whole_seconds(retry_after: str, now: datetime) -> int | None:
    """Return a ``Retry-After`` header as whole seconds, rounded up and ``MOST_WAIT_S`` at most; None when it is neither
    a number nor an HTTP date. ``now`` (aware) is what a date is measured from."""
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            until = parsedate_to_datetime(retry_after)
        except ValueError:
            return None
        seconds = max((until - now).total_seconds(), 1.0) if until.tzinfo else math.nan
    return math.ceil(min(max(seconds, 0.0), MOST_WAIT_S)) if math.isfinite(seconds) else None
