"""Fabrics made by request, containers, mappings, and what fabrics can be told to do."""

import pytest

AZURE_CONTAINER = {"properties": {"providerSpecificInput": [{"instanceType": "A2A"}]}}


def azure(location):
    return {"properties": {"customDetails": {"instanceType": "Azure", "location": location}}}


def region(lab, vault, name, location):
    """Make an Azure fabric with a container and return the container's id."""
    fabric = f"{vault}/replicationFabrics/{name}"
    assert lab.do("PUT", fabric, azure(location))["state"] == "Succeeded"
    container = f"{fabric}/replicationProtectionContainers/{name}-container"
    assert lab.do("PUT", container, AZURE_CONTAINER)["state"] == "Succeeded"
    return lab.get(container)["id"]


def test_a_hyper_v_site_is_made_by_request(lab, vault):
    fabric = f"{vault}/replicationFabrics/site"
    body = {"properties": {"customDetails": {"instanceType": "FabricSpecificCreationInput"}}}
    job = lab.do("PUT", fabric, body)
    assert (job["scenarioName"], job["friendlyName"]) == ("CreateSite", "Create a site")
    assert [task["taskId"] for task in job["tasks"]] == ["RegisterVMMTask"]
    assert lab.get(fabric)["properties"]["customDetails"]["instanceType"] == "HyperVSite"
    assert job["targetObjectName"] == "site"


def test_an_azure_fabric_is_made_by_request_and_takes_more_than_a_minute(lab, vault):
    before = lab.now
    assert lab.do("PUT", f"{vault}/replicationFabrics/east", azure("eastus"))["state"] == "Succeeded"
    assert 60 <= (lab.now - before).total_seconds() <= 90
    properties = lab.get(f"{vault}/replicationFabrics/east")["properties"]
    assert (properties["customDetails"]["location"], properties["health"]) == ("eastus", "Normal")


def test_a_fabric_over_one_of_its_kind_changes_nothing(lab, vault):
    fabric = f"{vault}/replicationFabrics/east"
    lab.do("PUT", fabric, azure("eastus"))
    before = lab.get(fabric)
    assert lab.do("PUT", fabric, azure("eastus"))["state"] == "Succeeded"
    assert lab.get(fabric) == before


def test_a_fabric_over_one_of_another_kind_is_refused(lab, vault):
    fabric = f"{vault}/replicationFabrics/east"
    lab.do("PUT", fabric, azure("eastus"))
    status, code, message = lab.refused("PUT", fabric, {"properties": {}})
    assert (status, code) == (400, "FabricAlreadyExists")
    assert "Azure" in message


def test_a_fabric_in_a_region_that_does_not_exist_is_refused(lab, vault):
    status, _, message = lab.refused("PUT", f"{vault}/replicationFabrics/east", azure("atlantis"))
    assert status == 400
    assert "atlantis" in message


def test_a_fabric_of_agentless_migration_is_named_as_not_simulated(lab, vault):
    body = {"properties": {"customDetails": {"instanceType": "VMwareV2", "migrationSolutionId": "/subscriptions/s"}}}
    status, code, message = lab.refused("PUT", f"{vault}/replicationFabrics/east", body)
    assert (status, code) == (501, "NotSimulated")
    assert "begin_create" in message


def test_containers_come_with_servers_and_cannot_be_made_or_removed_there(classic):
    for method, path, body in (
        ("PUT", f"{classic.fabric}/replicationProtectionContainers/mine", AZURE_CONTAINER),
        ("POST", f"{classic.container}/remove", None),
    ):
        status, code, _ = classic.lab.refused(method, path, body)
        assert (status, code) == (400, "OperationNotSupported")


def test_an_azure_container_needs_its_provider(lab, vault):
    lab.do("PUT", f"{vault}/replicationFabrics/east", azure("eastus"))
    path = f"{vault}/replicationFabrics/east/replicationProtectionContainers/mine"
    status, code, message = lab.refused("PUT", path, {"properties": {"providerSpecificInput": []}})
    assert (status, code) == (400, "InvalidProviderSpecificInput")
    assert "A2A" in message


