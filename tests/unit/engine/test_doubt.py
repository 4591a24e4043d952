"""Answers that get lost: exactly one job a verb, whatever was lost and whenever."""

import asyncio
from datetime import timedelta

import pytest

from asr_migrate.domain.errors import ServiceError
from asr_migrate.domain.lifecycle import Goal, Stage, Verb
from asr_migrate.domain.site import Call, Written
from asr_migrate.engine.doubt import in_doubt, item_write, plan_write

ROAD = (Goal.PROTECTED, Goal.TEST_RUNNING, Goal.TESTED, Goal.FAILED_OVER, Goal.MIGRATED)
VERBS = [
    ("create", Goal.PROTECTED, ROAD[:0]),
    ("testFailover", Goal.TEST_RUNNING, ROAD[:1]),
    ("testFailoverCleanup", Goal.TESTED, ROAD[:2]),
    ("unplannedFailover", Goal.FAILED_OVER, ROAD[:3]),
    ("failoverCommit", Goal.MIGRATED, ROAD[:4]),
    ("remove", Goal.MIGRATED, ROAD[:4]),
]
LOST = [
    ServiceError("service unavailable", code="503", status=503, transient=True),
    ServiceError("gateway timeout", code="504", status=504, transient=True),
    ServiceError("internal error", code="500", status=500, transient=True),
    ServiceError("the connection broke", code="NoAnswer", transient=True),
]


def count(story, operation, machine="web"):
    return story.vault.sent.count((machine, operation))


def asked(story, operation, machine="web"):
    return story.vault.requests.count((machine, operation))


@pytest.mark.parametrize("lost", LOST, ids=lambda lost: lost.code)
@pytest.mark.parametrize(("operation", "goal", "before"), VERBS, ids=lambda value: str(value))
def test_an_answer_lost_after_the_effect_leaves_one_job_and_one_request(story, operation, goal, before, lost):
    story.reach_all(*before)
    story.vault.refusing["web", operation] = lost
    story.vault.after_effect = True
    assert story.reach(goal).machines["web"].reached
    assert (count(story, operation), asked(story, operation)) == (1, 1)


@pytest.mark.parametrize(("operation", "goal", "before"), VERBS, ids=lambda value: str(value))
def test_an_answer_lost_before_the_effect_is_asked_once_more_after_a_minute(story, operation, goal, before):
    story.reach_all(*before)
    story.vault.refusing["web", operation] = LOST[0]
    result = story.reach(goal).machines["web"]
    assert result.reached
    assert (count(story, operation), asked(story, operation)) == (1, 2)
    assert [str(verb) for verb in result.did].count(result.did[0]) == 1


def test_nothing_is_sent_again_before_the_service_had_its_minute(story):
    story.reach_all(Goal.PROTECTED)
    story.vault.refusing["web", "unplannedFailover"] = LOST[0]
    story.reach(Goal.FAILED_OVER, timeout_s=50)
    assert asked(story, "unplannedFailover") == 1


def test_a_verb_whose_answer_is_lost_twice_before_the_effect_fails_the_machine(story):
    story.reach_all(Goal.PROTECTED)
    send = story.vault.send

    async def losing(call, site, client_request_id=None):
        if call.operation == "unplannedFailover" and call.item == "web":
            story.vault.refusing["web", "unplannedFailover"] = LOST[0]
        return await send(call, site, client_request_id)

    story.vault.send = losing
    outcome = story.reach(Goal.FAILED_OVER)
    assert outcome.machines["web"].error.code == "503"
    assert outcome.machines["web"].steps == ()
    assert outcome.machines["db"].reached
    assert asked(story, "unplannedFailover") == 2
    story.vault.send = send
    assert story.reach(Goal.FAILED_OVER).machines["web"].reached


def test_an_item_that_lists_do_not_show_yet_is_found_by_a_single_read_and_not_enabled_twice(story):
    story.vault.refusing["web", "create"] = LOST[0]
    story.vault.after_effect = True
    story.vault.grow_old(7)
    assert story.reach(Goal.PROTECTED).machines["web"].reached
    assert asked(story, "create") == 1


def test_throttling_means_that_nothing_was_begun_and_the_next_turn_asks_again(story):
    story.reach_all(Goal.PROTECTED)
    story.vault.refusing["web", "unplannedFailover"] = ServiceError("slow down", code="429", status=429, transient=True)
    assert story.reach(Goal.FAILED_OVER).machines["web"].reached
    assert count(story, "unplannedFailover") == 1


def test_a_refused_write_is_final_and_names_its_code(story):
    story.reach_all(Goal.PROTECTED)
    story.vault.refusing["web", "unplannedFailover"] = ServiceError("no rights", code="AuthorizationFailed", status=403)
    outcome = story.reach(Goal.FAILED_OVER)
    assert outcome.machines["web"].error.code == "AuthorizationFailed"
    assert outcome.machines["db"].reached
    assert asked(story, "unplannedFailover") == 1


def test_a_conflict_is_looked_at_again(story):
    story.reach_all(Goal.PROTECTED)
    story.vault.refusing["web", "unplannedFailover"] = ServiceError("busy", code="Conflict", status=409)
    assert story.reach(Goal.FAILED_OVER).machines["web"].reached


