"""What a recorded session does not say outright about its own world, concluded from what it does."""

from collections.abc import Iterator
from typing import Any

from asr_lab.arm.wire import last_segment
from asr_lab.contract import lift, paths
from asr_lab.contract.facts import Body, Facts, Signs, merged, properties
from asr_lab.contract.recording import Exchange, walk

_KIND_OF_PROVIDER = {
    "InMageRcm": "InMageRcm",
    "InMageRcmFailback": "InMageRcm",
    "InMageAzureV2": "VMware",
    "InMage": "VMware",
    "VMwareVirtualMachine": "VMware",
    "HyperVReplicaAzure": "HyperVSite",
    "HyperVReplicaAzureFailback": "HyperVSite",
    "HyperVVirtualMachine": "HyperVSite",
    "HyperVReplica2012": "VMM",
    "HyperVReplica2012R2": "VMM",
    "HyperVReplica": "VMM",
    "VmmToAzure": "VMM",
    "VmmToVmm": "VMM",
    "A2A": "Azure",
    "AzureToAzure": "Azure",
}
PROVIDER_OF_KIND = {
    "InMageRcm": "InMageRcm",
    "VMware": "InMageAzureV2",
    "HyperVSite": "HyperVReplicaAzure",
    "VMM": "HyperVReplicaAzure",
    "Azure": "A2A",
}
_LEADING = frozenset({"replicationprotecteditems", "replicationprotectioncontainermappings"})
"""Collections whose resources lead from a fabric to one of the same kind."""
_FABRIC_KINDS = frozenset(PROVIDER_OF_KIND)
_NEEDS = {
    "testFailover": ("Protected", "None"),
    "testFailoverCleanup": ("Protected", "WaitingForCompletion"),
    "unplannedFailover": ("Protected", "None"),
    "plannedFailover": ("Protected", "None"),
    "failoverCommit": ("UnplannedFailoverCommitPendingStatesBegin", "None"),
    "failoverCancel": ("PlannedFailoverCommitRequired", "None"),
    "applyRecoveryPoint": ("UnplannedFailoverCommitPendingStatesBegin", "None"),
    "changePit": ("UnplannedFailoverCommitPendingStatesBegin", "None"),
    "reProtect": ("UnplannedFailoverStatesBegin", "None"),
    "switchprotection": ("UnplannedFailoverStatesBegin", "None"),
}
_FAILBACKS = frozenset({"HyperVReplicaAzureFailback", "InMageRcmFailback"})
_TURNED = {"InMageRcmFailback": "InMageRcm", "InMage": "InMageAzureV2"}
"""What an item was before it was protected the other way round."""
_FAILBACK_TO = {"HyperVReplicaAzureFailback": "HyperVReplicaAzure"}
_STATE_WORDS = (
    "protectionState",
    "protectionStateDescription",
    "testFailoverState",
    "testFailoverStateDescription",
    "activeLocation",
    "currentScenario",
    "replicationHealth",
    "failoverHealth",
    "healthErrors",
    "replicationHealthErrors",
    "failoverHealthErrors",
    "lastSuccessfulFailoverTime",
    "lastSuccessfulTestFailoverTime",
)


def fabric_kind_of(facts: Facts, fabric_id: str, body: Body) -> str:
    """Return the kind (``customDetails.instanceType``) of a fabric; VMware when nothing tells."""
    told = lift.details(body).get("instanceType")
    if isinstance(told, str) and told:
        return told
    if last_segment(fabric_id).casefold().endswith("-vmwarefabric"):
        return "InMageRcm"
    found = list(_kinds_said(facts, fabric_id))
    if "VMM" in found:
        return "VMM"
    return found[0] if found else "VMware"


