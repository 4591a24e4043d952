"""Check mode: which verbs would be asked for, assuming that each one succeeds. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from asr_migrate.domain.cloud import PlannedWrite
from asr_migrate.domain.durations import minutes_of
from asr_migrate.domain.gates import OPEN, Gates
from asr_migrate.domain.landing_zone import Architecture, LandingZone
from asr_migrate.domain.lifecycle import (
    GOALS,
    VERBS,
    Act,
    AzureVm,
    Goal,
    Observation,
    Refuse,
    Stage,
    Verb,
    Wait,
)
from asr_migrate.domain.machine import Machine
from asr_migrate.engine.bulk import Batch
from asr_migrate.engine.decide import decide

EVERYTHING_OFFERED = frozenset(row.operation for row in VERBS.values() if row.operation)
SETTLES_IN = {row.through: row.leads_to for row in VERBS.values() if row.through is not row.leads_to}
PROVIDERS = {Architecture.CLASSIC: "InMageAzureV2", Architecture.MODERNIZED: "InMageRcm"}
REQUESTS = {
    Verb.DISCOVER: ("POST", "discoverProtectableItem"),
    Verb.REPLICATE: ("PUT", ""),
    Verb.UPDATE: ("PATCH", ""),
    Verb.TEST_FAILOVER: ("POST", "testFailover"),
    Verb.CLEAN_UP_TEST: ("POST", "testFailoverCleanup"),
    Verb.FAIL_OVER: ("POST", "unplannedFailover"),
    Verb.COMMIT: ("POST", "failoverCommit"),
    Verb.COMPLETE: ("POST", "remove"),
    Verb.STOP_REPLICATION: ("POST", "remove"),
}


READS = {Verb.REPLICATE: 2, Verb.UPDATE: 1}
"""Reads of one machine that a verb costs beside the sweeps, which serve the whole wave; others cost one, of the job."""


@dataclass(frozen=True)
class PlannedAct(Act):
    """A verb that would be asked for, and ``stops``: what would keep it from being asked for now, in words."""

    stops: tuple[str, ...] = ()


def plan(
    seen: Observation,
    goal: Goal,
    machine: Machine,
    gates: Gates = OPEN,
    now: datetime | None = None,
    *,
    planned_before: Collection[Goal] = tuple(Goal),
) -> tuple[list[Act], Refuse | None]:
    """Return the verbs that would be asked for, in order, and why the goal could not be reached, if it could not.

    A goal that has to be reached first is taken as reached when it is one of ``planned_before``, whose writes are
    listed already. A gate refuses nothing here: it may be open when the verb's turn comes, so what it says now is told
    with the verb.
    """
    acts: list[Act] = []
    for _ in range(4 * len(VERBS)):
        decision = decide(seen, goal)
        if goal is Goal.TEST_RUNNING and seen.stage is Stage.TESTED and gates.outdated(seen, now):
            decision = decide(seen, goal, gates, now)
        if isinstance(decision, Act):
            acts.append(PlannedAct(decision.verb, decision.why, _stops(seen, decision.verb, gates, now)))
            seen = _after(seen, decision.verb, machine)
            seen = replace(seen, last_test=now) if decision.verb is Verb.TEST_FAILOVER else seen
        elif isinstance(decision, Wait):
            if seen.busy or seen.stage in SETTLES_IN:
                seen = _settled(seen, SETTLES_IN.get(seen.stage, Stage.PROTECTED), machine)
            elif seen.unknown_source:
                seen = replace(seen, unknown_source=None)
            elif seen.test_vm and seen.stage is not Stage.TEST_RUNNING:
                seen = replace(seen, test_vm=None)
            else:
                return acts, None
        elif isinstance(decision, Refuse) and decision.first in planned_before and decision.first:
            seen = _settled(seen, GOALS[decision.first].stage, machine)
        else:
            return acts, decision if isinstance(decision, Refuse) else None
    return acts, None


def _stops(seen: Observation, verb: Verb, gates: Gates, now: datetime | None) -> tuple[str, ...]:
    stop = gates.stop(seen, verb, now)
    return () if stop is None else tuple(stop.why.split("; "))


def _after(seen: Observation, verb: Verb, machine: Machine) -> Observation:
    if verb is Verb.DISCOVER:
        return replace(seen, unknown_source=None, discoverable=False)
    settled = _settled(seen, VERBS[verb].leads_to, machine)
    if verb is Verb.REPLICATE and machine.target.private_ip:
        return replace(settled, drift=("private_ip",))
    return settled


def _settled(seen: Observation, stage: Stage, machine: Machine) -> Observation:
    target = machine.target
    vm = AzureVm(target.vm_name, "", target.resource_group or "", running=True)
    return replace(
        seen,
        stage=stage,
        allowed_operations=EVERYTHING_OFFERED,
        busy=False,
        drift=(),
        health=None,
        vm=seen.vm or vm,
        test_vm=replace(vm, name=target.test_vm_name) if stage is Stage.TEST_RUNNING else None,
    )


def planned_write(act: Act, machine: Machine, zone: LandingZone) -> PlannedWrite:
    """Return ``act`` as a line of check mode's list of writes."""
    method, action = REQUESTS[act.verb]
    path = f"replicationProtectedItems/{machine.name}" + (f"/{action}" if action else "")
    if act.verb is Verb.DISCOVER:
        path = action
    return PlannedWrite(
        method,
        f"{machine.name}: {VERBS[act.verb].words} in vault {zone.vault}",
        act.why,
        path,
        machine=machine.name,
        body=body_words(act.verb, machine, zone),
        calls=1 + READS.get(act.verb, 1),
        minutes=minutes_of(PROVIDERS[zone.architecture], act.verb),
        gates=stops_of(act),
    )


