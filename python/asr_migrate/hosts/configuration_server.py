"""The configuration server of the classic architecture: a Windows server on which Unified Setup ran.

Source: Site Recovery documentation: prerequisites, Unified Setup's command line, services, logs, passphrase.
"""

from __future__ import annotations

from dataclasses import dataclass

from asr_migrate.domain.errors import AsrMigrateError, InputError, SetupError
from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import server, windows, windows_probe
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.mobility import Known, last_words, reason
from asr_migrate.hosts.plan import Answer, Change, Exchange, Plan, Reading, blocker
from asr_migrate.hosts.server import ServerFacts
from asr_migrate.hosts.server_want import ConfigurationServerWant
from asr_migrate.hosts.want import TimeService
from asr_migrate.hosts.windows_mobility import StepError, fetch, file_for_windows, judge_installation

SERVICES = (
    "ProcessServer",
    "ProcessServerMonitor",
    "cxprocessserver",
    "InMage PushInstall",
    "LogUpload",
    "InMage Scout Application Service",
    "obengine",
    "svagents",
    "tmansvc",
    "W3SVC",
    "MySQL",
    "dra",
)
VERSIONS = ("Windows Server 2012 R2", "Windows Server 2016")

SETUP_FILE = text.WORK_DIRECTORY + "\\UnifiedSetup.exe"
EXTRACTED = text.WORK_DIRECTORY + "\\setup"
MYSQL_FILE = text.WORK_DIRECTORY + "\\MySQLCredentials.txt"
VAULT_FILE = text.WORK_DIRECTORY + "\\Vault.VaultCredentials"
LOGS = ("C:\\ProgramData\\ASRSetupLogs\\*", "C:\\ProgramData\\ASRLogs\\*")

#: A line of the vault credentials that is not longer holds no key, only an XML tag.
SHORTEST_SECRET_LINE = 20

_SOURCE = "Site Recovery documentation, configuration server"

#: Texts of setup's logs, tried in order.
LOG_TEXTS: tuple[tuple[str, Known], ...] = (
    (
        r"ACS50008|time skew|clock",
        Known(
            "The server's clock differs too much from the real time, so Azure does not accept its token (ACS50008).",
            server.CLOCK_REMEDY,
        ),
    ),
    (
        r"Failed to load Accounts|TLS ?1\.0",
        Known(
            "TLS 1.0 is switched off on the server.",
            "Remove Enabled=0 and DisabledByDefault=1 from SCHANNEL\\Protocols\\TLS 1.0, restart, then run again.",
        ),
    ),
    (
        r"Failed to create certificate",
        Known("Setup did not run elevated.", "Connect as the local Administrator, then run again."),
    ),
    (
        r"(key|credential|certificate)[^\n]{0,80}expired|expired[^\n]{0,80}(key|credential)|KeyExpired",
        Known(
            "The vault registration key is older than five days.",
            "Check the controller's clock and run deploy_appliance again: a new key takes the place of one that has "
            "expired by that clock.",
        ),
    ),
    (
        r"KeyInvalid|InvalidChannelIntegrityKeyToken|(key|credential)[^\n]{0,80}(invalid|rejected|not valid)",
        Known(
            "The vault did not accept the registration key: it is of another vault or was changed.",
            "Run deploy_appliance again: it issues a new key for asr_landing_zone.vault.",
        ),
    ),
    (
        r"mysql[^\n]{0,120}(download|could not)|download[^\n]{0,120}mysql",
        Known(
            "MySQL could not be downloaded.",
            "Open the way to dev.mysql.com, or put mysql-installer-community-5.7.20.0.msi into C:\\Temp\\ASRSetup.",
        ),
    ),
    (
        r"post request: \(7\)|could ?n.t connect|no internet",
        Known(
            "The server does not reach Azure on TCP 443.",
            "Open TCP 443 to the Site Recovery URLs; when the way is open, give skip_space_check, which avoids a "
            "known fault.",
        ),
    ),
    (
        r"disk space|free space",
        Known("The disk of the install location is too small.", "Add a larger volume, or give skip_space_check: true."),
    ),
)


