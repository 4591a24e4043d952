"""Replication of machines to Azure: the verbs as all providers that replicate there have them.

A provider overrides the hooks (machines, test details, points) or the verb. What the service refuses at once raises
ArmError; a wrong state is found out in the job (recorded: 25037).
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any

from asr_lab.arm.operations import OperationError, OperationFailed, Result
from asr_lab.arm.providers import failover, gate, plans, replicate, timeline, updates
from asr_lab.arm.providers.model import ProtectableItem, ProtectedItem, RecoveryPoint, Stage
from asr_lab.arm.providers.provider import Action, Done, Failed, Provider
from asr_lab.arm.providers.scope import Scope
from asr_lab.arm.providers.work import error
from asr_lab.arm.resources.compute import delete_vm
from asr_lab.arm.wire import bad_request, last_segment
from asr_lab.arm.world import World

RESYNC_STATES = (Stage.REPLICATING, Stage.FAILOVER_FAILED)


class ToAzure(Provider):
    """Replication to Azure."""

    target_fields: Mapping[str, str] = MappingProxyType({})
    """Where ``model.Target`` keeps properties of providerSpecificDetails of a PATCH."""

    # What differs between providers

    def location(self, world: World, item: ProtectedItem) -> str:
        """Return the region that the item replicates to."""
        return failover.location(world, item)

    def make_machine(self, world: World, item: ProtectedItem, now: datetime, name: str) -> str:
        """Make the machine of a failover and return its id; raises OperationFailed (28031) when Azure refuses."""
        return failover.make_machine(world, item, now, name, self.location(world, item))

    def make_test_machine(self, world: World, item: ProtectedItem, now: datetime, network_id: str) -> str:
        """Make the test machine and return its id; raises OperationFailed (28031)."""
        region, name = self.location(world, item), self.test_machine_name(item)
        return failover.make_test_machine(world, item, now, network_id, region, name)

    def test_machine_name(self, item: ProtectedItem) -> str:
        """Return the name of the machine of a test failover."""
        return f"{item.target.vm_name}-test"

    def test_details(self, item: ProtectedItem, point: RecoveryPoint | None) -> list[dict[str, Any]]:
        """Return ``protectedItemDetails`` of a finished test failover's job; by default empty (recorded for V2)."""
        return []

    def shuts_down(self, given: Mapping[str, Any]) -> bool:
        """Return whether a failover request asks to shut the source down."""
        return given.get("sourceSiteOperations") == "Required"

    def point_path(self, item: ProtectedItem, point: RecoveryPoint) -> str:
        """Return a recovery point's id as item bodies write it: under the container's alias (recorded)."""
        return timeline.point_path(item, point.name)

    # Verbs

    def update(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Change the target; accepted while the item is protected, otherwise the job fails."""
        fail = gate.busy(item, "changing its properties", now)
        state = timeline.protection_state(item, now)
        if state != "Protected":
            fail = error("25037", name=item.friendly_name, state=state, operation="changing its properties")
        specific = given.get("providerSpecificDetails") or {}
        done = partial(updates.change, item, given, specific, dict(self.target_fields))
        return self.action(scope.world, item, "UpdateVmProperties", "update", done, fail=fail)

    def test_failover(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Make ``<name>-test`` in the test network."""
        specific = given.get("providerSpecificDetails") or {}
        point = self.point(scope, item, specific.get("recoveryPointId"), now)
        network_id = given.get("networkId") or specific.get("networkId") or ""
        if given.get("networkType") == "VmNetworkAsInput" and not network_id:
            sentence = "properties.networkId is missing; networkType VmNetworkAsInput needs the id of a network."
            raise bad_request("InvalidNetwork", sentence)
        extra: dict[str, Any] = {
            "testFailoverStatus": "Active",
            "comments": None,
            "networkName": last_segment(network_id),
            "networkFriendlyName": last_segment(network_id),
            "networkType": given.get("networkType"),
            "protectedItemDetails": [],
        }
        fail = self.refuse(item, "TestFailover", now) or self.wrong_direction(item, given)
        return self.action(
            scope.world,
            item,
            "TestFailover",
            "test_failover",
            partial(self._tested, scope.world, item, now, network_id, point, extra),
            on_failed=None if fail else partial(self._test_failed, item),
            fail=fail,
            extra=extra,
        )

    def clean_up(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Remove the test machine."""
        extra: dict[str, Any] = {
            "testFailoverStatus": None,
            "comments": given.get("comments"),
            "networkName": None,
            "networkFriendlyName": None,
            "networkType": None,
            "protectedItemDetails": [],
        }
        return self.action(
            scope.world,
            item,
            "TestFailoverCleanup",
            "test_failover_cleanup",
            partial(self._cleaned, scope.world, item),
            fail=self.refuse(item, "TestFailoverCleanup", now),
            extra=extra,
        )

    def unplanned_failover(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Make the Azure machine; the source is not touched by the lab, whatever the request says."""
        return self.fail_over(scope, item, given, now, planned=False)

    def fail_over(
        self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime, *, planned: bool
    ) -> Action:
        """Return a failover to Azure; a planned one always shuts the source down."""
        specific = given.get("providerSpecificDetails") or {}
        point = self.point(scope, item, specific.get("recoveryPointId"), now)
        name = "PlannedFailover" if planned else "UnplannedFailover"
        fail = self.refuse(item, name, now) or self.wrong_direction(item, given)
        return self.action(
            scope.world,
            item,
            name,
            "planned_failover" if planned else "unplanned_failover",
            partial(self._failed_over, scope.world, item, now, point, planned),
            on_failed=None if fail else partial(self._failover_failed, item),
            fail=fail,
            extra={"protectedItemDetails": []},
            asked=planned or self.shuts_down(given),
        )

    def commit(self, scope: Scope, item: ProtectedItem, now: datetime) -> Action:
        """Make the failover final."""
        fail = self.refuse(item, "Commit", now)
        done = partial(self._committed, scope.world, item)
        return self.action(scope.world, item, "CommitFailover", "failover_commit", done, fail=fail)

    def cancel_failover(self, scope: Scope, item: ProtectedItem, now: datetime) -> Action:
        """Undo a failover that is not committed: the Azure machine goes, replication goes on.

        Recorded is the job and its tasks; what it leaves behind is chosen.
        """
        undoable = item.stage is Stage.FAILED_OVER
        fail = (gate.busy if undoable else gate.refused)(item, "CancelFailover", now)
        done = partial(self._failover_cancelled, scope.world, item)
        return self.action(scope.world, item, "CancelFailover", "failover_cancel", done, fail=fail)

    def apply_recovery_point(
        self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime
    ) -> Action:
        """Make the failed-over machine again from another recovery point, before the commit."""
        specific = given.get("providerSpecificDetails") or {}
        wanted = given.get("recoveryPointId") or specific.get("recoveryPointId")
        if not wanted:
            raise bad_request("InvalidRecoveryPoint", "properties.recoveryPointId is missing; give the id of a point.")
        point = self.point(scope, item, wanted, now)
        fail = self.refuse(item, "ChangePit", now)
        done = partial(self._point_changed, scope.world, item, point)
        return self.action(scope.world, item, "ChangePit", "change_point", done, fail=fail)

    def disable(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Stop replication or complete the migration; the Azure machine stays."""
        complete = given.get("disableProtectionReason") == "MigrationComplete"
        verb = "CompleteMigration" if complete else "DisableProtection"
        return self.action(
            scope.world,
            item,
            "DisableDr",
            "disable",
            partial(self.forget, scope.world, item),
            fail=self.refuse(item, verb, now) or plans.refusal(scope.world, item, verb, now),
            result="nothing",
        )

    def purge(self, scope: Scope, item: ProtectedItem, now: datetime) -> Action:
        """Remove the item whatever its state."""
        done = partial(self.forget, scope.world, item)
        return self.action(scope.world, item, "PurgeVm", "purge", done, result="nothing")

    def repair(self, scope: Scope, item: ProtectedItem, now: datetime) -> Action:
        """Start a resynchronization; it goes on after the job has ended."""
        fail = gate.busy(item, "RepairReplication", now)
        if item.stage not in RESYNC_STATES:
            fail = self.refuse(item, "RepairReplication", now)
        done = partial(self._repaired, scope.world, item)
        return self.action(scope.world, item, "RepairVMReplication", "resynchronize", done, fail=fail)

    # Parts that providers use

    def action(
        self,
        world: World,
        item: ProtectedItem,
        scenario: str,
        step: str,
        on_done: Done,
        *,
        on_failed: Failed | None = None,
        fail: OperationError | None = None,
        warning: OperationError | None = None,
        extra: dict[str, Any] | None = None,
        asked: bool = False,
        result: Result = "target",
    ) -> Action:
        """Return an action whose time is the table's ``step`` of this provider; one that fails at once takes 2 s."""
        return Action(
            scenario=scenario,
            duration_s=gate.REFUSED_AFTER_S if fail else self.seconds(world, item, step),
            on_done=on_done,
            on_failed=on_failed,
            fail=fail,
            warning=warning,
            extra=extra or {},
            asked=asked,
            result=result,
        )

    def seconds(self, world: World, item: ProtectedItem, step: str) -> float:
        """Return how long ``step`` takes for the item."""
        return world.duration_s(self.name, step, name=item.friendly_name, location=self.location(world, item))

    def refuse(self, item: ProtectedItem, operation: str, now: datetime) -> OperationError | None:
        """Return the failure (25037) of an operation that is not among the item's allowed ones, else None."""
        return gate.refused(item, operation, now)

    def wrong_direction(self, item: ProtectedItem, given: Mapping[str, Any]) -> OperationError | None:
        """Return the failure of a failover in a direction that the item does not replicate in, else None."""
        asked = given.get("failoverDirection") or "PrimaryToRecovery"
        if asked == "PrimaryToRecovery":
            return None
        return error("25037", name=item.friendly_name, state="active on the primary", operation=asked)

    def point(self, scope: Scope, item: ProtectedItem, wanted: str | None, now: datetime) -> RecoveryPoint | None:
        """Return the recovery point that ``wanted`` (an id, or empty for the latest) means; raises the 404."""
        found = timeline.point_named(item, wanted, now)
        if wanted and found is None:
            raise scope.not_found(last_segment(wanted))
        return found

    def forget(self, world: World, item: ProtectedItem, _due: datetime) -> None:
        """Take the item out of the store; its machine can be protected again."""
        world.resources.delete(item.id)
        replicate.leave(world, item)
        plans.leave(world, item)
        protectable = world.resources.get(item.protectable_item_id or "")
        if isinstance(protectable, ProtectableItem):
            protectable.protected_item_id = None

    # What happens when a job ends

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
        made = self.make_test_machine(world, item, due, network_id)
        item.test_vm_ids.append(made)
        if failover.stays_down(world, item, made, due):
            raise OperationFailed(error("28190", name=last_segment(made), task="BootTestProtectedEntitiesTask"))
        item.test = "Active"
        item.last_test = began
        item.failover_point = self.point_path(item, point) if point else None
        extra["protectedItemDetails"] = self.test_details(item, point)

    def _test_failed(self, item: ProtectedItem, _due: datetime, _error: OperationError) -> None:
        item.test = "Failed"

    def _cleaned(self, world: World, item: ProtectedItem, _due: datetime) -> None:
        for made in item.test_vm_ids:
            delete_vm(world, made)
        item.test_vm_ids.clear()
        item.test = "CleanedUp"

    def _failed_over(
        self,
        world: World,
        item: ProtectedItem,
        began: datetime,
        point: RecoveryPoint | None,
        planned: bool,
        due: datetime,
    ) -> None:
        name = failover.free_vm_name(world, item)
        item.vm_id = self.make_machine(world, item, due, name)
        item.stage = Stage.FAILED_OVER
        item.planned = planned
        item.last_failover = began
        item.failover_point = self.point_path(item, point) if point else None
        replicate.stop(world, item, due)
        item.booted = not failover.stays_down(world, item, item.vm_id, due)
        if not item.booted:
            item.warning = error("28190", name=name)
        elif name != item.target.vm_name:
            item.warning = error("28175", name=name)

    def _failover_failed(self, item: ProtectedItem, _due: datetime, _error: OperationError) -> None:
        item.stage = Stage.FAILOVER_FAILED

    def _committed(self, _world: World, item: ProtectedItem, _due: datetime) -> None:
        item.stage = Stage.COMMITTED

    def _failover_cancelled(self, world: World, item: ProtectedItem, due: datetime) -> None:
        if item.vm_id:
            delete_vm(world, item.vm_id)
        item.vm_id = item.failover_point = None
        replicate.go_on(world, item, due)

    def _point_changed(self, world: World, item: ProtectedItem, point: RecoveryPoint | None, due: datetime) -> None:
        name = last_segment(item.vm_id or "") or item.target.vm_name
        if item.vm_id:
            delete_vm(world, item.vm_id)
        item.vm_id = self.make_machine(world, item, due, name)
        item.failover_point = self.point_path(item, point) if point else None

    def _repaired(self, world: World, item: ProtectedItem, due: datetime) -> None:
        item.stage = Stage.REPLICATING
        replicate.resynchronize(world, item, due)
