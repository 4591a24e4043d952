"""Hyper-V to Hyper-V: machines of a VMM cloud that replicate to a cloud of another VMM server."""

from dataclasses import dataclass
from typing import Any

import pytest
from tests.unit.lab_hyper_v.conftest import machine
from tests.unit.lab_site_recovery.conftest import Lab
from tests.worlds.hosts import host

from asr_lab.arm.site_recovery_hyper_v import Cloud, VmNetwork, world_register_vmm

SETTINGS = {
    "instanceType": "HyperVReplica2012R2",
    "recoveryPoints": 4,
    "applicationConsistentSnapshotFrequencyInHours": 1,
    "replicationFrequencyInSeconds": 300,
    "compression": "Enable",
    "initialReplicationMethod": "OverNetwork",
    "replicationPort": 8083,
    "allowedAuthenticationType": 1,
}
BASE = "EnableProtectionProviderSpecificInput"


@dataclass
class Pair:
    """Two VMM servers in a vault, and the item of the first one's machine."""

    lab: Lab
    vault: str
    here: str
    there: str

    @property
    def item(self) -> str:
        return f"{self.here}/replicationProtectedItems/erp-1"

    def act(self, verb: str, body: Any = None) -> dict[str, Any]:
        return self.lab.do("POST", f"{self.item}/{verb}", body)

    def move(self, verb: str, direction: str) -> dict[str, Any]:
        return self.act(verb, {"properties": {"failoverDirection": direction}})

    def state(self) -> tuple[str, str]:
        shown = self.lab.get(self.item)["properties"]
        return shown["protectionState"], shown["activeLocation"]

    def allowed(self) -> list[str]:
        return list(self.lab.get(self.item)["properties"]["allowedOperations"])


def cloud_of(lab: Lab, fabric: str) -> str:
    return str(lab.get(f"{fabric}/replicationProtectionContainers")["value"][0]["id"])


@pytest.fixture
def pair() -> Pair:
    lab = Lab()
    vault = lab.make_vault("vault-vmm")
    fabrics = [
        world_register_vmm(
            lab.world,
            vault_credentials_xml=lab.vault_key(vault),
            host=host(f"vmm-{number}", f"10.40.0.{number}", 40 + number),
            clouds=[Cloud(f"Cloud {number}", (machine("erp-1", 1),) if number == 1 else ())],
            networks=[VmNetwork(f"Network {number}")],
            now=lab.now,
        )
        for number in (1, 2)
    ]
    lab.advance(60)
    here, there = (cloud_of(lab, fabric) for fabric in fabrics)
    policy = f"{vault}/replicationPolicies/between-hosts"
    assert lab.do("PUT", policy, {"properties": {"providerSpecificInput": SETTINGS}})["state"] == "Succeeded"
    pairing = {"targetProtectionContainerId": there, "policyId": policy}
    mapping = f"{here}/replicationProtectionContainerMappings/mapping"
    assert lab.do("PUT", mapping, {"properties": pairing})["state"] == "Succeeded"
    made = Pair(lab, vault, here, there)
    source = lab.get(f"{here}/replicationProtectableItems")["value"][0]["id"]
    body = {"policyId": policy, "protectableItemId": source, "providerSpecificDetails": {"instanceType": BASE}}
    assert lab.do("PUT", made.item, {"properties": body})["state"] == "Succeeded"
    lab.until(made.item, "Protected")
    lab.advance(30)
    return made


def test_an_item_tells_of_the_cloud_on_the_other_side(pair):
    shown = pair.lab.get(pair.item)["properties"]
    assert shown["providerSpecificDetails"]["instanceType"] == "HyperVReplica2012R2"
    assert (shown["recoveryFabricFriendlyName"], shown["recoveryProtectionContainerFriendlyName"]) == (
        "vmm-2",
        "Cloud 2",
    )
    assert shown["recoveryContainerId"] == pair.there
    names = {one["properties"]["scenarioName"] for one in pair.lab.get(f"{pair.vault}/replicationJobs")["value"]}
    assert {"PrimaryIrCompletion", "SecondaryIrCompletion"} <= names


