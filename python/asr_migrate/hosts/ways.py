"""The ways between an appliance and its sources: which there are, which are open, and what closes the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from asr_migrate.hosts.ports import Port, between

OPEN, CLOSED, NOT_TRIED = "open", "closed", "not tried"
_WORST = (CLOSED, NOT_TRIED, OPEN)
#: How a column is headed: from the machine to the appliance, from the appliance to it, or between machines.
_ARROWS = {("source", "appliance"): "to", ("appliance", "source"): "from", ("source", "source"): "with"}


@dataclass(frozen=True)
class Place:
    """One end of a way: its name, the address that the other end knows, and the family of a source (else empty)."""

    name: str
    address: str
    os: str = ""


@dataclass(frozen=True)
class Way:
    """One way: who connects to whom, on which row of the table of ports."""

    origin: Place
    target: Place
    port: Port

    @property
    def machine(self) -> Place:
        """The source that the way is listed with; of two, the one that connects."""
        return self.target if self.port.origin == "appliance" else self.origin

    @property
    def column(self) -> str:
        """The heading that the way is listed under."""
        return f"{_ARROWS[self.port.origin, self.port.target]} {self.port.text}"


@dataclass(frozen=True)
class Judged:
    """A way with its state and, unless it is open, what to look at."""

    way: Way
    state: str
    missing: tuple[str, ...]

    @property
    def text(self) -> str:
        """The way and what closes it, in one sentence."""
        way = self.way
        return (
            f"{way.origin.name} -> {way.target.name} ({way.target.address}) TCP {way.port.text}, {way.port.why}: "
            f"{self.state}; {'; '.join(self.missing)}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the way for a report."""
        way = self.way
        return {
            "from": way.origin.name,
            "to": way.target.name,
            "address": way.target.address,
            "port": way.port.text,
            "why": way.port.why,
            "state": self.state,
            "missing": list(self.missing),
        }


def ways(
    sources: Sequence[Place],
    appliance: Place,
    *,
    architecture: str,
    push: bool,
    groups: Iterable[Sequence[str]] = (),
) -> list[Way]:
    """Return every way that is needed; ``groups`` are the names of sources that share recovery points."""
    made = []
    for source in sources:
        for port in between("source", "appliance", architecture=architecture, os=source.os):
            made.append(Way(source, appliance, port))
        for port in between("appliance", "source", architecture=architecture, os=source.os, push=push):
            made.append(Way(appliance, source, port))
    by_name = {source.name: source for source in sources}
    for names in groups:
        for one, other in permutations([by_name[name] for name in names if name in by_name], 2):
            for port in between("source", "source", architecture=architecture, group=True):
                made.append(Way(one, other, port))
    return made


def of_machines(
    machines: Sequence[Mapping[str, Any]], appliance: Mapping[str, str], *, architecture: str, push: bool
) -> list[Way]:
    """Return the ways of machines as plain data: ``name``, ``addresses``, ``os`` and, of some, ``group``."""
    groups: dict[str, list[str]] = {}
    for row in machines:
        if row.get("group"):
            groups.setdefault(row["group"], []).append(row["name"])
    return ways(
        [Place(row["name"], (row.get("addresses") or [row["name"]])[0], row["os"]) for row in machines],
        Place(appliance["name"], appliance["address"]),
        architecture=architecture,
        push=push,
        groups=groups.values(),
    )


def targets(wanted: Iterable[Way], origin: str) -> list[list[Any]]:
    """Return the pairs of address and port that ``origin`` can try, for the option ``reach``."""
    return [[way.target.address, way.port.first] for way in wanted if way.origin.name == origin and way.port.single]


def judge(
    wanted: Iterable[Way],
    reached: Mapping[str, Mapping[str, bool | None]],
    lacks: Callable[[Way], Sequence[str] | None],
) -> list[Judged]:
    """Return each way with its state.

    ``reached`` is by origin and ``address:port`` what was tried. ``lacks`` returns what EC2's security groups lack for
    a way, nothing when they let it through, None when they are not known.
    """
    made = []
    for way in wanted:
        answered = reached.get(way.origin.name, {}).get(f"{way.target.address}:{way.port.first}")
        state = {True: OPEN, False: CLOSED, None: NOT_TRIED}[answered if way.port.single else None]
        made.append(Judged(way, state, () if state == OPEN else _missing(way, lacks(way))))
    return made


def _missing(way: Way, lacking: Sequence[str] | None) -> tuple[str, ...]:
    if lacking:
        return tuple(lacking)
    ec2 = "the security groups could not be read" if lacking is None else "EC2 lets it through"
    if not way.port.single:
        return (f"a range cannot be tried; {ec2}; needed in the firewall of {way.target.name}: {way.port.firewall}",)
    return (f"{ec2}; look at the network ACLs and the firewall of {way.target.name}: {way.port.firewall}",)


def table(judged: Sequence[Judged]) -> list[str]:
    """Return a table of machines and ports as lines of text; a dot stands where no way is needed."""
    columns = list(dict.fromkeys(found.way.column for found in judged))
    columns.sort(
        key=lambda column: (["to", "from", "with"].index(column.split()[0]), int(column.split()[1].split("-")[0]))
    )
    machines = list(dict.fromkeys(found.way.machine for found in judged))
    cells = {machine.name: dict.fromkeys(columns, ".") for machine in machines}
    for found in judged:
        row, column = cells[found.way.machine.name], found.way.column
        known = [state for state in (row[column], found.state) if state in _WORST]
        row[column] = min(known, key=_WORST.index)
    rows = [["machine", *columns], *([machine.name, *cells[machine.name].values()] for machine in machines)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
