"""Protectable items: machines that a configuration server knows, and adding a physical one.

The list comes in pages and ends with an empty page, as recorded. Fabrics of InMageRcm have no protectable items.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from asr_lab.arm.providers import rules
from asr_lab.arm.providers.model import RCM_FABRIC, Fabric, ProtectableItem
from asr_lab.arm.providers.scope import CONTAINER, VERSIONS, Scope, protectables
from asr_lab.arm.providers.source_machines import SourceDisk, classic_disks
from asr_lab.arm.providers.work import accepted, affected_by_fabric, error, start, with_provider_error
from asr_lab.arm.routes import route
from asr_lab.arm.schema import Record, Text, check
from asr_lab.arm.wire import ArmError, Request, Response, bad_request
from asr_lab.arm.world import World

ITEM_TYPE = (
    "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectableItems"
)
PAGE = 100
LAST_TOKEN = "ReplicationGroup:Begin"

DISCOVER = Record(
    {
        "properties": Record(
            {
                "friendlyName": Text(not_empty=True),
                "ipAddress": Text(not_empty=True),
                "osType": Text(("Windows", "Linux")),
            },
            ("friendlyName", "ipAddress", "osType"),
        )
    },
    ("properties",),
)


@route("GET", CONTAINER + "/replicationProtectableItems", versions=VERSIONS)
def list_protectable_items(world: World, request: Request) -> Response:
    """Answer a page of protectable items; ``nextLink`` leads on until the last page, which is empty."""
    scope = Scope(world, request)
    container = scope.container
    token = next((value for name, value in request.query.items() if name.casefold() == "$skiptoken"), "")
    found = protectables(world, container)
    if token == LAST_TOKEN:
        return Response(200, {}, {"value": [], "nextLink": None})
    start_at = _start(token)
    following = str(start_at + PAGE) if start_at + PAGE < len(found) else ""
    next_token = f"VirtualMachine:{following}" if following else LAST_TOKEN
    link = (
        f"https://{request.host}{container.id}/replicationProtectableItems"
        f"?api-version={request.api_version}&%24skipToken={quote(next_token)}"
    )
    listed = [_body(scope.fabric, item) for item in found[start_at : start_at + PAGE]]
    return Response(200, {}, {"value": listed, "nextLink": link if found else None})


@route("GET", CONTAINER + "/replicationProtectableItems/{item}", versions=VERSIONS)
def get_protectable_item(world: World, request: Request) -> Response:
    """Answer one protectable item."""
    scope = Scope(world, request)
    return Response(200, {}, _body(scope.fabric, scope.protectable))


@route("POST", CONTAINER + "/discoverProtectableItem", versions=VERSIONS)
def discover_protectable_item(world: World, request: Request, now: datetime) -> Response:
    """Add a physical machine; an address that is known already makes the job fail (recorded: 559 with 95222)."""
    scope = Scope(world, request)
    fabric, container = scope.fabric, scope.container
    if fabric.kind == RCM_FABRIC:
        raise bad_request(
            "NotSupported",
            f"'{fabric.friendly_name}' is a fabric of appliances, which find their machines themselves.",
            action="Add the server on the appliance.",
        )
    given = check(request.body, DISCOVER)["properties"]
    known = any(item.address == given["ipAddress"] for item in protectables(world, container))
    fail = None
    if known:
        base = error("559", task="DiscoverPhysicalMachineTask")
        fail = replace(with_provider_error(base, "95222", world.guid(), address=given["ipAddress"]), restartable=False)
    name = world.guid()
    made = ProtectableItem(
        id=f"{container.id}/replicationProtectableItems/{name}",
        name=name,
        container_id=container.id,
        friendly_name=given["friendlyName"],
        address=given["ipAddress"],
        os_type=given["osType"],
    )
    affected = {
        "primaryVmId": name,
        "primaryVmName": made.friendly_name,
        "primaryCloudId": f"cloud_{fabric.internal_id}",
        "primaryCloudName": container.friendly_name,
        **affected_by_fabric(fabric),
    }
    operation = start(
        world,
        now,
        scenario="DiscoverPhysicalMachine",
        target_id=container.id,
        duration_s=rules.duration_s("any", "discover"),
        object_id=name,
        object_name=made.friendly_name,
        affected=affected,
        on_done=lambda _due: world.resources.put(made.id, made),
        fail=fail,
    )
    return accepted(request, operation)


def _start(token: str) -> int:
    if not token:
        return 0
    kind, _, number = token.partition(":")
    if kind == "VirtualMachine" and number.isdigit():
        return int(number)
    raise ArmError(400, "BadRequest", f"The $skipToken '{token}' is not one of this service.")


def _body(fabric: Fabric, item: ProtectableItem) -> dict[str, Any]:
    host = item.host
    return {
        "id": item.id,
        "name": item.name,
        "type": ITEM_TYPE,
        "properties": {
            "friendlyName": item.friendly_name,
            "protectionStatus": "Protected" if item.protected_item_id else "Unprotected",
            "replicationProtectedItemId": item.protected_item_id,
            "recoveryServicesProviderId": f"{fabric.id}/replicationRecoveryServicesProviders/{fabric.internal_id}",
            "protectionReadinessErrors": [],
            "supportedReplicationProviders": ["InMage", "InMageAzureV2"],
            "customDetails": {
                "instanceType": "VMwareVirtualMachine",
                "agentGeneratedId": host.host_id if host else None,
                "agentInstalled": "Installed" if host else "NotInstalled",
                "osType": item.os_type.upper(),
                "agentVersion": host.agent_version if host else None,
                "ipAddress": item.address,
                "poweredOn": "On" if host else "Off",
                "vCenterInfrastructureId": item.infrastructure_id,
                "discoveryType": item.discovery,
                "diskDetails": [_disk(disk) for disk in classic_disks(item)],
                "validationErrors": [],
            },
        },
    }


def _disk(disk: SourceDisk) -> dict[str, Any]:
    disk_id, name, size_bytes, boot = disk
    return {
        "diskId": disk_id,
        "diskName": name,
        "diskSizeInMB": str(size_bytes // 1024**2),
        "diskType": "OperatingSystem" if boot else "Data",
        "diskConfiguration": "Basic",
        "volumeList": [{"label": "", "name": "C" if name.startswith("\\\\") else "/"}] if boot else [],
    }
