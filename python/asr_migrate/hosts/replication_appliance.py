"""The replication appliance of the modernized architecture: a Windows server on which Microsoft's script installed it.

Registration stays a person's work in the appliance configuration manager (https://<server>:44368).
Source: Site Recovery documentation, replication appliance.
"""

from __future__ import annotations

from dataclasses import dataclass

from asr_migrate.domain.errors import AsrMigrateError, SetupError
from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import server, windows, windows_probe
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.mobility import last_words
from asr_migrate.hosts.plan import Answer, Change, Exchange, Plan, Reading, blocker, warning
from asr_migrate.hosts.server import ServerFacts
from asr_migrate.hosts.server_want import ReplicationApplianceWant
from asr_migrate.hosts.want import TimeService
from asr_migrate.hosts.windows_mobility import StepError, fetch, file_for_windows, judge_installation

CONFIGURATION_MANAGER_PORT = 44368
ARCHIVE = text.WORK_DIRECTORY + "\\Appliance.zip"
INSTALLER = text.WORK_DIRECTORY + "\\DRInstaller.ps1"
LOGS = "C:\\ProgramData\\ASRSetupLogs\\*"
#: The data disk of an appliance (Site Recovery documentation: 620 GB beside the system's 80 GB).
DATA_DISK = "e:"

_SOURCE = "Site Recovery documentation, replication appliance"


@dataclass(frozen=True)
class ApplianceFacts:
    """A server's facts; the appliance is installed when its configuration manager answers on the server itself."""

    server: ServerFacts

    @property
    def installed(self) -> bool:
        """Whether the appliance configuration manager answers."""
        return bool(self.server.listening.get(CONFIGURATION_MANAGER_PORT))


class ReplicationAppliance:
    """The profile ``replication_appliance``."""

    def __init__(self, want: ReplicationApplianceWant) -> None:
        self._want = want
        self.settle_s = 1800.0

    @property
    def secrets(self) -> tuple[str, ...]:
        return ()

    def probe(self) -> Exchange:
        lines = windows_probe.server((), (DATA_DISK,), [443, CONFIGURATION_MANAGER_PORT])
        return Exchange("probe", text.encoded(text.lines(lines, windows_probe.reach(self._want.reach))))

    def read(self, answer: Answer) -> Reading:
        facts, _ = server.read(answer, (443, CONFIGURATION_MANAGER_PORT), self._want)
        seen = ApplianceFacts(facts)
        return Reading({**facts.as_dict(), "installed": seen.installed}, seen)

    def plan(self, reading: Reading) -> Plan:
        seen = reading.of(ApplianceFacts)
        findings = server.lasting_findings(seen.server, self._want)
        changes, exchanges = [], []
        state = seen.server.windows.time_service
        if self._want.time_service is TimeService.RUNNING and state != "running":
            changes.append(Change("service w32time", state, "running"))
            start = text.section("change service w32time", *text.start_service(windows_probe.TIME_SERVICE))
            exchanges.append(Exchange("start w32time", text.encoded(text.lines(start)), judge=windows.judge_changes))
        if seen.installed:
            return Plan(findings=tuple(findings), changes=tuple(changes), exchanges=tuple(exchanges))
        changes.append(Change("replication appliance", "not installed", "installed"))
        download = fetch(self._want.installer, ARCHIVE)
        problems = (self._want.installer.problem, file_for_windows(self._want.installer))
        return Plan(
            findings=(*findings, *self._prerequisites(seen)),
            changes=tuple(changes),
            exchanges=(*exchanges, *([download] if download else []), self._installation()),
            missing=tuple(problem for problem in problems if problem),
        )

    def _prerequisites(self, seen: ApplianceFacts) -> list[Finding]:
        host = seen.server.windows
        disk = DATA_DISK if host.free_bytes.get(DATA_DISK) is not None else "c:"
        findings = server.prerequisite_findings(seen.server, self._want, disk)
        if host.os_name == "Windows Server 2019":
            text_2019 = f"{host.host_name} runs Windows Server 2019; only existing appliances are still supported on it"
            findings.append(warning("appliance.os", text_2019, "Choose an image of Windows Server 2022.", _SOURCE))
        elif host.os_name != "Windows Server 2022":
            findings.append(
                blocker(
                    "appliance.os",
                    f"{host.host_name} runs {host.os_name}; the replication appliance runs on Windows Server 2022",
                    "Choose an image of Windows Server 2022 with Desktop Experience (asr_appliance.image_id).",
                    _SOURCE,
                )
            )
        return findings

    def _installation(self) -> Exchange:
        archive = self._want.installer.path or ARCHIVE
        lines = text.lines(
            text.section("extract", *text.unzip(archive, text.WORK_DIRECTORY)),
            text.section("install", *text.run(INSTALLER)),
        )
        return Exchange(
            "run DRInstaller.ps1",
            text.encoded(lines),
            judge=judge_installation,
            logs=Exchange("read the logs", text.encoded(text.lines(text.section("log", text.print_files(LOGS))))),
            explain=explain_installation,
            may_disconnect=True,
        )


def explain_installation(error: AsrMigrateError, log: str) -> AsrMigrateError:
    """Return the failure of the appliance's installer with the last words of its log."""
    if not isinstance(error, StepError):
        return error
    return SetupError(
        f"the replication appliance: {error.step} failed with exit code {error.exit_code}{last_words(log)}",
        code="ApplianceSetupFailed",
        cause="A prerequisite of the appliance is not met, or its components could not be downloaded.",
        remedy="Read C:\\ProgramData\\ASRSetupLogs on the server, correct what it names, then run deploy_appliance "
        "again.",
    )
