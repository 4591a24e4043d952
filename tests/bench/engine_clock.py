"""A clock that leaps over the waits of the product, together with the lab's, so that nothing else is shortened."""

from __future__ import annotations

import asyncio
import heapq
import time
from datetime import datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import aiohttp

from asr_migrate.clock import Clock

LOOK_S = 0.01
QUIET_LOOKS = 4
STUCK_S = 20.0
LEAST_S = 0.5
TOGETHER_S = 0.2


class LeapingClock(Clock):
    """Real time plus what was leapt over. Sleeps below half a second are slept.

    When no request is under way and everybody sleeps, ``drive`` pushes the lab's time and this one to the moment at
    which the first sleeper wakes: a sweep takes as long as it takes, and waits cost nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self._leapt_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._number = count()
        self._under_way = 0
        self._events = 0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._leapt_s)

    def monotonic(self) -> float:
        return time.monotonic() + self._leapt_s

    async def sleep(self, seconds: float) -> None:
        self._touch()
        if seconds < LEAST_S:
            await asyncio.sleep(max(seconds, 0.0))
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.monotonic() + seconds, next(self._number), woken))
        await woken
        self._touch()

    def tracing(self) -> aiohttp.TraceConfig:
        """Return what tells this clock of every request of a session."""
        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(self._started)
        trace.on_request_exception.append(self._ended)
        trace.on_response_chunk_received.append(self._ended)
        return trace

    async def drive(self, session: aiohttp.ClientSession, lab: str) -> None:
        """Leap for ever; ``session`` is one that is not traced. To be cancelled.

        Quiet is counted in looks of the event loop, not in seconds: while the product computes, nobody looks.
        """
        quiet, seen, waited_s = 0, -1, time.monotonic()
        while True:
            await asyncio.sleep(LOOK_S)
            self._wake()
            if self._events != seen:
                quiet, seen, waited_s = 0, self._events, time.monotonic()
            quiet += 1
            if self._under_way and time.monotonic() - waited_s > STUCK_S:
                raise TimeoutError(f"{self._under_way} requests have had no answer for {STUCK_S:.0f} s")
            if self._under_way or quiet < QUIET_LOOKS or not self._sleepers:
                continue
            ahead_s = self._sleepers[0][0] - self.monotonic()
            if ahead_s > 0:
                async with session.post(f"{lab}/_lab/advance", json={"seconds": ahead_s}) as answer:
                    answer.raise_for_status()
                self._leapt_s += ahead_s
            self._wake()

    def _wake(self) -> None:
        now_s = self.monotonic()
        while self._sleepers and (self._sleepers[0][0] <= now_s + TOGETHER_S or self._sleepers[0][2].done()):
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)
                self._touch()

    def _touch(self) -> None:
        self._events += 1

    async def _started(self, session: aiohttp.ClientSession, context: SimpleNamespace, params: Any) -> None:
        self._under_way += 1
        self._touch()

    async def _ended(self, session: aiohttp.ClientSession, context: SimpleNamespace, params: Any) -> None:
        self._under_way -= 1
        self._touch()
