"""Turning replication round after a failover: switchprotection moves the item into the other fabric's container.

Recorded: the request, that the operation hangs on the container, its duration, and the item afterwards.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.operations import OperationError, OperationFailed
from asr_lab.arm.providers import replicate
from asr_lab.arm.providers.azure_fabric import same_region
from asr_lab.arm.providers.azure_to_azure_enable import PLACE, make_disks, mapped, refuse_page_blobs, target_problem
from asr_lab.arm.providers.azure_to_azure_model import AzureDisk, AzureNic, AzureToAzureItem
from asr_lab.arm.providers.azure_to_azure_source import Machine, host_of, interfaces, machine, managed_disks
from asr_lab.arm.providers.enable import needed
from asr_lab.arm.providers.model import Container, Policy, Stage, Target
from asr_lab.arm.providers.plans import plans_with
from asr_lab.arm.providers.scope import Scope, fabric_by_id
from asr_lab.arm.providers.work import error
from asr_lab.arm.wire import bad_request, same_id
from asr_lab.arm.world import World


def reversed_item(scope: Scope, item: AzureToAzureItem, given: Mapping[str, Any]) -> AzureToAzureItem:
    """Return the item as it will stand in the other container; ``given`` is the checked providerSpecificDetails.

    Raises ArmError: 404 when the policy is missing, 400 when the recovery container is not the item's own, when the
    failed-over machine is gone, or when a disk is not one of that machine.
    """
    world = scope.world
    wanted = scope.get(needed(given, "recoveryContainerId"), Container)
    if not same_id(wanted.id, item.container_id):
        raise bad_request(
            "InvalidRecoveryContainer",
            f"{PLACE}.recoveryContainerId is '{wanted.id}'; the machine goes back to '{item.container_id}'.",
        )
    policy = scope.get(needed(given, "policyId"), Policy)
    refuse_page_blobs(given)
    vm = machine(world, item.vm_id or "")
    if vm is None:
        raise bad_request(
            "InvalidFabricObjectId",
            f"The failed-over virtual machine of '{item.friendly_name}' does not exist.",
            action="Fail over and commit before you switch protection.",
        )
    return _turned(world, item, vm, policy, given)


def refusal(world: World, made: AzureToAzureItem) -> OperationError | None:
    """Return why the job will fail on what can be seen beforehand, or None."""
    container, policy = world.resources.get(made.container_id), world.resources.get(made.policy_id)
    if made.id in world.resources:
        return error("25037", name=made.friendly_name, state="in use", operation=f"taking the name '{made.name}'")
    if not isinstance(container, Container) or not isinstance(policy, Policy):
        return error("78253", name=made.friendly_name, policy=made.policy_id)
    if not mapped(world, container, policy, made.recovery_container_id):
        return error("78253", name=made.friendly_name, policy=policy.name)
    problem = target_problem(world, made)
    return error("310056", name=made.friendly_name, problem=problem) if problem else None


def turn(world: World, item: AzureToAzureItem, made: AzureToAzureItem, due: datetime) -> None:
    """Put the turned item in the place of the item and begin its replication; raises OperationFailed (25037)."""
    if world.resources.get(item.id) is not item:
        raise OperationFailed(error("25037", name=item.friendly_name, state="removed", operation="SwitchProtection"))
    if made.id in world.resources:
        raise OperationFailed(
            error("25037", name=made.friendly_name, state="in use", operation=f"taking the name '{made.name}'")
        )
    replicate.leave(world, item)
    _follow_in_plans(world, item, made)
    world.resources.delete(item.id)
    world.resources.put(made.id, made)
    replicate.begin(world, made, due)


def turning(world: World, item: AzureToAzureItem, made: AzureToAzureItem) -> partial[None]:
    """Return what the job does when it ends."""
    return partial(turn, world, item, made)


def usual_request(world: World, item: AzureToAzureItem, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request of a switch for a reprotection that leaves out what the service can find out (chosen).

    The machine goes back to its container and group with the item's policy; the staging account is one of the region
    that it is in now.
    """
    vm = machine(world, item.vm_id or "")
    group = "/".join(item.source_id.split("/")[:5])
    location = fabric_by_id(world, item.recovery_fabric_id).location
    accounts = world.resources.descendants("/subscriptions", "providers/Microsoft.Storage/storageAccounts")
    account = next((str(one["id"]) for one in accounts if same_region(str(one["location"]), location)), "")
    usual: dict[str, Any] = {
        "recoveryContainerId": item.container_id,
        "policyId": item.policy_id,
        "recoveryResourceGroupId": group,
        "vmManagedDisks": [
            {
                "diskId": disk.resource_id,
                "primaryStagingAzureStorageAccountId": account,
                "recoveryResourceGroupId": given.get("recoveryResourceGroupId") or group,
            }
            for disk in (managed_disks(world, vm) if vm else [])
        ],
    }
    return usual | {name: value for name, value in given.items() if value}


