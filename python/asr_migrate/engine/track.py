"""What the engine remembers of one machine during one run; never of use to the next."""

from __future__ import annotations

from dataclasses import dataclass, field

from asr_migrate.domain.errors import AsrMigrateError
from asr_migrate.domain.lifecycle import Fault, Goal, Observation, Stage, Verb
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.wave import MachineResult, Step


@dataclass
class Asked:
    """A verb that was sent: its job (None when the service named none), when, and what went wrong in sending it."""

    verb: Verb
    job_id: str | None
    at_s: float
    doubt: AsrMigrateError | None = None
    ended_s: float | None = None


@dataclass
class Track:
    """One machine on its way. Times are the clock's monotonic service seconds."""

    machine: Machine
    goal: Goal
    asked: list[Asked] = field(default_factory=list)
    seen: Observation = field(default_factory=lambda: Observation(Stage.ABSENT))
    waited_on: str | None = None
    waiting_since_s: float = 0.0
    stalled_since_s: float | None = None
    said: str | None = None
    result: MachineResult | None = None

    @property
    def pending(self) -> Asked | None:
        """The verb whose job has not ended."""
        return next((asked for asked in self.asked if asked.job_id and asked.ended_s is None), None)

    def already(self, verb: Verb) -> Asked | None:
        return next((asked for asked in self.asked if asked.verb is verb), None)

    def wait_for(self, why: str, now_s: float) -> float:
        """Note what is waited for and return for how many seconds it has been the same."""
        if why != self.waited_on:
            self.waited_on, self.waiting_since_s = why, now_s
        return now_s - self.waiting_since_s

    def end(self, *, fault: Fault | None = None, refused: bool = False) -> None:
        """Set the result: reached when there is no fault."""
        self.result = MachineResult(
            name=self.machine.name,
            goal=self.goal,
            stage=self.seen.stage,
            reached=fault is None,
            failed=fault is not None,
            refused=refused,
            error=fault,
            azure_vm=self.seen.vm or self.seen.test_vm,
            steps=self.steps(),
            waited_on=self.waited_on if fault else None,
        )

    def fail(self, error: AsrMigrateError) -> None:
        self.end(fault=Fault(error.message, error.code, error.cause, error.remedy))

    def steps(self) -> tuple[Step, ...]:
        return tuple(
            Step(asked.verb, asked.job_id, None if asked.ended_s is None else asked.ended_s - asked.at_s)
            for asked in self.asked
        )
