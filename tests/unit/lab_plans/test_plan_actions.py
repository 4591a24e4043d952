"""Actions on recovery plans, from the request to the machines in Azure."""

from datetime import datetime
from typing import Any

import pytest
from tests.unit.lab_plans.conftest import NAMES, Wave, action

QUOTA = {"code": "28031", "message": "The quota of the region is exceeded."}
TESTS = {"vm-web-1-test", "vm-web-2-test", "vm-db-1-test"}


def texts(job: dict[str, Any]) -> list[str]:
    return [task["friendlyName"] for task in job["tasks"]]


def task(job: dict[str, Any], text: str) -> dict[str, Any]:
    return next(found for found in job["tasks"] if found["friendlyName"] == text)


def children(job: dict[str, Any], text: str) -> dict[str, dict[str, Any]]:
    return {child["name"]: child for child in task(job, text)["groupTaskCustomDetails"]["childTasks"]}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_a_test_failover_makes_a_machine_of_each_item(protected: Wave) -> None:
    protected.make_plan()
    job = protected.run("testFailover", protected.test_body())
    assert job["state"] == "Succeeded"
    assert (job["scenarioName"], job["targetInstanceType"]) == ("TestFailover", "RecoveryPlan")
    assert protected.vms == TESTS
    assert protected.lab.get(protected.plan)["properties"]["allowedOperations"] == ["TestFailoverCleanup"]
    assert protected.lab.get(protected.plan)["properties"]["lastTestFailoverTime"] == job["startTime"]


def test_the_job_of_a_test_tells_of_every_machine(protected: Wave) -> None:
    protected.make_plan()
    details = protected.run("testFailover", protected.test_body())["customDetails"]
    assert (details["instanceType"], details["testFailoverStatus"]) == ("TestFailoverJobDetails", "Active")
    assert {row["testVmName"] for row in details["protectedItemDetails"]} == TESTS


def test_the_clean_up_removes_every_test_machine(protected: Wave) -> None:
    protected.make_plan()
    protected.run("testFailover", protected.test_body())
    job = protected.run("testFailoverCleanup", {"properties": {"comments": "all good"}})
    assert job["state"] == "Succeeded"
    assert protected.vms == set()
    assert job["customDetails"]["comments"] == "all good"
    assert protected.properties("db-1")["testFailoverState"] == "MarkedForDeletion"


def test_a_wave_goes_over_and_is_committed(protected: Wave) -> None:
    protected.make_plan()
    job = protected.run("unplannedFailover", protected.failover_body())
    assert job["state"] == "Succeeded"
    assert protected.vms == {"vm-web-1", "vm-web-2", "vm-db-1"}
    assert protected.lab.get(protected.plan)["properties"]["allowedOperations"] == ["Commit", "SwitchProtection"]
    assert protected.run("failoverCommit")["state"] == "Succeeded"
    for name in NAMES:
        assert protected.state(name) == "UnplannedFailoverStatesBegin"


def test_groups_go_one_after_the_other_and_their_items_together(protected: Wave) -> None:
    protected.make_plan()
    job = protected.run("unplannedFailover", protected.failover_body())
    web, data = children(job, "Group 1: Start"), children(job, "Group 2: Start")
    assert web["web-1"]["startTime"] == web["web-2"]["startTime"]
    assert moment(data["db-1"]["startTime"]) >= moment(web["web-1"]["endTime"])


def test_the_tasks_of_a_machine_stand_below_its_own(protected: Wave) -> None:
    protected.make_plan()
    job = protected.run("testFailover", protected.test_body())
    child = children(job, "Group 1: Start")["web-1"]
    assert child["customDetails"]["instanceType"] == "VirtualMachineTaskDetails"
    names = [one["name"] for one in child["groupTaskCustomDetails"]["childTasks"]]
    assert names == ["VmTfoPrerequisitesCheck", "VmTfoInitiateFailover", "VmTfoPrepareTestVm", "VmTfoBootTestVm"]
    own = protected.lab.get(f"{protected.vault}/replicationJobs/{child['customDetails']['jobTask']['jobId']}")
    assert own["properties"]["targetObjectName"] == "web-1"


def test_a_failover_says_what_became_of_the_shutdown(protected: Wave) -> None:
    protected.make_plan()
    job = protected.run("unplannedFailover", protected.failover_body())
    shutdown = task(job, "All groups shutdown")
    assert (shutdown["state"], shutdown["taskType"]) == ("Other", "RecoveryPlanShutdownGroupTaskDetails")


def test_only_the_job_of_the_plan_is_listed(protected: Wave) -> None:
    protected.make_plan()
    protected.run("testFailover", protected.test_body())
    query = {"$filter": "JobName eq 'TestFailover'"}
    listed = protected.lab.get(f"{protected.vault}/replicationJobs", **query)["value"]
    assert [job["properties"]["targetObjectName"] for job in listed] == ["wave-1"]


