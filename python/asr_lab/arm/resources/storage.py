"""Storage accounts, which Site Recovery uses as a cache for what it replicates."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from asr_lab.arm.resources.subscriptions import check_location, require_body
from asr_lab.arm.routes import route
from asr_lab.arm.schema import Anything, Flag, MapOf, Record, Text, check
from asr_lab.arm.versions import STORAGE_VERSIONS
from asr_lab.arm.wire import ArmError, Request, Response, group_id, iso7, resource_id, resource_not_found
from asr_lab.arm.world import World

_TYPE = "Microsoft.Storage/storageAccounts"
_ACCOUNTS = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Storage/storageAccounts"
_SKUS = (
    "Standard_LRS",
    "Standard_GRS",
    "Standard_RAGRS",
    "Standard_ZRS",
    "Premium_LRS",
    "Premium_ZRS",
    "Standard_GZRS",
    "Standard_RAGZRS",
)
_NAME = re.compile(r"[a-z0-9]{3,24}")
_NAME_RULE = (
    "is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use "
    "numbers and lower-case letters only."
)

_BODY = Record(
    {
        "location": Text(not_empty=True),
        "kind": Text(choices=("StorageV2", "Storage", "BlobStorage", "BlockBlobStorage", "FileStorage")),
        "sku": Record({"name": Text(choices=_SKUS), "tier": Text()}, required=("name",)),
        "tags": MapOf(),
        "identity": Anything(),
        "properties": Record(
            {
                "accessTier": Text(choices=("Hot", "Cool", "Cold", "Premium")),
                "allowBlobPublicAccess": Flag(),
                "allowSharedKeyAccess": Flag(),
                "minimumTlsVersion": Text(choices=("TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3")),
                "supportsHttpsTrafficOnly": Flag(),
                "publicNetworkAccess": Text(choices=("Enabled", "Disabled", "SecuredByPerimeter")),
                "networkAcls": Anything(),
                "encryption": Anything(),
            }
        ),
    },
    required=("location", "kind", "sku"),
)


def add_storage_account(
    world: World,
    subscription_id: str,
    resource_group: str,
    name: str,
    *,
    location: str,
    now: datetime,
    sku: str = "Standard_LRS",
    kind: str = "StorageV2",
    properties: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
) -> str:
    """Put a storage account into the world and return its id."""
    made = resource_id(subscription_id, resource_group, _TYPE, name)
    world.resources.put(
        made,
        {
            "sku": {"name": sku, "tier": sku.partition("_")[0]},
            "kind": kind,
            "id": made,
            "name": name,
            "type": _TYPE,
            "location": location,
            "tags": dict(tags or {}),
            "properties": {
                "minimumTlsVersion": "TLS1_2",
                "allowBlobPublicAccess": False,
                "supportsHttpsTrafficOnly": True,
                "accessTier": "Hot",
                **{key: value for key, value in (properties or {}).items() if value is not None},
                "provisioningState": "Succeeded",
                "creationTime": iso7(now),
                "primaryEndpoints": {"blob": f"https://{name}.blob.core.windows.net/"},
                "primaryLocation": location,
                "statusOfPrimary": "available",
            },
        },
    )
    return made


@route("PUT", _ACCOUNTS + "/{account}", versions=STORAGE_VERSIONS)
def put_storage_account(world: World, request: Request, now: datetime, *, sub: str, rg: str, account: str) -> Response:
    """Create or change a storage account; answered at once with 200, which the service does for small changes."""
    body = check(require_body(request), _BODY)
    location = check_location(body["location"])
    if not _NAME.fullmatch(account):
        raise ArmError(400, "AccountNameInvalid", f"{account} {_NAME_RULE}")
    taken = _by_name(world, account)
    made = resource_id(sub, rg, _TYPE, account)
    if taken and taken["id"].casefold() != made.casefold():
        raise ArmError(409, "StorageAccountAlreadyTaken", f"The storage account named {account} is already taken.")
    if taken and taken["location"] != location:
        raise ArmError(
            409,
            "InvalidResourceLocation",
            f"The resource '{account}' already exists in location '{taken['location']}' in resource group '{rg}'. "
            f"A resource with the same name cannot be created in location '{location}'. Please select a new name.",
        )
    add_storage_account(
        world,
        sub,
        rg,
        account,
        location=location,
        now=now,
        sku=body["sku"]["name"],
        kind=body["kind"],
        properties=body.get("properties"),
        tags=body.get("tags"),
    )
    return Response(200, {}, world.resources.get(made))


@route("GET", _ACCOUNTS + "/{account}", versions=STORAGE_VERSIONS)
def get_storage_account(world: World, *, sub: str, rg: str, account: str) -> Response:
    """Answer a storage account."""
    found = world.resources.get(resource_id(sub, rg, _TYPE, account))
    if found is None:
        raise resource_not_found(_TYPE, account, rg)
    return Response(200, {}, found)


@route("GET", _ACCOUNTS, versions=STORAGE_VERSIONS)
def list_storage_accounts(world: World, *, sub: str, rg: str) -> Response:
    """Answer the storage accounts of a resource group."""
    return Response(200, {}, {"value": world.resources.children(group_id(sub, rg), f"providers/{_TYPE}")})


@route("GET", "/subscriptions/{sub}/providers/Microsoft.Storage/storageAccounts", versions=STORAGE_VERSIONS)
def list_all_storage_accounts(world: World, *, sub: str) -> Response:
    """Answer the storage accounts of a subscription."""
    return Response(200, {}, {"value": world.resources.descendants(f"/subscriptions/{sub}", f"providers/{_TYPE}")})


@route("POST", _ACCOUNTS + "/{account}/listKeys", versions=STORAGE_VERSIONS)
def list_keys(*, account: str) -> Response:
    """Refuse: nothing in a migration needs the keys of the cache account."""
    raise ArmError(
        403,
        "AuthorizationFailed",
        f"The client does not have authorization to perform action '{_TYPE}/listKeys/action' over '{account}'.",
    )


@route("DELETE", _ACCOUNTS + "/{account}", versions=STORAGE_VERSIONS)
def delete_storage_account(world: World, *, sub: str, rg: str, account: str) -> Response:
    """Remove a storage account: 200, or 204 when there is none."""
    return Response(200 if world.resources.delete(resource_id(sub, rg, _TYPE, account)) else 204)


@route("POST", "/subscriptions/{sub}/providers/Microsoft.Storage/checkNameAvailability", versions=STORAGE_VERSIONS)
def check_name(world: World, request: Request) -> Response:
    """Answer whether a name is free in all of Azure."""
    schema = Record({"name": Text(), "type": Text(choices=(_TYPE,))}, required=("name", "type"))
    name = check(require_body(request), schema)["name"]
    if not _NAME.fullmatch(name):
        message = f"{name} {_NAME_RULE}"
        return Response(200, {}, {"nameAvailable": False, "reason": "AccountNameInvalid", "message": message})
    if _by_name(world, name):
        message = f"The storage account named {name} is already taken."
        return Response(200, {}, {"nameAvailable": False, "reason": "AlreadyExists", "message": message})
    return Response(200, {}, {"nameAvailable": True})


def _by_name(world: World, name: str) -> dict[str, Any] | None:
    held = world.resources.descendants("/subscriptions", f"providers/{_TYPE}")
    return next((account for account in held if account["name"].casefold() == name.casefold()), None)
