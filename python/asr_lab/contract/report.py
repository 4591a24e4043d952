"""What the replay of a folder of recorded sessions found, as tables, lines and JSON."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from asr_lab.contract.exceptions import Allowed
from asr_lab.contract.replay import Result, SessionReport

_HEADS = ("file", "exchanges", "equal", "of these by exception", "deviating", "not compared")


def show(reports: Sequence[SessionReport], console: Console, *, verbose: bool) -> None:
    """Print every deviation, the exceptions that were needed, what was not compared, and the table by file."""
    for report in reports:
        _show_deviations(report, console, verbose=verbose)
    _show_exceptions(reports, console)
    _show_skipped(reports, console)
    _show_table(reports, console)
    console.print(sentence(reports), markup=False, highlight=False, soft_wrap=True)


def sentence(reports: Sequence[SessionReport]) -> str:
    """Return the total as one sentence."""
    equal = sum(report.count("equal", "allowed") for report in reports)
    compared = sum(report.count("equal", "allowed", "deviates") for report in reports)
    whole = sum(report.equal for report in reports)
    return f"{equal} of {compared} exchanges are answered as recorded; {whole} of {len(reports)} files."


def as_json(reports: Sequence[SessionReport]) -> dict[str, Any]:
    """Return everything that was found, as plain JSON values."""
    return {
        "files": [
            {
                "file": report.session.path.name,
                "exchanges": len(report.results),
                "equal": report.count("equal", "allowed"),
                "equal_by_exception": report.count("allowed"),
                "deviating": report.count("deviates"),
                "not_compared": report.count("skipped"),
                "notes": report.notes,
                "results": [_result_json(result) for result in report.results],
            }
            for report in reports
        ],
        "exceptions": [{"path": row.path, "reason": row.reason, "times": times} for row, times in _used(reports)],
        "total": sentence(reports),
    }


def used_exceptions(reports: Sequence[SessionReport]) -> set[Allowed]:
    """Return the rows of the table of exceptions that allowed something."""
    return {row for row, _times in _used(reports)}


def _result_json(result: Result) -> dict[str, Any]:
    return {
        "index": result.exchange.index,
        "request": result.exchange.asks,
        "outcome": result.outcome,
        "reason": result.reason,
        "deviations": [
            {"path": one.path, "text": one.text, "allowed": one.allowed.reason if one.allowed else None}
            for one in result.deviations
        ],
    }


def _show_deviations(report: SessionReport, console: Console, *, verbose: bool) -> None:
    lines: list[str] = []
    for result in report.results:
        head = f"  [{result.exchange.index}] {result.exchange.asks}"
        for deviation in result.deviations:
            if deviation.allowed is None:
                lines.append(f"{head}: {deviation}")
            elif verbose:
                lines.append(f"{head}: {deviation} (allowed: {deviation.allowed.reason})")
        if verbose and not result.deviations:
            told = f"not compared: {result.reason}" if result.outcome == "skipped" else "equal"
            lines.append(f"{head}: {told}")
    notes = [f"  {note}" for note in report.notes] if lines else []
    if lines:
        console.print(
            "\n".join([report.session.path.name, *notes, *lines]), markup=False, highlight=False, soft_wrap=True
        )


def _show_exceptions(reports: Sequence[SessionReport], console: Console) -> None:
    used = _used(reports)
    if not used:
        return
    table = _table("resource", "provider", "path", "times", "why it is allowed", console=console, title="exceptions")
    for row, times in used:
        table.add_row(row.resource, row.instance_type, row.path, str(times), row.reason)
    console.print(table)


def _show_skipped(reports: Sequence[SessionReport], console: Console) -> None:
    found: dict[str, int] = {}
    for report in reports:
        for result in report.results:
            if result.reason:
                how = "not compared" if result.outcome == "skipped" else "status only"
                found[f"{how}: {result.reason}"] = found.get(f"{how}: {result.reason}", 0) + 1
    if found:
        table = _table("exchanges", "why", console=console, title="not compared in full")
        for reason, times in found.items():
            table.add_row(str(times), reason)
        console.print(table)


def _show_table(reports: Sequence[SessionReport], console: Console) -> None:
    table = _table(*_HEADS, console=console, title="recorded sessions", numbers=True)
    rows = [_numbers(report) for report in reports]
    for report, numbers in zip(reports, rows, strict=True):
        table.add_row(report.session.name, *map(str, numbers))
    table.add_section()
    table.add_row("total", *(str(sum(column)) for column in zip(*rows, strict=True)))
    console.print(table)


def _numbers(report: SessionReport) -> tuple[int, ...]:
    return (
        len(report.results),
        report.count("equal", "allowed"),
        report.count("allowed"),
        report.count("deviates"),
        report.count("skipped"),
    )


def _table(*heads: str, console: Console, title: str, numbers: bool = False) -> Table:
    table = Table(title=title, title_justify="left", box=None if not console.is_terminal else Table().box)
    for place, head in enumerate(heads):
        table.add_column(head, justify="right" if numbers and place else "left", overflow="fold")
    return table


def _used(reports: Sequence[SessionReport]) -> list[tuple[Allowed, int]]:
    found: dict[Allowed, int] = {}
    for report in reports:
        for result in report.results:
            for deviation in result.deviations:
                if deviation.allowed is not None:
                    found[deviation.allowed] = found.get(deviation.allowed, 0) + 1
    return list(found.items())
