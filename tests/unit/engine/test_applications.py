"""Applications move whole: when one of their machines cannot be tested or failed over, none of them is."""

from datetime import timedelta

import pytest

from asr_migrate.domain.errors import ServiceError
from asr_migrate.domain.gates import Gates
from asr_migrate.domain.lifecycle import Goal
from asr_migrate.engine.caps import MAKING_VMS, Cap, Scope

TESTED_LATELY = Gates(tested_within_days=30)
MOVES = ("unplannedFailover", "testFailover")


def one_application(story):
    for machine in story.machines:
        machine["group"] = "shop"
    return story


def spoil(story, name):
    """Let the replication of a machine be broken for good."""
    story.vault.items[name]["properties"].update(
        protectionState="ResyncFailed", allowedOperations=["DisableProtection"]
    )


def moves(story):
    return [sent for sent in story.vault.sent if sent[1] in MOVES]


def never_tested(story, name):
    del story.vault.items[name]["properties"]["lastSuccessfulTestFailoverTime"]


def test_a_gate_that_refuses_one_machine_holds_its_application_back(story):
    one_application(story).reach_all(Goal.PROTECTED, Goal.TEST_RUNNING, Goal.TESTED)
    never_tested(story, "db")
    story.vault.sent.clear()
    outcome = story.reach(Goal.FAILED_OVER, gates=TESTED_LATELY)
    assert moves(story) == []
    error = outcome.machines["web"].error
    assert (error.code, outcome.machines["web"].refused) == ("ApplicationHeldBack", True)
    assert outcome.machines["db"].error.message in error.cause
    assert "take it out of it (asr_group)" in error.remedy


@pytest.mark.parametrize("goal", [Goal.TEST_RUNNING, Goal.FAILED_OVER])
def test_a_broken_machine_holds_its_application_back(story, goal):
    one_application(story).reach_all(Goal.PROTECTED)
    spoil(story, "db")
    outcome = story.reach(goal)
    assert moves(story) == []
    assert outcome.machines["web"].error.code == "ApplicationHeldBack"


def test_a_broken_machine_holds_its_application_back_from_a_plan_and_nobody_else(big_story):
    story = big_story(13, group=lambda number: "shop" if number < 3 else None, boot_order=lambda number: number % 3 + 1)
    story.reach_all(Goal.PROTECTED)
    spoil(story, "m0000")
    outcome = story.reach(Goal.FAILED_OVER)
    held = [name for name, result in outcome.machines.items() if not result.reached]
    assert held == ["m0000", "m0001", "m0002"]
    assert [member.machine for member in story.vault.plan_calls[-1].members if member.machine in held] == []


def test_a_machine_that_no_release_can_read_holds_its_application_back(story):
    one_application(story).reach_all(Goal.PROTECTED)
    story.vault.items["db"]["properties"]["currentScenario"] = "not an object"
    outcome = story.reach(Goal.FAILED_OVER)
    assert moves(story) == []
    assert outcome.machines["web"].error.code == "ApplicationHeldBack"


def test_a_machine_that_was_failed_over_before_is_no_hindrance_even_when_it_fails_now(story):
    one_application(story).reach_all(Goal.PROTECTED)
    both, story.machines = story.machines, story.machines[1:]
    story.reach_all(Goal.FAILED_OVER)
    story.machines = both
    del story.vault.vms["vm-db"]
    story.vault.sent.clear()
    outcome = story.reach(Goal.FAILED_OVER)
    assert outcome.machines["db"].error.code == "NoChange"
    assert outcome.machines["web"].reached
    assert moves(story) == [("web", "unplannedFailover")]


def test_a_machine_that_is_being_failed_over_is_not_waited_for(story):
    one_application(story).reach_all(Goal.PROTECTED)
    both, story.machines = story.machines, story.machines[1:]
    story.reach(Goal.FAILED_OVER, timeout_s=1)
    story.machines = both
    began_s = story.clock.monotonic()
    story.reach(Goal.FAILED_OVER, timeout_s=20)
    assert moves(story) == [("db", "unplannedFailover"), ("web", "unplannedFailover")]
    assert story.clock.monotonic() - began_s <= 20


def test_both_go_again_when_the_one_that_failed_is_well(story):
    one_application(story).reach_all(Goal.PROTECTED, Goal.TEST_RUNNING, Goal.TESTED)
    tested_at = story.vault.items["db"]["properties"]["lastSuccessfulTestFailoverTime"]
    never_tested(story, "db")
    story.reach(Goal.FAILED_OVER, gates=TESTED_LATELY)
    story.vault.items["db"]["properties"]["lastSuccessfulTestFailoverTime"] = tested_at
    assert all(result.reached for result in story.reach(Goal.FAILED_OVER, gates=TESTED_LATELY).machines.values())


def test_machines_of_no_application_and_of_another_wave_go_alone(story):
    story.machines[0]["group"] = story.machines[1]["group"] = "shop"
    story.machines[1]["wave"] = "other"
    story.reach_all(Goal.PROTECTED)
    spoil(story, "db")
    assert story.reach(Goal.FAILED_OVER).machines["web"].reached


def test_a_failed_clean_up_or_commit_holds_nobody_back(story):
    one_application(story).reach_all(Goal.PROTECTED, Goal.FAILED_OVER)
    story.vault.refusing["db", "failoverCommit"] = ServiceError("no", code="BadRequest", status=400)
    outcome = story.reach(Goal.MIGRATED)
    assert (outcome.machines["db"].reached, outcome.machines["web"].reached) == (False, True)


def test_a_cap_does_not_split_an_application(big_story):
    story = big_story(3, group=lambda number: "shop" if number else None)
    story.reach_all(Goal.PROTECTED)
    sent_s = {}
    send = story.vault.send

    async def noting(call, site, client_request_id=None):
        sent_s[call.item] = story.clock.monotonic()
        return await send(call, site, client_request_id)

    story.vault.send = noting
    caps = [Cap(Scope.SUBSCRIPTION, MAKING_VMS, 2, within_s=3600)]
    assert all(result.reached for result in story.reach(Goal.FAILED_OVER, caps=caps).machines.values())
    assert sent_s["m0001"] == sent_s["m0002"] != sent_s["m0000"]


def test_check_mode_holds_an_application_back_as_a_run_does(story):
    one_application(story).reach_all(Goal.PROTECTED)
    spoil(story, "db")
    outcome = story.reach(Goal.FAILED_OVER, check_mode=True)
    assert outcome.writes == ()
    assert outcome.machines["web"].error.code == "ApplicationHeldBack"


def test_check_mode_tells_a_gate_of_one_machine_with_the_failovers_of_its_application(story):
    one_application(story).reach_all(Goal.PROTECTED, Goal.TEST_RUNNING, Goal.TESTED)
    story.clock.advance(timedelta(days=1).total_seconds())
    never_tested(story, "db")
    writes = {
        write.machine: write for write in story.reach(Goal.FAILED_OVER, check_mode=True, gates=TESTED_LATELY).writes
    }
    assert any("db" in gate and "shop moves whole" in gate for gate in writes["web"].gates)
    assert writes["db"].gates
