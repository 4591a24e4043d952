"""Changing and ending the replication of an Azure machine: properties, disks, removal, eligibility."""

import pickle

import pytest
from azure.mgmt.recoveryservicessiterecovery.models import (
    A2AReplicationDetails,
    Fabric,
    NetworkMapping,
    ReplicationProtectedItem,
)

from asr_lab.arm.providers.azure_to_azure_source import seed_virtual_machine
from asr_lab.arm.resources.compute import set_power

from .conftest import GROUP, PROD, TEST_NETWORK, THERE_GROUP, Regions, code

ELIGIBILITY = "providers/Microsoft.RecoveryServices/replicationEligibilityResults"


def test_the_recovery_machine_can_be_changed(protected):
    properties = {
        "recoveryAzureVMName": "db-1-dr",
        "recoveryAzureVMSize": "Standard_D4s_v5",
        "selectedTfoAzureNetworkId": TEST_NETWORK,
        "providerSpecificDetails": {"instanceType": "A2A", "tfoAzureVMName": "db-1-drill"},
    }
    job = protected.succeed("PATCH", protected.item, {"properties": properties})
    assert job["scenarioName"] == "UpdateVmProperties"
    details = protected.details()
    assert details["recoveryAzureVMName"] == "db-1-dr"
    assert details["tfoAzureVMName"] == "db-1-drill"
    assert details["selectedTfoAzureNetworkId"] == details["vmNics"][0]["tfoVMNetworkId"] == TEST_NETWORK
    protected.fail_over_and_commit()
    machine = protected.vm(f"{THERE_GROUP}/providers/Microsoft.Compute/virtualMachines/db-1-dr")
    assert machine["properties"]["hardwareProfile"]["vmSize"] == "Standard_D4s_v5"


def test_an_interface_gets_a_subnet_and_an_address(protected):
    nic = protected.details()["vmNics"][0]["nicId"]
    configuration = {"recoverySubnetName": "apps", "recoveryStaticIPAddress": "10.61.1.77"}
    body = {"properties": {"vmNics": [{"nicId": nic, "ipConfigs": [configuration], "recoveryNicName": "db-1-nic"}]}}
    protected.succeed("PATCH", protected.item, body)
    shown = protected.details()["vmNics"][0]
    assert shown["ipConfigs"][0]["recoveryStaticIPAddress"] == "10.61.1.77"
    assert shown["ipConfigs"][0]["recoveryIPAddressType"] == "Static"
    protected.fail_over_and_commit()
    made = protected.lab.get(f"{THERE_GROUP}/providers/Microsoft.Network/networkInterfaces/db-1-nic", api="2025-05-01")
    assert made["properties"]["ipConfigurations"][0]["properties"]["privateIPAddress"] == "10.61.1.77"


def test_a_disk_can_be_given_another_type_and_name(protected):
    disk = protected.details()["protectedManagedDisks"][1]["diskId"]
    row = {"diskId": disk, "recoveryTargetDiskAccountType": "StandardSSD_LRS", "failoverDiskName": "data-dr"}
    specific = {"instanceType": "A2A", "managedDiskUpdateDetails": [row]}
    protected.succeed("PATCH", protected.item, {"properties": {"providerSpecificDetails": specific}})
    shown = protected.details()["protectedManagedDisks"][1]
    assert (shown["recoveryTargetDiskAccountType"], shown["failoverDiskName"]) == ("StandardSSD_LRS", "data-dr")


@pytest.mark.parametrize(
    "properties",
    [
        {"vmNics": [{"nicId": "none"}]},
        {"providerSpecificDetails": {"instanceType": "A2A", "managedDiskUpdateDetails": [{"diskId": "none"}]}},
        {"providerSpecificDetails": {"instanceType": "A2A", "recoveryResourceGroupId": f"{GROUP}-none"}},
    ],
)
def test_a_change_of_what_there_is_not_is_refused(protected, properties):
    assert protected.lab.ask("PATCH", protected.item, {"properties": properties}).status == 400


def test_a_change_before_the_machine_is_protected_fails(ready):
    ready.succeed("PUT", ready.item, ready.enable_body())
    body = {"properties": {"recoveryAzureVMName": "db-1-dr"}}
    assert code(ready.lab.do("PATCH", ready.item, body)) == "25037"


# Disks


def _one_disk(ready):
    disks = ready.disks()
    ready.succeed("PUT", ready.item, ready.enable_body(vmManagedDisks=ready.disk_rows(disks[:1])))
    ready.lab.until(ready.item, "Protected")
    return disks


def test_a_disk_can_be_added_and_comes_in_sync(ready):
    disks = _one_disk(ready)
    specific = {"instanceType": "A2A", "vmManagedDisks": ready.disk_rows(disks[1:])}
    ready.succeed("POST", f"{ready.item}/addDisks", {"properties": {"providerSpecificDetails": specific}})
    states = [disk["diskState"] for disk in ready.details()["protectedManagedDisks"]]
    assert states == ["Protected", "InitialReplicationPending"]
    ready.lab.advance(3600)
    assert [disk["diskState"] for disk in ready.details()["protectedManagedDisks"]] == ["Protected", "Protected"]


