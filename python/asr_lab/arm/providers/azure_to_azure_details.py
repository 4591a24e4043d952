"""``providerSpecificDetails`` of A2A items, in the order and shape of a recorded enable, failover and reprotection.

Recorded with api-version 2022-08-01; what later api-versions added follows the specification.
"""

from datetime import datetime
from typing import Any

from asr_lab.arm.providers import timeline
from asr_lab.arm.providers.azure_to_azure_model import A2A, AzureDisk, AzureNic, AzureToAzureItem
from asr_lab.arm.providers.model import Stage
from asr_lab.arm.providers.rules import protection_state
from asr_lab.arm.wire import iso, iso7

SINCE_CHURN = "2023-06-01"
SINCE_CLUSTERS = "2024-02-01"
SINCE_FAULT_DOMAIN = "2025-02-01"
NO_EXPIRY = "9999-12-31T23:59:59.9999999"
LAST_PERCENTAGE = 43
"""The highest percentage that was recorded: the service shows no other before it waits for the first point."""

NOTHING_YET = 0.2
"""The share of the transfer in which it stays at 0 (a recorded machine with little data showed nothing else)."""

UNPROTECTED = ("UnprotectedStatesBegin", "Enabling protection")


def details(
    item: AzureToAzureItem, locations: tuple[str, str], unprotected: list[int], now: datetime, *, api_version: str
) -> dict[str, Any]:
    """Return the details.

    ``locations`` are the primary and the recovery region, ``unprotected`` the LUNs of disks that are not replicated.
    """
    target = item.target
    percentage = initial_replication_percentage(item, now)
    point = timeline.latest_point(item, now)
    last = item.replication.stopped if item.replication else None
    heard = item.last_heartbeat
    state, text = _vm_state(item, now)
    body: dict[str, Any] = {
        "instanceType": A2A,
        "fabricObjectId": item.source_id.lower(),
        "initialPrimaryZone": item.initial_primary_zone,
        "initialPrimaryFabricLocation": item.initial_primary_location,
        "initialRecoveryZone": item.initial_recovery_zone,
        "initialPrimaryExtendedLocation": None,
        "initialRecoveryExtendedLocation": None,
        "initialRecoveryFabricLocation": item.initial_recovery_location,
        "multiVmGroupId": item.multi_vm_id,
        "multiVmGroupName": target.multi_vm_group or "",
        "multiVmGroupCreateOption": "UserSpecified" if item.multi_vm_created_by_user else "AutoCreated",
        "managementId": item.management_id,
        "protectedDisks": None,
        "unprotectedDisks": [
            {"diskLunId": lun, "diskAutoProtectionStatus": item.auto_protection} for lun in unprotected
        ]
        or None,
        "protectedManagedDisks": [_disk(item, disk, percentage, now) for disk in azure_disks(item)],
        "recoveryBootDiagStorageAccountId": target.boot_diagnostics_id or None,
        "primaryFabricLocation": locations[0],
        "recoveryFabricLocation": locations[1],
        "osType": item.host.os_type,
        "recoveryAzureVMSize": target.vm_size,
        "recoveryAzureVMName": target.vm_name,
        "recoveryAzureResourceGroupId": target.resource_group_id,
        "recoveryCloudService": item.cloud_service_id,
        "recoveryAvailabilitySet": target.availability_set_id or None,
        "selectedRecoveryAzureNetworkId": (target.network_id or None) if item.synced else None,
        "selectedTfoAzureNetworkId": target.test_network_id or None,
        "vmNics": [_nic(nic) for nic in item.nics if isinstance(nic, AzureNic)],
        "vmSyncedConfigDetails": {"tags": dict(item.synced_tags), "inputEndpoints": []},
        "monitoringPercentageCompletion": percentage,
        "monitoringJobType": None if percentage is None else "InitialReplication",
        "lastHeartbeat": iso7(heard) if heard else None,
        "agentVersion": item.agent_version,
        "agentExpiryDate": NO_EXPIRY,
        "isReplicationAgentUpdateRequired": False,
    }
    if item.certificate_expires is not None:
        body["agentCertificateExpiryDate"] = iso(item.certificate_expires)
    body |= {
        "isReplicationAgentCertificateUpdateRequired": False,
        "recoveryFabricObjectId": item.vm_id,
        "vmProtectionState": state,
        "vmProtectionStateDescription": text,
        "lifecycleId": item.lifecycle_id,
        "testFailoverRecoveryFabricObjectId": next(iter(item.test_vm_ids), None),
        "rpoInSeconds": None if point is None else max(0, int(((last or now) - point.at).total_seconds())),
        "lastRpoCalculatedTime": None if point is None else iso7(last or now),
        "primaryAvailabilityZone": item.primary_zone,
        "recoveryAvailabilityZone": target.availability_zone or None,
        "primaryExtendedLocation": None,
        "recoveryExtendedLocation": item.recovery_extended_location,
        "vmEncryptionType": "NotEncrypted",
        "tfoAzureVMName": item.test_machine_name,
        "recoveryAzureGeneration": item.generation,
        "recoveryProximityPlacementGroupId": target.proximity_group_id or None,
        "autoProtectionOfDataDisk": item.auto_protection,
        "recoveryVirtualMachineScaleSetId": item.scale_set_id,
        "recoveryCapacityReservationGroupId": item.capacity_group_id,
    }
    return body | _later(item, api_version)


