"""Stopping a run: what the modules under ansible-playbook leave behind for the command line.

ansible-playbook passes SIGINT and SIGTERM on to its modules and then ends without waiting for their results. So each
module that changes Azure stands with a file of its own, ``<pid>.json``, in the folder ``ASR_RUN_DIR``: while it works,
and, when it was stopped, afterwards with the reason and with what Azure goes on with.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr_migrate.clock import Clock

VARIABLE = "ASR_RUN_DIR"
PATIENCE_S = 60.0
LOOK_S = 0.2


@dataclass(frozen=True)
class Stopped:
    """One module's work that was stopped. ``why`` is None when the module ended without a word (it was killed)."""

    about: str
    why: str | None
    lines: tuple[str, ...] = ()


@contextmanager
def run_folder() -> Iterator[Path]:
    """Make the folder that a run's modules use, for the length of a block; only this user reads it."""
    with tempfile.TemporaryDirectory(prefix="asr-run-") as folder:
        yield Path(folder)


def environment(folder: Path) -> dict[str, str]:
    """Return what tells the modules where the folder is."""
    return {VARIABLE: str(folder)}


def stopped(folder: Path, patience_s: float = PATIENCE_S) -> list[Stopped]:
    """Return what was stopped, once every module has ended or ``patience_s`` seconds have passed; empty for nothing.

    A module that is still at work then is among them, and says so.
    """
    clock = Clock()
    deadline_s = clock.monotonic() + patience_s
    while any(_alive(told) for told in _files(folder)) and clock.monotonic() < deadline_s:
        clock.wait(LOOK_S)
    found = []
    for told in _files(folder):
        lines = tuple(str(line) for line in told["lines"])
        if _alive(told):
            lines += (f"process {told['pid']} has not ended yet; it asks for nothing more",)
        found.append(Stopped(str(told["about"]), told["stopped"], lines))
    return found


def _files(folder: Path) -> list[Mapping[str, Any]]:
    return [_read(path) for path in sorted(folder.glob("[0-9]*.json")) if path.exists()]


def _read(path: Path) -> Mapping[str, Any]:
    nothing: Mapping[str, Any] = {"pid": 0, "about": "a module", "stopped": None, "lines": ()}
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return nothing
    return nothing if not isinstance(told, Mapping) else {**nothing, **told}


def _alive(told: Mapping[str, Any]) -> bool:
    if not told["pid"]:
        return False
    try:
        os.kill(int(told["pid"]), 0)
    except (OSError, ValueError):
        return False
    return True
