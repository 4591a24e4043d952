"""The few kinds of command that are sent to a Windows host, as text for PowerShell 2 or newer.

A text is a list of lines. Lines that print are put into sections, each begun by a marker line ``@@ name``. Texts travel
on standard input, so that they have no limit of length and stand in no list of processes; the command line is always
the same short one, ``BOOTSTRAP``. A text should be ASCII: how other characters arrive depends on the host's code page.

Contents of files, which may be secrets, travel after the text and are no part of it, because PowerShell may log the
texts that it runs (script block logging, about_Logging_Windows).
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from asr_migrate.hosts.plan import Exchange
from asr_migrate.hosts.quoting import cmd_path, native, powershell

#: The exact words before the encoded text; Ansible's connection plugins recognise a text that is already encoded by
#: them.
COMMAND_PREFIX = "PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand "
#: Runs the text that comes on standard input: a line with the number of its lines, these, and then contents that they
#: name as ``$lines[-1]``, ``$lines[-2]``, ... ``$input`` is the same in every version and connection of PowerShell.
BOOTSTRAP = '$lines = @($input); Invoke-Expression ($lines[1..$lines[0]] -join "`n")'

#: Directory of ours on the host; only administrators may read it. Ordinary users may make nothing in the directory of
#: Windows, so that none can have made it before us and kept rights in it, as they could below C:\ProgramData.
WORK_DIRECTORY = "C:\\Windows\\asr-migrate"

TELL_EXIT_CODE = 'echo "@@rc $LASTEXITCODE"'

#: How long to wait for an answer to a connection, in milliseconds; Windows itself would try for 21 seconds.
CONNECT_MS = 5000

#: The exit code that ``run`` tells for a program that is missing or cannot start; cmd.exe tells it for an unknown word.
NOT_STARTED = 9009
_NOT_YET_STARTED = f"$global:LASTEXITCODE = {NOT_STARTED}"
#: The exit code of a text that ends because its private directory could not be made private (access is denied).
NOT_PRIVATE = 5

UTC_NOW = "[DateTime]::UtcNow.ToString('o')"


def exchange(name: str, *parts: str | Iterable[str], contents: Sequence[bytes] = (), **fields: Any) -> Exchange:
    """Return the round trip that runs lines and groups of lines; ``fields`` are further ones of ``Exchange``.

    ``contents`` are what ``write_content`` writes to files, by their place here, counted from 0.
    """
    text = [line for line in lines(*parts).split("\n") if line.strip()]
    data = [base64.b64encode(content).decode("ascii") for content in reversed(contents)]
    stdin = "".join(f"{line}\n" for line in (str(len(text)), *text, *data)).encode()
    return Exchange(name, COMMAND_PREFIX + _encoded(BOOTSTRAP), stdin=stdin, **fields)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode("utf-16-le")).decode("ascii")


def list_disks() -> str:
    """Print diskpart's list of disks."""
    return "'list disk' | diskpart"


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
    return [command, TELL_EXIT_CODE]


def reg_query(key: str, value: str | None = None) -> str:
    """Read the values of a registry key (and the names of its subkeys), or one value."""
    return f"reg query {native(key)}" + (f" /v {native(value)}" if value else "")


def reg_find_keys(key: str, part: str) -> str:
    """Print the keys below a key whose names hold ``part``."""
    return f"reg query {native(key)} /s /k /f {native(part)}"


def reg_query_all(key: str) -> str:
    """Read a registry key with everything below it."""
    return f"reg query {native(key)} /s"


def reg_add(key: str, name: str, kind: str, data: str) -> str:
    """Set a value in the registry; ``kind`` is ``REG_DWORD``, ``REG_SZ``, ..."""
    return f"reg add {native(key)} /v {native(name)} /t {kind}" + (f" /d {native(data)}" if data else "") + " /f"


def reg_add_dword(key: str, name: str, number: int) -> str:
    """Set a DWORD in the registry."""
    return f"reg add {native(key)} /v {native(name)} /t REG_DWORD /d {number} /f"


