"""Virtual machines of Azure as sources of A2A: what replication reads of them, and what stands in its way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from asr_lab.arm.estate import HostDescription, HostDisk
from asr_lab.arm.providers.azure_fabric import region
from asr_lab.arm.providers.azure_to_azure_model import AzureNic, AzureToAzureItem
from asr_lab.arm.providers.model import Disk
from asr_lab.arm.providers.rules import Row, table
from asr_lab.arm.resources.compute import VmDisk, VmNic, create_vm
from asr_lab.arm.wire import last_segment, same_id
from asr_lab.arm.world import World

GIB = 1024**3
_SIZES = {"Standard_B2s": (2, 4096), "Standard_DS1_v2": (1, 3584), "Standard_D4s_v5": (4, 16384)}
_DEFAULT_SIZE = (2, 8192)

Machine = Mapping[str, Any]


@dataclass(frozen=True)
class SourceDisk:
    """A managed disk of a machine; ``resource_id`` is written as Compute writes it."""

    resource_id: str
    name: str
    size_bytes: int
    boot: bool
    sku: str
    lun: int = 0
    encryption_set_id: str | None = None


@dataclass(frozen=True)
class Problem:
    """Why a machine cannot be replicated: a row of ``rules/eligibility.yml``, its placeholders filled in."""

    code: str
    message: str
    causes: str
    action: str


def machine(world: World, vm_id: str) -> Machine | None:
    """Return the virtual machine with this id, or None."""
    found = world.resources.get(vm_id) if vm_id else None
    return found if isinstance(found, Mapping) and "/virtualmachines/" in vm_id.casefold() else None


def managed_disks(world: World, vm: Machine) -> list[SourceDisk]:
    """Return the managed disks of a machine, the one it boots from first."""
    storage = vm["properties"].get("storageProfile") or {}
    rows = [(storage.get("osDisk"), True), *((row, False) for row in storage.get("dataDisks") or ())]
    return [_disk(world, row, boot) for row, boot in rows if row and (row.get("managedDisk") or {}).get("id")]


def unprotected_luns(world: World, vm: Machine, protected: Sequence[Disk]) -> list[int]:
    """Return where the data disks sit that are not replicated."""
    known = {disk.disk_id.casefold() for disk in protected}
    return [disk.lun for disk in managed_disks(world, vm) if not disk.boot and disk.resource_id.casefold() not in known]


def host_of(world: World, vm: Machine) -> HostDescription:
    """Return the machine as the Mobility extension reports it."""
    properties = vm["properties"]
    nics = interfaces(world, vm)
    cores, memory_mb = _SIZES.get(properties.get("hardwareProfile", {}).get("vmSize", ""), _DEFAULT_SIZE)
    guid = str(properties.get("vmId") or vm["name"])
    return HostDescription(
        host_id=guid,
        host_name=str(vm["name"]),
        addresses=tuple(_first_configuration(nic).get("privateIPAddress") or "" for nic in nics),
        os_type=os_type(vm),
        os_name=os_type(vm),
        disks=tuple(HostDisk(disk.name, disk.size_bytes, disk.boot) for disk in managed_disks(world, vm)),
        bios_id=guid,
        mac=str(nics[0]["properties"].get("macAddress") or "") if nics else "",
        firmware="BIOS",
        cores=cores,
        memory_mb=memory_mb,
        agent_version=None,
    )


def os_type(vm: Machine) -> Literal["Windows", "Linux"]:
    """Return the system of a machine."""
    disk = (vm["properties"].get("storageProfile") or {}).get("osDisk") or {}
    return "Linux" if str(disk.get("osType")).casefold() == "linux" else "Windows"


def interfaces(world: World, vm: Machine) -> list[dict[str, Any]]:
    """Return the network interfaces of a machine, the primary one first."""
    rows = vm["properties"].get("networkProfile", {}).get("networkInterfaces") or ()
    found = (world.resources.get(row["id"]) for row in rows)
    return [nic for nic in found if nic is not None]


def read_nics(world: World, vm: Machine, known: list[AzureNic]) -> list[AzureNic]:
    """Return the interfaces of a machine as replication reads them; ids are kept from ``known`` in their order."""
    made = []
    for number, nic in enumerate(interfaces(world, vm)):
        configuration = nic["properties"]["ipConfigurations"][0]
        address = configuration["properties"]
        subnet_id = str(address["subnet"]["id"])
        kept = known[number] if number < len(known) else AzureNic(world.guid(), "", "", primary=number == 0)
        kept.arm_id = nic["id"]
        kept.source_address = str(address.get("privateIPAddress") or "")
        kept.source_network_id = subnet_id.rpartition("/subnets/")[0]
        kept.source_subnet = last_segment(subnet_id)
        kept.network_name = last_segment(kept.source_network_id)
        kept.ip_config = str(configuration["name"])
        kept.address_type = str(address.get("privateIPAllocationMethod") or "Dynamic")
        made.append(kept)
    return made


def runs(vm: Machine) -> bool:
    """Return whether the machine is started."""
    power = (vm.get("instance") or {}).get("power", "running")
    return str(power) == "running"


def problems(world: World, vm: Machine, but: AzureToAzureItem | None = None) -> list[Problem]:
    """Return everything that stands in the way of replicating the machine to another region.

    That it is replicated already counts, unless by the item ``but``.
    """
    name, properties = str(vm["name"]), vm["properties"]
    disks = managed_disks(world, vm)
    found: list[Problem] = []
    if not disks or not (properties.get("storageProfile") or {}).get("osDisk", {}).get("managedDisk"):
        found.append(problem("UnmanagedDisks", name=name))
    if region(str(vm["location"])) is None:
        found.append(problem("UnsupportedRegion", name=name, location=str(vm["location"])))
    if properties.get("provisioningState") not in (None, "Succeeded"):
        found.append(problem("150019", name=name, state=str(properties["provisioningState"])))
    if not runs(vm):
        found.append(problem("MachineNotRunning", name=name, state=str(vm["instance"]["power"])))
    found.extend(problem("150172", name=name, disk=disk.name) for disk in disks if disk.size_bytes < GIB)
    item = protecting(world, str(vm["id"]), but)
    if item is not None:
        found.append(problem("AlreadyProtected", name=name, vault=item.id.split("/")[8]))
    return found


def problem(code: str, **values: str) -> Problem:
    """Return the problem of this code."""
    row: Row = table("eligibility")[code]
    return Problem(
        code, row["message"].format(**values), row["causes"].format(**values), row["action"].format(**values)
    )


def protecting(world: World, vm_id: str, but: AzureToAzureItem | None = None) -> AzureToAzureItem | None:
    """Return the item, other than ``but``, that protects the machine in any vault, or None."""
    for found in world.resources.descendants("/subscriptions", "replicationProtectedItems"):
        if isinstance(found, AzureToAzureItem) and found is not but and same_id(found.source_id, vm_id):
            return found
    return None


def seed_virtual_machine(
    world: World,
    now: datetime,
    *,
    resource_group: str,
    name: str,
    location: str,
    subnet_id: str,
    size: str = "Standard_DS1_v2",
    system: Literal["Windows", "Linux"] = "Windows",
    data_disks: int = 0,
    disk_gib: float = 127,
    tags: Mapping[str, str] | None = None,
) -> str:
    """Put a virtual machine into the world as one made from an image stands there, and return its id.

    It has one interface in the subnet, a managed disk to boot from and ``data_disks`` more of ``disk_gib`` GiB each.
    """
    stem = world.guid().replace("-", "")
    disks = [VmDisk(f"{name}_OsDisk_1_{stem}", int(disk_gib * GIB), boot=True, sku="Premium_LRS")]
    disks += [
        VmDisk(f"{name}_DataDisk_{number}", int(disk_gib * GIB), sku="Premium_LRS") for number in range(data_disks)
    ]
    return create_vm(
        world,
        now,
        resource_group=resource_group,
        name=name,
        size=size,
        location=location,
        nics=[VmNic(subnet_id, name=f"{name}VMNic")],
        disks=disks,
        tags=tags or {},
        os_type=system,
    )


def _disk(world: World, row: Mapping[str, Any], boot: bool) -> SourceDisk:
    disk_id = str(row["managedDisk"]["id"])
    held = world.resources.get(disk_id) or {}
    properties = held.get("properties") or {}
    gib = row.get("diskSizeGB") or properties.get("diskSizeGB") or 0
    return SourceDisk(
        resource_id=str(held.get("id") or disk_id),
        name=str(row.get("name") or last_segment(disk_id)),
        size_bytes=int(properties.get("diskSizeBytes") or gib * GIB),
        boot=boot,
        sku=str(row["managedDisk"].get("storageAccountType") or "Premium_LRS"),
        lun=int(row.get("lun") or 0),
        encryption_set_id=((properties.get("encryption") or {}).get("diskEncryptionSetId")),
    )


def _first_configuration(nic: Mapping[str, Any]) -> dict[str, Any]:
    rows = nic["properties"].get("ipConfigurations") or [{}]
    found: dict[str, Any] = rows[0].get("properties") or {}
    return found
