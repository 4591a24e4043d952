"""One run per wave, whatever the order in which the requests of several runs arrive."""

import asyncio
import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest

from asr_migrate.clock import ManualClock
from asr_migrate.domain.errors import RefusedError, ServiceError
from asr_migrate.engine.lease import BEAT_S, STALE_S, Lease, LeaseLostError, Ticket, WaveHeldError


class VaultTags:
    """The tags of one vault; every request waits for a while that ``chance`` chooses, before and after its effect."""

    def __init__(self, clock, chance=None):
        self.clock = clock
        self.tags = {"owner": "somebody"}
        self.chance = chance

    async def _travel(self):
        for _ in range(self.chance.randint(0, 6) if self.chance else 0):
            await asyncio.sleep(0)

    async def read(self):
        await self._travel()
        seen = dict(self.tags), self.clock.now()
        await self._travel()
        return seen

    async def put(self, name, value):
        await self._travel()
        self.tags[name] = value
        await self._travel()

    async def drop(self, name, value):
        await self._travel()
        if self.tags.get(name) == value:
            del self.tags[name]
        await self._travel()


def lease(tags, clock, run, wave="1", **more):
    return Lease(tags, wave, holder=f"{run}@controller", clock=clock, run=run, **more)


def test_a_run_that_is_alone_gets_the_wave_and_leaves_nothing_behind():
    clock = ManualClock()
    tags = VaultTags(clock)

    async def story():
        async with lease(tags, clock, "a").held():
            assert len(tags.tags) == 2

    asyncio.run(story())
    assert tags.tags == {"owner": "somebody"}


def test_the_second_run_says_who_holds_the_wave_and_since_when_and_changes_nothing():
    clock = ManualClock(datetime(2026, 11, 21, 2, 0, tzinfo=UTC))
    tags = VaultTags(clock)

    async def story():
        async with lease(tags, clock, "a").held():
            before = dict(tags.tags)
            clock.advance(60)
            with pytest.raises(WaveHeldError, match="a@controller since 2026-11-21 02:00:00 UTC"):
                await lease(tags, clock, "b").acquire()
            assert tags.tags == before

    asyncio.run(story())


def test_another_wave_is_free():
    clock = ManualClock()
    tags = VaultTags(clock)

    async def story():
        async with lease(tags, clock, "a", wave="1").held(), lease(tags, clock, "b", wave="2").held():
            assert len(tags.tags) == 3

    asyncio.run(story())


@pytest.mark.parametrize("seed", range(300))
def test_of_runs_that_begin_at_once_exactly_one_gets_the_wave(seed):
    chance = random.Random(seed)
    clock = ManualClock()
    tags = VaultTags(clock, chance)
    holding = []
    most = []

    async def contend(run):
        mine = lease(tags, clock, run)
        try:
            await mine.acquire()
        except WaveHeldError:
            return False
        holding.append(run)
        most.append(len(holding))
        for _ in range(40):
            await asyncio.sleep(0)
        holding.remove(run)
        return True

    async def story():
        runs = [f"run{number}" for number in range(chance.randint(2, 5))]
        chance.shuffle(runs)
        return await asyncio.gather(*(contend(run) for run in runs))

    won = asyncio.run(story())
    assert sum(won) == 1
    assert max(most) == 1


def test_a_stale_lease_is_taken_over_after_its_rule_and_not_before():
    clock = ManualClock()
    tags = VaultTags(clock)

    async def story():
        dead = lease(tags, clock, "dead")
        await dead.acquire()
        clock.advance(STALE_S - 10)
        with pytest.raises(WaveHeldError):
            await lease(tags, clock, "b").acquire()
        clock.advance(20)
        await lease(tags, clock, "c").acquire()
        with pytest.raises(LeaseLostError, match="taken for dead"):
            await dead.renew()

    asyncio.run(story())


