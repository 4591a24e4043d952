"""The resources of the world, by their ids."""

from collections.abc import Iterator
from typing import Any


class ResourceStore:
    """Objects by resource id. Ids are compared without regard to case; the case of the first ``put`` is kept.

    An object is what the resource's own module makes it: mostly the dict that a GET answers.
    """

    def __init__(self) -> None:
        self._objects: dict[str, Any] = {}
        self._ids: dict[str, str] = {}
        self._collections: dict[str, dict[str, None]] = {}

    def get(self, resource_id: str) -> Any | None:
        """Return the object with this id, or None."""
        return self._objects.get(_key(resource_id))

    def put(self, resource_id: str, obj: Any) -> None:
        """Store ``obj`` under ``resource_id``, in place of what was there."""
        key = _key(resource_id)
        self._objects[key] = obj
        self._ids.setdefault(key, resource_id.rstrip("/"))
        self._collections.setdefault(key.rpartition("/")[0], {})[key] = None

    def delete(self, resource_id: str) -> Any | None:
        """Remove the object with this id (not what is below it) and return it, or None."""
        key = _key(resource_id)
        self._ids.pop(key, None)
        collection = key.rpartition("/")[0]
        names = self._collections.get(collection, {})
        names.pop(key, None)
        if not names:
            self._collections.pop(collection, None)
        return self._objects.pop(key, None)

    def delete_tree(self, resource_id: str) -> None:
        """Remove the object with this id and everything whose id begins with it."""
        key = _key(resource_id)
        for found in [other for other in self._objects if other == key or other.startswith(key + "/")]:
            self.delete(found)

    def children(self, prefix: str, collection: str) -> list[Any]:
        """Return the objects ``{prefix}/{collection}/{name}``, oldest first.

        ``collection`` is what stands between: ``replicationPolicies``, ``providers/Microsoft.Network/virtualNetworks``.
        """
        return [self._objects[key] for key in self._collections.get(_key(f"{prefix}/{collection}"), ())]

    def descendants(self, prefix: str, collection: str) -> list[Any]:
        """Return the objects at any depth below ``prefix`` whose id ends in ``/{collection}/{name}``, oldest first."""
        start, end = _key(prefix) + "/", "/" + collection.casefold().strip("/")
        return [
            obj for key, obj in self._objects.items() if key.startswith(start) and key.rpartition("/")[0].endswith(end)
        ]

    def id_of(self, resource_id: str) -> str | None:
        """Return the id as it was first written, or None when there is no such resource."""
        return self._ids.get(_key(resource_id))

    def ids(self, prefix: str = "") -> Iterator[str]:
        """Yield the ids, as they were first written, that begin with ``prefix``."""
        start = _key(prefix)
        return iter([original for key, original in self._ids.items() if key.startswith(start)])

    def clear(self) -> None:
        """Remove everything."""
        self._objects.clear()
        self._ids.clear()
        self._collections.clear()

    def __contains__(self, resource_id: str) -> bool:
        return _key(resource_id) in self._objects

    def __len__(self) -> int:
        return len(self._objects)


def _key(resource_id: str) -> str:
    return resource_id.rstrip("/").casefold()
