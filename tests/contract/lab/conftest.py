"""Says at the end how many recorded exchanges the lab answers as recorded."""

from dataclasses import dataclass, field

import pytest


@dataclass
class Tally:
    """Exchanges that were answered as recorded, those that were not, and what is not covered, by name."""

    passed: int = 0
    failed: int = 0
    not_covered: dict[str, str] = field(default_factory=dict)
    sessions: set[str] = field(default_factory=set)
    used_exceptions: set[tuple[str, str, str]] = field(default_factory=set)

    @property
    def sentence(self) -> str:
        return f"{self.passed} of {self.passed + self.failed} exchanges pass"


TALLY = pytest.StashKey[Tally]()


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Tally:
    found = Tally()
    request.config.stash[TALLY] = found
    return found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(TALLY, None)
    if found is None or not found.passed + found.failed:
        return
    terminalreporter.section("recorded exchanges of Site Recovery")
    terminalreporter.write_line(found.sentence)
    for name, reason in found.not_covered.items():
        terminalreporter.write_line(f"not covered: {name} ({reason})")
