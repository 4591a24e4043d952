"""Recovery plans in a run: one request and one job for many machines, single calls where plans do not serve."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from asr_migrate.domain.errors import ServiceError, SetupError, WireError
from asr_migrate.domain.lifecycle import Goal, Verb
from asr_migrate.domain.site import Written
from asr_migrate.domain.wave import Wave
from asr_migrate.engine.caps import MAKING_VMS, Cap, Scope

ROAD = (Goal.PROTECTED, Goal.TEST_RUNNING, Goal.TESTED, Goal.FAILED_OVER, Goal.MIGRATED)
LOST = ServiceError("service unavailable", code="503", status=503, transient=True)


def plan_requests(story):
    return [(name, operation) for name, operation in story.vault.sent if name.startswith("asr-")]


def singles(story, operation):
    return [name for name, sent in story.vault.sent if sent == operation and not name.startswith("asr-")]


def test_a_wave_goes_the_whole_road_by_plans_and_every_verb_is_one_request_a_plan(big_story):
    story = big_story(12)
    story.reach_all(*ROAD)
    operations = ["testFailover", "testFailoverCleanup", "unplannedFailover", "failoverCommit"]
    assert plan_requests(story) == [("asr-current-1", operation) for operation in operations]
    assert Counter(operation for _, operation in story.vault.sent)["remove"] == 12
    assert sorted(story.vault.released) == sorted(f"m{number:04}" for number in range(12))
    assert story.vault.items == {}


def test_two_hundred_and_fifty_machines_with_applications_and_boot_order_go_by_three_plans(big_story):
    story = big_story(250, group=lambda number: f"app-{number // 8}", boot_order=lambda number: number % 3 + 1)
    story.reach_all(Goal.PROTECTED, Goal.TEST_RUNNING, Goal.TESTED, Goal.FAILED_OVER)
    by_operation = Counter(operation for _, operation in plan_requests(story))
    assert by_operation == {"testFailover": 3, "testFailoverCleanup": 3, "unplannedFailover": 3}
    assert singles(story, "unplannedFailover") == []
    place = {item: name for name, plan in story.vault.plans_here.items() for group in plan.groups for item in group}
    where = {(number // 8, place[story.vault.items[f"m{number:04}"]["id"].lower()]) for number in range(250)}
    assert len(where) == len({application for application, _ in where})
    for plan in story.vault.plans_here.values():
        orders = [{int(item[-4:]) % 3 + 1 for item in group} for group in plan.groups]
        assert orders == [{1}, {2}, {3}]


def test_one_machine_that_fails_in_a_plan_fails_alone_and_the_next_run_asks_only_it(big_story):
    story = big_story(12)
    story.reach_all(Goal.PROTECTED)
    story.vault.failing["m0003", "unplannedFailover"] = "28031"
    outcome = story.reach(Goal.FAILED_OVER)
    assert [name for name, result in outcome.machines.items() if not result.reached] == ["m0003"]
    assert outcome.machines["m0003"].error.code == "28031"
    story.vault.sent.clear()
    assert story.reach(Goal.FAILED_OVER).machines["m0003"].reached
    assert story.vault.sent == [("m0003", "unplannedFailover")]


def test_a_machine_that_the_plan_passed_over_is_asked_for_once_more_alone(big_story):
    story = big_story(12)
    story.reach_all(Goal.PROTECTED)
    story.vault.skipping.add("m0005")
    assert all(result.reached for result in story.reach(Goal.FAILED_OVER).machines.values())
    assert singles(story, "unplannedFailover") == ["m0005"]


def test_when_plans_cannot_serve_the_machines_go_one_by_one(big_story):
    story = big_story(12)
    story.reach_all(Goal.PROTECTED)
    story.vault.no_plans = ServiceError("no rights on plans", code="AuthorizationFailed", status=403)
    assert all(result.reached for result in story.reach(Goal.FAILED_OVER).machines.values())
    assert len(singles(story, "unplannedFailover")) == 12
    assert any("cannot serve, its machines go one by one" in line for line in story.lines)


@pytest.mark.parametrize("after_effect", [True, False])
@pytest.mark.parametrize("operation", ["testFailover", "unplannedFailover"])
def test_an_answer_of_a_plan_that_gets_lost_leaves_one_job(big_story, operation, after_effect):
    story = big_story(12)
    story.reach_all(Goal.PROTECTED)
    story.vault.refusing["asr-current-1", operation] = LOST
    story.vault.after_effect = after_effect
    goal = Goal.TEST_RUNNING if operation == "testFailover" else Goal.FAILED_OVER
    assert all(result.reached for result in story.reach(goal).machines.values())
    assert story.vault.sent.count(("asr-current-1", operation)) == 1
    assert singles(story, operation) == []


def test_a_plan_that_a_killed_run_left_running_is_waited_for(big_story):
    story = big_story(12)
    story.reach_all(Goal.PROTECTED)
    story.reach(Goal.FAILED_OVER, timeout_s=30)
    assert len(story.vault.plan_runs) == 1
    assert all(result.reached for result in story.reach(Goal.FAILED_OVER).machines.values())
    assert plan_requests(story) == [("asr-current-1", "unplannedFailover")]
    assert singles(story, "unplannedFailover") == []


def test_a_plan_whose_answer_a_killed_run_did_not_see_is_waited_for_while_lists_are_old(big_story):
    story = big_story(12)
    story.reach_all(Goal.PROTECTED)
    story.vault.grow_old(3)
    story.vault.old_for = 0
    story.reach(Goal.FAILED_OVER, timeout_s=1)
    story.vault.old_for = 3
    at = story.clock.now() - timedelta(seconds=2)
    path = "/v/replicationRecoveryPlans/asr-current-1/unplannedFailover"
    activity = story.vault.jobs[-1]["properties"]["activityId"].split()[0]
    story.vault.written.append(Written(at, "POST", path, activity))
    assert all(result.reached for result in story.reach(Goal.FAILED_OVER).machines.values())
    assert plan_requests(story) == [("asr-current-1", "unplannedFailover")]


def test_a_plans_job_is_read_once_however_many_machines_it_is_about(big_story):
    story = big_story(12)
    story.reach_all(Goal.PROTECTED)
    story.vault.read.clear()
    story.reach_all(Goal.FAILED_OVER)
    assert [name for name in story.vault.read if name.startswith("job-")] == [story.vault.jobs[-1]["name"]]


def test_an_application_waits_until_all_of_it_can_go(big_story):
    story = big_story(14, group=lambda number: "app" if number < 3 else None)
    story.reach_all(Goal.PROTECTED)
    free_s = story.clock.monotonic() + 300
    story.vault.items["m0000"]["properties"]["currentScenario"] = {"scenarioName": "Something", "jobId": "/jobs/x"}
    story.vault.on_sweep = lambda: story.clock.monotonic() >= free_s and story.vault._free("m0000")
    sent_s = {}
    send = story.vault.send

    async def noting(call, site, client_request_id=None):
        sent_s[call.item] = story.clock.monotonic()
        return await send(call, site, client_request_id)

    story.vault.send = noting
    assert all(result.reached for result in story.reach(Goal.FAILED_OVER).machines.values())
    assert plan_requests(story) == [("asr-current-1", "unplannedFailover")]
    assert set(sent_s) == {"m0000", "m0001", "m0002"}
    assert min(sent_s.values()) == max(sent_s.values()) >= free_s


def test_an_hours_failovers_are_kept_to(big_story):
    story = big_story(24)
    story.reach_all(Goal.PROTECTED)
    begun_s = story.clock.monotonic()
    caps = [Cap(Scope.SUBSCRIPTION, MAKING_VMS, 12, within_s=3600)]
    outcome = story.reach(Goal.FAILED_OVER, caps=caps)
    assert all(result.reached for result in outcome.machines.values())
    assert story.clock.monotonic() - begun_s >= 3600


def test_check_mode_lists_the_plans_and_asks_the_vault_for_nothing(big_story):
    story = big_story(12)
    story.reach_all(Goal.PROTECTED)
    story.vault.requests.clear()
    outcome = story.reach(Goal.FAILED_OVER, check_mode=True)
    assert [write.path for write in outcome.writes] == [
        "replicationRecoveryPlans/asr-current-1",
        "replicationRecoveryPlans/asr-current-1/unplannedFailover",
    ]
    assert story.vault.requests == []
    assert story.vault.plans_here == {}


def test_an_application_that_no_plan_holds_is_refused_and_the_others_go(big_story):
    story = big_story(112, group=lambda number: "big" if number < 101 else None)
    story.reach_all(Goal.PROTECTED)
    outcome = story.reach(Goal.FAILED_OVER)
    codes = Counter(result.error.code if result.error else "reached" for result in outcome.machines.values())
    assert codes == {"ApplicationTooBig": 101, "reached": 11}


def test_no_plan_is_asked_after_a_stop(big_story):
    story = big_story(12)
    story.reach_all(Goal.PROTECTED)
    engine = story.engine()
    prepare = story.vault.prepare_plan

    async def stopping(call):
        engine.stop("SIGTERM")
        return await prepare(call)

    story.vault.prepare_plan = stopping
    outcome = asyncio.run(engine.reach(Wave.from_hosts(story.machines, story.zone), Goal.FAILED_OVER, 3600))
    assert plan_requests(story) == []
    assert outcome.stopped == "SIGTERM"
    assert all(Verb.FAIL_OVER not in result.did for result in outcome.machines.values())


ODD = ValueError("invalid literal for int() with base 10: 'Wed, 21 Oct'")


@pytest.mark.parametrize("error", [ODD, WireError("no status in the answer"), RuntimeError("the stream is closed")])
def test_an_answer_of_a_plan_that_cannot_be_read_leaves_one_job_and_the_run_goes_on(big_story, error):
    story = big_story(12)
    story.reach_all(Goal.PROTECTED)
    story.vault.refusing["asr-current-1", "unplannedFailover"] = error
    story.vault.after_effect = True
    assert all(result.reached for result in story.reach(Goal.FAILED_OVER).machines.values())
    assert plan_requests(story) == [("asr-current-1", "unplannedFailover")]
    assert singles(story, "unplannedFailover") == []


def test_what_goes_wrong_with_one_plan_ends_neither_the_run_nor_the_other_plans(big_story):
    story = big_story(24, target=lambda number: {"vm_name": f"vm-{number}", "test_network": f"net-{number % 2}"})
    story.reach_all(Goal.PROTECTED)
    prepare = story.vault.prepare_plan

    async def odd(call):
        if call.plan == "asr-current-2":
            raise ODD
        return await prepare(call)

    story.vault.prepare_plan = odd
    outcome = story.reach(Goal.FAILED_OVER)
    codes = Counter(result.error.code if result.error else "reached" for result in outcome.machines.values())
    assert codes == {"reached": 12, "Unreadable": 12}


@pytest.mark.parametrize("method", ["prepare_plan", "send_plan"])
def test_what_must_be_prepared_first_fails_the_machines_of_the_plan_and_is_not_tried_one_by_one(big_story, method):
    story = big_story(12)
    story.reach_all(Goal.PROTECTED)

    async def full(*_):
        raise SetupError("the journal cannot be written", code="JournalUnwritable")

    setattr(story.vault, method, full)
    outcome = story.reach(Goal.FAILED_OVER)
    assert {result.error.code for result in outcome.machines.values()} == {"JournalUnwritable"}
    assert singles(story, "unplannedFailover") == []


def test_a_journal_that_stops_the_run_leaves_the_machines_stopped_and_not_failed(big_story):
    story = big_story(12)
    story.reach_all(Goal.PROTECTED)
    engine = story.engine()

    async def full(*_):
        engine.stop("the journal cannot be written")
        raise SetupError("the journal cannot be written", code="JournalUnwritable")

    story.vault.send_plan = full
    outcome = asyncio.run(engine.reach(Wave.from_hosts(story.machines, story.zone), Goal.FAILED_OVER, 3600))
    assert {result.error.code for result in outcome.machines.values()} == {"Stopped"}
    assert singles(story, "unplannedFailover") == []


def test_plans_that_may_not_be_read_do_not_end_the_run(big_story):
    story = big_story(12, boot_order=lambda number: number % 3 + 1)
    story.reach_all(Goal.PROTECTED)

    async def forbidden(wave):
        raise ServiceError("no rights on plans", code="AuthorizationFailed", status=403)

    story.vault.plans = forbidden
    assert all(result.reached for result in story.reach(Goal.FAILED_OVER).machines.values())
    orders = [int(name[1:]) % 3 + 1 for name in singles(story, "unplannedFailover")]
    assert (len(orders), orders) == (12, sorted(orders))
    assert len([line for line in story.lines if "cannot be read" in line]) == 1


@pytest.mark.parametrize("after_effect", [True, False])
def test_an_answer_of_one_machine_that_cannot_be_read_is_looked_up(story, after_effect):
    story.reach_all(Goal.PROTECTED)
    story.vault.refusing["web", "unplannedFailover"] = ODD
    story.vault.after_effect = after_effect
    assert all(result.reached for result in story.reach(Goal.FAILED_OVER).machines.values())
    assert story.vault.sent.count(("web", "unplannedFailover")) == 1


@pytest.mark.parametrize("refuses", ["prepare_plan", "send_plan", "cap"])
def test_boot_order_holds_when_plans_cannot_serve(big_story, refuses):
    story = big_story(12, boot_order=lambda number: number % 3 + 1)
    story.reach_all(Goal.PROTECTED)
    refusal = ServiceError("no rights on plans", code="AuthorizationFailed", status=403)
    caps = [Cap(Scope.VAULT, MAKING_VMS, 4)] if refuses == "cap" else ()
    if refuses == "prepare_plan":
        story.vault.no_plans = refusal
    if refuses == "send_plan":
        story.vault.refusing["asr-current-1", "unplannedFailover"] = refusal
    story.vault.failing["m0001", "unplannedFailover"] = "28031"
    story.vault.sent.clear()
    story.vault.most_running = 0
    outcome = story.reach(Goal.FAILED_OVER, caps=caps)
    assert [name for name, result in outcome.machines.items() if not result.reached] == ["m0001"]
    orders = [int(name[1:]) % 3 + 1 for name in singles(story, "unplannedFailover")]
    assert orders == sorted(orders)
    assert len(orders) == 12
    assert story.vault.most_running == 4
    assert len([line for line in story.lines if "cannot serve" in line]) == (0 if refuses == "cap" else 1)
