"""Enabling protection of a Hyper-V machine: the item a request makes, and why its job may fail.

Which properties a request needs follows from recorded requests that were accepted. What is wrong with the world
(policy not associated, network missing, disk unknown) fails the job with 70094, the documented code of Hyper-V.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers.enable import network_problem, placement
from asr_lab.arm.providers.hyper_v_model import (
    VMM,
    HyperVItem,
    HyperVProtectable,
    VirtualDisk,
    VirtualMachine,
    disk_id,
    nic_id,
)
from asr_lab.arm.providers.model import Disk, Fabric, Nic, Policy, Target
from asr_lab.arm.providers.scope import Scope, container_of, fabric_of, policy_is_mapped
from asr_lab.arm.providers.vmm import Network
from asr_lab.arm.providers.work import error, with_provider_error
from asr_lab.arm.resources.network_mappings import mappings_of_fabric
from asr_lab.arm.wire import bad_request, last_segment
from asr_lab.arm.world import World

FAILED = "70094"
FAILED_ON_HOST = "31389"
# Limits of the documentation: the system disk by generation, and the number of disks a host can replicate.
MAX_BOOT_GIB = {1: 2048, 2: 4095}
MAX_DISK_GIB = 32767
MAX_DISKS = 65
_GIB = 1024**3
# What the service picks when no size is given: recorded are Standard_A2m_v2 for 1 core with 16 GiB, Basic_A0 in 2017.
_SIZES = (
    (1, 2, "Standard_A1_v2"),
    (2, 4, "Standard_A2_v2"),
    (2, 16, "Standard_A2m_v2"),
    (4, 8, "Standard_A4_v2"),
    (4, 32, "Standard_A4m_v2"),
    (8, 16, "Standard_A8_v2"),
    (8, 64, "Standard_A8m_v2"),
)


def make_item(scope: Scope, policy: Policy, properties: Mapping[str, Any]) -> HyperVItem:
    """Return the item that a checked enable request describes.

    Raises ArmError: 404 when the protectable item is missing, 400 when it is not one of a Hyper-V host, when
    ``hvHostVmId`` is not its machine, or when the host does not know the machine's system and the request does not
    say it.
    """
    fabric, container = scope.fabric, scope.container
    given = properties["providerSpecificDetails"]
    wanted = properties.get("protectableItemId") or ""
    if not wanted:
        raise bad_request("InvalidParameter", "properties.protectableItemId is missing; give the id of the machine.")
    protectable = scope.get(wanted, HyperVProtectable)
    machine = protectable.machine
    _check(protectable, given)
    target = _target(scope.world, fabric, machine, given)
    name = scope.name("replicationProtectedItems")
    item = HyperVItem(
        id=f"{container.id}/replicationProtectedItems/{name}",
        name=name,
        provider="HyperVReplicaAzure",
        container_id=container.id,
        fabric_id=fabric.id,
        policy_id=policy.id,
        machine_id=machine.vm_id,
        friendly_name=protectable.friendly_name,
        host=machine.as_host(),
        server_id=protectable.dra_id,
        account_id="",
        target=target,
        disks=[],
        nics=adapters(machine, target),
        correlation_id=scope.world.guid(),
        source_id=protectable.id,
        protectable_item_id=protectable.id,
        fabric_guid=fabric.internal_id,
        machine=machine,
        controller_id=scope.world.guid(),
        replica_disks=_is_true(given.get("useManagedDisksForReplication")),
        os_name_given=given.get("userSelectedOSName") or "",
        capacity_group_id=given.get("targetCapacityReservationGroupId") or "",
    )
    item.disks = _disks(item, given)
    return item


def adapters(machine: VirtualMachine, target: Target) -> list[Nic]:
    """Return the network adapters of an item: all of them, the first is the primary one."""
    return [
        Nic(
            nic_id=nic_id(machine, adapter),
            source_address=adapter.address,
            network_name=adapter.network,
            primary=number == 0,
            target_subnet=target.subnet,
        )
        for number, adapter in enumerate(machine.adapters)
    ]


def boot_disk(machine: VirtualMachine, vhd_id: str = "") -> VirtualDisk | None:
    """Return the disk with the system: the one with this id, else the one that boots, else the first."""
    by_id = next((disk for disk in machine.disks if disk.vhd_id.casefold() == vhd_id.casefold()), None)
    return by_id or next((disk for disk in machine.disks if disk.boot), next(iter(machine.disks), None))


def default_size(machine: VirtualMachine) -> str:
    """Return the size that the service picks for a machine."""
    for cores, memory_gib, size in _SIZES:
        if machine.cores <= cores and machine.memory_mb <= memory_gib * 1024:
            return size
    return "Standard_D16s_v5"


def refusal(world: World, item: HyperVItem, policy: Policy) -> OperationError | None:
    """Return why the enable job will fail, or None."""
    container = container_of(world, item)
    if not policy_is_mapped(world, container, policy.id):
        return error("78253", name=item.friendly_name, policy=policy.name)
    problem = _problem(world, item, fabric_of(world, item))
    if not problem:
        return None
    failed = error(FAILED, name=item.friendly_name, task="EnableProtectionPreflightChecksTask")
    return with_provider_error(failed, FAILED_ON_HOST, world.guid(), name=item.friendly_name, problem=problem)


def _check(protectable: HyperVProtectable, given: Mapping[str, Any]) -> None:
    machine, place = protectable.machine, "properties.providerSpecificDetails"
    vm_id = given.get("hvHostVmId") or machine.vm_id
    if vm_id.casefold() != machine.vm_id.casefold():
        raise bad_request(
            "InvalidParameter", f"{place}.hvHostVmId is '{vm_id}'; the machine '{machine.name}' has '{machine.vm_id}'."
        )
    if not (given.get("targetAzureV2ResourceGroupId") or given.get("targetAzureV1ResourceGroupId")):
        raise bad_request("InvalidParameter", f"{place}.targetAzureV2ResourceGroupId is missing; give a group's id.")
    os_type = given.get("osType")
    if not os_type and not machine.os_reported:
        raise bad_request(
            "InvalidParameter",
            f"{place}.osType is missing, and the host does not know the system of '{machine.name}'; give Windows or "
            "Linux.",
        )
    if os_type and os_type not in ("Windows", "Linux"):
        raise bad_request("InvalidParameter", f"{place}.osType is '{os_type}'; give Windows or Linux.")


def _target(world: World, fabric: Fabric, machine: VirtualMachine, given: Mapping[str, Any]) -> Target:
    to_disks = _is_true(given.get("useManagedDisksForReplication"))
    return Target(
        vm_name=given.get("targetAzureVmName") or machine.name,
        vm_size=given.get("targetVmSize") or default_size(machine),
        resource_group_id=given.get("targetAzureV2ResourceGroupId") or given["targetAzureV1ResourceGroupId"],
        network_id=given.get("targetAzureNetworkId") or _mapped_network(world, fabric, machine),
        subnet=last_segment(given.get("targetAzureSubnetId") or ""),
        rdp=given.get("enableRdpOnTargetOption") or "",
        managed_disks=to_disks or _is_true(given.get("useManagedDisks")),
        storage_account_id=given.get("targetStorageAccountId") or "",
        linux_license_type=given.get("linuxLicenseType") or "NotSpecified",
        security_profile=given.get("targetVmSecurityProfile"),
        tags=dict(given.get("targetVmTags") or {}),
        disk_tags=dict(given.get("targetManagedDiskTags") or {}),
        seed_disk_tags=dict(given.get("seedManagedDiskTags") or {}),
        nic_tags=dict(given.get("targetNicTags") or {}),
        **placement(given),
    )


def _mapped_network(world: World, fabric: Fabric, machine: VirtualMachine) -> str:
    """Return the Azure network to which the machine's VM network is mapped, empty outside VMM or without a mapping."""
    if fabric.kind != VMM or not machine.adapters:
        return ""
    for mapping in mappings_of_fabric(world, fabric):
        network = world.resources.get(mapping.primary_network_id)
        if isinstance(network, Network) and machine.adapters[0].network in (network.friendly_name, network.name):
            return mapping.recovery_network_id
    return ""


