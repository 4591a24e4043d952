"""Resource groups, and lists of what is in them."""

from typing import Any

from asr_lab.arm.resources.subscriptions import check_location, require_body
from asr_lab.arm.routes import route
from asr_lab.arm.schema import MapOf, Record, Text, check
from asr_lab.arm.versions import RESOURCES_VERSIONS
from asr_lab.arm.wire import ArmError, Request, Response, group_id
from asr_lab.arm.world import World

_GROUP = "/subscriptions/{sub}/resourceGroups/{rg}"

_BODY = Record(
    {
        "location": Text(not_empty=True),
        "tags": MapOf(),
        "managedBy": Text(),
        "id": Text(),
        "name": Text(),
        "type": Text(),
        "properties": Record({"provisioningState": Text()}),
    },
    required=("location",),
)


def add_resource_group(
    world: World, subscription_id: str, name: str, *, location: str, tags: dict[str, str] | None = None
) -> str:
    """Put a resource group into the world and return its id."""
    made = group_id(subscription_id, name)
    world.resources.put(
        made,
        {
            "id": made,
            "name": name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": location,
            "tags": dict(tags or {}),
            "properties": {"provisioningState": "Succeeded"},
        },
    )
    return made


@route("PUT", _GROUP, versions=RESOURCES_VERSIONS)
def put_resource_group(world: World, request: Request, *, sub: str, rg: str) -> Response:
    """Create a resource group (201) or change its tags (200); its location cannot change."""
    body = check(require_body(request), _BODY)
    location = check_location(body["location"])
    held = world.resources.get(group_id(sub, rg))
    if held and held["location"] != location:
        raise ArmError(
            409,
            "InvalidResourceGroupLocation",
            f"Invalid resource group location '{location}'. The Resource group already exists in location "
            f"'{held['location']}'.",
        )
    if held:
        held["tags"] = dict(body.get("tags") or {})
        return Response(200, {}, held)
    made = add_resource_group(world, sub, rg, location=location, tags=body.get("tags"))
    return Response(201, {}, world.resources.get(made))


@route("GET", _GROUP, versions=RESOURCES_VERSIONS)
def get_resource_group(world: World, *, sub: str, rg: str) -> Response:
    """Answer a resource group."""
    return Response(200, {}, _held(world, sub, rg))


@route("HEAD", _GROUP, versions=RESOURCES_VERSIONS)
def head_resource_group(world: World, *, sub: str, rg: str) -> Response:
    """Answer 204 when the resource group exists, else 404."""
    _held(world, sub, rg)
    return Response(204)


@route("GET", "/subscriptions/{sub}/resourceGroups", versions=RESOURCES_VERSIONS)
def list_resource_groups(world: World, *, sub: str) -> Response:
    """Answer the resource groups of a subscription."""
    return Response(200, {}, {"value": world.resources.children(f"/subscriptions/{sub}", "resourceGroups")})


@route("GET", "/subscriptions/{sub}/resources", versions=RESOURCES_VERSIONS)
def list_resources(world: World, *, sub: str) -> Response:
    """Answer the top-level resources of a subscription."""
    return Response(200, {}, {"value": _resources(world, f"/subscriptions/{sub}/resourceGroups/")})


@route("GET", _GROUP + "/resources", versions=RESOURCES_VERSIONS)
def list_group_resources(world: World, *, sub: str, rg: str) -> Response:
    """Answer the top-level resources of a resource group."""
    return Response(200, {}, {"value": _resources(world, group_id(sub, rg) + "/")})


def _held(world: World, sub: str, rg: str) -> dict[str, Any]:
    held: dict[str, Any] | None = world.resources.get(group_id(sub, rg))
    if held is None:
        raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{rg}' could not be found.")
    return held


def _resources(world: World, prefix: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for found in world.resources.ids(prefix):
        segments = found.strip("/").split("/")
        held = world.resources.get(found)
        if len(segments) == 8 and isinstance(held, dict):
            row = {"id": found, "name": segments[7], "type": f"{segments[5]}/{segments[6]}"}
            rows.append({**row, **{key: held[key] for key in ("location", "tags", "sku") if key in held}})
    return rows
