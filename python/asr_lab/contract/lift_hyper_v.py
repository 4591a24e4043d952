"""Lifts what Hyper-V leaves in a vault: sites and VMM servers, their virtual machines, items of HyperVReplicaAzure.

An item is brought into its recorded state by the lab itself: protected by a request made from what is told of it, then
tested, failed over, committed and brought back as its state says. What only the service could choose is set afterwards.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from asr_lab.arm.providers import hyper_v
from asr_lab.arm.providers.hyper_v_model import (
    HYPER_V_SITE,
    VMM,
    HyperVItem,
    HyperVProtectable,
    VirtualAdapter,
    VirtualDisk,
    VirtualMachine,
)
from asr_lab.arm.providers.hyper_v_site import AGENT_VERSION
from asr_lab.arm.providers.model import ApplianceServer, Fabric, Policy
from asr_lab.arm.providers.vmm import Network
from asr_lab.arm.resources.networks import add_logical_network
from asr_lab.arm.resources.storage_classifications import add_storage_classification
from asr_lab.arm.wire import last_segment
from asr_lab.contract import drive, lift, paths
from asr_lab.contract.azure import OWN_ACCOUNT, OWN_NETWORK
from asr_lab.contract.lift import GIB, Body, Context, details, lifts_fabric, lifts_item, lifts_protectable, properties

lift.POLICIES["HyperVReplicaAzure"] = {
    "instanceType": "HyperVReplicaAzure",
    "recoveryPointHistoryDurationInHours": 2,
    "applicationConsistentSnapshotFrequencyInHours": 1,
    "replicationInterval": 300,
    "onlineReplicationStartTime": None,
    "encryption": "Disabled",
    "activeStorageAccountId": None,
}
_MIB = 1024**2
_NEVER_TESTED = "161011"


# Fabrics


@lifts_fabric(HYPER_V_SITE, VMM)
def fabric(body: Body, context: Context) -> Fabric:
    """Return a site with as many hosts as recorded, or a VMM server with its networks."""
    held = properties(body)
    name = last_segment(str(body["id"]))
    kind = str(details(body).get("instanceType") or HYPER_V_SITE)
    friendly = str(held.get("friendlyName") or name)
    made = Fabric(
        id=f"{context.vault_id}/replicationFabrics/{name}",
        name=name,
        kind=kind,
        friendly_name=friendly,
        internal_id=str(held.get("internalIdentifier") or _internal_id(body, context)),
        vault_id=context.vault_id,
        location=context.location,
        servers=list(_servers(body, context, friendly)),
        registered=context.now,
    )
    if kind == VMM:
        for network in _networks(made, context):
            context.world.resources.put(network.id, network)
        for name, text in _named(made, context, "replicationLogicalNetworks"):
            add_logical_network(context.world, made, name, text)
        for name, text in _named(made, context, "replicationStorageClassifications"):
            add_storage_classification(context.world, made, name, text)
    return made


def _named(made: Fabric, context: Context, collection: str) -> Iterator[tuple[str, str]]:
    """Yield name and friendly name of what the recording knows of a collection of the fabric."""
    for name in _below({"id": made.id}, context, collection):
        told = properties(context.told.get(paths.key(f"{made.id}/{collection}/{name}"), {}))
        yield name, str(told.get("friendlyName") or name)


def _below(body: Body, context: Context, collection: str) -> Iterator[str]:
    """Yield the names that the recording knows of a collection of the fabric, each once."""
    start = f"{paths.key(str(body['id']))}/{collection.casefold()}/"
    seen: set[str] = set()
    for known in context.ids:
        key = paths.key(known)
        name = known.rstrip("/").split("/")[start.count("/")] if key.startswith(start) else ""
        if name and name.casefold() not in seen:
            seen.add(name.casefold())
            yield name


def _internal_id(body: Body, context: Context) -> str:
    """Return the GUID of a fabric: that in the name of its container, else a new one."""
    names = _below(body, context, "replicationProtectionContainers")
    found = (name.removeprefix("cloud_") for name in names if name.startswith("cloud_"))
    return next(found, None) or context.world.guid()


def _servers(body: Body, context: Context, friendly: str) -> Iterator[ApplianceServer]:
    """Yield the servers: one for each recorded provider, named by it or by the hosts, at least one."""
    rows = [row for row in details(body).get("hyperVHosts") or () if isinstance(row, Mapping)]
    names = list(_below(body, context, "replicationRecoveryServicesProviders"))
    while len(names) < max(1, len(rows)):
        names.append(context.world.guid())
    for number, name in enumerate(names):
        told_id = f"{body['id']}/replicationRecoveryServicesProviders/{name}"
        told = properties(context.told.get(paths.key(told_id), {}))
        row: Mapping[str, Any] = rows[number] if number < len(rows) else {}
        text = str(told.get("friendlyName") or row.get("name") or friendly)
        host = context.host(text)
        host_id = str(row.get("id") or told.get("machineId") or host.host_id)
        yield ApplianceServer(name, text, host, str(row.get("marsAgentVersion") or AGENT_VERSION), host_id)


def _networks(made: Fabric, context: Context) -> Iterator[Network]:
    for name in _below({"id": made.id}, context, "replicationNetworks"):
        network_id = f"{made.id}/replicationNetworks/{name}"
        told = properties(context.told.get(paths.key(network_id), {}))
        subnets = [dict(row) for row in told.get("subnets") or () if isinstance(row, Mapping)]
        friendly, kind = str(told.get("friendlyName") or name), str(told.get("networkType") or "VmNetwork")
        yield Network(network_id, name, made.id, friendly, kind, subnets)


# Machines


@lifts_protectable("HyperVVirtualMachine", "VmmVirtualMachine")
def protectable(body: Body, context: Context) -> HyperVProtectable:
    """Return a virtual machine that a host has reported."""
    held, told = properties(body), details(body)
    name = last_segment(str(body["id"]))
    friendly = str(held.get("friendlyName") or name)
    system = told.get("osDetails")
    rows = [row for row in told.get("diskDetails") or () if isinstance(row, Mapping)]
    later = _protected_as(str(body["id"]), context)
    machine = VirtualMachine(
        vm_id=str(told.get("sourceItemId") or name),
        name=friendly,
        disks=_disks(rows, friendly, context),
        adapters=_adapters(later, context),
        cores=int(_either(later, "sourceVmCpuCount", "sourceVmCPUCount") or 2),
        memory_mb=int(_either(later, "sourceVmRamSizeInMB", "sourceVmRAMSizeInMB") or 4096),
        os_type=_os_type(system),
        os_reported=bool(system) or not told,
        generation=2 if str(told.get("generation")) == "2" else 1,
        has_physical_disk=told.get("hasPhysicalDisk") == "Present",
        has_fibre_channel=told.get("hasFibreChannelAdapter") == "Present",
        has_shared_vhd=told.get("hasSharedVhd") == "Present",
    )
    supported = held.get("supportedReplicationProviders")
    return _put_machine(
        context,
        machine,
        name=name,
        dra_id=last_segment(str(held.get("recoveryServicesProviderId") or "")),
        host_id=str(told.get("hyperVHostId") or ""),
        providers=tuple(str(one) for one in supported) if isinstance(supported, list) else ("HyperVReplicaAzure",),
    )


def _protected_as(protectable_id: str, context: Context) -> Body:
    """Return the details of the recorded item that protects a machine, empty when there is none."""
    wanted = paths.key(protectable_id)
    bodies = (one for one in context.told.values() if properties(one).get("protectableItemId"))
    found = (one for one in bodies if paths.key(str(properties(one)["protectableItemId"])) == wanted)
    return next((details(one) for one in found), {})


def _adapters(told: Body, context: Context) -> tuple[VirtualAdapter, ...]:
    """Return the adapters that an item's details tell of, at least one."""
    rows = [row for row in told.get("vmNics") or () if isinstance(row, Mapping)]
    return tuple(_adapter(row, context) for row in rows) or (VirtualAdapter(context.world.guid(), "Switch"),)


