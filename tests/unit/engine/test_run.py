"""The engine against a vault in memory."""

from dataclasses import replace

import pytest

from asr_migrate.domain.errors import ServiceError, SetupError
from asr_migrate.domain.lifecycle import Goal, Stage, Verb

ROAD = (Goal.PROTECTED, Goal.TEST_RUNNING, Goal.TESTED, Goal.FAILED_OVER, Goal.MIGRATED)
MIGRATION = ["create", "testFailover", "testFailoverCleanup", "unplannedFailover", "failoverCommit", "remove"]


def operations(story, machine):
    return [operation for name, operation in story.vault.sent if name == machine]


def test_a_wave_goes_the_whole_road_and_every_verb_is_sent_once(story):
    story.reach_all(*ROAD)
    assert operations(story, "web") == MIGRATION
    assert operations(story, "db") == MIGRATION
    assert set(story.vault.vms) == {"vm-web", "vm-db"}
    assert story.vault.items == {}


def test_a_classic_wave_goes_the_whole_road(classic_story):
    classic_story.reach_all(*ROAD)
    assert operations(classic_story, "app") == MIGRATION
    assert classic_story.vault.bodies[-1]["properties"]["disableProtectionReason"] == "MigrationComplete"


@pytest.mark.parametrize("goal", ROAD)
def test_a_second_run_sends_nothing(story, goal):
    story.reach_all(*ROAD[: ROAD.index(goal) + 1])
    story.vault.sent.clear()
    outcome = story.reach(goal)
    assert story.vault.sent == []
    assert outcome.changed is False
    assert all(result.reached for result in outcome.machines.values())


@pytest.mark.parametrize("goal", ROAD)
def test_every_goal_is_behind_a_migrated_machine(story, goal):
    story.reach_all(*ROAD)
    story.vault.sent.clear()
    outcome = story.reach(goal)
    assert {result.stage for result in outcome.machines.values()} == {Stage.MIGRATED}
    assert story.vault.sent == []


@pytest.mark.parametrize("killed_after_s", [1, 1000, 2000, 5000])
def test_a_run_that_was_cut_short_is_taken_up_again_without_sending_anything_twice(story, killed_after_s):
    cut = story.reach(Goal.PROTECTED, timeout_s=killed_after_s)
    assert cut.machines["web"].error is None or cut.machines["web"].error.code == "DeadlinePassed"
    assert story.reach(Goal.PROTECTED).machines["web"].reached
    assert operations(story, "web") == ["create"]


def test_a_failover_that_was_left_running_is_waited_for_and_not_started_again(story):
    story.reach_all(Goal.PROTECTED)
    story.reach(Goal.FAILED_OVER, timeout_s=30)
    outcome = story.reach(Goal.FAILED_OVER)
    assert outcome.machines["web"].reached
    assert operations(story, "web").count("unplannedFailover") == 1


def test_the_deadline_cancels_nothing_and_says_so(story):
    outcome = story.reach(Goal.PROTECTED, timeout_s=60)
    error = outcome.machines["web"].error
    assert error.code == "DeadlinePassed"
    assert "Nothing was cancelled" in error.remedy
    assert operations(story, "web") == ["create"]


def test_one_failure_does_not_stop_the_others(story):
    story.vault.failing["web", "create"] = "95107"
    outcome = story.reach(Goal.PROTECTED)
    web, db = outcome.machines["web"], outcome.machines["db"]
    assert web.failed
    assert web.error.code == "95107"
    assert "LocalAccountTokenFilterPolicy" in web.error.remedy
    assert db.reached


def test_a_machine_that_could_not_be_enabled_is_refused_with_the_services_error(story):
    story.vault.failing["web", "create"] = "95107"
    story.reach(Goal.PROTECTED)
    again = story.reach(Goal.PROTECTED).machines["web"]
    assert again.refused
    assert again.stage is Stage.BROKEN
    assert again.error.code == "95107"
    assert operations(story, "web") == ["create"]


def test_replication_can_be_enabled_again_after_it_was_removed(story):
    story.vault.failing["web", "create"] = "95107"
    story.reach(Goal.PROTECTED)
    story.machines = story.machines[:1]
    story.reach_all(Goal.ABSENT, Goal.PROTECTED)
    assert operations(story, "web") == ["create", "remove", "create"]


def test_data_that_does_not_arrive_stops_the_machine_and_names_the_port(story):
    story.vault.stalled.add("web")
    outcome = story.reach(Goal.PROTECTED)
    error = outcome.machines["web"].error
    assert error.code == "78169"
    assert "9443" in error.remedy
    assert outcome.machines["db"].reached


SILENT = {"errorCode": "78174", "errorMessage": "no heartbeat", "possibleCauses": "the agent is stopped"}


