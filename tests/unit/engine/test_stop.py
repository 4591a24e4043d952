"""Stopping: nothing new is sent, nothing is cancelled, what goes on is named."""

import asyncio

import pytest

from asr_migrate.domain.lifecycle import Goal
from asr_migrate.domain.wave import Wave
from asr_migrate.engine.lease import STALE_S, Lease

from .fake_vault import INITIAL_REPLICATION_S
from .test_lease import VaultTags

ENABLE_S = 1800


def stopped_at(story, goal, when):
    """Reach ``goal`` and stop as soon as ``when`` says so."""
    engine = story.engine()

    def look():
        if when():
            engine.stop("SIGTERM")

    story.vault.on_sweep = look
    outcome = asyncio.run(engine.reach(Wave.from_hosts(story.machines, story.zone), goal, 6 * 3600))
    story.vault.on_sweep = lambda: None
    return outcome


def test_a_run_that_is_stopped_leaves_its_failovers_running_and_names_them(story):
    story.reach_all(Goal.PROTECTED)
    outcome = stopped_at(story, Goal.FAILED_OVER, lambda: len(story.vault.running) == 2)
    assert outcome.stopped == "SIGTERM"
    assert set(outcome.going_on) == {"web", "db"}
    assert "fail over to the latest recovery point (job job-" in outcome.going_on["web"]
    error = outcome.machines["web"].error
    assert error.code == "Stopped"
    assert "Nothing was cancelled" in error.remedy
    assert len(story.vault.running) == 2
    again = story.reach(Goal.FAILED_OVER)
    assert all(result.reached for result in again.machines.values())
    assert again.stopped is None
    assert story.vault.sent.count(("web", "unplannedFailover")) == 1


def test_a_run_that_is_stopped_before_it_begins_sends_nothing(story):
    outcome = stopped_at(story, Goal.PROTECTED, lambda: True)
    assert story.vault.requests == []
    assert outcome.stopped == "SIGTERM"
    assert outcome.going_on == {}
    assert outcome.changed is False


def test_no_verb_follows_a_stop(story):
    story.reach_all(Goal.PROTECTED, Goal.FAILED_OVER)
    stopped_at(story, Goal.MIGRATED, lambda: ("web", "failoverCommit") in story.vault.sent)
    assert ("web", "remove") not in story.vault.sent


def test_a_stop_ends_the_rest_between_two_sweeps(story):
    async def go():
        engine = story.engine()
        rests = []

        async def sleep(seconds):
            rests.append(seconds)
            engine.stop("SIGINT")
            await asyncio.Event().wait()

        story.clock.sleep = sleep
        outcome = await engine.reach(Wave.from_hosts(story.machines, story.zone), Goal.PROTECTED, 3600)
        return outcome, rests

    outcome, rests = asyncio.run(asyncio.wait_for(go(), 10))
    assert len(rests) == 1
    assert outcome.stopped == "SIGINT"


def test_a_run_whose_lease_grows_old_while_it_looks_sends_nothing(story):
    tags = VaultTags(story.clock)

    async def go():
        engine = story.engine()
        lease = Lease(tags, "current", holder="a@controller", clock=story.clock, run="a", on_lost=engine.stop)
        await lease.acquire()
        engine.only_while(lease.is_held)
        story.vault.on_sweep = lambda: story.clock.advance(STALE_S)
        return await engine.reach(Wave.from_hosts(story.machines, story.zone), Goal.PROTECTED, 6 * 3600)

    outcome = asyncio.run(go())
    assert story.vault.requests == []
    assert "could not be told for 15 minutes that this run is alive" in outcome.stopped


def test_the_first_reason_stays(story):
    engine = story.engine()
    engine.stop("SIGTERM")
    engine.stop("the lease was lost")
    assert engine.stopping
    outcome = asyncio.run(engine.reach(Wave.from_hosts(story.machines, story.zone), Goal.PROTECTED, 60))
    assert outcome.stopped == "SIGTERM"


def test_a_wave_that_was_done_before_the_stop_is_done(story):
    story.reach_all(Goal.PROTECTED)
    outcome = stopped_at(story, Goal.PROTECTED, lambda: True)
    assert outcome.stopped is None
    assert all(result.reached for result in outcome.machines.values())


@pytest.mark.parametrize("goal", [Goal.PROTECTED, Goal.TEST_RUNNING])
def test_a_wave_that_has_its_goal_is_settled_with_one_look_and_one_that_has_not_is_not(story, goal):
    wave = Wave.from_hosts(story.machines, story.zone)
    assert asyncio.run(story.engine().settled(wave, goal)) is None
    story.reach_all(Goal.PROTECTED, Goal.TEST_RUNNING)
    story.vault.requests.clear()
    sweeps = story.vault.sweeps
    outcome = asyncio.run(story.engine().settled(wave, goal))
    assert all(result.reached for result in outcome.machines.values())
    assert (story.vault.requests, story.vault.sweeps) == ([], sweeps + 1)


def test_who_is_left_copying_is_told_how_long_it_still_takes(story):
    engine, wave = story.engine(), Wave.from_hosts(story.machines, story.zone)
    outcome = asyncio.run(engine.reach(wave, Goal.PROTECTED, ENABLE_S + INITIAL_REPLICATION_S * 0.8))
    assert {result.error.code for result in outcome.machines.values()} == {"DeadlinePassed"}
    left = engine.eta_minutes()
    assert set(left) == {"web", "db"}
    assert left["web"] == pytest.approx(INITIAL_REPLICATION_S * 0.25 / 60, rel=0.4)


def test_nothing_is_told_of_machines_that_are_not_copied_or_whose_pace_is_not_known(story):
    engine, wave = story.engine(), Wave.from_hosts(story.machines, story.zone)
    asyncio.run(engine.reach(wave, Goal.PROTECTED, ENABLE_S + INITIAL_REPLICATION_S * 0.2))
    assert engine.eta_minutes() == {}
    story.reach_all(Goal.PROTECTED)
    asyncio.run(engine.reach(wave, Goal.PROTECTED, 60))
    assert engine.eta_minutes() == {}
