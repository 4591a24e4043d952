"""A small Azure with a vault of each generation and two machines, driven through World.handle."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from tests.worlds.hosts import host
from tests.worlds.vaults import PASSPHRASE, POLICIES
from tests.worlds.world import WorldLab
from tests.worlds.zones import ACCOUNT, GROUP, PROD, TEST

from asr_lab.arm.estate import ListedHosts, PushFailure
from asr_lab.arm.site_recovery import (
    world_add_physical_server,
    world_register_appliance,
    world_register_configuration_server,
    world_register_mobility,
)


class Machines(ListedHosts):
    """Machines that have a Mobility service once it was pushed to them."""

    def push_mobility(self, address: str, account: str) -> PushFailure | None:
        failure = super().push_mobility(address, account)
        if failure is None:
            self.hosts[address] = replace(self.hosts[address], agent_version="9.62.0.0")
        return failure


class Lab(WorldLab):
    """The world, its time, and short ways to ask it."""

    def __init__(self) -> None:
        super().__init__(Machines())

    def until(self, item: str, state: str, within_s: float = 10800.0) -> float:
        """Wait until the item is in the state and return the seconds it took."""
        waited = 0.0
        while self.get(item)["properties"]["protectionState"] != state:
            assert waited < within_s, self.get(item)["properties"]["protectionState"]
            self.advance(60)
            waited += 60
        return waited


@dataclass
class Ready:
    """A vault ready to protect one machine: ids of its container, policy, machine, and where its item goes."""

    lab: Lab
    vault: str
    fabric: str
    container: str
    policy: str
    machine: str
    item: str
    server_id: str

    def enable_body(self, **changes: Any) -> dict[str, Any]:
        details = self.details() | changes
        properties: dict[str, Any] = {"policyId": self.policy, "providerSpecificDetails": details}
        if details["instanceType"] == "InMageAzureV2":
            properties["protectableItemId"] = self.machine
        return {"properties": properties}

    @property
    def rcm(self) -> bool:
        return "Microsoft.OffAzure" in self.machine

    @property
    def provider(self) -> str:
        return "InMageRcm" if self.rcm else "InMageAzureV2"

    def details(self) -> dict[str, Any]:
        if self.rcm:
            return {
                "instanceType": "InMageRcm",
                "fabricDiscoveryMachineId": self.machine,
                "processServerId": self.server_id,
                "runAsAccountId": self.lab.get(self.machine, api="2023-06-06")["properties"]["runAsAccountId"],
                "disksDefault": {"diskType": "StandardSSD_LRS", "logStorageAccountId": ACCOUNT},
                "targetResourceGroupId": GROUP,
                "targetNetworkId": PROD,
                "targetSubnetName": "apps",
                "testNetworkId": TEST,
                "testSubnetName": "apps",
                "targetVmName": "vm-web",
                "targetVmSize": "Standard_D2s_v5",
                "targetVmTags": [{"tagName": "asr-source-id", "tagValue": "i-1"}],
            }
        return {
            "instanceType": "InMageAzureV2",
            "masterTargetId": self.server_id,
            "processServerId": self.server_id,
            "runAsAccountId": "1",
            "logStorageAccountId": ACCOUNT,
            "targetAzureNetworkId": PROD,
            "targetAzureSubnetId": "apps",
            "targetAzureVmName": "vm-app",
            "targetVmSize": "Standard_D2s_v5",
            "targetAzureV2ResourceGroupId": GROUP,
            "targetVmTags": {"asr-source-id": "i-1"},
        }

    def failover_body(self, **more: Any) -> dict[str, Any]:
        shutdown = {"performShutdown": "false"} if self.rcm else {}
        return {
            "properties": {
                "failoverDirection": "PrimaryToRecovery",
                "sourceSiteOperations": "NotRequired",
                "providerSpecificDetails": {"instanceType": self.provider, **shutdown, **more},
            }
        }

    def test_body(self) -> dict[str, Any]:
        return {
            "properties": {
                "failoverDirection": "PrimaryToRecovery",
                "networkType": "VmNetworkAsInput",
                "networkId": TEST,
                "providerSpecificDetails": {"instanceType": self.provider},
            }
        }

    def protect(self) -> None:
        """Enable protection and wait until the item is protected."""
        job = self.lab.do("PUT", self.item, self.enable_body())
        assert job["state"] == "Succeeded", job["errors"]
        self.lab.until(self.item, "Protected")

    def properties(self) -> dict[str, Any]:
        return dict(self.lab.get(self.item)["properties"])

    @property
    def vms(self) -> dict[str, Any]:
        return self.lab.vms


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def classic(lab: Lab) -> Ready:
    """A vault with a configuration server that knows app-2012, its Mobility service installed."""
    vault = lab.make_vault("vault-legacy")
    server = host("legacy-cs", "10.20.0.10", 10, agent="9.59.0.0")
    source = host("app-2012", "10.20.1.12", 12, agent="9.59.0.0")
    lab.hosts.hosts.update({"10.20.0.10": server, "10.20.1.12": source})
    world_register_configuration_server(
        lab.world, vault_credentials_xml=lab.vault_key(vault), host=server, passphrase=PASSPHRASE, now=lab.now
    )
    world_register_mobility(lab.world, server_address="10.20.0.10", passphrase=PASSPHRASE, host=source, now=lab.now)
    fabric = lab.get(f"{vault}/replicationFabrics")["value"][0]
    container = lab.get(f"{fabric['id']}/replicationProtectionContainers")["value"][0]["id"]
    machine = lab.get(f"{container}/replicationProtectableItems")["value"][0]["id"]
    policy = f"{vault}/replicationPolicies/policy"
    lab.map_policy(vault, container, POLICIES["classic"])
    server_id = fabric["properties"]["customDetails"]["processServers"][0]["id"]
    item = f"{container}/replicationProtectedItems/app-2012"
    return Ready(lab, vault, fabric["id"], container, policy, machine, item, server_id)


@pytest.fixture
def modern(lab: Lab) -> Ready:
    """A vault with an appliance that has found web-2022."""
    vault = lab.make_vault("vault-current")
    appliance = host("current-appliance", "10.20.0.20", 20)
    source = host("web-2022", "10.20.1.21", 21)
    lab.hosts.hosts.update({"10.20.0.20": appliance, "10.20.1.21": source})
    fabric = world_register_appliance(lab.world, vault_id=vault, host=appliance, now=lab.now)
    world_add_physical_server(
        lab.world, vault_id=vault, address="10.20.1.21", account="admin", credential_type="WindowsServer", now=lab.now
    )
    lab.advance(600)
    container = lab.get(f"{fabric}/replicationProtectionContainers")["value"][0]["id"]
    details = lab.get(fabric)["properties"]["customDetails"]
    machine = lab.get(f"{details['physicalSiteId']}/machines", api="2023-06-06")["value"][0]["id"]
    policy = f"{vault}/replicationPolicies/policy"
    lab.map_policy(vault, container, POLICIES["modernized"])
    item = f"{container}/replicationProtectedItems/web-2022"
    return Ready(lab, vault, fabric, container, policy, machine, item, details["processServers"][0]["id"])


@pytest.fixture(params=["classic", "modern"])
def ready(request: pytest.FixtureRequest) -> Ready:
    """Each generation in turn."""
    found: Ready = request.getfixturevalue(request.param)
    return found
