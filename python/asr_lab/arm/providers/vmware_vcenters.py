"""vCenter servers: those of the estate, and what a configuration server or an appliance knows of them.

``site_recovery_vmware.world_add_vcenter`` puts one into the estate; Site Recovery finds it by its address.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asr_lab.arm.estate import HostDescription, HostDisk
from asr_lab.arm.providers.fabric_details import last_heard
from asr_lab.arm.providers.model import Container, Fabric, ProtectableItem
from asr_lab.arm.providers.scope import containers, protectables
from asr_lab.arm.providers.source_machines import disk_id
from asr_lab.arm.wire import iso7
from asr_lab.arm.world import World

VCENTER_TYPE = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationvCenters"
DISCOVERED = "vCenter"
DEFAULT_PORT = "443"
_ESTATE = "/estate/vCenters"


@dataclass
class EstateVCenter:
    """A vCenter server of the estate with its virtual machines; ``address`` is how it is reached."""

    address: str
    name: str
    instance_id: str
    machines: list[HostDescription] = field(default_factory=list)
    datastores: tuple[str, ...] = ("datastore",)
    port: str = DEFAULT_PORT


@dataclass
class VCenter:
    """A replicationvCenter of a VMware fabric; ``discovered`` is when its machines were first listed, None before."""

    id: str
    name: str
    fabric_id: str
    friendly_name: str
    address: str
    port: str
    account_id: str
    server_id: str
    internal_id: str
    infrastructure_id: str
    discovered: datetime | None = None


def put_estate_vcenter(world: World, made: EstateVCenter) -> None:
    """Put a vCenter into the estate, in place of the one with this address."""
    world.resources.put(f"{_ESTATE}/{made.address}", made)


def estate_vcenter(world: World, address: str) -> EstateVCenter | None:
    """Return the vCenter of the estate with this address, or None."""
    found = world.resources.get(f"{_ESTATE}/{address}")
    return found if isinstance(found, EstateVCenter) else None


def vcenters(world: World, fabric: Fabric) -> list[VCenter]:
    """Return the vCenters that a fabric knows, oldest first."""
    return [one for one in world.resources.children(fabric.id, "replicationvCenters") if isinstance(one, VCenter)]


def problem(world: World, fabric: Fabric, found: VCenter) -> str | None:
    """Return why the vCenter cannot be discovered, or None."""
    there = estate_vcenter(world, found.address)
    if there is None:
        return f"No vCenter server answers at {found.address}."
    if found.port != there.port:
        return f"The vCenter server at {found.address} does not answer on port {found.port}."
    server = fabric.server(found.server_id)
    if server is None:
        return f"There is no process server {found.server_id}."
    if not world.hosts.connects(server.address, found.address, int(found.port)):
        return f"The process server {server.name} does not reach {found.address} on port {found.port}."
    if found.account_id not in fabric.accounts:
        known = ", ".join(fabric.accounts) or "none"
        return f"There is no account {found.account_id}; accounts of the configuration server: {known}."
    return None


def discover(world: World, fabric: Fabric, found: VCenter, now: datetime) -> None:
    """List the vCenter's machines as protectable items; those that are known already stay."""
    found.discovered = found.discovered or now
    there = estate_vcenter(world, found.address)
    for container in containers(world, fabric.vault_id, fabric):
        known = {item.friendly_name for item in _discovered(world, container, found)}
        for machine in there.machines if there else ():
            if machine.host_name not in known:
                item = _protectable(world, container, found, machine)
                world.resources.put(item.id, item)


def datastores(world: World, found: VCenter) -> list[dict[str, Any]]:
    """Return the vCenter's datastores as a master target shows them (recorded: sizes in GiB, as text)."""
    there = estate_vcenter(world, found.address)
    return [
        {
            "symbolicName": name,
            "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{found.internal_id} {name}")),
            "capacity": "2047.75",
            "freeSpace": "1733.43",
            "type": "VMFS",
        }
        for name in (there.datastores if there else ())
    ]


def forget(world: World, fabric: Fabric, found: VCenter) -> None:
    """Take the vCenter and its machines that are not protected away."""
    for container in containers(world, fabric.vault_id, fabric):
        for item in _discovered(world, container, found):
            if item.protected_item_id is None:
                world.resources.delete(item.id)
    world.resources.delete(found.id)


def protected_names(world: World, fabric: Fabric, found: VCenter) -> list[str]:
    """Return the names of the vCenter's machines that are protected."""
    return [
        item.friendly_name
        for container in containers(world, fabric.vault_id, fabric)
        for item in _discovered(world, container, found)
        if item.protected_item_id is not None
    ]


def _discovered(world: World, container: Container, found: VCenter) -> list[ProtectableItem]:
    return [
        item
        for item in protectables(world, container)
        if item.discovery == DISCOVERED and item.infrastructure_id == found.infrastructure_id
    ]


