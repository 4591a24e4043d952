"""A Windows host is prepared and restored: its registry, services, firewall and files are what they were, whatever they
were, on every version; also when the preparation or the restoration was killed in the middle.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from asr_lab.hosts.windows import firewall, push
from asr_lab.hosts.windows.state import Host
from asr_migrate.clock import ManualClock
from asr_migrate.hosts.plan import Answer, Exchange, Restorable
from asr_migrate.hosts.prepare import ConnectionLostError, prepare, restore
from asr_migrate.hosts.prior import Prior

from . import windows_hosts
from .windows_hosts import FLAVOURS

RULES = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules"
TERMINAL_SERVER = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server"
PARTITION_MANAGER = r"HKLM\SYSTEM\CurrentControlSet\Services\partmgr\Parameters"
SYSTEM_POLICIES = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
W32TIME = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time"
PAIR = "v2.10|Action=Allow|Active={}|Dir=In|Protocol=6|{}LPort=445|{}App=System|Name=@FirewallAPI.dll,-28511|"

HOSTS: dict[str, Mapping[str, Any]] = {
    "as its image": {},
    "everything off": {
        "registry": {
            TERMINAL_SERVER: {"fDenyTSConnections": 1},
            PARTITION_MANAGER: {"SanPolicy": 3},
            SYSTEM_POLICIES: {"LocalAccountTokenFilterPolicy": 0},
        },
        "service": {"W32Time": "disabled"},
        "firewall": {"Remote Desktop": False},
    },
    "keys missing": {
        "registry": {PARTITION_MANAGER: None, TERMINAL_SERVER: {"fDenyTSConnections": None}},
        "service": {"W32Time": "stopped"},
    },
    "values of other types": {
        "registry": {
            SYSTEM_POLICIES: {"LocalAccountTokenFilterPolicy": "0"},
            PARTITION_MANAGER: {"SanPolicy": "4"},
            W32TIME: {"Start": 2, "DelayedAutostart": 1},
        },
        "service": {"W32Time": "stopped"},
    },
    "by a local account": {
        "built_in": False,
        "registry": {SYSTEM_POLICIES: {"LocalAccountTokenFilterPolicy": 1}},
    },
    "in a domain": {"domain": "corp.example", "firewall": {"Remote Desktop": False}},
    "groups partly on": {
        "registry": {
            RULES: {
                # A host that was upgraded, or is no server, has the rules in pairs: by profile, and for the subnet.
                "FPS-SMB-In-TCP": PAIR.format("FALSE", "Profile=Private|Profile=Public|", "RA4=LocalSubnet|")
                + "EmbedCtxt=@FirewallAPI.dll,-28502|",
                "FPS-SMB-In-TCP-NoScope": PAIR.format("TRUE", "Profile=Domain|", "")
                + "EmbedCtxt=@FirewallAPI.dll,-28502|",
                "FPS-ICMP4-ERQ-In": "v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=1|ICMP4=8:*|App=System|"
                "Name=@FirewallAPI.dll,-28543|Desc=@FirewallAPI.dll,-28547|EmbedCtxt=@FirewallAPI.dll,-28502|",
                "WMI-RPCSS-In-TCP": "v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=135|"
                r"App=%SystemRoot%\system32\svchost.exe|Svc=rpcss|Name=@FirewallAPI.dll,-34252|"
                "Desc=@FirewallAPI.dll,-34253|EmbedCtxt=@FirewallAPI.dll,-34251|",
            }
        },
    },
    "in German": {"language": "de-DE", "firewall": {"Remote Desktop": False}, "service": {"W32Time": "disabled"}},
}


class Controller:
    """What keeps the record between runs, and sends; ``cut_after`` lines of a change the connection breaks, once."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.record: dict[tuple[str, str], Prior] = {}
        self.cut_after: int | None = None
        self.sent: list[str] = []

    def keep(self, priors: tuple[Prior, ...]) -> None:
        for prior in priors:
            self.record.setdefault((prior.kind, prior.name), prior)

    def leave(self, priors: tuple[Prior, ...]) -> None:
        self.record = {(prior.kind, prior.name): prior for prior in priors}

    def send(self, exchange: Exchange) -> Answer:
        self.sent.append(exchange.name)
        if exchange.name == "probe" or self.cut_after is None:
            return windows_hosts.send(self.host, exchange)
        count, *lines = (exchange.stdin or b"").decode().splitlines()
        cut, self.cut_after = min(self.cut_after, int(count)), None
        part = "".join(f"{line}\n" for line in (str(cut), *lines[:cut]))
        windows_hosts.send(self.host, Exchange("cut", exchange.command, stdin=part.encode()))
        raise ConnectionLostError

    def prepare(self, **want: Any) -> dict[str, Any]:
        return prepare(windows_hosts.source(**want), self.send, ManualClock(), keep=self.keep)

    def restore(self, **want: Any) -> dict[str, Any]:
        profile = windows_hosts.source(**want)
        assert isinstance(profile, Restorable)
        return restore(profile, tuple(self.record.values()), self.send, ManualClock(), leave=self.leave)


