"""Was the rehearsal what it had to be? Read from the wave reports, decided without any input or output."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

#: The results that end a rehearsal well: the machine runs in Azure, or was left out for a reason that was said.
GOOD = ("migrated", "refused")


@dataclass(frozen=True)
class Row:
    """One line of the summary: a machine, where it ended, its Azure VM, and what there is to say about it.

    ``rpo`` and ``left`` are words, empty when not known.
    """

    wave: str
    machine: str
    result: str
    azure_vm: str
    reasons: tuple[str, ...] = ()
    stage: str = ""
    rpo: str = ""
    left: str = ""

    @property
    def good(self) -> bool:
        """Say whether this is an end that a rehearsal may have."""
        return self.result in GOOD


def rows(reports: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return one row for each machine of the wave reports (their JSON form), in their order."""
    return [_row(str(report["wave"]), machine) for report in reports for machine in report["machines"]]


def _row(wave: str, machine: Mapping[str, Any]) -> Row:
    vm = machine.get("azure_vm") or {}
    told = [finding["text"] for finding in machine.get("blockers", [])]
    if error := machine.get("error"):
        told.append(_words(error))
    stage = str(machine.get("stage") or "")
    rpo, left = _standing(machine)
    return Row(
        wave, str(machine["name"]), str(machine["result"]), str(vm.get("name") or ""), tuple(told), stage, rpo, left
    )


def _words(error: Mapping[str, Any]) -> str:
    """Return an error as a run says it: message, code, cause and remedy, as far as the report knows them."""
    parts = [*([str(error["message"])] if error.get("message") else []), f"[{error['code']}]"]
    parts += [f"{name.capitalize()}: {error[name]}" for name in ("cause", "remedy") if error.get(name)]
    return " ".join(parts)


def _standing(machine: Mapping[str, Any]) -> tuple[str, str]:
    """Return the recovery point objective and the time left of the copy, in words, empty when not known."""
    rpo_s, minutes, copied = (machine.get(name) for name in ("rpo_s", "minutes_left", "copied_percent"))
    left = "" if copied is None else f"{copied:.0f} % copied"
    left += "" if minutes is None else f", about {minutes} min"
    return "" if rpo_s is None else f"{rpo_s:.0f} s", left


def missing(found: Iterable[Row], expected: Mapping[str, str]) -> list[Row]:
    """Return a row for every expected machine (name -> wave) that no report mentions."""
    seen = {row.machine for row in found}
    lost = "the run ended before its report"
    return [Row(wave, name, "missing", "", (lost,)) for name, wave in sorted(expected.items()) if name not in seen]


def passed(found: Iterable[Row], ansible_exit: int) -> bool:
    """Say whether the rehearsal succeeded: Ansible's exit is 0, all are migrated or refused, one at least migrated."""
    listed = list(found)
    return ansible_exit == 0 and all(row.good for row in listed) and any(row.result == "migrated" for row in listed)
