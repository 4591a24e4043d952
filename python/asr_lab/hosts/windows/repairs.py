"""Programs with which an administrator puts a host right: ``route``, ``manage-bde``, and ``netsh winhttp``."""

from asr_lab.hosts.windows.disks import has_bitlocker
from asr_lab.hosts.windows.registry import Registry
from asr_lab.hosts.windows.result import Result, failed, ok
from asr_lab.hosts.windows.state import Host

ROUTES = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\PersistentRoutes"
CONNECTIONS = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Internet Settings\Connections"
DIRECT = "1800000000000000010000000000000000000000"
"""WinHttpSettings without a proxy: version, counter, flags, and two texts without length."""


def route(host: Host, words: list[str]) -> Result:
    """``route delete NETWORK``: takes the persistent routes to a network away as well."""
    if len(words) != 2 or words[0].lower() != "delete":
        return failed(1, "Manipulates network routing tables.", "", "ROUTE [-f] [-p] [-4|-6] command [destination]")
    found = [value.name for value in host.registry.values(ROUTES) if value.name.split(",")[0] == words[1]]
    if not found:
        return failed(1, "The route deletion failed: Element not found.", "")
    for name in found:
        host.registry.remove_value(ROUTES, name)
    return ok(" OK!")


def manage_bde(host: Host, words: list[str]) -> Result:
    """``manage-bde -status [X:]`` and ``-off X:``, where the feature is installed; a volume is decrypted at once."""
    if not has_bitlocker(host):
        return failed(
            1, "'manage-bde' is not recognized as an internal or external command,", "operable program or batch file."
        )
    lower = [word.lower() for word in words]
    letters = [word.upper() for word in words[1:]]
    if lower[:1] == ["-off"] and len(letters) == 1 and letters[0] in host.drives():
        host.condition.volumes[letters[0]] = [0, 0]
        return ok("Decryption is now in progress.")
    if lower[:1] == ["-status"] and set(letters) <= set(host.drives()):
        return ok(*(row for letter in letters or sorted(host.drives()) for row in _status(host, letter)))
    return failed(-1, "ERROR: Invalid Syntax.", 'Type "manage-bde -?" for usage.')


def _status(host: Host, letter: str) -> list[str]:
    protected, converted = host.condition.volumes.get(letter, [0, 0])
    conversions = ("Fully Decrypted", "Fully Encrypted", "Encryption in Progress")
    return [
        f"Volume {letter} []",
        f"    Conversion Status:    {conversions[converted] if converted < len(conversions) else 'Unknown'}",
        f"    Protection Status:    Protection {('Off', 'On', 'Unknown')[protected]}",
    ]


def winhttp(registry: Registry, words: list[str]) -> Result:
    """``netsh winhttp show|reset proxy``."""
    verb = [word.lower() for word in words[1:]]
    if verb == ["reset", "proxy"]:
        registry.set(CONNECTIONS, "WinHttpSettings", DIRECT, "REG_BINARY")
    elif verb != ["show", "proxy"]:
        return failed(1, f"The following command was not found: {' '.join(words)}.")
    value = registry.value(CONNECTIONS, "WinHttpSettings")
    raw = bytes.fromhex(str(value.data)) if value else b""
    length = int.from_bytes(raw[12:16], "little")
    shown = f"    Proxy Server(s) :  {raw[16 : 16 + length].decode('ascii', errors='replace')}"
    return ok(
        "", "Current WinHTTP proxy settings:", "", shown if length else "    Direct access (no proxy server).", ""
    )