def test_plan_and_items_are_busy_with_the_job_of_the_plan(protected: Wave) -> None:
    protected.make_plan()
    job_id = protected.begin("testFailover", protected.test_body())
    protected.lab.advance(60)
    for name in NAMES:
        assert protected.properties(name)["currentScenario"]["jobId"] == job_id
        assert protected.properties(name)["allowedOperations"] == []
    shown = protected.lab.get(protected.plan)["properties"]
    assert shown["currentScenario"]["jobId"] == job_id
    assert (shown["currentScenarioStatus"], shown["allowedOperations"]) == ("InProgress", [])
    protected.end(job_id)
    assert protected.properties("db-1")["currentScenario"]["scenarioName"] == "None"
    assert protected.lab.get(protected.plan)["properties"]["currentScenario"] is None


def test_a_busy_plan_takes_no_second_action_and_no_change(protected: Wave) -> None:
    protected.make_plan()
    protected.begin("testFailover", protected.test_body())
    assert protected.ask("POST", f"{protected.plan}/testFailover", protected.test_body()).status == 400
    assert protected.ask("DELETE", protected.plan).status == 400


def test_a_manual_action_makes_the_job_wait_until_it_is_resumed(protected: Wave) -> None:
    protected.make_plan(protected.group("web-1", start=[action("look")]))
    job_id = protected.begin("unplannedFailover", protected.failover_body())
    waiting = protected.end(job_id)
    assert (waiting["state"], waiting["stateDescription"]) == ("Suspended", "WaitingForManualAction")
    assert waiting["allowedActions"] == ["Cancel", "Resume"]
    told = protected.lab.get(job_id.replace("replicationJobs", "replicationOperationStatus"))
    assert told["status"] == "InProgress"
    protected.lab.advance(3600)
    assert protected.vms == set()
    assert protected.ask("POST", f"{job_id}/resume", {"properties": {"comments": "seen"}}).status == 202
    protected.lab.advance(5)
    job = protected.end(job_id)
    assert job["state"] == "Succeeded"
    step = children(job, "Group 1: Pre steps (1)")["look"]
    assert (step["state"], step["customDetails"]["observation"]) == ("Succeeded", "seen")


def test_runbooks_and_scripts_take_their_time(protected: Wave) -> None:
    protected.make_plan(protected.group("web-1", end=[action("warm", "runbook"), action("copy", "script")]))
    job = protected.run("testFailover", protected.test_body())
    steps = children(job, "Group 1: Post steps (2)")
    assert steps["warm"]["customDetails"]["runbookName"] == "warm"
    assert moment(steps["copy"]["startTime"]) == moment(steps["warm"]["endTime"])
    assert (moment(steps["copy"]["endTime"]) - moment(steps["warm"]["startTime"])).total_seconds() == 180


def test_an_action_for_other_failovers_is_left_out(protected: Wave) -> None:
    protected.make_plan(protected.group("web-1", start=[action("look", failoverTypes=["UnplannedFailover"])]))
    job = protected.run("testFailover", protected.test_body())
    assert job["state"] == "Succeeded"
    assert texts(job) == ["Recovery plan preflight checks", "Group 1: Start"]


def test_an_action_whose_failover_types_were_emptied_never_runs(protected: Wave) -> None:
    protected.make_plan(protected.group("web-1", start=[action("look", failoverTypes=[])]))
    assert protected.run("unplannedFailover", protected.failover_body())["state"] == "Succeeded"


def test_the_failure_of_one_item_stops_neither_its_group_nor_the_next(protected: Wave) -> None:
    protected.make_plan()
    protected.lab.world.faults.add({"match": {"scenario": "UnplannedFailover", "name": "web-1"}, "job": QUOTA})
    job = protected.run("unplannedFailover", protected.failover_body())
    assert job["state"] == "Failed"
    assert [error["serviceErrorDetails"]["code"] for error in job["errors"]] == ["28031"]
    assert protected.vms == {"vm-web-2", "vm-db-1"}
    assert task(job, "Group 1: Start")["state"] == "Failed"
    assert task(job, "Group 2: Start")["state"] == "Succeeded"


def test_a_restart_skips_what_is_done_and_repeats_what_failed(protected: Wave) -> None:
    protected.make_plan()
    fault = {"match": {"scenario": "UnplannedFailover", "name": "web-1"}, "job": QUOTA, "times": 1}
    protected.lab.world.faults.add(fault)
    job_id = protected.begin("unplannedFailover", protected.failover_body())
    assert protected.end(job_id)["allowedActions"] == ["Restart"]
    again = protected.ask("POST", f"{job_id}/restart").headers["x-ms-request-id"]
    job = protected.end(again)
    assert job["state"] == "Succeeded"
    assert protected.vms == {"vm-web-1", "vm-web-2", "vm-db-1"}
    skipped = children(job, "Group 2: Start")["db-1"]
    assert (skipped["state"], skipped["stateDescription"]) == ("Other", "Skipped")
    assert skipped["customDetails"]["skippedReasonString"]


