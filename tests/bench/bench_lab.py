"""How fast the simulated Azure is with 5,000 protected machines: ``make bench-lab``.

Prints a table of figures against their targets and ends with 1 when one is missed. The world is built through its API:
an appliance, 5,000 machines that it has found, a policy, and one enable request a machine.

Times are processor time, which other programs on the machine do not change: the world waits for nothing, so on a quiet
machine it is what a client waits. The rows over HTTPS are wall time, and are told, not judged.
"""

import argparse
import asyncio
import json
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
from rich.console import Console
from rich.table import Table

from asr_lab import lab_memory
from asr_lab.arm import landing_zone, state_file
from asr_lab.arm.certificates import make_certificates
from asr_lab.arm.estate import HostDescription, HostDisk, ListedHosts
from asr_lab.arm.providers.source_machines import machine_properties
from asr_lab.arm.resources.off_azure import add_machine
from asr_lab.arm.server import serve
from asr_lab.arm.site_recovery import world_register_appliance
from asr_lab.arm.tokens import Credentials
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World
from asr_lab.clock import ManualClock

MACHINES = 5000
FEW = 500
API = "2025-08-01"
START = datetime(2026, 4, 1, 8, tzinfo=UTC)
GROUP = f"/subscriptions/{landing_zone.SUBSCRIPTION_ID}/resourceGroups/{landing_zone.RESOURCE_GROUP}"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/vault-1"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-prod"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{landing_zone.STORAGE_ACCOUNT}"
CLIENT, SECRET, ADDRESS = "33333333-3333-4333-8333-333333333333", "not a real secret", "127.48.3.1"


