"""vCenter servers of configuration servers: add, change, remove, read, list; the names of the jobs are recorded."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.models import checked
from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers.model import VMWARE_FABRIC, Fabric
from asr_lab.arm.providers.scope import FABRIC, VAULT, VERSIONS, Scope, fabrics
from asr_lab.arm.providers.vmware_vcenters import (
    DEFAULT_PORT,
    VCenter,
    discover,
    forget,
    problem,
    protected_names,
    vcenter_body,
    vcenters,
)
from asr_lab.arm.providers.work import Done, accepted, affected_by_fabric, error, start
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response, bad_request
from asr_lab.arm.world import World

_VCENTERS = FABRIC + "/replicationvCenters"
_VCENTER = _VCENTERS + "/{vcenter}"
_NEEDED = ("friendlyName", "ipAddress", "processServerId", "runAsAccountId")


@route("GET", VAULT + "/replicationvCenters", versions=VERSIONS)
def list_vcenters(world: World, request: Request, now: datetime) -> Response:
    """Answer the vCenters of all fabrics of the vault."""
    listed = [
        vcenter_body(world, fabric, one, now)
        for fabric in fabrics(world, Scope(world, request).vault_id)
        for one in vcenters(world, fabric)
    ]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", _VCENTERS, versions=VERSIONS)
def list_fabric_vcenters(world: World, request: Request, now: datetime) -> Response:
    """Answer the vCenters of a fabric."""
    fabric = Scope(world, request).fabric
    listed = [vcenter_body(world, fabric, one, now) for one in vcenters(world, fabric)]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", _VCENTER, versions=VERSIONS)
def get_vcenter(world: World, request: Request, now: datetime) -> Response:
    """Answer one vCenter."""
    scope = Scope(world, request)
    return Response(200, {}, vcenter_body(world, scope.fabric, _vcenter(scope), now))


@route("PUT", _VCENTER, versions=VERSIONS)
def put_vcenter(world: World, request: Request, now: datetime) -> Response:
    """Add a vCenter; its machines become protectable items. Fails in the job when it cannot be reached."""
    scope = Scope(world, request)
    fabric = _classic(scope)
    given = checked(request, "AddVCenterRequest")["properties"]
    missing = [name for name in _NEEDED if not given.get(name)]
    if missing:
        raise bad_request("InvalidParameter", f"properties.{missing[0]} is missing; a vCenter needs it.")
    name = scope.name("replicationvCenters")
    made = VCenter(
        id=f"{fabric.id}/replicationvCenters/{name}",
        name=name,
        fabric_id=fabric.id,
        friendly_name=given["friendlyName"],
        address=given["ipAddress"],
        port=given.get("port") or DEFAULT_PORT,
        account_id=given["runAsAccountId"],
        server_id=given["processServerId"],
        internal_id=world.guid(),
        infrastructure_id=str(len(vcenters(world, fabric)) + 2),
    )
    held = world.resources.get(made.id)
    if isinstance(held, VCenter):
        made = replace(made, internal_id=held.internal_id, infrastructure_id=held.infrastructure_id)
    done = partial(_added, world, fabric, made)
    why = problem(world, fabric, made)
    return _start(world, request, now, fabric, made, "DiscoverVCenter", "discover_vcenter", done, _failure(why))


@route("PATCH", _VCENTER, versions=VERSIONS)
def patch_vcenter(world: World, request: Request, now: datetime) -> Response:
    """Change how a vCenter is reached, and discover its machines anew."""
    scope = Scope(world, request)
    fabric = _classic(scope)
    held = _vcenter(scope)
    given = checked(request, "UpdateVCenterRequest")["properties"]
    made = replace(
        held,
        friendly_name=given.get("friendlyName") or held.friendly_name,
        address=given.get("ipAddress") or held.address,
        port=given.get("port") or held.port,
        account_id=given.get("runAsAccountId") or held.account_id,
        server_id=given.get("processServerId") or held.server_id,
    )
    done = partial(_added, world, fabric, made)
    why = problem(world, fabric, made)
    return _start(world, request, now, fabric, made, "UpdateVCenter", "update_vcenter", done, _failure(why))


@route("DELETE", _VCENTER, versions=VERSIONS)
def delete_vcenter(world: World, request: Request, now: datetime) -> Response:
    """Remove a vCenter with its machines; while one of them is protected the job fails."""
    scope = Scope(world, request)
    fabric = _classic(scope)
    held = _vcenter(scope)
    used = protected_names(world, fabric, held)
    fail = None
    if used:
        operation = f"removing it: machines of it are protected ({', '.join(used)})"
        fail = error("25037", name=held.friendly_name, state="in use", operation=operation)
    done = partial(_forgotten, world, fabric, held)
    return _start(world, request, now, fabric, held, "RemoveVCenter", "remove_vcenter", done, fail)


def _classic(scope: Scope) -> Fabric:
    fabric = scope.fabric
    if fabric.kind != VMWARE_FABRIC:
        raise bad_request(
            "OperationNotSupported",
            f"vCenter servers are added to configuration servers; '{fabric.friendly_name}' is of type {fabric.kind}.",
            action="Add the vCenter server on the appliance.",
        )
    return fabric


def _vcenter(scope: Scope) -> VCenter:
    return scope.get(f"{scope.fabric.id}/replicationvCenters/{scope.name('replicationvCenters')}", VCenter)


def _failure(why: str | None) -> OperationError | None:
    if why is None:
        return None
    action = "Correct what was given and retry the operation."
    return replace(error("559"), provider_message=why, provider_action=action)


def _added(world: World, fabric: Fabric, made: VCenter, due: datetime) -> None:
    """Put the vCenter into the store; its machines are listed when it has been asked."""
    world.resources.put(made.id, made)
    delay = world.duration_s("any", "vcenter_discovery", name=made.friendly_name, location=fabric.location)
    world.after(due, delay, partial(_listed, world, fabric, made))


def _listed(world: World, fabric: Fabric, made: VCenter, due: datetime) -> None:
    if world.resources.get(made.id) is made:
        discover(world, fabric, made, due)


def _forgotten(world: World, fabric: Fabric, held: VCenter, _due: datetime) -> None:
    forget(world, fabric, held)


def _start(
    world: World,
    request: Request,
    now: datetime,
    fabric: Fabric,
    vcenter: VCenter,
    scenario: str,
    step: str,
    done: Done,
    fail: OperationError | None,
) -> Response:
    affected: dict[str, Any] = affected_by_fabric(fabric)
    operation = start(
        world,
        now,
        scenario=scenario,
        target_id=vcenter.id,
        duration_s=world.duration_s("any", step, name=vcenter.friendly_name, location=fabric.location),
        object_id=vcenter.internal_id,
        object_name=vcenter.friendly_name,
        affected=affected,
        on_done=done,
        fail=fail,
        result="nothing" if scenario == "RemoveVCenter" else "target",
    )
    return accepted(request, operation)
