"""Enabling protection: what is refused at once, what fails the job, and how replication advances."""

import pytest

from asr_lab.arm.estate import PushFailure


def test_an_unknown_property_is_refused_at_once_with_its_path(ready):
    answer = ready.lab.ask("PUT", ready.item, ready.enable_body(targetVmNmae="x"))
    assert answer.status == 400
    assert "properties.providerSpecificDetails.targetVmNmae" in answer.body["error"]["message"]


def test_a_missing_policy_is_a_404_of_site_recovery(ready):
    body = ready.enable_body()
    body["properties"]["policyId"] = f"{ready.vault}/replicationPolicies/none"
    answer = ready.lab.ask("PUT", ready.item, body)
    assert (answer.status, answer.body["error"]["details"][0]["code"]) == (404, "ArmResourceDoesNotExist")


def test_the_provider_must_be_that_of_the_fabric(classic):
    body = classic.enable_body()
    body["properties"]["providerSpecificDetails"] = {
        "instanceType": "InMageRcm",
        "fabricDiscoveryMachineId": "/x",
        "processServerId": "y",
        "targetResourceGroupId": "/z",
    }
    assert classic.lab.ask("PUT", classic.item, body).status == 400


def test_an_unknown_machine_is_refused_at_once(modern):
    answer = modern.lab.ask("PUT", modern.item, modern.enable_body(fabricDiscoveryMachineId=f"{modern.machine}-no"))
    assert (answer.status, answer.body["error"]["details"][0]["code"]) == (400, "InvalidFabricDiscoveryMachineId")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"processServerId": "other"}, "processServerId is 'other'"),
        ({"targetResourceGroupId": "/subscriptions/x/resourceGroups/none"}, "does not exist"),
        ({"targetNetworkId": "/subscriptions/x/none"}, "virtual network"),
        ({"targetSubnetName": "none"}, "no subnet 'none'"),
        ({"testSubnetName": "none"}, "no subnet 'none'"),
        ({"disksDefault": {"diskType": "Premium_LRS", "logStorageAccountId": "/none"}}, "storage account '/none'"),
    ],
)
def test_what_is_missing_around_the_machine_fails_the_job_and_leaves_a_failed_item(modern, change, words):
    job = modern.lab.do("PUT", modern.item, modern.enable_body(**change))
    assert job["state"] == "Failed"
    assert words in job["errors"][0]["serviceErrorDetails"]["possibleCauses"]
    seen = modern.properties()
    assert (seen["protectionState"], seen["allowedOperations"]) == ("EnablingFailed", ["DisableProtection"])
    assert seen["healthErrors"][0]["errorCode"] == "310056"
    assert seen["currentScenario"]["scenarioName"] == "EnableProtection"


def test_a_policy_that_is_not_associated_fails_the_job(ready):
    mapping = ready.lab.get(f"{ready.container}/replicationProtectionContainerMappings")["value"][0]["id"]
    ready.lab.do("POST", f"{mapping}/remove", {"properties": {"providerSpecificInput": {}}})
    job = ready.lab.do("PUT", ready.item, ready.enable_body())
    assert job["errors"][0]["serviceErrorDetails"]["code"] == "78253"


def test_a_push_installation_that_fails_ends_the_job_with_the_providers_code(modern):
    modern.lab.hosts.push_failures["10.20.1.21"] = PushFailure("95107", "Refused.", "Wrong password.", "Correct it.")
    job = modern.lab.do("PUT", modern.item, modern.enable_body())
    assert job["state"] == "Failed"
    provider = job["errors"][0]["providerErrorDetails"]
    assert (provider["errorCode"], provider["recommendedAction"]) == (95107, "Correct it.")
    assert modern.properties()["protectionState"] == "EnablingFailed"


def test_a_failed_item_can_be_disabled_and_enabled_again(modern):
    modern.lab.hosts.push_failures["10.20.1.21"] = PushFailure("95107", "Refused.", "Wrong password.", "Correct it.")
    modern.lab.do("PUT", modern.item, modern.enable_body())
    modern.lab.hosts.push_failures.clear()
    assert modern.lab.do("POST", f"{modern.item}/remove", {"properties": {}})["state"] == "Succeeded"
    assert modern.lab.do("PUT", modern.item, modern.enable_body())["state"] == "Succeeded"


