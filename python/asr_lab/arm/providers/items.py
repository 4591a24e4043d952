"""A protected item as the service writes it: the part all providers share, health errors included."""

from datetime import datetime
from typing import Any

from asr_lab.arm.providers import in_mage_azure_v2, in_mage_rcm, rules, timeline
from asr_lab.arm.providers.model import (
    AZURE,
    AZURE_CONTAINER,
    AZURE_FABRIC,
    RCM_FABRIC,
    Container,
    Fabric,
    Policy,
    ProtectedItem,
    Stage,
)
from asr_lab.arm.wire import UNSET, iso7

ITEM_TYPE = (
    "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems"
)
OLDEST = "2016-08-10"
SINCE_SWITCH_PROVIDER = "2022-08-01"
FAILOVER_WARNING_AFTER_S = 900.0


def body(
    item: ProtectedItem,
    fabric: Fabric,
    container: Container,
    policy: Policy,
    now: datetime,
    *,
    sparse: bool,
    api_version: str,
) -> dict[str, Any]:
    """Return the item for a GET, or for a list when ``sparse``."""
    vault_id = fabric.vault_id
    state = timeline.protection_state(item)
    row = rules.protection_state(state)
    test = rules.test_failover_state(item.test)
    errors = health_errors(item, fabric, now)
    properties: dict[str, Any] = {
        "friendlyName": item.friendly_name,
        "protectedItemType": "",
        "protectableItemId": item.protectable_item_id,
        "recoveryServicesProviderId": f"{fabric.id}/replicationRecoveryServicesProviders/{_dra(item, fabric)}",
        "primaryFabricFriendlyName": fabric.friendly_name,
        "primaryFabricProvider": "InMageRcmFabric" if fabric.kind == RCM_FABRIC else "InMageFabric",
        "recoveryFabricFriendlyName": AZURE,
        "recoveryFabricId": AZURE,
        "primaryProtectionContainerFriendlyName": container.friendly_name,
        "recoveryProtectionContainerFriendlyName": AZURE,
        "protectionState": state,
        "protectionStateDescription": row["text"],
        "activeLocation": row["active_location"],
        "testFailoverState": str(test["state"]),
        "testFailoverStateDescription": str(test["text"]),
    }
    if api_version >= SINCE_SWITCH_PROVIDER:
        properties["switchProviderState"] = "None"
        properties["switchProviderStateDescription"] = "None"
    properties["allowedOperations"] = timeline.allowed_operations(item)
    properties["replicationHealth"] = _health(errors, "Replication")
    properties["failoverHealth"] = _health(errors, "TestFailover")
    if api_version == OLDEST:
        properties["replicationHealthErrors"] = _old_errors(errors, "Replication")
        properties["failoverHealthErrors"] = _old_errors(errors, "TestFailover")
    else:
        properties["healthErrors"] = errors
    properties["policyId"] = policy.id
    properties["policyFriendlyName"] = policy.name
    if item.last_failover:
        properties["lastSuccessfulFailoverTime"] = iso7(item.last_failover)
    if item.last_test:
        properties["lastSuccessfulTestFailoverTime"] = iso7(item.last_test)
    properties["currentScenario"] = _current_scenario(item, vault_id)
    properties["failoverRecoveryPointId"] = item.failover_point
    properties["providerSpecificDetails"] = provider_details(item, fabric, now, sparse, api_version)
    properties["recoveryContainerId"] = (
        f"{vault_id}/replicationFabrics/{AZURE_FABRIC}/replicationProtectionContainers/{AZURE_CONTAINER}"
    )
    if api_version != OLDEST:
        properties["eventCorrelationId"] = item.correlation_id
    return {"id": item.id, "name": item.name, "type": ITEM_TYPE, "properties": properties}


def provider_details(
    item: ProtectedItem, fabric: Fabric, now: datetime, sparse: bool, api_version: str
) -> dict[str, Any]:
    """Return ``providerSpecificDetails`` of the item's provider."""
    if item.provider == rules.IN_MAGE_RCM:
        return in_mage_rcm.details(item, fabric, now, sparse=sparse, api_version=api_version)
    return in_mage_azure_v2.details(item, now, sparse=sparse, api_version=api_version)


def health_errors(item: ProtectedItem, fabric: Fabric, now: datetime) -> list[dict[str, Any]]:
    """Return what is wrong with the item at ``now``."""
    name, entity = item.friendly_name, item.machine_id
    errors: list[dict[str, Any]] = []
    if item.stage is Stage.ENABLING_FAILED:
        errors.append(rules.health_error("310056", entity_id=entity, created=UNSET, name=name))
    replication = item.replication
    if replication is None or item.stage not in (Stage.REPLICATING, Stage.FAILOVER_FAILED):
        return errors
    since = item.untested_since
    if since and item.last_test is None and (now - since).total_seconds() >= FAILOVER_WARNING_AFTER_S:
        errors.append(rules.health_error("161011", entity_id=entity, created=iso7(since), name=name))
    if timeline.stalled(item, now) and replication.stalled_since:
        server = fabric.server(item.server_id)
        values = {
            "name": name,
            "server": server.name if server else item.server_id,
            "source": item.host.addresses[0] if item.host.addresses else "",
            "target": server.address if server else "",
        }
        created = iso7(replication.stalled_since)
        errors.append(rules.health_error("78186", entity_id=entity, created=created, **values))
        if replication.protected_at and (now - replication.stalled_since).total_seconds() >= 3600:
            code = "325091" if item.provider == rules.IN_MAGE_RCM else "78143"
            errors.append(rules.health_error(code, entity_id=entity, created=created, **values))
    return errors


def _dra(item: ProtectedItem, fabric: Fabric) -> str:
    return item.server_id if fabric.kind == RCM_FABRIC else fabric.internal_id


def _health(errors: list[dict[str, Any]], category: str) -> str:
    levels = {error["errorLevel"] for error in errors if error["errorCategory"] == category}
    return "Critical" if "Error" in levels else "Warning" if "Warning" in levels else "Normal"


def _old_errors(errors: list[dict[str, Any]], category: str) -> list[dict[str, Any]]:
    """Return errors as the service wrote them in 2017; those of replication had no type then."""
    younger = ("errorCategory", "errorId", "customerResolvability")
    untyped = {"errorType": None} if category == "Replication" else {}
    return [
        {name: value for name, value in error.items() if name not in younger} | untyped
        for error in errors
        if error["errorCategory"] == category
    ]


def _current_scenario(item: ProtectedItem, vault_id: str) -> dict[str, str]:
    running = item.running
    if running is None:
        return {
            "scenarioName": "None",
            "jobId": f"{vault_id}/replicationJobs/None",
            "startTime": "1753-01-01T01:01:01Z",
        }
    return {"scenarioName": running.name, "jobId": running.job_id, "startTime": iso7(running.started)}
