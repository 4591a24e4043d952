"""Take one preparation away: the run stops at the step that needs it and says why and what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from .harness import LabProcess, fresh_lab

SERVER = ("--limit", "legacy-cs")
LEGACY = ("--limit", "legacy-cs:wave_legacy")
CURRENT = ("--limit", "current-appliance:wave_current")
TLS_1_0_SERVER = r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.0\Server"


def prepared(lab, *playbooks: str, limit: tuple[str, str]) -> None:
    for name in playbooks:
        ran = lab.playbook(name, *limit)
        assert ran.code == 0, ran.output


def stopped(ran, *sentences: str) -> None:
    """The playbook failed, and its output holds every sentence (spacing of the output folded)."""
    assert ran.code == 2, ran.output
    text = " ".join(ran.output.split())
    assert [sentence for sentence in sentences if sentence not in text] == [], ran.output


def registered_servers(lab) -> list[str]:
    return [fabric["name"] for fabric in lab.admin("GET", "state")["fabrics"]]


def test_without_the_token_filter_key_the_push_is_refused_with_cause_and_remedy(lab):
    prepared(lab, "prepare_landing_zone", "deploy_appliance", "prepare_sources", limit=CURRENT)
    key = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
    lab.admin("POST", "hosts/web-2022", {"registry": {key: {"LocalAccountTokenFilterPolicy": None}}})
    ran = lab.playbook("replicate", *CURRENT)
    stopped(ran, "[95107]", "Cause: The credentials", "Remedy: Ensure", "LocalAccountTokenFilterPolicy to 1")
    recap = ran.recap()
    assert {host: row["failed"] for host, row in recap.items()} == {
        "web-2022": 1,
        "db-rhel8": 0,
        "web-ubuntu22": 0,
        "batch-amzn2": 0,
    }


@pytest.fixture(scope="module")
def landing_zone() -> Iterator[LabProcess]:
    """A lab with the classic landing zone and without its configuration server, for all stories of its set-up."""
    with fresh_lab("127.23") as lab:
        prepared(lab, "prepare_landing_zone", limit=LEGACY)
        yield lab


@contextmanager
def on_the_server(lab: LabProcess, wrong: dict[str, Any], mended: dict[str, Any]) -> Iterator[None]:
    """Let the configuration server be wrong for a while; nothing is registered before nor after."""
    assert registered_servers(lab) == []
    lab.admin("POST", "hosts/legacy-cs", wrong)
    yield
    lab.admin("POST", "hosts/legacy-cs", mended)
    assert registered_servers(lab) == []


def test_a_stopped_time_service_on_the_configuration_server_stops_its_set_up(landing_zone):
    with on_the_server(landing_zone, {"service": {"w32time": "stopped"}}, {"service": {"w32time": "running"}}):
        stopped(landing_zone.playbook("deploy_appliance", *SERVER), "w32time", "sc.exe start w32time")


def test_a_clock_16_minutes_off_stops_the_set_up_of_the_configuration_server(landing_zone):
    with on_the_server(landing_zone, {"skew_s": 960}, {"skew_s": 0}):
        stopped(landing_zone.playbook("deploy_appliance", *SERVER), "clock", "16 min", "w32tm /resync")


def test_a_key_of_a_set_up_that_tls_1_0_stopped_is_refused_six_days_later(landing_zone):
    with on_the_server(
        landing_zone,
        {"registry": {TLS_1_0_SERVER: {"Enabled": 0}}},
        {"registry": {TLS_1_0_SERVER: {"Enabled": 1}}},
    ):
        stopped(landing_zone.playbook("deploy_appliance", *SERVER), "TLS 1.0", "Enabled")
    landing_zone.admin("POST", "advance", {"seconds": 6 * 86400})
    stopped(landing_zone.playbook("deploy_appliance", *SERVER), "registration key", "five days", "Remedy")
    assert registered_servers(landing_zone) == []


def test_a_blocked_port_9443_stops_the_preparation_of_the_source_behind_it(lab):
    prepared(lab, "prepare_landing_zone", "deploy_appliance", limit=LEGACY)
    lab.admin("POST", "network", {"block": [["10.20.1.12", "10.20.0.10", 9443]]})
    ran = lab.playbook("prepare_sources", *LEGACY)
    stopped(ran, "9443", "10.20.0.10", "security group")
    assert {host: row["failed"] for host, row in ran.recap().items() if host != "legacy-cs"} == {
        "app-2008": 0,
        "app-2012": 1,
        "db-rhel67": 0,
        "old-rhel67pv": 0,
    }
