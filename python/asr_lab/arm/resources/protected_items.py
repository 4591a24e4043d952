"""Protected items: enable, read, list, disable, purge, and their recovery points."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.models import checked
from asr_lab.arm.operations import Operation, OperationError
from asr_lab.arm.providers import items, plans, timeline
from asr_lab.arm.providers.enable import needed
from asr_lab.arm.providers.gate import refused
from asr_lab.arm.providers.model import Policy, ProtectableItem, ProtectedItem, RecoveryPoint, Running, Stage
from asr_lab.arm.providers.paging import next_link, window
from asr_lab.arm.providers.provider import PROVIDERS, Action, Provider, provider_named, provider_of_kind
from asr_lab.arm.providers.scope import CONTAINER, ITEM, VAULT, VERSIONS, Scope, items_of_vault
from asr_lab.arm.providers.scope import items as items_of
from asr_lab.arm.providers.work import accepted, begin_action, error, start_action
from asr_lab.arm.routes import route
from asr_lab.arm.wire import ArmError, Request, Response, bad_request, iso7, last_segment
from asr_lab.arm.world import SUMMARIES, World

POINT_TYPE = f"{items.ITEM_TYPE}/recoveryPoints"
PAGE = 200
BASE = "EnableProtectionProviderSpecificInput"
"""The model's base class, which machines between two Hyper-V sites are enabled with: the policy names the provider."""
DISABLES_ANY = "DisableProtectionProviderSpecificInput"
"""The model's base class, which PowerShell names (recorded)."""
REFUSED_AFTER_S = 30.0
FILTERS = (
    "RecoveryPlanName",
    "InstanceType",
    "SourceFabricName",
    "ProcessServerId",
    "FabricObjectId",
    "ProtectionState",
    "FriendlyName",
)
_CONDITION = re.compile(r"(?P<name>\w+)\s+eq\s+'(?P<value>[^']*)'", re.IGNORECASE)


@route("PUT", ITEM, versions=VERSIONS)
def put_item(world: World, request: Request, now: datetime) -> Response:
    """Enable protection; the item exists at once and replicates when the operation has ended."""
    scope = Scope(world, request)
    properties = checked(request, "EnableProtectionInput")["properties"]
    provider = _provider(scope, properties)
    policy = scope.get(needed(properties, "policyId", "properties"), Policy)
    made = provider.make_item(scope, policy, properties)
    existing = _protected_already(world, scope, made)
    if existing is not None:
        return accepted(request, _enable_again(world, now, existing, made))
    world.resources.put(made.id, made)
    protectable = world.resources.get(made.protectable_item_id or "")
    if isinstance(protectable, ProtectableItem):
        protectable.protected_item_id = made.id
    return accepted(request, _start_enabling(world, now, provider, made, policy))


@route("GET", ITEM, versions=VERSIONS)
def get_item(world: World, request: Request, now: datetime) -> Response:
    """Answer one protected item in full."""
    item = Scope(world, request).item
    return Response(200, {}, items.body(world, item, now, sparse=False, api_version=request.api_version))


@route("GET", CONTAINER + "/replicationProtectedItems", versions=VERSIONS)
def list_container_items(world: World, request: Request, now: datetime) -> Response:
    """Answer the protected items of a container, without what only the single read shows."""
    scope = Scope(world, request)
    return _list(scope, items_of(world, scope.container), now)


@route("GET", VAULT + "/replicationProtectedItems", versions=VERSIONS)
def list_items(world: World, request: Request, now: datetime) -> Response:
    """Answer the protected items of all containers of the vault."""
    scope = Scope(world, request)
    return _list(scope, items_of_vault(world, scope.vault_id), now)


