"""InMageAzureV2, the classic provider: machines that a configuration server knows, replicated to Azure.

Enabling, failing over and reprotecting; the details an item shows stand in ``in_mage_azure_v2_details``.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from asr_lab.arm.estate import HostDescription
from asr_lab.arm.operations import Operation, OperationFailed
from asr_lab.arm.providers import enable, in_mage_switch
from asr_lab.arm.providers.in_mage import (
    PUSH_AFTER_S,
    FromServers,
    new_item,
    policy_told,
    push_agent,
    turned_round,
    wrong_way_back,
)
from asr_lab.arm.providers.in_mage_azure_v2_details import AGENT_VERSION, details
from asr_lab.arm.providers.model import (
    VMWARE_FABRIC,
    Nic,
    Policy,
    ProtectableItem,
    ProtectedItem,
    RecoveryPoint,
    Target,
)
from asr_lab.arm.providers.provider import Action, provider
from asr_lab.arm.providers.scope import Scope, fabric_of, policy_is_mapped
from asr_lab.arm.providers.source_machines import classic_disks
from asr_lab.arm.providers.work import error, with_provider_error
from asr_lab.arm.world import World

__all__ = ["AGENT_VERSION", "InMageAzureV2"]

BACK = "InMage"
FIELDS = MappingProxyType(
    {
        "recoveryAzureV2ResourceGroupId": "resource_group_id",
        "targetAvailabilityZone": "availability_zone",
        "targetProximityPlacementGroupId": "proximity_group_id",
        "sqlServerLicenseType": "sql_license_type",
    }
)


@provider
class InMageAzureV2(FromServers):
    """Machines with the Mobility service, replicated through a configuration server."""

    name = "InMageAzureV2"
    fabric_kinds = frozenset({VMWARE_FABRIC})
    target_fields = FIELDS

    def make_item(self, scope: Scope, policy: Policy, properties: Mapping[str, Any]) -> ProtectedItem:
        """Return the item of a protectable item; raises the 404 when that is missing."""
        given = properties["providerSpecificDetails"]
        protectable = scope.get(properties.get("protectableItemId") or "", ProtectableItem)
        host = protectable.host or _unseen_host(protectable)
        target = _target(given, protectable.friendly_name, enable.default_size(host))
        nic = Nic(
            nic_id=host.mac.upper(),
            source_address=protectable.address,
            network_name="Ethernet" if host.os_type == "Windows" else "eth0",
            target_subnet=target.subnet,
        )
        item = new_item(scope, self.name, policy, protectable.friendly_name, host, target, [nic])
        item.disk_defaults = {
            name: given.get(name) for name in ("logStorageAccountId", "diskType", "diskEncryptionSetId")
        }
        item.disks = enable.disks(classic_disks(protectable), given.get("disksToInclude"), item.disk_defaults)
        item.machine_id = protectable.name
        item.multi_vm_id = given.get("multiVmGroupId") or scope.world.guid()
        item.server_id = enable.needed(given, "processServerId")
        item.account_id = given.get("runAsAccountId") or ""
        item.source_id = protectable.id
        item.protectable_item_id = protectable.id
        item.discovery = protectable.discovery
        item.infrastructure_id = protectable.infrastructure_id
        return item

    def takes(self, item: ProtectedItem, verb: str, instance_type: str) -> bool:
        """Return whether the request fits: a reprotection names the way back's provider, a removal may (models)."""
        if verb == "remove":
            return instance_type in (self.name, BACK)
        return instance_type == (BACK if verb == "reProtect" else self.name)

    def details(
        self, world: World, item: ProtectedItem, now: datetime, *, sparse: bool, api_version: str
    ) -> dict[str, Any]:
        """Return ``providerSpecificDetails`` of the item."""
        return details(world, item, now, sparse=sparse, api_version=api_version)

    def point_details(self, item: ProtectedItem, point: RecoveryPoint) -> dict[str, Any]:
        """Return ``providerSpecificDetails`` of a recovery point (recorded)."""
        return {"instanceType": self.name, "isMultiVmSyncPoint": "false"}

    def commit(self, scope: Scope, item: ProtectedItem, now: datetime) -> Action:
        """Make the failover final; in a wrong state the job is FinalizeFailback, which fails (recorded: 25037)."""
        action = super().commit(scope, item, now)
        return replace(action, scenario="FinalizeFailback") if action.fail else action

    def make_machine(self, world: World, item: ProtectedItem, now: datetime, name: str) -> str:
        """Make the machine of a failover; raises OperationFailed with the provider's error too (recorded: 539)."""
        try:
            return super().make_machine(world, item, now, name)
        except OperationFailed as failure:
            raise _of_provider(world, failure) from failure

    def make_test_machine(self, world: World, item: ProtectedItem, now: datetime, network_id: str) -> str:
        """Make the test machine; raises OperationFailed with the provider's error too (recorded: 539)."""
        try:
            return super().make_test_machine(world, item, now, network_id)
        except OperationFailed as failure:
            raise _of_provider(world, failure) from failure

    def reprotect(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Replicate from the Azure machine back: the item becomes one of InMage when the job ends."""
        if given.get("failoverDirection") not in (None, "RecoveryToPrimary"):
            raise wrong_way_back(item, given)
        specific = given.get("providerSpecificDetails") or {}
        for name in ("masterTargetId", "processServerId", "retentionDrive", "profileId"):
            enable.needed(specific, name)
        fail = self.refuse(item, "SwitchProtection", now)
        if fail is None and fabric_of(scope.world, item).server(specific["masterTargetId"]) is None:
            problem = f"masterTargetId '{specific['masterTargetId']}' is not a server of the item's fabric."
            fail = error("310056", name=item.friendly_name, problem=problem)
        policy = policy_told(scope.world, item, specific, BACK)
        if policy is None or not policy_is_mapped(scope.world, scope.container, policy.id):
            fail = fail or error("78253", name=item.friendly_name, policy=str(specific["profileId"]))
        return self.action(
            scope.world,
            item,
            "SwitchReplicationGroupProtection",
            "reprotect",
            partial(turned_round, scope.world, item, BACK, dict(specific)),
            fail=fail,
            extra={"newReplicationProtectedItemId": item.id},
        )

    def switch_provider(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Move the item to an appliance's fabric and to InMageRcm."""
        return in_mage_switch.switch(self, scope, item, given, now)

    def enabling(self, world: World, item: ProtectedItem, operation: Operation, now: datetime) -> None:
        """Let the process server install the Mobility service on a machine that a vCenter server told of."""
        if operation.fail is None and not item.host.host_id:
            world.after(now, PUSH_AFTER_S, partial(_push, world, item, operation))


def _of_provider(world: World, failure: OperationFailed) -> OperationFailed:
    return OperationFailed(with_provider_error(failure.error, "539", world.guid(), provider="InMageAzureV2"))


def _target(given: Mapping[str, Any], name: str, size: str) -> Target:
    return Target(
        vm_name=given.get("targetAzureVmName") or name,
        vm_size=given.get("targetVmSize") or size,
        resource_group_id=given.get("targetAzureV2ResourceGroupId") or "",
        network_id=given.get("targetAzureNetworkId") or "",
        subnet=given.get("targetAzureSubnetId") or "",
        multi_vm_group=given.get("multiVmGroupName"),
        rdp=given.get("enableRdpOnTargetOption") or "Never",
        managed_disks=not given.get("storageAccountId"),
        storage_account_id=given.get("storageAccountId") or "",
        tags=enable.tag_map(given.get("targetVmTags")),
        disk_tags=enable.tag_map(given.get("targetManagedDiskTags")),
        seed_disk_tags=enable.tag_map(given.get("seedManagedDiskTags")),
        nic_tags=enable.tag_map(given.get("targetNicTags")),
        **enable.placement(given),
    )


def _push(world: World, item: ProtectedItem, operation: Operation, now: datetime) -> None:
    """Install the agent; only then are the disks of the machine known."""
    account = fabric_of(world, item).accounts.get(item.account_id, "")
    push_agent(world, item, operation, account, now)
    protectable = world.resources.get(item.protectable_item_id or "")
    if not item.host.host_id or not isinstance(protectable, ProtectableItem):
        return
    protectable.host = item.host
    item.disks = enable.disks(classic_disks(protectable), None, item.disk_defaults)


def _unseen_host(item: ProtectableItem) -> HostDescription:
    return HostDescription(
        host_id="",
        host_name=item.friendly_name,
        addresses=(item.address,),
        os_type="Linux" if item.os_type.upper() == "LINUX" else "Windows",
        os_name="",
        disks=(),
        bios_id="",
        mac="",
        firmware="BIOS",
        cores=0,
        memory_mb=0,
        agent_version=None,
    )
