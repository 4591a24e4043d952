"""What Unified Setup's exit codes and logs tell, each with a remedy.

Source: Microsoft's published setup sources (the list of return values) for the exit codes; Site Recovery documentation,
configuration server, troubleshooting, for the logs.
"""

from __future__ import annotations

from collections.abc import Mapping

from asr_migrate.domain.errors import AsrMigrateError, SetupError
from asr_migrate.hosts.mobility_codes import Known, last_words, reason
from asr_migrate.hosts.server_findings import CLOCK_REMEDY
from asr_migrate.hosts.windows_installer import StepError
from asr_migrate.hosts.windows_text import NOT_STARTED

#: Exit codes of success, the second with the wish for a restart.
SUCCESSES = (0, 3010)
RESTART_WANTED = 3010
_REGISTER = "Run deploy_appliance again: setup goes on with the registration. "
_LOGS = "Read C:\\ProgramData\\ASRSetupLogs on the server"

EXIT_CODES: dict[int, Known] = {
    2: Known(
        "Unified Setup did not take its command line or one of its files.",
        f"{_LOGS} for the argument it names; the install location must be on a data drive with 600 GB free. With "
        "asr_appliance.proxy, give the other proxy.file_form.",
    ),
    4: Known("A prerequisite of the configuration server is not met.", f"{_LOGS}, correct what it names, run again."),
    101: Known(
        "The Site Recovery provider could not be installed.",
        f"{_LOGS} and C:\\ProgramData\\ASRLogs, restart the server, then run deploy_appliance again.",
    ),
    102: Known(
        "A service did not start at the end of setup.",
        "Start the services that the message names in services.msc, then run deploy_appliance again.",
    ),
    103: Known(
        "The server was not registered with the vault.",
        _REGISTER + "C:\\ProgramData\\ASRLogs\\DRASetupWizard.log tells what the vault refused.",
    ),
    111: Known(
        "The Recovery Services agent could not be installed.",
        f"{_LOGS}, uninstall an older Microsoft Azure Recovery Services Agent, then run again.",
    ),
    112: Known(
        "The server could not register its certificate with the vault (container registration).",
        _REGISTER + "Open TCP 443 to the Site Recovery URLs, through asr_appliance.proxy if there is one.",
    ),
    113: Known(
        "The master target of the server was not registered.",
        _REGISTER + "Check that svagents runs and that nothing holds ports 443 and 9443.",
    ),
    115: Known(
        "The proxy of the Recovery Services agent could not be set.",
        "Check asr_appliance.proxy; as administrator on the server: Set-OBMachineSetting -ProxyServer http://<address> "
        "-ProxyPort <port>, then restart obengine and run deploy_appliance again.",
    ),
    116: Known("The configuration manager could not be installed.", f"{_LOGS}, then run deploy_appliance again."),
    201: Known(
        "Everything that Unified Setup installs is on the server already.",
        "Run deploy_appliance again; for an upgrade give the newer installer with its version "
        "(asr_appliance.want.installer).",
    ),
    203: Known(
        "This Unified Setup cannot upgrade the installed version: it is as new or newer, or too old.",
        "Give an installer that is at most four versions newer (asr_appliance.want.installer, with its version).",
    ),
    NOT_STARTED: Known(
        "The program is not there or cannot start; the file is no Unified Setup, or was not unpacked.",
        "Check asr_appliance.want.installer and the antivirus program on the server.",
    ),
}

#: Texts of setup's logs, tried in order.
LOG_TEXTS: tuple[tuple[str, Known], ...] = (
    (
        r"ACS50008|time skew|clock",
        Known(
            "The server's clock differs too much from the real time, so Azure does not accept its token (ACS50008).",
            CLOCK_REMEDY,
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
        r"already installed on this server[^\n]{0,40}/Upgrade",
        EXIT_CODES[201],
    ),
    (
        r"upgrade[^\n]{0,80}not supported|unsupported[^\n]{0,40}upgrade",
        Known(
            "The installed version is too old for this Unified Setup, which upgrades over at most four versions.",
            "Upgrade in steps of at most four versions (asr_appliance.want.installer).",
        ),
    ),
    (
        r"(proxy settings file[^\n]{0,200}(does not exist|not valid)|/ProxySettingsFilePath: the file)[^\n]*",
        Known(
            "Unified Setup did not take the file of proxy settings, whose form differs between its versions.",
            "Give the other asr_appliance.proxy.file_form (documented or published_source), then run again.",
        ),
    ),
    (
        r"proxy[^\n]{0,120}(407|authentication|refused|unreachable|not reach)",
        Known(
            "The proxy did not let the server through.",
            "Check asr_appliance.want.proxy (address, port, user, password); HTTPS proxies are not supported.",
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


def explain(error: AsrMigrateError, log: str) -> AsrMigrateError:
    """Return the failure of setup with the cause that it, its logs or else its exit code tell."""
    return explained("Unified Setup", "UnifiedSetupFailed", error, log, EXIT_CODES)


def explained(
    program: str, code: str, error: AsrMigrateError, log: str, exit_codes: Mapping[int, Known]
) -> AsrMigrateError:
    """Return the failure of a step of one of setup's programs, with cause and remedy; other errors as they are.

    A log may hold older attempts, so it tells less than what the program said just now.
    """
    if not isinstance(error, StepError):
        return error
    known = reason(error.said, LOG_TEXTS) or reason(log, LOG_TEXTS) or exit_codes.get(error.exit_code or 0)
    known = known or Known("It gives no known reason.", f"{_LOGS}, and C:\\ProgramData\\ASRLogs.")
    return SetupError(
        f"{program}: {error.step} failed with exit code {error.exit_code}{last_words(error.said) or last_words(log)}",
        code=code,
        cause=known.cause,
        remedy=known.remedy,
    )
