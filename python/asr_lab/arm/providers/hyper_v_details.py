"""``providerSpecificDetails`` of HyperVReplicaAzure, as recorded in 2017 (2016-08-10) and in 2023 (2022-08-01).

Until 2020 names were spelled otherwise (``recoveryAzureVMName``), adapters were flat, and there was less of everything.
Lists show as much as a GET. Properties of versions after 2023 follow the specification.
"""

from datetime import datetime
from typing import Any

from asr_lab.arm.providers import rules, timeline
from asr_lab.arm.providers.hyper_v_model import HyperVItem, VirtualAdapter
from asr_lab.arm.providers.model import Disk, Nic
from asr_lab.arm.providers.protectable import os_details
from asr_lab.arm.wire import iso, iso7, last_segment

SINCE_IP_CONFIGS = "2021-01-01"
SINCE_OS_UPGRADES = "2024-01-01"
SINCE_LINUX_LICENSES = "2025-01-01"
LAST_PERCENTAGE = 2
"""The progress that stays when the initial replication is over; 0 and 2 were recorded."""
RPO_S = 3


def details(item: HyperVItem, now: datetime, api_version: str) -> dict[str, Any]:
    """Return the details of an item."""
    if api_version < SINCE_IP_CONFIGS:
        return _in_2017(item, now)
    target = item.target
    calculated = _data_seen(item, now)
    received = timeline.latest_point(item, now)
    shown: dict[str, Any] = {
        "instanceType": item.provider,
        "azureVmDiskDetails": [_disk(item, disk, lun) for lun, disk in enumerate(item.disks)],
        "recoveryAzureVmName": target.vm_name,
        "recoveryAzureVMSize": target.vm_size,
        "recoveryAzureStorageAccount": target.storage_account_id or None,
        "recoveryAzureLogStorageAccountId": _log_account(item),
        "lastReplicatedTime": iso(calculated) if calculated else None,
        "rpoInSeconds": RPO_S if calculated else None,
        "lastRpoCalculatedTime": iso7(calculated) if calculated else None,
        **_vm_state(item, now),
        "initialReplicationDetails": _initial_replication(item, now),
        "vmNics": [_nic(item, nic, number) for number, nic in enumerate(item.nics)],
        "selectedRecoveryAzureNetworkId": target.network_id or None,
        "selectedSourceNicId": _selected_nic(item),
        "encryption": "Disabled",
        "oSDetails": os_details(item.host.os_type, api_version, item.os_name_given),
        "sourceVmRamSizeInMB": item.host.memory_mb,
        "sourceVmCpuCount": item.host.cores,
        "enableRdpOnTargetOption": target.rdp or "Never",
        "recoveryAzureResourceGroupId": target.resource_group_id,
        "recoveryAvailabilitySetId": target.availability_set_id or None,
        "targetAvailabilityZone": target.availability_zone or None,
        "targetProximityPlacementGroupId": target.proximity_group_id or None,
        "useManagedDisks": "true" if target.managed_disks else "false",
        "licenseType": target.license_type,
        "sqlServerLicenseType": target.sql_license_type,
        "lastRecoveryPointReceived": iso7(received.at) if received else None,
        "targetVmTags": target.tags,
        "seedManagedDiskTags": target.seed_disk_tags or None,
        "targetManagedDiskTags": target.disk_tags or None,
        "targetNicTags": target.nic_tags,
        "protectedManagedDisks": [_managed_disk(disk) for disk in item.disks] if item.replica_disks else [],
    }
    if api_version >= SINCE_OS_UPGRADES:
        shown["allAvailableOSUpgradeConfigurations"] = []
    if api_version >= SINCE_LINUX_LICENSES:
        shown["linuxLicenseType"] = target.linux_license_type
        shown["targetVmSecurityProfile"] = target.security_profile
        shown["targetCapacityReservationGroupId"] = item.capacity_group_id or None
    return shown