def copy_that_stands_still(story, share, *errors):
    """Begin to copy the disks of both machines; web's then stand at ``share``, and its health says ``errors``."""
    story.reach(Goal.PROTECTED, timeout_s=1700)
    item = story.vault.items["web"]["properties"]
    story.vault.waiting = []
    item.update(healthErrors=list(errors), replicationHealth="Critical" if errors else "Normal")
    item["providerSpecificDetails"]["initialReplicationProgressPercentage"] = share
    story.machines = story.machines[:1]


@pytest.mark.parametrize("share", [None, 25])
def test_a_copy_that_does_not_move_for_an_hour_under_a_health_error_ends_with_that_error(story, share):
    copy_that_stands_still(story, share, SILENT)
    began_s = story.clock.monotonic()
    error = story.reach(Goal.PROTECTED).machines["web"].error
    assert "no heartbeat" in error.message
    assert 3600 <= story.clock.monotonic() - began_s < 4200


def test_the_deadline_names_the_health_of_the_machine_that_it_ends(story):
    copy_that_stands_still(story, None, SILENT)
    error = story.reach(Goal.PROTECTED, timeout_s=1800).machines["web"].error
    assert error.code == "DeadlinePassed"
    assert "its health: no heartbeat [78174] (the agent is stopped)" in error.cause


def test_a_failed_failover_is_tried_again_by_the_next_run(story):
    story.reach_all(Goal.PROTECTED)
    story.vault.failing["web", "unplannedFailover"] = "28031"
    assert story.reach(Goal.FAILED_OVER).machines["web"].error.code == "28031"
    assert story.reach(Goal.FAILED_OVER).machines["web"].reached
    assert operations(story, "db").count("unplannedFailover") == 1


def test_a_failed_failover_leaves_the_earlier_goals_reached(story):
    story.reach_all(Goal.PROTECTED)
    story.vault.failing["web", "unplannedFailover"] = "28031"
    story.reach(Goal.FAILED_OVER)
    assert story.reach(Goal.PROTECTED).machines["web"].reached


def test_a_failed_test_is_cleaned_up_and_can_be_tried_again(story):
    story.machines = story.machines[:1]
    story.reach_all(Goal.PROTECTED)
    story.vault.failing["web", "testFailover"] = "28031"
    assert story.reach(Goal.TEST_RUNNING).machines["web"].error.code == "28031"
    refused = story.reach(Goal.TEST_RUNNING).machines["web"]
    assert refused.refused
    assert "clean_up_test" in refused.error.remedy
    assert story.reach(Goal.TESTED).machines["web"].did == (Verb.CLEAN_UP_TEST,)
    story.reach_all(Goal.TEST_RUNNING)


def test_a_replication_that_failed_for_good_names_the_playbook_that_removes_it(story):
    story.reach_all(Goal.PROTECTED)
    story.vault.items["web"]["properties"].update(protectionState="EnablingFailed", allowedOperations=[])
    refused = story.reach(Goal.PROTECTED).machines["web"]
    assert refused.refused
    assert "run the stop_replication playbook" in refused.error.remedy


def test_goals_beyond_protected_refuse_a_machine_that_does_not_replicate(story):
    result = story.reach(Goal.TEST_RUNNING).machines["web"]
    assert result.refused
    assert result.error.message == "not replicating: run the replicate playbook first"
    assert story.vault.sent == []


def test_a_failover_is_refused_while_the_test_vm_is_there(story):
    story.reach_all(Goal.PROTECTED, Goal.TEST_RUNNING)
    error = story.reach(Goal.FAILED_OVER).machines["web"].error
    assert error.code == "TestRunning"
    assert "clean_up_test" in error.remedy


def test_a_classic_machine_is_discovered_first_when_its_server_does_not_know_it(classic_story):
    classic_story.vault.sources.clear()
    classic_story.reach_all(Goal.PROTECTED)
    assert operations(classic_story, "app") == ["discover", "create"]


def test_a_classic_machine_without_agent_is_given_up_with_the_playbook_to_run(classic_story):
    classic_story.vault.sources[0]["properties"]["customDetails"]["agentInstalled"] = "NotInstalled"
    error = classic_story.reach(Goal.PROTECTED).machines["app"].error
    assert error.code == "NoChange"
    assert "prepare_sources" in error.cause
    assert operations(classic_story, "app") == []


def test_a_server_that_nobody_added_is_waited_for_and_named(story):
    story.vault.sources.pop()
    outcome = story.reach(Goal.PROTECTED, timeout_s=7200)
    assert outcome.machines["web"].reached
    assert "add server 10.20.1.22 on current-appliance" in outcome.machines["db"].waited_on


