"""Site Recovery jobs: list with filter, and one job with tasks that advance with time.

Shapes are those of recorded sessions of the public SDK test suites. The service of api-version 2016-08-10 left out
``type``, repeated the state at the top level, and wrote affectedObjectDetails in Pascal case.
"""

import re
from datetime import UTC, datetime
from typing import Any

from asr_lab.arm.operations import Operation, OperationError
from asr_lab.arm.providers import rules
from asr_lab.arm.providers.scope import OLDEST, VAULT, VERSIONS, Scope
from asr_lab.arm.routes import route
from asr_lab.arm.wire import UNSET, ArmError, Request, Response, iso, iso7, same_id
from asr_lab.arm.world import World

JOB_TYPE = "Microsoft.RecoveryServices/vaults/replicationJobs"
MAX_JOBS = 200

_CONDITION = re.compile(r"(?P<name>\w+)\s+eq\s+'(?P<value>[^']*)'", re.IGNORECASE)


@route("GET", VAULT + "/replicationJobs", versions=VERSIONS)
def list_jobs(world: World, request: Request, now: datetime) -> Response:
    """Answer the jobs of the vault, newest first, at most 200; ``$filter`` by JobStatus, StartTime and EndTime."""
    scope = Scope(world, request)
    wanted = _conditions(request.query.get("$filter", ""))
    found = [job for job in _jobs(world, scope.vault_id) if _fits(job, wanted)]
    listed = [_body(job, now, request.api_version, sparse=True) for job in reversed(found)]
    return Response(200, {}, {"value": listed[:MAX_JOBS], "nextLink": None})


@route("GET", VAULT + "/replicationJobs/{job}", versions=VERSIONS)
def get_job(world: World, request: Request, now: datetime) -> Response:
    """Answer one job; read at once after its start it is an empty shell, as recorded."""
    scope = Scope(world, request)
    name = scope.name("replicationJobs")
    operation = world.operation(name)
    if operation is None or operation.scenario is None or not _belongs(operation, scope.vault_id):
        raise scope.not_found(name)
    headers = {"x-ms-request-id": operation.job_id}
    return Response(200, headers, _body(operation, now, request.api_version, sparse=False))


@route("POST", VAULT + "/replicationJobs/export", versions=VERSIONS)
def export_jobs(world: World, request: Request, now: datetime) -> Response:
    """Accept an export of the job list; the lab writes no file."""
    scope = Scope(world, request)
    operation = world.begin(
        now,
        target_id=f"{scope.vault_id}/replicationJobs/export",
        duration_s=rules.duration_s("any", "job_export"),
        result="nothing",
    )
    operation.target_id = operation.job_id
    return operation.accepted()


def _jobs(world: World, vault_scope: str) -> list[Operation]:
    return [job for job in world.operations.values() if job.scenario is not None and _belongs(job, vault_scope)]


def _belongs(operation: Operation, vault_scope: str) -> bool:
    return operation.style == "site_recovery" and same_id(operation.vault_id, vault_scope)


def _conditions(text: str) -> dict[str, str]:
    found = {match["name"].casefold(): match["value"] for match in _CONDITION.finditer(text)}
    rest = re.sub(r"\band\b|[()\s]", "", _CONDITION.sub("", text), flags=re.IGNORECASE)
    unknown = set(found) - {"jobstatus", "starttime", "endtime"}
    if rest or unknown:
        raise ArmError(
            400,
            "BadRequest",
            f"$filter is '{text}'; accepted: JobStatus, StartTime, EndTime, with eq and a quoted value, joined by and.",
        )
    return found


def _fits(job: Operation, wanted: dict[str, str]) -> bool:
    if "jobstatus" in wanted and wanted["jobstatus"].casefold() != job.state.casefold():
        return False
    if "starttime" in wanted and job.started < _moment(wanted["starttime"], "StartTime"):
        return False
    return not ("endtime" in wanted and job.started > _moment(wanted["endtime"], "EndTime"))


