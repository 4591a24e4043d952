"""What a story is judged by, all of it seen from the lab's side: jobs, machines, requests."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from tests.worlds.zones import GROUP

from asr_lab.arm.operations import Operation, OperationError
from asr_lab.arm.providers.model import ProtectedItem
from asr_lab.arm.world import World

from .lab import FaultLab

ROAD = ("EnableDr", "TestFailover", "TestFailoverCleanup", "UnplannedFailover", "CommitFailover", "DisableDr")
"""The jobs that a migration takes, one of each for a machine."""

PLAN = "RecoveryPlan"
SOURCE_TAG = "asr-source-id"
LOCK_PATH = "/providers/microsoft.resources/tags/"


@dataclass(frozen=True)
class Violation:
    """One thing that must not happen: ``kind`` (a column of the table), the machine, what was seen."""

    kind: str
    machine: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.machine}: {self.what}"


def machine_jobs(world: World, planted: Iterable[OperationError] = ()) -> dict[str, dict[str, list[Operation]]]:
    """Return the jobs of the road by machine and scenario, oldest first, without those that ``planted`` errors failed.

    The job of a recovery plan is none of a machine's; what the plan began for each machine is.
    """
    ours = list(planted)
    found: dict[str, dict[str, list[Operation]]] = defaultdict(lambda: defaultdict(list))
    for job in sorted(world.operations.values(), key=lambda job: job.seq):
        if job.scenario not in ROAD or job.target is None or job.target.instance_type == PLAN:
            continue
        if not any(job.error is error for error in ours):
            found[job.target.object_name.casefold()][str(job.scenario)].append(job)
    return found


def repeated(world: World, planted: Iterable[OperationError] = ()) -> list[Violation]:
    """Return every job that was begun although the machine had one of its kind already."""
    return [
        Violation("repeated", machine, f"{len(jobs)} jobs {scenario}: {'; '.join(map(described, jobs))}")
        for machine, by_scenario in machine_jobs(world, planted).items()
        for scenario, jobs in by_scenario.items()
        if len(jobs) > 1
    ]


def cancelled(world: World) -> list[Violation]:
    """Return every job that was cancelled."""
    return [
        Violation("cancelled", job.target.object_name if job.target else job.target_id, described(job))
        for job in world.operations.values()
        if job.state == "Cancelled"
    ]


def lost(lab: FaultLab) -> list[Violation]:
    """Return every machine that is not migrated: it has every job of the road, its VM runs, carries its tag, alone."""
    world = lab.world
    jobs = machine_jobs(world)
    items = {item.friendly_name.casefold() for item in protected_items(world)}
    violations = []
    for name in lab.sources:
        vm = world.resources.get(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-{name}")
        test = world.resources.get(f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-{name}-test")
        missing = [scenario for scenario in ROAD if not jobs[name][scenario]]
        wrong = [f"no job {scenario}" for scenario in missing]
        if name in items:
            wrong.append("its protected item is still there")
        if test is not None:
            wrong.append("its test VM is still there")
        if not isinstance(vm, dict):
            wrong.append("it has no VM")
        else:
            if vm["instance"]["power"] != "running":
                wrong.append(f"its VM is {vm['instance']['power']}")
            if vm["tags"].get(SOURCE_TAG) != f"i-{name}":
                wrong.append(f"its VM has the tags {vm['tags']}")
        if wrong:
            violations.append(Violation("lost", name, ", ".join(wrong)))
    return violations


def protected_items(world: World) -> list[ProtectedItem]:
    """Return the protected items that exist."""
    found = (world.resources.get(identifier) for identifier in world.resources.ids())
    return [item for item in found if isinstance(item, ProtectedItem)]


def described(job: Operation) -> str:
    """Return a job in words: when it began and how it ended, and which request began it."""
    ended = f"{job.state} {job.ended:%H:%M:%S}" if job.ended else job.state
    error = f" {job.error.code}" if job.error else ""
    return f"{job.started:%H:%M:%S} to {ended}{error} (request {job.client_request_id})"


def changes(world: World) -> Counter[str]:
    """Return how many requests that change machines the log remembers, by the last two segments of their path."""
    return Counter(
        "/".join(logged.path.split("/")[-2:])
        for logged in world.log
        if logged.is_write and LOCK_PATH not in logged.path.casefold()
    )
