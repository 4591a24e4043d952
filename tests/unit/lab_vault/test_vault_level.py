"""Alert settings, vault settings, health, usages, appliances, networks, storage, operations."""

import pytest

from asr_lab.arm.providers.model import Fabric
from asr_lab.arm.resources.networks import add_logical_network
from asr_lab.arm.resources.storage_classifications import add_storage_classification

SITE = {"properties": {"customDetails": {"instanceType": "FabricSpecificCreationInput"}}}
ALERT = "replicationAlertSettings/defaultAlertSetting"
SILENT = {"match": {"name": "*"}, "effect": "appliance_without_heartbeat"}


def fabric_of(lab, vault, name):
    """Make a Hyper-V site and return the fabric that the world holds."""
    path = f"{vault}/replicationFabrics/{name}"
    assert lab.do("PUT", path, SITE)["state"] == "Succeeded"
    held = lab.world.resources.get(path)
    assert isinstance(held, Fabric)
    return held


def test_an_alert_setting_is_answered_at_once(lab, vault):
    given = {"sendToOwners": "Send", "customEmailAddresses": ["user@example.com"], "locale": "en_US"}
    response = lab.ask("PUT", f"{vault}/{ALERT}", {"properties": given})
    assert response.status == 200
    assert response.body["properties"] == given
    assert lab.get(f"{vault}/{ALERT}") == response.body
    assert lab.get(f"{vault}/replicationAlertSettings")["value"] == [response.body]


def test_a_vault_has_no_alert_setting_before_the_first(lab, vault):
    assert lab.refused("GET", f"{vault}/{ALERT}")[:2] == (404, "ArmResourceDoesNotExist")
    assert lab.names(f"{vault}/replicationAlertSettings") == []


def test_an_alert_setting_takes_two_words_only(lab, vault):
    status, code, message = lab.refused("PUT", f"{vault}/{ALERT}", {"properties": {"sendToOwners": "Perhaps"}})
    assert (status, code) == (400, "InvalidParameter")
    assert "DoNotSend" in message


def test_a_vault_setting_is_answered_at_once(lab, vault):
    path = f"{vault}/replicationVaultSettings/default"
    assert lab.refused("GET", path)[0] == 404
    assert lab.ask("PUT", path, {"properties": {"vmwareToAzureProviderType": "InMageRcm"}}).status == 200
    assert lab.ask("PUT", path, {"properties": {"migrationSolutionId": "/subscriptions/s/solution"}}).status == 200
    assert lab.get(path)["properties"] == {
        "migrationSolutionId": "/subscriptions/s/solution",
        "vmwareToAzureProviderType": "InMageRcm",
    }
    assert lab.names(f"{vault}/replicationVaultSettings") == ["default"]


def test_an_empty_vault_is_healthy(lab, vault):
    properties = lab.get(f"{vault}/replicationVaultHealth")["properties"]
    assert properties["protectedItemsHealth"]["resourceCount"] == 0
    assert set(properties["protectedItemsHealth"]["categorizedResourceCounts"].values()) == {0}
    assert len(properties["protectedItemsHealth"]["categorizedResourceCounts"]) == 12
    assert properties["fabricsHealth"] == {"resourceCount": 0, "issues": [], "categorizedResourceCounts": None}


def test_health_is_counted_anew_by_a_job(lab, vault):
    response = lab.ask("POST", f"{vault}/replicationVaultHealth/default/refresh")
    assert "/replicationVaultHealth/operationresults/" in response.headers["Location"]
    job = lab.do("POST", f"{vault}/replicationVaultHealth/default/refresh")
    assert (job["scenarioName"], job["targetInstanceType"]) == ("RefreshVaultHealth", "Vault")


def test_the_health_of_a_vault_counts_machines_and_names_what_is_wrong(classic):
    classic.protect()
    lab = classic.lab
    lab.world.faults.add({"match": {"name": "legacy-cs"}, "effect": "appliance_without_heartbeat"})
    properties = lab.get(f"{classic.vault}/replicationVaultHealth")["properties"]
    counts = properties["protectedItemsHealth"]["categorizedResourceCounts"]
    assert properties["protectedItemsHealth"]["resourceCount"] == 1
    assert counts["testFailoverApplicableProtectedItemsCount"] == 1
    assert counts["protectedItemsTestFailoverWarningCount"] == 1
    assert "161011" in [issue["summaryCode"] for issue in properties["protectedItemsHealth"]["issues"]]
    (issue,) = [one for one in properties["fabricsHealth"]["issues"] if one["summaryCode"] == "583"]
    fabric = lab.get(classic.fabric)["properties"]["internalIdentifier"]
    assert (issue["affectedResourceType"], issue["affectedResourceCorrelationIds"]) == ("Fabric", [fabric])


def test_usages_count_machines_servers_jobs_and_plans(classic):
    classic.protect()
    lab = classic.lab
    lab.policy(
        classic.vault, {"instanceType": "A2A", "multiVmSyncStatus": "Disable", "recoveryPointHistory": -1}, "bad"
    )
    (usage,) = lab.get(f"{classic.vault}/replicationUsages", api="2026-11-01")["value"]
    assert (usage["protectedItemCount"], usage["registeredServersCount"], usage["recoveryPlanCount"]) == (1, 1, 0)
    assert usage["jobsSummary"] == {"failedJobs": 1, "suspendedJobs": 0, "inProgressJobs": 0}
    assert usage["monitoringSummary"]["unHealthyProviderCount"] == 0
    (quota,) = lab.get(f"{classic.vault}/usages", api="2026-11-01")["value"]
    assert (quota["currentValue"], quota["unit"]) == (1, "Count")


