"""A small Azure with a vault of each generation and two machines, driven through World.handle."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from asr_lab.arm import landing_zone
from asr_lab.arm.estate import HostDescription, HostDisk, PushFailure
from asr_lab.arm.site_recovery import (
    world_add_physical_server,
    world_register_appliance,
    world_register_configuration_server,
    world_register_mobility,
)
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World
from asr_lab.contract.certificates import client_certificate

GIB = 1024**3
API = "2025-08-01"
SUB = landing_zone.SUBSCRIPTION_ID
GROUP = f"/subscriptions/{SUB}/resourceGroups/{landing_zone.RESOURCE_GROUP}"
PROD = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-prod"
TEST = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-test"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{landing_zone.STORAGE_ACCOUNT}"
PASSPHRASE = "a passphrase of the test"


def host(name: str, address: str, number: int, *, windows: bool = True, agent: str | None = None) -> HostDescription:
    guid = f"00000000-0000-4000-8000-{number:012d}"
    disk = "\\\\.\\PHYSICALDRIVE0" if windows else "/dev/xvda"
    return HostDescription(
        host_id=guid,
        host_name=name,
        addresses=(address,),
        os_type="Windows" if windows else "Linux",
        os_name="Windows Server 2022" if windows else "Red Hat Enterprise Linux 8.8",
        disks=(HostDisk(disk, 40 * GIB, True),),
        bios_id=guid.upper(),
        mac=f"0a:00:00:00:00:{number:02x}",
        firmware="BIOS",
        cores=2,
        memory_mb=4096,
        agent_version=agent,
    )


@dataclass
class FakeHosts:
    """Machines by address, connections that are blocked, and push installations that fail."""

    machines: dict[str, HostDescription] = field(default_factory=dict)
    blocked: set[tuple[str, str, int]] = field(default_factory=set)
    failures: dict[str, PushFailure] = field(default_factory=dict)
    pushed: list[tuple[str, str]] = field(default_factory=list)

    def push_mobility(self, address: str, account: str) -> PushFailure | None:
        self.pushed.append((address, account))
        if address in self.failures:
            return self.failures[address]
        self.machines[address] = replace(self.machines[address], agent_version="9.62.0.0")
        return None

    def connects(self, source: str, target: str, port: int) -> bool:
        return (source, target, port) not in self.blocked

    def describe(self, address: str) -> HostDescription | None:
        return self.machines.get(address)


class Lab:
    """The world, its time, and short ways to ask it."""

    def __init__(self) -> None:
        self.hosts = FakeHosts()
        self.world = World(self.hosts)
        self.now = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
        landing_zone.seed(self.world, self.now)

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.world.advance(self.now)

    def ask(self, method: str, path: str, body: Any = None, *, api: str = API, **query: str) -> Response:
        request = Request(method, path, {"api-version": api, **query}, {}, body, "someone")
        return self.world.handle(request, self.now)

    def get(self, path: str, *, api: str = API, **query: str) -> Any:
        response = self.ask("GET", path, api=api, **query)
        assert response.status == 200, response.body
        return response.body

    def do(self, method: str, path: str, body: Any = None, *, within_s: float = 7200.0) -> dict[str, Any]:
        """Send a change, wait for its job as a client does (30 s a poll), and return the job's properties."""
        response = self.ask(method, path, body)
        assert response.status == 202, (response.status, response.body)
        job_id = response.headers["x-ms-request-id"]
        waited = 0.0
        while True:
            job = self.get(job_id)["properties"]
            if job["state"] in ("Succeeded", "Failed"):
                return dict(job)
            assert waited < within_s, job
            self.advance(30)
            waited += 30

    def until(self, item: str, state: str, within_s: float = 10800.0) -> float:
        """Wait until the item is in the state and return the seconds it took."""
        waited = 0.0
        while self.get(item)["properties"]["protectionState"] != state:
            assert waited < within_s, self.get(item)["properties"]["protectionState"]
            self.advance(60)
            waited += 60
        return waited

    def make_vault(self, name: str) -> str:
        path = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/{name}"
        made = self.ask("PUT", path, {"location": landing_zone.LOCATION, "sku": {"name": "Standard"}, "properties": {}})
        assert made.status == 201, made.body
        self.advance(120)
        return path

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
        listed = self.lab.get(f"{GROUP}/providers/Microsoft.Compute/virtualMachines", api="2025-04-01")
        return {vm["name"]: vm for vm in listed["value"]}


