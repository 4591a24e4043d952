"""The lifecycle of one machine: its stages, the goals a wave may be asked for, the verbs, and one table of all three.

    absent -> enabling -> replicating -> protected -> testing -> test_running -> cleaning -> tested -> failing_over
           -> failed_over -> committing -> committed -> completing -> migrated       broken (with the service's error)

The stage is read from Azure each time. ``engine.decide`` reads the table; docs/lifecycle.md is made from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class Stage(StrEnum):
    """Where a machine stands, in the order of the road; ``broken`` stands beside it."""

    ABSENT = "absent"
    ENABLING = "enabling"
    REPLICATING = "replicating"
    PROTECTED = "protected"
    TESTING = "testing"
    TEST_RUNNING = "test_running"
    CLEANING = "cleaning"
    TESTED = "tested"
    FAILING_OVER = "failing_over"
    FAILED_OVER = "failed_over"
    COMMITTING = "committing"
    COMMITTED = "committed"
    COMPLETING = "completing"
    MIGRATED = "migrated"
    BROKEN = "broken"


ROAD = tuple(stage for stage in Stage if stage is not Stage.BROKEN)


def from_on(stage: Stage) -> frozenset[Stage]:
    """Return ``stage`` and everything behind it on the road."""
    return frozenset(ROAD[ROAD.index(stage) :])


class Verb(StrEnum):
    """A change asked of Site Recovery for one machine."""

    DISCOVER = "discover"
    REPLICATE = "replicate"
    UPDATE = "update"
    TEST_FAILOVER = "test_failover"
    CLEAN_UP_TEST = "clean_up_test"
    FAIL_OVER = "fail_over"
    COMMIT = "commit"
    COMPLETE = "complete"
    STOP_REPLICATION = "stop_replication"


@dataclass(frozen=True)
class VerbRow:
    """One verb: what the service calls it in ``allowedOperations`` (None = it lists no such thing), where it is legal,
    the stage it runs in, the stage it ends in, and the name of its job (``scenarioName``)."""

    operation: str | None
    legal_from: frozenset[Stage]
    through: Stage
    leads_to: Stage
    job: str
    words: str


VERBS = MappingProxyType(
    {
        Verb.DISCOVER: VerbRow(
            None,
            frozenset({Stage.ABSENT}),
            Stage.ABSENT,
            Stage.ABSENT,
            "DiscoverPhysicalMachine",
            "add the physical machine to the configuration server",
        ),
        Verb.REPLICATE: VerbRow(
            None, frozenset({Stage.ABSENT}), Stage.ENABLING, Stage.PROTECTED, "EnableDr", "enable replication"
        ),
        Verb.UPDATE: VerbRow(
            None,
            frozenset({Stage.PROTECTED, Stage.TESTED}),
            Stage.PROTECTED,
            Stage.PROTECTED,
            "UpdateVmProperties",
            "set the properties of the Azure VM",
        ),
        Verb.TEST_FAILOVER: VerbRow(
            "TestFailover",
            frozenset({Stage.PROTECTED, Stage.TESTED}),
            Stage.TESTING,
            Stage.TEST_RUNNING,
            "TestFailover",
            "start a test failover into the isolated network",
        ),
        Verb.CLEAN_UP_TEST: VerbRow(
            "TestFailoverCleanup",
            frozenset({Stage.TEST_RUNNING, Stage.BROKEN}),
            Stage.CLEANING,
            Stage.TESTED,
            "TestFailoverCleanup",
            "remove the test VM",
        ),
        Verb.FAIL_OVER: VerbRow(
            "UnplannedFailover",
            frozenset({Stage.PROTECTED, Stage.TESTED, Stage.BROKEN}),
            Stage.FAILING_OVER,
            Stage.FAILED_OVER,
            "UnplannedFailover",
            "fail over to the latest recovery point",
        ),
        Verb.COMMIT: VerbRow(
            "Commit",
            frozenset({Stage.FAILED_OVER}),
            Stage.COMMITTING,
            Stage.COMMITTED,
            "CommitFailover",
            "commit the failover",
        ),
        Verb.COMPLETE: VerbRow(
            "CompleteMigration",
            frozenset({Stage.COMMITTED}),
            Stage.COMPLETING,
            Stage.MIGRATED,
            "DisableDr",
            "complete the migration: stop replication, keep the Azure VM",
        ),
        Verb.STOP_REPLICATION: VerbRow(
            "DisableProtection",
            frozenset({Stage.REPLICATING, Stage.PROTECTED, Stage.TESTED, Stage.BROKEN}),
            Stage.COMPLETING,
            Stage.ABSENT,
            "DisableDr",
            "stop replication",
        ),
    }
)


class Goal(StrEnum):
    """The stage that a wave is asked to reach."""

    PROTECTED = "protected"
    TEST_RUNNING = "test_running"
    TESTED = "tested"
    FAILED_OVER = "failed_over"
    MIGRATED = "migrated"
    ABSENT = "absent"

    @property
    def row(self) -> GoalRow:
        return GOALS[self]


@dataclass(frozen=True)
class GoalRow:
    """One goal: the stage asked for, the stages that have it or have it behind them, the verbs it may use in order, the
    goal that comes before it, and the playbook that reaches it."""

    stage: Stage
    reached: frozenset[Stage]
    verbs: tuple[Verb, ...]
    first: Goal | None
    playbook: str


GOALS = MappingProxyType(
    {
        Goal.PROTECTED: GoalRow(
            Stage.PROTECTED,
            from_on(Stage.PROTECTED),
            (Verb.DISCOVER, Verb.REPLICATE, Verb.UPDATE),
            None,
            "replicate",
        ),
        Goal.TEST_RUNNING: GoalRow(
            Stage.TEST_RUNNING,
            from_on(Stage.TEST_RUNNING),
            (Verb.TEST_FAILOVER,),
            Goal.PROTECTED,
            "test_failover",
        ),
        Goal.TESTED: GoalRow(
            Stage.TESTED, from_on(Stage.TESTED), (Verb.CLEAN_UP_TEST,), Goal.TEST_RUNNING, "clean_up_test"
        ),
        Goal.FAILED_OVER: GoalRow(
            Stage.FAILED_OVER, from_on(Stage.FAILED_OVER), (Verb.FAIL_OVER,), Goal.PROTECTED, "failover"
        ),
        Goal.MIGRATED: GoalRow(
            Stage.MIGRATED,
            frozenset({Stage.MIGRATED}),
            (Verb.COMMIT, Verb.COMPLETE),
            Goal.FAILED_OVER,
            "complete_migration",
        ),
        Goal.ABSENT: GoalRow(
            Stage.ABSENT,
            frozenset({Stage.ABSENT, Stage.MIGRATED}),
            (Verb.STOP_REPLICATION,),
            None,
            "stop_replication",
        ),
    }
)


@dataclass(frozen=True)
class Fault:
    """What the service says is wrong with one machine."""

    message: str
    code: str | None = None
    cause: str | None = None
    remedy: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        return {"message": self.message, "code": self.code, "cause": self.cause, "remedy": self.remedy}


@dataclass(frozen=True)
class AzureVm:
    """A VM in a target resource group. ``running`` is None when the list says nothing of it."""

    name: str
    id: str
    resource_group: str
    size: str | None = None
    running: bool | None = None
    tags: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, str | bool | None]:
        return {
            "name": self.name,
            "id": self.id,
            "resource_group": self.resource_group,
            "size": self.size,
            "running": self.running,
        }


@dataclass(frozen=True)
class Observation:
    """One machine as just seen: protected item, its job, its VMs.

    ``busy_with`` is what the service is doing now, in words; ``progress`` is percent of the initial replication, None
    when unknown; ``rpo_s`` seconds, None before the first recovery point. ``unknown_source`` says why replication
    cannot be asked for yet (None when the vault's appliance knows the machine), ``discoverable`` whether a request can
    change that, ``source_patience_s`` how long it may last. ``drift`` names the properties of the Azure VM that differ
    from what was asked. ``name_taken`` is a VM of the target's name that is not this machine's. ``stalled`` is set when
    data does not arrive. ``last_test`` is when the last successful test failover began, ``last_point`` when the newest
    recovery point was made; ``quiesced_at`` (the source's services were stopped) and ``probed`` (all probes passed;
    None before they were asked; ``probe_failures`` says what failed) are told by the run, not by Azure.
    """

    stage: Stage
    allowed_operations: frozenset[str] = frozenset()
    busy: bool = False
    busy_with: str = ""
    progress: float | None = None
    rpo_s: float | None = None
    health: str | None = None
    health_errors: tuple[Fault, ...] = ()
    error: Fault | None = None
    stalled: Fault | None = None
    item_id: str | None = None
    item_name: str | None = None
    job_id: str | None = None
    vm: AzureVm | None = None
    test_vm: AzureVm | None = None
    name_taken: AzureVm | None = None
    unknown_source: str | None = None
    discoverable: bool = False
    source_patience_s: float | None = None
    drift: tuple[str, ...] = ()
    last_test: datetime | None = None
    last_point: datetime | None = None
    quiesced_at: datetime | None = None
    probed: bool | None = None
    probe_failures: tuple[str, ...] = ()

    def allows(self, verb: Verb) -> bool:
        """Say whether the service offers ``verb`` now; verbs it never lists are allowed where they are legal."""
        operation = VERBS[verb].operation
        return operation is None or operation in self.allowed_operations


@dataclass(frozen=True)
class Act:
    """Ask the service for ``verb`` now, because of ``why``."""

    verb: Verb
    why: str


@dataclass(frozen=True)
class Wait:
    """Nothing to ask for now. ``soon`` says that a change is near; ``patience_s`` limits how long this may stay so.

    ``code`` is the catalogue's code of the error that it becomes when patience ends.
    """

    why: str
    soon: bool = True
    patience_s: float | None = None
    code: str | None = None


@dataclass(frozen=True)
class Done:
    """The goal is reached or behind the machine."""


@dataclass(frozen=True)
class Refuse:
    """The goal cannot be reached from here. ``first`` is a goal that has to be reached before, if that would help."""

    why: str
    remedy: str
    cause: str | None = None
    code: str | None = None
    first: Goal | None = None


Decision = Act | Wait | Done | Refuse
