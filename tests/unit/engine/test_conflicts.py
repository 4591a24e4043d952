"""Conflicts (409): something else is at work, so the run asks again, for a quarter of an hour at most."""

import pytest

from asr_migrate.domain.errors import ServiceError
from asr_migrate.domain.lifecycle import Goal
from asr_migrate.engine.busy import PATIENCE_S

CONFLICT = ServiceError("another operation is in progress", code="OperationInProgress", status=409)


def busy_for(story, method, seconds):
    """Answer ``method`` of the vault with conflicts for so long from now on."""
    send, until_s = getattr(story.vault, method), story.clock.monotonic() + seconds

    async def answer(*call):
        if story.clock.monotonic() < until_s:
            raise CONFLICT
        return await send(*call)

    setattr(story.vault, method, answer)


def test_a_conflict_of_ten_minutes_is_waited_for(story):
    story.reach_all(Goal.PROTECTED)
    busy_for(story, "send", PATIENCE_S * 2 / 3)
    assert all(result.reached for result in story.reach(Goal.TEST_RUNNING).machines.values())


@pytest.mark.parametrize("method", ["prepare_plan", "send_plan"])
def test_a_conflict_of_a_plan_of_ten_minutes_is_waited_for(big_story, method):
    story = big_story(12)
    story.reach_all(Goal.PROTECTED)
    busy_for(story, method, PATIENCE_S * 2 / 3)
    assert all(result.reached for result in story.reach(Goal.TEST_RUNNING).machines.values())
    assert [name for name, operation in story.vault.sent if operation == "testFailover"] == ["asr-current-1"]


@pytest.mark.parametrize(("count", "method"), [(2, "send"), (12, "prepare_plan"), (12, "send_plan")])
def test_a_conflict_that_does_not_end_is_told_with_its_cause_and_remedy(big_story, count, method):
    story = big_story(count)
    story.reach_all(Goal.PROTECTED)
    busy_for(story, method, 10 * PATIENCE_S)
    began_s = story.clock.monotonic()
    outcome = story.reach(Goal.TEST_RUNNING)
    assert PATIENCE_S <= story.clock.monotonic() - began_s < PATIENCE_S + 120
    for result in outcome.machines.values():
        assert result.error.code == "StillBusy"
        assert "OperationInProgress" in result.error.cause
        assert "jobs of the vault" in result.error.remedy


def test_conflicts_with_an_answer_between_them_are_not_added_up(story):
    story.reach_all(Goal.PROTECTED, Goal.FAILED_OVER)
    busy_for(story, "send", PATIENCE_S * 2 / 3)
    send, sent_s = story.vault.send, {}

    async def note(call, site, client_request_id=None):
        sent = await send(call, site, client_request_id)
        if (call.item, call.operation) not in sent_s:
            sent_s[call.item, call.operation] = story.clock.monotonic()
            if call.operation == "failoverCommit" and call.item == "db":
                busy_for(story, "send", PATIENCE_S * 2 / 3)
        return sent

    story.vault.send = note
    assert all(result.reached for result in story.reach(Goal.MIGRATED).machines.values())
