"""The few kinds of command that are sent to a Windows host, as text for PowerShell 2 or newer.

A text is a list of lines. Lines that print are put into sections, each begun by a marker line ``@@ name``. Texts travel
as ``PowerShell -EncodedCommand`` through cmd.exe, whose command line ends at 8191 characters ("Command line string
limitation", Windows documentation), so a text may have at most ``MAX_TEXT`` characters.
"""

import base64
from collections.abc import Iterable

from asr_migrate.hosts.quoting import cmd_path, native, powershell

#: The exact words before the encoded text; Ansible's connection plugins recognise a text that is already encoded by
#: them.
COMMAND_PREFIX = "PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand "
#: Two bytes a character, four characters of base64 for three bytes.
MAX_TEXT = (8191 - len(COMMAND_PREFIX) - 8) // 4 * 3 // 2

#: Directory of ours on the host; only administrators may read it.
WORK_DIRECTORY = "C:\\ProgramData\\asr-migrate"

UTC_NOW = "[DateTime]::UtcNow.ToString('o')"


def encoded(text: str) -> str:
    """Return the command line that runs ``text``; ValueError when it is too long for cmd.exe (a mistake of ours)."""
    if len(text) > MAX_TEXT:
        raise ValueError(f"a Windows text has {len(text)} characters, more than the {MAX_TEXT} that fit a command line")
    return COMMAND_PREFIX + base64.b64encode(text.encode("utf-16-le")).decode("ascii")


def lines(*parts: str | Iterable[str]) -> str:
    """Join lines and groups of lines to one text."""
    joined: list[str] = []
    for part in parts:
        joined.extend([part] if isinstance(part, str) else part)
    return "\n".join(joined)


def section(name: str, *commands: str) -> list[str]:
    """Return the marker of a section and the commands that print into it."""
    return [f"echo '@@ {name}'", *commands]


def with_exit_code(command: str) -> list[str]:
    """Return a native command and the line ``@@rc N`` that tells its exit code."""
    return [command, 'echo "@@rc $LASTEXITCODE"']


def reg_query(key: str, value: str | None = None) -> str:
    """Read the values of a registry key (and the names of its subkeys), or one value."""
    return f"reg query {native(key)}" + (f" /v {native(value)}" if value else "")


def reg_add_dword(key: str, name: str, number: int) -> str:
    """Set a DWORD in the registry."""
    return f"reg add {native(key)} /v {native(name)} /t REG_DWORD /d {number} /f"


def service_state(*names: str) -> list[str]:
    """Ask for the state of services; one that is not installed answers with an error line only."""
    return [f"sc.exe query {native(name)}" for name in names]


def start_service(name: str) -> list[str]:
    """Have a service start with Windows and start it now."""
    return [*with_exit_code(f"sc.exe config {native(name)} start= auto"), *with_exit_code(f"net start {native(name)}")]


def enable_firewall_group(group: str) -> str:
    """Allow every rule of a built-in group, by the number of its name so that the display language does not matter."""
    return f"netsh advfirewall firewall set rule {native('group=@FirewallAPI.dll,' + group)} new enable=yes"


def connect(address: str, port: int) -> str:
    """Print ``open`` or ``closed`` for a TCP port as seen from the host."""
    return (
        f"$c = New-Object Net.Sockets.TcpClient; try {{ $c.Connect({powershell(address)}, {port}); echo 'open' }} "
        "catch { echo 'closed' }; $c.Close()"
    )


def make_private_directory(path: str) -> list[str]:
    """Make a directory that only SYSTEM and Administrators may use (well-known SIDs S-1-5-18, S-1-5-32-544)."""
    plain = cmd_path(path)
    return [
        f"cmd /c 'mkdir {plain}'",
        f"cmd /c 'icacls {plain} /inheritance:r /grant *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F'",
    ]


def delete_files(*paths: str) -> str:
    """Delete files; one that is not there is no error."""
    return f"cmd /c 'del /f /q {' '.join(cmd_path(path) for path in paths)}'"


def print_files(pattern: str) -> str:
    """Print text files; ``*`` in the last part is a wildcard."""
    return f"cmd /c 'type {cmd_path(pattern)}'"


def write_from_stdin(path: str) -> str:
    """Write the lines of standard input to a file."""
    return f"[IO.File]::WriteAllLines({powershell(path)}, @($input))"


def download(url: str, path: str) -> list[str]:
    """Fetch a URL to a file, with TLS 1.2 (3072) where the host's .NET would not choose it by itself."""
    return [
        "[Net.ServicePointManager]::SecurityProtocol = 3072",
        f"(New-Object Net.WebClient).DownloadFile({powershell(url)},{powershell(path)})",
    ]


def unzip(archive: str, directory: str) -> list[str]:
    """Unpack a zip archive with the tar that Windows ships since Server 2019."""
    return with_exit_code(f"tar.exe -xf {native(archive)} -C {native(directory)}")


def sha256(path: str) -> str:
    """Print the SHA-256 of a file."""
    return f"certutil -hashfile {native(path)} SHA256"


def run(program: str, *arguments: str) -> list[str]:
    """Run a program of the host to its end and tell its exit code."""
    words = " ".join(part for part in (powershell(program), native(*arguments)) if part)
    return with_exit_code(f"& {words} | Out-String")
