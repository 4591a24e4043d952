"""Changing an A2A item: the recovery machine, its interfaces and disks, and which disks are protected."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.providers.azure_to_azure_details import azure_disks
from asr_lab.arm.providers.azure_to_azure_enable import make_disks, refuse_page_blobs
from asr_lab.arm.providers.azure_to_azure_model import AzureDisk, AzureNic, AzureToAzureItem
from asr_lab.arm.providers.azure_to_azure_source import machine, managed_disks
from asr_lab.arm.providers.scope import Scope
from asr_lab.arm.wire import bad_request, same_id
from asr_lab.arm.world import World

PLACE = "properties.providerSpecificDetails"

_TARGET = {
    "recoveryAzureVMName": "vm_name",
    "recoveryAzureVMSize": "vm_size",
    "selectedRecoveryAzureNetworkId": "network_id",
    "selectedTfoAzureNetworkId": "test_network_id",
    "licenseType": "license_type",
    "recoveryAvailabilitySetId": "availability_set_id",
}
_SPECIFIC_TARGET = {
    "recoveryResourceGroupId": "resource_group_id",
    "recoveryBootDiagStorageAccountId": "boot_diagnostics_id",
    "recoveryProximityPlacementGroupId": "proximity_group_id",
    "recoveryAvailabilityZone": "availability_zone",
}
_SPECIFIC_ITEM = {
    "recoveryCloudServiceId": "cloud_service_id",
    "recoveryVirtualMachineScaleSetId": "scale_set_id",
    "recoveryCapacityReservationGroupId": "capacity_group_id",
    "platformFaultDomain": "fault_domain",
    "tfoAzureVMName": "test_machine_name",
}
_NIC = {
    "recoveryNetworkSecurityGroupId": "recovery_security_group_id",
    "enableAcceleratedNetworkingOnRecovery": "recovery_accelerated",
    "tfoNetworkSecurityGroupId": "test_security_group_id",
    "enableAcceleratedNetworkingOnTfo": "test_accelerated",
    "recoveryNicName": "recovery_name",
    "recoveryNicResourceGroupName": "recovery_group",
    "reuseExistingNic": "reuse",
    "tfoNicName": "test_name",
    "tfoNicResourceGroupName": "test_group",
    "tfoReuseExistingNic": "test_reuse",
    "selectionType": "selection",
}
_CONFIGURATION = {
    "recoverySubnetName": "target_subnet",
    "recoveryStaticIPAddress": "target_address",
    "recoveryPublicIPAddressId": "recovery_public_ip_id",
    "recoveryLBBackendAddressPoolIds": "recovery_pools",
    "tfoSubnetName": "test_subnet",
    "tfoStaticIPAddress": "test_address",
    "tfoPublicIPAddressId": "test_public_ip_id",
    "tfoLBBackendAddressPoolIds": "test_pools",
    "isSeletedForFailover": "selected",
}


def check(scope: Scope, item: AzureToAzureItem, given: Mapping[str, Any]) -> None:
    """Refuse interfaces, disks and groups that there are not; raises ArmError 400."""
    known_nics = {nic.nic_id.casefold() for nic in item.nics}
    for number, row in enumerate(given.get("vmNics") or ()):
        if (row.get("nicId") or "").casefold() not in known_nics:
            raise bad_request(
                "InvalidNicInput",
                f"properties.vmNics[{number}].nicId is '{row.get('nicId')}'; the item has "
                f"{', '.join(nic.nic_id for nic in item.nics) or 'no interfaces yet'}.",
            )
    specific = given.get("providerSpecificDetails") or {}
    for number, row in enumerate(specific.get("managedDiskUpdateDetails") or ()):
        if _disk(item, row.get("diskId") or "") is None:
            raise _unknown_disk(item, f"managedDiskUpdateDetails[{number}].diskId", row.get("diskId"))
    group = specific.get("recoveryResourceGroupId")
    if group and group not in scope.world.resources:
        raise bad_request(
            "InvalidResourceGroup",
            f"{PLACE}.recoveryResourceGroupId is '{group}'; there is no such resource group.",
        )


def change(item: AzureToAzureItem, given: Mapping[str, Any], _due: datetime) -> None:
    """Copy what a PATCH says; what it leaves out stays."""
    specific = given.get("providerSpecificDetails") or {}
    network = given.get("selectedRecoveryAzureNetworkId")
    _copy(item.target, given, _TARGET)
    _copy(item.target, specific, _SPECIFIC_TARGET)
    _copy(item, specific, _SPECIFIC_ITEM)
    for nic in item.nics:
        if isinstance(nic, AzureNic):
            nic.recovery_network_id = network or nic.recovery_network_id
            nic.test_network_id = given.get("selectedTfoAzureNetworkId") or nic.test_network_id
            _change_nic(nic, given)
    for row in specific.get("managedDiskUpdateDetails") or ():
        disk = _disk(item, row["diskId"])
        if disk is not None:
            disk.disk_type = row.get("recoveryTargetDiskAccountType") or disk.disk_type
            disk.replica_type = row.get("recoveryReplicaDiskAccountType") or disk.replica_type
            disk.failover_name = row.get("failoverDiskName") or disk.failover_name
            disk.test_name = row.get("tfoDiskName") or disk.test_name


def disks_to_add(scope: Scope, item: AzureToAzureItem, given: Mapping[str, Any]) -> list[AzureDisk]:
    """Return the disks of an addDisks request; raises ArmError 400 for one that is protected or not the machine's."""
    specific = given.get("providerSpecificDetails") or {}
    refuse_page_blobs(specific)
    vm = machine(scope.world, item.source_id)
    made = make_disks(managed_disks(scope.world, vm) if vm else [], specific.get("vmManagedDisks") or ())
    if not made:
        raise bad_request("InvalidDiskInput", f"{PLACE}.vmManagedDisks is empty; give the disks to add.")
    for disk in made:
        if _disk(item, disk.disk_id) is not None:
            raise bad_request("InvalidDiskInput", f"The disk '{disk.disk_id}' is already protected.")
    return made


