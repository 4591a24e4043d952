"""Lifts protected items of VMware and physical machines: InMageRcm, InMageAzureV2, and those on their way back.

An item is brought into its recorded state by the lab itself: protected by a request made from what is told of it, then
tested, failed over, committed and turned round as its state says. What only the service could choose (GUIDs) is set
afterwards.
"""

from collections.abc import Mapping
from typing import Any

from asr_lab.arm.estate import HostDescription, PushFailure
from asr_lab.arm.providers.model import AZURE, Container, Policy, ProtectableItem, ProtectedItem
from asr_lab.arm.providers.model import Mapping as ContainerMapping
from asr_lab.arm.wire import last_segment
from asr_lab.contract import lift, paths
from asr_lab.contract.azure import OWN_ACCOUNT, OWN_NETWORK
from asr_lab.contract.drive import drive, wait_for
from asr_lab.contract.lift import Body, Context, details, lifts_item, properties
from asr_lab.contract.lift_servers import mac, protectable
from asr_lab.contract.machines import put_machine_of

OLDEST = "2016-08-10"
_SILENT = ("325091", "325092", "78186", "78143", "78144", "ECH0007")
"""Health errors of an item whose source does not reach its server."""


@lifts_item("InMageRcm")
def rcm_item(body: Body, context: Context) -> ProtectedItem:
    """Return a machine that the appliance replicates, in the recorded state."""
    held, told = properties(body), details(body)
    where = _where(context)
    machine, host = put_machine_of(told, str(held.get("friendlyName") or body.get("name") or "machine"), context)
    if context.fabric is None or not context.fabric.servers:
        raise LookupError("an item of InMageRcm needs a fabric with an appliance")
    server = context.fabric.server(str(told.get("processServerId") or "")) or context.fabric.servers[0]
    given = {
        "instanceType": "InMageRcm",
        "fabricDiscoveryMachineId": machine,
        "processServerId": server.server_id,
        "disksDefault": {"diskType": "Standard_LRS", "logStorageAccountId": where["account"]},
        "targetResourceGroupId": told.get("targetResourceGroupId") or where["group"],
        "targetNetworkId": told.get("targetNetworkId") or where["network"],
        "testNetworkId": told.get("testNetworkId") or where["network"],
        "targetVmName": told.get("targetVmName") or f"vm-{body.get('name')}",
    }
    return _brought(body, context, given, host, item_guid=told.get("internalIdentifier"))


@lifts_item("InMageAzureV2")
def classic_item(body: Body, context: Context) -> ProtectedItem:
    """Return a machine that a configuration server replicates, in the recorded state."""
    told, where = details(body), _where(context)
    fabric = context.fabric
    if fabric is None or not fabric.servers:
        raise LookupError("an item of InMageAzureV2 needs a fabric with a server")
    source = _protectable_of(body, context)
    server = fabric.server(str(told.get("processServerId") or "")) or fabric.servers[0]
    given = {
        "instanceType": "InMageAzureV2",
        "processServerId": server.server_id,
        "masterTargetId": server.server_id,
        **_storage(told, context, where["account"]),
        "targetAzureNetworkId": _known(context, told.get("selectedRecoveryAzureNetworkId")) or where["network"],
        "targetAzureV2ResourceGroupId": _known(context, told.get("recoveryAzureResourceGroupId")) or where["group"],
        "targetAzureVmName": told.get("recoveryAzureVMName") or f"vm-{body.get('name')}",
        "enableRdpOnTargetOption": "Never",
    }
    made = _brought(body, context, given, source.host, protectable=source.id)
    rows = [row for row in told.get("vmNics") or () if isinstance(row, Mapping)]
    for nic, row in zip(made.nics, rows, strict=False):
        nic.target_address = str(row.get("replicaNicStaticIPAddress") or "")
    return made


def _storage(told: Body, context: Context, own: str) -> dict[str, str]:
    """Return where the data goes: a storage account as in 2017, or managed disks with an account for the log."""
    account = told.get("recoveryAzureStorageAccount")
    managed = not account and (told.get("recoveryAzureLogStorageAccountId") or context.api_version > OLDEST)
    if managed:
        return {"logStorageAccountId": _known(context, told.get("recoveryAzureLogStorageAccountId")) or own}
    return {"storageAccountId": _known(context, account) or own}


