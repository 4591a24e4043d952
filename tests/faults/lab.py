"""A lab for whole waves: a vault, an appliance, sources, all in memory and served over HTTPS.

The world runs in this process so that a story can look at every job afterwards, and stop the product at the very moment
in which one of its writes arrives. The product only ever sees the HTTPS address.
"""

import asyncio
import random
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

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
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World
from asr_lab.clock import VirtualClock

Architecture = Literal["modernized", "classic"]
ARCHITECTURES: tuple[Architecture, ...] = ("modernized", "classic")
ADDRESS = "127.55.0.2"
CLIENT_ID = "33333333-3333-4333-8333-333333333333"
SECRET = "not-a-secret-of-anybody"
APPLIANCE = "10.20.0.20"
VAULT = "vault-a"
READS = ("GET", "HEAD")
SPEED = 60.0
SERVICE_VERSION = "2025-08-01"
VAULT_VERSION = "2026-11-01"

PACE_S = {
    "enable": (90, 180),
    "initial_replication_queued": (10, 30),
    "initial_replication_transfer": (30, 60),
    "initial_replication_completion": (10, 30),
    "test_failover": (90, 240),
    "test_failover_cleanup": (60, 150),
    "unplanned_failover": (90, 240),
    "failover_commit": (1, 90),
    "disable": (30, 120),
}
"""Between how many service seconds each step takes in a story. They are shorter than in life, initial replication most:
nothing is asked of the service meanwhile. Starting a process takes about 40 of these seconds, so a run that follows a
killed one finds most steps still at work."""

SETTINGS: dict[Architecture, dict[str, Any]] = {
    "classic": {
        "instanceType": "InMageAzureV2",
        "recoveryPointThresholdInMinutes": 60,
        "recoveryPointHistory": 1440,
        "crashConsistentFrequencyInMinutes": 5,
        "appConsistentFrequencyInMinutes": 0,
        "multiVmSyncStatus": "Disable",
    },
    "modernized": {
        "instanceType": "InMageRcm",
        "recoveryPointHistoryInMinutes": 1440,
        "crashConsistentFrequencyInMinutes": 5,
        "appConsistentFrequencyInMinutes": 0,
        "enableMultiVmSync": "false",
    },
}


class ScaledClock(VirtualClock):
    """Virtual time for clients whose own waits are scaled like it: an answer held back for 30 s takes 30 of theirs."""

    async def hold(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)


class WatchedWorld(World):
    """A world that tells of each request before and after it takes effect.

    ``before`` and ``after_effect`` get the request; when ``before`` returns True the request is lost on its way: it has
    no effect and no answer. After each write the world remembers what every list that was asked for answers now, so
    that a stale list is as old as its row says and not as old as the last time somebody looked.
    """

    def __init__(self, hosts: ListedHosts, seed: int) -> None:
        self.watch_nothing()
        self._lists: dict[str, Request] = {}
        super().__init__(hosts, seed)

    def watch_nothing(self) -> None:
        """Lose no request and tell of none."""
        self.before: Callable[[Request], bool] = lambda request: False
        self.after_effect: Callable[[Request], None] = lambda request: None

    def handle(self, request: Request, now: datetime) -> Response:
        if self.before(request):
            return Response(0)
        response = super().handle(request, now)
        if request.method in READS:
            self._note_list(request, response)
        else:
            for asked in self._lists.values():
                self._stale.remember(asked, now, partial(self.dispatch, now=now))
        self.after_effect(request)
        return response

    def _note_list(self, request: Request, response: Response) -> None:
        if isinstance(response.body, dict) and isinstance(response.body.get("value"), list):
            self._lists[f"{request.path.casefold()} {sorted(request.query.items())}"] = request


def host(name: str, address: str, os_type: Literal["Windows", "Linux"] = "Linux") -> HostDescription:
    """Return a source of 2 cores, 4 GiB and one disk of 32 GiB."""
    identity = str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
    disks = (HostDisk("disk0", 32 << 30, True),)
    mac = "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))
    return HostDescription(
        identity, name, (address,), os_type, "Some OS", disks, identity, mac, "BIOS", 2, 4096, "9.62.0.0"
    )


