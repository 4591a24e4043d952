"""How a vault stores backups (Azure Backup). Clients of vaults set it in passing; Site Recovery has no use for it."""

from typing import Any

from asr_lab.arm.providers.scope import VAULT, Scope
from asr_lab.arm.routes import route
from asr_lab.arm.schema import Flag, Record, Text, check
from asr_lab.arm.versions import IN_VAULT_VERSIONS
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World

BACKUP_VERSIONS = tuple(sorted({*IN_VAULT_VERSIONS, "2016-12-01", "2018-12-20", "2021-12-01", "2023-01-15"}))
_TYPE = "Microsoft.RecoveryServices/vaults/backupstorageconfig"
_NAME = "vaultstorageconfig"
_CONFIG = VAULT + "/backupstorageconfig/vaultstorageconfig"
_KINDS = ("GeoRedundant", "LocallyRedundant", "ZoneRedundant", "ReadAccessGeoZoneRedundant", "Invalid")
_BODY = Record(
    {
        "properties": Record(
            {
                "storageModelType": Text(_KINDS),
                "storageType": Text(_KINDS),
                "storageTypeState": Text(("Locked", "Unlocked", "Invalid")),
                "crossRegionRestoreFlag": Flag(),
                "dedupState": Text(),
                "xcoolState": Text(),
            }
        )
    },
    required=("properties",),
    open=True,
)


@route("GET", _CONFIG, versions=BACKUP_VERSIONS)
def get_storage_config(world: World, request: Request) -> Response:
    """Answer the setting; a new vault is geo-redundant (documentation)."""
    return Response(200, {}, _body(world, Scope(world, request)))


@route("PATCH", _CONFIG, versions=BACKUP_VERSIONS)
def patch_storage_config(world: World, request: Request) -> Response:
    """Change the setting (specification: 204)."""
    scope = Scope(world, request)
    given = check(request.body, _BODY)["properties"]
    body = _body(world, scope)
    properties = {**body["properties"], **{name: value for name, value in given.items() if value is not None}}
    world.resources.put(_id(scope), {**body, "properties": properties})
    return Response(204)


def _id(scope: Scope) -> str:
    return f"{scope.vault_id}/backupstorageconfig/{_NAME}"


def _body(world: World, scope: Scope) -> dict[str, Any]:
    held: dict[str, Any] | None = world.resources.get(_id(scope))
    properties = {
        "storageModelType": "GeoRedundant",
        "storageType": "GeoRedundant",
        "storageTypeState": "Unlocked",
        "crossRegionRestoreFlag": False,
    }
    return held or {"id": _id(scope), "name": _NAME, "type": _TYPE, "properties": properties}
