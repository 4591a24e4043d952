"""Following the jobs of what was asked: from the list where it has them, by single reads where it has not."""

from __future__ import annotations

from asr_migrate.clock import Clock
from asr_migrate.domain.errors import ServiceError, job_error, lookup
from asr_migrate.domain.lifecycle import VERBS
from asr_migrate.domain.site import Json
from asr_migrate.engine.bulk_outcome import PlanState, outcomes
from asr_migrate.engine.doubt import NOT_FOUND, shows
from asr_migrate.engine.port import Provider, SiteRecovery
from asr_migrate.engine.reads import Reads, Turn
from asr_migrate.engine.track import Asked, Track

RUNNING = frozenset({"NotStarted", "InProgress", "Suspended"})
SUCCEEDED = frozenset({"Succeeded", "CompletedWithInformation"})
AGAIN_S = 60.0


class Jobs:
    """Knows how the jobs of a run ended. One that has ended is read once, however many machines it was about."""

    def __init__(self, port: SiteRecovery, provider: Provider, clock: Clock, reads: Reads) -> None:
        self._port = port
        self._provider = provider
        self._clock = clock
        self._reads = reads
        self._ended: dict[str, Json] = {}

    async def read(self, name: str) -> Json:
        """Return one job with its tasks, errors and ``activityId``."""
        return await self._reads(lambda: self._port.job(name))

    async def ended(self, track: Track, asked: Asked, turn: Turn) -> Json | None:
        """Return the job of ``asked`` when it has ended, None while it runs.

        Lists hold 200 jobs at most (recorded). One that is not listed runs while the machine says so; else it is read,
        once a minute at most. A job that Azure no longer knows has ended when the machine shows what it did.
        """
        name = str(asked.job_id)
        job = self._ended.get(name) or turn.sweep.job(name)
        if job is None:
            works = track.seen.busy and (track.seen.job_id or "").lower() == name.lower()
            now_s = self._clock.monotonic()
            if works or (asked.looked_s is not None and now_s - asked.looked_s < AGAIN_S):
                return None
            asked.looked_s = now_s
            try:
                job = await turn.once(f"job {name}", lambda: self.read(name))
            except ServiceError as error:
                if error.status != NOT_FOUND:
                    raise
                return {"properties": {"state": "Succeeded"}} if shows(asked, track.seen) else None
        return None if (job.get("properties") or {}).get("state") in RUNNING else job

    async def error(self, track: Track, asked: Asked, job: Json, turn: Turn) -> ServiceError | None:
        """Return why the ended ``job`` failed for this machine, None when it did not.

        A recovery plan's job tells of each of its machines; one that it passed over has not been asked (``void``).
        """
        name, words = str(asked.job_id), f"{track.machine.name}: {VERBS[asked.verb].words} failed"
        if asked.plan is None:
            succeeded = (job.get("properties") or {}).get("state") in SUCCEEDED
            return None if succeeded else job_error(await self._full(name, turn), words)
        item = self._provider.item(track.machine, turn.sweep) or {}
        found = outcomes(await self._full(name, turn), {track.machine.name: item})[track.machine.name]
        if found.state is PlanState.SKIPPED:
            asked.void, asked.arrived = True, False
            return None
        if (fault := found.fault) is None:
            return None
        row = lookup(fault.code)
        transient = row.transient if row else False
        return ServiceError(fault.message, code=fault.code, cause=fault.cause, remedy=fault.remedy, transient=transient)

    async def _full(self, name: str, turn: Turn) -> Json:
        """Return a job that has ended with its tasks and errors."""
        if name not in self._ended:
            self._ended[name] = await turn.once(f"job {name}", lambda: self.read(name))
        return self._ended[name]
