"""Fabrics and their recovery services providers: list, read, refresh, remove.

Fabrics are not made by request: a configuration server or an appliance registers itself
(``asr_lab.arm.site_recovery``).
"""

from datetime import datetime
from typing import Any

from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers import fabric_details, rules
from asr_lab.arm.providers.model import RCM_FABRIC, ApplianceServer, Fabric
from asr_lab.arm.providers.scope import (
    FABRIC,
    OLDEST,
    VAULT,
    VERSIONS,
    Scope,
    containers,
    fabrics,
    items,
)
from asr_lab.arm.providers.work import accepted, affected_by_fabric, error, start
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response, iso7
from asr_lab.arm.world import SUMMARIES, World

FABRIC_TYPE = "Microsoft.RecoveryServices/vaults/replicationFabrics"
PROVIDER_TYPE = f"{FABRIC_TYPE}/replicationRecoveryServicesProviders"
_PROVIDER = FABRIC + "/replicationRecoveryServicesProviders/{dra}"


@route("GET", VAULT + "/replicationFabrics", versions=VERSIONS)
def list_fabrics(world: World, request: Request, now: datetime) -> Response:
    """Answer the fabrics of the vault; InMageRcm ones are sparse here."""
    scope = Scope(world, request)
    found = fabrics(world, scope.vault_id)
    listed = [_body(world, fabric, now, sparse=True) for fabric in found]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", FABRIC, versions=VERSIONS)
def get_fabric(world: World, request: Request, now: datetime) -> Response:
    """Answer one fabric in full."""
    scope = Scope(world, request)
    found = scope.fabric
    return Response(200, {}, _body(world, found, now, sparse=False))


@route("POST", FABRIC + "/remove", versions=VERSIONS)
def remove_fabric(world: World, request: Request, now: datetime) -> Response:
    """Unregister a fabric; while it has protected items the job fails."""
    scope = Scope(world, request)
    found = scope.fabric
    protected = _protected(world, found)
    fail = None
    if protected:
        operation = f"removing it: {protected} machines are protected; disable their protection first"
        fail = error("25037", name=found.friendly_name, state="in use", operation=operation)
    return _delete(world, request, now, found, "UnregisterFabric", fail)


@route("DELETE", FABRIC, versions=VERSIONS)
def purge_fabric(world: World, request: Request, now: datetime) -> Response:
    """Purge a fabric with everything below it."""
    scope = Scope(world, request)
    found = scope.fabric
    return _delete(world, request, now, found, "PurgeVMM", None)


@route("GET", FABRIC + "/replicationRecoveryServicesProviders", versions=VERSIONS)
def list_fabric_providers(world: World, request: Request, now: datetime) -> Response:
    """Answer the providers of a fabric."""
    scope = Scope(world, request)
    found = scope.fabric
    listed = _provider_bodies(world, found, now, request.api_version)
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", VAULT + "/replicationRecoveryServicesProviders", versions=VERSIONS)
def list_providers(world: World, request: Request, now: datetime) -> Response:
    """Answer the providers of all fabrics of the vault."""
    scope = Scope(world, request)
    listed = [
        body
        for fabric in fabrics(world, scope.vault_id)
        for body in _provider_bodies(world, fabric, now, request.api_version)
    ]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", _PROVIDER, versions=VERSIONS)
def get_provider(world: World, request: Request, now: datetime) -> Response:
    """Answer one provider."""
    scope = Scope(world, request)
    found = scope.fabric
    return Response(200, {}, _provider(world, scope, found, now))


@route("POST", _PROVIDER + "/refreshProvider", versions=VERSIONS)
def refresh_provider(world: World, request: Request, now: datetime) -> Response:
    """Ask the server for its details anew."""
    scope = Scope(world, request)
    found = scope.fabric
    body = _provider(world, scope, found, now)
    operation = start(
        world,
        now,
        scenario="RefreshFabricLayout",
        target_id=body["id"],
        duration_s=rules.duration_s(found.provider, "refresh"),
        object_id=body["name"],
        object_name=body["properties"]["friendlyName"],
        provider=found.provider,
        affected=affected_by_fabric(found),
    )
    return accepted(request, operation)


