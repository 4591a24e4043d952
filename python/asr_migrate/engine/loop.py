"""The loop of one run: sweep, take every machine one step, send what they want, rest; until all have a result."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace

from asr_migrate.clock import Clock
from asr_migrate.domain.errors import DeadlineError, ServiceError, SetupError
from asr_migrate.domain.lifecycle import VERBS, Fault, Goal, Stage
from asr_migrate.domain.site import Json, Sweep
from asr_migrate.domain.wave import Outcome, Wave
from asr_migrate.engine.acts import Acts
from asr_migrate.engine.adopt import adopt
from asr_migrate.engine.pace import Pace, in_words
from asr_migrate.engine.port import Provider, SiteRecovery
from asr_migrate.engine.reads import LOOK_S, LookLostError, Reads, Turn, answered, each
from asr_migrate.engine.steps import Steps
from asr_migrate.engine.stop import GRACE_S, CutShortError, Stop, leave
from asr_migrate.engine.tell import Emit, Teller
from asr_migrate.engine.track import UNSEEN, Track

AWAY_S = 900.0
EXAMPLES = 3
GOES_ON = "Nothing was cancelled; run the same playbook again and it goes on from here."


class Loop:
    """Runs one wave to one goal."""

    def __init__(
        self,
        port: SiteRecovery,
        provider: Provider,
        clock: Clock,
        steps: Steps,
        acts: Acts,
        reads: Reads,
        stop: Stop,
        emit: Emit,
    ) -> None:
        self._port = port
        self._provider = provider
        self._clock = clock
        self._steps = steps
        self._acts = acts
        self._reads = reads
        self._stop = stop
        self._emit = emit
        self._sources: tuple[Json, ...] = ()
        self._adopted = False
        self._away_since_s: float | None = None

    async def run(
        self, wave: Wave, goal: Goal, tracks: Sequence[Track], timeout_s: float, pace: Pace, teller: Teller
    ) -> Outcome:
        """Return what came of ``tracks``, the machines of ``wave``.

        Raises SetupError or ServiceError when the vault itself cannot be worked with.
        """
        deadline_s = self._clock.monotonic() + timeout_s
        going_on: Mapping[str, str] | None = None
        while open_tracks := [track for track in tracks if track.result is None]:
            if self._stop.reason is not None:
                going_on = self._leave(open_tracks, self._stop.reason)
                break
            try:
                soon = await self._look_and_act(wave, goal, tracks, deadline_s)
            except CutShortError:
                soon = True
            now_s = self._clock.monotonic()
            teller.turn(tracks, now_s)
            if now_s >= deadline_s:
                self._give_up([track for track in tracks if track.result is None], timeout_s)
                teller.turn(tracks, now_s)
            elif self._stop.reason is None and any(track.result is None for track in tracks):
                rest_s = pace.rest_s(soon, gist(tracks), now_s)
                await self._stop.rest(self._clock, min(rest_s, max(deadline_s - now_s, 0.0)))
        results = {track.machine.name: track.result for track in tracks if track.result}
        return Outcome(results, stopped=self._stop.reason if going_on is not None else None, going_on=going_on or {})

    async def _look_and_act(self, wave: Wave, goal: Goal, tracks: Sequence[Track], deadline_s: float) -> bool:
        """Sweep, take every machine one step, send what they want; return whether anything is about to change.

        Raises CutShortError when somebody asks to stop, or the deadline comes, and Azure does not answer.
        """
        until_s = max(deadline_s, self._clock.monotonic() + GRACE_S)
        open_tracks = [track for track in tracks if track.result is None]
        turn = await self._stop.read(self._look(wave, goal, open_tracks), self._clock, until_s)
        if turn is None:
            return True
        soon = await self._stop.read(self._take(open_tracks, turn), self._clock, until_s)
        if soon is None:
            return True
        await self._send(tracks, turn, until_s)
        return soon

    async def _send(self, tracks: Sequence[Track], turn: Turn, until_s: float) -> None:
        """Send what is wanted. A request that has no answer in time is left to itself, and its machines say so."""
        sending = asyncio.ensure_future(self._acts.send(tracks, turn))
        try:
            ended = await self._stop.follow(sending, self._clock, until_s + GRACE_S)
        except asyncio.CancelledError:
            sending.cancel()
            raise
        if ended:
            sending.result()
            return
        leave(sending)
        if unanswered := self._acts.close():
            names = ", ".join(track.machine.name for track in unanswered[:EXAMPLES])
            self._emit(f"{len(unanswered)} machines were asked for something and Azure has not answered yet: {names}")
        raise CutShortError

    async def _look(self, wave: Wave, goal: Goal, tracks: Sequence[Track]) -> Turn | None:
        """Sweep the vault; None when Azure did not answer, which is borne for a quarter of an hour."""
        at_s = self._clock.monotonic()
        wanted = goal is Goal.PROTECTED and any(track.seen.stage is Stage.ABSENT for track in tracks)
        try:
            look = self._port.sweep(wave.resource_groups, with_sources=wanted)
            sweep = await answered(look, self._clock, LOOK_S)
        except ServiceError as error:
            self._away_since_s = at_s if self._away_since_s is None else self._away_since_s
            away_s = self._clock.monotonic() - self._away_since_s
            if not error.transient or away_s > AWAY_S:
                raise
            self._emit(f"no answer from Azure ({error.code}) for {in_words(away_s)}, looking again")
            return None
        self._away_since_s = None
        self._sources = sweep.sources if wanted else self._sources
        sweep = replace(sweep, sources=self._sources)
        self._require_site(sweep, wave, goal, tracks)
        return Turn(wave, sweep, at_s)

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

    async def _take(self, tracks: Sequence[Track], turn: Turn) -> bool | None:
        """Take every machine one step; return whether anything is about to change, None when nothing may be sent."""
        if not self._adopted:
            try:
                found = await adopt(self._port, self._provider, self._clock, self._reads, tracks, turn)
            except LookLostError as lost:
                self._emit(f"no answer from Azure ({lost.error.code}), looking again")
                return None
            self._adopted = True
            if found:
                self._emit(f"an earlier run asked for {found} changes in the last minutes: they are followed first")
        soon = await each(lambda track: self._steps.take(track, turn), tracks)
        return any(soon)

    def _leave(self, tracks: Sequence[Track], reason: str) -> dict[str, str]:
        """End every machine as stopped and return what Azure goes on with."""
        going_on: dict[str, str] = {}
        for track in tracks:
            name, seen, at_work = track.machine.name, track.seen, track.at_work
            job_id = track.pending.job_id if track.pending else seen.job_id
            words = VERBS[at_work].words if at_work else seen.busy_with
            if at_work or seen.busy:
                going_on[name] = f"{words} (job {job_id})" if job_id else words
            doing = f"Azure goes on: {going_on[name]}" if name in going_on else "Azure is at nothing for it"
            message = f"{name}: stopped ({reason}) while {seen.stage}"
            track.end(fault=Fault(message, "Stopped", doing, GOES_ON))
        self._emit(f"stopped ({reason}): {len(tracks)} machines not at their goal, {len(going_on)} go on in Azure")
        return going_on

    @staticmethod
    def _give_up(tracks: Sequence[Track], timeout_s: float) -> None:
        for track in tracks:
            name, seen = track.machine.name, track.seen
            looked = f"still {seen.stage}" if seen is not UNSEEN else "Azure has not said where it stands"
            waited = [f"waited for: {track.waited_on or 'an answer from Azure'}"]
            health = [f"its health: {_in_words(fault)}" for fault in seen.health_errors]
            track.fail(
                DeadlineError(
                    f"{name}: {looked} after {timeout_s:.0f} s",
                    code="DeadlinePassed",
                    cause="; ".join(waited + health),
                    remedy=GOES_ON,
                )
            )


def _in_words(fault: Fault) -> str:
    code = f" [{fault.code}]" if fault.code else ""
    return f"{fault.message}{code}" + (f" ({fault.cause})" if fault.cause else "")


def gist(tracks: Sequence[Track]) -> Hashable:
    """Return what is another when anything about the wave has changed."""
    return hash(
        tuple((track.seen.stage, track.seen.progress, track.waited_on, track.result is None) for track in tracks)
    )
