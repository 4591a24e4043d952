"""Azure that neither answers nor refuses: a stop and the deadline get their way, and no request is cancelled."""

import asyncio

import pytest

from asr_migrate.domain.errors import ServiceError
from asr_migrate.domain.lifecycle import Goal, Verb
from asr_migrate.domain.wave import Wave
from asr_migrate.engine.loop import AWAY_S
from asr_migrate.engine.reads import LOOK_S
from asr_migrate.engine.stop import GRACE_S

TIMEOUT_S = 240


class Silence:
    """A method of the vault that never answers; ``cancelled`` counts who was cut off."""

    def __init__(self):
        self.begun = asyncio.Event()
        self.cancelled = 0

    async def __call__(self, *_, **__):
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


async def let_pass(story, seconds):
    """Let time pass and whoever waits for it take his turns."""
    story.clock.advance(seconds)
    for _ in range(20):
        await asyncio.sleep(0)


def run_into(story, method, goal, then, timeout_s=TIMEOUT_S):
    """Reach ``goal`` while ``method`` of the vault is silent; ``then(engine, silence, task)`` goes on from there.

    The outcome is returned, and how often the method had been cut off when the run ended.
    """

    async def go():
        engine, silence = story.engine(), Silence()
        setattr(story.vault, method, silence)
        task = asyncio.ensure_future(engine.reach(Wave.from_hosts(story.machines, story.zone), goal, timeout_s))
        await asyncio.wait_for(silence.begun.wait(), 10)
        await then(engine, task)
        outcome = await asyncio.wait_for(task, 10)
        return outcome, silence.cancelled

    return asyncio.run(go())


async def stopped(story, engine, task):
    engine.stop("SIGTERM")
    for _ in range(5):
        await asyncio.sleep(0)
    assert not task.done()
    await let_pass(story, GRACE_S + 1)


async def timed_out(story, engine, task):
    for _ in range(3):
        await let_pass(story, TIMEOUT_S / 2)


@pytest.mark.parametrize("method", ["sweep", "item"])
@pytest.mark.parametrize(("end", "code"), [(stopped, "Stopped"), (timed_out, "DeadlinePassed")])
def test_a_read_that_never_answers_is_given_up_by_a_stop_and_by_the_deadline(story, method, end, code):
    for machine in story.machines:
        machine["target"]["private_ip"] = "10.60.1.2" + str(len(machine["name"]))
    if method == "item":
        story.reach_all(Goal.PROTECTED)
    outcome, cut = run_into(story, method, Goal.PROTECTED, lambda engine, task: end(story, engine, task))
    assert {result.error.code for result in outcome.machines.values()} == {code}
    assert cut > 0


@pytest.mark.parametrize(("end", "code"), [(stopped, "Stopped"), (timed_out, "DeadlinePassed")])
@pytest.mark.parametrize(("count", "method"), [(2, "send"), (12, "send_plan"), (12, "prepare_plan"), (12, "plans")])
def test_a_request_that_never_answers_does_not_keep_a_run_from_ending_and_is_not_cancelled(
    big_story, count, method, end, code
):
    story = big_story(count)
    story.reach_all(Goal.PROTECTED)
    outcome, cut = run_into(story, method, Goal.FAILED_OVER, lambda engine, task: end(story, engine, task))
    assert {result.error.code for result in outcome.machines.values()} == {code}
    assert cut == 0 or method == "plans"
    asked = method in ("send", "send_plan")
    assert all(result.did == ((Verb.FAIL_OVER,) if asked else ()) for result in outcome.machines.values())
    if code == "Stopped":
        assert len(outcome.going_on) == (count if asked else 0)
    assert not story.vault.sent or story.vault.sent[-1][1] != "unplannedFailover"


def test_a_write_that_answers_after_the_stop_is_let_end_and_its_job_is_named(story):
    story.reach_all(Goal.PROTECTED)
    send, answer = story.vault.send, []

    async def go():
        engine = story.engine()
        answer.append(asyncio.Event())

        async def late(call, site, client_request_id=None):
            sent = await send(call, site, client_request_id)
            await answer[0].wait()
            return sent

        story.vault.send = late
        wave = Wave.from_hosts(story.machines, story.zone)
        task = asyncio.ensure_future(engine.reach(wave, Goal.FAILED_OVER, TIMEOUT_S))
        while len(story.vault.running) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
        engine.stop("SIGTERM")
        await let_pass(story, GRACE_S / 2)
        assert not task.done()
        answer[0].set()
        return await asyncio.wait_for(task, 10)

    outcome = asyncio.run(go())
    assert all("(job job-" in words for words in outcome.going_on.values())
    assert len(outcome.going_on) == 2


def test_nothing_is_sent_after_a_plan_that_is_made_ready_too_late(big_story):
    story = big_story(12)
    story.reach_all(Goal.PROTECTED)
    prepare, gates = story.vault.prepare_plan, []

    async def go():
        gates.append(asyncio.Event())

        async def late(call):
            await gates[0].wait()
            return await prepare(call)

        story.vault.prepare_plan = late
        wave = Wave.from_hosts(story.machines, story.zone)
        task = asyncio.ensure_future(story.engine().reach(wave, Goal.FAILED_OVER, TIMEOUT_S))
        for _ in range(50):
            await asyncio.sleep(0)
        await timed_out(story, None, task)
        await asyncio.wait_for(task, 10)
        gates[0].set()
        await let_pass(story, 1)

    asyncio.run(go())
    assert ("asr-current-1", "unplannedFailover") not in story.vault.sent


def test_the_first_look_of_a_run_is_given_up_by_a_stop_too(story):
    async def go():
        engine, story.vault.sweep = story.engine(), Silence()
        wave = Wave.from_hosts(story.machines, story.zone)
        task = asyncio.ensure_future(engine.settled(wave, Goal.PROTECTED))
        await asyncio.wait_for(story.vault.sweep.begun.wait(), 10)
        await stopped(story, engine, task)
        return await asyncio.wait_for(task, 10)

    assert asyncio.run(go()) is None


def test_a_sweep_that_never_answers_counts_as_no_answer_long_before_the_deadline(story):
    async def then(engine, task):
        while not task.done() and story.clock.monotonic() < 3 * LOOK_S:
            await let_pass(story, LOOK_S / 4)

    with pytest.raises(ServiceError) as raised:
        run_into(story, "sweep", Goal.PROTECTED, then, timeout_s=6 * 3600)
    assert raised.value.code == "NoAnswer"
    assert AWAY_S < story.clock.monotonic() < 3 * LOOK_S


def test_a_wave_that_cannot_be_looked_at_says_so_at_its_deadline(story):
    outcome, _ = run_into(story, "sweep", Goal.PROTECTED, lambda engine, task: let_pass(story, TIMEOUT_S + 1))
    error = outcome.machines["web"].error
    assert "Azure has not said where it stands" in error.message
    assert "an answer from Azure" in error.cause
