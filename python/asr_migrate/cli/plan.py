"""The plan: what check mode would send, read from what the modules left, as a table and as JSON."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table


@dataclass(frozen=True)
class Planned:
    """One write that would be sent. ``calls`` are its requests to Azure with those that see it through.

    ``calls`` and ``minutes`` are None when they are not known.
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
    """Every write in the order in which it would be sent, and why a machine would be refused: (goal, machine, why)."""

    writes: tuple[Planned, ...] = ()
    refused: tuple[tuple[str, str, str], ...] = field(default=())

    @property
    def calls(self) -> int:
        return sum(write.calls or 0 for write in self.writes)

    def as_dict(self) -> dict[str, Any]:
        return {
            "writes": [write.as_dict() for write in self.writes],
            "refused": [{"goal": goal, "machine": name, "why": why} for goal, name, why in self.refused],
            "calls": self.calls,
        }


def read(folder: Path) -> Plan:
    """Return the plan that the modules of one check run left in ``folder``, in the order of its tasks."""
    left = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("plan-*.json"))]
    writes = [_planned(row) for told in left for row in told["writes"]]
    refused = [
        (str(told["goal"]), name, str(result["summary"]))
        for told in left
        if told.get("goal")
        for name, result in told["machines"].items()
        if result.get("failed")
    ]
    return Plan(tuple(writes), tuple(refused))


def _planned(row: Mapping[str, Any]) -> Planned:
    request = " ".join(part for part in (row["method"], row.get("path") or "") if part)
    return Planned(
        what=str(row["what"]),
        why=str(row.get("why") or ""),
        request=request,
        machine=row.get("machine") or None,
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
    shown = Table(title="What would be sent, in this order", title_justify="left", header_style="bold")
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


def refusals(rows: Iterable[tuple[str, str, str]]) -> Table:
    """Return the machines that would be refused as a table."""
    shown = Table(title="What would be refused", title_justify="left", header_style="bold")
    for title in ("Goal", "Machine", "Why"):
        shown.add_column(title, overflow="fold")
    for row in rows:
        shown.add_row(*(escape(cell) for cell in row))
    return shown
