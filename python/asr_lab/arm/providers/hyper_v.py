"""HyperVReplicaAzure: machines of Hyper-V hosts and VMM clouds, replicated to Azure by the host itself.

Recorded: the jobs and their times, the second job IrCompletion after the initial replication, planned and unplanned
failover, commit, failback by a planned failover, removal, and the refusal of a reprotection that is not due. What an
item shows after a failback, and the reprotection that follows it, are documented in words only.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers import failover, hyper_v_enable, replicate
from asr_lab.arm.providers.actions import ToAzure
from asr_lab.arm.providers.hyper_v_details import details
from asr_lab.arm.providers.hyper_v_model import HYPER_V_SITE, MACHINE_TYPE, VMM, HyperVItem
from asr_lab.arm.providers.model import Policy, ProtectedItem, RecoveryPoint
from asr_lab.arm.providers.provider import Action, provider
from asr_lab.arm.providers.scope import Scope, fabric_of
from asr_lab.arm.providers.work import begin_action, error
from asr_lab.arm.resources.compute import delete_vm, set_power
from asr_lab.arm.wire import bad_request, iso7, last_segment
from asr_lab.arm.world import World

FAILBACK = "HyperVReplicaAzureFailback"
BACK_PENDING = "PlannedFailbackCommitRequired"
BACK_COMMITTED = "PlannedFailbackStatesBegin"
SYNC_OPTIONS = ("ForSynchronization", "ForDownTime")
CREATION_OPTIONS = ("NoAction", "CreateVmIfNotFound")
SHUTDOWN_S = 45.0
"""A planned failover's recovery point is as old as this after the request: the machine is off by then (recorded)."""
CHANGES_EVERY_S = 300.0
_HOUR_S = 3600.0
# Recorded in 2023: the warning 161011 is of another type than with InMageRcm.
_ERROR_FIELDS = {
    "161011": {"errorType": "8010", "errorId": "6:8010", "summaryMessage": ""},
    # Chosen: the host sends its data itself.
    "78186": {
        "summaryMessage": "Replication data is not reaching Azure",
        "errorMessage": "No replication data has been received from the Hyper-V host of the virtual machine.",
        "possibleCauses": "The Hyper-V host or the VMM server is not registered any more, or it is not connected.",
        "recommendedAction": "Ensure that the server runs and is connected, or register it again.",
    },
}
_TARGET_FIELDS = {
    "recoveryAzureV2ResourceGroupId": "resource_group_id",
    "targetAvailabilityZone": "availability_zone",
    "targetProximityPlacementGroupId": "proximity_group_id",
    "sqlServerLicenseType": "sql_license_type",
    "linuxLicenseType": "linux_license_type",
}


def own(item: ProtectedItem) -> HyperVItem:
    """Return the item as one of Hyper-V; raises TypeError for another provider's."""
    if not isinstance(item, HyperVItem):
        raise TypeError(f"{item.id} is protected with {item.provider}, not with a Hyper-V provider")
    return item