@dataclass
class FaultLab:
    """One lab: ``machines`` sources ready to be replicated, in so many ``waves`` that are worked on at once.

    ``seed`` decides its GUIDs and how long its steps take.
    """

    folder: Path
    architecture: Architecture
    machines: int = 20
    seed: int = 0
    waves: int = 1
    speed: float = SPEED
    address: str = ADDRESS
    clock: ScaledClock = field(init=False)
    world: WatchedWorld = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.sources = {f"web-{number:02d}": f"10.20.1.{20 + number}" for number in range(1, self.machines + 1)}
        self._hosts = ListedHosts({address: host(name, address) for name, address in self.sources.items()})
        self._hosts.hosts[APPLIANCE] = host("appliance", APPLIANCE, "Windows")
        self.clock = ScaledClock(self.speed)
        self.world = WatchedWorld(self._hosts, self.seed)
        landing_zone.seed(self.world, self.clock.now())
        self._certificates = make_certificates(self.folder, addresses=[self.address], now=datetime.now(UTC))
        self._prepare()

    @property
    def group_id(self) -> str:
        return f"/subscriptions/{landing_zone.SUBSCRIPTION_ID}/resourceGroups/{landing_zone.RESOURCE_GROUP}"

    @property
    def vault_id(self) -> str:
        return f"{self.group_id}/providers/Microsoft.RecoveryServices/vaults/{VAULT}"

    def _put(self, path: str, body: Any, version: str = SERVICE_VERSION) -> None:
        request = Request("PUT", path, {"api-version": version}, {"host": self.address}, body)
        response = self.world.handle(request, self.clock.now())
        if response.status >= 300:
            raise RuntimeError(f"the lab refused PUT {path} with {response.status}: {response.body}")
        self.clock.advance(120)

    def _prepare(self) -> None:
        """Make what the landing zone, appliance and source playbooks leave behind, and set the story's pace."""
        self._put(
            self.vault_id,
            {"location": landing_zone.LOCATION, "sku": {"name": "Standard"}, "properties": {}},
            VAULT_VERSION,
        )
        container = self._configuration_server() if self.architecture == "classic" else self._replication_appliance()
        policy = f"{self.vault_id}/replicationPolicies/policy"
        self._put(policy, {"properties": {"providerSpecificInput": SETTINGS[self.architecture]}})
        self._put(
            f"{container}/replicationProtectionContainerMappings/mapping",
            {"properties": {"targetProtectionContainerId": "Microsoft Azure", "policyId": policy}},
        )
        draw = random.Random(f"pace {self.seed}")
        for step, (least, most) in PACE_S.items():
            self.world.faults.add({"match": {"step": step}, "seconds": draw.randint(least, most)})
        self.world.log.clear()

    def _replication_appliance(self) -> str:
        now = self.clock.now()
        appliance = self._hosts.hosts[APPLIANCE]
        fabric = world_register_appliance(self.world, vault_id=self.vault_id, host=appliance, now=now)
        for address in self.sources.values():
            world_add_physical_server(
                self.world,
                vault_id=self.vault_id,
                address=address,
                account="root",
                credential_type="LinuxServer",
                now=now,
            )
        self.clock.advance(600)
        return f"{fabric}/replicationProtectionContainers/{VAULT}-replicationcontainer"

    def _configuration_server(self) -> str:
        now = self.clock.now()
        appliance = self._hosts.hosts[APPLIANCE]
        fabric = Fabric(
            id=f"{self.vault_id}/replicationFabrics/{'a' * 64}",
            name="a" * 64,
            kind=VMWARE_FABRIC,
            friendly_name="appliance",
            internal_id=self.world.guid(),
            vault_id=self.vault_id,
            location=landing_zone.LOCATION,
            servers=[ApplianceServer("5C12EBF4-F86C-4247-BBD948182F762D3B", "appliance", appliance, "9.59")],
            registered=now,
            passphrase="a passphrase of sixteen",
            accounts={"1": "migration"},
        )
        container = add_fabric(self.world, fabric, container=f"cloud_{fabric.internal_id}", container_text="appliance")
        for address in self.sources.values():
            world_register_mobility(
                self.world,
                server_address=APPLIANCE,
                passphrase=fabric.passphrase,
                host=self._hosts.hosts[address],
                now=now,
            )
        return container.id

    def all_well(self) -> None:
        """Remove everything that was planted but the story's pace."""
        faults = self.world.faults
        faults.rows = [fault for fault in faults.rows if fault.kind == "seconds"]

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Serve the world and give its URL."""
        credentials = Credentials(landing_zone.TENANT_ID, CLIENT_ID, SECRET)
        runner = await serve(self.world, self.clock, self._certificates, self.address, 0, credentials)
        try:
            yield f"https://{self.address}:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    def environment(self) -> dict[str, str]:
        """Return what the product's process needs to sign in."""
        return {
            "AZURE_TENANT_ID": landing_zone.TENANT_ID,
            "AZURE_CLIENT_ID": CLIENT_ID,
            "AZURE_CLIENT_SECRET": SECRET,
        }

    def description(self, url: str, home: Path, goals: Sequence[str]) -> dict[str, Any]:
        """Return what ``wave_process.py`` is to do, as JSON; each wave's journal lies in ``home``."""
        by_wave: dict[str, list[dict[str, Any]]] = {}
        for number, (name, address) in enumerate(self.sources.items()):
            wave = f"w{number % self.waves}"
            by_wave.setdefault(wave, []).append(self._machine(name, address, wave))
        return {
            "goals": list(goals),
            "waves": [
                {"session": self._session(url, home / f"{wave}.jsonl"), "machines": machines}
                for wave, machines in by_wave.items()
            ],
        }

    def _session(self, url: str, journal: Path) -> dict[str, Any]:
        return {
            "landing_zone": self.zone(),
            "cloud": {
                "resource_manager": url,
                "authority": url,
                "ca_file": str(self._certificates.ca_file),
                "instance_discovery": False,
            },
            "wait_scale": 1 / self.speed,
            "journal": str(journal),
        }

    def zone(self) -> dict[str, Any]:
        return {
            "subscription_id": landing_zone.SUBSCRIPTION_ID,
            "tenant_id": landing_zone.TENANT_ID,
            "location": landing_zone.LOCATION,
            "resource_group": landing_zone.RESOURCE_GROUP,
            "vault": VAULT,
            "network": "vnet-prod",
            "subnet": "apps",
            "test_network": "vnet-test",
            "test_subnet": "apps",
            "cache_storage_account": landing_zone.STORAGE_ACCOUNT,
            "policy": {"name": "policy"},
            "appliance": {"name": "appliance", "address": APPLIANCE},
            "architecture": self.architecture,
        }

    def _machine(self, name: str, address: str, wave: str) -> dict[str, Any]:
        return {
            "name": name,
            "source_id": f"i-{name}",
            "wave": wave,
            "os": "linux",
            "addresses": [address],
            "target": {"vm_name": f"vm-{name}", "vm_size": "Standard_B2s"},
        }
