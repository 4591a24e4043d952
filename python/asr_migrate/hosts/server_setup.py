"""Unified Setup: its files, its command line, and what its logs tell.

Source: Site Recovery documentation, configuration server: command line, file formats, logs, upgrade.
"""

from __future__ import annotations

import hashlib
import re

from asr_migrate.domain.errors import AsrMigrateError, InputError, SetupError
from asr_migrate.hosts import server_probe
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.mobility_codes import Known, last_words, reason
from asr_migrate.hosts.plan import Exchange
from asr_migrate.hosts.server_findings import CLOCK_REMEDY
from asr_migrate.hosts.server_want import ConfigurationServerWant
from asr_migrate.hosts.windows_installer import StepError, file_for_windows, judge_installation

SETUP_FILE = text.WORK_DIRECTORY + "\\UnifiedSetup.exe"
EXTRACTED = text.WORK_DIRECTORY + "\\setup"
MYSQL_FILE = text.WORK_DIRECTORY + "\\MySQLCredentials.txt"
VAULT_FILE = text.WORK_DIRECTORY + "\\Vault.VaultCredentials"
PROXY_FILE = text.WORK_DIRECTORY + "\\ProxySettings.txt"
SECRET_FILES = (MYSQL_FILE, VAULT_FILE, PROXY_FILE)
PROGRAM = "UNIFIEDSETUP.EXE"
LOGS = ("C:\\ProgramData\\ASRSetupLogs\\*", "C:\\ProgramData\\ASRLogs\\*")

