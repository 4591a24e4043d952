"""A recovery plan's job: its groups one after the other, the items of a group at once, actions before and after.

No failover of a plan was recorded. What documents say: groups start in their order; manual actions make the job wait
(state Suspended, WaitingForManualAction) until it is resumed; when something fails, an unplanned failover goes on and a
planned one stops. The lab's choices: each item fails over in its own group; an item whose state does not allow the
operation is skipped; the job fails when one of its items or actions did, and when there was nothing to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.operations import CANCELLED, Operation, OperationError, OperationFailed, Step, Target
from asr_lab.arm.providers import rules
from asr_lab.arm.providers.model import ProtectedItem, Running
from asr_lab.arm.providers.plans import Plan, items
from asr_lab.arm.providers.plans_requests import Verb, action_for
from asr_lab.arm.providers.plans_steps import Phase, affected, phases
from asr_lab.arm.providers.work import begin_action, error
from asr_lab.arm.wire import ArmError, Request, last_segment
from asr_lab.arm.world import World

WAITING = "WaitingForManualAction"
"""``stateDescription`` of a job that waits for a person (a sample of the PowerShell documentation)."""
ACTION_SCENARIO = "RecoveryPlanAction"
"""What a planted job fault matches as scenario to make a runbook or a script fail; its name is the action's."""
NOT_ALLOWED = "25037"


@dataclass
class Run:
    """One action on a plan, while it runs. ``pending`` counts the items of the present phase that still work."""

    world: World
    request: Request
    plan: Plan
    verb: Verb
    given: Mapping[str, Any]
    job: Operation
    phases: list[Phase]
    position: int = -1
    pending: int = 0
    done: int = 0
    children: list[Operation] = field(default_factory=list)
    errors: list[OperationError] = field(default_factory=list)

    @property
    def phase(self) -> Phase:
        """The present phase."""
        return self.phases[self.position]


def begin(world: World, request: Request, now: datetime, plan: Plan, verb: Verb, given: Mapping[str, Any]) -> Operation:
    """Begin the job of an action on a plan; the plan and its idle items are busy until it ends.

    Faults planted for a scenario strike the items' own operations, so the plan's job gets its scenario afterwards.
    """
    row = rules.scenario(verb.scenario)
    asked = verb.path == "plannedFailover" or given.get("sourceSiteOperations") == "Required"
    direction = str(given.get("failoverDirection") or "PrimaryToRecovery")
    made = phases(world, plan, verb.operation, direction, shuts_down=asked if verb.shuts_down else None)
    job = world.begin(
        now,
        target_id=plan.id,
        duration_s=None,
        friendly_name=row["text"],
        target=Target(plan.object_id, plan.name, "RecoveryPlan"),
        custom_details={"affected": affected(world, plan), "kind": verb.kind, "extra": _extra(verb, given)},
    )
    job.scenario = verb.scenario
    job.steps = [phase.step for phase in made]
    run = Run(world, request, plan, verb, given, job, made)
    job.on_done = partial(_succeeded, run, now)
    job.on_failed = partial(_failed, run)
    job.on_cancelled = partial(_cancelled, run)
    plan.running = Running(row.get("scenario", verb.scenario), job.job_id, now)
    for item in items(world, plan):
        if item.running is None:
            item.running = plan.running
    _next(run, now)
    return job


def _extra(verb: Verb, given: Mapping[str, Any]) -> dict[str, Any]:
    if verb.kind == "AsrJobDetails":
        return {}
    if verb.kind == "FailoverJobDetails":
        return {"protectedItemDetails": []}
    network = last_segment(str(given.get("networkId") or "")) or None
    return {
        "testFailoverStatus": "Active" if verb.path == "testFailover" else None,
        "comments": given.get("comments"),
        "networkName": network,
        "networkFriendlyName": network,
        "networkType": given.get("networkType"),
        "protectedItemDetails": [],
    }


