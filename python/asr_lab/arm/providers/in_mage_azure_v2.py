"""InMageAzureV2, the classic provider: what an enable request may say, and the details a protected item shows.

Shapes are those of recorded sessions of the public SDK test suites (2017 and 2020). In lists, ``protectedDisks`` is
empty and what comes with the disks is null; network adapters are there.
"""

from datetime import datetime
from typing import Any

from asr_lab.arm.providers import timeline
from asr_lab.arm.providers.in_mage_rcm import LICENSES, SQL_LICENSES
from asr_lab.arm.providers.model import Disk, Nic, ProtectedItem, Stage
from asr_lab.arm.providers.rules import protection_state
from asr_lab.arm.schema import Flag, ListOf, MapOf, Record, Text
from asr_lab.arm.wire import iso, iso7

AGENT_VERSION = "9.59.0.0"
SINCE_MANAGED_DISKS = "2018-01-10"
SINCE_TAGS = "2021-01-01"

_TEXT = Text(nullable=True)
_TAGS = MapOf(Text(), nullable=True)
_BOOLEAN_TEXT = Text(("true", "false"), nullable=True)
DISK_TYPES = ("Standard_LRS", "Premium_LRS", "StandardSSD_LRS", "StandardSSD_ZRS", "Premium_ZRS")

ENABLE = Record(
    {
        "masterTargetId": _TEXT,
        "processServerId": Text(not_empty=True),
        "runAsAccountId": _TEXT,
        "storageAccountId": _TEXT,
        "logStorageAccountId": _TEXT,
        "multiVmGroupId": _TEXT,
        "multiVmGroupName": _TEXT,
        "disksToInclude": ListOf(
            Record(
                {
                    "diskId": Text(not_empty=True),
                    "logStorageAccountId": _TEXT,
                    "diskType": Text(DISK_TYPES, nullable=True),
                    "diskEncryptionSetId": _TEXT,
                },
                required=("diskId",),
            ),
            nullable=True,
        ),
        "diskType": Text(DISK_TYPES, nullable=True),
        "diskEncryptionSetId": _TEXT,
        "targetAzureNetworkId": _TEXT,
        "targetAzureSubnetId": _TEXT,
        "enableRdpOnTargetOption": Text(("Never", "OnlyOnTestFailover", "Always"), nullable=True),
        "targetAzureVmName": _TEXT,
        "targetAzureV1ResourceGroupId": _TEXT,
        "targetAzureV2ResourceGroupId": _TEXT,
        "targetAvailabilitySetId": _TEXT,
        "targetAvailabilityZone": _TEXT,
        "targetProximityPlacementGroupId": _TEXT,
        "targetVmSize": _TEXT,
        "licenseType": Text(LICENSES, nullable=True),
        "sqlServerLicenseType": Text(SQL_LICENSES, nullable=True),
        "targetVmTags": _TAGS,
        "seedManagedDiskTags": _TAGS,
        "targetManagedDiskTags": _TAGS,
        "targetNicTags": _TAGS,
    },
    required=("processServerId",),
)

UPDATE = Record(
    {
        "recoveryAzureV1ResourceGroupId": _TEXT,
        "recoveryAzureV2ResourceGroupId": _TEXT,
        "useManagedDisks": _BOOLEAN_TEXT,
        "targetAvailabilityZone": _TEXT,
        "targetProximityPlacementGroupId": _TEXT,
        "sqlServerLicenseType": Text(SQL_LICENSES, nullable=True),
        "targetVmTags": _TAGS,
        "targetManagedDiskTags": _TAGS,
        "targetNicTags": _TAGS,
        "vmDisks": ListOf(Record({"diskId": Text(), "targetDiskName": _TEXT}, required=("diskId",)), nullable=True),
    }
)

TEST_FAILOVER = Record({"recoveryPointId": _TEXT, "osUpgradeVersion": _TEXT})
FAILOVER = Record({"recoveryPointId": _TEXT, "osUpgradeVersion": _TEXT})
DISABLE = Record(
    {"replicaVmDeletionStatus": Text(("Retain", "Delete"), nullable=True), "isSkipProtectionCheck": Flag()}
)


