"""Protected items: enable, read, list, change, disable, purge, and their recovery points."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from asr_lab.arm.operations import Operation, OperationError
from asr_lab.arm.providers import enable, in_mage_azure_v2, in_mage_rcm, items, replicate, rules, timeline
from asr_lab.arm.providers.failover import vm_id
from asr_lab.arm.providers.gate import refused
from asr_lab.arm.providers.model import Policy, ProtectableItem, ProtectedItem, RecoveryPoint, Running, Stage
from asr_lab.arm.providers.scope import (
    CONTAINER,
    ITEM,
    VAULT,
    VERSIONS,
    Scope,
    container_of,
    containers,
    fabric_by_id,
    policy_of,
)
from asr_lab.arm.providers.scope import items as items_of
from asr_lab.arm.providers.work import accepted, error, start_for_item
from asr_lab.arm.routes import route
from asr_lab.arm.schema import OneOf, Record, Text, check
from asr_lab.arm.wire import Request, Response, iso7
from asr_lab.arm.world import SUMMARIES, World

POINT_TYPE = f"{items.ITEM_TYPE}/recoveryPoints"
PUSH_AFTER_S = 120.0
REFUSED_AFTER_S = 30.0

_BY_PROVIDER = {"InMageRcm": in_mage_rcm.DISABLE, "InMageAzureV2": in_mage_azure_v2.DISABLE}
DISABLE = Record(
    {
        "properties": Record(
            {
                "disableProtectionReason": Text(("NotSpecified", "MigrationComplete"), nullable=True),
                "replicationProviderInput": OneOf(
                    "instanceType",
                    {**_BY_PROVIDER, "DisableProtectionProviderSpecificInput": Record({})},
                    nullable=True,
                ),
            }
        )
    },
    ("properties",),
)


@route("PUT", ITEM, versions=VERSIONS)
def put_item(world: World, request: Request, now: datetime) -> Response:
    """Enable protection; the item exists at once and replicates when the operation has ended."""
    scope = Scope(world, request)
    properties = check(request.body, enable.REQUEST)["properties"]
    made, policy = enable.make_item(scope, properties)
    existing = _protected_already(world, scope, made)
    if existing is not None:
        return accepted(request, _enable_again(world, now, existing, made))
    world.resources.put(made.id, made)
    protectable = world.resources.get(made.protectable_item_id or "")
    if isinstance(protectable, ProtectableItem):
        protectable.protected_item_id = made.id
    return accepted(request, _start_enabling(world, now, made, policy, scope))


@route("GET", ITEM, versions=VERSIONS)
def get_item(world: World, request: Request, now: datetime) -> Response:
    """Answer one protected item in full."""
    return Response(200, {}, _body(world, Scope(world, request).item, request, now, sparse=False))


@route("GET", CONTAINER + "/replicationProtectedItems", versions=VERSIONS)
def list_container_items(world: World, request: Request, now: datetime) -> Response:
    """Answer the protected items of a container, without what only the single read shows."""
    found = items_of(world, Scope(world, request).container)
    listed = [_body(world, item, request, now, sparse=True) for item in found]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", VAULT + "/replicationProtectedItems", versions=VERSIONS)
def list_items(world: World, request: Request, now: datetime) -> Response:
    """Answer the protected items of all containers of the vault."""
    scope = Scope(world, request)
    listed = [
        _body(world, item, request, now, sparse=True)
        for container in containers(world, scope.vault_id)
        for item in items_of(world, container)
    ]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("POST", ITEM + "/remove", versions=VERSIONS)
def remove_item(world: World, request: Request, now: datetime) -> Response:
    """Disable protection or complete the migration; the Azure machine stays."""
    item = Scope(world, request).item
    properties = check(request.body, DISABLE)["properties"]
    complete = properties.get("disableProtectionReason") == "MigrationComplete"
    operation = start_for_item(
        world,
        now,
        item,
        scenario="DisableDr",
        duration_s=rules.duration_s(item.provider, "disable"),
        fail=refused(item, "CompleteMigration" if complete else "DisableProtection"),
        on_done=lambda _due: _forget(world, item),
        result="nothing",
    )
    return accepted(request, operation)


@route("DELETE", ITEM, versions=VERSIONS)
def purge_item(world: World, request: Request, now: datetime) -> Response:
    """Remove an item whatever its state."""
    item = Scope(world, request).item
    operation = start_for_item(
        world,
        now,
        item,
        scenario="PurgeVm",
        duration_s=rules.duration_s(item.provider, "purge"),
        on_done=lambda _due: _forget(world, item),
        result="nothing",
    )
    return accepted(request, operation)


@route("GET", ITEM + "/recoveryPoints", versions=VERSIONS)
def list_recovery_points(world: World, request: Request) -> Response:
    """Answer the recovery points, newest first."""
    item = Scope(world, request).item
    points = item.replication.points if item.replication else []
    return Response(200, {}, {"value": [_point_body(item, point) for point in points], "nextLink": None})


@route("GET", ITEM + "/recoveryPoints/{point}", versions=VERSIONS)
def get_recovery_point(world: World, request: Request, *, point: str) -> Response:
    """Answer one recovery point."""
    scope = Scope(world, request)
    item = scope.item
    for found in item.replication.points if item.replication else []:
        if found.name.casefold() == point.casefold():
            return Response(200, {}, _point_body(item, found))
    raise scope.not_found(point)


def _protected_already(world: World, scope: Scope, made: ProtectedItem) -> ProtectedItem | None:
    same = (item for item in items_of(world, scope.container) if item.source_id.casefold() == made.source_id.casefold())
    existing = next(same, None) or world.resources.get(made.id)
    return existing if isinstance(existing, ProtectedItem) else None


def _enable_again(world: World, now: datetime, item: ProtectedItem, made: ProtectedItem) -> Operation:
    """Answer a repeated enable: it succeeds at once with the warning 45031.

    It fails when the first one has failed, or when the item of that name protects another machine.
    """
    other = item.source_id.casefold() != made.source_id.casefold()
    fail = warning = None
    if other or item.stage is Stage.ENABLING_FAILED:
        fail = refused(item, f"enabling {made.friendly_name}")
    else:
        warning = error("45031", name=item.friendly_name)
    return start_for_item(
        world, now, item, scenario="EnableDr", duration_s=1.0, on_done=lambda _due: None, warning=warning, fail=fail
    )


def _start_enabling(world: World, now: datetime, item: ProtectedItem, policy: Policy, scope: Scope) -> Operation:
    fabric, container = scope.fabric, scope.container
    fail = enable.refusal(world, item, fabric, container, policy)
    warning = None
    if vm_id(item, item.target.vm_name) in world.resources:
        warning = error("310024", name=item.target.vm_name)
    running: list[Running | None] = []

    def failed(_due: datetime, _error: OperationError) -> None:
        item.stage = Stage.ENABLING_FAILED
        item.running = running[0]

    operation = start_for_item(
        world,
        now,
        item,
        scenario="EnableDr",
        duration_s=REFUSED_AFTER_S if fail else rules.duration_s(item.provider, "enable"),
        policy=policy,
        fail=fail,
        warning=warning,
        on_done=lambda due: replicate.begin(world, item, due),
        on_failed=failed,
    )
    running.append(item.running)
    if item.provider == rules.IN_MAGE_RCM and fail is None:
        world.after(now, PUSH_AFTER_S, lambda due: _push(world, item, operation, due))
    return operation


def _push(world: World, item: ProtectedItem, operation: Operation, now: datetime) -> None:
    """Install the Mobility service on the machine; what stands in the way ends the job."""
    if not operation.running:
        return
    address = item.host.addresses[0] if item.host.addresses else ""
    account = world.resources.get(item.account_id)
    name = str(account["properties"]["displayName"]) if isinstance(account, Mapping) else ""
    failure = world.hosts.push_mobility(address, name)
    if failure is None:
        seen = world.hosts.describe(address)
        item.host = seen or item.host
        return
    base = error("559", task="CreateProtectionTargetTask")
    problem = OperationError(
        code=base.code,
        message=base.message,
        possible_causes=base.possible_causes,
        recommended_action=base.recommended_action,
        provider_code=int(failure.code),
        provider_message=failure.message,
        provider_causes=failure.causes,
        provider_action=failure.action,
        provider_error_id=world.guid(),
        task="CreateProtectionTargetTask",
    )
    world.finish(operation, now, problem)


def _forget(world: World, item: ProtectedItem) -> None:
    world.resources.delete(item.id)
    protectable = world.resources.get(item.protectable_item_id or "")
    if isinstance(protectable, ProtectableItem):
        protectable.protected_item_id = None


def _body(world: World, item: ProtectedItem, request: Request, now: datetime, *, sparse: bool) -> dict[str, Any]:
    return items.body(
        item,
        fabric_by_id(world, item.fabric_id),
        container_of(world, item),
        policy_of(world, item),
        now,
        sparse=sparse,
        api_version=request.api_version,
    )


def _point_body(item: ProtectedItem, point: RecoveryPoint) -> dict[str, Any]:
    return {
        "name": point.name,
        "type": POINT_TYPE,
        "id": f"{item.id}/recoveryPoints/{point.name}",
        "properties": {
            "recoveryPointTime": iso7(point.at),
            "recoveryPointType": point.kind,
            "providerSpecificDetails": {"instanceType": item.provider, "isMultiVmSyncPoint": "false"},
        },
    }


def _summary(world: World, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "id": item.id,
            "name": item.friendly_name,
            "provider": item.provider,
            "stage": item.stage.value,
            "state": timeline.protection_state(item),
            "allowed": timeline.allowed_operations(item),
            "test": item.test,
            "replicated_s": item.replication.seconds if item.replication else 0.0,
            "progress": timeline.transferred_share(item),
            "stalled": timeline.stalled(item, now),
        }
        for resource in world.resources.ids()
        if isinstance(item := world.resources.get(resource), ProtectedItem)
    ]


SUMMARIES["items"] = _summary
