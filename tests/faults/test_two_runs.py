"""Two runs want one wave at once: one has it, the other refuses and says who has it; nothing is doubled."""

import asyncio
import json

import pytest

from asr_lab.arm.faults import parse_fault

from . import verdict
from .lab import FaultLab
from .runs import ROAD, Ran, Runs
from .story import judged

HERE, THERE = "here", "there"
GOAL = ("protected",)
STALE_S = 901.0


ENABLE_S = 2400
"""How long the first run has work to wait for: time enough for a second process to start, also on a busy computer."""


@pytest.fixture
def lab(tmp_path) -> FaultLab:
    made = FaultLab(tmp_path, "classic", machines=3, speed=240.0)
    made.world.faults.rows.insert(0, parse_fault({"match": {"step": "enable"}, "seconds": ENABLE_S}))
    return made


def played(lab: FaultLab, story) -> None:
    """Play ``story(runs)`` against the lab, finish the wave with one more run, and judge everything."""

    async def go() -> None:
        async with lab.served() as url:
            runs = Runs(lab, url)
            await story(runs)
            last = await (await runs.start(ROAD, controller=HERE)).ended()
            assert last.code == 0, last.failures()

    asyncio.run(go())
    assert judged(lab) == []


def first_change(lab: FaultLab) -> asyncio.Event:
    """Return an event that is set when a write other than those of the lock takes effect."""
    seen = asyncio.Event()

    def watch(request) -> None:
        if request.method not in ("GET", "HEAD") and verdict.LOCK_PATH not in request.path.casefold():
            seen.set()

    lab.world.after_effect = watch
    return seen


def changes_of(lab: FaultLab, controller: str) -> list[str]:
    """Return the paths of what a controller's journal says it sent, without those of the lock and without results."""
    journal = lab.folder / controller / "w0.jsonl"
    lines = map(json.loads, journal.read_text(encoding="utf-8").splitlines()) if journal.is_file() else ()
    paths = [line["path"] for line in lines if line["event"] != "result"]
    return [path for path in paths if verdict.LOCK_PATH not in path.casefold()]


def refused(ran: Ran, holder: str) -> bool:
    """Return whether a run was refused with a sentence that names who has the wave and since when."""
    message = (ran.result.get("error") or {}).get("message", "")
    return ran.held and f"faults@{holder}" in message and "since" in message


def test_a_second_run_refuses_names_the_first_and_changes_nothing_here_and_elsewhere(lab):
    async def story(runs: Runs) -> None:
        begun = first_change(lab)
        working = await runs.start(GOAL, controller=HERE)
        await working.until(begun)
        late = [await runs.start(ROAD, controller=controller) for controller in (HERE, THERE)]
        for run in late:
            ran = await run.ended()
            assert refused(ran, HERE), ran.output
        assert changes_of(lab, THERE) == []
        assert (await working.ended()).code == 0

    played(lab, story)


def test_of_two_runs_that_begin_together_exactly_one_works(lab):
    async def story(runs: Runs) -> None:
        pair = [await runs.start(GOAL, controller=name) for name in (HERE, THERE)]
        ended = await asyncio.gather(*(run.ended() for run in pair))
        assert sorted(ran.code for ran in ended) == [0, 3], [ran.output for ran in ended]
        loser = next(ran for ran in ended if ran.code == 3)
        assert loser.held, loser.output

    played(lab, story)


def test_a_killed_run_s_wave_is_taken_over_elsewhere_after_fifteen_minutes(lab):
    async def story(runs: Runs) -> None:
        begun = first_change(lab)
        working = await runs.start(GOAL, controller=HERE)
        await working.until(begun)
        assert (await working.killed()).killed
        elsewhere = await (await runs.start(GOAL, controller=THERE)).ended()
        assert refused(elsewhere, HERE), elsewhere.output
        lab.clock.advance(STALE_S)
        assert (await (await runs.start(GOAL, controller=THERE)).ended()).code == 0

    played(lab, story)
