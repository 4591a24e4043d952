"""What Hyper-V hosts and VMM servers tell Site Recovery: that they are there, and which virtual machines they have.

Like the functions of ``site_recovery``, these are what the provider setup on such a server does; tests call them
directly. All take the world's time as ``now``.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from asr_lab.arm.estate import HostDescription, RegistrationRefused
from asr_lab.arm.providers.hyper_v_model import (
    HYPER_V_SITE,
    VMM,
    HyperVProtectable,
    VirtualMachine,
)
from asr_lab.arm.providers.hyper_v_site import AGENT_VERSION
from asr_lab.arm.providers.model import ApplianceServer, Container, Fabric
from asr_lab.arm.providers.scope import containers, fabrics, items, protectables
from asr_lab.arm.providers.vmm import Network
from asr_lab.arm.providers.work import affected_by_fabric, start
from asr_lab.arm.resources.networks import add_logical_network
from asr_lab.arm.resources.storage_classifications import add_storage_classification
from asr_lab.arm.site_recovery import checked_vault, read_vault_key, vault_location
from asr_lab.arm.wire import capital
from asr_lab.arm.world import World

TO_AZURE = ("HyperVReplicaAzure",)
TO_AZURE_OR_VMM = ("HyperVReplicaAzure", "HyperVReplica2012R2")


@dataclass(frozen=True)
class Cloud:
    """A cloud of a VMM server; ``cloud_id`` is its GUID."""

    name: str
    machines: tuple[VirtualMachine, ...]
    cloud_id: str = ""


@dataclass(frozen=True)
class VmNetwork:
    """A VM network of a VMM server: the name adapters have, and the address ranges of its subnets by name."""

    name: str
    subnets: tuple[tuple[str, str], ...] = ()
    network_id: str = ""


def world_register_hyper_v_host(
    world: World,
    *,
    vault_credentials_xml: bytes = b"",
    site_id: str = "",
    host: HostDescription,
    machines: Sequence[VirtualMachine],
    now: datetime,
) -> str:
    """Register a Hyper-V host with a site and return the id of its recovery services provider.

    The site is named by the registration file (``SiteId``) or by ``site_id``, the fabric's resource id. The job
    RegisterDra runs; when it ends the host and its machines are there. A host that registers again keeps its provider
    and reports its machines anew. Raises RegistrationRefused: as for a configuration server, SiteUnknown when the
    vault has no such site, AlreadyRegistered when the host belongs to another site.
    """
    with world.lock:
        world.advance(now)
        fabric = _site(world, vault_credentials_xml, site_id, now)
        owner = _owner(world, host)
        if owner is not None and owner.id != fabric.id:
            raise RegistrationRefused(
                "AlreadyRegistered", f"{host.host_name} is registered with the Hyper-V site {owner.friendly_name}."
            )
        known = next((one for one in fabric.servers if one.host.host_id == host.host_id), None)
        server = known or ApplianceServer(world.guid(), host.host_name, host, AGENT_VERSION, host.host_id)
        return _register(world, fabric, server, partial(_host_registered, world, fabric, server, tuple(machines)), now)


def world_register_vmm(
    world: World,
    *,
    vault_credentials_xml: bytes = b"",
    vault_id: str = "",
    host: HostDescription,
    clouds: Sequence[Cloud],
    networks: Sequence[VmNetwork] = (),
    logical_networks: Sequence[str] = (),
    storage_classifications: Sequence[str] = (),
    now: datetime,
) -> str:
    """Register a VMM server with a vault and return the id of its fabric, which exists when RegisterDra has ended.

    The vault is named by the registration file or by ``vault_id``. Raises RegistrationRefused as for a configuration
    server.
    """
    with world.lock:
        world.advance(now)
        vault = _vault(world, vault_credentials_xml, vault_id, now)
        name = hashlib.sha256(f"{vault.casefold()}{host.host_id}".encode()).hexdigest()
        fabric_id = f"{vault}/replicationFabrics/{name}"
        held = world.resources.get(fabric_id)
        fabric = held if isinstance(held, Fabric) else None
        if fabric is None:
            fabric = Fabric(
                id=fabric_id,
                name=name,
                kind=VMM,
                friendly_name=host.host_name,
                internal_id=world.guid(),
                vault_id=vault,
                location=vault_location(world, vault),
                servers=[ApplianceServer(world.guid(), host.host_name, host, AGENT_VERSION, host.host_id)],
                registered=now,
            )
        shown = (tuple(logical_networks), tuple(storage_classifications))
        done = partial(_vmm_registered, world, fabric, tuple(clouds), tuple(networks), shown)
        _register(world, fabric, fabric.servers[0], done, now)
        return fabric_id


def report_machines(
    world: World, container: Container, dra_id: str, host_id: str, machines: Sequence[VirtualMachine]
) -> None:
    """Make the protectable items of a provider in a container those of ``machines``; protected ones stay."""
    fabric = world.resources.get(container.fabric_id)
    to_azure = not isinstance(fabric, Fabric) or fabric.kind == HYPER_V_SITE
    there = {machine.vm_id.casefold() for machine in machines}
    for held in _reported(world, container, dra_id):
        if held.machine.vm_id.casefold() not in there and held.protected_item_id is None:
            world.resources.delete(held.id)
    protected = {item.machine_id.casefold(): item.id for item in items(world, container)}
    for machine in machines:
        made = HyperVProtectable(
            id=f"{container.id}/replicationProtectableItems/{machine.vm_id}",
            name=machine.vm_id,
            container_id=container.id,
            friendly_name=machine.name,
            address=machine.adapters[0].address if machine.adapters else "",
            os_type=machine.os_type,
            host=machine.as_host(),
            protected_item_id=protected.get(machine.vm_id.casefold()),
            machine=machine,
            dra_id=dra_id,
            host_id=host_id,
            providers=() if machine.obstacles else TO_AZURE if to_azure else TO_AZURE_OR_VMM,
        )
        world.resources.put(made.id, made)


def _register(world: World, fabric: Fabric, server: ApplianceServer, done: partial[None], now: datetime) -> str:
    dra_id = f"{fabric.id}/replicationRecoveryServicesProviders/{server.server_id}"
    start(
        world,
        now,
        scenario="RegisterDra",
        target_id=dra_id,
        duration_s=world.duration_s("any", "dra_register", name=server.name, location=fabric.location),
        object_id=server.server_id,
        object_name=server.name,
        affected=affected_by_fabric(fabric),
        on_done=done,
    )
    return dra_id


def _host_registered(
    world: World, fabric: Fabric, server: ApplianceServer, machines: tuple[VirtualMachine, ...], _due: datetime
) -> None:
    if server not in fabric.servers:
        fabric.servers.append(server)
    for container in containers(world, fabric.vault_id, fabric):
        report_machines(world, container, server.server_id, server.fabric_object_id, machines)


def _vmm_registered(
    world: World,
    fabric: Fabric,
    clouds: tuple[Cloud, ...],
    networks: tuple[VmNetwork, ...],
    shown: tuple[tuple[str, ...], tuple[str, ...]],
    _due: datetime,
) -> None:
    world.resources.put(fabric.id, fabric)
    server = fabric.servers[0]
    for cloud in clouds:
        name = cloud.cloud_id or _guid_of(world, fabric, cloud.name)
        made = Container(f"{fabric.id}/replicationProtectionContainers/{name}", name, cloud.name, fabric.id)
        held = world.resources.get(made.id)
        container = held if isinstance(held, Container) else made
        world.resources.put(container.id, container)
        report_machines(world, container, server.server_id, server.fabric_object_id, cloud.machines)
    for text in shown[0]:
        add_logical_network(world, fabric, str(uuid.uuid5(uuid.NAMESPACE_URL, f"{fabric.id}/{text}")), text)
    for text in shown[1]:
        add_storage_classification(world, fabric, str(uuid.uuid5(uuid.NAMESPACE_URL, f"{fabric.id}/{text}")), text)
    held = world.resources.children(fabric.id, "replicationNetworks")
    names = {one.friendly_name: one.name for one in held if isinstance(one, Network)}
    for row in networks:
        name = row.network_id or names.get(row.name) or world.guid()
        network = Network(f"{fabric.id}/replicationNetworks/{name}", name, fabric.id, row.name)
        network.subnets = [
            {"name": subnet, "friendlyName": subnet, "addressList": [addresses]} for subnet, addresses in row.subnets
        ]
        world.resources.put(network.id, network)


def _guid_of(world: World, fabric: Fabric, cloud: str) -> str:
    """Return the name of the container that a cloud of this name has, or a new one."""
    known = containers(world, fabric.vault_id, fabric)
    return next((one.name for one in known if one.friendly_name == cloud), None) or world.guid()


def _vault(world: World, document: bytes, vault_id: str, now: datetime) -> str:
    if document:
        return checked_vault(world, read_vault_key(document), now)
    found = world.resources.id_of(vault_id)
    if found is None:
        raise RegistrationRefused("KeyInvalid", f"There is no Recovery Services vault {vault_id!r}.")
    return capital(found)


def _site(world: World, document: bytes, site_id: str, now: datetime) -> Fabric:
    if not document:
        found = world.resources.get(site_id)
        if not isinstance(found, Fabric) or found.kind != HYPER_V_SITE:
            raise RegistrationRefused("SiteUnknown", f"There is no Hyper-V site {site_id!r}.")
        return found
    key = read_vault_key(document)
    vault_id = checked_vault(world, key, now)
    for fabric in fabrics(world, vault_id):
        if fabric.kind == HYPER_V_SITE and fabric.internal_id.casefold() == key.site_id.casefold():
            return fabric
    raise RegistrationRefused(
        "SiteUnknown",
        f"The vault has no Hyper-V site with the identifier {key.site_id!r} of the registration key; download the key "
        "of the site.",
    )


def _owner(world: World, host: HostDescription) -> Fabric | None:
    found = (world.resources.get(key) for key in world.resources.ids())
    sites = (one for one in found if isinstance(one, Fabric) and one.kind == HYPER_V_SITE)
    return next((one for one in sites if any(server.host.host_id == host.host_id for server in one.servers)), None)


def _reported(world: World, container: Container, dra_id: str) -> list[HyperVProtectable]:
    """Return the machines in a container that a provider has reported."""
    return [
        one for one in protectables(world, container) if isinstance(one, HyperVProtectable) and one.dra_id == dra_id
    ]
