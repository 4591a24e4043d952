"""The replication appliance of the modernized architecture: a Windows server on which Microsoft's script installed it.

Registration stays a person's work in the appliance configuration manager (https://<server>:44368).
Source: Site Recovery documentation, replication appliance.
"""

from __future__ import annotations

from dataclasses import dataclass

from asr_migrate.domain.errors import AsrMigrateError, SetupError
from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import (
    server,
    server_findings,
    server_probe,
    server_urls,
    windows_changes,
    windows_probe,
    windows_steps,
)
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.mobility_codes import last_words
from asr_migrate.hosts.plan import Answer, Change, Exchange, Plan, Reading, blocker, warning
from asr_migrate.hosts.server import ServerFacts
from asr_migrate.hosts.server_want import ReplicationApplianceWant
from asr_migrate.hosts.want import TimeService
from asr_migrate.hosts.windows_installer import StepError, fetch, file_for_windows, judge_installation

CONFIGURATION_MANAGER_PORT = 44368
ARCHIVE = text.WORK_DIRECTORY + "\\Appliance.zip"
EXTRACTED = text.WORK_DIRECTORY + "\\appliance"
SCRIPT = "DRInstaller.ps1"
LOGS = "C:\\ProgramData\\ASRSetupLogs\\*"
#: Names of services of the appliance that tell that its installer ran before.
SERVICES = ("rcmproxyagent", "rcmreplicationagent", "ProcessServer", "dra")
PORTS = (443, CONFIGURATION_MANAGER_PORT)

_SOURCE = "Site Recovery documentation, replication appliance"


@dataclass(frozen=True)
class ApplianceFacts:
    """A server's facts; the appliance is installed when its configuration manager answers on the server itself."""

    server: ServerFacts

    @property
    def installed(self) -> bool:
        """Whether the appliance configuration manager answers."""
        return bool(self.server.listening.get(CONFIGURATION_MANAGER_PORT))

    @property
    def begun(self) -> bool:
        """Whether the installer ran before and broke off; web server and port 443 are then its own."""
        return not self.installed and any(name.lower() in self.server.windows.states for name in SERVICES)

    @property
    def disk(self) -> str:
        """The data drive with most room, which the installer takes; the system's when there is none."""
        free = self.server.windows.free_bytes
        data = [drive for drive in server.DATA_DRIVES if free.get(drive) is not None]
        return max(data, key=lambda drive: (free[drive] or 0, drive), default="c:")


class ReplicationAppliance:
    """The profile ``replication_appliance``."""

    def __init__(self, want: ReplicationApplianceWant) -> None:
        self._want = want
        self._urls = server_urls.urls("modernized", want)
        self.settle_s = 1800.0

    @property
    def secrets(self) -> tuple[str, ...]:
        proxy = (self._want.proxy.password.get_secret_value(),) if self._want.proxy else ()
        return (*proxy, *self._want.installer.secrets)

    def probe(self) -> Exchange:
        lines = server_probe.server(SERVICES, server.DATA_DRIVES, PORTS)
        ways = windows_probe.reach(self._want.reach) + server_urls.lines(self._urls, self._want.proxy)
        return text.exchange("probe", lines, ways)

    def read(self, answer: Answer) -> Reading:
        facts, _ = server.read(answer, PORTS, self._want, self._urls)
        seen = ApplianceFacts(facts)
        told = {"installed": seen.installed, "antivirus_exclusions": list(server_findings.ANTIVIRUS_EXCLUSIONS)}
        return Reading({**facts.as_dict(), **told}, seen)

    def plan(self, reading: Reading) -> Plan:
        seen = reading.of(ApplianceFacts)
        findings = server_findings.lasting(seen.server, self._want)
        changes, exchanges = [], []
        state = seen.server.windows.time_service
        if self._want.time_service is TimeService.RUNNING and state != "running":
            changes.append(Change("service w32time", state, "running"))
            start = text.section("change service w32time", *text.start_service(windows_probe.TIME_SERVICE))
            exchanges.append(text.exchange("start w32time", start, judge=windows_changes.judge))
        if seen.installed:
            return Plan(findings=tuple(findings), changes=tuple(changes), exchanges=tuple(exchanges))
        changes.append(Change("replication appliance", "not installed", "installed"))
        download = fetch(self._want.installer, ARCHIVE, self._want.proxy)
        problems = (self._want.installer.problem, file_for_windows(self._want.installer), self._proxy_problem())
        return Plan(
            findings=(*findings, *self._prerequisites(seen)),
            changes=tuple(changes),
            exchanges=(*exchanges, *([download] if download else []), self._installation()),
            missing=tuple(problem for problem in problems if problem),
        )

    def _proxy_problem(self) -> SetupError | None:
        """Return the error for a proxy that asks for a password, which the appliance does not support."""
        if not self._want.proxy or not self._want.proxy.user:
            return None
        return SetupError(
            "want proxy: a replication appliance cannot use a proxy that asks for a password",
            code="ProxyNotSupported",
            cause="The appliance knows no credentials of a proxy.",
            remedy="Let the server through the proxy without a password, and leave out proxy.user.",
        )

    def _prerequisites(self, seen: ApplianceFacts) -> list[Finding]:
        host = seen.server.windows
        findings = server_findings.prerequisites(seen.server, self._want, seen.disk, self._urls, begun=seen.begun)
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
        return text.exchange(
            "run DRInstaller.ps1",
            text.make_private_directory(text.WORK_DIRECTORY),
            windows_steps.remove_directory(EXTRACTED),
            f"cmd /c 'mkdir {EXTRACTED}'",
            windows_steps.chain(
                [
                    windows_steps.Part(text.section("extract", *text.unzip(archive, EXTRACTED))),
                    windows_steps.Part(text.section("install", *text.run_script(EXTRACTED, SCRIPT)), ()),
                ],
                [],
            ),
            judge=judge_installation,
            logs=text.exchange("read the logs", text.section("log", text.print_files(LOGS))),
            explain=explain_installation,
            may_disconnect=True,
        )


def explain_installation(error: AsrMigrateError, log: str) -> AsrMigrateError:
    """Return the failure of the appliance's installer with the last words of its log."""
    if not isinstance(error, StepError):
        return error
    if error.step == "install" and error.exit_code == text.NOT_STARTED:
        return SetupError(
            f"the replication appliance: the archive holds no {SCRIPT}",
            code="ApplianceSetupFailed",
            cause="The file is not the archive of the replication appliance, or an antivirus program took the script.",
            remedy="Check asr_appliance.want.installer (url or path), then run deploy_appliance again.",
        )
    return SetupError(
        f"the replication appliance: {error.step} failed with exit code {error.exit_code}"
        f"{last_words(log) or last_words(error.said)}",
        code="ApplianceSetupFailed",
        cause="A prerequisite of the appliance is not met, or its components could not be downloaded.",
        remedy="Read C:\\ProgramData\\ASRSetupLogs on the server, correct what it names, then run deploy_appliance "
        "again.",
    )
