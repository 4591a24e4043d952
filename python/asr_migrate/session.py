"""Where everything is put together: from a task's parameters to clients, clock and engine."""

from __future__ import annotations

import getpass
import json
import math
import os
import socket
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
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
from asr_migrate.domain.errors import InputError, SetupError
from asr_migrate.domain.gates import OPEN, Approval, Gates
from asr_migrate.domain.landing_zone import Architecture, LandingZone
from asr_migrate.domain.lifecycle import Goal
from asr_migrate.domain.parsing import parse
from asr_migrate.domain.wave import MachineResult, Outcome, Wave
from asr_migrate.engine.around import with_surroundings
from asr_migrate.engine.lease import Lease, WaveHeldError
from asr_migrate.engine.local_lock import Holder, lock_path, locked
from asr_migrate.engine.port import Provider
from asr_migrate.engine.preflight import Readiness, preflight
from asr_migrate.engine.run import Emit, Engine, silent
from asr_migrate.providers.in_mage_azure_v2 import InMageAzureV2
from asr_migrate.providers.in_mage_rcm import InMageRcm

RUN_ID_LENGTH = 12
LONGEST_TIMEOUT_S = 366 * 86400

Say = Callable[[str], None]


def actor() -> str:
    """Return who asks for changes: ``ASR_ACTOR`` (AWX job templates set it), else this user at this host."""
    return os.environ.get("ASR_ACTOR") or f"{getpass.getuser()}@{socket.gethostname()}"


def _with_approval(who: str, approval: Approval | None) -> str:
    """Return who asks for changes together with who approved them and why, as the journal keeps it in every line."""
    return f"{who}, approved by {approval.by}: {approval.reason}" if approval else who


def provider_of(zone: LandingZone) -> Provider:
    """Return the provider of the landing zone's architecture."""
    return InMageAzureV2(zone) if zone.architecture is Architecture.CLASSIC else InMageRcm(zone)


