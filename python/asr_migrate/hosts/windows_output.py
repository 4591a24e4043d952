"""Reading of what native Windows commands print, in any display language: by position and by number, never by label."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

SERVICE_STATES = {
    1: "stopped",
    2: "starting",
    3: "stopping",
    4: "running",
    5: "continuing",
    6: "pausing",
    7: "paused",
}

#: Start types of a service, as ``sc.exe config`` calls them, by the number in the registry.
SERVICE_STARTS = {0: "boot", 1: "system", 2: "auto", 3: "demand", 4: "disabled"}

_MARKER = re.compile(r"^@@ (.*)$")
_EXIT_CODE = re.compile(r"^@@rc\s*(-?\d*)\s*$")
_REGISTRY_VALUE = re.compile(r"^ {4}(?P<name>.*?) {4}(?P<type>REG_[A-Z_]+)(?: {4}(?P<data>.*))?$")
_NUMBERED = re.compile(r"^\s+\S[^:]*:\s+([0-9a-fA-F]+)\b")
_OWN_ADDRESS = re.compile(r"\b(\d{1,3}(?:\.\d{1,3}){3})\(")
_AFTER_COLON = re.compile(r":\s*([\d.,\u00a0\u202f' ]+)")
_ACCOUNT = re.compile(r'^"(?P<name>[^"]*)","(?P<sid>S-1-[0-9-]+)"')
_RULER = re.compile(r"^\s*-+(\s+-+)+\s*$")
#: Column of ``list disk`` that says by an asterisk that a disk is dynamic.
_DYNAMIC_COLUMN = 4


@dataclass(frozen=True)
class Section:
    """The lines that were printed after one marker, and the exit codes that were told in it, in order."""

    lines: tuple[str, ...] = ()
    exit_codes: tuple[int | None, ...] = ()

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)

    @property
    def first(self) -> str:
        """The first line that is not blank, without blanks around it; empty when there is none."""
        return next((line.strip() for line in self.lines if line.strip()), "")


class Sections(dict[str, Section]):
    """Sections by name; one that is not there is an empty section."""

    def __missing__(self, name: str) -> Section:
        return Section()


def sections(stdout: str) -> Sections:
    """Split an answer at its ``@@ name`` markers."""
    lines: dict[str, list[str]] = {}
    codes: dict[str, list[int | None]] = {}
    name = ""
    for line in stdout.replace("\r\n", "\n").split("\n"):
        if marker := _MARKER.match(line):
            name = marker.group(1).strip()
            lines.setdefault(name, [])
        elif code := _EXIT_CODE.match(line):
            codes.setdefault(name, []).append(int(code.group(1)) if code.group(1) not in ("", "-") else None)
        else:
            lines.setdefault(name, []).append(line)
    return Sections({name: Section(tuple(found), tuple(codes.get(name, ()))) for name, found in lines.items()})


@dataclass(frozen=True)
class RegistryValue:
    """One value as ``reg query`` prints it: ``kind`` is its type (``REG_DWORD``), ``data`` as printed (``0x1``)."""

    name: str
    kind: str
    data: str

    @property
    def number(self) -> int | None:
        """The value as a number, or None when it is of another type."""
        try:
            return int(self.data, 0) if self.kind in ("REG_DWORD", "REG_QWORD") else None
        except ValueError:
            return None


def registry_tree(section: Section) -> dict[str, dict[str, RegistryValue]]:
    """Return the values of every key that ``reg query`` printed, key and value names in lower case.

    Subkeys that were only listed are keys without values.
    """
    tree: dict[str, dict[str, RegistryValue]] = {}
    key = ""
    for line in section.lines:
        if line.startswith("HKEY_"):
            key = line.strip().lower()
            tree.setdefault(key, {})
        elif key and (match := _REGISTRY_VALUE.match(line)):
            value = RegistryValue(match.group("name"), match.group("type"), match.group("data") or "")
            tree[key][value.name.lower()] = value
    return tree


def registry_typed(section: Section) -> dict[str, RegistryValue]:
    """Return the values that ``reg query`` printed with their types, names in lower case."""
    return {name: value for values in registry_tree(section).values() for name, value in values.items()}


def registry_values(section: Section) -> dict[str, str]:
    """Return the values that ``reg query`` printed, names in lower case; numbers stay as printed (``0x1``)."""
    return {
        match.group("name").lower(): match.group("data") or ""
        for line in section.lines
        if (match := _REGISTRY_VALUE.match(line))
    }


def registry_subkeys(section: Section) -> tuple[str, ...]:
    """Return the last parts of the keys that ``reg query`` listed, in lower case."""
    return tuple(line.strip().rsplit("\\", 1)[-1].lower() for line in section.lines if line.startswith("HKEY_"))


def number(values: dict[str, str], name: str) -> int | None:
    """Return a DWORD value, or None when it is not there or is no number."""
    try:
        return int(values[name.lower()], 0)
    except (KeyError, ValueError):
        return None


def service_states(section: Section) -> dict[str, str]:
    """Return state by service, names in lower case, from one or several ``sc.exe query``, without missing services.

    The name stands in the first column; the second numbered line after it is the state.
    """
    states: dict[str, str] = {}
    name, numbered = "", 0
    for line in section.lines:
        if line and not line[0].isspace() and not line.startswith("[") and ":" in line:
            name, numbered = line.split(":", 1)[1].strip().lower(), 0
        elif name and (match := _NUMBERED.match(line)):
            numbered += 1
            if numbered == 2:
                states[name] = SERVICE_STATES.get(int(match.group(1), 16), match.group(1))
    return states


def sids(section: Section) -> tuple[str, ...]:
    """Return the SIDs of ``whoami /groups``; one that is for denying only still counts as a membership."""
    return tuple(re.findall(r"S-1-[0-9-]+", section.text))


def account(section: Section) -> tuple[str, str] | None:
    """Return name (``domain\\user``) and SID from ``whoami /user /fo csv /nh``, or None when there is no answer."""
    match = _ACCOUNT.match(section.first)
    return (match.group("name"), match.group("sid")) if match else None


def rows(section: Section, columns: int) -> list[tuple[str, ...]]:
    """Return the lines of ``|`` separated values that ``windows_text.wmi`` prints; other lines are left out."""
    split = (tuple(line.strip().split("|")) for line in section.lines)
    return [row for row in split if len(row) == columns and any(row)]


def dynamic_disks(section: Section) -> tuple[int, ...]:
    """Return the numbers of the dynamic disks in diskpart's ``list disk``.

    The row of dashes under the titles tells where each column begins, in every language.
    """
    starts: list[int] = []
    found: list[int] = []
    for line in section.lines:
        if _RULER.match(line):
            starts = [match.start() for match in re.finditer("-+", line)]
        elif len(starts) > _DYNAMIC_COLUMN + 1:
            number = re.search(r"\d+", line[: starts[1]])
            if number and "*" in line[starts[_DYNAMIC_COLUMN] : starts[_DYNAMIC_COLUMN + 1]]:
                found.append(int(number.group()))
    return tuple(found)


def own_addresses(section: Section) -> tuple[str, ...]:
    """Return the host's IPv4 addresses from ``ipconfig /all``, where only they are followed by a parenthesis."""
    return tuple(dict.fromkeys(_OWN_ADDRESS.findall(section.text)))