def _put_machine(
    context: Context, machine: VirtualMachine, *, name: str, dra_id: str, host_id: str, providers: tuple[str, ...]
) -> HyperVProtectable:
    container, fabric_held = context.container, context.fabric
    if container is None or fabric_held is None:
        raise LookupError("a virtual machine lies in a container of a fabric")
    server = fabric_held.server(dra_id) or fabric_held.servers[0]
    return HyperVProtectable(
        id=f"{container.id}/replicationProtectableItems/{name}",
        name=name,
        container_id=container.id,
        friendly_name=machine.name,
        address="",
        os_type=machine.os_type,
        host=machine.as_host(),
        machine=machine,
        dra_id=server.server_id,
        host_id=host_id or server.fabric_object_id,
        providers=providers,
    )


def _os_type(system: Any) -> Literal["Windows", "Linux"]:
    told = str(system.get("osType") or "") if isinstance(system, Mapping) else ""
    return "Linux" if told.casefold() == "linux" else "Windows"


def _disks(rows: list[Mapping[str, Any]], machine: str, context: Context) -> tuple[VirtualDisk, ...]:
    systems = [number for number, row in enumerate(rows) if row.get("vhdType") == "OperatingSystem"] or [0]
    made = tuple(
        VirtualDisk(
            str(row.get("vhdId") or context.world.guid()),
            str(row.get("vhdName") or machine),
            int(float(row.get("maxSizeMB") or 0)) * _MIB or 32 * GIB,
            boot=number == systems[0],
        )
        for number, row in enumerate(rows)
    )
    return made or (VirtualDisk(_said(context, "vhdid") or context.world.guid(), machine, 32 * GIB, boot=True),)


