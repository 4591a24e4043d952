"""How well the engine keeps to its targets, side by side with two naive ways: ``make bench``.

Prints a table and ends with 1 when a target is missed. ``--quick`` takes about five minutes with fewer machines
(the targets that depend on their number are not judged then); ``--write`` writes docs/performance.md and
the plot.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import engine_page
from engine_figures import (
    FORKS,
    HOUR_S,
    POLL_S,
    Point,
    Results,
    Row,
    growth_rows,
    on_a_base,
    per_machine_hour,
    scaled,
    write_floor_s,
)
from engine_runs import SPEED, hosts, naive, product
from rich.console import Console
from rich.table import Table

DOCS = Path(__file__).parents[2] / "docs"


@dataclass(frozen=True)
class Sizes:
    """How large a run of the bench is."""

    wave: int = 1000
    journey: int = 100
    largest: int = 5000
    plot: tuple[int, ...] = (10, 50, 100, 500, 1000, 2000, 5000)
    watch_s: float = 75.0
    gets: int = 200
    sample: int = 10
    journey_sample: int = 5


QUICK = Sizes(wave=250, journey=20, largest=500, plot=(10, 100, 250, 500), watch_s=30.0, gets=100, sample=5)


def measure(sizes: Sizes, say: Callable[[str], None]) -> Results:
    """Run everything, one after the other but for the naive journey, which waits most of its time."""
    results = Results(machine=this_machine(), quick=sizes is QUICK)
    say(f"one task a host: {sizes.sample} processes")
    host = hosts(sizes.sample)
    say(f"enable {sizes.wave} machines")
    enabled = product("enable", sizes.wave, "fresh")
    say(f"enable {sizes.wave} machines, one poller each")
    polled = naive("pollers", sizes.wave, "fresh", watch_s=sizes.watch_s)
    say(f"look at {sizes.gets} machines, one GET each")
    got = naive("gets", sizes.gets, "replicating")
    with ThreadPoolExecutor(1) as beside:
        naive_journey = beside.submit(naive, "journey", sizes.journey_sample, "fresh", speed=SPEED)
        say(f"the whole way for {sizes.journey} machines")
        journey = product("journey", sizes.journey, "fresh")
        followed: dict[int, dict[str, Any]] = {}
        for machines in sizes.plot:
            say(f"an hour of {machines} replicating machines")
            followed[machines] = product("steady", machines, "replicating")
        say("the whole way, one poller each")
        walked = naive_journey.result()
    for problem in [journey, *followed.values()]:
        if problem["wrong"]:
            raise SystemExit(f"{problem['wrong']} machines failed in the bench: {problem['error']}")
    results.points = [point(machines, one) for machines, one in followed.items()]
    results.rows = [
        enable_row(sizes, enabled, polled, host),
        given_up_row(sizes, enabled, polled),
        *sweep_rows(sizes, followed[sizes.wave], got, host),
        reads_row(sizes, followed[sizes.wave], polled, host),
        journey_row(sizes, journey, walked),
        memory_row(sizes, followed[sizes.largest], polled, host),
        Row(
            f"`decide` for {sizes.largest:,} machines",
            followed[sizes.largest]["decide_ms"],
            "ms",
            50,
            digits=1,
            note="processor time, the slowest goal, median of seven rounds.",
        ),
        *growth_rows(results.points),
    ]
    return results


def point(machines: int, one: dict[str, Any]) -> Point:
    return Point(
        machines,
        round(one["sweep_reads"]),
        one["sweep_cpu_s"],
        one["stretch_calls"],
        one["stretch_cpu_s"],
        one["peak_mb"],
    )


def enable_row(sizes: Sizes, enabled: dict[str, Any], polled: dict[str, Any], host: dict[str, float]) -> Row:
    """Return how long it takes until Azure has accepted every machine."""
    floor_s = write_floor_s(sizes.wave)
    if enabled["accepted"] < sizes.wave or enabled["failed"]:
        raise SystemExit(f"only {enabled['accepted']} of {sizes.wave} machines were accepted: {enabled['error']}")
    host_s = scaled(host["begin_wall_s"], int(host["sample"]), sizes.wave)
    return Row(
        f"enable {sizes.wave:,} machines",
        enabled["took_s"],
        "s",
        None if sizes is QUICK else round(1.1 * floor_s, 1),
        f"{polled['took_s']:.1f} s, {polled['begun']:,} begun, processor {polled['cpu_s']:.0f} s",
        f"~{host_s:,.0f} s, processor ~{host['begin_cpu_s'] * sizes.wave:,.0f} s",
        f"until the last was accepted, locks and first look included; the floor is {floor_s:.0f} s (the bucket's "
        f"writes). Processor time {enabled['cpu_s']:.1f} s. The cap of 200 machines an appliance is off in this row: "
        f"what is measured is how near the engine comes to the bucket. "
        f"The host's figure is from {host['sample']:.0f} processes that begin and do not wait.",
    )


def given_up_row(sizes: Sizes, enabled: dict[str, Any], polled: dict[str, Any]) -> Row:
    """Return how many machines throttling has cost, and with which answers the pollers ended."""
    answers = ", ".join(f"{count} with {answer}" for answer, count in sorted(polled["lost_by"].items()))
    return Row(
        "machines given up while enabling",
        enabled["failed"],
        "",
        0,
        f"{polled['refused'] + polled['pollers_lost']} of {sizes.wave:,}",
        digits=0,
        note=f"{enabled['throttled']} requests of the engine were answered 429; such a request is sent again when "
        f"Azure allows it. Of the pollers' requests {polled['throttled']:,} were; {polled['refused']} machines were "
        f"not begun, and {polled['pollers_lost']} pollers ended while their machines went on ({answers or 'none'}).",
    )


def sweep_rows(sizes: Sizes, followed: dict[str, Any], got: dict[str, Any], host: dict[str, float]) -> list[Row]:
    """Return what one look at the whole wave costs."""
    cpu_s = scaled(got["cpu_s"], sizes.gets, sizes.wave)
    return [
        Row(
            f"reads of a sweep of {sizes.wave:,} machines",
            followed["sweep_reads"],
            "",
            10,
            f"{sizes.wave:,}",
            f"{sizes.wave:,} and {sizes.wave:,} sign-ins",
            digits=0,
            note="as the engine looks while it waits; the first look of a run, with the appliance and its servers, "
            f"took {followed['first_reads']} reads.",
        ),
        Row(
            f"processor time of a sweep of {sizes.wave:,} machines",
            followed["sweep_cpu_s"],
            "s",
            0.5,
            f"~{cpu_s:.1f} s",
            f"~{host['look_cpu_s'] * sizes.wave:,.0f} s",
            digits=2,
            note=f"reading and understanding every machine; {followed['sweep_wall_s']:.1f} s on the clock. "
            f"The poller's figure is from {sizes.gets} GETs.",
        ),
    ]


def reads_row(sizes: Sizes, followed: dict[str, Any], polled: dict[str, Any], host: dict[str, float]) -> Row:
    """Return what an hour of waiting costs."""
    rate = per_machine_hour(followed["stretch_reads"], sizes.wave, followed["stretch_s"])
    theirs = per_machine_hour(polled["watch_reads"], polled["begun"], sizes.watch_s)
    looks = HOUR_S / POLL_S
    return Row(
        f"reads a machine and hour, {sizes.wave:,} machines replicating",
        rate,
        "",
        1,
        f"~{theirs:.0f}",
        f"~{looks:.0f} and {looks:.0f} sign-ins, processor ~{looks * host['look_cpu_s']:.0f} s",
        f"{followed['stretch_reads']} reads in an hour of engine time. Pollers were watched for "
        f"{sizes.watch_s:.0f} s ({polled['watch_reads']:,} reads, 429 included).",
        digits=2,
    )


def journey_row(sizes: Sizes, journey: dict[str, Any], walked: dict[str, Any]) -> Row:
    """Return what the whole way costs."""
    told = ", ".join(f"{goal} {step['total']}" for goal, step in journey["steps"].items())
    return Row(
        f"calls a machine from absent to migrated, {sizes.journey} machines",
        journey["per_machine"],
        "",
        None if sizes is QUICK else 15,
        f"~{walked['per_machine']:.0f}",
        f"~{walked['per_machine'] + 5:.0f} with a sign-in a task",
        f"{journey['calls']:,} calls: {told}; {journey['engine_s'] / 60:.0f} minutes of engine "
        f"time, {journey['cpu_s']:.1f} s of processor time. The poller's is from {sizes.journey_sample} machines.",
    )


def memory_row(sizes: Sizes, followed: dict[str, Any], polled: dict[str, Any], host: dict[str, float]) -> Row:
    """Return the memory of the product's process."""
    theirs = on_a_base(polled["base_mb"], polled["peak_mb"], sizes.wave, sizes.largest)
    return Row(
        f"peak memory with {sizes.largest:,} machines",
        followed["peak_mb"],
        "MB",
        250,
        f"~{theirs:,.0f} MB",
        f"{host['peak_mb']:.0f} MB a process, {FORKS * host['peak_mb']:,.0f} MB for {FORKS} forks",
        f"most resident memory of the process; {followed['looked_mb']:.0f} MB before the engine's hour, when the bench "
        f"had looked at the machines itself and let go what it saw. Pollers had {polled['peak_mb']:.0f} MB with "
        f"{sizes.wave:,} machines.",
        digits=0,
    )


