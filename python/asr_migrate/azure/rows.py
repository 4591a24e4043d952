"""What is kept of the rows that Azure lists: with thousands of machines a look holds what is read of them, no more.

A protected item is some five kilobytes of JSON in a list and eight on its own, and many times that as Python objects.
So every row is cut when its page arrives, and the page is let go before the next is asked for. The shapes below are the
one place that says what is kept; whoever reads another property of a row adds it here, else it is never there
(``tests/unit/azure_client/test_rows.py`` finds what is forgotten).
"""

from __future__ import annotations

import sys
from typing import Any

from asr_migrate.domain.site import Json


class Shape(dict[str, "Shape | None"]):
    """Which keys of an object are kept: by key what is kept of its value, None when all of it is.

    Of a list the same is kept of every object in it. Absent keys stay absent.
    """

    def __init__(self, *whole: str, **parts: Shape) -> None:
        super().__init__(dict.fromkeys(whole, None) | parts)


FAULT = Shape("errorCode", "errorLevel", "errorMessage", "summaryMessage", "possibleCauses", "recommendedAction")
"""An entry of an item's health, as ``providers.base.health_faults`` tells it."""

RCM_DETAILS = (
    "fabricDiscoveryMachineId",
    "primaryNicIpAddress",
    "initialReplicationProgressPercentage",
    "initialReplicationProgressHealth",
    "lastRpoInSeconds",
    "lastRecoveryPointReceived",
    "targetVmName",
    "targetVmSize",
)
"""What ``providers.in_mage_rcm`` reads of an item's details."""

V2_DETAILS = (
    "ipAddress",
    "resyncProgressPercentage",
    "rpoInSeconds",
    "lastRpoCalculatedTime",
    "recoveryAzureVMName",
    "recoveryAzureVMSize",
    "recoveryAvailabilitySetId",
)
"""What ``providers.in_mage_azure_v2`` reads of an item's details, those included that an update sends again."""

NIC = Shape(
    "nicId",
    "isPrimaryNic",
    "isSelectedForFailover",
    "targetIPAddress",
    "replicaNicStaticIPAddress",
    ipConfigs=Shape("name", "recoveryStaticIPAddress"),
)
"""A network adapter, as the providers compare it and an update names it."""

ITEM = Shape(
    "id",
    "name",
    properties=Shape(
        "friendlyName",
        "protectableItemId",
        "protectionState",
        "protectionStateDescription",
        "activeLocation",
        "allowedOperations",
        "testFailoverState",
        "replicationHealth",
        "lastSuccessfulTestFailoverTime",
        "lastSuccessfulFailoverTime",
        "failoverRecoveryPointId",
        currentScenario=Shape("scenarioName", "jobId"),
        healthErrors=FAULT,
        replicationHealthErrors=FAULT,
        failoverHealthErrors=FAULT,
        providerSpecificDetails=Shape(
            "instanceType",
            "licenseType",
            "internalIdentifier",
            "vmId",
            "infrastructureVmId",
            *RCM_DETAILS,
            *V2_DETAILS,
            vmNics=NIC,
        ),
    ),
)
"""A protected item, of a list or on its own: what ``providers``, ``azure.freshness``, ``engine.doubt``,
``engine.bulk``, ``engine.bulk_outcome`` and ``report.collect`` read of it."""

SERVER = Shape(
    "id",
    properties=Shape(
        "isDeleted",
        "displayName",
        "fqdn",
        "runAsAccountId",
        networkAdapters=Shape("ipAddressList"),
    ),
)
"""A server of the replication appliance's site, as ``providers.in_mage_rcm`` reads it."""

PROTECTABLE = Shape("id", properties=Shape("friendlyName", customDetails=Shape("ipAddress", "agentInstalled")))
"""A machine that the configuration server knows, as ``providers.in_mage_azure_v2`` reads it."""


def item(row: Json) -> dict[str, Any]:
    """Return what is kept of a protected item."""
    return _cut(row, ITEM)


def server(row: Json) -> dict[str, Any]:
    """Return what is kept of a server of the appliance's site."""
    return _cut(row, SERVER)


def protectable(row: Json) -> dict[str, Any]:
    """Return what is kept of a protectable item."""
    return _cut(row, PROTECTABLE)


def _cut(found: Json, shape: Shape) -> dict[str, Any]:
    return {
        key: _shared(found[key]) if inner is None else _part(found[key], inner)
        for key, inner in shape.items()
        if key in found
    }


def _part(value: Any, shape: Shape) -> Any:
    """Return what is kept of a value. One of another kind than expected stays: whoever reads it says what is wrong."""
    if isinstance(value, dict):
        return _cut(value, shape)
    return [_part(one, shape) for one in value] if isinstance(value, list) else value


def _shared(value: Any) -> Any:
    """Return the value with its texts shared: a look holds the same ids and states as the one before it."""
    if isinstance(value, str):
        return sys.intern(value)
    return [_shared(one) for one in value] if isinstance(value, list) else value