def _said(context: Context, key: str) -> str:
    return next((text for text in context.said.get(key, ()) if text), "")


# Items


@lifts_item("HyperVReplicaAzure")
def item(body: Body, context: Context) -> HyperVItem:
    """Return a machine that is replicated to Azure, in the recorded state."""
    told = details(body)
    container, policy = context.container, context.policy
    if container is None or not isinstance(policy, Policy):
        raise LookupError("a protected item needs a policy and a container")
    source = source_of(body, context)
    given = {"instanceType": "HyperVReplicaAzure", **_target(body, told, source, context)}
    path = f"{container.id}/replicationProtectedItems/{last_segment(str(body['id']))}"
    asked = {"policyId": policy.id, "protectableItemId": source.id, "providerSpecificDetails": given}
    if properties(body).get("protectionState") == "EnablingFailed":
        asked["providerSpecificDetails"] = {**given, "targetAzureV2ResourceGroupId": f"{context.vault_id}-gone"}
    context.scene.do("PUT", path, {"properties": asked})
    made = context.world.resources.get(path)
    if not isinstance(made, HyperVItem):
        raise LookupError(f"PUT {path} made no protected item")
    _as_chosen(made, told)
    _drive(body, context, made)
    return made


def source_of(body: Body, context: Context) -> HyperVProtectable:
    """Return the machine an item protects with the disks and adapters that the item tells of."""
    held, told = properties(body), details(body)
    told_id = str(held.get("protectableItemId") or "")
    name = last_segment(told_id) or str(told.get("vmId") or "") or _said(context, "hvhostvmid") or context.world.guid()
    friendly = str(held.get("friendlyName") or name)
    known = context.world.resources.get(told_id) if told_id else None
    rows = [row for row in _either(told, "azureVmDiskDetails", "azureVMDiskDetails") or () if isinstance(row, Mapping)]
    before = known.machine if isinstance(known, HyperVProtectable) else None
    machine = VirtualMachine(
        vm_id=str(told.get("vmId") or name),
        name=friendly,
        disks=_disks(rows, friendly, context) if rows or before is None else before.disks,
        adapters=_adapters(told, context),
        os_type=_os_type(told.get("oSDetails")),
        os_reported=before.os_reported if before else True,
        generation=before.generation if before else 1,
        cores=int(_either(told, "sourceVmCpuCount", "sourceVmCPUCount") or 2),
        memory_mb=int(_either(told, "sourceVmRamSizeInMB", "sourceVmRAMSizeInMB") or 4096),
    )
    dra_id = last_segment(str(held.get("recoveryServicesProviderId") or ""))
    known_providers = known.providers if isinstance(known, HyperVProtectable) else ("HyperVReplicaAzure",)
    made = _put_machine(context, machine, name=name, dra_id=dra_id, host_id="", providers=known_providers)
    context.world.resources.put(made.id, made)
    return made


