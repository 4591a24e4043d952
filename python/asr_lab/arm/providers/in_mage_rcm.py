"""InMageRcm, the modernized provider: appliances push the Mobility agent and replicate to managed disks.

Enabling, failing over and reprotecting; the details an item shows stand in ``in_mage_rcm_details``.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from asr_lab.arm.operations import Operation
from asr_lab.arm.providers import enable, in_mage_disks
from asr_lab.arm.providers.in_mage import PUSH_AFTER_S, FromServers, new_item, push_agent, turned_round, wrong_way_back
from asr_lab.arm.providers.in_mage_rcm_details import AGENT_VERSION, details
from asr_lab.arm.providers.model import RCM_FABRIC, Nic, Policy, ProtectedItem, RecoveryPoint, Target
from asr_lab.arm.providers.provider import Action, provider
from asr_lab.arm.providers.scope import Scope, fabric_of
from asr_lab.arm.providers.source_machines import discovered_disks, discovered_host
from asr_lab.arm.providers.work import error
from asr_lab.arm.wire import bad_request, iso7
from asr_lab.arm.world import World

__all__ = ["AGENT_VERSION", "InMageRcm"]

BACK = "InMageRcmFailback"
FIELDS = MappingProxyType(
    {
        "targetVmName": "vm_name",
        "targetVmSize": "vm_size",
        "targetResourceGroupId": "resource_group_id",
        "targetNetworkId": "network_id",
        "testNetworkId": "test_network_id",
        "targetAvailabilitySetId": "availability_set_id",
        "targetAvailabilityZone": "availability_zone",
        "targetProximityPlacementGroupId": "proximity_group_id",
        "targetBootDiagnosticsStorageAccountId": "boot_diagnostics_id",
        "licenseType": "license_type",
        "sqlServerLicenseType": "sql_license_type",
        "linuxLicenseType": "linux_license_type",
        "targetVmSecurityProfile": "security_profile",
    }
)


@provider
class InMageRcm(FromServers):
    """Machines that an appliance discovered, replicated to Azure."""

    name = "InMageRcm"
    fabric_kinds = frozenset({RCM_FABRIC})
    primary_fabric_provider = "InMageRcmFabric"
    target_fields = FIELDS

    def make_item(self, scope: Scope, policy: Policy, properties: Mapping[str, Any]) -> ProtectedItem:
        """Return the item of a discovered machine; raises ArmError 400 when no appliance has discovered it."""
        given = properties["providerSpecificDetails"]
        machine_id = enable.needed(given, "fabricDiscoveryMachineId")
        enable.needed(given, "processServerId")
        enable.needed(given, "targetResourceGroupId")
        machine = scope.world.resources.get(machine_id)
        if machine is None or "/microsoft.offazure/" not in machine_id.casefold():
            raise bad_request(
                "InvalidFabricDiscoveryMachineId",
                f"properties.providerSpecificDetails.fabricDiscoveryMachineId is '{machine_id}'; no appliance has "
                "discovered such a machine.",
                action="Add the server on the appliance and wait until it is listed.",
            )
        found = machine["properties"]
        host = discovered_host(found)
        target = _target(given, found["displayName"], enable.default_size(host))
        nics = [
            Nic(
                nic_id=adapter["macAddress"],
                source_address=next(iter(adapter["ipAddressList"]), ""),
                network_name=adapter["networkName"],
                primary=number == 0,
                target_subnet=target.subnet,
                test_subnet=target.test_subnet,
            )
            for number, adapter in enumerate(found["networkAdapters"])
        ]
        item = new_item(scope, self.name, policy, found["displayName"], host, target, nics)
        item.disks = enable.disks(discovered_disks(found), given.get("disksToInclude"), given.get("disksDefault") or {})
        item.machine_id = scope.world.guid()
        item.server_id = given["processServerId"]
        item.account_id = given.get("runAsAccountId") or ""
        item.source_id = machine_id
        item.discovery = "VCenter" if "/vmwaresites/" in machine_id.casefold() else "Physical"
        return item

    def enabling(self, world: World, item: ProtectedItem, operation: Operation, now: datetime) -> None:
        """Let the appliance install the Mobility agent."""
        if operation.fail is None:
            world.after(now, PUSH_AFTER_S, partial(push_agent, world, item, operation, _account(world, item)))

    def details(
        self, world: World, item: ProtectedItem, now: datetime, *, sparse: bool, api_version: str
    ) -> dict[str, Any]:
        """Return ``providerSpecificDetails`` of the item."""
        return details(world, item, now, sparse=sparse, api_version=api_version)

    def services_provider_id(self, world: World, item: ProtectedItem) -> str | None:
        """Return the provider of the appliance that the item replicates through."""
        return f"{item.fabric_id}/replicationRecoveryServicesProviders/{item.server_id}"

    def point_details(self, item: ProtectedItem, point: RecoveryPoint) -> dict[str, Any]:
        """Return ``providerSpecificDetails`` of a recovery point."""
        return {"instanceType": self.name, "isMultiVmSyncPoint": "false"}

    def test_details(self, item: ProtectedItem, point: RecoveryPoint | None) -> list[dict[str, Any]]:
        """Return ``protectedItemDetails`` of a finished test failover's job (recorded)."""
        name = self.test_machine_name(item)
        return [
            {
                "name": item.machine_id,
                "friendlyName": item.friendly_name,
                "testVmName": name,
                "testVmFriendlyName": name,
                "networkConnectionStatus": "Disconnected",
                "networkFriendlyName": "",
                "subnet": None,
                "recoveryPointId": point.name if point else None,
                "recoveryPointTime": iso7(point.at) if point else None,
            }
        ]

    def shuts_down(self, given: Mapping[str, Any]) -> bool:
        """Return whether the request asks to shut the source down: performShutdown, a text (recorded)."""
        specific = given.get("providerSpecificDetails") or {}
        asked = str(specific.get("performShutdown")).casefold() == "true"
        return asked or given.get("sourceSiteOperations") == "Required"

    def unplanned_failover(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Make the Azure machine; raises ArmError 400 without performShutdown."""
        enable.needed(given.get("providerSpecificDetails") or {}, "performShutdown")
        return super().unplanned_failover(scope, item, given, now)

    def reprotect(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Replicate from the Azure machine back: the item becomes one of InMageRcmFailback when the job ends."""
        if given.get("failoverDirection") not in (None, "RecoveryToPrimary"):
            raise wrong_way_back(item, given)
        specific = given.get("providerSpecificDetails") or {}
        for name in ("reprotectAgentId", "datastoreName", "logStorageAccountId"):
            enable.needed(specific, name)
        fail = self.refuse(item, "SwitchProtection", now)
        server = fabric_of(scope.world, item).server(specific["reprotectAgentId"])
        if fail is None and server is None:
            place = f"reprotectAgentId '{specific['reprotectAgentId']}' is not an appliance of the item's fabric."
            fail = error("310056", name=item.friendly_name, problem=place)
        return self.action(
            scope.world,
            item,
            "SwitchReplicationGroupProtection",
            "reprotect",
            partial(turned_round, scope.world, item, BACK, dict(specific)),
            fail=fail,
            extra={"newReplicationProtectedItemId": item.id},
        )

    def add_disks(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Replicate further disks; the items's initial replication state stays, the new disks are copied meanwhile."""
        return in_mage_disks.add(self, scope, item, given["providerSpecificDetails"], now)

    def remove_disks(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Replicate some disks no more."""
        return in_mage_disks.remove(self, scope, item, given.get("providerSpecificDetails") or {}, now)

    def update_appliance(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Replicate through another appliance of the fabric."""
        return in_mage_disks.change_appliance(self, scope, item, given, now)


def _account(world: World, item: ProtectedItem) -> str:
    """Return the name of the account on the appliance that the request named."""
    found = world.resources.get(item.account_id)
    return str(found["properties"]["displayName"]) if isinstance(found, Mapping) else ""


def _target(given: Mapping[str, Any], name: str, size: str) -> Target:
    return Target(
        vm_name=given.get("targetVmName") or name,
        vm_size=given.get("targetVmSize") or size,
        resource_group_id=given["targetResourceGroupId"],
        network_id=given.get("targetNetworkId") or "",
        subnet=given.get("targetSubnetName") or "",
        test_network_id=given.get("testNetworkId") or "",
        test_subnet=given.get("testSubnetName") or "",
        boot_diagnostics_id=given.get("targetBootDiagnosticsStorageAccountId") or "",
        multi_vm_group=given.get("multiVmGroupName"),
        linux_license_type=given.get("linuxLicenseType") or "NotSpecified",
        security_profile=given.get("targetVmSecurityProfile"),
        tags=enable.tag_map(given.get("targetVmTags")),
        disk_tags=enable.tag_map(given.get("targetManagedDiskTags")),
        seed_disk_tags=enable.tag_map(given.get("seedManagedDiskTags")),
        nic_tags=enable.tag_map(given.get("targetNicTags")),
        **enable.placement(given),
    )
