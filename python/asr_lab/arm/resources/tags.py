"""Microsoft.Resources/tags/default: the tags of a subscription, a resource group or a resource, changed in place.

Documented (Azure Resource Manager, Tags operations at a scope, and "Use tags to organize your Azure resources"): at
most 50 tags, names of 512 characters (128 on a storage account) and values of 256, names without ``< > % & \\ ? /`` and
compared without regard to case; PATCH merges, replaces or deletes, the last by names or by names with their values.
Each answer is 200 with all tags. Ours: the words of the refusals, and that a deletion with an empty value goes by name.
"""

from typing import Any

from asr_lab.arm.resources.subscriptions import require_body
from asr_lab.arm.routes import route
from asr_lab.arm.schema import MapOf, Record, Text, check
from asr_lab.arm.versions import RESOURCES_VERSIONS
from asr_lab.arm.wire import ArmError, Request, Response, resource_not_found
from asr_lab.arm.world import World

_TAGS = "/{*scope}/providers/Microsoft.Resources/tags/default"
_MOST_TAGS = 50
_LONGEST_NAME = 512
_LONGEST_STORAGE_NAME = 128
_LONGEST_VALUE = 256
_RESERVED = frozenset("<>%&\\?/")
_STORAGE = "/providers/microsoft.storage/storageaccounts/"
_TAGGED_LENGTHS = (2, 4, 8)
"""How many segments the ids of a subscription, a resource group and a top-level resource have."""


def _properties(value: Text) -> Record:
    return Record({"tags": MapOf(value)}, required=("tags",))


_PUT_BODY = Record({"properties": _properties(Text())}, required=("properties",))
_PATCH_BODY = Record(
    {"operation": Text(choices=("Merge", "Replace", "Delete")), "properties": _properties(Text(nullable=True))},
    required=("operation", "properties"),
)


@route("GET", _TAGS, versions=RESOURCES_VERSIONS)
def get_tags(world: World, *, scope: str) -> Response:
    """Answer the tags of a scope."""
    return _answer(scope, _tagged(world, scope).get("tags") or {})


@route("PUT", _TAGS, versions=RESOURCES_VERSIONS)
def put_tags(world: World, request: Request, *, scope: str) -> Response:
    """Give a scope these tags in place of all it has."""
    held = _tagged(world, scope)
    given = check(require_body(request), _PUT_BODY)["properties"]["tags"]
    return _keep(scope, held, _merged({}, given))


@route("PATCH", _TAGS, versions=RESOURCES_VERSIONS)
def patch_tags(world: World, request: Request, *, scope: str) -> Response:
    """Merge tags into those of a scope, replace them, or delete some of them."""
    held = _tagged(world, scope)
    body = check(require_body(request), _PATCH_BODY)
    given, before = body["properties"]["tags"], held.get("tags") or {}
    if body["operation"] == "Delete":
        return _keep(scope, held, _without(before, given))
    return _keep(scope, held, _merged(before if body["operation"] == "Merge" else {}, given))


@route("DELETE", _TAGS, versions=RESOURCES_VERSIONS)
def delete_tags(world: World, *, scope: str) -> Response:
    """Take every tag off a scope."""
    _tagged(world, scope)["tags"] = {}
    return Response(200)


def _tagged(world: World, scope: str) -> dict[str, Any]:
    """Return what the scope names: a subscription, a resource group or a top-level resource."""
    segments = scope.split("/")
    held: dict[str, Any] | None = world.resources.get(f"/{scope}")
    if held is None and len(segments) >= 8:
        raise resource_not_found("/".join(segments[5:7]), segments[-1], segments[3])
    if held is None or len(segments) not in _TAGGED_LENGTHS or not isinstance(held, dict):
        raise ArmError(400, "InvalidTagsScope", f"The scope '/{scope}' does not take tags.")
    return held


def _keep(scope: str, held: dict[str, Any], tags: dict[str, str]) -> Response:
    _check_tags(scope, tags)
    held["tags"] = tags
    return _answer(scope, tags)


def _answer(scope: str, tags: dict[str, str]) -> Response:
    made = {
        "id": f"/{scope}/providers/Microsoft.Resources/tags/default",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": dict(tags)},
    }
    return Response(200, {}, made)


def _merged(before: dict[str, str], given: dict[str, str | None]) -> dict[str, str]:
    """Return the tags with the given ones; a name that is there keeps its case."""
    names = {name.casefold(): name for name in before}
    merged = dict(before)
    for name, value in given.items():
        merged[names.setdefault(name.casefold(), name)] = value or ""
    return merged


def _without(before: dict[str, str], given: dict[str, str | None]) -> dict[str, str]:
    """Return the tags without the given ones; one that is given with another value stays."""
    asked = {name.casefold(): value for name, value in given.items()}
    return {
        name: value
        for name, value in before.items()
        if name.casefold() not in asked or asked[name.casefold()] not in (None, "", value)
    }


def _check_tags(scope: str, tags: dict[str, str]) -> None:
    if len(tags) > _MOST_TAGS:
        raise _invalid(
            "InvalidTagsCount", f"the resource would have {len(tags)} tags; at most {_MOST_TAGS} are allowed"
        )
    longest = _LONGEST_STORAGE_NAME if _STORAGE in f"/{scope}".casefold() else _LONGEST_NAME
    for name, value in tags.items():
        if not name or any(character in _RESERVED or ord(character) < 32 for character in name):
            reserved = ",".join(sorted(_RESERVED))
            raise _invalid("InvalidTagNameCharacters", f"the tag name '{name}' is empty or has one of '{reserved}'")
        if len(name) > longest:
            raise _invalid("InvalidTagName", f"a tag name has {len(name)} characters; at most {longest} are allowed")
        if len(value) > _LONGEST_VALUE:
            raise _invalid(
                "InvalidTagValue",
                f"the value of tag '{name}' has {len(value)} characters; at most {_LONGEST_VALUE} are allowed",
            )


def _invalid(code: str, sentence: str) -> ArmError:
    return ArmError(400, code, f"The request content was invalid: {sentence}.")
