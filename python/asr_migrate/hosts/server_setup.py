"""Unified Setup: its files and its command lines, for an installation and for an upgrade.

Source: Site Recovery documentation, configuration server: command line, file formats, upgrade; Microsoft's published
setup sources for what an upgrade's command line may hold.
"""

from __future__ import annotations

import hashlib
import re

from asr_migrate.domain.errors import AsrMigrateError, InputError
from asr_migrate.hosts import server_passwords, server_probe
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.plan import Exchange
from asr_migrate.hosts.server_setup_codes import RESTART_WANTED, SUCCESSES, explain
from asr_migrate.hosts.server_want import ConfigurationServerWant, Proxy
from asr_migrate.hosts.windows_installer import file_for_windows, judge_installation

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
#: Versions that Unified Setup can skip at most: N-4 (Site Recovery documentation, upgrade).
LONGEST_HOP = 4
#: A line of the vault credentials that is not longer holds no key, only an XML tag.
SHORTEST_SECRET_LINE = 20


def secrets(want: ConfigurationServerWant) -> tuple[str, ...]:
    """Return the texts that must appear in no message."""
    lines = want.vault_credentials.get_secret_value().splitlines()
    passwords = [want.mysql_root_password, want.mysql_user_password]
    passwords += [want.proxy.password] if want.proxy else []
    return (
        *(password.get_secret_value() for password in passwords),
        *(line.strip() for line in lines if len(line.strip()) > SHORTEST_SECRET_LINE),
        *want.installer.secrets,
    )


def key_digest(want: ConfigurationServerWant) -> str:
    """Return what tells one registration key from another without telling the key."""
    return hashlib.sha256(want.vault_credentials.get_secret_value().encode()).hexdigest()


def missing(want: ConfigurationServerWant) -> list[AsrMigrateError]:
    """Return an error for each input without which nothing can be installed, never with its value."""
    found: list[AsrMigrateError] = []
    for name in ("mysql_root_password", "mysql_user_password", "vault_credentials"):
        if problem := _problem(name, getattr(want, name).get_secret_value()):
            rule = f" of {server_passwords.RULE}" if name.startswith("mysql") else ""
            found.append(InputError(f"want {name}", None, problem, remedy=f"Give a {name}{rule}."))
    if want.proxy:
        for name, word in (("user", want.proxy.user or ""), ("password", want.proxy.password.get_secret_value())):
            if '"' in word or not word.isprintable() or not word.isascii():
                problem = "must be plain ASCII without double quotes"
                found.append(InputError(f"want proxy.{name}", None, problem, remedy=f"Give another proxy {name}."))
    return found + missing_installer(want)


def missing_installer(want: ConfigurationServerWant) -> list[AsrMigrateError]:
    """Return an error for each input without which Unified Setup cannot be got, which is all that an upgrade needs."""
    return [error for error in (want.installer.problem, file_for_windows(want.installer)) if error]


def _problem(name: str, secret: str) -> str | None:
    """Return what is wrong with a secret that is written to a file, without the secret; None when it is fit."""
    if not secret:
        return "is needed to install the configuration server"
    if name.startswith("mysql"):
        return server_passwords.password_problem(secret)
    return None if secret.isascii() else "must be plain ASCII, which is what setup's files are read as"


def mysql_file(want: ConfigurationServerWant) -> bytes:
    """Return the file of MySQL's passwords."""
    rows = (
        "[MySQLCredentials]",
        f'MySQLRootPassword = "{want.mysql_root_password.get_secret_value()}"',
        f'MySQLUserPassword = "{want.mysql_user_password.get_secret_value()}"',
    )
    return "".join(f"{row}\r\n" for row in rows).encode()


def proxy_file(want: ConfigurationServerWant) -> bytes | None:
    """Return the file of the proxy's settings in the form that was asked for, or None without a proxy."""
    proxy = want.proxy
    if proxy is None:
        return None
    rows = (
        "[ProxySettings]",
        f'ProxyAuthentication = "{"Yes" if proxy.user else "No"}"',
        _address_row(proxy),
        f'ProxyPort = "{proxy.port}"',
        f'ProxyUserName="{proxy.user or ""}"',
        f'ProxyPassword="{proxy.password.get_secret_value()}"',
    )
    return "".join(f"{row}\r\n" for row in rows).encode()


