"""Actions on fabrics: consistency, certificate, identity, removal of servers, and moving machines between servers."""

from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.models import checked
from asr_lab.arm.providers.fabric_details import protected_count
from asr_lab.arm.providers.model import RCM_FABRIC, VMWARE_FABRIC, ApplianceServer, Fabric, ProtectedItem
from asr_lab.arm.providers.scope import FABRIC, VERSIONS, Scope, containers, items
from asr_lab.arm.providers.work import Done, accepted, affected_by_fabric, error, start
from asr_lab.arm.resources.replication_fabrics import delete_fabric
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response, bad_request, last_segment
from asr_lab.arm.world import World

SERVER_LEVEL = "ServerLevel"
SYSTEM_LEVEL = "SystemLevel"
_WITH_PROCESS_SERVERS = (VMWARE_FABRIC, RCM_FABRIC)


@route("POST", FABRIC + "/checkConsistency", versions=VERSIONS)
def check_consistency(world: World, request: Request, now: datetime) -> Response:
    """Compare a fabric with what its server says; the lab's are always consistent (specification)."""
    found = Scope(world, request).fabric
    return _start(world, request, now, found, "CheckConsistency", "check_consistency", partial(_nothing))


@route("POST", FABRIC + "/migratetoaad", versions=VERSIONS)
def migrate_to_aad(world: World, request: Request, now: datetime) -> Response:
    """Move a fabric from the access control service to Azure Active Directory; the lab's are there already."""
    found = Scope(world, request).fabric
    return _start(world, request, now, found, "MigrateFabricToAad", "migrate_to_aad", partial(_nothing))


@route("POST", FABRIC + "/renewCertificate", versions=VERSIONS)
def renew_certificate(world: World, request: Request, now: datetime) -> Response:
    """Renew the certificate of a configuration server: it runs for three years again (specification)."""
    found = Scope(world, request).fabric
    checked(request, "RenewCertificateInput")
    if found.kind != VMWARE_FABRIC:
        raise _not_offered(found, "renewCertificate")
    return _start(world, request, now, found, "RenewCertificate", "renew_certificate", partial(_renew, found))


@route("POST", FABRIC + "/removeInfra", versions=VERSIONS)
def remove_infrastructure(world: World, request: Request, now: datetime) -> Response:
    """Remove the appliances of a fabric and the fabric itself; fails in the job while machines are protected."""
    found = Scope(world, request).fabric
    if found.kind != RCM_FABRIC:
        raise _not_offered(found, "removeInfra")
    protected = protected_count(world, found)
    fail = None
    if protected:
        operation = f"removing it: {protected} machines are protected; disable their protection first"
        fail = error("25037", name=found.friendly_name, state="in use", operation=operation)
    return delete_fabric(world, request, now, found, "RemoveInfra", "remove_infra", fail)


@route("POST", FABRIC + "/reassociateGateway", versions=VERSIONS)
def reassociate_gateway(world: World, request: Request, now: datetime) -> Response:
    """Let another process server serve the machines: those named, or with ServerLevel all of the source's.

    Recorded in 2017: job ProcessServerFailover, 61 s. Machines not served by the source server make the job fail.
    """
    scope = Scope(world, request)
    found = scope.fabric
    if found.kind not in _WITH_PROCESS_SERVERS:
        raise _not_offered(found, "reassociateGateway")
    given = checked(request, "FailoverProcessServerRequest")["properties"]
    source = _server(found, given, "sourceProcessServerId")
    target = _server(found, given, "targetProcessServerId")
    if source is target:
        raise bad_request(
            "InvalidParameter", "properties.targetProcessServerId is the source process server; name another one."
        )
    served = [item for item in _items(scope, found, given) if item.server_id.casefold() == source.server_id.casefold()]
    level = given.get("updateType") or SERVER_LEVEL
    if level not in (SERVER_LEVEL, SYSTEM_LEVEL):
        raise bad_request(
            "InvalidParameter", f"properties.updateType is '{level}'; accepted: {SERVER_LEVEL}, {SYSTEM_LEVEL}."
        )
    fail = None
    moved = served
    if level == SERVER_LEVEL and given.get("vmsToMigrate"):
        wanted = {last_segment(name).casefold() for name in given["vmsToMigrate"]}
        moved = [item for item in served if wanted & _names(item)]
        missing = wanted - {name for item in moved for name in _names(item)}
        if missing:
            problem = f"moving {', '.join(sorted(missing))}: the process server does not serve them"
            fail = error("25037", name=source.name, state="Connected", operation=problem)
    done = partial(_move, moved, target.server_id)
    return _start(world, request, now, found, "ProcessServerFailover", "process_server_failover", done, fail=fail)


def _not_offered(fabric: Fabric, verb: str) -> Exception:
    return bad_request(
        "OperationNotSupported", f"{verb} is not supported for the fabric '{fabric.friendly_name}' ({fabric.kind})."
    )


def _server(fabric: Fabric, given: dict[str, Any], name: str) -> ApplianceServer:
    found = fabric.server(given.get(name) or "")
    if found is None:
        known = ", ".join(f"{server.server_id} ({server.name})" for server in fabric.servers) or "none"
        raise bad_request(
            "ProcessServerNotFound",
            f"properties.{name} is '{given.get(name)}'; process servers of '{fabric.friendly_name}': {known}.",
        )
    return found


def _items(scope: Scope, fabric: Fabric, given: dict[str, Any]) -> list[ProtectedItem]:
    named = given.get("containerName")
    found = containers(scope.world, fabric.vault_id, fabric)
    if named:
        found = [one for one in found if named.casefold() in (one.name.casefold(), one.id.casefold())]
        if not found:
            raise scope.not_found(last_segment(named))
    return [item for container in found for item in items(scope.world, container)]


def _names(item: ProtectedItem) -> set[str]:
    return {one.casefold() for one in (item.name, item.machine_id, item.friendly_name) if one}


def _nothing(_due: datetime) -> None:
    """Change nothing: the server was as it should be."""


def _renew(fabric: Fabric, due: datetime) -> None:
    fabric.certificate_renewed = due


def _move(moved: list[ProtectedItem], server_id: str, _due: datetime) -> None:
    for item in moved:
        item.server_id = server_id


def _start(
    world: World,
    request: Request,
    now: datetime,
    fabric: Fabric,
    scenario: str,
    step: str,
    done: Done,
    *,
    fail: Any = None,
) -> Response:
    operation = start(
        world,
        now,
        scenario=scenario,
        target_id=fabric.id,
        duration_s=world.duration_s("any", step, name=fabric.friendly_name, location=fabric.location),
        object_id=fabric.internal_id,
        object_name=fabric.friendly_name,
        affected=affected_by_fabric(fabric),
        on_done=done,
        fail=fail,
    )
    return accepted(request, operation)