def _moment(text: str, name: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArmError(
            400, "BadRequest", f"{name} is '{text}'; a time such as 2026-01-31T12:00:00.000Z is needed."
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _is_shell(job: Operation, now: datetime) -> bool:
    return job.running and (now - job.started).total_seconds() < rules.duration_s("any", "job_shell")


def _body(job: Operation, now: datetime, api_version: str, *, sparse: bool) -> dict[str, Any]:
    shell = not sparse and _is_shell(job, now)
    body: dict[str, Any] = {"id": job.job_id, "name": job.guid}
    if api_version != OLDEST:
        body["type"] = JOB_TYPE
    body["properties"] = _shell(job) if shell else _properties(job, now, api_version, sparse=sparse)
    if api_version == OLDEST:
        body["status"] = "NotStarted" if shell else job.state
        body["error"] = job.error.body() if job.error else None
        body["startTime"] = None if shell else iso7(job.started)
        body["endTime"] = iso(job.ended) if job.ended else None
    return body


def _shell(job: Operation) -> dict[str, Any]:
    return {
        "activityId": _activity_id(job),
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
    errors = [_error(job, job.error)] if job.error and job.ended else []
    properties: dict[str, Any] = {
        "activityId": None if sparse else _activity_id(job),
        "scenarioName": job.scenario,
        "friendlyName": job.friendly_name,
        "state": job.state,
        "stateDescription": "Completed" if job.state == "Succeeded" else job.state,
        "tasks": [] if sparse else _tasks(job, now, errors),
        "errors": errors,
        "startTime": iso7(job.started),
    }
    if job.ended:
        properties["endTime"] = iso(job.ended)
    target = job.target
    properties["allowedActions"] = _allowed_actions(job)
    properties["targetObjectId"] = target.object_id if target else None
    properties["targetObjectName"] = target.object_name if target else None
    properties["targetInstanceType"] = target.instance_type if target else "ProtectionEntity"
    properties["customDetails"] = None if sparse else _custom_details(job, api_version)
    return properties


def _allowed_actions(job: Operation) -> list[str]:
    if job.running:
        return ["Cancel"] if rules.scenario(job.scenario or "").get("cancel", True) else []
    return ["Restart"] if job.error and job.error.restartable else []


def _custom_details(job: Operation, api_version: str) -> dict[str, Any]:
    affected = job.custom_details.get("affected", {})
    if api_version == OLDEST:
        affected = {name[0].upper() + name[1:]: value for name, value in affected.items()}
    return {
        "instanceType": rules.scenario(job.scenario or "")["details"],
        **job.custom_details.get("extra", {}),
        "affectedObjectDetails": affected,
    }


def _activity_id(job: Operation) -> str:
    return f"{job.client_request_id} ActivityId: {job.activity_id}"


def _tasks(job: Operation, now: datetime, errors: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows = rules.scenario_tasks(job.scenario or "", job.custom_details.get("provider"))
    span = job.due - job.started
    moment = job.ended or now
    failing = _failing_row(job, rows)
    begin = job.started
    tasks: list[dict[str, Any]] = []
    for number, row in enumerate(rows):
        end = job.started + span * float(row["until"])
        state, started, ended = "NotStarted", UNSET, UNSET
        if row.get("when") == "asked" and not job.custom_details.get("asked"):
            if begin < moment or job.ended:
                state = "Other"
            end = begin
        elif row is failing:
            state, started = rules.scenario(job.scenario or "").get("failing_task", "Failed"), iso7(begin)
            ended = iso7(moment) if state == "Failed" else UNSET
        elif failing is not None and number > rows.index(failing):
            pass
        elif end <= moment or job.state == "Succeeded":
            state, started, ended = "Succeeded", iso7(begin), iso7(end)
        elif begin <= moment:
            state, started = "InProgress", iso7(begin)
        tasks.append(_task(job, row, number, state, started, ended, errors if row is failing else []))
        begin = end
    return tasks


def _failing_row(job: Operation, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    if job.error is None or not rows:
        return None
    return next((row for row in rows if job.error.task in (row.get("id"), row["name"])), rows[-1])


def _task(
    job: Operation, row: dict[str, Any], number: int, state: str, started: str, ended: str, errors: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "taskId": _task_id(job, row, number),
        "name": row["name"],
        "startTime": started,
        "endTime": ended,
        "allowedActions": [],
        "friendlyName": row["text"],
        "state": state,
        "stateDescription": {"Succeeded": "Completed", "Other": "Skipped"}.get(state, state),
        "taskType": "TaskDetails",
        "customDetails": {"instanceType": "TaskDetails"},
        "groupTaskCustomDetails": None,
        "errors": errors,
    }


def _task_id(job: Operation, row: dict[str, Any], number: int) -> str:
    return str(row.get("id") or f"{job.activity_id[:-2]}{number:02x}")


def _error(job: Operation, error: OperationError) -> dict[str, Any]:
    rows = rules.scenario_tasks(job.scenario or "", job.custom_details.get("provider"))
    failing = _failing_row(job, rows)
    return {
        "serviceErrorDetails": {
            "code": error.code,
            "message": error.message,
            "possibleCauses": error.possible_causes,
            "recommendedAction": error.recommended_action,
            "activityId": _activity_id(job),
        },
        "providerErrorDetails": {
            "errorCode": error.provider_code,
            "errorMessage": error.provider_message,
            "errorId": error.provider_error_id,
            "possibleCauses": error.provider_causes,
            "recommendedAction": error.provider_action,
        },
        "errorLevel": "Error",
        "creationTime": iso7(job.ended or job.due),
        "taskId": _task_id(job, failing, rows.index(failing)) if failing is not None else "",
    }