@dataclass(frozen=True)
class ConfigurationServerFacts:
    """A server's facts and, as far as it was asked for, whether its passphrase could be read."""

    server: ServerFacts
    passphrase_read: bool

    @property
    def installed(self) -> bool:
        """Whether setup ran to its end: it registers the server last and leaves all of its services."""
        return self.server.registered and all(name.lower() in self.server.windows.states for name in SERVICES)

    @property
    def begun(self) -> bool:
        """Whether setup ran before and broke off; web server and port 443 are then its own."""
        own = [name for name in SERVICES if name not in ("W3SVC", "MySQL")]
        return not self.installed and any(name.lower() in self.server.windows.states for name in own)

    @property
    def standing(self) -> tuple[str, ...]:
        """The services that do not run."""
        return tuple(name for name in SERVICES if self.server.windows.states.get(name.lower()) != "running")


class ConfigurationServer:
    """The profile ``configuration_server``."""

    def __init__(self, want: ConfigurationServerWant) -> None:
        self._want = want
        self._disk = want.install_location[:2].lower()
        self.settle_s = 1800.0

    @property
    def secrets(self) -> tuple[str, ...]:
        want = self._want
        lines = want.vault_credentials.get_secret_value().splitlines()
        passwords = (want.mysql_root_password.get_secret_value(), want.mysql_user_password.get_secret_value())
        return (*passwords, *(line.strip() for line in lines if len(line.strip()) > SHORTEST_SECRET_LINE))

    def probe(self) -> Exchange:
        disks = () if self._disk == "c:" else (self._disk,)
        lines = windows_probe.server(SERVICES, disks, [443]) + windows_probe.reach(self._want.reach)
        if self._want.passphrase:
            lines += windows_probe.passphrase()
        return Exchange("probe", text.encoded(text.lines(lines)))

    def read(self, answer: Answer) -> Reading:
        facts, found = server.read(answer, (443,), self._want)
        printed = found["passphrase"]
        passphrase = printed.first if printed.exit_codes == (0,) else ""
        seen = ConfigurationServerFacts(facts, bool(passphrase))
        return Reading(
            {**facts.as_dict(), "installed": seen.installed, "services_standing": list(seen.standing)},
            seen,
            {"passphrase": passphrase} if passphrase else {},
        )

    def plan(self, reading: Reading) -> Plan:
        seen = reading.of(ConfigurationServerFacts)
        findings = server.lasting_findings(seen.server, self._want)
        changes, exchanges = self._time_service(seen)
        if not seen.installed:
            return Plan(
                findings=(*findings, *self._prerequisites(seen)),
                changes=(*changes, Change("configuration server", "not installed", "installed and registered")),
                exchanges=(*exchanges, *self._installation()),
                cleanup=Exchange("clean up", text.encoded(text.delete_files(MYSQL_FILE, VAULT_FILE))),
                missing=tuple(self._missing()),
            )
        for name in seen.standing:
            state = seen.server.windows.states.get(name.lower())
            changes.append(Change(f"service {name}", state, "running"))
            start = text.section(f"change service {name}", *text.with_exit_code(f"net start {_quoted(name)}"))
            exchanges.append(Exchange(f"start {name}", text.encoded(text.lines(start))))
        if self._want.passphrase and not seen.passphrase_read and not seen.standing:
            findings.append(
                blocker(
                    "configuration-server.passphrase",
                    f"the passphrase of {seen.server.windows.host_name} could not be read",
                    f"Run {windows_probe.GENPASSPHRASE} -v on the server as Administrator to see why.",
                    _SOURCE,
                )
            )
        return Plan(findings=tuple(findings), changes=tuple(changes), exchanges=tuple(exchanges))

    def _time_service(self, seen: ConfigurationServerFacts) -> tuple[list[Change], list[Exchange]]:
        state = seen.server.windows.time_service
        if self._want.time_service is not TimeService.RUNNING or state == "running":
            return [], []
        lines = text.section("change service w32time", *text.start_service(windows_probe.TIME_SERVICE))
        exchange = Exchange("start w32time", text.encoded(text.lines(lines)), judge=windows.judge_changes)
        return [Change("service w32time", state, "running")], [exchange]

    def _prerequisites(self, seen: ConfigurationServerFacts) -> list[Finding]:
        host = seen.server.windows
        findings = server.prerequisite_findings(seen.server, self._want, self._disk, begun=seen.begun)
        if host.os_name not in VERSIONS:
            findings.append(
                blocker(
                    "configuration-server.os",
                    f"{host.host_name} runs {host.os_name}; Unified Setup runs on {' or '.join(VERSIONS)}",
                    "Choose an image of Windows Server 2016 (asr_appliance.image_id).",
                    _SOURCE,
                )
            )
        if not seen.server.tls_1_0:
            findings.append(
                blocker(
                    "configuration-server.tls-1.0",
                    f"TLS 1.0 is switched off on {host.host_name}; setup then ends with 'Failed to load Accounts'",
                    "Remove Enabled=0 and DisabledByDefault=1 from SCHANNEL\\Protocols\\TLS 1.0 (Server, Client), "
                    "then restart.",
                    "migration article, prerequisites",
                )
            )
        return findings

    def _missing(self) -> list[AsrMigrateError]:
        want = self._want
        found: list[AsrMigrateError] = []
        for name in ("mysql_root_password", "mysql_user_password", "vault_credentials"):
            secret = getattr(want, name).get_secret_value()
            if problem := _secret_problem(name, secret):
                found.append(InputError(f"want {name}", None, problem, remedy=f"Give another {name}."))
        for error in (want.installer.problem, file_for_windows(want.installer)):
            if error:
                found.append(error)
        return found

    def _installation(self) -> list[Exchange]:
        want = self._want
        mysql = (
            "[MySQLCredentials]\n"
            f'MySQLRootPassword = "{want.mysql_root_password.get_secret_value()}"\n'
            f'MySQLUserPassword = "{want.mysql_user_password.get_secret_value()}"\n'
        )
        download = fetch(want.installer, SETUP_FILE)
        return [
            *([download] if download else []),
            _secret_file("write the MySQL credentials", MYSQL_FILE, mysql),
            _secret_file("write the vault credentials", VAULT_FILE, want.vault_credentials.get_secret_value() + "\n"),
            self._setup(),
        ]

    def _setup(self) -> Exchange:
        want = self._want
        arguments = ["/AcceptThirdpartyEULA", "/servermode", "CS", "/InstallLocation", want.install_location]
        arguments += ["/MySQLCredsFilePath", MYSQL_FILE, "/VaultCredsFilePath", VAULT_FILE, "/EnvType", "NonVMWare"]
        if want.address:
            arguments += ["/PSIP", want.address, "/CSIP", want.address]
        if want.skip_space_check:
            arguments.append("/SkipSpaceCheck")
        lines = text.lines(
            text.section("extract", *text.run(want.installer.path or SETUP_FILE, "/q", f"/x:{EXTRACTED}")),
            text.section("install", *text.run(f"{EXTRACTED}\\UNIFIEDSETUP.EXE", *arguments)),
            text.delete_files(MYSQL_FILE, VAULT_FILE),
        )
        logs = text.lines(text.section("log", *(text.print_files(pattern) for pattern in LOGS)))
        return Exchange(
            "run Unified Setup",
            text.encoded(lines),
            judge=judge_installation,
            logs=Exchange("read the logs", text.encoded(logs)),
            explain=explain_setup,
            may_disconnect=True,
        )