def test_a_run_that_beats_keeps_the_wave_for_hours():
    clock = ManualClock()
    tags = VaultTags(clock)

    async def story():
        mine = lease(tags, clock, "a")
        await mine.acquire()
        for _ in range(50):
            clock.advance(BEAT_S)
            await mine.renew()
        with pytest.raises(WaveHeldError):
            await lease(tags, clock, "b").acquire()

    asyncio.run(story())


def test_a_tag_that_somebody_else_wrote_under_our_name_is_no_ticket():
    clock = ManualClock()
    tags = VaultTags(clock)
    tags.tags["asr-migrate-lease.1.x"] = "hello"
    asyncio.run(lease(tags, clock, "a").acquire())
    assert "asr-migrate-lease.1.x" not in tags.tags


def test_what_a_ticket_says_fits_into_a_tag():
    clock = ManualClock()
    tags = VaultTags(clock)
    mine = Lease(tags, "1", holder="h" * 500, clock=clock, run="a")
    asyncio.run(mine.acquire())
    assert len(tags.tags["asr-migrate-lease.1.a"]) <= 256


def test_a_wave_whose_name_begins_as_anothers_is_another_wave():
    clock = ManualClock()
    tags = VaultTags(clock)

    async def story():
        async with lease(tags, clock, "a", wave="west.1").held(), lease(tags, clock, "b", wave="west").held():
            assert len(tags.tags) == 3

    asyncio.run(story())


def test_the_case_of_a_tags_name_does_not_matter():
    clock = ManualClock()
    tags = VaultTags(clock)

    async def story():
        async with lease(tags, clock, "a", wave="West").held():
            with pytest.raises(WaveHeldError):
                await lease(tags, clock, "b", wave="west").acquire()

    asyncio.run(story())


def test_a_run_that_is_known_to_be_dead_is_not_waited_for():
    clock = ManualClock()
    tags = VaultTags(clock)

    async def story():
        await lease(tags, clock, "killed").acquire()
        async with lease(tags, clock, "b", dead={"killed"}).held():
            assert [name for name in tags.tags if name.endswith(".killed")] == []

    asyncio.run(story())


def test_a_tag_that_the_service_lost_under_anothers_is_put_again_before_the_wave_is_believed():
    clock = ManualClock()
    tags = VaultTags(clock)
    put = tags.put
    lost = []

    async def put_and_lose(name, value):
        await put(name, value)
        if value.startswith("1|") and not lost:
            lost.append(tags.tags.pop(name))

    tags.put = put_and_lose

    async def story():
        async with lease(tags, clock, "a").held():
            assert "asr-migrate-lease.1.a" in tags.tags

    asyncio.run(story())
    assert lost


def test_a_vault_that_never_keeps_the_tag_is_refused():
    clock = ManualClock()
    tags = VaultTags(clock)

    async def forget(name, value):
        await tags._travel()

    tags.put = forget
    with pytest.raises(RefusedError, match="does not keep this run's lease"):
        asyncio.run(lease(tags, clock, "a").acquire())


def test_a_stale_run_that_comes_back_to_life_in_that_moment_keeps_the_wave():
    clock = ManualClock()
    tags = VaultTags(clock)

    async def story():
        sleeping = lease(tags, clock, "a")
        await sleeping.acquire()
        clock.advance(STALE_S + 1)
        drop = tags.drop

        async def drop_after_the_other_has_beaten(name, value):
            tags.drop = drop
            await sleeping.renew()
            await drop(name, value)

        tags.drop = drop_after_the_other_has_beaten
        with pytest.raises(WaveHeldError):
            await lease(tags, clock, "b").acquire()
        await sleeping.renew()

    asyncio.run(story())


def test_losing_the_wave_is_told_once():
    clock = ManualClock()
    tags = VaultTags(clock)
    told = []

    async def story():
        mine = lease(tags, clock, "a", on_lost=told.append)
        async with mine.held():
            del tags.tags["asr-migrate-lease.1.a"]
            for _ in range(50):
                await asyncio.sleep(0)
            for _ in range(2):
                with pytest.raises(LeaseLostError):
                    await mine.renew()

    asyncio.run(story())
    assert told == ["wave 1: this run was taken for dead, another run has the wave"]


