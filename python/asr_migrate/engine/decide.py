"""The one decision of asr-migrate: what to do next for one machine. Pure and total."""

from __future__ import annotations

from datetime import datetime

from asr_migrate.domain.gates import OPEN, Gates, probes_missing
from asr_migrate.domain.lifecycle import (
    GOALS,
    VERBS,
    Act,
    AzureVm,
    Decision,
    Done,
    Goal,
    Observation,
    Refuse,
    Stage,
    Verb,
    Wait,
)

REMOVE_FIRST = (
    "When the cause is repaired, run the stop_replication playbook for it, which removes what is left of its "
    "replication, then the replicate playbook again."
)
CLEAN_UP_FIRST = "Repair the cause, run the clean_up_test playbook, then run test_failover again."
NEWS_PATIENCE_S = 1800.0
STEADY = frozenset({Stage.ENABLING, Stage.REPLICATING})
PASSING = STEADY | {row.through for row in VERBS.values() if row.through is not row.leads_to}
"""The stages that a machine leaves by itself, even when no job that works on it can be seen."""


def decide(seen: Observation, goal: Goal, gates: Gates = OPEN, now: datetime | None = None) -> Decision:
    """Return the one next step that brings a machine from what was just seen towards ``goal``.

    Asking for what is already behind the machine is Done, not an error: a run that was killed asks for everything
    again. Never returns a verb that the service does not list in ``seen.allowed_operations``, nor one while it is busy,
    nor one that a gate holds back at ``now``, which is aware.

    Raises ValueError when a gate that asks for the time is on and ``now`` is None.
    """
    if goal is Goal.TEST_RUNNING and seen.stage is Stage.TESTED and now is not None and gates.outdated(seen, now):
        return _retest(seen, gates, now)
    decision = _decide(seen, goal)
    if isinstance(decision, Done) and (missing := _unprobed(seen, goal, gates)):
        return missing
    return (gates.stop(seen, decision.verb, now) or decision) if isinstance(decision, Act) else decision


def _retest(seen: Observation, gates: Gates, now: datetime) -> Decision:
    """Decide for a machine whose test is too old for a failover and is asked for again."""
    if seen.busy:
        return Wait(seen.busy_with)
    if not seen.allows(Verb.TEST_FAILOVER):
        return _not_offered(seen, Verb.TEST_FAILOVER)
    again = Act(Verb.TEST_FAILOVER, f"its last passed test is more than {gates.tested_within_days} days old")
    return gates.stop(seen, Verb.TEST_FAILOVER, now) or again


def _unprobed(seen: Observation, goal: Goal, gates: Gates) -> Wait | None:
    """Return what is waited for while the Azure VM that the goal asks for has not passed its probes."""
    asked = goal in (Goal.TEST_RUNNING, Goal.FAILED_OVER) and seen.stage is GOALS[goal].stage
    return probes_missing(gates, seen) if asked else None


def _decide(seen: Observation, goal: Goal) -> Decision:
    row = GOALS[goal]
    if seen.stage in row.reached and not _unfinished(seen, goal):
        return Done()
    if seen.busy:
        return Wait(seen.busy_with, soon=seen.stage not in STEADY)
    if seen.stage in row.reached:
        return _finish(seen, goal)
    if seen.stage is Stage.BROKEN:
        return _broken(seen, goal)
    if seen.stage is Stage.ABSENT and goal is Goal.PROTECTED and (stop := _not_replicable(seen)):
        return stop
    for verb in row.verbs:
        if seen.stage in VERBS[verb].legal_from and _wanted(seen, verb):
            return Act(verb, _why(seen, goal)) if seen.allows(verb) else _not_offered(seen, verb)
    if seen.stage in PASSING:
        return Wait(f"it is {seen.stage}; waiting to see what comes of it", patience_s=NEWS_PATIENCE_S)
    return _no_way(seen, goal)


def _awaited_vm(seen: Observation, goal: Goal) -> AzureVm | None:
    return seen.test_vm if goal is Goal.TEST_RUNNING else seen.vm


def _unfinished(seen: Observation, goal: Goal) -> bool:
    """Say whether the goal's own stage was reached but something that belongs to the goal is still missing."""
    if seen.stage is not GOALS[goal].stage:
        return goal is Goal.PROTECTED and bool(seen.drift) and seen.stage in VERBS[Verb.UPDATE].legal_from
    if goal is Goal.PROTECTED:
        return bool(seen.drift) or seen.health == "Critical"
    if goal in (Goal.TEST_RUNNING, Goal.FAILED_OVER):
        vm = _awaited_vm(seen, goal)
        return vm is None or vm.running is False
    return False


