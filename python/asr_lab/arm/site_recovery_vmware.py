"""What the servers of a VMware estate tell Site Recovery: further process servers, vCenter servers and their machines.

As in ``site_recovery``: all take the world's time as ``now`` and raise RegistrationRefused when Site Recovery would
refuse.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Literal

from asr_lab.arm.estate import HostDescription, RegistrationRefused
from asr_lab.arm.providers import in_mage_azure_v2
from asr_lab.arm.providers.model import RCM_FABRIC, ApplianceServer, Fabric
from asr_lab.arm.providers.scope import fabrics
from asr_lab.arm.providers.vmware_vcenters import (
    EstateVCenter,
    estate_vcenter,
    put_estate_vcenter,
    vmware_machine_properties,
)
from asr_lab.arm.resources.off_azure import add_machine, add_run_as_account, add_vcenter
from asr_lab.arm.site_recovery import answering_configuration_server, three_dashes
from asr_lab.arm.world import World

GuestType = Literal["WindowsGuest", "LinuxGuest"]


def world_register_process_server(
    world: World, *, server_address: str, passphrase: str, host: HostDescription, now: datetime
) -> str:
    """Register a further process server with the configuration server at ``server_address``; return its id.

    One that registers again keeps its id. Raises RegistrationRefused: ServerUnreachable, PassphraseInvalid.
    """
    with world.lock:
        world.advance(now)
        fabric = answering_configuration_server(world, server_address, passphrase, host)
        known = next((one for one in fabric.servers if one.host.host_id == host.host_id), None)
        if known is not None:
            known.host = host
            return known.server_id
        version = host.agent_version or in_mage_azure_v2.AGENT_VERSION
        made = ApplianceServer(three_dashes(world.guid()), host.host_name, host, version)
        fabric.servers.append(made)
        return made.server_id


def world_add_vcenter(
    world: World,
    *,
    address: str,
    name: str,
    machines: Sequence[HostDescription],
    now: datetime,
    datastores: Sequence[str] = ("datastore",),
) -> None:
    """Put a vCenter server with virtual machines into the estate; a second call for its address replaces the list.

    Nobody in Azure knows of it before a client adds it to a configuration server, or a person to an appliance.
    """
    with world.lock:
        world.advance(now)
        known = estate_vcenter(world, address)
        instance = known.instance_id if known else world.guid()
        put_estate_vcenter(world, EstateVCenter(address, name, instance, list(machines), tuple(datastores)))


def world_add_vcenter_to_appliance(
    world: World,
    *,
    vault_id: str,
    address: str,
    account: str,
    now: datetime,
    guest_account: str = "",
    guest_type: GuestType = "WindowsGuest",
) -> None:
    """Add a vCenter on the appliance of a vault; its machines are listed under VMwareSites when it has been asked.

    ``account`` names the credentials for the vCenter (credentialType VMwareFabric), ``guest_account`` those for the
    machines themselves; both appear under runasaccounts at once. Raises RegistrationRefused: NoAppliance,
    ServerUnreachable when no vCenter of the estate has this address.
    """
    with world.lock:
        world.advance(now)
        found = [one for one in fabrics(world, vault_id) if one.kind == RCM_FABRIC and one.servers]
        if not found:
            raise RegistrationRefused("NoAppliance", f"The vault {vault_id.rpartition('/')[2]} has no appliance yet.")
        if estate_vcenter(world, address) is None:
            raise RegistrationRefused("ServerUnreachable", f"No vCenter server answers at {address}.")
        fabric = found[0]
        own = _account(world, fabric, account, "VMwareFabric", now)
        guest = _account(world, fabric, guest_account, guest_type, now) if guest_account else own
        delay = world.duration_s("any", "appliance_discovery", name=fabric.servers[0].name, location=fabric.location)
        world.after(now, delay, partial(_look, world, fabric, address, own, guest))


def _look(world: World, fabric: Fabric, address: str, account_id: str, guest_id: str, due: datetime) -> None:
    there = estate_vcenter(world, address)
    if there is None or fabric.vmware_site_id not in world.resources:
        return
    appliance = fabric.servers[0].name
    vcenter = add_vcenter(
        world,
        fabric.vmware_site_id,
        there.name,
        address=address,
        port=there.port,
        instance_id=there.instance_id,
        account_id=account_id,
        now=due,
    )
    for machine in there.machines:
        properties = vmware_machine_properties(
            machine, there, vcenter_id=vcenter, account_id=guest_id, appliance=appliance
        )
        add_machine(world, fabric.vmware_site_id, f"{there.name}_{machine.host_id.lower()}", properties, now=due)


def _account(world: World, fabric: Fabric, account: str, credential_type: str, now: datetime) -> str:
    for held in world.resources.children(fabric.vmware_site_id, "runasaccounts"):
        if held["properties"]["displayName"] == account:
            return str(held["id"])
    return add_run_as_account(
        world, fabric.vmware_site_id, world.guid(), display_name=account, credential_type=credential_type, now=now
    )