def reg_delete(key: str, name: str | None = None) -> str:
    """Delete a value, or a whole key, from the registry."""
    return f"reg delete {native(key)}" + (f" /v {native(name)}" if name else "") + " /f"


def wmi(class_name: str, *properties: str, namespace: str = "root\\CIMV2") -> str:
    """Print properties of every object of a WMI class, a line each, separated by ``|``.

    A class that a version of Windows does not have prints nothing. ``Get-WmiObject`` is in Windows PowerShell 2 to 5.1;
    numbers and truth values are printed alike in every language, descriptions are not: do not ask for them.
    """
    form = "|".join(f"{{{index}}}" for index in range(len(properties)))
    values = ", ".join(f"$_.{name}" for name in properties)
    return (
        f"Get-WmiObject -Namespace {powershell(namespace)} -Class {class_name} -ErrorAction SilentlyContinue "
        f"| ForEach-Object {{ {powershell(form)} -f {values} }}"
    )


def service_state(*names: str) -> list[str]:
    """Ask for the state of services; one that is not installed answers with an error line only."""
    return [f"sc.exe query {native(name)}" for name in names]


def configure_service(name: str, start: str) -> list[str]:
    """Set how a service starts: ``auto``, ``delayed-auto``, ``demand`` or ``disabled``."""
    return with_exit_code(f"sc.exe config {native(name)} start= {start}")


def stop_service(name: str) -> list[str]:
    """Stop a service."""
    return with_exit_code(f"net stop {native(name)}")


def run_service(name: str) -> list[str]:
    """Start a service now."""
    return with_exit_code(f"net start {native(name)}")


def start_service(name: str) -> list[str]:
    """Have a service start with Windows and start it now."""
    return [*configure_service(name, "auto"), *run_service(name)]


def enable_firewall_group(group: str) -> str:
    """Allow every rule of a built-in group, by the number of its name so that the display language does not matter."""
    return f"netsh advfirewall firewall set rule {native('group=@FirewallAPI.dll,' + group)} new enable=yes"


def set_firewall_rules(selectors: Mapping[str, str], *, enable: bool) -> str:
    """Switch every firewall rule on or off that has all ``selectors`` (``group``, ``dir``, ``protocol``, ...)."""
    chosen = native(*(f"{name}={value}" for name, value in selectors.items()))
    return f"netsh advfirewall firewall set rule {chosen} new enable={'yes' if enable else 'no'}"


def allow_port(name: str, port: int) -> str:
    """Add a firewall rule of ours that lets a TCP port in, in every profile."""
    return (
        f"netsh advfirewall firewall add rule {native('name=' + name)} dir=in action=allow protocol=tcp "
        f"localport={port} profile=any enable=yes"
    )


def delete_firewall_rule(name: str) -> str:
    """Delete the firewall rules of a name."""
    return f"netsh advfirewall firewall delete rule {native('name=' + name)}"


def connect(address: str, port: int) -> str:
    """Print ``open`` or ``closed`` for a TCP port as seen from the host; no answer within ``CONNECT_MS`` is closed."""
    return (
        "$c = New-Object Net.Sockets.TcpClient; "
        f"try {{ $a = $c.BeginConnect({powershell(address)}, {port}, $null, $null); "
        f"if ($a.AsyncWaitHandle.WaitOne({CONNECT_MS}, $false)) {{ $c.EndConnect($a); echo 'open' }} "
        "else { echo 'closed' } } catch { echo 'closed' }; $c.Close()"
    )


def make_private_directory(path: str) -> list[str]:
    """Make a directory that only SYSTEM and Administrators may use (well-known SIDs S-1-5-18, S-1-5-32-544).

    Where that does not succeed the text ends: its section ``work directory`` tells ``NOT_PRIVATE``.
    """
    plain = cmd_path(path)
    return [
        f"cmd /c 'mkdir {plain} 2>nul'",
        f"cmd /c 'icacls {plain} /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F'",
        f"if ($LASTEXITCODE -ne 0) {{ echo '@@ work directory'; echo '@@rc {NOT_PRIVATE}'; exit {NOT_PRIVATE} }}",
    ]


