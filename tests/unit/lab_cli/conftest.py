"""The lab's command line as a user types it, on a loopback network of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

NET = "127.48"
PYTHON_PATH = os.pathsep.join(path for path in sys.path if path)


@dataclass
class Commands:
    """Runs commands of the lab on one state directory."""

    state: Path

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "asr_lab", words[0], "--state", str(self.state), *words[1:]],
            capture_output=True,
            check=False,
            text=True,
            timeout=90,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": PYTHON_PATH, "COLUMNS": "160"},
        )

    def ok(self, *words: str) -> str:
        """Run a command that has to succeed and return what it printed."""
        done = self(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def status(self) -> Any:
        return json.loads(self.ok("status", "--json"))

    def settings(self) -> dict[str, str]:
        lines = (self.state / "env").read_text().splitlines()
        return dict(line.removeprefix("export ").split("=", 1) for line in lines)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """A running lab."""
    commands = Commands(tmp_path_factory.mktemp("lab") / "state")
    commands.ok("up", "--net", NET)
    yield commands
    commands("down")


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[Commands]:
    """No lab; one that a test starts is ended."""
    commands = Commands(tmp_path / "state")
    yield commands
    commands("down")
