"""Cancel, restart and resume: what they do to the job and to its item."""

from typing import Any

import pytest
from tests.unit.lab_plans.conftest import Wave

from asr_lab.arm.wire import Response

QUOTA = {"code": "28031", "message": "The quota of the region is exceeded."}


def job_of(wave: Wave, job_id: str) -> dict[str, Any]:
    return dict(wave.lab.get(job_id)["properties"])


def path(response: Response, header: str = "Azure-AsyncOperation") -> str:
    """Return the path of a poll URL."""
    return "/" + response.headers[header].partition("?")[0].split("/", 3)[3]


def failed_over(wave: Wave) -> Response:
    body = {
        "properties": {
            "failoverDirection": "PrimaryToRecovery",
            "sourceSiteOperations": "NotRequired",
            "providerSpecificDetails": {"instanceType": "InMageRcm", "performShutdown": "false"},
        }
    }
    return wave.ask("POST", wave.item("web-1") + "/unplannedFailover", body)


def test_a_cancelled_enable_leaves_the_item_as_a_failed_one_does(wave: Wave, started: str) -> None:
    wave.lab.advance(60)
    assert job_of(wave, started)["allowedActions"] == ["Cancel"]
    response = wave.ask("POST", f"{started}/cancel")
    assert response.status == 202
    wave.lab.advance(5)
    job = job_of(wave, started)
    assert (job["state"], job["stateDescription"], job["allowedActions"]) == ("Cancelled", "Cancelled", [])
    assert wave.state("web-1") == "EnablingFailed"


def test_a_cancelled_job_never_takes_effect(wave: Wave, started: str) -> None:
    wave.lab.advance(60)
    wave.ask("POST", f"{started}/cancel")
    wave.lab.advance(4 * 3600)
    assert job_of(wave, started)["state"] == "Cancelled"
    assert wave.state("web-1") == "EnablingFailed"


def test_a_cancelled_failover_makes_no_machine_and_can_be_repeated(protected: Wave) -> None:
    job_id = failed_over(protected).headers["x-ms-request-id"]
    protected.lab.advance(60)
    assert protected.ask("POST", f"{job_id}/cancel").status == 202
    protected.lab.advance(900)
    assert protected.vms == set()
    assert "UnplannedFailover" in protected.properties("web-1")["allowedOperations"]
    again = failed_over(protected).headers["x-ms-request-id"]
    assert protected.end(again)["state"] == "Succeeded"


def test_the_operation_of_a_cancelled_job_ends_as_canceled(wave: Wave, started: str) -> None:
    wave.lab.advance(60)
    wave.ask("POST", f"{started}/cancel")
    wave.lab.advance(5)
    told = wave.lab.get(started.replace("replicationJobs", "replicationOperationStatus"))
    assert told["status"] == "Canceled"


def test_cancelling_is_an_operation_whose_result_is_the_job(wave: Wave, started: str) -> None:
    wave.lab.advance(60)
    response = wave.ask("POST", f"{started}/cancel")
    assert wave.lab.get(path(response))["status"] == "InProgress"
    wave.lab.advance(5)
    assert wave.lab.get(path(response))["status"] == "Succeeded"
    result = wave.lab.get(path(response, "Location"))
    assert (result["id"], result["properties"]["state"]) == (started, "Cancelled")


def test_a_client_that_takes_the_operation_for_a_job_reads_the_cancelled_job(wave: Wave, started: str) -> None:
    wave.lab.advance(60)
    response = wave.ask("POST", f"{started}/cancel")
    wave.lab.advance(5)
    assert wave.lab.get(response.headers["x-ms-request-id"])["id"] == started


def test_a_job_is_cancelled_once(wave: Wave, started: str) -> None:
    wave.lab.advance(60)
    wave.ask("POST", f"{started}/cancel")
    assert wave.ask("POST", f"{started}/cancel").status == 400


def test_a_failed_job_offers_a_restart_that_does_the_work_anew(protected: Wave) -> None:
    protected.lab.world.faults.add({"match": {"scenario": "UnplannedFailover"}, "job": QUOTA, "times": 1})
    first = failed_over(protected).headers["x-ms-request-id"]
    job = protected.end(first)
    assert (job["state"], job["allowedActions"]) == ("Failed", ["Restart"])
    response = protected.ask("POST", f"{first}/restart")
    assert response.status == 202
    second = response.headers["x-ms-request-id"]
    assert second != first
    assert protected.end(second)["state"] == "Succeeded"
    assert protected.state("web-1") == "UnplannedFailoverCommitPendingStatesBegin"
    assert protected.lab.get(path(response, "Location"))["id"] == second
    assert job_of(protected, first)["allowedActions"] == []


def test_a_failed_enable_can_be_restarted(wave: Wave) -> None:
    wave.lab.world.faults.add({"match": {"scenario": "EnableDr"}, "job": {"code": "559", "message": "No."}, "times": 1})
    first = wave.ask("PUT", wave.item("web-1"), wave.enable_body("web-1")).headers["x-ms-request-id"]
    assert wave.end(first)["state"] == "Failed"
    second = wave.ask("POST", f"{first}/restart").headers["x-ms-request-id"]
    assert wave.end(second)["state"] == "Succeeded"
    assert wave.state("web-1") == "InitialReplicationInProgress"


@pytest.mark.parametrize("verb", ["restart", "resume"])
def test_what_a_running_job_does_not_offer_is_refused(wave: Wave, started: str, verb: str) -> None:
    wave.lab.advance(60)
    response = wave.ask("POST", f"{started}/{verb}")
    assert response.status == 400
    assert response.body["error"]["details"][0]["code"] == "JobActionNotAllowed"


def test_an_ended_job_cannot_be_cancelled(wave: Wave) -> None:
    job_id = wave.lab.get(f"{wave.vault}/replicationJobs")["value"][0]["id"]
    assert wave.ask("POST", f"{job_id}/cancel").status == 400


def test_a_job_that_does_not_exist_cannot_be_cancelled(wave: Wave) -> None:
    missing = "00000000-0000-4000-8000-000000000000"
    assert wave.ask("POST", f"{wave.vault}/replicationJobs/{missing}/cancel").status == 404


def test_a_change_of_properties_cannot_be_cancelled(protected: Wave) -> None:
    body = {"properties": {"providerSpecificDetails": {"instanceType": "InMageRcm", "targetVmName": "vm-other"}}}
    job_id = protected.ask("PATCH", protected.item("web-1"), body).headers["x-ms-request-id"]
    protected.lab.advance(1)
    assert job_of(protected, job_id)["allowedActions"] == []
    assert protected.ask("POST", f"{job_id}/cancel").status == 400


def test_jobs_go_on_in_a_world_that_was_written_down(wave: Wave, started: str) -> None:
    wave.lab.advance(60)
    wave.ask("POST", f"{started}/cancel")
    wave.move_to_another_world()
    wave.lab.advance(5)
    assert job_of(wave, started)["state"] == "Cancelled"
