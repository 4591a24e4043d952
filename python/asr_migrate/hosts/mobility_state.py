"""What a host says of its Mobility service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class MobilityState:
    """The Mobility service of a host.

    ``installed``: whole; ``leftovers``: parts of it are there and others are not. ``configured``: registered, by its
    own account, with ``server``, the first of ``servers``: the configuration server's address, or those of a modernized
    agent's appliance (its SourceConfig.json, which holds all of them; empty when it does not tell).
    ``platform`` and ``cs_type`` are drscout.conf's. ``host_ids`` are all that the host holds: one when it is well.
    ``driver`` is whether the filter driver is loaded, None when the host does not tell. ``config_input`` is the Agent
    Config Input, read only when it is asked for; sensitive.
    """

    installed: bool
    configured: bool
    running: bool
    servers: tuple[str, ...] = ()
    leftovers: bool = False
    version: str | None = None
    cs_type: str | None = None
    platform: str | None = None
    host_ids: tuple[str, ...] = ()
    driver: bool | None = None
    config_input: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the state for a result."""
        return {
            "installed": self.installed,
            "registered": self.configured,
            "running": self.running,
            "server": self.server,
            "version": self.version,
            "cs_type": self.cs_type,
            "host_id": next(iter(self.host_ids), None),
        }

    @property
    def server(self) -> str | None:
        """The address of the server that it is registered with; None when the host does not tell."""
        return next(iter(self.servers), None)

    @property
    def ready(self) -> bool:
        """Whether it is installed, registered with some server, and running."""
        return self.installed and self.configured and self.running

    @property
    def words(self) -> str:
        """The state in a few words, for a change."""
        if self.leftovers:
            return "half installed"
        if not self.installed:
            return "not installed"
        if not self.configured:
            return "installed, not registered"
        return f"registered with {self.server or 'an appliance'}" + ("" if self.running else ", service not running")
