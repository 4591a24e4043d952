"""Agents, disks, appliance, provider, health errors and sizes of an item."""

from dataclasses import replace

import pytest
from tests.worlds.hosts import GIB, host
from tests.worlds.zones import ACCOUNT

from asr_lab.arm.estate import HostDisk
from asr_lab.arm.site_recovery import world_register_appliance


@pytest.mark.parametrize(
    ("verb", "scenario"),
    [("updateMobilityService", "UpdateMobilityService"), ("reinstallMobilityService", "ReinstallMobilityService")],
)
def test_the_mobility_service_is_updated_or_installed_anew(ready, verb, scenario):
    ready.protect()
    job = ready.lab.do("POST", f"{ready.item}/{verb}", {"properties": {"runAsAccountId": "1"}})
    assert (job["state"], job["scenarioName"]) == ("Succeeded", scenario)


def test_an_update_of_the_agent_shows_while_it_runs_and_afterwards(modern):
    modern.protect()
    answer = modern.lab.ask("POST", f"{modern.item}/updateMobilityService", {"properties": {"runAsAccountId": "1"}})
    details = modern.properties()["providerSpecificDetails"]
    assert details["agentUpgradeState"] == "Started"
    assert details["agentUpgradeJobId"].casefold() == answer.headers["x-ms-request-id"].casefold()
    modern.lab.advance(600)
    details = modern.properties()["providerSpecificDetails"]
    assert (details["agentUpgradeState"], details["isLastUpgradeSuccessful"]) == ("Completed", "true")


def test_an_agent_that_is_not_reached_is_not_updated(ready):
    ready.protect()
    source, server = ("10.20.1.21", "10.20.0.20") if ready.rcm else ("10.20.1.12", "10.20.0.10")
    ready.lab.hosts.blocked.add((source, server, 443))
    ready.lab.advance(600)
    job = ready.lab.do("POST", f"{ready.item}/updateMobilityService", {"properties": {"runAsAccountId": "1"}})
    assert job["state"] == "Failed"


def test_a_health_error_that_the_customer_cannot_resolve_stays(ready):
    ready.protect()
    ready.lab.advance(3600)
    (error,) = ready.properties()["healthErrors"]
    body = {"properties": {"healthErrors": [{"healthErrorId": error["errorId"]}]}}
    assert ready.lab.do("POST", f"{ready.item}/resolveHealthErrors", body)["state"] == "Failed"
    assert ready.properties()["healthErrors"] == [error]


def test_a_health_error_that_the_item_does_not_have_is_refused_at_once(ready):
    ready.protect()
    body = {"properties": {"healthErrors": [{"healthErrorId": "9:9"}]}}
    answer = ready.lab.ask("POST", f"{ready.item}/resolveHealthErrors", body)
    assert answer.status == 400
    assert "9:9" in answer.body["error"]["message"]


def test_target_sizes_tell_what_does_not_fit(ready):
    ready.protect()
    sizes = {row["name"]: row["properties"] for row in ready.lab.get(f"{ready.item}/targetComputeSizes")["value"]}
    assert sizes["Standard_D2s_v5"]["errors"] == []
    item = ready.lab.world.resources.get(ready.item)
    item.nics = item.nics * 3
    sizes = {row["name"]: row["properties"] for row in ready.lab.get(f"{ready.item}/targetComputeSizes")["value"]}
    assert "network adapters" in sizes["Standard_D2s_v5"]["errors"][0]["message"]
    assert sizes["Standard_B2s"]["errors"] == []


@pytest.fixture
def two_disks(modern):
    """The modernized machine with a second disk that the appliance has seen."""
    machine = modern.lab.world.resources.get(modern.machine)["properties"]
    first = machine["disks"][0]
    machine["disks"].append(first | {"diskId": "second-disk", "id": "\\\\.\\PHYSICALDRIVE1", "lun": 1})
    return modern


def disk_input(disk_id):
    return {"diskId": disk_id, "logStorageAccountId": ACCOUNT, "diskType": "Premium_LRS"}


def disks_of(ready):
    return [disk["diskId"] for disk in ready.properties()["providerSpecificDetails"]["protectedDisks"]]


def protect_first_disk(ready):
    first = ready.lab.world.resources.get(ready.machine)["properties"]["disks"][0]["diskId"]
    body = ready.enable_body(disksToInclude=[disk_input(first)], disksDefault=None)
    ready.lab.do("PUT", ready.item, body)
    ready.lab.until(ready.item, "Protected")
    return first


def add_body(disk_id):
    details = {"instanceType": "InMageRcm", "disks": [disk_input(disk_id)]}
    return {"properties": {"providerSpecificDetails": details}}


def test_a_disk_is_added_and_removed(two_disks):
    first = protect_first_disk(two_disks)
    assert two_disks.lab.do("POST", f"{two_disks.item}/addDisks", add_body("second-disk"))["state"] == "Succeeded"
    assert disks_of(two_disks) == [first, "second-disk"]
    details = {"instanceType": "InMageRcm", "diskIds": ["second-disk"]}
    body = {"properties": {"providerSpecificDetails": details}}
    assert two_disks.lab.do("POST", f"{two_disks.item}/removeDisks", body)["state"] == "Succeeded"
    assert disks_of(two_disks) == [first]


