"""The list of jobs: order, number, filter; and its export."""

from datetime import timedelta
from typing import Any

import pytest
from tests.unit.lab_plans.conftest import Lab, Wave

POLICY = {
    "properties": {
        "providerSpecificInput": {
            "instanceType": "InMageRcm",
            "recoveryPointHistoryInMinutes": 1440,
            "crashConsistentFrequencyInMinutes": 5,
            "appConsistentFrequencyInMinutes": 0,
            "enableMultiVmSync": "false",
        }
    }
}


def listed(lab: Lab, vault: str, condition: str = "") -> list[dict[str, Any]]:
    query = {"$filter": condition} if condition else {}
    return list(lab.get(f"{vault}/replicationJobs", **query)["value"])


def names(jobs: list[dict[str, Any]]) -> list[str]:
    return [job["properties"]["scenarioName"] for job in jobs]


def test_the_newest_job_comes_first(wave: Wave) -> None:
    jobs = listed(wave.lab, wave.vault)
    assert names(jobs) == ["AssociateProtectionProfile", "AddProtectionProfile"]


def test_a_row_says_neither_tasks_nor_details(wave: Wave) -> None:
    row = listed(wave.lab, wave.vault)[0]["properties"]
    assert (row["tasks"], row["activityId"], row["customDetails"]) == ([], None, None)


def test_the_list_ends_with_the_two_hundredth_job(lab: Lab, empty: str) -> None:
    for _ in range(203):
        lab.ask("POST", f"{empty}/replicationVaultHealth/default/refresh")
    answer = lab.get(f"{empty}/replicationJobs")
    assert len(answer["value"]) == 200
    assert answer["nextLink"] is None


@pytest.mark.parametrize("condition", ["JobStatus eq 'Failed'", "(JobStatus eq 'Failed')", "jobstatus eq 'failed'"])
def test_the_filter_by_state_takes_what_clients_write(wave: Wave, condition: str) -> None:
    wave.lab.world.faults.add(
        {"match": {"scenario": "AddProtectionProfile"}, "job": {"code": "150261", "message": "No."}}
    )
    wave.lab.do("PUT", f"{wave.vault}/replicationPolicies/other", POLICY)
    assert names(listed(wave.lab, wave.vault, condition)) == ["AddProtectionProfile"]


def test_the_filter_by_time_looks_at_the_start(wave: Wave) -> None:
    wave.lab.advance(3600)
    begin = wave.lab.now
    wave.lab.do("PUT", f"{wave.vault}/replicationPolicies/other", POLICY)
    end = begin + timedelta(minutes=1)
    condition = f"(StartTime eq '{begin:%Y-%m-%dT%H:%M:%S.000Z}') and (EndTime eq '{end:%Y-%m-%dT%H:%M:%S.000Z}')"
    assert names(listed(wave.lab, wave.vault, condition)) == ["AddProtectionProfile"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("JobName eq 'AssociateProtectionProfile'", 1),
        ("AffectedObjectTypes eq 'ProtectionProfile'", 2),
        ("AffectedObjectTypes eq 'RecoveryPlan,Server'", 0),
        ("FabricId eq 'vault-plans-vmwarefabric' and JobStatus eq 'Succeeded'", 1),
        ("JobStatus eq 'Suspended'", 0),
    ],
)
def test_the_filter_takes_what_the_specification_lists(wave: Wave, condition: str, expected: int) -> None:
    assert len(listed(wave.lab, wave.vault, condition)) == expected


@pytest.mark.parametrize("condition", ["State eq 'Failed'", "JobStatus ne 'Failed'", "StartTime eq 'yesterday'"])
def test_a_filter_that_means_nothing_is_refused(wave: Wave, condition: str) -> None:
    response = wave.lab.ask("GET", f"{wave.vault}/replicationJobs", **{"$filter": condition})
    assert response.status == 400


def test_an_export_is_a_job_that_says_that_no_file_is_written(wave: Wave) -> None:
    body = {"startTime": "2026-03-01T00:00:00Z", "jobStatus": "Failed", "jobOutputType": "Json", "timezoneOffset": 60.0}
    job = wave.lab.do("POST", f"{wave.vault}/replicationJobs/export", body)
    assert job["customDetails"]["instanceType"] == "ExportJobDetails"
    assert "no-file-is-written" in job["customDetails"]["blobUri"]
    assert job["customDetails"]["blobUri"].endswith(".json")


def test_an_export_leads_to_its_own_job(wave: Wave) -> None:
    response = wave.ask("POST", f"{wave.vault}/replicationJobs/export", {})
    guid = response.headers["x-ms-request-id"].rpartition("/")[2]
    assert f"/replicationJobs/{guid}/operationresults/{guid}" in response.headers["Location"]


def test_an_export_of_a_kind_that_does_not_exist_is_refused(wave: Wave) -> None:
    assert wave.ask("POST", f"{wave.vault}/replicationJobs/export", {"jobOutputType": "Paper"}).status == 400
