"""Actions on protected items, allowed and not, and what they leave in Azure."""

import pytest
from tests.worlds.zones import GROUP, TEST


def test_an_action_that_is_not_allowed_is_accepted_and_fails_in_its_job(ready):
    ready.protect()
    job = ready.lab.do("POST", f"{ready.item}/failoverCommit")
    assert (job["state"], job["errors"][0]["serviceErrorDetails"]["code"]) == ("Failed", "25037")
    assert ready.properties()["protectionState"] == "Protected"


def test_a_commit_in_the_wrong_state_is_a_job_of_its_own_for_the_classic_provider(ready):
    ready.protect()
    job = ready.lab.do("POST", f"{ready.item}/failoverCommit")
    assert job["scenarioName"] == ("CommitFailover" if ready.rcm else "FinalizeFailback")


def test_a_test_failover_before_the_item_is_protected_fails(ready):
    ready.lab.do("PUT", ready.item, ready.enable_body())
    assert ready.lab.do("POST", f"{ready.item}/testFailover", ready.test_body())["state"] == "Failed"
    assert ready.vms == {}


def test_nothing_else_is_allowed_while_an_operation_runs(ready):
    ready.protect()
    ready.lab.ask("POST", f"{ready.item}/testFailover", ready.test_body())
    seen = ready.properties()
    assert seen["allowedOperations"] == []
    assert seen["currentScenario"]["scenarioName"] == "TestFailover"
    assert ready.lab.do("POST", f"{ready.item}/unplannedFailover", ready.failover_body())["state"] == "Failed"


def test_the_test_machine_stands_in_the_test_network(ready):
    ready.protect()
    ready.lab.do("POST", f"{ready.item}/testFailover", ready.test_body())
    (machine,) = ready.vms.values()
    assert machine["name"].endswith("-test")
    nic_id = machine["properties"]["networkProfile"]["networkInterfaces"][0]["id"]
    nic = ready.lab.get(nic_id, api="2025-05-01")
    assert nic["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"] == f"{TEST}/subnets/apps"


def test_a_test_failover_job_of_the_modernized_provider_names_the_test_machine_when_it_has_ended(modern):
    modern.protect()
    job = modern.lab.do("POST", f"{modern.item}/testFailover", modern.test_body())
    assert job["customDetails"]["protectedItemDetails"][0]["testVmName"] == "vm-web-test"


def test_the_time_of_the_last_test_is_the_start_of_its_job(ready):
    ready.protect()
    assert "lastSuccessfulTestFailoverTime" not in ready.properties()
    job = ready.lab.do("POST", f"{ready.item}/testFailover", ready.test_body())
    assert ready.properties()["lastSuccessfulTestFailoverTime"] == job["startTime"]


def test_a_test_network_that_is_missing_fails_the_job_with_28031(ready):
    ready.protect()
    body = ready.test_body()
    body["properties"]["networkId"] = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/none"
    job = ready.lab.do("POST", f"{ready.item}/testFailover", body)
    assert job["errors"][0]["serviceErrorDetails"]["code"] == "28031"
    assert job["errors"][0]["providerErrorDetails"]["errorCode"] == (0 if ready.rcm else 539)
    assert ready.lab.do("POST", f"{ready.item}/testFailoverCleanup", {"properties": {}})["state"] == "Succeeded"


@pytest.mark.parametrize(
    ("fixture", "state"),
    [("classic", "UnplannedFailoverCompletionFailed"), ("modern", "UnplannedFailoverFailed")],
)
def test_a_planted_failure_of_the_failover_leaves_the_state_of_the_provider(request, fixture, state):
    ready = request.getfixturevalue(fixture)
    ready.protect()
    error = {"code": "28031", "message": "Quota exceeded."}
    ready.lab.world.faults.add({"match": {"scenario": "UnplannedFailover"}, "job": error, "times": 1})
    assert ready.lab.do("POST", f"{ready.item}/unplannedFailover", ready.failover_body())["state"] == "Failed"
    assert ready.properties()["protectionState"] == state
    assert ready.lab.do("POST", f"{ready.item}/unplannedFailover", ready.failover_body())["state"] == "Succeeded"


