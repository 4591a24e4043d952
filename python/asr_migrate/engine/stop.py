"""Waiting that somebody can end: a stop and the deadline get their way although Azure does not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from asr_migrate.clock import Clock

T = TypeVar("T")

GRACE_S = 20.0
"""What is under way may still end in this time when a run is stopped or its time is up.

Reads, then writes, then giving the wave back: whoever waits for the end of a run waits less than a minute."""


class CutShortError(Exception):
    """What was waited for was given up: somebody asked to stop, or the time was up. Only reads are."""


class Stop:
    """Whether somebody has asked to stop, and why; the first reason stays."""

    def __init__(self) -> None:
        self.reason: str | None = None
        self._waiting: set[asyncio.Future[None]] = set()

    def set(self, reason: str) -> None:
        self.reason = self.reason or reason
        for asked in self._waiting:
            if not asked.done():
                asked.set_result(None)

    @contextmanager
    def _asked(self) -> Iterator[asyncio.Future[None]]:
        """Give something to wait for that ends when somebody asks to stop."""
        asked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.reason is not None:
            asked.set_result(None)
        self._waiting.add(asked)
        try:
            yield asked
        finally:
            self._waiting.discard(asked)

    async def rest(self, clock: Clock, seconds: float) -> None:
        """Let ``seconds`` pass, or less when somebody asks to stop."""
        sleep = asyncio.ensure_future(clock.sleep(seconds))
        try:
            with self._asked() as asked:
                await asyncio.wait({sleep, asked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleep.cancel()
            with suppress(asyncio.CancelledError):
                await sleep

    async def follow(self, work: asyncio.Future[Any], clock: Clock, until_s: float) -> bool:
        """Wait for ``work`` and return whether it has ended; it is never cancelled here.

        It is given up at ``until_s`` on the clock, or ``GRACE_S`` after somebody has asked to stop.
        """
        with self._asked() as asked, suppress(TimeoutError):
            async with clock.timeout(until_s - clock.monotonic()):
                await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
                if not work.done():
                    async with clock.timeout(GRACE_S):
                        await asyncio.wait({work})
        return work.done()

    async def read(self, work: Coroutine[Any, Any, T], clock: Clock, until_s: float) -> T:
        """Return what ``work``, which only reads, returns. Raises CutShortError when that is given up."""
        task = asyncio.ensure_future(work)
        try:
            if await self.follow(task, clock, until_s):
                return task.result()
            raise CutShortError
        finally:
            if not task.done():
                leave(task)
                task.cancel()


def leave(task: asyncio.Future[Any]) -> None:
    """Wait for ``task`` no more; how it ends is nobody's business now."""
    task.add_done_callback(lambda ended: None if ended.cancelled() else ended.exception())
