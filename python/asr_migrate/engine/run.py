"""Observe, decide, act, repeat: one loop brings a whole wave to its goal."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from asr_migrate.clock import Clock
from asr_migrate.domain.cloud import PlannedWrite
from asr_migrate.domain.errors import AsrMigrateError, DeadlineError, ServiceError, SetupError, WireError, job_error
from asr_migrate.domain.lifecycle import VERBS, Act, Done, Fault, Goal, Observation, Refuse, Stage, Verb, Wait
from asr_migrate.domain.site import Call, Json, Sweep
from asr_migrate.domain.wave import Outcome, Wave
from asr_migrate.engine.decide import STEADY, decide
from asr_migrate.engine.plan import plan, planned_write
from asr_migrate.engine.port import Provider, SiteRecovery
from asr_migrate.engine.track import Asked, Track

SHARE = re.compile(r", \d+ %")
SOON_S = 15.0
STEADY_S = 60.0
JITTER = 0.1
STALL_PATIENCE_S = 120.0
NEWS_PATIENCE_S = 300.0
ACTS_AT_ONCE = 8
SWEEPS_LOST = 5
DETAILED = frozenset({Stage.PROTECTED, Stage.TESTED})

Emit = Callable[[str], None]


def silent(line: str) -> None:
    """Drop ``line``: nobody follows."""


def unreadable(machine: str, error: Exception) -> WireError:
    """Return the error of a machine whose answer from Azure did not have the expected shape."""
    return WireError(
        f"{machine}: an answer of Site Recovery could not be read",
        code="Unreadable",
        cause=f"{type(error).__name__}: {error}",
        remedy="Report this with the machine's protected item as JSON; the other machines are not concerned.",
    )


class Engine:
    """Brings waves to goals through one vault. It never cancels what Azure is doing."""

    def __init__(
        self,
        port: SiteRecovery,
        provider: Provider,
        clock: Clock,
        *,
        check_mode: bool = False,
        emit: Emit = silent,
        seed: int | None = None,
    ) -> None:
        self._port = port
        self._provider = provider
        self._clock = clock
        self._check_mode = check_mode
        self._emit = emit
        self._random = random.Random(seed)
        self._acts = asyncio.Semaphore(ACTS_AT_ONCE)
        self._said: str | None = None

    async def look(self, wave: Wave) -> dict[str, Observation]:
        """Return where every machine of the wave stands now; nothing is asked for.

        A machine whose answer cannot be read is broken, with the reason.
        """
        sweep = await self._port.sweep(wave.resource_groups, with_sources=True)
        seen: dict[str, Observation] = {}
        for machine in wave.machines:
            try:
                seen[machine.name] = self._provider.observe(machine, sweep)
            except AsrMigrateError as error:
                fault = Fault(error.message, error.code, error.cause, error.remedy)
                seen[machine.name] = Observation(Stage.BROKEN, error=fault)
        return seen

    async def reach(self, wave: Wave, goal: Goal, timeout_s: float) -> Outcome:
        """Bring every machine of ``wave`` to ``goal``; one that cannot be brought there has failed in the outcome.

        ``timeout_s`` service seconds are given to each machine. Raises SetupError or ServiceError when the vault itself
        cannot be worked with.
        """
        tracks = [Track(machine, goal) for machine in wave.machines]
        if self._check_mode:
            return await self._plan(wave, goal, tracks)
        deadline_s = self._clock.monotonic() + timeout_s
        lost = 0
        sources: tuple[Json, ...] = ()
        while any(track.result is None for track in tracks):
            try:
                wanted = goal is Goal.PROTECTED and any(track.seen.stage is Stage.ABSENT for track in tracks)
                sweep = await self._port.sweep(wave.resource_groups, with_sources=wanted)
                lost, sources = 0, sweep.sources if wanted else sources
                sweep = replace(sweep, sources=sources)
            except ServiceError as error:
                lost += 1
                if not error.transient or lost > SWEEPS_LOST:
                    raise
                self._emit(f"no answer from Azure ({error.code}), looking again")
                await self._rest(SOON_S, deadline_s)
                continue
            self._require_site(sweep, wave, goal, tracks)
            soon = await self._turn([track for track in tracks if track.result is None], sweep)
            self._tell_progress(tracks)
            if all(track.result is not None for track in tracks):
                break
            if self._clock.monotonic() >= deadline_s:
                self._give_up(tracks, timeout_s)
                break
            await self._rest(SOON_S if soon else STEADY_S, deadline_s)
        return Outcome({track.machine.name: track.result for track in tracks if track.result})

    async def _rest(self, interval_s: float, deadline_s: float) -> None:
        spread = interval_s * (1 + self._random.uniform(-JITTER, JITTER))
        await self._clock.sleep(min(spread, max(deadline_s - self._clock.monotonic(), 0.0)))

    def _require_site(self, sweep: Sweep, wave: Wave, goal: Goal, tracks: Sequence[Track]) -> None:
        """Refuse a wave that needs an appliance while none is registered; nothing was sent yet."""
        if sweep.site is not None or goal is not Goal.PROTECTED:
            return
        if any(self._provider.observe(track.machine, sweep).stage is Stage.ABSENT for track in tracks):
            zone = wave.landing_zone
            raise SetupError(
                f"vault {zone.vault} has no {zone.architecture} appliance: {zone.appliance.name} is not registered",
                code="ApplianceMissing",
                remedy="Run the deploy_appliance playbook first.",
            )

    async def _turn(self, tracks: Sequence[Track], sweep: Sweep) -> bool:
        """Look at every machine once and do what is next; return whether anything is about to change."""
        changes = await asyncio.gather(*(self._guarded_step(track, sweep) for track in tracks))
        return any(changes)

    async def _guarded_step(self, track: Track, sweep: Sweep) -> bool:
        """Take one step; whatever goes wrong with this machine stays with this machine."""
        try:
            soon = await self._step(track, sweep)
        except AsrMigrateError as error:
            track.fail(error)
            soon = False
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            track.fail(unreadable(track.machine.name, error))
            soon = False
        self._tell(track)
        return soon

    async def _step(self, track: Track, sweep: Sweep) -> bool:
        track.seen = await self._observe(track, sweep)
        if track.pending and not await self._job_ended(track, track.pending, sweep):
            return track.seen.stage not in STEADY
        now_s = self._clock.monotonic()
        if self._stands_still(track, now_s):
            track.end(fault=track.seen.stalled)
            return False
        decision = decide(track.seen, track.goal)
        if isinstance(decision, Done):
            track.end()
            return False
        if isinstance(decision, Refuse):
            refusal = Fault(decision.why, decision.code, decision.cause, decision.remedy)
            track.end(fault=refusal, refused=not track.asked)
            return False
        if isinstance(decision, Wait):
            waited_s = track.wait_for(decision.why, now_s)
            if decision.patience_s is not None and waited_s > decision.patience_s:
                track.end(fault=self._no_news(track, decision.why, waited_s))
            return decision.soon
        if asked := track.already(decision.verb):
            return self._await_effect(track, asked, now_s)
        await self._act(track, decision, sweep)
        return True

    async def _observe(self, track: Track, sweep: Sweep) -> Observation:
        """Return where the machine stands; where the properties of its VM matter its item is read on its own."""
        machine = track.machine
        seen = self._provider.observe(machine, sweep)
        wants_detail = track.goal is Goal.PROTECTED and machine.target.private_ip and seen.stage in DETAILED
        if not (wants_detail and seen.item_id and not seen.busy):
            return seen
        async with self._acts:
            item = await self._port.item(seen.item_id)
        return self._provider.read(item, machine, sweep, seen.vm, seen.test_vm)

    async def _job_ended(self, track: Track, asked: Asked, sweep: Sweep) -> bool:
        """Say whether the job of ``asked`` has ended well.

        Raises ServiceError with the job's own error when it ended otherwise.
        """
        job = sweep.job(asked.job_id) or await self._port.job(str(asked.job_id))
        state = str((job.get("properties") or {}).get("state"))
        words = VERBS[asked.verb].words
        if state in ("NotStarted", "InProgress", "Suspended"):
            track.wait_for(track.seen.busy_with or words, self._clock.monotonic())
            return False
        asked.ended_s = self._clock.monotonic()
        if state in ("Succeeded", "CompletedWithInformation"):
            return True
        raise job_error(await self._port.job(str(asked.job_id)), f"{track.machine.name}: {words} failed")

    def _stands_still(self, track: Track, now_s: float) -> bool:
        if track.seen.stalled is None:
            track.stalled_since_s = None
            return False
        if track.stalled_since_s is None:
            track.stalled_since_s = now_s
        return now_s - track.stalled_since_s >= STALL_PATIENCE_S

    def _no_news(self, track: Track, why: str, waited_s: float) -> Fault:
        return Fault(
            f"{track.machine.name}: nothing changed for {waited_s:.0f} s: {why}",
            code="NoChange",
            cause=why,
            remedy="Repair what is named here, then run the same playbook again; nothing was cancelled.",
        )

    def _await_effect(self, track: Track, asked: Asked, now_s: float) -> bool:
        """A verb is sent once in a run: wait until what it did shows, and give up when it does not."""
        words = VERBS[asked.verb].words
        since_s = asked.ended_s if asked.ended_s is not None else asked.at_s
        track.wait_for(f"waiting to see the effect of: {words}", now_s)
        if now_s - since_s <= NEWS_PATIENCE_S:
            return True
        if asked.doubt is not None:
            raise asked.doubt
        raise ServiceError(
            f"{track.machine.name}: {words} ended well but its effect does not show",
            code="NoEffect",
            cause=f"Site Recovery still shows the machine as {track.seen.stage}",
            remedy="Look at the machine in the vault, then run the same playbook again.",
            transient=True,
        )

    async def _act(self, track: Track, act: Act, sweep: Sweep) -> None:
        """Send one verb. When the answer leaves open whether it arrived it is not sent again: the next sweeps tell."""
        call = await self._call(track, act.verb, sweep)
        async with self._acts:
            asked = Asked(act.verb, None, self._clock.monotonic())
            try:
                asked.job_id = await self._port.send(call, sweep.site)
            except ServiceError as error:
                if not error.transient or error.status == 429:
                    raise
                asked.doubt = error
        track.asked.append(asked)
        track.wait_for(VERBS[act.verb].words, self._clock.monotonic())

    async def _call(self, track: Track, verb: Verb, sweep: Sweep) -> Call:
        machine = track.machine
        if verb is Verb.DISCOVER:
            return self._provider.discover(machine)
        if verb is Verb.REPLICATE and sweep.site is not None:
            return self._provider.enable(machine, sweep.site, sweep)
        item = self._provider.item(machine, sweep)
        if item is None:
            raise ServiceError(f"{machine.name}: its protected item is gone", code="ItemGone", transient=True)
        if verb is Verb.UPDATE:
            return self._provider.update(machine, await self._port.item(str(item["id"])))
        return self._provider.act(verb, machine, item)

    def _give_up(self, tracks: Sequence[Track], timeout_s: float) -> None:
        for track in tracks:
            if track.result is None:
                track.fail(
                    DeadlineError(
                        f"{track.machine.name}: still {track.seen.stage} after {timeout_s:.0f} s",
                        code="DeadlinePassed",
                        cause=f"waited for: {track.waited_on}",
                        remedy="Nothing was cancelled; run the same playbook again and it goes on from here.",
                    )
                )

    def _tell(self, track: Track) -> None:
        """Say what is new of a machine; the same line is not said twice, and a share that grew is nothing new."""
        name, result = track.machine.name, track.result
        if result is None:
            line = f"{name}: {track.seen.stage}: {track.waited_on or track.seen.busy_with}"
        elif result.error:
            line = f"{name}: {'refused' if result.refused else 'failed'} at {result.stage}: {result.error.message}"
        else:
            line = f"{name}: {track.goal} reached ({result.stage})"
        gist = SHARE.sub("", line)
        if gist != track.said:
            track.said = gist
            self._emit(line)

    def _tell_progress(self, tracks: Sequence[Track]) -> None:
        """Say in one line how far the machines are that still copy their disks."""
        copying = [track for track in tracks if track.result is None and track.seen.progress is not None]
        if not copying:
            return
        slowest = min(copying, key=lambda track: track.seen.progress or 0)
        line = (
            f"{len(copying)} of {len(tracks)} copying their disks, "
            f"slowest {slowest.machine.name} at {slowest.seen.progress:.0f} %"
        )
        if line != self._said:
            self._said = line
            self._emit(line)

    async def _plan(self, wave: Wave, goal: Goal, tracks: Sequence[Track]) -> Outcome:
        """Read everything, send nothing, list what would be sent."""
        sweep = await self._port.sweep(wave.resource_groups, with_sources=goal is Goal.PROTECTED)
        writes: list[PlannedWrite] = []
        for track in tracks:
            try:
                seen = self._provider.observe(track.machine, sweep)
            except AsrMigrateError as error:
                track.fail(error)
                continue
            track.seen = seen if sweep.site else replace(seen, unknown_source=None)
            acts, refusal = plan(track.seen, goal, track.machine)
            writes += [planned_write(act, track.machine, wave.landing_zone.vault) for act in acts]
            fault = Fault(refusal.why, refusal.code, refusal.cause, refusal.remedy) if refusal else None
            track.end(fault=fault, refused=refusal is not None)
        return Outcome({track.machine.name: track.result for track in tracks if track.result}, tuple(writes))