@route("POST", ITEM + "/remove", versions=VERSIONS)
def remove_item(world: World, request: Request, now: datetime) -> Response:
    """Disable protection or complete the migration; the Azure machine stays."""
    scope = Scope(world, request)
    item = scope.item
    given = checked(request, "DisableProtectionInput")["properties"]
    provider = provider_named(item.provider)
    kind = (given.get("replicationProviderInput") or {}).get("instanceType", DISABLES_ANY)
    if kind != DISABLES_ANY and not provider.takes(item, "remove", kind):
        raise bad_request(
            "InvalidProviderSpecificInput",
            f"properties.replicationProviderInput.instanceType is '{kind}'; the item '{item.name}' is protected with "
            f"{item.provider}.",
        )
    return start_action(world, request, now, item, provider.disable(scope, item, given, now))


@route("DELETE", ITEM, versions=VERSIONS)
def purge_item(world: World, request: Request, now: datetime) -> Response:
    """Remove an item whatever its state."""
    scope = Scope(world, request)
    item = scope.item
    return start_action(world, request, now, item, provider_named(item.provider).purge(scope, item, now))


@route("GET", ITEM + "/recoveryPoints", versions=VERSIONS)
def list_recovery_points(world: World, request: Request, now: datetime) -> Response:
    """Answer the recovery points, newest first, on one page (recorded)."""
    item = Scope(world, request).item
    listed = [_point_body(item, point) for point in timeline.points(item, now)]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", ITEM + "/recoveryPoints/{point}", versions=VERSIONS)
def get_recovery_point(world: World, request: Request, now: datetime, *, point: str) -> Response:
    """Answer one recovery point."""
    scope = Scope(world, request)
    found = timeline.point_named(scope.item, point, now)
    if found is None:
        raise scope.not_found(point)
    return Response(200, {}, _point_body(scope.item, found))


# Enabling


def _provider(scope: Scope, properties: Mapping[str, Any]) -> Provider:
    kind = str((properties.get("providerSpecificDetails") or {}).get("instanceType") or BASE)
    fabric = scope.fabric
    if kind == BASE:
        kind = scope.get(needed(properties, "policyId", "properties"), Policy).provider
    own = provider_of_kind(fabric.kind)
    found = PROVIDERS.get(kind)
    if found is None or (found.fabric_kinds and fabric.kind not in found.fabric_kinds):
        wanted = own.name if own else "none"
        raise bad_request(
            "InvalidProviderSpecificInput",
            f"properties.providerSpecificDetails.instanceType is '{kind}'; machines of the fabric "
            f"'{fabric.friendly_name}' are protected with {wanted}.",
        )
    return found


def _protected_already(world: World, scope: Scope, made: ProtectedItem) -> ProtectedItem | None:
    wanted = made.source_id.casefold()
    same = (item for item in items_of(world, scope.container) if item.source_id.casefold() == wanted)
    existing = next(same, None) or world.resources.get(made.id)
    return existing if isinstance(existing, ProtectedItem) else None


def _enable_again(world: World, now: datetime, item: ProtectedItem, made: ProtectedItem) -> Operation:
    """Answer a repeated enable: it succeeds at once with the warning 45031 (recorded).

    It fails when the first one has failed, or when the item of that name protects another machine.
    """
    other = item.source_id.casefold() != made.source_id.casefold()
    fail = warning = None
    if other or item.stage is Stage.ENABLING_FAILED:
        fail = refused(item, f"enabling {made.friendly_name}", now)
    else:
        warning = error("45031", name=item.friendly_name)
    action = Action("EnableDr", 1.0, on_done=_nothing, warning=warning, fail=fail)
    return begin_action(world, now, item, action)


def _nothing(_due: datetime) -> None:
    """Change nothing."""


def _start_enabling(world: World, now: datetime, provider: Provider, item: ProtectedItem, policy: Policy) -> Operation:
    fail = provider.refusal(world, item, policy)
    action = Action(
        "EnableDr",
        REFUSED_AFTER_S if fail else world.duration_s(provider.name, "enable", name=item.friendly_name),
        on_done=partial(_enabled, world, item),
        on_failed=partial(_enable_failed, world, item),
        fail=fail,
        warning=provider.enable_warning(world, item),
    )
    operation = begin_action(world, now, item, action, policy=policy)
    item.enable_job = operation.job_id
    provider.enabling(world, item, operation, now)
    return operation


