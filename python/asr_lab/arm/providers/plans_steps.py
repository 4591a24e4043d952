"""The tasks of a recovery plan's job: what a plan will do, as phases, each with the step that shows it.

Only the names of the first tasks are documented (a sample of the PowerShell documentation); that a plan's groups are
tasks with child tasks follows the specification's models. Texts and ids are a choice of the lab.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asr_lab.arm.operations import Step
from asr_lab.arm.providers.model import AZURE_VMM_ID, Fabric, ProtectedItem
from asr_lab.arm.providers.plans import Group, Member, Plan, fabric_name
from asr_lab.arm.world import World

_NAMES = {"Shutdown": "All groups shutdown", "Failover": "All groups failover"}


@dataclass
class Phase:
    """A stretch of a plan's job: what its step says, and what is to be done, one after the other or all at once.

    ``actions`` are done one after the other, ``members`` all at once; there is never both.
    """

    step: Step
    actions: list[dict[str, Any]] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    duration_s: float = 0.0
    skipped: bool = False


def phases(world: World, plan: Plan, operation: str, direction: str, *, shuts_down: bool | None) -> list[Phase]:
    """Return what the plan does for an operation (``TestFailover`` ...) in a direction, in order.

    ``shuts_down`` says whether the source is asked to shut down, None for operations that never do.
    """
    checks = Step("RecoveryPlanPreflightChecksTask", "Recovery plan preflight checks", world.guid())
    made = [Phase(checks, duration_s=world.duration_s("any", "plan_checks", name=plan.name))]
    number = 0
    for group in plan.groups:
        number += group.kind == "Boot"
        name = _NAMES.get(group.kind, f"Group {number}")
        made += _actions(world, group, name, "Pre steps", group.start, operation, direction)
        if group.kind == "Shutdown" and shuts_down is not None:
            step = _group_step(world, group, name, "RecoveryPlanShutdownGroupTaskDetails", name)
            made.append(Phase(step, skipped=not shuts_down))
        if group.members:
            step = _group_step(world, group, name, "RecoveryPlanGroupTaskDetails", f"{name}: Start")
            step.children = [_member_step(world, member) for member in group.members]
            made.append(Phase(step, members=list(group.members)))
        made += _actions(world, group, name, "Post steps", group.end, operation, direction)
    return made


def affected(world: World, plan: Plan) -> dict[str, str]:
    """Return affectedObjectDetails of a plan's jobs (recorded for SaveRecoveryPlan)."""
    primary, recovery = world.resources.get(plan.primary_fabric_id), world.resources.get(plan.recovery_fabric_id)
    return {
        "primaryVmmId": primary.internal_id if isinstance(primary, Fabric) else "",
        "primaryVmmName": fabric_name(world, plan.primary_fabric_id),
        "recoveryVmmId": recovery.internal_id if isinstance(recovery, Fabric) else AZURE_VMM_ID,
        "recoveryVmmName": fabric_name(world, plan.recovery_fabric_id),
        "primaryFabricProviderId": primary.kind if isinstance(primary, Fabric) else "",
        "recoveryFabricProviderId": "Azure",
    }


def _actions(
    world: World,
    group: Group,
    name: str,
    place: str,
    actions: list[dict[str, Any]],
    operation: str,
    direction: str,
) -> list[Phase]:
    wanted = [one for one in actions if operation in one["failoverTypes"] and direction in one["failoverDirections"]]
    if not wanted:
        return []
    step = _group_step(world, group, name, "RecoveryPlanGroupTaskDetails", f"{name}: {place} ({len(wanted)})")
    step.children = [_action_step(world, one) for one in wanted]
    return [Phase(step, actions=wanted, duration_s=world.duration_s("any", "plan_action"))]


def _group_step(world: World, group: Group, name: str, kind: str, text: str) -> Step:
    guid = world.guid()
    details = {"instanceType": kind, "name": name, "groupId": guid, "rpGroupType": group.kind}
    return Step(text.split(" (")[0], text, guid, group=details)


def _action_step(world: World, action: Mapping[str, Any]) -> Step:
    name, given = str(action["actionName"]), action["customDetails"]
    primary = given.get("fabricLocation") == "Primary"
    kind = str(given.get("instanceType", ""))
    details: dict[str, Any]
    if kind == "ManualActionDetails":
        details = {
            "instanceType": "ManualActionTaskDetails",
            "name": name,
            "instructions": given.get("description"),
            "observation": None,
        }
    elif kind == "ScriptActionDetails":
        details = {
            "instanceType": "ScriptActionTaskDetails",
            "name": name,
            "path": given.get("path"),
            "output": None,
            "isPrimarySideScript": primary,
        }
    else:
        details = _runbook(name, str(given.get("runbookId") or ""), primary=primary)
    return Step(name, name, world.guid(), details=details)


def _runbook(name: str, runbook_id: str, *, primary: bool) -> dict[str, Any]:
    segments = runbook_id.strip("/").split("/")
    named = dict(zip((one.casefold() for one in segments[0::2]), segments[1::2], strict=False))
    return {
        "instanceType": "AutomationRunbookTaskDetails",
        "name": name,
        "cloudServiceName": None,
        "subscriptionId": named.get("subscriptions"),
        "accountName": named.get("automationaccounts"),
        "runbookId": runbook_id or None,
        "runbookName": named.get("runbooks"),
        "jobId": None,
        "jobOutput": None,
        "isPrimarySideScript": primary,
    }


def _member_step(world: World, member: Member) -> Step:
    item = world.resources.get(member.item_id)
    name = item.friendly_name if isinstance(item, ProtectedItem) else member.item_id.rpartition("/")[2]
    details = {
        "instanceType": "VirtualMachineTaskDetails",
        "jobTask": None,
        "skippedReason": None,
        "skippedReasonString": None,
    }
    return Step(name, name, world.guid(), details=details)
