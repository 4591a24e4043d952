"""What an InMageAzureV2 item shows under ``providerSpecificDetails``.

Shapes are those of recorded sessions of the public SDK test suites (2017 and 2020). In lists, ``protectedDisks`` is
empty and what comes with the disks is null; network adapters are there.
"""

from datetime import datetime
from typing import Any

from asr_lab.arm.providers import replicate, timeline
from asr_lab.arm.providers.model import Disk, Nic, ProtectedItem, Stage
from asr_lab.arm.providers.rules import protection_state
from asr_lab.arm.wire import iso, iso7
from asr_lab.arm.world import World

AGENT_VERSION = "9.59.0.0"
SINCE_MANAGED_DISKS = "2018-01-10"
SINCE_TAGS = "2021-01-01"


def details(world: World, item: ProtectedItem, now: datetime, *, sparse: bool, api_version: str) -> dict[str, Any]:
    """Return ``providerSpecificDetails`` of the item."""
    host, target = item.host, item.target
    state, text = vm_state(item, now)
    stage = stage_of(item, now)
    heard = item.last_heartbeat
    boot = next((disk for disk in item.disks if disk.boot), item.disks[0] if item.disks else None)
    calculated = timeline.last_data(item.replication, now) if item.replication else None
    body: dict[str, Any] = {
        "instanceType": "InMageAzureV2",
        "infrastructureVmId": item.machine_id,
        "vCenterInfrastructureId": item.infrastructure_id,
        "protectionStage": stage,
        "vmId": item.machine_id,
        "vmProtectionState": state,
        "vmProtectionStateDescription": text,
        "resyncProgressPercentage": progress(item, now),
        "rpoInSeconds": rpo_s(item, now),
        "compressedDataRateInMB": 0.0,
        "uncompressedDataRateInMB": 0.0,
        "ipAddress": host.address,
        "agentVersion": host.agent_version or AGENT_VERSION,
        "isAgentUpdateRequired": "NotRequired",
        "isRebootAfterUpdateRequired": "NotRequired",
        "lastHeartbeat": iso(heard) if heard else None,
        "processServerId": item.server_id,
        "multiVmGroupId": item.multi_vm_id,
        "multiVmGroupName": target.multi_vm_group or item.multi_vm_id,
        "multiVmSyncStatus": "Enabled",
        "protectedDisks": [] if sparse else [_disk(world, item, disk, stage, now) for disk in item.disks],
        "diskResized": None if sparse else "NotResized",
        "masterTargetId": None if sparse else item.server_id,
        "sourceVmCPUCount": 0 if sparse else host.cores,
        "sourceVmRAMSizeInMB": 0 if sparse else host.memory_mb,
        "osType": host.os_type,
        "vhdName": None if sparse or boot is None else boot.name,
        "osDiskId": None if sparse or boot is None else boot.disk_id,
        "azureVMDiskDetails": None if sparse else [],
        "recoveryAzureVMName": target.vm_name,
        "recoveryAzureVMSize": target.vm_size,
        "recoveryAzureStorageAccount": target.storage_account_id or None,
        "recoveryAzureLogStorageAccountId": item.disks[0].log_account_id if item.disks else None,
        "vmNics": [nic_body(item, nic) for nic in item.nics],
        "selectedRecoveryAzureNetworkId": target.network_id,
        **({"selectedSourceNicId": item.nics[0].nic_id} if item.nics and item.nics[0].target_address else {}),
        "discoveryType": item.discovery,
        "enableRDPOnTargetOption": target.rdp,
        "datastores": [] if item.discovery == "Physical" else ["datastore"],
        "targetVmId": item.vm_id or f"{target.resource_group_id}/providers/Microsoft.Compute/virtualMachines/",
        "recoveryAzureResourceGroupId": target.resource_group_id,
        "recoveryAvailabilitySetId": target.availability_set_id,
        "useManagedDisks": "true" if target.managed_disks else "false",
        "licenseType": "NoLicenseType" if target.license_type == "NotSpecified" else target.license_type,
        "validationErrors": [],
        "lastRpoCalculatedTime": iso(calculated) if calculated else None,
        "lastUpdateReceivedTime": iso7(heard or now),
        "replicaId": f"{item.machine_id}_replica_cloud_{item.fabric_guid}",
        "osVersion": host.os_name,
    }
    if api_version >= SINCE_MANAGED_DISKS:
        body["protectedManagedDisks"] = [] if sparse else [_managed_disk(item, disk) for disk in item.disks]
    if api_version >= SINCE_TAGS:
        body.update(_since_tags(item))
    return body


