"""A machine goes from its source to Azure, through World.handle alone."""


def test_a_machine_is_enabled_tested_cleaned_up_failed_over_committed_and_removed(ready):
    lab, item = ready.lab, ready.item
    ready.protect()
    assert ready.properties()["allowedOperations"] == ["UnplannedFailover", "DisableProtection", "TestFailover"]

    lab.advance(600)
    assert lab.do("POST", f"{item}/testFailover", ready.test_body())["state"] == "Succeeded"
    assert "TestFailoverCleanup" in ready.properties()["allowedOperations"]
    assert "TestFailover" not in ready.properties()["allowedOperations"]
    assert [name for name in ready.vms if name.endswith("-test")]

    assert lab.do("POST", f"{item}/testFailoverCleanup", {"properties": {"comments": "ok"}})["state"] == "Succeeded"
    assert ready.vms == {}
    assert ready.properties()["testFailoverState"] == "MarkedForDeletion"

    assert lab.do("POST", f"{item}/unplannedFailover", ready.failover_body())["state"] == "Succeeded"
    failed_over = ready.properties()
    assert failed_over["protectionState"] == "UnplannedFailoverCommitPendingStatesBegin"
    assert failed_over["activeLocation"] == "Recovery"
    (machine,) = ready.vms.values()
    assert machine["tags"] == {"asr-source-id": "i-1"}
    assert machine["properties"]["hardwareProfile"]["vmSize"] == "Standard_D2s_v5"

    assert lab.do("POST", f"{item}/failoverCommit")["state"] == "Succeeded"
    committed = ready.properties()
    assert committed["protectionState"] == "UnplannedFailoverStatesBegin"
    assert committed["allowedOperations"] == ["CompleteMigration", "DisableProtection", "SwitchProtection"]

    complete = {"properties": {"disableProtectionReason": "MigrationComplete"}}
    assert lab.do("POST", f"{item}/remove", complete)["state"] == "Succeeded"
    assert lab.ask("GET", item).status == 404
    assert list(ready.vms) == [machine["name"]]
