"""The requests that all providers share but for their details."""

from __future__ import annotations

from typing import Any

from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import Verb
from asr_migrate.domain.machine import Target
from asr_migrate.domain.site import Call, Json

DIRECTION = "PrimaryToRecovery"


def named_in_group(zone: LandingZone, target: Target, kind: str, name: str | None) -> str | None:
    """Return the id of a compute resource of the target's resource group, None when no name is given."""
    if not name:
        return None
    return f"{zone.resource_group_id(target.resource_group)}/providers/Microsoft.Compute/{kind}/{name}"


def action(
    verb: Verb,
    item: Json,
    *,
    test_network_id: str,
    test_details: dict[str, Any],
    failover_details: dict[str, Any],
    disable_details: dict[str, Any],
) -> Call:
    """Return the request of an action on a protected item.

    No recovery point is named: the service then takes the latest. The source runs where Site Recovery cannot shut it
    down, so no shutdown is asked for.
    """
    calls: dict[Verb, tuple[str, dict[str, Any] | None]] = {
        Verb.TEST_FAILOVER: (
            "testFailover",
            {
                "failoverDirection": DIRECTION,
                "networkType": "VmNetworkAsInput",
                "networkId": test_network_id,
                "providerSpecificDetails": test_details,
            },
        ),
        Verb.CLEAN_UP_TEST: ("testFailoverCleanup", {"comments": "The test is over."}),
        Verb.FAIL_OVER: (
            "unplannedFailover",
            {
                "failoverDirection": DIRECTION,
                "sourceSiteOperations": "NotRequired",
                "providerSpecificDetails": failover_details,
            },
        ),
        Verb.COMMIT: ("failoverCommit", None),
        Verb.COMPLETE: (
            "remove",
            {"disableProtectionReason": "MigrationComplete", "replicationProviderInput": disable_details},
        ),
        Verb.STOP_REPLICATION: (
            "remove",
            {"disableProtectionReason": "NotSpecified", "replicationProviderInput": disable_details},
        ),
    }
    operation, properties = calls[verb]
    body = None if properties is None else {"properties": properties}
    return Call(operation, str(item["name"]), body, item.get("id"))
