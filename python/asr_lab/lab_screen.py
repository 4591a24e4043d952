"""What the lab's commands print: tables of its state, lines of its log."""

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

FAILED = "red"
ROWS = 30
"""Rows of a table before the rest is only counted; --json has all."""

SIGNATURE = ("t", "c", "s", "h")
"""Query values of poll URLs that tell a reader nothing."""

_BAD = ("Failed", "EnablingFailed", "Cancelled")


def state(told: Mapping[str, Any]) -> RenderableType:
    """Return the lab's state as tables: vaults, items, jobs, machines, faults."""
    parts: list[RenderableType] = [f"Virtual time {told['now'][:19].replace('T', ' ')} UTC"]
    parts += [
        _table("Vaults", ("name", "state"), [(row["name"], row["state"]) for row in told.get("vaults", [])]),
        _table("Protected items", ("machine", "provider", "state", "progress", "allowed"), _items(told)),
        _table("Jobs, newest first", ("job", "of", "state", "started", "task"), _jobs(told)),
        _table("Virtual machines in Azure", ("name", "size"), _machines(told)),
        _table("Hosts", ("host", "address", "runs", "Mobility service"), _hosts(told)),
    ]
    if told.get("blocked"):
        parts.append(_table("Blocked ways", ("from", "to", "port"), [tuple(way) for way in told["blocked"]]))
    parts += [Text(f"The person at the appliance: {words}", style="yellow") for words in told.get("person", [])]
    return Group(*parts)


def scenarios(rows: Iterable[Mapping[str, Any]]) -> RenderableType:
    """Return the scenarios that can be injected, as a table."""
    table = Table("scenario", "what happens", box=None, pad_edge=False, title_justify="left")
    for row in rows:
        text = Text(str(row.get("title", "")))
        if row.get("description"):
            text.append(f"\n{row['description'].strip()}", style="dim")
        table.add_row(str(row["name"]), text)
    return table


def log_line(entry: Mapping[str, Any]) -> str:
    """Return one request of the log as a line."""
    asked = entry.get("query") or {}
    query = "&".join(f"{name}={value}" for name, value in asked.items() if name not in SIGNATURE)
    path = entry["path"] + (f"?{query}" if query else "")
    code = f"  {entry['code']}" if entry.get("code") else ""
    return f"{entry['at'][:19]}  {entry['method']:<6} {entry['status']:>3}  {path}{code}"


def show(what: RenderableType) -> None:
    """Print something; without a terminal as wide as it needs to be."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(what, highlight=False)


def _table(title: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> RenderableType:
    if not rows:
        return Text(f"\n{title}: none", style="dim")
    table = Table(*columns, title=f"\n{title}", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for row in rows[:ROWS]:
        bad = any(str(cell) in _BAD for cell in row)
        table.add_row(*(cell if isinstance(cell, Text) else str(cell) for cell in row), style=FAILED if bad else "")
    if len(rows) > ROWS:
        table.add_row(f"... and {len(rows) - ROWS} more (--json shows all)", style="dim")
    return table


def _items(told: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (
            row["name"],
            row["provider"],
            row["state"],
            "" if row.get("progress") is None else f"{100 * row['progress']:.0f} %",
            ", ".join(row.get("allowed", [])),
        )
        for row in told.get("items", [])
    ]


def _jobs(told: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    rows = []
    for row in reversed(told.get("jobs", [])):
        tasks = row.get("tasks") or {}
        task = next((name for name, state in tasks.items() if state in ("InProgress", "Failed")), "")
        state = row["state"] + (f" ({row['error']})" if row.get("error") else "")
        cell = Text(state, style=FAILED) if row["state"] in _BAD else state
        rows.append((row["scenario"], row["target"], cell, row["started"][:19].replace("T", " "), task))
    return rows


def _machines(told: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    return [(row["name"], row["size"]) for row in told.get("virtual_machines", [])]


def _hosts(told: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (name, host["address"], "yes" if host["running"] else "no", host["agent_version"] or "")
        for name, host in told.get("hosts", {}).items()
    ]
