"""Fabrics of kind VMM: a System Center Virtual Machine Manager server with its clouds and VM networks.

The server registers itself. Each cloud is a container; VM networks are replicationNetworks, which are mapped to Azure
networks or to VM networks of another server. Nothing but names of operations was recorded here: shapes follow the
specification, and the rest is a choice of the lab.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers.fabric_kind import FabricKind, fabric_kind
from asr_lab.arm.providers.hyper_v_model import VMM
from asr_lab.arm.providers.hyper_v_site import dra_of, health_of, refusal_of
from asr_lab.arm.providers.model import Fabric
from asr_lab.arm.world import World

NETWORK_TYPE = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks"
ROLE = "VMM server"


@dataclass
class Network:
    """A replicationNetwork: a VM network of a VMM server. ``subnets`` are rows of name, friendlyName, addressList."""

    id: str
    name: str
    fabric_id: str
    friendly_name: str
    network_type: str = "VmNetwork"
    subnets: list[dict[str, Any]] = field(default_factory=list)

    def body(self) -> dict[str, Any]:
        """Return the network as the API writes it (specification)."""
        return {
            "id": self.id,
            "name": self.name,
            "type": NETWORK_TYPE,
            "properties": {
                "fabricType": VMM,
                "subnets": [dict(row) for row in self.subnets],
                "friendlyName": self.friendly_name,
                "networkType": self.network_type,
            },
        }


@fabric_kind
class VirtualMachineManager(FabricKind):
    """A VMM server; its machines are replicated to Azure or to a cloud of another VMM server."""

    name = VMM
    policies = frozenset({"HyperVReplicaAzure", "HyperVReplica2012R2", "HyperVReplica2012"})
    # Not a way back here, but like it: the target is a container, a cloud of another server.
    failback_policies = frozenset({"HyperVReplica2012R2", "HyperVReplica2012"})
    mapping_inputs = FabricKind.mapping_inputs | {"HyperVReplicaAzure"}

    def details(self, world: World, fabric: Fabric, now: datetime, *, sparse: bool) -> dict[str, Any]:
        """Return customDetails, which say no more than the kind (specification)."""
        return {"instanceType": self.name}

    def dras(self, world: World, fabric: Fabric, now: datetime, api_version: str) -> list[dict[str, Any]]:
        """Return the one provider, that of the VMM server."""
        return [dra_of(world, fabric, server, now, api_version, ROLE) for server in fabric.servers]

    def health(self, world: World, fabric: Fabric, now: datetime) -> tuple[str, list[dict[str, Any]]]:
        """Return Critical when the server is silent."""
        return health_of(world, fabric, now, ROLE)

    def dra_refusal(self, world: World, fabric: Fabric, name: str) -> OperationError | None:
        """Refuse to remove the server's provider while machines are protected."""
        return refusal_of(world, fabric, name)

    def dra_removed(self, world: World, fabric: Fabric, name: str, now: datetime) -> None:
        """Take the fabric away: its provider is the VMM server itself."""
        world.resources.delete_tree(fabric.id)