def _finish(seen: Observation, goal: Goal) -> Decision:
    """Decide for a machine that stands in the goal's own stage but misses something."""
    if goal is Goal.PROTECTED and seen.drift:
        return Act(Verb.UPDATE, f"these properties differ: {', '.join(seen.drift)}")
    if goal is Goal.PROTECTED:
        told = "; ".join(fault.message for fault in seen.health_errors) or "no detail given"
        return Wait(f"replication health is Critical: {told}", soon=False, patience_s=NEWS_PATIENCE_S)
    vm = _awaited_vm(seen, goal)
    waited = f"the Azure VM {vm.name} to run" if vm else "the Azure VM to appear in the target resource group"
    return Wait(f"waiting for {waited}", patience_s=NEWS_PATIENCE_S)


def _not_replicable(seen: Observation) -> Decision | None:
    if seen.name_taken:
        return Refuse(
            f"the name {seen.name_taken.name} is taken in resource group {seen.name_taken.resource_group}",
            "Choose another target name (asr_target.vm_name), or remove the VM if nobody needs it.",
            cause=f"{seen.name_taken.id} exists and does not carry this machine's asr-source-id tag",
            code="NameTaken",
        )
    if seen.unknown_source and not seen.discoverable:
        return Wait(seen.unknown_source, patience_s=seen.source_patience_s)
    return None


def _wanted(seen: Observation, verb: Verb) -> bool:
    if verb is Verb.DISCOVER:
        return seen.unknown_source is not None
    if verb is Verb.UPDATE:
        return bool(seen.drift)
    return True


def _why(seen: Observation, goal: Goal) -> str:
    if seen.stage is Stage.ABSENT:
        return seen.unknown_source or "it does not replicate yet"
    return f"it is {seen.stage}, asked for is {goal}"


def _not_offered(seen: Observation, verb: Verb) -> Refuse:
    offered = ", ".join(sorted(seen.allowed_operations)) or "nothing"
    return Refuse(
        f"Site Recovery does not offer {VERBS[verb].operation} now; it offers {offered}",
        "Look at the machine's health in the vault, repair what it names, then run again.",
        cause="; ".join(fault.message for fault in seen.health_errors) or None,
        code="NotOffered",
    )


def _broken(seen: Observation, goal: Goal) -> Decision:
    """Decide for a machine whose last step failed: a failed test is cleaned up, a failed failover tried again.

    Anything else, such as replication that could not be enabled, is for a person: the service's words are passed on.
    """
    test_failed = seen.allows(Verb.CLEAN_UP_TEST)
    failover_failed = seen.allows(Verb.FAIL_OVER) and not test_failed
    if goal is Goal.PROTECTED and (test_failed or failover_failed):
        return Done()
    if goal in (Goal.TEST_RUNNING, Goal.TESTED) and failover_failed:
        return Done()
    for verb in GOALS[goal].verbs:
        if (
            Stage.BROKEN in VERBS[verb].legal_from
            and seen.allows(verb)
            and not (test_failed and verb is Verb.FAIL_OVER)
        ):
            return Act(verb, "its last step failed")
    fault = seen.error
    way_out = CLEAN_UP_FIRST if test_failed else REMOVE_FIRST
    return Refuse(
        fault.message if fault else "Site Recovery reports a failure without saying which",
        f"{fault.remedy} {way_out}" if fault and fault.remedy else way_out,
        cause=fault.cause if fault else None,
        code=(fault.code if fault else None) or "Broken",
    )


def _no_way(seen: Observation, goal: Goal) -> Decision:
    row = GOALS[goal]
    if seen.stage is Stage.TEST_RUNNING and goal is Goal.FAILED_OVER:
        return Refuse(
            "its test VM is still there",
            "Run the clean_up_test playbook first.",
            code="TestRunning",
            first=Goal.TESTED,
        )
    if seen.stage is Stage.TEST_RUNNING and goal is Goal.ABSENT:
        return Refuse(
            "its test VM is still there and would be left behind",
            "Run the clean_up_test playbook first.",
            code="TestRunning",
            first=Goal.TESTED,
        )
    if goal is Goal.ABSENT:
        return Refuse(
            f"it is {seen.stage}: the machine already runs in Azure or is on its way",
            "Run the complete_migration playbook instead; it removes the replication and keeps the VM.",
            code="TooLate",
        )
    if seen.stage is Stage.ABSENT:
        return Refuse(
            "not replicating: run the replicate playbook first",
            "Run the replicate playbook first.",
            code="NotReplicating",
            first=row.first,
        )
    first = row.first
    playbook = GOALS[first].playbook if first else row.playbook
    return Refuse(
        f"it is {seen.stage}; {goal} needs {first or 'another stage'} first",
        f"Run the {playbook} playbook first.",
        code="TooEarly",
        first=first,
    )
