"""The machines that failovers of A2A make in the recovery region: from the item, with the source's disks and NICs."""

from datetime import datetime

from asr_lab.arm.operations import OperationFailed
from asr_lab.arm.providers.azure_to_azure_details import azure_disks
from asr_lab.arm.providers.azure_to_azure_enable import recovery_network_id
from asr_lab.arm.providers.azure_to_azure_model import AzureNic, AzureToAzureItem
from asr_lab.arm.providers.failover import subnet_for
from asr_lab.arm.providers.scope import fabric_by_id
from asr_lab.arm.providers.work import error
from asr_lab.arm.resources.compute import VmDisk, VmNic, create_vm
from asr_lab.arm.wire import ArmError, last_segment
from asr_lab.arm.world import World


def make_recovery_machine(world: World, item: AzureToAzureItem, now: datetime, name: str) -> str:
    """Make the machine of a failover and return its id; raises OperationFailed (28031) when Azure refuses."""
    network_id = recovery_network_id(world, item)
    names = [disk.failover_name for disk in azure_disks(item)]
    made = _make(world, item, now, name, network_id, names, test=False)
    group = item.target.resource_group_id
    for disk, disk_name in zip(azure_disks(item), names, strict=True):
        disk.target_id = f"{group}/providers/Microsoft.Compute/disks/{disk_name}"
    return made


def make_test_machine(world: World, item: AzureToAzureItem, now: datetime, network_id: str) -> str:
    """Make the test machine and return its id; raises OperationFailed (28031).

    Without a network in the request it comes into the one that the item names for tests, else the recovery network.
    """
    network_id = network_id or item.target.test_network_id or recovery_network_id(world, item)
    names = [disk.test_name for disk in azure_disks(item)]
    return _make(world, item, now, item.test_machine_name, network_id, names, test=True)


def _make(
    world: World,
    item: AzureToAzureItem,
    now: datetime,
    name: str,
    network_id: str,
    disk_names: list[str],
    *,
    test: bool,
) -> str:
    target = item.target
    if not network_id:
        problem = "No recovery network was given, and the network of the source is not mapped to one."
        raise OperationFailed(error("28031", name=name, problem=problem))
    try:
        return create_vm(
            world,
            now,
            resource_group=target.resource_group_id,
            name=name,
            size=target.vm_size,
            location=fabric_by_id(world, item.recovery_fabric_id).location,
            nics=[
                _nic(world, item, nic, network_id, test=test)
                for nic in item.nics
                if isinstance(nic, AzureNic) and nic.selected
            ],
            disks=[
                VmDisk(disk_name, disk.size_bytes, boot=disk.boot, sku=disk.disk_type)
                for disk, disk_name in zip(azure_disks(item), disk_names, strict=True)
            ],
            tags=item.synced_tags | target.tags,
            os_type=item.host.os_type,
            license_type="Windows_Server" if target.license_type == "WindowsServer" else None,
            availability_set_id=target.availability_set_id or None,
            disk_tags=target.disk_tags,
            nic_tags=target.nic_tags,
        )
    except ArmError as refused:
        raise OperationFailed(error("28031", name=name, problem=refused.message)) from refused


def _nic(world: World, item: AzureToAzureItem, nic: AzureNic, network_id: str, *, test: bool) -> VmNic:
    network_id = (nic.test_network_id if test else nic.recovery_network_id) or network_id
    kept_name = last_segment(nic.arm_id)
    return VmNic(
        subnet_id=subnet_for(world, item, nic, network_id, test=test),
        private_ip=(nic.test_address if test else nic.target_address) or None,
        security_group_id=nic.test_security_group_id if test else nic.recovery_security_group_id,
        name=(nic.test_name or f"{kept_name}-test") if test else (nic.recovery_name or kept_name),
    )
