"""The only clock of asr-migrate: every wait and every deadline goes through it.

All intervals in the code are *service seconds*: what the wait would be against the real Azure. ``scale`` says how many
real seconds one service second lasts here; a rehearsal whose services run 240 times faster uses 1/240.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

LEAST_TIMEOUT_S = 20.0


class Clock:
    """Wall time, a monotonic reading in service seconds, and waits in service seconds."""

    def __init__(self, scale: float = 1.0) -> None:
        if scale <= 0:
            raise ValueError(f"scale is {scale}; it must be greater than 0 (1.0 is real time)")
        self.scale = scale

    def now(self) -> datetime:
        """Return the wall time, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return service seconds since an arbitrary start; never goes back."""
        return time.monotonic() / self.scale

    async def sleep(self, seconds: float) -> None:
        """Let ``seconds`` service seconds pass while other tasks run."""
        await asyncio.sleep(max(seconds, 0.0) * self.scale)

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` service seconds pass, blocking the thread."""
        time.sleep(max(seconds, 0.0) * self.scale)

    @asynccontextmanager
    async def timeout(self, seconds: float) -> AsyncIterator[None]:
        """Cut the block off after ``seconds`` service seconds. Raises TimeoutError there.

        It is given ``LEAST_TIMEOUT_S`` real seconds at least: however fast a service's clock runs, answers take their
        time.
        """
        async with asyncio.timeout(max(seconds * self.scale, LEAST_TIMEOUT_S)):
            yield


class ManualClock(Clock):
    """A clock for tests: time passes only when somebody sleeps or calls ``advance``.

    Tasks that sleep at the same time share the time that passes, as they would in life. Waiting for a timeout lets no
    time pass; it strikes once somebody else has let enough of it pass.
    """

    def __init__(self, start: datetime | None = None) -> None:
        super().__init__()
        self._start = start or datetime(2026, 1, 1, tzinfo=UTC)
        self._elapsed_s = 0.0
        self._limits: list[tuple[float, asyncio.Timeout]] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_s)

    def monotonic(self) -> float:
        return self._elapsed_s

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` service seconds pass at once."""
        self._go_on_to(self._elapsed_s + max(seconds, 0.0))

    async def sleep(self, seconds: float) -> None:
        wake_s = self._elapsed_s + max(seconds, 0.0)
        await asyncio.sleep(0)
        self._go_on_to(wake_s)

    def wait(self, seconds: float) -> None:
        self.advance(seconds)

    @asynccontextmanager
    async def timeout(self, seconds: float) -> AsyncIterator[None]:
        async with asyncio.timeout(None if seconds > 0 else 0) as limit:
            waiting = (self._elapsed_s + seconds, limit)
            self._limits.append(waiting)
            try:
                yield
            finally:
                if waiting in self._limits:
                    self._limits.remove(waiting)

    def _go_on_to(self, elapsed_s: float) -> None:
        self._elapsed_s = max(self._elapsed_s, elapsed_s)
        due = [waiting for waiting in self._limits if waiting[0] <= self._elapsed_s]
        self._limits = [waiting for waiting in self._limits if waiting not in due]
        for _, limit in due:
            limit.reschedule(0)
