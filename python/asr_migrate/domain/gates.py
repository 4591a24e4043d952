"""Gates: what must be true before a verb is asked for, beside what Site Recovery itself requires. Pure.

A gate answers with nothing (open), with Wait (it may open by itself soon), or with Refuse (somebody has to do
something). Two are always on: no test VM may be left before a failover, and complete comes after commit (the table of
``domain.lifecycle``). The others are switched on by the variable ``asr_gates``. Their codes stand in the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from asr_migrate.domain.errors import lookup
from asr_migrate.domain.freeze import Freeze, frozen
from asr_migrate.domain.lifecycle import Goal, Observation, Refuse, Verb, Wait

__all__ = ["GATES", "OPEN", "Approval", "Freeze", "Gate", "Gates", "stop"]

POINT_PATIENCE_S = 1800.0
"""A recovery point is made every 5 minutes; one that has not come after six times that will not come by itself."""
NOT_YET = timedelta(days=366)
"""A quiesce so far ahead is a mistake; one that is nearer may be a rehearsal, whose services' clock goes faster."""
TEST_VM_PATIENCE_S = 600.0
PROBE_PATIENCE_S = 900.0
"""A Windows VM that was failed over installs its agent and restarts once in its first minutes."""


class Approval(BaseModel):
    """Who says that production may be changed now, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    by: str = Field(min_length=1)
    reason: str = Field(min_length=1)


class Gates(BaseModel):
    """The variable ``asr_gates``.

    ``tested_within_days``: a test failover passed at most so many days before the failover. ``fresh_point``: the newest
    recovery point is later than the moment in which the source was quiesced. ``probes``: the Azure VM answers its
    probes before the test counts as running, before the failover counts as reached and before it is committed.
    ``require_approval`` with ``approval``: somebody's name and reason. ``freeze``: windows in which production is not
    changed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tested_within_days: int | None = Field(default=None, ge=1, le=3650)
    fresh_point: bool = False
    probes: bool = False
    require_approval: bool = False
    approval: Approval | None = None
    freeze: tuple[Freeze, ...] = ()

    @field_validator("tested_within_days", mode="before")
    @classmethod
    def _days(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError("must be a number of days, for example 7; leave it out to switch this gate off")
        return value

    def stop(
        self, seen: Observation, verb: Verb, now: datetime | None = None, quiesced_at: datetime | None = None
    ) -> Refuse | Wait | None:
        """Return what keeps ``verb`` from being asked for now, None when nothing does. See ``stop`` below."""
        return stop(self, seen, verb, now, quiesced_at)

    def outdated(self, seen: Observation, now: datetime | None) -> bool:
        """Say whether the machine's last passed test is too old for a failover."""
        if self.tested_within_days is None or seen.last_test is None:
            return False
        return _known(now) - seen.last_test > timedelta(days=self.tested_within_days)


OPEN = Gates()


def stop(
    gates: Gates, seen: Observation, verb: Verb, now: datetime | None = None, quiesced_at: datetime | None = None
) -> Refuse | Wait | None:
    """Return what keeps ``verb`` from being asked for now, None when nothing does.

    Everything that somebody has to do is named at once, in one Refuse; only when there is nothing of the kind the first
    gate that may open by itself is waited for. ``now`` is aware; ``quiesced_at`` is that of ``seen`` when not given.

    Raises ValueError when a gate that asks for the time is on and ``now`` is None.
    """
    asked = Asked(gates, seen, verb, now, quiesced_at or seen.quiesced_at)
    answers = [answer for gate in GATES_OF[verb] if (answer := gate.check(asked))]
    refusals = [answer for answer in answers if isinstance(answer, Refuse)]
    if len(refusals) > 1:
        return Refuse(
            "; ".join(refusal.why for refusal in refusals),
            " ".join(refusal.remedy for refusal in refusals),
            cause="; ".join(refusal.cause for refusal in refusals if refusal.cause),
            code=refusals[0].code,
            first=next((refusal.first for refusal in refusals if refusal.first), None),
        )
    return next(iter(refusals or answers), None)


@dataclass(frozen=True)
class Asked:
    """What a gate is asked about."""

    gates: Gates
    seen: Observation
    verb: Verb
    now: datetime | None
    quiesced_at: datetime | None


@dataclass(frozen=True)
class Gate:
    """One gate: the variable that switches it on, the verbs it stands before, its codes, and what it asks for."""

    name: str
    switch: str | None
    verbs: frozenset[Verb]
    codes: tuple[str, ...]
    words: str
    check: Callable[[Asked], Refuse | Wait | None]


def _known(now: datetime | None) -> datetime:
    if now is None:
        raise ValueError("a gate that asks for the time is on, and no time was given")
    return now


def _refuse(code: str, why: str, *, cause: str | None = None, first: Goal | None = None) -> Refuse:
    """Return a refusal with the remedy of the catalogue."""
    row = lookup(code)
    return Refuse(why, row.remedy if row else "", cause=cause or (row.cause if row else None), code=code, first=first)


def told(moment: datetime) -> str:
    """Return a moment for people, to the minute, with its distance to UTC."""
    text = moment.strftime("%a %Y-%m-%d %H:%M")
    return f"{text} UTC" if moment.utcoffset() == timedelta(0) else f"{text} {moment:%z}"


def _approval(asked: Asked) -> Refuse | None:
    if not asked.gates.require_approval or asked.gates.approval is not None:
        return None
    return _refuse("NotApproved", f"nobody has approved to {asked.verb} it")


def _freeze(asked: Asked) -> Refuse | None:
    if not asked.gates.freeze:
        return None
    found = frozen(asked.gates.freeze, _known(asked.now))
    if found is None:
        return None
    window, end = found
    until = f"until {told(end)}" if end else "and no end of it is in sight"
    return _refuse("Frozen", f"changes of production are frozen {until}: {window.why}")


def _test_vm(asked: Asked) -> Wait | None:
    vm = asked.seen.test_vm
    if vm is None:
        return None
    why = f"the test VM {vm.name} is still in resource group {vm.resource_group}"
    return Wait(why, patience_s=TEST_VM_PATIENCE_S, code="TestVmLeft")


def _tested(asked: Asked) -> Refuse | None:
    days, seen = asked.gates.tested_within_days, asked.seen
    if days is None:
        return None
    if seen.last_test is None:
        return _refuse("NotTested", "no test failover of it has passed", first=Goal.TESTED)
    if asked.gates.outdated(seen, asked.now):
        why = f"its last passed test failover began {told(seen.last_test.astimezone(UTC))}, more than {days} days ago"
        return _refuse("TestTooOld", why, first=Goal.TESTED)
    return None


def _fresh_point(asked: Asked) -> Refuse | Wait | None:
    if not asked.gates.fresh_point:
        return None
    quiesced = asked.quiesced_at
    if quiesced is None:
        return _refuse("NotQuiesced", "it is not known since when its work stands still")
    if quiesced - _known(asked.now) > NOT_YET:
        why = f"its work is said to stand still since {told(quiesced.astimezone(UTC))}, which has not come yet"
        return _refuse("NotQuiesced", why, cause="wave_quiesced_at is wrong")
    point = asked.seen.last_point
    if point is not None and point > quiesced:
        return None
    newest = f"its newest recovery point is of {told(point.astimezone(UTC))}" if point else "it has no recovery point"
    why = f"{newest}; its work stands still since {told(quiesced.astimezone(UTC))}"
    if (_known(asked.now) - quiesced).total_seconds() > POINT_PATIENCE_S:
        return _refuse("StalePoint", why)
    return Wait(why, soon=False, patience_s=POINT_PATIENCE_S, code="StalePoint")


def _probes(asked: Asked) -> Wait | None:
    return probes_missing(asked.gates, asked.seen)


def probes_missing(gates: Gates, seen: Observation) -> Wait | None:
    """Return what is waited for while the Azure VM has not passed its probes, None when it has or none are asked."""
    if not gates.probes or seen.probed:
        return None
    if seen.probed is None:
        return Wait("its probes have not answered yet", patience_s=PROBE_PATIENCE_S, code="NotProbed")
    failures = "; ".join(seen.probe_failures) or "no detail given"
    return Wait(f"its probes fail: {failures}", patience_s=PROBE_PATIENCE_S, code="ProbeFailed")


PRODUCTION = frozenset({Verb.FAIL_OVER, Verb.COMMIT, Verb.COMPLETE})
"""The verbs that production notices, or that cannot be taken back."""
FAILOVER = frozenset({Verb.FAIL_OVER})

GATES = (
    Gate(
        "approval",
        "require_approval",
        PRODUCTION | {Verb.STOP_REPLICATION},
        ("NotApproved",),
        "somebody has approved it, with name and reason",
        _approval,
    ),
    Gate("freeze", "freeze", PRODUCTION, ("Frozen",), "no freeze window is open", _freeze),
    Gate("test cleaned up", None, FAILOVER, ("TestVmLeft",), "no test VM of the machine is left", _test_vm),
    Gate(
        "tested",
        "tested_within_days",
        FAILOVER,
        ("NotTested", "TestTooOld"),
        "a test failover passed within the given days",
        _tested,
    ),
    Gate(
        "fresh point",
        "fresh_point",
        FAILOVER,
        ("NotQuiesced", "StalePoint"),
        "the newest recovery point is later than the quiesce",
        _fresh_point,
    ),
    Gate(
        "probes",
        "probes",
        frozenset({Verb.COMMIT}),
        ("NotProbed", "ProbeFailed"),
        "the Azure VM has passed its probes",
        _probes,
    ),
)
GATES_OF = MappingProxyType({verb: tuple(gate for gate in GATES if verb in gate.verbs) for verb in Verb})
