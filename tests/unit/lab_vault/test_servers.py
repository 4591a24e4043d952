"""Recovery services providers, and what shows when a server is not heard of."""

import pytest

SILENT = {"match": {"name": "*"}, "effect": "appliance_without_heartbeat"}
IDENTITY = {"tenantId": "t", "applicationId": "a", "objectId": "o", "audience": "x", "aadAuthority": "y"}


def dras(servers):
    return f"{servers.fabric}/replicationRecoveryServicesProviders"


def test_a_configuration_server_is_the_provider_of_its_fabric(classic):
    (dra,) = classic.lab.get(dras(classic))["value"]
    properties = dra["properties"]
    assert dra["name"] == classic.lab.get(classic.fabric)["properties"]["internalIdentifier"]
    assert (properties["friendlyName"], properties["connectionStatus"]) == ("legacy-cs", "Connected")
    assert classic.lab.get(f"{dras(classic)}/{dra['name']}") == dra
    assert classic.lab.names(f"{classic.vault}/replicationRecoveryServicesProviders") == [dra["name"]]


def test_each_appliance_is_a_provider(modern):
    assert modern.lab.names(dras(modern)) == [modern.server_id]


@pytest.mark.parametrize(("which", "at_least_s"), [("classic", 180), ("modern", 0)])
def test_refreshing_takes_classic_servers_longer(which, at_least_s, request):
    servers = request.getfixturevalue(which)
    (name,) = servers.lab.names(dras(servers))
    before = servers.lab.now
    job = servers.lab.do("POST", f"{dras(servers)}/{name}/refreshProvider")
    assert (job["scenarioName"], job["state"]) == ("RefreshFabricLayout", "Succeeded")
    assert at_least_s <= (servers.lab.now - before).total_seconds() <= at_least_s + 1


def test_a_provider_that_is_not_there_is_a_404(modern):
    assert modern.lab.refused("POST", f"{dras(modern)}/none/refreshProvider")[:2] == (404, "ArmResourceDoesNotExist")


def test_an_appliance_is_registered_and_removed_by_request(modern):
    lab = modern.lab
    given = {
        "machineName": "second-appliance",
        "biosId": "00000000-0000-4000-8000-000000000099",
        "authenticationIdentityInput": IDENTITY,
        "resourceAccessIdentityInput": IDENTITY,
    }
    second = f"{dras(modern)}/11111111-2222-4333-8444-555555555555"
    assert lab.do("PUT", second, {"properties": given})["scenarioName"] == "RegisterDra"
    assert lab.get(second)["properties"]["machineName"] == "second-appliance"
    listed = lab.get(f"{modern.vault}/replicationAppliances")["value"][0]["properties"]["providerSpecificDetails"]
    assert [one["name"] for one in listed["appliances"]] == ["current-appliance", "second-appliance"]
    assert lab.do("POST", f"{second}/remove")["state"] == "Succeeded"
    assert lab.refused("GET", second)[0] == 404


def test_a_classic_server_cannot_be_registered_by_request(classic):
    given = {
        "machineName": "other",
        "authenticationIdentityInput": IDENTITY,
        "resourceAccessIdentityInput": IDENTITY,
    }
    status, code, _ = classic.lab.refused("PUT", f"{dras(classic)}/other", {"properties": given})
    assert (status, code) == (400, "OperationNotSupported")


def test_registering_without_an_identity_is_refused_by_the_schema(modern):
    status, code, message = modern.lab.refused("PUT", f"{dras(modern)}/x", {"properties": {"machineName": "x"}})
    assert (status, code) == (400, "InvalidRequestContent")
    assert "authenticationIdentityInput" in message


