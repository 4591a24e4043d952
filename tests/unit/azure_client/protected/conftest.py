"""A vault of the lab whose machines replicate, and the product's door to it over real HTTPS."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from asr_lab.arm import landing_zone
from asr_lab.arm.certificates import make_certificates
from asr_lab.arm.estate import HostDescription, HostDisk, ListedHosts
from asr_lab.arm.providers.model import VMWARE_FABRIC, ApplianceServer, Fabric
from asr_lab.arm.server import serve
from asr_lab.arm.site_recovery import (
    add_fabric,
    world_add_physical_server,
    world_register_appliance,
    world_register_mobility,
)
from asr_lab.arm.tokens import Credentials
from asr_lab.arm.wire import Request
from asr_lab.arm.world import World
from asr_lab.clock import VirtualClock
from asr_migrate.azure.client import connect
from asr_migrate.azure.site_recovery import AzureSiteRecovery
from asr_migrate.clock import Clock
from asr_migrate.domain.cloud import CloudSettings, PlannedWrite
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import Verb
from asr_migrate.domain.recovery_plan import PlanCall
from asr_migrate.domain.wave import Wave
from asr_migrate.engine import bulk
from asr_migrate.session import provider_of

SPEED = 2000.0
ADDRESS = "127.53.0.1"
APPLIANCE = "10.20.0.20"
SECRET = "not-a-secret-of-anybody"
CLIENT_ID = "33333333-3333-4333-8333-333333333333"
VERSION = "2025-08-01"
GROUP = f"/subscriptions/{landing_zone.SUBSCRIPTION_ID}/resourceGroups/{landing_zone.RESOURCE_GROUP}"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/vault-a"
PLANS = f"{VAULT}/replicationRecoveryPlans"


def host(name: str, address: str, os_type: str = "Linux") -> HostDescription:
    identity = str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
    mac = "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))
    disks = (HostDisk("disk0", 32 << 30, True),)
    return HostDescription(
        identity, name, (address,), os_type, "Some OS", disks, identity, mac, "BIOS", 2, 4096, "9.62.0.0"
    )


class Story:
    """A vault whose machines replicate, and the product's door to it."""

    def __init__(self, folder: Path, machines: list[dict[str, Any]], architecture: str = "modernized") -> None:
        self.architecture = architecture
        self.machines = [
            {**machine, "addresses": [f"10.21.{number // 200}.{number % 200 + 10}"]}
            for number, machine in enumerate(machines)
        ]
        self.addresses = {machine["name"]: machine["addresses"][0] for machine in self.machines}
        hosts = {address: host(name, address) for name, address in self.addresses.items()}
        self.hosts = ListedHosts({**hosts, APPLIANCE: host("appliance", APPLIANCE, "Windows")})
        self.world = World(self.hosts)
        self.clock = VirtualClock(SPEED)
        self.folder = folder
        landing_zone.seed(self.world, self.clock.now())
        self.certificates = make_certificates(folder, addresses=[ADDRESS], now=datetime.now(UTC))
        self.zone = LandingZone.model_validate(
            {
                "subscription_id": landing_zone.SUBSCRIPTION_ID,
                "tenant_id": landing_zone.TENANT_ID,
                "location": landing_zone.LOCATION,
                "resource_group": landing_zone.RESOURCE_GROUP,
                "vault": "vault-a",
                "network": "vnet-prod",
                "subnet": "apps",
                "test_network": "vnet-test",
                "test_subnet": "apps",
                "cache_storage_account": landing_zone.STORAGE_ACCOUNT,
                "policy": {"name": "policy"},
                "appliance": {"name": "appliance", "address": APPLIANCE},
                "architecture": architecture,
            }
        )
        self.wave = Wave.from_hosts(self.machines, self.zone)
        self.provider = provider_of(self.zone)
        self.planned: list[PlannedWrite] = []
        self.vault, self.plans = VAULT, PLANS

    def ask(self, method: str, path: str, body: Any = None, version: str = VERSION) -> Any:
        request = Request(method, path, {"api-version": version}, {"host": ADDRESS}, body)
        response = self.world.handle(request, self.clock.now())
        assert response.status < 300, response.body
        return response.body

    def prepare(self) -> None:
        """Make the vault, its appliance and its policy."""
        body = {"location": landing_zone.LOCATION, "sku": {"name": "Standard"}, "properties": {}}
        self.ask("PUT", VAULT, body, "2026-11-01")
        self.clock.advance(120)
        classic = self.architecture == "classic"
        fabric = self._classic() if classic else self._modernized()
        settings = {"recoveryPointHistoryInMinutes": 1440, "enableMultiVmSync": "false"}
        if classic:
            settings = {
                "recoveryPointHistory": 1440,
                "recoveryPointThresholdInMinutes": 60,
                "multiVmSyncStatus": "Disable",
            }
        settings |= {
            "instanceType": "InMageAzureV2" if classic else "InMageRcm",
            "crashConsistentFrequencyInMinutes": 5,
            "appConsistentFrequencyInMinutes": 0,
        }
        policy = f"{VAULT}/replicationPolicies/policy"
        self.ask("PUT", policy, {"properties": {"providerSpecificInput": settings}})
        self.clock.advance(120)
        (found,) = self.ask("GET", f"{fabric}/replicationProtectionContainers")["value"]
        self.container = str(found["id"])
        mapping = f"{self.container}/replicationProtectionContainerMappings/mapping"
        self.ask("PUT", mapping, {"properties": {"targetProtectionContainerId": "Microsoft Azure", "policyId": policy}})
        self.clock.advance(120)

    def enable(self) -> None:
        """Replicate the machines and wait until all are protected."""

        async def work(port: AzureSiteRecovery) -> None:
            sweep = await port.sweep((), with_sources=True)
            for machine in self.wave.machines:
                call = self.provider.enable(machine, sweep.site, sweep)
                self.ask("PUT", f"{self.container}/replicationProtectedItems/{machine.name}", call.body)

        self.run(work)
        self.clock.advance(6 * 3600)
        self.world.log.clear()

    def _modernized(self) -> str:
        now = self.clock.now()
        fabric = world_register_appliance(self.world, vault_id=VAULT, host=self.hosts.hosts[APPLIANCE], now=now)
        for address in self.addresses.values():
            world_add_physical_server(
                self.world, vault_id=VAULT, address=address, account="root", credential_type="LinuxServer", now=now
            )
        self.clock.advance(600)
        return fabric

    def _classic(self) -> str:
        now = self.clock.now()
        guid = "5C12EBF4-F86C-4247-BBD948182F762D3B"
        fabric = Fabric(
            id=f"{VAULT}/replicationFabrics/{'a' * 64}",
            name="a" * 64,
            kind=VMWARE_FABRIC,
            friendly_name="appliance",
            internal_id=self.world.guid(),
            vault_id=VAULT,
            location=landing_zone.LOCATION,
            servers=[ApplianceServer(guid, "appliance", self.hosts.hosts[APPLIANCE], "9.59")],
            registered=now,
            passphrase="a passphrase of sixteen",
            accounts={"1": "migration"},
        )
        add_fabric(self.world, fabric, container=f"cloud_{fabric.internal_id}", container_text="appliance")
        for address in self.addresses.values():
            world_register_mobility(
                self.world,
                server_address=APPLIANCE,
                passphrase=fabric.passphrase,
                host=self.hosts.hosts[address],
                now=now,
            )
        return fabric.id

    @asynccontextmanager
    async def opened(self, **options: Any):
        credentials = Credentials(landing_zone.TENANT_ID, CLIENT_ID, SECRET)
        runner = await serve(self.world, self.clock, self.certificates, ADDRESS, 0, credentials)
        url = f"https://{ADDRESS}:{runner.addresses[0][1]}"
        cloud = CloudSettings(
            resource_manager=url, authority=url, ca_file=str(self.certificates.ca_file), instance_discovery=False
        )
        try:
            async with connect(cloud, landing_zone.SUBSCRIPTION_ID, clock=Clock(1 / SPEED), **options) as clients:
                yield clients
        finally:
            await runner.cleanup()

    def run(self, work: Callable[[AzureSiteRecovery], Awaitable[Any]], **options: Any) -> Any:
        async def go() -> Any:
            async with self.opened(**options) as clients:
                self.planned = clients.planned
                return await work(AzureSiteRecovery(clients, self.zone))

        return asyncio.run(go())

    def writes(self) -> list[tuple[str, str]]:
        """Return method and the end of the path of what was written to recovery plans and items."""
        return [
            (entry.method, entry.path.partition("vault-a/")[2].removeprefix("replicationRecoveryPlans/"))
            for entry in self.world.writes
        ]

    async def items(self, port: AzureSiteRecovery) -> dict[str, Mapping[str, Any]]:
        """Return machine -> protected item."""
        sweep = await port.sweep((), with_sources=False)
        found = {machine.name: sweep.item_named(machine.name) for machine in self.wave.machines}
        return {name: item for name, item in found.items() if item is not None}

    def calls(self, verb: Verb, items: Mapping[str, Any], machines: Any = None, **options: Any) -> list[PlanCall]:
        """Return the requests that ask ``verb`` of these machines, by default of all."""
        network = self.zone.network_id(self.zone.test_network)
        wanted = self.wave.machines if machines is None else machines
        return [bulk.plan_call(batch, items, network) for batch in bulk.batches(self.wave, wanted, verb, **options)]

    async def ended(self, port: AzureSiteRecovery, name: str | None) -> Mapping[str, Any]:
        """Wait for a job and return it."""
        while True:
            job = await port.job(str(name))
            if job["properties"]["state"] not in ("NotStarted", "InProgress"):
                return job
            await Clock(1 / SPEED).sleep(60)

    async def through(
        self, port: AzureSiteRecovery, verb: Verb, machines: Any = None, **options: Any
    ) -> dict[str, Mapping[str, Any]]:
        """Ask ``verb`` by plans, wait, and return the jobs by plan."""
        asked = self.calls(verb, await self.items(port), machines, **options)
        assert all([await port.prepare_plan(call) for call in asked])
        sent = {call.plan: await port.send_plan(call) for call in asked}
        return {plan: await self.ended(port, one.job_id) for plan, one in sent.items()}


def described(name: str, group: str | None = None, boot_order: int = 1) -> dict[str, Any]:
    return {
        "name": name,
        "source_id": f"i-{name}",
        "wave": "w1",
        "os": "linux",
        "group": group,
        "boot_order": boot_order,
        "target": {"vm_name": f"vm-{name}", "vm_size": "Standard_B2s"},
    }


@pytest.fixture(autouse=True)
def signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", landing_zone.TENANT_ID)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", SECRET)


@pytest.fixture(params=["modernized", "classic"])
def story(request: pytest.FixtureRequest, replicating: Callable[..., Story]) -> Story:
    """Three machines of one application that replicate."""
    return replicating([("web", "shop", 2), ("db", "shop", 1), ("app", "shop", 2)], request.param)


@pytest.fixture
def replicating(tmp_path: Path) -> Callable[..., Story]:
    """Return a function that makes the vault: machines as (name, application, boot order) -> Story."""

    def make(
        machines: list[tuple[str, str | None, int]], architecture: str = "modernized", enabled: bool = True
    ) -> Story:
        made = Story(tmp_path, [described(*machine) for machine in machines], architecture)
        made.prepare()
        if enabled:
            made.enable()
        return made

    return make
