"""Actions on protected items: failovers, their test and clean-up, commit, reprotection, resynchronization.

The body is checked against the SDK's model; what the action means is the provider's matter.
"""

from datetime import datetime
from typing import Any

from asr_lab.arm.models import checked
from asr_lab.arm.providers.model import ProtectedItem
from asr_lab.arm.providers.provider import provider_named
from asr_lab.arm.providers.scope import ITEM, VERSIONS, Scope
from asr_lab.arm.providers.work import start_action
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response, bad_request
from asr_lab.arm.world import World


@route("POST", ITEM + "/testFailover", versions=VERSIONS)
def test_failover(world: World, request: Request, now: datetime) -> Response:
    """Make a test machine in the test network."""
    scope = Scope(world, request)
    item = scope.item
    given = given_for(request, item, "testFailover", "TestFailoverInput")
    return start_action(world, request, now, item, provider_named(item.provider).test_failover(scope, item, given, now))


@route("POST", ITEM + "/testFailoverCleanup", versions=VERSIONS)
def test_failover_cleanup(world: World, request: Request, now: datetime) -> Response:
    """Remove the test machine."""
    scope = Scope(world, request)
    item = scope.item
    given = checked(request, "TestFailoverCleanupInput")["properties"]
    return start_action(world, request, now, item, provider_named(item.provider).clean_up(scope, item, given, now))


@route("POST", ITEM + "/unplannedFailover", versions=VERSIONS)
def unplanned_failover(world: World, request: Request, now: datetime) -> Response:
    """Make the machine on the other side."""
    scope = Scope(world, request)
    item = scope.item
    given = given_for(request, item, "unplannedFailover", "UnplannedFailoverInput")
    action = provider_named(item.provider).unplanned_failover(scope, item, given, now)
    return start_action(world, request, now, item, action)


@route("POST", ITEM + "/plannedFailover", versions=VERSIONS)
def planned_failover(world: World, request: Request, now: datetime) -> Response:
    """Shut the machine down, bring its last changes over and start it on the other side."""
    scope = Scope(world, request)
    item = scope.item
    given = given_for(request, item, "plannedFailover", "PlannedFailoverInput")
    action = provider_named(item.provider).planned_failover(scope, item, given, now)
    return start_action(world, request, now, item, action)


@route("POST", ITEM + "/failoverCommit", versions=VERSIONS)
def failover_commit(world: World, request: Request, now: datetime) -> Response:
    """Make the failover final."""
    scope = Scope(world, request)
    item = scope.item
    return start_action(world, request, now, item, provider_named(item.provider).commit(scope, item, now))


@route("POST", ITEM + "/failoverCancel", versions=VERSIONS)
def failover_cancel(world: World, request: Request, now: datetime) -> Response:
    """Undo a failover that is not committed."""
    scope = Scope(world, request)
    item = scope.item
    return start_action(world, request, now, item, provider_named(item.provider).cancel_failover(scope, item, now))


@route("POST", ITEM + "/applyRecoveryPoint", versions=VERSIONS)
def apply_recovery_point(world: World, request: Request, now: datetime) -> Response:
    """Make the failed-over machine from another recovery point."""
    scope = Scope(world, request)
    item = scope.item
    given = given_for(request, item, "applyRecoveryPoint", "ApplyRecoveryPointInput")
    action = provider_named(item.provider).apply_recovery_point(scope, item, given, now)
    return start_action(world, request, now, item, action)


@route("POST", ITEM + "/reProtect", versions=VERSIONS)
def reprotect(world: World, request: Request, now: datetime) -> Response:
    """Replicate the other way."""
    scope = Scope(world, request)
    item = scope.item
    given = given_for(request, item, "reProtect", "ReverseReplicationInput")
    return start_action(world, request, now, item, provider_named(item.provider).reprotect(scope, item, given, now))


@route("POST", ITEM + "/repairReplication", versions=VERSIONS)
def repair_replication(world: World, request: Request, now: datetime) -> Response:
    """Resynchronize."""
    scope = Scope(world, request)
    item = scope.item
    return start_action(world, request, now, item, provider_named(item.provider).repair(scope, item, now))


def given_for(request: Request, item: ProtectedItem, verb: str, model: str) -> dict[str, Any]:
    """Return ``properties`` of a body that fits the SDK's model and the item's provider.

    Raises ArmError 400. Details without an ``instanceType`` pass: old clients leave them out (specification: optional).
    """
    given: dict[str, Any] = checked(request, model)["properties"]
    kind = (given.get("providerSpecificDetails") or {}).get("instanceType")
    if kind is not None and not provider_named(item.provider).takes(item, verb, kind):
        raise bad_request(
            "InvalidProviderSpecificInput",
            f"properties.providerSpecificDetails.instanceType is '{kind}', which does not fit {verb} of '{item.name}', "
            f"protected with {item.provider}.",
        )
    return given
