"""The Mobility service installed by hand: its state, and its exit codes and log texts as cause and remedy."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asr_migrate.domain.errors import AsrMigrateError, SetupError
from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts.mobility_want import Installer, Mobility
from asr_migrate.hosts.plan import Change, Exchange, blocker

_SOURCE = "Site Recovery documentation, Mobility service"


@dataclass(frozen=True)
class Known:
    """Why something failed and what to do about it."""

    cause: str
    remedy: str


UNREACHABLE = Known(
    "The configuration server did not answer on TCP 443, or the passphrase is not its passphrase.",
    "Open TCP 443 from this host to the configuration server; run deploy_appliance again, which reads the "
    "passphrase anew.",
)
OTHER_SERVER = Known(
    "The machine's Mobility service is registered with another configuration server.",
    "Stop its replication there and uninstall the Mobility service, or keep the machine out of this wave.",
)
BAD_ARGUMENT = Known(
    "The installer does not know one of its arguments: its version is not the one that was expected.",
    "Give asr_mobility_installers the installer of this operating system and its version.",
)

#: Linux ``install`` and ``UnifiedAgentConfigurator.sh``. Source: Site Recovery documentation and its published scripts.
LINUX_EXIT_CODES: Mapping[int, Known] = {
    1: Known(
        "An installation is already running, or the passphrase file is missing.",
        "Wait for the other one, then run again.",
    ),
    2: Known("The running agent could not be stopped.", "Stop vxagent on the host, then run again."),
    3: Known("The address of the configuration server is not valid.", "Correct asr_landing_zone.appliance.address."),
    11: Known(
        "This version cannot be upgraded to the new one.", "Uninstall the Mobility service first, then run again."
    ),
    15: Known("A newer version is already installed.", "Give the installer of the installed version or a newer one."),
    13: OTHER_SERVER,
    14: UNREACHABLE,
    44: Known("The agent's service vxagent does not start.", "See /var/log/ua_install.log on the host."),
    56: Known(
        "The installation directory goes through a symbolic link.", "Choose an installation directory without links."
    ),
    76: Known(
        "The agent was installed for Azure and cannot change its platform.",
        "Uninstall the Mobility service, then run again.",
    ),
    93: Known(
        "The package is not complete: Third-Party_Notices.txt is missing.",
        "Download the installer again and check its sha256.",
    ),
    95: Known(
        "The package holds no rpm for this system.", "Give the installer that is made for this operating system."
    ),
    96: BAD_ARGUMENT,
    97: Known("The installation failed.", "See /var/log/InstallerErrors.json on the host."),
    98: Known(
        "The role was not accepted, or an upgrade wants a reboot.",
        "Reboot the host in its next window, then run again.",
    ),
    99: Known("A prerequisite of the Mobility service is not met.", "See /var/log/InstallerErrors.json on the host."),
    110: Known("A certificate could not be made.", "Check that the host's clock and its openssl work."),
    118: Known(
        "Another protected machine has the same BIOS id: the host is a clone.", "Give the host an id of its own first."
    ),
    119: Known(
        "The installer does not run as root, or the registration was refused.", "Let the connecting user use sudo."
    ),
    149: Known(
        "The package is not made for this operating system.",
        "Give the installer that is made for this operating system.",
    ),
    159: Known("The package could not be installed.", "Check the rpm or dpkg database and the free space of the host."),
    208: Known(
        "The running kernel is not supported by this version.", "Use a newer installer, or boot a supported kernel."
    ),
}

#: Windows ``UnifiedAgent.exe`` and its configurator; Microsoft publishes no full list.
WINDOWS_EXIT_CODES: Mapping[int, Known] = {2: BAD_ARGUMENT}

#: Texts of the installers' logs, tried in order.
LOG_TEXTS: tuple[tuple[str, Known], ...] = (
    (
        r"passphrase.{0,80}(invalid|incorrect|mismatch|wrong|not match)|(invalid|incorrect|wrong).{0,40}passphrase",
        Known(
            "The configuration server refused the passphrase.",
            "Run deploy_appliance again: it reads the configuration server's passphrase anew.",
        ),
    ),
    (
        r"post request: \(7\)|could ?n.t connect|unreachable|timed out",
        Known(
            "The configuration server did not answer on TCP 443.",
            "Open TCP 443 from this host to the configuration server in its EC2 security group and its firewall.",
        ),
    ),
    (
        r"post request: \(35\)|SSL connect",
        Known(
            "A proxy stands between the host and the configuration server.",
            "Exclude the configuration server's address from the host's proxy.",
        ),
    ),
    (
        r"post request: \(60\)|peer certificate",
        Known(
            "The configuration server's certificate was not accepted: its name, its age or the host's clock is wrong.",
            "Set the host's clock; renew the certificate with RenewCerts on the configuration server when it has "
            "expired.",
        ),
    ),
    (r"already registered|registered with another", OTHER_SERVER),
    (
        r"clock|time skew|ACS50008",
        Known("The clocks differ too much.", "Set the clocks of host and configuration server."),
    ),
    (
        r"KB4474419|KB4490628|SHA-?2",
        Known(
            "Windows Server 2008 R2 lacks the servicing stack update or the SHA-2 update.",
            "Install KB4490628 and KB4474419, reboot, then run again.",
        ),
    ),
)


@dataclass(frozen=True)
class MobilityState:
    """What the host says of its Mobility service; ``server`` is the address it is registered with."""

    installed: bool
    configured: bool
    running: bool
    server: str | None

    def as_dict(self) -> dict[str, Any]:
        """Return the state for a result."""
        return {
            "installed": self.installed,
            "registered": self.configured,
            "running": self.running,
            "server": self.server,
        }

    @property
    def ready(self) -> bool:
        """Whether nothing is left to do: installed, registered with some server, and running."""
        return self.installed and self.configured and self.running

    @property
    def words(self) -> str:
        """The state in a few words, for a change."""
        if not self.installed:
            return "not installed"
        if not self.configured:
            return "installed, not registered"
        return f"registered with {self.server}" + ("" if self.running else ", service not running")


def explain(step: str, exit_code: int | None, codes: Mapping[int, Known], said: str, log: str) -> SetupError:
    """Return the error for a step ("install", "register") that ended with ``exit_code``.

    What the step ``said`` tells the reason best, then the exit code, then its log, which may hold older attempts.
    """
    known = reason(said, LOG_TEXTS) or codes.get(exit_code or 0) or reason(log, LOG_TEXTS)
    known = known or Known("The installer gives no known reason.", "Read the installer's log on the host.")
    return SetupError(
        f"the Mobility service: {step} failed with exit code {'unknown' if exit_code is None else exit_code}"
        f"{last_words(said) or last_words(log)}",
        code="MobilityServiceFailed",
        cause=known.cause,
        remedy=known.remedy,
    )


def reason(text: str, known: Sequence[tuple[str, Known]]) -> Known | None:
    """Return the reason whose pattern matches last in ``text``: logs grow, and only their end is about this attempt."""
    ends = [
        (max(match.end() for match in matches), -place, why)
        for place, (pattern, why) in enumerate(known)
        if (matches := list(re.finditer(pattern, text, re.IGNORECASE)))
    ]
    return max(ends, key=lambda end: end[:2])[2] if ends else None


def last_words(text: str) -> str:
    """Return the last line of a text that tells of a failure, to be put behind a message; empty when there is none."""
    telling = [line for line in text.splitlines() if re.search(r"error|fail|refus|denied|exception", line, re.I)]
    return f": {telling[-1].strip().rstrip('.')[:300]}" if telling else ""


def missing(wanted: Mobility) -> list[AsrMigrateError]:
    """Return an error for every input that an installation by hand needs and that was not given."""
    found: list[AsrMigrateError] = []
    if not wanted.passphrase.get_secret_value():
        found.append(
            SetupError(
                "the Mobility service cannot be installed by hand without the configuration server's passphrase",
                code="PassphraseMissing",
                cause="No passphrase was given, or its file on the controller is not there.",
                remedy="Run deploy_appliance first: it keeps the passphrase in asr_passphrase_file.",
            )
        )
    return found + ([error] if (error := wanted.installer.problem) else [])


def registration_findings(name: str, server: str | None, wanted: Mobility) -> list[Finding]:
    """Return a blocker when the agent is registered with a server that is not the wanted one."""
    if not server or server.lower() == (wanted.appliance_address or "").lower():
        return []
    text = f"the Mobility service of {name} is registered with {server}, not with {wanted.appliance_address}"
    return [blocker("mobility.other-server", text, OTHER_SERVER.remedy, _SOURCE)]


def wrong_digest(installer: Installer, digest: str) -> SetupError | None:
    """Return the error when a file's SHA-256 is not the one that was given; None when it is, or none was given."""
    if not installer.sha256 or digest == installer.sha256.lower():
        return None
    return SetupError(
        f"{installer.place} has the SHA-256 {digest}, not {installer.sha256.lower()}",
        code="DownloadNotTrusted",
        cause="The file changed, or something on the way replaced it.",
        remedy="Compare with the publisher's checksum; correct sha256 only when the new file is the right one.",
    )