def test_a_wave_without_appliance_stops_before_anything_is_sent(story):
    story.vault.site = None
    with pytest.raises(SetupError) as raised:
        story.reach(Goal.PROTECTED)
    assert "deploy_appliance" in raised.value.remedy
    assert story.vault.sent == []


def test_a_target_name_that_another_vm_has_is_refused(story):
    story.vault._add_vm("vm-web", {"wanted": {"targetVmTags": {"asr-source-id": "i-other"}}})
    outcome = story.reach(Goal.PROTECTED)
    assert outcome.machines["web"].error.code == "NameTaken"
    assert outcome.machines["db"].reached


def test_an_address_is_set_after_replication_and_only_once(story):
    story.machines = [dict(story.machines[0], target={"vm_name": "vm-web", "private_ip": "10.60.1.21"})]
    story.reach_all(Goal.PROTECTED)
    assert operations(story, "web") == ["create", "update"]
    story.vault.sent.clear()
    assert story.reach(Goal.PROTECTED).changed is False
    assert story.vault.sent == []


def test_a_few_lost_sweeps_are_ridden_out(story):
    story.vault.lost_sweeps = [ServiceError("503", status=503, transient=True) for _ in range(3)]
    story.reach_all(Goal.PROTECTED)


def test_an_error_of_the_vault_itself_stops_the_wave(story):
    story.vault.lost_sweeps = [ServiceError("no rights", code="AuthorizationFailed", status=403)]
    with pytest.raises(ServiceError):
        story.reach(Goal.PROTECTED)


def test_a_vm_that_does_not_run_yet_is_waited_for(story):
    story.machines = story.machines[:1]
    story.reach_all(Goal.PROTECTED, Goal.FAILED_OVER)
    story.vault.vms["vm-web"] = replace(story.vault.vms["vm-web"], running=False)
    error = story.reach(Goal.FAILED_OVER).machines["web"].error
    assert error.code == "NoChange"
    assert "vm-web to run" in error.message


def test_a_test_vm_left_behind_is_not_taken_for_a_migrated_machine(story):
    story.vault._add_vm("vm-web-test", {"wanted": {"targetVmTags": {"asr-source-id": "i-web"}}})
    story.reach_all(Goal.PROTECTED)
    assert "create" in operations(story, "web")


def test_one_sweep_serves_all_machines(story):
    story.reach_all(Goal.PROTECTED)
    for_two = story.vault.sweeps
    story.machines = story.machines[:1]
    story.vault.sweeps = 0
    story.reach_all(Goal.ABSENT)
    story.vault.sweeps = 0
    story.reach_all(Goal.PROTECTED)
    assert for_two <= story.vault.sweeps + 2


def test_a_machine_whose_answer_cannot_be_read_does_not_stop_the_others(story):
    story.reach_all(Goal.PROTECTED)
    story.vault.items["web"]["properties"]["currentScenario"] = "not an object"
    outcome = story.reach(Goal.FAILED_OVER)
    assert outcome.machines["web"].error.code == "Unreadable"
    assert outcome.machines["db"].reached


def test_looking_at_a_wave_names_the_machine_that_another_architecture_protects(story):
    story.reach_all(Goal.PROTECTED)
    story.vault.items["web"]["properties"]["providerSpecificDetails"]["instanceType"] = "InMageAzureV2"
    seen = story.look()
    assert (seen["web"].stage, seen["web"].error.code) == (Stage.BROKEN, "OtherProvider")
    assert seen["db"].stage is Stage.PROTECTED


def test_steady_replication_is_looked_at_once_a_minute(story):
    story.reach_all(Goal.PROTECTED)
    assert story.vault.sweeps < (1650 + 3300) / 60 * 1.2


def test_progress_lines_name_the_machine_and_are_not_repeated(story):
    story.reach_all(Goal.PROTECTED)
    web = [line for line in story.lines if line.startswith("web: ")]
    assert web[-1] == "web: protected reached (protected)"
    assert len(web) == len(set(web))


def test_the_result_says_what_was_done_and_how_long_it_took(story):
    result = story.reach(Goal.PROTECTED).machines["web"].as_dict()
    assert result["did"] == ["replicate"]
    assert result["steps"][0]["took_s"] >= 1650
    assert result["error"] is None


def test_the_share_that_is_copied_is_told_in_one_line_for_the_wave_and_not_twice(story):
    story.reach(Goal.PROTECTED)
    shares = [line for line in story.lines if "copying their disks" in line]
    assert shares
    assert len(shares) == len(set(shares))
    assert all(" of 2 copying their disks, slowest " in line for line in shares)
    assert [line for line in story.lines if line.startswith("web: ") and " %" in line][1:] == []
