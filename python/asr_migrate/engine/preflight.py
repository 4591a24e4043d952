"""Before the work of a machine is stopped: would a run move it now?

Asked with every gate but the fresh point, which can only come after the work has stopped. Nothing is sent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asr_migrate.clock import Clock
from asr_migrate.domain.errors import lookup
from asr_migrate.domain.gates import TEST_VM_PATIENCE_S, Gates
from asr_migrate.domain.lifecycle import GOALS, VERBS, Act, Decision, Done, Fault, Goal, Observation, Refuse, Wait
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.wave import Wave
from asr_migrate.engine.decide import decide
from asr_migrate.engine.steps import BY_STAGE, REFUSAL_PATIENCE_S
from asr_migrate.engine.whole import Application, application_of

LOOK_AGAIN_S = 15.0
PATIENCE_S = TEST_VM_PATIENCE_S
HELD_BACK = "ApplicationHeldBack"

Look = Callable[[Wave], Awaitable[Mapping[str, Observation]]]


@dataclass(frozen=True)
class Readiness:
    """Whether a run would ask for a change of a machine now (``moves``), or why it may not (``refusal``).

    Neither: the machine is at the goal, behind it, or on its way.
    """

    moves: bool = False
    refusal: Fault | None = None

    def as_dict(self) -> dict[str, Any]:
        return {"moves": self.moves, "refusal": self.refusal.as_dict() if self.refusal else None}


async def preflight(
    look: Look, wave: Wave, goal: Goal, gates: Gates, clock: Clock, left_out: Collection[str] = ()
) -> dict[str, Readiness]:
    """Return for every machine of ``wave`` whether a run to ``goal`` would move it now.

    What may change by itself (a test VM that is being removed, a job that ends, a list that is behind) is waited for
    ten minutes. ``left_out`` names machines that the run does not take along: those that have not moved yet hold the
    rest of their application back. Raises ServiceError when Azure does not answer.
    """
    gates = gates.model_copy(update={"fresh_point": False})
    began_s = clock.monotonic()
    while True:
        seen = await look(wave)
        now, waited_s = clock.now(), clock.monotonic() - began_s
        decisions = {name: decide(one, goal, gates, now) for name, one in seen.items() if name not in left_out}
        if not any(_open(decision, seen[name], goal, waited_s) for name, decision in decisions.items()):
            break
        await clock.sleep(LOOK_AGAIN_S)
    found = {name: _readiness(decision, seen[name], goal) for name, decision in decisions.items()}
    found |= {name: _absent(seen[name], goal) for name in left_out if name in seen}
    return whole(wave.machines, found)


def whole(machines: Sequence[Machine], found: Mapping[str, Readiness]) -> dict[str, Readiness]:
    """Return ``found`` with the machines held back of whose application another one may not move."""
    held: dict[Application, tuple[str, Fault]] = {}
    for machine in machines:
        one, application = found.get(machine.name), application_of(machine)
        if one and one.refusal and application:
            held.setdefault(application, (machine.name, one.refusal))
    result = dict(found)
    for machine in machines:
        application = application_of(machine)
        if application in held and result[machine.name].moves:
            result[machine.name] = Readiness(refusal=_held_back(machine, *held[application]))
    return result


def _held_back(machine: Machine, mate: str, why: Fault) -> Fault:
    code = f" [{why.code}]" if why.code else ""
    remedy = f"{why.remedy} " if why.remedy else ""
    return Fault(
        f"{machine.name} stays: application {machine.group} moves whole, {mate} cannot move now",
        HELD_BACK,
        f"{mate}: {why.message}{code}",
        f"{mate}: {remedy}Then run the same playbook again. If {mate} is not to move with the application, take it out "
        "of it (asr_group).",
    )


def _on_its_way(seen: Observation, goal: Goal) -> bool:
    """Say whether the machine is at the goal, behind it, or being brought there: there is nothing left to stop."""
    row = GOALS[goal]
    return seen.stage in row.reached or seen.stage in {VERBS[verb].through for verb in row.verbs}


def _open(decision: Decision, seen: Observation, goal: Goal, waited_s: float) -> bool:
    """Say whether another look may tell more."""
    if isinstance(decision, Refuse):
        return decision.code in BY_STAGE and waited_s < REFUSAL_PATIENCE_S
    return isinstance(decision, Wait) and not _on_its_way(seen, goal) and waited_s < PATIENCE_S


def _readiness(decision: Decision, seen: Observation, goal: Goal) -> Readiness:
    if isinstance(decision, Act):
        return Readiness(moves=True)
    if isinstance(decision, Refuse):
        return Readiness(refusal=Fault(decision.why, decision.code, decision.cause, decision.remedy))
    if isinstance(decision, Done) or _on_its_way(seen, goal):
        return Readiness()
    row = lookup(decision.code)
    return Readiness(
        refusal=Fault(
            f"nothing changed for {PATIENCE_S:.0f} s: {decision.why}",
            decision.code or "NoChange",
            decision.why,
            row.remedy if row else "Repair what is named here, then run the same playbook again.",
        )
    )


def _absent(seen: Observation, goal: Goal) -> Readiness:
    """Return what holds for a machine that the run does not take along."""
    if _on_its_way(seen, goal):
        return Readiness()
    return Readiness(refusal=Fault(f"it is {seen.stage} and this run does not take it along"))
