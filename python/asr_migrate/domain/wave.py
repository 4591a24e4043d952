"""A wave of machines, and what came of asking it for a goal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asr_migrate.domain.cloud import PlannedWrite
from asr_migrate.domain.errors import InputError
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import AzureVm, Fault, Goal, Observation, Stage, Verb
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.parsing import Place, joined, parse, shown

VARIABLES = {"name": "the inventory name", "quiesced_at": "wave_quiesced_at"}
"""Options of a machine that are not set by the variable of their name."""


def _place(data: Any, number: int) -> Place:
    """Return how the options of a machine are called where a user sets them: by variable and host."""
    name = data.get("name", number) if isinstance(data, Mapping) else number

    def place(keys: Sequence[str | int]) -> str:
        if not keys:
            return f"machines[{name}]"
        first, *rest = keys
        variable = VARIABLES.get(str(first), f"asr_{first}")
        return f"{joined([variable, *rest])} of host {name}"

    return place


@dataclass(frozen=True)
class Wave:
    """The machines that move together into one landing zone."""

    machines: tuple[Machine, ...]
    landing_zone: LandingZone

    @classmethod
    def from_hosts(cls, machines: Sequence[Mapping[str, Any]], landing_zone: LandingZone) -> Wave:
        """Build a wave from the machines' dictionaries.

        Raises InputError when one is wrong, or when two share a name, a source or a target VM.
        """
        parsed = tuple(parse(Machine, data, _place(data, number), show=True) for number, data in enumerate(machines))
        wave = cls(parsed, landing_zone)
        for place, value_of in (
            ("the inventory name", lambda machine: machine.name),
            ("asr_source_id", lambda machine: machine.source_id),
            ("asr_target.vm_name", lambda machine: f"{wave.resource_group(machine)}/{machine.target.vm_name}"),
        ):
            hosts: dict[str, list[str]] = {}
            for machine in parsed:
                hosts.setdefault(value_of(machine).casefold(), []).append(machine.name)
            for value, names in hosts.items():
                if len(names) > 1:
                    problem = f"two machines of the wave share {shown(value)}"
                    raise InputError(
                        f"{place} of hosts {' and '.join(names)}", value, problem, remedy="Give each its own."
                    )
        return wave

    def resource_group(self, machine: Machine) -> str:
        """Return the resource group that the machine's Azure VM is made in."""
        return machine.target.resource_group or self.landing_zone.resource_group

    @property
    def resource_groups(self) -> tuple[str, ...]:
        """Return every target resource group of the wave once."""
        return tuple(sorted({self.resource_group(machine) for machine in self.machines}))


@dataclass(frozen=True)
class Step:
    """One change that this run asked for: its job, and how long it took in service seconds (None = not ended)."""

    verb: Verb
    job_id: str | None
    took_s: float | None = None

    def as_dict(self) -> dict[str, Any]:
        took_s = None if self.took_s is None else round(self.took_s, 1)
        return {"verb": str(self.verb), "job": self.job_id, "took_s": took_s}


@dataclass(frozen=True)
class MachineResult:
    """What came of one machine. ``refused`` means that nothing was sent; ``failed`` is set for it, too.

    ``remedies`` says in words what the engine mended by itself. ``planned`` marks what check mode foresees.
    """

    name: str
    goal: Goal
    stage: Stage
    reached: bool = False
    failed: bool = False
    refused: bool = False
    error: Fault | None = None
    azure_vm: AzureVm | None = None
    steps: tuple[Step, ...] = ()
    remedies: tuple[str, ...] = ()
    waited_on: str | None = None
    planned: bool = False

    @property
    def did(self) -> tuple[Verb, ...]:
        return tuple(step.verb for step in self.steps)

    @property
    def summary(self) -> str:
        """One sentence for people: the goal and the VM, or the error with its cause and remedy."""
        if self.error is None:
            vm = f", Azure VM {self.azure_vm.name}" if self.azure_vm else ""
            if self.stage in self.goal.row.reached:
                passed = "" if str(self.stage) == str(self.goal) else f" ({self.stage})"
                return f"{self.goal} reached{passed}{vm}"
            if self.planned:
                return f"{self.goal} would be reached; it is {self.stage} now{vm}"
            return f"{self.goal} reached ({self.stage}){vm}"
        code = f" [{self.error.code}]" if self.error.code else ""
        cause = f" Cause: {self.error.cause}" if self.error.cause else ""
        remedy = f" Remedy: {self.error.remedy}" if self.error.remedy else ""
        return f"{'refused' if self.refused else 'failed'} at {self.stage}: {self.error.message}{code}{cause}{remedy}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "summary": self.summary,
            "goal": str(self.goal),
            "stage": str(self.stage),
            "reached": self.reached,
            "failed": self.failed,
            "refused": self.refused,
            "error": self.error.as_dict() if self.error else None,
            "azure_vm": self.azure_vm.as_dict() if self.azure_vm else None,
            "did": [str(verb) for verb in self.did],
            "steps": [step.as_dict() for step in self.steps],
            "remedies": list(self.remedies),
            "waited_on": self.waited_on,
        }


@dataclass(frozen=True)
class Outcome:
    """What came of a wave: its machines' results by name, and in check mode the writes that were not sent.

    ``stopped`` says who or what stopped the run, None when nobody did; ``going_on`` is then machine -> what Azure goes
    on with.
    """

    machines: Mapping[str, MachineResult]
    writes: tuple[PlannedWrite, ...] = field(default=())
    stopped: str | None = None
    going_on: Mapping[str, str] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        return bool(self.writes) or any(result.steps for result in self.machines.values())

    def by_machine(self) -> dict[str, dict[str, Any]]:
        return {name: result.as_dict() for name, result in self.machines.items()}


def refused(name: str, goal: Goal, stage: Stage, why: Fault) -> str:
    """Return one sentence for people about a machine that was left out before anything was asked for."""
    return MachineResult(name, goal, stage, failed=True, refused=True, error=why).summary


def described(seen: Observation) -> dict[str, Any]:
    """Return an observation as plain values: what wave_info answers for one machine."""
    return {
        "stage": str(seen.stage),
        "busy_with": seen.busy_with or None,
        "progress": seen.progress,
        "rpo_s": seen.rpo_s,
        "health": seen.health,
        "health_errors": [fault.as_dict() for fault in seen.health_errors],
        "error": seen.error.as_dict() if seen.error else None,
        "azure_vm": seen.vm.as_dict() if seen.vm else None,
        "test_vm": seen.test_vm.as_dict() if seen.test_vm else None,
        "allowed_operations": sorted(seen.allowed_operations),
        "item_id": seen.item_id,
        "waiting_for": seen.unknown_source,
    }
