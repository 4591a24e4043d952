"""What a kind of fabric is: one subclass for each ``customDetails.instanceType``.

The routes of fabrics, containers, mappings and recovery services providers ask the kind for what differs: whether a
request can make one, what its details are, which servers stand behind it, and how its containers are made and paired.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers.model import Fabric
from asr_lab.arm.providers.provider import provider_of_kind
from asr_lab.arm.providers.scope import OLDEST
from asr_lab.arm.wire import bad_request

if TYPE_CHECKING:
    from asr_lab.arm.providers.model import Container, Policy
    from asr_lab.arm.providers.scope import Scope
    from asr_lab.arm.world import World


class FabricKind(ABC):
    """One kind of fabric. Instances hold nothing."""

    name: str
    """customDetails.instanceType, such as VMware."""
    input_type: str | None = None
    """properties.customDetails.instanceType of the PUT that makes one; None: it registers itself."""
    create_scenario: str = "CreateSite"
    """The job of that PUT, a row of rules/jobs.yml; its duration is rules ``<name>: create``."""
    policies: frozenset[str] = frozenset()
    """The instanceTypes of policies that its containers can be associated with."""
    failback_policies: frozenset[str] = frozenset()
    """Those of ``policies`` whose target is a container of the same fabric, because they lead back to it."""
    mapping_inputs: frozenset[str] = frozenset({"", "ReplicationProviderSpecificContainerMappingInput"})
    """The instanceTypes accepted in providerSpecificInput of a container mapping; "" stands for none."""
    mapping_updates: frozenset[str] = frozenset()
    """The instanceTypes accepted in providerSpecificInput of a mapping's PATCH; empty: there is no PATCH."""
    maps_to_azure: bool = True
    """Whether the target of its mappings is the literal "Microsoft Azure"; else it is another container's id."""
    oldest_details: frozenset[str] | None = None
    """What customDetails held in api-version 2016-08-10 (specification); None: all."""
    role: str = "server"
    """What its servers are called in health errors."""
    container_input: str | None = None
    """The instanceType in the PUT that makes a container, such as A2A; None: containers come with the fabric."""

    def __reduce__(self) -> tuple[Callable[[str], "FabricKind"], tuple[str]]:
        return kind_named, (self.name,)

    @property
    def provider(self) -> str:
        """The provider whose rows in rules/durations.yml and rules/jobs.yml count for it; "any" without one."""
        found = provider_of_kind(self.name)
        return found.name if found else "any"

    # Made by request

    def fresh(self, scope: "Scope", name: str, now: datetime, **more: Any) -> Fabric:
        """Return a fabric of this kind without servers; ``more`` are further fields, or others than the vault's."""
        vault: Any = scope.world.resources.get(scope.vault_id)
        fields = {"friendly_name": name, "location": str(vault["location"]), **more}
        return Fabric(
            id=f"{scope.vault_id}/replicationFabrics/{name}",
            name=name,
            kind=self.name,
            internal_id=scope.world.guid(),
            vault_id=scope.vault_id,
            servers=[],
            registered=now,
            **fields,
        )

    def make(self, scope: "Scope", name: str, given: Mapping[str, Any], now: datetime) -> Fabric:
        """Return the fabric that a checked PUT describes; it is put into the store when the job ends."""
        raise NotImplementedError(f"fabrics of kind {self.name} register themselves")

    def made(self, world: "World", fabric: Fabric, now: datetime) -> None:
        """Do what follows when the fabric is in the store, such as making its container."""

    def make_container(
        self, scope: "Scope", fabric: Fabric, name: str, given: Mapping[str, Any], now: datetime
    ) -> "Container":
        """Return the container that a checked PUT describes; kinds with a ``container_input`` have it."""
        raise NotImplementedError(f"containers of {self.name} fabrics come with the fabric")

    def removed(self, world: "World", fabric: Fabric, now: datetime) -> None:
        """Do what follows when the fabric has been removed or purged; by default nothing."""

    # What it shows

    @abstractmethod
    def details(self, world: "World", fabric: Fabric, now: datetime, *, sparse: bool) -> dict[str, Any]:
        """Return ``customDetails`` of a GET, or of a list when ``sparse``."""

    def as_written(self, details: dict[str, Any], api_version: str) -> dict[str, Any]:
        """Return ``customDetails`` as this api-version writes them."""
        if api_version != OLDEST or self.oldest_details is None:
            return details
        return {name: value for name, value in details.items() if name in self.oldest_details}

    @abstractmethod
    def dras(self, world: "World", fabric: Fabric, now: datetime, api_version: str) -> list[dict[str, Any]]:
        """Return its recovery services providers as the API writes them."""

    def health(self, world: "World", fabric: Fabric, now: datetime) -> tuple[str, list[dict[str, Any]]]:
        """Return ``health`` and ``healthErrorDetails``."""
        return "Normal", []

    # Its recovery services providers

    def make_dra(
        self, scope: "Scope", fabric: Fabric, name: str, given: Mapping[str, Any], now: datetime
    ) -> Callable[[datetime], None]:
        """Return what a checked PUT of a provider changes when its job ends; refused unless the kind has it."""
        raise bad_request(
            "OperationNotSupported",
            f"The recovery services provider '{name}' cannot be created in the fabric '{fabric.friendly_name}': "
            f"servers of a fabric of type {self.name} register themselves.",
        )

    def dra_refusal(self, world: "World", fabric: Fabric, name: str) -> OperationError | None:
        """Return why the job that removes this provider fails, or None."""
        return None

    def dra_removed(self, world: "World", fabric: Fabric, name: str, now: datetime) -> None:
        """Take the provider, and the server it stands for, out of the fabric."""
        fabric.servers = [server for server in fabric.servers if server.server_id.casefold() != name.casefold()]

    def refreshed(self, world: "World", fabric: Fabric, now: datetime) -> None:
        """Do what a refresh of its servers' details brings to light; by default nothing."""

    # Its mappings

    def mapping_details(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return ``providerSpecificDetails`` of a container mapping made with this providerSpecificInput."""
        return None

    def paired(
        self, world: "World", fabric: Fabric, container: "Container", policy: "Policy", target: str, now: datetime
    ) -> None:
        """Do what follows when a container of it has been paired with ``target``; by default nothing."""


KINDS: dict[str, FabricKind] = {}

K = TypeVar("K", bound=type[FabricKind])


def fabric_kind(made: K) -> K:
    """Register a class of fabric kind under its name; modules under ``providers/`` do so when they are imported."""
    KINDS[made.name] = made()
    return made


def kind_named(name: str) -> FabricKind:
    """Return the kind of this name; raises LookupError when the lab has none."""
    if name not in KINDS:
        raise LookupError(f"{name} is not a kind of fabric of the lab; it has {', '.join(sorted(KINDS))}")
    return KINDS[name]


def kind_of(fabric: Fabric) -> FabricKind:
    """Return the kind of a fabric."""
    return KINDS[fabric.kind]


def kind_for_input(input_type: str) -> FabricKind | None:
    """Return the kind that a PUT with this customDetails.instanceType makes, or None."""
    return next((kind for kind in KINDS.values() if kind.input_type == input_type), None)