def _kinds_said(facts: Facts, fabric_id: str) -> Iterator[str]:
    """Yield the kinds that requests below a fabric, their jobs and what was read there speak of."""
    below = paths.key(fabric_id) + "/"
    for exchange in facts.session.exchanges:
        inside = (paths.key(exchange.path) + "/").startswith(below)
        if not inside and exchange.method == "GET":
            continue
        if inside and exchange.path.casefold().endswith("/discoverprotectableitem"):
            yield "VMware"
        if inside or _names(exchange.body, fabric_id):
            yield from _types(exchange.body)
            yield from _types(exchange.answer)
            for job in _jobs(facts, exchange):
                yield from (
                    text for key, text in job if key.casefold() == "primaryfabricproviderid" and text in _FABRIC_KINDS
                )
    for signs in facts.signs.values():
        told = facts.told(signs.id)
        plan_of_it = paths.key(str(properties(told).get("primaryFabricId") or "")) == paths.key(fabric_id)
        leads_there = paths.collection_of(signs.id).casefold() in _LEADING and _names(told, fabric_id)
        if plan_of_it or leads_there or paths.same_start(signs.id, fabric_id):
            yield from _types(told)


def _jobs(facts: Facts, exchange: Exchange) -> Iterator[list[tuple[str, str]]]:
    operation = facts.operations.get((exchange.operation or "").casefold())
    for poll in operation.polls if operation else ():
        yield [(key, held) for _place, key, held in walk(poll.job) if isinstance(held, str)]


def _names(body: Any, fabric_id: str) -> bool:
    wanted = paths.key(fabric_id) + "/"
    return any(
        isinstance(held, str) and (paths.key(held) + "/").startswith(wanted) for _place, _key, held in walk(body)
    )


def _types(body: Any) -> Iterator[str]:
    for _place, key, held in walk(body):
        if key in ("instanceType", "replicationProviders") and isinstance(held, str) and held in _KIND_OF_PROVIDER:
            yield _KIND_OF_PROVIDER[held]


def policy_settings(facts: Facts, policy_id: str, told: Body) -> dict[str, Any]:
    """Return the settings of a policy: as read, else those usual for the provider it is used with."""
    if told.get("instanceType"):
        return dict(told)
    wanted = paths.key(policy_id)
    name = last_segment(policy_id).casefold()
    for exchange in facts.session.exchanges:
        given = properties(exchange.body)
        if paths.key(exchange.path) == wanted and exchange.method in ("PUT", "PATCH"):
            said = next((text for _place, key, text in walk(given) if key == "instanceType"), "")
            if said in lift.POLICIES:
                return lift.usual_policy(said)
        if paths.key(str(given.get("policyId") or "")) == wanted:
            provider = str(lift.details(exchange.body).get("instanceType") or "")
            if provider and provider != "ReplicationProviderSpecificContainerMappingInput":
                return lift.usual_policy(provider)
            kind = fabric_kind_of(facts, "/".join(exchange.path.split("/")[:11]), {})
            back = kind == "VMware" and str(given.get("targetProtectionContainerId")) not in ("", "Microsoft Azure")
            return lift.usual_policy("InMage" if back else PROVIDER_OF_KIND.get(kind, "InMageAzureV2"))
    for signs in facts.signs.values():
        held = facts.told(signs.id)
        if paths.key(str(properties(held).get("policyId") or "")) == wanted:
            found = str(lift.details(held).get("instanceType") or "")
            if "failback" in name and found == "InMageAzureV2":
                return lift.usual_policy("InMage")
            if found in lift.POLICIES:
                return lift.usual_policy(found)
    kinds = [fabric_kind_of(facts, signs.id, facts.told(signs.id)) for signs in facts.before("replicationFabrics")]
    return lift.usual_policy(PROVIDER_OF_KIND.get(kinds[0] if kinds else "", "InMageAzureV2"))


def item_as_begun(facts: Facts, signs: Signs, body: Body) -> Body:
    """Return what is told of a protected item, in the state it had before the session did anything with it.

    The state is that of the first read when nothing was done before it; else it is what the first verb needs.
    """
    first_verb = next((one for one in signs.verbs if one.method != "GET"), None)
    early = [read for read in signs.reads if first_verb is None or read.position < first_verb.position]
    held = dict(properties(body))
    held.setdefault("friendlyName", _friendly_name(facts, signs))
    kind = _provider(signs, held)
    details = {**_later_words(signs), **dict(lift.details(body))}
    if kind:
        details["instanceType"] = kind
    if early:
        began = properties(early[0].body)
        held = {name: value for name, value in held.items() if name not in _STATE_WORDS or name in began}
        held.update({name: began[name] for name in _STATE_WORDS if name in began})
    else:
        held = {name: value for name, value in held.items() if name not in _STATE_WORDS}
        held["protectionState"], held["testFailoverState"] = _state_needed(facts, signs, first_verb)
        held.update(_unchanged_since(signs))
    held["providerSpecificDetails"] = details
    return {**body, "properties": held}


