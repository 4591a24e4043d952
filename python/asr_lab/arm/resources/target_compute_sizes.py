"""The sizes that the machine of a protected item can get. None was recorded; bodies are those of the models."""

from typing import Any

from asr_lab.arm.providers import rules
from asr_lab.arm.providers.model import ProtectedItem
from asr_lab.arm.providers.scope import ITEM, VERSIONS, Scope
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World

SIZE_TYPE = (
    "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectedItems"
    "/targetComputeSizes"
)


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
