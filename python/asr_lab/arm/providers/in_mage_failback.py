"""InMageRcmFailback and InMage: machines that have failed over to Azure and replicate back to their own site.

An item becomes one of these by ``reProtect``, goes back by a failover and its commit, and replicates to Azure again
after another ``reProtect``. States and the failover's body of InMageRcmFailback are recorded; what the items show
follows the models of the specification.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers import enable, replicate, timeline
from asr_lab.arm.providers.in_mage import FromServers, turned_round
from asr_lab.arm.providers.in_mage_azure_v2_details import (
    nic_body,
    progress,
    resync_duration_s,
    rpo_s,
    stage_of,
    vm_state,
)
from asr_lab.arm.providers.in_mage_rcm_details import agent, discovered, initial_replication, resync, sync_details
from asr_lab.arm.providers.model import Disk, Policy, ProtectedItem, Stage
from asr_lab.arm.providers.provider import Action, RecoverySide, provider
from asr_lab.arm.providers.scope import Scope, container_of, fabric_of
from asr_lab.arm.resources.compute import set_power
from asr_lab.arm.wire import bad_request, iso, iso7
from asr_lab.arm.world import World

NO_TARGET: dict[str, Any] = {
    "recoveryVMNetworkId": None,
    "recoveryVMSubnetName": "",
    "replicaNicStaticIPAddress": "",
    "selectionType": "NotSelected",
    "recoveryNicIpAddressType": "Dynamic",
}
"""What a network adapter says on the way back, where nothing is chosen for it (recorded)."""


class Failback(FromServers):
    """Replication from Azure back to the source's site."""

    forward: str
    """The provider that replicates to Azure again afterwards."""

    def make_item(self, scope: Scope, policy: Policy, properties: Mapping[str, Any]) -> ProtectedItem:
        """Refuse: an item becomes one of this provider by reProtect."""
        raise bad_request(
            "InvalidProviderSpecificInput",
            f"properties.providerSpecificDetails.instanceType is '{self.name}', which no machine is enabled with; "
            f"enable it with {self.forward} and turn replication round with reProtect after a failover.",
        )

    def recovery_side(self, world: World, item: ProtectedItem) -> RecoverySide:
        """Return the item's own fabric and container (recorded for InMage)."""
        fabric, container = fabric_of(world, item), container_of(world, item)
        return RecoverySide(
            fabric_id=fabric.id,
            fabric_name=fabric.friendly_name,
            container_id=container.id,
            container_name=container.friendly_name,
            cloud_id=f"cloud_{fabric.internal_id}",
            vmm_id=fabric.internal_id,
            fabric_kind=fabric.kind,
        )

    def enabled(self, world: World, item: ProtectedItem, now: datetime) -> None:
        """Begin the initial replication of the way back."""
        replicate.begin(world, item, now)

    def wrong_direction(self, item: ProtectedItem, given: Mapping[str, Any]) -> OperationError | None:
        """Accept both: clients differ in what they call the way back."""
        return None

    def fail_back(
        self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime, *, planned: bool
    ) -> Action:
        """Return the failover to the own site; the Azure machine is stopped."""
        name = "PlannedFailover" if planned else "UnplannedFailover"
        fail = self.refuse(item, name, now)
        item.failback |= {"began": now, "status": "InProgress" if fail is None else "Failed"}
        return self.action(
            scope.world,
            item,
            name,
            "planned_failover" if planned else "unplanned_failover",
            partial(self._back, scope.world, item, now, planned),
            on_failed=None if fail else partial(self._stayed, item),
            fail=fail,
            extra={"protectedItemDetails": []},
            asked=True,
        )

    def forward_again(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Return the reprotection that makes the item one of ``forward`` again."""
        specific = dict(given.get("providerSpecificDetails") or {})
        return self.action(
            scope.world,
            item,
            "SwitchReplicationGroupProtection",
            "reprotect",
            partial(self._forward, scope.world, item, specific),
            fail=self.refuse(item, "SwitchProtection", now),
            extra={"newReplicationProtectedItemId": item.id},
        )

    def _forward(self, world: World, item: ProtectedItem, specific: Mapping[str, Any], due: datetime) -> None:
        item.vm_id = item.failover_point = item.last_failover = None
        item.server_id = specific.get("processServerId") or item.server_id
        item.account_id = specific.get("runAsAccountId") or item.account_id
        turned_round(world, item, self.forward, {name: specific.get(name) for name in ("policyId",)}, due)

    def _back(self, world: World, item: ProtectedItem, began: datetime, planned: bool, due: datetime) -> None:
        if item.vm_id and item.vm_id in world.resources:
            set_power(world, item.vm_id, "deallocated", due)
        item.stage = Stage.FAILED_OVER
        item.planned = planned
        item.last_failover = began
        item.failback["status"] = "Succeeded"
        replicate.stop(world, item, due)

    def _stayed(self, item: ProtectedItem, _due: datetime, _error: OperationError) -> None:
        item.failback["status"] = "Failed"
        item.stage = Stage.FAILOVER_FAILED

    def _failover_cancelled(self, world: World, item: ProtectedItem, due: datetime) -> None:
        if item.vm_id and item.vm_id in world.resources:
            set_power(world, item.vm_id, "running", due)
        replicate.go_on(world, item, due)


@provider
class InMageRcmFailback(Failback):
    """The way back of InMageRcm."""

    name = "InMageRcmFailback"
    forward = "InMageRcm"
    primary_fabric_provider = "InMageRcmFabric"

    def services_provider_id(self, world: World, item: ProtectedItem) -> str | None:
        """Return the provider of the appliance that the item replicates through."""
        return f"{item.fabric_id}/replicationRecoveryServicesProviders/{item.server_id}"

    def planned_failover(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Go back to the own site."""
        enable.needed(given.get("providerSpecificDetails") or {}, "recoveryPointType")
        return self.fail_back(scope, item, given, now, planned=True)

    def reprotect(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Replicate to Azure again after the failback was committed (specification: the models have a body)."""
        return self.forward_again(scope, item, given, now)

    def details(
        self, world: World, item: ProtectedItem, now: datetime, *, sparse: bool, api_version: str
    ) -> dict[str, Any]:
        """Return ``providerSpecificDetails`` of the item (specification)."""
        fabric, back = fabric_of(world, item), item.failback
        server = fabric.server(back.get("reprotectAgentId") or "")
        policy = world.resources.get(item.policy_id)
        began = back.get("began")
        return {
            "instanceType": self.name,
            "internalIdentifier": item.machine_id,
            "azureVirtualMachineId": item.vm_id,
            "multiVmGroupName": item.target.multi_vm_group,
            "reprotectAgentId": back.get("reprotectAgentId"),
            "reprotectAgentName": server.name if server else "",
            "osType": item.host.os_type,
            "logStorageAccountId": back.get("logStorageAccountId"),
            "targetvCenterId": f"{fabric.vmware_site_id}/vcenters/vcenter" if item.discovery == "VCenter" else None,
            "targetDataStoreName": back.get("datastoreName"),
            "targetVmName": item.friendly_name,
            **initial_replication(item, now),
            **resync(world, item, now),
            "protectedDisks": [] if sparse else [_rcm_disk(item, disk, now) for disk in item.disks],
            "mobilityAgentDetails": {
                name: value for name, value in agent(item).items() if name not in ("latestAgentReleaseDate",)
            },
            "vmNics": []
            if sparse
            else [
                {
                    "macAddress": nic.nic_id,
                    "networkName": nic.network_name,
                    "adapterType": "VMXNET3",
                    "sourceIpAddress": nic.source_address,
                }
                for nic in item.nics
            ],
            "lastPlannedFailoverStartTime": iso7(began) if isinstance(began, datetime) else None,
            "lastPlannedFailoverStatus": back.get("status"),
            "discoveredVmDetails": discovered(item, fabric, now),
            "lastUsedPolicyId": item.policy_id,
            "lastUsedPolicyFriendlyName": policy.name if isinstance(policy, Policy) else "",
            "isAgentRegistrationSuccessfulAfterFailover": item.stage is Stage.FAILED_OVER or None,
        }


@provider
class InMage(Failback):
    """The way back of InMageAzureV2."""

    name = "InMage"
    forward = "InMageAzureV2"

    def takes(self, item: ProtectedItem, verb: str, instance_type: str) -> bool:
        """Return whether the request fits; a reprotection names the provider that replicates to Azure again."""
        return instance_type == (self.forward if verb == "reProtect" else self.name)

    def unplanned_failover(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Go back to the own site."""
        return self.fail_back(scope, item, given, now, planned=False)

    def reprotect(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Replicate to Azure again after the failback was committed."""
        return self.forward_again(scope, item, given, now)

    def details(
        self, world: World, item: ProtectedItem, now: datetime, *, sparse: bool, api_version: str
    ) -> dict[str, Any]:
        """Return ``providerSpecificDetails`` of the item (recorded in a list; specification for the full read)."""
        host, back = item.host, item.failback
        state, text = vm_state(item, now)
        calculated = timeline.last_data(item.replication, now) if item.replication else None
        heard = item.last_heartbeat
        found = [] if sparse else timeline.points(item, now)
        protected = item.replication is not None and item.replication.protected_at is not None
        boot = next((disk for disk in item.disks if disk.boot), None)
        return {
            "instanceType": self.name,
            "activeSiteType": "Azure" if item.stage in replicate.REPLICATES else "Primary",
            "sourceVmCPUCount": 0 if sparse else host.cores,
            "sourceVmRAMSizeInMB": 0 if sparse else host.memory_mb,
            "osDetails": None
            if sparse
            else {
                "osVhdId": boot.disk_id if boot else None,
                "osType": host.os_type,
                "vhdName": boot.name if boot else None,
            },
            "protectionStage": stage_of(item, now),
            "vmId": item.machine_id,
            "vmProtectionState": state,
            "vmProtectionStateDescription": text,
            "resyncDetails": {
                "initialReplicationType": "InitialReplication",
                "initialReplicationProgressPercentage": str(progress(item, now)),
            },
            "retentionWindowStart": iso7(found[-1].at) if found else None,
            "retentionWindowEnd": iso7(found[0].at) if found else None,
            "compressedDataRateInMB": 0.0,
            "uncompressedDataRateInMB": 0.0,
            "rpoInSeconds": rpo_s(item, now),
            "protectedDisks": [] if sparse else [_in_mage_disk(item, disk, now) for disk in item.disks],
            "ipAddress": host.address,
            "lastHeartbeat": iso(heard) if heard else None,
            "processServerId": back.get("processServerId") or item.server_id,
            "masterTargetId": None if sparse else back.get("masterTargetId"),
            "consistencyPoints": None if sparse else {},
            "diskResized": None if sparse else "NotResized",
            "rebootAfterUpdateStatus": None if sparse else "NotRequired",
            "multiVmGroupId": item.multi_vm_id,
            "multiVmGroupName": item.target.multi_vm_group or item.multi_vm_id,
            "multiVmSyncStatus": "Enabled",
            "agentDetails": {
                "agentVersion": host.agent_version or "",
                "agentUpdateStatus": "NotRequired",
                "postUpdateRebootStatus": "NotRequired",
            },
            "vCenterInfrastructureId": item.infrastructure_id if protected else None,
            "infrastructureVmId": item.machine_id,
            "vmNics": [{**nic_body(item, nic), **NO_TARGET} for nic in item.nics] if protected else [],
            "discoveryType": item.discovery,
            "azureStorageAccountId": item.target.storage_account_id or None,
            "datastores": [back["datastoreName"]] if back.get("datastoreName") else [],
            "validationErrors": [],
            "lastRpoCalculatedTime": iso(calculated) if calculated else None,
            "lastUpdateReceivedTime": iso7(heard or now),
            "replicaId": f"{item.machine_id}_replica_cloud_{item.fabric_guid}",
            "osVersion": None if sparse else host.os_name,
        }


def _rcm_disk(item: ProtectedItem, disk: Disk, now: datetime) -> dict[str, Any]:
    replication = item.replication
    complete = replication is not None and replication.protected_at is not None
    last = timeline.last_data(replication, now) if replication else None
    body: dict[str, Any] = {
        "diskId": disk.disk_id,
        "diskName": disk.name,
        "isOSDisk": "true" if disk.boot else "false",
        "capacityInBytes": disk.size_bytes,
        "diskUuid": disk.disk_id,
        "dataPendingInLogDataStoreInMB": 0.0,
        "dataPendingAtSourceAgentInMB": 0.0,
        "isInitialReplicationComplete": "true" if complete else "false",
        "lastSyncTime": iso7(last) if last else None,
    }
    if replication is not None and not complete:
        body["irDetails"] = sync_details(item, disk, now, timeline.transferred_share(item, now))
    return body


def _in_mage_disk(item: ProtectedItem, disk: Disk, now: datetime) -> dict[str, Any]:
    return {
        "diskId": disk.disk_id,
        "diskName": disk.name,
        "protectionStage": stage_of(item, now),
        "healthErrorCode": "ECH0007" if timeline.stalled(item, now) else None,
        "rpoInSeconds": rpo_s(item, now),
        "resyncRequired": "NotRequired",
        "resyncProgressPercentage": progress(item, now),
        "resyncDurationInSeconds": resync_duration_s(item, now),
        "diskCapacityInBytes": disk.size_bytes,
        "fileSystemCapacityInBytes": disk.size_bytes,
        "sourceDataInMB": 0.0,
        "psDataInMB": 0.0,
        "targetDataInMB": 0.0,
        "diskResized": "NotResized",
    }
