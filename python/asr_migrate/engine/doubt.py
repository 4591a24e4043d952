"""Writes of which nobody knows whether they arrived: looked up, never sent again blindly.

A write is in doubt when its answer was lost, could not be read, or is one that a gateway gives after the service has
begun (408, 5xx), in this run or in an earlier one that was killed. What tells, in this order:

1. the machine: it is at a job that was not there before, or it has moved on;
2. a job about the machine (or its recovery plan) that was not there before: its ``activityId`` begins with the client
   request id of the request that began it (recorded; lists leave it out, so such a job is read once);
3. time: a write that no look shows that began ``PATIENCE_S`` after it is taken never to have arrived, after one last
   look at the machine itself. Only then may it be sent once more.

Writes of earlier runs come from the journal; without it a machine is judged by what the vault shows, as ever.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from enum import Enum
from typing import Any

from asr_migrate.domain.errors import ServiceError
from asr_migrate.domain.lifecycle import VERBS, Observation, Stage, Verb
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.site import Json, Sweep, Written
from asr_migrate.engine.track import Asked, Track

PATIENCE_S = 60.0
RECENT_S = 180.0
NOT_FOUND, THROTTLED, TIMEOUT = 404, 429, 408
SERVER_ERRORS = 500
ITEM_WRITE = re.compile(r"/replicationProtectedItems/(?P<name>[^/]+)(?:/(?P<action>[^/]+))?/?$", re.IGNORECASE)
PLAN_WRITE = re.compile(r"/replicationRecoveryPlans/(?P<name>[^/]+)/(?P<action>[^/]+)/?$", re.IGNORECASE)
ACTIONS: Mapping[str, tuple[Verb, ...]] = {
    "testfailover": (Verb.TEST_FAILOVER,),
    "testfailovercleanup": (Verb.CLEAN_UP_TEST,),
    "unplannedfailover": (Verb.FAIL_OVER,),
    "failovercommit": (Verb.COMMIT,),
    "remove": (Verb.COMPLETE, Verb.STOP_REPLICATION),
}
METHODS: Mapping[str, tuple[Verb, ...]] = {"PUT": (Verb.REPLICATE,), "PATCH": (Verb.UPDATE,)}


class Verdict(Enum):
    """What is known now of a write in doubt."""

    ARRIVED = "arrived"
    OPEN = "open"
    NOTHING = "nothing"


def in_doubt(error: ServiceError) -> bool:
    """Say whether an error leaves open if a write was begun.

    The status decides, whatever the code says: 4xx but 408 says that it was not; no status, 408 and 5xx leave it open.
    """
    return error.status is None or error.status == TIMEOUT or not 400 <= error.status < SERVER_ERRORS


def taken_up(written: Written, age_s: float, verb: Verb) -> Asked | None:
    """Return a write of an earlier run as something that was asked for, None when it can be forgotten.

    ``age_s`` is how long ago it was sent; ``at_s`` of the answer is -``age_s`` and is to be moved to the clock.
    """
    answered = written.status is not None and written.status < SERVER_ERRORS and written.status != TIMEOUT
    refused = answered and (written.status or 0) >= 400
    if age_s >= RECENT_S or refused or (not answered and age_s >= PATIENCE_S):
        return None
    doubt = None if written.job_id else ServiceError("nobody saw the answer", code="Unanswered", transient=True)
    return Asked(
        verb, -age_s, written.job_id, written.client_request_id, doubt=doubt, adopted=True, arrived=bool(written.job_id)
    )


def item_write(written: Written) -> tuple[str, tuple[Verb, ...]] | None:
    """Return the protected item (lower case) that a write was about, and which verb it may have been."""
    found = ITEM_WRITE.search(written.path)
    if found is None:
        return None
    action = found["action"]
    verbs = ACTIONS.get(action.lower(), ()) if action else METHODS.get(written.method.upper(), ())
    return (found["name"].lower(), verbs) if verbs else None


def plan_write(written: Written) -> tuple[str, Verb] | None:
    """Return the recovery plan (lower case) that a write was about, and its verb."""
    found = PLAN_WRITE.search(written.path)
    verbs = ACTIONS.get(found["action"].lower(), ()) if found else ()
    return (found["name"].lower(), verbs[0]) if found and verbs else None


def shows(asked: Asked, seen: Observation) -> bool:
    """Say whether a machine shows what was asked of it: it is at a job that is new, or it stands somewhere else."""
    if seen.busy and seen.job_id and seen.job_id.lower() not in asked.known:
        return True
    if asked.verb is Verb.DISCOVER:
        return seen.unknown_source is None
    if asked.verb is Verb.UPDATE:
        return not seen.drift
    if asked.before is not None:
        return seen.stage is not asked.before
    return seen.stage is Stage.BROKEN or seen.stage not in VERBS[asked.verb].legal_from


def names_of(machine: Machine, seen: Observation, item: Json | None) -> tuple[str, ...]:
    """Return what jobs may call a machine."""
    details: Mapping[str, Any] = ((item or {}).get("properties") or {}).get("providerSpecificDetails") or {}
    friendly = ((item or {}).get("properties") or {}).get("friendlyName")
    found = (machine.name, machine.host_name, seen.item_name, friendly, details.get("internalIdentifier"))
    return tuple(str(name) for name in found if name)


def jobs_of(asked: Asked, names: Sequence[str], sweep: Sweep) -> list[Json]:
    """Return the jobs that may be the one that ``asked`` began: of its kind, about its target, not there before."""
    about = sweep.jobs_about(asked.plan) if asked.plan else sweep.jobs_about(*names)
    return [
        job
        for job in about
        if (job.get("properties") or {}).get("scenarioName") == VERBS[asked.verb].job
        and str(job.get("name")).lower() not in asked.known
    ]


def known_jobs(names: Iterable[str], sweep: Sweep) -> frozenset[str]:
    """Return the names (lower case) of the jobs that are there about a target before it is asked for anything."""
    return frozenset(str(job.get("name")).lower() for job in sweep.jobs_about(*names))


class Doubts:
    """Resolves the doubts of one run. ``read_job`` is the port's ``job``; each suspected job is read once."""

    def __init__(self, read_job: Callable[[str], Awaitable[Json]]) -> None:
        self._read_job = read_job
        self._activity: dict[str, str | None] = {}

    async def resolve(
        self,
        track: Track,
        asked: Asked,
        sweep: Sweep,
        names: Sequence[str],
        looked_s: float,
        last_look: Callable[[], Awaitable[Observation | None]],
    ) -> Verdict:
        """Find out what came of ``asked`` and note it there (``job_id``, ``doubt``, ``arrived``, ``void``).

        ``looked_s`` is when the sweep began. ``last_look`` reads the machine itself; None when that shows nothing.
        Raises ServiceError when Azure does not answer: ask again with the next sweep.
        """
        for job in jobs_of(asked, names, sweep):
            if await self._is_ours(job, asked):
                return self._arrived(asked, str(job["name"]))
        if not asked.plan and shows(asked, track.seen):
            return self._arrived(asked, track.seen.job_id)
        if looked_s - asked.at_s < PATIENCE_S:
            return Verdict.OPEN
        seen = await last_look()
        if seen is not None and shows(asked, seen):
            return self._arrived(asked, seen.job_id)
        asked.void, asked.arrived = True, False
        return Verdict.NOTHING

    @staticmethod
    def _arrived(asked: Asked, job_id: str | None) -> Verdict:
        asked.job_id, asked.doubt, asked.arrived = job_id, None, True
        return Verdict.ARRIVED

    async def _is_ours(self, job: Json, asked: Asked) -> bool:
        """Say whether ``asked`` began this job; one that names no request did if we know which were there before."""
        name = str(job["name"])
        if name not in self._activity:
            told = (job.get("properties") or {}).get("activityId")
            if told is None:
                told = ((await self._read_job(name)).get("properties") or {}).get("activityId")
            self._activity[name] = told
        activity = self._activity[name]
        if activity is None:
            return asked.before is not None
        return activity.lower().startswith(asked.client_request_id.lower())