def this_machine() -> str:
    """Return what the figures depend on, without names."""
    cores = len(os.sched_getaffinity(0))
    busy = os.getloadavg()[0]
    return (
        f"Measured with Python {platform.python_version()} on {platform.system()} ({platform.machine()}), "
        f"{cores} cores, load {busy:.1f} before the run"
    )


def show(results: Results) -> None:
    """Print the table."""
    table = Table("measure", "asr-migrate", "target", "", "one poller a machine", "one task a host")
    for row in results.rows:
        colour = {"PASS": "[green]PASS", "FAIL": "[red]FAIL"}.get(row.verdict, "")
        table.add_row(row.what, row.told, row.target, colour, row.poller, row.host)
    console = Console(width=170)
    console.print(table)
    for one in results.points:
        console.print(one)
    console.print(f"{results.machine}; {results.took_s:.0f} s")


def main() -> int:
    """Measure, print, write, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer machines, about five minutes")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md and docs/performance.svg")
    given = parser.parse_args()
    if given.quick and given.write:
        parser.error("--write takes the full run: leave --quick out")
    began_s = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began_s:5.0f} s  {line}", flush=True)

    results = measure(QUICK if given.quick else Sizes(), say)
    results.took_s = time.monotonic() - began_s
    show(results)
    if given.write:
        (DOCS / "performance.md").write_text(engine_page.page(results))
        (DOCS / "performance.svg").write_text(engine_page.svg(results.points))
        print("docs/performance.md and docs/performance.svg are written")
    return 1 if results.missed else 0


if __name__ == "__main__":
    sys.exit(main())
