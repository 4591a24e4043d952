"""Sending what the machines of a wave want in one turn: by recovery plans where they serve, one by one otherwise."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial

from asr_migrate.clock import Clock
from asr_migrate.domain.errors import AsrMigrateError, ServiceError, SetupError
from asr_migrate.domain.lifecycle import VERBS, Fault, Verb
from asr_migrate.domain.recovery_plan import PlanCall, standing_numbers
from asr_migrate.domain.site import Call, Json
from asr_migrate.domain.wave import Wave
from asr_migrate.engine import remedies
from asr_migrate.engine.bulk import Batch, batches, fabric_of, plan_call, unplannable, worth_a_plan
from asr_migrate.engine.busy import CONFLICT, Busy
from asr_migrate.engine.caps import Begun, Cap, Room, Scope
from asr_migrate.engine.doubt import THROTTLED, known_jobs, names_of
from asr_migrate.engine.jobs import RUNNING
from asr_migrate.engine.port import Provider, SiteRecovery
from asr_migrate.engine.reads import LookLostError, Reads, Turn, each
from asr_migrate.engine.steps import UNREADABLE, unreadable
from asr_migrate.engine.tell import Emit
from asr_migrate.engine.track import Track
from asr_migrate.engine.whole import (
    WHOLE,
    application_of,
    cannot_go,
    first_in_boot_order,
    held_back,
    hindrances,
    units,
)
from asr_migrate.engine.wire import Errand, Wire

HOLD_S = 180.0
ALL_PLANS = ""
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
        self._reads = reads
        self._begun = Begun()
        self._wire = Wire(clock, stopping, self._begun)
        self._busy = Busy(clock)
        self._standing: dict[str, int] | None = None
        self._no_plan: set[tuple[Verb, str]] = set()
        self._held_since_s: float | None = None
        self._refreshed = False

    async def send(self, tracks: Sequence[Track], turn: Turn) -> None:
        """Send what is wanted. ``tracks`` are all machines of the run: one that has failed may keep others from going.

        Whatever goes wrong stays with the machines that it is about.
        """
        if self._wire.shut:
            return
        still_open = [track for track in tracks if track.result is None]
        room = self._room(still_open, turn)
        singles: list[Track] = []
        for verb in Verb:
            wanting = [track for track in still_open if track.want and track.want.verb is verb]
            if verb in WHOLE:
                wanting = self._whole(verb, wanting, tracks)
            if worth_a_plan([track.machine for track in wanting], verb) and (verb, ALL_PLANS) not in self._no_plan:
                wanting = await self._by_plans(verb, wanting, still_open, turn, room)
            if wanting and verb in REMOVALS:
                wanting = await self._released(wanting)
            if verb in WHOLE and any(refused is verb for refused, _ in self._no_plan):
                wanting = self._in_boot_order(verb, wanting, still_open)
            singles += self._fitting([track for track in wanting if track.result is None], verb, room)
        mending = [track for track in still_open if track.repair and track.result is None]
        await asyncio.gather(
            each(lambda track: self._guarded([track], self._single(track, turn)), singles),
            each(lambda track: self._guarded([track], self._mend(track, turn)), mending),
            self._refresh(still_open, turn),
        )

    def close(self) -> list[Track]:
        """Send nothing from now on; return the machines whose request has no answer yet, which is to be looked up."""
        return self._wire.close()

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

    def _fitting(self, wanting: Sequence[Track], verb: Verb, room: Room) -> list[Track]:
        """Return those for whom there is room and take it; an application goes whole unless no cap ever lets it."""
        fitting: list[Track] = []
        for unit in units(wanting) if verb in WHOLE else [[track] for track in wanting]:
            parts = [unit] if room.ever(verb, len(unit)) else [[track] for track in unit]
            for part in parts:
                if why := room.lacks(verb, len(part)):
                    self._wait(part, why)
                else:
                    room.take(verb, len(part))
                    fitting += part
        return fitting

    async def _by_plans(
        self, verb: Verb, wanting: Sequence[Track], tracks: Sequence[Track], turn: Turn, room: Room
    ) -> list[Track]:
        """Ask by recovery plans and return the machines that are to be asked one by one."""
        ready = wanting if self._all_sure(verb, wanting, tracks) else []
        known, fabrics = self._items(ready, turn)
        by_name = {track.machine.name: track for track in ready if track.machine.name in known}
        for name, refusal in unplannable(turn.wave, fabrics=fabrics).items():
            if track := by_name.pop(name, None):
                fault = Fault(refusal.why, refusal.code, refusal.cause, refusal.remedy)
                track.end(fault=fault, refused=not track.steps())
        machines = [track.machine for track in by_name.values()]
        try:
            standing = await self._stand(turn.wave, known)
        except LookLostError as lost:
            self._wait(by_name.values(), f"no answer from Azure ({lost.error.code}), looking again")
            return []
        except (ServiceError, *UNREADABLE) as error:
            self._emit(f"recovery plans cannot be read, machines go one by one: {error}")
            self._no_plan.add((verb, ALL_PLANS))
            return list(by_name.values())
        found = batches(turn.wave, machines, verb, standing=standing, fabrics=fabrics)
        rest = await asyncio.gather(*(self._batch(batch, by_name, known, turn, room) for batch in found))
        return [track for some in rest for track in some]

    def _items(self, tracks: Sequence[Track], turn: Turn) -> tuple[dict[str, Json], dict[str, str]]:
        """Return the machines' protected items and fabrics; one whose item cannot be read has failed."""
        items: dict[str, Json] = {}
        fabrics: dict[str, str] = {}
        for track in tracks:
            name = track.machine.name
            try:
                if (item := self._provider.item(track.machine, turn.sweep)) is not None:
                    fabrics[name] = fabric_of(str(item["id"]))
                    items[name] = item
            except UNREADABLE as error:
                track.fail(unreadable(name, error))
        return items, fabrics

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
        """Return who may go now: no machine of an application before all of it can, none when one of it cannot go."""
        in_the_way = hindrances(verb, tracks)
        ready: list[Track] = []
        for track in wanting:
            application = application_of(track.machine)
            mate = in_the_way.get(application) if application else None
            if mate is None:
                ready.append(track)
            elif cannot_go(mate, verb):
                track.end(fault=held_back(track, mate, verb), refused=not track.steps())
            else:
                self._wait([track], f"waiting for {mate.machine.name}: application {track.machine.group} moves whole")
        return ready

    def _in_boot_order(self, verb: Verb, wanting: Sequence[Track], tracks: Sequence[Track]) -> list[Track]:
        """Return who may go now when plans, which would keep the order, do not serve: the next order only after the
        one before it is through."""
        first = first_in_boot_order(verb, tracks)
        ready: list[Track] = []
        for track in wanting:
            ahead = first.get(track.machine.wave, track)
            if track.machine.boot_order <= ahead.machine.boot_order:
                ready.append(track)
            else:
                self._wait([track], f"waiting for {ahead.machine.name}: boot order {ahead.machine.boot_order} first")
        return ready

    async def _stand(self, wave: Wave, items: Mapping[str, Json]) -> dict[str, int]:
        """Return in which of the wave's plans its machines are; read once in a run. Raises as ``Reads`` does."""
        if self._standing is None:
            found: dict[str, int] = {}
            for name in sorted({machine.wave for machine in wave.machines}):
                ids = {
                    machine.name: str(items[machine.name]["id"])
                    for machine in wave.machines
                    if machine.wave == name and machine.name in items
                }
                found |= standing_numbers(name, await self._reads(partial(self._port.plans, name)), ids)
            self._standing = found
        return self._standing

    async def _batch(
        self, batch: Batch, by_name: Mapping[str, Track], items: Mapping[str, Json], turn: Turn, room: Room
    ) -> list[Track]:
        """Ask one plan and return the machines that it cannot serve, to be asked one by one."""
        tracks, count = [by_name[machine.name] for machine in batch.machines], len(batch.machines)
        if count == 1 or (batch.verb, batch.name) in self._no_plan:
            return tracks
        if not room.ever(batch.verb, count):
            self._no_plan.add((batch.verb, batch.name))
            return tracks
        if why := room.lacks(batch.verb, count):
            self._wait(tracks, why)
            return []
        room.take(batch.verb, count)
        alone: list[Track] = []
        await self._guarded(tracks, self._plan(batch, tracks, items, turn, alone))
        return alone

    async def _plan(
        self, batch: Batch, tracks: list[Track], items: Mapping[str, Json], turn: Turn, alone: list[Track]
    ) -> None:
        """Make a plan ready and ask it; the machines that it cannot serve are added to ``alone``."""
        zone, first = turn.wave.landing_zone, batch.machines[0]
        network = zone.network_id(first.target.test_network or zone.test_network)
        try:
            call = plan_call(batch, items, network)
            if self._wire.shut:
                return
            if not await self._port.prepare_plan(call):
                self._wait(tracks, f"waiting for recovery plan {batch.name}, which is at work")
                return
            await self._ask_plan(batch, call, tracks, turn)
            self._busy.over(batch.name)
        except SetupError:
            raise
        except ServiceError as error:
            if error.status in (CONFLICT, THROTTLED):
                self._wait(tracks, self._busy.again(batch.name, error, VERBS[batch.verb].words))
            elif error.transient:
                self._wait(tracks, f"no answer from Azure ({error.code}), looking again")
            else:
                alone += self._instead(batch, error.message, tracks)
        except AsrMigrateError as error:
            alone += self._instead(batch, error.message, tracks)

    async def _ask_plan(self, batch: Batch, call: PlanCall, tracks: list[Track], turn: Turn) -> None:
        errand = Errand(batch.verb, tracks, known_jobs([batch.name], turn.sweep), batch.name)
        await self._wire.ask(errand, lambda key: self._port.send_plan(call, key))

    def _instead(self, batch: Batch, why: str, tracks: list[Track]) -> list[Track]:
        self._no_plan.add((batch.verb, batch.name))
        self._emit(f"recovery plan {batch.name} cannot serve, its machines go one by one: {why}")
        return tracks

    async def _released(self, tracks: list[Track]) -> list[Track]:
        """Take machines that are to be removed out of their recovery plans; return those that are in none now."""
        free: list[Track] = []
        for name in sorted({track.machine.wave for track in tracks}):
            mine = [track for track in tracks if track.machine.wave == name]
            await self._guarded(mine, self._release(name, mine, free))
        return free

    async def _release(self, wave: str, tracks: list[Track], free: list[Track]) -> None:
        if self._wire.shut:
            return
        try:
            held = await self._port.release(wave, [str(track.seen.item_id) for track in tracks])
        except ServiceError as error:
            if not (error.transient or error.status == CONFLICT):
                raise
            self._wait(tracks, self._busy.again(wave, error, "take machines out of their recovery plans"))
            return
        self._busy.over(wave)
        busy = [track for track in tracks if str(track.seen.item_id).lower() in held]
        self._wait(busy, "waiting for its recovery plan, which is at work")
        free += [track for track in tracks if str(track.seen.item_id).lower() not in held]

    async def _guarded(self, tracks: Sequence[Track], work: Awaitable[None]) -> None:
        """Do what is to be done for some machines; whatever goes wrong with it stays with them.

        What could not be prepared because the run is being stopped leaves them as they are.
        """
        try:
            await work
        except LookLostError as lost:
            self._wait(tracks, f"no answer from Azure ({lost.error.code}), looking again")
        except AsrMigrateError as error:
            if not (isinstance(error, SetupError) and self._wire.shut):
                for track in tracks:
                    track.fail(error)
        except Exception as error:
            for track in tracks:
                track.fail(unreadable(track.machine.name, error))

    async def _single(self, track: Track, turn: Turn) -> None:
        """Send one verb for one machine."""
        if track.want is None:
            return
        verb, name = track.want.verb, track.machine.name
        item = self._provider.item(track.machine, turn.sweep)
        call = await self._call(track, verb, item, turn)
        errand = Errand(verb, [track], known_jobs(names_of(track.machine, track.seen, item), turn.sweep))
        try:
            await self._wire.ask(errand, lambda key: self._port.send(call, turn.sweep.site, key))
        except ServiceError as error:
            if error.status not in (THROTTLED, CONFLICT):
                raise
            self._wait([track], self._busy.again(name, error, VERBS[verb].words))
        else:
            self._busy.over(name)

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
            await self._wire.tell(lambda key: self._port.send(remedies.resync_call(track.seen), turn.sweep.site, key))
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
            await self._wire.tell(lambda key: self._port.send(remedies.refresh_call(), turn.sweep.site, key))
        except AsrMigrateError as error:
            self._emit(f"remedy not taken: {error.message}")

    def _wait(self, tracks: Iterable[Track], why: str) -> None:
        for track in tracks:
            track.wait_for(why, self._clock.monotonic())
