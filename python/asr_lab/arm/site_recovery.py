"""What the servers of a migration tell Site Recovery: configuration server, Mobility services, appliance, its servers.

The simulated installers of the lab's hosts call these functions; tests do so directly. All take the world's time as
``now`` and raise RegistrationRefused when Site Recovery would refuse, with a code and a sentence.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Literal, NamedTuple

from defusedxml.ElementTree import ParseError, fromstring

from asr_lab.arm.estate import HostDescription, RegistrationRefused
from asr_lab.arm.providers import in_mage_azure_v2, in_mage_rcm
from asr_lab.arm.providers.model import RCM_FABRIC, VMWARE_FABRIC, ApplianceServer, Container, Fabric, ProtectableItem
from asr_lab.arm.providers.scope import containers, protectables
from asr_lab.arm.providers.source_machines import machine_properties
from asr_lab.arm.resources.off_azure import add_machine, add_run_as_account, add_site
from asr_lab.arm.resources.vault_certificates import registered
from asr_lab.arm.wire import capital, resource_id
from asr_lab.arm.world import World

CredentialType = Literal["WindowsServer", "LinuxServer"]

CONTROL_PORT = 443
VAULT_TYPE = "Microsoft.RecoveryServices/vaults"
# How often an appliance asks a server that did not answer, and when it stops asking.
MAX_DISCOVERY_ATTEMPTS = 288


class VaultKey(NamedTuple):
    """What a registration file says: where the vault is, its certificate and integrity key, its Hyper-V site if any."""

    vault_id: str
    certificate: str
    integrity_key: str
    site_id: str = ""


def world_register_configuration_server(
    world: World,
    *,
    vault_credentials_xml: bytes,
    host: HostDescription,
    passphrase: str,
    now: datetime,
    accounts: Sequence[str] = ("migration",),
) -> str:
    """Register a configuration server, which is process server and master target too, and return its fabric's id.

    A server that registers again keeps its fabric. Raises RegistrationRefused: KeyInvalid when the file is not a
    registration file, names a vault that is not there, or holds a certificate or integrity key the vault does not know;
    KeyExpired when the key is too old; ClockSkew when it is not yet valid.
    """
    with world.lock:
        world.advance(now)
        key = read_vault_key(vault_credentials_xml)
        vault_id = checked_vault(world, key, now)
        name = hashlib.sha256(f"{vault_id.casefold()}{host.host_id}".encode()).hexdigest()
        fabric_id = f"{vault_id}/replicationFabrics/{name}"
        known = world.resources.get(fabric_id)
        if isinstance(known, Fabric):
            known.passphrase = passphrase
            known.servers[0].host = host
            return fabric_id
        internal = world.guid()
        server = ApplianceServer(
            server_id=three_dashes(world.guid()),
            name=host.host_name,
            host=host,
            agent_version=host.agent_version or in_mage_azure_v2.AGENT_VERSION,
        )
        fabric = Fabric(
            id=fabric_id,
            name=name,
            kind=VMWARE_FABRIC,
            friendly_name=host.host_name,
            internal_id=internal,
            vault_id=vault_id,
            location=vault_location(world, vault_id),
            servers=[server],
            registered=now,
            passphrase=passphrase,
            accounts={str(number): account for number, account in enumerate(accounts, start=1)},
        )
        add_fabric(world, fabric, container=f"cloud_{internal}", container_text=host.host_name)
        return fabric_id


def add_fabric(world: World, fabric: Fabric, *, container: str, container_text: str) -> Container:
    """Put a fabric and its container into the world."""
    made = Container(f"{fabric.id}/replicationProtectionContainers/{container}", container, container_text, fabric.id)
    world.resources.put(fabric.id, fabric)
    world.resources.put(made.id, made)
    return made


def read_vault_key(document: bytes) -> VaultKey:
    """Return what a registration file (root element RSVaultAsrCreds) says; raises RegistrationRefused (KeyInvalid)."""
    try:
        root = fromstring(document.decode("utf-8-sig"))
    except (ParseError, UnicodeDecodeError):
        raise RegistrationRefused("KeyInvalid", "The vault registration key is not an XML file.") from None
    found: dict[str, str] = {_local(element.tag): (element.text or "").strip() for element in root.iter()}
    if _local(root.tag) != "RSVaultAsrCreds":
        raise RegistrationRefused(
            "KeyInvalid",
            f"The vault registration key begins with {_local(root.tag)}; RSVaultAsrCreds (Site Recovery) is needed.",
        )
    needed = ("SubscriptionId", "ResourceGroup", "ResourceName", "ManagementCert", "ChannelIntegrityKey")
    missing = [name for name in needed if not found.get(name)]
    if missing:
        raise RegistrationRefused("KeyInvalid", f"The vault registration key has no {', '.join(missing)}.")
    vault_id = resource_id(found["SubscriptionId"], found["ResourceGroup"], VAULT_TYPE, found["ResourceName"])
    return VaultKey(vault_id, found["ManagementCert"], found["ChannelIntegrityKey"], found.get("SiteId", ""))


def world_register_mobility(
    world: World, *, server_address: str, passphrase: str, host: HostDescription, now: datetime
) -> str:
    """Register a Mobility service with a configuration server and return the id of its protectable item.

    Raises RegistrationRefused: ServerUnreachable when no configuration server answers at the address on port 443,
    PassphraseInvalid, AlreadyRegistered when the machine belongs to another configuration server.
    """
    with world.lock:
        world.advance(now)
        fabric = answering_configuration_server(world, server_address, passphrase, host)
        other = next((one for one in _owners(world, host) if one.id != fabric.id), None)
        if other is not None:
            raise RegistrationRefused(
                "AlreadyRegistered",
                f"{host.host_name} is registered with the configuration server {other.friendly_name}.",
            )
        container = containers(world, fabric.vault_id, fabric)[0]
        item = _item_of(world, container, host) or _new_item(world, container, host)
        item.host = host
        item.address = host.address
        item.os_type = host.os_type
        return item.id


def world_register_appliance(world: World, *, vault_id: str, host: HostDescription, now: datetime) -> str:
    """Register a replication appliance with a vault and return its fabric's id.

    Makes the fabric ``{vault}-vmwarefabric`` with the container ``{vault}-replicationcontainer`` and the sites
    ``{vault}-serversite``, ``{vault}-vmwaresite`` and ``{vault}-mastersite``; a second appliance joins them. Raises
    RegistrationRefused (KeyInvalid) when there is no such vault.
    """
    with world.lock:
        world.advance(now)
        vault = _vault(world, vault_id)
        short = vault.rpartition("/")[2]
        fabric_id = f"{vault}/replicationFabrics/{short}-vmwarefabric"
        server = ApplianceServer(world.guid(), host.host_name, host, in_mage_rcm.AGENT_VERSION)
        fabric = world.resources.get(fabric_id)
        if isinstance(fabric, Fabric):
            known = next((one for one in fabric.servers if one.host.host_id == host.host_id), None)
            if known is not None:
                known.host = host
            else:
                server.fabric_object_id = f"{fabric.physical_site_id}/machines/{host.host_id}"
                fabric.servers.append(server)
            return fabric_id
        sites = _add_sites(world, vault, short, now)
        server.fabric_object_id = f"{sites['ServerSites']}/machines/{host.host_id}"
        fabric = Fabric(
            id=fabric_id,
            name=f"{short}-vmwarefabric",
            kind=RCM_FABRIC,
            friendly_name=f"{short}-vmwarefabric",
            internal_id=world.guid(),
            vault_id=vault,
            location=vault_location(world, vault),
            servers=[server],
            registered=now,
            tenant_id=str(_tenant(world, vault)),
            vmware_site_id=sites["VMwareSites"],
            physical_site_id=sites["ServerSites"],
        )
        container = f"{short}-replicationcontainer"
        add_fabric(world, fabric, container=container, container_text=container)
        return fabric_id


def world_add_physical_server(
    world: World, *, vault_id: str, address: str, account: str, credential_type: CredentialType, now: datetime
) -> None:
    """Add a server on the appliance of a vault; it is listed under ServerSites when the appliance has found it.

    ``account`` is the name of the credentials entered on the appliance; it appears under runasaccounts at once. Raises
    RegistrationRefused (NoAppliance) when the vault has no appliance.
    """
    with world.lock:
        world.advance(now)
        vault = _vault(world, vault_id)
        fabric = world.resources.get(f"{vault}/replicationFabrics/{vault.rpartition('/')[2]}-vmwarefabric")
        if not isinstance(fabric, Fabric):
            raise RegistrationRefused("NoAppliance", f"The vault {vault.rpartition('/')[2]} has no appliance yet.")
        account_id = _account(world, fabric, account, credential_type, now)
        _discover_later(world, fabric, address, account_id, now, attempt=1)


def _discover_later(
    world: World, fabric: Fabric, address: str, account_id: str, now: datetime, *, attempt: int
) -> None:
    """Look at the server after the discovery delay, and again until it answers."""
    delay = world.duration_s("any", "appliance_discovery", name=fabric.servers[0].name, location=fabric.location)
    world.after(now, delay, partial(_look, world, fabric, address, account_id, attempt))


def _look(world: World, fabric: Fabric, address: str, account_id: str, attempt: int, due: datetime) -> None:
    host = world.hosts.describe(address)
    if host is None and attempt < MAX_DISCOVERY_ATTEMPTS:
        _discover_later(world, fabric, address, account_id, due, attempt=attempt + 1)
    elif host is not None and fabric.physical_site_id in world.resources:
        properties = machine_properties(host, account_id=account_id, appliance=fabric.servers[0].name)
        add_machine(world, fabric.physical_site_id, host.host_id.lower(), properties, now=due)


def _account(world: World, fabric: Fabric, account: str, credential_type: str, now: datetime) -> str:
    for held in world.resources.children(fabric.physical_site_id, "runasaccounts"):
        if held["properties"]["displayName"] == account:
            return str(held["id"])
    name = world.guid()
    return add_run_as_account(
        world, fabric.physical_site_id, name, display_name=account, credential_type=credential_type, now=now
    )


def checked_vault(world: World, key: VaultKey, now: datetime) -> str:
    """Return the id of the vault that a registration file names; raises RegistrationRefused when it is not good."""
    vault_id = _vault(world, key.vault_id)
    certificate = registered(world, key.vault_id, key.certificate)
    if certificate is None:
        raise RegistrationRefused("KeyInvalid", "The vault does not know the certificate of the registration key.")
    if now > certificate.valid_to:
        raise RegistrationRefused(
            "KeyExpired",
            f"The vault registration key expired at {certificate.valid_to:%Y-%m-%d %H:%M} UTC; download a new one.",
        )
    if now < certificate.valid_from:
        raise RegistrationRefused("ClockSkew", "The vault registration key is not valid yet; synchronize the clock.")
    info = world.resources.get(f"{key.vault_id}/extendedInformation/vaultExtendedInfo")
    if info is not None and info["properties"]["integrityKey"] != key.integrity_key:
        raise RegistrationRefused(
            "KeyInvalid", "InvalidChannelIntegrityKeyToken: the integrity key is not the vault's."
        )
    return vault_id


def _vault(world: World, vault_id: str) -> str:
    found = world.resources.id_of(vault_id)
    if found is None:
        raise RegistrationRefused("KeyInvalid", f"There is no Recovery Services vault {vault_id}.")
    return capital(found)


def vault_location(world: World, vault_id: str) -> str:
    """Return the region of a vault."""
    vault: Any = world.resources.get(vault_id)
    return str(vault["location"])


def _tenant(world: World, vault_id: str) -> str:
    subscription: Any = world.resources.get("/".join(vault_id.split("/")[:3]))
    return str(subscription["tenantId"]) if subscription else ""


def _add_sites(world: World, vault_id: str, short: str, now: datetime) -> dict[str, str]:
    _, _, subscription, _, group = vault_id.split("/")[:5]
    location = vault_location(world, vault_id)
    kinds: tuple[tuple[Literal["ServerSites", "VMwareSites", "MasterSites"], str], ...] = (
        ("ServerSites", f"{short}-serversite"),
        ("VMwareSites", f"{short}-vmwaresite"),
        ("MasterSites", f"{short}-mastersite"),
    )
    made: dict[str, str] = {}
    for kind, name in kinds:
        properties = {"sites": list(made.values())} if kind == "MasterSites" else None
        made[kind] = add_site(
            world,
            subscription_id=subscription,
            resource_group=group,
            name=name,
            location=location,
            now=now,
            kind=kind,
            properties=properties,
        )
    return made


def _classic_fabrics(world: World) -> list[Fabric]:
    found = (world.resources.get(one) for one in world.resources.ids())
    return [fabric for fabric in found if isinstance(fabric, Fabric) and fabric.kind == VMWARE_FABRIC]


def configuration_server(world: World, address: str) -> Fabric | None:
    """Return the fabric of the configuration server at this address, or None."""
    return next((fabric for fabric in _classic_fabrics(world) if address in fabric.servers[0].host.addresses), None)


def answering_configuration_server(world: World, address: str, passphrase: str, host: HostDescription) -> Fabric:
    """Return the fabric of the configuration server at ``address``, which ``host`` reaches with its passphrase.

    Raises RegistrationRefused: ServerUnreachable, PassphraseInvalid.
    """
    fabric = configuration_server(world, address)
    if fabric is None or not world.hosts.connects(host.address, address, CONTROL_PORT):
        raise RegistrationRefused(
            "ServerUnreachable", f"No configuration server answers at {address} on port {CONTROL_PORT}."
        )
    if passphrase.strip() != fabric.passphrase.strip():
        raise RegistrationRefused(
            "PassphraseInvalid", f"The passphrase is not that of the configuration server {fabric.friendly_name}."
        )
    return fabric


def _owners(world: World, host: HostDescription) -> list[Fabric]:
    return [
        fabric
        for fabric in _classic_fabrics(world)
        for container in containers(world, fabric.vault_id, fabric)
        for item in protectables(world, container)
        if item.host is not None and item.host.host_id == host.host_id
    ]


def _item_of(world: World, container: Container, host: HostDescription) -> ProtectableItem | None:
    for item in protectables(world, container):
        if item.address in host.addresses or (item.host is not None and item.host.host_id == host.host_id):
            return item
    return None


def _new_item(world: World, container: Container, host: HostDescription) -> ProtectableItem:
    name = world.guid()
    item = ProtectableItem(
        id=f"{container.id}/replicationProtectableItems/{name}",
        name=name,
        container_id=container.id,
        friendly_name=host.host_name,
        address=host.address,
        os_type=host.os_type,
    )
    world.resources.put(item.id, item)
    return item


def three_dashes(guid: str) -> str:
    """Return a GUID as configuration servers write theirs: upper case, without the last dash."""
    head, _, tail = guid.upper().rpartition("-")
    return head + tail


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
