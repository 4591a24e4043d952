"""What a wave report says, as plain values: made from what Azure answered, turned into text by ``render``."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from asr_migrate.domain.readiness import Finding, Severity


class Result(StrEnum):
    """Where a machine stands for the reader of a report."""

    MIGRATED = "migrated"
    REFUSED = "refused"
    FAILED = "failed"
    IN_PROGRESS = "in_progress"
    NOT_STARTED = "not_started"


#: What Site Recovery calls its jobs (``scenarioName``) -> what the report calls them; other jobs are left out.
STEP_TITLES = {
    "EnableDr": "Enable replication",
    "IrCompletion": "Initial replication",
    "PrimaryIrCompletion": "Initial replication",
    "SecondaryIrCompletion": "First recovery point",
    "UpdateVmProperties": "Set Azure VM properties",
    "TestFailover": "Test failover",
    "TestFailoverCleanup": "Clean up test",
    "UnplannedFailover": "Failover",
    "CommitFailover": "Commit",
    "DisableDr": "Complete migration",
}
#: The jobs that say that the first copy is done.
COPIED = ("IrCompletion", "PrimaryIrCompletion", "SecondaryIrCompletion")
PERCENT = 100.0


@dataclass(frozen=True)
class Step:
    """One job of the vault about one machine. Times are aware UTC; ``ended`` is None while it runs."""

    scenario: str
    job: str
    state: str
    started: datetime | None
    ended: datetime | None

    @property
    def title(self) -> str:
        """Return the step's name for people."""
        return STEP_TITLES.get(self.scenario, self.scenario)

    @property
    def duration_s(self) -> float | None:
        """Return how long it took in seconds, or None while it runs; ends are cut to whole seconds, hence the max."""
        if self.started is None or self.ended is None:
            return None
        return max(0.0, (self.ended - self.started).total_seconds())


@dataclass(frozen=True)
class EarlierPoint:
    """The recovery point that an earlier report names, and the failover job that went to it."""

    job: str
    time: datetime


@dataclass(frozen=True)
class ReportedVm:
    """The VM that the failover made."""

    name: str
    id: str
    resource_group: str
    size: str | None = None
    private_ip: str | None = None


@dataclass(frozen=True)
class Failure:
    """Why a machine stopped, in the words of the run or of the service; ``cause`` and ``remedy`` may be None."""

    code: str
    message: str
    cause: str | None = None
    remedy: str | None = None

    @property
    def words(self) -> str:
        """All of it in the order in which a run says it."""
        cause = f" Cause: {self.cause}" if self.cause else ""
        remedy = f" Remedy: {self.remedy}" if self.remedy else ""
        return f"{self.message} [{self.code}]{cause}{remedy}"


@dataclass(frozen=True)
class MachineReport:
    """Everything the report says of one machine.

    ``recovery_point`` is the time of the point failed over to. ``rpo_s`` is the recovery point objective in seconds,
    ``progress`` how much of the disks is copied in percent, ``minutes_left`` in about how many minutes they are, at the
    average pace so far; each None when not known.
    """

    name: str
    source_id: str
    address: str
    os_name: str
    stage: str
    steps: tuple[Step, ...] = ()
    azure_vm: ReportedVm | None = None
    recovery_point: datetime | None = None
    findings: tuple[Finding, ...] = ()
    failure: Failure | None = None
    rpo_s: float | None = None
    progress: float | None = None
    minutes_left: int | None = None

    @property
    def blockers(self) -> tuple[Finding, ...]:
        """Return the findings that leave the machine out of its wave."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.BLOCKER)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Return the findings that are only said aloud."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.WARNING)

    @property
    def result(self) -> Result:
        """Return the result; a machine that is already in Azure is migrated, whatever a rule says of its source now."""
        if self.stage == "migrated":
            return Result.MIGRATED
        if self.failure or self.stage == "broken":
            return Result.FAILED
        if self.blockers:
            return Result.REFUSED
        return Result.NOT_STARTED if self.stage == "absent" else Result.IN_PROGRESS

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why the machine was left out or stopped, in words; nothing for any other."""
        if self.result is Result.REFUSED:
            return tuple(finding.text for finding in self.blockers)
        return (self.failure.words,) if self.failure else ()

    @property
    def started(self) -> datetime | None:
        """Return when the first step began."""
        return min((step.started for step in self.steps if step.started), default=None)

    @property
    def ended(self) -> datetime | None:
        """Return when the last step ended, or None while one runs."""
        if any(step.ended is None for step in self.steps):
            return None
        return max((step.ended for step in self.steps if step.ended), default=None)

    @property
    def duration_s(self) -> float | None:
        """Return the seconds from the first step's start to the last one's end, or None while one runs."""
        return max(0.0, (self.ended - self.started).total_seconds()) if self.started and self.ended else None


@dataclass(frozen=True)
class WaveReport:
    """One wave: its machines in the order of the inventory."""

    wave: str
    architecture: str
    vault: str
    location: str
    machines: tuple[MachineReport, ...] = field(default_factory=tuple)

    @property
    def counts(self) -> dict[Result, int]:
        """Return how many machines ended with each result, every result named."""
        return {result: sum(machine.result is result for machine in self.machines) for result in Result}


def minutes_left(steps: Sequence[Step], progress: float | None, now: datetime | None) -> int | None:
    """Return in about how many minutes the disks are copied, at the average pace since replication was enabled.

    ``progress`` is percent, ``now`` the service's time. None when it cannot be told: nothing was copied yet, or the
    first copy is done and this is another.
    """
    enabled = [step.ended for step in steps if step.scenario == "EnableDr" and step.state == "Succeeded" and step.ended]
    copied = any(step.scenario in COPIED for step in steps)
    if not enabled or copied or now is None or progress is None or not 0 < progress < PERCENT:
        return None
    passed_s = (now - enabled[-1]).total_seconds()
    return math.ceil(passed_s * (PERCENT - progress) / progress / 60) if passed_s > 0 else None


def steps_of(names: Iterable[str], jobs: Iterable[Mapping[str, Any]]) -> tuple[Step, ...]:
    """Return the steps of the machine that Site Recovery knows by one of ``names``, oldest first.

    ``jobs`` are the vault's: ``{name, scenario, state, target, started, ended}``, times aware or None.
    Names are compared without regard to case.
    """
    known = {name.lower() for name in names if name}
    mine = [
        Step(str(job["scenario"]), str(job["name"]), str(job["state"]), job["started"], job["ended"])
        for job in jobs
        if job["scenario"] in STEP_TITLES and str(job.get("target") or "").lower() in known
    ]
    never = datetime.max.replace(tzinfo=UTC)
    return tuple(sorted(mine, key=lambda step: (step.started or never, step.job)))


def findings_from(rows: Sequence[Mapping[str, Any]]) -> tuple[Finding, ...]:
    """Return findings from their plain form (``Finding.as_dict``); those of a host's own probe have no rule."""
    return tuple(
        Finding(
            rule=str(row.get("rule") or "host"),
            severity=Severity(str(row.get("severity") or Severity.WARNING)),
            text=str(row["text"]),
            remedy=str(row.get("remedy") or ""),
            source=str(row.get("source") or "probe of the host"),
        )
        for row in rows
    )
