"""What became of each machine of a recovery plan's job: one job, read once, tells of all of them. Pure.

The tasks of such a job are groups (``RecoveryPlanGroupTaskDetails``); the child tasks of a group are machines
(``VirtualMachineTaskDetails``), whose own children are the steps of that machine (``InlineWorkflowTaskDetails``).
Source: the specification's models; no failover of a plan was recorded. Tasks and job are not in step, so the job's
state decides what a task that never ended means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from asr_migrate.domain.errors import job_error
from asr_migrate.domain.lifecycle import Fault
from asr_migrate.domain.recovery_plan import machine_tasks
from asr_migrate.domain.site import Json

SUCCEEDED = frozenset({"Succeeded", "CompletedWithInformation", "PartiallySucceeded"})
ENDED_BADLY = frozenset({"Failed", "Cancelled"})


class PlanState(StrEnum):
    """How far a machine of a plan's job is; ``skipped`` means that the service did not begin with it."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class PlanOutcome:
    """One machine of a plan's job. ``job_id`` is its own job inside it; ``at`` the task it is at, in words."""

    state: PlanState
    fault: Fault | None = None
    job_id: str | None = None
    at: str | None = None


def outcomes(job: Json, items: Mapping[str, Json]) -> dict[str, PlanOutcome]:
    """Return what became of each machine. ``job`` is a plan's job read on its own; ``items`` machine -> item.

    A machine that the job does not speak of shares the fate of the job.
    """
    properties = job.get("properties") or {}
    known = {name: machine for machine, item in items.items() for name in _names(item)}
    tasks: dict[str, Json] = {}
    for task in machine_tasks(properties.get("tasks") or ()):
        if machine := next((known[name] for name in _task_names(task) if name in known), None):
            tasks[machine] = task
    return {machine: _outcome(job, tasks.get(machine), machine) for machine in items}


def _names(item: Json) -> Iterator[str]:
    """Yield what a job may call an item: GUIDs of both providers, its name, its friendly name."""
    properties = item.get("properties") or {}
    details = properties.get("providerSpecificDetails") or {}
    protectable = str(properties.get("protectableItemId") or "").rpartition("/")[2]
    ids = (details.get("internalIdentifier"), details.get("vmId"), details.get("infrastructureVmId"), protectable)
    for name in (*ids, item.get("name"), properties.get("friendlyName")):
        if name:
            yield str(name).lower()


def _task_names(task: Json) -> Iterator[str]:
    """Yield what a task calls its machine, the GUID first: friendly names need not be unique."""
    entity = (task.get("customDetails") or {}).get("jobTask") or {}
    for name in (entity.get("targetObjectId"), entity.get("targetObjectName"), task.get("name")):
        if name:
            yield str(name).lower()
    if task.get("friendlyName"):
        yield str(task["friendlyName"]).lower()


def _outcome(job: Json, task: Json | None, machine: str) -> PlanOutcome:
    properties = job.get("properties") or {}
    job_state = str(properties.get("state"))
    if task is None:
        return _fate(job, job_state, machine)
    details = task.get("customDetails") or {}
    job_id = (details.get("jobTask") or {}).get("jobId")
    state = str(task.get("state"))
    if state in SUCCEEDED:
        return PlanOutcome(PlanState.DONE, job_id=job_id)
    if state in ENDED_BADLY:
        return PlanOutcome(PlanState.FAILED, _fault(job, task, machine), job_id)
    if state == "Other" or details.get("skippedReason"):
        why = details.get("skippedReasonString") or details.get("skippedReason") or "no reason given"
        fault = Fault(
            f"{machine}: the recovery plan's job passed it over: {why}",
            code="Skipped",
            cause=str(why),
            remedy="Look at the machine's state and health in the vault, then run the same playbook again.",
        )
        return PlanOutcome(PlanState.SKIPPED, fault, job_id)
    if job_state in SUCCEEDED and state == "InProgress":
        return PlanOutcome(PlanState.DONE, job_id=job_id)
    if job_state in SUCCEEDED or job_state in ENDED_BADLY:
        return PlanOutcome(PlanState.FAILED, _fault(job, None, machine), job_id)
    return PlanOutcome(PlanState.RUNNING, job_id=job_id, at=_step(task))


def _fate(job: Json, state: str, machine: str) -> PlanOutcome:
    if state in SUCCEEDED:
        return PlanOutcome(PlanState.DONE)
    if state in ENDED_BADLY:
        return PlanOutcome(PlanState.FAILED, _fault(job, None, machine))
    return PlanOutcome(PlanState.RUNNING)


def _step(task: Json) -> str | None:
    """Return the step that a machine is at, None before it begins."""
    children = (task.get("groupTaskCustomDetails") or {}).get("childTasks") or ()
    return next((child.get("friendlyName") for child in children if child.get("state") == "InProgress"), None)


def _fault(job: Json, task: Json | None, machine: str) -> Fault:
    """Return why a machine failed: the errors of its own tasks, else those of the job that are of no machine."""
    properties = job.get("properties") or {}
    if task is None:
        of_machines = {
            str(entry.get("taskId"))
            for found in machine_tasks(properties.get("tasks") or ())
            for entry in _errors_under(found)
        }
        errors = [one for one in properties.get("errors") or () if str(one.get("taskId")) not in of_machines]
    else:
        ids = {str(one.get("taskId")) for one in _under(task) if one.get("taskId")}
        errors = list(_errors_under(task))
        errors = errors or [one for one in properties.get("errors") or () if str(one.get("taskId")) in ids]
    said = {"properties": {"state": properties.get("state"), "errors": errors}}
    error = job_error(said, f"{machine}: {properties.get('friendlyName') or 'the recovery plan'} failed")
    return Fault(error.message, error.code, error.cause, error.remedy)


def _under(task: Json) -> Iterator[Json]:
    yield task
    for child in (task.get("groupTaskCustomDetails") or {}).get("childTasks") or ():
        yield from _under(child)


def _errors_under(task: Json) -> Iterator[dict[str, Any]]:
    for one in _under(task):
        yield from one.get("errors") or ()