_TESTS = frozenset({"testFailover", "testFailoverCleanup"})
_FAILOVERS = frozenset({"unplannedFailover", "plannedFailover", "failoverCommit", "failoverCancel", "reProtect"})


def _unchanged_since(signs: Signs) -> dict[str, Any]:
    """Return words of the first read that nothing which the session did before it can have changed."""
    if not signs.reads:
        return {}
    first = signs.reads[0]
    told = properties(first.body)
    done = {paths.named(verb.path).tail for verb in signs.verbs if verb.position < first.position}
    names: list[str] = []
    if not done & _TESTS:
        names += ["testFailoverState", "testFailoverStateDescription", "lastSuccessfulTestFailoverTime"]
    if not done & _FAILOVERS:
        names += ["lastSuccessfulFailoverTime"]
    return {name: told[name] for name in names if name in told}


def _state_needed(facts: Facts, signs: Signs, verb: Exchange | None) -> tuple[str, str]:
    """Return protectionState and testFailoverState that the first verb on an item, or its container, needs."""
    if verb is None:
        name = last_segment(signs.id).casefold()
        for exchange in facts.session.exchanges:
            said = str(properties(exchange.body).get("replicationProtectedItemName") or "").casefold()
            if exchange.path.casefold().endswith("/switchprotection") and said == name:
                return _NEEDS["switchprotection"]
        return "Protected", "None"
    tail = paths.named(verb.path).tail
    if tail == "remove" and properties(verb.body).get("disableProtectionReason") == "MigrationComplete":
        return "UnplannedFailoverStatesBegin", "None"
    if tail == "plannedFailover" and _type_of(verb) in _FAILBACKS:
        back = _type_of(verb) == "HyperVReplicaAzureFailback"
        return ("UnplannedFailoverStatesBegin", "None") if back else ("Protected", "None")
    return _NEEDS.get(tail, ("Protected", "None"))


def _type_of(exchange: Exchange) -> str:
    return str(lift.details(exchange.body).get("instanceType") or "") if isinstance(exchange.body, dict) else ""


def _provider(signs: Signs, held: Body) -> str:
    """Return the item's provider: as read, else that of a request's body, else an empty string."""
    inside = held.get("providerSpecificDetails")
    told = inside.get("instanceType") if isinstance(inside, dict) else None
    if told:
        turned = [verb.position for verb in signs.verbs if paths.named(verb.path).tail == "reProtect"]
        before = [read for read in signs.reads if not turned or read.position < turned[0]]
        return str(told) if before else _TURNED.get(str(told), str(told))
    for verb in signs.verbs:
        said = _type_of(verb)
        if said and paths.named(verb.path).tail != "reProtect" and not said.endswith("Input"):
            return _FAILBACK_TO.get(said, said)
    return ""


def _later_words(signs: Signs) -> dict[str, Any]:
    """Return what the bodies of later requests on an item said under ``providerSpecificDetails``."""
    found: dict[str, Any] = {}
    for verb in signs.verbs:
        if isinstance(verb.body, dict) and verb.method == "POST":
            found = merged(lift.details(verb.body), found)
    return found


def _friendly_name(facts: Facts, signs: Signs) -> str:
    """Return the machine's name: that of its jobs where there are any, else the item's."""
    for verb in signs.verbs:
        operation = facts.operations.get((verb.operation or "").casefold())
        for poll in operation.polls if operation else ():
            if poll.job and poll.job.get("targetObjectName"):
                return str(poll.job["targetObjectName"])
    return last_segment(signs.id)
