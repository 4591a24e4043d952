"""What planted effects make an item show, and what ends them."""

import pytest

RESYNC_S = 1800


def plant(ready, effect, **row):
    return ready.lab.world.faults.add({"match": {"name": "*"}, "effect": effect, **row})


def codes(ready):
    return [error["errorCode"] for error in ready.properties()["healthErrors"]]


def test_slow_replication_takes_after_the_queue_as_many_times_longer_as_was_said(modern):
    plant(modern, "slow_replication", settings={"factor": 3})
    modern.lab.do("PUT", modern.item, modern.enable_body())
    took = modern.lab.until(modern.item, "Protected", within_s=6 * 3600)
    assert 605 + 3 * 2700 - 120 <= took <= 605 + 3 * 2700 + 120
    assert modern.properties()["replicationHealth"] == "Normal"


def test_slow_replication_says_slow_progress(modern):
    plant(modern, "slow_replication", settings={"factor": 3})
    modern.lab.do("PUT", modern.item, modern.enable_body())
    modern.lab.advance(3600)
    assert modern.properties()["providerSpecificDetails"]["initialReplicationProgressHealth"] == "SlowProgress"


def test_a_machine_that_is_stuck_leaves_the_queue_and_stays_at_nothing(modern):
    plant(modern, "stuck_replication")
    modern.lab.do("PUT", modern.item, modern.enable_body())
    modern.lab.advance(1200)
    (disk,) = modern.properties()["providerSpecificDetails"]["protectedDisks"]
    assert (disk["irDetails"]["progressHealth"], disk["irDetails"]["progressPercentage"]) == ("NoProgress", 0)


def test_a_fault_that_is_taken_away_lets_replication_go_on_where_it_stood(modern):
    plant(modern, "stuck_replication")
    modern.lab.do("PUT", modern.item, modern.enable_body())
    modern.lab.advance(3 * 3600)
    modern.lab.world.faults.clear()
    took = modern.lab.until(modern.item, "Protected")
    assert 2700 <= took <= 2820


def test_a_required_resynchronization_shows_in_the_words_of_the_provider(ready):
    ready.protect()
    plant(ready, "resync_required")
    details = ready.lab.get(ready.item)["properties"]["providerSpecificDetails"]
    if ready.rcm:
        assert details["resyncRequired"] == "true"
        assert details["resyncState"] == "PreparedForResynchronization"
    else:
        assert [disk["resyncRequired"] for disk in details["protectedDisks"]] == ["Required"]
    assert "78032" in codes(ready)


def test_a_resynchronization_advances_ends_and_is_not_required_again(ready):
    ready.protect()
    plant(ready, "resync_required")
    ready.lab.advance(600)
    assert ready.lab.do("POST", f"{ready.item}/repairReplication")["state"] == "Succeeded"
    ready.lab.advance(RESYNC_S / 2)
    details = ready.properties()["providerSpecificDetails"]
    if ready.rcm:
        assert details["resyncState"] == "StartedResynchronization"
        assert details["resyncRequired"] == "false"
    else:
        assert details["protectionStage"] == "ResyncStepI"
    assert 45 <= details["resyncProgressPercentage"] <= 55
    ready.lab.advance(RESYNC_S)
    details = ready.properties()["providerSpecificDetails"]
    assert not details["resyncProgressPercentage"]
    assert "78032" not in codes(ready)
    assert ready.properties()["protectionState"] == "Protected"


def test_the_rpo_stands_still_while_a_resynchronization_runs(modern):
    modern.protect()
    modern.lab.do("POST", f"{modern.item}/repairReplication")
    modern.lab.advance(300)
    first = modern.properties()["providerSpecificDetails"]
    modern.lab.advance(600)
    second = modern.properties()["providerSpecificDetails"]
    assert first["lastRpoInSeconds"] == second["lastRpoInSeconds"]
    assert first["lastRecoveryPointId"] == second["lastRecoveryPointId"]