@pytest.fixture(params=HOSTS)
def fault(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    return HOSTS[request.param]


def is_ready(host: Host) -> bool:
    """Return whether a host is what a push and a failover need, by the lab's own reading of its state."""
    return (
        push.push_failure(host) is None
        and firewall.group_open(host.registry, firewall.REMOTE_DESKTOP)
        and host.listens(3389)
        and host.registry.number(TERMINAL_SERVER, "fDenyTSConnections") == 0
        and host.registry.number(PARTITION_MANAGER, "SanPolicy") == 1
        and host.services.is_running("W32Time")
    )


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_restored_host_is_what_it_was(tmp_path: Path, flavour: str, fault: Mapping[str, Any]) -> None:
    host = windows_hosts.make(flavour, tmp_path, fault)
    before, controller = windows_hosts.state(host), Controller(host)
    prepared = controller.prepare(push=True)
    assert prepared["changed"]
    assert prepared["round_trips"] <= 3
    assert is_ready(host)
    again = controller.prepare(push=True)
    assert (again["changed"], again["round_trips"]) == (False, 1)
    restored = controller.restore(push=True)
    assert windows_hosts.state(host) == before
    assert restored["findings"] == []
    assert restored["round_trips"] <= 3
    assert controller.record == {}
    assert controller.restore(push=True)["changed"] is False


@pytest.mark.parametrize("flavour", ["2008r2", "2025"])
@pytest.mark.parametrize("lines", [0, 1, 4, 9, 16])
def test_a_preparation_that_was_killed_is_finished_and_restored(
    tmp_path: Path, flavour: str, fault: Mapping[str, Any], lines: int
) -> None:
    host = windows_hosts.make(flavour, tmp_path, fault)
    before, controller = windows_hosts.state(host), Controller(host)
    controller.cut_after = lines
    with pytest.raises(ConnectionLostError):
        controller.prepare(push=True)
    controller.prepare(push=True)
    assert is_ready(host)
    controller.restore(push=True)
    assert windows_hosts.state(host) == before


@pytest.mark.parametrize("flavour", ["2008r2", "2025"])
@pytest.mark.parametrize("lines", [0, 1, 4, 9, 16])
def test_a_host_is_restored_after_a_killed_preparation_and_a_killed_restoration(
    tmp_path: Path, flavour: str, fault: Mapping[str, Any], lines: int
) -> None:
    host = windows_hosts.make(flavour, tmp_path, fault)
    before, controller = windows_hosts.state(host), Controller(host)
    controller.cut_after = 9
    with pytest.raises(ConnectionLostError):
        controller.prepare(push=True)
    controller.cut_after = lines
    try:
        controller.restore(push=True)
    except ConnectionLostError:
        controller.cut_after = None
        controller.restore(push=True)
    assert windows_hosts.state(host) == before
    assert controller.record == {}
