"""What all providers have in common: reading a protected item, its job and its VMs into an Observation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from asr_migrate.domain.errors import WireError, job_error, lookup
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import VERBS, AzureVm, Fault, Observation, Stage, Verb
from asr_migrate.domain.machine import SOURCE_ID_TAG, Machine
from asr_migrate.domain.site import Json, Sweep

RUNNING = frozenset({"NotStarted", "InProgress", "Suspended"})
STALL_CODE = "78186"
STANDSTILL_CODES = (STALL_CODE, "78174", "78188", "806", "78028", "78022", "327001")
"""Health errors that say why a copy stands still, the most telling first. Only the first is a stall by itself: the
others also come and go while data arrives."""
STALLED_WITHOUT_CODE = "78169"
WARNING = "Warning"

COMMIT_PENDING = ("CommitPending", "CommitRequired")
"""Parts of the names of states in which a failover waits for its commit, whatever is offered at that moment."""

SCENARIOS: Mapping[str, Stage] = {
    "EnableProtection": Stage.ENABLING,
    "EnableDr": Stage.ENABLING,
    "TestFailover": Stage.TESTING,
    "TestFailoverCleanup": Stage.CLEANING,
    "UnplannedFailover": Stage.FAILING_OVER,
    "PlannedFailover": Stage.FAILING_OVER,
    "Commit": Stage.COMMITTING,
    "CommitFailover": Stage.COMMITTING,
    "DisableProtection": Stage.COMPLETING,
    "DisableDr": Stage.COMPLETING,
    "PurgeVm": Stage.COMPLETING,
}


def last_segment(identifier: str | None) -> str:
    """Return the name at the end of an ARM id, lower case."""
    return (identifier or "").rstrip("/").rpartition("/")[2].lower()


def properties_of(resource: Json) -> Mapping[str, Any]:
    """Return ``resource["properties"]``.

    Raises WireError when it is not there.
    """
    properties = resource.get("properties")
    if not isinstance(properties, Mapping):
        raise WireError(f"{resource.get('id') or 'an answer of Site Recovery'} has no properties", code="Wire")
    return properties


def readable(resource: Json, key: str = "properties") -> Mapping[str, Any]:
    """Return ``resource[key]``, empty when it is no object: a row that cannot be read must not hide the others."""
    found = resource.get(key)
    return found if isinstance(found, Mapping) else {}


def details_of(item: Json, instance_type: str) -> Mapping[str, Any]:
    """Return the provider's part of a protected item.

    Raises WireError when the item is another provider's.
    """
    details = properties_of(item).get("providerSpecificDetails") or {}
    found = details.get("instanceType")
    if found != instance_type:
        raise WireError(
            f"protected item {item.get('name')} belongs to provider {found}, expected was {instance_type}",
            code="OtherProvider",
            cause="The machine is protected in this vault by the other architecture",
            remedy="Set asr_landing_zone.architecture to the one that protects it, or use another vault.",
        )
    return details


def health_faults(properties: Mapping[str, Any], *, without_warnings: bool = False) -> tuple[Fault, ...]:
    """Return the item's health errors; api versions before 2018 keep them in two lists."""
    entries: list[Mapping[str, Any]] = []
    for key in ("healthErrors", "replicationHealthErrors", "failoverHealthErrors"):
        entries += properties.get(key) or []
    faults = []
    for entry in entries:
        if without_warnings and entry.get("errorLevel") == WARNING:
            continue
        code = str(entry.get("errorCode") or "") or None
        row = lookup(code)
        faults.append(
            Fault(
                message=str(
                    entry.get("errorMessage") or entry.get("summaryMessage") or code or "unnamed error"
                ).strip(),
                code=code,
                cause=entry.get("possibleCauses") or (row.cause if row else None),
                remedy=entry.get("recommendedAction") or (row.remedy if row else None),
            )
        )
    return tuple(faults)


def stalled(stands_still: bool, faults: Iterable[Fault]) -> Fault | None:
    """Return why no data arrives, or None: the first health error that explains it, 78169 when there is none.

    The remedy names the port to open where that helps.
    """
    by_code = {fault.code: fault for fault in reversed(tuple(faults))}
    codes = STANDSTILL_CODES if stands_still else (STALL_CODE,)
    named = next((by_code[code] for code in codes if code in by_code), None)
    if named is None and not stands_still:
        return None
    row = lookup(named.code if named else STALLED_WITHOUT_CODE)
    message = named.message if named else "Initial replication makes no progress"
    cause = (named.cause if named else None) or (row.cause if row else None)
    return Fault(message, named.code if named else STALLED_WITHOUT_CODE, cause, row.remedy if row else None)


def job_is_running(job: Json | None) -> bool:
    return job is not None and properties_of(job).get("state") in RUNNING


