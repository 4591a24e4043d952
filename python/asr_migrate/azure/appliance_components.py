"""The components that an appliance consists of, as its fabric reports them, and what is wrong with each.

Shapes as recorded: a fabric of kind InMageRcm lists each kind of component under a name of its own in
``customDetails``; one of kind VMware lists process servers and master targets.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

KINDS = {
    "processServers": "process server",
    "rcmProxies": "proxy server",
    "pushInstallers": "push installer",
    "replicationAgents": "replication agent",
    "reprotectAgents": "reprotect agent",
    "marsAgents": "Recovery Services agent",
    "dras": "Site Recovery provider",
    "masterTargetServers": "master target",
}
SICK = ("critical", "error")


@dataclass(frozen=True)
class Component:
    """One component; ``health`` and ``last_heartbeat`` (ISO 8601) are the service's words, None when it gives none."""

    kind: str
    name: str
    health: str | None
    last_heartbeat: str | None
    version: str | None
    errors: tuple[str, ...] = ()

    @property
    def sick(self) -> bool:
        """Whether the service calls it critical."""
        return (self.health or "").lower() in SICK

    @property
    def text(self) -> str:
        """The component and its errors in one clause."""
        why = "; ".join(self.errors) or "no reason given"
        return f"{self.kind} {self.name} is {self.health} (last heard of at {self.last_heartbeat}): {why}"


def components(custom: Json) -> tuple[Component, ...]:
    """Return every component of a fabric's ``customDetails``, in the order of ``KINDS``."""
    return tuple(
        Component(
            kind=kind,
            name=str(row.get("fqdn") or row.get("name") or row.get("friendlyName") or row.get("id")),
            health=row.get("health"),
            last_heartbeat=row.get("lastHeartbeatUtc") or row.get("lastHeartbeat"),
            version=row.get("version") or row.get("agentVersion"),
            errors=tuple(_error(error) for error in row.get("healthErrors") or ()),
        )
        for field, kind in KINDS.items()
        for row in custom.get(field) or ()
    )


def _error(error: Json) -> str:
    return str(error.get("errorMessage") or error.get("summaryMessage") or error.get("errorCode"))
