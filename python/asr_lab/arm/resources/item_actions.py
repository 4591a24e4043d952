"""Actions on protected items: test failover and its clean-up, failover, commit, resynchronize."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from asr_lab.arm.operations import Operation, OperationError
from asr_lab.arm.providers import failover, in_mage_azure_v2, in_mage_rcm, replicate, rules
from asr_lab.arm.providers.gate import REFUSED_AFTER_S, refused
from asr_lab.arm.providers.in_mage_rcm import point_id
from asr_lab.arm.providers.model import ProtectedItem, Stage
from asr_lab.arm.providers.scope import ITEM, VERSIONS, Scope
from asr_lab.arm.providers.work import accepted, error, start_for_item
from asr_lab.arm.resources.compute import delete_vm
from asr_lab.arm.routes import route
from asr_lab.arm.schema import OneOf, Record, Text, check
from asr_lab.arm.wire import Request, Response, bad_request, iso7, last_segment
from asr_lab.arm.world import World

_DIRECTION = Text(("PrimaryToRecovery", "RecoveryToPrimary"))
TEST = Record(
    {
        "properties": Record(
            {
                "failoverDirection": _DIRECTION,
                "networkType": Text(("VmNetworkAsInput", "NoNetworkAttachAsInput")),
                "networkId": Text(nullable=True),
                "skipTestFailoverCleanup": Text(("true", "false"), nullable=True),
                "providerSpecificDetails": OneOf(
                    "instanceType",
                    {"InMageRcm": in_mage_rcm.TEST_FAILOVER, "InMageAzureV2": in_mage_azure_v2.TEST_FAILOVER},
                ),
            },
            ("failoverDirection", "networkType", "providerSpecificDetails"),
        )
    },
    ("properties",),
)
CLEANUP = Record({"properties": Record({"comments": Text(nullable=True)})}, ("properties",))
FAILOVER = Record(
    {
        "properties": Record(
            {
                "failoverDirection": _DIRECTION,
                "sourceSiteOperations": Text(("NotRequired", "Required"), nullable=True),
                "providerSpecificDetails": OneOf(
                    "instanceType",
                    {"InMageRcm": in_mage_rcm.FAILOVER, "InMageAzureV2": in_mage_azure_v2.FAILOVER},
                ),
            },
            ("failoverDirection", "providerSpecificDetails"),
        )
    },
    ("properties",),
)


@route("POST", ITEM + "/testFailover", versions=VERSIONS)
def test_failover(world: World, request: Request, now: datetime) -> Response:
    """Make ``<name>-test`` in the test network."""
    scope = Scope(world, request)
    item = scope.item
    given = check(request.body, TEST)["properties"]
    specific = _specific(item, given)
    point = _point(scope, item, specific)
    network_id = given.get("networkId") or specific.get("networkId") or ""
    if given["networkType"] == "VmNetworkAsInput" and not network_id:
        raise bad_request(
            "InvalidNetwork", "properties.networkId is missing; networkType VmNetworkAsInput needs the id of a network."
        )
    extra: dict[str, Any] = {
        "testFailoverStatus": "Active",
        "comments": None,
        "networkName": last_segment(network_id),
        "networkFriendlyName": last_segment(network_id),
        "networkType": given["networkType"],
        "protectedItemDetails": [],
    }
    fail = refused(item, "TestFailover") or _wrong_direction(item, given)

    def make(due: datetime) -> None:
        item.test_vm_ids.append(failover.make_test_machine(world, item, due, network_id))
        item.test = "Active"
        item.last_test = now
        item.failover_point = point_id(item, point) if point else None
        if item.provider == rules.IN_MAGE_RCM:
            extra["protectedItemDetails"] = [_test_details(item, point)]

    def failed(_due: datetime, _error: OperationError) -> None:
        if fail is None:
            item.test = "Failed"

    return _act(world, request, now, item, "TestFailover", "test_failover", make, failed, fail, extra)


@route("POST", ITEM + "/testFailoverCleanup", versions=VERSIONS)
def test_failover_cleanup(world: World, request: Request, now: datetime) -> Response:
    """Remove the test machine."""
    item = Scope(world, request).item
    given = check(request.body, CLEANUP)["properties"]
    extra = {
        "testFailoverStatus": None,
        "comments": given.get("comments"),
        "networkName": None,
        "networkFriendlyName": None,
        "networkType": None,
        "protectedItemDetails": [],
    }

    def clean(_due: datetime) -> None:
        for made in item.test_vm_ids:
            delete_vm(world, made)
        item.test_vm_ids.clear()
        item.test = "CleanedUp"

    fail = refused(item, "TestFailoverCleanup")
    return _act(world, request, now, item, "TestFailoverCleanup", "test_failover_cleanup", clean, None, fail, extra)


@route("POST", ITEM + "/unplannedFailover", versions=VERSIONS)
def unplanned_failover(world: World, request: Request, now: datetime) -> Response:
    """Make the Azure machine; the source is not touched by the lab, whatever performShutdown says."""
    scope = Scope(world, request)
    item = scope.item
    given = check(request.body, FAILOVER)["properties"]
    specific = _specific(item, given)
    point = _point(scope, item, specific)
    fail = refused(item, "UnplannedFailover") or _wrong_direction(item, given)
    operations: list[Operation] = []

    def make(due: datetime) -> None:
        name = failover.free_vm_name(world, item)
        item.vm_id = failover.make_machine(world, item, due, name)
        item.stage = Stage.FAILED_OVER
        item.last_failover = now
        item.failover_point = point_id(item, point) if point else None
        if name != item.target.vm_name:
            operations[0].warning = error("28175", name=name)

    def failed(_due: datetime, _error: OperationError) -> None:
        if fail is None:
            item.stage = Stage.FAILOVER_FAILED

    shut_down = specific.get("performShutdown") == "true" or given.get("sourceSiteOperations") == "Required"
    operation = start_for_item(
        world,
        now,
        item,
        scenario="UnplannedFailover",
        duration_s=REFUSED_AFTER_S if fail else rules.duration_s(item.provider, "unplanned_failover"),
        on_done=make,
        on_failed=failed,
        extra={"protectedItemDetails": []},
        asked=shut_down,
        fail=fail,
    )
    operations.append(operation)
    return accepted(request, operation)


@route("POST", ITEM + "/failoverCommit", versions=VERSIONS)
def failover_commit(world: World, request: Request, now: datetime) -> Response:
    """Make the failover final."""
    item = Scope(world, request).item

    def commit(_due: datetime) -> None:
        item.stage = Stage.COMMITTED

    return _act(
        world, request, now, item, "CommitFailover", "failover_commit", commit, None, refused(item, "Commit"), None
    )


@route("POST", ITEM + "/repairReplication", versions=VERSIONS)
def repair_replication(world: World, request: Request, now: datetime) -> Response:
    """Resynchronize; the lab starts and ends the job, data is never out of step here."""
    item = Scope(world, request).item
    fail = None
    if item.stage not in (Stage.REPLICATING, Stage.FAILOVER_FAILED):
        fail = refused(item, "RepairReplication")

    def repair(_due: datetime) -> None:
        item.stage = Stage.REPLICATING

    return _act(world, request, now, item, "RepairVMReplication", "resynchronize", repair, None, fail, None)


def _act(
    world: World,
    request: Request,
    now: datetime,
    item: ProtectedItem,
    scenario: str,
    step: str,
    on_done: Callable[[datetime], None],
    on_failed: Callable[[datetime, OperationError], None] | None,
    fail: OperationError | None,
    extra: dict[str, Any] | None,
) -> Response:
    operation = start_for_item(
        world,
        now,
        item,
        scenario=scenario,
        duration_s=REFUSED_AFTER_S if fail else rules.duration_s(item.provider, step),
        on_done=on_done,
        on_failed=on_failed,
        extra=extra,
        fail=fail,
    )
    return accepted(request, operation)


def _specific(item: ProtectedItem, given: dict[str, Any]) -> dict[str, Any]:
    specific: dict[str, Any] = given["providerSpecificDetails"]
    if specific["instanceType"] != item.provider:
        raise bad_request(
            "InvalidProviderSpecificInput",
            f"properties.providerSpecificDetails.instanceType is '{specific['instanceType']}'; the item '{item.name}' "
            f"is protected with {item.provider}.",
        )
    return specific


def _point(scope: Scope, item: ProtectedItem, specific: dict[str, Any]) -> str | None:
    wanted = specific.get("recoveryPointId")
    found = replicate.point_named(item, wanted)
    if wanted and found is None:
        raise scope.not_found(last_segment(wanted))
    return found


def _wrong_direction(item: ProtectedItem, given: dict[str, Any]) -> OperationError | None:
    if given["failoverDirection"] == "PrimaryToRecovery":
        return None
    return error("25037", name=item.friendly_name, state="active on the primary", operation="RecoveryToPrimary")


def _test_details(item: ProtectedItem, point: str | None) -> dict[str, Any]:
    points = item.replication.points if item.replication else []
    at = next((iso7(one.at) for one in points if one.name == point), None)
    name = f"{item.target.vm_name}-test"
    return {
        "name": item.machine_id,
        "friendlyName": item.friendly_name,
        "testVmName": name,
        "testVmFriendlyName": name,
        "networkConnectionStatus": "Disconnected",
        "networkFriendlyName": "",
        "subnet": None,
        "recoveryPointId": point,
        "recoveryPointTime": at,
    }
