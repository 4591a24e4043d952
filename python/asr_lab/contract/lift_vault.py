"""Lifts what a vault holds beside fabrics and items: networks, mappings, storage, plans, jobs, events, alerts."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from asr_lab.arm.operations import Operation, State, Target
from asr_lab.arm.providers import rules
from asr_lab.arm.providers.events import Event, add_event
from asr_lab.arm.providers.model import AZURE, Fabric
from asr_lab.arm.providers.plans import Group, Member, Plan
from asr_lab.arm.providers.vmware_vcenters import VCenter
from asr_lab.arm.resources.network_mappings import NetworkMapping
from asr_lab.arm.resources.networks import add_logical_network
from asr_lab.arm.resources.storage_classifications import StorageMapping, add_storage_classification
from asr_lab.arm.wire import last_segment
from asr_lab.contract import paths
from asr_lab.contract.lift import Body, Context, lifts_others, properties
from asr_lab.contract.pace import error_of_job
from asr_lab.contract.pairing import ParentMissing
from asr_lab.contract.recording import moment

_NOT_DURING_THE_SESSION_S = 3650 * 86400.0
_STATES: Mapping[str, State] = {"Succeeded": "Succeeded", "Failed": "Failed", "Cancelled": "Cancelled"}


@lifts_others("replicationLogicalNetworks")
def logical_network(body: Body, context: Context) -> None:
    """Put a logical network of a VMM server into its fabric."""
    fabric, name = _fabric(context), last_segment(str(body["id"]))
    add_logical_network(context.world, fabric, name, str(properties(body).get("friendlyName") or name))


@lifts_others("replicationStorageClassifications")
def storage_classification(body: Body, context: Context) -> None:
    """Put a storage classification of a VMM server into its fabric."""
    fabric, name = _fabric(context), last_segment(str(body["id"]))
    add_storage_classification(context.world, fabric, name, str(properties(body).get("friendlyName") or name))


@lifts_others("replicationStorageClassificationMappings")
def storage_mapping(body: Body, context: Context) -> None:
    """Put the mapping of a storage classification into the world."""
    target = str(properties(body).get("targetStorageClassificationId") or "")
    made = StorageMapping(_own_id(body, context), last_segment(str(body["id"])), target)
    context.world.resources.put(made.id, made)


@lifts_others("replicationNetworkMappings")
def network_mapping(body: Body, context: Context) -> None:
    """Put a network mapping into its fabric."""
    held = properties(body)
    inside = held.get("fabricSpecificSettings")
    specific: Mapping[str, Any] = inside if isinstance(inside, Mapping) else {}
    fabric = _fabric(context)
    recovery = str(held.get("recoveryNetworkId") or _network_of(context))
    to_azure = "/virtualnetworks/" in recovery.casefold()
    kind = str(specific.get("instanceType") or _mapping_kind(fabric, to_azure=to_azure))
    primary = str(held.get("primaryNetworkId") or "/".join(str(body["id"]).split("/")[:-2]))
    made = NetworkMapping(
        id=_own_id(body, context),
        name=last_segment(str(body["id"])),
        kind=kind,
        fabric_id=fabric.id,
        guid=context.world.guid(),
        primary_network_id=primary,
        primary_network_name=str(held.get("primaryNetworkFriendlyName") or last_segment(primary)),
        recovery_network_id=recovery,
        recovery_network_name=str(held.get("recoveryNetworkFriendlyName") or last_segment(recovery)),
        recovery_fabric_id=str(held.get("recoveryFabricArmId") or AZURE),
        recovery_fabric_name=str(held.get("recoveryFabricFriendlyName") or AZURE),
        primary_location=str(specific.get("primaryFabricLocation") or fabric.location),
        recovery_location=str(specific.get("recoveryFabricLocation") or fabric.location),
    )
    context.world.resources.put(made.id, made)


def _mapping_kind(fabric: Fabric, *, to_azure: bool) -> str:
    if fabric.kind == "Azure":
        return "AzureToAzure"
    return "VmmToAzure" if to_azure else "VmmToVmm"


def _network_of(context: Context) -> str:
    return next((one for one in context.ids if paths.collection_of(one).casefold() == "virtualnetworks"), "")


@lifts_others("replicationvCenters")
def vcenter(body: Body, context: Context) -> None:
    """Put a vCenter into the fabric of its configuration server."""
    held, fabric = properties(body), _fabric(context)
    made = VCenter(
        id=_own_id(body, context),
        name=last_segment(str(body["id"])),
        fabric_id=fabric.id,
        friendly_name=str(held.get("friendlyName") or last_segment(str(body["id"]))),
        address=str(held.get("ipAddress") or context.hosts.free_address()),
        port=str(held.get("port") or "443"),
        account_id=str(held.get("runAsAccountId") or "1"),
        server_id=str(held.get("processServerId") or (fabric.servers[0].server_id if fabric.servers else "")),
        internal_id=str(held.get("internalId") or context.world.guid()),
        infrastructure_id=str(held.get("infrastructureId") or "1"),
        discovered=context.now if held.get("lastHeartbeat") else None,
    )
    context.world.resources.put(made.id, made)


@lifts_others("replicationRecoveryPlans")
def recovery_plan(body: Body, context: Context) -> None:
    """Put a recovery plan into the vault, with its groups where they were read."""
    held = properties(body)
    name = last_segment(str(body["id"]))
    groups = [_group(row) for row in held.get("groups") or () if isinstance(row, Mapping)]
    made = Plan(
        id=f"{context.vault_id}/replicationRecoveryPlans/{name}",
        name=str(held.get("friendlyName") or name),
        object_id=context.world.guid(),
        vault_id=context.vault_id,
        primary_fabric_id=str(held.get("primaryFabricId") or ""),
        recovery_fabric_id=str(held.get("recoveryFabricId") or AZURE),
        deployment_model=str(held.get("failoverDeploymentModel") or "ResourceManager"),
        groups=groups or [Group("Shutdown"), Group("Failover"), Group("Boot", _members(held, context))],
        specific=[dict(row) for row in held.get("providerSpecificDetails") or () if isinstance(row, Mapping)],
        last_test=moment(held.get("lastTestFailoverTime")),
        last_planned=moment(held.get("lastPlannedFailoverTime")),
        last_unplanned=moment(held.get("lastUnplannedFailoverTime")),
    )
    context.world.resources.put(made.id, made)


def _group(row: Body) -> Group:
    members = [
        Member(str(one["id"]))
        for one in row.get("replicationProtectedItems") or ()
        if isinstance(one, Mapping) and one.get("id")
    ]
    return Group(
        str(row.get("groupType") or "Boot"),
        members,
        [dict(one) for one in row.get("startGroupActions") or ()],
        [dict(one) for one in row.get("endGroupActions") or ()],
    )


def _members(held: Body, context: Context) -> list[Member]:
    """Return members for a plan that only a list showed: the items of its fabric that its providers replicate."""
    start = str(held.get("primaryFabricId") or "")
    providers = held.get("replicationProviders") or ()
    found = context.world.resources.descendants(start, "replicationProtectedItems") if start else []
    return [Member(item.id) for item in found if item.provider in providers]


@lifts_others("replicationAlertSettings")
def alert_setting(body: Body, context: Context) -> None:
    """Say whom the vault sends mail, as recorded."""
    held = properties(body)
    given = {name: held[name] for name in ("sendToOwners", "customEmailAddresses", "locale") if held.get(name)}
    answer = context.scene.ask("PUT", _own_id(body, context), {"properties": given}, api_version="2022-08-01")
    if answer.status != 200:
        raise LookupError(f"PUT {body['id']} was answered {answer.status}: {answer.body}")


@lifts_others("replicationEvents")
def event(body: Body, context: Context) -> None:
    """Put an event into the vault; its type differs between a list and a GET, and each shows the other's."""
    held = properties(body)
    name = last_segment(str(body["id"]))
    machine = name.startswith("Vm")
    told = str(held.get("eventType") or "")
    listed = told if told and told != "AgentHealth" else ("VmHealth" if machine else "ServerHealth")
    details, specific = held.get("providerSpecificDetails"), held.get("eventSpecificDetails")
    made = Event(
        name=name,
        code=str(held.get("eventCode") or ""),
        text=str(held.get("description") or ""),
        list_type=listed,
        get_type="AgentHealth" if listed in ("VmHealth", "ServerHealth") else listed,
        affected=str(held.get("affectedObjectFriendlyName") or ""),
        severity=str(held.get("severity") or "OK"),
        at=moment(held.get("timeOfOccurrence")) or context.now,
        fabric_id=_text(held.get("fabricId")),
        correlation_id=_text(held.get("affectedObjectCorrelationId")),
        details=dict(details) if isinstance(details, Mapping) else None,
        specific=dict(specific) if isinstance(specific, Mapping) else None,
        errors=[dict(row) for row in held.get("healthErrors") or () if isinstance(row, Mapping)],
    )
    add_event(context.world, context.vault_id, made)


