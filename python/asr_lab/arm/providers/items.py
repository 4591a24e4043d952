"""A protected item as the service writes it: the part all providers share."""

from datetime import datetime
from typing import Any

from asr_lab.arm.providers import health, rules, timeline
from asr_lab.arm.providers.model import ProtectedItem
from asr_lab.arm.providers.provider import provider_named
from asr_lab.arm.providers.scope import OLDEST, container_of, fabric_of, policy_of
from asr_lab.arm.wire import iso7
from asr_lab.arm.world import World

ITEM_TYPE = (
    "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems"
)
SINCE_SWITCH_PROVIDER = "2022-08-01"


def body(world: World, item: ProtectedItem, now: datetime, *, sparse: bool, api_version: str) -> dict[str, Any]:
    """Return the item for a GET, or for a list when ``sparse``; properties stand in the service's order."""
    provider = provider_named(item.provider)
    fabric, container, policy = fabric_of(world, item), container_of(world, item), policy_of(world, item)
    side = provider.recovery_side(world, item)
    name = timeline.state_row(item, now)
    row = rules.protection_state(name)
    test = rules.test_failover_state(item.test)
    errors = health.errors(world, item, now)
    properties: dict[str, Any] = {
        "friendlyName": item.friendly_name,
        "protectedItemType": provider.protected_item_type,
        "protectableItemId": item.protectable_item_id,
        "recoveryServicesProviderId": provider.services_provider_id(world, item),
        "primaryFabricFriendlyName": fabric.friendly_name,
        "primaryFabricProvider": provider.primary_fabric_provider,
        "recoveryFabricFriendlyName": side.fabric_name,
        "recoveryFabricId": side.fabric_id,
        "primaryProtectionContainerFriendlyName": container.friendly_name,
        "recoveryProtectionContainerFriendlyName": side.container_name,
        "protectionState": row.get("state", name),
        "protectionStateDescription": row["text"],
        "activeLocation": row["active_location"],
        "testFailoverState": str(test["state"]),
        "testFailoverStateDescription": str(test["text"]),
    }
    if api_version >= SINCE_SWITCH_PROVIDER:
        properties["switchProviderState"] = "None"
        properties["switchProviderStateDescription"] = provider.switch_description
    properties["allowedOperations"] = timeline.allowed_operations(item, now)
    properties["replicationHealth"] = health.health(errors, "Replication")
    properties["failoverHealth"] = health.health(errors, "TestFailover")
    if api_version == OLDEST:
        properties["replicationHealthErrors"] = health.as_in_2017(errors, "Replication")
        properties["failoverHealthErrors"] = health.as_in_2017(errors, "TestFailover")
    else:
        properties["healthErrors"] = errors
    properties["policyId"] = policy.id
    properties["policyFriendlyName"] = policy.name
    if item.last_failover:
        properties["lastSuccessfulFailoverTime"] = iso7(item.last_failover)
    if item.last_test:
        properties["lastSuccessfulTestFailoverTime"] = iso7(item.last_test)
    properties["currentScenario"] = _current_scenario(item, fabric.vault_id)
    properties["failoverRecoveryPointId"] = item.failover_point
    properties["providerSpecificDetails"] = provider.details(world, item, now, sparse=sparse, api_version=api_version)
    properties["recoveryContainerId"] = side.container_id
    if api_version != OLDEST:
        properties["eventCorrelationId"] = item.correlation_id
    return {"id": item.id, "name": item.name, "type": ITEM_TYPE, "properties": properties}


def _current_scenario(item: ProtectedItem, vault_id: str) -> dict[str, str]:
    running = item.running
    if running is None:
        return {
            "scenarioName": "None",
            "jobId": f"{vault_id}/replicationJobs/None",
            "startTime": "1753-01-01T01:01:01Z",
        }
    return {"scenarioName": running.name, "jobId": running.job_id, "startTime": iso7(running.started)}
