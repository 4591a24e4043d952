"""Protection containers: list, read; made and removed by request in Azure fabrics."""

from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.models import checked
from asr_lab.arm.providers.fabric_kind import FabricKind, kind_of
from asr_lab.arm.providers.model import Container, Fabric
from asr_lab.arm.providers.scope import (
    CONTAINER,
    FABRIC,
    VAULT,
    VERSIONS,
    Scope,
    containers,
    fabric_by_id,
    items,
    mappings,
)
from asr_lab.arm.providers.work import accepted, affected_by_fabric, error, start
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response, bad_request
from asr_lab.arm.world import World

CONTAINER_TYPE = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers"


@route("GET", FABRIC + "/replicationProtectionContainers", versions=VERSIONS)
def list_fabric_containers(world: World, request: Request) -> Response:
    """Answer the containers of a fabric."""
    scope = Scope(world, request)
    found = scope.fabric
    listed = [_body(world, found, container) for container in containers(world, scope.vault_id, found)]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", VAULT + "/replicationProtectionContainers", versions=VERSIONS)
def list_containers(world: World, request: Request) -> Response:
    """Answer the containers of all fabrics of the vault."""
    scope = Scope(world, request)
    listed = [_body(world, fabric_by_id(world, one.fabric_id), one) for one in containers(world, scope.vault_id)]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", CONTAINER, versions=VERSIONS)
def get_container(world: World, request: Request) -> Response:
    """Answer one container."""
    scope = Scope(world, request)
    found = scope.fabric
    return Response(200, {}, _body(world, found, scope.container))


@route("PUT", CONTAINER, versions=VERSIONS)
def put_container(world: World, request: Request, now: datetime) -> Response:
    """Create a container in a fabric whose kind has that (Azure); over an existing one nothing changes."""
    scope = Scope(world, request)
    found = scope.fabric
    kind = kind_of(found)
    given = checked(request, "CreateProtectionContainerInput")["properties"]
    _check_input(found, kind, given)
    name = scope.name("replicationProtectionContainers")
    held = world.resources.get(f"{found.id}/replicationProtectionContainers/{name}")
    made = held if isinstance(held, Container) else kind.make_container(scope, found, name, given, now)
    operation = start(
        world,
        now,
        scenario="CreateProtectionContainer",
        target_id=made.id,
        duration_s=world.duration_s(kind.name, "create_container", name=name, location=found.location),
        object_id=world.guid(),
        object_name=made.friendly_name,
        affected=affected_by_fabric(found),
        on_done=partial(_create, world, made),
    )
    return accepted(request, operation)


@route("POST", CONTAINER + "/remove", versions=VERSIONS)
def remove_container(world: World, request: Request, now: datetime) -> Response:
    """Remove a container; while machines are protected in it or a policy is associated the job fails."""
    scope = Scope(world, request)
    found = scope.fabric
    removed = scope.container
    if kind_of(found).container_input is None:
        raise _not_offered(found, "remove")
    used = [item.friendly_name for item in items(world, removed)]
    paired = [mapping.name for mapping in mappings(world, removed)]
    fail = None
    if used or paired:
        why = f"machines are protected in it ({', '.join(used)})" if used else f"it is mapped ({', '.join(paired)})"
        fail = error("25037", name=removed.name, state="in use", operation=f"removing it: {why}")
    operation = start(
        world,
        now,
        scenario="RemoveProtectionContainer",
        target_id=removed.id,
        duration_s=world.duration_s("any", "container_remove", name=removed.friendly_name, location=found.location),
        object_id=world.guid(),
        object_name=removed.friendly_name,
        affected=affected_by_fabric(found),
        on_done=partial(_remove, world, removed.id),
        fail=fail,
        result="nothing",
    )
    return accepted(request, operation)


def _check_input(fabric: Fabric, kind: FabricKind, given: dict[str, Any]) -> None:
    if kind.container_input is None:
        raise _not_offered(fabric, "created")
    named = [one.get("instanceType") or "" for one in given.get("providerSpecificInput") or []]
    if named != [kind.container_input]:
        raise bad_request(
            "InvalidProviderSpecificInput",
            f"properties.providerSpecificInput names {named or 'nothing'}; a container of the fabric "
            f"'{fabric.friendly_name}' takes one entry with the instanceType {kind.container_input}.",
        )


def _not_offered(fabric: Fabric, verb: str) -> Exception:
    return bad_request(
        "OperationNotSupported",
        f"Containers of the fabric '{fabric.friendly_name}' (type {fabric.kind}) come and go with the fabric: they "
        f"cannot be {'removed' if verb == 'remove' else verb} by themselves.",
    )


def _create(world: World, made: Container, _due: datetime) -> None:
    if made.id not in world.resources:
        world.resources.put(made.id, made)


def _remove(world: World, container_id: str, _due: datetime) -> None:
    world.resources.delete_tree(container_id)


def _body(world: World, fabric: Fabric, container: Container) -> dict[str, Any]:
    paired = bool(mappings(world, container))
    return {
        "id": container.id,
        "name": container.name,
        "type": CONTAINER_TYPE,
        "properties": {
            "fabricFriendlyName": fabric.friendly_name,
            "friendlyName": container.friendly_name,
            "fabricType": fabric.kind,
            "protectedItemCount": len(items(world, container)),
            "pairingStatus": "Paired" if paired else "NotPaired",
            "role": "Primary" if paired else "",
            "fabricSpecificDetails": None,
        },
    }
