"""From one look at the vault to a wave report: pure, the reading is done by the caller."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from asr_migrate.azure.journal import RunResult
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import Observation, Stage
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.site import Json, Sweep
from asr_migrate.report.model import (
    Failure,
    MachineReport,
    ReportedVm,
    Step,
    WaveReport,
    findings_from,
    minutes_left,
    steps_of,
)

Observe = Callable[[Machine, Sweep], Observation]
#: What the assess role keeps of a machine: ``{fit, facts: {os_name, host_name, ...}, findings: [...]}``, all optional.
Assessed = Mapping[str, Any]
FAILOVER = "UnplannedFailover"
STOPPED = "Stopped"
#: The stages in which data still comes over from the source.
REPLICATES = frozenset(
    {Stage.REPLICATING, Stage.PROTECTED, Stage.TESTING, Stage.TEST_RUNNING, Stage.CLEANING, Stage.TESTED}
)
_UNSET_YEAR = 1


def moment(text: object) -> datetime | None:
    """Return a time of Site Recovery ("2023-08-26T02:57:25.1234567Z") as aware UTC; None for one that is not set."""
    if not isinstance(text, str) or not text:
        return None
    whole, _, fraction = text.removesuffix("Z").partition(".")
    read = datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}" if fraction else whole)
    read = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    return None if read.year == _UNSET_YEAR else read


def job_row(job: Json) -> dict[str, Any]:
    """Return ``{name, scenario, state, target, started, ended}`` of one replicationJobs resource."""
    properties = job.get("properties") or {}
    return {
        "name": job.get("name"),
        "scenario": properties.get("scenarioName"),
        "state": properties.get("state"),
        "target": properties.get("targetObjectName"),
        "started": moment(properties.get("startTime")),
        "ended": moment(properties.get("endTime")),
    }


def names_of(machine: Machine) -> tuple[str, ...]:
    """Return the names by which Site Recovery's jobs may call the machine."""
    return tuple(name for name in (machine.name, machine.host_name, machine.target.vm_name) if name)


def with_assessment(machine: Machine, assessed: Assessed) -> Machine:
    """Return the machine with the names that its assessment found, where the inventory does not give them."""
    facts = assessed.get("facts") or {}
    found = {key: facts[key] for key in ("os_name", "host_name") if facts.get(key) and not getattr(machine, key)}
    return machine.model_copy(update=found) if found else machine


def failover_job(steps: Sequence[Step]) -> str | None:
    """Return the name of the last failover job that succeeded, or None."""
    done = [step for step in steps if step.scenario == FAILOVER and step.state == "Succeeded"]
    return done[-1].job if done else None


def recovery_point_id(item: Json | None) -> str | None:
    """Return the id of the recovery point that a protected item was failed over to, or None.

    The service writes it under an alias of the container; the item's own id leads to it as well (recorded exchanges).
    """
    point = ((item or {}).get("properties") or {}).get("failoverRecoveryPointId")
    return f"{item['id']}/recoveryPoints/{point.rpartition('/')[2]}" if item and point else None


def recovery_point_time(point: Json) -> datetime | None:
    """Return the time of one recoveryPoints resource."""
    return moment((point.get("properties") or {}).get("recoveryPointTime"))


def failure_of(seen: Observation, told: RunResult | None) -> Failure | None:
    """Return why a machine stopped: what Azure shows now, or what the last run said (``told``) while that still holds.

    A run knows what the vault does not keep: a gate, a refused request, the words of a job. It holds while the machine
    stands where the run left it and Azure shows no other error.
    """
    now = seen.error or seen.stalled
    said = told.error if told and told.stage == str(seen.stage) and told.error and told.error.code != STOPPED else None
    fault = said if said and (now is None or now.code in (None, said.code)) else now
    return Failure(fault.code or "Unknown", fault.message, fault.cause, fault.remedy) if fault else None


def wave_report(
    wave: str,
    zone: LandingZone,
    machines: Sequence[Machine],
    sweep: Sweep,
    observe: Observe,
    *,
    findings: Mapping[str, Sequence[Mapping[str, Any]]],
    recovery_points: Mapping[str, datetime],
    addresses: Mapping[str, str],
    results: Mapping[str, RunResult] = MappingProxyType({}),
    now: datetime | None = None,
) -> WaveReport:
    """Return the report of a wave.

    ``observe`` is the provider's; ``findings`` are plain ones, ``recovery_points`` times and ``results`` what the last
    run said, by machine name; ``addresses`` are private addresses by the lower-case id of the VM. ``now`` is the
    service's time, None when not known.
    """
    jobs = [job_row(job) for job in sweep.jobs]

    def one(machine: Machine) -> MachineReport:
        seen = observe(machine, sweep)
        steps = steps_of(names_of(machine), jobs)
        vm = seen.vm
        return MachineReport(
            name=machine.name,
            source_id=machine.source_id,
            address=machine.addresses[0] if machine.addresses else "",
            os_name=machine.os_name or "",
            stage=str(seen.stage),
            steps=steps,
            azure_vm=ReportedVm(vm.name, vm.id, vm.resource_group, vm.size, addresses.get(vm.id.lower()))
            if vm
            else None,
            recovery_point=recovery_points.get(machine.name),
            findings=findings_from(findings.get(machine.name, ())),
            failure=failure_of(seen, results.get(machine.name)),
            rpo_s=seen.rpo_s if seen.stage in REPLICATES else None,
            progress=seen.progress,
            minutes_left=minutes_left(steps, seen.progress, now),
        )

    return WaveReport(
        wave, str(zone.architecture), zone.vault, zone.location, tuple(one(machine) for machine in machines)
    )
