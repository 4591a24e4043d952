"""A Windows host of the lab is prepared and put back: its registry and its services are then what they were, exactly.

Also when the preparation or the restoration was killed after any of its lines and run again.
"""

import copy

import pytest

from asr_lab.arm.estate import HostDescription, HostDisk
from asr_lab.clock import ManualClock as LabClock
from asr_lab.hosts.windows import faults
from asr_lab.hosts.windows.shell import run_line
from asr_lab.hosts.windows.state import Host, HostSpec
from asr_migrate.domain.machine import Os
from asr_migrate.hosts import prepare, profiles
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.plan import Answer

FLAVOURS = ("2008r2", "2012", "2012r2", "2016", "2019", "2022", "2025")
TERMINAL_SERVER = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server"
PARTITION_MANAGER = r"HKLM\SYSTEM\CurrentControlSet\Services\partmgr\Parameters"
W32TIME = r"HKLM\SYSTEM\CurrentControlSet\Services\W32Time"
RULES = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules"
POLICIES = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"

#: Everything that a preparation for a push changes is as it must not be.
UNREADY = {
    "registry": {
        TERMINAL_SERVER: {"fDenyTSConnections": 1},
        PARTITION_MANAGER: None,
        W32TIME: {"Start": 3},
        POLICIES: {"LocalAccountTokenFilterPolicy": 0},
    },
    "firewall": {"@FirewallAPI.dll,-28502": False, "@FirewallAPI.dll,-34251": False, "@FirewallAPI.dll,-28752": False},
    "service": {"W32Time": "stopped"},
}


class Nowhere:
    """A host's world without anything in it."""

    def connects(self, _source, _target, _port):
        return False

    def download(self, _url):
        return None


class Killed(BaseException):
    """The controller died."""


class Lab:
    """One lab host with what a controller knows of it: the record of prior values."""

    def __init__(self, flavour, directory):
        disk = HostDisk("disk0", 80 * 2**30, boot=True)
        description = HostDescription(
            host_id="h",
            host_name="APP-1",
            addresses=("10.20.1.11",),
            os_type="Windows",
            os_name="",
            disks=(disk,),
            bios_id="b",
            mac="02:00:0a:14:01:0b",
            firmware="BIOS",
            cores=2,
            memory_mb=4096,
            agent_version=None,
        )
        self.host = Host(HostSpec("app-1", flavour, description), directory / flavour, Nowhere(), LabClock())
        self.record = {}
        self.sent = []

    def state(self):
        """Return all that must come back: the registry and which services run."""
        return copy.deepcopy(self.host.registry.dump()), set(self.host.services.running)

    def keep(self, priors):
        for prior in priors:
            self.record.setdefault((prior.kind, prior.name), prior)

    def leave(self, staying):
        self.record = {(prior.kind, prior.name): prior for prior in staying}

    def send(self, exchange, after=None):
        """Run an exchange; with ``after`` only its first lines, and then die."""
        self.sent.append(exchange.name)
        stdin = exchange.stdin
        if after is not None and exchange.name in ("change", "restore"):
            lines = stdin.decode().splitlines()[1:]
            stdin = text.exchange("cut", lines[:after]).stdin
        result = run_line(self.host, exchange.command, stdin)
        if stdin is not exchange.stdin:
            raise Killed
        now = self.host.utc_now()
        return Answer(result.out, result.err, result.code, now, now)

    def prepare(self, clock, after=None, **want):
        profile = profiles.make("source", Os.WINDOWS, "app-1", {"push": True, **want})
        return prepare.prepare(profile, lambda exchange: self.send(exchange, after), clock, keep=self.keep)

    def restore(self, clock, after=None, *, force=False):
        profile = profiles.make("source", Os.WINDOWS, "app-1", {})
        priors = tuple(self.record.values())
        return prepare.restore(
            profile, priors, lambda exchange: self.send(exchange, after), clock, leave=self.leave, force=force
        )


@pytest.fixture(params=FLAVOURS)
def lab(request, tmp_path):
    return Lab(request.param, tmp_path)


@pytest.fixture
def unready(lab):
    faults.apply_fault(lab.host, UNREADY)
    return lab


@pytest.fixture
def one(tmp_path):
    made = Lab("2012r2", tmp_path)
    faults.apply_fault(made.host, UNREADY)
    return made


