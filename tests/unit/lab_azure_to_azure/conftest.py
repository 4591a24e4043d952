"""Two regions of Azure with a machine in the first, driven through World.handle."""

from dataclasses import dataclass
from typing import Any

import pytest
from tests.unit.lab_site_recovery.conftest import Lab
from tests.worlds.zones import GROUP, PROD, SUB

from asr_lab.arm import landing_zone
from asr_lab.arm.providers.azure_to_azure_source import seed_virtual_machine
from asr_lab.arm.resources.network import add_virtual_network
from asr_lab.arm.resources.resource_groups import add_resource_group
from asr_lab.arm.resources.storage import add_storage_account

THERE = "rg-recovery"
THERE_GROUP = f"/subscriptions/{SUB}/resourceGroups/{THERE}"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{landing_zone.STORAGE_ACCOUNT}"
ACCOUNT_THERE = f"{THERE_GROUP}/providers/Microsoft.Storage/storageAccounts/stasrback"
NETWORK_THERE = f"{THERE_GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-recovery"
TEST_NETWORK = f"{THERE_GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-test"
COMPUTE = "2025-04-01"


@dataclass
class Regions:
    """A vault and two regions; what is not made yet is made by the methods, as a client does it."""

    lab: Lab
    vault: str
    machine: str

    @property
    def here(self) -> str:
        return f"{self.vault}/replicationFabrics/fabric-we"

    @property
    def there(self) -> str:
        return f"{self.vault}/replicationFabrics/fabric-ne"

    @property
    def container_here(self) -> str:
        return f"{self.here}/replicationProtectionContainers/container-we"

    @property
    def container_there(self) -> str:
        return f"{self.there}/replicationProtectionContainers/container-ne"

    @property
    def policy(self) -> str:
        return f"{self.vault}/replicationPolicies/policy-a2a"

    @property
    def item(self) -> str:
        return f"{self.container_here}/replicationProtectedItems/db-1"

    @property
    def item_there(self) -> str:
        return f"{self.container_there}/replicationProtectedItems/db-1"

    @property
    def network_mapping(self) -> str:
        return f"{self.here}/replicationNetworks/azureNetwork/replicationNetworkMappings/to-ne"

    def succeed(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        job = self.lab.do(method, path, body)
        assert job["state"] == "Succeeded", job["errors"]
        return job

    def make_fabrics(self) -> None:
        for fabric, location in ((self.here, "westeurope"), (self.there, "northeurope")):
            body = {"properties": {"customDetails": {"instanceType": "Azure", "location": location}}}
            self.succeed("PUT", fabric, body)

    def make_containers(self) -> None:
        for container in (self.container_here, self.container_there):
            self.succeed("PUT", container, {"properties": {"providerSpecificInput": [{"instanceType": "A2A"}]}})

    def make_policy(self) -> None:
        settings = {
            "instanceType": "A2A",
            "recoveryPointHistory": 1440,
            "crashConsistentFrequencyInMinutes": 5,
            "appConsistentFrequencyInMinutes": 0,
            "multiVmSyncStatus": "Enable",
        }
        self.succeed("PUT", self.policy, {"properties": {"providerSpecificInput": settings}})

    def map_containers(self) -> None:
        for source, target in (
            (self.container_here, self.container_there),
            (self.container_there, self.container_here),
        ):
            properties = {
                "targetProtectionContainerId": target,
                "policyId": self.policy,
                "providerSpecificInput": {"instanceType": "A2A", "agentAutoUpdateStatus": "Disabled"},
            }
            path = f"{source}/replicationProtectionContainerMappings/mapping"
            self.succeed("PUT", path, {"properties": properties})

    def map_networks(self) -> None:
        self.succeed("PUT", self.network_mapping, self.network_mapping_body())

    def network_mapping_body(self, **changes: Any) -> dict[str, Any]:
        properties = {
            "recoveryFabricName": "fabric-ne",
            "recoveryNetworkId": NETWORK_THERE,
            "fabricSpecificDetails": {"instanceType": "AzureToAzure", "primaryNetworkId": PROD},
        }
        return {"properties": properties | changes}

    def prepare(self) -> None:
        """Make everything that a first enable needs."""
        self.make_fabrics()
        self.make_containers()
        self.make_policy()
        self.map_containers()
        self.map_networks()

    def disks(self, machine: str = "") -> list[str]:
        storage = self.vm(machine or self.machine)["properties"]["storageProfile"]
        return [disk["managedDisk"]["id"] for disk in (storage["osDisk"], *storage["dataDisks"])]

    def disk_rows(self, disks: list[str], account: str = ACCOUNT, group: str = THERE_GROUP) -> list[dict[str, str]]:
        return [
            {"diskId": disk, "primaryStagingAzureStorageAccountId": account, "recoveryResourceGroupId": group}
            for disk in disks
        ]

    def enable_body(self, **changes: Any) -> dict[str, Any]:
        details = {
            "instanceType": "A2A",
            "fabricObjectId": self.machine,
            "recoveryContainerId": self.container_there,
            "recoveryResourceGroupId": THERE_GROUP,
            "vmManagedDisks": self.disk_rows(self.disks()),
        }
        return {"properties": {"policyId": self.policy, "providerSpecificDetails": details | changes}}

    def protect(self) -> None:
        """Enable replication and wait until the machine is protected."""
        self.succeed("PUT", self.item, self.enable_body())
        self.lab.until(self.item, "Protected")

    def failover_body(self, **changes: Any) -> dict[str, Any]:
        properties = {
            "failoverDirection": "PrimaryToRecovery",
            "sourceSiteOperations": "NotRequired",
            "providerSpecificDetails": {"instanceType": "A2A"},
        }
        return {"properties": properties | changes}

    def test_body(self, **changes: Any) -> dict[str, Any]:
        properties = {
            "failoverDirection": "PrimaryToRecovery",
            "networkType": "VmNetworkAsInput",
            "networkId": TEST_NETWORK,
            "providerSpecificDetails": {"instanceType": "A2A"},
        }
        return {"properties": properties | changes}

    def switch_body(self, **changes: Any) -> dict[str, Any]:
        recovered = self.lab.get(self.item)["properties"]["providerSpecificDetails"]["recoveryFabricObjectId"]
        details = {
            "instanceType": "A2A",
            "policyId": self.policy,
            "recoveryContainerId": self.container_here,
            "recoveryResourceGroupId": GROUP,
            "vmManagedDisks": self.disk_rows(self.disks(recovered), ACCOUNT_THERE, GROUP) if recovered else [],
        }
        return {"properties": {"replicationProtectedItemName": "db-1", "providerSpecificDetails": details | changes}}

    def fail_over_and_commit(self) -> None:
        self.succeed("POST", f"{self.item}/unplannedFailover", self.failover_body())
        self.succeed("POST", f"{self.item}/failoverCommit")

    def switch(self) -> dict[str, Any]:
        """Turn a failed-over machine round and return the job."""
        return self.succeed("POST", f"{self.container_here}/switchprotection", self.switch_body())

    def vm(self, vm_id: str) -> Any:
        return self.lab.get(vm_id, api=COMPUTE)

    def properties(self, item: str = "") -> dict[str, Any]:
        return dict(self.lab.get(item or self.item)["properties"])

    def details(self, item: str = "") -> dict[str, Any]:
        return dict(self.properties(item)["providerSpecificDetails"])


def code(job: dict[str, Any]) -> str:
    """Return the service error code of a failed job."""
    assert job["state"] == "Failed", job
    return str(job["errors"][0]["serviceErrorDetails"]["code"])


@pytest.fixture
def regions() -> Regions:
    """An empty vault, a machine with two disks in West Europe, and networks in both regions."""
    lab = Lab()
    world = lab.world
    add_resource_group(world, SUB, THERE, location="northeurope")
    for name in ("vnet-recovery", "vnet-test"):
        add_virtual_network(
            world,
            SUB,
            THERE,
            name,
            location="northeurope",
            address_prefixes=["10.61.0.0/16"],
            subnets={"apps": "10.61.1.0/24"},
        )
    add_storage_account(world, SUB, THERE, "stasrback", location="northeurope", now=lab.now)
    machine = seed_virtual_machine(
        world,
        lab.now,
        resource_group=GROUP,
        name="db-1",
        location="westeurope",
        subnet_id=f"{PROD}/subnets/apps",
        data_disks=1,
        tags={"service": "billing"},
    )
    return Regions(lab, lab.make_vault("vault-dr"), machine)


@pytest.fixture
def ready(regions: Regions) -> Regions:
    """Fabrics, containers, policy and mappings are made; nothing is protected."""
    regions.prepare()
    return regions


@pytest.fixture
def protected(ready: Regions) -> Regions:
    """The machine is protected."""
    ready.protect()
    return ready
