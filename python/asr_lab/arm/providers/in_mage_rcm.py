"""InMageRcm, the modernized provider: what an enable request may say, and the details a protected item shows.

Shapes are those of recorded sessions of the public SDK test suites (service of August 2021, with what 2023 and 2026
added). Lists are sparse: ``protectedDisks`` and ``vmNics`` are empty there.
"""

from datetime import datetime
from typing import Any

from asr_lab.arm.providers import timeline
from asr_lab.arm.providers.model import Disk, Fabric, Nic, ProtectedItem, Stage
from asr_lab.arm.schema import Flag, ListOf, Record, Schema, Text
from asr_lab.arm.wire import iso, iso7

AGENT_VERSION = "9.62.7096.1"
AGENT_RELEASED = "2024-10-15T00:00:00Z"
SINCE_2026_FIELDS = "2025-01-01"

_TEXT = Text(nullable=True)
_TAGS = ListOf(Record({"tagName": Text(), "tagValue": Text()}, required=("tagName", "tagValue")), nullable=True)
DISK_TYPES = (
    "Standard_LRS",
    "Premium_LRS",
    "StandardSSD_LRS",
    "PremiumV2_LRS",
    "UltraSSD_LRS",
    "StandardSSD_ZRS",
    "Premium_ZRS",
)
LICENSES = ("NotSpecified", "NoLicenseType", "WindowsServer")
SQL_LICENSES = ("NotSpecified", "NoLicenseType", "PAYG", "AHUB")
LINUX_LICENSES = ("NotSpecified", "NoLicenseType", "LinuxServer", "RHEL_BYOS", "SLES_BYOS")
_SECURITY = Record(
    {
        "targetVmSecurityType": Text(("None", "TrustedLaunch", "ConfidentialVM"), nullable=True),
        "targetVmSecureBoot": Text(("Enabled", "Disabled"), nullable=True),
        "targetVmTpm": Text(("Enabled", "Disabled"), nullable=True),
        "targetVmMonitoring": Text(("Enabled", "Disabled"), nullable=True),
        "targetVmConfidentialEncryption": Text(("Enabled", "Disabled"), nullable=True),
    },
    nullable=True,
)
_DISK: dict[str, Schema] = {
    "diskType": Text(DISK_TYPES),
    "logStorageAccountId": Text(not_empty=True),
    "diskEncryptionSetId": _TEXT,
}
_TARGET: dict[str, Schema] = {
    "targetVmName": _TEXT,
    "targetVmSize": _TEXT,
    "targetResourceGroupId": Text(not_empty=True),
    "targetNetworkId": _TEXT,
    "testNetworkId": _TEXT,
    "targetAvailabilitySetId": _TEXT,
    "targetAvailabilityZone": _TEXT,
    "targetProximityPlacementGroupId": _TEXT,
    "targetBootDiagnosticsStorageAccountId": _TEXT,
    "licenseType": Text(LICENSES, nullable=True),
    "sqlServerLicenseType": Text(SQL_LICENSES, nullable=True),
    "linuxLicenseType": Text(LINUX_LICENSES, nullable=True),
    "userSelectedOSName": _TEXT,
    "targetCapacityReservationGroupId": _TEXT,
    "targetVmSecurityProfile": _SECURITY,
    "targetVmTags": _TAGS,
    "seedManagedDiskTags": _TAGS,
    "targetManagedDiskTags": _TAGS,
    "targetNicTags": _TAGS,
}

ENABLE = Record(
    {
        **_TARGET,
        "fabricDiscoveryMachineId": Text(not_empty=True),
        "processServerId": Text(not_empty=True),
        "runAsAccountId": _TEXT,
        "targetSubnetName": _TEXT,
        "testSubnetName": _TEXT,
        "multiVmGroupName": _TEXT,
        "disksDefault": Record(_DISK, required=("diskType", "logStorageAccountId"), nullable=True),
        "disksToInclude": ListOf(
            Record(
                {
                    **_DISK,
                    "diskId": Text(not_empty=True),
                    "sectorSizeInBytes": Text(nullable=True),
                    "isFabricDiscoveryDiskId": _TEXT,
                },
                required=("diskId", "diskType", "logStorageAccountId"),
            ),
            nullable=True,
        ),
    },
    required=("fabricDiscoveryMachineId", "processServerId", "targetResourceGroupId"),
)

UPDATE = Record(
    {
        **{name: schema for name, schema in _TARGET.items() if name != "targetResourceGroupId"},
        "targetResourceGroupId": _TEXT,
        "vmNics": ListOf(
            Record(
                {
                    "nicId": Text(not_empty=True),
                    "isPrimaryNic": Text(("true", "false")),
                    "isSelectedForFailover": Text(("true", "false"), nullable=True),
                    "isSelectedForMigration": Text(("true", "false"), nullable=True),
                    "targetSubnetName": _TEXT,
                    "targetStaticIPAddress": _TEXT,
                    "testSubnetName": _TEXT,
                    "testStaticIPAddress": _TEXT,
                    "targetNicName": _TEXT,
                },
                required=("nicId", "isPrimaryNic"),
            ),
            nullable=True,
        ),
    }
)