def places(lab, name):
    """Return after how many lines of the exchange ``name`` something on this host has been changed, each time."""
    profile = profiles.make("source", Os.WINDOWS, "app-1", {"push": True})
    reading = profile.read(lab.send(profile.probe()))
    priors = tuple(lab.record.values())
    plan = profile.plan(reading) if name == "change" else profile.restoration(reading, priors)
    rows = plan.exchanges[0].stdin.decode().splitlines()[1:]
    return [at for at, row in enumerate(rows, 1) if not row.startswith("echo")]


def test_every_flavour_is_prepared_in_three_round_trips_and_found_ready_in_one(unready, clock):
    first = unready.prepare(clock)
    assert first["findings"] == []
    assert first["round_trips"] == 3
    assert len(first["changes"]) == 7
    again = unready.prepare(clock)
    assert (again["changed"], again["round_trips"], again["changes"]) == (False, 1, [])


def test_every_flavour_is_put_back_exactly(unready, clock):
    before = unready.state()
    unready.prepare(clock)
    assert unready.state() != before
    back = unready.restore(clock)
    assert back["findings"] == []
    assert back["round_trips"] == 3
    assert unready.state() == before
    assert unready.record == {}
    assert unready.restore(clock)["round_trips"] == 1


def test_a_fresh_image_is_put_back_exactly_too(lab, clock):
    before = lab.state()
    lab.prepare(clock)
    lab.restore(clock)
    assert lab.state() == before


def test_each_rule_of_a_partly_enabled_group_goes_back_to_what_it_was(lab, clock):
    names = [value.name for value in lab.host.registry.values(RULES) if "-28502|" in str(value.data)]
    for at, name in enumerate(names):
        rule = str(lab.host.registry.value(RULES, name).data)
        active = "TRUE" if at % 2 else "FALSE"
        for word in ("TRUE", "FALSE"):
            rule = rule.replace(f"|Active={word}|", f"|Active={active}|")
        lab.host.registry.write(RULES, {name: rule})
    before = lab.state()
    lab.prepare(clock)
    assert lab.state() != before
    assert lab.restore(clock)["findings"] == []
    assert lab.state() == before


def test_a_remote_desktop_rule_for_one_profile_is_added_to_and_left_as_it_was(one, clock):
    for value in one.host.registry.values(RULES):
        if "-28752|" in str(value.data):
            one.host.registry.write(RULES, {value.name: str(value.data).replace("|Dir=In|", "|Dir=In|Profile=Domain|")})
    before = one.state()
    made = one.prepare(clock)
    assert made["changes"][-3]["what"] == "firewall rule asr-migrate Remote Desktop"
    assert one.restore(clock)["findings"] == []
    assert one.state() == before


def test_a_preparation_killed_after_any_line_is_finished_by_the_next_and_put_back_exactly(one, clock):
    before, killed_after = one.state(), places(one, "change")
    for after in killed_after:
        with pytest.raises(Killed):
            one.prepare(clock, after)
        if after % 2:
            one.prepare(clock)
            assert one.prepare(clock)["changed"] is False
        one.restore(clock)
        assert one.state() == before, after
        assert one.record == {}
    assert len(killed_after) == 8


def test_a_restoration_killed_after_any_line_is_finished_by_the_next(one, clock):
    before = one.state()
    one.prepare(clock)
    ready, kept, killed_after = one.state(), dict(one.record), places(one, "restore")
    for after in killed_after:
        with pytest.raises(Killed):
            one.restore(clock, after)
        assert one.record == kept
        one.restore(clock)
        assert one.state() == before, after
        one.prepare(clock)
        assert one.state() == ready
    assert len(killed_after) == 9


def test_a_german_windows_is_prepared_and_put_back_like_an_english_one(one, clock):
    faults.apply_fault(one.host, {"language": "de-DE"})
    before = one.state()
    assert len(one.prepare(clock)["changes"]) == 7
    one.restore(clock)
    assert one.state() == before


def test_what_somebody_changed_since_stays_with_a_warning_and_goes_back_when_forced(one, clock):
    before = one.state()
    one.prepare(clock)
    one.host.registry.write(PARTITION_MANAGER, {"SanPolicy": 4})
    back = one.restore(clock)
    assert [finding["rule"] for finding in back["findings"]] == ["restore.changed-since"]
    kept = {("registry", PARTITION_MANAGER + "\\SanPolicy"), ("registry_key", PARTITION_MANAGER)}
    assert set(one.record) == kept
    assert one.host.registry.number(PARTITION_MANAGER, "SanPolicy") == 4
    one.restore(clock, force=True)
    assert one.record == {}
    assert one.state() == before