def _protectable(world: World, container: Container, found: VCenter, machine: HostDescription) -> ProtectableItem:
    """Return a machine of which the vCenter tells all but the disks; those the Mobility agent reports (recorded)."""
    name = world.guid()
    return ProtectableItem(
        id=f"{container.id}/replicationProtectableItems/{name}",
        name=name,
        container_id=container.id,
        friendly_name=machine.host_name,
        address=machine.address,
        os_type=machine.os_type,
        discovery=DISCOVERED,
        infrastructure_id=found.infrastructure_id,
        host=machine if machine.agent_version else None,
    )


def vcenter_body(world: World, fabric: Fabric, found: VCenter, now: datetime) -> dict[str, Any]:
    """Return a vCenter as the specification writes it.

    A sample of the documentation shows Pending without a heartbeat; Completed is a choice of the lab.
    """
    server = fabric.server(found.server_id)
    heard = last_heard(world, fabric, server.name if server else fabric.friendly_name, now)
    known = found.discovered is not None
    return {
        "id": found.id,
        "name": found.name,
        "type": VCENTER_TYPE,
        "properties": {
            "friendlyName": found.friendly_name,
            "internalId": found.internal_id,
            "lastHeartbeat": iso7(heard) if known else None,
            "discoveryStatus": "Completed" if known else "Pending",
            "processServerId": found.server_id,
            "ipAddress": found.address,
            "infrastructureId": found.infrastructure_id,
            "port": found.port,
            "runAsAccountId": found.account_id,
            "fabricArmResourceName": fabric.name,
            "healthErrors": [],
        },
    }


def vmware_machine_properties(
    machine: HostDescription,
    there: EstateVCenter,
    *,
    vcenter_id: str,
    account_id: str,
    appliance: str,
) -> dict[str, Any]:
    """Return the properties of a machine under VMwareSites, by the specification of Microsoft.OffAzure.

    ``diskId`` is the disk's uuid, which enable requests name.
    """
    windows = machine.os_type == "Windows"
    return {
        "displayName": machine.host_name,
        "fqdn": machine.host_name,
        "vmFqdn": machine.host_name,
        "vCenterId": vcenter_id,
        "vCenterFQDN": there.name,
        "instanceUuid": machine.host_id,
        "hostName": f"esx.{there.name}",
        "hostPowerState": "ON",
        "hostVersion": "7.0.3",
        "hostInMaintenanceMode": False,
        "dataCenterScope": "Datacenter",
        "powerStatus": "ON",
        "vMwareToolsStatus": "OK",
        "vMwareToolsVersion": "12352",
        "changeTrackingSupported": True,
        "changeTrackingEnabled": False,
        "numberOfSnapshots": 0,
        "runAsAccountId": account_id,
        "appliancePropertiesCollection": [
            {"runAsAccountId": account_id, "applianceName": appliance, "status": "Registered"}
        ],
        "hydratedFqdn": None,
        "firmware": machine.firmware,
        "biosGuid": machine.bios_id,
        "biosSerialNumber": machine.bios_id,
        "numberOfProcessorCore": machine.cores,
        "allocatedMemoryInMB": float(machine.memory_mb),
        "operatingSystemDetails": {
            "osType": "WindowsGuest" if windows else "LinuxGuest",
            "osName": machine.os_name,
            "osVersion": "",
            "osArchitecture": "64-bit",
        },
        "disks": _disks(machine, machine.disks, there.datastores[0]),
        "networkAdapters": [
            {
                "nicId": "4000",
                "label": "Network adapter 1",
                "adapterType": "Vmxnet3",
                "macAddress": machine.mac,
                "ipAddressList": list(machine.addresses),
                "networkName": "VM Network",
                "ipAddressType": "Dhcp",
            }
        ],
        "datastores": [{"symbolicName": name} for name in there.datastores],
        "errors": [],
        "isDeleted": False,
    }


def _disks(machine: HostDescription, disks: Sequence[HostDisk], datastore: str) -> list[dict[str, Any]]:
    return [
        {
            "uuid": disk_id(machine, number),
            "diskId": disk_id(machine, number),
            "generatedId": disk_id(machine, number),
            "id": disk.name,
            "label": f"Hard disk {number + 1}",
            "name": f"scsi0:{number}",
            "diskProvisioningPolicy": "Thin",
            "diskScrubbingPolicy": None,
            "diskMode": "Persistent",
            "controllerType": "SCSI",
            "maxSizeInBytes": disk.size_bytes,
            "diskType": "VirtualDisk",
            "lun": number,
            "path": f"[{datastore}] {machine.host_name}/{machine.host_name}_{number}.vmdk",
        }
        for number, disk in enumerate(disks)
    ]
