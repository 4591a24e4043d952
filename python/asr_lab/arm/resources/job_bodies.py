"""Site Recovery jobs as the service writes them: one job with its tasks, and the row of a list.

Shapes are those of recorded sessions of the public SDK test suites. The service of api-version 2016-08-10 left out
``type``, repeated the state at the top level, and wrote affectedObjectDetails in Pascal case. Groups of tasks, which
only the jobs of recovery plans have, were never recorded: they follow the specification's models.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from asr_lab.arm.operations import Operation, OperationError, Step
from asr_lab.arm.providers import rules
from asr_lab.arm.providers.scope import OLDEST
from asr_lab.arm.wire import UNSET, iso, iso7
from asr_lab.arm.world import World

JOB_TYPE = "Microsoft.RecoveryServices/vaults/replicationJobs"

_DESCRIPTIONS = {"Succeeded": "Completed", "Other": "Skipped"}


def body(world: World, job: Operation, api_version: str, *, sparse: bool, now: datetime) -> dict[str, Any]:
    """Return the job for a GET, or for a list when ``sparse``; read at once after its start it is an empty shell."""
    shell = not sparse and _is_shell(world, job, now)
    told: dict[str, Any] = {"id": job.job_id, "name": job.guid}
    if api_version != OLDEST:
        told["type"] = JOB_TYPE
    told["properties"] = _shell(job) if shell else _properties(job, now, api_version, sparse=sparse)
    if api_version == OLDEST:
        told["status"] = "NotStarted" if shell else job.state
        told["error"] = job.error.body() if job.error else None
        told["startTime"] = None if shell else iso7(job.started)
        told["endTime"] = iso(job.ended) if job.ended else None
    return told


def full(world: World, job: Operation, api_version: str, now: datetime) -> dict[str, Any]:
    """Return the job for a GET; what a partial of it gives is the result of an operation on the job."""
    return body(world, job, api_version, sparse=False, now=now)


def activity_id(job: Operation) -> str:
    """Return ``activityId`` as jobs and their errors carry it."""
    return f"{job.client_request_id} ActivityId: {job.activity_id}"


def _is_shell(world: World, job: Operation, now: datetime) -> bool:
    return job.running and (now - job.started).total_seconds() < world.duration_s("any", "job_shell")


def _shell(job: Operation) -> dict[str, Any]:
    return {
        "activityId": activity_id(job),
        "scenarioName": None,
        "friendlyName": None,
        "state": "NotStarted",
        "stateDescription": "NotStarted",
        "tasks": [],
        "errors": [],
        "allowedActions": [],
        "targetObjectId": None,
        "targetObjectName": None,
        "targetInstanceType": "ProtectionEntity",
        "customDetails": {"instanceType": "AsrJobDetails", "affectedObjectDetails": {}},
    }


def _properties(job: Operation, now: datetime, api_version: str, *, sparse: bool) -> dict[str, Any]:
    steps = [] if sparse and job.error is None else job.progress(now)
    errors = _errors(job, steps)
    properties: dict[str, Any] = {
        "activityId": None if sparse else activity_id(job),
        "scenarioName": job.scenario,
        "friendlyName": job.friendly_name,
        "state": job.state,
        "stateDescription": job.description or _DESCRIPTIONS.get(job.state, job.state),
        "tasks": [] if sparse else [_task(job, step, now, errors) for step in steps],
        "errors": errors,
        "startTime": iso7(job.started),
    }
    if job.ended:
        properties["endTime"] = iso(job.ended)
    target = job.target
    properties["allowedActions"] = job.allowed_actions
    properties["targetObjectId"] = target.object_id if target else None
    properties["targetObjectName"] = target.object_name if target else None
    properties["targetInstanceType"] = target.instance_type if target else "ProtectionEntity"
    properties["customDetails"] = None if sparse else _custom_details(job, api_version)
    return properties


def _custom_details(job: Operation, api_version: str) -> dict[str, Any]:
    affected = job.custom_details.get("affected", {})
    if api_version == OLDEST:
        affected = {name[0].upper() + name[1:]: value for name, value in affected.items()}
    kind = job.custom_details.get("kind") or rules.scenario(job.scenario or "")["details"]
    return {"instanceType": kind, **job.custom_details.get("extra", {}), "affectedObjectDetails": affected}


def _task(job: Operation, step: Step, now: datetime, errors: list[dict[str, Any]]) -> dict[str, Any]:
    told = errors if step.failing else [_error(job, error, step.task_id, step.ended) for error in step.errors]
    return {
        "taskId": step.task_id,
        "name": step.name,
        "startTime": iso7(step.started) if step.started else UNSET,
        "endTime": iso7(step.ended) if step.ended else UNSET,
        "allowedActions": step.allowed,
        "friendlyName": step.friendly_name,
        "state": step.state,
        "stateDescription": _DESCRIPTIONS.get(step.state, step.state),
        "taskType": step.group["instanceType"] if step.group and not step.work else step.details["instanceType"],
        "customDetails": step.details,
        "groupTaskCustomDetails": _group(job, step, now),
        "errors": told,
    }


def _group(job: Operation, step: Step, now: datetime) -> dict[str, Any] | None:
    if step.group is None:
        return None
    if step.work is None:
        children = [_task(job, child, now, []) for child in step.children]
    else:
        work = step.work
        steps = work.progress(now)
        errors = _errors(work, steps)
        children = [_task(work, one, now, errors) for one in steps]
    return {**step.group, "childTasks": children}


def _errors(job: Operation, steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Return the errors of a job that has ended; a recovery plan's job repeats those of its parts."""
    if job.error is None or job.ended is None:
        return []
    parts = list(_errors_of_parts(job, steps))
    failing = next((step.task_id for step in steps if step.failing), "")
    return parts or [_error(job, job.error, failing)]


def _errors_of_parts(job: Operation, steps: Sequence[Step]) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield from (_error(job, error, step.task_id, step.ended) for error in step.errors)
        if step.work is not None and step.work.ended is not None:
            yield from _errors(step.work, step.work.progress(step.work.ended))
        yield from _errors_of_parts(job, step.children)


def _error(job: Operation, error: OperationError, task_id: str, at: datetime | None = None) -> dict[str, Any]:
    return {
        "serviceErrorDetails": {
            "code": error.code,
            "message": error.message,
            "possibleCauses": error.possible_causes,
            "recommendedAction": error.recommended_action,
            "activityId": activity_id(job),
        },
        "providerErrorDetails": {
            "errorCode": error.provider_code,
            "errorMessage": error.provider_message,
            "errorId": error.provider_error_id,
            "possibleCauses": error.provider_causes,
            "recommendedAction": error.provider_action,
        },
        "errorLevel": "Error",
        "creationTime": iso7(at or job.ended or job.due),
        "taskId": task_id,
    }
