"""Sessions of the lab's own that begin in the middle of a Hyper-V story are lifted and replayed without a deviation."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.lab_hyper_v.conftest import Site
from tests.unit.lab_hyper_v.test_between_hosts import Pair
from tests.unit.lab_hyper_v.test_between_hosts import pair as pair_fixture
from tests.unit.lab_hyper_v.test_vmm import Server
from tests.unit.lab_hyper_v.test_vmm import server as server_fixture
from tests.unit.lab_site_recovery.conftest import Lab

from asr_lab.arm.exchange_log import as_session
from asr_lab.contract import recording
from asr_lab.contract.replay import Replay

pair, server = pair_fixture, server_fixture
MIGRATED = {"properties": {"disableProtectionReason": "MigrationComplete"}}


def replayed(lab: Lab, play: Callable[[], Any], folder: Path) -> list[str]:
    """Return the deviations of a replay of what ``play`` asks the lab, and what could not be lifted."""
    lab.advance(3600)
    lab.world.keep_answers = True
    begin = len(lab.world.log)
    play()
    path = folder / "session.json"
    path.write_text(json.dumps(as_session(lab.world.log[begin:])), encoding="utf-8")
    report = Replay(recording.read(path)).run()
    found = [f"{result.exchange.method} {result.exchange.path}: {result.deviations}" for result in report.results]
    return report.notes + [
        text for text, result in zip(found, report.results, strict=True) if result.outcome == "deviates"
    ]


def enable(site: Site) -> None:
    site.lab.get(site.fabric)
    site.lab.get(site.protectable())
    site.lab.do("PUT", site.item, site.enable_body())
    site.lab.until(site.item, "Protected")


def try_failover(site: Site) -> None:
    site.properties()
    site.act("testFailover", site.test_body())
    site.act("testFailoverCleanup", {"properties": {"comments": "fine"}})
    site.properties()


def migrate(site: Site) -> None:
    site.properties()
    site.fail_over()
    site.properties()
    site.commit()
    site.properties()
    site.act("remove", MIGRATED)


def fail_back(site: Site) -> None:
    site.act("plannedFailover", site.failback_body())
    site.act("failoverCommit")
    site.properties()


def test_enabling_is_replayed(site, tmp_path):
    assert replayed(site.lab, lambda: enable(site), tmp_path) == []


def test_a_test_failover_is_replayed(protected, tmp_path):
    assert replayed(protected.lab, lambda: try_failover(protected), tmp_path) == []


def test_a_migration_is_replayed(protected, tmp_path):
    assert replayed(protected.lab, lambda: migrate(protected), tmp_path) == []


@pytest.mark.parametrize("planned", [True, False])
def test_an_item_after_its_failover_is_lifted(protected, tmp_path, planned):
    verb = "plannedFailover" if planned else "unplannedFailover"
    protected.act(verb, protected.failover_body())

    def finish() -> None:
        protected.properties()
        protected.commit()

    assert replayed(protected.lab, finish, tmp_path) == []


def test_a_failback_is_replayed(protected, tmp_path):
    protected.fail_over()
    protected.commit()
    assert replayed(protected.lab, lambda: fail_back(protected), tmp_path) == []


def test_an_item_that_came_back_is_lifted(protected, tmp_path):
    protected.fail_over()
    protected.commit()
    protected.act("plannedFailover", protected.failback_body())

    def finish() -> None:
        protected.properties()
        protected.act("failoverCommit")

    assert replayed(protected.lab, finish, tmp_path) == []


def test_the_lists_of_a_site_are_replayed(protected, tmp_path):
    def read() -> None:
        for path in (
            f"{protected.vault}/replicationFabrics",
            f"{protected.fabric}/replicationRecoveryServicesProviders",
            f"{protected.fabric}/replicationProtectionContainers",
            f"{protected.container}/replicationProtectableItems",
            f"{protected.container}/replicationProtectionContainerMappings",
            f"{protected.vault}/replicationPolicies",
            f"{protected.vault}/replicationProtectedItems",
            f"{protected.item}/recoveryPoints",
        ):
            protected.lab.get(path)

    assert replayed(protected.lab, read, tmp_path) == []


def test_the_networks_of_a_server_are_lifted(server: Server, tmp_path):
    def read() -> None:
        server.lab.get(server.fabric)
        for collection in ("Networks", "LogicalNetworks", "StorageClassifications"):
            server.lab.get(f"{server.fabric}/replication{collection}")
        server.map_network()

    assert replayed(server.lab, read, tmp_path) == []


@pytest.mark.parametrize("moved", [False, True])
def test_an_item_between_hosts_is_lifted(pair: Pair, tmp_path, moved):
    direction = "PrimaryToRecovery"
    if moved:
        pair.move("plannedFailover", direction)
        pair.move("reProtect", "RecoveryToPrimary")
        direction = "RecoveryToPrimary"

    def finish() -> None:
        pair.lab.get(f"{pair.vault}/replicationFabrics")
        pair.lab.get(pair.here)
        pair.lab.get(pair.there)
        pair.state()
        pair.move("plannedFailover", direction)
        pair.state()
        pair.act("failoverCommit")
        pair.state()

    assert replayed(pair.lab, finish, tmp_path) == []
