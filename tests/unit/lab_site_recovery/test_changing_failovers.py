"""Between failover and commit: another recovery point, or back to before."""


def fail_over(ready):
    ready.protect()
    ready.lab.advance(1800)
    assert ready.lab.do("POST", f"{ready.item}/unplannedFailover", ready.failover_body())["state"] == "Succeeded"


def point_body(ready, point):
    details = {"instanceType": ready.provider}
    if ready.rcm:
        details["recoveryPointId"] = point
    return {"properties": {"recoveryPointId": point, "providerSpecificDetails": details}}


def test_another_recovery_point_makes_the_machine_anew(ready):
    fail_over(ready)
    (before,) = ready.vms.values()
    point = ready.lab.get(f"{ready.item}/recoveryPoints")["value"][3]
    job = ready.lab.do("POST", f"{ready.item}/applyRecoveryPoint", point_body(ready, point["id"]))
    assert (job["state"], job["scenarioName"]) == ("Succeeded", "ChangePit")
    (after,) = ready.vms.values()
    assert after["name"] == before["name"]
    assert after["properties"]["vmId"] != before["properties"]["vmId"]
    assert ready.properties()["failoverRecoveryPointId"].endswith(point["name"])
    assert "Commit" in ready.properties()["allowedOperations"]


def test_the_recovery_point_is_not_changed_after_the_commit(ready):
    fail_over(ready)
    point = ready.lab.get(f"{ready.item}/recoveryPoints")["value"][1]
    ready.lab.do("POST", f"{ready.item}/failoverCommit")
    job = ready.lab.do("POST", f"{ready.item}/applyRecoveryPoint", point_body(ready, point["id"]))
    assert (job["state"], job["errors"][0]["serviceErrorDetails"]["code"]) == ("Failed", "25037")


def test_a_recovery_point_that_is_not_there_is_a_404(ready):
    fail_over(ready)
    body = point_body(ready, f"{ready.item}/recoveryPoints/none")
    assert ready.lab.ask("POST", f"{ready.item}/applyRecoveryPoint", body).status == 404


def test_a_cancelled_failover_removes_the_machine_and_replication_goes_on(ready):
    fail_over(ready)
    job = ready.lab.do("POST", f"{ready.item}/failoverCancel")
    assert (job["state"], job["scenarioName"]) == ("Succeeded", "CancelFailover")
    assert [task["taskId"] for task in job["tasks"]] == [
        "CancelFailoverPreflightChecksTask",
        "CancelFailoverRecovery",
        "CancelFailoverPrimary",
        "StartVmOnPrimary",
    ]
    assert ready.vms == {}
    newest = ready.lab.get(f"{ready.item}/recoveryPoints")["value"][0]
    ready.lab.advance(900)
    assert ready.lab.get(f"{ready.item}/recoveryPoints")["value"][0]["name"] != newest["name"]
    assert ready.properties()["allowedOperations"] == ["UnplannedFailover", "DisableProtection", "TestFailover"]


def test_a_committed_failover_is_not_cancelled(ready):
    fail_over(ready)
    ready.lab.do("POST", f"{ready.item}/failoverCommit")
    assert ready.lab.do("POST", f"{ready.item}/failoverCancel")["state"] == "Failed"


def test_a_planned_failover_is_not_offered_to_machines_that_replicate_to_azure_with_an_agent(ready):
    ready.protect()
    body = {"properties": {"failoverDirection": "PrimaryToRecovery"}}
    answer = ready.lab.ask("POST", f"{ready.item}/plannedFailover", body)
    assert answer.status == 400
    assert "plannedFailover" in answer.body["error"]["message"]
