"""A small Azure with vaults, driven through World.handle: an empty one, one with servers of either generation."""

import pickle
from typing import Any

import pytest
from tests.worlds.hosts import host
from tests.worlds.vaults import PASSPHRASE, POLICIES
from tests.worlds.world import WorldLab
from tests.worlds.zones import ACCOUNT, GROUP, PROD

from asr_lab.arm.estate import ListedHosts
from asr_lab.arm.site_recovery import (
    world_add_physical_server,
    world_register_appliance,
    world_register_configuration_server,
    world_register_mobility,
)
from asr_lab.arm.site_recovery_vmware import world_add_vcenter, world_register_process_server

VCENTER = "10.20.0.50"


class Lab(WorldLab):
    """The world, its time, and short ways to ask it."""

    def __init__(self) -> None:
        super().__init__(ListedHosts())

    def names(self, path: str, **query: str) -> list[str]:
        return [one["name"] for one in self.get(path, **query)["value"]]

    def do(self, method: str, path: str, body: Any = None, **query: str) -> dict[str, Any]:
        """Send a change, go to the very moment in which its job ends, and return the job's properties."""
        response = self.ask(method, path, body, **query)
        assert response.status == 202, (response.status, response.body)
        assert response.body is None
        operation = self.world.operation(response.headers["x-ms-request-id"].rpartition("/")[2])
        assert operation is not None
        self.now = operation.due
        self.world.advance(self.now)
        return dict(self.get(operation.job_id)["properties"])

    def refused(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, str, str]:
        """Return status, code and sentence of a refusal; the code is the detail's where there is one."""
        response = self.ask(method, path, body, **query)
        assert response.status >= 400, (response.status, response.body)
        error = response.body["error"]
        code = error["details"][0]["code"] if error.get("details") else error["code"]
        return response.status, code, error["message"]

    def restored(self) -> "Lab":
        """Return a lab that goes on from a copy of this one's world, as after a restart."""
        other = Lab()
        other.world = pickle.loads(pickle.dumps(self.world))
        other.now = self.now
        return other


class Classic:
    """A vault with a configuration server, a second process server and a protected-to-be machine."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.vault = lab.make_vault("vault-legacy")
        server = host("legacy-cs", "10.20.0.10", 10, agent="9.59.0.0")
        second = host("legacy-ps", "10.20.0.11", 11, agent="9.59.0.0")
        source = host("app-2012", "10.20.1.12", 12, agent="9.59.0.0")
        machines = [host(f"vm-{number}", f"10.20.2.{number}", 100 + number) for number in range(1, 4)]
        lab.hosts.hosts.update({one.addresses[0]: one for one in (server, second, source, *machines)})
        self.fabric = world_register_configuration_server(
            lab.world,
            vault_credentials_xml=lab.vault_key(self.vault),
            host=server,
            passphrase=PASSPHRASE,
            now=lab.now,
            accounts=("migration", "vcenter"),
        )
        self.second = world_register_process_server(
            lab.world, server_address="10.20.0.10", passphrase=PASSPHRASE, host=second, now=lab.now
        )
        world_register_mobility(lab.world, server_address="10.20.0.10", passphrase=PASSPHRASE, host=source, now=lab.now)
        world_add_vcenter(lab.world, address=VCENTER, name="vcenter67", machines=machines, now=lab.now)
        self.container = lab.get(f"{self.fabric}/replicationProtectionContainers")["value"][0]["id"]
        self.first = self.details()["processServers"][0]["id"]
        self.machine = lab.get(f"{self.container}/replicationProtectableItems")["value"][0]["id"]
        self.item = f"{self.container}/replicationProtectedItems/app-2012"

    def details(self) -> dict[str, Any]:
        return dict(self.lab.get(self.fabric)["properties"]["customDetails"])

    def vcenter_body(self, **changes: Any) -> dict[str, Any]:
        given = {
            "friendlyName": "vcenter67",
            "ipAddress": VCENTER,
            "processServerId": self.first,
            "port": "443",
            "runAsAccountId": "2",
        }
        return {"properties": {**given, **changes}}

    def map_policy(self) -> str:
        """Make a policy, associate it with the container, and return the mapping's id."""
        return self.lab.map_policy(self.vault, self.container, POLICIES["classic"])

    def protect(self) -> None:
        self.map_policy()
        details = {
            "instanceType": "InMageAzureV2",
            "masterTargetId": self.first,
            "processServerId": self.first,
            "runAsAccountId": "1",
            "logStorageAccountId": ACCOUNT,
            "targetAzureNetworkId": PROD,
            "targetAzureSubnetId": "apps",
            "targetAzureVmName": "vm-app",
            "targetAzureV2ResourceGroupId": GROUP,
        }
        properties = {
            "policyId": f"{self.vault}/replicationPolicies/policy",
            "protectableItemId": self.machine,
            "providerSpecificDetails": details,
        }
        job = self.lab.do("PUT", self.item, {"properties": properties})
        assert job["state"] == "Succeeded", job["errors"]
        self.lab.advance(7200)


class Modern:
    """A vault with an appliance that has found a physical server."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.vault = lab.make_vault("vault-current")
        appliance = host("current-appliance", "10.20.0.20", 20)
        source = host("web-2022", "10.20.1.21", 21)
        lab.hosts.hosts.update({"10.20.0.20": appliance, "10.20.1.21": source})
        self.fabric = world_register_appliance(lab.world, vault_id=self.vault, host=appliance, now=lab.now)
        world_add_physical_server(
            lab.world,
            vault_id=self.vault,
            address="10.20.1.21",
            account="admin",
            credential_type="WindowsServer",
            now=lab.now,
        )
        lab.advance(600)
        details = lab.get(self.fabric)["properties"]["customDetails"]
        self.vmware_site = details["vmwareSiteId"]
        self.server_id = details["processServers"][0]["id"]
        self.container = lab.get(f"{self.fabric}/replicationProtectionContainers")["value"][0]["id"]

    def map_policy(self) -> str:
        upgrades = {"instanceType": "InMageRcm", "enableAgentAutoUpgrade": "true"}
        return self.lab.map_policy(self.vault, self.container, POLICIES["modernized"], providerSpecificInput=upgrades)

    def enable(self, machine: str, name: str) -> dict[str, Any]:
        details = {
            "instanceType": "InMageRcm",
            "fabricDiscoveryMachineId": machine,
            "processServerId": self.server_id,
            "runAsAccountId": self.lab.get(machine, api="2023-06-06")["properties"]["runAsAccountId"],
            "disksDefault": {"diskType": "StandardSSD_LRS", "logStorageAccountId": ACCOUNT},
            "targetResourceGroupId": GROUP,
            "targetNetworkId": PROD,
            "targetSubnetName": "apps",
            "targetVmName": name,
        }
        body = {
            "properties": {
                "policyId": f"{self.vault}/replicationPolicies/policy",
                "providerSpecificDetails": details,
            }
        }
        return self.lab.do("PUT", f"{self.container}/replicationProtectedItems/{name}", body)


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def vault(lab: Lab) -> str:
    return lab.make_vault()


@pytest.fixture
def classic(lab: Lab) -> Classic:
    return Classic(lab)


@pytest.fixture
def modern(lab: Lab) -> Modern:
    return Modern(lab)
