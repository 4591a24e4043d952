"""Recovery Services vaults and their integrity key."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from asr_lab.arm.resources.subscriptions import check_location, require_body
from asr_lab.arm.routes import route
from asr_lab.arm.schema import Anything, MapOf, OneOf, Record, Schema, Text, Whole, check
from asr_lab.arm.versions import VAULT_VERSIONS
from asr_lab.arm.wire import ArmError, Request, Response, group_id, iso7, resource_id, resource_not_found
from asr_lab.arm.world import SUMMARIES, World

VAULT_TYPE = "Microsoft.RecoveryServices/vaults"
_VAULTS = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.RecoveryServices/vaults"
_VAULT = _VAULTS + "/{vault}"
_KEY = _VAULT + "/extendedInformation/vaultExtendedInfo"
_PROVISIONING_S = 60.0
_DELETE_S = 30.0
_OLD = "2016-06-01"
"""The api-version in which a vault was made at once and told only its state (recorded exchanges)."""

_STATE = Text(choices=("Enabled", "Disabled"))

_PROPERTIES = Record(
    {
        "provisioningState": Text(),
        "publicNetworkAccess": _STATE,
        "monitoringSettings": Record(
            {
                "azureMonitorAlertSettings": Record(
                    {
                        "alertsForAllJobFailures": _STATE,
                        "alertsForAllReplicationIssues": _STATE,
                        "alertsForAllFailoverIssues": _STATE,
                    }
                ),
                "classicAlertSettings": Record(
                    {"alertsForCriticalOperations": _STATE, "emailNotificationsForSiteRecovery": _STATE}
                ),
            }
        ),
        "restoreSettings": Record(
            {
                "crossSubscriptionRestoreSettings": Record(
                    {"crossSubscriptionRestoreState": Text(choices=("Enabled", "Disabled", "PermanentlyDisabled"))}
                )
            }
        ),
        "redundancySettings": Record(
            {
                "standardTierStorageRedundancy": Text(
                    choices=("LocallyRedundant", "GeoRedundant", "ZoneRedundant", "Invalid")
                ),
                "crossRegionRestore": _STATE,
            }
        ),
        "securitySettings": Record(
            {
                "softDeleteSettings": Record(
                    {
                        "softDeleteState": Text(choices=("Enabled", "Disabled", "AlwaysON")),
                        "softDeleteRetentionPeriodInDays": Whole(minimum=14, maximum=180),
                        "enhancedSecurityState": Text(),
                    }
                ),
                "immutabilitySettings": Record({"state": Text(choices=("Disabled", "Unlocked", "Locked"))}),
            }
        ),
        "encryption": Anything(),
    }
)

_SHARED: dict[str, Schema] = {
    "tags": MapOf(),
    "identity": OneOf(
        "type",
        {
            "None": Record({}),
            "SystemAssigned": Record({}),
            "UserAssigned": Record({"userAssignedIdentities": Anything()}),
            "SystemAssigned, UserAssigned": Record({"userAssignedIdentities": Anything()}),
        },
    ),
    "properties": _PROPERTIES,
    "sku": Record(
        {
            "name": Text(choices=("Standard", "RS0")),
            "tier": Text(),
            "family": Text(),
            "size": Text(),
            "capacity": Text(),
        },
        required=("name",),
    ),
    "etag": Text(),
}

_PUT_BODY = Record({**_SHARED, "location": Text(not_empty=True)}, required=("location", "sku", "properties"))
_PATCH_BODY = Record({**_SHARED, "location": Text()})
_KEY_BODY = Record(
    {
        "properties": Record(
            {
                "integrityKey": Text(not_empty=True),
                "encryptionKey": Text(),
                "encryptionKeyThumbprint": Text(),
                "algorithm": Text(),
            },
            required=("integrityKey",),
        ),
        "etag": Text(),
    },
    required=("properties",),
)

_MONITORING = {
    "azureMonitorAlertSettings": {"alertsForAllJobFailures": "Enabled"},
    "classicAlertSettings": {"alertsForCriticalOperations": "Enabled"},
}
_RESTORE = {"crossSubscriptionRestoreSettings": {"crossSubscriptionRestoreState": "Enabled"}}
_SECURITY = {
    "immutabilitySettings": None,
    "softDeleteSettings": {"softDeleteRetentionPeriodInDays": 14, "softDeleteState": "Enabled"},
    "multiUserAuthorization": "Disabled",
}
_HOLDS = ("replicationProtectedItems", "replicationRecoveryPlans", "replicationFabrics", "replicationPolicies")


@route("PUT", _VAULT, versions=VAULT_VERSIONS)
def put_vault(world: World, request: Request, now: datetime, *, sub: str, rg: str, vault: str) -> Response:
    """Create a vault (201, provisioning for a minute) or replace the settings of an existing one (200)."""
    body = check(require_body(request), _PUT_BODY)
    location = check_location(body["location"])
    made = resource_id(sub, rg, VAULT_TYPE, vault)
    held = world.resources.get(made)
    if held is not None:
        if held["location"] != location:
            raise ArmError(
                409,
                "InvalidResourceLocation",
                f"The resource '{vault}' already exists in location '{held['location']}' in resource group '{rg}'. A "
                f"resource with the same name cannot be created in location '{location}'. Please select a new name.",
            )
        _change(held, body, now)
        return Response(200, {}, _shown(held, request))
    old = request.api_version == _OLD
    state = "Succeeded" if old else "Provisioning"
    new: dict[str, Any] = {
        "location": location,
        "name": vault,
        "etag": _etag(now),
        "properties": {
            "provisioningState": state,
            "privateEndpointStateForBackup": "None",
            "privateEndpointStateForSiteRecovery": "None",
            "monitoringSettings": _MONITORING,
            "publicNetworkAccess": "Enabled",
            "restoreSettings": _RESTORE,
        },
        "id": made,
        "type": VAULT_TYPE,
        "sku": body["sku"],
    }
    _change(new, body, now)
    new["properties"]["provisioningState"] = state
    world.resources.put(made, new)
    if old:
        _provisioned(new, now)
        return Response(201, {}, _shown(new, request))
    operation = world.begin(
        now, target_id=made, duration_s=_PROVISIONING_S, on_done=partial(_provisioned, new), style="vault"
    )
    headers = {name: value for name, value in operation.headers().items() if name != "Location"}
    return Response(201, headers, _shown(new, request))


@route("GET", _VAULT, versions=VAULT_VERSIONS)
def get_vault(world: World, request: Request, *, sub: str, rg: str, vault: str) -> Response:
    """Answer a vault."""
    return Response(200, {}, _shown(_held(world, sub, rg, vault), request))


@route("GET", _VAULTS, versions=VAULT_VERSIONS)
def list_vaults(world: World, request: Request, *, sub: str, rg: str) -> Response:
    """Answer the vaults of a resource group."""
    held = world.resources.children(group_id(sub, rg), f"providers/{VAULT_TYPE}")
    return Response(200, {}, {"value": [_shown(vault, request) for vault in held]})


@route("GET", "/subscriptions/{sub}/providers/Microsoft.RecoveryServices/vaults", versions=VAULT_VERSIONS)
def list_all_vaults(world: World, request: Request, *, sub: str) -> Response:
    """Answer the vaults of a subscription."""
    held = world.resources.descendants(f"/subscriptions/{sub}", f"providers/{VAULT_TYPE}")
    return Response(200, {}, {"value": [_shown(vault, request) for vault in held]})


@route("PATCH", _VAULT, versions=VAULT_VERSIONS)
def patch_vault(world: World, request: Request, now: datetime, *, sub: str, rg: str, vault: str) -> Response:
    """Change tags and settings of a vault."""
    body = check(require_body(request), _PATCH_BODY)
    held = _held(world, sub, rg, vault)
    _change(held, body, now)
    return Response(200, {}, _shown(held, request))


@route("DELETE", _VAULT, versions=VAULT_VERSIONS)
def delete_vault(world: World, request: Request, now: datetime, *, sub: str, rg: str, vault: str) -> Response:
    """Remove an empty vault; one that holds items or servers is refused."""
    made = resource_id(sub, rg, VAULT_TYPE, vault)
    if made not in world.resources:
        return Response(204)
    for collection in _HOLDS:
        if world.resources.descendants(made, collection):
            raise ArmError(
                409,
                "ServiceResourceNotEmptyWithContainerDetails",
                f"Recovery Services vault '{vault}' cannot be deleted as there are existing resources within the vault "
                f"({collection}). Stop the replication of every item, unregister the servers and delete the policies, "
                "then delete the vault.",
            )
    if request.api_version == _OLD:
        world.resources.delete_tree(made)
        return Response(200)
    return world.start(
        now,
        target_id=made,
        duration_s=_DELETE_S,
        on_done=partial(_remove, world, made),
        style="vault",
        result="nothing",
    )


def _remove(world: World, vault_id: str, _: datetime) -> None:
    world.resources.delete_tree(vault_id)


@route("GET", _KEY, versions=VAULT_VERSIONS)
def get_extended_info(world: World, *, sub: str, rg: str, vault: str) -> Response:
    """Answer the vault's integrity key; a new vault has none until a client puts one."""
    held = world.resources.get(_key_id(sub, rg, vault))
    if held is None:
        raise ArmError(
            404,
            "ResourceExtendedInfoNotFound",
            f"The extended information of the vault '{vault}' was not found. Put one with a random integrity key.",
        )
    return Response(200, {}, held)


