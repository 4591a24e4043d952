"""The engine against the lab's Azure over real HTTPS, with the real SDK and the real credential."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from tests.worlds.hosts import host
from tests.worlds.served import ServedWorld, sign_in
from tests.worlds.vaults import prepare
from tests.worlds.zones import APPLIANCE, GROUP, lab_zone, vault_id

from asr_lab.arm.estate import ListedHosts, PushFailure
from asr_lab.arm.resources.compute import set_power
from asr_lab.arm.world import World
from asr_lab.clock import VirtualClock
from asr_migrate.domain.gates import Gates
from asr_migrate.domain.lifecycle import Goal, Stage
from asr_migrate.domain.wave import Outcome, Wave
from asr_migrate.session import Session

SPEED = 1200.0
ADDRESS = "127.35.0.2"
ROAD = (Goal.PROTECTED, Goal.TEST_RUNNING, Goal.TESTED, Goal.FAILED_OVER, Goal.MIGRATED)


class Lab(ServedWorld):
    """The lab's Azure with a vault, an appliance and sources; ``reach`` runs the product against it."""

    def __init__(self, folder: Path, architecture: str) -> None:
        self.architecture = architecture
        self.sources = {"web": "10.20.1.21", "db": "10.20.1.22"}
        self.hosts = ListedHosts(
            {address: host(name, address, windows=False) for name, address in self.sources.items()}
        )
        self.hosts.hosts[APPLIANCE] = host("appliance", APPLIANCE)
        super().__init__(folder, ADDRESS, World(self.hosts), VirtualClock(SPEED))
        self.zone = lab_zone(architecture=architecture)
        self.targets: dict[str, dict[str, Any]] = {}
        self.probes: dict[str, list[dict[str, Any]]] = {}
        self.lines: list[str] = []

    def prepare(self) -> None:
        """Make what the landing zone, appliance and source playbooks leave behind."""
        prepare(self.world, self.clock, vault_id("vault-a"), self.architecture, self.sources.values())
        self.world.log.clear()

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

    def run(self, work: Callable[[Session, Wave], Awaitable[Any]], check_mode: bool = False) -> Any:
        async def go() -> Any:
            async with self.session(self.zone, check_mode) as session:
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
    sign_in(monkeypatch)


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
    vm = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-db"
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
