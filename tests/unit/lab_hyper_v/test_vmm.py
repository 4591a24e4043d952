"""VMM servers: clouds as containers, VM networks and their mapping, machines replicated to Azure."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.unit.lab_hyper_v.conftest import POLICY, machine
from tests.unit.lab_site_recovery.conftest import Lab
from tests.worlds.hosts import host
from tests.worlds.zones import ACCOUNT, GROUP, PROD

from asr_lab.arm.providers.hyper_v_model import VirtualAdapter
from asr_lab.arm.site_recovery_hyper_v import Cloud, VmNetwork, world_register_vmm

BLUE = "Blue Network"


def blue(name: str, number: int) -> Any:
    adapter = VirtualAdapter(f"5d4cbafb-724f-4e82-aa67-{number:012d}", BLUE, "", f"10.40.1.{number}")
    return machine(name, number, adapters=(adapter,))


@dataclass
class Server:
    """A vault with a VMM server of two clouds."""

    lab: Lab
    vault: str
    fabric: str
    containers: dict[str, str] = field(default_factory=dict)

    def network(self) -> str:
        return str(self.lab.get(f"{self.fabric}/replicationNetworks")["value"][0]["id"])

    def map_network(self) -> dict[str, Any]:
        body = {"recoveryNetworkId": PROD, "fabricSpecificDetails": {"instanceType": "VmmToAzure"}}
        path = f"{self.network()}/replicationNetworkMappings/to-azure"
        return self.lab.do("PUT", path, {"properties": body})

    def protect(self, **changes: Any) -> str:
        lab, container = self.lab, self.containers["Gold"]
        policy = f"{self.vault}/replicationPolicies/policy"
        assert lab.do("PUT", policy, {"properties": {"providerSpecificInput": POLICY}})["state"] == "Succeeded"
        pairing = {"targetProtectionContainerId": "Microsoft Azure", "policyId": policy}
        mapping = f"{container}/replicationProtectionContainerMappings/mapping"
        assert lab.do("PUT", mapping, {"properties": pairing})["state"] == "Succeeded"
        source = lab.get(f"{container}/replicationProtectableItems")["value"][0]
        details = {
            "instanceType": "HyperVReplicaAzure",
            "targetStorageAccountId": ACCOUNT,
            "targetAzureV2ResourceGroupId": GROUP,
            **changes,
        }
        item = f"{container}/replicationProtectedItems/erp-1"
        body = {"policyId": policy, "protectableItemId": source["id"], "providerSpecificDetails": details}
        assert lab.do("PUT", item, {"properties": body})["state"] == "Succeeded"
        lab.until(item, "Protected")
        lab.advance(30)
        return item


@pytest.fixture
def server() -> Server:
    lab = Lab()
    vault = lab.make_vault("vault-vmm")
    fabric = world_register_vmm(
        lab.world,
        vault_credentials_xml=lab.vault_key(vault),
        host=host("vmm-1", "10.40.0.10", 40),
        clouds=[Cloud("Gold", (blue("erp-1", 1),)), Cloud("Silver", (blue("erp-2", 2),))],
        networks=[VmNetwork(BLUE, (("blue-subnet", "10.40.1.0/24"),))],
        logical_networks=["Fabric Network"],
        storage_classifications=["Fast Disks"],
        now=lab.now,
    )
    lab.advance(60)
    listed = lab.get(f"{fabric}/replicationProtectionContainers")["value"]
    return Server(lab, vault, fabric, {one["properties"]["friendlyName"]: one["id"] for one in listed})


def test_each_cloud_is_a_container_with_its_own_machines(server):
    assert set(server.containers) == {"Gold", "Silver"}
    names = [
        server.lab.get(f"{container}/replicationProtectableItems")["value"][0]["properties"]["friendlyName"]
        for container in server.containers.values()
    ]
    assert names == ["erp-1", "erp-2"]
    shown = server.lab.get(server.fabric)["properties"]
    assert (shown["friendlyName"], shown["customDetails"]) == ("vmm-1", {"instanceType": "VMM"})


def test_the_job_of_a_machine_names_its_own_cloud(server):
    item = server.protect()
    job = server.lab.do("POST", f"{item}/remove", {"properties": {}})
    affected = job["customDetails"]["affectedObjectDetails"]
    assert affected["primaryCloudId"] == server.containers["Gold"].rpartition("/")[2]
    assert (affected["primaryCloudName"], affected["primaryVmmName"]) == ("Gold", "vmm-1")
    assert affected["primaryFabricProviderId"] == "VMM"


def test_the_networks_of_the_server_are_listed(server):
    shown = server.lab.get(server.network())["properties"]
    assert (shown["friendlyName"], shown["networkType"]) == (BLUE, "VmNetwork")
    assert shown["subnets"][0]["addressList"] == ["10.40.1.0/24"]


@pytest.mark.parametrize(
    ("collection", "name"),
    [("replicationLogicalNetworks", "Fabric Network"), ("replicationStorageClassifications", "Fast Disks")],
)
def test_logical_networks_and_storage_classifications_are_listed(server, collection, name):
    listed = server.lab.get(f"{server.fabric}/{collection}")["value"]
    assert [one["properties"]["friendlyName"] for one in listed] == [name]


def test_a_machine_without_a_target_network_goes_to_the_mapped_one(server):
    assert server.map_network()["state"] == "Succeeded"
    item = server.protect()
    details = server.lab.get(item)["properties"]["providerSpecificDetails"]
    assert details["selectedRecoveryAzureNetworkId"] == PROD


def test_a_machine_of_a_cloud_migrates_to_azure(server):
    item = server.protect(targetAzureNetworkId=PROD)
    body = {
        "failoverDirection": "PrimaryToRecovery",
        "providerSpecificDetails": {"instanceType": "HyperVReplicaAzure"},
    }
    assert server.lab.do("POST", f"{item}/plannedFailover", {"properties": body})["state"] == "Succeeded"
    assert server.lab.do("POST", f"{item}/failoverCommit")["state"] == "Succeeded"
    done = {"properties": {"disableProtectionReason": "MigrationComplete"}}
    assert server.lab.do("POST", f"{item}/remove", done)["state"] == "Succeeded"
    assert f"{GROUP}/providers/Microsoft.Compute/virtualMachines/erp-1" in server.lab.world.resources


def test_a_server_that_registers_again_keeps_its_clouds(server):
    lab = server.lab
    world_register_vmm(
        lab.world,
        vault_credentials_xml=lab.vault_key(server.vault),
        host=host("vmm-1", "10.40.0.10", 40),
        clouds=[Cloud("Gold", (blue("erp-1", 1), blue("erp-3", 3)))],
        networks=[VmNetwork(BLUE)],
        now=lab.now,
    )
    lab.advance(60)
    listed = lab.get(f"{server.fabric}/replicationProtectionContainers")["value"]
    assert {one["properties"]["friendlyName"]: one["id"] for one in listed} == server.containers
    assert len(lab.get(f"{server.containers['Gold']}/replicationProtectableItems")["value"]) == 2
    assert len(lab.get(f"{server.fabric}/replicationNetworks")["value"]) == 1


def test_removing_the_provider_of_a_server_removes_its_fabric(server):
    dra = server.lab.get(f"{server.fabric}/replicationRecoveryServicesProviders")["value"][0]["id"]
    assert server.lab.do("POST", f"{dra}/remove")["state"] == "Succeeded"
    assert server.lab.get(f"{server.vault}/replicationFabrics")["value"] == []