@pytest.fixture
def paired(lab, vault):
    """Two regions whose containers are mapped: (east container, west container, mapping)."""
    east, west = region(lab, vault, "east", "eastus"), region(lab, vault, "west", "westus")
    settings = {"instanceType": "A2A", "multiVmSyncStatus": "Disable", "recoveryPointHistory": 60}
    assert lab.policy(vault, settings)["state"] == "Succeeded"
    mapping = f"{east}/replicationProtectionContainerMappings/east-west"
    properties = {
        "targetProtectionContainerId": west,
        "policyId": f"{vault}/replicationPolicies/policy",
        "providerSpecificInput": {"instanceType": "A2A", "agentAutoUpdateStatus": "Disabled"},
    }
    job = lab.do("PUT", mapping, {"properties": properties})
    assert job["state"] == "Succeeded", job["errors"]
    return east, west, mapping


def test_azure_containers_are_mapped_to_each_other(lab, vault, paired):
    east, west, mapping = paired
    properties = lab.get(mapping)["properties"]
    assert properties["targetProtectionContainerId"] == west
    assert (properties["sourceFabricFriendlyName"], properties["state"]) == ("East US", "Paired")
    assert properties["targetFabricFriendlyName"] == "West US"
    assert properties["targetProtectionContainerFriendlyName"] == "west-container"
    assert properties["providerSpecificDetails"]["agentAutoUpdateStatus"] == "Disabled"
    assert lab.get(east)["properties"]["pairingStatus"] == "Paired"


def test_a_mapping_is_changed_by_patch(lab, paired):
    mapping = paired[2]
    given = {"instanceType": "A2A", "agentAutoUpdateStatus": "Enabled"}
    job = lab.do("PATCH", mapping, {"properties": {"providerSpecificInput": given}})
    assert job["state"] == "Succeeded"
    assert lab.get(mapping)["properties"]["providerSpecificDetails"]["agentAutoUpdateStatus"] == "Enabled"


def test_a_mapped_container_is_removed_only_after_its_mapping(lab, paired):
    east, _, mapping = paired
    job = lab.do("POST", f"{east}/remove")
    assert (job["state"], job["errors"][0]["serviceErrorDetails"]["code"]) == ("Failed", "25037")
    assert lab.do("DELETE", mapping)["scenarioName"] == "PurgeProtectionProfileAssociation"
    assert lab.do("POST", f"{east}/remove")["state"] == "Succeeded"
    assert lab.refused("GET", east)[:2] == (404, "ArmResourceDoesNotExist")


def test_a_mapping_needs_a_policy_of_the_fabrics_provider(modern):
    lab = modern.lab
    lab.policy(modern.vault, {"instanceType": "A2A", "multiVmSyncStatus": "Disable"})
    properties = {
        "targetProtectionContainerId": "Microsoft Azure",
        "policyId": f"{modern.vault}/replicationPolicies/policy",
    }
    path = f"{modern.container}/replicationProtectionContainerMappings/mapping"
    status, code, message = lab.refused("PUT", path, {"properties": properties})
    assert (status, code) == (400, "InvalidPolicy")
    assert "InMageRcm" in message


def test_a_mapping_to_azure_names_azure(modern):
    lab = modern.lab
    modern.map_policy()
    properties = {
        "targetProtectionContainerId": modern.container,
        "policyId": f"{modern.vault}/replicationPolicies/policy",
    }
    path = f"{modern.container}/replicationProtectionContainerMappings/other"
    assert lab.refused("PUT", path, {"properties": properties})[1] == "InvalidTargetProtectionContainer"


def test_a_mapping_with_a_missing_policy_is_a_404(modern):
    properties = {
        "targetProtectionContainerId": "Microsoft Azure",
        "policyId": f"{modern.vault}/replicationPolicies/none",
    }
    path = f"{modern.container}/replicationProtectionContainerMappings/mapping"
    assert modern.lab.refused("PUT", path, {"properties": properties})[:2] == (404, "ArmResourceDoesNotExist")


def test_a_failback_mapping_leads_back_to_the_container(classic):
    lab = classic.lab
    settings = {
        "instanceType": "InMage",
        "recoveryPointHistory": 1440,
        "appConsistentFrequencyInMinutes": 0,
        "recoveryPointThresholdInMinutes": 60,
        "multiVmSyncStatus": "Disable",
    }
    lab.policy(classic.vault, settings, "failback")
    mapping = f"{classic.container}/replicationProtectionContainerMappings/back"
    properties = {
        "targetProtectionContainerId": classic.container,
        "policyId": f"{classic.vault}/replicationPolicies/failback",
    }
    assert lab.do("PUT", mapping, {"properties": properties})["state"] == "Succeeded"
    assert lab.get(mapping)["properties"]["targetFabricFriendlyName"] == "legacy-cs"


