"""What a client does wrong at the level of a vault, and how a vault is emptied."""

import pytest
from tests.worlds.vaults import POLICIES
from tests.worlds.zones import GROUP

PUTS = {
    "replicationFabrics/x": ("customDetails", 5),
    "replicationPolicies/x": ("providerSpecificInput", []),
    "replicationAlertSettings/x": ("sendToOwners", 5),
    "replicationVaultSettings/x": ("migrationSolutionId", 5),
}


@pytest.mark.parametrize("path", PUTS)
def test_a_property_of_another_type_is_refused_with_its_path(lab, vault, path):
    name, value = PUTS[path]
    status, code, message = lab.refused("PUT", f"{vault}/{path}", {"properties": {name: value}})
    assert (status, code) == (400, "InvalidRequestContent")
    assert f"properties.{name}" in message


@pytest.mark.parametrize("path", PUTS)
def test_an_unknown_property_is_refused_with_those_that_are_known(lab, vault, path):
    status, _, message = lab.refused("PUT", f"{vault}/{path}", {"properties": {"colour": "red"}})
    assert status == 400
    assert "properties.colour" in message
    assert PUTS[path][0] in message


def test_a_body_that_is_missing_is_refused(lab, vault):
    assert lab.refused("PUT", f"{vault}/replicationPolicies/x")[:2] == (400, "InvalidRequestContent")


def test_an_api_version_that_the_service_does_not_have_is_refused_with_those_it_has(lab, vault):
    status, _, message = lab.refused("GET", f"{vault}/replicationFabrics", api="1999-01-01")
    assert status == 400
    assert "1999-01-01" in message
    assert "2025-08-01" in message


@pytest.mark.parametrize(
    "path",
    [
        "replicationFabrics/x",
        "replicationPolicies/x",
        "replicationFabrics/x/replicationProtectionContainers",
        "replicationFabrics/x/replicationRecoveryServicesProviders",
        "replicationFabrics/x/replicationvCenters",
        "replicationFabrics/x/replicationNetworks",
        "replicationFabrics/x/replicationStorageClassifications",
    ],
)
def test_a_missing_resource_is_the_services_own_404(lab, vault, path):
    response = lab.ask("GET", f"{vault}/{path}")
    error = response.body["error"]
    assert (response.status, error["code"]) == (404, "NotFound")
    assert error["message"] == "Specified resource with name 'x' does not exist."
    assert error["details"][0]["code"] == "ArmResourceDoesNotExist"


def test_a_missing_vault_is_the_resource_managers_404(lab):
    path = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/none/replicationFabrics"
    assert lab.refused("GET", path)[:2] == (404, "ResourceNotFound")


def test_ids_and_property_names_are_read_without_regard_to_case(lab, vault):
    body = {"PROPERTIES": {"ProviderSpecificInput": {"INSTANCETYPE": "inmagercm", "enablemultivmsync": "TRUE"}}}
    assert lab.do("PUT", f"{vault.upper()}/REPLICATIONPOLICIES/Mine", body)["state"] == "Succeeded"
    details = lab.get(f"{vault}/replicationPolicies/mine")["properties"]["providerSpecificDetails"]
    assert details["instanceType"] == "InMageRcm"


def test_a_fabric_with_protected_machines_is_not_removed(classic):
    classic.protect()
    job = classic.lab.do("POST", f"{classic.fabric}/remove")
    assert (job["state"], job["scenarioName"]) == ("Failed", "UnregisterFabric")
    assert classic.lab.get(classic.fabric)["name"]


def test_a_vault_is_deleted_only_when_nothing_is_registered_in_it(classic):
    lab = classic.lab
    mapping = classic.map_policy()
    policy = f"{classic.vault}/replicationPolicies/policy"
    for method, path in (("POST", f"{mapping}/remove"), ("DELETE", policy), ("POST", f"{classic.fabric}/remove")):
        status, code, message = lab.refused("DELETE", classic.vault)
        assert (status, code) == (409, "ServiceResourceNotEmptyWithContainerDetails")
        assert "replication" in message
        assert lab.do(method, path)["state"] == "Succeeded"
    assert lab.ask("DELETE", classic.vault).status == 202
    lab.advance(60)
    assert lab.refused("GET", classic.vault)[:2] == (404, "ResourceNotFound")


def test_a_recovery_plan_alone_keeps_a_vault(classic):
    lab = classic.lab
    classic.protect()
    protected = lab.get(classic.item)
    entry = {"id": protected["id"], "virtualMachineId": classic.machine.rpartition("/")[2]}
    properties = {
        "primaryFabricId": classic.fabric,
        "recoveryFabricId": "Microsoft Azure",
        "failoverDeploymentModel": "ResourceManager",
        "groups": [{"groupType": "Boot", "replicationProtectedItems": [entry]}],
    }
    plan = f"{classic.vault}/replicationRecoveryPlans/plan"
    assert lab.do("PUT", plan, {"properties": properties})["state"] == "Succeeded"
    assert lab.do("DELETE", classic.fabric)["state"] == "Succeeded"
    assert lab.do("DELETE", f"{classic.vault}/replicationPolicies/policy")["state"] == "Succeeded"
    assert "replicationRecoveryPlans" in lab.refused("DELETE", classic.vault)[2]
    assert lab.do("DELETE", plan)["state"] == "Succeeded"
    assert lab.ask("DELETE", classic.vault).status == 202


def test_a_mapping_in_use_is_not_removed_but_purged(modern):
    mapping = modern.map_policy()
    site = modern.lab.get(modern.fabric)["properties"]["customDetails"]["physicalSiteId"]
    machine = modern.lab.get(f"{site}/machines", api="2023-06-06")["value"][0]["id"]
    modern.enable(machine, "web")
    body = {"properties": {"providerSpecificInput": {}}}
    assert modern.lab.do("POST", f"{mapping}/remove", body)["state"] == "Failed"
    assert modern.lab.do("DELETE", mapping)["state"] == "Succeeded"
    assert modern.lab.refused("GET", mapping)[0] == 404


def test_a_removed_fabric_takes_everything_below_it_away(modern):
    modern.map_policy()
    assert modern.lab.do("DELETE", modern.fabric)["scenarioName"] == "PurgeVMM"
    for collection in ("Fabrics", "ProtectionContainers", "ProtectionContainerMappings", "RecoveryServicesProviders"):
        assert modern.lab.names(f"{modern.vault}/replication{collection}") == []


def test_a_policy_of_one_vault_is_not_found_in_another(lab, modern):
    other = lab.make_vault("other")
    lab.policy(other, POLICIES["modernized"])
    body = {
        "properties": {
            "targetProtectionContainerId": "Microsoft Azure",
            "policyId": f"{other}/replicationPolicies/policy",
        }
    }
    path = f"{modern.container}/replicationProtectionContainerMappings/mapping"
    assert lab.refused("PUT", path, body)[0] == 404
