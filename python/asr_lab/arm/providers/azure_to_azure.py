"""A2A: replication of Azure virtual machines to another region, its failovers, and the way back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers import azure_to_azure_enable as enabling
from asr_lab.arm.providers import azure_to_azure_switch as switch
from asr_lab.arm.providers import azure_to_azure_update as updating
from asr_lab.arm.providers import replicate, timeline
from asr_lab.arm.providers.actions import ToAzure
from asr_lab.arm.providers.azure_fabric import AZURE_REGION, internal_id
from asr_lab.arm.providers.azure_to_azure_details import details
from asr_lab.arm.providers.azure_to_azure_machines import make_recovery_machine, make_test_machine
from asr_lab.arm.providers.azure_to_azure_model import A2A, AzureNic, AzureToAzureItem
from asr_lab.arm.providers.azure_to_azure_source import machine, read_nics, runs, unprotected_luns
from asr_lab.arm.providers.model import Container, Policy, ProtectedItem, RecoveryPoint
from asr_lab.arm.providers.provider import Action, Done, RecoverySide, provider
from asr_lab.arm.providers.scope import Scope, fabric_by_id
from asr_lab.arm.providers.work import error
from asr_lab.arm.resources.compute import delete_vm, set_power
from asr_lab.arm.wire import iso7
from asr_lab.arm.world import World

CERTIFICATE_DAYS = 1095
_ERROR_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "161011": {"errorType": "8010", "errorId": "6:8010", "summaryMessage": ""},
    "78186": {
        "summaryMessage": "Replication data is not reaching the staging storage account",
        "errorMessage": "No replication data has been received from the virtual machine.",
        "possibleCauses": "The virtual machine is not running, or cannot reach its staging storage account.",
    },
}
"""How A2A words health errors that all providers share: 161011 as recorded, 78186 (no server in between) as chosen."""
SCENARIO = "SwitchReplicationGroupProtection"


@provider
class AzureToAzure(ToAzure):
    """Replication between two regions of Azure; every item is an ``AzureToAzureItem``."""

    name = A2A
    fabric_kinds = frozenset({AZURE_REGION})
    warns_like = A2A
    primary_fabric_provider = "AzureFabric"
    switch_description = None
    error_fields = _ERROR_FIELDS

    # Enabling

    def make_item(self, scope: Scope, policy: Policy, properties: Mapping[str, Any]) -> ProtectedItem:
        """Return the item of a machine of the fabric's region."""
        return enabling.make_item(scope, policy, properties["providerSpecificDetails"])

    def refusal(self, world: World, item: ProtectedItem, policy: Policy) -> OperationError | None:
        """Return why the enable job will fail on what can be seen beforehand, or None."""
        return enabling.refusal(world, _own(item), policy)

    def enabled(self, world: World, item: ProtectedItem, now: datetime) -> None:
        """Begin the initial replication."""
        replicate.begin(world, item, now)

    def initial_replication_done(self, world: World, item: ProtectedItem, now: datetime) -> None:
        """Read the machine's configuration: interfaces, tags and network are known from now on (recorded)."""
        self.synchronize(world, _own(item), now)

    def synchronize(self, world: World, item: AzureToAzureItem, now: datetime) -> None:
        """Fill in what the item shows of its machine once it has been replicated."""
        item.synced = True
        item.lifecycle_id = item.lifecycle_id or world.guid()
        item.certificate_expires = now + timedelta(days=CERTIFICATE_DAYS)
        vm = machine(world, item.source_id)
        if vm is None:
            return
        item.synced_tags = dict(vm.get("tags") or {})
        asked = bool(item.target.network_id)
        item.target.network_id = enabling.recovery_network_id(world, item)
        item.nics = list(read_nics(world, vm, [nic for nic in item.nics if isinstance(nic, AzureNic)]))
        for nic in item.nics:
            if isinstance(nic, AzureNic):
                nic.recovery_network_id = nic.recovery_network_id or item.target.network_id or None
                nic.selection = "SelectedByUserOverride" if asked else "SelectedByUser"
                nic.target_subnet = nic.target_subnet or item.target.subnet or nic.source_subnet or ""

    # What an item shows

    def recovery_side(self, world: World, item: ProtectedItem) -> RecoverySide:
        """Return the other region's fabric and container."""
        own = _own(item)
        fabric = fabric_by_id(world, own.recovery_fabric_id)
        container = world.resources.get(own.recovery_container_id)
        known = container if isinstance(container, Container) else None
        return RecoverySide(
            fabric_id=fabric.id,
            fabric_name=fabric.friendly_name,
            container_id=own.recovery_container_id,
            container_name=known.friendly_name if known else "",
            cloud_id=internal_id(known) if known else "",
            vmm_id=fabric.internal_id,
            fabric_kind=fabric.kind,
        )

    def services_provider_id(self, world: World, item: ProtectedItem) -> str | None:
        """Return the provider of the primary region."""
        fabric = fabric_by_id(world, item.fabric_id)
        return f"{fabric.id}/replicationRecoveryServicesProviders/{fabric.internal_id}"

    def details(
        self, world: World, item: ProtectedItem, now: datetime, *, sparse: bool, api_version: str
    ) -> dict[str, Any]:
        """Return ``providerSpecificDetails``; lists show as much as a GET."""
        own = _own(item)
        primary = fabric_by_id(world, own.fabric_id).location
        recovery = fabric_by_id(world, own.recovery_fabric_id).location
        vm = machine(world, own.source_id)
        unprotected = unprotected_luns(world, vm, own.disks) if vm else []
        return details(own, (primary, recovery), unprotected, now, api_version=api_version)

    def point_details(self, item: ProtectedItem, point: RecoveryPoint) -> dict[str, Any]:
        """Return whether the point is one of the machine or of its multi-VM group (specification)."""
        shared = _own(item).multi_vm_created_by_user
        return {
            "instanceType": A2A,
            "recoveryPointSyncType": "MultiVmSyncRecoveryPoint" if shared else "PerVmRecoveryPoint",
            "disks": [disk.disk_id for disk in item.disks],
        }

    def plan_machine_id(self, item: ProtectedItem) -> str:
        """Return the id of the virtual machine, which recovery plans name (recorded)."""
        return item.source_id

    def reaches(self, world: World, item: ProtectedItem) -> tuple[bool, bool]:
        """Return whether data flows and the agent is heard: as long as the machine runs."""
        vm = machine(world, item.source_id)
        alive = vm is not None and runs(vm)
        return alive, alive

    # Failover

    def point_path(self, item: ProtectedItem, point: RecoveryPoint) -> str:
        """Return the point's own id: containers of Azure fabrics have no alias (chosen)."""
        return f"{item.id}/recoveryPoints/{point.name}"

    def location(self, world: World, item: ProtectedItem) -> str:
        """Return the recovery region."""
        return fabric_by_id(world, _own(item).recovery_fabric_id).location

    def make_machine(self, world: World, item: ProtectedItem, now: datetime, name: str) -> str:
        """Make the machine in the recovery region."""
        return make_recovery_machine(world, _own(item), now, name)

    def make_test_machine(self, world: World, item: ProtectedItem, now: datetime, network_id: str) -> str:
        """Make the test machine in the recovery region."""
        return make_test_machine(world, _own(item), now, network_id)

    def test_machine_name(self, item: ProtectedItem) -> str:
        """Return the name that the item gives to test machines."""
        return _own(item).test_machine_name

    def test_details(self, item: ProtectedItem, point: RecoveryPoint | None) -> list[dict[str, Any]]:
        """Return what the job of a finished test tells of its machine (specification)."""
        name = self.test_machine_name(item)
        return [
            {
                "name": item.machine_id,
                "friendlyName": item.friendly_name,
                "testVmName": name,
                "testVmFriendlyName": name,
                "networkConnectionStatus": "Connected",
                "networkFriendlyName": "",
                "subnet": None,
                "recoveryPointId": point.name if point else None,
                "recoveryPointTime": iso7(point.at) if point else None,
            }
        ]

    def unplanned_failover(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Make the machine in the recovery region; the source is shut down when ``sourceSiteOperations`` asks for it.

        A machine that was failed over before and comes back takes the place of the one that it once was.
        """
        action = super().unplanned_failover(scope, item, given, now)
        done = partial(self._come_over, scope.world, _own(item), self.shuts_down(given), action.on_done)
        return replace(action, on_done=done)

    def _come_over(self, world: World, item: AzureToAzureItem, shut_down: bool, on_done: Done, due: datetime) -> None:
        if shut_down and machine(world, item.source_id) is not None:
            set_power(world, item.source_id, "deallocated", due)
        if item.former_vm_id is not None:
            delete_vm(world, item.former_vm_id)
            item.former_vm_id = None
        on_done(due)

    # Changes

    def update(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Change the target of a protected machine, its interfaces and disks."""
        action = super().update(scope, item, given, now)
        updating.check(scope, _own(item), given)
        return replace(action, on_done=partial(updating.change, _own(item), given))

    def add_disks(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Protect further managed disks of the machine."""
        made = updating.disks_to_add(scope, _own(item), given)
        fail = self._unless_protected(item, "adding disks", now)
        done = partial(updating.add, scope.world, _own(item), made)
        return self.action(scope.world, item, "AddDisks", "add_disks", done, fail=fail)

    def remove_disks(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Protect disks no longer."""
        leaving = updating.disks_to_remove(_own(item), given)
        fail = self._unless_protected(item, "removing disks", now)
        done = partial(updating.remove, _own(item), leaving)
        return self.action(scope.world, item, "RemoveDisks", "remove_disks", done, fail=fail)

    def _unless_protected(self, item: ProtectedItem, operation: str, now: datetime) -> OperationError | None:
        state = timeline.protection_state(item, now)
        if state == "Protected" and item.running is None:
            return None
        return error("25037", name=item.friendly_name, state=state, operation=operation)

    # The way back

    def switch_protection(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Replicate the failed-over machine to where it came from; the item moves when the job ends."""
        own = _own(item)
        fail = self.refuse(item, "SwitchProtection", now)
        if fail is not None:
            return self.action(scope.world, item, SCENARIO, "switch_protection", _nothing, fail=fail)
        made = switch.reversed_item(scope, own, given)
        return self.action(
            scope.world,
            item,
            SCENARIO,
            "switch_protection",
            switch.turning(scope.world, own, made),
            fail=switch.refusal(scope.world, made),
            extra={"newReplicationProtectedItemId": made.id},
        )

    def reprotect(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """POST reProtect of the item or its recovery plan: a switch with what is usual (request: specification)."""
        specific = switch.usual_request(scope.world, _own(item), given.get("providerSpecificDetails") or {})
        return self.switch_protection(scope, item, specific, now)


def _own(item: ProtectedItem) -> AzureToAzureItem:
    """Return the item as one of A2A; raises LookupError for one of another provider."""
    if not isinstance(item, AzureToAzureItem):
        raise LookupError(f"{item.id} is protected with {item.provider}, not with {A2A}")
    return item


def _nothing(_due: datetime) -> None:
    """Do nothing: a job that fails changes nothing."""