def _enabled(world: World, item: ProtectedItem, due: datetime) -> None:
    provider_named(item.provider).enabled(world, item, due)


def _enable_failed(world: World, item: ProtectedItem, _due: datetime, _error: OperationError) -> None:
    """Keep naming the failed job in ``currentScenario`` (recorded)."""
    item.stage = Stage.ENABLING_FAILED
    job = world.operation(item.enable_job.rpartition("/")[2])
    if job is not None:
        item.running = Running("EnableProtection", job.job_id, job.started)


# Lists


def _list(scope: Scope, found: Sequence[ProtectedItem], now: datetime) -> Response:
    request = scope.request
    wanted = _conditions(request.query.get("$filter", ""))
    if wanted:
        if "recoveryplanname" in wanted:
            planned = plans.items_of_plan(scope.world, scope.vault_id, wanted["recoveryplanname"])
            found = [item for item in found if any(item is one for one in planned)]
        found = [item for item in found if _fits(item, wanted, now)]
    shown, first = window(request, found, PAGE)
    listed = [items.body(scope.world, item, now, sparse=True, api_version=request.api_version) for item in shown]
    more = first + PAGE < len(found)
    return Response(200, {}, {"value": listed, "nextLink": next_link(request, first + PAGE) if more else None})


def _conditions(text: str) -> dict[str, str]:
    """Return what ``$filter`` asks: conditions with eq and a quoted value, joined by and; raises ArmError 400.

    RecoveryPlanName is recorded; InstanceType, SourceFabricName, ProcessServerId and FabricObjectId are named by the
    specification's query parameters; ProtectionState and FriendlyName are chosen.
    """
    found = {match["name"].casefold(): match["value"] for match in _CONDITION.finditer(text)}
    rest = re.sub(r"\band\b|[()\s]", "", _CONDITION.sub("", text), flags=re.IGNORECASE)
    unknown = set(found) - {name.casefold() for name in FILTERS}
    if rest or unknown:
        raise ArmError(
            400,
            "BadRequest",
            f"$filter is '{text}'; accepted: {', '.join(FILTERS)}, with eq and a quoted value, joined by and.",
        )
    return found


def _fits(item: ProtectedItem, wanted: Mapping[str, str], now: datetime) -> bool:
    seen = {
        "instancetype": item.provider,
        "sourcefabricname": last_segment(item.fabric_id),
        "processserverid": item.server_id,
        "fabricobjectid": item.source_id,
        "protectionstate": timeline.protection_state(item, now),
        "friendlyname": item.friendly_name,
    }
    return all(seen[name].casefold() == value.casefold() for name, value in wanted.items() if name in seen)


# Bodies


def _point_body(item: ProtectedItem, point: RecoveryPoint) -> dict[str, Any]:
    return {
        "name": point.name,
        "type": POINT_TYPE,
        "id": f"{item.id}/recoveryPoints/{point.name}",
        "properties": {
            "recoveryPointTime": iso7(point.at),
            "recoveryPointType": point.kind,
            "providerSpecificDetails": provider_named(item.provider).point_details(item, point),
        },
    }


def _summary(world: World, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "id": item.id,
            "name": item.friendly_name,
            "provider": item.provider,
            "stage": item.stage.value,
            "state": timeline.protection_state(item, now),
            "allowed": timeline.allowed_operations(item, now),
            "test": item.test,
            "replicated_s": timeline.seconds(item.replication, now) if item.replication else 0.0,
            "progress": timeline.transferred_share(item, now),
            "stalled": timeline.stalled(item, now),
        }
        for resource in world.resources.ids()
        if isinstance(item := world.resources.get(resource), ProtectedItem)
    ]


SUMMARIES["items"] = _summary
