"""The recorded sessions, replayed once for all tests; the folder is beside the repository or named by ASR_WIRE."""

import os
from pathlib import Path

import pytest

from asr_lab.contract import recording, report
from asr_lab.contract.replay import Replay, SessionReport

FOLDER = Path(os.environ.get("ASR_WIRE") or Path(__file__).parents[4] / "shared" / "wire")
MISSING = f"no recorded sessions at {FOLDER}; set ASR_WIRE to their folder"
REPORTS = pytest.StashKey[dict[str, SessionReport]]()


def recorded_files() -> list[Path]:
    """Return the recorded files, none when the folder is missing."""
    return sorted(FOLDER.glob("*.json")) if FOLDER.is_dir() else []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "recorded_file" in metafunc.fixturenames:
        found = recorded_files()
        skipped = pytest.param(None, marks=pytest.mark.skip(reason=MISSING), id="recordings")
        metafunc.parametrize("recorded_file", found or [skipped], ids=[path.stem for path in found] or None)


@pytest.fixture(scope="session")
def wire() -> Path:
    if not recorded_files():
        pytest.skip(MISSING)
    return FOLDER


@pytest.fixture(scope="session")
def replayed(request: pytest.FixtureRequest) -> "Replayed":
    return request.config.stash.setdefault(REPORTS, Replayed())


class Replayed(dict[str, SessionReport]):
    """The reports by name of file; a session is replayed when it is first asked for."""

    def of(self, path: Path) -> SessionReport:
        if path.stem not in self:
            self[path.stem] = Replay(recording.read(path)).run()
        return self[path.stem]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(REPORTS, None)
    if found:
        terminalreporter.section("recorded exchanges of Site Recovery")
        terminalreporter.write_line(report.sentence(list(found.values())))