TEST_FAILOVER = Record({"networkId": _TEXT, "recoveryPointId": _TEXT, "osUpgradeVersion": _TEXT})
FAILOVER = Record({"performShutdown": Text(("true", "false")), "recoveryPointId": _TEXT}, required=("performShutdown",))
DISABLE = Record(
    {"replicaVmDeletionStatus": Text(("Retain", "Delete"), nullable=True), "isSkipProtectionCheck": Flag()}
)


def details(item: ProtectedItem, fabric: Fabric, now: datetime, *, sparse: bool, api_version: str) -> dict[str, Any]:
    """Return ``providerSpecificDetails`` of the item."""
    host, target = item.host, item.target
    server = fabric.server(item.server_id)
    body: dict[str, Any] = {
        "instanceType": "InMageRcm",
        "internalIdentifier": item.machine_id,
        "fabricDiscoveryMachineId": item.source_id,
        "multiVmGroupName": target.multi_vm_group,
        "discoveryType": item.discovery,
        "processServerId": item.server_id,
        "processorCoreCount": host.cores,
        "allocatedMemoryInMB": float(host.memory_mb),
        "processServerName": server.name if server else "",
        "runAsAccountId": item.account_id,
        "osType": host.os_type,
        "firmwareType": host.firmware,
        "primaryNicIpAddress": host.addresses[0] if host.addresses else "",
        "targetGeneration": "V2" if host.firmware == "UEFI" else "V1",
        "licenseType": target.license_type,
        "storageAccountId": None,
        "targetVmName": target.vm_name,
        "targetVmSize": target.vm_size,
        "targetResourceGroupId": target.resource_group_id,
        "targetLocation": fabric.location,
        "targetAvailabilitySetId": target.availability_set_id,
        "targetAvailabilityZone": target.availability_zone,
        "targetProximityPlacementGroupId": target.proximity_group_id,
        "targetBootDiagnosticsStorageAccountId": target.boot_diagnostics_id,
        "targetNetworkId": target.network_id,
        "testNetworkId": target.test_network_id,
        "failoverRecoveryPointId": item.failover_point,
        **_recovery(item, now),
        **_initial_replication(item),
        "resyncProgressPercentage": None,
        "resyncProcessedBytes": None,
        "resyncTransferredBytes": None,
        "resyncProgressHealth": "None",
        "resyncRequired": "false",
        "resyncState": "None",
        "agentUpgradeState": "None",
        "lastAgentUpgradeType": None,
        "agentUpgradeJobId": None,
        "agentUpgradeAttemptToVersion": None,
        "protectedDisks": [] if sparse else [_disk(item, disk, now) for disk in item.disks],
        "isLastUpgradeSuccessful": "false",
        "isAgentRegistrationSuccessfulAfterFailover": True if item.last_failover else None,
        "mobilityAgentDetails": _agent(item),
        "lastAgentUpgradeErrorDetails": [],
        "agentUpgradeBlockingErrorDetails": [],
        "vmNics": [] if sparse else [_nic(nic) for nic in item.nics],
        "discoveredVmDetails": None if item.stage is Stage.ENABLING_FAILED else _discovered(item, fabric, now),
    }
    if api_version >= SINCE_2026_FIELDS:
        body.update(_since_2026(item))
    return body


def _since_2026(item: ProtectedItem) -> dict[str, Any]:
    target = item.target
    return {
        "sqlServerLicenseType": target.sql_license_type,
        "linuxLicenseType": target.linux_license_type,
        "targetVmTags": _tag_list(target.tags),
        "seedManagedDiskTags": _tag_list(target.seed_disk_tags),
        "targetManagedDiskTags": _tag_list(target.disk_tags),
        "targetNicTags": _tag_list(target.nic_tags),
        "targetVmSecurityProfile": target.security_profile,
        "unprotectedDisks": [],
        "osName": item.host.os_name,
        "supportedOSVersions": [],
    }


def _tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"tagName": name, "tagValue": value} for name, value in tags.items()]


def _recovery(item: ProtectedItem, now: datetime) -> dict[str, Any]:
    replication = item.replication
    if replication is None or not replication.points:
        return {"lastRecoveryPointId": None}
    last = replication.points[0]
    counted_to = item.last_failover or now
    return {
        "lastRecoveryPointReceived": iso7(last.at),
        "lastRpoInSeconds": max(0, int((counted_to - last.at).total_seconds())),
        "lastRpoCalculatedTime": iso7(counted_to),
        "lastRecoveryPointId": point_id(item, last.name),
    }


def point_id(item: ProtectedItem, name: str) -> str:
    """Return a recovery point's id as item bodies write it: under the container's alias, not its name."""
    return (
        f"{item.fabric_id}/replicationProtectionContainers/cloud_{item.fabric_guid}"
        f"/replicationProtectedItems/{item.name}/recoveryPoints/{name}"
    )