def replica_details(item: HyperVItem, now: datetime) -> dict[str, Any]:
    """Return the details of an item that is replicated to another Hyper-V host (specification)."""
    seen = _data_seen(item, now)
    disks = [
        {
            "maxSizeMB": disk.size_mib,
            "vhdType": "OperatingSystem" if disk.boot else "Data",
            "vhdId": disk.vhd_id,
            "vhdName": disk.name,
        }
        for disk in item.machine.disks
    ]
    return {
        "instanceType": item.provider,
        "lastReplicatedTime": iso(seen) if seen else None,
        "vmNics": [_nic_in_2017(item, nic) for nic in item.nics],
        **_vm_state(item, now),
        "initialReplicationDetails": _initial_replication(item, now),
        "vMDiskDetails": disks,
    }


def _in_2017(item: HyperVItem, now: datetime) -> dict[str, Any]:
    target = item.target
    seen = _data_seen(item, now)
    return {
        "instanceType": item.provider,
        "azureVMDiskDetails": [_disk_in_2017(item, disk, lun) for lun, disk in enumerate(item.disks)],
        "recoveryAzureVMName": target.vm_name,
        "recoveryAzureVMSize": target.vm_size,
        "recoveryAzureStorageAccount": target.storage_account_id or None,
        "recoveryAzureLogStorageAccountId": _log_account(item),
        "lastReplicatedTime": iso(seen) if seen else None,
        **_vm_state(item, now),
        "initialReplicationDetails": _initial_replication(item, now),
        "vmNics": [_nic_in_2017(item, nic) for nic in item.nics],
        "selectedRecoveryAzureNetworkId": target.network_id or None,
        "encryption": "Disabled",
        "oSDetails": os_details(item.host.os_type, ""),
        "sourceVmRAMSizeInMB": item.host.memory_mb,
        "sourceVmCPUCount": item.host.cores,
        "enableRDPOnTargetOption": target.rdp or None,
        "recoveryAzureResourceGroupId": target.resource_group_id,
        "recoveryAvailabilitySetId": target.availability_set_id,
        "useManagedDisks": "true" if target.managed_disks else "false",
        "licenseType": target.license_type,
    }


def adapter_of(item: HyperVItem, number: int) -> VirtualAdapter | None:
    """Return the source's adapter behind the item's adapter of this number."""
    return item.machine.adapters[number] if number < len(item.machine.adapters) else None


def _vm_state(item: HyperVItem, now: datetime) -> dict[str, str]:
    row = timeline.state_row(item, now)
    if row.startswith("InitialReplication"):
        row = "UnprotectedStatesBegin"
    elif item.completing:
        row = "ReplicaConfigurationInProgress"
    known = rules.protection_state(row)
    return {
        "vmId": item.machine.vm_id,
        "vmProtectionState": str(known.get("state", row)),
        "vmProtectionStateDescription": str(known["text"]),
    }


def _initial_replication(item: HyperVItem, now: datetime) -> dict[str, str]:
    share = timeline.transferred_share(item, now)
    over = item.replication is not None and item.replication.protected_at is not None
    percentage = LAST_PERCENTAGE if over else int((share or 0) * 100)
    return {
        "initialReplicationType": "InitialReplication",
        "initialReplicationProgressPercentage": str(percentage),
    }


def _data_seen(item: HyperVItem, now: datetime) -> datetime | None:
    """Return when changes were seen last, None before the first ones after the initial replication (recorded)."""
    replication = item.replication
    if replication is None or item.changes_from is None:
        return None
    seen = timeline.last_data(replication, now)
    return seen if seen is not None and seen >= item.changes_from else None


def _log_account(item: HyperVItem) -> str | None:
    return next((disk.log_account_id for disk in item.disks if disk.log_account_id), None)


def _selected_nic(item: HyperVItem) -> str | None:
    if item.selected_nic:
        return item.selected_nic
    primary = next((nic for nic in item.nics if nic.primary), None)
    return primary.nic_id if primary and item.target.network_id else None


def _vhd_id(item: HyperVItem, disk: Disk) -> str:
    known = (one.vhd_id for one in item.machine.disks if one.name == disk.name and one.size_bytes == disk.size_bytes)
    return next(known, disk.disk_id)