def test_the_shutdown_task_is_skipped_unless_it_was_asked_for(modern):
    modern.protect()
    job = modern.lab.do("POST", f"{modern.item}/unplannedFailover", modern.failover_body())
    states = {task["taskId"]: task["stateDescription"] for task in job["tasks"]}
    assert states["ShutdownVmOnPrimaryForUFO"] == "Skipped"


def test_migration_cannot_be_completed_before_the_failover(ready):
    ready.protect()
    body = {"properties": {"disableProtectionReason": "MigrationComplete"}}
    assert ready.lab.do("POST", f"{ready.item}/remove", body)["state"] == "Failed"
    assert ready.lab.ask("GET", ready.item).status == 200


def test_replication_can_be_disabled_without_a_failover(ready):
    ready.protect()
    body = {"properties": {"replicationProviderInput": {"instanceType": "DisableProtectionProviderSpecificInput"}}}
    assert ready.lab.do("POST", f"{ready.item}/remove", body)["state"] == "Succeeded"
    assert ready.lab.ask("DELETE", ready.item).status == 404


def test_purging_removes_an_item_in_any_state(ready):
    ready.lab.ask("PUT", ready.item, ready.enable_body())
    assert ready.lab.do("DELETE", ready.item)["scenarioName"] == "PurgeVm"
    ready.lab.advance(7200)
    assert ready.lab.ask("GET", ready.item).status == 404


def test_recovery_points_come_every_five_minutes_and_can_be_chosen(ready):
    ready.protect()
    ready.lab.advance(3600)
    points = ready.lab.get(f"{ready.item}/recoveryPoints")["value"]
    assert 11 <= len(points) <= 14
    assert points[0]["properties"]["recoveryPointTime"] > points[1]["properties"]["recoveryPointTime"]
    assert ready.lab.get(points[1]["id"])["name"] == points[1]["name"]
    body = ready.failover_body(recoveryPointId=points[1]["id"])
    ready.lab.do("POST", f"{ready.item}/unplannedFailover", body)
    assert ready.properties()["failoverRecoveryPointId"].endswith(points[1]["name"])


def test_a_recovery_point_that_does_not_exist_is_refused_at_once(ready):
    ready.protect()
    body = ready.failover_body(recoveryPointId=f"{ready.item}/recoveryPoints/none")
    assert ready.lab.ask("POST", f"{ready.item}/unplannedFailover", body).status == 404


def test_the_modernized_failover_needs_to_be_told_about_the_shutdown(modern):
    modern.protect()
    body = modern.failover_body()
    del body["properties"]["providerSpecificDetails"]["performShutdown"]
    answer = modern.lab.ask("POST", f"{modern.item}/unplannedFailover", body)
    assert answer.status == 400
    assert "performShutdown" in answer.body["error"]["message"]


def test_a_changed_target_is_what_the_failover_makes(classic):
    classic.protect()
    nic = classic.properties()["providerSpecificDetails"]["vmNics"][0]["nicId"]
    changes = {
        "recoveryAzureVMName": "vm-renamed",
        "recoveryAzureVMSize": "Standard_D4s_v5",
        "vmNics": [{"nicId": nic, "replicaNicStaticIPAddress": "10.60.1.40", "recoveryVMSubnetName": "apps"}],
        "providerSpecificDetails": {"instanceType": "InMageAzureV2", "useManagedDisks": "true"},
    }
    assert classic.lab.do("PATCH", classic.item, {"properties": changes})["state"] == "Succeeded"
    classic.lab.do("POST", f"{classic.item}/unplannedFailover", classic.failover_body())
    (machine,) = classic.vms.values()
    assert (machine["name"], machine["properties"]["hardwareProfile"]["vmSize"]) == ("vm-renamed", "Standard_D4s_v5")
    nic_id = machine["properties"]["networkProfile"]["networkInterfaces"][0]["id"]
    address = classic.lab.get(nic_id, api="2025-05-01")["properties"]["ipConfigurations"][0]["properties"]
    assert address["privateIPAddress"] == "10.60.1.40"


def test_an_item_without_a_test_failover_warns_after_a_while(ready):
    ready.protect()
    assert ready.properties()["failoverHealth"] == "Normal"
    ready.lab.advance(1800)
    seen = ready.properties()
    assert seen["failoverHealth"] == "Warning"
    assert [error["errorCode"] for error in seen["healthErrors"]] == ["161011"]