def _initial_replication(item: ProtectedItem) -> dict[str, Any]:
    share = timeline.transferred_share(item)
    total = sum(disk.size_bytes for disk in item.disks)
    replication = item.replication
    health = "None"
    if replication is not None and replication.protected_at is None and item.stage is Stage.REPLICATING:
        health = "NoProgress" if replication.stalled_since else "InProgress" if share is not None else "None"
    sent = None if share is None else int(total * share)
    return {
        "initialReplicationProgressPercentage": None if share is None else int(share * 100),
        "initialReplicationProcessedBytes": sent,
        "initialReplicationTransferredBytes": None if sent is None else sent // 3,
        "initialReplicationProgressHealth": health,
    }


def _disk(item: ProtectedItem, disk: Disk, now: datetime) -> dict[str, Any]:
    replication = item.replication
    complete = replication is not None and replication.protected_at is not None
    body: dict[str, Any] = {
        "diskId": disk.disk_id,
        "diskName": disk.name,
        "isOSDisk": "true" if disk.boot else "false",
        "capacityInBytes": disk.size_bytes,
        "logStorageAccountId": disk.log_account_id,
        "diskEncryptionSetId": disk.encryption_set_id,
        "seedManagedDiskId": disk.seed_id,
        "seedBlobUri": None,
        "targetManagedDiskId": disk.target_id,
        "targetBlobUri": None,
        "diskType": disk.disk_type,
        "dataPendingInLogDataStoreInMB": 0.0,
        "dataPendingAtSourceAgentInMB": 0.0,
        "isInitialReplicationComplete": "true" if complete else "false",
    }
    if replication is not None and not complete:
        body["irDetails"] = _ir_details(item, disk, now)
    return body


def _ir_details(item: ProtectedItem, disk: Disk, now: datetime) -> dict[str, Any]:
    share = timeline.transferred_share(item)
    replication = item.replication
    if replication is None or share is None:
        return {
            "progressHealth": "Queued",
            "transferredBytes": 0,
            "last15MinutesTransferredBytes": 0,
            "lastDataTransferTimeUtc": "",
            "processedBytes": 0,
            "startTime": "",
            "lastRefreshTime": "",
            "progressPercentage": None,
        }
    return {
        "progressHealth": "NoProgress" if replication.stalled_since else "InProgress",
        "transferredBytes": int(disk.size_bytes * share) // 3,
        "last15MinutesTransferredBytes": 0 if replication.stalled_since else disk.size_bytes // 40,
        "lastDataTransferTimeUtc": iso(replication.last_data) if replication.last_data else "",
        "processedBytes": int(disk.size_bytes * share),
        "startTime": replication.started.strftime("%Y-%b-%d %H:%M:%S"),
        "lastRefreshTime": f"{now:%-m/%-d/%Y %-I:%M:%S %p}",
        "progressPercentage": int(share * 100),
    }


def _agent(item: ProtectedItem) -> dict[str, Any]:
    version = item.host.agent_version or AGENT_VERSION
    heard = item.last_heartbeat
    return {
        "version": version,
        "latestVersion": version if heard else None,
        "latestAgentReleaseDate": AGENT_RELEASED if heard else None,
        "driverVersion": version,
        "latestUpgradableVersionWithoutReboot": "" if heard else None,
        **({"lastHeartbeatUtc": iso7(heard)} if heard else {}),
        "reasonsBlockingUpgrade": ["AlreadyOnLatestVersion"] if heard else [],
        "isUpgradeable": "false",
    }


def _nic(nic: Nic) -> dict[str, Any]:
    return {
        "nicId": nic.nic_id,
        "isPrimaryNic": "true" if nic.primary else "false",
        "isSelectedForFailover": "true" if nic.selected else "false",
        "sourceIPAddress": nic.source_address,
        "sourceIPAddressType": "Static",
        "sourceNetworkId": nic.network_name,
        "sourceSubnetName": None,
        "targetIPAddress": nic.target_address,
        "targetIPAddressType": "Static" if nic.target_address else "Dynamic",
        "targetSubnetName": nic.target_subnet,
        "testSubnetName": nic.test_subnet,
        "testIPAddress": nic.test_address or None,
        "testIPAddressType": "Static" if nic.test_address else "Dynamic",
    }


def _discovered(item: ProtectedItem, fabric: Fabric, now: datetime) -> dict[str, Any] | None:
    if item.discovery != "VCenter":
        return None
    host = item.host
    return {
        "vCenterId": f"{fabric.vmware_site_id}/vcenters/vcenter",
        "vCenterFQDN": "",
        "datastores": ["datastore"],
        "ipAddresses": list(host.addresses),
        "vmwareToolsStatus": "OK",
        "powerStatus": "OFF" if item.last_failover else "ON",
        "vmFqdn": host.host_name,
        "osName": host.os_name,
        "createdTimestamp": iso7(fabric.registered),
        "updatedTimestamp": iso7(now),
        "isDeleted": False,
        "lastDiscoveryTimeInUtc": iso7(now),
    }
