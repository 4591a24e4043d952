"""Health of a vault: counters of its protected items, issues by code, and the job that counts anew."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from asr_lab.arm.providers import health, timeline
from asr_lab.arm.providers.fabric_kind import kind_of
from asr_lab.arm.providers.scope import VAULT, VERSIONS, Scope, containers, fabrics, items_of_vault
from asr_lab.arm.providers.work import accepted, start
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World

HEALTH_TYPE = "Microsoft.RecoveryServices/vaults/replicationVaultHealth"

Found = tuple[str, str, list[dict[str, Any]]]
"""(instanceType, correlation id, health errors) of one resource."""


@route("GET", VAULT + "/replicationVaultHealth", versions=VERSIONS)
def get_vault_health(world: World, request: Request, now: datetime) -> Response:
    """Answer the health summary of the vault; it is always up to date."""
    vault_id = Scope(world, request).vault_id
    servers: list[Found] = [
        (fabric.kind, fabric.internal_id, kind_of(fabric).health(world, fabric, now)[1])
        for fabric in fabrics(world, vault_id)
    ]
    body = {
        "name": "Default",
        "type": HEALTH_TYPE,
        "id": f"{vault_id}/replicationVaultHealth/Default",
        "properties": {
            "vaultErrors": [],
            "protectedItemsHealth": _items_health(world, vault_id, now),
            "fabricsHealth": {
                "resourceCount": len(servers),
                "issues": _issues("Fabric", servers),
                "categorizedResourceCounts": None,
            },
            "containersHealth": {
                "resourceCount": len(containers(world, vault_id)),
                "issues": [],
                "categorizedResourceCounts": None,
            },
        },
    }
    return Response(200, {}, body)


@route("POST", VAULT + "/replicationVaultHealth/default/refresh", versions=VERSIONS)
def refresh_vault_health(world: World, request: Request, now: datetime) -> Response:
    """Count anew (recorded: job RefreshVaultHealth, one second)."""
    vault_id = Scope(world, request).vault_id
    operation = start(
        world,
        now,
        scenario="RefreshVaultHealth",
        target_id=f"{vault_id}/replicationVaultHealth",
        duration_s=world.duration_s("any", "vault_health_refresh"),
        object_id=str(world.number(60)),
        object_name="",
    )
    return accepted(request, operation)


def _items_health(world: World, vault_id: str, now: datetime) -> dict[str, Any]:
    items = items_of_vault(world, vault_id)
    found: list[Found] = [(item.provider, item.correlation_id, health.errors(world, item, now)) for item in items]
    levels = [{(error["errorCategory"], error["errorLevel"]) for error in errors} for _, _, errors in found]
    busy = [item.running.name if item.running else "" for item in items]

    def count(category: str, level: str) -> int:
        return sum((category, level) in seen for seen in levels)

    critical, test_warning = count("Replication", "Error"), count("TestFailover", "Warning")
    return {
        "resourceCount": len(items),
        "issues": _issues("ProtectedItem", found),
        "categorizedResourceCounts": {
            "testFailoverApplicableProtectedItemsCount": sum(
                "TestFailover" in timeline.allowed_operations(item, now) for item in items
            ),
            "testFailoverInProgressProtectedItemsCount": busy.count("TestFailover"),
            "testFailoverWaitingProtectedItemsCount": sum(item.test == "Active" for item in items),
            "protectedItemsCriticalCount": critical,
            "protectedItemsWarningCount": count("Replication", "Warning"),
            "protectedItemsNeutralCount": 0,
            "protectedItemsTestFailoverCriticalCount": count("TestFailover", "Error"),
            "protectedItemsTestFailoverWarningCount": test_warning,
            "protectedItemsConfigurationCriticalCount": count("Configuration", "Error"),
            "protectedItemsConfigurationWarningCount": count("Configuration", "Warning"),
            "protectedItemsFailoverHealthCriticalCount": count("TestFailover", "Error"),
            "protectedItemsFailoverHealthWarningCount": test_warning,
        },
    }


def _issues(resource_type: str, found: Iterable[Found]) -> list[dict[str, Any]]:
    """Return one entry for each error code and kind of resource, with whom it strikes (specification)."""
    issues: dict[tuple[str, str], dict[str, Any]] = {}
    for kind, correlation_id, errors in found:
        for error in errors:
            issue = issues.setdefault(
                (error["errorCode"], kind),
                {
                    "summaryCode": error["errorCode"],
                    "category": error["errorCategory"],
                    "severity": error["errorLevel"],
                    "summaryMessage": error["summaryMessage"] or error["errorMessage"],
                    "affectedResourceType": resource_type,
                    "affectedResourceSubtype": kind,
                    "affectedResourceCorrelationIds": [],
                },
            )
            if correlation_id not in issue["affectedResourceCorrelationIds"]:
                issue["affectedResourceCorrelationIds"].append(correlation_id)
    return list(issues.values())