def _disk_in_2017(item: HyperVItem, disk: Disk, lun: int) -> dict[str, Any]:
    return {
        "vhdType": "OperatingSystem" if disk.boot else "Data",
        "vhdId": _vhd_id(item, disk),
        "vhdName": disk.name,
        "maxSizeMB": str(disk.size_bytes // 1024**2),
        "targetDiskLocation": None,
        "targetDiskName": None,
        "lunId": str(lun),
    }


def _disk(item: HyperVItem, disk: Disk, lun: int) -> dict[str, Any]:
    made = last_segment(disk.target_id) if disk.target_id else None
    return {
        "vhdType": "OperatingSystem" if disk.boot else "Data",
        "vhdId": _vhd_id(item, disk),
        "diskId": disk.disk_id,
        "vhdName": disk.name,
        "maxSizeMB": str(disk.size_bytes // 1024**2),
        "targetDiskLocation": None,
        "targetDiskName": made,
        "lunId": str(lun),
        "diskEncryptionSetId": disk.encryption_set_id,
        "customTargetDiskName": item.custom_disk_names.get(disk.disk_id.casefold()),
    }


def _managed_disk(disk: Disk) -> dict[str, Any]:
    return {
        "diskId": disk.disk_id,
        "seedManagedDiskId": disk.seed_id,
        "replicaDiskType": disk.disk_type,
        "diskEncryptionSetId": disk.encryption_set_id,
    }


def _subnet(item: HyperVItem, nic: Nic) -> str | None:
    return (nic.target_subnet or None) if item.target.network_id else None


def _nic_in_2017(item: HyperVItem, nic: Nic) -> dict[str, Any]:
    return {
        "nicId": nic.nic_id,
        "replicaNicId": None,
        "sourceNicArmId": None,
        "vMSubnetName": nic.network_name,
        "vMNetworkName": nic.network_name,
        "recoveryVMNetworkId": item.target.network_id or None,
        "recoveryVMSubnetName": _subnet(item, nic),
        "ipAddressType": "Static",
        "primaryNicStaticIPAddress": None,
        "replicaNicStaticIPAddress": nic.target_address,
        "selectionType": _selection(nic),
    }


def _nic(item: HyperVItem, nic: Nic, number: int) -> dict[str, Any]:
    source = adapter_of(item, number)
    config = {
        "name": None,
        "isPrimary": True,
        "subnetName": nic.network_name,
        "staticIPAddress": source.address or None if source else None,
        "ipAddressType": "Static",
        "isSeletedForFailover": nic.selected,
        "recoverySubnetName": _subnet(item, nic),
        "recoveryStaticIPAddress": nic.target_address,
        "recoveryIPAddressType": "Static" if nic.target_address else "Dynamic",
        "recoveryPublicIPAddressId": None,
        "recoveryLBBackendAddressPoolIds": None,
        "tfoSubnetName": nic.test_subnet or None,
        "tfoStaticIPAddress": nic.test_address or None,
        "tfoPublicIPAddressId": None,
        "tfoLBBackendAddressPoolIds": None,
    }
    return {
        "nicId": nic.nic_id,
        "replicaNicId": None,
        "sourceNicArmId": None,
        "vMNetworkName": nic.network_name,
        "recoveryVMNetworkId": item.target.network_id or None,
        "ipConfigs": [config],
        "selectionType": _selection(nic),
        "recoveryNetworkSecurityGroupId": None,
        "enableAcceleratedNetworkingOnRecovery": None,
        "tfoVMNetworkId": item.target.test_network_id or None,
        "tfoNetworkSecurityGroupId": None,
        "enableAcceleratedNetworkingOnTfo": None,
        "recoveryNicName": None,
        "recoveryNicResourceGroupName": None,
        "reuseExistingNic": False,
        "tfoRecoveryNicName": None,
        "tfoRecoveryNicResourceGroupName": None,
        "tfoReuseExistingNic": False,
        "targetNicName": f"nic-{item.target.vm_name}-{number:02d}",
    }


def _selection(nic: Nic) -> str:
    return "SelectedByUser" if nic.selected else "NotSelected"
