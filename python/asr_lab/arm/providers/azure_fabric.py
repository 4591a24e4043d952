"""Fabrics of kind Azure: a region whose virtual machines are replicated to another region (A2A).

A fabric is made by a PUT that names the region, its containers by a PUT of their own, and a container is mapped to a
container of another fabric. Durations, the display name of the region and the name of the recovery services provider
are recorded; what the details hold beyond the location follows the specification.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asr_lab.arm.providers.fabric_details import PROVIDER_TYPE, protected_count
from asr_lab.arm.providers.fabric_kind import FabricKind, fabric_kind
from asr_lab.arm.providers.model import Container, Fabric
from asr_lab.arm.providers.rules import Row, table
from asr_lab.arm.providers.scope import OLDEST, Scope, containers
from asr_lab.arm.wire import bad_request, iso7
from asr_lab.arm.world import World

AZURE_REGION = "Azure"
AZURE_NETWORK = "azureNetwork"
"""The name under which the network mappings of an Azure fabric stand (recorded)."""

_ZONES = ("1", "2", "3")
_SINCE = {"zones": "2021-02-10", "extendedLocations": "2022-10-01", "locationDetails": "2022-10-01"}
"""The api-versions that brought properties of the details; 2022-08-01 has zones and not the others (specification)."""


@dataclass
class AzureContainer(Container):
    """A container of an Azure fabric; ``internal_id`` is the GUID under which its fabric and its jobs name it."""

    internal_id: str = ""


def region(location: str) -> Row | None:
    """Return the row of a region (text, zones), given by name or by display name; None for an unknown one."""
    rows: dict[str, Row] = table("azure_regions")
    return rows.get(canonical(location))


def canonical(location: str) -> str:
    """Return a region's name as resources write it: lower case, without spaces."""
    return location.replace(" ", "").casefold()


def same_region(one: str, other: str) -> bool:
    """Return whether both name the same region."""
    return canonical(one) == canonical(other)


def internal_id(container: Container) -> str:
    """Return the GUID of a container, empty when it has none."""
    return container.internal_id if isinstance(container, AzureContainer) else ""


@fabric_kind
class AzureRegion(FabricKind):
    """A region of Azure as source or as target of A2A."""

    name = AZURE_REGION
    input_type = AZURE_REGION
    create_scenario = "CreateSite"
    policies = frozenset({"A2A"})
    mapping_inputs = frozenset({"", "A2A"})
    mapping_updates = frozenset({"A2A"})
    maps_to_azure = False
    container_input = "A2A"

    def make(self, scope: Scope, name: str, given: Mapping[str, Any], now: datetime) -> Fabric:
        """Return the fabric of the region that ``customDetails.location`` names; raises ArmError 400 for another."""
        location = (given.get("customDetails") or {}).get("location") or ""
        known = region(location)
        if known is None:
            raise bad_request(
                "InvalidLocation",
                f"properties.customDetails.location is '{location}'; Site Recovery has no such region.",
                action=f"Give one of: {', '.join(table('azure_regions'))}.",
            )
        return self.fresh(
            scope,
            name,
            now,
            friendly_name=known["text"],
            location=canonical(location),
        )

    def make_container(
        self, scope: Scope, fabric: Fabric, name: str, given: Mapping[str, Any], now: datetime
    ) -> Container:
        """Return an empty container; its friendly name is its name (recorded)."""
        return AzureContainer(
            id=f"{fabric.id}/replicationProtectionContainers/{name}",
            name=name,
            friendly_name=name,
            fabric_id=fabric.id,
            internal_id=scope.world.guid(),
        )

    def details(self, world: World, fabric: Fabric, now: datetime, *, sparse: bool) -> dict[str, Any]:
        """Return customDetails: the region, the ids of its containers, and which zones can protect each other."""
        known = region(fabric.location)
        zones = _ZONES if known is not None and known["zones"] else ()
        return {
            "instanceType": self.name,
            "location": fabric.location,
            "containerIds": [internal_id(one) or one.name for one in containers(world, fabric.vault_id, fabric)],
            "zones": [{"source": one, "target": other} for one in zones for other in zones if one != other],
            "extendedLocations": [],
            "locationDetails": [],
        }

    def as_written(self, details: dict[str, Any], api_version: str) -> dict[str, Any]:
        """Return the details that this api-version knows: recorded for 2016-08-10, specification for the others."""
        known = {name: value for name, value in details.items() if api_version >= _SINCE.get(name, "")}
        return {**known, "containerIds": None} if api_version == OLDEST else known

    def dras(self, world: World, fabric: Fabric, now: datetime, api_version: str) -> list[dict[str, Any]]:
        """Return the one provider of the region, named by the fabric's internal identifier."""
        return [
            {
                "id": f"{fabric.id}/replicationRecoveryServicesProviders/{fabric.internal_id}",
                "type": PROVIDER_TYPE,
                "name": fabric.internal_id,
                "properties": {
                    "fabricType": self.name,
                    "friendlyName": fabric.friendly_name,
                    "providerVersion": None,
                    "serverVersion": None,
                    "providerVersionState": None,
                    "fabricFriendlyName": fabric.friendly_name,
                    "lastHeartBeat": iso7(now),
                    "connectionStatus": "Connected",
                    "protectedItemCount": protected_count(world, fabric),
                    "allowedScenarios": [],
                    "healthErrorDetails": [],
                    "draIdentifier": None,
                    "identityDetails": None,
                },
            }
        ]

    def mapping_details(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return how agents are updated; without a word about it they are not. Defaults are the specification's."""
        return {
            "instanceType": "A2A",
            "agentAutoUpdateStatus": given.get("agentAutoUpdateStatus") or "Disabled",
            "automationAccountArmId": given.get("automationAccountArmId"),
            "automationAccountAuthenticationType": given.get("automationAccountAuthenticationType") or "RunAsAccount",
            "scheduleName": None,
            "jobScheduleName": None,
        }
