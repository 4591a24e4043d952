"""The lab of the engine's bench in a process of its own: a world of machines, served over HTTPS.

``python engine_lab.py '{"machines": 1000, "state": "fresh"}'`` prints one line of JSON (``url``, ``ca_file``) when
it is ready and serves until its standard input ends. Token buckets are on, every answer of Resource Manager leaves
``delay_s`` late (a planted row of the lab, on the server's side), and virtual time is wall time unless ``speed`` says
otherwise or somebody pushes it (``/_lab/advance``).

``POST /_lab/hosts/count`` answers how many requests came since the last such question, from the lab's log.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from asr_lab.arm import landing_zone
from asr_lab.arm.admin import WorldAdmin
from asr_lab.arm.certificates import make_certificates
from asr_lab.arm.estate import HostDescription, HostDisk, ListedHosts
from asr_lab.arm.exchange_log import ExchangeLog, LogEntry
from asr_lab.arm.providers.source_machines import machine_properties
from asr_lab.arm.resources.off_azure import add_machine
from asr_lab.arm.server import serve
from asr_lab.arm.site_recovery import world_register_appliance
from asr_lab.arm.tokens import Credentials
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World
from asr_lab.clock import VirtualClock

API, VAULT_API = "2025-08-01", "2026-11-01"
GROUP = f"/subscriptions/{landing_zone.SUBSCRIPTION_ID}/resourceGroups/{landing_zone.RESOURCE_GROUP}"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/vault-1"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{landing_zone.STORAGE_ACCOUNT}"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-prod"
CLIENT, SECRET, ADDRESS = "33333333-3333-4333-8333-333333333333", "not a real secret", "127.65.0.1"
CONTAINER = (
    f"{VAULT}/replicationFabrics/vault-1-vmwarefabric/replicationProtectionContainers/vault-1-replicationcontainer"
)
SEEDED_S = 12 * 3600.0
DELAY_S = 0.05
POLICY = {
    "instanceType": "InMageRcm",
    "recoveryPointHistoryInMinutes": 1440,
    "crashConsistentFrequencyInMinutes": 5,
    "appConsistentFrequencyInMinutes": 0,
    "enableMultiVmSync": "false",
}


def host(number: int) -> HostDescription:
    """Return a machine with two disks; number 0 is the appliance."""
    guid = f"00000000-0000-4000-8000-{number:012d}"
    return HostDescription(
        host_id=guid,
        host_name=name_of(number),
        addresses=(address_of(number),),
        os_type="Linux",
        os_name="Ubuntu 22.04",
        disks=(HostDisk("disk-0", 128 << 30, True), HostDisk("disk-1", 512 << 30, False)),
        bios_id=guid,
        mac=f"0a:00:00:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}",
        firmware="BIOS",
        cores=4,
        memory_mb=16384,
        agent_version=None,
    )


def name_of(number: int) -> str:
    return f"machine-{number:05d}"


def address_of(number: int) -> str:
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def enable_body(number: int) -> dict[str, Any]:
    """Return what enables replication of a machine, as a script that follows the documentation sends it."""
    site = f"{GROUP}/providers/Microsoft.OffAzure/ServerSites/vault-1-serversite"
    details = {
        "instanceType": "InMageRcm",
        "fabricDiscoveryMachineId": f"{site}/machines/{host(number).host_id}",
        "processServerId": "",
        "disksDefault": {"diskType": "StandardSSD_LRS", "logStorageAccountId": ACCOUNT},
        "targetResourceGroupId": GROUP,
        "targetNetworkId": NETWORK,
        "targetSubnetName": "apps",
        "targetVmName": f"vm-{number:05d}",
    }
    return {"properties": {"policyId": f"{VAULT}/replicationPolicies/policy", "providerSpecificDetails": details}}


@dataclass
class CountingLog(ExchangeLog):
    """The lab's log, which also counts: ``counts`` by "METHOD status" since it was last asked for."""

    counts: Counter[str] = field(default_factory=Counter)
    last_write: datetime | None = None

    def append(self, entry: LogEntry) -> None:
        super().append(entry)
        self.counts[f"{entry.method} {entry.status}"] += 1
        if entry.is_write and entry.status < 400:
            self.last_write = entry.at


class CountingAdmin(WorldAdmin):
    """The lab's door with one more answer: ``/_lab/hosts/count``."""

    def __init__(self, world: World, log: CountingLog) -> None:
        super().__init__(world)
        self._log = log

    async def host(self, name: str, body: dict[str, Any], now: datetime) -> Any:
        """Return what came since the last question and begin to count anew."""
        counts, self._log.counts = self._log.counts, Counter()
        reads = sum(count for key, count in counts.items() if key.startswith(("GET", "HEAD")))
        return {"total": sum(counts.values()), "reads": reads, "by": dict(counts)}


