"""The arithmetic of the engine's bench: targets, verdicts, extrapolation. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log
from statistics import linear_regression

WRITE_BURST, WRITES_PER_S = 200, 10
"""Azure Resource Manager's bucket for writes of one principal in one region and subscription (documented, 2024)."""

HOUR_S = 3600.0
POLL_S = 30.0
FORKS = 5
"""Ansible's default number of hosts at once."""


def write_floor_s(writes: int) -> float:
    """Return the seconds that so many writes take at least: a full bucket at once, the rest as it fills."""
    return max(writes - WRITE_BURST, 0) / WRITES_PER_S


def scaled(value: float, measured: int, wanted: int) -> float:
    """Return what ``value``, measured for ``measured`` machines, is for ``wanted``: a share for each machine."""
    if measured < 1:
        raise ValueError(f"measured is {measured}; give how many machines were measured, 1 or more")
    return value / measured * wanted


def on_a_base(base: float, value: float, measured: int, wanted: int) -> float:
    """Return ``base`` plus the share that every machine adds to it, for ``wanted`` machines."""
    return base + scaled(value - base, measured, wanted)


def per_machine_hour(count: float, machines: int, seconds: float) -> float:
    """Return ``count`` within ``seconds`` as a number for one machine and one hour."""
    return count / machines * HOUR_S / seconds


def growth(points: Mapping[int, float]) -> float:
    """Return how ``points`` grow with machines as an exponent, fitted to the logarithms: 1 is linear, 0 constant.

    Sizes below 100 machines are left out: there a fixed cost hides what a machine adds. Fewer than two points: 0.
    """
    large = [(log(size), log(value)) for size, value in points.items() if size >= 100 and value > 0]
    if len(large) < 2:
        return 0.0
    return linear_regression(*zip(*large, strict=True)).slope


@dataclass(frozen=True)
class Row:
    """One measure: the product's value, its target (None: told, not judged), and what the naive ways give.

    ``poller`` and ``host`` are texts, "-" where the way has no such thing; ``note`` says what was done.
    """

    what: str
    value: float
    unit: str
    limit: float | None
    poller: str = "-"
    host: str = "-"
    note: str = ""
    digits: int = 1

    @property
    def missed(self) -> bool:
        """Return whether the target is missed."""
        return self.limit is not None and self.value > self.limit

    @property
    def verdict(self) -> str:
        return "" if self.limit is None else "FAIL" if self.missed else "PASS"

    @property
    def told(self) -> str:
        return f"{self.value:,.{self.digits}f} {self.unit}".strip()

    @property
    def target(self) -> str:
        return "" if self.limit is None else f"<= {self.limit:g} {self.unit}".strip()


@dataclass(frozen=True)
class Point:
    """What one size of the plot gave: reads and processor seconds of a sweep, calls and
    processor seconds of an hour's steady replication, peak memory."""

    machines: int
    sweep_reads: int
    sweep_cpu_s: float
    hour_calls: int
    hour_cpu_s: float
    peak_mb: float


@dataclass
class Results:
    """Everything that one run of the bench measured."""

    rows: list[Row] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    machine: str = ""
    took_s: float = 0.0
    quick: bool = False

    @property
    def missed(self) -> int:
        """Return how many targets were missed."""
        return sum(row.missed for row in self.rows)


def growth_rows(points: Sequence[Point]) -> list[Row]:
    """Return the verdicts on the plot: an exponent of 1 is linear; a tenth more is measuring error."""
    curves = {
        "calls": {one.machines: float(one.hour_calls) for one in points},
        "processor time": {one.machines: one.hour_cpu_s for one in points},
        "memory": {one.machines: one.peak_mb for one in points},
    }
    note = "exponent fitted to the sizes from 100 machines; 1 is linear."
    return [
        Row(f"growth of {name} with machines", growth(curve), "", 1.1, note=note, digits=2)
        for name, curve in curves.items()
    ]