def test_a_disk_can_be_removed_but_not_the_one_to_boot_from(protected):
    boot, data = (disk["diskId"] for disk in protected.details()["protectedManagedDisks"])
    path = f"{protected.item}/removeDisks"
    body = {"properties": {"providerSpecificDetails": {"instanceType": "A2A", "vmManagedDisksIds": [data]}}}
    protected.succeed("POST", path, body)
    assert [disk["diskId"] for disk in protected.details()["protectedManagedDisks"]] == [boot]
    body["properties"]["providerSpecificDetails"]["vmManagedDisksIds"] = [boot]
    assert protected.lab.ask("POST", path, body).status == 400


def test_a_disk_that_is_protected_already_is_not_added_again(protected):
    specific = {"instanceType": "A2A", "vmManagedDisks": protected.disk_rows(protected.disks()[:1])}
    response = protected.lab.ask(
        "POST", f"{protected.item}/addDisks", {"properties": {"providerSpecificDetails": specific}}
    )
    assert response.status == 400
    assert "already protected" in response.body["error"]["message"]


# The end


def test_removing_leaves_the_machine_alone_and_takes_minutes(protected):
    started = protected.lab.ask("POST", f"{protected.item}/remove", {"properties": {}})
    protected.lab.advance(190)
    assert protected.lab.ask("GET", protected.item).status == 200
    protected.lab.advance(20)
    assert protected.lab.ask("GET", protected.item).status == 404
    assert protected.lab.get(started.headers["x-ms-request-id"])["properties"]["state"] == "Succeeded"
    assert protected.vm(protected.machine)["name"] == "db-1"


def test_purging_works_in_every_state(ready):
    ready.lab.ask("PUT", ready.item, ready.enable_body())
    ready.lab.advance(60)
    ready.succeed("DELETE", ready.item)
    assert ready.lab.ask("GET", ready.item).status == 404


def test_after_a_removal_the_machine_can_be_protected_again(protected):
    protected.succeed("POST", f"{protected.item}/remove", {"properties": {}})
    protected.protect()


# Eligibility


def _codes(regions, machine=""):
    found = regions.lab.get(f"{machine or regions.machine}/{ELIGIBILITY}/default")
    return [error["code"] for error in found["properties"]["errors"]]


def test_a_machine_without_problems_is_eligible(regions):
    found = regions.lab.get(f"{regions.machine}/{ELIGIBILITY}")["value"]
    assert [one["name"] for one in found] == ["default"]
    assert found[0]["properties"]["errors"] == []


def test_a_protected_machine_is_not_eligible(protected):
    assert _codes(protected) == ["AlreadyProtected"]


def test_a_stopped_machine_is_not_eligible(regions):
    set_power(regions.lab.world, regions.machine, "stopped", regions.lab.now)
    assert _codes(regions) == ["MachineNotRunning"]


def test_a_machine_with_a_tiny_disk_is_not_eligible(regions):
    small = seed_virtual_machine(
        regions.lab.world,
        regions.lab.now,
        resource_group=GROUP,
        name="tiny",
        location="westeurope",
        subnet_id=f"{PROD}/subnets/apps",
        disk_gib=0.5,
    )
    assert _codes(regions, small) == ["150172"]


def test_a_machine_whose_region_or_disks_are_not_supported_is_not_eligible(regions):
    machine = regions.lab.world.resources.get(regions.machine)
    machine["location"] = "moonbase"
    del machine["properties"]["storageProfile"]["osDisk"]["managedDisk"]
    machine["properties"]["provisioningState"] = "Failed"
    assert _codes(regions) == ["UnmanagedDisks", "UnsupportedRegion", "150019"]


def test_a_machine_that_there_is_not_is_not_found(regions):
    machine = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/none"
    assert regions.lab.ask("GET", f"{machine}/{ELIGIBILITY}/default").status == 404


# The state file


def test_a_world_written_down_in_the_middle_of_a_switch_goes_on(protected):
    protected.fail_over_and_commit()
    protected.lab.ask("POST", f"{protected.container_here}/switchprotection", protected.switch_body())
    protected.lab.advance(100)
    protected.lab.world = pickle.loads(pickle.dumps(protected.lab.world))
    protected.lab.advance(500)
    protected.lab.until(protected.item_there, "Protected")


def test_the_bodies_fit_the_models_of_the_sdk(protected):
    protected.fail_over_and_commit()
    item = ReplicationProtectedItem(protected.lab.get(protected.item))
    details = item.properties.provider_specific_details
    assert isinstance(details, A2AReplicationDetails)
    assert details.last_heartbeat.tzinfo is not None
    assert details.protected_managed_disks[0].disk_state == "Protected"
    mapping = NetworkMapping(protected.lab.get(protected.network_mapping))
    assert mapping.properties.fabric_specific_settings.recovery_fabric_location == "northeurope"
    fabric = Fabric(protected.lab.get(protected.here))
    assert fabric.properties.custom_details.zones[0].source == "1"


def test_a_machine_that_another_vault_protects_cannot_be_protected(protected):
    other = Regions(protected.lab, protected.lab.make_vault("vault-other"), protected.machine)
    other.prepare()
    assert code(other.lab.do("PUT", other.item, other.enable_body())) == "AlreadyProtected"


def test_disks_that_are_not_protected_are_told(ready):
    _one_disk(ready)
    assert ready.details()["unprotectedDisks"] == [{"diskLunId": 0, "diskAutoProtectionStatus": "Disabled"}]
