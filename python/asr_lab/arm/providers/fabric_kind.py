"""What a kind of fabric is: one subclass for each ``customDetails.instanceType``.

The routes of fabrics and containers ask the kind for what differs: whether a request can make one, what its details
are, which servers stand behind it, and how its containers are paired.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from asr_lab.arm.providers.model import Container, Fabric, Policy
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
    mapping_inputs: frozenset[str] = frozenset({"", "ReplicationProviderSpecificContainerMappingInput"})
    """The instanceTypes accepted in providerSpecificInput of a container mapping."""

    def make(self, scope: "Scope", name: str, given: Mapping[str, Any], now: datetime) -> "Fabric":
        """Return the fabric that a checked PUT describes; it is put into the store when the job ends."""
        raise NotImplementedError(f"fabrics of kind {self.name} register themselves")

    def made(self, world: "World", fabric: "Fabric", now: datetime) -> None:
        """Do what follows when the fabric is in the store, such as making its container."""

    @abstractmethod
    def details(self, world: "World", fabric: "Fabric", now: datetime, *, sparse: bool) -> dict[str, Any]:
        """Return ``customDetails`` of a GET, or of a list when ``sparse``."""

    @abstractmethod
    def dras(self, world: "World", fabric: "Fabric", now: datetime, api_version: str) -> list[dict[str, Any]]:
        """Return its recovery services providers as the API writes them."""

    def health(self, world: "World", fabric: "Fabric", now: datetime) -> tuple[str, list[dict[str, Any]]]:
        """Return ``health`` and ``healthErrorDetails``."""
        return "Normal", []

    def mapping_details(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return ``providerSpecificDetails`` of a container mapping made with this providerSpecificInput."""
        return None

    def paired(
        self, world: "World", fabric: "Fabric", container: "Container", policy: "Policy", target: str, now: datetime
    ) -> None:
        """Do what follows when a container of it has been paired with ``target``; by default nothing."""


KINDS: dict[str, FabricKind] = {}

K = TypeVar("K", bound=type[FabricKind])


def fabric_kind(made: K) -> K:
    """Register a class of fabric kind under its name; modules under ``providers/`` do so when they are imported."""
    KINDS[made.name] = made()
    return made


def kind_of(fabric: "Fabric") -> FabricKind:
    """Return the kind of a fabric."""
    return KINDS[fabric.kind]


def kind_for_input(input_type: str) -> FabricKind | None:
    """Return the kind that a PUT with this customDetails.instanceType makes, or None."""
    return next((kind for kind in KINDS.values() if kind.input_type == input_type), None)