def details(item: ProtectedItem, now: datetime, *, sparse: bool, api_version: str) -> dict[str, Any]:
    """Return ``providerSpecificDetails`` of the item."""
    host, target = item.host, item.target
    state, text = _vm_state(item)
    stage = _stage(item)
    boot = next((disk for disk in item.disks if disk.boot), item.disks[0] if item.disks else None)
    calculated = item.replication.last_data if item.replication else None
    body: dict[str, Any] = {
        "instanceType": "InMageAzureV2",
        "infrastructureVmId": item.machine_id,
        "vCenterInfrastructureId": item.infrastructure_id,
        "protectionStage": stage,
        "vmId": item.machine_id,
        "vmProtectionState": state,
        "vmProtectionStateDescription": text,
        "resyncProgressPercentage": _progress(item),
        "rpoInSeconds": _rpo_s(item, now),
        "compressedDataRateInMB": 0.0,
        "uncompressedDataRateInMB": 0.0,
        "ipAddress": host.addresses[0] if host.addresses else "",
        "agentVersion": host.agent_version or AGENT_VERSION,
        "isAgentUpdateRequired": "NotRequired",
        "isRebootAfterUpdateRequired": "NotRequired",
        "lastHeartbeat": iso(item.last_heartbeat) if item.last_heartbeat else None,
        "processServerId": item.server_id,
        "multiVmGroupId": item.multi_vm_id,
        "multiVmGroupName": target.multi_vm_group or item.multi_vm_id,
        "multiVmSyncStatus": "Enabled",
        "protectedDisks": [] if sparse else [_disk(item, disk, stage, now) for disk in item.disks],
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
        "vmNics": [_nic(item, nic) for nic in item.nics],
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
        "lastUpdateReceivedTime": iso7(item.last_heartbeat or now),
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


def _vm_state(item: ProtectedItem) -> tuple[str, str]:
    state = timeline.protection_state(item)
    if state.startswith("InitialReplication"):
        state = "UnprotectedStatesBegin"
    return state, str(protection_state(state)["text"])


def _stage(item: ProtectedItem) -> str:
    replication = item.replication
    if replication is not None and replication.protected_at is not None:
        return "DifferentialSync"
    if timeline.protection_state(item) == "InitialReplicationRecoveryCompletionPending":
        return "ResyncStepII"
    return "ResyncStepI"


def _progress(item: ProtectedItem) -> int:
    share = timeline.transferred_share(item)
    return 0 if share is None else int(share * 100)


def _rpo_s(item: ProtectedItem, now: datetime) -> int:
    replication = item.replication
    if replication is None or not replication.points:
        return 0
    return max(0, int(((item.last_failover or now) - replication.points[0].at).total_seconds()))


def _disk(item: ProtectedItem, disk: Disk, stage: str, now: datetime) -> dict[str, Any]:
    replication = item.replication
    return {
        "diskId": disk.disk_id,
        "diskName": disk.name.replace("\\\\.\\PHYSICALDRIVE", "Disk"),
        "protectionStage": stage,
        "healthErrorCode": "ECH0007" if timeline.stalled(item, now) else None,
        "rpoInSeconds": _rpo_s(item, now),
        "resyncRequired": "NotRequired",
        "resyncProgressPercentage": _progress(item),
        "resyncDurationInSeconds": int(replication.seconds) if replication and not replication.protected_at else 0,
        "diskCapacityInBytes": disk.size_bytes,
        "fileSystemCapacityInBytes": disk.size_bytes,
        "sourceDataInMegaBytes": 0.0,
        "psDataInMegaBytes": 0.0,
        "targetDataInMegaBytes": 0.0,
        "diskResized": "NotResized",
        "lastRpoCalculatedTime": iso(replication.last_data) if replication and replication.last_data else None,
    }


def _managed_disk(item: ProtectedItem, disk: Disk) -> dict[str, Any]:
    return {
        "diskId": disk.disk_id,
        "seedManagedDiskId": disk.seed_id,
        "replicaDiskType": disk.disk_type,
        "diskEncryptionSetId": disk.encryption_set_id,
        "targetDiskName": None if item.stage is Stage.REPLICATING else (disk.target_id or "").rpartition("/")[2],
    }


def _nic(item: ProtectedItem, nic: Nic) -> dict[str, Any]:
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
