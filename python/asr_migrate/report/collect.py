"""From one look at the vault to a wave report: pure, the reading is done by the caller."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import Fault, Observation
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.site import Json, Sweep
from asr_migrate.report.model import (
    Failure,
    MachineReport,
    ReportedVm,
    Step,
    WaveReport,
    findings_from,
    steps_of,
)

Observe = Callable[[Machine, Sweep], Observation]
#: What the assess role keeps of a machine: ``{fit, facts: {os_name, host_name, ...}, findings: [...]}``, all optional.
Assessed = Mapping[str, Any]
FAILOVER = "UnplannedFailover"
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


def _failure(fault: Fault | None) -> Failure | None:
    if fault is None:
        return None
    return Failure(fault.code or "Unknown", fault.cause or fault.message, fault.remedy or "See the job in the vault.")


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
) -> WaveReport:
    """Return the report of a wave.

    ``observe`` is the provider's; ``findings`` are plain ones and ``recovery_points`` times by machine name;
    ``addresses`` are private addresses by the lower-case id of the VM.
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
            failure=_failure(seen.error or seen.stalled),
        )

    return WaveReport(
        wave, str(zone.architecture), zone.vault, zone.location, tuple(one(machine) for machine in machines)
    )
