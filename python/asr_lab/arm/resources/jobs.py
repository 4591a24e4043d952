"""Site Recovery jobs: the list with its filter, one job, and the export of the list."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from asr_lab.arm.models import checked
from asr_lab.arm.operations import Operation, Target
from asr_lab.arm.providers import rules
from asr_lab.arm.providers.scope import VAULT, VERSIONS, Scope
from asr_lab.arm.resources.job_bodies import body, full
from asr_lab.arm.routes import route
from asr_lab.arm.wire import ArmError, Request, Response, last_segment
from asr_lab.arm.world import World

MAX_JOBS = 200

_CONDITION = re.compile(r"(?P<name>\w+)\s+eq\s+'(?P<value>[^']*)'", re.IGNORECASE)
_TIMES = ("starttime", "endtime")
_FILTERS = ("JobStatus", "StartTime", "EndTime", "FabricId", "AffectedObjectTypes", "JobName")
_SUFFIXES = {"Json": "json", "Xml": "xml", "Excel": "xlsx"}


@route("GET", VAULT + "/replicationJobs", versions=VERSIONS)
def list_jobs(world: World, request: Request, now: datetime) -> Response:
    """Answer the jobs of the vault, newest first, at most 200 (recorded; no list had a second page).

    ``$filter`` takes JobStatus, StartTime and EndTime (recorded), and FabricId, AffectedObjectTypes and JobName
    (specification: JobQueryParameter), joined by ``and``, with parentheses as PowerShell writes them.
    """
    scope = Scope(world, request)
    wanted = _conditions(request.query.get("$filter", ""))
    found = (job for job in _jobs(world, scope.vault_id) if _fits(job, wanted))
    listed = [body(world, job, request.api_version, sparse=True, now=now) for job in islice(found, MAX_JOBS)]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", VAULT + "/replicationJobs/{job}", versions=VERSIONS)
def get_job(world: World, request: Request, now: datetime) -> Response:
    """Answer one job; read at once after its start it is an empty shell, as recorded."""
    job = find_job(world, request)
    return Response(200, {"x-ms-request-id": job.job_id}, full(world, job, request.api_version, now))


@route("POST", VAULT + "/replicationJobs/export", versions=VERSIONS)
def export_jobs(world: World, request: Request, now: datetime) -> Response:
    """Accept an export of the job list; the lab writes no file, and its blobUri says so.

    Recorded are the 202, the URLs and the status; the job's own body follows the specification (ExportJobDetails).
    """
    scope = Scope(world, request)
    given = checked(request, "JobQueryParameter") if request.body else {}
    for name in _TIMES:
        found = next((value for key, value in given.items() if key.casefold() == name and value), None)
        if found:
            _moment(str(found), name)
    suffix = _SUFFIXES[given.get("jobOutputType") or "Excel"]
    operation = world.begin(
        now,
        target_id=f"{scope.vault_id}/replicationJobs/export",
        duration_s=world.duration_s("any", "job_export"),
        scenario="ExportJobs",
        friendly_name=rules.scenario("ExportJobs")["text"],
        target=Target("", last_segment(scope.vault_id), "Vault"),
    )
    operation.custom_details = {
        "extra": {"blobUri": f"https://lab.invalid/no-file-is-written/jobs-{operation.guid}.{suffix}", "sasToken": None}
    }
    operation.target_id = operation.job_id
    return operation.accepted()


def find_job(world: World, request: Request) -> Operation:
    """Return the job that the request names; an operation on a job stands for that job. Raises the 404."""
    scope = Scope(world, request)
    name = scope.name("replicationJobs")
    operation = world.operation(name)
    found = operation.acts_on or operation if operation else None
    if found is None or found.scenario is None or not _belongs(found, scope.vault_id.casefold() + "/"):
        raise scope.not_found(name)
    return found


def _jobs(world: World, vault_id: str) -> Iterator[Operation]:
    """Yield the vault's jobs, newest first, without those that are parts of a recovery plan's job."""
    start = vault_id.casefold() + "/"
    for job in reversed(world.operations.values()):
        if job.scenario is not None and job.part_of is None and _belongs(job, start):
            yield job


def _belongs(operation: Operation, start: str) -> bool:
    return operation.style == "site_recovery" and operation.target_id.casefold().startswith(start)


def _conditions(text: str) -> Mapping[str, Any]:
    found: dict[str, Any] = {match["name"].casefold(): match["value"] for match in _CONDITION.finditer(text)}
    rest = re.sub(r"\band\b|[()\s]", "", _CONDITION.sub("", text), flags=re.IGNORECASE)
    if rest or set(found) - {name.casefold() for name in _FILTERS}:
        raise ArmError(
            400,
            "BadRequest",
            f"$filter is '{text}'; accepted: {', '.join(_FILTERS)}, with eq and a quoted value, joined by and.",
        )
    return {name: _moment(value, name) if name in _TIMES else value.casefold() for name, value in found.items()}


def _fits(job: Operation, wanted: Mapping[str, Any]) -> bool:
    return all(_FITS[name](job, value) for name, value in wanted.items())


def _fits_status(job: Operation, wanted: str) -> bool:
    return job.state.casefold() == wanted


def _fits_start(job: Operation, wanted: datetime) -> bool:
    return job.started >= wanted


def _fits_end(job: Operation, wanted: datetime) -> bool:
    return job.started <= wanted


def _fits_fabric(job: Operation, wanted: str) -> bool:
    """Return whether the job touches the fabric: by its id, its name or the GUID inside the service."""
    affected = job.custom_details.get("affected", {})
    names = {str(affected.get(name, "")).casefold() for name in ("primaryVmmId", "primaryVmmName")}
    name = last_segment(wanted)
    return name in names or f"/replicationfabrics/{name}/" in f"{job.target_id.casefold()}/"


def _fits_types(job: Operation, wanted: str) -> bool:
    kind = job.target.instance_type.casefold() if job.target else ""
    return kind in {one.strip() for one in wanted.split(",")}


def _fits_name(job: Operation, wanted: str) -> bool:
    return wanted in {(job.scenario or "").casefold(), job.friendly_name.casefold(), job.guid.casefold()}


_FITS: Mapping[str, Any] = {
    "jobstatus": _fits_status,
    "starttime": _fits_start,
    "endtime": _fits_end,
    "fabricid": _fits_fabric,
    "affectedobjecttypes": _fits_types,
    "jobname": _fits_name,
}


def _moment(text: str, name: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArmError(
            400, "BadRequest", f"{name} is '{text}'; a time such as 2026-01-31T12:00:00.000Z is needed."
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
