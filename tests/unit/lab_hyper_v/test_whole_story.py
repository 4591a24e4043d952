"""Hyper-V to Azure from the empty vault to the empty vault."""

from typing import Any

from tests.unit.lab_hyper_v.conftest import Site


def states(site: Site) -> tuple[str, str, list[str]]:
    shown = site.properties()
    return shown["protectionState"], shown["activeLocation"], shown["allowedOperations"]


def remove_everything(site: Site) -> None:
    lab = site.lab
    mapping, container = site.mapping, site.container
    assert lab.do("POST", f"{mapping}/remove", {"properties": {}})["state"] == "Succeeded"
    assert lab.do("DELETE", site.policy)["state"] == "Succeeded"
    assert lab.do("DELETE", site.fabric)["state"] == "Succeeded"
    for collection in ("replicationFabrics", "replicationPolicies", "replicationProtectedItems"):
        assert lab.get(f"{site.vault}/{collection}")["value"] == []
    assert lab.ask("GET", container).status == 404


def test_a_machine_migrates_to_azure_and_the_vault_is_empty_again(bare):
    assert bare.make()["state"] == "Succeeded"
    bare.register()
    assert bare.associate()["state"] == "Succeeded"
    bare.protect()
    assert bare.act("testFailover", bare.test_body())["state"] == "Succeeded"
    assert set(bare.vms) == {"vm-sql-1-test"}
    assert bare.act("testFailoverCleanup", {"properties": {"comments": "fine"}})["state"] == "Succeeded"
    bare.fail_over()
    assert states(bare)[:2] == ("PlannedFailoverCommitRequired", "Recovery")
    bare.commit()
    done = bare.act("remove", {"properties": {"disableProtectionReason": "MigrationComplete"}})
    assert done["state"] == "Succeeded"
    assert bare.lab.ask("GET", bare.item).status == 404
    assert set(bare.vms) == {"vm-sql-1"}
    remove_everything(bare)
    assert set(bare.vms) == {"vm-sql-1"}


def test_a_machine_fails_over_comes_back_and_replicates_again(protected):
    protected.fail_over()
    protected.commit()
    assert "PlannedFailover" in states(protected)[2]
    back = protected.act("plannedFailover", protected.failback_body())
    assert (back["state"], back["scenarioName"]) == ("Succeeded", "PlannedFailover")
    assert states(protected) == ("PlannedFailoverCommitRequired", "Primary", ["Commit", "DisableProtection"])
    protected.commit()
    assert states(protected) == ("PlannedFailoverStatesBegin", "Primary", ["ReverseReplicate", "DisableProtection"])
    assert protected.vms == {}
    again: dict[str, Any] = {
        "properties": {
            "failoverDirection": "PrimaryToRecovery",
            "providerSpecificDetails": {"instanceType": "HyperVReplicaAzure"},
        }
    }
    assert protected.act("reProtect", again)["state"] == "Succeeded"
    assert states(protected)[:2] == ("Protected", "Primary")
    assert "PlannedFailover" in states(protected)[2]
    assert protected.act("unplannedFailover", protected.failover_body())["state"] == "Succeeded"


def test_a_machine_that_came_back_can_be_removed_without_a_commit(protected):
    assert protected.act("unplannedFailover", protected.failover_body())["state"] == "Succeeded"
    protected.commit()
    assert protected.act("plannedFailover", protected.failback_body())["state"] == "Succeeded"
    assert protected.act("remove", {"properties": {}})["state"] == "Succeeded"
    remove_everything(protected)


def test_a_machine_can_be_protected_anew_after_it_was_removed(protected):
    assert protected.act("remove", {"properties": {}})["state"] == "Succeeded"
    assert protected.lab.get(protected.protectable())["properties"]["protectionStatus"] == "Unprotected"
    protected.protect()
    assert protected.lab.get(protected.protectable())["properties"]["protectionStatus"] == "Protected"
