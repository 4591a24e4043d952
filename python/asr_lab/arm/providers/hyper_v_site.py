"""Fabrics of kind HyperVSite: a site made by request, to which Hyper-V hosts register.

Recorded: the PUT and its job, the site's container ``cloud_{internalIdentifier}``, and the recovery services provider
of a host that its virtual machines name. What ``hyperVHosts`` holds follows the specification.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers import fabric_details as shared
from asr_lab.arm.providers.fabric_kind import FabricKind, fabric_kind
from asr_lab.arm.providers.hyper_v_model import HYPER_V_SITE, HyperVProtectable
from asr_lab.arm.providers.model import ApplianceServer, Container, Fabric
from asr_lab.arm.providers.scope import Scope, containers, items, protectables
from asr_lab.arm.providers.work import error
from asr_lab.arm.world import World

DRA_VERSION = "5.24.0814.3"
AGENT_VERSION = "2.0.9938.0"
ROLE = "Hyper-V host"


@fabric_kind
class HyperVSite(FabricKind):
    """A Hyper-V site; its machines are replicated to Azure (HyperVReplicaAzure)."""

    name = HYPER_V_SITE
    input_type = "FabricSpecificCreationInput"
    create_scenario = "CreateSite"
    policies = frozenset({"HyperVReplicaAzure"})
    mapping_inputs = FabricKind.mapping_inputs | {"HyperVReplicaAzure"}
    oldest_details = frozenset({"instanceType"})
    """Hosts were not shown in 2016-08-10 (specification)."""

    def make(self, scope: Scope, name: str, given: Mapping[str, Any], now: datetime) -> Fabric:
        """Return a site without hosts in the vault's region."""
        return self.fresh(
            scope,
            name,
            now,
        )

    def made(self, world: World, fabric: Fabric, now: datetime) -> None:
        """Make the site's only container."""
        name = f"cloud_{fabric.internal_id}"
        made = Container(f"{fabric.id}/replicationProtectionContainers/{name}", name, fabric.friendly_name, fabric.id)
        world.resources.put(made.id, made)

    def details(self, world: World, fabric: Fabric, now: datetime, *, sparse: bool) -> dict[str, Any]:
        """Return customDetails: the hosts; the list shows as much as a GET (chosen)."""
        hosts = [
            {"id": server.fabric_object_id, "name": server.name, "marsAgentVersion": server.agent_version}
            for server in fabric.servers
        ]
        return {"instanceType": self.name, "hyperVHosts": hosts}

    def dras(self, world: World, fabric: Fabric, now: datetime, api_version: str) -> list[dict[str, Any]]:
        """Return one provider for each host."""
        return [dra_of(world, fabric, server, now, api_version, ROLE) for server in fabric.servers]

    def health(self, world: World, fabric: Fabric, now: datetime) -> tuple[str, list[dict[str, Any]]]:
        """Return Critical when no host is heard, Warning when some are not."""
        return health_of(world, fabric, now, ROLE)

    def dra_refusal(self, world: World, fabric: Fabric, name: str) -> OperationError | None:
        """Refuse to remove a host while machines of it are protected."""
        return refusal_of(world, fabric, name)

    def dra_removed(self, world: World, fabric: Fabric, name: str, now: datetime) -> None:
        """Take the host away with its virtual machines."""
        super().dra_removed(world, fabric, name, now)
        for container in containers(world, fabric.vault_id, fabric):
            for found in protectables(world, container):
                if isinstance(found, HyperVProtectable) and found.dra_id.casefold() == name.casefold():
                    world.resources.delete(found.id)


def dra_of(
    world: World, fabric: Fabric, server: ApplianceServer, now: datetime, api_version: str, role: str
) -> dict[str, Any]:
    """Return the recovery services provider of a Hyper-V host or a VMM server."""
    machine = {"biosId": server.host.bios_id, "machineId": server.fabric_object_id, "machineName": server.name}
    return shared.dra_body(
        world,
        fabric,
        now,
        api_version,
        name=server.server_id,
        friendly_name=server.name,
        machine=machine,
        role=role,
        version=DRA_VERSION,
    )


def health_of(world: World, fabric: Fabric, now: datetime, role: str) -> tuple[str, list[dict[str, Any]]]:
    """Return health and health errors of a fabric whose servers are alike."""
    found = [
        entry
        for server in fabric.servers
        for entry in shared.server_health_errors(world, fabric, server.name, now, role=role, entity_id=server.server_id)
    ]
    if not found:
        return "Normal", []
    return ("Critical" if len(found) == len(fabric.servers) else "Warning"), found


def refusal_of(world: World, fabric: Fabric, name: str) -> OperationError | None:
    """Return why a provider with this name cannot be removed: machines that it protects; or None."""
    used = [
        item.friendly_name
        for container in containers(world, fabric.vault_id, fabric)
        for item in items(world, container)
        if item.server_id.casefold() == name.casefold()
    ]
    if not used:
        return None
    operation = f"removing it: disable the protection of {', '.join(used)} first"
    return error("25037", name=name, state="in use", operation=operation)