def _protected(world: World, fabric: Fabric) -> int:
    return sum(len(items(world, container)) for container in containers(world, fabric.vault_id, fabric))


def _delete(
    world: World, request: Request, now: datetime, fabric: Fabric, scenario: str, fail: OperationError | None
) -> Response:
    step = "fabric_remove" if scenario == "UnregisterFabric" else "fabric_purge"
    operation = start(
        world,
        now,
        scenario=scenario,
        target_id=fabric.id,
        duration_s=rules.duration_s("any", step),
        object_id=fabric.internal_id,
        object_name=fabric.friendly_name,
        affected=affected_by_fabric(fabric),
        on_done=lambda _due: world.resources.delete_tree(fabric.id),
        fail=fail,
        result="nothing",
    )
    return accepted(request, operation)


def _body(world: World, fabric: Fabric, now: datetime, *, sparse: bool) -> dict[str, Any]:
    protected = _protected(world, fabric)
    encryption = {"kekState": "None", "kekCertThumbprint": None}
    return {
        "name": fabric.name,
        "type": FABRIC_TYPE,
        "id": fabric.id,
        "properties": {
            "friendlyName": fabric.friendly_name,
            "encryptionDetails": encryption,
            "rolloverEncryptionDetails": dict(encryption),
            "internalIdentifier": fabric.internal_id,
            "bcdrState": "Valid",
            "customDetails": fabric_details.details(fabric, now, sparse=sparse, protected=protected),
            "healthErrorDetails": [],
            "health": "Normal",
        },
    }


def _provider(world: World, scope: Scope, fabric: Fabric, now: datetime) -> dict[str, Any]:
    wanted = scope.name("replicationRecoveryServicesProviders")
    for body in _provider_bodies(world, fabric, now, scope.request.api_version):
        if body["name"].casefold() == wanted.casefold():
            return body
    raise scope.not_found(wanted)


def _provider_bodies(world: World, fabric: Fabric, now: datetime, api_version: str) -> list[dict[str, Any]]:
    servers = fabric.servers if fabric.kind == RCM_FABRIC else fabric.servers[:1]
    return [_provider_body(world, fabric, server, now, api_version) for server in servers]


def _provider_body(
    world: World, fabric: Fabric, server: ApplianceServer, now: datetime, api_version: str
) -> dict[str, Any]:
    name = server.server_id if fabric.kind == RCM_FABRIC else fabric.internal_id
    properties: dict[str, Any] = {
        "fabricType": fabric.kind,
        "friendlyName": server.name,
        "providerVersion": fabric_details.DRA_VERSION,
        "serverVersion": "0.0",
        "providerVersionState": "Latest",
        "fabricFriendlyName": fabric.friendly_name,
        "lastHeartBeat": iso7(fabric_details.heartbeat(now)),
        "connectionStatus": "Connected",
        "protectedItemCount": _protected(world, fabric),
        "allowedScenarios": ["Refresh"],
        "healthErrorDetails": [],
        "draIdentifier": name,
        "identityDetails": None,
    }
    if api_version != OLDEST:
        properties["biosId"] = server.host.bios_id
        properties["machineId"] = server.server_id
        properties["machineName"] = server.name
        properties["authenticationIdentityDetails"] = None
        properties["resourceAccessIdentityDetails"] = None
        properties["dataPlaneAuthenticationIdentityDetails"] = None
    return {
        "id": f"{fabric.id}/replicationRecoveryServicesProviders/{name}",
        "type": PROVIDER_TYPE,
        "name": name,
        "properties": properties,
    }


def _fabric_rows(world: World, _now: datetime) -> list[dict[str, Any]]:
    return [
        {"id": fabric.id, "name": fabric.friendly_name, "provider": fabric.provider}
        for key in world.resources.ids()
        if isinstance(fabric := world.resources.get(key), Fabric)
    ]


SUMMARIES["fabrics"] = _fabric_rows