class ByHand(ABC):
    """Installs and registers the Mobility service when the user wants that done by hand; a system gives the steps."""

    def __init__(self, wanted: Mobility) -> None:
        self._wanted = wanted

    @property
    def secrets(self) -> tuple[str, ...]:
        """The passphrase."""
        return (self._wanted.passphrase.get_secret_value(),)

    def findings(self, name: str, state: MobilityState) -> list[Finding]:
        """Return what forbids the installation."""
        if not self._wanted.wanted or not state.configured:
            return []
        return registration_findings(name, state.server, self._wanted)

    def steps(self, state: MobilityState) -> tuple[list[Change], list[Exchange]]:
        """Return the change and its round trips; none when the service is installed, registered and running."""
        if not self._wanted.wanted or state.ready:
            return [], []
        change = Change("Mobility service", state.words, f"registered with {self._wanted.appliance_address}")
        delivery = None if state.installed else self._deliver()
        return [change], [*([delivery] if delivery else []), self._install(state)]

    def missing(self) -> tuple[AsrMigrateError, ...]:
        """Return the inputs that were not given, or cannot be used on this system."""
        return tuple(missing(self._wanted))

    @abstractmethod
    def cleanup(self) -> Exchange:
        """Return the deletion of the passphrase file, for a run that broke off."""

    @abstractmethod
    def _deliver(self) -> Exchange | None:
        """Return the round trip that brings the installer to the host; None when it is there."""

    @abstractmethod
    def _install(self, state: MobilityState) -> Exchange:
        """Return the round trip that installs, registers or starts the service, whichever is left to do."""
