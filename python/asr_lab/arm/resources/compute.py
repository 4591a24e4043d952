"""Virtual machines and managed disks: what a failover makes, read and removed through the API.

Machines are made by Site Recovery (``create_vm``), not by a request: the simulator refuses a PUT.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Literal

from asr_lab.arm.resources.network import add_network_interface
from asr_lab.arm.routes import route
from asr_lab.arm.versions import COMPUTE_VERSIONS, DISK_VERSIONS
from asr_lab.arm.wire import ArmError, Request, Response, group_id, iso7, last_segment, resource_id, resource_not_found
from asr_lab.arm.world import SUMMARIES, World

_VM_TYPE = "Microsoft.Compute/virtualMachines"
_DISK_TYPE = "Microsoft.Compute/disks"
_VMS = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Compute/virtualMachines"
_DISKS = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Compute/disks"
_DELETE_S = 40.0
_GIB = 1024**3

PowerState = Literal["starting", "running", "stopped", "deallocated"]


@dataclass(frozen=True)
class VmNic:
    """A network interface to make; ``private_ip`` None or taken: the next free address of the subnet."""

    subnet_id: str
    private_ip: str | None = None
    mac: str = ""
    security_group_id: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class VmDisk:
    """A managed disk to make."""

    name: str
    size_bytes: int
    boot: bool = False
    sku: str = "StandardSSD_LRS"


def create_vm(
    world: World,
    now: datetime,
    *,
    resource_group: str,
    name: str,
    size: str,
    location: str,
    nics: Sequence[VmNic],
    disks: Sequence[VmDisk],
    tags: Mapping[str, str],
    os_type: Literal["Windows", "Linux"] = "Windows",
    license_type: str | None = None,
    availability_set_id: str | None = None,
    disk_tags: Mapping[str, str] | None = None,
    nic_tags: Mapping[str, str] | None = None,
    power: PowerState = "running",
) -> str:
    """Make a virtual machine with its interfaces and disks, and return its id.

    ``resource_group`` is the group's id. Raises ArmError: 404 when the group does not exist, 409 when the name is
    taken.
    """
    group = world.resources.id_of(resource_group)
    if group is None:
        name_given = last_segment(resource_group)
        raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{name_given}' could not be found.")
    _, sub, _, rg = group.strip("/").split("/")[:4]
    made = resource_id(sub, rg, _VM_TYPE, name)
    if made in world.resources:
        raise ArmError(409, "Conflict", f"A virtual machine named '{name}' exists in resource group '{rg}'.")
    nic_ids = [
        _add_nic(world, sub, rg, nic, nic.name or f"{name}-nic{index or ''}", location, nic_tags or tags, made)
        for index, nic in enumerate(nics)
    ]
    disk_rows = [_add_disk(world, now, sub, rg, disk, location, disk_tags or tags, made, os_type) for disk in disks]
    boot = next((row for disk, row in zip(disks, disk_rows, strict=True) if disk.boot), None)
    os_disk = boot or next(iter(disk_rows), None)
    data = [row for row in disk_rows if row is not os_disk]
    properties: dict[str, Any] = {
        "vmId": world.guid(),
        "hardwareProfile": {"vmSize": size},
        "storageProfile": {
            "osDisk": {**os_disk, "osType": os_type} if os_disk else None,
            "dataDisks": [{"lun": lun, **row} for lun, row in enumerate(data)],
        },
        "networkProfile": {
            "networkInterfaces": [{"id": nic, "properties": {"primary": nic == nic_ids[0]}} for nic in nic_ids]
        },
        "diagnosticsProfile": {"bootDiagnostics": {"enabled": True}},
        "provisioningState": "Succeeded",
        "timeCreated": iso7(now),
    }
    if license_type:
        properties["licenseType"] = license_type
    if availability_set_id:
        properties["availabilitySet"] = {"id": availability_set_id}
    world.resources.put(
        made,
        {
            "name": name,
            "id": made,
            "type": _VM_TYPE,
            "location": location,
            "tags": dict(tags),
            "properties": properties,
            "instance": {"power": power, "since": iso7(now), "os_type": os_type},
        },
    )
    return made


def delete_vm(world: World, vm_id: str) -> None:
    """Remove a virtual machine with its network interfaces and disks, as the clean-up of a test failover does."""
    found = world.resources.delete(vm_id)
    if found is None:
        return
    for nic in found["properties"]["networkProfile"]["networkInterfaces"]:
        world.resources.delete(nic["id"])
    storage = found["properties"]["storageProfile"]
    for disk in [storage["osDisk"], *storage["dataDisks"]]:
        if disk:
            world.resources.delete(disk["managedDisk"]["id"])


def set_power(world: World, vm_id: str, power: PowerState, now: datetime) -> None:
    """Set the power state that the instance view tells."""
    found = world.resources.get(vm_id)
    if found is None:
        raise LookupError(f"{vm_id}: there is no such virtual machine")
    found["instance"].update(power=power, since=iso7(now))


@route("GET", _VMS + "/{vm}", versions=COMPUTE_VERSIONS)
def get_vm(world: World, request: Request, *, sub: str, rg: str, vm: str) -> Response:
    """Answer a virtual machine, with its instance view when ``$expand=instanceView`` asks for it."""
    return Response(200, {}, _shown(_held(world, sub, rg, vm), _expand(request)))


@route("GET", _VMS + "/{vm}/instanceView", versions=COMPUTE_VERSIONS)
def get_instance_view(world: World, *, sub: str, rg: str, vm: str) -> Response:
    """Answer the instance view of a virtual machine."""
    return Response(200, {}, _instance_view(_held(world, sub, rg, vm)))


@route("GET", _VMS, versions=COMPUTE_VERSIONS)
def list_vms(world: World, request: Request, *, sub: str, rg: str) -> Response:
    """Answer the virtual machines of a resource group."""
    held = world.resources.children(group_id(sub, rg), f"providers/{_VM_TYPE}")
    return Response(200, {}, {"value": [_shown(vm, _expand(request)) for vm in held]})


@route("GET", "/subscriptions/{sub}/providers/Microsoft.Compute/virtualMachines", versions=COMPUTE_VERSIONS)
def list_all_vms(world: World, request: Request, *, sub: str) -> Response:
    """Answer the virtual machines of a subscription; ``statusOnly=true`` adds their instance views."""
    held = world.resources.descendants(f"/subscriptions/{sub}", f"providers/{_VM_TYPE}")
    expand = _expand(request) or request.query.get("statusOnly", "").casefold() == "true"
    return Response(200, {}, {"value": [_shown(vm, expand) for vm in held]})


@route("DELETE", _VMS + "/{vm}", versions=COMPUTE_VERSIONS)
def delete_vm_request(world: World, now: datetime, *, sub: str, rg: str, vm: str) -> Response:
    """Remove a virtual machine; its disks and interfaces stay, detached."""
    made = resource_id(sub, rg, _VM_TYPE, vm)
    found = world.resources.get(made)
    if found is None:
        return Response(204)
    return world.start(
        now,
        target_id=made,
        duration_s=_DELETE_S,
        on_done=partial(_detach, world, found),
        style="provider",
        location=found["location"],
        result="nothing",
    )


def _detach(world: World, vm: Mapping[str, Any], _: datetime) -> None:
    """Remove a machine from the store; its disks and interfaces are free then."""
    made = str(vm["id"])
    world.resources.delete(made)
    for held in [*world.resources.children(made.partition("/providers/")[0], f"providers/{_DISK_TYPE}")]:
        if held.get("managedBy", "").casefold() == made.casefold():
            del held["managedBy"]
            held["properties"]["diskState"] = "Unattached"
    for nic in vm["properties"]["networkProfile"]["networkInterfaces"]:
        interface = world.resources.get(nic["id"])
        if interface:
            interface["properties"].pop("virtualMachine", None)


@route("GET", _DISKS + "/{disk}", versions=DISK_VERSIONS)
def get_disk(world: World, *, sub: str, rg: str, disk: str) -> Response:
    """Answer a managed disk."""
    found = world.resources.get(resource_id(sub, rg, _DISK_TYPE, disk))
    if found is None:
        raise resource_not_found(_DISK_TYPE, disk, rg)
    return Response(200, {}, found)


@route("GET", _DISKS, versions=DISK_VERSIONS)
def list_disks(world: World, *, sub: str, rg: str) -> Response:
    """Answer the managed disks of a resource group."""
    return Response(200, {}, {"value": world.resources.children(group_id(sub, rg), f"providers/{_DISK_TYPE}")})


@route("GET", "/subscriptions/{sub}/providers/Microsoft.Compute/disks", versions=DISK_VERSIONS)
def list_all_disks(world: World, *, sub: str) -> Response:
    """Answer the managed disks of a subscription."""
    return Response(200, {}, {"value": world.resources.descendants(f"/subscriptions/{sub}", f"providers/{_DISK_TYPE}")})


@route("DELETE", _DISKS + "/{disk}", versions=DISK_VERSIONS)
def delete_disk(world: World, *, sub: str, rg: str, disk: str) -> Response:
    """Remove a managed disk (200; 204 when there is none); one that a virtual machine uses stays."""
    made = resource_id(sub, rg, _DISK_TYPE, disk)
    found = world.resources.get(made)
    if found is None:
        return Response(204)
    if found.get("managedBy"):
        raise ArmError(409, "OperationNotAllowed", f"Disk {disk} is attached to VM {found['managedBy']}.")
    world.resources.delete(made)
    return Response(200)


def _held(world: World, sub: str, rg: str, vm: str) -> dict[str, Any]:
    found: dict[str, Any] | None = world.resources.get(resource_id(sub, rg, _VM_TYPE, vm))
    if found is None:
        raise resource_not_found(_VM_TYPE, vm, rg)
    return found


def _expand(request: Request) -> bool:
    return "instanceview" in request.query.get("$expand", "").casefold()


def _shown(vm: Mapping[str, Any], expand: bool) -> dict[str, Any]:
    shown = {key: value for key, value in vm.items() if key != "instance"}
    if expand:
        shown["properties"] = {**vm["properties"], "instanceView": _instance_view(vm)}
    return shown


def _instance_view(vm: Mapping[str, Any]) -> dict[str, Any]:
    power, since = vm["instance"]["power"], vm["instance"]["since"]
    return {
        "computerName": vm["name"],
        "bootDiagnostics": {},
        "disks": [],
        "statuses": [
            {
                "code": "ProvisioningState/succeeded",
                "level": "Info",
                "displayStatus": "Provisioning succeeded",
                "time": since,
            },
            {"code": f"PowerState/{power}", "level": "Info", "displayStatus": f"VM {power}"},
        ],
    }


def _add_nic(
    world: World, sub: str, rg: str, nic: VmNic, name: str, location: str, tags: Mapping[str, str], vm_id: str
) -> str:
    address = _free_address(world, nic.subnet_id, nic.private_ip)
    made = add_network_interface(
        world,
        sub,
        rg,
        name,
        location=location,
        subnet_id=nic.subnet_id,
        private_ip=address,
        static=nic.private_ip is not None,
        mac=nic.mac,
        security_group_id=nic.security_group_id,
        tags=tags,
    )
    interface = world.resources.get(made)
    if interface:
        interface["properties"]["virtualMachine"] = {"id": vm_id}
    return made


def _free_address(world: World, subnet_id: str, wanted: str | None) -> str:
    """Return ``wanted`` when it is free in the subnet, else the first free address; Azure keeps the first four."""
    taken = {
        configuration["properties"]["privateIPAddress"]
        for nic in world.resources.descendants("/subscriptions", "providers/Microsoft.Network/networkInterfaces")
        for configuration in nic["properties"]["ipConfigurations"]
        if configuration["properties"]["subnet"]["id"].casefold() == subnet_id.casefold()
    }
    subnet = world.resources.get(subnet_id)
    if subnet is None:
        raise ArmError(404, "NotFound", f"Resource {subnet_id} not found.")
    if wanted and wanted not in taken:
        return wanted
    network = ipaddress.ip_network(subnet["properties"]["addressPrefix"])
    for index, address in enumerate(network.hosts(), start=1):
        if index > 3 and str(address) not in taken:
            return str(address)
    raise ArmError(400, "SubnetIsFull", f"Subnet {last_segment(subnet_id)} has no free address left.")


def _add_disk(
    world: World,
    now: datetime,
    sub: str,
    rg: str,
    disk: VmDisk,
    location: str,
    tags: Mapping[str, str],
    vm_id: str,
    os_type: str,
) -> dict[str, Any]:
    made = resource_id(sub, rg, _DISK_TYPE, disk.name)
    size_gib = -(-disk.size_bytes // _GIB)
    properties: dict[str, Any] = {
        "creationData": {"createOption": "Copy"},
        "diskSizeGB": size_gib,
        "diskSizeBytes": disk.size_bytes,
        "diskState": "Attached",
        "timeCreated": iso7(now),
        "provisioningState": "Succeeded",
    }
    if disk.boot:
        properties["osType"] = os_type
    world.resources.put(
        made,
        {
            "name": disk.name,
            "id": made,
            "type": _DISK_TYPE,
            "location": location,
            "tags": dict(tags),
            "managedBy": vm_id,
            "sku": {"name": disk.sku, "tier": disk.sku.partition("_")[0].removesuffix("SSD")},
            "properties": properties,
        },
    )
    return {
        "name": disk.name,
        "createOption": "Attach",
        "caching": "ReadWrite" if disk.boot else "None",
        "managedDisk": {"id": made, "storageAccountType": disk.sku},
        "deleteOption": "Detach",
        "diskSizeGB": size_gib,
    }


def _vm_rows(world: World, _now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "id": vm["id"],
            "name": vm["name"],
            "location": vm["location"],
            "size": vm["properties"]["hardwareProfile"]["vmSize"],
            "tags": vm.get("tags") or {},
        }
        for vm in world.resources.descendants("/subscriptions", f"providers/{_VM_TYPE}")
    ]


SUMMARIES["virtual_machines"] = _vm_rows