def test_a_disk_that_is_protected_or_unknown_is_not_added(two_disks):
    first = protect_first_disk(two_disks)
    for disk_id in (first, "unknown"):
        job = two_disks.lab.do("POST", f"{two_disks.item}/addDisks", add_body(disk_id))
        assert job["state"] == "Failed"
        assert disk_id in job["errors"][0]["serviceErrorDetails"]["possibleCauses"]


def test_the_boot_disk_stays(two_disks):
    first = protect_first_disk(two_disks)
    details = {"instanceType": "InMageRcm", "diskIds": [first]}
    body = {"properties": {"providerSpecificDetails": details}}
    assert two_disks.lab.do("POST", f"{two_disks.item}/removeDisks", body)["state"] == "Failed"


def test_a_disk_that_the_item_does_not_have_is_refused_at_once(modern):
    modern.protect()
    details = {"instanceType": "InMageRcm", "diskIds": ["none"]}
    answer = modern.lab.ask("POST", f"{modern.item}/removeDisks", {"properties": {"providerSpecificDetails": details}})
    assert answer.status == 400
    assert "none" in answer.body["error"]["message"]


def appliance_body(server_id):
    details = {"instanceType": "InMageRcm"}
    return {"properties": {"targetApplianceId": server_id, "providerSpecificDetails": details}}


def test_an_item_moves_to_another_appliance(modern):
    modern.protect()
    second = host("second-appliance", "10.20.0.22", 22)
    modern.lab.hosts.hosts["10.20.0.22"] = second
    world_register_appliance(modern.lab.world, vault_id=modern.vault, host=second, now=modern.lab.now)
    servers = modern.lab.get(modern.fabric)["properties"]["customDetails"]["processServers"]
    other = next(row["id"] for row in servers if row["id"] != modern.server_id)
    assert modern.lab.do("POST", f"{modern.item}/updateAppliance", appliance_body(other))["state"] == "Succeeded"
    details = modern.properties()["providerSpecificDetails"]
    assert (details["processServerId"], details["processServerName"]) == (other, "second-appliance")


def test_an_appliance_that_is_not_the_fabrics_fails_the_job(modern):
    modern.protect()
    assert modern.lab.do("POST", f"{modern.item}/updateAppliance", appliance_body("none"))["state"] == "Failed"


def switch_body(modern, **changes):
    details = {
        "instanceType": "InMageAzureV2",
        "targetVaultID": modern.vault,
        "targetFabricID": modern.fabric,
        "targetApplianceID": modern.server_id,
    }
    return {"properties": {"targetInstanceType": "InMageRcm", "providerSpecificDetails": details | changes}}


def test_a_classic_item_moves_to_the_modernized_provider(classic, modern):
    classic.protect()
    job = classic.lab.do("POST", f"{classic.item}/switchProvider", switch_body(modern))
    assert (job["state"], job["scenarioName"]) == ("Succeeded", "SwitchProvider")
    assert classic.lab.ask("GET", classic.item).status == 404
    moved = f"{modern.container}/replicationProtectedItems/app-2012"
    assert classic.lab.get(moved)["properties"]["providerSpecificDetails"]["instanceType"] == "InMageRcm"
    classic.lab.hosts.hosts["10.20.1.12"] = replace(classic.lab.hosts.hosts["10.20.1.12"])
    classic.lab.until(moved, "Protected")


def test_a_provider_is_not_switched_to_an_appliance_that_is_not_there(classic, modern):
    classic.protect()
    job = classic.lab.do("POST", f"{classic.item}/switchProvider", switch_body(modern, targetApplianceID="none"))
    assert job["state"] == "Failed"
    assert classic.properties()["protectionState"] == "Protected"


@pytest.mark.parametrize("verb", ["addDisks", "updateAppliance"])
def test_what_the_classic_provider_does_not_have_is_refused_at_once(classic, verb):
    classic.protect()
    body = add_body("x") if verb == "addDisks" else appliance_body("x")
    assert classic.lab.ask("POST", f"{classic.item}/{verb}", body).status == 400


def test_a_machine_that_a_vcenter_server_told_of_gets_its_agent_when_it_is_enabled(classic):
    world = classic.lab.world
    seen = host("vm-of-vcenter", "10.20.1.33", 33)
    classic.lab.hosts.hosts["10.20.1.33"] = replace(seen, disks=(HostDisk("/dev/sda", 20 * GIB, True),))
    machine = world.resources.get(classic.machine)
    told = replace(
        machine,
        id=f"{classic.container}/replicationProtectableItems/told",
        name="4ec1aaa0-0000-4000-8000-000000000033",
        friendly_name="vm-of-vcenter",
        address="10.20.1.33",
        discovery="vCenter",
        host=None,
    )
    world.resources.put(told.id, told)
    body = classic.enable_body()
    body["properties"]["protectableItemId"] = told.id
    item = f"{classic.container}/replicationProtectedItems/vm-of-vcenter"
    assert classic.lab.do("PUT", item, body)["state"] == "Succeeded"
    assert [address for address, _ in classic.lab.hosts.pushed] == ["10.20.1.33"]
    (disk,) = classic.lab.get(item)["properties"]["providerSpecificDetails"]["protectedDisks"]
    assert disk["diskCapacityInBytes"] == 20 * GIB
