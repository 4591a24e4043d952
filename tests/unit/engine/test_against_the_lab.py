"""The engine against the lab's Azure over real HTTPS, with the real SDK and the real credential."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from asr_lab.arm import landing_zone
from asr_lab.arm.certificates import make_certificates
from asr_lab.arm.estate import HostDescription, HostDisk, ListedHosts, PushFailure
from asr_lab.arm.providers.model import VMWARE_FABRIC, ApplianceServer, Fabric
from asr_lab.arm.resources.compute import set_power
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
from asr_migrate.domain.gates import Gates
from asr_migrate.domain.lifecycle import Goal, Stage
from asr_migrate.domain.wave import Outcome, Wave
from asr_migrate.session import Session, open_session

SPEED = 1200.0
ADDRESS = "127.35.0.2"
SECRET = "not-a-secret-of-anybody"
CLIENT_ID = "33333333-3333-4333-8333-333333333333"
ROAD = (Goal.PROTECTED, Goal.TEST_RUNNING, Goal.TESTED, Goal.FAILED_OVER, Goal.MIGRATED)
VERSION = "2025-08-01"
APPLIANCE = "10.20.0.20"


def host(name: str, address: str, os_type: str = "Linux") -> HostDescription:
    identity = str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
    disks = (HostDisk("disk0", 32 << 30, True),)
    mac = "02:00:" + ":".join(f"{int(part):02x}" for part in address.split("."))
    return HostDescription(
        identity, name, (address,), os_type, "Some OS", disks, identity, mac, "BIOS", 2, 4096, "9.62.0.0"
    )


class Lab:
    """The lab's Azure with a vault, an appliance and sources; ``reach`` runs the product against it."""

    def __init__(self, folder: Path, architecture: str) -> None:
        self.architecture = architecture
        self.sources = {"web": "10.20.1.21", "db": "10.20.1.22"}
        self.hosts = ListedHosts({address: host(name, address) for name, address in self.sources.items()})
        self.hosts.hosts[APPLIANCE] = host("appliance", APPLIANCE, "Windows")
        self.world = World(self.hosts)
        self.clock = VirtualClock(SPEED)
        landing_zone.seed(self.world, self.clock.now())
        self.certificates = make_certificates(folder, addresses=[ADDRESS], now=datetime.now(UTC))
        self.targets: dict[str, dict[str, Any]] = {}
        self.probes: dict[str, list[dict[str, Any]]] = {}
        self.lines: list[str] = []

    @property
    def group(self) -> str:
        return f"/subscriptions/{landing_zone.SUBSCRIPTION_ID}/resourceGroups/{landing_zone.RESOURCE_GROUP}"

    @property
    def vault_id(self) -> str:
        return f"{self.group}/providers/Microsoft.RecoveryServices/vaults/vault-a"

    def put(self, path: str, body: Any, version: str = VERSION) -> None:
        request = Request("PUT", path, {"api-version": version}, {"host": ADDRESS}, body)
        response = self.world.handle(request, self.clock.now())
        assert response.status < 300, response.body
        self.clock.advance(120)

    def prepare(self) -> None:
        """Make what the landing zone, appliance and source playbooks leave behind."""
        self.put(
            self.vault_id,
            {"location": landing_zone.LOCATION, "sku": {"name": "Standard"}, "properties": {}},
            "2026-11-01",
        )
        classic = self.architecture == "classic"
        container = self._classic_appliance() if classic else self._modernized_appliance()
        settings: dict[str, Any] = (
            {
                "instanceType": "InMageAzureV2",
                "recoveryPointThresholdInMinutes": 60,
                "recoveryPointHistory": 1440,
                "crashConsistentFrequencyInMinutes": 5,
                "appConsistentFrequencyInMinutes": 0,
                "multiVmSyncStatus": "Disable",
            }
            if classic
            else {
                "instanceType": "InMageRcm",
                "recoveryPointHistoryInMinutes": 1440,
                "crashConsistentFrequencyInMinutes": 5,
                "appConsistentFrequencyInMinutes": 0,
                "enableMultiVmSync": "false",
            }
        )
        policy = f"{self.vault_id}/replicationPolicies/policy"
        self.put(policy, {"properties": {"providerSpecificInput": settings}})
        self.put(
            f"{container}/replicationProtectionContainerMappings/mapping",
            {"properties": {"targetProtectionContainerId": "Microsoft Azure", "policyId": policy}},
        )
        self.world.log.clear()

    def _modernized_appliance(self) -> str:
        now = self.clock.now()
        fabric = world_register_appliance(self.world, vault_id=self.vault_id, host=self.hosts.hosts[APPLIANCE], now=now)
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
        return f"{fabric}/replicationProtectionContainers/vault-a-replicationcontainer"

    def _classic_appliance(self) -> str:
        now = self.clock.now()
        server = ApplianceServer(
            "5C12EBF4-F86C-4247-BBD948182F762D3B", "appliance", self.hosts.hosts[APPLIANCE], "9.59"
        )
        fabric = Fabric(
            id=f"{self.vault_id}/replicationFabrics/{'a' * 64}",
            name="a" * 64,
            kind=VMWARE_FABRIC,
            friendly_name="appliance",
            internal_id=self.world.guid(),
            vault_id=self.vault_id,
            location=landing_zone.LOCATION,
            servers=[server],
            registered=now,
            passphrase="a passphrase of sixteen",
            accounts={"1": "migration"},
        )
        made = add_fabric(self.world, fabric, container=f"cloud_{fabric.internal_id}", container_text="appliance")
        for address in self.sources.values():
            world_register_mobility(
                self.world,
                server_address=APPLIANCE,
                passphrase=fabric.passphrase,
                host=self.hosts.hosts[address],
                now=now,
            )
        return made.id

    def zone(self) -> dict[str, Any]:
        return {
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
            "architecture": self.architecture,
        }

    def machines(self) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "source_id": f"i-{name}",
                "wave": "w",
                "os": "linux",
                "addresses": [address],
                "target": {"vm_name": f"vm-{name}", "vm_size": "Standard_B2s", **self.targets.get(name, {})},
                "probes": self.probes.get(name, []),
                "probe_address": ADDRESS,
                "probe_test_address": ADDRESS,
            }
            for name, address in self.sources.items()
        ]

    @asynccontextmanager
    async def opened(self, check_mode: bool):
        credentials = Credentials(landing_zone.TENANT_ID, CLIENT_ID, SECRET)
        runner = await serve(self.world, self.clock, self.certificates, ADDRESS, 0, credentials)
        url = f"https://{ADDRESS}:{runner.addresses[0][1]}"
        cloud = {
            "resource_manager": url,
            "authority": url,
            "ca_file": str(self.certificates.ca_file),
            "instance_discovery": False,
        }
        params = {"landing_zone": self.zone(), "cloud": cloud, "wait_scale": 1 / SPEED}
        try:
            async with open_session(params, check_mode) as session:
                yield session
        finally:
            await runner.cleanup()

    def run(self, work: Callable[[Session, Wave], Awaitable[Any]], check_mode: bool = False) -> Any:
        async def go() -> Any:
            async with self.opened(check_mode) as session:
                return await work(session, Wave.from_hosts(self.machines(), session.landing_zone))

        return asyncio.run(go())

    def reach(self, goal: Goal, *, check_mode: bool = False, timeout_s: float = 6 * 3600) -> Outcome:
        return self.run(
            lambda session, wave: session.engine(self.lines.append).reach(wave, goal, timeout_s), check_mode
        )

    def reach_probed(self, *goals: Goal, ok: Collection[str] = ("web", "db")) -> tuple[Outcome, list[str]]:
        """Reach one goal after the other with the gate ``probes`` on, while every machine listens on loopback.

        web has a port, db a page; ``ok`` names those that answer as they should. Returns what came of the last goal and
        who was asked, in order.
        """
        asked: list[str] = []

        async def listen(name: str) -> asyncio.Server:
            async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                asked.append(name)
                status = "200 OK" if name in ok else "500 Broken"
                writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                writer.close()

            return await asyncio.start_server(answer, ADDRESS, 0)

        async def work(session: Session, wave: Wave) -> Outcome:
            servers = {name: await listen(name) for name in self.sources}
            ports = {name: server.sockets[0].getsockname()[1] for name, server in servers.items()}
            if "web" not in ok:
                servers["web"].close()
                await servers["web"].wait_closed()
            self.probes = {"web": [{"port": ports["web"]}], "db": [{"port": ports["db"], "path": "/health"}]}
            wave = Wave.from_hosts(self.machines(), session.landing_zone)
            gates = Gates(probes=True)
            try:
                for goal in goals:
                    outcome = await session.engine(self.lines.append, gates=gates).reach(wave, goal, 6 * 3600)
                return outcome
            finally:
                for server in servers.values():
                    server.close()

        return self.run(work), asked

    def reach_all(self, *goals: Goal) -> None:
        for goal in goals:
            outcome = self.reach(goal)
            assert all(result.reached for result in outcome.machines.values()), outcome.by_machine()


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_TENANT_ID", landing_zone.TENANT_ID)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", SECRET)


