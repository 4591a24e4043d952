"""A small model of Site Recovery for one machine: what it offers, what a verb does to it, what may go wrong.

It has the rules of ``domain.lifecycle`` only where they are the service's own; the order of things is the service's.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from asr_migrate.domain.lifecycle import VERBS, AzureVm, Fault, Observation, Stage, Verb

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
VM = AzureVm("vm-web", "/vms/vm-web", "rg", running=True)
TEST_VM = replace(VM, name="vm-web-test")
READY = frozenset({"TestFailover", "UnplannedFailover", "DisableProtection"})
OFFERS = {
    Stage.ABSENT: frozenset(),
    Stage.REPLICATING: frozenset({"DisableProtection"}),
    Stage.PROTECTED: READY,
    Stage.TESTED: READY,
    Stage.TEST_RUNNING: frozenset({"TestFailoverCleanup", "UnplannedFailover", "DisableProtection"}),
    Stage.FAILED_OVER: frozenset({"Commit", "CompleteMigration", "ChangePit", "CancelFailover"}),
    Stage.COMMITTED: frozenset({"CompleteMigration", "ReverseReplicate", "DisableProtection"}),
    Stage.MIGRATED: frozenset(),
}


@dataclass
class Service:
    """One machine in the vault. ``sent`` is every verb asked for; ``broken_offers`` what it offers after a failure."""

    stage: Stage = Stage.ABSENT
    running: Verb | None = None
    now: datetime = START
    drift: bool = True
    tested: datetime | None = None
    point: datetime | None = None
    vm: AzureVm | None = None
    test_vm: AzureVm | None = None
    broken_offers: frozenset[str] = frozenset()
    quiesced: datetime | None = None
    probed: bool | None = None
    health: str = "Normal"
    looks: int = 0
    sent: list[Verb] = field(default_factory=list)

    def look(self) -> Observation:
        """Return what a sweep would say now."""
        stage, busy = self.stage, self.running is not None or self.stage is Stage.REPLICATING
        if self.running:
            stage = VERBS[self.running].through
            stage = Stage.ABSENT if self.running is Verb.STOP_REPLICATION else stage
        offered = self.broken_offers if stage is Stage.BROKEN else OFFERS.get(stage, frozenset())
        return Observation(
            stage,
            allowed_operations=frozenset() if self.running else offered,
            busy=busy,
            busy_with=str(self.running or "initial replication") if busy else "",
            error=Fault("it failed", "28031") if stage is Stage.BROKEN else None,
            drift=("private_ip",) if self.drift and stage in (Stage.PROTECTED, Stage.TESTED) else (),
            health=self.health,
            vm=self.vm,
            test_vm=self.test_vm,
            last_test=self.tested,
            last_point=self.point,
            quiesced_at=self.quiesced,
            probed=self.probed,
        )

    def take(self, verb: Verb, looks: int = 0) -> None:
        """Begin what was asked for, as the service would; it can end after so many looks."""
        assert self.running is None, f"{verb} while {self.running} runs"
        self.sent.append(verb)
        self.running, self.looks = verb, looks

    def pass_time(self, minutes: float = 6) -> None:
        """Let time pass: replication goes on, and makes a recovery point, until the machine is failed over."""
        self.now += timedelta(minutes=minutes)
        self.looks = max(0, self.looks - 1)
        if self.stage is Stage.REPLICATING and self.running is None:
            self.stage = Stage.PROTECTED
        if self.stage in (Stage.PROTECTED, Stage.TESTED, Stage.TEST_RUNNING):
            self.point = self.now

    def end(self, well: bool) -> None:
        """End the job that runs."""
        verb, self.running = self.running, None
        if verb is None:
            return
        began, self.now = self.now, self.now + timedelta(minutes=10)
        (self._done if well else self._failed)(verb, began)

    def _done(self, verb: Verb, began: datetime) -> None:
        self.stage = {Verb.REPLICATE: Stage.REPLICATING, Verb.UPDATE: self.stage}.get(verb, VERBS[verb].leads_to)
        if verb is Verb.UPDATE:
            self.drift = False
        elif verb is Verb.TEST_FAILOVER:
            self.test_vm, self.tested = TEST_VM, began
        elif verb is Verb.CLEAN_UP_TEST:
            self.test_vm = None
            self.stage = Stage.TESTED if self.tested else Stage.PROTECTED
        elif verb is Verb.FAIL_OVER:
            self.vm = VM
        elif verb is Verb.STOP_REPLICATION:
            self.tested = self.point = self.test_vm = None
            self.drift = True

    def _failed(self, verb: Verb, began: datetime) -> None:
        after: dict[Verb, frozenset[str]] = {
            Verb.REPLICATE: frozenset({"DisableProtection"}),
            Verb.TEST_FAILOVER: OFFERS[Stage.TEST_RUNNING],
            Verb.CLEAN_UP_TEST: OFFERS[Stage.TEST_RUNNING],
            Verb.FAIL_OVER: READY,
        }
        if verb in after:
            self.stage, self.broken_offers = Stage.BROKEN, after[verb]