def job_fault(job: Json | None) -> Fault | None:
    """Return what a failed job says, None when it did not fail or is not known."""
    if job is None or properties_of(job).get("state") != "Failed":
        return None
    error = job_error(job, str(properties_of(job).get("friendlyName") or "the job"))
    return Fault(error.message, error.code, error.cause, error.remedy)


def job_progress(job: Json | None) -> str:
    """Return a running job in words: its name and the task it is at."""
    if job is None:
        return "Site Recovery is working"
    properties = properties_of(job)
    task = next((task for task in properties.get("tasks") or () if task.get("state") == "InProgress"), None)
    name = str(properties.get("friendlyName") or properties.get("scenarioName"))
    return f"{name}: {task['friendlyName']}" if task and task.get("friendlyName") else name


def has_failed(state: str) -> bool:
    """Say whether a ``protectionState`` is a final failure: it ends in Failed or begins with Cancel."""
    return state.endswith("Failed") or state.startswith("Cancel")


def settled_stage(properties: Mapping[str, Any]) -> tuple[Stage, bool]:
    """Return the stage of an item that runs no job, and whether something still goes on by itself.

    ``allowedOperations`` decides first; a test failover that was cleaned up leaves ``testFailoverState`` as it was for
    good, so a passed test is read from ``lastSuccessfulTestFailoverTime``. Source: recorded exchanges.
    """
    offered = set(properties.get("allowedOperations") or ())
    state = str(properties.get("protectionState") or "")
    test_failed = str(properties.get("testFailoverState") or "").endswith("Failed")
    if has_failed(state) or (test_failed and "TestFailoverCleanup" in offered):
        return Stage.BROKEN, False
    if "CompleteMigration" in offered or properties.get("activeLocation") == "Recovery":
        if "Commit" not in offered and any(word in state for word in COMMIT_PENDING):
            return Stage.FAILED_OVER, True
        return (Stage.FAILED_OVER if "Commit" in offered else Stage.COMMITTED), False
    if "TestFailoverCleanup" in offered:
        return Stage.TEST_RUNNING, False
    tested = Stage.TESTED if properties.get("lastSuccessfulTestFailoverTime") else Stage.PROTECTED
    if offered & {"UnplannedFailover", "TestFailover"}:
        return tested, False
    if state == "Protected":
        return tested, True
    if state.startswith("InitialReplication"):
        return Stage.REPLICATING, True
    if state.startswith(("Enabling", "Unprotected")):
        return Stage.ENABLING, True
    return Stage.REPLICATING, True


def latest_job(sweep: Sweep, scenario: str, names: Iterable[str | None]) -> Json | None:
    """Return the newest job of a scenario about a machine that Site Recovery calls by one of ``names``."""
    mine = [job for job in sweep.jobs_about(*names) if properties_of(job).get("scenarioName") == scenario]
    return max(mine, key=_begun, default=None)


def _begun(job: Json) -> str:
    """Return when a job began, for comparison; one that has no time yet is the newest."""
    return str(properties_of(job).get("startTime") or "9")


def newest_change(sweep: Sweep, names: Iterable[str | None]) -> Json | None:
    """Return the newest job that moved a machine, or was to, which Site Recovery calls by one of ``names``.

    When it failed it tells why the machine is broken: the item's ``currentScenario`` is idle again soon after a job has
    failed, and its health errors need not be about that job at all.
    """
    moving = {row.job for verb, row in VERBS.items() if verb not in (Verb.DISCOVER, Verb.UPDATE)}
    mine = [job for job in sweep.jobs_about(*names) if properties_of(job).get("scenarioName") in moving]
    return max(mine, key=_begun, default=None)


def observed(item: Json, sweep: Sweep, vm: AzureVm | None, test_vm: AzureVm | None) -> Observation:
    """Return what any provider's item says; the provider adds progress, recovery point objective and stalls."""
    properties = properties_of(item)
    scenario = properties.get("currentScenario") or {}
    job_name = last_segment(scenario.get("jobId"))
    job = sweep.job(job_name)
    scenario_name = str(scenario.get("scenarioName") or "None")
    named = scenario_name != "None" and job_name not in ("", "none")
    failed = has_failed(str(properties.get("protectionState") or ""))
    working = named and (job_is_running(job) if job is not None else not failed)
    stage, busy = settled_stage(properties)
    words = str(properties.get("protectionStateDescription") or "") if busy else ""
    if working:
        stage, busy, words = SCENARIOS.get(scenario_name, stage), True, job_progress(job)
        if stage is Stage.COMPLETING and properties.get("activeLocation") != "Recovery":
            stage = Stage.ABSENT
    error = None
    if stage is Stage.TEST_RUNNING and test_vm is None:
        error = job_fault(latest_job(sweep, VERBS[Verb.TEST_FAILOVER].job, [properties.get("friendlyName")]))
        stage = Stage.BROKEN if error else stage
    faults = health_faults(properties)
    if stage is Stage.BROKEN and error is None:
        newest = newest_change(sweep, [properties.get("friendlyName"), item.get("name")])
        grave = health_faults(properties, without_warnings=True)
        error = job_fault(job) or job_fault(newest) or (grave[0] if grave else None)
        error = error or Fault(str(properties.get("protectionStateDescription") or properties.get("protectionState")))
    return Observation(
        stage=stage,
        allowed_operations=frozenset(properties.get("allowedOperations") or ()),
        busy=busy,
        busy_with=words,
        health=properties.get("replicationHealth"),
        health_errors=faults,
        error=error,
        item_id=item.get("id"),
        item_name=item.get("name"),
        job_id=job_name if working else None,
        vm=vm,
        test_vm=test_vm,
        last_test=moment(properties.get("lastSuccessfulTestFailoverTime")),
    )


