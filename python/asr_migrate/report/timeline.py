"""Where the bars of the report's timeline are drawn: pure geometry, in the units of the SVG's viewBox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from asr_migrate.report.model import Step, WaveReport

LABELS = 150
WIDTH = 900
ROW = 30
TOP = 26
BAR = 14
THIN = 4
_MIN_BAR = 3.0
_TICK_STEPS_S = (60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800)
_TICKS = 8


@dataclass(frozen=True)
class Bar:
    """One step: ``kind`` is its colour's name, ``tip`` what a reader sees when pointing at it."""

    x: float
    y: float
    width: float
    kind: str
    tip: str
    running: bool


@dataclass(frozen=True)
class Tick:
    """One line of the time axis and its label."""

    x: float
    label: str


@dataclass(frozen=True)
class Timeline:
    """The whole drawing. ``rows`` are (machine name, y of its text); in ``protected`` a machine only replicated."""

    width: int
    height: int
    rows: tuple[tuple[str, float], ...]
    bars: tuple[Bar, ...]
    protected: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    begins: datetime
    ends: datetime


_KINDS = {
    "EnableDr": "replicate",
    "IrCompletion": "replicate",
    "PrimaryIrCompletion": "replicate",
    "SecondaryIrCompletion": "replicate",
    "UpdateVmProperties": "replicate",
    "TestFailover": "test",
    "TestFailoverCleanup": "test",
    "UnplannedFailover": "failover",
    "CommitFailover": "complete",
    "DisableDr": "complete",
}
LEGEND = (("replicate", "replication"), ("test", "test failover"), ("failover", "failover"), ("complete", "completion"))


def _tick_step_s(span_s: float) -> int:
    return next((step for step in _TICK_STEPS_S if span_s / step <= _TICKS), _TICK_STEPS_S[-1])


def _ticks(begins: datetime, ends: datetime, scale: float) -> tuple[Tick, ...]:
    """Return ticks at round times; the label carries the date where the day changes."""
    step_s = _tick_step_s((ends - begins).total_seconds())
    midnight = begins.replace(hour=0, minute=0, second=0, microsecond=0)
    first = int((begins - midnight).total_seconds() // step_s + 1)
    ticks: list[Tick] = []
    moment = midnight + timedelta(seconds=first * step_s)
    while moment <= ends:
        label = moment.strftime("%d %b" if moment.hour == moment.minute == 0 else "%H:%M")
        ticks.append(Tick(LABELS + (moment - begins).total_seconds() * scale, label))
        moment += timedelta(seconds=step_s)
    return tuple(ticks)


def _bar(step: Step, y: float, begins: datetime, ends: datetime, scale: float) -> Bar | None:
    if step.started is None:
        return None
    ended = step.ended or ends
    width = max(_MIN_BAR, (ended - step.started).total_seconds() * scale)
    state = "" if step.state == "Succeeded" else f" ({step.state})"
    tip = (
        f"{step.title}{state}: {step.started:%Y-%m-%d %H:%M} to {ended:%H:%M}"
        if step.ended
        else f"{step.title}: running"
    )
    kind = "failed" if step.state == "Failed" else _KINDS.get(step.scenario, "replicate")
    return Bar(LABELS + (step.started - begins).total_seconds() * scale, y, width, kind, tip, step.ended is None)


def _protected(steps: Sequence[Step], y: float, begins: datetime, ends: datetime, scale: float) -> Bar | None:
    """Return the thin bar from the end of enabling to the last failover, or to the end while there was none."""
    enabled = next((step.ended for step in steps if step.scenario == "EnableDr" and step.state == "Succeeded"), None)
    if enabled is None:
        return None
    until = max((step.started for step in steps if step.scenario == "UnplannedFailover" and step.started), default=ends)
    tip = f"Replicating: {enabled:%Y-%m-%d %H:%M} to {until:%H:%M}"
    x = LABELS + (enabled - begins).total_seconds() * scale
    return Bar(x, y, max(0.0, (until - enabled).total_seconds() * scale), "replicate", tip, True)


def _moments(steps: Sequence[Step]) -> list[datetime]:
    return [moment for step in steps for moment in (step.started, step.ended) if moment]


def lay_out(report: WaveReport) -> Timeline | None:
    """Return the drawing of every machine that has a step, or None when there is nothing to draw."""
    machines = [machine for machine in report.machines if _moments(machine.steps)]
    moments = [moment for machine in machines for moment in _moments(machine.steps)]
    if not moments:
        return None
    begins, ends = min(moments), max(moments)
    scale = (WIDTH - LABELS - 10) / max(1.0, (ends - begins).total_seconds())
    bars: list[Bar] = []
    protected: list[Bar] = []
    rows: list[tuple[str, float]] = []
    for index, machine in enumerate(machines):
        y = TOP + index * ROW
        rows.append((machine.name, y + ROW / 2))
        made = (_bar(step, y + (ROW - BAR) / 2, begins, ends, scale) for step in machine.steps)
        bars.extend(bar for bar in made if bar)
        if span := _protected(machine.steps, y + (ROW - THIN) / 2, begins, ends, scale):
            protected.append(span)
    height = TOP + len(machines) * ROW + 6
    ticks = _ticks(begins, ends, scale)
    return Timeline(WIDTH, height, tuple(rows), tuple(bars), tuple(protected), ticks, begins, ends)