def test_the_mobility_service_is_pushed_with_the_account_of_the_appliance(modern):
    modern.lab.do("PUT", modern.item, modern.enable_body())
    assert modern.lab.hosts.pushed == [("10.20.1.21", "admin")]
    assert modern.properties()["providerSpecificDetails"]["mobilityAgentDetails"]["version"] == "9.62.0.0"


def test_a_classic_machine_without_the_mobility_service_cannot_be_protected(classic):
    lab = classic.lab
    body = {"properties": {"friendlyName": "bare", "ipAddress": "10.20.1.99", "osType": "Linux"}}
    lab.do("POST", f"{classic.container}/discoverProtectableItem", body)
    found = lab.get(f"{classic.container}/replicationProtectableItems")["value"]
    bare = next(one for one in found if one["properties"]["friendlyName"] == "bare")
    assert bare["properties"]["customDetails"]["agentInstalled"] == "NotInstalled"
    request = classic.enable_body()
    request["properties"]["protectableItemId"] = bare["id"]
    job = lab.do("PUT", f"{classic.container}/replicationProtectedItems/bare", request)
    assert "not installed" in job["errors"][0]["serviceErrorDetails"]["possibleCauses"]


def test_enabling_a_protected_machine_again_succeeds_at_once_with_a_warning(ready):
    ready.protect()
    started = ready.lab.ask("PUT", ready.item, ready.enable_body())
    ready.lab.advance(2)
    status = ready.lab.get("/" + started.headers["Azure-AsyncOperation"].split("/", 3)[3].partition("?")[0])
    assert (status["status"], status["error"]["code"]) == ("Succeeded", "45031")


def test_an_item_name_that_protects_another_machine_is_not_reused(classic):
    classic.protect()
    lab = classic.lab
    body = {"properties": {"friendlyName": "bare", "ipAddress": "10.20.1.99", "osType": "Linux"}}
    lab.do("POST", f"{classic.container}/discoverProtectableItem", body)
    found = lab.get(f"{classic.container}/replicationProtectableItems")["value"]
    request = classic.enable_body()
    request["properties"]["protectableItemId"] = next(
        one["id"] for one in found if one["properties"]["friendlyName"] == "bare"
    )
    assert lab.do("PUT", classic.item, request)["state"] == "Failed"


def test_the_modernized_item_is_protected_after_the_recorded_83_minutes(modern):
    began = modern.lab.now
    modern.protect()
    assert 80 <= (modern.lab.now - began).total_seconds() / 60 <= 86


def test_the_classic_item_is_protected_after_about_50_minutes(classic):
    began = classic.lab.now
    classic.protect()
    assert 44 <= (classic.lab.now - began).total_seconds() / 60 <= 56


def test_the_progress_of_the_initial_replication_rises_and_vanishes_when_protected(modern):
    lab = modern.lab
    lab.do("PUT", modern.item, modern.enable_body())
    seen = []
    while modern.properties()["protectionState"] != "Protected":
        details = modern.properties()["providerSpecificDetails"]
        seen.append(details["initialReplicationProgressPercentage"])
        assert details["protectedDisks"][0]["irDetails"]
        lab.advance(300)
    assert seen[0] is None
    assert max(value for value in seen if value is not None) == 64
    details = modern.properties()["providerSpecificDetails"]
    assert details["initialReplicationProgressPercentage"] is None
    assert details["protectedDisks"][0]["isInitialReplicationComplete"] == "true"


def test_lists_do_not_show_disks_and_the_single_read_does(ready):
    ready.protect()
    (listed,) = ready.lab.get(f"{ready.vault}/replicationProtectedItems")["value"]
    assert listed["properties"]["providerSpecificDetails"]["protectedDisks"] == []
    assert len(ready.properties()["providerSpecificDetails"]["protectedDisks"]) == 1


def test_a_name_that_is_taken_in_azure_is_warned_of_and_changed_at_the_failover(modern):
    modern.protect()
    modern.lab.do("POST", f"{modern.item}/unplannedFailover", modern.failover_body())
    modern.lab.do("DELETE", modern.item)
    modern.protect()
    modern.lab.do("POST", f"{modern.item}/unplannedFailover", modern.failover_body())
    assert sorted(modern.vms) == ["vm-web", "vm-web-1"]
