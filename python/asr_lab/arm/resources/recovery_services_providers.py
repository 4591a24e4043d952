"""Recovery services providers (DRAs) of fabrics: list, read, create, refresh, remove, purge."""

from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.models import checked
from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers.fabric_kind import kind_of
from asr_lab.arm.providers.model import Fabric
from asr_lab.arm.providers.scope import FABRIC, VAULT, VERSIONS, Scope, fabrics
from asr_lab.arm.providers.work import Done, accepted, affected_by_fabric, start
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World

_PROVIDERS = FABRIC + "/replicationRecoveryServicesProviders"
_PROVIDER = _PROVIDERS + "/{dra}"


@route("GET", _PROVIDERS, versions=VERSIONS)
def list_fabric_providers(world: World, request: Request, now: datetime) -> Response:
    """Answer the providers of a fabric."""
    found = Scope(world, request).fabric
    listed = kind_of(found).dras(world, found, now, request.api_version)
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", VAULT + "/replicationRecoveryServicesProviders", versions=VERSIONS)
def list_providers(world: World, request: Request, now: datetime) -> Response:
    """Answer the providers of all fabrics of the vault."""
    listed = [
        body
        for fabric in fabrics(world, Scope(world, request).vault_id)
        for body in kind_of(fabric).dras(world, fabric, now, request.api_version)
    ]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", _PROVIDER, versions=VERSIONS)
def get_provider(world: World, request: Request, now: datetime) -> Response:
    """Answer one provider."""
    scope = Scope(world, request)
    return Response(200, {}, _provider(scope, scope.fabric, now))


@route("PUT", _PROVIDER, versions=VERSIONS)
def put_provider(world: World, request: Request, now: datetime) -> Response:
    """Register a provider by request, where the kind of fabric has it (specification: appliances)."""
    scope = Scope(world, request)
    found = scope.fabric
    given = checked(request, "AddRecoveryServicesProviderInput")["properties"]
    name = scope.name("replicationRecoveryServicesProviders")
    done = kind_of(found).make_dra(scope, found, name, given, now)
    return _start(world, request, now, found, name, given["machineName"], "RegisterDra", "dra_register", done)


@route("POST", _PROVIDER + "/refreshProvider", versions=VERSIONS)
def refresh_provider(world: World, request: Request, now: datetime) -> Response:
    """Ask the server for its details anew."""
    scope = Scope(world, request)
    found = scope.fabric
    body = _provider(scope, found, now)
    kind = kind_of(found)
    operation = start(
        world,
        now,
        scenario="RefreshFabricLayout",
        target_id=body["id"],
        duration_s=world.duration_s(kind.provider, "refresh", name=found.friendly_name, location=found.location),
        object_id=body["name"],
        object_name=body["properties"]["friendlyName"],
        provider=kind.provider,
        affected=affected_by_fabric(found),
        on_done=partial(kind.refreshed, world, found),
    )
    return accepted(request, operation)


@route("POST", _PROVIDER + "/remove", versions=VERSIONS)
def remove_provider(world: World, request: Request, now: datetime) -> Response:
    """Unregister a provider; the job fails while the kind of fabric needs it."""
    return _remove(world, request, now, "UnregisterDra", orderly=True)


@route("DELETE", _PROVIDER, versions=VERSIONS)
def purge_provider(world: World, request: Request, now: datetime) -> Response:
    """Purge a provider, whatever depends on it."""
    return _remove(world, request, now, "PurgeDra", orderly=False)


def _remove(world: World, request: Request, now: datetime, scenario: str, *, orderly: bool) -> Response:
    scope = Scope(world, request)
    found = scope.fabric
    kind = kind_of(found)
    body = _provider(scope, found, now)
    name = str(body["name"])
    fail = kind.dra_refusal(world, found, name) if orderly else None
    done = partial(kind.dra_removed, world, found, name)
    text = body["properties"]["friendlyName"]
    return _start(world, request, now, found, name, text, scenario, "dra_remove", done, fail=fail, gone=True)


def _start(
    world: World,
    request: Request,
    now: datetime,
    fabric: Fabric,
    name: str,
    friendly_name: str,
    scenario: str,
    step: str,
    done: Done,
    *,
    fail: OperationError | None = None,
    gone: bool = False,
) -> Response:
    operation = start(
        world,
        now,
        scenario=scenario,
        target_id=f"{fabric.id}/replicationRecoveryServicesProviders/{name}",
        duration_s=world.duration_s("any", step, name=friendly_name, location=fabric.location),
        object_id=name,
        object_name=friendly_name,
        affected=affected_by_fabric(fabric),
        on_done=done,
        fail=fail,
        result="nothing" if gone else "target",
    )
    return accepted(request, operation)


def _provider(scope: Scope, fabric: Fabric, now: datetime) -> dict[str, Any]:
    wanted = scope.name("replicationRecoveryServicesProviders")
    for body in kind_of(fabric).dras(scope.world, fabric, now, scope.request.api_version):
        if body["name"].casefold() == wanted.casefold():
            return body
    raise scope.not_found(wanted)