def test_a_script_that_fails_makes_the_job_fail_and_an_unplanned_failover_go_on(protected: Wave) -> None:
    protected.make_plan(protected.group("web-1", start=[action("copy", "script")]))
    match = {"scenario": "RecoveryPlanAction", "name": "copy"}
    protected.lab.world.faults.add({"match": match, "job": {"code": "28100", "message": "The script failed."}})
    job = protected.run("unplannedFailover", protected.failover_body())
    assert job["state"] == "Failed"
    assert protected.vms == {"vm-web-1"}


def test_a_plan_with_nothing_to_do_fails(protected: Wave) -> None:
    protected.make_plan()
    job = protected.run("failoverCommit")
    assert job["state"] == "Failed"
    assert job["errors"][0]["serviceErrorDetails"]["code"] == "25037"


def test_a_cancelled_plan_frees_its_items(protected: Wave) -> None:
    protected.make_plan()
    job_id = protected.begin("unplannedFailover", protected.failover_body())
    protected.lab.advance(120)
    assert protected.ask("POST", f"{job_id}/cancel").status == 202
    job = protected.end(job_id)
    protected.lab.advance(3600)
    job = protected.end(job_id)
    assert job["state"] == "Cancelled"
    assert protected.vms == set()
    assert "UnplannedFailover" in protected.properties("web-1")["allowedOperations"]
    assert protected.state("db-1") == "Protected"
    assert children(job, "Group 1: Start")["web-1"]["state"] == "Cancelled"


def test_a_plan_goes_on_in_a_world_that_was_written_down(protected: Wave) -> None:
    protected.make_plan(protected.group("web-1", start=[action("look")]), protected.group("db-1"))
    job_id = protected.begin("unplannedFailover", protected.failover_body())
    protected.end(job_id)
    protected.move_to_another_world()
    protected.ask("POST", f"{job_id}/resume")
    protected.lab.advance(120)
    assert protected.lab.get(job_id)["properties"]["state"] == "InProgress"
    protected.move_to_another_world()
    assert protected.end(job_id)["state"] == "Succeeded"
    assert protected.vms == {"vm-web-1", "vm-db-1"}


def test_no_application_consistent_point_fails_the_item_and_says_why(protected: Wave) -> None:
    protected.make_plan(protected.group("web-1"))
    job = protected.run("testFailover", protected.test_body("LatestApplicationConsistent"))
    assert job["state"] == "Failed"
    assert "ApplicationConsistent" in job["errors"][0]["serviceErrorDetails"]["possibleCauses"]


def test_a_reprotection_that_a_plan_cannot_describe_fails_for_the_item(protected: Wave) -> None:
    protected.make_plan(protected.group("web-1"))
    protected.run("unplannedFailover", protected.failover_body())
    protected.run("failoverCommit")
    job = protected.run("reProtect")
    assert job["state"] == "Failed"
    assert "reprotectAgentId" in job["errors"][0]["serviceErrorDetails"]["message"]


def test_a_failover_that_was_not_committed_can_be_taken_back(protected: Wave) -> None:
    protected.make_plan()
    protected.run("unplannedFailover", protected.failover_body())
    assert protected.run("failoverCancel")["state"] == "Succeeded"
    assert protected.vms == set()
    assert protected.state("web-1") == "Protected"


@pytest.mark.parametrize("kind", ["InMageAzureV2", "A2A"])
def test_details_for_a_provider_that_no_item_has_are_refused(protected: Wave, kind: str) -> None:
    protected.make_plan()
    body = protected.failover_body(providerSpecificDetails=[{"instanceType": kind, "recoveryPointType": "Latest"}])
    response = protected.ask("POST", f"{protected.plan}/unplannedFailover", body)
    assert response.status == 400
    assert "InMageRcm" in response.body["error"]["message"]


def test_details_are_a_list(protected: Wave) -> None:
    protected.make_plan()
    body = protected.failover_body(providerSpecificDetails={"instanceType": "InMageRcm"})
    assert protected.ask("POST", f"{protected.plan}/unplannedFailover", body).status == 400


def test_a_test_failover_into_a_network_names_it(protected: Wave) -> None:
    protected.make_plan()
    body = protected.test_body()
    del body["properties"]["networkId"]
    assert protected.ask("POST", f"{protected.plan}/testFailover", body).status == 400


def test_details_may_be_left_out(protected: Wave) -> None:
    protected.make_plan()
    body = protected.failover_body()
    del body["properties"]["providerSpecificDetails"]
    assert protected.run("unplannedFailover", body)["state"] == "Succeeded"


def test_a_plan_that_is_not_there_takes_no_action(protected: Wave) -> None:
    assert protected.ask("POST", f"{protected.plan}/failoverCommit").status == 404
