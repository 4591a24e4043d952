"""Where everything is put together: from a task's parameters to clients, clock and engine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr_migrate.azure.client import AzureClients, connect
from asr_migrate.azure.site_recovery import AzureSiteRecovery
from asr_migrate.clock import Clock
from asr_migrate.domain.cloud import CloudSettings, PlannedWrite
from asr_migrate.domain.landing_zone import Architecture, LandingZone
from asr_migrate.domain.parsing import parse
from asr_migrate.engine.port import Provider
from asr_migrate.engine.run import Emit, Engine, silent
from asr_migrate.providers.in_mage_azure_v2 import InMageAzureV2
from asr_migrate.providers.in_mage_rcm import InMageRcm


def provider_of(zone: LandingZone) -> Provider:
    """Return the provider of the landing zone's architecture."""
    return InMageAzureV2(zone) if zone.architecture is Architecture.CLASSIC else InMageRcm(zone)


@dataclass(frozen=True)
class Session:
    """One task's connection to Azure and what it needs to work with it."""

    clients: AzureClients
    landing_zone: LandingZone
    clock: Clock
    check_mode: bool

    @property
    def writes(self) -> list[PlannedWrite]:
        """What check mode did not send."""
        return self.clients.planned

    def engine(self, emit: Emit = silent) -> Engine:
        """Return the engine for this landing zone's vault; ``emit`` gets its progress lines."""
        port = AzureSiteRecovery(self.clients, self.landing_zone)
        provider = provider_of(self.landing_zone)
        return Engine(port, provider, self.clock, check_mode=self.check_mode, emit=emit)


@asynccontextmanager
async def open_session(params: Mapping[str, Any], check_mode: bool = False) -> AsyncIterator[Session]:
    """Open a session from a module's parameters: ``landing_zone``, ``cloud``, ``wait_scale`` and ``journal``.

    Raises InputError when they are wrong, SetupError when the connection cannot be prepared. Nothing is sent before the
    first call.
    """
    landing_zone = parse(LandingZone, params.get("landing_zone"), "asr_landing_zone")
    cloud = parse(CloudSettings, params.get("cloud") or {}, "asr_cloud")
    clock = Clock(float(params.get("wait_scale") or 1.0))
    journal = params.get("journal")
    async with connect(
        cloud,
        landing_zone.subscription_id,
        clock=clock,
        check_mode=check_mode,
        journal=Path(journal) if journal else None,
    ) as clients:
        yield Session(clients, landing_zone, clock, check_mode)
