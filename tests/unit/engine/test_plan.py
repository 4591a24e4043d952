"""Check mode: everything is read, nothing is sent, what would be sent is listed."""

from asr_migrate.domain.lifecycle import Goal
from asr_migrate.domain.site import Sweep


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


def test_check_mode_of_a_later_goal_takes_the_earlier_ones_as_reached(story):
    outcome = story.reach(Goal.FAILED_OVER, check_mode=True)
    assert what(outcome, "web") == [("POST", "replicationProtectedItems/web/unplannedFailover")]
    assert all(result.reached for result in outcome.machines.values())


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