def _follow_in_plans(world: World, item: AzureToAzureItem, made: AzureToAzureItem) -> None:
    """Let recovery plans name the item where it stands now; a plan whose items have all moved turns round (chosen)."""
    for plan in plans_with(world, item):
        for member in plan.members:
            if same_id(member.item_id, item.id):
                member.item_id = made.id
        moved = [member.item_id.casefold().startswith(f"{made.fabric_id}/".casefold()) for member in plan.members]
        if all(moved):
            plan.primary_fabric_id, plan.recovery_fabric_id = made.fabric_id, made.recovery_fabric_id


def _turned(
    world: World, item: AzureToAzureItem, vm: Machine, policy: Policy, given: Mapping[str, Any]
) -> AzureToAzureItem:
    primary = fabric_by_id(world, item.recovery_fabric_id)
    original = machine(world, item.source_id)
    host = host_of(world, vm)
    return replace(
        item,
        id=f"{item.recovery_container_id}/replicationProtectedItems/{item.name}",
        container_id=item.recovery_container_id,
        fabric_id=primary.id,
        fabric_guid=primary.internal_id,
        policy_id=policy.id,
        host=host,
        target=Target(
            vm_name=str(original["name"]) if original else item.friendly_name,
            vm_size=str(vm["properties"].get("hardwareProfile", {}).get("vmSize") or item.target.vm_size),
            resource_group_id=needed(given, "recoveryResourceGroupId"),
            network_id=_network_of(world, original),
            subnet=_subnet_of(world, original),
            availability_set_id=given.get("recoveryAvailabilitySetId") or "",
            availability_zone=given.get("recoveryAvailabilityZone") or "",
            proximity_group_id=given.get("recoveryProximityPlacementGroupId") or "",
            boot_diagnostics_id=given.get("recoveryBootDiagStorageAccountId") or "",
            multi_vm_group=item.target.multi_vm_group,
            tags=dict(item.target.tags),
        ),
        disks=_disks(world, item, vm, original, given),
        nics=_nics(world, item, vm, original),
        correlation_id=world.guid(),
        source_id=str(vm["id"]),
        stage=Stage.ENABLING,
        test="NotTested",
        replication=None,
        running=None,
        last_test=None,
        last_failover=None,
        failover_point=None,
        vm_id=None,
        test_vm_ids=[],
        untested_since=None,
        warning=None,
        recovery_fabric_id=item.fabric_id,
        recovery_container_id=item.container_id,
        primary_zone=next(iter(vm.get("zones") or ()), None),
        management_id=world.guid(),
        lifecycle_id=None,
        scale_set_id=given.get("recoveryVirtualMachineScaleSetId"),
        capacity_group_id=given.get("recoveryCapacityReservationGroupId"),
        cloud_service_id=given.get("recoveryCloudServiceId"),
        fault_domain=given.get("platformFaultDomain"),
        synced=False,
        certificate_expires=None,
        former_vm_id=item.source_id,
    )


def _disks(
    world: World, item: AzureToAzureItem, vm: Machine, original: Machine | None, given: Mapping[str, Any]
) -> list[Any]:
    source = managed_disks(world, vm)
    rows = given.get("vmManagedDisks") or usual_request(world, item, given)["vmManagedDisks"]
    made = make_disks(source, rows)
    before = {disk.boot: disk for disk in managed_disks(world, original)} if original else {}
    by_target = {str(disk.target_id).casefold(): disk for disk in item.disks if isinstance(disk, AzureDisk)}
    for disk in made:
        earlier = by_target.get(disk.disk_id.casefold())
        kept = before.get(disk.boot) if disk.boot else None
        disk.original_id = kept.resource_id if kept else earlier.disk_id if earlier else None
        disk.source_encryption_set_id = None
    return list(made)


def _nics(world: World, item: AzureToAzureItem, vm: Machine, original: Machine | None) -> list[Any]:
    """Return the interfaces as they show until the machine's configuration has been read again (recorded)."""
    back = interfaces(world, original) if original else []
    made = []
    for number, nic in enumerate(interfaces(world, vm)):
        known = item.nics[number] if number < len(item.nics) else None
        there = back[number] if number < len(back) else None
        subnet_id = str(there["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]) if there else ""
        group = (there["properties"].get("networkSecurityGroup") or {}).get("id") if there else None
        made.append(
            AzureNic(
                nic_id=known.nic_id if known else world.guid(),
                source_address="",
                network_name="",
                primary=number == 0,
                target_subnet=subnet_id.rpartition("/")[2],
                arm_id=str(nic["id"]).lower(),
                recovery_network_id=subnet_id.rpartition("/subnets/")[0] or None,
                recovery_security_group_id=group,
                recovery_pools=[],
            )
        )
    return made


def _network_of(world: World, vm: Machine | None) -> str:
    return _first_subnet(world, vm).rpartition("/subnets/")[0]


def _subnet_of(world: World, vm: Machine | None) -> str:
    return _first_subnet(world, vm).rpartition("/subnets/")[2]


def _first_subnet(world: World, vm: Machine | None) -> str:
    nics = interfaces(world, vm) if vm else []
    return str(nics[0]["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]) if nics else ""
