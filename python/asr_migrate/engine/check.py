"""Check mode: everything is read, nothing is sent, and what would be sent is listed in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from asr_migrate.domain.cloud import PlannedWrite
from asr_migrate.domain.errors import AsrMigrateError
from asr_migrate.domain.lifecycle import GOALS, Act, Fault, Goal, Verb, Wait
from asr_migrate.domain.site import Sweep
from asr_migrate.domain.wave import Outcome, Wave
from asr_migrate.engine import remedies
from asr_migrate.engine.ask import Asking
from asr_migrate.engine.bulk import batches, planned, unplannable, worth_a_plan
from asr_migrate.engine.decide import decide
from asr_migrate.engine.plan import PlannedAct, plan, plan_costs, planned_repair, planned_write, stops_of
from asr_migrate.engine.port import Provider
from asr_migrate.engine.track import Track
from asr_migrate.engine.whole import WHOLE, Application, application_of, cannot, held_back


def check(
    wave: Wave,
    tracks: Sequence[Track],
    provider: Provider,
    sweep: Sweep,
    asking: Asking,
    now: datetime,
    *,
    planned_before: Collection[Goal] = (),
) -> Outcome:
    """Return what ``tracks`` would be asked for, verb by verb; a machine that could not be brought there has failed.

    ``planned_before`` are goals that the same run has planned already, so that they count as reached.
    """
    wanted: list[tuple[Track, Act]] = []
    for track in tracks:
        try:
            seen = asking.with_known(track.machine, provider.observe(track.machine, sweep))
        except AsrMigrateError as error:
            track.fail(error)
            continue
        track.seen = seen if sweep.site else replace(seen, unknown_source=None)
        acts, refusal = plan(track.seen, track.goal, track.machine, asking.gates, now, planned_before=planned_before)
        wanted += [(track, act) for act in acts]
        fault = Fault(refusal.why, refusal.code, refusal.cause, refusal.remedy) if refusal else None
        track.end(fault=fault, refused=refusal is not None)
    writes = (*_writes(wave, tracks, _whole(tracks, wanted)), *_repairs(wave, tracks))
    return Outcome({track.machine.name: track.result for track in tracks if track.result}, writes)


def _whole(tracks: Sequence[Track], wanted: Sequence[tuple[Track, Act]]) -> list[tuple[Track, Act]]:
    """Return what would be asked for when applications move whole.

    A machine whose mate could not be brought there is refused; what a gate says of one is told with each of its mates.
    """
    by_verb = {verb: cannot(verb, tracks) for verb in WHOLE}
    stopped: dict[tuple[Application, Verb], list[tuple[Track, str]]] = {}
    for track, act in wanted:
        if (application := application_of(track.machine)) and act.verb in WHOLE:
            stopped.setdefault((application, act.verb), []).extend((track, stop) for stop in stops_of(act))
    kept: list[tuple[Track, Act]] = []
    for track, act in wanted:
        application = application_of(track.machine)
        if application is None or act.verb not in WHOLE:
            kept.append((track, act))
        elif mate := by_verb[act.verb].get(application):
            track.end(fault=held_back(track, mate, act.verb), refused=True)
        else:
            others = tuple(
                f"application {track.machine.group} moves whole: {mate.machine.name}: {stop}"
                for mate, stop in stopped[application, act.verb]
                if mate is not track
            )
            kept.append((track, PlannedAct(act.verb, act.why, (*stops_of(act), *others))))
    return kept


def _repairs(wave: Wave, tracks: Sequence[Track]) -> list[PlannedWrite]:
    """Return the machines that a run would synchronise again while it waits for their health."""
    settled = [(track, replace(track.seen, drift=())) for track in tracks]
    return [
        planned_repair(track.machine, wave.landing_zone)
        for track, seen in settled
        if isinstance(decide(seen, track.goal), Wait) and remedies.resync(seen, track.goal, Counter())
    ]


def _writes(wave: Wave, tracks: Sequence[Track], wanted: Sequence[tuple[Track, Act]]) -> list[PlannedWrite]:
    vault, alone = wave.landing_zone.vault, unplannable(wave)
    writes: list[PlannedWrite] = []
    for verb in dict.fromkeys(verb for track in tracks for verb in GOALS[track.goal].verbs):
        mine = [(track.machine, act) for track, act in wanted if act.verb is verb]
        machines = [machine for machine, _ in mine if machine.name not in alone]
        together: set[str] = set()
        if worth_a_plan(machines, verb):
            for batch in batches(wave, machines, verb):
                if len(batch.machines) > 1:
                    gates = tuple(dict.fromkeys(gate for _, act in mine for gate in stops_of(act)))
                    writes += plan_costs(planned(batch, vault), batch, wave.landing_zone, gates)
                    together |= {machine.name for machine in batch.machines}
        singles = [(machine, act) for machine, act in mine if machine.name not in together]
        writes += [planned_write(act, machine, wave.landing_zone) for machine, act in singles]
    return writes