def test_the_agents_of_a_mapping_can_be_upgraded_by_themselves(modern):
    mapping = modern.map_policy()
    shown = modern.lab.get(mapping)["properties"]["providerSpecificDetails"]
    assert shown == {"instanceType": "InMageRcm", "enableAgentAutoUpgrade": "true"}
    given = {"instanceType": "InMageRcm", "enableAgentAutoUpgrade": "false"}
    modern.lab.do("PATCH", mapping, {"properties": {"providerSpecificInput": given}})
    shown = modern.lab.get(mapping)["properties"]["providerSpecificDetails"]
    assert shown["enableAgentAutoUpgrade"] == "false"


@pytest.mark.parametrize(
    ("verb", "scenario"),
    [("checkConsistency", "CheckConsistency"), ("migratetoaad", "MigrateFabricToAad")],
)
def test_a_fabric_takes_an_action_without_a_body(classic, verb, scenario):
    job = classic.lab.do("POST", f"{classic.fabric}/{verb}")
    assert (job["scenarioName"], job["state"]) == (scenario, "Succeeded")


def test_a_renewed_certificate_runs_for_three_years_again(classic):
    classic.lab.advance(400 * 86400)
    before = classic.details()["sslCertExpiryRemainingDays"]
    body = {"properties": {"renewCertificateType": "Cloud"}}
    assert classic.lab.do("POST", f"{classic.fabric}/renewCertificate", body)["state"] == "Succeeded"
    assert (before, classic.details()["sslCertExpiryRemainingDays"]) == (695, 1095)


def test_removing_the_infrastructure_takes_the_appliances_away(modern):
    job = modern.lab.do("POST", f"{modern.fabric}/removeInfra")
    assert job["state"] == "Succeeded"
    assert modern.lab.names(f"{modern.vault}/replicationFabrics") == []


def test_machines_move_to_the_other_process_server(classic):
    classic.protect()
    lab = classic.lab
    assert [server["machineCount"] for server in classic.details()["processServers"]] == ["1", "0"]
    properties = {
        "containerName": classic.container.rpartition("/")[2],
        "sourceProcessServerId": classic.first,
        "targetProcessServerId": classic.second,
        "vmsToMigrate": ["app-2012"],
        "updateType": "ServerLevel",
    }
    before = lab.now
    job = lab.do("POST", f"{classic.fabric}/reassociateGateway", {"properties": properties})
    assert (job["scenarioName"], job["state"]) == ("ProcessServerFailover", "Succeeded")
    assert 60 <= (lab.now - before).total_seconds() <= 62
    assert [server["machineCount"] for server in classic.details()["processServers"]] == ["0", "1"]
    details = lab.get(classic.item)["properties"]["providerSpecificDetails"]
    assert details["processServerId"] == classic.second


def test_a_process_server_that_is_not_there_is_refused_with_those_that_are(classic):
    properties = {"sourceProcessServerId": classic.first, "targetProcessServerId": "nowhere"}
    status, code, message = classic.lab.refused(
        "POST", f"{classic.fabric}/reassociateGateway", {"properties": properties}
    )
    assert (status, code) == (400, "ProcessServerNotFound")
    assert classic.second in message


def test_moving_a_machine_that_the_source_does_not_serve_fails_in_the_job(classic):
    properties = {
        "sourceProcessServerId": classic.first,
        "targetProcessServerId": classic.second,
        "vmsToMigrate": ["nobody"],
    }
    job = classic.lab.do("POST", f"{classic.fabric}/reassociateGateway", {"properties": properties})
    assert job["state"] == "Failed"
    assert "nobody" in job["errors"][0]["serviceErrorDetails"]["possibleCauses"]


def test_a_fabric_is_made_while_the_lab_is_restarted(lab, vault):
    response = lab.ask("PUT", f"{vault}/replicationFabrics/east", azure("eastus"))
    assert response.status == 202
    other = lab.restored()
    other.advance(120)
    assert other.names(f"{vault}/replicationFabrics") == ["east"]
    assert lab.names(f"{vault}/replicationFabrics") == []