def add(world: World, item: AzureToAzureItem, disks: list[AzureDisk], due: datetime) -> None:
    """Protect the disks; each is in sync after the time of an initial replication."""
    seconds = item.replication.transfer_s if item.replication else 0.0
    for disk in disks:
        disk.added = due
        item.disks.append(disk)
        world.after(due, seconds, partial(_in_sync, disk))


def disks_to_remove(item: AzureToAzureItem, given: Mapping[str, Any]) -> list[AzureDisk]:
    """Return the disks of a removeDisks request; raises ArmError 400 for an unknown one or the one to boot from."""
    specific = given.get("providerSpecificDetails") or {}
    wanted = specific.get("vmManagedDisksIds") or []
    if not wanted:
        raise bad_request("InvalidDiskInput", f"{PLACE}.vmManagedDisksIds is empty; give the ids of the disks.")
    found = []
    for number, disk_id in enumerate(wanted):
        disk = _disk(item, disk_id)
        if disk is None:
            raise _unknown_disk(item, f"vmManagedDisksIds[{number}]", disk_id)
        if disk.boot:
            raise bad_request("InvalidDiskInput", f"The disk '{disk_id}' is the one that the machine boots from.")
        found.append(disk)
    return found


def remove(item: AzureToAzureItem, disks: list[AzureDisk], _due: datetime) -> None:
    """Protect the disks no longer."""
    item.disks = [disk for disk in item.disks if disk not in disks]


def _in_sync(disk: AzureDisk, due: datetime) -> None:
    disk.protected_from = due


def _change_nic(nic: AzureNic, given: Mapping[str, Any]) -> None:
    for row in given.get("vmNics") or ():
        if (row.get("nicId") or "").casefold() != nic.nic_id.casefold():
            continue
        _copy(nic, row, _NIC)
        for configuration in row.get("ipConfigs") or ():
            _copy(nic, configuration, _CONFIGURATION)
        if row.get("selectionType"):
            nic.selected = row["selectionType"] != "NotSelected"


def _copy(held: object, given: Mapping[str, Any], places: Mapping[str, str]) -> None:
    for name, place in places.items():
        if given.get(name) is not None:
            setattr(held, place, given[name])


def _disk(item: AzureToAzureItem, disk_id: str) -> AzureDisk | None:
    return next((disk for disk in azure_disks(item) if same_id(disk.disk_id, disk_id)), None)


def _unknown_disk(item: AzureToAzureItem, place: str, given: object) -> Exception:
    return bad_request(
        "InvalidDiskInput",
        f"{PLACE}.{place} is '{given}'; the protected disks are {', '.join(disk.disk_id for disk in item.disks)}.",
    )
