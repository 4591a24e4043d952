"""What the command line shows: tables for people, errors with cause and remedy."""

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from asr_migrate.cli.stopping import Stopped
from asr_migrate.cli.verdict import Row
from asr_migrate.domain.errors import AsrMigrateError

_COLOURS = {"migrated": "green", "refused": "yellow", "failed": "red", "missing": "red"}


def summary(rows: Iterable[Row], title: str) -> Table:
    """Return the table of machines: wave, machine, result and stage, RPO and time left if known, Azure VM, reasons."""
    listed = list(rows)
    known = [
        (title, name) for title, name in (("RPO", "rpo"), ("Left", "left")) if any(getattr(row, name) for row in listed)
    ]
    table = Table(title=title, title_justify="left", header_style="bold")
    table.add_column("Wave")
    table.add_column("Machine")
    table.add_column("Result")
    table.add_column("Stage")
    for title, _ in known:
        table.add_column(title)
    table.add_column("Azure VM")
    table.add_column("Why", overflow="fold")
    for row in listed:
        colour = _COLOURS.get(row.result, "cyan")
        result = f"[{colour}]{escape(row.result.replace('_', ' '))}[/{colour}]"
        more = (getattr(row, name) for _, name in known)
        cells = (row.stage.replace("_", " "), *more, row.azure_vm, "; ".join(row.reasons))
        table.add_row(escape(row.wave), escape(row.machine), result, *(escape(cell) for cell in cells))
    return table


def show_stopped(console: Console, stopped: Iterable[Stopped]) -> None:
    """Print what was stopped, why, and what Azure goes on with; for none, that Azure was being asked nothing."""
    listed = list(stopped)
    if not listed:
        console.print("[yellow]Stopped:[/yellow] nothing was being asked of Azure.", soft_wrap=True)
    for one in listed:
        why = one.why or "its module ended without a word; its lease in the vault ends by itself"
        console.print(f"[yellow]Stopped:[/yellow] {escape(one.about)}: {escape(why)}", soft_wrap=True)
        for line in one.lines:
            console.print(f"  goes on in Azure: {escape(line)}", soft_wrap=True)
    console.print("Nothing was cancelled. The same command goes on where each machine stands.", soft_wrap=True)


def show_error(console: Console, error: AsrMigrateError) -> None:
    """Print what happened, why, and what to do."""
    console.print(f"[red]Error:[/red] {escape(error.message)}", soft_wrap=True)
    if error.cause:
        console.print(f"Cause:  {escape(error.cause)}", soft_wrap=True)
    if error.remedy:
        console.print(f"Remedy: {escape(error.remedy)}", soft_wrap=True)