def azure_disks(item: AzureToAzureItem) -> list[AzureDisk]:
    """Return the protected disks of an item."""
    return [disk for disk in item.disks if isinstance(disk, AzureDisk)]


def initial_replication_percentage(item: AzureToAzureItem, now: datetime) -> int | None:
    """Return monitoringPercentageCompletion: None while the data waits, then 0 to 43, which stays afterwards."""
    replication = item.replication
    if replication is None:
        return None
    if replication.protected_at is not None:
        return LAST_PERCENTAGE
    if now < timeline.queue_ends(replication):
        return None
    moved_s = timeline.seconds(replication, now)
    share = min(1.0, moved_s / replication.transfer_s) if replication.transfer_s else 1.0
    return int(round(LAST_PERCENTAGE * max(0.0, share - NOTHING_YET) / (1 - NOTHING_YET), 6))


def disk_state(item: AzureToAzureItem, disk: AzureDisk, now: datetime) -> str:
    """Return ``diskState``: Unavailable before replication, then InitialReplicationPending, then Protected."""
    replication = item.replication
    if replication is None:
        return "InitialReplicationFailed" if item.stage is Stage.ENABLING_FAILED else "Unavailable"
    if disk.added is not None and (disk.protected_from is None or disk.protected_from > now):
        return "InitialReplicationPending"
    return "Protected" if replication.protected_at is not None else "InitialReplicationPending"


def _vm_state(item: AzureToAzureItem, now: datetime) -> tuple[str, str]:
    """Return vmProtectionState and its text: enabling until the initial replication is done, then the item's own."""
    replication = item.replication
    if item.stage is Stage.ENABLING_FAILED or (replication is not None and replication.protected_at is not None):
        state = timeline.protection_state(item, now)
        return state, str(protection_state(timeline.state_row(item, now))["text"])
    return UNPROTECTED


