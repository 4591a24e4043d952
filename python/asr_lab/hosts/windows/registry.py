"""The registry of a Windows host: keys and values, as ``reg.exe`` and the simulated programs see them.

Key names start with the hive's full name (``HKEY_LOCAL_MACHINE``); the short names (``HKLM``) are accepted everywhere.
Names of keys and values are compared without regard to case and kept as they were first written, as in Windows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

HIVES = {
    "HKLM": "HKEY_LOCAL_MACHINE",
    "HKCU": "HKEY_CURRENT_USER",
    "HKCR": "HKEY_CLASSES_ROOT",
    "HKU": "HKEY_USERS",
    "HKCC": "HKEY_CURRENT_CONFIG",
}
TYPES = ("REG_SZ", "REG_EXPAND_SZ", "REG_MULTI_SZ", "REG_DWORD", "REG_QWORD", "REG_BINARY", "REG_NONE")
DEFAULT = ""
"""The name of a key's default value."""

Data = str | int | list[str]


@dataclass
class Value:
    """One value: ``data`` is an int for DWORD and QWORD, a list for MULTI_SZ, upper-case hexadecimal for BINARY, else
    text.
    """

    name: str
    kind: str
    data: Data

    def printed(self) -> str:
        """Return the data as ``reg query`` prints it."""
        if isinstance(self.data, int):
            return f"0x{self.data:x}"
        if isinstance(self.data, list):
            return "\\0".join(self.data)
        return self.data


def full_path(path: str) -> str:
    """Return ``path`` with the hive's full name. Raises ValueError when it names no hive."""
    hive, _, rest = path.strip().rstrip("\\").partition("\\")
    name = HIVES.get(hive.upper(), hive.upper())
    if name not in HIVES.values():
        raise ValueError(f"{path} is no registry path: it starts with none of {', '.join(HIVES)}")
    return f"{name}\\{rest}" if rest else name


def plain(value: Any) -> tuple[str, Data]:
    """Return type and data for a value written plainly in YAML or JSON.

    Text is REG_SZ, a number REG_DWORD, a list REG_MULTI_SZ, ``{expand: text}`` REG_EXPAND_SZ, ``{binary: hex}``
    REG_BINARY.
    """
    if isinstance(value, bool):
        return "REG_DWORD", int(value)
    if isinstance(value, int):
        return "REG_DWORD", value
    if isinstance(value, list):
        return "REG_MULTI_SZ", [str(item) for item in value]
    if isinstance(value, Mapping) and set(value) == {"expand"}:
        return "REG_EXPAND_SZ", str(value["expand"])
    if isinstance(value, Mapping) and set(value) == {"binary"}:
        return "REG_BINARY", str(value["binary"]).upper()
    if isinstance(value, str):
        return "REG_SZ", value
    raise ValueError(f"{value!r} is no registry value: give text, a number, a list, {{expand: ...}} or {{binary: ...}}")


class Registry:
    """All keys of one host."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[str, dict[str, Value]]] = {}

    def has(self, path: str) -> bool:
        """Return whether the key exists."""
        return full_path(path).lower() in self._keys

    def get(self, path: str, name: str = DEFAULT) -> Data | None:
        """Return the data of a value, or None when the key or the value is not there."""
        value = self.value(path, name)
        return value.data if value else None

    def number(self, path: str, name: str) -> int | None:
        """Return the data of a DWORD or QWORD, or None when it is missing or of another type."""
        data = self.get(path, name)
        return data if isinstance(data, int) else None

    def text(self, path: str, name: str = DEFAULT) -> str | None:
        """Return the data of a text value, or None when it is missing or of another type."""
        data = self.get(path, name)
        return data if isinstance(data, str) else None

    def value(self, path: str, name: str = DEFAULT) -> Value | None:
        """Return a value, or None."""
        _, values = self._keys.get(full_path(path).lower(), ("", {}))
        return values.get(name.lower())

    def values(self, path: str) -> list[Value]:
        """Return the values of a key in the order they were written; empty when the key is not there."""
        _, values = self._keys.get(full_path(path).lower(), ("", {}))
        return list(values.values())

    def subkeys(self, path: str) -> list[str]:
        """Return the names of the keys directly below, sorted as Windows lists them."""
        prefix = full_path(path).lower() + "\\"
        names = {
            stored[len(prefix) :].split("\\", 1)[0]
            for lower, (stored, _) in self._keys.items()
            if lower.startswith(prefix)
        }
        return sorted(names, key=str.lower)

    def below(self, path: str) -> Iterator[str]:
        """Yield the key itself and every key below it, parents before children."""
        top = full_path(path)
        lower = top.lower()
        for key in sorted(self._keys):
            if key == lower:
                yield top
            elif key.startswith(lower + "\\"):
                yield top + self._keys[key][0][len(top) :]

    def create(self, path: str) -> None:
        """Create a key and its parents."""
        parts = full_path(path).split("\\")
        for count in range(1, len(parts) + 1):
            part = "\\".join(parts[:count])
            self._keys.setdefault(part.lower(), (part, {}))

    def set(self, path: str, name: str, data: Data, kind: str | None = None) -> None:
        """Write a value, creating its key; ``kind`` defaults to REG_SZ, REG_DWORD or REG_MULTI_SZ by the data."""
        self.create(path)
        _, values = self._keys[full_path(path).lower()]
        old = values.get(name.lower())
        values[name.lower()] = Value(old.name if old else name, kind or plain(data)[0], data)

    def write(self, path: str, values: Mapping[str, Any]) -> None:
        """Write values given plainly (see ``plain``); None removes a value."""
        self.create(path)
        for name, value in values.items():
            if value is None:
                self.remove_value(path, name)
            else:
                kind, data = plain(value)
                self.set(path, name, data, kind)

    def remove_value(self, path: str, name: str) -> bool:
        """Remove a value; return whether it was there."""
        _, values = self._keys.get(full_path(path).lower(), ("", {}))
        return values.pop(name.lower(), None) is not None

    def remove(self, path: str) -> bool:
        """Remove a key and all below it; return whether it was there."""
        lower = full_path(path).lower()
        doomed = [key for key in self._keys if key == lower or key.startswith(lower + "\\")]
        for key in doomed:
            del self._keys[key]
        return bool(doomed)

    def dump(self) -> dict[str, dict[str, list[Any]]]:
        """Return everything as JSON: key -> value name -> [type, data]."""
        return {
            stored: {value.name: [value.kind, value.data] for value in values.values()}
            for stored, values in self._keys.values()
        }

    @classmethod
    def load(cls, data: Mapping[str, Mapping[str, list[Any]]]) -> "Registry":
        """Return the registry that ``dump`` described."""
        registry = cls()
        for path, values in data.items():
            registry.create(path)
            for name, (kind, content) in values.items():
                registry.set(path, name, content, kind)
        return registry
