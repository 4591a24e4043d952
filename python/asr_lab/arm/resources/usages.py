"""Usages of a vault, and the list of operations of the resource provider.

``replicationUsages`` and ``usages`` belong to azure-mgmt-recoveryservices. An issue report of 2020 shows summaries that
the specification does not have; the lab writes both.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from asr_lab.arm.operations import Operation
from asr_lab.arm.providers import health, timeline
from asr_lab.arm.providers.fabric_kind import kind_of
from asr_lab.arm.providers.model import Stage
from asr_lab.arm.providers.scope import VAULT, VERSIONS, Scope, fabrics, items_of_vault
from asr_lab.arm.routes import ROUTES, route
from asr_lab.arm.versions import IN_VAULT_VERSIONS
from asr_lab.arm.wire import Request, Response, same_id
from asr_lab.arm.world import World

_NAMESPACE = "Microsoft.RecoveryServices"
_ACTIONS = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
_MAX_ITEMS = 2000
_FAILOVERS = ("UnplannedFailover", "PlannedFailover")


@route("GET", VAULT + "/replicationUsages", versions=IN_VAULT_VERSIONS)
def list_replication_usages(world: World, request: Request, now: datetime) -> Response:
    """Answer how many machines, jobs, plans and servers the vault has, and how they are."""
    vault_id = Scope(world, request).vault_id
    items = items_of_vault(world, vault_id)
    found = fabrics(world, vault_id)
    dras = [dra for fabric in found for dra in kind_of(fabric).dras(world, fabric, now, request.api_version)]
    sick = sum(dra["properties"]["connectionStatus"] != "Connected" for dra in dras)
    busy = [item.running.name if item.running else "" for item in items]
    states = [timeline.protection_state(item, now) for item in items]
    body = {
        "monitoringSummary": {
            "unHealthyVmCount": sum(
                health.health(health.errors(world, item, now), "Replication") != "Normal" for item in items
            ),
            "unHealthyProviderCount": sick,
            "eventsCount": 0,
            "deprecatedProviderCount": 0,
            "supportedProviderCount": len(dras),
            "unsupportedProviderCount": 0,
        },
        "jobsSummary": {
            "failedJobs": _jobs(world, vault_id, "Failed"),
            "suspendedJobs": _jobs(world, vault_id, "Suspended"),
            "inProgressJobs": _jobs(world, vault_id, "InProgress"),
        },
        "protectedItemsSummary": {
            "irInProgressProtectedItemsCount": sum(state.startswith("InitialReplication") for state in states),
            "testFailoverInProgressProtectedItemsCount": busy.count("TestFailover"),
            "testFailoverWaitingProtectedItemsCount": sum(item.test == "Active" for item in items),
            "failoverInProgressProtectedItemsCount": sum(name in _FAILOVERS for name in busy),
            "failedOverProtectedItemsCount": sum(item.stage in (Stage.FAILED_OVER, Stage.COMMITTED) for item in items),
        },
        "protectedItemCount": len(items),
        "recoveryPlanCount": len(world.resources.children(vault_id, "replicationRecoveryPlans")),
        "registeredServersCount": len(dras),
        "recoveryServicesProviderAuthType": 1,
    }
    return Response(200, {}, {"value": [body]})


@route("GET", VAULT + "/usages", versions=IN_VAULT_VERSIONS)
def list_usages(world: World, request: Request) -> Response:
    """Answer the vault's quotas; the lab counts protected machines (the limit is a choice of the lab)."""
    count = len(items_of_vault(world, Scope(world, request).vault_id))
    usage = {
        "unit": "Count",
        "quotaPeriod": "P1D",
        "nextResetTime": None,
        "currentValue": count,
        "limit": _MAX_ITEMS,
        "name": {"value": "SiteRecoveryProtectedItems", "localizedValue": "Site Recovery protected items"},
    }
    return Response(200, {}, {"value": [usage]})


@route("GET", "/providers/Microsoft.RecoveryServices/operations", versions=IN_VAULT_VERSIONS)
@route(
    "GET",
    "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.RecoveryServices/operations",
    versions=VERSIONS,
)
def list_operations() -> Response:
    """Answer the operations of Microsoft.RecoveryServices that the lab serves, made from its own routes."""
    names: dict[str, tuple[str, str]] = {}
    for found in ROUTES:
        if _NAMESPACE not in found.segments:
            continue
        after = found.segments[found.segments.index(_NAMESPACE) + 1 :]
        if len(after) < 2 or any(segment.startswith("{*") for segment in after):
            continue
        kinds = [segment for segment in after if not segment.startswith("{")]
        verb = _ACTIONS.get(found.method)
        resource, action = ("/".join(kinds), verb) if verb else ("/".join(kinds[:-1]), f"{kinds[-1]}/action")
        names.setdefault(f"{_NAMESPACE}/{resource}/{action}", (resource, action))
    return Response(200, {}, {"value": list(_described(names.items())), "nextLink": None})


def _described(names: Iterable[tuple[str, tuple[str, str]]]) -> Iterable[dict[str, Any]]:
    for name, (resource, action) in sorted(names):
        yield {
            "name": name,
            "display": {
                "provider": "Microsoft Recovery Services",
                "resource": resource.rpartition("/")[2],
                "operation": f"{action.partition('/')[0]} {resource.rpartition('/')[2]}",
                "description": f"{action} on {resource}",
            },
            "origin": "user",
            "properties": None,
        }


def _jobs(world: World, vault_id: str, state: str) -> int:
    return sum(_counts(job, vault_id, state) for job in world.operations.values())


def _counts(job: Operation, vault_id: str, state: str) -> bool:
    return job.scenario is not None and job.part_of is None and job.state == state and same_id(job.vault_id, vault_id)
