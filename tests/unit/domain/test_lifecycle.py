"""The table of stages, goals and verbs, and the decision that reads it."""

from dataclasses import replace
from itertools import product

import pytest

from asr_migrate.domain.lifecycle import (
    GOALS,
    ROAD,
    VERBS,
    Act,
    AzureVm,
    Done,
    Fault,
    Goal,
    Observation,
    Refuse,
    Stage,
    Verb,
    Wait,
)
from asr_migrate.engine.decide import decide

EVERYTHING = frozenset(row.operation for row in VERBS.values() if row.operation)
VM = AzureVm("vm", "/vm", "rg", running=True)
OFFERS = [frozenset(), EVERYTHING, *(frozenset({name}) for name in sorted(EVERYTHING))]


def at(stage, **more):
    test_vm = VM if stage is Stage.TEST_RUNNING else None
    return Observation(stage, **{"allowed_operations": EVERYTHING, "vm": VM, "test_vm": test_vm, **more})


@pytest.mark.parametrize("goal", Goal)
@pytest.mark.parametrize("stage", Stage)
def test_every_stage_and_goal_has_a_decision(stage, goal):
    for busy, offered, error in product((True, False), OFFERS, (None, Fault("it broke"))):
        seen = Observation(stage, allowed_operations=offered, busy=busy, error=error)
        assert isinstance(decide(seen, goal), Act | Wait | Done | Refuse)


@pytest.mark.parametrize("goal", Goal)
@pytest.mark.parametrize("stage", Stage)
def test_no_verb_is_sent_that_the_service_does_not_offer_or_while_it_is_busy(stage, goal):
    for busy, offered in product((True, False), OFFERS):
        decision = decide(Observation(stage, allowed_operations=offered, busy=busy), goal)
        if isinstance(decision, Act):
            operation = VERBS[decision.verb].operation
            assert not busy
            assert operation is None or operation in offered
            assert stage in VERBS[decision.verb].legal_from
            assert decision.verb in GOALS[goal].verbs


@pytest.mark.parametrize("goal", Goal)
def test_a_goal_is_done_when_its_stage_is_reached(goal):
    assert decide(at(GOALS[goal].stage), goal) == Done()


@pytest.mark.parametrize("goal", [goal for goal in Goal if goal is not Goal.ABSENT])
def test_what_is_behind_the_machine_is_done(goal):
    for stage in ROAD[ROAD.index(GOALS[goal].stage) + 1 :]:
        assert decide(at(stage), goal) == Done()


@pytest.mark.parametrize(
    ("stage", "goal", "verb"),
    [
        (Stage.ABSENT, Goal.PROTECTED, Verb.REPLICATE),
        (Stage.PROTECTED, Goal.TEST_RUNNING, Verb.TEST_FAILOVER),
        (Stage.TEST_RUNNING, Goal.TESTED, Verb.CLEAN_UP_TEST),
        (Stage.PROTECTED, Goal.FAILED_OVER, Verb.FAIL_OVER),
        (Stage.TESTED, Goal.FAILED_OVER, Verb.FAIL_OVER),
        (Stage.FAILED_OVER, Goal.MIGRATED, Verb.COMMIT),
        (Stage.COMMITTED, Goal.MIGRATED, Verb.COMPLETE),
        (Stage.PROTECTED, Goal.ABSENT, Verb.STOP_REPLICATION),
    ],
)
def test_the_next_verb_on_the_road(stage, goal, verb):
    decision = decide(at(stage), goal)
    assert isinstance(decision, Act)
    assert decision.verb is verb


@pytest.mark.parametrize("stage", [Stage.TEST_RUNNING, Stage.FAILED_OVER, Stage.COMMITTED])
def test_replication_is_not_thrown_away_where_it_would_lose_work(stage):
    assert isinstance(decide(at(stage), Goal.ABSENT), Refuse)


def test_removal_in_progress_is_waited_for():
    seen = Observation(Stage.ABSENT, busy=True, busy_with="Disable replication")
    assert isinstance(decide(seen, Goal.PROTECTED), Wait)


def test_critical_health_is_waited_for_and_named():
    seen = at(Stage.PROTECTED, health="Critical", health_errors=(Fault("no recovery point"),))
    decision = decide(seen, Goal.PROTECTED)
    assert isinstance(decision, Wait)
    assert "no recovery point" in decision.why


def test_properties_that_differ_are_set():
    decision = decide(at(Stage.PROTECTED, drift=("private_ip",)), Goal.PROTECTED)
    assert decision == Act(Verb.UPDATE, "these properties differ: private_ip")


def test_a_source_that_only_a_person_can_add_is_waited_for():
    seen = Observation(Stage.ABSENT, unknown_source="add server 10.20.1.21")
    assert decide(seen, Goal.PROTECTED) == Wait("add server 10.20.1.21")


def test_a_source_that_can_be_discovered_is():
    seen = Observation(Stage.ABSENT, unknown_source="unknown", discoverable=True)
    assert decide(seen, Goal.PROTECTED) == Act(Verb.DISCOVER, "unknown")


def test_a_broken_machine_is_refused_with_the_services_words():
    seen = Observation(
        Stage.BROKEN,
        allowed_operations=frozenset({"DisableProtection"}),
        error=Fault("enabling failed", "95107", "UAC", "set the key"),
    )
    for goal in (Goal.PROTECTED, Goal.TEST_RUNNING, Goal.FAILED_OVER, Goal.MIGRATED):
        decision = decide(seen, goal)
        assert isinstance(decision, Refuse)
        assert (decision.code, decision.cause) == ("95107", "UAC")
        assert decision.remedy.startswith("set the key When the cause is repaired, run the stop_replication playbook")


def test_a_vm_that_is_not_there_yet_keeps_the_goal_open():
    assert isinstance(decide(replace(at(Stage.FAILED_OVER), vm=None), Goal.FAILED_OVER), Wait)
    assert isinstance(decide(replace(at(Stage.TEST_RUNNING), test_vm=None), Goal.TEST_RUNNING), Wait)


def test_every_verb_belongs_to_a_goal_and_leads_along_the_road():
    used = {verb for row in GOALS.values() for verb in row.verbs}
    assert used == set(Verb)
    for verb, row in VERBS.items():
        assert Stage.BROKEN not in (row.through, row.leads_to), verb
