"""Check mode: which verbs would be asked for, assuming that each one succeeds. Pure."""

from __future__ import annotations

from dataclasses import replace

from asr_migrate.domain.cloud import PlannedWrite
from asr_migrate.domain.lifecycle import (
    GOALS,
    VERBS,
    Act,
    AzureVm,
    Done,
    Goal,
    Observation,
    Refuse,
    Stage,
    Verb,
    Wait,
)
from asr_migrate.domain.machine import Machine
from asr_migrate.engine.decide import decide

EVERYTHING_OFFERED = frozenset(row.operation for row in VERBS.values() if row.operation)
SETTLES_IN = {row.through: row.leads_to for row in VERBS.values() if row.through is not row.leads_to}
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


def plan(seen: Observation, goal: Goal, machine: Machine) -> tuple[list[Act], Refuse | None]:
    """Return the verbs that would be asked for, in order, and why the goal could not be reached, if it could not.

    A goal that has to be reached first is taken as reached: its own run lists its writes.
    """
    acts: list[Act] = []
    while len(acts) <= len(VERBS):
        decision = decide(seen, goal)
        if isinstance(decision, Act):
            acts.append(decision)
            seen = _after(seen, decision.verb, machine)
        elif isinstance(decision, Wait):
            if seen.busy:
                seen = _settled(seen, SETTLES_IN.get(seen.stage, Stage.PROTECTED), machine)
            elif seen.unknown_source:
                seen = replace(seen, unknown_source=None)
            else:
                return acts, None
        elif isinstance(decision, Refuse) and decision.first:
            seen = _settled(seen, GOALS[decision.first].stage, machine)
        else:
            return acts, decision if isinstance(decision, Refuse) and not isinstance(decision, Done) else None
    return acts, None


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
        test_vm=replace(vm, name=target.test_vm_name),
    )


def planned_write(act: Act, machine: Machine, vault: str) -> PlannedWrite:
    """Return ``act`` as a line of check mode's list of writes."""
    method, action = REQUESTS[act.verb]
    path = f"replicationProtectedItems/{machine.name}" + (f"/{action}" if action else "")
    if act.verb is Verb.DISCOVER:
        path = action
    return PlannedWrite(method, f"{machine.name}: {VERBS[act.verb].words} in vault {vault}", act.why, path)
