"""The table of the matrix: which rule was broken on which flavour, and how often the report named exactly it."""

from collections import Counter
from collections.abc import Callable

import pytest

_CELL = "matrix"


@pytest.fixture
def cell(record_property: Callable[[str, object], None]) -> Callable[[str, str], None]:
    """Note which rule is broken on which flavour; the test's outcome is the cell's."""

    def note(rule: str, flavour: str) -> None:
        record_property(_CELL, (rule, flavour))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many cases of each rule passed on each flavour; a failed one shows as ``!``."""
    passed, failed = _counted(terminalreporter, "passed"), _counted(terminalreporter, "failed")
    if not passed and not failed:
        return
    rules = sorted({rule for rule, _ in (*passed, *failed)})
    flavours = list(dict.fromkeys(flavour for _, flavour in (*passed, *failed)))
    width = max(len(rule) for rule in rules)
    terminalreporter.section(f"{sum(passed.values())} cases of {len(rules)} rules on {len(flavours)} flavours")
    for kind in ("windows", "linux"):
        mine = [flavour for flavour in flavours if (kind == "windows") == flavour.startswith("windows")]
        if not mine:
            continue
        terminalreporter.write_line(f"{'':{width}}  " + "  ".join(_short(flavour) for flavour in mine))
        for rule in rules:
            cells = [_shown(passed[rule, flavour], failed[rule, flavour]) for flavour in mine]
            if any(cells):
                spread = (f"{text:>{len(_short(flavour))}}" for text, flavour in zip(cells, mine, strict=True))
                terminalreporter.write_line(f"{rule:{width}}  " + "  ".join(spread))


def _counted(reporter: pytest.TerminalReporter, outcome: str) -> Counter[tuple[str, str]]:
    reports = [report for report in reporter.stats.get(outcome, []) if report.when == "call"]
    return Counter(value for report in reports for name, value in report.user_properties if name == _CELL)


def _short(flavour: str) -> str:
    return flavour.removeprefix("windows-")


def _shown(passed: int, failed: int) -> str:
    return f"{passed or ''}{'!' * failed}"
