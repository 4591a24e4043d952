"""One wave with every kind of ending, for the tests of the report."""

from datetime import UTC, datetime, timedelta

from asr_migrate.domain.readiness import Finding, Severity
from asr_migrate.report.model import Failure, MachineReport, ReportedVm, Step, WaveReport

START = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
GROUP = "/subscriptions/s/resourceGroups/rg-migration/providers/Microsoft.Compute/virtualMachines"


def at(minutes):
    return START + timedelta(minutes=minutes)


def steps(offset=0):
    plan = [
        ("EnableDr", 0, 27),
        ("SecondaryIrCompletion", 60, 61),
        ("UpdateVmProperties", 62, 63),
        ("TestFailover", 70, 78),
        ("TestFailoverCleanup", 80, 82),
        ("UnplannedFailover", 90, 100),
        ("CommitFailover", 101, 102),
        ("DisableDr", 103, 104),
    ]
    return tuple(
        Step(name, f"job-{name}-{offset}", "Succeeded", at(begin + offset), at(end + offset))
        for name, begin, end in plan
    )


def vm(name, address):
    return ReportedVm(name, f"{GROUP}/{name}", "rg-migration", "Standard_D2s_v5", address)


WARNING = Finding(
    "ec2.linux-storage-interface",
    Severity.WARNING,
    "db-rhel67 sees its disks over Xen paravirtual",
    "Run a test failover.",
    "support matrix",
)
BLOCKER = Finding(
    "ec2.virtualization-hvm",
    Severity.BLOCKER,
    "old-rhel67pv is a paravirtual instance; Linux sources must be HVM",
    "Move the workload to an HVM image before replicating it.",
    "migration article",
)

MIGRATED = MachineReport(
    "app-2008",
    "i-1",
    "10.20.1.11",
    "Windows Server 2008 R2 SP1",
    "migrated",
    steps(),
    vm("app01", "10.60.1.4"),
    at(89),
)
WARNED = MachineReport(
    "db-rhel67",
    "i-3",
    "10.20.1.13",
    "Red Hat Enterprise Linux 6.7",
    "migrated",
    steps(7),
    vm("db01", "10.60.1.5"),
    at(92),
    (WARNING,),
)
REFUSED = MachineReport(
    "old-rhel67pv", "i-4", "10.20.1.14", "Red Hat Enterprise Linux 6.7", "absent", findings=(BLOCKER,)
)
FAILED = MachineReport(
    "app-2012",
    "i-2",
    "10.20.1.12",
    "Windows Server 2012 R2",
    "broken",
    (Step("EnableDr", "job-x", "Failed", at(3), at(9)),),
    failure=Failure(
        "95107", "Push failed", "The account <script>is wrong</script>", "Check the account given on the appliance."
    ),
)
RUNNING = MachineReport(
    "app-2016",
    "i-5",
    "10.20.1.15",
    "Windows Server 2016",
    "failing_over",
    (*steps(3)[:5], Step("UnplannedFailover", "job-y", "InProgress", at(95), None)),
)
WAVE = WaveReport("legacy", "classic", "vault-legacy", "westeurope", (MIGRATED, FAILED, WARNED, REFUSED, RUNNING))
