"""Recovery plans over machines of every provider: each item does what it would do alone."""

from dataclasses import dataclass
from typing import Any

import pytest
from tests.unit.lab_azure_to_azure.conftest import Regions, regions
from tests.unit.lab_hyper_v.conftest import Site, bare, site
from tests.unit.lab_site_recovery.conftest import Lab, Ready, classic
from tests.worlds.zones import TEST

__all__ = ["bare", "classic", "regions", "site"]


@dataclass
class Planned:
    """A protected item, its plan, and what a plan's requests say of its provider."""

    lab: Lab
    plan: str
    item: str
    provider: str
    network: str = TEST

    def run(self, verb: str, body: Any = None) -> dict[str, Any]:
        return self.lab.do("POST", f"{self.plan}/{verb}", body)

    def body(self, **more: Any) -> dict[str, Any]:
        entry = {"instanceType": self.provider, "recoveryPointType": "Latest"}
        return {"properties": {"failoverDirection": "PrimaryToRecovery", "providerSpecificDetails": [entry], **more}}

    def state(self) -> str:
        return str(self.lab.get(self.item)["properties"]["protectionState"])

    def allowed(self) -> list[str]:
        return list(self.lab.get(self.plan)["properties"]["allowedOperations"])


def plan_of(
    lab: Lab, vault: str, item: str, fabric: str, provider: str, recovery: str = "Microsoft Azure", network: str = TEST
) -> Planned:
    """Make a plan with one group of one item."""
    groups = [{"groupType": "Boot", "replicationProtectedItems": [{"id": item}]}]
    body = {"properties": {"primaryFabricId": fabric, "recoveryFabricId": recovery, "groups": groups}}
    plan = f"{vault}/replicationRecoveryPlans/wave"
    assert lab.do("PUT", plan, body)["state"] == "Succeeded"
    return Planned(lab, plan, item, provider, network)


@pytest.fixture
def of_servers(classic: Ready) -> Planned:
    """A plan of a server behind a configuration server."""
    classic.protect()
    return plan_of(classic.lab, classic.vault, classic.item, classic.fabric, "InMageAzureV2")


@pytest.fixture
def of_hyper_v(site: Site) -> Planned:
    """A plan of a machine on Hyper-V."""
    site.protect()
    return plan_of(site.lab, site.vault, site.item, site.fabric, "HyperVReplicaAzure")


@pytest.fixture
def of_azure(regions: Regions) -> Planned:
    """A plan of a machine that is in Azure already."""
    regions.prepare()
    regions.protect()
    network = regions.test_body()["properties"]["networkId"]
    return plan_of(regions.lab, regions.vault, regions.item, regions.here, "A2A", regions.there, network)


@pytest.fixture(params=["of_servers", "of_hyper_v", "of_azure"])
def planned(request: pytest.FixtureRequest) -> Planned:
    """Each provider in turn."""
    found: Planned = request.getfixturevalue(request.param)
    return found


def test_a_plan_is_tested_cleaned_up_failed_over_and_committed(planned: Planned) -> None:
    test = planned.body(networkType="VmNetworkAsInput", networkId=planned.network)
    assert planned.run("testFailover", test)["state"] == "Succeeded"
    assert planned.allowed() == ["TestFailoverCleanup"]
    assert planned.run("testFailoverCleanup", {"properties": {}})["state"] == "Succeeded"
    job = planned.run("unplannedFailover", planned.body(sourceSiteOperations="NotRequired"))
    assert job["state"] == "Succeeded"
    assert "Commit" in planned.allowed()
    assert planned.run("failoverCommit")["state"] == "Succeeded"
    assert planned.state().endswith("UnplannedFailoverStatesBegin")


def test_a_plan_over_machines_on_hyper_v_offers_a_planned_failover(of_hyper_v: Planned) -> None:
    assert of_hyper_v.allowed() == ["PlannedFailover", "UnplannedFailover", "TestFailover"]
    body = {
        "properties": {
            "failoverDirection": "PrimaryToRecovery",
            "providerSpecificDetails": [{"instanceType": "HyperVReplicaAzure"}],
        }
    }
    job = of_hyper_v.run("plannedFailover", body)
    assert (job["state"], job["scenarioName"]) == ("Succeeded", "PlannedFailover")
    assert of_hyper_v.state() == "PlannedFailoverCommitRequired"


def test_a_plan_brings_machines_back_to_hyper_v(of_hyper_v: Planned) -> None:
    of_hyper_v.run("unplannedFailover", of_hyper_v.body(sourceSiteOperations="NotRequired"))
    of_hyper_v.run("failoverCommit")
    back = {
        "instanceType": "HyperVReplicaAzureFailback",
        "dataSyncOption": "ForSynchronization",
        "recoveryVmCreationOption": "NoAction",
    }
    body = {"properties": {"failoverDirection": "RecoveryToPrimary", "providerSpecificDetails": [back]}}
    job = of_hyper_v.run("plannedFailover", body)
    assert job["state"] == "Succeeded", job["errors"]


def test_a_planned_failover_is_not_offered_for_servers(of_servers: Planned) -> None:
    body = of_servers.body()
    del body["properties"]["providerSpecificDetails"]
    job = of_servers.run("plannedFailover", body)
    assert job["state"] == "Failed"


def test_the_plan_of_two_regions_names_both_fabrics(of_azure: Planned) -> None:
    shown = of_azure.lab.get(of_azure.plan)["properties"]
    assert (shown["primaryFabricFriendlyName"], shown["recoveryFabricFriendlyName"]) != ("Microsoft Azure",) * 2
    assert shown["replicationProviders"] == ["A2A"]