def planned_repair(machine: Machine, zone: LandingZone) -> PlannedWrite:
    """Return, as a line of check mode's list, that a machine is synchronised again: the remedy for Critical health."""
    return PlannedWrite(
        "POST",
        f"{machine.name}: synchronise its disks again in vault {zone.vault}",
        "its replication health is Critical and Site Recovery offers it",
        f"replicationProtectedItems/{machine.name}/repairReplication",
        machine=machine.name,
        calls=1,
    )


def stops_of(act: Act) -> tuple[str, ...]:
    """Return what would keep ``act`` from being asked for now, in words."""
    return act.stops if isinstance(act, PlannedAct) else ()


def plan_costs(
    writes: Sequence[PlannedWrite], batch: Batch, zone: LandingZone, gates: tuple[str, ...]
) -> list[PlannedWrite]:
    """Return the writes of a recovery plan (made or changed, then its action) with their calls, minutes and gates.

    The machines of a group move together, the groups one after the other.
    """
    *made, action = writes
    names = ", ".join(machine.name for machine in batch.machines)
    usual = minutes_of(PROVIDERS[zone.architecture], batch.verb)
    minutes = None if usual is None else usual * len(batch.groups)
    body = body_words(batch.verb, batch.machines[0], zone)
    return [
        *(replace(write, body=f"machines {names}", calls=3, minutes=1) for write in made),
        replace(action, body=body, calls=2, minutes=minutes, gates=gates),
    ]


def body_words(verb: Verb, machine: Machine, zone: LandingZone) -> str:
    """Return what the request of a verb says, in words: names, sizes and networks, no ids and no secrets."""
    target = machine.target
    network, subnet = target.network or zone.network, target.subnet or zone.subnet
    vm = [
        f"VM {target.vm_name}",
        f"size {target.vm_size or 'as Site Recovery chooses'}",
        f"resource group {target.resource_group or zone.resource_group}",
        f"network {network}, subnet {subnet}",
    ]
    address = [f"address {target.private_ip}"] if target.private_ip else []
    bodies: dict[Verb, list[str]] = {
        Verb.DISCOVER: [f"address {next(iter(machine.addresses), 'unknown')}", f"{machine.os}"],
        Verb.REPLICATE: [*vm, f"disks {target.disk_type}", f"policy {zone.policy.name}"],
        Verb.UPDATE: [*vm, *address],
        Verb.TEST_FAILOVER: [f"network {target.test_network or zone.test_network}", "latest recovery point"],
        Verb.FAIL_OVER: ["latest recovery point", "the source is not shut down"],
        Verb.COMPLETE: ["reason MigrationComplete"],
        Verb.STOP_REPLICATION: ["reason NotSpecified"],
    }
    return ", ".join(bodies.get(verb, []))
