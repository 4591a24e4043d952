"""Reads that answer what was true some seconds ago, as a cache or a replica behind the service would.

While a world has ``stale_s`` rows it remembers what each GET answered and, before each change, what a GET of the
changed path and of the resources above it would have answered. A stale read gets the newest of these answers that is
old enough; when none is old enough the oldest one; when there is none, as for a path that nobody asked before, the
present one.
"""

import copy
from collections.abc import Callable
from datetime import datetime, timedelta

from asr_lab.arm.wire import ArmError, Request, Response

Answer = Callable[[Request], Response]

KEPT = 200
"""Answers remembered for one path."""


class StaleReads:
    """What reads answered, by path and query."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], list[tuple[datetime, Response]]] = {}

    def read(self, request: Request, now: datetime, age_s: float, fresh: Answer) -> Response:
        """Return the answer to a GET of ``age_s`` seconds ago; ``fresh`` gives the present one."""
        self.remember(request, now, fresh)
        seen = self._seen[_key(request)]
        then = now - timedelta(seconds=age_s)
        old = [answer for at, answer in seen if at <= then]
        return copy.deepcopy(old[-1] if old else seen[0][1])

    def before_change(self, request: Request, now: datetime, fresh: Answer) -> None:
        """Remember what the path of a changing request and the two levels above it answer before the change."""
        path = request.path.rstrip("/")
        for above in (path, path.rpartition("/")[0], path.rpartition("/")[0].rpartition("/")[0]):
            if above.count("/") >= _SHORTEST:
                self.remember(
                    Request("GET", above, {"api-version": request.api_version}, dict(request.headers)), now, fresh
                )

    def remember(self, request: Request, now: datetime, fresh: Answer) -> None:
        """Remember what a GET answers now."""
        try:
            answer = fresh(request)
        except ArmError as error:
            answer = error.response()
        seen = self._seen.setdefault(_key(request), [])
        seen.append((now, copy.deepcopy(answer)))
        del seen[:-KEPT]


_SHORTEST = 8
"""Slashes in the id of a top-level resource: ``/subscriptions/s/resourceGroups/g/providers/n/t/name``."""


def _key(request: Request) -> tuple[str, str]:
    query = sorted((name.casefold(), value) for name, value in request.query.items())
    return request.path.rstrip("/").casefold(), repr(query)