def test_an_appliance_that_serves_a_machine_is_purged_but_not_removed(modern):
    lab = modern.lab
    modern.map_policy()
    site = lab.get(modern.fabric)["properties"]["customDetails"]["physicalSiteId"]
    machine = lab.get(f"{site}/machines", api="2023-06-06")["value"][0]["id"]
    assert modern.enable(machine, "web")["state"] == "Succeeded"
    job = lab.do("POST", f"{dras(modern)}/{modern.server_id}/remove")
    assert (job["state"], job["scenarioName"]) == ("Failed", "UnregisterDra")
    assert lab.do("DELETE", f"{dras(modern)}/{modern.server_id}")["state"] == "Succeeded"
    assert lab.names(dras(modern)) == []


def test_a_silent_configuration_server_makes_its_fabric_critical_and_stale(classic):
    lab = classic.lab
    lab.world.faults.add({"match": {"name": "legacy-cs"}, "effect": "appliance_without_heartbeat"})
    properties = lab.get(classic.fabric)["properties"]
    assert properties["health"] == "Critical"
    (error, *_) = properties["healthErrorDetails"]
    assert error["errorCode"] == "583"
    assert error["errorMessage"] == "The Configuration server 'legacy-cs' isn't connected"
    assert properties["customDetails"]["lastHeartbeat"].startswith("2026-03-01T07")
    (dra,) = lab.get(dras(classic))["value"]
    assert dra["properties"]["connectionStatus"] == "NotConnected"


def test_the_service_of_2016_calls_a_critical_fabric_one_in_error(classic):
    lab = classic.lab
    lab.world.faults.add(SILENT)
    properties = lab.get(classic.fabric, api="2016-08-10")["properties"]
    assert properties["health"] == "Error"
    assert "errorCategory" not in properties["healthErrorDetails"][0]


def test_a_silent_second_process_server_is_a_warning_only(classic):
    classic.lab.world.faults.add({"match": {"name": "legacy-ps"}, "effect": "appliance_without_heartbeat"})
    assert classic.lab.get(classic.fabric)["properties"]["health"] == "Warning"


def test_a_silent_appliance_is_critical_in_every_part_of_it(modern):
    lab = modern.lab
    lab.world.faults.add({**SILENT, "settings": {"silent_s": 7200}})
    properties = lab.get(modern.fabric)["properties"]
    assert properties["health"] == "Critical"
    for array in ("processServers", "rcmProxies", "pushInstallers", "replicationAgents", "dras"):
        (part,) = properties["customDetails"][array]
        assert part["health"] == "Critical"
        assert part["lastHeartbeatUtc"].startswith("2026-03-01T06")


def test_looking_at_a_silent_server_does_not_use_the_fault_up(modern):
    modern.lab.world.faults.add({**SILENT, "times": 1})
    healths = [modern.lab.get(modern.fabric)["properties"]["health"] for _ in range(2)]
    assert healths == ["Critical", "Critical"]


def test_the_fabric_of_appliances_can_be_made_by_request(lab, vault, modern):
    sites = lab.get(modern.fabric)["properties"]["customDetails"]
    details = {
        "instanceType": "InMageRcm",
        "vmwareSiteId": sites["vmwareSiteId"],
        "physicalSiteId": sites["physicalSiteId"],
        "sourceAgentIdentity": IDENTITY,
    }
    fabric = f"{vault}/replicationFabrics/vault-vmwarefabric"
    assert lab.do("PUT", fabric, {"properties": {"customDetails": details}})["state"] == "Succeeded"
    assert lab.names(f"{fabric}/replicationProtectionContainers") == ["vault-replicationcontainer"]
    assert lab.get(fabric)["properties"]["customDetails"]["processServers"] == []


def test_the_fabric_of_appliances_needs_sites_that_exist(lab, vault):
    details = {
        "instanceType": "InMageRcm",
        "vmwareSiteId": "/subscriptions/s/nowhere",
        "physicalSiteId": "/subscriptions/s/nowhere",
        "sourceAgentIdentity": IDENTITY,
    }
    status, _, message = lab.refused(
        "PUT", f"{vault}/replicationFabrics/x-vmwarefabric", {"properties": {"customDetails": details}}
    )
    assert status == 400
    assert "vmwareSiteId" in message
