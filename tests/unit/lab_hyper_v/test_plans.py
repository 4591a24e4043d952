"""Recovery plans of Hyper-V machines."""

from typing import Any

import pytest


@pytest.fixture
def plan(protected) -> str:
    """A plan with the protected machine."""
    path = f"{protected.vault}/replicationRecoveryPlans/plan"
    item = {"id": protected.item, "virtualMachineId": protected.protectable()}
    body = {
        "primaryFabricId": protected.fabric,
        "recoveryFabricId": "Microsoft Azure",
        "failoverDeploymentModel": "ResourceManager",
        "groups": [{"groupType": "Boot", "replicationProtectedItems": [item]}],
    }
    assert protected.lab.do("PUT", path, {"properties": body})["state"] == "Succeeded"
    return path


def move(direction: str, instance_type: str, **more: str) -> dict[str, Any]:
    specific = [{"instanceType": instance_type, **more}]
    return {"properties": {"failoverDirection": direction, "providerSpecificDetails": specific}}


def test_a_plan_names_the_machine_by_the_last_part_of_its_id(protected, plan):
    shown = protected.lab.get(plan)["properties"]
    assert shown["allowedOperations"] == ["PlannedFailover", "UnplannedFailover", "TestFailover"]
    assert shown["replicationProviders"] == ["HyperVReplicaAzure"]
    boot = shown["groups"][2]["replicationProtectedItems"][0]
    assert boot["virtualMachineId"] == protected.machines[0].vm_id


def test_a_plan_fails_its_machine_over_and_brings_it_back(protected, plan):
    lab = protected.lab
    job = lab.do("POST", f"{plan}/plannedFailover", move("PrimaryToRecovery", "HyperVReplicaAzure"))
    assert job["state"] == "Succeeded", job["errors"]
    assert protected.properties()["protectionState"] == "PlannedFailoverCommitRequired"
    assert set(protected.vms) == {"vm-sql-1"}
    assert lab.do("POST", f"{plan}/failoverCommit")["state"] == "Succeeded"
    back = move(
        "RecoveryToPrimary",
        "HyperVReplicaAzureFailback",
        dataSyncOption="ForSynchronization",
        recoveryVmCreationOption="NoAction",
    )
    job = lab.do("POST", f"{plan}/plannedFailover", back)
    assert job["state"] == "Succeeded", job["errors"]
    shown = protected.properties()
    assert (shown["protectionState"], shown["activeLocation"]) == ("PlannedFailoverCommitRequired", "Primary")