@lifts_others("replicationJobs")
def job(body: Body, context: Context) -> None:
    """Put a job that began before the session into the world, as far as it had come."""
    held = properties(body)
    scenario = str(held.get("scenarioName") or "")
    if scenario not in rules.table("jobs"):
        raise LookupError(f"the lab has no job {scenario or '(without a name)'}")
    world = context.world
    started = moment(held.get("startTime")) or context.now - timedelta(hours=1)
    ended = moment(held.get("endTime"))
    state = str(held.get("state") or "Succeeded")
    inside = held.get("customDetails")
    details: Mapping[str, Any] = inside if isinstance(inside, Mapping) else {}
    affected = details.get("affectedObjectDetails")
    fail = error_of_job(held) if state == "Failed" else None
    made = world.begin(
        context.now,
        target_id=_job_target(held, context),
        duration_s=_NOT_DURING_THE_SESSION_S,
        scenario=scenario,
        friendly_name=str(held.get("friendlyName") or rules.scenario(scenario)["text"]),
        target=Target(
            str(held.get("targetObjectId") or ""),
            str(held.get("targetObjectName") or ""),
            str(held.get("targetInstanceType") or "ProtectionEntity"),
        ),
        custom_details={
            "provider": _job_provider(scenario, held),
            "affected": _camel(affected) if isinstance(affected, Mapping) else {},
            "extra": {k: v for k, v in details.items() if k not in ("instanceType", "affectedObjectDetails")},
            "asked": _asked(held),
        },
        fail=fail,
    )
    _rename(context, made, last_segment(str(body["id"])))
    made.started = started
    if state in _STATES:
        world.finish(made, context.now, fail)
        made.ended = made.due = ended or started
        made.state = _STATES[state]