#: Our notes on the server: the shutdown that came last before setup, and the digest of the key it was given.
RESTART_NOTE, KEY_NOTE = "RestartAfterSetup", "RegisteredWithKey"
RESTART = "shutdown /r /t 5 /d p:4:2"
#: Exit codes of success, the second with the wish for a restart (Windows Installer documentation).
SUCCESSES = (0, 3010)
#: Versions that Unified Setup can skip at most: N-4 (Site Recovery documentation, upgrade).
LONGEST_HOP = 4
#: A line of the vault credentials that is not longer holds no key, only an XML tag.
SHORTEST_SECRET_LINE = 20

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
        r"upgrade[^\n]{0,80}not supported|unsupported[^\n]{0,40}upgrade",
        Known(
            "The installed version is too old for this Unified Setup, which upgrades over at most four versions.",
            "Upgrade in steps of at most four versions (asr_appliance.want.installer).",
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


def secrets(want: ConfigurationServerWant) -> tuple[str, ...]:
    """Return the texts that must appear in no message."""
    lines = want.vault_credentials.get_secret_value().splitlines()
    passwords = [want.mysql_root_password, want.mysql_user_password]
    passwords += [want.proxy.password] if want.proxy else []
    return (
        *(password.get_secret_value() for password in passwords),
        *(line.strip() for line in lines if len(line.strip()) > SHORTEST_SECRET_LINE),
    )


def key_digest(want: ConfigurationServerWant) -> str:
    """Return what tells one registration key from another without telling the key."""
    return hashlib.sha256(want.vault_credentials.get_secret_value().encode()).hexdigest()


def missing(want: ConfigurationServerWant) -> list[AsrMigrateError]:
    """Return an error for each input without which setup cannot run, never with its value."""
    found: list[AsrMigrateError] = []
    for name in ("mysql_root_password", "mysql_user_password", "vault_credentials"):
        if problem := _problem(name, getattr(want, name).get_secret_value()):
            found.append(InputError(f"want {name}", None, problem, remedy=f"Give another {name}."))
    if want.proxy:
        for name, word in (("user", want.proxy.user or ""), ("password", want.proxy.password.get_secret_value())):
            if '"' in word or not word.isprintable() or not word.isascii():
                problem = "must be plain ASCII without double quotes"
                found.append(InputError(f"want proxy.{name}", None, problem, remedy=f"Give another proxy {name}."))
    for error in (want.installer.problem, file_for_windows(want.installer)):
        if error:
            found.append(error)
    return found


def _problem(name: str, secret: str) -> str | None:
    """Return what is wrong with a secret that is written to a file, without the secret; None when it is fit."""
    if not secret:
        return "is needed to install the configuration server"
    if not secret.isascii():
        return "must be plain ASCII, which is what setup's files are read as"
    if name.startswith("mysql") and ('"' in secret or any(ord(character) < 32 for character in secret)):
        return "must hold no double quote and no line break"
    return None


def mysql_file(want: ConfigurationServerWant) -> bytes:
    """Return the file of MySQL's passwords."""
    rows = (
        "[MySQLCredentials]",
        f'MySQLRootPassword = "{want.mysql_root_password.get_secret_value()}"',
        f'MySQLUserPassword = "{want.mysql_user_password.get_secret_value()}"',
    )
    return "".join(f"{row}\r\n" for row in rows).encode()


def proxy_file(want: ConfigurationServerWant) -> bytes | None:
    """Return the file of the proxy's settings, or None without a proxy; one of the keys has a blank in it."""
    proxy = want.proxy
    if proxy is None:
        return None
    rows = (
        "[ProxySettings]",
        f'ProxyAuthentication = "{"Yes" if proxy.user else "No"}"',
        f'Proxy IP = "{proxy.address}"',
        f'ProxyPort = "{proxy.port}"',
        f'ProxyUserName="{proxy.user or ""}"',
        f'ProxyPassword="{proxy.password.get_secret_value()}"',
    )
    return "".join(f"{row}\r\n" for row in rows).encode()


def arguments(want: ConfigurationServerWant) -> list[str]:
    """Return the command line of UNIFIEDSETUP.EXE; it holds names of files with secrets, no secrets."""
    made = ["/AcceptThirdpartyEULA", "/servermode", "CS", "/InstallLocation", want.install_location]
    made += ["/MySQLCredsFilePath", MYSQL_FILE, "/VaultCredsFilePath", VAULT_FILE, "/EnvType", "NonVMWare"]
    if want.address:
        made += ["/PSIP", want.address, "/CSIP", want.address]
    if want.proxy:
        made += ["/ProxySettingsFilePath", PROXY_FILE]
    elif want.bypass_proxy:
        made.append("/BypassProxy")
    if want.skip_space_check:
        made.append("/SkipSpaceCheck")
    return made


def run(want: ConfigurationServerWant, last_shutdown: str) -> Exchange:
    """Return the round trip that writes the files, runs setup and deletes the files again.

    It leaves two notes before setup runs: ``last_shutdown``, by which a later look knows whether the restart that ends
    setup is still owed, and the digest of the key. When setup succeeds the server restarts by itself, also when nobody
    listens any more.
    """
    files = {MYSQL_FILE: mysql_file(want), VAULT_FILE: want.vault_credentials.get_secret_value().encode() + b"\r\n"}
    proxy = proxy_file(want)
    if proxy:
        files[PROXY_FILE] = proxy
    return text.exchange(
        "run Unified Setup",
        text.make_private_directory(text.WORK_DIRECTORY),
        text.delete_files(*SECRET_FILES),
        server_probe.note(RESTART_NOTE, last_shutdown or "none"),
        server_probe.note(KEY_NOTE, key_digest(want)),
        text.section("extract", *text.run(want.installer.path or SETUP_FILE, "/q", f"/x:{EXTRACTED}")),
        (text.write_content(path, index) for index, path in enumerate(files)),
        text.section("install", *text.run(f"{EXTRACTED}\\{PROGRAM}", *arguments(want))),
        "$done = $LASTEXITCODE",
        text.delete_files(*SECRET_FILES),
        (f"if ($done -eq {code}) {{ {RESTART} }}" for code in SUCCESSES if want.restart),
        contents=list(files.values()),
        judge=judge_installation,
        logs=text.exchange("read the logs", text.section("log", *(text.print_files(pattern) for pattern in LOGS))),
        explain=explain,
        may_disconnect=True,
    )


def clean() -> Exchange:
    """Return the round trip that deletes the files with secrets."""
    return text.exchange("clean up", text.delete_files(*SECRET_FILES))


def explain(error: AsrMigrateError, log: str) -> AsrMigrateError:
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


def version(word: str | None) -> tuple[int, int] | None:
    """Return the first two numbers of a version, which is what Site Recovery counts; None when there are none."""
    found = re.match(r"(\d+)\.(\d+)", word or "")
    return (int(found.group(1)), int(found.group(2))) if found else None


def hops(installed: tuple[int, int], wanted: tuple[int, int]) -> list[str]:
    """Return the versions to pass from one to the other, the last included, in steps of at most four."""
    made, at = [], installed[1]
    while at < wanted[1]:
        at = min(at + LONGEST_HOP, wanted[1])
        made.append(f"{wanted[0]}.{at}")
    return made
