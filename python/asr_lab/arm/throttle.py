"""The request limits of Azure Resource Manager: token buckets, as data and arithmetic.

A bucket belongs to a region, a subscription, a principal and a kind of request (reads, writes, deletes); a second one,
fifteen times as large, belongs to all principals of the subscription. A request takes a token from both or is refused.

Buckets fill in virtual time, like everything in the world: at speed 1 they are those of the documentation in wall
seconds, at speed 240 the same for a client that is 240 times as quick. They are off until a scenario (``throttled``),
``/_lab/throttle`` or a caller of ``switch_on`` turns them on, because most tests do not pace themselves.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, cast

from asr_lab.arm.providers.rules import table
from asr_lab.arm.schema import Flag, Record, Whole, check
from asr_lab.arm.wire import ArmError, Request

Kind = Literal["reads", "writes", "deletes"]
Scope = Literal["subscription", "tenant"]
KINDS: tuple[Kind, ...] = ("reads", "writes", "deletes")

_BUCKET = Record({"capacity": Whole(minimum=1), "per_second": Whole(minimum=1)})
SETTINGS = Record({"enabled": Flag(), **dict.fromkeys(KINDS, _BUCKET)})
"""``{"enabled": true, "reads": {"capacity": 250, "per_second": 25}, ...}``; what is left out is as documented."""


@dataclass(frozen=True)
class Limit:
    """How many tokens a full bucket holds and how many come back in a second."""

    capacity: int
    per_second: int

    def times(self, factor: int) -> "Limit":
        """Return the limit ``factor`` times as large."""
        return Limit(self.capacity * factor, self.per_second * factor)


@dataclass
class Bucket:
    """Tokens of one bucket as they were at ``at``."""

    limit: Limit
    tokens: float
    at: datetime

    def fill(self, now: datetime) -> None:
        """Put back what has come since the last look; a moment before it changes nothing."""
        passed_s = max(0.0, (now - self.at).total_seconds())
        self.tokens = min(float(self.limit.capacity), self.tokens + passed_s * self.limit.per_second)
        self.at = max(self.at, now)

    def wait_s(self) -> int:
        """Return the whole seconds until a token is there, 0 when one is."""
        return math.ceil((1 - self.tokens) / self.limit.per_second) if self.tokens < 1 else 0


@dataclass(frozen=True)
class Allowance:
    """What is left after a request: of the principal's own bucket and of the whole subscription's."""

    scope: Scope
    kind: Kind
    left: int
    global_left: int | None

    def headers(self) -> dict[str, str]:
        """Return the headers that tell it."""
        start = f"x-ms-ratelimit-remaining-{self.scope}"
        told = {f"{start}-{self.kind}": str(self.left)}
        if self.global_left is not None:
            told[f"{start}-global-{self.kind}"] = str(self.global_left)
        return told


class Throttled(ArmError):
    """The 429 of an empty bucket; ``allowance`` is what its headers tell."""

    def __init__(self, allowance: Allowance, wait_s: int, subscription: str, principal: str) -> None:
        row = table("throttling")["error"]
        message = row["message"].format(
            kind=allowance.kind[:-1], subscription=subscription, principal=principal, seconds=wait_s
        )
        super().__init__(429, row["code"], message, headers={"Retry-After": str(wait_s)})
        self.allowance = allowance


@dataclass
class Throttle:
    """The buckets of a world; ``on`` tells whether they refuse anything."""

    on: bool = False
    limits: dict[Kind, Limit] = field(default_factory=lambda: documented())
    buckets: dict[tuple[str, ...], Bucket] = field(default_factory=dict)
    changes: int = 0

    def switch_on(self, settings: Any = None) -> None:
        """Begin with full buckets; ``settings`` (see ``SETTINGS``) change them. Raises ArmError 400 with a sentence."""
        given: Mapping[str, Any] = check(settings or {}, SETTINGS)
        self.on = given.get("enabled") is not False
        self.changes += 1
        self.buckets.clear()
        self.limits = documented()
        for kind in KINDS:
            self.limits[kind] = Limit(**{**vars(self.limits[kind]), **(given.get(kind) or {})})

    def switch_off(self) -> None:
        """Refuse nothing from now on."""
        self.on = False
        self.changes += 1
        self.buckets.clear()

    def untouched(self, request: Request) -> Allowance:
        """Return what is told with an answer for which nothing was taken: the numbers of the limits before 2024."""
        kind = kind_of(request.method)
        return Allowance(_scope(request)[0], kind, int(table("throttling")["unlimited"][kind]), None)

    def take(self, request: Request, now: datetime) -> Allowance:
        """Take the tokens of a request and return what is left. Raises Throttled when a bucket is empty."""
        if not self.on:
            return self.untouched(request)
        kind = kind_of(request.method)
        scope, subscription = _scope(request)
        region = region_of(request.host)
        own = self._bucket((region, subscription, request.principal, kind), self.limits[kind], now)
        factor = int(table("throttling")["global_factor"]["value"])
        shared = self._bucket((region, subscription, kind), self.limits[kind].times(factor), now)
        wait_s = max(own.wait_s(), shared.wait_s())
        if wait_s:
            left = Allowance(scope, kind, int(own.tokens), int(shared.tokens))
            raise Throttled(left, wait_s, subscription, request.principal)
        own.tokens -= 1
        shared.tokens -= 1
        return Allowance(scope, kind, int(own.tokens), int(shared.tokens))

    def state(self) -> dict[str, Any]:
        """Return whether the limits are on, and what they are, as JSON."""
        return {"enabled": self.on, **{kind: vars(limit) for kind, limit in self.limits.items()}}

    def _bucket(self, key: tuple[str, ...], limit: Limit, now: datetime) -> Bucket:
        bucket = self.buckets.get(key)
        if bucket is None:
            bucket = self.buckets[key] = Bucket(limit, float(limit.capacity), now)
        bucket.fill(now)
        return bucket


def documented() -> dict[Kind, Limit]:
    """Return the limits of the documentation."""
    rows = table("throttling")["buckets"]
    return {cast("Kind", kind): Limit(int(row["capacity"]), int(row["per_second"])) for kind, row in rows.items()}


def kind_of(method: str) -> Kind:
    """Return the kind of request that a method is."""
    return "reads" if method in ("GET", "HEAD") else "deletes" if method == "DELETE" else "writes"


def _scope(request: Request) -> tuple[Scope, str]:
    """Return whose limits count, and the subscription when it is one."""
    segments = request.path.split("/", 3)
    if len(segments) > 2 and segments[1].casefold() == "subscriptions" and segments[2]:
        return "subscription", segments[2].casefold()
    return "tenant", ""


def region_of(host: str) -> str:
    """Return the region in a regional host name (``westeurope.management.azure.com``), else an empty string."""
    return host.removesuffix(".management.azure.com") if host.endswith(".management.azure.com") else ""
