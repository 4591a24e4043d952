"""Recovery plans over real HTTPS: made, changed only when they differ, asked, read, let go."""

from dataclasses import replace

import pytest

from asr_migrate.domain.errors import RefusedError, ServiceError
from asr_migrate.domain.lifecycle import Verb
from asr_migrate.domain.recovery_plan import standing_numbers
from asr_migrate.engine.bulk_outcome import PlanState, outcomes

PLAN = "asr-w1-1"
RUNBOOK = {
    "actionName": "open the firewall",
    "failoverTypes": ["UnplannedFailover"],
    "failoverDirections": ["PrimaryToRecovery"],
    "customDetails": {"instanceType": "ManualActionDetails", "description": "Open the firewall."},
}


def machines(story, *names):
    return [machine for machine in story.wave.machines if machine.name in names]


def test_a_plan_is_made_once_and_changed_only_when_it_differs(story):
    async def work(port):
        items = await story.items(port)
        (whole,) = story.calls(Verb.TEST_FAILOVER, items)
        (part,) = story.calls(Verb.FAIL_OVER, items, machines(story, "db", "web"))
        return [await port.prepare_plan(call) for call in (whole, whole, part, part)]

    assert story.run(work) == [True] * 4
    assert story.writes() == [("PUT", PLAN), ("PATCH", PLAN)]
    groups = story.ask("GET", f"{story.plans}/{PLAN}")["properties"]["groups"]
    assert [group["groupType"] for group in groups] == ["Shutdown", "Failover", "Boot", "Boot"]
    members = [[row["id"].rpartition("/")[2] for row in group["replicationProtectedItems"]] for group in groups]
    assert members == [[], [], ["db"], ["web"]]


def test_what_a_user_added_to_a_plan_stays_when_its_machines_change(story):
    async def work(port):
        items = await story.items(port)
        (whole,) = story.calls(Verb.TEST_FAILOVER, items)
        await port.prepare_plan(whole)
        groups = story.ask("GET", f"{story.plans}/{PLAN}")["properties"]["groups"]
        groups[3]["startGroupActions"] = [RUNBOOK]
        story.ask("PATCH", f"{story.plans}/{PLAN}", {"properties": {"groups": groups}})
        story.clock.advance(60)
        (part,) = story.calls(Verb.FAIL_OVER, items, machines(story, "web"))
        await port.prepare_plan(part)

    story.run(work)
    groups = story.ask("GET", f"{story.plans}/{PLAN}")["properties"]["groups"]
    assert [group["startGroupActions"] for group in groups] == [[], [], [RUNBOOK]]


def test_a_whole_migration_goes_by_one_plan_which_is_deleted_at_the_end(story):
    async def work(port):
        for verb in (Verb.TEST_FAILOVER, Verb.CLEAN_UP_TEST, Verb.FAIL_OVER, Verb.COMMIT):
            (job,) = (await story.through(port, verb)).values()
            items = await story.items(port)
            assert {outcome.state for outcome in outcomes(job, items).values()} == {PlanState.DONE}
        ids = [item["id"] for item in (await story.items(port)).values()]
        return await port.release("w1", ids[:1]), await port.release("w1", ids)

    assert story.run(work) == (frozenset(), frozenset())
    assert story.writes() == [
        ("PUT", PLAN),
        ("POST", f"{PLAN}/testFailover"),
        ("POST", f"{PLAN}/testFailoverCleanup"),
        ("POST", f"{PLAN}/unplannedFailover"),
        ("POST", f"{PLAN}/failoverCommit"),
        ("PATCH", PLAN),
        ("DELETE", PLAN),
    ]
    assert story.ask("GET", story.plans)["value"] == []


def test_one_machine_that_fails_is_told_apart_from_the_others(story):
    fault = {"code": "28031", "message": "The virtual machine could not be created."}
    story.world.faults.add({"match": {"scenario": "TestFailover", "name": "web"}, "job": fault})

    async def work(port):
        (job,) = (await story.through(port, Verb.TEST_FAILOVER)).values()
        return outcomes(job, await story.items(port))

    found = story.run(work)
    assert {name: outcome.state for name, outcome in found.items()} == {
        "web": PlanState.FAILED,
        "db": PlanState.DONE,
        "app": PlanState.DONE,
    }
    assert found["web"].fault.code == "28031"
    assert "could not be created" in found["web"].fault.message
    assert found["web"].fault.remedy


def test_a_machine_that_the_plan_passes_over_is_told(story):
    async def work(port):
        await story.through(port, Verb.TEST_FAILOVER, machines(story, "web"))
        (job,) = (await story.through(port, Verb.TEST_FAILOVER)).values()
        return outcomes(job, await story.items(port))

    found = story.run(work)
    assert {name: outcome.state for name, outcome in found.items()} == {
        "web": PlanState.SKIPPED,
        "db": PlanState.DONE,
        "app": PlanState.DONE,
    }
    assert found["web"].fault.code == "Skipped"


def test_a_plan_that_is_at_work_is_left_alone(story):
    async def work(port):
        items = await story.items(port)
        (whole,) = story.calls(Verb.TEST_FAILOVER, items)
        await port.prepare_plan(whole)
        sent = await port.send_plan(whole)
        (part,) = story.calls(Verb.FAIL_OVER, items, machines(story, "web"))
        ready = [await port.prepare_plan(call) for call in (part, whole)]
        busy = (await port.plans("w1"))[PLAN].busy_with
        held = await port.release("w1", [items["web"]["id"]])
        await story.ended(port, sent.job_id)
        return ready, busy, held == {items["web"]["id"].lower()}

    assert story.run(work) == ([False, False], "TestFailover", True)
    assert story.writes() == [("PUT", PLAN), ("POST", f"{PLAN}/testFailover")]


