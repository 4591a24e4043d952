"""Applications (``Machine.group``) are tested and failed over whole: all of their machines, or none. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from asr_migrate.domain.lifecycle import VERBS, Fault, Stage, Verb, from_on
from asr_migrate.domain.machine import Machine
from asr_migrate.engine.track import Track

WHOLE = frozenset({Verb.TEST_FAILOVER, Verb.FAIL_OVER})

Application = tuple[str, str]


def application_of(machine: Machine) -> Application | None:
    """Return the machine's application as (wave, name), None when it belongs to none."""
    return (machine.wave, machine.group) if machine.group else None


def behind_it(stage: Stage, verb: Verb) -> bool:
    """Say whether a machine in ``stage`` is at ``verb`` or has it behind it."""
    row = VERBS[verb]
    return stage in from_on(row.through) and stage not in row.legal_from


def cannot_go(track: Track, verb: Verb) -> bool:
    """Say whether a machine has ended before ``verb`` was through: it failed or was refused."""
    return track.result is not None and track.result.failed and not behind_it(track.seen.stage, verb)


def cannot(verb: Verb, tracks: Iterable[Track]) -> Mapping[Application, Track]:
    """Return application -> a machine of it that cannot go (see ``cannot_go``)."""
    stuck = [(application_of(track.machine), track) for track in tracks if cannot_go(track, verb)]
    return {application: track for application, track in stuck if application is not None}


def hindrances(verb: Verb, tracks: Sequence[Track]) -> Mapping[Application, Track]:
    """Return application -> the machine of it that keeps the others from ``verb``: one that cannot go, if there is one,
    else one that cannot go yet. Applications that can go are left out."""
    waiting = [(application_of(track.machine), track) for track in tracks if _not_yet(track, verb)]
    return {
        **{application: track for application, track in waiting if application is not None},
        **cannot(verb, tracks),
    }


def _not_yet(track: Track, verb: Verb) -> bool:
    if track.result is not None or track.already(verb) or behind_it(track.seen.stage, verb):
        return False
    return track.want is None or track.want.verb is not verb


def held_back(track: Track, mate: Track, verb: Verb) -> Fault:
    """Return why ``track`` may not go: ``mate``, of the same application, cannot."""
    error = mate.result.error if mate.result else None
    why = f"{error.message}" + (f" [{error.code}]" if error.code else "") if error else "it has failed"
    remedy = f"{error.remedy} " if error and error.remedy else ""
    name, other = track.machine.name, mate.machine.name
    return Fault(
        f"{name}: not asked to {VERBS[verb].words}: application {track.machine.group} moves whole, {other} cannot",
        "ApplicationHeldBack",
        f"{other}: {why}",
        f"{other}: {remedy}Then run the same playbook again. If {other} is not to move with the application, take it "
        "out of it (asr_group).",
    )


def units(tracks: Sequence[Track]) -> list[list[Track]]:
    """Return ``tracks`` by application; a machine that belongs to none stands alone."""
    found: dict[Application | str, list[Track]] = {}
    for track in tracks:
        found.setdefault(application_of(track.machine) or track.machine.name, []).append(track)
    return list(found.values())


def first_in_boot_order(verb: Verb, tracks: Iterable[Track]) -> Mapping[str, Track]:
    """Return wave -> the machine that boots first of those that are not through with ``verb``.

    A machine that has a result, failed or not, is through.
    """
    row = VERBS[verb]
    found: dict[str, Track] = {}
    for track in sorted(tracks, key=lambda track: (track.machine.boot_order, track.machine.name)):
        through = track.seen.stage in from_on(row.leads_to) and behind_it(track.seen.stage, verb)
        if track.result is None and not through:
            found.setdefault(track.machine.wave, track)
    return found