@dataclass(frozen=True)
class Request:
    """What a task asks of a wave, checked. ``timeout_s`` are the service seconds that each machine is given."""

    wave: Wave
    gates: Gates
    timeout_s: float


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

    def engine(
        self,
        emit: Emit = silent,
        *,
        wave: Wave | None = None,
        gates: Gates = OPEN,
        planned_before: Collection[Goal] = (),
    ) -> Engine:
        """Return the engine for this landing zone's vault; ``emit`` gets its progress lines.

        ``wave`` tells since when its machines' work stands still, which the gate ``fresh_point`` asks for.
        ``planned_before`` are the goals that check mode takes as reached.
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
            planned_before=planned_before,
        )

    async def preflight(
        self, engine: Engine, asked: Request, goal: Goal, left_out: Collection[str] = ()
    ) -> dict[str, Readiness]:
        """Return which machines a run to ``goal`` would move now, before their work is stopped; nothing is sent.

        ``left_out`` are machines of the wave that the run does not take along. Raises WaveHeldError or HeldHereError
        when another run works on the wave while there is something to move, SetupError when the journal cannot be used.
        """
        found = await preflight(engine.look, asked.wave, goal, asked.gates, self.clock, left_out)
        if any(one.moves for one in found.values()):
            await self._require_free(asked.wave)
        return found

    async def _require_free(self, wave: Wave) -> None:
        """Raise what a run would now raise instead of holding the wave."""
        journal, dead = self.clients.journal, frozenset[str]()
        if journal:
            with locked(lock_path(journal.path), self._here(journal.run[:RUN_ID_LENGTH])) as ended:
                dead = frozenset(ended)
            journal.require()
        for name in wave_names(wave):
            lease = Lease(LeaseTags(self.clients, self.landing_zone), name, holder="", clock=self.clock, dead=dead)
            for other in (await lease.others())[:1]:
                raise WaveHeldError(name, other)

    async def reach(self, engine: Engine, wave: Wave, goal: Goal, timeout_s: float, *, warn: Say = silent) -> Outcome:
        """Let ``engine`` bring the wave to ``goal`` while no other run works on it.

        A wave that has reached the goal is only looked at. Losing the wave stops the engine: it asks for nothing more.
        In check mode nothing is held; ``warn`` gets a sentence when another run holds the wave. Raises WaveHeldError or
        HeldHereError, before anything was sent.
        """
        if self.check_mode:
            for sentence in await self._holders(wave):
                warn(sentence)
            return with_surroundings(await engine.reach(wave, goal, timeout_s), wave, goal)
        if (settled := await engine.settled(wave, goal)) is not None:
            return settled
        if self.clients.journal:
            self.clients.journal.on_trouble = engine.stop
        async with self.held(wave, engine.stop) as is_held:
            engine.only_while(is_held)
            outcome = await engine.reach(wave, goal, timeout_s)
            self.note(outcome.machines.values())
            return outcome

    def note(self, results: Iterable[MachineResult]) -> None:
        """Keep in the journal what came of each machine, for the report; not in check mode."""
        if self.clients.journal and not self.check_mode and (told := list(results)):
            self.clients.journal.note(self.clock.now(), told)

    @asynccontextmanager
    async def held(self, wave: Wave, on_lost: Say) -> AsyncIterator[Callable[[], bool]]:
        """Hold the wave, on this computer (when there is a journal) and in the vault, for the length of a block.

        Gives a function that says, without reading anything, whether the wave is surely still held.
        """
        journal = self.clients.journal
        run = (journal.run if journal else uuid.uuid4().hex)[:RUN_ID_LENGTH]
        holder = f"{actor()} (run {run})"
        async with AsyncExitStack() as stack:
            dead: set[str] = set()
            leases: list[Lease] = []
            if journal:
                dead = set(stack.enter_context(locked(lock_path(journal.path), self._here(run))))
            for name in wave_names(wave):
                tags = LeaseTags(self.clients, self.landing_zone)
                lease = Lease(tags, name, holder=holder, clock=self.clock, run=run, dead=dead, on_lost=on_lost)
                leases.append(await stack.enter_async_context(lease.held()))
            if journal:
                stack.callback(journal.let_go)
            yield lambda: all(lease.is_held() for lease in leases)

    def _here(self, run: str) -> Holder:
        return Holder(run, actor(), os.getpid(), self.clock.now().isoformat(timespec="seconds"))

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


def request_of(params: Mapping[str, Any], zone: LandingZone) -> Request:
    """Return what a module's parameters ask of a wave: machines, gates, require_approval, approval and timeout_s.

    Raises InputError for the first that is wrong.
    """
    gates = gates_of(params["gates"], params["approval"], params["require_approval"])
    timeout_s = float(params["timeout_s"])
    if not 0 < timeout_s <= LONGEST_TIMEOUT_S:
        problem = f"must be more than 0 and at most {LONGEST_TIMEOUT_S} seconds (a year), not {params['timeout_s']}"
        raise InputError("wave_timeout_s", params["timeout_s"], problem, remedy="Give the seconds of one machine.")
    return Request(Wave.from_hosts(params["machines"], zone), gates, timeout_s)


def gates_of(gates: Any, approval: Any, require_approval: bool = False) -> Gates:
    """Return the gates of ``asr_gates``, ``asr_approval`` and ``asr_require_approval``; raises InputError."""
    given = {} if gates in (None, "") else _read(gates)
    if not isinstance(given, Mapping):
        return parse(Gates, given, "asr_gates", show=True)
    given = dict(given)
    if require_approval:
        given["require_approval"] = True
    if approved := approval_of(approval):
        given["approval"] = approved
    return parse(Gates, given, "asr_gates", show=True)


def _read(value: Any) -> Any:
    """Return ``value``, read as JSON when it is a text that begins like an object: so the command line may give it."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        with suppress(ValueError, RecursionError):
            return json.loads(value)
    return value


def approval_of(approval: Any) -> Approval | None:
    """Return what ``asr_approval`` says, None when it is empty; raises InputError."""
    approval = None if approval in (None, "") else _read(approval)
    if approval is None or (isinstance(approval, Mapping) and not any(approval.values())):
        return None
    return parse(Approval, approval, "asr_approval", show=True)


def wave_names(wave: Wave) -> list[str]:
    """Return the names that the wave's machines give it, mostly one."""
    return sorted({machine.wave for machine in wave.machines})


def _scale(value: Any) -> float:
    """Return ``asr_wait_scale``, 1.0 when it is not given; raises InputError."""
    scale = 1.0 if value is None else float(value)
    if not (math.isfinite(scale) and scale > 0):
        problem = f"must be a number of seconds above 0, not {value}"
        raise InputError("asr_wait_scale", value, problem, remedy="Leave it out: 1.0 is real time.")
    return scale


@asynccontextmanager
async def open_session(params: Mapping[str, Any], check_mode: bool = False) -> AsyncIterator[Session]:
    """Open a session from a module's parameters: ``landing_zone``, ``cloud``, ``wait_scale`` and ``journal``.

    Raises InputError when they are wrong, SetupError when the connection cannot be prepared. Nothing is sent before the
    first call.
    """
    landing_zone = parse(LandingZone, params.get("landing_zone"), "asr_landing_zone", show=True)
    cloud = parse(CloudSettings, params.get("cloud") or {}, "asr_cloud", show=True)
    clock = Clock(_scale(params.get("wait_scale")))
    journal = params.get("journal")
    async with connect(
        cloud,
        landing_zone.subscription_id,
        clock=clock,
        check_mode=check_mode,
        journal=Journal(Path(journal), actor=_with_approval(actor(), approval_of(params.get("approval"))))
        if journal
        else None,
    ) as clients:
        yield Session(clients, landing_zone, clock, check_mode)
