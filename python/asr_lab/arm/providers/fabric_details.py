"""What the fabrics of several kinds show alike: heartbeats, the health of a server, the body of a provider (DRA).

Shapes are those of recorded sessions. A server falls silent when the effect ``appliance_without_heartbeat`` is planted
for its name or for its fabric's (unless that is the name of one of its servers, as with configuration servers): from
then on its heartbeat stands still. ``settings.silent_s`` makes it silent for that much longer; a fault that does not
say when it was planted counts as an hour old (a choice of the lab).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from asr_lab.arm.providers import rules
from asr_lab.arm.providers.model import Fabric
from asr_lab.arm.providers.scope import OLDEST, containers, items
from asr_lab.arm.wire import iso7
from asr_lab.arm.world import World

HEARTBEAT_S = 60.0
SILENT_S = 3600.0
DRA_VERSION = "5.24.0814.3"
PROVIDER_TYPE = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationRecoveryServicesProviders"

SERVER_HEALTH = "583"
_OLD_FIELDS = (
    "errorSource",
    "errorType",
    "errorLevel",
    "errorCode",
    "errorMessage",
    "possibleCauses",
    "recommendedAction",
    "creationTimeUtc",
    "recoveryProviderErrorMessage",
    "entityId",
)


def silent_since(world: World, fabric: Fabric, name: str, now: datetime) -> datetime | None:
    """Return when the server ``name`` of the fabric was last heard of, if it has fallen silent, else None."""
    own = any(server.name == fabric.friendly_name for server in fabric.servers)
    for seen in (name,) if own else (name, fabric.friendly_name):
        fault = world.planted("appliance_without_heartbeat", name=seen, provider=fabric.kind, location=fabric.location)
        if fault is not None:
            settings: Mapping[str, Any] = fault.settings or {}
            silent_s = float(settings.get("silent_s", 0.0 if fault.since else SILENT_S))
            return heartbeat((fault.since or now) - timedelta(seconds=silent_s))
    return None


def heartbeat(now: datetime) -> datetime:
    """Return when a server that is heard of was last heard of: at the last full minute."""
    return now - timedelta(seconds=now.timestamp() % HEARTBEAT_S)


def last_heard(world: World, fabric: Fabric, name: str, now: datetime) -> datetime:
    """Return when the server ``name`` of the fabric was last heard of."""
    return silent_since(world, fabric, name, now) or heartbeat(now)


def server_health_errors(
    world: World, fabric: Fabric, name: str, now: datetime, *, role: str, entity_id: str = ""
) -> list[dict[str, Any]]:
    """Return the health errors of a server: one (583, recorded for a configuration server) when it is silent."""
    since = silent_since(world, fabric, name, now)
    if since is None:
        return []
    return [rules.health_error(SERVER_HEALTH, entity_id=entity_id, created=iso7(since), name=name, role=role)]


def as_written(errors: list[dict[str, Any]], api_version: str) -> list[dict[str, Any]]:
    """Return health errors of a fabric or a provider as this api-version writes them (recorded for 2016-08-10)."""
    if api_version != OLDEST:
        return errors
    return [{name: error.get(name) for name in _OLD_FIELDS} for error in errors]


def health_as_written(health: str, api_version: str) -> str:
    """Return ``health`` of a fabric; the service of 2016-08-10 said Error (recorded), later ones say Critical."""
    return "Error" if health == "Critical" and api_version == OLDEST else health


def protected_count(world: World, fabric: Fabric) -> int:
    """Return how many machines of the fabric are protected."""
    return sum(len(items(world, container)) for container in containers(world, fabric.vault_id, fabric))


def dra_body(
    world: World,
    fabric: Fabric,
    now: datetime,
    api_version: str,
    *,
    name: str,
    friendly_name: str,
    machine: Mapping[str, Any],
    role: str,
    version: str = DRA_VERSION,
    identities: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return a recovery services provider as the API writes it.

    ``machine`` holds biosId, machineId and machineName, ``identities`` the three identity details; the service of
    api-version 2016-08-10 did not write either. ``role`` names the server in its health error.
    """
    errors = server_health_errors(world, fabric, friendly_name, now, role=role, entity_id=name)
    properties: dict[str, Any] = {
        "fabricType": fabric.kind,
        "friendlyName": friendly_name,
        "providerVersion": version,
        "serverVersion": "0.0",
        "providerVersionState": "Latest",
        "fabricFriendlyName": fabric.friendly_name,
        "lastHeartBeat": iso7(last_heard(world, fabric, friendly_name, now)),
        "connectionStatus": "NotConnected" if errors else "Connected",
        "protectedItemCount": protected_count(world, fabric),
        "allowedScenarios": ["Refresh"],
        "healthErrorDetails": as_written(errors, api_version),
        "draIdentifier": name,
        "identityDetails": None,
    }
    if api_version != OLDEST:
        known = identities or {}
        properties.update(machine)
        for field in ("authentication", "resourceAccess", "dataPlaneAuthentication"):
            properties[f"{field}IdentityDetails"] = known.get(f"{field}IdentityDetails")
    return {
        "id": f"{fabric.id}/replicationRecoveryServicesProviders/{name}",
        "type": PROVIDER_TYPE,
        "name": name,
        "properties": properties,
    }
