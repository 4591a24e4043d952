"""Storage classifications of VMM servers and their mappings (specification; only the empty lists were recorded)."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.models import checked
from asr_lab.arm.providers.model import Fabric
from asr_lab.arm.providers.scope import FABRIC, VAULT, VERSIONS, Scope, fabrics
from asr_lab.arm.providers.work import Done, accepted, affected_by_fabric, start
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response, bad_request
from asr_lab.arm.world import World

CLASSIFICATION_TYPE = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationStorageClassifications"
MAPPING_TYPE = f"{CLASSIFICATION_TYPE}/replicationStorageClassificationMappings"
_CLASSIFICATIONS = "replicationStorageClassifications"
_MAPPINGS = "replicationStorageClassificationMappings"
_ONE = FABRIC + "/replicationStorageClassifications/{classification}"
_MAPPING = _ONE + "/replicationStorageClassificationMappings/{mapping}"


@dataclass
class StorageClassification:
    """A replicationStorageClassification."""

    id: str
    name: str
    friendly_name: str


@dataclass
class StorageMapping:
    """A replicationStorageClassificationMapping; ``target_id`` is the classification on the other side."""

    id: str
    name: str
    target_id: str


def add_storage_classification(world: World, fabric: Fabric, name: str, friendly_name: str) -> str:
    """Put a storage classification under a fabric, as a VMM server reports it, and return its id."""
    made = StorageClassification(f"{fabric.id}/{_CLASSIFICATIONS}/{name}", name, friendly_name)
    world.resources.put(made.id, made)
    return made.id


@route("GET", VAULT + "/replicationStorageClassifications", versions=VERSIONS)
def list_classifications(world: World, request: Request) -> Response:
    """Answer the classifications of all fabrics of the vault."""
    found = fabrics(world, Scope(world, request).vault_id)
    return _list([_body(one) for fabric in found for one in _classifications(world, fabric)])


@route("GET", FABRIC + "/replicationStorageClassifications", versions=VERSIONS)
def list_fabric_classifications(world: World, request: Request) -> Response:
    """Answer the classifications of a fabric."""
    return _list([_body(one) for one in _classifications(world, Scope(world, request).fabric)])


@route("GET", _ONE, versions=VERSIONS)
def get_classification(world: World, request: Request) -> Response:
    """Answer one classification."""
    return Response(200, {}, _body(_classification(Scope(world, request))))


@route("GET", VAULT + "/replicationStorageClassificationMappings", versions=VERSIONS)
def list_mappings(world: World, request: Request) -> Response:
    """Answer the mappings of all classifications of the vault."""
    found = fabrics(world, Scope(world, request).vault_id)
    listed = [
        _mapping_body(mapping)
        for fabric in found
        for one in _classifications(world, fabric)
        for mapping in _mappings(world, one)
    ]
    return _list(listed)


@route("GET", _ONE + "/replicationStorageClassificationMappings", versions=VERSIONS)
def list_classification_mappings(world: World, request: Request) -> Response:
    """Answer the mappings of a classification."""
    return _list([_mapping_body(mapping) for mapping in _mappings(world, _classification(Scope(world, request)))])


@route("GET", _MAPPING, versions=VERSIONS)
def get_mapping(world: World, request: Request) -> Response:
    """Answer one mapping."""
    return Response(200, {}, _mapping_body(_mapping(Scope(world, request))))


@route("PUT", _MAPPING, versions=VERSIONS)
def put_mapping(world: World, request: Request, now: datetime) -> Response:
    """Map a classification to one of another fabric."""
    scope = Scope(world, request)
    source = _classification(scope)
    given = checked(request, "StorageClassificationMappingInput")["properties"]
    target = given.get("targetStorageClassificationId")
    if not target:
        raise bad_request("InvalidParameter", "properties.targetStorageClassificationId is missing; its id is needed.")
    other = scope.get(target, StorageClassification)
    if other is source:
        raise bad_request("InvalidParameter", f"The storage classification '{source.name}' cannot be its own target.")
    name = scope.name(_MAPPINGS)
    made = StorageMapping(f"{source.id}/{_MAPPINGS}/{name}", name, other.id)
    return _start(world, request, now, scope.fabric, made, "StoragePairing", partial(_put, world, made))


@route("DELETE", _MAPPING, versions=VERSIONS)
def delete_mapping(world: World, request: Request, now: datetime) -> Response:
    """Delete a mapping."""
    scope = Scope(world, request)
    held = _mapping(scope)
    return _start(world, request, now, scope.fabric, held, "StorageUnPairing", partial(_delete, world, held.id))


def _start(
    world: World, request: Request, now: datetime, fabric: Fabric, mapping: StorageMapping, scenario: str, done: Done
) -> Response:
    operation = start(
        world,
        now,
        scenario=scenario,
        target_id=mapping.id,
        duration_s=world.duration_s("any", "storage_mapping", name=mapping.name, location=fabric.location),
        object_id=world.guid(),
        object_name=mapping.name,
        affected=affected_by_fabric(fabric),
        on_done=done,
        result="nothing" if scenario == "StorageUnPairing" else "target",
    )
    return accepted(request, operation)


def _put(world: World, made: StorageMapping, _due: datetime) -> None:
    world.resources.put(made.id, made)


def _delete(world: World, mapping_id: str, _due: datetime) -> None:
    world.resources.delete(mapping_id)


def _classifications(world: World, fabric: Fabric) -> list[StorageClassification]:
    held = world.resources.children(fabric.id, _CLASSIFICATIONS)
    return [one for one in held if isinstance(one, StorageClassification)]


def _mappings(world: World, one: StorageClassification) -> list[StorageMapping]:
    return [mapping for mapping in world.resources.children(one.id, _MAPPINGS) if isinstance(mapping, StorageMapping)]


def _classification(scope: Scope) -> StorageClassification:
    name = scope.name(_CLASSIFICATIONS)
    return scope.get(f"{scope.fabric.id}/{_CLASSIFICATIONS}/{name}", StorageClassification)


def _mapping(scope: Scope) -> StorageMapping:
    return scope.get(f"{_classification(scope).id}/{_MAPPINGS}/{scope.name(_MAPPINGS)}", StorageMapping)


def _list(bodies: list[dict[str, Any]]) -> Response:
    return Response(200, {}, {"value": bodies, "nextLink": None})


def _body(one: StorageClassification) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "type": CLASSIFICATION_TYPE,
        "properties": {"friendlyName": one.friendly_name},
    }


def _mapping_body(mapping: StorageMapping) -> dict[str, Any]:
    return {
        "id": mapping.id,
        "name": mapping.name,
        "type": MAPPING_TYPE,
        "properties": {"targetStorageClassificationId": mapping.target_id},
    }