def test_usages_count_a_server_that_is_silent(modern):
    modern.lab.world.faults.add(SILENT)
    (usage,) = modern.lab.get(f"{modern.vault}/replicationUsages")["value"]
    assert usage["monitoringSummary"]["unHealthyProviderCount"] == 1


def test_appliances_can_be_filtered(modern):
    lab, path = modern.lab, f"{modern.vault}/replicationAppliances"
    (entry,) = lab.get(path)["value"]
    (one,) = entry["properties"]["providerSpecificDetails"]["appliances"]
    assert (one["name"], one["fabricArmId"]) == ("current-appliance", modern.fabric)
    assert set(one) >= {"processServer", "rcmProxy", "pushInstaller", "replicationAgent", "marsAgent", "dra"}
    assert lab.get(path, **{"$filter": "instanceType eq 'InMageRcm'"})["value"] == [entry]
    assert lab.get(path, **{"$filter": "instanceType eq 'A2A'"})["value"] == []


def test_a_filter_that_is_not_understood_is_refused_with_what_is(modern):
    response = modern.lab.ask("GET", f"{modern.vault}/replicationAppliances", **{"$filter": "colour eq 'red'"})
    assert response.status == 400
    assert "instanceType (eq)" in response.body["error"]["message"]


def test_logical_networks_are_those_a_server_reports(lab, vault):
    fabric = fabric_of(lab, vault, "vmm")
    add_logical_network(lab.world, fabric, "net-1", "Blue")
    (listed,) = lab.get(f"{fabric.id}/replicationLogicalNetworks")["value"]
    assert listed["properties"]["friendlyName"] == "Blue"
    assert lab.get(f"{fabric.id}/replicationLogicalNetworks/net-1") == listed
    assert lab.refused("GET", f"{fabric.id}/replicationLogicalNetworks/net-2")[0] == 404


def test_a_fabric_without_networks_lists_none(classic):
    assert classic.lab.names(f"{classic.fabric}/replicationNetworks") == []
    assert classic.lab.names(f"{classic.vault}/replicationNetworks") == []
    assert classic.lab.refused("GET", f"{classic.fabric}/replicationNetworks/none")[0] == 404


@pytest.fixture
def classes(lab, vault):
    """Two storage classifications of two servers, by id."""
    gold = add_storage_classification(lab.world, fabric_of(lab, vault, "one"), "gold", "Gold")
    return gold, add_storage_classification(lab.world, fabric_of(lab, vault, "two"), "silver", "Silver")


def test_storage_classifications_are_mapped_and_unmapped(lab, vault, classes):
    gold, silver = classes
    mapping = f"{gold}/replicationStorageClassificationMappings/gold-silver"
    assert lab.names(f"{vault}/replicationStorageClassifications") == ["gold", "silver"]
    assert lab.get(gold)["properties"] == {"friendlyName": "Gold"}
    job = lab.do("PUT", mapping, {"properties": {"targetStorageClassificationId": silver}})
    assert job["state"] == "Succeeded"
    assert lab.get(mapping)["properties"]["targetStorageClassificationId"] == silver
    assert lab.names(f"{vault}/replicationStorageClassificationMappings") == ["gold-silver"]
    assert lab.names(f"{gold}/replicationStorageClassificationMappings") == ["gold-silver"]
    assert lab.do("DELETE", mapping)["state"] == "Succeeded"
    assert lab.refused("GET", mapping)[0] == 404


def test_a_storage_mapping_needs_a_target_that_exists(lab, classes):
    path = f"{classes[0]}/replicationStorageClassificationMappings/x"
    assert lab.refused("PUT", path, {"properties": {}})[1] == "InvalidParameter"
    missing = {"properties": {"targetStorageClassificationId": f"{classes[0]}x"}}
    assert lab.refused("PUT", path, missing)[0] == 404
    itself = {"properties": {"targetStorageClassificationId": classes[0]}}
    assert lab.refused("PUT", path, itself)[1] == "InvalidParameter"


def test_the_operations_of_the_provider_are_those_the_lab_serves(lab, vault):
    scoped = f"{vault.partition('/vaults/')[0]}/operations"
    for path in (scoped, "/providers/Microsoft.RecoveryServices/operations"):
        names = lab.names(path)
        assert "Microsoft.RecoveryServices/vaults/replicationFabrics/read" in names
        assert "Microsoft.RecoveryServices/vaults/replicationPolicies/write" in names
        assert "Microsoft.RecoveryServices/vaults/replicationFabrics/reassociateGateway/action" in names
        assert len(names) == len(set(names))


def test_how_backups_are_stored_is_set_in_passing(lab, vault):
    path = f"{vault}/backupstorageconfig/vaultstorageconfig"
    assert lab.get(path, api="2016-12-01")["properties"]["storageModelType"] == "GeoRedundant"
    change = {"properties": {"storageModelType": "LocallyRedundant"}}
    assert lab.ask("PATCH", path, change, api="2016-12-01").status == 204
    assert lab.get(path, api="2016-12-01")["properties"]["storageModelType"] == "LocallyRedundant"