@route("PUT", _KEY, versions=VAULT_VERSIONS)
def put_extended_info(world: World, request: Request, now: datetime, *, sub: str, rg: str, vault: str) -> Response:
    """Store the vault's integrity key."""
    properties = check(require_body(request), _KEY_BODY)["properties"]
    world.resources.put(
        _key_id(sub, rg, vault),
        {
            # The service leaves out the slash before extendedInformation (recorded exchanges).
            "id": f"{resource_id(sub, rg, VAULT_TYPE, vault)}extendedInformation/vaultExtendedInfo",
            "name": "vaultExtendedInfo",
            "type": f"{VAULT_TYPE}/extendedInformation",
            "etag": _etag(now),
            "properties": {
                "integrityKey": properties["integrityKey"],
                "algorithm": properties.get("algorithm") or "None",
            },
        },
    )
    return get_extended_info(world, sub=sub, rg=rg, vault=vault)


def _held(world: World, sub: str, rg: str, vault: str) -> dict[str, Any]:
    held: dict[str, Any] | None = world.resources.get(resource_id(sub, rg, VAULT_TYPE, vault))
    if held is None:
        raise resource_not_found(VAULT_TYPE, vault, rg)
    return held


def _key_id(sub: str, rg: str, vault: str) -> str:
    return f"{resource_id(sub, rg, VAULT_TYPE, vault)}/extendedInformation/vaultExtendedInfo"


