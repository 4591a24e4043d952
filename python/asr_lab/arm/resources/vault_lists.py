"""Collections of a vault that the lab keeps empty, its health, and the supported systems."""

from datetime import datetime
from typing import Any

from asr_lab.arm.providers import rules, timeline
from asr_lab.arm.providers.fabric_details import appliance
from asr_lab.arm.providers.items import health_errors
from asr_lab.arm.providers.model import RCM_FABRIC
from asr_lab.arm.providers.scope import VAULT, VERSIONS, Scope, fabric_of, fabrics, items_of_vault
from asr_lab.arm.providers.work import accepted, start
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World

HEALTH_TYPE = "Microsoft.RecoveryServices/vaults/replicationVaultHealth"
SYSTEMS_TYPE = "Microsoft.RecoveryServices/vaults/replicationSupportedOperatingSystems"


@route("GET", VAULT + "/replicationEvents", versions=VERSIONS)
@route("GET", VAULT + "/replicationMigrationItems", versions=VERSIONS)
@route("GET", VAULT + "/replicationNetworks", versions=VERSIONS)
@route("GET", VAULT + "/replicationNetworkMappings", versions=VERSIONS)
@route("GET", VAULT + "/replicationRecoveryPlans", versions=VERSIONS)
@route("GET", VAULT + "/replicationStorageClassifications", versions=VERSIONS)
@route("GET", VAULT + "/replicationStorageClassificationMappings", versions=VERSIONS)
@route("GET", VAULT + "/replicationvCenters", versions=VERSIONS)
def empty_list() -> Response:
    """Answer an empty list: the lab has nothing of this kind."""
    return Response(200, {}, {"value": [], "nextLink": None})


@route("GET", VAULT + "/replicationRecoveryPlans/{plan}", versions=VERSIONS)
def get_recovery_plan(world: World, request: Request, *, plan: str) -> Response:
    """Answer the 404 of a missing plan: the lab has no recovery plans."""
    raise Scope(world, request).not_found(plan)


@route("GET", VAULT + "/replicationAppliances", versions=VERSIONS)
def list_appliances(world: World, request: Request, now: datetime) -> Response:
    """Answer the replication appliances; the shape of an entry is that of the specification, it was never recorded."""
    listed = [
        {
            "id": f"{fabric.vault_id}/replicationAppliances/{fabric.name}",
            "name": fabric.name,
            "type": "Microsoft.RecoveryServices/vaults/replicationAppliances",
            "properties": {
                "providerSpecificDetails": {
                    "instanceType": "InMageRcm",
                    "appliances": [appliance(fabric, server, now) for server in fabric.servers],
                }
            },
        }
        for fabric in fabrics(world, Scope(world, request).vault_id)
        if fabric.kind == RCM_FABRIC
    ]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", VAULT + "/replicationSupportedOperatingSystems", versions=VERSIONS)
def get_supported_systems(world: World, request: Request) -> Response:
    """Answer the supported systems of the one provider that was recorded (A2A), cut to a few."""
    systems = [
        {"osName": name, "osType": "linux", "osVersions": [{"version": version} for version in versions]}
        for name, versions in (("rhel", ("7.9", "8.8")), ("ubuntu", ("20.04", "22.04")))
    ]
    body = {
        "id": f"{Scope(world, request).vault_id}/replicationSupportedOperatingSystems/Default",
        "name": "Default",
        "type": SYSTEMS_TYPE,
        "properties": {"supportedOsList": [{"instanceType": "A2A", "supportedOs": systems}]},
    }
    return Response(200, {}, body)


@route("GET", VAULT + "/replicationVaultHealth", versions=VERSIONS)
def get_vault_health(world: World, request: Request, now: datetime) -> Response:
    """Answer the health summary of the vault."""
    vault_id = Scope(world, request).vault_id
    count: dict[str, Any] = {"issues": [], "categorizedResourceCounts": None}
    fabric_count = len(fabrics(world, vault_id))
    body = {
        "name": "Default",
        "type": HEALTH_TYPE,
        "id": f"{vault_id}/replicationVaultHealth/Default",
        "properties": {
            "vaultErrors": [],
            "protectedItemsHealth": _items_health(world, vault_id, now),
            "fabricsHealth": {"resourceCount": fabric_count, **count},
            "containersHealth": {"resourceCount": fabric_count, **count},
        },
    }
    return Response(200, {}, body)


@route("POST", VAULT + "/replicationVaultHealth/default/refresh", versions=VERSIONS)
def refresh_vault_health(world: World, request: Request, now: datetime) -> Response:
    """Count anew."""
    vault_id = Scope(world, request).vault_id
    operation = start(
        world,
        now,
        scenario="RefreshVaultHealth",
        target_id=f"{vault_id}/replicationVaultHealth",
        duration_s=rules.duration_s("any", "vault_health_refresh"),
        object_id=str(world.number(60)),
        object_name="",
    )
    return accepted(request, operation)


def _items_health(world: World, vault_id: str, now: datetime) -> dict[str, Any]:
    items = items_of_vault(world, vault_id)
    levels = [
        {(error["errorCategory"], error["errorLevel"]) for error in health_errors(item, fabric_of(world, item), now)}
        for item in items
    ]
    testing = [item for item in items if item.test == "Active"]
    applicable = [item for item in items if "TestFailover" in timeline.allowed_operations(item)]
    critical = sum(("Replication", "Error") in found for found in levels)
    warning = sum(("Replication", "Warning") in found for found in levels)
    failover_warning = sum(("TestFailover", "Warning") in found for found in levels)
    return {
        "resourceCount": len(items),
        "issues": [],
        "categorizedResourceCounts": {
            "testFailoverApplicableProtectedItemsCount": len(applicable),
            "testFailoverInProgressProtectedItemsCount": 0,
            "testFailoverWaitingProtectedItemsCount": len(testing),
            "protectedItemsCriticalCount": critical,
            "protectedItemsWarningCount": warning,
            "protectedItemsNeutralCount": 0,
            "protectedItemsTestFailoverCriticalCount": 0,
            "protectedItemsTestFailoverWarningCount": failover_warning,
            "protectedItemsConfigurationCriticalCount": 0,
            "protectedItemsConfigurationWarningCount": 0,
            "protectedItemsFailoverHealthCriticalCount": 0,
            "protectedItemsFailoverHealthWarningCount": failover_warning,
        },
    }
