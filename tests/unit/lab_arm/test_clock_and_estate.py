"""Virtual time, and the machines that a world has when nobody gives it any."""

from datetime import UTC, datetime, timedelta

import pytest

from asr_lab.arm.estate import HostDescription, ListedHosts, PushFailure
from asr_lab.clock import ManualClock, VirtualClock

START = datetime(2026, 4, 1, tzinfo=UTC)
WEB = HostDescription(
    host_id="a",
    host_name="web",
    addresses=("10.20.1.21",),
    os_type="Windows",
    os_name="Microsoft Windows Server 2022",
    disks=(),
    bios_id="b",
    mac="02:00:00:00:00:01",
    firmware="UEFI",
    cores=2,
    memory_mb=4096,
    agent_version=None,
)


def test_virtual_time_begins_where_told_and_runs_forward():
    clock = VirtualClock(3600, START)
    first = clock.now()
    assert START <= first <= clock.now()


def test_virtual_time_is_pushed_forward_while_the_wall_clock_stays():
    clock = VirtualClock(1, START)
    before = clock.wall()
    assert clock.advance(86400) >= START + timedelta(days=1)
    assert clock.wall() - before < timedelta(hours=1)


@pytest.mark.parametrize("clock", [VirtualClock(1, START), ManualClock(START)])
def test_time_never_goes_back(clock):
    with pytest.raises(ValueError, match="only moves forward"):
        clock.advance(-1)


def test_a_speed_of_nought_is_refused():
    with pytest.raises(ValueError, match="not above 0"):
        VirtualClock(0)


def test_an_estate_without_machines_refuses_a_push_installation():
    assert ListedHosts().push_mobility("10.20.1.21", "root").code == "95117"
    assert ListedHosts().describe("10.20.1.21") is None


def test_a_listed_machine_takes_a_push_installation_unless_a_failure_is_listed():
    failure = PushFailure("95107", "no", "c", "a")
    hosts = ListedHosts({"10.20.1.21": WEB, "10.20.1.22": WEB}, push_failures={"10.20.1.22": failure})
    assert hosts.push_mobility("10.20.1.21", "admin") is None
    assert hosts.push_mobility("10.20.1.22", "admin") is failure
    assert hosts.pushed == [("10.20.1.21", "admin")]


def test_a_blocked_way_does_not_connect():
    hosts = ListedHosts(blocked=[("10.20.1.21", "10.20.0.20", 9443)])
    assert not hosts.connects("10.20.1.21", "10.20.0.20", 9443)
    assert hosts.connects("10.20.1.21", "10.20.0.20", 443)