@lifts_item("InMage", "InMageRcmFailback")
def item_on_its_way_back(body: Body, context: Context) -> ProtectedItem:
    """Return a machine that is replicated back from Azure: protected, failed over and turned round by the lab."""
    rcm = details(body).get("instanceType") == "InMageRcmFailback"
    forward = "InMageRcm" if rcm else "InMageAzureV2"
    fabric, container = context.fabric, context.container
    if fabric is None or not fabric.servers or container is None:
        raise LookupError("an item on its way back needs a fabric with a server")
    back = context.policy or _paired_policy(context, container, str(details(body)["instanceType"]))
    before = context.inside(fabric=fabric, container=container, policy=_paired_policy(context, container, forward))
    held = {**properties(body), "protectionState": "UnplannedFailoverStatesBegin"}
    kept = ("processServerId", "fabricDiscoveryMachineId", "osType", "internalIdentifier")
    told = {name: details(body)[name] for name in kept if details(body).get(name)}
    held["providerSpecificDetails"] = {**told, "instanceType": forward}
    lifted = rcm_item if rcm else classic_item
    made = lifted({**body, "properties": held}, before)
    server = fabric.server(str(told.get("processServerId") or "")) or fabric.servers[0]
    account = _where(context)["account"]
    specific: dict[str, Any] = {"instanceType": forward if rcm else "InMage", "datastoreName": "datastore"}
    if rcm:
        specific |= {"logStorageAccountId": account, "reprotectAgentId": server.server_id}
    else:
        specific |= {"masterTargetId": server.server_id, "processServerId": server.server_id, "retentionDrive": "F"}
        specific |= {"profileId": back.id, "runAsAccountId": "1"}
    asked = {"failoverDirection": "RecoveryToPrimary", "providerSpecificDetails": specific}
    context.scene.do("POST", f"{made.id}/reProtect", {"properties": asked})
    turned = context.world.resources.get(made.id)
    if not isinstance(turned, ProtectedItem):
        raise LookupError(f"{made.id} could not be turned round")
    wait_for(context, turned, str(properties(body).get("protectionState") or "Protected"))
    if not properties(body).get("lastSuccessfulFailoverTime"):
        turned.last_failover = None
    return turned


def _paired_policy(context: Context, container: Container, provider: str) -> Policy:
    """Return a policy of a provider that is paired with the container, made when there is none."""
    resources = context.world.resources
    held = [one for one in resources.children(context.vault_id, "replicationPolicies") if isinstance(one, Policy)]
    paired = resources.children(container.id, "replicationProtectionContainerMappings")
    ids = {paths.key(one.policy_id) for one in paired if isinstance(one, ContainerMapping)}
    for one in held:
        if one.provider == provider and paths.key(one.id) in ids:
            return one
    made = next((one for one in held if one.provider == provider), None)
    if made is None:
        name = f"policy-of-{provider}"
        own = f"{context.vault_id}/replicationPolicies/{name}"
        made = Policy(own, name, context.world.guid(), lift.usual_policy(provider))
        resources.put(made.id, made)
    mapping = f"{container.id}/replicationProtectionContainerMappings/mapping-of-{made.name}"
    target = container.id if provider == "InMage" else AZURE
    resources.put(mapping, ContainerMapping(mapping, last_segment(mapping), container.id, made.id, target, None))
    return made


def _protectable_of(body: Body, context: Context) -> ProtectableItem:
    """Return the machine an item protects, made when the session does not show it."""
    told_id = str(properties(body).get("protectableItemId") or "")
    found = context.world.resources.get(told_id) if told_id else None
    if isinstance(found, ProtectableItem):
        return found
    container = context.container
    if container is None:
        raise LookupError("a protected item lies in a container")
    name = last_segment(told_id) if told_id else context.world.guid()
    about = context.told.get(paths.key(told_id), {}) if told_id else {}
    row = {"id": f"{container.id}/replicationProtectableItems/{name}", "name": name}
    known = {"friendlyName": properties(body).get("friendlyName") or name}
    made = protectable({**row, "properties": {**known, **properties(about)}}, context)
    if made.host is None:
        made.host = context.host(made.friendly_name, mac=mac(context))
    context.world.resources.put(made.id, made)
    return made


def _known(context: Context, resource_id: Any) -> str:
    return str(resource_id) if resource_id and str(resource_id) in context.world.resources else ""


def _where(context: Context) -> dict[str, str]:
    group = "/".join(context.vault_id.split("/")[:5]).replace("/Subscriptions/", "/subscriptions/", 1)
    return {
        "group": group,
        "network": f"{group}/providers/Microsoft.Network/virtualNetworks/{OWN_NETWORK}",
        "account": f"{group}/providers/Microsoft.Storage/storageAccounts/{OWN_ACCOUNT}",
    }


def _brought(
    body: Body,
    context: Context,
    given: dict[str, Any],
    host: HostDescription | None,
    *,
    protectable: str = "",
    item_guid: Any = None,
) -> ProtectedItem:
    """Protect a machine with the request ``given`` and bring it into the recorded state."""
    policy, container = context.policy, context.container
    if not isinstance(policy, Policy) or container is None:
        raise LookupError("a protected item needs a policy and a container")
    path = f"{container.id}/replicationProtectedItems/{last_segment(str(body['id']))}"
    asked: dict[str, Any] = {"policyId": policy.id, "providerSpecificDetails": given}
    if protectable:
        asked["protectableItemId"] = protectable
    address = host.address if host else ""
    if properties(body).get("protectionState") == "EnablingFailed":
        context.hosts.push_failures[address] = PushFailure("95107", "The account was refused.", "", "")
    context.scene.do("PUT", path, {"properties": asked})
    made = context.world.resources.get(path)
    if not isinstance(made, ProtectedItem):
        raise LookupError(f"PUT {path} made no protected item")
    if item_guid:
        made.machine_id = str(item_guid)
    drive(body, context, made, silent=_silent(body), address=address)
    return made


def _silent(body: Body) -> bool:
    held = properties(body)
    errors = [*(held.get("healthErrors") or ()), *(held.get("replicationHealthErrors") or ())]
    codes = {str(row.get("errorCode")) for row in errors if isinstance(row, Mapping)}
    stages = [
        row.get("healthErrorCode") for row in details(body).get("protectedDisks") or () if isinstance(row, Mapping)
    ]
    return bool(codes.intersection(_SILENT) or set(stages).intersection(_SILENT))