@pytest.fixture
def lab() -> Lab:
    return Lab()


def _policy(lab: Lab, vault: str, settings: dict[str, Any]) -> str:
    path = f"{vault}/replicationPolicies/policy"
    assert lab.do("PUT", path, {"properties": {"providerSpecificInput": settings}})["state"] == "Succeeded"
    return path


def _map(lab: Lab, container: str, policy: str) -> None:
    body = {"properties": {"targetProtectionContainerId": "Microsoft Azure", "policyId": policy}}
    path = f"{container}/replicationProtectionContainerMappings/mapping"
    assert lab.do("PUT", path, body)["state"] == "Succeeded"


@pytest.fixture
def classic(lab: Lab) -> Ready:
    """A vault with a configuration server that knows app-2012, its Mobility service installed."""
    vault = lab.make_vault("vault-legacy")
    server = host("legacy-cs", "10.20.0.10", 10, agent="9.59.0.0")
    source = host("app-2012", "10.20.1.12", 12, agent="9.59.0.0")
    lab.hosts.machines.update({"10.20.0.10": server, "10.20.1.12": source})
    world_register_configuration_server(
        lab.world, vault_credentials_xml=lab.vault_key(vault), host=server, passphrase=PASSPHRASE, now=lab.now
    )
    world_register_mobility(lab.world, server_address="10.20.0.10", passphrase=PASSPHRASE, host=source, now=lab.now)
    fabric = lab.get(f"{vault}/replicationFabrics")["value"][0]
    container = lab.get(f"{fabric['id']}/replicationProtectionContainers")["value"][0]["id"]
    machine = lab.get(f"{container}/replicationProtectableItems")["value"][0]["id"]
    settings = {
        "instanceType": "InMageAzureV2",
        "recoveryPointThresholdInMinutes": 60,
        "recoveryPointHistory": 1440,
        "crashConsistentFrequencyInMinutes": 5,
        "appConsistentFrequencyInMinutes": 0,
        "multiVmSyncStatus": "Disable",
    }
    policy = _policy(lab, vault, settings)
    _map(lab, container, policy)
    server_id = fabric["properties"]["customDetails"]["processServers"][0]["id"]
    item = f"{container}/replicationProtectedItems/app-2012"
    return Ready(lab, vault, fabric["id"], container, policy, machine, item, server_id)


@pytest.fixture
def modern(lab: Lab) -> Ready:
    """A vault with an appliance that has found web-2022."""
    vault = lab.make_vault("vault-current")
    appliance = host("current-appliance", "10.20.0.20", 20)
    source = host("web-2022", "10.20.1.21", 21)
    lab.hosts.machines.update({"10.20.0.20": appliance, "10.20.1.21": source})
    fabric = world_register_appliance(lab.world, vault_id=vault, host=appliance, now=lab.now)
    world_add_physical_server(
        lab.world, vault_id=vault, address="10.20.1.21", account="admin", credential_type="WindowsServer", now=lab.now
    )
    lab.advance(600)
    container = lab.get(f"{fabric}/replicationProtectionContainers")["value"][0]["id"]
    details = lab.get(fabric)["properties"]["customDetails"]
    machine = lab.get(f"{details['physicalSiteId']}/machines", api="2023-06-06")["value"][0]["id"]
    settings = {
        "instanceType": "InMageRcm",
        "recoveryPointHistoryInMinutes": 1440,
        "crashConsistentFrequencyInMinutes": 5,
        "appConsistentFrequencyInMinutes": 0,
        "enableMultiVmSync": "false",
    }
    policy = _policy(lab, vault, settings)
    _map(lab, container, policy)
    item = f"{container}/replicationProtectedItems/web-2022"
    return Ready(lab, vault, fabric, container, policy, machine, item, details["processServers"][0]["id"])


@pytest.fixture(params=["classic", "modern"])
def ready(request: pytest.FixtureRequest) -> Ready:
    """Each generation in turn."""
    found: Ready = request.getfixturevalue(request.param)
    return found
