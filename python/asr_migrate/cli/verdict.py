"""Was the rehearsal what it had to be? Read from the wave reports, decided without any input or output."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

#: The results that end a rehearsal well: the machine runs in Azure, or was left out for a reason that was said.
GOOD = ("migrated", "refused")


@dataclass(frozen=True)
class Row:
    """One line of the summary: a machine, where it ended, its Azure VM, and what there is to say about it."""

    wave: str
    machine: str
    result: str
    azure_vm: str
    reasons: tuple[str, ...] = ()
    stage: str = ""

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
        told.append(f"{error['cause']} {error['remedy']}")
    stage = str(machine.get("stage") or "")
    return Row(wave, str(machine["name"]), str(machine["result"]), str(vm.get("name") or ""), tuple(told), stage)


def missing(found: Iterable[Row], expected: Mapping[str, str]) -> list[Row]:
    """Return a row for every expected machine (name -> wave) that no report mentions."""
    seen = {row.machine for row in found}
    lost = "the run ended before its report"
    return [Row(wave, name, "missing", "", (lost,)) for name, wave in sorted(expected.items()) if name not in seen]


def passed(found: Iterable[Row], ansible_exit: int) -> bool:
    """Say whether the rehearsal succeeded: Ansible's exit is 0, all are migrated or refused, one at least migrated."""
    listed = list(found)
    return ansible_exit == 0 and all(row.good for row in listed) and any(row.result == "migrated" for row in listed)