def item_path(name, action=""):
    container = "/v/replicationFabrics/f/replicationProtectionContainers/c"
    return f"{container}/replicationProtectedItems/{name}" + (f"/{action}" if action else "")


def written(story, action, ago_s, **more):
    at = story.clock.now() - timedelta(seconds=ago_s)
    return Written(at, "POST", item_path("web", action), "an-id-of-an-earlier-run", **more)


def fail_over_by_an_earlier_run(story):
    call = Call("unplannedFailover", "web", {}, item_path("web"))
    return asyncio.run(story.vault.send(call, story.vault.site, "an-id-of-an-earlier-run"))


def test_a_write_that_a_killed_run_sent_seconds_ago_is_waited_for_and_not_repeated_while_lists_are_old(story):
    story.reach_all(Goal.PROTECTED)
    story.vault.grow_old(3)
    fail_over_by_an_earlier_run(story)
    story.vault.written.append(written(story, "unplannedFailover", 1))
    assert story.reach(Goal.FAILED_OVER).machines["web"].reached
    assert count(story, "unplannedFailover") == 1


def test_a_write_that_a_killed_run_noted_and_never_sent_is_sent_after_a_minute(story):
    story.reach_all(Goal.PROTECTED)
    story.vault.written.append(written(story, "unplannedFailover", 1))
    begun_s = story.clock.monotonic()
    times: list[float] = []

    def note():
        if not count(story, "unplannedFailover"):
            times.append(story.clock.monotonic())

    story.vault.on_sweep = note
    assert story.reach(Goal.FAILED_OVER).machines["web"].reached
    assert count(story, "unplannedFailover") == 1
    assert times[-1] - begun_s >= 59


def test_an_answered_write_of_a_killed_run_is_followed_by_its_job_while_lists_are_old(story):
    story.reach_all(Goal.PROTECTED)
    story.vault.grow_old(5)
    sent = fail_over_by_an_earlier_run(story)
    story.vault.written.append(written(story, "unplannedFailover", 20, status=202, job_id=sent.job_id))
    assert story.reach(Goal.FAILED_OVER).machines["web"].reached
    assert count(story, "unplannedFailover") == 1
    assert sent.job_id in story.vault.read


def test_a_write_of_an_earlier_run_that_was_refused_or_is_old_holds_nobody_up(story):
    story.reach_all(Goal.PROTECTED)
    story.vault.written += [
        written(story, "unplannedFailover", 5, status=409),
        written(story, "unplannedFailover", 100),
        written(story, "unplannedFailover", 300, status=202, job_id="job-gone"),
    ]
    story.reach(Goal.FAILED_OVER, timeout_s=1)
    assert count(story, "unplannedFailover") == 1


def test_a_job_of_somebody_else_is_not_taken_for_ours(story):
    story.reach_all(Goal.PROTECTED)
    story.vault.refusing["web", "unplannedFailover"] = LOST[0]

    def stranger():
        if asked(story, "unplannedFailover") == 1 and len(story.vault.jobs) == jobs:
            properties = {"scenarioName": "UnplannedFailover", "targetObjectName": "web", "state": "Failed"}
            more = {"activityId": "another-request ActivityId: 1", "startTime": "0009", "tasks": [], "errors": []}
            story.vault.jobs.append({"name": "job-of-another", "properties": properties | more})

    jobs = len(story.vault.jobs) + 1
    story.vault.on_sweep = stranger
    assert story.reach(Goal.FAILED_OVER).machines["web"].reached
    assert count(story, "unplannedFailover") == 1


def test_reads_that_azure_does_not_answer_fail_no_machine(story):
    story.reach_all(Goal.PROTECTED)
    story.vault.listed_jobs = 0
    story.vault.refusing["web", "unplannedFailover"] = LOST[0]
    story.vault.lost_reads = [LOST[1] for _ in range(4)]
    assert all(result.reached for result in story.reach(Goal.FAILED_OVER).machines.values())


@pytest.mark.parametrize(("status", "doubtful"), [(408, True), (500, True), (502, True), (503, True), (429, False)])
def test_which_answers_leave_it_open_whether_the_write_was_begun(status, doubtful):
    assert in_doubt(ServiceError("x", status=status, transient=True)) is doubtful


def test_what_a_journals_path_was_about():
    def about(method, path):
        return item_write(Written(None, method, path, "id"))

    assert about("POST", item_path("Web", "testFailover")) == ("web", (Verb.TEST_FAILOVER,))
    assert about("PUT", item_path("web")) == ("web", (Verb.REPLICATE,))
    assert about("PATCH", item_path("web")) == ("web", (Verb.UPDATE,))
    assert about("POST", item_path("web", "repairReplication")) is None
    plan = Written(None, "POST", "/v/replicationRecoveryPlans/asr-w-1/failoverCommit", "id")
    assert plan_write(plan) == ("asr-w-1", Verb.COMMIT)
    assert plan_write(Written(None, "PUT", "/v/replicationRecoveryPlans/asr-w-1", "id")) is None


def test_a_stage_that_an_old_list_shows_refuses_nobody(story):
    story.reach_all(Goal.PROTECTED)
    story.vault.grow_old(0)
    story.reach_all(Goal.FAILED_OVER)
    story.vault.old_for = 2
    outcome = story.reach(Goal.MIGRATED)
    assert {result.stage for result in outcome.machines.values()} == {Stage.MIGRATED}