def test_too_much_churn_is_a_warning_and_the_item_stays_protected(ready):
    ready.protect()
    plant(ready, "churn_above_limit")
    assert "78188" in codes(ready)
    seen = ready.properties()
    assert (seen["replicationHealth"], seen["protectionState"]) == ("Warning", "Protected")


def test_an_agent_that_does_not_respond_has_a_stale_heartbeat_and_a_critical_item(modern):
    modern.protect()
    plant(modern, "agent_not_responding")
    modern.lab.advance(3600)
    first = modern.properties()["providerSpecificDetails"]["mobilityAgentDetails"]["lastHeartbeatUtc"]
    modern.lab.advance(3600)
    seen = modern.properties()
    assert seen["providerSpecificDetails"]["mobilityAgentDetails"]["lastHeartbeatUtc"] == first
    assert "78174" in codes(modern)
    assert seen["replicationHealth"] == "Critical"


def test_an_agent_that_responds_again_makes_the_item_healthy(ready):
    ready.protect()
    plant(ready, "agent_not_responding")
    ready.lab.advance(3600)
    ready.lab.world.faults.clear()
    ready.lab.advance(600)
    assert ready.properties()["replicationHealth"] == "Normal"


@pytest.mark.parametrize("pattern", ["*appliance*", "*cs*"])
def test_items_of_a_server_without_heartbeat_are_critical(ready, pattern):
    ready.protect()
    ready.lab.world.faults.add({"match": {"name": pattern}, "effect": "appliance_without_heartbeat"})
    ready.lab.advance(1200)
    hit = ("appliance" in pattern) == ready.rcm
    assert ("806" in codes(ready)) == hit
    assert (ready.properties()["replicationHealth"] == "Critical") == hit


def test_a_test_machine_that_does_not_boot_fails_the_last_task_and_waits_for_the_clean_up(ready):
    ready.protect()
    plant(ready, "does_not_boot")
    job = ready.lab.do("POST", f"{ready.item}/testFailover", ready.test_body())
    assert job["state"] == "Failed"
    assert [task["state"] for task in job["tasks"]][-2:] == ["Succeeded", "Failed"]
    assert job["errors"][0]["serviceErrorDetails"]["code"] == "28190"
    (name,) = ready.vms
    assert power(ready, name) == "PowerState/stopped"
    assert ready.properties()["allowedOperations"] == ["DisableProtection", "TestFailoverCleanup"]
    assert ready.lab.do("POST", f"{ready.item}/testFailoverCleanup", {"properties": {}})["state"] == "Succeeded"
    assert ready.vms == {}


def test_a_failed_over_machine_that_does_not_boot_is_warned_of_in_a_job_that_succeeds(modern):
    modern.protect()
    plant(modern, "does_not_boot")
    answer = modern.lab.ask("POST", f"{modern.item}/unplannedFailover", modern.failover_body())
    modern.lab.advance(1200)
    status = modern.lab.get(answer.headers["Azure-AsyncOperation"].partition("?")[0].partition(".com")[2])
    assert (status["status"], status["error"]["code"]) == ("Succeeded", "28190")
    (name,) = modern.vms
    assert power(modern, name) == "PowerState/stopped"
    details = modern.properties()["providerSpecificDetails"]
    assert details["isAgentRegistrationSuccessfulAfterFailover"] is False


def test_an_effect_with_another_name_leaves_the_item_alone(ready):
    ready.protect()
    ready.lab.world.faults.add({"match": {"name": "other-*"}, "effect": "agent_not_responding"})
    ready.lab.advance(1200)
    assert ready.properties()["replicationHealth"] == "Normal"


def power(ready, name):
    group = ready.item.partition("/providers/")[0]
    view = ready.lab.get(f"{group}/providers/Microsoft.Compute/virtualMachines/{name}/instanceView", api="2025-04-01")
    return view["statuses"][-1]["code"]
