"""Enabling replication of an Azure virtual machine: the item that a request makes, and why its job may fail.

Refused at once: what the request gets wrong (machine, container, disk that is not the machine's, region). Failing the
job: what is wrong with the world (machine not eligible, policy not mapped, group, network or staging account missing).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers.azure_fabric import AZURE_REGION, same_region
from asr_lab.arm.providers.azure_to_azure_model import A2A, AzureDisk, AzureToAzureItem
from asr_lab.arm.providers.azure_to_azure_source import (
    Machine,
    SourceDisk,
    host_of,
    interfaces,
    machine,
    managed_disks,
    problems,
)
from asr_lab.arm.providers.enable import needed
from asr_lab.arm.providers.model import Container, Fabric, Policy, Target
from asr_lab.arm.providers.scope import Scope, fabric_by_id, mappings
from asr_lab.arm.providers.work import error
from asr_lab.arm.resources.network_mappings import recovery_network
from asr_lab.arm.wire import bad_request, last_segment, same_id
from asr_lab.arm.world import World

PLACE = "properties.providerSpecificDetails"


def make_item(scope: Scope, policy: Policy, given: Mapping[str, Any]) -> AzureToAzureItem:
    """Return the item that a checked request describes; ``given`` is its providerSpecificDetails."""
    world, fabric, container = scope.world, scope.fabric, scope.container
    vm = source_machine(world, fabric, needed(given, "fabricObjectId"))
    recovery = recovery_container(scope, needed(given, "recoveryContainerId"))
    recovery_fabric = fabric_by_id(world, recovery.fabric_id)
    host = host_of(world, vm)
    zones = [str(zone) for zone in vm.get("zones") or ()]
    network_id, subnet = network_and_subnet(given)
    name = scope.name("replicationProtectedItems")
    item = AzureToAzureItem(
        id=f"{container.id}/replicationProtectedItems/{name}",
        name=name,
        provider=A2A,
        container_id=container.id,
        fabric_id=fabric.id,
        policy_id=policy.id,
        machine_id=world.guid(),
        friendly_name=str(vm["name"]),
        host=host,
        server_id="",
        account_id="",
        target=Target(
            vm_name=str(vm["name"]),
            vm_size=str(vm["properties"].get("hardwareProfile", {}).get("vmSize") or ""),
            resource_group_id=needed(given, "recoveryResourceGroupId"),
            network_id=network_id,
            subnet=subnet,
            availability_set_id=given.get("recoveryAvailabilitySetId") or "",
            availability_zone=given.get("recoveryAvailabilityZone") or "",
            proximity_group_id=given.get("recoveryProximityPlacementGroupId") or "",
            boot_diagnostics_id=given.get("recoveryBootDiagStorageAccountId") or "",
            multi_vm_group=given.get("multiVmGroupName"),
            tags=dict(vm.get("tags") or {}),
        ),
        disks=[],
        nics=[],
        correlation_id=world.guid(),
        source_id=str(vm["id"]),
        fabric_guid=fabric.internal_id,
        multi_vm_id=given.get("multiVmGroupId") or world.guid(),
        recovery_fabric_id=recovery_fabric.id,
        recovery_container_id=recovery.id,
        initial_primary_location=fabric.location,
        initial_recovery_location=recovery_fabric.location,
        initial_primary_zone=next(iter(zones), ""),
        initial_recovery_zone=given.get("recoveryAvailabilityZone") or "",
        primary_zone=next(iter(zones), None),
        management_id=world.guid(),
        multi_vm_created_by_user=bool(given.get("multiVmGroupName")),
        test_machine_name=f"{vm['name']}-test",
        scale_set_id=given.get("recoveryVirtualMachineScaleSetId"),
        capacity_group_id=given.get("recoveryCapacityReservationGroupId"),
        cloud_service_id=given.get("recoveryCloudServiceId"),
        recovery_extended_location=given.get("recoveryExtendedLocation"),
        fault_domain=given.get("platformFaultDomain"),
        auto_protection=given.get("autoProtectionOfDataDisk") or "Disabled",
    )
    refuse_page_blobs(given)
    item.disks = list(make_disks(managed_disks(world, vm), given.get("vmManagedDisks") or ()))
    return item


def source_machine(world: World, fabric: Fabric, vm_id: str) -> Machine:
    """Return the machine that a request names; raises ArmError 400 when it is missing or in another region."""
    found = machine(world, vm_id)
    if found is None:
        raise bad_request(
            "InvalidFabricObjectId",
            f"{PLACE}.fabricObjectId is '{vm_id}'; there is no such virtual machine.",
            action="Give the resource id of an Azure virtual machine.",
        )
    if not same_region(str(found["location"]), fabric.location):
        raise bad_request(
            "InvalidFabricObjectId",
            f"The virtual machine '{found['name']}' is in {found['location']}; the fabric '{fabric.name}' stands for "
            f"{fabric.location}.",
            action="Use the container of a fabric of the machine's region.",
        )
    return found


def recovery_container(scope: Scope, container_id: str) -> Container:
    """Return the container of the recovery side; raises the 404, or ArmError 400 when its fabric is of another kind."""
    found = scope.get(container_id, Container)
    fabric = fabric_by_id(scope.world, found.fabric_id)
    if fabric.kind != AZURE_REGION or same_id(found.id, scope.container.id):
        raise bad_request(
            "InvalidRecoveryContainer",
            f"{PLACE}.recoveryContainerId is '{container_id}'; another container of a fabric of kind {AZURE_REGION} "
            "is needed.",
        )
    return found


def network_and_subnet(given: Mapping[str, Any]) -> tuple[str, str]:
    """Return the recovery network and the name of the subnet; the request may give the subnet's id (recorded)."""
    subnet = given.get("recoverySubnetName") or ""
    network_id = given.get("recoveryAzureNetworkId") or ""
    if "/subnets/" in subnet.casefold():
        return network_id or subnet[: subnet.casefold().index("/subnets/")], last_segment(subnet)
    return network_id, subnet


