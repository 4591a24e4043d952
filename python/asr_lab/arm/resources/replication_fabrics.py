"""Fabrics: list, read, create, remove, purge. What differs by kind the kind answers (``providers/fabric_kind.py``)."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.models import checked
from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers import fabric_details as shared
from asr_lab.arm.providers.fabric_kind import FabricKind, kind_for_input, kind_of
from asr_lab.arm.providers.model import Fabric
from asr_lab.arm.providers.scope import FABRIC, VAULT, VERSIONS, Scope, fabrics
from asr_lab.arm.providers.work import accepted, affected_by_fabric, error, start
from asr_lab.arm.routes import route
from asr_lab.arm.wire import ArmError, Request, Response, bad_request
from asr_lab.arm.world import SUMMARIES, World

FABRIC_TYPE = "Microsoft.RecoveryServices/vaults/replicationFabrics"
BASE_INPUT = "FabricSpecificCreationInput"
AGENTLESS = "VMwareV2"


@route("GET", VAULT + "/replicationFabrics", versions=VERSIONS)
def list_fabrics(world: World, request: Request, now: datetime) -> Response:
    """Answer the fabrics of the vault; InMageRcm ones are sparse here."""
    found = fabrics(world, Scope(world, request).vault_id)
    listed = [body(world, fabric, now, request.api_version, sparse=True) for fabric in found]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", FABRIC, versions=VERSIONS)
def get_fabric(world: World, request: Request, now: datetime) -> Response:
    """Answer one fabric in full."""
    return Response(200, {}, body(world, Scope(world, request).fabric, now, request.api_version, sparse=False))


@route("PUT", FABRIC, versions=VERSIONS)
def put_fabric(world: World, request: Request, now: datetime) -> Response:
    """Create a fabric of the kind that customDetails names; over one of the same kind nothing changes."""
    scope = Scope(world, request)
    given = checked(request, "FabricCreationInput")["properties"]
    kind = _kind(given)
    name = scope.name("replicationFabrics")
    held = world.resources.get(f"{scope.vault_id}/replicationFabrics/{name}")
    if isinstance(held, Fabric) and held.kind != kind.name:
        raise bad_request(
            "FabricAlreadyExists",
            f"The fabric '{name}' exists and is of type {held.kind}, not {kind.name}.",
            causes="Another fabric of the vault has this name.",
            action="Choose another name, or remove the fabric first.",
        )
    made = held if isinstance(held, Fabric) else kind.make(scope, name, given, now)
    operation = start(
        world,
        now,
        scenario=kind.create_scenario,
        target_id=made.id,
        duration_s=world.duration_s(kind.name, "create", name=name, location=made.location),
        object_id=made.internal_id,
        object_name=made.friendly_name,
        affected=affected_by_fabric(made),
        on_done=partial(_create, world, made),
    )
    return accepted(request, operation)


@route("POST", FABRIC + "/remove", versions=VERSIONS)
def remove_fabric(world: World, request: Request, now: datetime) -> Response:
    """Unregister a fabric; while it has protected items the job fails."""
    found = Scope(world, request).fabric
    protected = shared.protected_count(world, found)
    fail = None
    if protected:
        operation = f"removing it: {protected} machines are protected; disable their protection first"
        fail = error("25037", name=found.friendly_name, state="in use", operation=operation)
    return delete_fabric(world, request, now, found, "UnregisterFabric", "fabric_remove", fail)


@route("DELETE", FABRIC, versions=VERSIONS)
def purge_fabric(world: World, request: Request, now: datetime) -> Response:
    """Purge a fabric with everything below it."""
    return delete_fabric(world, request, now, Scope(world, request).fabric, "PurgeVMM", "fabric_purge", None)


def delete_fabric(
    world: World,
    request: Request,
    now: datetime,
    fabric: Fabric,
    scenario: str,
    step: str,
    fail: OperationError | None,
) -> Response:
    """Begin the job ``scenario`` that takes the fabric and everything below it away; ``step`` names its duration."""
    operation = start(
        world,
        now,
        scenario=scenario,
        target_id=fabric.id,
        duration_s=world.duration_s("any", step, name=fabric.friendly_name, location=fabric.location),
        object_id=fabric.internal_id,
        object_name=fabric.friendly_name,
        affected=affected_by_fabric(fabric),
        on_done=partial(_remove, world, fabric),
        fail=fail,
        result="nothing",
    )
    return accepted(request, operation)


def body(world: World, fabric: Fabric, now: datetime, api_version: str, *, sparse: bool) -> dict[str, Any]:
    """Return a fabric as the API writes it; ``sparse`` as a list does."""
    kind = kind_of(fabric)
    health, errors = kind.health(world, fabric, now)
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
            "customDetails": kind.as_written(kind.details(world, fabric, now, sparse=sparse), api_version),
            "healthErrorDetails": shared.as_written(errors, api_version),
            "health": shared.health_as_written(health, api_version),
        },
    }


def _kind(given: Mapping[str, Any]) -> FabricKind:
    wanted = (given.get("customDetails") or {}).get("instanceType") or BASE_INPUT
    kind = kind_for_input(wanted)
    if kind is None:
        raise ArmError(
            501,
            "NotSimulated",
            f"ReplicationFabricsOperations.begin_create is not simulated for a fabric of type {wanted} "
            f"(agentless migration); use InMageRcm, Azure or {BASE_INPUT} (a Hyper-V site).",
        )
    return kind


def _create(world: World, fabric: Fabric, due: datetime) -> None:
    if fabric.id not in world.resources:
        world.resources.put(fabric.id, fabric)
        kind_of(fabric).made(world, fabric, due)


def _remove(world: World, fabric: Fabric, due: datetime) -> None:
    world.resources.delete_tree(fabric.id)
    kind_of(fabric).removed(world, fabric, due)


def _fabric_rows(world: World, _now: datetime) -> list[dict[str, Any]]:
    return [
        {"id": fabric.id, "name": fabric.friendly_name, "provider": kind_of(fabric).provider}
        for key in world.resources.ids()
        if isinstance(fabric := world.resources.get(key), Fabric)
    ]


SUMMARIES["fabrics"] = _fabric_rows