def _adapter(row: Body, context: Context) -> VirtualAdapter:
    configs = [one for one in row.get("ipConfigs") or () if isinstance(one, Mapping)]
    address = configs[0].get("staticIPAddress") if configs else row.get("primaryNicStaticIPAddress")
    return VirtualAdapter(context.world.guid(), str(row.get("vMNetworkName") or "Switch"), "", str(address or ""))


def _target(body: Body, told: Body, source: HyperVProtectable, context: Context) -> dict[str, Any]:
    """Return the target of the request that protects the machine, from what the item tells and the world has."""
    group = "/".join(context.vault_id.split("/")[:5]).replace("/Subscriptions/", "/subscriptions/", 1)
    account = f"{group}/providers/Microsoft.Storage/storageAccounts/{OWN_ACCOUNT}"
    network = f"{group}/providers/Microsoft.Network/virtualNetworks/{OWN_NETWORK}"
    fabric_region = context.fabric.location if context.fabric else context.location
    wanted = {
        "targetAzureNetworkId": _there(context, told.get("selectedRecoveryAzureNetworkId"), fabric_region),
        "targetStorageAccountId": _there(context, told.get("recoveryAzureStorageAccount"), fabric_region) or account,
        "targetAzureV2ResourceGroupId": _there(context, told.get("recoveryAzureResourceGroupId"), "") or group,
        "targetVmSize": told.get("recoveryAzureVMSize"),
        "licenseType": told.get("licenseType"),
        "useManagedDisks": told.get("useManagedDisks"),
        "targetVmTags": told.get("targetVmTags"),
        "targetManagedDiskTags": told.get("targetManagedDiskTags"),
        "seedManagedDiskTags": told.get("seedManagedDiskTags"),
        "targetNicTags": told.get("targetNicTags"),
    }
    if not told.get("vmNics") and not wanted["targetAzureNetworkId"]:
        wanted["targetAzureNetworkId"] = network
    if told.get("protectedManagedDisks"):
        wanted["useManagedDisksForReplication"] = "True"
    name = _either(told, "recoveryAzureVmName", "recoveryAzureVMName")
    return {
        "hvHostVmId": source.machine.vm_id,
        "vmName": source.machine.name,
        "osType": source.machine.os_type,
        "targetAzureVmName": name or f"vm-{body.get('name')}",
        **{key: value for key, value in wanted.items() if value},
    }


def _there(context: Context, resource_id: Any, location: str) -> str:
    """Return an id when the world has the resource in this region (an empty one: anywhere), else an empty text."""
    found: Any = context.world.resources.get(str(resource_id)) if resource_id else None
    if found is None or (location and str(found.get("location")).casefold() != location.casefold()):
        return ""
    return str(resource_id)


