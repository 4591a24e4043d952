"""Runs of the product, each in a process of its own, against a lab that is served."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.worlds.served import ENVIRONMENT

from .lab import FaultLab
from .moments import Moment, Trap

ROAD = ("protected", "test_running", "tested", "failed_over", "migrated")
PROGRAM = Path(__file__).with_name("wave_process.py")
PYTHON_PATH = Path(__file__).parents[2] / "python"
LONGEST_RUN_S = 180.0
KILLED = -9
HELD = "WaveHeld"


@dataclass(frozen=True)
class Ran:
    """A run that has ended: its exit code (-9: killed), its result (empty when killed), and the lines it printed."""

    code: int
    result: dict[str, Any]
    output: str

    @property
    def killed(self) -> bool:
        return self.code == KILLED

    @property
    def held(self) -> bool:
        """Return whether it was refused because another run has the wave."""
        return bool((self.result.get("error") or {}).get("code") == HELD)

    @property
    def last_words(self) -> str:
        return " / ".join(self.output.strip().splitlines()[-3:])

    def failures(self) -> dict[str, str]:
        """Return what machines failed with, by name; the wave's own error under an empty name."""
        error = self.result.get("error")
        told = {"": f"{error['message']} [{error['code']}] {error['cause']}"} if error else {}
        for machines in (self.result.get("goals") or {}).values():
            told |= {name: machine["summary"] for name, machine in machines.items() if machine["failed"]}
        return told


class Run:
    """One run under way; ``result`` and ``output`` are its files."""

    def __init__(self, process: asyncio.subprocess.Process, result: Path, output: Path) -> None:
        self.process = process
        self._result = result
        self._output = output

    async def until(self, event: asyncio.Event, within_s: float = LONGEST_RUN_S) -> None:
        """Wait until ``event`` is set or the run has ended."""
        waits = {asyncio.ensure_future(self.process.wait()), asyncio.ensure_future(event.wait())}
        _, open_ones = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED, timeout=within_s)
        for one in open_ones:
            one.cancel()

    async def ended(self, within_s: float = LONGEST_RUN_S) -> Ran:
        """Return what came of it; one that does not end in time is killed."""
        await asyncio.wait({asyncio.ensure_future(self.process.wait())}, timeout=within_s)
        return await self.killed()

    async def killed(self) -> Ran:
        """Kill it if it still runs, and return what came of it."""
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        found = json.loads(self._result.read_text(encoding="utf-8")) if self._result.is_file() else {}
        return Ran(int(self.process.returncode or 0), found, self._output.read_text(encoding="utf-8"))


class Runs:
    """The runs of one story, numbered; the lab's folder gets what each of them was told and said."""

    def __init__(self, lab: FaultLab, url: str) -> None:
        self.lab = lab
        self.count = 0
        self._url = url

    async def start(self, goals: Sequence[str] = ROAD, *, controller: str = "controller") -> Run:
        """Start a run on the computer called ``controller``, which has journals and a home of its own."""
        self.count += 1
        home = self.lab.folder / controller
        home.mkdir(exist_ok=True)
        task, result, output = (
            self.lab.folder / f"run-{self.count:02d}.{end}" for end in ("task.json", "result.json", "txt")
        )
        description = self.lab.description(self._url, home, goals)
        task.write_text(json.dumps(description), encoding="utf-8")
        environment = {
            **os.environ,
            **ENVIRONMENT,
            "PYTHONPATH": str(PYTHON_PATH),
            "HOME": str(home),
            "ASR_ACTOR": f"faults@{controller}",
        }
        with output.open("wb") as lines:
            process = await asyncio.create_subprocess_exec(
                sys.executable, str(PROGRAM), str(task), str(result), stdout=lines, stderr=lines, env=environment
            )
        return Run(process, result, output)

    async def run(self, moment: Moment | None = None, goals: Sequence[str] = ROAD) -> Ran:
        """Run the product once, kill it at ``moment``, and return what came of it."""
        run = await self.start(goals)
        begun = asyncio.Event()
        trap = Trap(moment, run.process.kill, begun.set)
        self.lab.world.before, self.lab.world.after_effect = trap.before, trap.after_effect
        try:
            return await self._until(run, moment, begun)
        finally:
            self.lab.world.watch_nothing()

    @staticmethod
    async def _until(run: Run, moment: Moment | None, begun: asyncio.Event) -> Ran:
        if moment is None or moment.kind != "after":
            return await run.ended()
        await run.until(begun)
        return await run.ended(within_s=moment.seconds)
