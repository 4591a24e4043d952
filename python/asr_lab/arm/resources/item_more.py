"""Further actions on protected items: agents, disks, appliance, provider, health errors, and the sizes to choose from.

None of them was recorded; bodies are those of the models, jobs are chosen by the lab.
"""

from datetime import datetime
from typing import Any

from asr_lab.arm.models import checked
from asr_lab.arm.providers import rules
from asr_lab.arm.providers.model import ProtectedItem
from asr_lab.arm.providers.provider import provider_named
from asr_lab.arm.providers.scope import ITEM, VERSIONS, Scope
from asr_lab.arm.providers.work import start_action
from asr_lab.arm.resources.item_actions import given_for
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World

SIZE_TYPE = (
    "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems"
    "/targetComputeSizes"
)


@route("POST", ITEM + "/updateMobilityService", versions=VERSIONS)
def update_mobility_service(world: World, request: Request, now: datetime) -> Response:
    """Update the Mobility service of the source."""
    scope = Scope(world, request)
    item = scope.item
    given = checked(request, "UpdateMobilityServiceRequest")["properties"]
    return start_action(world, request, now, item, provider_named(item.provider).update_agent(scope, item, given, now))


@route("POST", ITEM + "/reinstallMobilityService", versions=VERSIONS)
def reinstall_mobility_service(world: World, request: Request, now: datetime) -> Response:
    """Install the Mobility service of the source anew."""
    scope = Scope(world, request)
    item = scope.item
    given = checked(request, "ReinstallMobilityServiceRequest")["properties"]
    action = provider_named(item.provider).reinstall_agent(scope, item, given, now)
    return start_action(world, request, now, item, action)


@route("POST", ITEM + "/resolveHealthErrors", versions=VERSIONS)
def resolve_health_errors(world: World, request: Request, now: datetime) -> Response:
    """Ask the service to resolve health errors."""
    scope = Scope(world, request)
    item = scope.item
    given = checked(request, "ResolveHealthInput")["properties"]
    action = provider_named(item.provider).resolve_health(scope, item, given, now)
    return start_action(world, request, now, item, action)


@route("POST", ITEM + "/addDisks", versions=VERSIONS)
def add_disks(world: World, request: Request, now: datetime) -> Response:
    """Replicate further disks."""
    scope = Scope(world, request)
    item = scope.item
    given = given_for(request, item, "addDisks", "AddDisksInput")
    return start_action(world, request, now, item, provider_named(item.provider).add_disks(scope, item, given, now))


@route("POST", ITEM + "/removeDisks", versions=VERSIONS)
def remove_disks(world: World, request: Request, now: datetime) -> Response:
    """Replicate some disks no more."""
    scope = Scope(world, request)
    item = scope.item
    given = given_for(request, item, "removeDisks", "RemoveDisksInput")
    return start_action(world, request, now, item, provider_named(item.provider).remove_disks(scope, item, given, now))


@route("POST", ITEM + "/switchProvider", versions=VERSIONS)
def switch_provider(world: World, request: Request, now: datetime) -> Response:
    """Move the item from the classic to the modernized provider."""
    scope = Scope(world, request)
    item = scope.item
    given = given_for(request, item, "switchProvider", "SwitchProviderInput")
    action = provider_named(item.provider).switch_provider(scope, item, given, now)
    return start_action(world, request, now, item, action)


@route("POST", ITEM + "/updateAppliance", versions=VERSIONS)
def update_appliance(world: World, request: Request, now: datetime) -> Response:
    """Let the item replicate through another appliance."""
    scope = Scope(world, request)
    item = scope.item
    given = given_for(request, item, "updateAppliance", "UpdateApplianceForReplicationProtectedItemInput")
    action = provider_named(item.provider).update_appliance(scope, item, given, now)
    return start_action(world, request, now, item, action)


@route("GET", ITEM + "/targetComputeSizes", versions=VERSIONS)
def list_target_compute_sizes(world: World, request: Request) -> Response:
    """Answer the sizes that the item's machine can get; those that are too small carry the reason."""
    item = Scope(world, request).item
    listed = [_size(item, row) for row in rules.table("compute_sizes")["sizes"]]
    return Response(200, {}, {"value": listed, "nextLink": None})


def _size(item: ProtectedItem, row: dict[str, Any]) -> dict[str, Any]:
    problems = []
    if len(item.disks) - 1 > row["disks"]:
        problems.append(f"The machine has {len(item.disks) - 1} data disks; the size takes {row['disks']}.")
    if len(item.nics) > row["nics"]:
        problems.append(f"The machine has {len(item.nics)} network adapters; the size takes {row['nics']}.")
    return {
        "id": f"{item.id}/targetComputeSizes/{row['name']}",
        "name": row["name"],
        "type": SIZE_TYPE,
        "properties": {
            "name": row["name"],
            "friendlyName": row["name"],
            "cpuCoresCount": row["cores"],
            "vCPUsAvailable": row["cores"],
            "memoryInGB": row["memory_gb"],
            "maxDataDiskCount": row["disks"],
            "maxNicsCount": row["nics"],
            "errors": [{"message": problem, "severity": "Error"} for problem in problems],
            "highIopsSupported": "true" if row["premium"] else "false",
            "hyperVGenerations": list(row["generations"]),
        },
    }