def _next(run: Run, now: datetime) -> None:
    """Begin the next phase, or end the job."""
    run.position += 1
    stopped = run.errors and (run.verb.path == "plannedFailover" or run.job.fail is not None)
    if run.position >= len(run.phases) or stopped:
        _end(run, now)
        return
    phase = run.phase
    phase.step.state, phase.step.started = "InProgress", now
    if phase.skipped:
        phase.step.state, phase.step.started = "Other", None
        _next(run, now)
    elif phase.members:
        _begin_items(run, now)
    elif phase.actions:
        _begin_action(run, 0, now)
    else:
        run.world.after(now, phase.duration_s, partial(_waited, run))


def _waited(run: Run, now: datetime) -> None:
    """End a phase that only takes time; a fault planted for the whole job strikes at the checks."""
    if not run.job.running:
        return
    fault = run.job.fail if run.position == 0 else None
    if fault:
        run.errors.append(fault)
        run.phase.step.errors.append(fault)
    _end_phase(run, now)


def _end_phase(run: Run, now: datetime) -> None:
    step = run.phase.step
    failed = bool(step.errors) or any(child.state == "Failed" for child in step.children)
    step.state, step.ended = "Failed" if failed else "Succeeded", now
    _next(run, now)


def _end(run: Run, now: datetime) -> None:
    if not run.errors and not run.done and run.plan.members:
        name, state = run.plan.name, "that none of its items allows it"
        run.errors.append(error(NOT_ALLOWED, name=name, state=state, operation=run.verb.operation))
    run.world.finish(run.job, now, run.errors[0] if run.errors else None)


# Actions


def _begin_action(run: Run, number: int, now: datetime) -> None:
    """Begin an action of the present phase, or end the phase after the last one."""
    if number >= len(run.phase.actions):
        _end_phase(run, now)
        return
    step = run.phase.step.children[number]
    step.started = now
    if step.details["instanceType"] == "ManualActionTaskDetails":
        step.state, step.allowed = "Suspended", ["Resume"]
        run.job.state, run.job.description = "Suspended", WAITING
        run.job.on_resumed = partial(_resumed, run, number)
    else:
        step.state = "InProgress"
        run.world.after(now, run.phase.duration_s, partial(_action_done, run, number))


def _resumed(run: Run, number: int, now: datetime, comments: str) -> None:
    step = run.phase.step.children[number]
    step.state, step.ended, step.allowed = "Succeeded", now, []
    step.details["observation"] = comments or None
    run.job.state, run.job.description, run.job.on_resumed = "InProgress", "", None
    _begin_action(run, number + 1, now)


def _action_done(run: Run, number: int, now: datetime) -> None:
    if not run.job.running:
        return
    step = run.phase.step.children[number]
    fault = run.world.faults.job(ACTION_SCENARIO, step.name, run.plan.id)
    step.state, step.ended = "Failed" if fault else "Succeeded", now
    if fault:
        step.errors.append(fault)
        run.errors.append(fault)
        if run.verb.path == "plannedFailover":
            _end_phase(run, now)
            return
    _begin_action(run, number + 1, now)


# Items


def _begin_items(run: Run, now: datetime) -> None:
    phase = run.phase
    run.pending = len(phase.members)
    for member, step in zip(phase.members, phase.step.children, strict=True):
        item = run.world.resources.get(member.item_id)
        if not isinstance(item, ProtectedItem):
            _skip(run, step, now, "The machine is not protected any more.")
            continue
        try:
            child = _begin_item(run, item, step, now)
        except ArmError as refused:
            code = refused.details[0]["code"] if refused.details else refused.code
            _fail(run, step, now, OperationError(str(code), refused.message))
            continue
        except OperationFailed as failure:
            _fail(run, step, now, failure.error)
            continue
        if child is None:
            _skip(run, step, now, f"The state of the machine does not allow {run.verb.operation}.")


