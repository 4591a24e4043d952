"""What an earlier run asked for just before it was killed, taken up by the next: neither repeated nor forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from asr_migrate.clock import Clock
from asr_migrate.domain.lifecycle import GOALS, Verb
from asr_migrate.domain.recovery_plan import StandingPlan
from asr_migrate.domain.site import Written
from asr_migrate.engine.doubt import RECENT_S, item_write, plan_write, taken_up
from asr_migrate.engine.port import Provider, SiteRecovery
from asr_migrate.engine.reads import Reads, Turn
from asr_migrate.engine.track import Asked, Track


async def adopt(
    port: SiteRecovery, provider: Provider, clock: Clock, reads: Reads, tracks: Sequence[Track], turn: Turn
) -> int:
    """Note on each machine what an earlier run asked of it in the last minutes; return how many such writes there are.

    Raises LookLostError when Azure does not say which machines a recovery plan holds: try again with the next sweep.
    """
    written = await port.recent(clock.now() - timedelta(seconds=RECENT_S * clock.scale))
    if not written:
        return 0
    by_item: dict[str, Track] = {}
    by_id: dict[str, Track] = {}
    for track in tracks:
        item = provider.item(track.machine, turn.sweep)
        by_item[str(item["name"] if item else track.machine.name).lower()] = track
        if item is not None:
            by_id[str(item["id"]).lower()] = track
    plans: Mapping[str, StandingPlan] = {}
    if any(plan_write(one) for one in written):
        for wave in sorted({track.machine.wave for track in tracks}):
            plans = {**plans, **await reads(partial(port.plans, wave))}
    found = [pair for one in written for pair in _about(one, by_item, by_id, plans, clock)]
    for track, asked in found:
        asked.at_s += clock.monotonic()
        track.asked.append(asked)
    return len(found)


def _about(
    written: Written,
    by_item: Mapping[str, Track],
    by_id: Mapping[str, Track],
    plans: Mapping[str, StandingPlan],
    clock: Clock,
) -> list[tuple[Track, Asked]]:
    age_s = max((clock.now() - written.at).total_seconds(), 0.0) / clock.scale
    if found := item_write(written):
        name, verbs = found
        track = by_item.get(name)
        asked = taken_up(written, age_s, _verb(track, verbs)) if track else None
        return [(track, asked)] if track and asked else []
    if (about := plan_write(written)) and (plan := plans.get(about[0])):
        pairs = [(by_id[item], taken_up(written, age_s, about[1])) for item in plan.items if item in by_id]
        return [(track, replace(asked, plan=plan.name)) for track, asked in pairs if asked]
    return []


def _verb(track: Track, verbs: Sequence[Verb]) -> Verb:
    """Return which of ``verbs`` it was: the one of this goal, else the first."""
    return next((verb for verb in verbs if verb in GOALS[track.goal].verbs), verbs[0])
