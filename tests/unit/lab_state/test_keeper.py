"""The keeper of the state file: when it writes, and what it does when it cannot."""

import asyncio
import logging
from datetime import UTC, datetime

import pytest

from asr_lab.arm.landing_zone import seed
from asr_lab.arm.state_file import restore
from asr_lab.arm.wire import Request
from asr_lab.arm.world import World
from asr_lab.clock import VirtualClock
from asr_lab.lab_keeper import Keeper

START = datetime(2026, 4, 1, 8, tzinfo=UTC)
GROUP = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups"


class Kept:
    """A world with its keeper; ``written`` counts how often what stands beside the world was asked for."""

    def __init__(self, path):
        self.path = path
        self.world = World()
        self.clock = VirtualClock(1, START)
        seed(self.world, START)
        self.written = 0
        self.keeper = Keeper(path, self.world, self.clock, outside={}, parts=self.parts, every_s=0.01, share=1)

    def parts(self):
        self.written += 1
        return {"written": self.written}

    def make_group(self, name):
        body = {"location": "westeurope"}
        request = Request("PUT", f"{GROUP}/{name}", {"api-version": "2025-04-01"}, {}, body)
        assert self.world.handle(request, self.clock.now()).status == 201

    async def until_written(self, times):
        """Give way to the keeper until it has written so often."""
        async with asyncio.timeout(20):
            while self.written < times:
                await asyncio.to_thread(self.path.exists)


@pytest.fixture
def kept(tmp_path):
    return Kept(tmp_path / "world.state")


def test_it_writes_after_a_change_and_when_the_lab_ends(kept):
    async def story():
        kept.keeper.start()
        await kept.until_written(1)
        kept.make_group("rg-one")
        await kept.until_written(2)
        kept.make_group("rg-two")
        await kept.keeper.stop()

    asyncio.run(story())
    world = World()
    restore(kept.path, world)
    assert f"{GROUP}/rg-two" in world.resources


def test_reading_is_no_reason_to_write(kept):
    async def story():
        kept.keeper.start()
        await kept.until_written(1)
        before = kept.world.changes
        kept.world.handle(Request("GET", f"{GROUP}/rg-migration", {"api-version": "2025-04-01"}, {}), START)
        assert kept.world.changes == before
        await kept.keeper.stop()

    asyncio.run(story())
    assert kept.written == 2


def test_a_world_that_cannot_be_written_is_told_once_and_the_lab_goes_on(kept, caplog):
    async def story():
        await kept.keeper.keep()
        kept.world.after(START, 60, lambda due: None)
        await kept.keeper.keep()
        await kept.keeper.keep()

    with caplog.at_level(logging.ERROR):
        asyncio.run(story())
    assert len(caplog.records) == 1
    assert "is not up to date: the world holds what no file can hold" in caplog.text
    restore(kept.path, World())


def test_a_directory_that_is_gone_is_told_too(kept, caplog):
    kept.path.parent.rmdir()
    with caplog.at_level(logging.ERROR):
        asyncio.run(kept.keeper.keep())
    assert "is not up to date" in caplog.text


def test_restoring_sets_the_clock_to_where_it_stood(kept):
    asyncio.run(kept.keeper.keep())
    other = Kept(kept.path)
    other.clock = VirtualClock(1, datetime(2030, 1, 1, tzinfo=UTC))
    keeper = Keeper(kept.path, other.world, other.clock, outside={}, parts=dict)
    saved = keeper.restore()
    assert saved.parts == {"written": 1}
    assert other.clock.now().year == 2026
