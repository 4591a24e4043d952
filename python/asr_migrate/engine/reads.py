"""Work on single machines: a few at a time, and a read that Azure does not answer ends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from asr_migrate.clock import Clock
from asr_migrate.domain.errors import ServiceError
from asr_migrate.domain.site import Sweep
from asr_migrate.domain.wave import Wave

A = TypeVar("A")
T = TypeVar("T")

AT_ONCE = 32
TOGETHER = 2 * AT_ONCE
LOOK_S = 600.0
"""A sweep that has not ended after so long counts as no answer."""
READ_S = 300.0
"""A single read that has had no answer for so long is given up: a request ends in a minute, and few are repeated."""


class LookLostError(Exception):
    """Azure did not answer a read about one machine; ``error`` says why. The next turn may do better."""

    def __init__(self, error: ServiceError) -> None:
        super().__init__(str(error))
        self.error = error


class Reads:
    """What all single reads of a run go through."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, read: Callable[[], Awaitable[T]]) -> T:
        """Return what ``read`` returns.

        Raises LookLostError for a transient ServiceError and for no answer in ``READ_S``, any other error as it is.
        """
        try:
            async with self._gate:
                return await answered(read(), self._clock, READ_S)
        except ServiceError as error:
            if error.transient:
                raise LookLostError(error) from error
            raise


async def answered(read: Awaitable[T], clock: Clock, seconds: float) -> T:
    """Return what ``read`` returns. Raises a transient ServiceError when it has not answered after ``seconds``."""
    try:
        async with clock.timeout(seconds):
            return await read
    except TimeoutError as error:
        raise ServiceError.from_codes(f"Azure has not answered a read for {seconds:.0f} s", ["NoAnswer"]) from error


async def each(work: Callable[[A], Awaitable[T]], some: Iterable[A]) -> list[T]:
    """Return what ``work`` returns for each of ``some``, in their order.

    ``TOGETHER`` are under way at a time, twice what may ask Azure: a wave of thousands is never thousands of tasks.
    """
    waiting = list(some)
    results: list[Any] = [None] * len(waiting)
    numbered = enumerate(waiting)

    async def one_after_the_other() -> None:
        for number, one in numbered:
            results[number] = await work(one)

    await asyncio.gather(*(one_after_the_other() for _ in range(min(TOGETHER, len(waiting)))))
    return results


@dataclass
class Turn:
    """One sweep, what it belongs to, and what was read beside it. ``at_s`` is when the sweep began."""

    wave: Wave
    sweep: Sweep
    at_s: float
    _read: dict[str, asyncio.Future[Any]] = field(default_factory=dict)

    async def once(self, key: str, read: Callable[[], Awaitable[T]]) -> T:
        """Return what ``read`` returns; machines that ask for the same in one turn share one request."""
        if key not in self._read:
            self._read[key] = asyncio.ensure_future(read())
        found: T = await self._read[key]
        return found
