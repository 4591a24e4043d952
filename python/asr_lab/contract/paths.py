"""What a path of Resource Manager names: the resource, what is above it, and the verb or collection at its end."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

SITE_RECOVERY = "Microsoft.RecoveryServices"
_STATUS = frozenset({"operationresults", "operationstatus", "replicationoperationstatus"})
RESOURCE_ID = re.compile(r"^/subscriptions/[^/]+/resourcegroups/[^/]+/providers/[^/]+/[^/]+/[^/]+", re.IGNORECASE)


def key(resource_id: str) -> str:
    """Return what ids are compared by: without regard to case, a slash at the end or doubled ones."""
    return re.sub("/+", "/", resource_id.rstrip("/")).casefold()


def same_start(resource_id: str, parent_id: str) -> bool:
    """Return whether the resource lies below ``parent_id``."""
    return key(resource_id).startswith(key(parent_id) + "/")


@dataclass(frozen=True)
class Named:
    """``resource`` is an id, ``tail`` the verb (POST) or the collection (GET) behind it, empty when there is none."""

    resource: str
    tail: str

    @property
    def collection(self) -> str:
        """The collection the resource lies in, such as replicationPolicies."""
        segments = self.resource.split("/")
        return segments[-2] if len(segments) > 2 else ""

    @property
    def name(self) -> str:
        """The last segment of the id."""
        return self.resource.rpartition("/")[2]


def named(path: str) -> Named:
    """Return what a path names; a status or result URL names the resource in front of it."""
    segments = [segment for segment in path.split("/") if segment]
    for number, segment in enumerate(segments):
        if segment.casefold() in _STATUS:
            return Named("/" + "/".join(segments[:number]), segment)
    head = _head(segments)
    rest = segments[head:]
    if len(rest) % 2:
        return Named("/" + "/".join(segments[:-1]), segments[-1])
    if len(rest) >= 2 and rest[-2:] == ["replicationJobs", "export"]:
        return Named("/" + "/".join(segments[:-1]), "export")
    return Named("/" + "/".join(segments), "")


def _head(segments: list[str]) -> int:
    """Return how many segments stand before the pairs of type and name: up to the last namespace of a provider."""
    lower = [segment.casefold() for segment in segments]
    if "providers" in lower:
        return len(lower) - lower[::-1].index("providers") + 1
    return 0


def chain(resource_id: str) -> Iterator[str]:
    """Yield the ids of the resources above one inside its provider, nearest first, without itself."""
    segments = [segment for segment in resource_id.split("/") if segment]
    head = _head(segments)
    for end in range(len(segments) - 2, head, -2):
        yield "/" + "/".join(segments[:end])


def provider_of(path: str) -> str:
    """Return the namespace that answers a path, ``Microsoft.Resources`` for groups and subscriptions."""
    segments = [segment for segment in path.split("/") if segment]
    lower = [segment.casefold() for segment in segments]
    if "providers" not in lower:
        return "Microsoft.Resources"
    place = len(lower) - lower[::-1].index("providers")
    return segments[place] if place < len(segments) else "Microsoft.Resources"


def collection_of(resource_id: str) -> str:
    """Return the collection a resource lies in, as it was written."""
    segments = resource_id.rstrip("/").split("/")
    return segments[-2] if len(segments) > 2 else ""


def vault_of(path: str) -> str:
    """Return the id of the vault that a path lies in, or an empty string."""
    segments = path.split("/")
    lower = [segment.casefold() for segment in segments]
    if "vaults" not in lower or lower.index("vaults") + 1 >= len(segments):
        return ""
    return "/".join(segments[: lower.index("vaults") + 2])
