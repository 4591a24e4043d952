"""Networks and logical networks of fabrics: list and read. VMM servers report them; nothing is made by request.

Whoever registers a VMM server puts an object whose ``body()`` is what a GET answers under the fabric.
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from asr_lab.arm.providers.model import Fabric
from asr_lab.arm.providers.scope import FABRIC, VAULT, VERSIONS, Scope, fabrics
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World

LOGICAL_NETWORK_TYPE = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationLogicalNetworks"
_NETWORKS = "replicationNetworks"
_LOGICAL = "replicationLogicalNetworks"


@runtime_checkable
class Shown(Protocol):
    """Something that knows how the API writes it."""

    def body(self) -> dict[str, Any]:
        """Return what a GET answers."""


@dataclass
class LogicalNetwork:
    """A replicationLogicalNetwork of a VMM server (specification)."""

    id: str
    name: str
    friendly_name: str

    def body(self) -> dict[str, Any]:
        """Return what a GET answers."""
        return {
            "id": self.id,
            "name": self.name,
            "type": LOGICAL_NETWORK_TYPE,
            "properties": {
                "friendlyName": self.friendly_name,
                "networkVirtualizationStatus": "Disabled",
                "logicalNetworkUsage": "NotUsed",
                "logicalNetworkDefinitionsStatus": "Enabled",
            },
        }


def add_logical_network(world: World, fabric: Fabric, name: str, friendly_name: str) -> str:
    """Put a logical network under a fabric and return its id."""
    made = LogicalNetwork(f"{fabric.id}/{_LOGICAL}/{name}", name, friendly_name)
    world.resources.put(made.id, made)
    return made.id


@route("GET", VAULT + "/replicationNetworks", versions=VERSIONS)
def list_networks(world: World, request: Request) -> Response:
    """Answer the networks of all fabrics of the vault."""
    found = fabrics(world, Scope(world, request).vault_id)
    return _list([body for fabric in found for body in _bodies(world, fabric, _NETWORKS)])


@route("GET", FABRIC + "/replicationNetworks", versions=VERSIONS)
def list_fabric_networks(world: World, request: Request) -> Response:
    """Answer the networks of a fabric."""
    return _list(_bodies(world, Scope(world, request).fabric, _NETWORKS))


@route("GET", FABRIC + "/replicationNetworks/{network}", versions=VERSIONS)
def get_network(world: World, request: Request) -> Response:
    """Answer one network."""
    return _one(Scope(world, request), _NETWORKS)


@route("GET", FABRIC + "/replicationLogicalNetworks", versions=VERSIONS)
def list_logical_networks(world: World, request: Request) -> Response:
    """Answer the logical networks of a fabric."""
    return _list(_bodies(world, Scope(world, request).fabric, _LOGICAL))


@route("GET", FABRIC + "/replicationLogicalNetworks/{network}", versions=VERSIONS)
def get_logical_network(world: World, request: Request) -> Response:
    """Answer one logical network."""
    return _one(Scope(world, request), _LOGICAL)


def _bodies(world: World, fabric: Fabric, collection: str) -> list[dict[str, Any]]:
    return [one.body() for one in world.resources.children(fabric.id, collection) if isinstance(one, Shown)]


def _list(bodies: list[dict[str, Any]]) -> Response:
    return Response(200, {}, {"value": bodies, "nextLink": None})


def _one(scope: Scope, collection: str) -> Response:
    found = scope.world.resources.get(f"{scope.fabric.id}/{collection}/{scope.name(collection)}")
    if not isinstance(found, Shown):
        raise scope.not_found(scope.name(collection))
    return Response(200, {}, found.body())