def test_a_machine_moves_replicates_back_and_returns(pair):
    assert pair.move("plannedFailover", "PrimaryToRecovery")["state"] == "Succeeded"
    assert pair.state() == ("PlannedFailoverCommitRequired", "Recovery")
    assert pair.allowed() == ["CompleteMigration", "ReverseReplicate", "Commit", "DisableProtection", "ChangePit"]
    assert pair.act("failoverCommit")["state"] == "Succeeded"
    assert pair.allowed() == ["CompleteMigration", "ReverseReplicate", "DisableProtection"]
    assert pair.move("reProtect", "RecoveryToPrimary")["scenarioName"] == "ReverseReplication"
    assert pair.state() == ("Protected", "Recovery")
    assert pair.move("plannedFailover", "RecoveryToPrimary")["state"] == "Succeeded"
    assert pair.state() == ("PlannedFailoverCommitRequired", "Primary")
    assert pair.act("failoverCommit")["state"] == "Succeeded"
    assert pair.state() == ("PlannedFailoverStatesBegin", "Primary")
    assert pair.move("reProtect", "PrimaryToRecovery")["state"] == "Succeeded"
    assert pair.state() == ("Protected", "Primary")
    assert pair.act("remove", {"properties": {}})["state"] == "Succeeded"


def test_a_machine_can_replicate_the_other_way_without_a_commit(pair):
    assert pair.move("unplannedFailover", "PrimaryToRecovery")["state"] == "Succeeded"
    assert pair.state() == ("UnplannedFailoverCommitPendingStatesBegin", "Recovery")
    assert pair.move("reProtect", "RecoveryToPrimary")["state"] == "Succeeded"
    assert pair.move("unplannedFailover", "RecoveryToPrimary")["state"] == "Succeeded"
    assert pair.state() == ("UnplannedFailoverCommitPendingStatesBegin", "Primary")
    assert pair.act("failoverCommit")["state"] == "Succeeded"
    assert pair.state() == ("UnplannedFailoverStatesBegin", "Primary")


def test_a_test_failover_leaves_nothing_in_azure(pair):
    body = {"properties": {"failoverDirection": "PrimaryToRecovery", "networkType": "NoNetworkAttachAsInput"}}
    assert pair.act("testFailover", body)["state"] == "Succeeded"
    assert pair.allowed() == ["DisableProtection", "TestFailoverCleanup"]
    assert pair.act("testFailoverCleanup", {"properties": {}})["state"] == "Succeeded"
    assert not [one for one in pair.lab.world.resources.ids() if "virtualMachines" in one]


def test_a_failover_towards_where_the_machine_runs_fails(pair):
    job = pair.move("plannedFailover", "RecoveryToPrimary")
    assert (job["state"], job["errors"][0]["serviceErrorDetails"]["code"]) == ("Failed", "25037")


def test_a_cancelled_failover_leaves_the_machine_where_it_was(pair):
    pair.move("unplannedFailover", "PrimaryToRecovery")
    assert pair.act("failoverCancel")["state"] == "Succeeded"
    assert pair.state() == ("Protected", "Primary")


def test_reprotecting_a_protected_machine_is_refused_at_once(pair):
    body = {"properties": {"failoverDirection": "PrimaryToRecovery"}}
    refused = pair.lab.ask("POST", f"{pair.item}/reProtect", body)
    assert refused.body["error"]["details"][0]["code"] == "InvalidFailoverDirection"


def test_a_mapping_needs_a_cloud_that_is_there(pair):
    body = {
        "targetProtectionContainerId": f"{pair.there}-none",
        "policyId": f"{pair.vault}/replicationPolicies/between-hosts",
    }
    path = f"{pair.here}/replicationProtectionContainerMappings/other"
    assert pair.lab.ask("PUT", path, {"properties": body}).status == 404
