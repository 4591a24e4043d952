"""What a request for a recovery plan asks of each of its items: the body that a request for the item alone would have.

A plan's request names no recovery points but kinds of them, and its providerSpecificDetails is a list with one entry
for each provider (specification).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from asr_lab.arm.operations import OperationFailed
from asr_lab.arm.providers import timeline
from asr_lab.arm.providers.bodies import given_for
from asr_lab.arm.providers.model import ProtectedItem, RecoveryPoint
from asr_lab.arm.providers.provider import Action, provider_named
from asr_lab.arm.providers.scope import Scope
from asr_lab.arm.providers.work import error
from asr_lab.arm.wire import Request
from asr_lab.arm.world import World


@dataclass(frozen=True)
class Verb:
    """An action on plans: the segment of its path, the SDK's models for plan and item, and its job.

    ``operation`` is its name among allowedOperations; ``kind`` the customDetails of its job; ``shuts_down`` whether it
    is of the kind that can shut the source down.
    """

    path: str
    model: str | None
    item_model: str | None
    scenario: str
    operation: str
    kind: str = "AsrJobDetails"
    shuts_down: bool = False


VERBS = {
    verb.path: verb
    for verb in (
        Verb(
            "testFailover",
            "RecoveryPlanTestFailoverInput",
            "TestFailoverInput",
            "TestFailover",
            "TestFailover",
            "TestFailoverJobDetails",
        ),
        Verb(
            "testFailoverCleanup",
            "RecoveryPlanTestFailoverCleanupInput",
            "TestFailoverCleanupInput",
            "TestFailoverCleanup",
            "TestFailoverCleanup",
            "TestFailoverJobDetails",
        ),
        Verb(
            "plannedFailover",
            "RecoveryPlanPlannedFailoverInput",
            "PlannedFailoverInput",
            "PlannedFailover",
            "PlannedFailover",
            "FailoverJobDetails",
            shuts_down=True,
        ),
        Verb(
            "unplannedFailover",
            "RecoveryPlanUnplannedFailoverInput",
            "UnplannedFailoverInput",
            "UnplannedFailover",
            "UnplannedFailover",
            "FailoverJobDetails",
            shuts_down=True,
        ),
        Verb("failoverCommit", None, None, "CommitFailover", "Commit"),
        Verb("failoverCancel", None, None, "CancelFailover", "CancelFailover"),
        Verb("reProtect", None, "ReverseReplicationInput", "SwitchReplicationGroupProtection", "ReverseReplicate"),
    )
}

_OF_PLANS_ONLY = ("recoveryPointType", "useMultiVmSyncPoint", "multiVmSyncPointOption")


def entry_for(item: ProtectedItem, verb: Verb, given: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the entry of providerSpecificDetails that is meant for the item's provider, or None."""
    provider = provider_named(item.provider)
    entries = given.get("providerSpecificDetails") or []
    return next((one for one in entries if provider.takes(item, verb.path, str(one.get("instanceType")))), None)


def action_for(
    world: World, request: Request, item: ProtectedItem, verb: Verb, given: Mapping[str, Any], now: datetime
) -> Action:
    """Return the provider's action for one item of the plan.

    Raises ArmError when the item's provider refuses, OperationFailed when there is no recovery point of the kind.
    """
    body = {"properties": _properties(item, verb, given, now)}
    single = Request("POST", f"{item.id}/{verb.path}", dict(request.query), request.headers, body, request.principal)
    scope = Scope(world, single)
    provider = provider_named(item.provider)
    asked = given_for(single, item, verb.path, verb.item_model) if verb.item_model else {}
    match verb.path:
        case "testFailover":
            return provider.test_failover(scope, item, asked, now)
        case "testFailoverCleanup":
            return provider.clean_up(scope, item, asked, now)
        case "plannedFailover":
            return provider.planned_failover(scope, item, asked, now)
        case "unplannedFailover":
            return provider.unplanned_failover(scope, item, asked, now)
        case "failoverCommit":
            return provider.commit(scope, item, now)
        case "failoverCancel":
            return provider.cancel_failover(scope, item, now)
    return provider.reprotect(scope, item, asked, now)


def _properties(item: ProtectedItem, verb: Verb, given: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    if verb.path == "testFailoverCleanup":
        return {"comments": given.get("comments")}
    if verb.path == "reProtect":
        return {"failoverDirection": "RecoveryToPrimary", "providerSpecificDetails": {"instanceType": item.provider}}
    named = ("failoverDirection", "networkType", "networkId", "sourceSiteOperations")
    properties = {name: given[name] for name in named if given.get(name) is not None}
    properties["providerSpecificDetails"] = _specific(item, verb, given, now)
    return properties


def _specific(item: ProtectedItem, verb: Verb, given: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    entry = entry_for(item, verb, given) or {"instanceType": item.provider}
    specific = {name: value for name, value in entry.items() if name not in _OF_PLANS_ONLY and value is not None}
    kind = entry.get("recoveryPointType")
    if kind and not str(kind).startswith("Latest"):
        return specific | {"recoveryPointType": kind}
    point = _point(item, str(kind or "Latest"), now)
    if point is not None:
        specific["recoveryPointId"] = point.name
    if item.provider == "InMageRcm" and verb.path == "unplannedFailover":
        specific["performShutdown"] = "true" if given.get("sourceSiteOperations") == "Required" else "false"
    return specific


def _point(item: ProtectedItem, kind: str, now: datetime) -> RecoveryPoint | None:
    """Return the newest point of a kind such as ``LatestCrashConsistent``; None means the latest there is."""
    wanted = {"LatestApplicationConsistent": "ApplicationConsistent", "LatestCrashConsistent": "CrashConsistent"}
    if kind not in wanted:
        return None
    found = next((point for point in timeline.points(item, now) if point.kind == wanted[kind]), None)
    if found is None:
        raise OperationFailed(
            replace(
                error("559"),
                possible_causes=f"The protected item '{item.friendly_name}' has no {wanted[kind]} recovery point.",
                recommended_action="Choose another kind of recovery point and retry the operation.",
            )
        )
    return found
