"""How fast a host is prepared, against the same steps as single Ansible tasks: ``make bench-hosts``.

A Linux host of its own (as root: this machine's Debian and OpenSSH in namespaces; else a Linux host of the lab) and a
Windows host of the lab are prepared in turn by ``asr.migrate.source_host`` and by a play of single tasks with the same
checks and changes, each time from a fresh host. Prints tables and ends with 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import difflib
import os
import platform
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.scenarios.harness import ROOT, directory, fresh_lab

from . import hosts_linux, hosts_windows
from .hosts_figures import HEAD, HostFigures, Measured, page, rows
from .hosts_runs import Place, Way

ROUNDS = 3
NET = "127.58"
PAGE = ROOT / "docs" / "performance-hosts.md"


#: Makes a fresh host, with a directory for its files.
Fresh = Callable[[Path], AbstractContextManager[Place]]


def measure(
    host: str, note: str, fresh: Fresh, ways: Sequence[Way], rounds: int, say: Callable[[str], None]
) -> HostFigures:
    """Run the first two ways in every round, the others once, and compare what all of them left."""
    measured = [Measured(way.name) for way in ways]
    different: list[str] = []
    states: list[str] = []
    for number in range(rounds):
        for way, kept in zip(ways[: None if number == 0 else 2], measured, strict=False):
            with directory() as files, fresh(files) as place:
                untouched = place.state()
                kept.first.append(place.runner.run(way))
                states.append(place.state())
                kept.second.append(place.runner.run(way))
            first, second = kept.first[-1], kept.second[-1]
            say(
                f"{host}, {way.name}: {first.play_s:.2f} s with {first.round_trips} round trips, "
                f"again {second.play_s:.2f} s with {second.round_trips}"
            )
            if states[-1] == untouched:
                different.append(f"{way.name} changed nothing")
            different += difference(way.name, states[0], states[-1])
    ours, against, *told = measured
    return HostFigures(host, note, ours, against, told, different)


def difference(way: str, expected: str, seen: str) -> list[str]:
    """Return how a state differs from the first way's, a line each."""
    lines = difflib.unified_diff(expected.splitlines(), seen.splitlines(), n=0, lineterm="")
    return [f"{way}: {line}" for line in lines if line[:3] not in ("---", "+++") and not line.startswith("@@")]


def this_machine() -> str:
    """Return what the figures depend on, without names."""
    cores = len(os.sched_getaffinity(0))
    return (
        f"Measured with Python {platform.python_version()} on {platform.system()} ({platform.machine()}), {cores} "
        f"cores, load {os.getloadavg()[0]:.1f} before the run"
    )


def show(figures: Sequence[HostFigures]) -> int:
    """Print the tables and return how many targets were missed."""
    table = Table(*HEAD, title="Preparing a host (medians)")
    for row in rows(figures):
        table.add_row(*row)
    judged = Table("measure", "seen", "target", "")
    verdicts = [verdict for one in figures for verdict in one.verdicts()]
    for verdict in verdicts:
        judged.add_row(verdict.what, verdict.seen, verdict.target, "[green]PASS" if verdict.held else "[red]FAIL")
    console = Console(width=170)
    console.print(table)
    console.print(judged)
    return sum(not verdict.held for verdict in verdicts)


def main() -> int:
    """Measure, print, write, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--write", action="store_true", help="write docs/performance-hosts.md")
    given = parser.parse_args()
    machine = this_machine()

    def say(line: str) -> None:
        print(line, flush=True)

    with fresh_lab(NET) as lab:
        linux = hosts_linux.choose(lab)
        figures = [
            measure(linux.name, linux.note, linux.fresh, linux.ways, given.rounds, say),
            measure(
                hosts_windows.NAME,
                hosts_windows.NOTE,
                lambda files: hosts_windows.lab_windows(lab, files),
                hosts_windows.ways(),
                given.rounds,
                say,
            ),
        ]
    missed = show(figures)
    if given.write:
        PAGE.write_text(page(figures, machine, given.rounds))
        print(f"{PAGE.relative_to(ROOT)} is written")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