class BenchClock(VirtualClock):
    """Virtual time as the lab has it; answers that are held back wait in wall seconds."""

    async def hold(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Scene:
    """A world with an appliance that knows ``machines`` servers, ready for or after their enable requests."""

    def __init__(self, machines: int, state: str) -> None:
        self.now = datetime.now(UTC) - timedelta(seconds=SEEDED_S)
        self.world = World(ListedHosts({h.addresses[0]: h for h in map(host, range(machines + 1))}))
        landing_zone.seed(self.world, self.now)
        vault = {"location": landing_zone.LOCATION, "sku": {"name": "Standard"}, "properties": {}}
        self.ask("PUT", VAULT, vault, VAULT_API)
        fabric = world_register_appliance(self.world, vault_id=VAULT, host=host(0), now=self.now)
        details = self.ask("GET", fabric).body["properties"]["customDetails"]
        policy = f"{VAULT}/replicationPolicies/policy"
        self.ask("PUT", policy, {"properties": {"providerSpecificInput": POLICY}})
        mapping = {"targetProtectionContainerId": "Microsoft Azure", "policyId": policy}
        self.ask("PUT", f"{CONTAINER}/replicationProtectionContainerMappings/m", {"properties": mapping})
        site = details["physicalSiteId"]
        for number in range(1, machines + 1):
            one = host(number)
            found = machine_properties(one, account_id=f"{site}/runasaccounts/a", appliance=name_of(0))
            add_machine(self.world, site, one.host_id, found, now=self.now)
        self.server = details["processServers"][0]["id"]
        if state == "replicating":
            self.replicate(machines)
        self.wait((datetime.now(UTC) - self.now).total_seconds())

    def replicate(self, machines: int) -> None:
        """Enable every machine and stop while its disks are copied, which goes on for days."""
        self.world.faults.add({"match": {"step": "initial_replication_transfer"}, "seconds": 10 * 24 * 3600})
        self.wait(SEEDED_S - 2 * 3600 - (machines * 0.1 + 900))
        for number in range(1, machines + 1):
            body = enable_body(number)
            body["properties"]["providerSpecificDetails"]["processServerId"] = self.server
            self.ask("PUT", f"{CONTAINER}/replicationProtectedItems/{name_of(number)}", body, wait_s=0.1)

    def ask(self, method: str, path: str, body: Any = None, version: str = API, wait_s: float = 300) -> Response:
        """Send a request to the world and let time pass after a change."""
        answer = self.world.handle(Request(method, path, {"api-version": version}, {}, body, "bench"), self.now)
        if answer.status >= 300:
            raise SystemExit(f"{method} {path} was answered {answer.status}: {answer.body}")
        if method != "GET":
            self.wait(wait_s)
        return answer

    def wait(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.now += timedelta(seconds=seconds)
        self.world.advance(self.now)


async def main(settings: dict[str, Any]) -> None:
    """Build the world, serve it, tell where, and stay until nobody holds the other end of standard input."""
    scene = Scene(settings["machines"], settings["state"])
    world = scene.world
    world.log = log = CountingLog()
    world.faults.add({"match": {}, "delay_s": settings.get("delay_s", DELAY_S)})
    world.throttle.switch_on()
    clock = BenchClock(settings.get("speed", 1.0), start=datetime.now(UTC))
    with tempfile.TemporaryDirectory() as folder:
        certificates = make_certificates(Path(folder), addresses=[ADDRESS], now=datetime.now(UTC))
        credentials = Credentials(landing_zone.TENANT_ID, CLIENT, SECRET)
        runner = await serve(world, clock, certificates, ADDRESS, 0, credentials, CountingAdmin(world, log))
        url = f"https://{ADDRESS}:{runner.addresses[0][1]}"
        told = {"url": url, "ca_file": str(certificates.ca_file), "server": scene.server}
        print(json.dumps(told), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        await runner.cleanup()


@contextmanager
def running(machines: int, state: str, **settings: Any) -> Iterator[dict[str, str]]:
    """Run a lab for the length of a block and yield its ``url``, ``ca_file`` and process server."""
    line = [sys.executable, __file__, json.dumps({"machines": machines, "state": state, **settings})]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = process.stdout.readline()
        if not told:
            raise SystemExit(f"the lab with {machines} machines did not start")
        try:
            yield json.loads(told)
        finally:
            process.communicate()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