def host(number: int) -> HostDescription:
    """Return a machine with two disks; number 0 is the appliance."""
    guid = f"00000000-0000-4000-8000-{number:012d}"
    return HostDescription(
        host_id=guid,
        host_name=f"machine-{number:05d}",
        addresses=(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",),
        os_type="Windows",
        os_name="Windows Server 2022",
        disks=(HostDisk("disk-0", 128 << 30, True), HostDisk("disk-1", 512 << 30, False)),
        bios_id=guid,
        mac=f"0a:00:00:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}",
        firmware="UEFI",
        cores=4,
        memory_mb=16384,
        agent_version=None,
    )


class Scene:
    """A world with ``machines`` protected machines, all of them protected for an hour."""

    def __init__(self, machines: int) -> None:
        self.now = START
        self.world = World(ListedHosts({h.addresses[0]: h for h in map(host, range(machines + 1))}))
        landing_zone.seed(self.world, self.now)
        self.ask("PUT", VAULT, {"location": landing_zone.LOCATION, "sku": {"name": "Standard"}, "properties": {}})
        self.wait(120)
        fabric = world_register_appliance(self.world, vault_id=VAULT, host=host(0), now=self.now)
        details = self.ask("GET", fabric).body["properties"]["customDetails"]
        self.container = self.ask("GET", f"{fabric}/replicationProtectionContainers").body["value"][0]["id"]
        settings = {
            "instanceType": "InMageRcm",
            "recoveryPointHistoryInMinutes": 1440,
            "crashConsistentFrequencyInMinutes": 5,
            "appConsistentFrequencyInMinutes": 0,
            "enableMultiVmSync": "false",
        }
        policy = f"{VAULT}/replicationPolicies/policy"
        self.ask("PUT", policy, {"properties": {"providerSpecificInput": settings}})
        self.wait(300)
        mapping = {"targetProtectionContainerId": "Microsoft Azure", "policyId": policy}
        self.ask("PUT", f"{self.container}/replicationProtectionContainerMappings/m", {"properties": mapping})
        self.wait(300)
        site = details["physicalSiteId"]
        for number in range(1, machines + 1):
            one = host(number)
            found = machine_properties(one, account_id=f"{site}/runasaccounts/a", appliance="machine-00000")
            add_machine(self.world, site, one.host_id, found, now=self.now)
            self.protect(number, policy, f"{site}/machines/{one.host_id}", details["processServers"][0]["id"])
        self.wait(10 * 3600)
        first = self.ask("GET", f"{self.container}/replicationProtectedItems/machine-00001").body["properties"]
        assert first["protectionState"] == "Protected", first["protectionState"]
        # As the lab does after it has written its state file.
        lab_memory.settle()

    def protect(self, number: int, policy: str, machine: str, server: str) -> None:
        """Enable replication of one machine."""
        details = {
            "instanceType": "InMageRcm",
            "fabricDiscoveryMachineId": machine,
            "processServerId": server,
            "disksDefault": {"diskType": "StandardSSD_LRS", "logStorageAccountId": ACCOUNT},
            "targetResourceGroupId": GROUP,
            "targetNetworkId": NETWORK,
            "targetSubnetName": "apps",
            "targetVmName": f"vm-{number:05d}",
        }
        answer = self.ask(
            "PUT",
            f"{self.container}/replicationProtectedItems/machine-{number:05d}",
            {"properties": {"policyId": policy, "providerSpecificDetails": details}},
        )
        assert answer.status == 202, answer.body

    def ask(self, method: str, path: str, body: Any = None, **query: str) -> Response:
        """Send a request to the world."""
        return self.world.handle(Request(method, path, {"api-version": API, **query}, {}, body, "bench"), self.now)

    def wait(self, seconds: float) -> None:
        """Let virtual time pass."""
        self.now += timedelta(seconds=seconds)
        self.world.advance(self.now)

    def pages(self, path: str) -> Iterator[float]:
        """Read a list page by page and yield the milliseconds of each, JSON included."""
        query: dict[str, str] = {}
        while True:
            began = time.process_time()
            answer = self.ask("GET", path, **query)
            text = json.dumps(answer.body)
            yield (time.process_time() - began) * 1000
            link = json.loads(text).get("nextLink")
            if not link:
                return
            query = dict(parse_qsl(urlsplit(link).query))
            query.pop("api-version", None)

    def status_ms(self, times: int = 300) -> float:
        """Return the milliseconds of processor time of one request for the status of a running operation."""
        answer = self.ask("POST", f"{VAULT}/replicationVaultHealth/default/refresh")
        assert answer.status == 202, answer.body
        path = urlsplit(answer.headers["Azure-AsyncOperation"]).path
        began = time.process_time()
        for _ in range(times):
            json.dumps(self.ask("GET", path).body)
        return (time.process_time() - began) * 1000 / times


@dataclass(frozen=True)
class Figure:
    """A measured value; ``limit`` None: told, not judged."""

    what: str
    value: float
    unit: str
    limit: float | None

    @property
    def missed(self) -> bool:
        """Return whether the target is missed."""
        return self.limit is not None and self.value > self.limit


def measure(machines: int) -> Iterator[Figure]:
    """Build the world and yield every figure."""
    few = Scene(FEW)
    small_page, small_status = statistics.median(few.pages(f"{VAULT}/replicationProtectedItems")), few.status_ms()
    del few
    began = time.process_time()
    scene = Scene(machines)
    yield Figure(f"build: {machines} enable requests and their jobs", time.process_time() - began, "s", None)
    for name, path in (
        ("protected items of the vault", f"{VAULT}/replicationProtectedItems"),
        ("protected items of the container", f"{scene.container}/replicationProtectedItems"),
        ("jobs", f"{VAULT}/replicationJobs"),
    ):
        taken = list(scene.pages(path))
        yield Figure(f"list, {name}: {len(taken)} pages, median", statistics.median(taken), "ms", 50)
        yield Figure(f"list, {name}: {len(taken)} pages, slowest", max(taken), "ms", 50)
        if "vault" in name:
            yield Figure(f"page with {machines} items against {FEW}", statistics.median(taken) / small_page, "x", None)
    status = scene.status_ms()
    yield Figure("one operation status request, processor time", status, "ms", 2)
    yield Figure(f"status request with {machines} items against {FEW}", status / small_status, "x", None)
    item = f"{scene.container}/replicationProtectedItems/machine-00001"
    yield Figure("one protected item", median_ms(lambda: scene.ask("GET", item)), "ms", None)
    began = time.process_time()
    scene.wait(3600)
    yield Figure("advance of one hour", time.process_time() - began, "s", 1)
    after = max(scene.pages(f"{VAULT}/replicationProtectedItems"))
    yield Figure("slowest list page right after that hour", after, "ms", 50)
    began = time.process_time()
    size_mb = len(state_file.snapshot(scene.world, scene.now)) / 1e6
    yield Figure(f"state file of {size_mb:.0f} MB: requests wait for", time.process_time() - began, "s", None)
    yield from asyncio.run(over_https(scene))
    yield Figure("memory of a process with this world and its server", memory_mb(machines), "MB", 300)


def median_ms(call: Callable[[], object], times: int = 50) -> float:
    """Return the median of the milliseconds that a call takes."""
    taken = []
    for _ in range(times):
        began = time.process_time()
        call()
        taken.append((time.process_time() - began) * 1000)
    return statistics.median(taken)


async def over_https(scene: Scene) -> list[Figure]:
    """Measure a list and a status request through the HTTPS server, client and server in this process."""
    with tempfile.TemporaryDirectory() as folder:
        clock = ManualClock(scene.now)
        certificates = make_certificates(Path(folder), addresses=[ADDRESS], now=datetime.now(UTC))
        credentials = Credentials(landing_zone.TENANT_ID, CLIENT, SECRET)
        runner = await serve(scene.world, clock, certificates, ADDRESS, 0, credentials)
        root = f"https://{ADDRESS}:{runner.addresses[0][1]}"
        tls = ssl.create_default_context(cafile=str(certificates.ca_file))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls)) as session:
            form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}
            form["scope"] = f"{root}/.default"
            async with session.post(f"{root}/{landing_zone.TENANT_ID}/oauth2/v2.0/token", data=form) as answer:
                session.headers["Authorization"] = f"Bearer {(await answer.json())['access_token']}"
            taken, link = [], f"{root}{VAULT}/replicationProtectedItems?api-version={API}"
            while link:
                began = time.perf_counter()
                async with session.get(link) as answer:
                    body = await answer.json()
                taken.append((time.perf_counter() - began) * 1000)
                link = body.get("nextLink")
        await runner.cleanup()
    return [
        Figure(f"over HTTPS, client's JSON included: {len(taken)} pages, median", statistics.median(taken), "ms", None),
        Figure(f"over HTTPS, client's JSON included: {len(taken)} pages, slowest", max(taken), "ms", None),
    ]


def memory_mb(machines: int) -> float:
    """Return the resident memory of a fresh process that holds such a world."""
    line = [sys.executable, __file__, "--machines", str(machines), "--only-memory"]
    return float(subprocess.run(line, capture_output=True, check=True, text=True).stdout)


def own_memory_mb() -> float:
    """Return the resident memory of this process."""
    rows = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return next(int(row[1]) for row in rows if row[0] == "VmRSS:") / 1024


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machines", type=int, default=MACHINES)
    parser.add_argument("--only-memory", action="store_true", help="build the world and print its memory in MB")
    given = parser.parse_args()
    if given.only_memory:
        scene = Scene(given.machines)
        print(own_memory_mb())
        return 0 if scene.world else 1
    table = Table("figure", "value", "target", "", title=f"The lab with {given.machines} protected machines")
    missed = 0
    for figure in measure(given.machines):
        missed += figure.missed
        target = "" if figure.limit is None else f"<= {figure.limit:g} {figure.unit}"
        verdict = "" if figure.limit is None else "[red]FAIL" if figure.missed else "[green]PASS"
        table.add_row(figure.what, f"{figure.value:.2f} {figure.unit}", target, verdict)
    Console(width=120).print(table)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
