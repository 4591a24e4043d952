"""Recovery plans in words of the domain: their names, what one holds, what is asked of it.

A plan of ours is called ``asr-<wave>-<n>``: by this name it is known to belong to the wave. Plans of any other name are
somebody else's and are never changed. Azure compares names without case and takes letters, digits and hyphens only, so
a wave whose name does not fit as it stands is written small, with a checksum that keeps it apart from others.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from asr_migrate.domain.site import Json

PREFIX = "asr"
MAX_MACHINES = 100
"""Documented limit of protected machines in one plan."""
MAX_GROUPS = 7
"""Documented limit of the groups that start machines."""
NAME_LENGTH = 63
PLAIN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def wave_slug(wave: str) -> str:
    """Return the wave's name as it stands in the names of its plans."""
    longest = NAME_LENGTH - len(PREFIX) - len("--9999")
    if PLAIN.fullmatch(wave) and len(wave) <= longest:
        return wave
    checksum = hashlib.sha256(wave.encode()).hexdigest()[:6]
    plain = "-".join(PLAIN.findall(wave.lower()))[: longest - len(checksum) - 1].rstrip("-")
    return f"{plain}-{checksum}" if plain else checksum


def plan_name(wave: str, number: int) -> str:
    """Return the name of the wave's plan ``number``, counted from 1."""
    return f"{PREFIX}-{wave_slug(wave)}-{number}"


def plan_number(wave: str, name: str) -> int | None:
    """Return which of the wave's plans ``name`` is, None when it is not one of them."""
    found = re.fullmatch(rf"{PREFIX}-{re.escape(wave_slug(wave))}-([1-9]\d{{0,3}})", name.lower())
    return int(found[1]) if found else None


@dataclass(frozen=True)
class PlanMember:
    """One machine of a plan as the wire has it: its protected item's id and ``virtualMachineId``."""

    machine: str
    item_id: str
    virtual_machine_id: str


@dataclass(frozen=True)
class PlanCall:
    """One action asked of one plan, and what the plan has to hold for it.

    ``operation`` is ``testFailover``, ``testFailoverCleanup``, ``unplannedFailover`` or ``failoverCommit``; ``groups``
    are the plan's Boot groups in the order in which they start; ``fabric_id`` is where its machines come from.
    """

    operation: str
    plan: str
    fabric_id: str
    groups: tuple[tuple[PlanMember, ...], ...]
    body: Json | None

    @property
    def members(self) -> tuple[PlanMember, ...]:
        return tuple(member for group in self.groups for member in group)


@dataclass(frozen=True)
class StandingPlan:
    """A plan that exists in the vault: its name and the ids of its items, lower case, by Boot group.

    ``busy_with`` is what it is doing, None when it is idle.
    """

    name: str
    groups: tuple[tuple[str, ...], ...]
    busy_with: str | None = None

    @property
    def items(self) -> frozenset[str]:
        return frozenset(item for group in self.groups for item in group)


def standing_numbers(wave: str, plans: Mapping[str, StandingPlan], item_ids: Mapping[str, str]) -> dict[str, int]:
    """Return in which of the wave's plans its machines are now: machine -> number. ``item_ids`` is machine -> item."""
    numbers: dict[str, int] = {}
    for plan in plans.values():
        if number := plan_number(wave, plan.name):
            numbers |= {machine: number for machine, item in item_ids.items() if item.lower() in plan.items}
    return numbers


def machine_tasks(tasks: Sequence[Json]) -> Iterator[Json]:
    """Yield the tasks that are machines, in the order in which the job lists them, from groups of any depth."""
    for task in tasks:
        if (task.get("customDetails") or {}).get("instanceType") == "VirtualMachineTaskDetails":
            yield task
        else:
            yield from machine_tasks((task.get("groupTaskCustomDetails") or {}).get("childTasks") or ())
