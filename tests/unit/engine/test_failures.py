"""One machine failing at each stage in turn: the others reach the goal, and a rerun touches only that one."""

import re
from pathlib import Path

import pytest

import asr_migrate
from asr_migrate.domain.errors import ServiceError
from asr_migrate.domain.lifecycle import Goal, Stage, Verb

ROAD = (Goal.PROTECTED, Goal.TEST_RUNNING, Goal.TESTED, Goal.FAILED_OVER, Goal.MIGRATED)
FINAL = "28031"
BY_JOB = [
    ("testFailover", Goal.TEST_RUNNING, ROAD[:1]),
    ("unplannedFailover", Goal.FAILED_OVER, ROAD[:3]),
    ("failoverCommit", Goal.MIGRATED, ROAD[:4]),
    ("remove", Goal.MIGRATED, ROAD[:4]),
]
BY_REQUEST = [("create", Goal.PROTECTED, ROAD[:0]), ("testFailoverCleanup", Goal.TESTED, ROAD[:2]), *BY_JOB]
NEVER_SENT = re.compile(r"failoverCancel|failover_cancel|begin_cancel|replicationJobs/.*/cancel", re.IGNORECASE)


def touched(story):
    return {name for name, _ in story.vault.sent}


@pytest.mark.parametrize(("operation", "goal", "before"), BY_JOB, ids=lambda value: str(value))
def test_a_job_that_fails_stops_one_machine_and_the_rerun_touches_only_it(story, operation, goal, before):
    story.reach_all(*before)
    story.vault.failing["web", operation] = FINAL
    outcome = story.reach(goal)
    assert outcome.machines["web"].error.code == FINAL
    assert outcome.machines["db"].reached
    story.vault.sent.clear()
    if operation == "testFailover":
        story.reach(Goal.TESTED)
    assert story.reach(goal).machines["web"].reached
    assert touched(story) <= {"web"} or operation == "testFailover"


@pytest.mark.parametrize(("operation", "goal", "before"), BY_REQUEST, ids=lambda value: str(value))
def test_a_request_that_is_refused_stops_one_machine_and_the_rerun_touches_only_it(story, operation, goal, before):
    story.reach_all(*before)
    story.vault.refusing["web", operation] = ServiceError("not now", code="BadRequest", status=400)
    outcome = story.reach(goal)
    assert outcome.machines["web"].error.code == "BadRequest"
    assert outcome.machines["db"].reached
    story.vault.sent.clear()
    assert story.reach(goal).machines["web"].reached
    assert touched(story) == {"web"}


def test_replication_that_cannot_be_enabled_is_removed_and_enabled_again_for_that_machine_only(story):
    story.vault.failing["web", "create"] = "95107"
    outcome = story.reach(Goal.PROTECTED)
    assert outcome.machines["web"].error.code == "95107"
    assert outcome.machines["db"].reached
    story.vault.sent.clear()
    story.machines = [machine for machine in story.machines if machine["name"] == "web"]
    story.reach_all(Goal.ABSENT, Goal.PROTECTED)
    assert touched(story) == {"web"}


def test_an_update_that_fails_for_good_stops_one_machine(story):
    story.machines = [
        dict(machine, target={"vm_name": f"vm-{machine['name']}", "private_ip": f"10.60.1.{number}"})
        for number, machine in enumerate(story.machines, 21)
    ]
    story.vault.failing["web", "update"] = FINAL
    outcome = story.reach(Goal.PROTECTED)
    assert outcome.machines["web"].error.code == FINAL
    assert outcome.machines["db"].reached
    story.vault.sent.clear()
    assert story.reach(Goal.PROTECTED).machines["web"].reached
    assert touched(story) == {"web"}


@pytest.mark.parametrize("goal", ROAD)
def test_an_unreadable_answer_at_any_stage_stops_only_its_machine(story, goal):
    story.reach_all(*ROAD[: ROAD.index(goal)])
    if goal is Goal.PROTECTED:
        story.vault.sources[0]["properties"] = "not an object"
        story.vault.sources.reverse()
    else:
        story.vault.items["web"]["properties"]["currentScenario"] = "not an object"
    outcome = story.reach(goal)
    assert outcome.machines["db"].reached
    assert outcome.machines["web"].failed


def test_a_failover_is_never_cancelled_whatever_happens(story):
    story.reach_all(Goal.PROTECTED)
    story.vault.failing["web", "unplannedFailover"] = FINAL
    story.reach(Goal.FAILED_OVER, timeout_s=10)
    story.reach(Goal.FAILED_OVER)
    story.reach(Goal.ABSENT)
    operations = {operation for _, operation in story.vault.requests}
    assert operations <= {"create", "unplannedFailover"}


def test_no_line_of_the_product_can_cancel_a_failover_or_a_job():
    found = [
        f"{path.name}:{number}"
        for path in Path(asr_migrate.__file__).parent.rglob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if NEVER_SENT.search(line)
    ]
    assert found == []


def test_a_machine_that_is_gone_for_good_names_its_stage(story):
    story.reach_all(Goal.PROTECTED)
    del story.vault.items["web"]
    result = story.reach(Goal.FAILED_OVER).machines["web"]
    assert (result.error.code, result.stage) == ("NotReplicating", Stage.ABSENT)
    assert result.did == ()
    assert Verb.FAIL_OVER not in result.did
