"""Where everything is put together: from a task's parameters to clients, clock and engine."""

from __future__ import annotations

import getpass
import os
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from asr_migrate.azure.client import AzureClients, connect
from asr_migrate.azure.journal import Journal
from asr_migrate.azure.lease_tags import LeaseTags
from asr_migrate.azure.probes import AzureProbes
from asr_migrate.azure.site_recovery import AzureSiteRecovery
from asr_migrate.clock import Clock
from asr_migrate.domain.cloud import CloudSettings, PlannedWrite
from asr_migrate.domain.errors import SetupError
from asr_migrate.domain.gates import OPEN, Gates
from asr_migrate.domain.landing_zone import Architecture, LandingZone
from asr_migrate.domain.lifecycle import Goal
from asr_migrate.domain.parsing import parse
from asr_migrate.domain.wave import Outcome, Wave
from asr_migrate.engine.lease import Lease
from asr_migrate.engine.local_lock import Holder, lock_path, locked
from asr_migrate.engine.port import Provider
from asr_migrate.engine.run import Emit, Engine, silent
from asr_migrate.providers.in_mage_azure_v2 import InMageAzureV2
from asr_migrate.providers.in_mage_rcm import InMageRcm

RUN_ID_LENGTH = 12

Say = Callable[[str], None]


def actor() -> str:
    """Return who asks for changes: ``ASR_ACTOR`` (AWX job templates set it), else this user at this host."""
    return os.environ.get("ASR_ACTOR") or f"{getpass.getuser()}@{socket.gethostname()}"


def _with_approval(who: str, approval: Mapping[str, Any] | None) -> str:
    """Return who asks for changes together with who approved them and why, as the journal keeps it in every line."""
    if not approval or not approval.get("by"):
        return who
    return f"{who}, approved by {approval['by']}: {approval.get('reason') or 'no reason given'}"


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

    def engine(self, emit: Emit = silent, *, wave: Wave | None = None, gates: Gates = OPEN) -> Engine:
        """Return the engine for this landing zone's vault; ``emit`` gets its progress lines.

        ``wave`` tells since when its machines' work stands still, which the gate ``fresh_point`` asks for.
        """
        return Engine(
            AzureSiteRecovery(self.clients, self.landing_zone),
            provider_of(self.landing_zone),
            self.clock,
            check_mode=self.check_mode,
            emit=emit,
            gates=gates,
            quiesced_at={one.name: one.quiesced_at for one in wave.machines if one.quiesced_at} if wave else {},
            prober=AzureProbes(self.clients, self.clock) if gates.probes else None,
        )

    async def reach(self, engine: Engine, wave: Wave, goal: Goal, timeout_s: float, *, warn: Say = silent) -> Outcome:
        """Let ``engine`` bring the wave to ``goal`` while no other run works on it.

        A wave that has reached the goal is only looked at. Losing the wave stops the engine: it asks for nothing more.
        In check mode nothing is held; ``warn`` gets a sentence when another run holds the wave. Raises WaveHeldError or
        HeldHereError, before anything was sent.
        """
        if self.check_mode:
            for sentence in await self._holders(wave):
                warn(sentence)
            return await engine.reach(wave, goal, timeout_s)
        if (settled := await engine.settled(wave, goal)) is not None:
            return settled
        async with self.held(wave, engine.stop):
            return await engine.reach(wave, goal, timeout_s)

    @asynccontextmanager
    async def held(self, wave: Wave, on_lost: Say) -> AsyncIterator[None]:
        """Hold the wave, on this computer (when there is a journal) and in the vault, for the length of a block."""
        journal = self.clients.journal
        run = (journal.run if journal else uuid.uuid4().hex)[:RUN_ID_LENGTH]
        holder = f"{actor()} (run {run})"
        async with AsyncExitStack() as stack:
            dead: set[str] = set()
            if journal:
                here = Holder(run, actor(), os.getpid(), self.clock.now().isoformat(timespec="seconds"))
                dead = set(stack.enter_context(locked(lock_path(journal.path), here)))
            for name in wave_names(wave):
                tags = LeaseTags(self.clients, self.landing_zone)
                lease = Lease(tags, name, holder=holder, clock=self.clock, run=run, dead=dead, on_lost=on_lost)
                await stack.enter_async_context(lease.held())
            yield

    async def service_time(self) -> datetime | None:
        """Return the time of Azure's clock, None while the vault does not exist."""
        try:
            _, now = await LeaseTags(self.clients, self.landing_zone).read()
        except SetupError as error:
            if error.code != "VaultMissing":
                raise
            return None
        return now

    async def _holders(self, wave: Wave) -> list[str]:
        """Return a sentence for each other run that holds one of the wave's names; a missing vault has none."""
        told: list[str] = []
        for name in wave_names(wave):
            lease = Lease(LeaseTags(self.clients, self.landing_zone), name, holder="", clock=self.clock)
            try:
                others = await lease.others()
            except SetupError as error:
                if error.code != "VaultMissing":
                    raise
                return told
            told += [
                f"wave {name} is being worked on by {other.holder} since {other.since:%Y-%m-%d %H:%M:%S} UTC; "
                "a run would refuse, and what is planned here may be done by then"
                for other in others[:1]
            ]
        return told


def gates_of(gates: Mapping[str, Any] | None, approval: Mapping[str, Any] | None) -> Gates:
    """Return the gates that the variables ``asr_gates`` and ``asr_approval`` describe; raises InputError."""
    given = dict(gates or {})
    if approval and any(approval.values()):
        given["approval"] = dict(approval)
    return parse(Gates, given, "asr_gates")


def wave_names(wave: Wave) -> list[str]:
    """Return the names that the wave's machines give it, mostly one."""
    return sorted({machine.wave for machine in wave.machines})


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
        journal=Journal(Path(journal), actor=_with_approval(actor(), params.get("approval"))) if journal else None,
    ) as clients:
        yield Session(clients, landing_zone, clock, check_mode)
