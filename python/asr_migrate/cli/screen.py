"""What the command line shows: tables for people, errors with cause and remedy."""

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from asr_migrate.cli.verdict import Row
from asr_migrate.domain.errors import AsrMigrateError

_COLOURS = {"migrated": "green", "refused": "yellow", "failed": "red", "missing": "red"}


def summary(rows: Iterable[Row], title: str) -> Table:
    """Return the table of machines: wave, machine, result and stage, Azure VM, reasons."""
    table = Table(title=title, title_justify="left", header_style="bold")
    table.add_column("Wave")
    table.add_column("Machine")
    table.add_column("Result")
    table.add_column("Stage")
    table.add_column("Azure VM")
    table.add_column("Why", overflow="fold")
    for row in rows:
        colour = _COLOURS.get(row.result, "cyan")
        result = f"[{colour}]{escape(row.result.replace('_', ' '))}[/{colour}]"
        cells = (row.stage.replace("_", " "), row.azure_vm, "; ".join(row.reasons))
        table.add_row(escape(row.wave), escape(row.machine), result, *(escape(cell) for cell in cells))
    return table


def show_error(console: Console, error: AsrMigrateError) -> None:
    """Print what happened, why, and what to do."""
    console.print(f"[red]Error:[/red] {escape(error.message)}", soft_wrap=True)
    if error.cause:
        console.print(f"Cause:  {escape(error.cause)}", soft_wrap=True)
    if error.remedy:
        console.print(f"Remedy: {escape(error.remedy)}", soft_wrap=True)
