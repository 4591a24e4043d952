"""Lifts what replication between regions of Azure leaves in a vault: Azure fabrics, their containers, A2A items.

An item is brought into its recorded state by the lab itself: enabled with a request made from what is told of it, then
tested, failed over and committed as its state says. A session that only acts on an item tells of it later, where the
item stands after its protection was switched; that is read then.
"""

from collections.abc import Mapping
from typing import Any

from asr_lab.arm.providers.azure_fabric import AZURE_REGION, AzureContainer, region
from asr_lab.arm.providers.azure_to_azure_details import azure_disks
from asr_lab.arm.providers.azure_to_azure_model import A2A, AzureToAzureItem
from asr_lab.arm.providers.azure_to_azure_source import (
    GIB,
    interfaces,
    machine,
    managed_disks,
    read_nics,
    seed_virtual_machine,
)
from asr_lab.arm.providers.model import Container, Fabric, Policy
from asr_lab.arm.providers.model import Mapping as Mapped
from asr_lab.arm.providers.scope import mappings
from asr_lab.arm.resources.compute import VmDisk, VmNic, create_vm, delete_vm
from asr_lab.arm.resources.network import add_virtual_network
from asr_lab.arm.resources.resource_groups import add_resource_group
from asr_lab.arm.resources.storage import add_storage_account
from asr_lab.arm.wire import group_id, last_segment, same_id
from asr_lab.contract import lift
from asr_lab.contract.drive import drive
from asr_lab.contract.lift import Body, Context, details, lifts_container, lifts_fabric, lifts_item, properties

lift.POLICIES[A2A] = {
    "instanceType": A2A,
    "recoveryPointThresholdInMinutes": 0,
    "recoveryPointHistory": 1440,
    "appConsistentFrequencyInMinutes": 60,
    "multiVmSyncStatus": "Enabled",
    "crashConsistentFrequencyInMinutes": 5,
}
_OWN = "replicated"


@lifts_fabric(AZURE_REGION)
def fabric(body: Body, context: Context) -> Fabric:
    """Return the fabric of a region: the recorded one, else that which the session's other facts gave it."""
    held, told = properties(body), details(body)
    name = last_segment(str(body["id"]))
    location = str(told.get("location") or context.location)
    known = region(location)
    dra = _own_provider(context, str(body["id"]))
    return Fabric(
        id=f"{context.vault_id}/replicationFabrics/{name}",
        name=name,
        kind=AZURE_REGION,
        friendly_name=str(held.get("friendlyName") or (known["text"] if known else location)),
        internal_id=dra or str(held.get("internalIdentifier") or context.world.guid()),
        vault_id=context.vault_id,
        location=location,
        servers=[],
        registered=context.now,
    )


@lifts_container(AZURE_REGION)
def container(body: Body, context: Context) -> Container:
    """Return a container of a region."""
    if context.fabric is None:
        raise LookupError("its fabric is not there")
    name = last_segment(str(body["id"]))
    return AzureContainer(
        id=f"{context.fabric.id}/replicationProtectionContainers/{name}",
        name=name,
        friendly_name=str(properties(body).get("friendlyName") or name),
        fabric_id=context.fabric.id,
        internal_id=context.world.guid(),
    )


@lifts_item(A2A)
def item(body: Body, context: Context) -> AzureToAzureItem:
    """Return a machine that is replicated to another region, in the recorded state."""
    policy, source = context.policy, context.container
    if not isinstance(policy, Policy) or source is None or context.fabric is None:
        raise LookupError("a protected item needs a policy and a container")
    recovery = _recovery_container(body, context, source)
    told = {**_told_later(body, context, recovery), **_settled(details(body))}
    given = _request(told, str(properties(body).get("friendlyName") or body["name"]), context, recovery)
    path = f"{source.id}/replicationProtectedItems/{last_segment(str(body['id']))}"
    asked = {"properties": {"policyId": policy.id, "providerSpecificDetails": given}}
    _map_back(context, recovery, source, policy)
    context.scene.do("PUT", path, asked)
    made = context.world.resources.get(path)
    if not isinstance(made, AzureToAzureItem):
        raise LookupError(f"PUT {path} made no protected item")
    drive(body, context, made, silent=False, address="")
    if told.get("initialPrimaryFabricLocation") not in (None, told.get("primaryFabricLocation")):
        _as_turned(made, told, context)
    return made


def _own_provider(context: Context, fabric_id: str) -> str:
    """Return the name of the fabric's recovery services provider where the session tells it, else an empty string."""
    start = f"{fabric_id}/replicationRecoveryServicesProviders/".casefold()
    return next((one[len(start) :] for one in context.ids if one.casefold().startswith(start)), "")


