"""Recovery plans: what the lab remembers of one, which items it has, and how a GET writes it.

Shapes are those of two recorded sessions (InMageRcm of 2021, HyperVReplicaAzure of 2023).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers import timeline
from asr_lab.arm.providers.model import AZURE, Fabric, ProtectedItem, Running
from asr_lab.arm.providers.provider import provider_named
from asr_lab.arm.providers.work import error
from asr_lab.arm.wire import iso7, last_segment, same_id
from asr_lab.arm.world import World

PLANS = "replicationRecoveryPlans"
PLAN_TYPE = "Microsoft.RecoveryServices/vaults/replicationRecoveryPlans"
MAX_ITEMS = 100
"""Documented limit of protected machines in one plan."""
MAX_BOOT_GROUPS = 7
"""Documented limit of the groups that start machines."""

OPERATIONS = (
    "PlannedFailover",
    "UnplannedFailover",
    "TestFailover",
    "TestFailoverCleanup",
    "Commit",
    "CancelFailover",
    "ReverseReplicate",
    "SwitchProtection",
)
"""What of an item's allowedOperations a plan offers, in the order recorded for the first three."""


@dataclass
class Member:
    """A protected item of a group, by its id."""

    item_id: str


@dataclass
class Group:
    """A group: ``kind`` is Shutdown, Failover or Boot; ``start`` and ``end`` hold actions as a GET shows them."""

    kind: str
    members: list[Member] = field(default_factory=list)
    start: list[dict[str, Any]] = field(default_factory=list)
    end: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Plan:
    """A replicationRecoveryPlan; ``object_id`` is the GUID that its jobs name as targetObjectId."""

    id: str
    name: str
    object_id: str
    vault_id: str
    primary_fabric_id: str
    recovery_fabric_id: str
    deployment_model: str
    groups: list[Group]
    specific: list[dict[str, Any]] = field(default_factory=list)
    running: Running | None = None
    last_test: datetime | None = None
    last_planned: datetime | None = None
    last_unplanned: datetime | None = None

    @property
    def members(self) -> list[Member]:
        """The items of all groups, in order."""
        return [member for group in self.groups for member in group.members]


def plans_of_vault(world: World, vault_id: str) -> list[Plan]:
    """Return the plans of a vault, oldest first."""
    return [found for found in world.resources.children(vault_id, PLANS) if isinstance(found, Plan)]


def plan_named(world: World, vault_id: str, name: str) -> Plan | None:
    """Return the plan of this name, compared without case, or None."""
    found = world.resources.get(f"{vault_id}/{PLANS}/{name}")
    return found if isinstance(found, Plan) else None


def items(world: World, plan: Plan) -> list[ProtectedItem]:
    """Return the items of a plan that are still protected, in the order of its groups."""
    found = (world.resources.get(member.item_id) for member in plan.members)
    return [item for item in found if isinstance(item, ProtectedItem)]


def items_of_plan(world: World, vault_id: str, name: str) -> list[ProtectedItem]:
    """Return the items that ``$filter=RecoveryPlanName eq '<name>'`` asks for; none when there is no such plan."""
    plan = plan_named(world, vault_id, name)
    return items(world, plan) if plan else []


def plans_with(world: World, item: ProtectedItem) -> list[Plan]:
    """Return the plans that an item is a member of."""
    vault_id = item.id[: item.id.casefold().index("/replicationfabrics/")]
    return [
        plan
        for plan in plans_of_vault(world, vault_id)
        if any(same_id(member.item_id, item.id) for member in plan.members)
    ]


def refusal(world: World, item: ProtectedItem, operation: str, now: datetime) -> OperationError | None:
    """Return why an item that is in a recovery plan cannot be removed in the orderly way, else None.

    A public report says that the item has to leave the plan first; that the job fails with 25037 is the lab's choice.
    """
    found = plans_with(world, item)
    if not found:
        return None
    state = f"{timeline.protection_state(item, now)}, in the recovery plan '{found[0].name}'"
    return error("25037", name=item.friendly_name, state=state, operation=operation)


def leave(world: World, item: ProtectedItem) -> None:
    """Take an item out of every plan; a purge does so."""
    for plan in plans_with(world, item):
        for group in plan.groups:
            group.members = [member for member in group.members if not same_id(member.item_id, item.id)]


def allowed_operations(world: World, plan: Plan, now: datetime) -> list[str]:
    """Return what the plan offers: what at least one of its items allows (chosen); nothing while it is busy."""
    if plan.running is not None:
        return []
    offered = {one for item in items(world, plan) for one in timeline.allowed_operations(item, now)}
    return [one for one in OPERATIONS if one in offered]


def body(world: World, plan: Plan, now: datetime, *, sparse: bool) -> dict[str, Any]:
    """Return the plan for a GET, or for a list when ``sparse``: without its groups (recorded)."""
    properties: dict[str, Any] = {
        "friendlyName": plan.name,
        "primaryFabricId": plan.primary_fabric_id,
        "primaryFabricFriendlyName": fabric_name(world, plan.primary_fabric_id),
        "recoveryFabricId": plan.recovery_fabric_id,
        "recoveryFabricFriendlyName": fabric_name(world, plan.recovery_fabric_id),
        "failoverDeploymentModel": plan.deployment_model,
        "replicationProviders": list(dict.fromkeys(item.provider for item in items(world, plan))),
        "allowedOperations": allowed_operations(world, plan, now),
    }
    times = {
        "lastPlannedFailoverTime": plan.last_planned,
        "lastUnplannedFailoverTime": plan.last_unplanned,
        "lastTestFailoverTime": plan.last_test,
    }
    properties |= {name: iso7(moment) for name, moment in times.items() if moment}
    properties |= _scenario(world, plan)
    properties["groups"] = [] if sparse else [_group(world, group) for group in plan.groups]
    properties["providerSpecificDetails"] = plan.specific
    return {"id": plan.id, "name": plan.name, "type": PLAN_TYPE, "properties": properties}


def fabric_name(world: World, fabric_id: str) -> str:
    """Return the friendly name of a fabric; Azure as a target of on-premises machines is none."""
    found = world.resources.get(fabric_id)
    return found.friendly_name if isinstance(found, Fabric) else AZURE


def _scenario(world: World, plan: Plan) -> dict[str, Any]:
    running = plan.running
    if running is None:
        return {"currentScenario": None, "currentScenarioStatus": None, "currentScenarioStatusDescription": None}
    job = world.operation(last_segment(running.job_id))
    state = job.state if job else "InProgress"
    return {
        "currentScenario": {
            "scenarioName": running.name,
            "jobId": running.job_id,
            "startTime": iso7(running.started),
        },
        "currentScenarioStatus": state,
        "currentScenarioStatusDescription": (job.description if job else "") or state,
    }


def _group(world: World, group: Group) -> dict[str, Any]:
    return {
        "groupType": group.kind,
        "replicationProtectedItems": list(_members(world, group)),
        "startGroupActions": group.start,
        "endGroupActions": group.end,
    }


def _members(world: World, group: Group) -> Iterator[dict[str, Any]]:
    for member in group.members:
        item = world.resources.get(member.item_id)
        if isinstance(item, ProtectedItem):
            yield {"id": item.id, "virtualMachineId": provider_named(item.provider).plan_machine_id(item)}
