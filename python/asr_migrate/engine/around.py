"""What a run changes besides its machines' stages: its lease in the vault, and the work that it stops. Pure."""

from __future__ import annotations

from dataclasses import replace

from asr_migrate.domain.cloud import PlannedWrite
from asr_migrate.domain.lifecycle import Goal, Stage, from_on
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.wave import Outcome, Wave
from asr_migrate.engine.lease import BEAT_S

BEHIND = from_on(Stage.FAILING_OVER)
LEASE_PATH = "tags/default"
LEASE_CALLS = 8
"""Two tickets and one removal, and the five looks at the tags that belong to them; see ``engine.lease``."""
BEAT_CALLS = 2


def with_surroundings(outcome: Outcome, wave: Wave, goal: Goal) -> Outcome:
    """Return check mode's outcome with the writes that come before those of the machines, and its results as planned.

    A run that has nothing to ask for takes no lease and stops nothing.
    """
    machines = {name: replace(result, planned=True) for name, result in outcome.machines.items()}
    if not outcome.writes:
        return replace(outcome, machines=machines)
    names = sorted({machine.wave for machine in wave.machines})
    moving = {name for name, result in machines.items() if not result.failed and result.stage not in BEHIND}
    stopped = [machine for machine in wave.machines if machine.quiesce_commands and machine.name in moving]
    before = [_lease(name, wave.landing_zone.vault) for name in names]
    before += [_quiesce(machine) for machine in stopped] if goal is Goal.FAILED_OVER else []
    return replace(outcome, machines=machines, writes=(*before, *outcome.writes))


def _lease(name: str, vault: str) -> PlannedWrite:
    return PlannedWrite(
        "PATCH",
        f"hold wave {name} by a tag of vault {vault}, and remove the tag at the end",
        "one run works on a wave at a time",
        LEASE_PATH,
        body=f"who works on it since when; {BEAT_CALLS} calls more every {BEAT_S / 60:.0f} minutes",
        calls=LEASE_CALLS,
    )


def _quiesce(machine: Machine) -> PlannedWrite:
    count = f"{machine.quiesce_commands} command" + ("s" if machine.quiesce_commands > 1 else "")
    return PlannedWrite(
        "RUN",
        f"{machine.name}: stop its work ({count} of asr_quiesce_commands, on the source)",
        "its work stands still before the failover",
        machine=machine.name,
        calls=0,
    )
