"""Check mode: everything is read, nothing is sent, what would be sent is listed."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from asr_migrate.domain.durations import durations, minutes_of
from asr_migrate.domain.gates import Gates
from asr_migrate.domain.lifecycle import AzureVm, Goal, Observation, Stage, Verb
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.site import Sweep
from asr_migrate.engine.plan import EVERYTHING_OFFERED, plan, stops_of

NOW = datetime(2026, 3, 4, tzinfo=UTC)
MACHINE = Machine(name="web", source_id="i-1", wave="w", os="linux", target={"vm_name": "vm-web"})


def what(outcome, machine):
    return [(write.method, write.path) for write in outcome.writes if f"/{machine}" in write.path]


def test_check_mode_lists_the_writes_of_a_goal_in_order_and_sends_none(story):
    story.reach_all(Goal.PROTECTED, Goal.FAILED_OVER)
    story.vault.sent.clear()
    outcome = story.reach(Goal.MIGRATED, check_mode=True)
    assert what(outcome, "web") == [
        ("POST", "replicationProtectedItems/web/failoverCommit"),
        ("POST", "replicationProtectedItems/web/remove"),
    ]
    assert outcome.changed
    assert story.vault.sent == []


def test_every_planned_write_says_why(story):
    outcome = story.reach(Goal.PROTECTED, check_mode=True)
    assert {write.why for write in outcome.writes} == {"it does not replicate yet"}


def test_check_mode_takes_earlier_goals_as_reached_that_the_same_run_has_planned(story):
    outcome = story.reach(Goal.FAILED_OVER, check_mode=True, planned_before=[Goal.PROTECTED])
    assert what(outcome, "web") == [("POST", "replicationProtectedItems/web/unplannedFailover")]
    assert all(result.reached for result in outcome.machines.values())


def test_check_mode_refuses_what_the_run_would_refuse_when_no_earlier_goal_was_planned(story):
    planned = story.reach(Goal.FAILED_OVER, check_mode=True)
    ran = story.reach(Goal.FAILED_OVER)
    assert planned.writes == ()
    assert {name: result.error for name, result in planned.machines.items()} == {
        name: result.error for name, result in ran.machines.items()
    }
    assert {result.error.code for result in ran.machines.values()} == {"NotReplicating"}


def test_check_mode_on_a_landing_zone_that_is_not_there_yet_lists_the_writes(story):
    async def nothing(resource_groups, *, with_sources):
        return Sweep()

    story.vault.sweep = nothing
    outcome = story.reach(Goal.PROTECTED, check_mode=True)
    assert what(outcome, "web") == [("PUT", "replicationProtectedItems/web")]
    assert what(outcome, "db") == [("PUT", "replicationProtectedItems/db")]


def test_check_mode_lists_the_address_that_would_be_set(story):
    story.machines = [dict(story.machines[0], target={"vm_name": "vm-web", "private_ip": "10.60.1.21"})]
    outcome = story.reach(Goal.PROTECTED, check_mode=True)
    assert [method for method, _ in what(outcome, "web")] == ["PUT", "PATCH"]


def test_a_planned_write_is_one_line_for_people(story):
    outcome = story.reach(Goal.PROTECTED, check_mode=True)
    assert outcome.writes[0].line == (
        "PUT replicationProtectedItems/web: web: enable replication in vault vault-current, "
        "because it does not replicate yet"
    )


def test_check_mode_after_the_goal_lists_nothing(story):
    story.reach_all(Goal.PROTECTED)
    outcome = story.reach(Goal.PROTECTED, check_mode=True)
    assert outcome.writes == ()
    assert outcome.changed is False


def test_check_mode_while_azure_is_working_assumes_that_it_ends_well(story):
    story.reach(Goal.PROTECTED, timeout_s=60)
    outcome = story.reach(Goal.TEST_RUNNING, check_mode=True)
    assert what(outcome, "web") == [("POST", "replicationProtectedItems/web/testFailover")]


def test_check_mode_tells_a_machine_that_would_be_refused(story):
    story.vault.failing["web", "create"] = "95107"
    story.reach(Goal.PROTECTED)
    outcome = story.reach(Goal.PROTECTED, check_mode=True)
    assert outcome.machines["web"].refused
    assert outcome.writes == ()


def test_a_planned_write_says_its_machine_body_calls_and_minutes(story):
    write = next(write for write in story.reach(Goal.PROTECTED, check_mode=True).writes if write.machine == "web")
    assert write.body.startswith("VM vm-web, size ")
    assert "network " in write.body
    assert write.calls == 3
    assert write.minutes == 83
    assert write.gates == ()


def test_a_gate_that_would_hold_a_verb_back_is_told_with_it_and_refuses_nothing():
    seen = Observation(Stage.PROTECTED, allowed_operations=EVERYTHING_OFFERED)
    gates = Gates(require_approval=True, tested_within_days=7)
    acts, refusal = plan(seen, Goal.FAILED_OVER, MACHINE, gates, NOW)
    assert refusal is None
    assert [act.verb for act in acts] == [Verb.FAIL_OVER]
    assert stops_of(acts[0]) == ("nobody has approved to fail_over it", "no test failover of it has passed")


def test_a_test_that_is_too_old_is_planned_again_once():
    seen = Observation(Stage.TESTED, allowed_operations=EVERYTHING_OFFERED, last_test=NOW - timedelta(days=30))
    acts, _ = plan(seen, Goal.TEST_RUNNING, MACHINE, Gates(tested_within_days=7), NOW)
    assert [act.verb for act in acts] == [Verb.TEST_FAILOVER]


@pytest.mark.parametrize(("stage", "goal", "busy"), list(product(Stage, Goal, (True, False))))
def test_a_plan_ends_from_everywhere(stage, goal, busy):
    seen = Observation(stage, allowed_operations=EVERYTHING_OFFERED, busy=busy, test_vm=AzureVm("t", "", "rg"))
    acts, _ = plan(seen, goal, MACHINE, Gates(tested_within_days=1, fresh_point=True, probes=True), NOW)
    assert len(acts) == len({act.verb for act in acts})


@pytest.mark.parametrize("provider", durations())
def test_every_duration_is_of_a_verb_and_has_a_source(provider):
    for verb, row in durations()[provider].items():
        assert minutes_of(provider, Verb(verb)) > 0
        assert row["source"].startswith(("recorded", "estimated"))
