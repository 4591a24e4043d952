"""A small Azure with vaults, driven through World.handle: an empty one, one with servers of either generation."""

import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from asr_lab.arm import landing_zone
from asr_lab.arm.estate import HostDescription, HostDisk, ListedHosts
from asr_lab.arm.site_recovery import (
    world_add_physical_server,
    world_register_appliance,
    world_register_configuration_server,
    world_register_mobility,
)
from asr_lab.arm.site_recovery_vmware import world_add_vcenter, world_register_process_server
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World
from asr_lab.contract.certificates import client_certificate

GIB = 1024**3
API = "2025-08-01"
SUB = landing_zone.SUBSCRIPTION_ID
GROUP = f"/subscriptions/{SUB}/resourceGroups/{landing_zone.RESOURCE_GROUP}"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{landing_zone.STORAGE_ACCOUNT}"
PROD = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-prod"
PASSPHRASE = "a passphrase of the test"
VCENTER = "10.20.0.50"
RCM_POLICY = {
    "instanceType": "InMageRcm",
    "recoveryPointHistoryInMinutes": 1440,
    "crashConsistentFrequencyInMinutes": 5,
    "appConsistentFrequencyInMinutes": 0,
    "enableMultiVmSync": "false",
}
V2_POLICY = {
    "instanceType": "InMageAzureV2",
    "recoveryPointThresholdInMinutes": 60,
    "recoveryPointHistory": 1440,
    "crashConsistentFrequencyInMinutes": 5,
    "appConsistentFrequencyInMinutes": 0,
    "multiVmSyncStatus": "Disable",
}


def host(name: str, address: str, number: int, *, agent: str | None = None) -> HostDescription:
    guid = f"00000000-0000-4000-8000-{number:012d}"
    return HostDescription(
        host_id=guid,
        host_name=name,
        addresses=(address,),
        os_type="Windows",
        os_name="Windows Server 2022",
        disks=(HostDisk("\\\\.\\PHYSICALDRIVE0", 40 * GIB, True),),
        bios_id=guid.upper(),
        mac=f"0a:00:00:00:00:{number:02x}",
        firmware="BIOS",
        cores=2,
        memory_mb=4096,
        agent_version=agent,
    )


class Lab:
    """The world, its time, and short ways to ask it."""

    def __init__(self) -> None:
        self.hosts = ListedHosts()
        self.world = World(self.hosts)
        self.now = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
        landing_zone.seed(self.world, self.now)

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.world.advance(self.now)

    def ask(self, method: str, path: str, body: Any = None, *, api: str = API, **query: str) -> Response:
        return self.world.handle(Request(method, path, {"api-version": api, **query}, {}, body, "someone"), self.now)

    def get(self, path: str, *, api: str = API, **query: str) -> Any:
        response = self.ask("GET", path, api=api, **query)
        assert response.status == 200, response.body
        return response.body

    def names(self, path: str, **query: str) -> list[str]:
        return [one["name"] for one in self.get(path, **query)["value"]]

    def do(self, method: str, path: str, body: Any = None, *, api: str = API) -> dict[str, Any]:
        """Send a change, let its job end, and return the job's properties."""
        response = self.ask(method, path, body, api=api)
        assert response.status == 202, (response.status, response.body)
        assert response.body is None
        operation = self.world.operation(response.headers["x-ms-request-id"].rpartition("/")[2])
        assert operation is not None
        self.now = operation.due
        self.world.advance(self.now)
        return dict(self.get(operation.job_id)["properties"])

    def refused(self, method: str, path: str, body: Any = None, *, api: str = API) -> tuple[int, str, str]:
        """Return status, code and sentence of a refusal; the code is the detail's where there is one."""
        response = self.ask(method, path, body, api=api)
        assert response.status >= 400, (response.status, response.body)
        error = response.body["error"]
        code = error["details"][0]["code"] if error.get("details") else error["code"]
        return response.status, code, error["message"]

    def make_vault(self, name: str = "vault") -> str:
        path = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/{name}"
        body = {"location": landing_zone.LOCATION, "sku": {"name": "Standard"}, "properties": {}}
        assert self.ask("PUT", path, body).status == 201
        self.advance(120)
        return path

    def policy(self, vault: str, settings: dict[str, Any], name: str = "policy") -> dict[str, Any]:
        return self.do(
            "PUT", f"{vault}/replicationPolicies/{name}", {"properties": {"providerSpecificInput": settings}}
        )

    def restored(self) -> "Lab":
        """Return a lab that goes on from a copy of this one's world, as after a restart."""
        other = Lab()
        other.world = pickle.loads(pickle.dumps(self.world))
        other.now = self.now
        return other

    def vault_key(self, vault: str) -> bytes:
        """Return a registration file for the vault, with a certificate registered there just now."""
        certificate = client_certificate(self.now, hours=120)
        body = {"properties": {"authType": "AAD", "certificate": certificate}}
        short = vault.rpartition("/")[2]
        put = self.ask("PUT", f"{vault}/certificates/{short}{SUB}-3-1-2026-vaultcredentials", body)
        assert put.status == 200, put.body
        return (
            '<RSVaultAsrCreds xmlns="http://schemas.datacontract.org/2004/07/Portal"><VaultDetails>'
            f"<SubscriptionId>{SUB}</SubscriptionId><ResourceGroup>{landing_zone.RESOURCE_GROUP}</ResourceGroup>"
            f"<ResourceName>{short}</ResourceName></VaultDetails><ManagementCert>{certificate}</ManagementCert>"
            "<Version>2.0</Version><ChannelIntegrityKey>aW50ZWdyaXR5</ChannelIntegrityKey></RSVaultAsrCreds>"
        ).encode()


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
        assert self.lab.policy(self.vault, V2_POLICY)["state"] == "Succeeded"
        mapping = f"{self.container}/replicationProtectionContainerMappings/mapping"
        body = {
            "properties": {
                "targetProtectionContainerId": "Microsoft Azure",
                "policyId": f"{self.vault}/replicationPolicies/policy",
            }
        }
        assert self.lab.do("PUT", mapping, body)["state"] == "Succeeded"
        return mapping

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
        assert self.lab.policy(self.vault, RCM_POLICY)["state"] == "Succeeded"
        mapping = f"{self.container}/replicationProtectionContainerMappings/mapping"
        body = {
            "properties": {
                "targetProtectionContainerId": "Microsoft Azure",
                "policyId": f"{self.vault}/replicationPolicies/policy",
                "providerSpecificInput": {"instanceType": "InMageRcm", "enableAgentAutoUpgrade": "true"},
            }
        }
        assert self.lab.do("PUT", mapping, body)["state"] == "Succeeded"
        return mapping

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
