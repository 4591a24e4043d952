"""Sending what the machines of a wave want in one turn: by recovery plans where they serve, one by one otherwise."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial

from asr_migrate.clock import Clock
from asr_migrate.domain.errors import AsrMigrateError, ServiceError
from asr_migrate.domain.lifecycle import VERBS, Fault, Verb
from asr_migrate.domain.recovery_plan import PlanCall, standing_numbers
from asr_migrate.domain.site import Call, Json, Sent
from asr_migrate.domain.wave import Wave
from asr_migrate.engine import remedies
from asr_migrate.engine.bulk import Batch, batches, fabric_of, plan_call, unplannable, worth_a_plan
from asr_migrate.engine.caps import Begun, Cap, Room, Scope
from asr_migrate.engine.doubt import THROTTLED, in_doubt, known_jobs, names_of
from asr_migrate.engine.jobs import RUNNING
from asr_migrate.engine.port import Provider, SiteRecovery
from asr_migrate.engine.reads import AT_ONCE, LookLostError, Reads, Turn, each
from asr_migrate.engine.steps import unreadable
from asr_migrate.engine.tell import Emit
from asr_migrate.engine.track import Asked, Track

CONFLICT = 409
CONFLICTS = 3
HOLD_S = 180.0
WHOLE = frozenset({Verb.TEST_FAILOVER, Verb.FAIL_OVER})
REMOVALS = frozenset({Verb.COMPLETE, Verb.STOP_REPLICATION})
BY_JOB = {row.job: verb for verb, row in VERBS.items()}


class Acts:
    """Asks the vault for changes, within the caps, each once. Nothing is sent after ``stopping`` says so."""

    def __init__(
        self,
        port: SiteRecovery,
        provider: Provider,
        clock: Clock,
        *,
        caps: Iterable[Cap],
        emit: Emit,
        stopping: Callable[[], bool],
        reads: Reads,
    ) -> None:
        self._port = port
        self._provider = provider
        self._clock = clock
        self._caps = tuple(caps)
        self._emit = emit
        self._stopping = stopping
        self._reads = reads
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._begun = Begun()
        self._standing: dict[str, int] | None = None
        self._held_since_s: float | None = None
        self._refreshed = False
        self._conflicts: Counter[str] = Counter()

    async def send(self, tracks: Sequence[Track], turn: Turn) -> None:
        """Send what ``tracks`` (those without a result) want."""
        if self._stopping():
            return
        room = self._room(tracks, turn)
        singles: list[Track] = []
        for verb in Verb:
            wanting = [track for track in tracks if track.want and track.want.verb is verb]
            if verb in WHOLE:
                wanting = self._whole(verb, wanting, tracks)
            if wanting and worth_a_plan([track.machine for track in wanting], verb):
                wanting = await self._by_plans(verb, wanting, tracks, turn, room)
            if wanting and verb in REMOVALS:
                wanting = await self._released(wanting)
            singles += [track for track in wanting if track.result is None and self._fits(track, verb, room)]
        mending = [track for track in tracks if track.repair and track.result is None]
        await asyncio.gather(
            each(lambda track: self._guarded(track, self._single(track, turn)), singles),
            each(lambda track: self._guarded(track, self._mend(track, turn)), mending),
            self._refresh(tracks, turn),
        )

    def _room(self, tracks: Sequence[Track], turn: Turn) -> Room:
        zone, site = turn.wave.landing_zone, turn.sweep.site
        names = {
            Scope.APPLIANCE: zone.appliance.name if site else "",
            Scope.VAULT: zone.vault,
            Scope.SUBSCRIPTION: zone.subscription_id,
        }
        running = Counter(verb for track in tracks if (verb := track.at_work))
        ours = {(asked.job_id or "").lower() for track in tracks for asked in track.asked}
        ours |= {(track.seen.job_id or "").lower() for track in tracks}
        for job in turn.sweep.jobs:
            told = job.get("properties") or {}
            verb = BY_JOB.get(str(told.get("scenarioName")))
            if verb and told.get("state") in RUNNING and str(job.get("name")).lower() not in ours:
                running[verb] += 1
        return Room(self._caps, names, running, self._begun, self._clock.monotonic())

    def _fits(self, track: Track, verb: Verb, room: Room) -> bool:
        """Say whether there is room for one more and take it."""
        if why := room.lacks(verb):
            track.wait_for(why, self._clock.monotonic())
            return False
        room.take(verb)
        return True

    async def _by_plans(
        self, verb: Verb, wanting: Sequence[Track], tracks: Sequence[Track], turn: Turn, room: Room
    ) -> list[Track]:
        """Ask by recovery plans and return the machines that are to be asked one by one."""
        ready = wanting if self._all_sure(verb, wanting, tracks) else []
        items = {track.machine.name: self._provider.item(track.machine, turn.sweep) for track in ready}
        known = {name: item for name, item in items.items() if item is not None}
        fabrics = {name: fabric_of(str(item["id"])) for name, item in known.items()}
        by_name = {track.machine.name: track for track in ready if track.machine.name in known}
        for name, refusal in unplannable(turn.wave, fabrics=fabrics).items():
            if track := by_name.pop(name, None):
                fault = Fault(refusal.why, refusal.code, refusal.cause, refusal.remedy)
                track.end(fault=fault, refused=not track.steps())
        standing = await self._stand(turn.wave, known, by_name.values())
        if standing is None:
            return []
        machines = [track.machine for track in by_name.values()]
        found = batches(turn.wave, machines, verb, standing=standing, fabrics=fabrics)
        rest = await asyncio.gather(*(self._batch(batch, by_name, known, turn, room) for batch in found))
        return [track for some in rest for track in some]

    def _all_sure(self, verb: Verb, wanting: Sequence[Track], tracks: Sequence[Track]) -> bool:
        """Say whether plans may go now: not while another machine's look is not believed, for three minutes at most."""
        now_s = self._clock.monotonic()
        if any(track.unsure for track in tracks):
            self._held_since_s = now_s if self._held_since_s is None else self._held_since_s
            if now_s - self._held_since_s < HOLD_S:
                self._wait(wanting, f"waiting for the others to go together: {VERBS[verb].words}")
                return False
        self._held_since_s = None
        return True

    def _whole(self, verb: Verb, wanting: Sequence[Track], tracks: Sequence[Track]) -> list[Track]:
        """Return who may go now: no machine of an application before all of it can."""
        missing = {
            (track.machine.wave, track.machine.group): track.machine.name
            for track in tracks
            if track.machine.group and (track.want is None or track.want.verb is not verb) and not track.already(verb)
        }
        ready: list[Track] = []
        for track in wanting:
            mate = missing.get((track.machine.wave, track.machine.group)) if track.machine.group else None
            if mate is None:
                ready.append(track)
            else:
                self._wait([track], f"waiting for {mate}: application {track.machine.group} moves whole")
        return ready

    async def _stand(self, wave: Wave, items: Mapping[str, Json], tracks: Iterable[Track]) -> dict[str, int] | None:
        """Return in which of the wave's plans its machines are; read once in a run. None when Azure does not answer."""
        if self._standing is None:
            found: dict[str, int] = {}
            try:
                for name in sorted({machine.wave for machine in wave.machines}):
                    ids = {
                        machine.name: str(items[machine.name]["id"])
                        for machine in wave.machines
                        if machine.wave == name and machine.name in items
                    }
                    found |= standing_numbers(name, await self._port.plans(name), ids)
            except ServiceError as error:
                if not error.transient:
                    raise
                self._wait(tracks, f"no answer from Azure ({error.code}), looking again")
                return None
            self._standing = found
        return self._standing

    async def _batch(
        self, batch: Batch, by_name: Mapping[str, Track], items: Mapping[str, Json], turn: Turn, room: Room
    ) -> list[Track]:
        """Ask one plan and return the machines that it cannot serve, to be asked one by one."""
        tracks, count = [by_name[machine.name] for machine in batch.machines], len(batch.machines)
        if count == 1 or not room.ever(batch.verb, count):
            return tracks
        if why := room.lacks(batch.verb, count):
            self._wait(tracks, why)
            return []
        room.take(batch.verb, count)
        zone, first = turn.wave.landing_zone, batch.machines[0]
        network = zone.network_id(first.target.test_network or zone.test_network)
        try:
            call = plan_call(batch, items, network)
            if not await self._port.prepare_plan(call):
                self._wait(tracks, f"waiting for recovery plan {batch.name}, which is at work")
                return []
        except ServiceError as error:
            if not (error.transient or error.status == CONFLICT):
                return self._instead(batch, error, tracks)
            self._wait(tracks, f"no answer from Azure ({error.code}), looking again")
            return []
        except AsrMigrateError as error:
            return self._instead(batch, error, tracks)
        return await self._send_plan(batch, call, tracks, turn)

    def _instead(self, batch: Batch, error: AsrMigrateError, tracks: list[Track]) -> list[Track]:
        self._emit(f"recovery plan {batch.name} cannot serve, its machines go one by one: {error.message}")
        return tracks

    async def _send_plan(self, batch: Batch, call: PlanCall, tracks: list[Track], turn: Turn) -> list[Track]:
        known = known_jobs([batch.name], turn.sweep)
        try:
            sent, doubt = await self._send(lambda key: self._port.send_plan(call, key))
        except ServiceError as error:
            if error.status in (THROTTLED, CONFLICT):
                self._wait(tracks, f"Azure does not take it now ({error.code}): {VERBS[batch.verb].words}")
                return []
            return self._instead(batch, error, tracks)
        if sent is not None:
            for track in tracks:
                self._note(track, batch.verb, sent, doubt, known, plan=batch.name)
        return []

    async def _released(self, tracks: list[Track]) -> list[Track]:
        """Take machines that are to be removed out of their recovery plans; return those that are in none now."""
        free: list[Track] = []
        for name in sorted({track.machine.wave for track in tracks}):
            mine = [track for track in tracks if track.machine.wave == name]
            try:
                held = await self._port.release(name, [str(track.seen.item_id) for track in mine])
            except ServiceError as error:
                if not (error.transient or error.status == CONFLICT):
                    for track in mine:
                        track.fail(error)
                self._wait(mine, f"no answer from Azure ({error.code}), looking again")
                continue
            busy = [track for track in mine if str(track.seen.item_id).lower() in held]
            self._wait(busy, "waiting for its recovery plan, which is at work")
            free += [track for track in mine if str(track.seen.item_id).lower() not in held]
        return free

    async def _guarded(self, track: Track, work: Awaitable[None]) -> None:
        """Do what is to be done for one machine; whatever goes wrong with it stays with it."""
        try:
            await work
        except LookLostError as lost:
            self._wait([track], f"no answer from Azure ({lost.error.code}), looking again")
        except AsrMigrateError as error:
            track.fail(error)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            track.fail(unreadable(track.machine.name, error))

    async def _single(self, track: Track, turn: Turn) -> None:
        """Send one verb for one machine."""
        if track.want is None:
            return
        verb, name = track.want.verb, track.machine.name
        item = self._provider.item(track.machine, turn.sweep)
        call = await self._call(track, verb, item, turn)
        known = known_jobs(names_of(track.machine, track.seen, item), turn.sweep)
        try:
            sent, doubt = await self._send(lambda key: self._port.send(call, turn.sweep.site, key))
        except ServiceError as error:
            self._conflicts[name] += error.status == CONFLICT
            if error.status != THROTTLED and not (error.status == CONFLICT and self._conflicts[name] < CONFLICTS):
                raise
            self._wait([track], f"Azure does not take it now ({error.code}): {VERBS[verb].words}")
            return
        if sent is not None:
            self._note(track, verb, sent, doubt, known)

    async def _send(self, request: Callable[[str], Awaitable[Sent]]) -> tuple[Sent | None, ServiceError | None]:
        """Send one request; None when the run is being stopped. An error that leaves open if it arrived is returned."""
        key = str(uuid.uuid4())
        async with self._at_once:
            if self._stopping():
                return None, None
            try:
                return await request(key), None
            except ServiceError as error:
                if not in_doubt(error):
                    raise
                return Sent(None, key), error

    def _note(
        self,
        track: Track,
        verb: Verb,
        sent: Sent,
        doubt: ServiceError | None,
        known: frozenset[str],
        plan: str | None = None,
    ) -> None:
        now_s = self._clock.monotonic()
        self._begun.note(verb, 1, now_s)
        asked = Asked(verb, now_s, sent.job_id, sent.client_request_id, track.seen.stage, known, doubt, plan)
        track.asked.append(asked)
        track.wait_for(VERBS[verb].words + (f" by recovery plan {plan}" if plan else ""), now_s)

    async def _call(self, track: Track, verb: Verb, item: Json | None, turn: Turn) -> Call:
        machine, sweep = track.machine, turn.sweep
        if verb is Verb.DISCOVER:
            return self._provider.discover(machine)
        if verb is Verb.REPLICATE and sweep.site is not None:
            return self._provider.enable(machine, sweep.site, sweep)
        if item is None:
            raise ServiceError(f"{machine.name}: its protected item is gone", code="ItemGone", transient=True)
        if verb is Verb.UPDATE and track.detail is not None:
            return self._provider.update(machine, track.detail)
        if verb is Verb.UPDATE:
            return self._provider.update(machine, await self._reads(partial(self._port.item, str(item["id"]))))
        return self._provider.act(verb, machine, item)

    async def _mend(self, track: Track, turn: Turn) -> None:
        """Synchronise a machine again. Sent once in a run; its health tells whether it helped."""
        try:
            await self._send(lambda key: self._port.send(remedies.resync_call(track.seen), turn.sweep.site, key))
        except ServiceError as error:
            self._emit(f"{track.machine.name}: remedy not taken: {error.message}")

    async def _refresh(self, tracks: Sequence[Track], turn: Turn) -> None:
        """Let the appliance say anew which machines it knows, once in a run, when some are waited for too long."""
        now_s = self._clock.monotonic()
        waiting = [
            track
            for track in tracks
            if track.seen.unknown_source
            and track.waited_on == track.seen.unknown_source
            and now_s - track.waiting_since_s >= remedies.REFRESH_AFTER_S
        ]
        if self._refreshed or not waiting or turn.sweep.site is None:
            return
        self._refreshed = True
        self._emit(f"{len(waiting)} machines: remedy: {remedies.REFRESH_WORDS}")
        for track in waiting:
            track.remedies.append(remedies.REFRESH_WORDS)
        try:
            await self._send(lambda key: self._port.send(remedies.refresh_call(), turn.sweep.site, key))
        except AsrMigrateError as error:
            self._emit(f"remedy not taken: {error.message}")

    def _wait(self, tracks: Iterable[Track], why: str) -> None:
        for track in tracks:
            track.wait_for(why, self._clock.monotonic())