@provider
class HyperVReplicaAzure(ToAzure):
    """Hyper-V to Azure."""

    name = "HyperVReplicaAzure"
    fabric_kinds = frozenset({HYPER_V_SITE, VMM})
    protected_item_type = MACHINE_TYPE
    primary_fabric_provider = "SingleHostHyperVFabric"
    switch_description = None
    error_fields = _ERROR_FIELDS
    target_fields = _TARGET_FIELDS

    # Enabling

    def make_item(self, scope: Scope, policy: Policy, properties: Mapping[str, Any]) -> ProtectedItem:
        """Return the item of a reported machine."""
        return hyper_v_enable.make_item(scope, policy, properties)

    def refusal(self, world: World, item: ProtectedItem, policy: Policy) -> OperationError | None:
        """Return why the enable job will fail, or None."""
        return hyper_v_enable.refusal(world, own(item), policy)

    def enable_warning(self, world: World, item: ProtectedItem) -> OperationError | None:
        """Warn (28061, recorded) when the wanted name is not available."""
        taken = failover.vm_id(item, item.target.vm_name) in world.resources
        return error("28061", name=item.target.vm_name) if taken else None

    def enabled(self, world: World, item: ProtectedItem, now: datetime) -> None:
        """Begin the initial replication; to managed disks it goes by seed disks."""
        replicate.begin(world, item, now)
        policy = world.resources.get(item.policy_id)
        settings = policy.settings if isinstance(policy, Policy) else {}
        if item.replication is not None:
            item.replication.retention_s = (settings.get("recoveryPointHistoryDurationInHours") or 2) * _HOUR_S
            item.replication.app_consistent_s = (
                settings.get("applicationConsistentSnapshotFrequencyInHours") or 0
            ) * _HOUR_S
        if own(item).replica_disks:
            group = item.target.resource_group_id
            for disk in item.disks:
                disk.seed_id = f"{group}/providers/Microsoft.Compute/disks/asrseeddisk-{disk.name[:8]}-{world.guid()}"

    def initial_replication_done(self, world: World, item: ProtectedItem, now: datetime) -> None:
        """Run the job IrCompletion: meanwhile the item is Protected and allows nothing (recorded)."""
        policy = world.resources.get(item.policy_id)
        settings = policy.settings if isinstance(policy, Policy) else {}
        every_s = float(settings.get("replicationInterval") or CHANGES_EVERY_S)
        own(item).completing, own(item).changes_from = True, now + timedelta(seconds=every_s)
        done = partial(self._completed, item)
        begin_action(world, now, item, self.action(world, item, "IrCompletion", "ir_completion", done))

    def _completed(self, item: ProtectedItem, _due: datetime) -> None:
        own(item).completing = False

    # What an item shows

    def takes(self, item: ProtectedItem, verb: str, instance_type: str) -> bool:
        """Return whether the request fits; a planned failover may name the way back."""
        return instance_type == self.name or (verb == "plannedFailover" and instance_type == FAILBACK)

    def services_provider_id(self, world: World, item: ProtectedItem) -> str | None:
        """Return the provider of the host, or of the VMM server, that reported the machine."""
        return f"{item.fabric_id}/replicationRecoveryServicesProviders/{item.server_id}"

    def details(
        self, world: World, item: ProtectedItem, now: datetime, *, sparse: bool, api_version: str
    ) -> dict[str, Any]:
        """Return ``providerSpecificDetails``; lists show as much as a GET."""
        return details(own(item), now, api_version)

    def reaches(self, world: World, item: ProtectedItem) -> tuple[bool, bool]:
        """Return whether the host is there, twice: the host sends the data and the heartbeat."""
        there = fabric_of(world, item).server(item.server_id) is not None
        return there, there

    # Failover to Azure

    def update(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Change the target, also what only Hyper-V has: the selected adapter and the names of disks."""
        action = super().update(scope, item, given, now)
        return replace(action, on_done=partial(self._updated, own(item), action.on_done, dict(given)))

    def _updated(self, item: HyperVItem, change: Any, given: Mapping[str, Any], due: datetime) -> None:
        change(due)
        item.selected_nic = given.get("selectedSourceNicId") or item.selected_nic
        specific = given.get("providerSpecificDetails") or {}
        encryption = {key.casefold(): value for key, value in (specific.get("diskIdToDiskEncryptionMap") or {}).items()}
        for disk in item.disks:
            disk.encryption_set_id = encryption.get(disk.disk_id.casefold(), disk.encryption_set_id)
        for row in specific.get("vmDisks") or ():
            if row.get("targetDiskName"):
                item.custom_disk_names[row["diskId"].casefold()] = row["targetDiskName"]
        item.os_name_given = specific.get("userSelectedOSName") or item.os_name_given
        item.capacity_group_id = specific.get("targetCapacityReservationGroupId") or item.capacity_group_id

    def _tested(
        self,
        world: World,
        item: ProtectedItem,
        began: datetime,
        network_id: str,
        point: RecoveryPoint | None,
        extra: dict[str, Any],
        due: datetime,
    ) -> None:
        super()._tested(world, item, began, network_id, point, extra, due)
        name = self.test_machine_name(item)
        extra["protectedItemDetails"] = [
            _job_row(item, point, network_id, name, "Connected" if network_id and item.nics else "Disconnected")
        ]

    def planned_failover(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Shut the machine down and fail over to Azure, or bring it back (HyperVReplicaAzureFailback)."""
        specific = given.get("providerSpecificDetails") or {}
        if specific.get("instanceType") == FAILBACK:
            return self._fail_back(scope, item, given, specific, now)
        return self.fail_over(scope, item, given, now, planned=True)

    def fail_over(
        self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime, *, planned: bool
    ) -> Action:
        """Return a failover whose finished job tells where the machine is (recorded)."""
        action = super().fail_over(scope, item, given, now, planned=planned)
        wanted = (given.get("providerSpecificDetails") or {}).get("recoveryPointId")
        point = self.point(scope, item, wanted, now)
        last = planned and not wanted
        if last:
            point = RecoveryPoint(scope.world.guid(), now + timedelta(seconds=SHUTDOWN_S))
        return replace(action, on_done=partial(self._moved, item, action.on_done, action.extra, point, last))

    def _moved(
        self,
        item: ProtectedItem,
        move: Any,
        extra: dict[str, Any],
        point: RecoveryPoint | None,
        last: bool,
        due: datetime,
    ) -> None:
        """Tell where the machine is; ``last``: the point was made when the machine had been shut down."""
        move(due)
        if last and point is not None and item.replication is not None:
            item.replication.points.insert(0, point)
            item.failover_point = self.point_path(item, point)
        extra["protectedItemDetails"] = [_job_row(item, point, item.target.network_id, None, None)]

    # The way back

    def _fail_back(
        self,
        scope: Scope,
        item: ProtectedItem,
        given: Mapping[str, Any],
        specific: Mapping[str, Any],
        now: datetime,
    ) -> Action:
        """Return the planned failover from Azure to the host; the Azure machine is shut down.

        ``dataSyncOption`` and ``recoveryVmCreationOption`` have to be known values (documented); the lab's machines
        never vanish from their host, so that the latter changes nothing.
        """
        place = "properties.providerSpecificDetails"
        for name, known in (("dataSyncOption", SYNC_OPTIONS), ("recoveryVmCreationOption", CREATION_OPTIONS)):
            said = specific.get(name)
            if said is not None and said.casefold() not in {one.casefold() for one in known}:
                raise bad_request("InvalidParameter", f"{place}.{name} is '{said}'; give {' or '.join(known)}.")
        fail = self.refuse(item, "PlannedFailover", now)
        if fail is None and given.get("failoverDirection") != "RecoveryToPrimary":
            state = "active in Azure"
            fail = error("25037", name=item.friendly_name, state=state, operation="a failback PrimaryToRecovery")
        elif fail is None and item.vm_id is None:
            fail = error("25037", name=item.friendly_name, state="active on the primary", operation="a failback")
        done = partial(self._came_back, scope.world, item)
        extra: dict[str, Any] = {"protectedItemDetails": []}
        return self.action(scope.world, item, "PlannedFailover", "failback", done, fail=fail, extra=extra, asked=True)

    def _came_back(self, world: World, item: ProtectedItem, due: datetime) -> None:
        if item.vm_id and item.vm_id in world.resources:
            set_power(world, item.vm_id, "deallocated", due)
        item.state_row = BACK_PENDING
        item.failover_point = None

    def _committed(self, world: World, item: ProtectedItem, due: datetime) -> None:
        """Make the failover final; that of a failback removes the Azure machine with its disks (documented)."""
        super()._committed(world, item, due)
        if item.state_row != BACK_PENDING:
            return
        if item.vm_id:
            delete_vm(world, item.vm_id)
        item.vm_id = None
        item.state_row = BACK_COMMITTED

    def reprotect(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Replicate to Azure again after a failback.

        A protected item is refused at once (recorded: InvalidFailoverDirection), any other state fails the job
        (recorded: 25038).
        """
        ready = item.state_row == BACK_COMMITTED and item.running is None
        if not ready and item.vm_id is None and item.replication is not None and not item.state_row:
            raise bad_request(
                "InvalidFailoverDirection",
                f"The failover direction '{given.get('failoverDirection')}' is not valid for '{item.friendly_name}', "
                "which replicates from its primary location.",
                causes="The machine has not been failed over.",
                action="Fail the machine over and back before you replicate it again.",
            )
        fail = None if ready else error("25038", name=item.friendly_name)
        done = partial(self._replicates_again, scope.world, item)
        return self.action(scope.world, item, "ReprotectReplicationGroup", "reprotect", done, fail=fail)

    def _replicates_again(self, world: World, item: ProtectedItem, due: datetime) -> None:
        item.state_row = ""
        item.planned = False
        for disk in item.disks:
            disk.target_id = None
        replicate.go_on(world, item, due)


def _job_row(
    item: ProtectedItem, point: RecoveryPoint | None, network_id: str, test_name: str | None, connected: str | None
) -> dict[str, Any]:
    """Return a row of ``protectedItemDetails`` of a finished failover or test failover (recorded)."""
    subnet = next((nic.target_subnet for nic in item.nics if nic.target_subnet), None)
    return {
        "name": item.machine_id,
        "friendlyName": item.friendly_name,
        "testVmName": test_name,
        "testVmFriendlyName": test_name,
        "networkConnectionStatus": connected,
        "networkFriendlyName": last_segment(network_id),
        "subnet": subnet,
        "recoveryPointId": point.name if point else None,
        "recoveryPointTime": iso7(point.at) if point else None,
    }
