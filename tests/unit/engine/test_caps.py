"""How much may go on at once."""

import pytest

from asr_migrate.domain.lifecycle import Goal, Verb
from asr_migrate.engine.caps import BEGINNING, DOCUMENTED, MAKING_VMS, Begun, Cap, Room, Scope

NAMES = {Scope.APPLIANCE: "appliance-1", Scope.VAULT: "vault-1", Scope.SUBSCRIPTION: "s-1"}


def room(caps, running=None, begun=None, now_s=0.0):
    return Room(caps, NAMES, running or {}, begun or Begun(), now_s)


def test_one_more_than_the_cap_waits_and_is_told_for_what():
    free = room([Cap(Scope.APPLIANCE, BEGINNING, 2)], {Verb.REPLICATE: 1})
    assert free.lacks(Verb.REPLICATE) is None
    free.take(Verb.REPLICATE)
    why = free.lacks(Verb.REPLICATE)
    assert "appliance appliance-1" in why
    assert "at most 2 machines" in why


def test_a_cap_is_not_for_other_verbs():
    assert room([Cap(Scope.APPLIANCE, BEGINNING, 1)], {Verb.REPLICATE: 1}).lacks(Verb.COMMIT) is None


def test_an_hours_failovers_count_until_the_hour_is_over():
    begun = Begun()
    begun.note(Verb.FAIL_OVER, 99, 0)
    caps = [Cap(Scope.SUBSCRIPTION, MAKING_VMS, 100, within_s=3600)]
    assert room(caps, begun=begun, now_s=10).lacks(Verb.TEST_FAILOVER, 1) is None
    assert "in 60 min" in room(caps, begun=begun, now_s=10).lacks(Verb.TEST_FAILOVER, 2)
    assert room(caps, begun=begun, now_s=3601).lacks(Verb.TEST_FAILOVER, 100) is None


def test_what_could_never_go_together_is_known():
    free = room([Cap(Scope.VAULT, frozenset(Verb), 50)])
    assert free.ever(Verb.FAIL_OVER, 50)
    assert not free.ever(Verb.FAIL_OVER, 51)


def test_the_documented_caps_let_a_recovery_plan_of_a_hundred_pass():
    for verb in Verb:
        assert room(DOCUMENTED).lacks(verb, 100) is None


@pytest.mark.parametrize("most", [1, 3])
def test_no_verb_is_sent_above_a_cap_and_all_reach_the_goal(big_story, most):
    story = big_story(8)
    caps = [Cap(Scope.APPLIANCE, BEGINNING, most)]
    outcome = story.reach(Goal.PROTECTED, timeout_s=24 * 3600, caps=caps)
    assert all(result.reached for result in outcome.machines.values())
    assert story.vault.most_running == most
    assert any("waiting for room: appliance current-appliance" in line for line in story.lines)


def test_what_another_run_has_going_in_the_vault_takes_room(big_story):
    story = big_story(2)
    other = {"scenarioName": "EnableDr", "state": "InProgress", "targetObjectName": "stranger"}
    story.vault.jobs.append({"name": "job-of-another", "properties": other})
    outcome = story.reach(Goal.PROTECTED, timeout_s=600, caps=[Cap(Scope.APPLIANCE, BEGINNING, 1)])
    assert story.vault.sent == []
    assert "waiting for room" in outcome.machines["m0000"].error.cause