@pytest.fixture(params=["modernized", "classic"])
def lab(request: pytest.FixtureRequest, tmp_path: Path, signed_in: None) -> Lab:
    made = Lab(tmp_path, request.param)
    made.prepare()
    return made


def test_a_wave_is_migrated_and_asked_for_again_sends_nothing(lab):
    lab.targets["web"] = {"private_ip": "10.60.1.21"}
    lab.reach_all(*ROAD)
    lab.world.log.clear()
    for goal in ROAD:
        outcome = lab.reach(goal)
        assert {result.stage for result in outcome.machines.values()} == {Stage.MIGRATED}
        assert {result.azure_vm.name for result in outcome.machines.values()} == {"vm-web", "vm-db"}
    assert lab.world.writes == []


def test_check_mode_sends_no_write_and_lists_them(lab):
    outcome = lab.reach(Goal.PROTECTED, check_mode=True)
    assert {write.path for write in outcome.writes} == {
        "replicationProtectedItems/web",
        "replicationProtectedItems/db",
    }
    assert lab.world.writes == []


def test_a_failover_that_was_accepted_but_answered_503_is_sent_once(lab):
    lab.reach_all(Goal.PROTECTED)
    lab.world.log.clear()
    lab.world.faults.add(
        {
            "match": {"method": "POST", "path": "*/web/unplannedFailover"},
            "status": 503,
            "after_effect": True,
            "times": 5,
        }
    )
    lab.reach_all(Goal.FAILED_OVER)
    assert [entry.path.split("/")[-2] for entry in lab.world.writes].count("web") == 1


