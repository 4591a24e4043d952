"""What ``make bench-hosts`` found, judged: rows of a table and the page of the documentation. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from .hosts_runs import Run

FASTER, TRIPS_CHANGING, TRIPS_IDLE = 5.0, 3, 1


@dataclass
class Measured:
    """The runs of one way on one host: ``first`` on a fresh host, ``second`` right after it."""

    name: str
    first: list[Run] = field(default_factory=list)
    second: list[Run] = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    """One target: what, what was seen, what was wanted."""

    what: str
    seen: str
    target: str
    held: bool


@dataclass(frozen=True)
class HostFigures:
    """A host with its ways; ``ours`` is judged against ``against``, the others are told.

    ``different`` names what the ways did not leave alike, ``note`` says what the host is.
    """

    host: str
    note: str
    ours: Measured
    against: Measured
    told: Sequence[Measured]
    different: Sequence[str]

    def verdicts(self) -> list[Verdict]:
        """Return the targets of this host."""
        mine = [*self.ours.first, *self.ours.second]
        return [
            self._faster("preparing", self.ours.first, self.against.first),
            self._faster("nothing to change", self.ours.second, self.against.second),
            _trips(f"{self.host}: round trips when something changes", self.ours.first, TRIPS_CHANGING),
            _trips(f"{self.host}: round trips when nothing does", self.ours.second, TRIPS_IDLE),
            Verdict(
                f"{self.host}: the second run of each way changes nothing",
                "so" if not any(run.changed for one in self.all() for run in one.second) else "not so",
                "so",
                not any(run.changed for one in self.all() for run in one.second),
            ),
            Verdict(
                f"{self.host}: the result's round trips are those that the connection counted",
                "equal" if all(run.claimed == run.round_trips for run in mine) else "different",
                "equal",
                all(run.claimed == run.round_trips for run in mine),
            ),
            Verdict(
                f"{self.host}: every way leaves the same state",
                "same" if not self.different else "; ".join(self.different[:4]),
                "same",
                not self.different,
            ),
        ]

    def all(self) -> list[Measured]:
        """Return every way, ours first."""
        return [self.ours, self.against, *self.told]

    def _faster(self, what: str, ours: Sequence[Run], theirs: Sequence[Run]) -> Verdict:
        times = median_s(theirs) / median_s(ours)
        return Verdict(
            f"{self.host}: {what}, faster than {self.against.name}",
            f"{times:.1f} x",
            f">= {FASTER:g} x",
            times >= FASTER,
        )


def _trips(what: str, runs: Sequence[Run], limit: int) -> Verdict:
    most = max(run.round_trips for run in runs)
    return Verdict(what, str(most), f"<= {limit}" if limit > 1 else f"{limit}", most <= limit)


def median_s(runs: Sequence[Run]) -> float:
    """Return the median time inside the play."""
    return statistics.median(run.play_s for run in runs)


def rows(figures: Sequence[HostFigures]) -> list[tuple[str, ...]]:
    """Return the table of figures: a row for each host and way."""
    return [(one.host, way.name, *_cells(way.first), *_cells(way.second)) for one in figures for way in one.all()]


HEAD = (
    "host",
    "way",
    "tasks",
    "round trips",
    "s in the play",
    "s with start-up",
    "again: tasks",
    "round trips",
    "s in the play",
    "s with start-up",
)


def _cells(runs: Sequence[Run]) -> tuple[str, ...]:
    whole_s = statistics.median(run.whole_s for run in runs)
    return (
        str(max(run.tasks for run in runs)),
        str(max(run.round_trips for run in runs)),
        f"{median_s(runs):.2f}",
        f"{whole_s:.2f}",
    )


PAGE = """# Performance on hosts

`make bench-hosts` measures how long it takes to prepare a host with `asr.migrate.source_host`, against the same checks
and changes as single Ansible tasks, and wrote this page (`make bench-hosts ARGS=--write`).
{machine}. Rounds: {rounds}, on fresh hosts, the ways one after the other; times are medians.

{verdicts}

{rows}

*s in the play* is wall time from the start of the play to its end; *with start-up* is the whole command
`ansible-playbook`, which is the same for all ways but for the reading of inventory, collections and plugins. *Again* is
a second run right after the first, which finds nothing to change. A round trip is one start of `ssh` or `sftp`, or one
command that the WinRM connection starts; they are counted there, and compared with what the result says.

{notes}

How to read it: `source_host` sends one script that reads everything, decides on the controller, sends one script that
changes everything, and looks once more. A module is sent to the host by itself: with pipelining it costs one round trip
and a start of Python on the host, without it several round trips. Modules are judged with pipelining on, their faster
way. There is no network latency here; with 50 ms of it each round trip costs 50 ms more, on all ways alike.
"""


def page(figures: Sequence[HostFigures], machine: str, rounds: int) -> str:
    """Return the page of the documentation."""
    judged = [
        (one.what, one.seen, one.target, "yes" if one.held else "**no**") for f in figures for one in f.verdicts()
    ]
    return PAGE.format(
        machine=machine,
        rounds=rounds,
        verdicts=_markdown(("measure", "seen", "target", "held"), judged),
        rows=_markdown(HEAD, rows(figures)),
        notes="\n".join(f"- **{one.host}**: {one.note}" for one in figures),
    )


def _markdown(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
