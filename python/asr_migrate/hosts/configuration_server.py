"""The configuration server of the classic architecture: a Windows server on which Unified Setup ran.

Source: Site Recovery documentation: prerequisites, services, registration, upgrade, passphrase.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from asr_migrate.domain.errors import AsrMigrateError
from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import (
    server,
    server_findings,
    server_probe,
    server_registration,
    server_setup,
    server_urls,
    windows_changes,
    windows_probe,
)
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.plan import Answer, Change, Exchange, Plan, Reading, blocker
from asr_migrate.hosts.quoting import native
from asr_migrate.hosts.server import ServerFacts
from asr_migrate.hosts.server_want import ConfigurationServerWant
from asr_migrate.hosts.want import TimeService
from asr_migrate.hosts.windows_installer import fetch

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
_SOURCE = "Site Recovery documentation, configuration server"


class Task(Enum):
    """What is done to a server that is not as it is wanted."""

    INSTALL = auto()
    UPGRADE = auto()
    REGISTER = auto()


@dataclass(frozen=True)
class ConfigurationServerFacts:
    """A server's facts and, as far as it was asked for, whether its passphrase could be read.

    ``kept`` says that a registration was taken away and is still to be replaced or put back, ``mysql_5_5`` that the
    old MySQL is installed, for which an upgrade brings another.
    """

    server: ServerFacts
    passphrase_read: bool
    kept: bool = False
    mysql_5_5: bool = False

    @property
    def installed(self) -> bool:
        """Whether setup ran to its end: it registers the server last and leaves all of its services."""
        registered = self.server.registered or self.kept
        return registered and all(name.lower() in self.server.windows.states for name in SERVICES)

    @property
    def begun(self) -> bool:
        """Whether setup ran before and broke off; web server and port 443 are then its own."""
        own = [name for name in SERVICES if name not in ("W3SVC", "MySQL")]
        return not self.installed and any(name.lower() in self.server.windows.states for name in own)

    @property
    def running(self) -> bool:
        """Whether setup runs at this moment, begun by a run that did not see its end."""
        return server_setup.PROGRAM.lower() in self.server.programs

    @property
    def standing(self) -> tuple[str, ...]:
        """The services that do not run."""
        return tuple(name for name in SERVICES if self.server.windows.states.get(name.lower()) != "running")

    @property
    def left(self) -> tuple[str, ...]:
        """Files with secrets that an earlier run left behind."""
        names = {path.rsplit("\\", 1)[1].lower() for path in server_setup.SECRET_FILES}
        return tuple(name for name in self.server.left if name.lower() in names)

    @property
    def restart_owed(self) -> bool:
        """Whether Windows was not restarted since setup was started."""
        note = self.server.notes.get(server_setup.RESTART_NOTE.lower())
        return note is not None and note == (self.server.last_shutdown or "none")


class ConfigurationServer:
    """The profile ``configuration_server``."""

    def __init__(self, want: ConfigurationServerWant) -> None:
        self._want = want
        self._disk = want.install_location[:2].lower()
        self._urls = server_urls.urls("classic", want)
        self.settle_s = 1800.0

    @property
    def secrets(self) -> tuple[str, ...]:
        return server_setup.secrets(self._want)

    def probe(self) -> Exchange:
        disks = () if self._disk == "c:" else (self._disk,)
        lines = server_probe.server(SERVICES, disks, [443]) + server_probe.configuration_server()
        lines += windows_probe.reach(self._want.reach) + server_urls.lines(self._urls, self._want.proxy)
        if self._want.passphrase:
            lines += server_probe.passphrase()
        return text.exchange("probe", lines)

    def read(self, answer: Answer) -> Reading:
        facts, found = server.read(answer, (443,), self._want, self._urls)
        printed = found["passphrase"]
        passphrase = printed.first if printed.exit_codes == (0,) else ""
        kept, mysql_5_5 = (0 in found[name].exit_codes for name in ("kept_registration", "mysql_5_5"))
        seen = ConfigurationServerFacts(facts, bool(passphrase), kept, mysql_5_5)
        return Reading(
            {
                **facts.as_dict(),
                "installed": seen.installed,
                "services_standing": list(seen.standing),
                "restart_owed": seen.restart_owed,
                "antivirus_exclusions": [*server_findings.ANTIVIRUS_EXCLUSIONS, self._want.install_location],
            },
            seen,
            {"passphrase": passphrase} if passphrase else {},
        )

    def plan(self, reading: Reading) -> Plan:
        seen = reading.of(ConfigurationServerFacts)
        findings = server_findings.lasting(seen.server, self._want)
        wanted = self._wanted(seen)
        changes, exchanges = self._small_changes(seen, moves=Task.REGISTER in wanted)
        if wanted and seen.running:
            waited_for = [Change(change.what, "being installed", change.after) for change in wanted.values()]
            return Plan(findings=tuple(findings), changes=(*changes, *waited_for), exchanges=tuple(exchanges))
        if wanted:
            return Plan(
                findings=(*findings, *self._prerequisites(seen)),
                changes=(*changes, *wanted.values()),
                exchanges=(*exchanges, *(made for task in wanted for made in self._exchanges(seen, task))),
                cleanup=server_setup.clean(),
                missing=tuple(error for task in wanted for error in self._missing(task)),
            )
        if seen.restart_owed and self._want.restart:
            changes.append(Change("restart after Unified Setup", "owed", "done"))
            exchanges += [] if seen.running else [_restart()]
        elif seen.standing:
            changes += [
                Change(f"service {name}", seen.server.windows.states.get(name.lower()), "running")
                for name in seen.standing
            ]
            exchanges.append(_start(seen.standing))
        findings += self._passphrase(seen)
        return Plan(findings=tuple(findings), changes=tuple(changes), exchanges=tuple(exchanges))

    def _small_changes(self, seen: ConfigurationServerFacts, *, moves: bool) -> tuple[list[Change], list[Exchange]]:
        changes, exchanges = [], []
        moves = moves and self._want.register_again == "other_vault"
        if seen.kept and not seen.server.registered and not moves:
            changes.append(Change("registration", "taken away by a run that broke off", "put back"))
            exchanges.append(server_registration.put_back())
        if seen.left:
            changes.append(Change("files with secrets of a run that broke off", ", ".join(seen.left), "deleted"))
            exchanges.append(server_setup.clean())
        state = seen.server.windows.time_service
        if self._want.time_service is TimeService.RUNNING and state != "running":
            changes.append(Change("service w32time", state, "running"))
            start = text.section("change service w32time", *text.start_service(windows_probe.TIME_SERVICE))
            exchanges.append(text.exchange("start w32time", start, judge=windows_changes.judge))
        return changes, exchanges

    def _wanted(self, seen: ConfigurationServerFacts) -> dict[Task, Change]:
        """Return what is to be done, in this order, and what it changes; a server may restart after an upgrade."""
        if not seen.installed:
            return {Task.INSTALL: Change("configuration server", "not installed", "installed and registered")}
        made = {}
        key = seen.server.notes.get(server_setup.KEY_NOTE.lower())
        if self._want.register_again != "no" and key != server_setup.key_digest(self._want):
            moves = self._want.register_again == "other_vault"
            before, after = (
                ("another vault", "the vault of the given key") if moves else ("an older key", "the given key")
            )
            made[Task.REGISTER] = Change("registration", before, after)
        installed, wanted = (server_setup.version(word) for word in (seen.server.version, self._want.installer.version))
        if installed and wanted and wanted > installed:
            version = str(self._want.installer.version)
            made[Task.UPGRADE] = Change("configuration server", seen.server.version, version)
        return made

    def _missing(self, task: Task) -> list[AsrMigrateError]:
        if task is Task.REGISTER:
            return server_registration.missing(self._want)
        return server_setup.missing_installer(self._want) if task is Task.UPGRADE else server_setup.missing(self._want)

    def _exchanges(self, seen: ConfigurationServerFacts, task: Task) -> Iterator[Exchange]:
        if task is Task.REGISTER:
            yield server_registration.run(self._want, seen.server.windows.host_name)
            return
        if download := fetch(self._want.installer, server_setup.SETUP_FILE, self._want.proxy):
            yield download
        shutdown = seen.server.last_shutdown
        if task is Task.UPGRADE:
            yield server_setup.upgrade(self._want, shutdown, mysql_5_5=seen.mysql_5_5)
        else:
            yield server_setup.install(self._want, shutdown)

    def _prerequisites(self, seen: ConfigurationServerFacts) -> list[Finding]:
        host = seen.server.windows
        if seen.installed:
            return self._upgrade(seen)
        findings = server_findings.prerequisites(seen.server, self._want, self._disk, self._urls, begun=seen.begun)
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

    def _upgrade(self, seen: ConfigurationServerFacts) -> list[Finding]:
        name = seen.server.windows.host_name
        installed, wanted = (server_setup.version(word) for word in (seen.server.version, self._want.installer.version))
        if not installed or not wanted or wanted <= installed:
            return []
        hops = server_setup.hops(installed, wanted) if wanted[0] == installed[0] else []
        if len(hops) == 1:
            return []
        way = ", then ".join(hops) or "by the documentation of both versions"
        return [
            blocker(
                "configuration-server.upgrade",
                f"{name} runs {seen.server.version}; {self._want.installer.version} is too far for one upgrade, which "
                f"passes at most {server_setup.LONGEST_HOP} versions",
                f"Upgrade to {way}: give each one's installer with its version as asr_appliance.want.installer and run "
                "deploy_appliance.",
                "Site Recovery documentation, upgrade of the configuration server",
            )
        ]

    def _passphrase(self, seen: ConfigurationServerFacts) -> list[Finding]:
        if not self._want.passphrase or seen.passphrase_read or seen.standing:
            return []
        return [
            blocker(
                "configuration-server.passphrase",
                f"the passphrase of {seen.server.windows.host_name} could not be read",
                f"Run {server_probe.GENPASSPHRASE} -v on the server as Administrator to see why.",
                _SOURCE,
            )
        ]


def _start(names: tuple[str, ...]) -> Exchange:
    starts = (
        text.section(f"change service {name}", *text.with_exit_code(f"net start {native(name)}")) for name in names
    )
    return text.exchange("start the services", *starts)


def _restart() -> Exchange:
    return text.exchange("restart Windows", server_setup.RESTART, may_disconnect=True)