def _begin_item(run: Run, item: ProtectedItem, step: Step, now: datetime) -> Operation | None:
    """Begin the item's own action as a part of the plan's job; None when the item's state does not allow it."""
    held = item.running
    if _is_held(run, item):
        item.running = None
    try:
        action = action_for(run.world, run.request, item, run.verb, run.given, now)
        if action.fail is not None and action.fail.code == NOT_ALLOWED:
            return None
        child = begin_action(run.world, now, item, action)
    finally:
        item.running = held
    run.children.append(child)
    child.part_of = run.job
    child.on_done = partial(_item_done, run, step, child, child.on_done)
    child.on_failed = partial(_item_failed, run, step, child, child.on_failed)
    step.state, step.started, step.work = "InProgress", now, child
    step.group = {"instanceType": "InlineWorkflowTaskDetails", "workflowIds": [child.guid]}
    step.details["jobTask"] = {
        "jobId": child.guid,
        "jobFriendlyName": child.friendly_name,
        "targetObjectId": item.machine_id,
        "targetObjectName": item.friendly_name,
        "targetInstanceType": "ProtectionEntity",
        "jobScenarioName": child.scenario,
    }
    return child


def _is_held(run: Run, item: ProtectedItem) -> bool:
    return item.running is not None and item.running.job_id == run.job.job_id


def _item_done(run: Run, step: Step, child: Operation, change: Any, due: datetime) -> None:
    if change:
        change(due)
    run.world.at(due, partial(_item_over, run, step, child))


def _item_failed(run: Run, step: Step, child: Operation, change: Any, due: datetime, why: OperationError) -> None:
    if change:
        change(due, why)
    run.world.at(due, partial(_item_over, run, step, child))


def _item_over(run: Run, step: Step, child: Operation, now: datetime) -> None:
    """Note how an item's action ended."""
    if not run.job.running:
        return
    if child.error is not None:
        _fail(run, step, now, child.error)
        return
    run.done += 1
    if child.warning is not None and run.job.warning is None:
        run.job.warning = child.warning
    extra = run.job.custom_details["extra"]
    if "protectedItemDetails" in extra:
        extra["protectedItemDetails"] += child.custom_details.get("extra", {}).get("protectedItemDetails") or []
    step.state, step.ended = "Succeeded", now
    _one_less(run, now)


def _fail(run: Run, step: Step, now: datetime, why: OperationError) -> None:
    run.errors.append(why)
    step.state, step.started, step.ended = "Failed", step.started or now, now
    if step.work is None:
        step.errors.append(why)
    _one_less(run, now)


def _skip(run: Run, step: Step, now: datetime, why: str) -> None:
    step.state = "Other"
    step.details |= {"skippedReason": "NotAllowed", "skippedReasonString": why}
    _one_less(run, now)


def _one_less(run: Run, now: datetime) -> None:
    run.pending -= 1
    if run.pending == 0:
        run.world.at(now, partial(_items_over, run, run.position))


def _items_over(run: Run, position: int, now: datetime) -> None:
    if run.job.running and run.position == position:
        _end_phase(run, now)


# The end


def _succeeded(run: Run, began: datetime, _due: datetime) -> None:
    _free(run)
    match run.verb.path:
        case "testFailover":
            run.plan.last_test = began
        case "plannedFailover":
            run.plan.last_planned = began
        case "unplannedFailover":
            run.plan.last_unplanned = began


def _failed(run: Run, _due: datetime, _why: OperationError) -> None:
    _free(run)


def _cancelled(run: Run, now: datetime) -> None:
    for child in run.children:
        child.stop(now, CANCELLED)
    _cancel_steps(run.job.steps, now)
    _free(run)


def _cancel_steps(steps: list[Step], now: datetime) -> None:
    for step in steps:
        if step.state in ("InProgress", "Suspended"):
            step.state, step.ended, step.allowed = "Cancelled", now, []
        _cancel_steps(step.children, now)


def _free(run: Run) -> None:
    run.plan.running = None
    for item in items(run.world, run.plan):
        if _is_held(run, item):
            item.running = None
