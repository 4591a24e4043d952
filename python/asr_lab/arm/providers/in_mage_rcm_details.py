"""What an InMageRcm item shows under ``providerSpecificDetails``.

Shapes are those of recorded sessions of the public SDK test suites (service of August 2021, with what 2023 and 2026
added). Lists are sparse: ``protectedDisks`` and ``vmNics`` are empty there.
"""

from datetime import datetime
from typing import Any

from asr_lab.arm.providers import replicate, timeline
from asr_lab.arm.providers.model import Disk, Fabric, Nic, ProtectedItem, Stage
from asr_lab.arm.providers.scope import fabric_of
from asr_lab.arm.wire import iso, iso7
from asr_lab.arm.world import World

AGENT_VERSION = "9.62.7096.1"
AGENT_RELEASED = "2024-10-15T00:00:00Z"
SINCE_2026_FIELDS = "2025-01-01"


def details(world: World, item: ProtectedItem, now: datetime, *, sparse: bool, api_version: str) -> dict[str, Any]:
    """Return ``providerSpecificDetails`` of the item."""
    fabric = fabric_of(world, item)
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
        "primaryNicIpAddress": host.address,
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
        **initial_replication(item, now),
        **resync(world, item, now),
        **_upgrade(item),
        "protectedDisks": [] if sparse else [_disk(item, disk, now) for disk in item.disks],
        "isLastUpgradeSuccessful": "true" if item.agent_upgraded else "false",
        "isAgentRegistrationSuccessfulAfterFailover": item.booted if item.last_failover else None,
        "mobilityAgentDetails": agent(item),
        "lastAgentUpgradeErrorDetails": [],
        "agentUpgradeBlockingErrorDetails": [],
        "vmNics": [] if sparse else [_nic(nic) for nic in item.nics],
        "discoveredVmDetails": None if item.stage is Stage.ENABLING_FAILED else discovered(item, fabric, now),
    }
    if api_version >= SINCE_2026_FIELDS:
        body.update(_since_2026(item))
    return body


def _upgrade(item: ProtectedItem) -> dict[str, Any]:
    """Return what is told of an update of the Mobility service: none recorded; states are those of the models."""
    running = item.running if item.running and item.running.name == "UpdateMobilityService" else None
    state = "Started" if running else "Completed" if item.agent_upgraded else "None"
    return {
        "agentUpgradeState": state,
        "lastAgentUpgradeType": "Update" if item.agent_upgraded else None,
        "agentUpgradeJobId": running.job_id if running else None,
        "agentUpgradeAttemptToVersion": AGENT_VERSION if running else None,
    }


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
    last = timeline.latest_point(item, now)
    if last is None:
        return {"lastRecoveryPointId": None}
    replication = item.replication
    resync_started = replication.resync_started if replication else None
    counted_to = item.last_failover or resync_started or now
    return {
        "lastRecoveryPointReceived": iso7(last.at),
        "lastRpoInSeconds": max(0, int((counted_to - last.at).total_seconds())),
        "lastRpoCalculatedTime": iso7(counted_to),
        "lastRecoveryPointId": timeline.point_path(item, last.name),
    }


def initial_replication(item: ProtectedItem, now: datetime) -> dict[str, Any]:
    """Return the four values of initial replication; NoProgress while no data comes."""
    share = timeline.transferred_share(item, now)
    replication = item.replication
    health = "None"
    if replication is not None and replication.protected_at is None and item.stage is Stage.REPLICATING:
        health = _progress_health(item) if share is not None or replication.gap else "None"
    return _progress("initialReplication", item, share, health)


def resync(world: World, item: ProtectedItem, now: datetime) -> dict[str, Any]:
    """Return what is told of a resynchronization: required, running, how far."""
    share = timeline.resync_share(item.replication, now)
    required = replicate.resync_fault(world, item) is not None
    state = "StartedResynchronization" if share is not None else "PreparedForResynchronization" if required else "None"
    return {
        **_progress("resync", item, share, "None" if share is None else _progress_health(item)),
        "resyncRequired": "true" if required else "false",
        "resyncState": state,
    }


def _progress(name: str, item: ProtectedItem, share: float | None, health: str) -> dict[str, Any]:
    sent = None if share is None else int(sum(disk.size_bytes for disk in item.disks) * share)
    return {
        f"{name}ProgressPercentage": None if share is None else int(share * 100),
        f"{name}ProcessedBytes": sent,
        f"{name}TransferredBytes": None if sent is None else sent // 3,
        f"{name}ProgressHealth": health,
    }


def _progress_health(item: ProtectedItem) -> str:
    replication = item.replication
    if replication is None or replication.gap is not None:
        return "NoProgress"
    return "SlowProgress" if replication.speed < 1 else "InProgress"


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
        body["irDetails"] = sync_details(item, disk, now, timeline.transferred_share(item, now))
    if replication is not None and replication.resync_started is not None:
        body["resyncDetails"] = sync_details(item, disk, now, timeline.resync_share(replication, now))
    return body


def sync_details(item: ProtectedItem, disk: Disk, now: datetime, share: float | None) -> dict[str, Any]:
    """Return how far one disk has come; the three times are written in three formats (recorded)."""
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
    last = timeline.last_data(replication, now)
    return {
        "progressHealth": _progress_health(item),
        "transferredBytes": int(disk.size_bytes * share) // 3,
        "last15MinutesTransferredBytes": 0 if replication.gap else disk.size_bytes // 40,
        "lastDataTransferTimeUtc": iso(last) if last else "",
        "processedBytes": int(disk.size_bytes * share),
        "startTime": (replication.resync_started or replication.started).strftime("%Y-%b-%d %H:%M:%S"),
        "lastRefreshTime": f"{now:%-m/%-d/%Y %-I:%M:%S %p}",
        "progressPercentage": int(share * 100),
    }


def agent(item: ProtectedItem) -> dict[str, Any]:
    """Return ``mobilityAgentDetails``; a heartbeat that stands still is one that is no longer heard."""
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


def discovered(item: ProtectedItem, fabric: Fabric, now: datetime) -> dict[str, Any] | None:
    """Return what the vCenter server knows of the machine; None for a physical one."""
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
