"""Virtual time: the only place of the lab that reads the computer's clock.

The world of Azure gets ``now`` as an argument. The HTTP server asks a ``VirtualClock``, which maps wall time to virtual
time by a speed (virtual seconds per wall second, 240 in the rehearsal) and can be pushed forward. Tests use
``ManualClock``, which stands still until it is advanced.
"""

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the server needs to know about time."""

    @property
    def speed(self) -> float:
        """Return the virtual seconds in a wall second."""

    def now(self) -> datetime:
        """Return the virtual time, aware UTC."""

    def wall(self) -> datetime:
        """Return the time that clients' own clocks show, aware UTC; the lifetime of tokens is counted in it."""

    def advance(self, seconds: float) -> datetime:
        """Push virtual time forward by ``seconds`` (virtual) and return the new virtual time."""

    async def hold(self, seconds: float) -> None:
        """Wait that many seconds of the clients' time."""


class VirtualClock:
    """Virtual time that runs ``speed`` times as fast as the wall clock, from ``start`` (default: the wall time now)."""

    def __init__(self, speed: float, start: datetime | None = None) -> None:
        if speed <= 0:
            raise ValueError(f"speed: {speed} is not above 0; give virtual seconds per wall second, such as 240")
        self.speed = speed
        self._start = start or datetime.now(UTC)
        self._began_s = time.monotonic()
        self._pushed_s = 0.0
        self._lock = threading.Lock()

    def set(self, now: datetime) -> None:
        """Let virtual time go on from ``now``; a lab that goes on begins at the time at which the last one ended."""
        with self._lock:
            self._start = now
            self._began_s = time.monotonic()
            self._pushed_s = 0.0

    def now(self) -> datetime:
        """Return the virtual time, aware UTC."""
        elapsed_s = (time.monotonic() - self._began_s) * self.speed
        return self._start + timedelta(seconds=elapsed_s + self._pushed_s)

    def wall(self) -> datetime:
        """Return the wall time, aware UTC."""
        return datetime.now(UTC)

    def advance(self, seconds: float) -> datetime:
        """Push virtual time forward by ``seconds`` and return the new virtual time."""
        if seconds < 0:
            raise ValueError(f"seconds: {seconds} is negative; virtual time only moves forward")
        with self._lock:
            self._pushed_s += seconds
        return self.now()

    async def hold(self, seconds: float) -> None:
        """Wait ``seconds`` wall seconds."""
        await asyncio.sleep(seconds)


def seconds() -> float:
    """Return a steady count of wall seconds, to measure how long something takes."""
    return time.monotonic()


class ManualClock:
    """Time that stands still until a test advances it; virtual and wall time are the same."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC), speed: float = 1.0) -> None:
        self.speed = speed
        self._now = start

    def now(self) -> datetime:
        """Return the time, aware UTC."""
        return self._now

    def wall(self) -> datetime:
        """Return the same time as ``now``."""
        return self._now

    def advance(self, seconds: float) -> datetime:
        """Move the time forward by ``seconds`` and return it."""
        if seconds < 0:
            raise ValueError(f"seconds: {seconds} is negative; time only moves forward")
        self._now += timedelta(seconds=seconds)
        return self._now

    async def hold(self, seconds: float) -> None:
        """Wait ``seconds`` wall seconds: clients wait in theirs, whatever a test does to this clock."""
        await asyncio.sleep(seconds)