def test_an_action_that_began_but_was_answered_503_is_sent_once_and_found_by_its_id(story):
    story.world.faults.add(
        {"match": {"method": "POST", "path": "*/unplannedFailover"}, "status": 503, "after_effect": True, "times": 5}
    )
    mine = "5ca1ab1e-0000-4000-8000-00000000000a"

    async def work(port):
        (call,) = story.calls(Verb.FAIL_OVER, await story.items(port))
        await port.prepare_plan(call)
        with pytest.raises(ServiceError) as caught:
            await port.send_plan(call, mine)
        assert caught.value.transient
        sweep = await port.sweep((), with_sources=False)
        jobs = [job for job in sweep.jobs_about(PLAN) if job["properties"]["scenarioName"] == "UnplannedFailover"]
        return [(await port.job(job["name"]))["properties"]["activityId"] for job in jobs]

    (activity,) = story.run(work)
    assert activity.startswith(f"{mine} ActivityId: ")
    assert story.writes() == [("PUT", PLAN), ("POST", f"{PLAN}/unplannedFailover")]


def test_plans_of_users_and_of_other_waves_are_not_touched(story):
    async def work(port):
        items = await story.items(port)
        (call,) = story.calls(Verb.TEST_FAILOVER, items)
        await port.prepare_plan(call)
        body = story.ask("GET", f"{story.plans}/{PLAN}")["properties"]
        given = {key: body[key] for key in ("primaryFabricId", "recoveryFabricId", "failoverDeploymentModel")}
        for name in ("asr-w2-1", "asr-w1-1-1", "everything"):
            story.ask("PUT", f"{story.plans}/{name}", {"properties": {**given, "groups": body["groups"]}})
        story.clock.advance(60)
        ids = [item["id"] for item in items.values()]
        standing = standing_numbers("w1", await port.plans("w1"), {name: item["id"] for name, item in items.items()})
        story.world.log.clear()
        return standing, await port.release("w1", ids)

    assert story.run(work) == ({"web": 1, "db": 1, "app": 1}, frozenset())
    assert story.writes() == [("DELETE", PLAN)]
    names = {row["name"] for row in story.ask("GET", story.plans)["value"]}
    assert names == {"asr-w2-1", "asr-w1-1-1", "everything"}


def test_a_machine_can_be_removed_after_it_was_let_go(story):
    async def work(port):
        await story.through(port, Verb.TEST_FAILOVER)
        await story.through(port, Verb.CLEAN_UP_TEST)
        items = await story.items(port)
        await port.release("w1", [items["web"]["id"]])
        call = story.provider.act(Verb.STOP_REPLICATION, story.wave.machines[0], items["web"])
        job = await story.ended(port, (await port.send(call, None)).job_id)
        return job["properties"]["state"], sorted(await story.items(port))

    assert story.run(work) == ("Succeeded", ["app", "db"])


def test_check_mode_lists_the_writes_and_sends_none(story):
    async def work(port):
        (call,) = story.calls(Verb.FAIL_OVER, await story.items(port))
        assert await port.prepare_plan(call)
        await port.send_plan(call)

    story.run(work, check_mode=True)
    assert [(write.method, write.path) for write in story.planned] == [
        ("PUT", f"replicationRecoveryPlans/{PLAN}"),
        ("POST", f"replicationRecoveryPlans/{PLAN}/unplannedFailover"),
    ]
    assert "make recovery plan asr-w1-1 of 3 machines in 2 groups" in story.planned[0].line
    assert story.world.writes == []


def test_a_plan_of_that_name_for_another_appliance_is_refused(story):
    async def work(port):
        (call,) = story.calls(Verb.FAIL_OVER, await story.items(port))
        await port.prepare_plan(call)
        other = replace(call, fabric_id=f"{call.fabric_id}-other")
        with pytest.raises(RefusedError, match="recovery plan asr-w1-1 moves machines of"):
            await port.prepare_plan(other)

    story.run(work)
    assert story.writes() == [("PUT", PLAN)]


def test_a_plan_whose_making_was_answered_503_is_not_made_twice(story):
    story.world.faults.add(
        {"match": {"method": "PUT", "path": f"*/{PLAN}"}, "status": 503, "after_effect": True, "times": 1}
    )

    async def work(port):
        (call,) = story.calls(Verb.FAIL_OVER, await story.items(port))
        with pytest.raises(ServiceError):
            await port.prepare_plan(call)
        story.clock.advance(60)
        return await port.prepare_plan(call)

    assert story.run(work) is True
    assert story.writes() == [("PUT", PLAN)]


def test_a_plan_that_gets_busy_just_before_its_change_is_looked_at_again_later(story):
    row = {"match": {"method": "PATCH", "path": f"*/{PLAN}"}, "status": 400, "times": 1}
    story.world.faults.add({**row, "code": "RecoveryPlanBusy", "message": "The recovery plan is busy."})

    async def work(port):
        items = await story.items(port)
        (whole,) = story.calls(Verb.FAIL_OVER, items)
        (part,) = story.calls(Verb.FAIL_OVER, items, machines(story, "web"))
        return [await port.prepare_plan(call) for call in (whole, part, part)]

    assert story.run(work) == [True, False, True]
