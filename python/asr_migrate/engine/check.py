"""Check mode: everything is read, nothing is sent, and what would be sent is listed in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from asr_migrate.domain.cloud import PlannedWrite
from asr_migrate.domain.errors import AsrMigrateError
from asr_migrate.domain.lifecycle import GOALS, Act, Fault
from asr_migrate.domain.site import Sweep
from asr_migrate.domain.wave import Outcome, Wave
from asr_migrate.engine.ask import Asking
from asr_migrate.engine.bulk import batches, planned, unplannable, worth_a_plan
from asr_migrate.engine.plan import plan, plan_costs, planned_write, stops_of
from asr_migrate.engine.port import Provider
from asr_migrate.engine.track import Track


def check(
    wave: Wave, tracks: Sequence[Track], provider: Provider, sweep: Sweep, asking: Asking, now: datetime
) -> Outcome:
    """Return what ``tracks`` would be asked for, verb by verb; a machine that could not be brought there has failed."""
    wanted: list[tuple[Track, Act]] = []
    for track in tracks:
        try:
            seen = asking.with_known(track.machine, provider.observe(track.machine, sweep))
        except AsrMigrateError as error:
            track.fail(error)
            continue
        track.seen = seen if sweep.site else replace(seen, unknown_source=None)
        acts, refusal = plan(track.seen, track.goal, track.machine, asking.gates, now)
        wanted += [(track, act) for act in acts]
        fault = Fault(refusal.why, refusal.code, refusal.cause, refusal.remedy) if refusal else None
        track.end(fault=fault, refused=refusal is not None)
    writes = tuple(_writes(wave, tracks, wanted))
    return Outcome({track.machine.name: track.result for track in tracks if track.result}, writes)


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
