"""Observe, decide, act, repeat: one loop brings a whole wave to its goal."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from asr_migrate.clock import Clock
from asr_migrate.domain.errors import AsrMigrateError
from asr_migrate.domain.gates import OPEN, Gates
from asr_migrate.domain.lifecycle import Fault, Goal, Observation, Stage
from asr_migrate.domain.site import Sweep
from asr_migrate.domain.wave import Outcome, Wave
from asr_migrate.engine.acts import Acts
from asr_migrate.engine.ask import Asking
from asr_migrate.engine.caps import DOCUMENTED, Cap
from asr_migrate.engine.check import check
from asr_migrate.engine.loop import Loop
from asr_migrate.engine.pace import Pace
from asr_migrate.engine.port import Prober, Provider, SiteRecovery
from asr_migrate.engine.reads import LOOK_S, Reads, Turn, answered, each
from asr_migrate.engine.steps import Steps
from asr_migrate.engine.stop import CutShortError, Stop
from asr_migrate.engine.tell import Emit, Teller, silent
from asr_migrate.engine.track import Track

__all__ = ["Emit", "Engine", "silent"]


class Engine:
    """Brings waves to goals through one vault. It never cancels what Azure is doing.

    ``quiesced_at`` is by machine: when its services were stopped. ``prober`` asks the probes that a gate waits for.
    ``planned_before`` are goals that check mode takes as reached, because the same run has planned them already.
    """

    def __init__(
        self,
        port: SiteRecovery,
        provider: Provider,
        clock: Clock,
        *,
        check_mode: bool = False,
        emit: Emit = silent,
        seed: int | None = None,
        gates: Gates = OPEN,
        quiesced_at: Mapping[str, datetime] | None = None,
        prober: Prober | None = None,
        caps: Iterable[Cap] = DOCUMENTED,
        planned_before: Collection[Goal] = (),
    ) -> None:
        self._port = port
        self._provider = provider
        self._clock = clock
        self._check_mode = check_mode
        self._emit = emit
        self._chance = random.Random(seed)
        self._asking = Asking(gates, quiesced_at or {}, prober)
        self._caps = tuple(caps)
        self._planned_before = frozenset(planned_before)
        self._stop = Stop()
        self._held: Callable[[], bool] = lambda: True
        self._followed: list[Track] = []

    @property
    def stopping(self) -> bool:
        """Whether somebody has asked to stop: nothing is sent any more."""
        return self._stop.reason is not None

    def stop(self, reason: str) -> None:
        """Send nothing from now on and let ``reach`` return soon; what Azure is doing goes on and is named there.

        To be called from the event loop, at any time; the first reason stays.
        """
        if not self.stopping:
            self._emit(f"stopping: {reason}; what Azure is doing goes on")
        self._stop.set(reason)

    def only_while(self, held: Callable[[], bool]) -> None:
        """Ask ``held``, before each request that changes something, whether the wave is still this run's."""
        self._held = held

    def _shut(self) -> bool:
        """Say whether nothing may be sent now."""
        return self.stopping or not self._held()

    async def _sweep(self, wave: Wave, *, with_sources: bool) -> Sweep:
        """Look once. Raises ServiceError when Azure does not answer in ten minutes."""
        return await answered(self._port.sweep(wave.resource_groups, with_sources=with_sources), self._clock, LOOK_S)

    async def look(self, wave: Wave) -> dict[str, Observation]:
        """Return where every machine of the wave stands now; nothing is asked for.

        A machine whose answer cannot be read is broken, with the reason.
        """
        sweep = await self._sweep(wave, with_sources=True)
        seen: dict[str, Observation] = {}
        for machine in wave.machines:
            try:
                seen[machine.name] = self._provider.observe(machine, sweep)
            except AsrMigrateError as error:
                fault = Fault(error.message, error.code, error.cause, error.remedy)
                seen[machine.name] = Observation(Stage.BROKEN, error=fault)
        return seen

    async def settled(self, wave: Wave, goal: Goal) -> Outcome | None:
        """Return what ``reach`` would when every machine has the goal already, None when anything is left to do.

        One look, no lock needed: nothing is sent. None, too, when Azure does not answer.
        """
        tracks = [Track(machine, goal) for machine in wave.machines]
        reads = Reads(self._clock)
        steps = Steps(self._port, self._provider, self._clock, self._asking, silent, reads)
        until_s = self._clock.monotonic() + 2 * LOOK_S
        try:
            looking = self._sweep(wave, with_sources=goal is Goal.PROTECTED)
            sweep = await self._stop.read(looking, self._clock, until_s)
            turn = Turn(wave, sweep, self._clock.monotonic())
            await self._stop.read(each(lambda track: steps.take(track, turn), tracks), self._clock, until_s)
        except (AsrMigrateError, CutShortError):
            return None
        results = {track.machine.name: track.result for track in tracks if track.result and track.result.reached}
        return Outcome(results) if len(results) == len(tracks) else None

    def eta_minutes(self) -> dict[str, int]:
        """Return in about how many service minutes the disks of machines are copied, by machine, 1 or more.

        Of those that ``reach`` last left while they were being copied and whose pace of the last half hour is known.
        """
        now_s = self._clock.monotonic()
        return {
            track.machine.name: max(round(left_s / 60), 1)
            for track in self._followed
            if track.seen.progress is not None and (left_s := track.progress.eta_s(now_s)) is not None
        }

    async def reach(self, wave: Wave, goal: Goal, timeout_s: float) -> Outcome:
        """Bring every machine of ``wave`` to ``goal``; one that cannot be brought there has failed in the outcome.

        ``timeout_s`` service seconds are given to each machine. Raises SetupError or ServiceError when the vault itself
        cannot be worked with.
        """
        tracks = [Track(machine, goal) for machine in wave.machines]
        if self._check_mode:
            sweep = await self._sweep(wave, with_sources=goal is Goal.PROTECTED)
            now, before = self._clock.now(), self._planned_before
            return check(wave, tracks, self._provider, sweep, self._asking, now, planned_before=before)
        self._followed = tracks
        reads = Reads(self._clock)
        steps = Steps(self._port, self._provider, self._clock, self._asking, self._emit, reads)
        acts = Acts(
            self._port,
            self._provider,
            self._clock,
            caps=self._caps,
            emit=self._emit,
            stopping=self._shut,
            reads=reads,
        )
        loop = Loop(self._port, self._provider, self._clock, steps, acts, reads, self._stop, self._emit)
        with passed_over():
            return await loop.run(wave, goal, tracks, timeout_s, Pace(self._chance), Teller(self._emit))


@contextmanager
def passed_over() -> Iterator[None]:
    """Let the garbage collector pass over what is there already, for the length of a block.

    Every look makes and drops some hundred thousand objects, so the collector runs often; modules and the wave are most
    of what it would walk through each time, and none of that ever becomes garbage.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
