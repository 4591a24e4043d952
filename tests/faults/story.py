"""A story: one wave is migrated by runs that are killed and run again, then it is judged.

Nothing of a run survives but its journal and what is in the vault, as when a computer loses power.
"""

import asyncio
import json
import random
from dataclasses import dataclass, field
from pathlib import Path

from . import answers, moments, verdict
from .lab import ADDRESS, Architecture, FaultLab
from .moments import Moment
from .runs import LONGEST_RUN_S, Runs
from .verdict import Violation

MACHINES = 20
SMALL_WAVES = 3
FAILED_RUNS = 12
THE_WAVE = "the wave"


@dataclass
class Told:
    """What is told of a story: a row of the table, every violation, and what machines failed with on the way."""

    seed: int
    architecture: Architecture
    kills: int = 0
    reruns: int = 0
    writes: int = 0
    seconds: float = 0.0
    violations: list[Violation] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def count(self, *kinds: str) -> int:
        """Return how many machines have a violation of these kinds."""
        return len({violation.machine for violation in self.violations if violation.kind in kinds})

    def lose(self, what: str) -> None:
        self.violations.append(Violation("lost", THE_WAVE, what))


def waves_of(seed: int) -> int:
    """Return whether a story has one wave, large enough for recovery plans, or small ones whose machines go singly."""
    return SMALL_WAVES if seed // 2 % 2 else 1


async def tell(
    folder: Path, seed: int, architecture: Architecture, kills: int, *, cut: bool = False, address: str = ADDRESS
) -> Told:
    """Play the story of ``seed``: at most ``kills`` kills, a fifth of the answers faulty; then judge it.

    With ``cut`` each kill also cuts the journals off at a random byte, and lists are never stale: a journal is all that
    tells of a change that no list shows.
    """
    told = Told(seed, architecture)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    lab = FaultLab(folder, architecture, MACHINES, seed, waves_of(seed), address=address)
    for row in answers.rows(seed, stale=not cut):
        lab.world.faults.add(row)
    async with lab.served() as url:
        runs = Runs(lab, url)
        await _migrate(runs, told, moments.draw(seed, kills), random.Random(f"cut {seed}") if cut else None)
        lab.all_well()
        told.violations += judged(lab)
        told.writes = sum(verdict.changes(lab.world).values())
        told.reruns = runs.count - 1
        await _ask_again(runs, told)
    told.seconds = loop.time() - began_s
    _keep(folder, told, lab)
    return told


async def _migrate(runs: Runs, told: Told, planned: list[Moment], cuts: random.Random | None) -> None:
    """Run until a run ends with every machine migrated; what went wrong for good becomes a violation."""
    failed = 0
    while failed < FAILED_RUNS:
        moment = planned.pop(0) if planned else None
        ran = await runs.run(moment)
        told.kills += ran.killed
        if ran.killed and cuts:
            _cut(runs.lab.folder, cuts)
        if ran.killed and moment is None:
            told.lose(f"a run that nobody killed had not ended after {LONGEST_RUN_S:.0f} s: {ran.last_words}")
            return
        if ran.held:
            told.lose(f"run {runs.count} waits for a run that was killed on the same computer: {ran.failures()}")
            return
        if not ran.killed:
            if ran.code == 0:
                return
            failed += 1
            told.failures += [f"run {runs.count}: {name}: {why}" for name, why in ran.failures().items()]
            if not ran.result:
                told.lose(f"a run ended with {ran.code}: {ran.last_words}")
                return
    told.lose(f"not migrated after {failed} runs that nobody killed")


def _cut(folder: Path, chance: random.Random) -> None:
    """Cut every journal off at some byte."""
    for journal in sorted(folder.glob("*/*.jsonl")):
        content = journal.read_bytes()
        journal.write_bytes(content[: chance.randint(0, len(content))])


def judged(lab: FaultLab) -> list[Violation]:
    """Return what is wrong with a lab whose wave should be migrated."""
    return [*verdict.repeated(lab.world), *verdict.cancelled(lab.world), *verdict.lost(lab)]


async def _ask_again(runs: Runs, told: Told) -> None:
    """Run everything once more: it succeeds and sends nothing."""
    before = verdict.changes(runs.lab.world)
    ran = await runs.run()
    sent = verdict.changes(runs.lab.world) - before
    told.violations += [Violation("repeated", path.split("/")[0], f"a run after the end sent {path}") for path in sent]
    if ran.code:
        told.lose(f"a run after the end failed with {ran.code}: {ran.failures() or ran.last_words}")


def _keep(folder: Path, told: Told, lab: FaultLab) -> None:
    """Write the lab's log, its jobs and what was judged beside the runs' own output."""
    with (folder / "lab-log.jsonl").open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(logged.row()) + "\n" for logged in lab.world.log)
    jobs = [
        f"{machine}\t{scenario}\t{verdict.described(job)}"
        for machine, by_scenario in sorted(verdict.machine_jobs(lab.world).items())
        for scenario, found in by_scenario.items()
        for job in found
    ]
    (folder / "jobs.tsv").write_text("\n".join(jobs) + "\n", encoding="utf-8")
    report = [*map(str, told.violations), *told.failures]
    (folder / "violations.txt").write_text("\n".join(report) + "\n", encoding="utf-8")