def moment(text: object) -> datetime | None:
    """Return a time of the wire, aware; None when it is not set (absent, or the year 1) or cannot be read."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found if found.year > 1753 else None


def found_by(index: Mapping[str, tuple[Json, ...]], machine: Machine) -> list[Json]:
    """Return the rows that are about a machine, each once: those with one of its addresses, then those of its names."""
    names = (*machine.addresses, machine.host_name, machine.name)
    rows = [row for name in names if name for row in index.get(name.lower(), ())]
    return list({id(row): row for row in rows}.values())


def item_of(machine: Machine, source: Json | None, index: Mapping[str, tuple[Json, ...]]) -> Json | None:
    """Return the machine's protected item of ``index``: by name, by the source it protects, or by an address."""
    names = (machine.name, str(source["id"]) if source else None, *machine.addresses)
    return next((index[name.lower()][0] for name in names if name and name.lower() in index), None)


def machine_vms(
    machine: Machine, zone: LandingZone, sweep: Sweep
) -> tuple[AzureVm | None, AzureVm | None, AzureVm | None]:
    """Return the machine's own VM (by tag), its test VM (by name), and the VM that has the target's name.

    A test VM carries the same tags, so the name of the test VM is left out. A VM of that name that carries another
    machine's tag is not the test VM.
    """
    target = machine.target
    group = target.resource_group or zone.resource_group
    named = sweep.vm_named(group, target.vm_name)
    test = sweep.vm_named(group, target.test_vm_name)
    if test is not None and test.tags.get(SOURCE_ID_TAG, machine.source_id) != machine.source_id:
        test = None
    tagged = [vm for vm in sweep.vms_tagged(group, SOURCE_ID_TAG, machine.source_id) if vm is not test]
    own = named if named in tagged else (tagged[0] if tagged else None)
    return own, test, named


def without_item(
    machine: Machine, sweep: Sweep, own: AzureVm | None, test: AzureVm | None, named: AzureVm | None
) -> Observation:
    """Return the observation of a machine that has no protected item: migrated, being enabled, or absent."""
    if own is not None:
        return Observation(Stage.MIGRATED, vm=own, test_vm=test)
    names = [machine.name, machine.host_name]
    enabling = latest_job(sweep, VERBS[Verb.REPLICATE].job, names)
    if enabling is not None and job_is_running(enabling):
        job_id = last_segment(str(enabling.get("name")))
        return Observation(Stage.ENABLING, busy=True, busy_with=job_progress(enabling), job_id=job_id)
    return Observation(Stage.ABSENT, test_vm=test, name_taken=named)


def with_progress(
    seen: Observation,
    progress: object,
    rpo_s: object,
    stands_still: bool,
    *,
    last_point: datetime | None,
    drift: tuple[str, ...],
) -> Observation:
    """Add what only a provider knows. ``progress`` is percent and ``rpo_s`` seconds, as the wire has them."""
    replicating = seen.stage is Stage.REPLICATING
    percent = float(progress) if isinstance(progress, int | float) and replicating else None
    words = seen.busy_with if percent is None else f"{seen.busy_with}, {percent:.0f} %"
    return replace(
        seen,
        progress=percent,
        rpo_s=seconds(rpo_s),
        busy_with=words,
        stalled=stalled(stands_still, seen.health_errors) if replicating else None,
        last_point=last_point,
        drift=drift,
    )


def seconds(found: object) -> float | None:
    """Return a number of seconds of the wire, None when it is none."""
    return float(found) if isinstance(found, int | float) else None


def differing(wanted: Mapping[str, tuple[object, object]]) -> tuple[str, ...]:
    """Return the names whose (wanted, found) differ, compared without case; a wanted None is never different."""
    return tuple(
        name
        for name, (want, found) in wanted.items()
        if want is not None and str(want).lower() != str(found or "").lower()
    )


def filled(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``body`` without the keys whose value is None: the service takes an absent key for its default."""
    return {key: value for key, value in body.items() if value is not None}