def _as_chosen(made: HyperVItem, told: Body) -> None:
    """Write what the service chose or a change set: ids of adapters and disks, subnets, addresses, options."""
    rows = [row for row in told.get("vmNics") or () if isinstance(row, Mapping)]
    for nic, row in zip(made.nics, rows, strict=False):
        config: Mapping[str, Any] = next(iter(row.get("ipConfigs") or ()), {})
        nic.nic_id = str(row.get("nicId") or nic.nic_id)
        nic.target_subnet = str(config.get("recoverySubnetName") or row.get("recoveryVMSubnetName") or "")
        nic.target_address = str(config.get("recoveryStaticIPAddress") or row.get("replicaNicStaticIPAddress") or "")
        nic.test_subnet = str(config.get("tfoSubnetName") or "")
        nic.test_address = str(config.get("tfoStaticIPAddress") or "")
        nic.selected = row.get("selectionType") != "NotSelected"
        made.target.test_network_id = str(row.get("tfoVMNetworkId") or made.target.test_network_id)
    disks = [row for row in _either(told, "azureVmDiskDetails", "azureVMDiskDetails") or () if isinstance(row, Mapping)]
    for disk, row in zip(made.disks, disks, strict=False):
        disk.disk_id = str(row.get("diskId") or disk.disk_id)
        disk.encryption_set_id = row.get("diskEncryptionSetId") or disk.encryption_set_id
        if row.get("customTargetDiskName"):
            made.custom_disk_names[disk.disk_id.casefold()] = str(row["customTargetDiskName"])
    made.selected_nic = str(told.get("selectedSourceNicId") or "")
    made.target.rdp = str(_either(told, "enableRdpOnTargetOption", "enableRDPOnTargetOption") or "")


def _drive(body: Body, context: Context, made: HyperVItem) -> None:
    """Bring an item whose enable job has ended into the state that ``body`` tells."""
    held, told = properties(body), details(body)
    state = str(held.get("protectionState") or "Protected")
    if state == "EnablingFailed":
        return
    if state.startswith("InitialReplication"):
        drive.wait_for(context, made, state)
        return
    drive.wait_for(context, made, "Protected")
    completing = told.get("vmProtectionState") == "ReplicaConfigurationInProgress"
    context.scene.advance(2.0 if completing else drive.PROTECTED_S)
    if "lastReplicatedTime" in told and told["lastReplicatedTime"] is None:
        made.changes_from = None
    made.untested_since = made.untested_since if warned(held) else None
    testing = held.get("testFailoverState") not in (None, "None", "MarkedForDeletion")
    if testing or held.get("testFailoverState") == "MarkedForDeletion":
        drive.test(context, made, clean_up=not testing)
    back = held.get("activeLocation") == "Primary"
    if state.startswith("Planned") and back:
        _fail_over(context, made, "unplannedFailover")
        context.scene.do("POST", f"{made.id}/failoverCommit")
        _fail_over(context, made, "plannedFailover", back=True)
    elif "Failover" in state:
        _fail_over(context, made, "plannedFailover" if state.startswith("Planned") else "unplannedFailover")
    if state.endswith("FailoverStatesBegin"):
        context.scene.do("POST", f"{made.id}/failoverCommit")


def warned(held: Body) -> bool:
    """Return whether the item warns that no test failover was done."""
    errors = [*(held.get("healthErrors") or ()), *(held.get("failoverHealthErrors") or ())]
    return any(row.get("errorCode") == _NEVER_TESTED for row in errors if isinstance(row, Mapping))


def _fail_over(context: Context, made: HyperVItem, verb: str, *, back: bool = False) -> None:
    specific = {"instanceType": hyper_v.FAILBACK if back else made.provider}
    direction = "RecoveryToPrimary" if back else "PrimaryToRecovery"
    given = {"failoverDirection": direction, "providerSpecificDetails": specific}
    context.scene.do("POST", f"{made.id}/{verb}", {"properties": given})


def _either(told: Body, name: str, old_name: str) -> Any:
    return told.get(name) if name in told else told.get(old_name)