def refuse_page_blobs(given: Mapping[str, Any]) -> None:
    """Refuse ``vmDisks``: machines of the lab have managed disks, for which the service takes vmManagedDisks only."""
    if given.get("vmDisks"):
        raise bad_request(
            "InvalidDiskInput",
            f"{PLACE}.vmDisks is for page blobs; the machine has managed disks.",
            action=f"Give the disks in {PLACE}.vmManagedDisks.",
        )


def make_disks(source: Sequence[SourceDisk], rows: Sequence[Mapping[str, Any]]) -> list[AzureDisk]:
    """Return the protected disks that a request lists; raises ArmError 400 for one that the machine does not have."""
    made = []
    for number, row in enumerate(rows):
        found = next((disk for disk in source if same_id(disk.resource_id, row["diskId"])), None)
        if found is None:
            raise bad_request(
                "InvalidDiskInput",
                f"{PLACE}.vmManagedDisks[{number}].diskId is '{row['diskId']}'; the machine has "
                f"{', '.join(disk.resource_id for disk in source) or 'no managed disks'}.",
            )
        made.append(
            AzureDisk(
                disk_id=found.resource_id.lower(),
                name=found.name,
                size_bytes=found.size_bytes,
                boot=found.boot,
                disk_type=row.get("recoveryTargetDiskAccountType") or found.sku,
                log_account_id=row["primaryStagingAzureStorageAccountId"],
                encryption_set_id=row.get("recoveryDiskEncryptionSetId"),
                recovery_group_id=row["recoveryResourceGroupId"],
                replica_type=row.get("recoveryReplicaDiskAccountType") or found.sku,
                source_encryption_set_id=found.encryption_set_id,
                failover_name=found.name,
                test_name=f"{found.name}-ASRtest",
            )
        )
    return made


def refusal(world: World, item: AzureToAzureItem, policy: Policy) -> OperationError | None:
    """Return why the enable job will fail on what can be seen beforehand, or None."""
    container = world.resources.get(item.container_id)
    if isinstance(container, Container) and not mapped(world, container, policy, item.recovery_container_id):
        return error("78253", name=item.friendly_name, policy=policy.name)
    vm = machine(world, item.source_id)
    found = problems(world, vm, but=item) if vm else []
    if found:
        first = found[0]
        return OperationError(first.code, first.message, first.causes, first.action)
    problem = target_problem(world, item)
    return error("310056", name=item.friendly_name, problem=problem) if problem else None


def mapped(world: World, container: Container, policy: Policy, target_id: str) -> bool:
    """Return whether a container is mapped to another with this policy."""
    return any(
        same_id(mapping.policy_id, policy.id) and same_id(mapping.target_container_id, target_id)
        for mapping in mappings(world, container)
    )


def target_problem(world: World, item: AzureToAzureItem) -> str:
    """Return what is wrong with the disks and with what is to be on the recovery side, empty when nothing is."""
    if not any(disk.boot for disk in item.disks):
        return f"vmManagedDisks does not hold the disk that '{item.friendly_name}' boots from."
    primary = fabric_by_id(world, item.fabric_id).location
    recovery = fabric_by_id(world, item.recovery_fabric_id).location
    groups = [item.target.resource_group_id]
    accounts: list[str] = []
    for disk in item.disks:
        accounts.append(disk.log_account_id or "")
        groups.append(disk.recovery_group_id if isinstance(disk, AzureDisk) else "")
    missing = next((group for group in groups if group not in world.resources), None)
    if missing is not None:
        return f"The recovery resource group '{missing}' does not exist."
    for account in dict.fromkeys(accounts):
        found = _place_problem(world, "storage account", account, primary, "primary")
        if found:
            return found
    network_id = recovery_network_id(world, item)
    return _place_problem(world, "virtual network", network_id, recovery, "recovery") if network_id else ""


def recovery_network_id(world: World, item: AzureToAzureItem) -> str:
    """Return the network of the recovery machine: the one asked for, else that which the source's is mapped to."""
    if item.target.network_id:
        return item.target.network_id
    vm = machine(world, item.source_id)
    fabric = fabric_by_id(world, item.fabric_id)
    for nic in interfaces(world, vm) if vm else ():
        subnet_id = str(nic["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"])
        found = recovery_network(world, fabric, item.recovery_fabric_id, subnet_id.rpartition("/subnets/")[0])
        if found:
            return found
    return ""


def _place_problem(world: World, kind: str, resource: str, location: str, side: str) -> str:
    found = world.resources.get(resource) if resource else None
    if not isinstance(found, Mapping):
        return f"The {kind} '{resource}' does not exist."
    if not same_region(str(found["location"]), location):
        return f"The {kind} '{resource}' is in {found['location']}; the {side} region is {location}."
    return ""
