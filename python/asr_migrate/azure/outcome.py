"""What came of a write whose answer leaves it open: looked up, not sent again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from asr_migrate.azure.budget import THROTTLED
from asr_migrate.clock import Clock
from asr_migrate.domain.errors import ServiceError

T = TypeVar("T")

PAUSES_S = (5.0, 10.0, 20.0, 40.0, 60.0)


async def made_or_found(clock: Clock, make: Awaitable[T | None], find: Callable[[], Awaitable[T | None]]) -> T | None:
    """Return what ``make`` made; when its answer leaves open whether it did, what ``find`` finds of it.

    A write is open when it was answered with 408 or 5xx, or not at all; after 429 nothing was begun. It is looked for
    a few times in two minutes, which a policy or its association takes (recorded: one). ``make`` returns None in check
    mode, ``find`` while there is nothing. Raises the write's own error when nothing is found: it is transient, and
    running again begins by looking.
    """
    try:
        return await make
    except ServiceError as error:
        if not error.transient or error.status == THROTTLED:
            raise
        for pause_s in PAUSES_S:
            await clock.sleep(pause_s)
            if (found := await _look(find)) is not None:
                return found
        raise


async def _look(find: Callable[[], Awaitable[T | None]]) -> T | None:
    try:
        return await find()
    except ServiceError as error:
        if not error.transient:
            raise
        return None
