"""Finding Site Recovery resources in the world, and the 404s when they are not there."""

from itertools import pairwise
from typing import TypeVar

from asr_lab.arm.providers.model import Container, Fabric, Mapping, Policy, ProtectableItem, ProtectedItem
from asr_lab.arm.versions import SITE_RECOVERY_VERSIONS
from asr_lab.arm.wire import (
    ArmError,
    Request,
    capital,
    last_segment,
    resource_id,
    same_id,
    site_recovery_not_found,
)
from asr_lab.arm.world import World

VAULT = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.RecoveryServices/vaults/{vault}"
FABRIC = VAULT + "/replicationFabrics/{fabric}"
CONTAINER = FABRIC + "/replicationProtectionContainers/{container}"
ITEM = CONTAINER + "/replicationProtectedItems/{item}"

# The last ones are versions to which public test suites rewrote their recordings.
VERSIONS = tuple(sorted({*SITE_RECOVERY_VERSIONS, "2021-06-01", "2021-11-01", "2026-02-01"}))
OLDEST = "2016-08-10"

T = TypeVar("T")


class Scope:
    """What a request's path names; each property raises Site Recovery's 404 when the resource is not there."""

    def __init__(self, world: World, request: Request) -> None:
        self.world = world
        self.request = request
        segments = [segment for segment in request.path.split("/") if segment]
        self._names = {key.casefold(): name for key, name in pairwise(segments)}

    def name(self, collection: str) -> str:
        """Return the segment after ``collection``, as it was written."""
        return self._names[collection.casefold()]

    @property
    def vault_id(self) -> str:
        """The vault's id as bodies write it, in the case it was made with."""
        wanted = resource_id(
            self.name("subscriptions"),
            self.name("resourceGroups"),
            "Microsoft.RecoveryServices/vaults",
            self.name("vaults"),
        )
        return capital(self.world.resources.id_of(wanted) or wanted)

    @property
    def fabric(self) -> Fabric:
        """The fabric."""
        return self.get(f"{self.vault_id}/replicationFabrics/{self.name('replicationFabrics')}", Fabric)

    @property
    def container(self) -> Container:
        """The container."""
        name = self.name("replicationProtectionContainers")
        return self.get(f"{self.fabric.id}/replicationProtectionContainers/{name}", Container)

    @property
    def mapping(self) -> Mapping:
        """The container mapping."""
        name = self.name("replicationProtectionContainerMappings")
        return self.get(f"{self.container.id}/replicationProtectionContainerMappings/{name}", Mapping)

    @property
    def protectable(self) -> ProtectableItem:
        """The protectable item."""
        name = self.name("replicationProtectableItems")
        return self.get(f"{self.container.id}/replicationProtectableItems/{name}", ProtectableItem)

    @property
    def item(self) -> ProtectedItem:
        """The protected item."""
        name = self.name("replicationProtectedItems")
        return self.get(f"{self.container.id}/replicationProtectedItems/{name}", ProtectedItem)

    @property
    def policy(self) -> Policy:
        """The replication policy."""
        return self.get(f"{self.vault_id}/replicationPolicies/{self.name('replicationPolicies')}", Policy)

    def get(self, wanted: str, kind: type[T]) -> T:
        """Return the resource ``wanted`` (an id) of this kind or raise the 404."""
        found = self.world.resources.get(wanted)
        if not isinstance(found, kind):
            raise self.not_found(last_segment(wanted))
        return found

    def not_found(self, name: str) -> ArmError:
        """Return Site Recovery's 404 for a missing resource."""
        return site_recovery_not_found(name)


def fabrics(world: World, vault: str) -> list[Fabric]:
    """Return the fabrics of a vault, oldest first."""
    return [found for found in world.resources.children(vault, "replicationFabrics") if isinstance(found, Fabric)]


def containers(world: World, vault: str, fabric: Fabric | None = None) -> list[Container]:
    """Return the containers of a fabric, or of all fabrics of the vault."""
    scope = [fabric] if fabric else fabrics(world, vault)
    return [
        found
        for one in scope
        for found in world.resources.children(one.id, "replicationProtectionContainers")
        if isinstance(found, Container)
    ]


def mappings(world: World, container: Container) -> list[Mapping]:
    """Return the mappings of a container."""
    return [
        found
        for found in world.resources.children(container.id, "replicationProtectionContainerMappings")
        if isinstance(found, Mapping)
    ]


def protectables(world: World, container: Container) -> list[ProtectableItem]:
    """Return the protectable items of a container."""
    return [
        found
        for found in world.resources.children(container.id, "replicationProtectableItems")
        if isinstance(found, ProtectableItem)
    ]


def items(world: World, container: Container) -> list[ProtectedItem]:
    """Return the protected items of a container."""
    return [
        found
        for found in world.resources.children(container.id, "replicationProtectedItems")
        if isinstance(found, ProtectedItem)
    ]


def items_of_vault(world: World, vault: str) -> list[ProtectedItem]:
    """Return the protected items of all containers of a vault."""
    return [item for container in containers(world, vault) for item in items(world, container)]


def policies(world: World, vault: str) -> list[Policy]:
    """Return the policies of a vault."""
    return [found for found in world.resources.children(vault, "replicationPolicies") if isinstance(found, Policy)]


def fabric_by_id(world: World, fabric_id: str) -> Fabric:
    """Return a fabric that is known to exist."""
    found = world.resources.get(fabric_id)
    if not isinstance(found, Fabric):
        raise LookupError(f"{fabric_id} is not in the store")
    return found


def fabric_of(world: World, item: ProtectedItem) -> Fabric:
    """Return the fabric of an item that is in the store."""
    return fabric_by_id(world, item.fabric_id)


def container_of(world: World, item: ProtectedItem) -> Container:
    """Return the container of an item that is in the store."""
    found = world.resources.get(item.container_id)
    if not isinstance(found, Container):
        raise LookupError(f"{item.container_id} is not in the store")
    return found


def policy_is_mapped(world: World, container: Container, policy_id: str) -> bool:
    """Return whether the policy is associated with the container."""
    return any(same_id(mapping.policy_id, policy_id) for mapping in mappings(world, container))


def policy_of(world: World, item: ProtectedItem) -> Policy:
    """Return the policy of an item that is in the store."""
    found = world.resources.get(item.policy_id)
    if not isinstance(found, Policy):
        raise LookupError(f"{item.policy_id} is not in the store")
    return found
