"""Protectable items: machines that a configuration server or a Hyper-V host knows, and adding a physical one.

The list comes in pages and ends with an empty page, as recorded. Fabrics of InMageRcm have no protectable items.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from urllib.parse import quote

from asr_lab.arm.models import checked
from asr_lab.arm.providers.model import VMWARE_FABRIC, ProtectableItem
from asr_lab.arm.providers.protectable import body, status
from asr_lab.arm.providers.scope import CONTAINER, VERSIONS, Scope, protectables
from asr_lab.arm.providers.work import accepted, affected_by_fabric, error, start, with_provider_error
from asr_lab.arm.routes import route
from asr_lab.arm.wire import ArmError, Request, Response, bad_request
from asr_lab.arm.world import World

PAGE = 100
LAST_TOKEN = "ReplicationGroup:Begin"
_CONDITION = re.compile(r"(?P<name>\w+)\s+eq\s+'(?P<value>[^']*)'", re.IGNORECASE)


@route("GET", CONTAINER + "/replicationProtectableItems", versions=VERSIONS)
def list_protectable_items(world: World, request: Request) -> Response:
    """Answer a page of protectable items; ``nextLink`` leads on until the last page, which is empty.

    ``$take`` asks for smaller pages, ``$filter`` for a friendlyName or a protectionStatus (chosen: no recording).
    """
    scope = Scope(world, request)
    container = scope.container
    token, size = _asked(request, "$skipToken"), _page_size(request)
    found = _filtered(protectables(world, container), _asked(request, "$filter"))
    if token == LAST_TOKEN:
        return Response(200, {}, {"value": [], "nextLink": None})
    first = _first(token)
    following = str(first + size) if first + size < len(found) else ""
    next_token = f"VirtualMachine:{following}" if following else LAST_TOKEN
    kept = "".join(
        f"&{quote(name, safe='')}={quote(value)}"
        for name, value in request.query.items()
        if name.casefold() in ("$filter", "$take")
    )
    link = (
        f"https://{request.host}{container.id}/replicationProtectableItems"
        f"?api-version={request.api_version}{kept}&%24skipToken={quote(next_token)}"
    )
    fabric = scope.fabric
    listed = [body(fabric, item, request.api_version) for item in found[first : first + size]]
    return Response(200, {}, {"value": listed, "nextLink": link if found else None})


@route("GET", CONTAINER + "/replicationProtectableItems/{item}", versions=VERSIONS)
def get_protectable_item(world: World, request: Request) -> Response:
    """Answer one protectable item."""
    scope = Scope(world, request)
    return Response(200, {}, body(scope.fabric, scope.protectable, request.api_version))


@route("POST", CONTAINER + "/discoverProtectableItem", versions=VERSIONS)
def discover_protectable_item(world: World, request: Request, now: datetime) -> Response:
    """Add a physical machine; an address that is known already makes the job fail (recorded: 559 with 95222)."""
    scope = Scope(world, request)
    fabric, container = scope.fabric, scope.container
    if fabric.kind != VMWARE_FABRIC:
        raise bad_request(
            "NotSupported",
            f"'{fabric.friendly_name}' is a fabric of type {fabric.kind}, which finds its machines itself; physical "
            "machines are added to a configuration server.",
            action="Add the server on the appliance.",
        )
    given = checked(request, "DiscoverProtectableItemRequest")["properties"]
    _check_discovery(given)
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
        duration_s=world.duration_s("any", "discover", name=made.friendly_name, location=fabric.location),
        object_id=name,
        object_name=made.friendly_name,
        affected=affected,
        on_done=partial(_put, world, made),
        fail=fail,
    )
    return accepted(request, operation)


def _put(world: World, made: ProtectableItem, _due: datetime) -> None:
    world.resources.put(made.id, made)


def _check_discovery(given: dict[str, str]) -> None:
    """Refuse what the model leaves open: all three properties are needed, and two systems are known."""
    missing = [name for name in ("friendlyName", "ipAddress", "osType") if not given.get(name)]
    if missing:
        raise bad_request("InvalidParameter", f"properties.{missing[0]} is missing or empty; give a text.")
    if given["osType"] not in ("Windows", "Linux"):
        raise bad_request("InvalidParameter", f"properties.osType is '{given['osType']}'; give Windows or Linux.")


def _asked(request: Request, name: str) -> str:
    wanted = name.casefold()
    return next((value for key, value in request.query.items() if key.casefold() == wanted), "")


def _page_size(request: Request) -> int:
    text = _asked(request, "$take")
    if not text:
        return PAGE
    if text.isdigit() and int(text) > 0:
        return min(int(text), PAGE)
    raise ArmError(400, "BadRequest", f"$take is '{text}'; give a number of 1 or more.")


def _first(token: str) -> int:
    if not token:
        return 0
    kind, _, number = token.partition(":")
    if kind == "VirtualMachine" and number.isdigit():
        return int(number)
    raise ArmError(400, "BadRequest", f"The $skipToken '{token}' is not one of this service.")


def _filtered(found: Sequence[ProtectableItem], text: str) -> Sequence[ProtectableItem]:
    if not text:
        return found
    wanted = {match["name"].casefold(): match["value"].casefold() for match in _CONDITION.finditer(text)}
    rest = re.sub(r"\band\b|[()\s]", "", _CONDITION.sub("", text), flags=re.IGNORECASE)
    if rest or not wanted or set(wanted) - {"friendlyname", "protectionstatus"}:
        raise ArmError(
            400,
            "BadRequest",
            f"$filter is '{text}'; accepted: friendlyName and protectionStatus, with eq and a quoted value, joined by "
            "and.",
        )
    return [
        item
        for item in found
        if item.friendly_name.casefold() == wanted.get("friendlyname", item.friendly_name.casefold())
        and status(item).casefold() == wanted.get("protectionstatus", status(item).casefold())
    ]
