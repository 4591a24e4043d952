"""Jobs and their tasks as time passes, and how far they are out of step (recorded)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from asr_lab.arm.operations import Operation, OperationError, Target
from asr_lab.arm.providers import rules
from asr_lab.arm.resources.job_bodies import full
from asr_lab.arm.world import World

NOW = datetime(2026, 3, 1, 8, 0, 0, 700_000, tzinfo=UTC)
VAULT = "/Subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v"


def begun(world: World, scenario: str, duration_s: float, provider: str, **settings: Any) -> Operation:
    return world.begin(
        NOW,
        target_id=f"{VAULT}/replicationFabrics/f",
        duration_s=duration_s,
        scenario=scenario,
        friendly_name=scenario,
        target=Target("guid", "name"),
        custom_details={"provider": provider},
        **settings,
    )


def told(world: World, job: Operation, seconds: float, api: str = "2023-06-01") -> dict[str, Any]:
    now = NOW + timedelta(seconds=seconds)
    world.advance(now)
    return dict(full(world, job, api, now)["properties"])


def states(job: dict[str, Any]) -> list[str]:
    return [task["state"] for task in job["tasks"]]


@pytest.fixture
def world() -> World:
    return World()


def test_the_first_task_begins_after_the_job(world: World) -> None:
    job = begun(world, "TestFailover", 472, "InMageRcm")
    assert states(told(world, job, 0.45)) == ["NotStarted"] * 4
    assert states(told(world, job, 1)) == ["InProgress", "NotStarted", "NotStarted", "NotStarted"]


def test_a_job_of_2017_still_runs_when_all_its_tasks_have_succeeded(world: World) -> None:
    job = begun(world, "TestFailover", 240, "InMageAzureV2")
    seen = told(world, job, 239.6)
    assert seen["state"] == "InProgress"
    assert states(seen) == ["Succeeded"] * 4
    assert told(world, job, 240)["state"] == "Succeeded"


def test_a_resynchronization_succeeds_with_its_task_in_progress(world: World) -> None:
    job = begun(world, "RepairVMReplication", 37, "InMageAzureV2")
    seen = told(world, job, 40)
    assert (seen["state"], states(seen)) == ("Succeeded", ["InProgress"])
    assert seen["tasks"][0]["endTime"] == "0001-01-01T00:00:00"


def test_a_refresh_succeeds_with_a_task_that_never_began(world: World) -> None:
    job = begun(world, "RefreshFabricLayout", 180, "InMageAzureV2")
    assert states(told(world, job, 200)) == ["InProgress", "NotStarted"]


def test_the_end_of_a_short_job_lies_before_its_start(world: World) -> None:
    job = begun(world, "SaveRecoveryPlan", 0.2, "InMageRcm")
    seen = told(world, job, 2)
    assert seen["startTime"] == "2026-03-01T08:00:00.7000000Z"
    assert seen["endTime"] == "2026-03-01T08:00:00Z"
    assert seen["tasks"][0]["endTime"] == "2026-03-01T08:00:00.9000000Z"


def test_a_task_that_nobody_asked_for_is_skipped(world: World) -> None:
    job = begun(world, "UnplannedFailover", 468, "InMageRcm")
    shutdown = told(world, job, 460)["tasks"][1]
    assert (shutdown["state"], shutdown["stateDescription"]) == ("Other", "Skipped")
    assert shutdown["startTime"] == "0001-01-01T00:00:00"


def test_an_error_stands_in_the_job_and_in_the_task_that_failed(world: World) -> None:
    why = OperationError("28031", "No machine.", task="PrepareTestProtectedEntitiesTask")
    job = begun(world, "TestFailover", 472, "InMageRcm", fail=why)
    seen = told(world, job, 500)
    assert states(seen) == ["Succeeded", "Succeeded", "Failed", "NotStarted"]
    assert seen["errors"] == seen["tasks"][2]["errors"]
    assert seen["errors"][0]["taskId"] == "PrepareTestProtectedEntitiesTask"


def test_the_first_poll_of_a_purged_mapping_is_not_started(world: World) -> None:
    job = begun(world, "PurgeProtectionProfileAssociation", 1.5, "HyperVReplicaAzure")
    first = job.status(NOW + timedelta(seconds=0.5)).body
    assert (first["status"], first["startTime"]) == ("NotStarted", None)
    later = job.status(NOW + timedelta(seconds=1.2)).body
    assert (later["status"], later["startTime"]) == ("InProgress", "2026-03-01T08:00:01.7000000Z")


def test_a_status_never_tells_how_far_it_is(world: World) -> None:
    job = begun(world, "TestFailover", 472, "InMageRcm")
    assert job.status(NOW + timedelta(seconds=60)).body["percentComplete"] is None


def test_a_warning_stands_in_the_status_of_an_operation_that_succeeded(world: World) -> None:
    job = begun(world, "EnableDr", 5, "InMageRcm", warning=OperationError("310024", "The name is taken."))
    told(world, job, 6)
    body = job.status(NOW + timedelta(seconds=6)).body
    assert body["status"] == "Succeeded"
    assert body["error"] == {"code": "310024", "message": "The name is taken.", "details": None}


def test_a_job_read_at_once_is_an_empty_shell(world: World) -> None:
    job = begun(world, "TestFailover", 472, "InMageRcm")
    seen = told(world, job, 0.1)
    assert (seen["state"], seen["scenarioName"], seen["tasks"]) == ("NotStarted", None, [])


def test_the_oldest_version_repeats_the_state_at_the_top(world: World) -> None:
    job = begun(world, "TestFailover", 472, "InMageAzureV2")
    now = NOW + timedelta(seconds=10)
    body = full(world, job, "2016-08-10", now)
    assert "type" not in body
    assert (body["status"], body["error"], body["endTime"]) == ("InProgress", None, None)


@pytest.mark.parametrize("scenario", sorted(rules.table("jobs")))
def test_a_row_of_jobs_says_how_it_is_known_and_what_it_does(scenario: str) -> None:
    row = rules.scenario(scenario)
    assert row["known"] in ("recorded", "documented", "chosen")
    for name in (name for name in row if name.startswith("tasks")):
        ends = [float(task["until"]) for task in row[name]]
        assert ends == sorted(ends)
        assert ends[-1] == 1.0