def _quoted(name: str) -> str:
    return f"'{name}'"


def _secret_problem(name: str, secret: str) -> str | None:
    """Return what is wrong with a secret that is written to a file, without the secret; None when it is fit."""
    if not secret:
        return "is needed to install the configuration server"
    if not secret.isascii():
        return "must be plain ASCII, because it travels through the host's console encoding"
    if name.startswith("mysql") and ('"' in secret or any(ord(character) < 32 for character in secret)):
        return "must hold no double quote and no line break"
    return None


def _secret_file(name: str, path: str, content: str) -> Exchange:
    lines = text.lines(text.make_private_directory(text.WORK_DIRECTORY), text.write_from_stdin(path))
    return Exchange(name, text.encoded(lines), stdin=content.encode())


def explain_setup(error: AsrMigrateError, log: str) -> AsrMigrateError:
    """Return the failure of setup with the cause that its logs tell. Its exit codes are documented nowhere."""
    if not isinstance(error, StepError):
        return error
    known = reason(error.said, LOG_TEXTS) or reason(log, LOG_TEXTS)
    known = known or Known("Setup gives no known reason.", "Read C:\\ProgramData\\ASRSetupLogs on the server.")
    return SetupError(
        f"Unified Setup: {error.step} failed with exit code {error.exit_code}"
        f"{last_words(error.said) or last_words(log)}",
        code="UnifiedSetupFailed",
        cause=known.cause,
        remedy=known.remedy,
    )
