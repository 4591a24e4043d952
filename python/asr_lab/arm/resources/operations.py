"""Status and result URLs of long-running operations.

Nobody recorded a result URL. By the rules of Resource Manager it answers 202 while the operation runs, and afterwards
the resource, or 204 when there is nothing to return; one below a job answers the job.
"""

from datetime import datetime
from typing import Any

from asr_lab.arm.operations import RETRY_AFTER_S, Operation
from asr_lab.arm.resources.job_bodies import full
from asr_lab.arm.routes import route
from asr_lab.arm.versions import COMPUTE_VERSIONS, DISK_VERSIONS, IN_VAULT_VERSIONS, NETWORK_VERSIONS
from asr_lab.arm.wire import ArmError, Request, Response, iso7, site_recovery_not_found
from asr_lab.arm.world import SUMMARIES, World

_VAULT = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.RecoveryServices/vaults/{vault}"
_PROVIDER = "/subscriptions/{sub}/providers/{namespace}/locations/{location}"
_PROVIDER_VERSIONS = tuple(sorted({*COMPUTE_VERSIONS, *DISK_VERSIONS, *NETWORK_VERSIONS}))


@route("GET", _VAULT + "/replicationOperationStatus/{operation}", versions=IN_VAULT_VERSIONS)
def get_replication_operation_status(world: World, now: datetime, *, operation: str) -> Response:
    """Answer the status of an operation of Site Recovery."""
    return _find(world, operation).status(now)


@route("GET", _VAULT + "/operationStatus/{operation}", versions=IN_VAULT_VERSIONS)
def get_vault_operation_status(world: World, now: datetime, *, operation: str) -> Response:
    """Answer the status of an operation on the vault itself."""
    return _find(world, operation).status(now)


@route("GET", _VAULT + "/{*resource}/operationresults/{operation}", versions=IN_VAULT_VERSIONS)
def get_operation_result(world: World, request: Request, now: datetime, *, operation: str) -> Response:
    """Answer 202 while the operation runs, afterwards the resource or 204 (by the rules of Resource Manager)."""
    return _result(world, request, now, _find(world, operation))


@route("GET", _PROVIDER + "/operations/{operation}", versions=_PROVIDER_VERSIONS)
def get_provider_operation(world: World, now: datetime, *, operation: str) -> Response:
    """Answer the status of an operation of another resource provider, such as the deletion of a virtual machine."""
    return _find(world, operation).status(now)


@route("GET", _PROVIDER + "/operationResults/{operation}", versions=_PROVIDER_VERSIONS)
def get_provider_operation_result(world: World, request: Request, now: datetime, *, operation: str) -> Response:
    """Answer the result of such an operation."""
    return _result(world, request, now, _find(world, operation))


def _find(world: World, guid: str) -> Operation:
    found = world.operation(guid)
    if found is None:
        raise site_recovery_not_found(guid)
    return found


def _result(world: World, request: Request, now: datetime, operation: Operation) -> Response:
    if operation.running:
        headers = {"Location": operation.result_path(), "Retry-After": str(RETRY_AFTER_S[operation.style])}
        return Response(202, headers)
    if operation.error:
        raise ArmError(409, operation.error.code, operation.error.message)
    if "/replicationjobs/" in request.path.casefold():
        return Response(200, {}, full(world, operation.acts_on or operation, request.api_version, now))
    if operation.result == "nothing":
        return Response(204)
    if operation.result != "target":
        return Response(200, {}, operation.result(now))
    try:
        return world.dispatch(Request("GET", operation.target_id, dict(request.query), dict(request.headers)), now)
    except ArmError as error:
        if error.status == 404:
            return Response(204)
        raise


def _jobs(world: World, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "id": operation.guid,
            "scenario": operation.scenario,
            "target": operation.target.object_name if operation.target else operation.target_id.rpartition("/")[2],
            "state": operation.state,
            "started": iso7(operation.started),
            "ended": iso7(operation.ended) if operation.ended else None,
            "error": operation.error.code if operation.error else None,
            "tasks": {step.name: step.state for step in operation.progress(now)},
        }
        for operation in world.operations.values()
        if operation.scenario and operation.part_of is None
    ]


SUMMARIES["jobs"] = _jobs