def delete_files(*paths: str) -> str:
    """Delete files; one that is not there is no error."""
    return f"cmd /c 'del /f /q {' '.join(cmd_path(path) for path in paths)} 2>nul'"


def print_files(pattern: str) -> str:
    """Print text files; ``*`` in the last part is a wildcard."""
    return f"cmd /c 'type {cmd_path(pattern)}'"


def write_content(path: str, index: int) -> str:
    """Write the content number ``index`` of an exchange to a file, byte for byte."""
    return f"[IO.File]::WriteAllBytes({powershell(path)}, {_content(index)})"


def _content(index: int) -> str:
    return f"[Convert]::FromBase64String($lines[-{index + 1}])"


def download(url: str, path: str, proxy: str | None = None, *, login: bool = False) -> list[str]:
    """Fetch a URL to a file, with TLS 1.2 (3072) where the host's .NET would not choose it by itself.

    PowerShell 2 knows no such number as a protocol, so it is made one; a .NET without TLS 1.2 goes on with what it has.
    ``proxy`` is a proxy's URL (``http://10.20.0.5:3128``); with ``login`` the first two contents of the exchange are
    its user and password.
    """
    made = ["[Net.ServicePointManager]::SecurityProtocol = [Enum]::ToObject([Net.SecurityProtocolType], 3072)"]
    if proxy is None:
        return [*made, f"(New-Object Net.WebClient).DownloadFile({powershell(url)},{powershell(path)})"]
    made.append(f"$way = New-Object Net.WebProxy({powershell(proxy)})")
    if login:
        user, password = (f"[Text.Encoding]::UTF8.GetString({_content(index)})" for index in (0, 1))
        made.append(f"$way.Credentials = New-Object Net.NetworkCredential({user}, {password})")
    made += ["$client = New-Object Net.WebClient", "$client.Proxy = $way"]
    return [*made, f"$client.DownloadFile({powershell(url)},{powershell(path)})"]


def unzip(archive: str, directory: str) -> list[str]:
    """Unpack a zip archive with the tar that Windows ships since Server 2019."""
    return [_NOT_YET_STARTED, *with_exit_code(f"tar.exe -xf {native(archive)} -C {native(directory)}")]


def sha256(path: str) -> str:
    """Print the SHA-256 of a file."""
    return f"certutil -hashfile {native(path)} SHA256"


def run(program: str, *arguments: str) -> list[str]:
    """Run a program of the host to its end and tell its exit code; ``NOT_STARTED`` when it is missing or cannot start.

    PowerShell leaves the exit code of the program before where none was started, hence the first line.
    """
    words = " ".join(part for part in (powershell(program), native(*arguments)) if part)
    return [_NOT_YET_STARTED, *with_exit_code(f"& {words} | Out-String")]


def run_script(directory: str, name: str) -> list[str]:
    """Run the script ``name`` that stands in a directory or anywhere below it, and tell its exit code.

    It runs where it stands, in a PowerShell of its own, which ends with the script's exit code, 0 at its end, and 1
    when it throws (about_PowerShell_exe); in the same PowerShell a script without ``exit`` leaves the code of whatever
    ran before. ``NOT_STARTED`` when there is no such script.
    """
    found = f"[IO.Directory]::GetFiles({powershell(directory)}, {powershell(name)}, 'AllDirectories')"
    return [
        _NOT_YET_STARTED,
        f"$found = {found}",
        "if ($found) {",
        "Set-Location ([IO.Path]::GetDirectoryName($found[0]))",
        "PowerShell -NoProfile -NonInteractive -ExecutionPolicy Bypass -File ($found[0]) | Out-String",
        "}",
        TELL_EXIT_CODE,
    ]