def _disk(item: AzureToAzureItem, disk: AzureDisk, percentage: int | None, now: datetime) -> dict[str, Any]:
    state = disk_state(item, disk, now)
    running = state == "InitialReplicationPending" and percentage is not None
    moving = running and timeline.protection_state(item, now) == "InitialReplicationInProgress"
    return {
        "diskId": disk.disk_id,
        "recoveryResourceGroupId": disk.recovery_group_id,
        "recoveryTargetDiskId": disk.target_id,
        "recoveryReplicaDiskId": disk.replica_id,
        "recoveryOrignalTargetDiskId": disk.original_id,
        "recoveryReplicaDiskAccountType": disk.replica_type,
        "recoveryTargetDiskAccountType": disk.disk_type,
        "recoveryDiskEncryptionSetId": disk.encryption_set_id,
        "primaryDiskEncryptionSetId": disk.source_encryption_set_id,
        "diskName": disk.name,
        "diskCapacityInBytes": disk.size_bytes,
        "primaryStagingAzureStorageAccountId": disk.log_account_id,
        "diskType": "OperatingSystem" if disk.boot else "Data",
        "resyncRequired": False,
        "monitoringPercentageCompletion": (percentage or None) if moving else None,
        "monitoringJobType": "InitialReplication" if running else None,
        "dataPendingInStagingStorageAccountInMB": 0.0,
        "dataPendingAtSourceAgentInMB": 1.234375 if state == "Protected" else 0.7265625 if running else 0.0,
        "diskState": state,
        "allowedDiskLevelOperation": [],
        "isDiskEncrypted": False,
        "secretIdentifier": None,
        "dekKeyVaultArmId": None,
        "isDiskKeyEncrypted": False,
        "keyIdentifier": None,
        "kekKeyVaultArmId": None,
        "failoverDiskName": disk.failover_name,
        "tfoDiskName": disk.test_name,
    }


def _nic(nic: AzureNic) -> dict[str, Any]:
    return {
        "nicId": nic.nic_id,
        "replicaNicId": None,
        "sourceNicArmId": nic.arm_id,
        "vMNetworkName": nic.source_network_id,
        "recoveryVMNetworkId": nic.recovery_network_id,
        "ipConfigs": [
            {
                "name": nic.ip_config,
                "isPrimary": nic.primary,
                "subnetName": nic.source_subnet,
                "staticIPAddress": nic.source_address or None,
                "ipAddressType": nic.address_type,
                "isSeletedForFailover": nic.selected,
                "recoverySubnetName": nic.target_subnet or None,
                "recoveryStaticIPAddress": nic.target_address,
                "recoveryIPAddressType": "Static" if nic.target_address else "Dynamic",
                "recoveryPublicIPAddressId": nic.recovery_public_ip_id,
                "recoveryLBBackendAddressPoolIds": nic.recovery_pools,
                "tfoSubnetName": nic.test_subnet or None,
                "tfoStaticIPAddress": nic.test_address or None,
                "tfoPublicIPAddressId": nic.test_public_ip_id,
                "tfoLBBackendAddressPoolIds": nic.test_pools,
            }
        ],
        "selectionType": nic.selection,
        "recoveryNetworkSecurityGroupId": nic.recovery_security_group_id,
        "enableAcceleratedNetworkingOnRecovery": nic.recovery_accelerated,
        "tfoVMNetworkId": nic.test_network_id,
        "tfoNetworkSecurityGroupId": nic.test_security_group_id,
        "enableAcceleratedNetworkingOnTfo": nic.test_accelerated,
        "recoveryNicName": nic.recovery_name,
        "recoveryNicResourceGroupName": nic.recovery_group,
        "reuseExistingNic": nic.reuse,
        "tfoRecoveryNicName": nic.test_name,
        "tfoRecoveryNicResourceGroupName": nic.test_group,
        "tfoReuseExistingNic": nic.test_reuse,
        "targetNicName": nic.recovery_name,
    }


def _later(item: AzureToAzureItem, api_version: str) -> dict[str, Any]:
    later: dict[str, Any] = {}
    if api_version >= SINCE_CHURN:
        later["churnOptionSelected"] = "Normal"
    if api_version >= SINCE_CLUSTERS:
        later |= {"protectionClusterId": None, "isClusterInfraReady": False}
    if api_version >= SINCE_FAULT_DOMAIN:
        later |= {
            "osFamilyName": item.host.os_type,
            "distroName": None,
            "isAgentUpgradeable": False,
            "isAgentReinstallRequired": False,
            "isAgentUpgradeInProgress": False,
            "platformFaultDomain": item.fault_domain,
        }
    return later
