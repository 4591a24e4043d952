"""A vault of the lab whose machines replicate, and the product's door to it over real HTTPS."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.worlds.hosts import host
from tests.worlds.served import ServedWorld, sign_in
from tests.worlds.vaults import SERVICE_VERSION, prepare
from tests.worlds.zones import APPLIANCE, lab_zone, vault_id

from asr_lab.arm.estate import ListedHosts
from asr_lab.arm.wire import Request
from asr_lab.arm.world import World
from asr_lab.clock import VirtualClock
from asr_migrate.azure.site_recovery import AzureSiteRecovery
from asr_migrate.clock import Clock
from asr_migrate.domain.cloud import PlannedWrite
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import Verb
from asr_migrate.domain.recovery_plan import PlanCall
from asr_migrate.domain.wave import Wave
from asr_migrate.engine import bulk
from asr_migrate.session import provider_of

SPEED = 2000.0
ADDRESS = "127.53.0.1"
VAULT = vault_id("vault-a")
PLANS = f"{VAULT}/replicationRecoveryPlans"


class Story(ServedWorld):
    """A vault whose machines replicate, and the product's door to it."""

    def __init__(self, folder: Path, machines: list[dict[str, Any]], architecture: str = "modernized") -> None:
        self.architecture = architecture
        self.machines = [
            {**machine, "addresses": [f"10.21.{number // 200}.{number % 200 + 10}"]}
            for number, machine in enumerate(machines)
        ]
        self.addresses = {machine["name"]: machine["addresses"][0] for machine in self.machines}
        hosts = {address: host(name, address, windows=False) for name, address in self.addresses.items()}
        self.hosts = ListedHosts({**hosts, APPLIANCE: host("appliance", APPLIANCE)})
        super().__init__(folder, ADDRESS, World(self.hosts), VirtualClock(SPEED))
        self.folder = folder
        self.zone = LandingZone.model_validate(lab_zone(architecture=architecture))
        self.wave = Wave.from_hosts(self.machines, self.zone)
        self.provider = provider_of(self.zone)
        self.planned: list[PlannedWrite] = []
        self.vault, self.plans = VAULT, PLANS

    def ask(self, method: str, path: str, body: Any = None, version: str = SERVICE_VERSION) -> Any:
        request = Request(method, path, {"api-version": version}, {}, body)
        response = self.world.handle(request, self.clock.now())
        assert response.status < 300, response.body
        return response.body

    def prepare(self) -> None:
        """Make the vault, its appliance and its policy."""
        self.container = prepare(self.world, self.clock, VAULT, self.architecture, self.addresses.values())

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

    def run(self, work: Callable[[AzureSiteRecovery], Awaitable[Any]], **options: Any) -> Any:
        async def go() -> Any:
            async with self.connected(**options) as clients:
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
    sign_in(monkeypatch)


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
