"""Lists that are older than what is known: told apart by the times and results of jobs.

A list may come from a replica that lags behind. Were it believed, a machine would seem to go backwards and be failed
over twice. Jobs are the measure: a row of an item that does not show what a finished job has done, or that a job has
begun, is older than the job. Such a row is not judged by; the item is read on its own, or looked at again later.
Pure, but for what was seen before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from asr_migrate.domain.recovery_plan import machine_tasks
from asr_migrate.domain.site import Json

RUNNING = frozenset({"NotStarted", "InProgress", "Suspended"})
SUCCEEDED = frozenset({"Succeeded", "CompletedWithInformation"})
VERBS = frozenset({"TestFailover", "TestFailoverCleanup", "UnplannedFailover", "CommitFailover", "DisableDr"})
ENABLE, REMOVED = "EnableDr", frozenset({"DisableDr", "PurgeVm"})
SECONDS = len("2026-01-31T12:00:00")
PLAN = "RecoveryPlan"
PLAN_JOBS = 20
BELIEVED_AFTER_S = 600.0


def job_of(row: Json) -> Mapping[str, Any]:
    return row.get("properties") or {}


def begun(job: Json) -> str:
    """Return when a job began, to the second, in a form that sorts; a job that has not begun sorts last."""
    return str(job_of(job).get("startTime") or "9")[:SECONDS]


def names_of(item: Json) -> frozenset[str]:
    """Return the GUIDs by which jobs may name an item, lower case. Friendly names are left out: they are not unique."""
    properties = item.get("properties") or {}
    details = properties.get("providerSpecificDetails") or {}
    protectable = str(properties.get("protectableItemId") or "").rpartition("/")[2]
    found = (details.get("internalIdentifier"), details.get("vmId"), protectable)
    return frozenset(str(name).lower() for name in found if name)


def plan_jobs(jobs: Iterable[Json]) -> list[Json]:
    """Return the jobs of recovery plans that still matter: all that run, and the newest of each plan and verb."""
    found = [
        job
        for job in jobs
        if job_of(job).get("targetInstanceType") == PLAN and job_of(job).get("scenarioName") in VERBS
    ]
    newest: dict[tuple[str, str], Json] = {}
    for job in sorted(found, key=begun):
        newest[str(job_of(job).get("targetObjectName")).lower(), str(job_of(job)["scenarioName"])] = job
    running = [job for job in found if is_running(job)]
    return running + sorted((job for job in newest.values() if not is_running(job)), key=begun)[-PLAN_JOBS:]


def is_running(job: Json) -> bool:
    return job_of(job).get("state") in RUNNING


def with_machines(plan_job: Json) -> Iterator[Json]:
    """Yield a job for each machine that a recovery plan's job, read on its own after its end, brought to its end."""
    properties = job_of(plan_job)
    for task in machine_tasks(properties.get("tasks") or ()):
        entity = (task.get("customDetails") or {}).get("jobTask") or {}
        if entity.get("targetObjectId") and task.get("state") in SUCCEEDED:
            told = {
                "scenarioName": properties.get("scenarioName"),
                "state": task["state"],
                "startTime": task.get("startTime"),
                "targetObjectId": entity["targetObjectId"],
                "targetObjectName": entity.get("targetObjectName"),
            }
            yield {"name": str(plan_job.get("name")), "properties": told}


class Freshness:
    """What one run has seen of a vault so far, to notice a list that is older."""

    def __init__(self) -> None:
        self._jobs: dict[str, Json] = {}
        self._items: dict[str, frozenset[str]] = {}
        self._missed: frozenset[str] = frozenset()
        self._since_s: dict[str, float] = {}

    def jobs(self, rows: Iterable[Json]) -> list[Json]:
        """Return the list with what is known better: a job that has ended never runs again, none is forgotten while
        the list is older than it."""
        listed = {str(row.get("name")).lower(): row for row in rows}
        newest = max(map(begun, listed.values()), default="")
        merged = {name: self._newer(name, row) for name, row in listed.items()}
        unseen = {name: job for name, job in self._jobs.items() if name not in merged and begun(job) > newest}
        self._jobs = {**unseen, **merged}
        return list(self._jobs.values())

    def _newer(self, name: str, row: Json) -> Json:
        known = self._jobs.get(name)
        ended = known is not None and job_of(known).get("state") not in RUNNING
        return known if known is not None and ended and job_of(row).get("state") in RUNNING else row

    def missing(self, items: Iterable[Json], jobs: Iterable[Json]) -> list[str]:
        """Return the ids of the items seen before that the list does not show although no job removed them.

        One that was missing the time before too is taken to be gone.
        """
        listed = {str(item["id"]).lower() for item in items}
        absent = {identifier: names for identifier, names in self._items.items() if identifier.lower() not in listed}
        latest = _latest(jobs) if absent else {}
        gone = [identifier for identifier, names in absent.items() if not _removed(latest, names)]
        again = [identifier for identifier in gone if identifier.lower() not in self._missed]
        self._missed = frozenset(identifier.lower() for identifier in gone)
        return again

    def remember(self, items: Iterable[Json], unread: Iterable[str] = ()) -> None:
        """Note the items that were there, and of those that ``missing`` found the ones of which nobody knows yet.

        Kept are ids and the GUIDs by which jobs may name an item. Call it after ``missing``.
        """
        still = {identifier: self._items[identifier] for identifier in unread}
        self._items = {str(item["id"]): names_of(item) for item in items} | still

    def doubted(self, behind: Mapping[str, str], now_s: float) -> dict[str, str]:
        """Return what of ``behind`` is still doubted; ``now_s`` is monotonic.

        No list lags for long: what Azure has said for ten minutes is so, whatever a job made us expect.
        """
        self._since_s = {name: self._since_s.get(name, now_s) for name in behind}
        return {name: why for name, why in behind.items() if now_s - self._since_s[name] < BELIEVED_AFTER_S}


