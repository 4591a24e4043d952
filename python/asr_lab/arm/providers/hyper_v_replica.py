"""Hyper-V to Hyper-V: machines of a VMM cloud, replicated to a cloud of another VMM server.

Recorded: names and times of the operations, and what an item allows after a failover, a commit and a reprotection. The
machines on the other side are not Azure's, so that a failover leaves nothing there. The rest follows the
specification.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers import hyper_v_details, hyper_v_enable, replicate
from asr_lab.arm.providers.actions import ToAzure
from asr_lab.arm.providers.hyper_v import own
from asr_lab.arm.providers.hyper_v_model import MACHINE_TYPE, VMM, HyperVItem, HyperVProtectable
from asr_lab.arm.providers.model import Container, Policy, ProtectedItem, RecoveryPoint, Stage, Target
from asr_lab.arm.providers.provider import Action, RecoverySide, provider
from asr_lab.arm.providers.scope import Scope, container_of, fabric_by_id, fabric_of, mappings, policy_is_mapped
from asr_lab.arm.providers.work import begin_action, error
from asr_lab.arm.wire import bad_request, same_id
from asr_lab.arm.world import World

COMPLETION_JOBS = ("SecondaryIrCompletion", "PrimaryIrCompletion")
REVERSED = "ProtectedReversed"
_COMMITTED_ROWS = {
    "PlannedFailbackCommitRequired": "PlannedFailbackStatesBegin",
    "UnplannedFailbackCommitPendingStatesBegin": "UnplannedFailbackStatesBegin",
}


@dataclass
class ReplicaItem(HyperVItem):
    """A machine that is replicated between two clouds; ``active`` says where it runs."""

    target_container_id: str = ""
    active: Literal["Primary", "Recovery"] = "Primary"


def _own(item: ProtectedItem) -> ReplicaItem:
    found = own(item)
    if not isinstance(found, ReplicaItem):
        raise TypeError(f"{item.id} is protected with {item.provider}, not from Hyper-V to Hyper-V")
    return found


@provider
class HyperVReplica2012R2(ToAzure):
    """Hyper-V to Hyper-V between VMM servers, with recovery points every 30 s, 5 min or 15 min."""

    name = "HyperVReplica2012R2"
    fabric_kinds = frozenset({VMM})
    protected_item_type = MACHINE_TYPE
    primary_fabric_provider = "VmmFabric"
    switch_description = None

    # Enabling

    def make_item(self, scope: Scope, policy: Policy, properties: Mapping[str, Any]) -> ProtectedItem:
        """Return the item of a reported machine; the request needs nothing but the machine and the policy."""
        fabric, container = scope.fabric, scope.container
        wanted = properties.get("protectableItemId") or ""
        if not wanted:
            raise bad_request("InvalidParameter", "properties.protectableItemId is missing; give the machine's id.")
        protectable = scope.get(wanted, HyperVProtectable)
        machine = protectable.machine
        target = Target(vm_name=machine.name, vm_size="", resource_group_id="", network_id="", subnet="")
        name = scope.name("replicationProtectedItems")
        return ReplicaItem(
            id=f"{container.id}/replicationProtectedItems/{name}",
            name=name,
            provider=self.name,
            container_id=container.id,
            fabric_id=fabric.id,
            policy_id=policy.id,
            machine_id=machine.vm_id,
            friendly_name=machine.name,
            host=machine.as_host(),
            server_id=protectable.dra_id,
            account_id="",
            target=target,
            disks=[],
            nics=hyper_v_enable.adapters(machine, target),
            correlation_id=scope.world.guid(),
            source_id=protectable.id,
            protectable_item_id=protectable.id,
            fabric_guid=fabric.internal_id,
            machine=machine,
            controller_id=scope.world.guid(),
            target_container_id=_target_of(scope.world, container, policy),
        )

    def refusal(self, world: World, item: ProtectedItem, policy: Policy) -> OperationError | None:
        """Return why the enable job will fail: the policy is not associated with the cloud."""
        if policy_is_mapped(world, container_of(world, item), policy.id):
            return None
        return error("78253", name=item.friendly_name, policy=policy.name)

    def enabled(self, world: World, item: ProtectedItem, now: datetime) -> None:
        """Begin the initial replication."""
        replicate.begin(world, item, now)

    def initial_replication_done(self, world: World, item: ProtectedItem, now: datetime) -> None:
        """Run the jobs that complete it on both sides (recorded names)."""
        _own(item).changes_from = now
        for scenario in COMPLETION_JOBS:
            done = partial(self._completed, item)
            begin_action(world, now, item, self.action(world, item, scenario, "ir_completion", done))

    def _completed(self, item: ProtectedItem, _due: datetime) -> None:
        _own(item).completing = False

    # What an item shows

    def takes(self, item: ProtectedItem, verb: str, instance_type: str) -> bool:
        """Return whether the request fits: the published models have nothing of its own, so base types are sent."""
        return instance_type == self.name or instance_type.endswith("Input")

    def services_provider_id(self, world: World, item: ProtectedItem) -> str | None:
        """Return the provider of the VMM server that reported the machine."""
        return f"{item.fabric_id}/replicationRecoveryServicesProviders/{item.server_id}"

    def recovery_side(self, world: World, item: ProtectedItem) -> RecoverySide:
        """Return the other server's cloud; Azure as long as the policy is not associated with one."""
        found = world.resources.get(_own(item).target_container_id)
        if not isinstance(found, Container):
            return super().recovery_side(world, item)
        fabric = fabric_by_id(world, found.fabric_id)
        return RecoverySide(
            fabric_id=fabric.id,
            fabric_name=fabric.friendly_name,
            container_id=found.id,
            container_name=found.friendly_name,
            cloud_id=found.name,
            vmm_id=fabric.internal_id,
            fabric_kind=VMM,
        )

    def reaches(self, world: World, item: ProtectedItem) -> tuple[bool, bool]:
        """Return whether both servers are there, twice: data and heartbeat go through the server."""
        there = fabric_of(world, item).server(item.server_id) is not None
        there = there and _own(item).target_container_id in world.resources
        return there, there

    def details(
        self, world: World, item: ProtectedItem, now: datetime, *, sparse: bool, api_version: str
    ) -> dict[str, Any]:
        """Return ``providerSpecificDetails`` (specification)."""
        return hyper_v_details.replica_details(_own(item), now)

    # Failover in both directions

    def make_machine(self, world: World, item: ProtectedItem, now: datetime, name: str) -> str:
        """Return the path of the machine in the cloud where the item is to run."""
        found = _own(item)
        cloud = found.target_container_id if found.active == "Primary" else found.container_id
        return f"{cloud}/virtualMachines/{name}"

    def wrong_direction(self, item: ProtectedItem, given: Mapping[str, Any]) -> OperationError | None:
        """Return the failure of a failover towards the side where the machine runs already, else None."""
        active = _own(item).active
        wanted = "PrimaryToRecovery" if active == "Primary" else "RecoveryToPrimary"
        asked = given.get("failoverDirection") or wanted
        if asked == wanted:
            return None
        return error("25037", name=item.friendly_name, state=f"active on the {active} side", operation=asked)

    def planned_failover(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Shut the machine down, bring its last changes over and start it on the other side."""
        return self.fail_over(scope, item, given, now, planned=True)

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
        item.test_vm_ids.append(self.make_machine(world, item, due, self.test_machine_name(item)))
        item.test = "Active"
        item.last_test = began
        item.failover_point = self.point_path(item, point) if point else None

    def _failed_over(
        self,
        world: World,
        item: ProtectedItem,
        began: datetime,
        point: RecoveryPoint | None,
        planned: bool,
        due: datetime,
    ) -> None:
        found = _own(item)
        found.vm_id = self.make_machine(world, found, due, found.target.vm_name)
        back = found.active == "Recovery"
        pending = "PlannedFailbackCommitRequired" if planned else "UnplannedFailbackCommitPendingStatesBegin"
        found.state_row = pending if back else ""
        found.active = "Primary" if back else "Recovery"
        found.stage = Stage.FAILED_OVER
        found.planned = planned
        found.last_failover = began
        found.failover_point = self.point_path(found, point) if point else None
        replicate.stop(world, found, due)

    def _committed(self, world: World, item: ProtectedItem, due: datetime) -> None:
        super()._committed(world, item, due)
        item.state_row = _COMMITTED_ROWS.get(item.state_row, item.state_row)

    def _failover_cancelled(self, world: World, item: ProtectedItem, due: datetime) -> None:
        super()._failover_cancelled(world, item, due)
        found = _own(item)
        found.active = "Primary" if found.active == "Recovery" else "Recovery"
        found.state_row = REVERSED if found.active == "Recovery" else ""

    def reprotect(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Replicate the other way, after a failover or its commit; a protected item is refused at once."""
        if item.stage is Stage.REPLICATING:
            raise bad_request(
                "InvalidFailoverDirection",
                f"The failover direction '{given.get('failoverDirection')}' is not valid for '{item.friendly_name}', "
                "which has not been failed over.",
            )
        fail = self.refuse(item, "ReverseReplicate", now)
        done = partial(self._reversed, scope.world, item)
        return self.action(scope.world, item, "ReverseReplication", "reprotect", done, fail=fail)

    def _reversed(self, world: World, item: ProtectedItem, due: datetime) -> None:
        found = _own(item)
        found.vm_id = found.failover_point = None
        found.planned = False
        found.state_row = REVERSED if found.active == "Recovery" else ""
        replicate.go_on(world, found, due)


@provider
class HyperVReplica2012(HyperVReplica2012R2):
    """Hyper-V to Hyper-V as Windows Server 2012 did it: a recovery point every 5 minutes."""

    name = "HyperVReplica2012"


def _target_of(world: World, container: Container, policy: Policy) -> str:
    """Return the id of the cloud with which the policy pairs the container, empty without a mapping."""
    found = (one for one in mappings(world, container) if same_id(one.policy_id, policy.id))
    return next((one.target_container_id for one in found), "")