def _rename(context: Context, made: Operation, guid: str) -> None:
    operations = context.world.operations
    del operations[made.guid.casefold()]
    made.guid = guid
    operations[guid.casefold()] = made


def _job_target(held: Body, context: Context) -> str:
    """Return the resource a job works on: the one whose name it tells, else none."""
    wanted = str(held.get("targetObjectName") or "").casefold()
    for resource_id in context.world.resources.ids(context.vault_id):
        if wanted and last_segment(resource_id).casefold() == wanted:
            return resource_id
    return f"{context.vault_id}/replicationJobs/None"


def _job_provider(scenario: str, held: Body) -> str | None:
    """Return the provider whose tasks of the scenario are the recorded ones, None for those of all."""
    told = [str(row.get("name")) for row in held.get("tasks") or () if isinstance(row, Mapping)]
    row = rules.scenario(scenario)
    own = [name.removeprefix("tasks_") for name in row if name.startswith("tasks_")]
    texts = [str(one.get("friendlyName")) for one in held.get("tasks") or () if isinstance(one, Mapping)]
    for provider in own:
        tasks = rules.scenario_tasks(scenario, provider)
        if [task["name"] for task in tasks] == told and [task["text"] for task in tasks] == texts:
            return provider
    return own[0] if own and "tasks" not in row else None


def _asked(held: Body) -> bool:
    return not any(row.get("state") == "Other" for row in held.get("tasks") or () if isinstance(row, Mapping))


def _camel(affected: Body) -> dict[str, str]:
    return {name[0].lower() + name[1:]: str(value) for name, value in affected.items() if name}


def _fabric(context: Context) -> Fabric:
    if context.fabric is None:
        raise ParentMissing("its fabric is not there")
    return context.fabric


def _own_id(body: Body, context: Context) -> str:
    """Return the id of an object below its fabric, or vault, as the lab writes those."""
    wanted = str(body["id"])
    above = context.fabric.id if context.fabric else context.vault_id
    return above + wanted[len(above) :] if paths.same_start(wanted, above) else wanted


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
