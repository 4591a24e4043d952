"""How fast Azure may be asked: the token buckets of Azure Resource Manager, kept on our side of the wire.

Resource Manager gives each principal, in each region and subscription, a bucket for reads, one for writes and one for
deletions (250 tokens and 25 more each second; 200 and 10; 200 and 10; source: Azure Resource Manager throttling,
documentation of 2024). Asking faster than they fill brings 429 and a wait that is longer than the one we spare, so a
request waits here for its token. A few tokens of each bucket are left alone (``RESERVE``): requests that leave one
after the other may arrive together. What the service says wins: the lowest of what it says is left (``REMAINING``)
lowers a bucket, 429 with ``Retry-After`` closes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncHTTPPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest

from asr_migrate.azure.transport import whole_seconds

READS = frozenset({"GET", "HEAD"})
THROTTLED = 429
RETRY_AFTER_S = 5.0
RESERVE = 5
"""Tokens of each bucket that we never use; of writes, what half a second of a request's delay may cost."""

REMAINING = re.compile(
    r"x-ms-ratelimit-remaining-(?:subscription|tenant)-(?:global-)?(?P<kind>reads|writes|deletes)", re.IGNORECASE
)
"""The headers that say what is left of a bucket: of this principal, of all principals (``global``), of the tenant.

``x-ms-ratelimit-remaining-resource`` and the like count single operations of one provider in minutes and are no bucket
of Resource Manager; a provider that has enough answers 429. Source: Azure Resource Manager throttling, documentation.
"""


@dataclass(frozen=True)
class Allowance:
    """What one kind of request is given: a bucket of ``capacity`` tokens that gains ``per_s`` tokens a second."""

    capacity: float
    per_s: float


ALLOWANCES: Mapping[str, Allowance] = {
    "reads": Allowance(250 - RESERVE, 25),
    "writes": Allowance(200 - RESERVE, 10),
    "deletes": Allowance(200 - RESERVE, 10),
}


class Ticking(Protocol):
    """The part of the clock that a bucket needs."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


@dataclass
class Bucket:
    """The tokens left for one kind of request; times are the clock's monotonic seconds.

    ``tokens`` below zero are promised to requests that wait, so that they pass in the order in which they came.
    """

    allowance: Allowance
    tokens: float
    at_s: float
    closed_until_s: float = 0.0

    @classmethod
    def full(cls, allowance: Allowance, now_s: float) -> Bucket:
        return cls(allowance, allowance.capacity, now_s)

    def take(self, now_s: float) -> float:
        """Take one token and return for how many seconds to wait before using it."""
        self._fill(now_s)
        self.tokens -= 1
        return max(-self.tokens / self.allowance.per_s, self.closed_until_s - now_s, 0.0)

    def correct(self, remaining: float, now_s: float) -> None:
        """Believe the service when it says that fewer tokens are left than we think."""
        self._fill(now_s)
        self.tokens = min(self.tokens, remaining)

    def close(self, seconds: float, now_s: float) -> None:
        """Let nothing pass for ``seconds``: the service throttled us."""
        self._fill(now_s)
        self.tokens = min(self.tokens, 0.0)
        self.closed_until_s = max(self.closed_until_s, now_s + seconds)

    def _fill(self, now_s: float) -> None:
        gained = max(now_s - self.at_s, 0.0) * self.allowance.per_s
        self.tokens = min(self.tokens + gained, self.allowance.capacity)
        self.at_s = now_s


@dataclass
class Spent:
    """What was asked of Azure: requests by kind, how often it throttled us, and the seconds we held requests back."""

    requests: dict[str, int] = field(default_factory=dict)
    throttled: int = 0
    waited_s: float = 0.0


class Budget:
    """The buckets of one principal in one region and subscription; all clients of a connection share it."""

    def __init__(self, clock: Ticking, allowances: Mapping[str, Allowance] = ALLOWANCES) -> None:
        self._clock = clock
        self._buckets = {kind: Bucket.full(one, clock.monotonic()) for kind, one in allowances.items()}
        self.spent = Spent()

    async def admit(self, method: str) -> None:
        """Wait until a request of this HTTP method may be sent."""
        kind = kind_of(method)
        self.spent.requests[kind] = self.spent.requests.get(kind, 0) + 1
        wait_s = self._buckets[kind].take(self._clock.monotonic())
        if wait_s > 0:
            self.spent.waited_s += wait_s
            await self._clock.sleep(wait_s)

    def learn(self, method: str, status: int, headers: Mapping[str, str]) -> None:
        """Take what an answer says of the bucket into account."""
        kind = kind_of(method)
        bucket, now_s = self._buckets[kind], self._clock.monotonic()
        if status == THROTTLED:
            self.spent.throttled += 1
            wait_s = whole_seconds(headers.get("Retry-After") or "", self._clock.now())
            bucket.close(RETRY_AFTER_S if wait_s is None else wait_s, now_s)
            return
        remaining = [float(value) for name, value in headers.items() if value.isdigit() and _is_about(kind, name)]
        if remaining:
            bucket.correct(min(remaining) - RESERVE, now_s)


def kind_of(method: str) -> str:
    """Return the kind of bucket that a request of this HTTP method takes from."""
    return "reads" if method in READS else "deletes" if method == "DELETE" else "writes"


def _is_about(kind: str, header: str) -> bool:
    found = REMAINING.fullmatch(header)
    return found is not None and found["kind"].lower() == kind


class BudgetPolicy(AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]):
    """Let each attempt of a request wait for its token. Stands behind the retry policy, so that retries wait too."""

    def __init__(self, budget: Budget) -> None:
        super().__init__()
        self._budget = budget

    async def send(self, request: PipelineRequest[HttpRequest]) -> PipelineResponse[Any, Any]:
        method = request.http_request.method
        await self._budget.admit(method)
        response = await self.next.send(request)
        answer = response.http_response
        self._budget.learn(method, answer.status_code, answer.headers)
        return response