def _disks(item: HyperVItem, given: Mapping[str, Any]) -> list[Disk]:
    machine = item.machine
    boot = boot_disk(machine, given.get("vhdId") or "")
    known = {disk.vhd_id.casefold(): disk for disk in machine.disks}
    rows = _rows(given) or [(disk.vhd_id, {}) for disk in machine.disks]
    made = []
    for wanted, settings in rows:
        disk = known.get(wanted.casefold()) or VirtualDisk(wanted, "", 0)
        made.append(
            Disk(
                disk_id=disk_id(item, machine.disks.index(disk)) if disk in machine.disks else wanted,
                name=disk.name,
                size_bytes=disk.size_bytes,
                boot=disk is boot,
                disk_type=settings.get("diskType") or given.get("diskType") or "Standard_LRS",
                log_account_id=settings.get("logStorageAccountId") or given.get("logStorageAccountId"),
                encryption_set_id=settings.get("diskEncryptionSetId") or given.get("diskEncryptionSetId"),
            )
        )
    return made


def _rows(given: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    managed: Sequence[Mapping[str, Any]] = given.get("disksToIncludeForManagedDisks") or ()
    if managed:
        return [(row.get("diskId") or "", row) for row in managed]
    return [(wanted, {}) for wanted in given.get("disksToInclude") or ()]


def _problem(world: World, item: HyperVItem, fabric: Fabric) -> str:
    target = item.target
    if fabric.server(item.server_id) is None:
        return f"The Hyper-V host of '{item.friendly_name}' is not registered with '{fabric.friendly_name}' any more."
    if item.machine.obstacles:
        return f"The virtual machine has {' and '.join(item.machine.obstacles)}, which cannot be replicated."
    if target.resource_group_id not in world.resources:
        return f"The target resource group '{target.resource_group_id}' does not exist."
    return (
        network_problem(world, target.network_id, target.subnet, fabric.location)
        or _account_problem(world, item, fabric)
        or _disk_problem(item)
    )


def _account_problem(world: World, item: HyperVItem, fabric: Fabric) -> str:
    accounts = {disk.log_account_id for disk in item.disks if disk.log_account_id} | {item.target.storage_account_id}
    wanted = sorted(account for account in accounts if account)
    if not wanted:
        return "The request names neither a target storage account nor one for logs (targetStorageAccountId)."
    for account_id in wanted:
        account = world.resources.get(account_id)
        if account is None:
            return f"The storage account '{account_id}' does not exist."
        if str(account["location"]).casefold() != fabric.location.casefold():
            place = account["location"]
            return f"The storage account '{account_id}' is in {place}; the target region is {fabric.location}."
    return ""


def _disk_problem(item: HyperVItem) -> str:
    if not item.disks:
        return f"The virtual machine '{item.friendly_name}' has no disks."
    if len(item.disks) > MAX_DISKS:
        return f"The virtual machine has {len(item.disks)} disks; supported: {MAX_DISKS}."
    if not any(disk.boot for disk in item.disks):
        return "The disk with the system is not among the disks to replicate (vhdId, disksToInclude)."
    for disk in item.disks:
        if disk.size_bytes == 0:
            return f"The virtual machine '{item.friendly_name}' has no disk '{disk.disk_id}'."
        limit_gib = MAX_BOOT_GIB[item.machine.generation] if disk.boot else MAX_DISK_GIB
        if disk.size_bytes > limit_gib * _GIB:
            return f"The disk '{disk.name}' has {disk.size_bytes / _GIB:.0f} GiB; supported: {limit_gib} GiB."
    return ""


def _is_true(text: Any) -> bool:
    return str(text).casefold() == "true"