def test_a_wave_whose_machines_answer_their_probes_goes_all_the_way(lab):
    lab.reach_all(Goal.PROTECTED)
    tested, asked = lab.reach_probed(Goal.TEST_RUNNING)
    assert all(result.reached for result in tested.machines.values()), tested.by_machine()
    assert set(asked) == {"web", "db"}
    outcome, asked = lab.reach_probed(Goal.TESTED, Goal.FAILED_OVER, Goal.MIGRATED)
    assert {result.stage for result in outcome.machines.values()} == {Stage.MIGRATED}
    assert {"web", "db"} == set(asked)


@pytest.mark.parametrize(("broken", "why"), [("web", "TCP port"), ("db", "it answers 500")])
def test_a_machine_that_fails_its_probe_is_not_committed_and_the_other_is(lab, broken, why):
    (sound,) = set(lab.sources) - {broken}
    lab.reach_all(*ROAD[:-1])
    lab.world.log.clear()
    outcome, _ = lab.reach_probed(Goal.MIGRATED, ok=[sound])
    assert outcome.machines[sound].stage is Stage.MIGRATED
    result = outcome.machines[broken]
    assert (result.failed, result.stage, result.error.code) == (True, Stage.FAILED_OVER, "ProbeFailed")
    assert why in result.error.cause
    assert {entry.path.split("/")[-2] for entry in lab.world.writes} == {sound}


def test_a_test_failover_does_not_count_as_running_while_a_probe_fails(lab):
    lab.reach_all(Goal.PROTECTED)
    outcome, _ = lab.reach_probed(Goal.TEST_RUNNING, ok=["web"])
    assert outcome.machines["web"].reached
    assert (outcome.machines["db"].reached, outcome.machines["db"].error.code) == (False, "ProbeFailed")


def test_a_vm_that_does_not_run_after_the_failover_is_not_committed(lab):
    lab.reach_all(*ROAD[:-1])
    vm = f"{lab.group}/providers/Microsoft.Compute/virtualMachines/vm-db"
    set_power(lab.world, vm, "deallocated", lab.clock.now())
    lab.world.log.clear()
    outcome, asked = lab.reach_probed(Goal.MIGRATED)
    assert outcome.machines["web"].stage is Stage.MIGRATED
    assert "power state is deallocated" in outcome.machines["db"].error.cause
    assert set(asked) == {"web"}
    assert {entry.path.split("/")[-2] for entry in lab.world.writes} == {"web"}


def test_port_9443_blocked_stops_one_machine_with_the_port_in_the_remedy(lab):
    lab.hosts.blocked.add(("10.20.1.21", APPLIANCE, 9443))
    outcome = lab.reach(Goal.PROTECTED)
    assert "9443" in outcome.machines["web"].error.remedy
    assert outcome.machines["db"].reached


def test_a_push_installation_that_fails_is_told_with_its_code_and_remedy(tmp_path, signed_in):
    lab = Lab(tmp_path, "modernized")
    lab.prepare()
    failure = PushFailure("95107", "Push installation failed.", "Wrong credentials.", "Use an administrator.")
    lab.hosts.push_failures["10.20.1.21"] = failure
    outcome = lab.reach(Goal.PROTECTED)
    assert outcome.machines["web"].error.code == "95107"
    assert outcome.machines["db"].reached
    assert lab.reach(Goal.PROTECTED).machines["web"].refused


def test_a_vault_that_does_not_exist_stops_the_wave_but_not_check_mode(tmp_path, signed_in):
    lab = Lab(tmp_path, "modernized")
    outcome = lab.reach(Goal.PROTECTED, check_mode=True)
    assert len(outcome.writes) == 2
    with pytest.raises(Exception, match="vault vault-a does not exist"):
        lab.reach(Goal.PROTECTED)


def test_looking_says_where_every_machine_stands(lab):
    seen = lab.run(lambda session, wave: session.engine().look(wave))
    assert {name: observation.stage for name, observation in seen.items()} == {"web": Stage.ABSENT, "db": Stage.ABSENT}
    assert {observation.unknown_source for observation in seen.values()} == {None}