def _address_row(proxy: Proxy) -> str:
    """Return the line that holds the address: the documented key has a blank in it, the published one a URL."""
    if proxy.file_form == "documented":
        return f'Proxy IP = "{proxy.address}"'
    return f'ProxyIP = "http://{proxy.address}"'


def arguments(want: ConfigurationServerWant) -> list[str]:
    """Return the command line of an installation; it holds names of files with secrets, no secrets."""
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


def install(want: ConfigurationServerWant, last_shutdown: str) -> Exchange:
    """Return the round trip that writes the files, runs setup and deletes the files again.

    It leaves two notes before setup runs: ``last_shutdown``, by which a later look knows whether the restart that ends
    setup is still owed, and the digest of the key. When setup succeeds the server restarts by itself, also when nobody
    listens any more.
    """
    files = {MYSQL_FILE: mysql_file(want), VAULT_FILE: vault_file(want)}
    proxy = proxy_file(want)
    if proxy:
        files[PROXY_FILE] = proxy
    return _setup(
        want,
        [
            text.delete_files(*SECRET_FILES),
            server_probe.note(RESTART_NOTE, last_shutdown or "none"),
            server_probe.note(KEY_NOTE, key_digest(want)),
            *(text.write_content(path, index) for index, path in enumerate(files)),
        ],
        arguments(want),
        [
            text.delete_files(*SECRET_FILES),
            *(f"if ($done -eq {code}) {{ {RESTART} }}" for code in SUCCESSES if want.restart),
        ],
        contents=list(files.values()),
    )


def vault_file(want: ConfigurationServerWant) -> bytes:
    """Return the file of the registration key."""
    return want.vault_credentials.get_secret_value().encode() + b"\r\n"


def upgrade(want: ConfigurationServerWant, last_shutdown: str, *, mysql_5_5: bool) -> Exchange:
    """Return the round trip that runs a newer setup over what is installed.

    Setup then refuses every other argument; only where it has to put another MySQL in the place of ``mysql_5_5`` it
    wants the licence accepted (published setup sources). The server restarts when setup asks for it; the note of the
    restart is taken back when it does not.
    """
    return _setup(
        want,
        [server_probe.note(RESTART_NOTE, last_shutdown or "none")],
        ["/Upgrade", *(["/AcceptThirdpartyEULA"] if mysql_5_5 else [])],
        [
            f"if ($done -eq 0) {{ {text.reg_delete(server_probe.NOTES, RESTART_NOTE)} }}",
            *([f"if ($done -eq {RESTART_WANTED}) {{ {RESTART} }}"] if want.restart else []),
        ],
    )


def _setup(
    want: ConfigurationServerWant,
    before: list[str],
    arguments: list[str],
    after: list[str],
    *,
    contents: list[bytes] | None = None,
) -> Exchange:
    """Return the round trip that unpacks and runs Unified Setup; ``after`` can look at its exit code as ``$done``."""
    return text.exchange(
        "run Unified Setup",
        text.make_private_directory(text.WORK_DIRECTORY),
        text.section("extract", *text.run(want.installer.path or SETUP_FILE, "/q", f"/x:{EXTRACTED}")),
        before,
        text.section("install", *text.run(f"{EXTRACTED}\\{PROGRAM}", *arguments)),
        "$done = $LASTEXITCODE",
        after,
        contents=contents or [],
        judge=judge_installation,
        logs=read_logs(),
        explain=explain,
        may_disconnect=True,
    )


def read_logs() -> Exchange:
    """Return the round trip that prints the logs of setup and of the registration."""
    return text.exchange("read the logs", text.section("log", *(text.print_files(pattern) for pattern in LOGS)))


def clean() -> Exchange:
    """Return the round trip that deletes the files with secrets."""
    return text.exchange("clean up", text.delete_files(*SECRET_FILES))


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
