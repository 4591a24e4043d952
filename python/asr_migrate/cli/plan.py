"""The plan: what check mode would change, read from what modules and callback left, as a table and as JSON."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from asr_migrate.cli import failures
from asr_migrate.cli.failures import Failed


@dataclass(frozen=True)
class Planned:
    """One change that would be made. ``request`` is empty for a change on a host.

    ``calls`` are its requests to Azure with those that see it through; it and ``minutes`` are None when not known.
    """

    what: str
    why: str
    request: str
    machine: str | None = None
    body: str = ""
    calls: int | None = None
    minutes: float | None = None
    gates: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "machine": self.machine,
            "request": self.request,
            "what": self.what,
            "why": self.why,
            "body": self.body,
            "calls": self.calls,
            "minutes": self.minutes,
            "gates": list(self.gates),
        }


@dataclass(frozen=True)
class Plan:
    """Every change in the order in which it would be made, and what stands in the way.

    ``refused`` are machines that would be refused, as (goal, machine, why); ``failed`` is what could not be planned.
    """

    writes: tuple[Planned, ...] = ()
    refused: tuple[tuple[str, str, str], ...] = field(default=())
    failed: tuple[Failed, ...] = ()

    @property
    def calls(self) -> int:
        return sum(write.calls or 0 for write in self.writes)

    def as_dict(self) -> dict[str, Any]:
        return {
            "writes": [write.as_dict() for write in self.writes],
            "refused": [{"goal": goal, "machine": name, "why": why} for goal, name, why in self.refused],
            "failed": [one.as_dict() for one in self.failed],
            "calls": self.calls,
        }


def read(folder: Path) -> Plan:
    """Return the plan that one check run left in ``folder``, in the order of its tasks.

    A change without a goal that stands there already is the same change: two appliances may share a security group.
    """
    left = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("plan-*.json"))]
    sources = {source: name for told in left for source, name in (told.get("sources") or {}).items()}
    writes: list[Planned] = []
    for told in left:
        rows = [_planned(row, sources) for row in told["writes"]]
        writes += [row for row in rows if told.get("goal") or row not in writes]
    refused = [
        (str(told["goal"]), name, str(result["summary"]))
        for told in left
        if told.get("goal")
        for name, result in told["machines"].items()
        if result.get("failed")
    ]
    said = [why for _, _, why in refused]
    failed = [one for one in failures.read(folder) if not any(" ".join(why.split()) in one.message for why in said)]
    return Plan(tuple(writes), tuple(refused), tuple(failed))


def _planned(row: Mapping[str, Any], sources: Mapping[str, str]) -> Planned:
    """Return a row of what a module left; one that names only a source gets the name of its machine."""
    request = " ".join(part for part in (row["method"], row.get("path") or "") if part)
    what, machine = str(row["what"]), row.get("machine") or None
    if machine is None and (source := next((word for word in what.split() if word in sources), None)):
        machine = sources[source]
        what = f"{machine}: {what}"
    return Planned(
        what=what,
        why=str(row.get("why") or ""),
        request=request,
        machine=machine,
        body=_words(row.get("body")),
        calls=row.get("calls"),
        minutes=row.get("minutes"),
        gates=tuple(str(gate) for gate in row.get("gates") or ()),
    )


def _words(body: Any) -> str:
    """Return a body's summary in one line."""
    if isinstance(body, Mapping):
        return ", ".join(f"{name}: {value}" for name, value in body.items())
    return str(body or "")


def table(plan: Plan) -> Table:
    """Return the writes as a table; columns of which nothing is known are left out."""
    shown = Table(title="What would be changed, in this order", title_justify="left", header_style="bold")
    shown.add_column("#", justify="right")
    shown.add_column("What", overflow="fold")
    shown.add_column("Why", overflow="fold")
    shown.add_column("Request", overflow="fold")
    columns = [
        ("Body", "body", "left"),
        ("Calls", "calls", "right"),
        ("Minutes", "minutes", "right"),
        ("Gates", "gates", "left"),
    ]
    known = [column for column in columns if any(getattr(write, column[1]) for write in plan.writes)]
    for title, _, side in known:
        shown.add_column(title, justify="right" if side == "right" else "left", overflow="fold")
    for number, write in enumerate(plan.writes, start=1):
        more = (_cell(getattr(write, name)) for _, name, _ in known)
        shown.add_row(str(number), *(escape(cell) for cell in (write.what, write.why, write.request, *more)))
    return shown


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.0f}"
    return "; ".join(value) if isinstance(value, tuple) else str(value)


def failed(rows: Iterable[Failed]) -> Table:
    """Return what could not be planned as a table."""
    shown = Table(title="What could not be planned", title_justify="left", header_style="bold")
    for title in ("Host", "Task", "Why"):
        shown.add_column(title, overflow="fold")
    for row in rows:
        shown.add_row(*(escape(cell) for cell in (row.host, row.task, row.why)))
    return shown


def refusals(rows: Iterable[tuple[str, str, str]]) -> Table:
    """Return the machines that would be refused as a table."""
    shown = Table(title="What would be refused", title_justify="left", header_style="bold")
    for title in ("Goal", "Machine", "Why"):
        shown.add_column(title, overflow="fold")
    for row in rows:
        shown.add_row(*(escape(cell) for cell in row))
    return shown
