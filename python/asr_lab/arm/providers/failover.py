"""The Azure machines that failovers make: the machine itself, and the ``-test`` machine of a test failover."""

from datetime import datetime

from asr_lab.arm.operations import OperationFailed
from asr_lab.arm.providers.model import Nic, ProtectedItem
from asr_lab.arm.providers.scope import fabric_of
from asr_lab.arm.providers.work import error
from asr_lab.arm.resources.compute import VmDisk, VmNic, create_vm, set_power
from asr_lab.arm.resources.network import subnet_of
from asr_lab.arm.wire import ArmError
from asr_lab.arm.world import World


def location(world: World, item: ProtectedItem) -> str:
    """Return the region of the item's fabric, which is the one that machines outside Azure replicate to."""
    return fabric_of(world, item).location


def stays_down(world: World, item: ProtectedItem, made: str, now: datetime) -> bool:
    """Return whether a machine that was just made was told not to boot; then its instance view says stopped."""
    fault = world.effect(
        "does_not_boot", name=item.friendly_name, provider=item.provider, location=location(world, item)
    )
    if fault is None:
        return False
    set_power(world, made, "stopped", now)
    return True


def free_vm_name(world: World, item: ProtectedItem) -> str:
    """Return the target's name, or one with a number when a machine of that name exists."""
    name, number = item.target.vm_name, 1
    while vm_id(item, name) in world.resources:
        name = f"{item.target.vm_name}-{number}"
        number += 1
    return name


def vm_id(item: ProtectedItem, name: str) -> str:
    """Return the id of a machine in the target resource group."""
    return f"{item.target.resource_group_id}/providers/Microsoft.Compute/virtualMachines/{name}"


def make_machine(world: World, item: ProtectedItem, now: datetime, name: str, region: str = "") -> str:
    """Make the machine of a failover and return its id; raises OperationFailed (28031) when Azure refuses.

    ``region`` is given by providers that do not replicate to their fabric's own region.
    """
    made = _make(world, item, now, name, item.target.network_id, region, test=False)
    for disk in item.disks:
        disk.target_id = (
            f"{item.target.resource_group_id}/providers/Microsoft.Compute/disks/{_disk_name(disk.name, name)}"
        )
    return made


def make_test_machine(
    world: World, item: ProtectedItem, now: datetime, network_id: str, region: str = "", name: str = ""
) -> str:
    """Make the test machine in the test network and return its id; raises OperationFailed (28031)."""
    return _make(world, item, now, name or f"{item.target.vm_name}-test", network_id, region, test=True)


def _make(
    world: World, item: ProtectedItem, now: datetime, name: str, network_id: str, region: str, *, test: bool
) -> str:
    target = item.target
    try:
        return create_vm(
            world,
            now,
            resource_group=target.resource_group_id,
            name=name,
            size=target.vm_size,
            location=region or location(world, item),
            nics=[_nic(world, item, nic, network_id, test=test) for nic in item.nics if nic.selected and network_id],
            disks=[
                VmDisk(_disk_name(disk.name, name), disk.size_bytes, boot=disk.boot, sku=disk.disk_type)
                for disk in item.disks
            ],
            tags=target.tags,
            os_type=item.host.os_type,
            license_type="Windows_Server" if target.license_type == "WindowsServer" else None,
            availability_set_id=target.availability_set_id or None,
            disk_tags=target.disk_tags,
            nic_tags=target.nic_tags,
        )
    except ArmError as refused:
        raise OperationFailed(error("28031", name=name, problem=refused.message)) from refused


def _nic(world: World, item: ProtectedItem, nic: Nic, network_id: str, *, test: bool) -> VmNic:
    address = nic.test_address if test else nic.target_address
    return VmNic(subnet_id=subnet_for(world, item, nic, network_id, test=test), private_ip=address or None)


def subnet_for(world: World, item: ProtectedItem, nic: Nic, network_id: str, *, test: bool) -> str:
    """Return the id of the subnet that an adapter gets: the one asked for, else the network's first.

    Raises OperationFailed (28031) when the network has none.
    """
    wanted = (nic.test_subnet or nic.target_subnet) if test else nic.target_subnet
    subnet = subnet_of(world, network_id, wanted) if wanted else None
    if subnet is None:
        found = world.resources.children(network_id, "subnets")
        if not found:
            problem = f"The virtual network '{network_id}' does not exist or has no subnet."
            raise OperationFailed(error("28031", name=item.target.vm_name, problem=problem))
        subnet = found[0]
    return str(subnet["id"])


def _disk_name(disk: str, vm_name: str) -> str:
    plain = disk.rpartition("\\")[2].rpartition("/")[2]
    return f"{plain}-{vm_name.replace('-', '_')}"