def _recovery_container(body: Body, context: Context, source: Container) -> Container:
    """Return the container that the item replicates to: as told, else one of another region."""
    resources = context.world.resources
    told = resources.get(str(properties(body).get("recoveryContainerId") or ""))
    if isinstance(told, Container):
        return told
    held = [one for one in map(resources.get, resources.ids()) if isinstance(one, AzureContainer)]
    found = next((one for one in held if one.fabric_id != source.fabric_id), None)
    if found is None:
        raise LookupError("there is no container of another region to replicate to")
    return found


def _map_back(context: Context, recovery: Container, source: Container, policy: Policy) -> None:
    """Map the recovery container to the source's, which a switch of protection takes for granted."""
    known = [one for one in mappings(context.world, recovery) if same_id(one.policy_id, policy.id)]
    if not known:
        name = f"back-with-{policy.name}"
        made_id = f"{recovery.id}/replicationProtectionContainerMappings/{name}"
        made = Mapped(made_id, name, recovery.id, policy.id, source.id, {"instanceType": A2A})
        context.world.resources.put(made_id, made)


def _told_later(body: Body, context: Context, recovery: Container) -> dict[str, Any]:
    """Return details, seen from the item's side, that the item shows in the other container after a switch."""
    path = f"{recovery.id}/replicationProtectedItems/{last_segment(str(body['id']))}"
    later = context.told.get(path.casefold())
    told = details(later) if later else {}
    if not told.get("fabricObjectId"):
        return {}
    recovered = str(told["fabricObjectId"])
    rows = [row for row in told.get("protectedManagedDisks") or () if isinstance(row, Mapping)]
    return {
        "recoveryAzureResourceGroupId": recovered[: recovered.casefold().index("/providers/")],
        "recoveryAzureVMName": told.get("recoveryAzureVMName"),
        "fabricObjectId": (
            f"{told.get('recoveryAzureResourceGroupId')}/providers/Microsoft.Compute/virtualMachines/"
            f"{told.get('recoveryAzureVMName')}"
        ),
        "osType": told.get("osType"),
        "protectedManagedDisks": [
            {
                "diskId": row.get("recoveryOrignalTargetDiskId") or "",
                "diskName": row.get("diskName"),
                "diskType": row.get("diskType"),
                "diskCapacityInBytes": row.get("diskCapacityInBytes"),
            }
            for row in rows
        ],
        "vmSyncedConfigDetails": told.get("vmSyncedConfigDetails"),
        "vmNics": [
            {"sourceSecurityGroupId": nic.get("recoveryNetworkSecurityGroupId")}
            for nic in told.get("vmNics") or ()
            if isinstance(nic, Mapping)
        ],
    }


def _settled(told: Body) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value not in (None, [], "")}


def _request(told: Body, name: str, context: Context, recovery: Container) -> dict[str, Any]:
    """Return providerSpecificDetails of an enable request, with everything that it names in the world."""
    world = context.world
    fabric, target = context.fabric, world.resources.get(recovery.fabric_id)
    if fabric is None or not isinstance(target, Fabric):
        raise LookupError("a fabric of the item is not there")
    group = _own_group(context)
    vm_id = _source(told, name, context, fabric.location, group)
    recovery_group = str(told.get("recoveryAzureResourceGroupId") or group)
    _ensure_group(context, recovery_group, target.location)
    _clear_the_way(context, recovery_group, str(told.get("recoveryAzureVMName") or last_segment(vm_id)), vm_id)
    network = str(told.get("selectedRecoveryAzureNetworkId") or "")
    if network not in world.resources:
        network = _network(context, group, target.location)
    _move(context, network, target.location)
    rows = {str(row.get("diskId")).casefold(): row for row in told.get("protectedManagedDisks") or ()}
    vm = machine(world, vm_id)
    disks = []
    for disk in managed_disks(world, vm) if vm else ():
        row = rows.get(disk.resource_id.casefold(), {})
        account = str(row.get("primaryStagingAzureStorageAccountId") or "")
        if account not in world.resources:
            account = _account(context, group, fabric.location)
        _move(context, account, fabric.location)
        disks.append(
            {
                "diskId": disk.resource_id,
                "primaryStagingAzureStorageAccountId": account,
                "recoveryResourceGroupId": str(row.get("recoveryResourceGroupId") or recovery_group),
            }
        )
        _ensure_group(context, disks[-1]["recoveryResourceGroupId"], target.location)
    return {
        "instanceType": A2A,
        "fabricObjectId": vm_id,
        "recoveryContainerId": recovery.id,
        "recoveryResourceGroupId": recovery_group,
        "recoveryAzureNetworkId": network,
        "vmManagedDisks": disks,
    }