def test_a_run_that_cannot_beat_for_as_long_as_makes_a_lease_stale_stops_by_itself():
    clock = ManualClock()
    tags = VaultTags(clock)
    told = []

    async def silence():
        await asyncio.sleep(0)
        raise ServiceError("no answer", code="NoAnswer", transient=True)

    async def story():
        async with lease(tags, clock, "a", on_lost=told.append).held():
            read, tags.read = tags.read, silence
            for _ in range(100):
                await asyncio.sleep(0)
            tags.read = read

    asyncio.run(story())
    assert told == ["wave 1: the vault could not be told for 14 minutes that this run is alive"]


async def let_pass(clock, seconds, step_s=30):
    """Let time pass in small steps, so that whoever waits for a moment of it gets his turn."""
    for _ in range(int(seconds / step_s)):
        clock.advance(step_s)
        for _ in range(5):
            await asyncio.sleep(0)


class Paused(ManualClock):
    """A clock whose sleepers wait until somebody else lets the time pass."""

    async def sleep(self, seconds):
        with suppress(TimeoutError):
            async with self.timeout(seconds):
                await asyncio.Event().wait()


@pytest.mark.parametrize("request_of_a_beat", ["read", "put"])
def test_a_beat_that_gets_no_answer_at_all_loses_the_wave_before_another_run_can_have_it(request_of_a_beat):
    clock = Paused()
    tags = VaultTags(clock)
    mine, told = VaultTags(clock), []
    mine.tags = tags.tags

    async def hang(*_):
        await asyncio.Event().wait()

    async def story():
        other = asyncio.ensure_future(let_pass(clock, 60, 1))
        async with lease(mine, clock, "a", on_lost=told.append).held() as held:
            await other
            setattr(mine, request_of_a_beat, hang)
            beaten = tags.tags["asr-migrate-lease.1.a"]
            while not Ticket.of("a", beaten).stale(clock.now()):
                was_lost = held.lost
                await let_pass(clock, 30)
            assert was_lost
            del mine.__dict__[request_of_a_beat]

    asyncio.run(asyncio.wait_for(story(), 20))
    assert told == ["wave 1: the vault could not be told for 14 minutes that this run is alive"]


@pytest.mark.parametrize("asleep", ["monotonic", "wall"])
def test_a_computer_that_was_asleep_knows_before_it_sends_that_its_lease_is_old(asleep):
    clock = Paused()
    tags = VaultTags(clock)
    told = []

    async def story():
        mine = lease(tags, clock, "a", on_lost=told.append)
        other = asyncio.ensure_future(let_pass(clock, 60, 1))
        await mine.acquire()
        await other
        assert mine.is_held()
        if asleep == "wall":
            woken = clock.now() + timedelta(seconds=STALE_S)
            clock.now = lambda: woken
        else:
            clock.advance(STALE_S)
            clock.now = lambda: clock._start
        assert not mine.is_held()
        assert not mine.is_held()

    asyncio.run(story())
    assert len(told) == 1


def test_the_age_of_a_beat_counts_from_before_the_service_was_asked_for_the_time():
    clock = ManualClock()
    tags = VaultTags(clock)

    async def story():
        mine = lease(tags, clock, "a")
        await mine.acquire()
        put = tags.put

        async def slow(name, value):
            clock.advance(100)
            await put(name, value)

        tags.put = slow
        await mine.renew()
        assert mine.age_s == 100

    asyncio.run(story())


def test_looking_who_holds_a_wave_changes_nothing():
    clock = ManualClock()
    tags = VaultTags(clock)

    async def story():
        await lease(tags, clock, "a").acquire()
        before = dict(tags.tags)
        assert [ticket.holder for ticket in await lease(tags, clock, "b").others()] == ["a@controller"]
        clock.advance(STALE_S + 1)
        assert await lease(tags, clock, "b").others() == ()
        assert tags.tags == before

    asyncio.run(story())