def _since_tags(item: ProtectedItem) -> dict[str, Any]:
    target = item.target
    return {
        "targetAvailabilityZone": target.availability_zone or None,
        "targetProximityPlacementGroupId": target.proximity_group_id or None,
        "sqlServerLicenseType": target.sql_license_type,
        "targetVmTags": target.tags,
        "seedManagedDiskTags": target.seed_disk_tags,
        "targetManagedDiskTags": target.disk_tags,
        "targetNicTags": target.nic_tags,
        "firmwareType": item.host.firmware,
        "azureVmGeneration": "2" if item.host.firmware == "UEFI" else "1",
    }


def vm_state(item: ProtectedItem, now: datetime) -> tuple[str, str]:
    """Return ``vmProtectionState`` and its text: UnprotectedStatesBegin until the item is protected (recorded)."""
    state = timeline.protection_state(item, now)
    if state.startswith("InitialReplication"):
        state = "UnprotectedStatesBegin"
    return state, str(protection_state(state)["text"])


def stage_of(item: ProtectedItem, now: datetime) -> str:
    """Return ``protectionStage``: DifferentialSync when healthy (recorded), else a step of the resynchronization."""
    replication = item.replication
    if replication is not None and replication.protected_at is not None:
        return "ResyncStepI" if replication.resync_started else "DifferentialSync"
    if timeline.protection_state(item, now) == "InitialReplicationRecoveryCompletionPending":
        return "ResyncStepII"
    return "ResyncStepI"


def progress(item: ProtectedItem, now: datetime) -> int:
    """Return ``resyncProgressPercentage``, which tells of the initial replication too."""
    share = timeline.resync_share(item.replication, now)
    share = timeline.transferred_share(item, now) if share is None else share
    return 0 if share is None else int(share * 100)


def rpo_s(item: ProtectedItem, now: datetime) -> int:
    """Return ``rpoInSeconds``; it stands still while a resynchronization runs."""
    last = timeline.latest_point(item, now)
    if last is None:
        return 0
    resync_started = item.replication.resync_started if item.replication else None
    return max(0, int(((item.last_failover or resync_started or now) - last.at).total_seconds()))


def resync_required(world: World, item: ProtectedItem) -> str:
    """Return ``resyncRequired`` of a disk."""
    return "Required" if replicate.resync_fault(world, item) else "NotRequired"


def resync_duration_s(item: ProtectedItem, now: datetime) -> int:
    """Return for how long the initial replication or the resynchronization has run."""
    replication = item.replication
    if replication is None:
        return 0
    if replication.resync_started is not None:
        return int((now - replication.resync_started).total_seconds())
    return 0 if replication.protected_at else int(timeline.seconds(replication, now))


def _disk(world: World, item: ProtectedItem, disk: Disk, stage: str, now: datetime) -> dict[str, Any]:
    last = timeline.last_data(item.replication, now) if item.replication else None
    return {
        "diskId": disk.disk_id,
        "diskName": disk.name.replace("\\\\.\\PHYSICALDRIVE", "Disk"),
        "protectionStage": stage,
        "healthErrorCode": "ECH0007" if timeline.stalled(item, now) else None,
        "rpoInSeconds": rpo_s(item, now),
        "resyncRequired": resync_required(world, item),
        "resyncProgressPercentage": progress(item, now),
        "resyncDurationInSeconds": resync_duration_s(item, now),
        "diskCapacityInBytes": disk.size_bytes,
        "fileSystemCapacityInBytes": disk.size_bytes,
        "sourceDataInMegaBytes": 0.0,
        "psDataInMegaBytes": 0.0,
        "targetDataInMegaBytes": 0.0,
        "diskResized": "NotResized",
        "lastRpoCalculatedTime": iso(last) if last else None,
    }


def _managed_disk(item: ProtectedItem, disk: Disk) -> dict[str, Any]:
    return {
        "diskId": disk.disk_id,
        "seedManagedDiskId": disk.seed_id,
        "replicaDiskType": disk.disk_type,
        "diskEncryptionSetId": disk.encryption_set_id,
        "targetDiskName": None if item.stage is Stage.REPLICATING else (disk.target_id or "").rpartition("/")[2],
    }


def nic_body(item: ProtectedItem, nic: Nic) -> dict[str, Any]:
    """Return one network adapter."""
    return {
        "nicId": nic.nic_id,
        "replicaNicId": None,
        "sourceNicArmId": None,
        "vMSubnetName": nic.target_subnet,
        "vMNetworkName": nic.network_name,
        "recoveryVMNetworkId": item.target.network_id,
        "recoveryVMSubnetName": nic.target_subnet,
        "ipAddressType": "Dynamic",
        "primaryNicStaticIPAddress": None,
        "replicaNicStaticIPAddress": nic.target_address or None,
        "selectionType": "SelectedByUser" if nic.selected else "NotSelected",
        "recoveryNicIpAddressType": "Static" if nic.target_address else "Dynamic",
    }
