"""What the engine remembers of one machine during one run; never of use to the next."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from asr_migrate.domain.errors import AsrMigrateError
from asr_migrate.domain.lifecycle import VERBS, Act, Fault, Goal, Observation, Stage, Verb
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.site import Json
from asr_migrate.domain.wave import MachineResult, Step
from asr_migrate.engine.pace import Progress

UNSEEN = Observation(Stage.ABSENT)
"""What stands for a machine that no look has shown yet."""


@dataclass
class Asked:
    """A verb that was sent.

    ``job_id`` is None while no job is known; ``doubt`` is what left open whether it arrived; ``before`` the stage it
    was sent from (None for an earlier run's), ``known`` the jobs about the machine (or plan) that were there already.
    ``plan`` is the recovery plan that was asked for it. ``adopted`` means that an earlier run sent it. ``void`` means
    that it counts no more: it never arrived, or its failure is being remedied.
    """

    verb: Verb
    at_s: float
    job_id: str | None = None
    client_request_id: str = ""
    before: Stage | None = None
    known: frozenset[str] = frozenset()
    doubt: AsrMigrateError | None = None
    plan: str | None = None
    adopted: bool = False
    void: bool = False
    arrived: bool = True
    ended_s: float | None = None
    looked_s: float | None = None


@dataclass
class Track:
    """One machine on its way. Times are the clock's monotonic service seconds.

    ``want`` is what it is to be asked for in this turn. ``unsure`` says that this turn's look could not be believed.
    ``detail`` is its item as a single read told it. ``lost`` counts the looks that failed one after the other.
    """

    machine: Machine
    goal: Goal
    asked: list[Asked] = field(default_factory=list)
    seen: Observation = field(default_factory=lambda: UNSEEN)
    waited_on: str | None = None
    waiting_since_s: float = 0.0
    stalled_since_s: float | None = None
    refused_since_s: float | None = None
    progress: Progress = field(default_factory=Progress)
    remedied: Counter[str] = field(default_factory=Counter)
    remedies: list[str] = field(default_factory=list)
    detail: Json | None = None
    want: Act | None = None
    repair: bool = False
    unsure: bool = False
    lost: int = 0
    probed: bool | None = None
    probed_at_s: float | None = None
    probe_failures: tuple[str, ...] = ()
    result: MachineResult | None = None

    @property
    def pending(self) -> Asked | None:
        """The verb whose job has not ended."""
        return next((asked for asked in self.asked if asked.job_id and asked.ended_s is None and not asked.void), None)

    @property
    def doubtful(self) -> Asked | None:
        """The verb of which nobody knows whether it arrived."""
        return next((asked for asked in self.asked if asked.doubt and not asked.job_id and not asked.void), None)

    def already(self, verb: Verb) -> Asked | None:
        """Return the verb as it was sent, None when it was not, or when that counts no more."""
        return next((asked for asked in self.asked if asked.verb is verb and not asked.void), None)

    def times_sent(self, verb: Verb) -> int:
        """Return how often this run has sent ``verb``, arrived or not."""
        return sum(asked.verb is verb and not asked.adopted for asked in self.asked)

    @property
    def at_work(self) -> Verb | None:
        """The verb that the service is at for this machine, None when it is at none."""
        if asked := self.pending or self.doubtful:
            return asked.verb
        if not self.seen.busy:
            return None
        return next((verb for verb, row in VERBS.items() if row.through is self.seen.stage), None)

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
            remedies=tuple(self.remedies),
            waited_on=self.waited_on if fault else None,
        )

    def fail(self, error: AsrMigrateError) -> None:
        self.end(fault=Fault(error.message, error.code, error.cause, error.remedy))

    def steps(self) -> tuple[Step, ...]:
        """Return what this run asked for and arrived."""
        return tuple(
            Step(asked.verb, asked.job_id, None if asked.ended_s is None else asked.ended_s - asked.at_s)
            for asked in self.asked
            if asked.arrived and not asked.adopted
        )
