"""Policies, mappings, fabrics and jobs."""

import pytest

SETTINGS = {
    "instanceType": "InMageAzureV2",
    "recoveryPointThresholdInMinutes": 60,
    "recoveryPointHistory": 1440,
    "crashConsistentFrequencyInMinutes": 5,
    "appConsistentFrequencyInMinutes": 0,
    "multiVmSyncStatus": "Disable",
}


def put(lab, policy, **changes):
    return lab.do("PUT", policy, {"properties": {"providerSpecificInput": SETTINGS | changes}})


def test_a_policy_over_one_with_the_same_settings_succeeds(classic):
    assert put(classic.lab, classic.policy)["state"] == "Succeeded"


def test_a_policy_over_one_with_other_settings_fails_in_the_job_and_can_be_restarted(classic):
    job = put(classic.lab, classic.policy, recoveryPointHistory=2880)
    assert job["errors"][0]["serviceErrorDetails"]["code"] == "15035"
    assert job["allowedActions"] == ["Restart"]


def test_a_number_out_of_range_fails_in_the_job(classic):
    job = put(classic.lab, f"{classic.vault}/replicationPolicies/other", recoveryPointHistory=99999)
    assert job["errors"][0]["serviceErrorDetails"]["code"] == "15040"


def test_multi_vm_sync_is_read_back_in_the_other_form(classic):
    details = classic.lab.get(classic.policy)["properties"]["providerSpecificDetails"]
    assert details["multiVmSyncStatus"] == "Disabled"


def test_a_policy_in_use_is_not_deleted(classic):
    assert classic.lab.do("DELETE", classic.policy)["state"] == "Failed"
    assert classic.lab.ask("GET", classic.policy).status == 200


def test_a_mapping_in_use_is_not_removed_but_can_be_purged(ready):
    ready.protect()
    mapping = ready.lab.get(f"{ready.vault}/replicationProtectionContainerMappings")["value"][0]["id"]
    assert ready.lab.do("POST", f"{mapping}/remove", {"properties": {}})["state"] == "Failed"
    assert ready.lab.do("DELETE", mapping)["state"] == "Succeeded"
    assert ready.lab.get(f"{ready.vault}/replicationProtectionContainerMappings")["value"] == []


def test_a_mapping_to_something_else_than_azure_is_refused(ready):
    body = {"properties": {"targetProtectionContainerId": "elsewhere", "policyId": ready.policy}}
    path = f"{ready.container}/replicationProtectionContainerMappings/other"
    assert ready.lab.ask("PUT", path, body).status == 400


def test_a_mapping_with_the_policy_of_another_provider_is_refused(modern):
    policy = f"{modern.vault}/replicationPolicies/classic"
    put(modern.lab, policy)
    body = {"properties": {"targetProtectionContainerId": "Microsoft Azure", "policyId": policy}}
    path = f"{modern.container}/replicationProtectionContainerMappings/other"
    assert modern.lab.ask("PUT", path, body).status == 400


def test_a_fabric_with_items_is_not_removed_and_an_empty_one_is(ready):
    ready.protect()
    assert ready.lab.do("POST", f"{ready.fabric}/remove")["state"] == "Failed"
    ready.lab.do("POST", f"{ready.item}/remove", {"properties": {}})
    assert ready.lab.do("POST", f"{ready.fabric}/remove")["state"] == "Succeeded"
    assert ready.lab.get(f"{ready.vault}/replicationFabrics")["value"] == []


def test_a_provider_can_be_refreshed(ready):
    (provider,) = ready.lab.get(f"{ready.vault}/replicationRecoveryServicesProviders")["value"]
    assert ready.lab.do("POST", f"{provider['id']}/refreshProvider")["scenarioName"] == "RefreshFabricLayout"
    assert ready.lab.get(provider["id"])["name"] == provider["name"]


def test_the_container_counts_its_items_and_is_paired(ready):
    ready.protect()
    shown = ready.lab.get(ready.container)["properties"]
    assert (shown["protectedItemCount"], shown["pairingStatus"], shown["role"]) == (1, "Paired", "Primary")


def test_a_job_read_at_once_is_an_empty_shell(ready):
    answer = ready.lab.ask("PUT", ready.item, ready.enable_body())
    job = ready.lab.get(answer.headers["x-ms-request-id"])["properties"]
    assert (job["state"], job["tasks"], job["scenarioName"]) == ("NotStarted", [], None)
    assert "startTime" not in job


def test_the_tasks_of_a_job_advance_with_time(ready):
    answer = ready.lab.ask("PUT", ready.item, ready.enable_body())
    job_id = answer.headers["x-ms-request-id"]
    ready.lab.advance(60)
    states = [task["state"] for task in ready.lab.get(job_id)["properties"]["tasks"]]
    assert states == ["Succeeded", "InProgress", "NotStarted", "NotStarted", "NotStarted"]
    ready.lab.advance(1800)
    states = [task["state"] for task in ready.lab.get(job_id)["properties"]["tasks"]]
    assert states == ["Succeeded"] * 5


@pytest.mark.parametrize(
    ("condition", "count"),
    [
        ("JobStatus eq 'Failed'", 1),
        ("(JobStatus eq 'Succeeded')", 2),
        ("StartTime eq '2030-01-01T00:00:00Z' and EndTime eq '2031-01-01T00:00:00Z'", 0),
        ("StartTime eq '2020-01-01T00:00:00Z' and EndTime eq '2031-01-01T00:00:00Z'", 3),
    ],
)
def test_jobs_can_be_filtered(classic, condition, count):
    put(classic.lab, classic.policy, recoveryPointHistory=2880)
    found = classic.lab.get(f"{classic.vault}/replicationJobs", **{"$filter": condition})["value"]
    assert len(found) == count


def test_a_filter_that_is_not_understood_is_refused(classic):
    assert classic.lab.ask("GET", f"{classic.vault}/replicationJobs", **{"$filter": "Name eq 'x'"}).status == 400


def test_a_job_that_does_not_exist_is_a_404_of_site_recovery(classic):
    answer = classic.lab.ask("GET", f"{classic.vault}/replicationJobs/none")
    assert answer.body["error"]["details"][0]["code"] == "ArmResourceDoesNotExist"


def test_the_result_of_an_action_is_its_item_and_of_a_removal_nothing(ready):
    ready.protect()
    started = ready.lab.ask("POST", f"{ready.item}/testFailover", ready.test_body())
    result = "/" + started.headers["Location"].split("/", 3)[3].partition("?")[0]
    assert ready.lab.ask("GET", result).status == 202
    ready.lab.advance(900)
    assert ready.lab.get(result)["name"] == ready.lab.get(ready.item)["name"]
    removed = ready.lab.ask("DELETE", ready.item)
    ready.lab.advance(900)
    result = "/" + removed.headers["Location"].split("/", 3)[3].partition("?")[0]
    assert ready.lab.ask("GET", result).status == 204


def test_the_vault_counts_the_health_of_its_items(ready):
    ready.protect()
    ready.lab.do("POST", f"{ready.vault}/replicationVaultHealth/default/refresh")
    health = ready.lab.get(f"{ready.vault}/replicationVaultHealth")["properties"]["protectedItemsHealth"]
    assert health["resourceCount"] == 1
    assert health["categorizedResourceCounts"]["testFailoverApplicableProtectedItemsCount"] == 1


def test_the_summary_of_the_world_tells_of_items(ready):
    ready.protect()
    (item,) = ready.lab.world.summary(ready.lab.now)["items"]
    assert (item["stage"], item["state"]) == ("replicating", "Protected")
