"""Timeouts of the clocks: a test's strikes when time was let pass, a rehearsal's leaves answers the time they take."""

import asyncio

import pytest

from asr_migrate.clock import Clock, ManualClock


async def forever():
    await asyncio.Event().wait()


def cut_off(clock, seconds, meanwhile):
    """Return whether a wait for ever was cut off after ``seconds``, by what ``meanwhile`` did."""

    async def wait():
        async with clock.timeout(seconds):
            await forever()

    async def go():
        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        await meanwhile()
        for _ in range(5):
            await asyncio.sleep(0)
        done = task.done()
        task.cancel()
        with pytest.raises(TimeoutError if done else asyncio.CancelledError):
            await task
        return done

    return asyncio.run(go())


@pytest.mark.parametrize(("passed_s", "cut"), [(59, False), (60, True), (61, True)])
def test_a_timeout_strikes_when_somebody_lets_enough_time_pass(passed_s, cut):
    clock = ManualClock()

    async def advance():
        clock.advance(passed_s)

    assert cut_off(clock, 60, advance) is cut
    assert cut_off(clock, 60, lambda: clock.sleep(passed_s)) is cut


def test_a_timeout_lets_no_time_pass_and_one_that_has_ended_does_not_strike():
    clock = ManualClock()

    async def go():
        async with clock.timeout(60):
            await asyncio.sleep(0)
        clock.advance(600)
        await asyncio.sleep(0)

    asyncio.run(go())
    assert clock.monotonic() == 600


def test_no_time_at_all_is_over_at_once():
    async def nothing():
        pass

    assert cut_off(ManualClock(), 0, nothing)


def test_a_fast_clock_leaves_an_answer_the_time_it_takes():
    async def go():
        async with Clock(1e-9).timeout(60):
            for _ in range(100):
                await asyncio.sleep(0)
            return True

    assert asyncio.run(go())
