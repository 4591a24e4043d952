"""Enabling protection: the protected item an accepted request makes, and why its job may fail.

What a request gets wrong in itself (unknown property, missing resource) is refused at once; what is wrong with the
world (policy not associated, network missing, agent missing, machine not reachable) fails the job.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from asr_lab.arm.estate import HostDescription
from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers import in_mage_azure_v2, in_mage_rcm
from asr_lab.arm.providers.model import (
    RCM_FABRIC,
    Container,
    Disk,
    Fabric,
    Nic,
    Policy,
    ProtectableItem,
    ProtectedItem,
    Target,
)
from asr_lab.arm.providers.scope import Scope, policy_is_mapped
from asr_lab.arm.providers.source_machines import SourceDisk, classic_disks, discovered_disks, discovered_host
from asr_lab.arm.providers.work import error
from asr_lab.arm.resources.network import subnet_of
from asr_lab.arm.schema import OneOf, Record, Text
from asr_lab.arm.wire import bad_request, last_segment
from asr_lab.arm.world import World

REQUEST = Record(
    {
        "properties": Record(
            {
                "policyId": Text(not_empty=True),
                "protectableItemId": Text(nullable=True),
                "providerSpecificDetails": OneOf(
                    "instanceType", {"InMageRcm": in_mage_rcm.ENABLE, "InMageAzureV2": in_mage_azure_v2.ENABLE}
                ),
            },
            ("policyId", "providerSpecificDetails"),
        )
    },
    ("properties",),
)

_GIB = 1024**3
_SIZES = ((1, 4, "Standard_B2s"), (2, 8, "Standard_D2s_v5"), (4, 16, "Standard_D4s_v5"), (8, 32, "Standard_D8s_v5"))


def make_item(scope: Scope, properties: Mapping[str, Any]) -> tuple[ProtectedItem, Policy]:
    """Return the item that a checked enable request describes, and its policy.

    Raises ArmError: 404 when the policy or the protectable item is missing, 400 when the machine is unknown or the
    provider is not that of the fabric.
    """
    fabric, container = scope.fabric, scope.container
    given = properties["providerSpecificDetails"]
    if given["instanceType"] != fabric.provider:
        raise bad_request(
            "InvalidProviderSpecificInput",
            f"properties.providerSpecificDetails.instanceType is '{given['instanceType']}'; machines of the fabric "
            f"'{fabric.friendly_name}' are protected with {fabric.provider}.",
        )
    policy = scope.get(properties["policyId"], Policy)
    if fabric.kind == RCM_FABRIC:
        return _rcm_item(scope, fabric, container, policy, given), policy
    wanted = properties.get("protectableItemId") or ""
    protectable = scope.get(wanted, ProtectableItem)
    return _classic_item(scope, fabric, container, policy, protectable, given), policy


def _rcm_item(
    scope: Scope, fabric: Fabric, container: Container, policy: Policy, given: Mapping[str, Any]
) -> ProtectedItem:
    machine_id = given["fabricDiscoveryMachineId"]
    machine = scope.world.resources.get(machine_id)
    if machine is None or "/microsoft.offazure/" not in machine_id.casefold():
        raise bad_request(
            "InvalidFabricDiscoveryMachineId",
            f"properties.providerSpecificDetails.fabricDiscoveryMachineId is '{machine_id}'; no appliance has "
            "discovered such a machine.",
            action="Add the server on the appliance and wait until it is listed.",
        )
    found = machine["properties"]
    host = discovered_host(found)
    target = Target(
        vm_name=given.get("targetVmName") or found["displayName"],
        vm_size=given.get("targetVmSize") or default_size(host),
        resource_group_id=given["targetResourceGroupId"],
        network_id=given.get("targetNetworkId") or "",
        subnet=given.get("targetSubnetName") or "",
        test_network_id=given.get("testNetworkId") or "",
        test_subnet=given.get("testSubnetName") or "",
        boot_diagnostics_id=given.get("targetBootDiagnosticsStorageAccountId") or "",
        multi_vm_group=given.get("multiVmGroupName"),
        linux_license_type=given.get("linuxLicenseType") or "NotSpecified",
        security_profile=given.get("targetVmSecurityProfile"),
        tags=_tags(given.get("targetVmTags")),
        disk_tags=_tags(given.get("targetManagedDiskTags")),
        seed_disk_tags=_tags(given.get("seedManagedDiskTags")),
        nic_tags=_tags(given.get("targetNicTags")),
        **_placement(given),
    )
    adapters = found["networkAdapters"]
    nics = [
        Nic(
            nic_id=adapter["macAddress"],
            source_address=next(iter(adapter["ipAddressList"]), ""),
            network_name=adapter["networkName"],
            primary=number == 0,
            target_subnet=target.subnet,
            test_subnet=target.test_subnet,
        )
        for number, adapter in enumerate(adapters)
    ]
    item = _item(scope, fabric, container, policy, found["displayName"], host, target, nics)
    item.disks = _disks(discovered_disks(found), given.get("disksToInclude"), given.get("disksDefault") or {})
    item.machine_id = scope.world.guid()
    item.server_id = given["processServerId"]
    item.account_id = given.get("runAsAccountId") or ""
    item.source_id = machine_id
    item.discovery = "VCenter" if "/vmwaresites/" in machine_id.casefold() else "Physical"
    return item


def _classic_item(
    scope: Scope,
    fabric: Fabric,
    container: Container,
    policy: Policy,
    protectable: ProtectableItem,
    given: Mapping[str, Any],
) -> ProtectedItem:
    host = protectable.host or _unseen_host(protectable)
    target = Target(
        vm_name=given.get("targetAzureVmName") or protectable.friendly_name,
        vm_size=given.get("targetVmSize") or default_size(host),
        resource_group_id=given.get("targetAzureV2ResourceGroupId") or "",
        network_id=given.get("targetAzureNetworkId") or "",
        subnet=given.get("targetAzureSubnetId") or "",
        multi_vm_group=given.get("multiVmGroupName"),
        rdp=given.get("enableRdpOnTargetOption") or "Never",
        managed_disks=not given.get("storageAccountId"),
        storage_account_id=given.get("storageAccountId") or "",
        tags=given.get("targetVmTags") or {},
        disk_tags=given.get("targetManagedDiskTags") or {},
        seed_disk_tags=given.get("seedManagedDiskTags") or {},
        nic_tags=given.get("targetNicTags") or {},
        **_placement(given),
    )
    nic = Nic(
        nic_id=host.mac.upper(),
        source_address=protectable.address,
        network_name="Ethernet" if host.os_type == "Windows" else "eth0",
        target_subnet=target.subnet,
    )
    item = _item(scope, fabric, container, policy, protectable.friendly_name, host, target, [nic])
    item.disks = _disks(
        classic_disks(protectable),
        given.get("disksToInclude"),
        {
            "logStorageAccountId": given.get("logStorageAccountId"),
            "diskType": given.get("diskType"),
            "diskEncryptionSetId": given.get("diskEncryptionSetId"),
        },
    )
    item.machine_id = protectable.name
    item.multi_vm_id = given.get("multiVmGroupId") or scope.world.guid()
    item.server_id = given["processServerId"]
    item.account_id = given.get("runAsAccountId") or ""
    item.source_id = protectable.id
    item.protectable_item_id = protectable.id
    item.discovery = protectable.discovery
    item.infrastructure_id = protectable.infrastructure_id
    return item


def _item(
    scope: Scope,
    fabric: Fabric,
    container: Container,
    policy: Policy,
    friendly_name: str,
    host: HostDescription,
    target: Target,
    nics: list[Nic],
) -> ProtectedItem:
    name = scope.name("replicationProtectedItems")
    return ProtectedItem(
        id=f"{container.id}/replicationProtectedItems/{name}",
        name=name,
        provider=fabric.provider,
        container_id=container.id,
        fabric_id=fabric.id,
        policy_id=policy.id,
        machine_id="",
        friendly_name=friendly_name,
        host=host,
        server_id="",
        account_id="",
        target=target,
        disks=[],
        nics=nics,
        correlation_id=scope.world.guid(),
        fabric_guid=fabric.internal_id,
    )


def _placement(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "availability_set_id": given.get("targetAvailabilitySetId") or "",
        "availability_zone": given.get("targetAvailabilityZone") or "",
        "proximity_group_id": given.get("targetProximityPlacementGroupId") or "",
        "license_type": given.get("licenseType") or "NotSpecified",
        "sql_license_type": given.get("sqlServerLicenseType") or "NotSpecified",
    }


def _tags(rows: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    return {row["tagName"]: row["tagValue"] for row in rows or ()}


def default_size(host: HostDescription) -> str:
    """Return a size that holds the machine, as the service picks one when none is given."""
    for cores, memory_gib, size in _SIZES:
        if host.cores <= cores and host.memory_mb <= memory_gib * 1024:
            return size
    return "Standard_D16s_v5"


def _unseen_host(item: ProtectableItem) -> HostDescription:
    return HostDescription(
        host_id="",
        host_name=item.friendly_name,
        addresses=(item.address,),
        os_type="Linux" if item.os_type.upper() == "LINUX" else "Windows",
        os_name="",
        disks=(),
        bios_id="",
        mac="",
        firmware="BIOS",
        cores=0,
        memory_mb=0,
        agent_version=None,
    )


def _disks(
    source: list[SourceDisk], included: Sequence[Mapping[str, Any]] | None, default: Mapping[str, Any]
) -> list[Disk]:
    by_id = {disk_id.casefold(): (disk_id, name, size, boot) for disk_id, name, size, boot in source}
    wanted = [(row["diskId"], row) for row in included] if included else [(row[0], default) for row in source]
    disks = []
    for disk_id, settings in wanted:
        known_id, name, size, boot = by_id.get(disk_id.casefold(), (disk_id, "", 0, False))
        disks.append(
            Disk(
                disk_id=known_id,
                name=name,
                size_bytes=size,
                boot=boot,
                disk_type=settings.get("diskType") or default.get("diskType") or "Standard_LRS",
                log_account_id=settings.get("logStorageAccountId") or default.get("logStorageAccountId"),
                encryption_set_id=settings.get("diskEncryptionSetId"),
            )
        )
    return disks


def refusal(
    world: World, item: ProtectedItem, fabric: Fabric, container: Container, policy: Policy
) -> OperationError | None:
    """Return why the enable job will fail on what can be seen beforehand, or None."""
    name = item.friendly_name
    if not policy_is_mapped(world, container, policy.id):
        return error("78253", name=name, policy=policy.name)
    problem = _problem(world, item, fabric)
    return error("310056", name=name, problem=problem) if problem else None


def _problem(world: World, item: ProtectedItem, fabric: Fabric) -> str:
    target = item.target
    if fabric.server(item.server_id) is None:
        known = ", ".join(server.server_id for server in fabric.servers)
        return f"processServerId is '{item.server_id}'; the process servers of '{fabric.friendly_name}' are: {known}."
    if item.provider == "InMageAzureV2" and not item.host.host_id:
        return f"The Mobility service of '{item.friendly_name}' is not installed or not registered with the server."
    if target.resource_group_id not in world.resources:
        return f"The target resource group '{target.resource_group_id}' does not exist."
    return (
        _network_problem(world, target.network_id, target.subnet, fabric.location)
        or _network_problem(world, target.test_network_id, target.test_subnet, fabric.location)
        or _disk_problem(world, item, fabric.location)
    )


def _network_problem(world: World, network_id: str, subnet: str, location: str) -> str:
    if not network_id:
        return ""
    network = world.resources.get(network_id)
    if network is None:
        return f"The virtual network '{network_id}' does not exist."
    if str(network["location"]).casefold() != location.casefold():
        return f"The virtual network '{network_id}' is in {network['location']}; the target region is {location}."
    if subnet and subnet_of(world, network_id, subnet) is None:
        return f"The virtual network '{last_segment(network_id)}' has no subnet '{subnet}'."
    return ""


def _disk_problem(world: World, item: ProtectedItem, location: str) -> str:
    if not item.disks:
        return f"The machine '{item.friendly_name}' has reported no disks."
    accounts = {disk.log_account_id or item.target.storage_account_id for disk in item.disks}
    for account_id in sorted(account or "" for account in accounts):
        account = world.resources.get(account_id) if account_id else None
        if account is None:
            return f"The storage account '{account_id}' does not exist."
        if str(account["location"]).casefold() != location.casefold():
            return f"The storage account '{account_id}' is in {account['location']}; the target region is {location}."
    for disk in item.disks:
        size_gib = disk.size_bytes / _GIB
        if disk.size_bytes == 0:
            return f"The machine '{item.friendly_name}' has no disk '{disk.disk_id}'."
        limit_gib = 32767 if not disk.boot else 4095 if item.host.firmware == "UEFI" else 2048
        if not 1 <= size_gib <= limit_gib:
            return f"The disk '{disk.name}' has {size_gib:.1f} GiB; supported: 1 to {limit_gib} GiB."
    return ""
