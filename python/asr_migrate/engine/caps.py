"""How much may go on at once: for one appliance, one vault, one subscription.

The documents give few numbers. Those used here, and where they stand:

- one replication appliance (or configuration server with its built-in process server) serves 200 machines
  (Microsoft: "capacity planning for VMware disaster recovery", support matrix for VMware and physical servers); for how
  many it installs and begins replication at once no number is documented, so never for more than it serves;
- 1,000 machines an hour are failed over in a subscription unless all of them need no hydration, then 2,000
  (Microsoft: "Azure Site Recovery limits"); a test failover makes the same Azure VMs;
- for operations of one vault at once no number is documented; 1,000 is ours: an hour's failovers.

What other runs have going in the vault counts, as far as the vault's list of jobs shows it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from asr_migrate.domain.lifecycle import Verb

HOUR_S = 3600.0


class Scope(StrEnum):
    """What a cap is for."""

    APPLIANCE = "appliance"
    VAULT = "vault"
    SUBSCRIPTION = "subscription"


@dataclass(frozen=True)
class Cap:
    """At most ``most`` machines at ``verbs``: at once, or begun within ``within_s`` seconds."""

    scope: Scope
    verbs: frozenset[Verb]
    most: int
    within_s: float | None = None


MAKING_VMS = frozenset({Verb.TEST_FAILOVER, Verb.FAIL_OVER})
BEGINNING = frozenset({Verb.DISCOVER, Verb.REPLICATE})
DOCUMENTED = (
    Cap(Scope.APPLIANCE, BEGINNING, 200),
    Cap(Scope.VAULT, frozenset(Verb), 1000),
    Cap(Scope.SUBSCRIPTION, MAKING_VMS, 1000, within_s=HOUR_S),
)


@dataclass
class Begun:
    """When how many machines were asked for what in this run; times are the clock's service seconds."""

    log: deque[tuple[float, Verb, int]] = field(default_factory=deque)

    def note(self, verb: Verb, machines: int, now_s: float) -> None:
        self.log.append((now_s, verb, machines))

    def within(self, verbs: Iterable[Verb], seconds: float, now_s: float) -> int:
        """Return how many machines were asked for one of ``verbs`` in the last ``seconds``."""
        wanted = frozenset(verbs)
        return sum(machines for at_s, verb, machines in self.log if verb in wanted and at_s > now_s - seconds)


class Room:
    """What is free in one turn of the engine. ``running`` is how many machines are at each verb now."""

    def __init__(
        self, caps: Iterable[Cap], names: Mapping[Scope, str], running: Mapping[Verb, int], begun: Begun, now_s: float
    ) -> None:
        self._caps = tuple(caps)
        self._names = names
        self._running = Counter(running)
        self._begun = begun
        self._now_s = now_s
        self._taken: Counter[Verb] = Counter()

    def lacks(self, verb: Verb, machines: int = 1) -> str | None:
        """Return why ``machines`` more may not be asked for ``verb`` now, naming the cap; None if they may."""
        for cap in self._caps:
            if verb in cap.verbs and self._used(cap) + machines > cap.most:
                span = f"in {cap.within_s / 60:.0f} min" if cap.within_s else "at once"
                words = " and ".join(sorted(str(one) for one in cap.verbs)) if len(cap.verbs) < len(Verb) else "work"
                name = self._names.get(cap.scope, "")
                return f"waiting for room: {cap.scope} {name} takes at most {cap.most} machines to {words} {span}"
        return None

    def take(self, verb: Verb, machines: int = 1) -> None:
        """Count ``machines`` that are asked for ``verb`` now."""
        self._taken[verb] += machines

    def ever(self, verb: Verb, machines: int) -> bool:
        """Say whether so many machines could be asked for ``verb`` together when nothing else went on."""
        return all(machines <= cap.most for cap in self._caps if verb in cap.verbs)

    def _used(self, cap: Cap) -> int:
        taken = sum(self._taken[verb] for verb in cap.verbs)
        if cap.within_s is not None:
            return taken + self._begun.within(cap.verbs, cap.within_s, self._now_s)
        return taken + sum(self._running[verb] for verb in cap.verbs)