def free_bytes(section: Section) -> int | None:
    """Return the free bytes that ``fsutil volume diskfree`` prints first, with or without separators."""
    for line in section.lines:
        if match := _AFTER_COLON.search(line):
            digits = re.sub(r"\D", "", match.group(1))
            if digits:
                return int(digits)
    return None


def sha256(section: Section) -> str | None:
    """Return the digest that ``certutil -hashfile`` printed, in lower case.

    Old versions put blanks between the bytes.
    """
    for line in section.lines:
        squeezed = line.replace(" ", "").strip().lower()
        if re.fullmatch(r"[0-9a-f]{64}", squeezed):
            return squeezed
    return None


def utc(section: Section) -> datetime | None:
    """Return the host's time from its round-trip format (seven digits of a second), or None when it is none."""
    match = re.match(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?Z", section.first)
    if not match:
        return None
    fraction = (match.group(2) or "0").ljust(6, "0")
    return datetime.strptime(f"{match.group(1)}.{fraction}", "%Y-%m-%dT%H:%M:%S.%f").replace(tzinfo=UTC)


def reached(found: Sections, targets: Iterable[tuple[str, int]]) -> dict[tuple[str, int], bool | None]:
    """Return for each target whether it could be reached; None when the host gave no answer."""
    words: dict[str, bool | None] = {"open": True, "closed": False}
    return {(address, port): words.get(found[f"reach {address} {port}"].first) for address, port in targets}
