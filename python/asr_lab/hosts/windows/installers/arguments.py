"""Arguments of Microsoft's installers: ``/Name value`` pairs and lone switches, names without regard to case."""

from collections.abc import Iterable
from dataclasses import dataclass, field


class BadArgumentError(Exception):
    """An argument is not documented, is given twice, or misses its value; the text names it."""


@dataclass
class Arguments:
    """What a command line said: switches and values by lower-case name without the slash."""

    switches: set[str] = field(default_factory=set)
    values: dict[str, str] = field(default_factory=dict)

    def value(self, name: str) -> str | None:
        """Return the value of an argument, or None when it was not given."""
        return self.values.get(name.lower())

    def has(self, switch: str) -> bool:
        """Return whether a switch was given."""
        return switch.lower() in self.switches


def parse(words: list[str], *, switches: Iterable[str], values: Iterable[str]) -> Arguments:
    """Return the arguments. Raises BadArgumentError for any that is neither in ``switches`` nor in ``values``."""
    lone, paired = {name.lower() for name in switches}, {name.lower() for name in values}
    found = Arguments()
    rest = iter(words)
    for word in rest:
        name = word[1:].lower()
        if not word.startswith("/") or name not in lone | paired:
            raise BadArgumentError(f"Invalid command line argument: {word}")
        if name in found.values or name in found.switches:
            raise BadArgumentError(f"Command line argument given twice: {word}")
        if name in lone:
            found.switches.add(name)
            continue
        value = next(rest, None)
        if value is None or not value:
            raise BadArgumentError(f"Command line argument without a value: {word}")
        found.values[name] = value
    return found


def extraction_folder(words: list[str]) -> str:
    """Return DIR of ``/q /x:DIR``, how Microsoft's files are unpacked without a window. Raises BadArgumentError.

    The colon is required: ``/x DIR`` opens a window and waits for ever on a real host.
    """
    folder = next((word[3:] for word in words if word.lower().startswith("/x:")), "")
    others = [word for word in words if not word.lower().startswith("/x:") and word.lower() != "/q"]
    if not folder or others or "/q" not in [word.lower() for word in words]:
        raise BadArgumentError("Command line option syntax error: only /q /x:<folder> extracts without a window.")
    return folder