def _etag(now: datetime) -> str:
    return f"W/\"datetime'{quote(iso7(now))}'\""


def _change(held: dict[str, Any], body: Mapping[str, Any], now: datetime) -> None:
    for name in ("tags", "identity", "sku"):
        if body.get(name) is not None:
            held[name] = body[name]
    given = {name: value for name, value in (body.get("properties") or {}).items() if value is not None}
    held["properties"] = _merged(held["properties"], {k: v for k, v in given.items() if k != "provisioningState"})
    held["etag"] = _etag(now)


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(old)
    for name, value in new.items():
        before = merged.get(name)
        merged[name] = _merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged


def _provisioned(held: dict[str, Any], now: datetime) -> None:
    before = held["properties"]
    held["properties"] = {
        **before,
        "provisioningState": "Succeeded",
        "backupStorageVersion": "Unassigned",
        "securitySettings": _merged(_SECURITY, before.get("securitySettings") or {}),
    }
    held["etag"] = _etag(now)


def _shown(held: Mapping[str, Any], request: Request) -> dict[str, Any]:
    if request.api_version != _OLD:
        return dict(held)
    return {**held, "properties": {"provisioningState": held["properties"]["provisioningState"]}}


def _vault_rows(world: World, now: datetime) -> list[dict[str, Any]]:
    return [
        {"id": vault["id"], "name": vault["name"], "state": vault["properties"]["provisioningState"], "at": iso7(now)}
        for vault in world.resources.descendants("/subscriptions", f"providers/{VAULT_TYPE}")
    ]


SUMMARIES["vaults"] = _vault_rows
