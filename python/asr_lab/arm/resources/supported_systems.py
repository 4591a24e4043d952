"""The operating systems that replication supports, as rows of ``rules/supported_systems.yml``.

Without ``instanceType`` the answer is the recorded one: A2A alone.
"""

from typing import Any

from asr_lab.arm.providers.rules import Row, table
from asr_lab.arm.providers.scope import VAULT, VERSIONS, Scope
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response, bad_request
from asr_lab.arm.world import World

SYSTEMS_TYPE = "Microsoft.RecoveryServices/vaults/replicationSupportedOperatingSystems"


@route("GET", VAULT + "/replicationSupportedOperatingSystems", versions=VERSIONS)
def get_supported_systems(world: World, request: Request) -> Response:
    """Answer the supported systems, of one provider when the query names it by ``instanceType``."""
    asked = next((value for name, value in request.query.items() if name.casefold() == "instancetype"), "")
    body = {
        "id": f"{Scope(world, request).vault_id}/replicationSupportedOperatingSystems/Default",
        "name": "Default",
        "type": SYSTEMS_TYPE,
        "properties": {"supportedOsList": [_of_provider(name) for name in _providers(asked)]},
    }
    return Response(200, {}, body)


def _providers(asked: str) -> list[str]:
    known: dict[str, list[Row]] = table("supported_systems")["systems"]
    if not asked:
        return list(table("supported_systems")["default"])
    found = [name for name in known if name.casefold() == asked.casefold()]
    if not found:
        raise bad_request(
            "InvalidInstanceType",
            f"The query's instanceType is '{asked}'; accepted: {', '.join(known)}.",
        )
    return found


def _of_provider(name: str) -> dict[str, Any]:
    rows: list[Row] = table("supported_systems")["systems"][name]
    return {
        "instanceType": name,
        "supportedOs": [
            {
                "osName": row["name"],
                "osType": row["type"],
                "osVersions": [_version(version) for version in row["versions"]],
            }
            for row in rows
        ],
    }


def _version(row: str | dict[str, str]) -> dict[str, str]:
    """Return a version, with its service pack where the row names one."""
    if isinstance(row, str):
        return {"version": row}
    return {"version": row["version"], "servicePack": row["service_pack"]}
