"""Scenarios of machines, appliances and regions: what a client reads while they hold."""

import pytest

from asr_lab.arm import scenarios


@pytest.fixture(params=["modern", "classic"])
def ready(request):
    """A vault of each generation, ready to protect a machine."""
    return request.getfixturevalue(request.param)


def plant(ready, scenario, **match):
    """Plant a named scenario, narrowed by ``match``, now."""
    scenarios.plant(ready.lab.world, scenarios.scenario(scenario).narrowed(match), ready.lab.now)


def fail_over(ready):
    return ready.lab.do("POST", f"{ready.item}/unplannedFailover", ready.failover_body())


def took_s(ready, path, body):
    """Return the virtual seconds until the operation has ended, looked at each second."""
    answer = ready.lab.ask("POST", path, body)
    assert answer.status == 202, answer.body
    operation = ready.lab.world.operation(answer.headers["x-ms-request-id"].rpartition("/")[2])
    return (operation.due - operation.started).total_seconds()


def health_codes(ready):
    return {error["errorCode"] for error in ready.properties()["healthErrors"]}


def test_in_a_slow_region_a_test_failover_takes_four_times_as_long(ready):
    ready.protect()
    usual = ready.lab.world.duration_s(ready.provider, "test_failover")
    plant(ready, "slow_region")
    assert took_s(ready, f"{ready.item}/testFailover", ready.test_body()) == pytest.approx(usual * 4)


def test_a_slow_region_is_slow_for_those_who_are_there(ready):
    ready.protect()
    usual = ready.lab.world.duration_s(ready.provider, "test_failover")
    plant(ready, "slow_region", location="atlantis")
    assert took_s(ready, f"{ready.item}/testFailover", ready.test_body()) == pytest.approx(usual)


def test_in_a_slow_region_initial_replication_takes_longer(ready):
    plant(ready, "slow_region", step="initial_replication_*")
    assert ready.lab.do("PUT", ready.item, ready.enable_body())["state"] == "Succeeded"
    steps = ("queued", "transfer", "completion")
    usual = sum(ready.lab.world.duration_s(ready.provider, f"initial_replication_{step}") for step in steps) / 4
    assert ready.lab.until(ready.item, "Protected", within_s=8 * usual) > 3 * usual


def test_stuck_initial_replication_shows_no_progress_and_does_not_end(ready):
    plant(ready, "stuck_initial_replication", name=ready.item.rpartition("/")[2])
    assert ready.lab.do("PUT", ready.item, ready.enable_body(), within_s=20000)["state"] == "Succeeded"
    ready.lab.advance(4 * 3600)
    assert ready.properties()["protectionState"].startswith("InitialReplication")
    details = ready.properties()["providerSpecificDetails"]
    if ready.rcm:
        assert details["protectedDisks"][0]["irDetails"]["progressHealth"] == "NoProgress"


def test_an_item_that_needs_a_resynchronization_says_so(ready):
    ready.protect()
    plant(ready, "resync_required")
    ready.lab.advance(600)
    details = ready.properties()["providerSpecificDetails"]
    told = details["resyncRequired"] if ready.rcm else details["protectedDisks"][0]["resyncRequired"]
    assert told == ("true" if ready.rcm else "Required")


@pytest.mark.parametrize(("name", "code"), [("churn_above_limits", "78188"), ("agent_not_responding", "78174")])
def test_a_health_error_names_what_is_wrong_with_the_machine(ready, name, code):
    ready.protect()
    assert code not in health_codes(ready)
    plant(ready, name)
    ready.lab.advance(1800)
    assert code in health_codes(ready)


def test_an_appliance_without_heartbeat_stands_still_and_is_critical(ready):
    plant(ready, "appliance_without_heartbeat")
    ready.lab.advance(3600)
    first = ready.lab.get(ready.fabric)["properties"]
    ready.lab.advance(3600)
    later = ready.lab.get(ready.fabric)["properties"]
    name = "lastHeartbeatUtc" if ready.rcm else "lastHeartbeat"
    beats = [told["customDetails"]["processServers"][0][name] for told in (first, later)]
    assert beats[0] == beats[1]
    assert later["health"] == "Critical"


def test_a_quota_that_is_exceeded_fails_the_failover_in_its_job_with_28031(ready):
    ready.protect()
    plant(ready, "quota_exceeded_at_failover")
    job = fail_over(ready)
    (error,) = job["errors"]
    assert (job["state"], error["serviceErrorDetails"]["code"]) == ("Failed", "28031")
    assert "quota" in error["serviceErrorDetails"]["possibleCauses"]
    assert error["providerErrorDetails"]["errorCode"] == 539
    assert job["allowedActions"] == ["Restart"]
    assert ready.vms == {}


def test_a_test_machine_that_does_not_boot_is_there_stopped_and_its_job_failed(ready):
    ready.protect()
    plant(ready, "test_vm_does_not_boot")
    job = ready.lab.do("POST", f"{ready.item}/testFailover", ready.test_body())
    assert job["state"] == "Failed"
    (vm,) = ready.vms.values()
    statuses = ready.lab.get(f"{vm['id']}/instanceView", api="2025-04-01")["statuses"]
    assert "PowerState/stopped" in [status["code"] for status in statuses]
    assert "TestFailoverCleanup" in ready.properties()["allowedOperations"]


def test_a_refused_commit_is_accepted_and_fails_in_its_job_with_25037(ready):
    ready.protect()
    assert fail_over(ready)["state"] == "Succeeded"
    plant(ready, "commit_refused")
    job = ready.lab.do("POST", f"{ready.item}/failoverCommit")
    assert (job["state"], job["errors"][0]["serviceErrorDetails"]["code"]) == ("Failed", "25037")
    assert "Commit" in ready.properties()["allowedOperations"]


def test_a_warning_rides_in_a_job_that_succeeds(ready):
    warning = {"code": "310024", "message": "The wanted name was not available."}
    scenarios.plant_any(ready.lab.world, {"match": {"scenario": "EnableDr"}, "warning": warning})
    answer = ready.lab.ask("PUT", ready.item, ready.enable_body())
    ready.lab.advance(7200)
    url = answer.headers["Azure-AsyncOperation"].partition("azure.com")[2].partition("?")[0]
    status = ready.lab.get(url)
    assert (status["status"], status["error"]["code"]) == ("Succeeded", "310024")
