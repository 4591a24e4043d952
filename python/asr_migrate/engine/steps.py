"""One machine in one turn: look, believe or look again, find out what came of what was asked, decide what is next."""

from __future__ import annotations

from asr_migrate.clock import Clock
from asr_migrate.domain.errors import AsrMigrateError, ServiceError, WireError, lookup
from asr_migrate.domain.lifecycle import VERBS, Decision, Done, Fault, Goal, Observation, Refuse, Stage, Verb, Wait
from asr_migrate.domain.site import Json, Sweep
from asr_migrate.engine import remedies
from asr_migrate.engine.ask import Asking
from asr_migrate.engine.decide import STEADY, decide
from asr_migrate.engine.doubt import NOT_FOUND, RECENT_S, Doubts, Verdict, names_of, shows
from asr_migrate.engine.jobs import Jobs
from asr_migrate.engine.port import Provider, SiteRecovery
from asr_migrate.engine.reads import LookLostError, Reads, Turn
from asr_migrate.engine.tell import Emit
from asr_migrate.engine.track import Asked, Track

DETAILED = frozenset({Stage.PROTECTED, Stage.TESTED})
BY_STAGE = frozenset({"TooEarly", "TooLate", "NotReplicating", "NotOffered", "NotTested", "TestRunning"})
REFUSAL_PATIENCE_S = 60.0
STALL_PATIENCE_S = 120.0
UNMOVED_S = 3600.0
NEWS_PATIENCE_S = 300.0
LOOKS_LOST = 10
SENDS = 3
UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What comes of reading an answer that does not have the expected shape."""
REPAIR = "Repair what is named here, then run the same playbook again; nothing was cancelled."


def unreadable(machine: str, error: Exception) -> WireError:
    """Return the error of a machine whose answer from Azure did not have the expected shape."""
    return WireError(
        f"{machine}: an answer of Site Recovery could not be read",
        code="Unreadable",
        cause=f"{type(error).__name__}: {error}",
        remedy="Report this with the machine's protected item as JSON; the other machines are not concerned.",
    )


class Steps:
    """Takes the machines of a wave through their turns. Sends nothing: what is to be asked stands in ``Track.want``."""

    def __init__(
        self,
        port: SiteRecovery,
        provider: Provider,
        clock: Clock,
        asking: Asking,
        emit: Emit,
        reads: Reads,
    ) -> None:
        self._port = port
        self._provider = provider
        self._clock = clock
        self._asking = asking
        self._emit = emit
        self._reads = reads
        self._jobs = Jobs(port, provider, clock, reads)
        self._doubts = Doubts(self._jobs.read)

    async def take(self, track: Track, turn: Turn) -> bool:
        """Take one step and return whether a change is near; whatever goes wrong with this machine stays with it."""
        track.want, track.repair, track.unsure = None, False, False
        try:
            soon = await self._step(track, turn)
            track.lost = 0
            return soon
        except LookLostError as lost:
            track.lost += 1
            track.unsure = True
            track.wait_for(f"no answer from Azure ({lost.error.code}), looking again", self._clock.monotonic())
            if track.lost > LOOKS_LOST:
                track.fail(lost.error)
            return True
        except AsrMigrateError as error:
            track.fail(error)
        except UNREADABLE as error:
            track.fail(unreadable(track.machine.name, error))
        return False

    async def _step(self, track: Track, turn: Turn) -> bool:
        now_s = self._clock.monotonic()
        seen = self._asking.with_known(track.machine, self._provider.observe(track.machine, turn.sweep))
        if why := self._behind(track, seen, turn.sweep):
            return self._unsure(track, why, now_s)
        seen = await self._detailed(track, seen, turn)
        track.seen = await self._asking.with_probes(track, seen, self._reads, now_s)
        track.progress.copying(seen.stage is Stage.REPLICATING, now_s)
        track.progress.add(seen.progress, now_s)
        if (asked := track.doubtful) and await self._resolve(track, asked, turn) is Verdict.OPEN:
            return self._unsure(track, f"finding out whether this arrived: {VERBS[asked.verb].words}", now_s)
        if track.pending and not await self._job_ended(track, track.pending, turn):
            return track.seen.stage not in STEADY
        if asked := self._not_shown_yet(track, now_s):
            return self._unsure(track, f"waiting to see what an earlier run did: {VERBS[asked.verb].words}", now_s)
        if fault := self._stands_still(track, now_s):
            track.end(fault=fault)
            return False
        return self._follow(track, decide(track.seen, track.goal, self._asking.gates, self._clock.now()), now_s)

    def _follow(self, track: Track, decision: Decision, now_s: float) -> bool:
        """Do what was decided, but for sending: that is ``Track.want``."""
        if isinstance(decision, Refuse):
            return self._refuse(track, decision, now_s)
        track.refused_since_s = None
        if isinstance(decision, Done):
            track.end()
            return False
        if isinstance(decision, Wait):
            return self._wait(track, decision, now_s)
        if asked := track.already(decision.verb):
            return self._await_effect(track, asked, now_s)
        if track.times_sent(decision.verb) >= SENDS + track.remedied[decision.verb]:
            raise ServiceError(
                f"{track.machine.name}: {VERBS[decision.verb].words} was asked for {SENDS} times without effect",
                code="NoEffect",
                cause=f"Site Recovery still shows the machine as {track.seen.stage}",
                remedy="Look at the machine in the vault, then run the same playbook again.",
                transient=True,
            )
        track.want = decision
        return True

    def _unsure(self, track: Track, why: str, now_s: float) -> bool:
        track.unsure = True
        track.wait_for(why, now_s)
        return True

    @staticmethod
    def _behind(track: Track, seen: Observation, sweep: Sweep) -> str | None:
        """Return why the machine's row is not to be believed."""
        machine = track.machine
        names = (seen.item_id,) if seen.item_id else (machine.name, machine.host_name)
        return next((sweep.behind[name.lower()] for name in names if name and name.lower() in sweep.behind), None)

    async def _detailed(self, track: Track, seen: Observation, turn: Turn) -> Observation:
        """Return where the machine stands with what lists omit, where that matters: read once, and after an update."""
        machine = track.machine
        wants = track.goal is Goal.PROTECTED and machine.target.private_ip and seen.stage in DETAILED
        if not (wants and seen.item_id and not seen.busy):
            return seen
        if track.detail is None:
            item_id = seen.item_id
            track.detail = await self._reads(lambda: self._port.item(item_id))
        row = self._provider.item(machine, turn.sweep)
        item = track.detail if row is None else with_details(row, track.detail)
        read = self._provider.read(item, machine, turn.sweep, seen.vm, seen.test_vm)
        return self._asking.with_known(machine, read)

    async def _resolve(self, track: Track, asked: Asked, turn: Turn) -> Verdict:
        """Find out what came of a write in doubt. Raises its error when it has not arrived a second time."""
        item = self._provider.item(track.machine, turn.sweep)
        names = names_of(track.machine, track.seen, item)
        verdict = await self._doubts.resolve(
            track, asked, turn.sweep, names, turn.at_s, lambda: self._last_look(track, asked, turn)
        )
        if verdict is Verdict.NOTHING and not asked.adopted and asked.doubt and track.times_sent(asked.verb) > 1:
            raise asked.doubt
        return verdict

    async def _last_look(self, track: Track, asked: Asked, turn: Turn) -> Observation | None:
        """Read the machine, or the recovery plan that was asked, itself; None when it shows nothing."""
        seen, site = track.seen, turn.sweep.site
        if asked.plan is not None:
            wave = track.machine.wave
            plans = await turn.once(f"plans {wave}", lambda: self._reads(lambda: self._port.plans(wave)))
            plan = plans.get(asked.plan.lower())
            return Observation(seen.stage, busy=True, job_id="?") if plan and plan.busy_with else None
        item_id = seen.item_id
        if item_id is None and asked.verb is Verb.REPLICATE and site is not None:
            container = f"replicationFabrics/{site.fabric}/replicationProtectionContainers/{site.container}"
            vault = turn.wave.landing_zone.vault_id
            item_id = f"{vault}/{container}/replicationProtectedItems/{track.machine.name}"
        if item_id is None:
            return None
        try:
            item = await self._reads(lambda: self._port.item(item_id))
        except ServiceError as error:
            if error.status != NOT_FOUND:
                raise
            return Observation(Stage.ABSENT)
        return self._provider.read(item, track.machine, turn.sweep, seen.vm, seen.test_vm)

    async def _job_ended(self, track: Track, asked: Asked, turn: Turn) -> bool:
        """Say whether the job of ``asked`` has ended well, or its failure is mended by asking again.

        Raises ServiceError with the job's own error when it ended otherwise.
        """
        job = await self._jobs.ended(track, asked, turn)
        now_s = self._clock.monotonic()
        if job is None:
            track.wait_for(track.seen.busy_with or VERBS[asked.verb].words, now_s)
            return False
        error = await self._jobs.error(track, asked, job, turn)
        asked.ended_s = now_s
        if asked.verb is Verb.UPDATE:
            track.detail = None
        if error is None or asked.adopted:
            return True
        if (words := remedies.retry(asked.verb, error, track.remedied)) is None:
            raise error
        asked.void = True
        self._say_remedy(track, words)
        return True

    @staticmethod
    def _not_shown_yet(track: Track, now_s: float) -> Asked | None:
        """Return what an earlier run asked for while the machine does not show it; old or shown, it is forgotten."""
        for asked in [asked for asked in track.asked if asked.adopted and not asked.void]:
            shown = shows(asked, track.seen) or (asked.verb is Verb.UPDATE and asked.ended_s is not None)
            if shown or now_s - asked.at_s >= RECENT_S:
                asked.void = True
        return next((asked for asked in track.asked if asked.adopted and not asked.void), None)

    @staticmethod
    def _stands_still(track: Track, now_s: float) -> Fault | None:
        """Return why no data arrives: told by the provider for two minutes, or by the machine's health for an hour in
        which its share did not grow, or did not begin to."""
        seen = track.seen
        if seen.stalled is None:
            track.stalled_since_s = None
            if seen.stage is Stage.REPLICATING and seen.health_errors and track.progress.unmoved_s(now_s) >= UNMOVED_S:
                return seen.health_errors[0]
            return None
        if track.stalled_since_s is None:
            track.stalled_since_s = now_s
        return seen.stalled if now_s - track.stalled_since_s >= STALL_PATIENCE_S else None

    def _refuse(self, track: Track, refusal: Refuse, now_s: float) -> bool:
        """End with a refusal. One that follows from the stage alone may come from an old list: look at it again."""
        if track.refused_since_s is None:
            track.refused_since_s = now_s
        if refusal.code in BY_STAGE and now_s - track.refused_since_s < REFUSAL_PATIENCE_S:
            return self._unsure(track, f"looking again before giving up: {refusal.why}", now_s)
        fault = Fault(refusal.why, refusal.code, refusal.cause, refusal.remedy)
        track.end(fault=fault, refused=not track.steps())
        return False

    def _wait(self, track: Track, wait: Wait, now_s: float) -> bool:
        waited_s = track.wait_for(wait.why, now_s)
        if words := remedies.resync(track.seen, track.goal, track.remedied):
            track.repair = True
            self._say_remedy(track, words)
        if wait.patience_s is not None and waited_s > wait.patience_s:
            row = lookup(wait.code)
            fault = Fault(
                f"{track.machine.name}: nothing changed for {waited_s:.0f} s: {wait.why}",
                code=wait.code or "NoChange",
                cause=wait.why,
                remedy=row.remedy if row else REPAIR,
            )
            track.end(fault=fault)
        return wait.soon

    def _say_remedy(self, track: Track, words: str) -> None:
        track.remedies.append(words)
        self._emit(f"{track.machine.name}: remedy: {words}")

    @staticmethod
    def _await_effect(track: Track, asked: Asked, now_s: float) -> bool:
        """A verb is sent once in a run: wait until what it did shows, and give up when it does not."""
        words = VERBS[asked.verb].words
        since_s = asked.ended_s if asked.ended_s is not None else asked.at_s
        track.wait_for(f"waiting to see the effect of: {words}", now_s)
        if now_s - since_s <= NEWS_PATIENCE_S:
            return True
        raise ServiceError(
            f"{track.machine.name}: {words} ended well but its effect does not show",
            code="NoEffect",
            cause=f"Site Recovery still shows the machine as {track.seen.stage}",
            remedy="Look at the machine in the vault, then run the same playbook again.",
            transient=True,
        )


def with_details(row: Json, detail: Json) -> Json:
    """Return a list's row with what the list leaves empty and the single read has (disks, network adapters)."""
    properties = dict(row.get("properties") or {})
    found = dict(properties.get("providerSpecificDetails") or {})
    known = (detail.get("properties") or {}).get("providerSpecificDetails") or {}
    found |= {key: value for key, value in known.items() if value and not found.get(key)}
    return {**row, "properties": {**properties, "providerSpecificDetails": found}}