def _latest(jobs: Iterable[Json]) -> dict[str, Json]:
    """Return the newest job that says something of a machine's stage, by the GUID of the machine."""
    latest: dict[str, Json] = {}
    for job in jobs:
        properties = job_of(job)
        target = str(properties.get("targetObjectId") or "").lower()
        scenario = properties.get("scenarioName")
        told = scenario in VERBS or scenario in REMOVED or scenario == ENABLE
        if target and told and (target not in latest or begun(job) > begun(latest[target])):
            latest[target] = job
    return latest


def _removed(latest: Mapping[str, Json], names: Iterable[str]) -> bool:
    found = [latest[name] for name in names if name in latest]
    return any(job_of(job).get("scenarioName") in REMOVED for job in found)


def behind(items: Iterable[Json], jobs: Iterable[Json], held: Mapping[str, Json] | None = None) -> dict[str, str]:
    """Return the items (id, lower case) whose rows are older than the newest job about them, and why.

    ``held`` is item id (lower case) -> the running job of the recovery plan that the item is in. Machines that a job
    has enabled and that have no row at all stand there by ``targetObjectName``, lower case.
    """
    latest = _latest(jobs)
    found: dict[str, str] = {}
    listed: set[str] = set()
    for item in items:
        names = names_of(item)
        listed |= names
        mine = [latest[name] for name in names if name in latest]
        identifier = str(item["id"]).lower()
        why = _older(item, max(mine, key=begun)) if mine else None
        if why is None and held and identifier in held and not _works(item):
            why = _not_begun(held[identifier])
        if why:
            found[identifier] = why
    for target, job in latest.items():
        properties = job_of(job)
        name = str(properties.get("targetObjectName") or "").lower()
        enabled = properties.get("scenarioName") == ENABLE and properties.get("state") in SUCCEEDED
        if name and enabled and target not in listed:
            found[name] = f"Azure's list does not show yet what {ENABLE} (job {job.get('name')}) has made"
    return found


def _older(item: Json, job: Json) -> str | None:
    """Return why the row of an item is older than this job about it, None when it may be as new."""
    properties, told = item.get("properties") or {}, job_of(job)
    scenario, state = str(told.get("scenarioName")), told.get("state")
    if scenario not in VERBS:
        return None
    names_it = _works(item) == str(job.get("name")).lower()
    if state in RUNNING:
        return None if names_it else _not_begun(job)
    if state in SUCCEEDED and (names_it or not _shows(properties, scenario, begun(job))):
        return f"Azure's list does not show yet what {scenario} (job {job.get('name')}) has done"
    return None


def _works(item: Json) -> str:
    """Return the name (lower case) of the job that an item says it is at, empty when there is none."""
    scenario = (item.get("properties") or {}).get("currentScenario") or {}
    name = str(scenario.get("jobId") or "").rpartition("/")[2].lower()
    return "" if name == "none" else name


def _not_begun(job: Json) -> str:
    return f"Azure's list does not show yet that {job_of(job).get('scenarioName')} (job {job.get('name')}) has begun"


def _shows(properties: Mapping[str, Any], scenario: str, since: str) -> bool:
    """Say whether an item shows what a job that began at ``since`` has done.

    The times of the last successes are those at which the jobs began (recorded).
    """
    offered = properties.get("allowedOperations") or ()
    recovered = properties.get("activeLocation") == "Recovery" or "CompleteMigration" in offered
    if scenario == "TestFailover":
        tested = str(properties.get("lastSuccessfulTestFailoverTime") or "")[:SECONDS]
        return "TestFailoverCleanup" in offered or recovered or tested >= since
    if scenario == "TestFailoverCleanup":
        return "TestFailoverCleanup" not in offered
    if scenario == "UnplannedFailover":
        return recovered or str(properties.get("lastSuccessfulFailoverTime") or "")[:SECONDS] >= since
    if scenario == "CommitFailover":
        return "Commit" not in offered
    return False