def _source(told: Body, name: str, context: Context, location: str, group: str) -> str:
    """Return the id of the source machine, made with the disks that are told when it is not there."""
    world = context.world
    vm_id = str(told.get("fabricObjectId") or f"{group}/providers/Microsoft.Compute/virtualMachines/{name}")
    if machine(world, vm_id) is None:
        vm_group = "/".join(vm_id.split("/")[:5])
        _ensure_group(context, vm_group, location)
        subnet = f"{_network(context, group, location)}/subnets/default"
        rows = [row for row in told.get("protectedManagedDisks") or () if row.get("diskName")]
        if rows:
            create_vm(
                world,
                context.now,
                resource_group=vm_group,
                name=last_segment(vm_id),
                size="Standard_DS1_v2",
                location=location,
                nics=[VmNic(subnet, name=f"{last_segment(vm_id)}VMNic")],
                disks=[
                    VmDisk(
                        str(row["diskName"]),
                        int(row.get("diskCapacityInBytes") or 127 * GIB),
                        boot=row.get("diskType") == "OperatingSystem" or number == 0,
                    )
                    for number, row in enumerate(rows)
                ],
                tags={},
                os_type="Linux" if told.get("osType") == "Linux" else "Windows",
            )
        else:
            seed_virtual_machine(
                world,
                context.now,
                resource_group=vm_group,
                name=last_segment(vm_id),
                location=location,
                subnet_id=subnet,
            )
    found: Any = machine(world, vm_id)
    found["location"] = location
    tags = (told.get("vmSyncedConfigDetails") or {}).get("tags")
    if tags:
        found["tags"] = dict(tags)
    for nic, row in zip(interfaces(world, found), told.get("vmNics") or (), strict=False):
        security_group = row.get("sourceSecurityGroupId")
        if security_group:
            nic["properties"]["networkSecurityGroup"] = {"id": security_group}
    return str(found["id"])


def _clear_the_way(context: Context, group: str, name: str, source_id: str) -> None:
    """Take away a machine of the recovery machine's name: the session's own failover makes it."""
    vm_id = f"{group}/providers/Microsoft.Compute/virtualMachines/{name}"
    if vm_id.casefold() != source_id.casefold() and machine(context.world, vm_id) is not None:
        delete_vm(context.world, vm_id)


def _as_turned(made: AzureToAzureItem, told: Body, context: Context) -> None:
    """Let an item look as one does whose protection was switched: it keeps its first regions and knows its NICs."""
    made.initial_primary_location = str(told.get("initialPrimaryFabricLocation"))
    made.initial_recovery_location = str(told.get("initialRecoveryFabricLocation"))
    for disk in azure_disks(made):
        disk.original_id = f"{disk.recovery_group_id}/providers/Microsoft.Compute/disks/{disk.name}"
    vm = machine(context.world, made.source_id)
    if vm is not None and not made.nics:
        made.nics = list(read_nics(context.world, vm, []))


# What the request names


def _own_group(context: Context) -> str:
    _, _, subscription, _, group = context.vault_id.split("/")[:5]
    return group_id(subscription, group)


def _ensure_group(context: Context, group: str, location: str) -> None:
    if group not in context.world.resources:
        parts = group.split("/")
        add_resource_group(context.world, parts[2], parts[4], location=location)


def _network(context: Context, group: str, location: str) -> str:
    _, _, subscription, _, name = group.split("/")
    made = f"{group}/providers/Microsoft.Network/virtualNetworks/{_OWN}-{location}"
    if made not in context.world.resources:
        add_virtual_network(
            context.world,
            subscription,
            name,
            f"{_OWN}-{location}",
            location=location,
            address_prefixes=["10.70.0.0/16"],
            subnets={"default": "10.70.0.0/20"},
        )
    return made


def _account(context: Context, group: str, location: str) -> str:
    _, _, subscription, _, name = group.split("/")
    made = f"{group}/providers/Microsoft.Storage/storageAccounts/{_OWN}{location}"
    if made not in context.world.resources:
        add_storage_account(context.world, subscription, name, f"{_OWN}{location}", location=location, now=context.now)
    return made


def _move(context: Context, resource_id: str, location: str) -> None:
    """Let a resource be in a region; a recording seldom tells where accounts and networks are."""
    found: Any = context.world.resources.get(resource_id)
    if isinstance(found, dict):
        found["location"] = location
