"""Several reads at once, all of which have ended when one of them has failed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any


async def together(*work: Awaitable[Any]) -> list[Any]:
    """Return the results of ``work`` in their order.

    Raises the first error, in that order, after all have ended: ``asyncio.gather`` alone would leave the others running
    behind the caller's back, and the end of the process would have to cancel them in the middle of a request.
    """
    results = await asyncio.gather(*work, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return results
