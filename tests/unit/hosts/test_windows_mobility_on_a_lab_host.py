"""The Mobility service on Windows hosts of the lab: the product's own text runs, the lab's own installers answer.

Each class of exit code comes from a lab host that goes wrong in that way after it was probed.
"""

import pytest

from asr_lab.arm.estate import HostDescription, HostDisk, RegistrationRefused
from asr_lab.clock import ManualClock as LabClock
from asr_lab.hosts import mobility_config
from asr_lab.hosts.windows.installers import mobility, packages
from asr_lab.hosts.windows.shell import run_line
from asr_lab.hosts.windows.state import AGENT_PRODUCT, Host, HostSpec
from asr_migrate.domain.errors import AsrMigrateError
from asr_migrate.domain.machine import Os
from asr_migrate.hosts import prepare, profiles
from asr_migrate.hosts.plan import Answer
from asr_migrate.hosts.windows_mobility import PASSPHRASE_FILE

CS, OTHER, APPLIANCE = "10.20.0.10", "10.20.0.11", "10.20.0.20"
PASSPHRASE = "the servers secret"
NAME = "Microsoft-ASR_UA_{}_Windows_GA_15Mar2024_release.exe"
SITE = "https://downloads.lab.example/"
VERSIONS = ("9.54.0.0", "9.57.0.0", "9.59.0.0", "9.66.0.0")
UPDATES = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages"


class World:
    """A network whose servers answer unless they are closed, and a Site Recovery that knows one passphrase."""

    def __init__(self):
        self.closed = set()
        self.registered = []
        self.internet = {SITE + NAME.format(v): packages.program("mobility-package", v) for v in VERSIONS}

    def connects(self, _source, target, port):
        return (target, port) not in self.closed

    def powered_on(self, _address):
        return True

    def download(self, url):
        return self.internet.get(url)

    def register_mobility(self, server, passphrase, host):
        if passphrase != PASSPHRASE:
            raise RegistrationRefused("PassphraseInvalid", "The passphrase is not the configuration server's.")
        self.registered.append((server, host.agent_version))


class Lab:
    """One lab host and the way to it."""

    def __init__(self, flavour, directory):
        description = HostDescription(
            host_id="0a0a0a0a-0000-4000-8000-000000000001",
            host_name="APP-1",
            addresses=("10.20.1.11",),
            os_type="Windows",
            os_name="",
            disks=(HostDisk("disk0", 80 * 2**30, boot=True),),
            bios_id="0b0b0b0b-0000-4000-8000-000000000001",
            mac="02:00:0a:14:01:0b",
            firmware="BIOS",
            cores=2,
            memory_mb=4096,
            agent_version=None,
        )
        self.world = World()
        self.host = Host(HostSpec("app-1", flavour, description), directory / flavour, self.world, LabClock())
        self.exchanges = []
        self.spoil = None

    def send(self, exchange):
        self.exchanges.append(exchange)
        if self.spoil and exchange.name == "change":
            self.spoil(self)
        result = run_line(self.host, exchange.command, exchange.stdin)
        now = self.host.utc_now()
        return Answer(result.out, result.err, result.code, now, now)

    def bring(self, clock, **fields):
        """Bring the host's Mobility service to what is wanted."""
        profile = profiles.make("source", Os.WINDOWS, "app-1", {"mobility": wanted(**fields)})
        return prepare.prepare(profile, self.send, clock, keep=lambda _priors: None)


def wanted(version="9.59.0.0", **fields):
    classic = {
        "architecture": "classic",
        "appliance_address": CS,
        "passphrase": PASSPHRASE,
        "installer": {"url": SITE + NAME.format(version)},
    }
    return classic | fields


def by_config(version="9.66.0.0", **fields):
    return {"architecture": "modernized", "appliance_address": APPLIANCE, "version": version, **fields}


@pytest.fixture(params=["2008r2", "2012r2", "2016", "2022", "2025"])
def flavoured(request, tmp_path):
    return Lab(request.param, tmp_path)


@pytest.fixture
def lab(tmp_path):
    return Lab("2012r2", tmp_path)


def test_a_fresh_host_is_registered_in_three_round_trips_and_found_ready_in_one(flavoured, clock):
    done = flavoured.bring(clock)
    assert done["round_trips"] == 3
    assert flavoured.world.registered == [(CS, "9.59.0.0")]
    assert done["facts"]["mobility"] == {
        "installed": True,
        "registered": True,
        "running": True,
        "server": CS,
        "version": "9.59.0.0",
        "cs_type": "CSLegacy",
        "host_id": "0a0a0a0a-0000-4000-8000-000000000001",
    }
    again = flavoured.bring(clock)
    assert (again["changed"], again["round_trips"]) == (False, 1)


def test_nothing_of_ours_stays_on_the_host_and_no_log_holds_the_passphrase(lab, clock):
    lab.bring(clock)
    left = [node.path for node in lab.host.files if "asr-migrate" in node.path.lower()]
    assert [path for path in left if path.lower() != r"c:\windows\asr-migrate"] == []
    assert not any(PASSPHRASE in (lab.host.files.text(node.path) or "") for node in lab.host.files)
    assert not any(PASSPHRASE in exchange.command for exchange in lab.exchanges)


def test_a_pinned_digest_lets_only_the_right_file_run(flavoured, clock):
    with pytest.raises(AsrMigrateError) as refused:
        flavoured.bring(clock, installer={"url": SITE + NAME.format("9.59.0.0"), "sha256": "ab" * 32})
    assert refused.value.code == "DownloadNotTrusted"
    assert flavoured.host.agent_version() is None
    digest = refused.value.message.split("SHA-256 ", 1)[1][:64]
    flavoured.bring(clock, installer={"url": SITE + NAME.format("9.59.0.0"), "sha256": digest})
    assert flavoured.host.agent_version() == "9.59.0.0"


def test_a_repository_gives_the_installer_of_windows(lab, clock):
    lab.bring(clock, installer={}, repository={"url": SITE, "version": "9.59.0.0", "released": "15Mar2024"})
    assert lab.host.agent_version() == "9.59.0.0"


def test_a_modernized_agent_waits_shows_its_input_and_goes_on_with_config_json(flavoured, clock):
    first = flavoured.bring(clock, **by_config())
    assert flavoured.host.agent_version() == "9.66.0.0"
    assert {finding["rule"] for finding in first["findings"]} == {"mobility.config-json"}
    shown = first["private"]["agent_config_input"]
    again = flavoured.bring(clock, **by_config())
    assert (again["changed"], again["private"]["agent_config_input"]) == (False, shown)
    config = mobility_config.config_json(shown, APPLIANCE)
    done = flavoured.bring(clock, **by_config(source_config=config))
    assert done["facts"]["mobility"]["registered"]
    assert done["private"] == {}
    assert flavoured.bring(clock, **by_config(source_config=config))["changed"] is False
    with pytest.raises(prepare.HostNotReadyError, match=f"registered with {APPLIANCE}, not with 10.9.9.9"):
        flavoured.bring(clock, **by_config(appliance_address="10.9.9.9"))


def test_an_older_agent_is_upgraded_and_keeps_running(lab, clock):
    lab.bring(clock, version="9.57.0.0")
    assert lab.bring(clock)["changed"] is False
    done = lab.bring(clock, upgrade=True)
    assert done["round_trips"] == 3
    assert done["facts"]["mobility"]["version"] == "9.59.0.0"
    assert done["facts"]["mobility"]["running"]
    assert not lab.host.wants_restart()


def test_an_upgrade_over_more_than_four_versions_ends_well_and_wants_a_restart(lab, clock):
    lab.bring(clock, version="9.54.0.0")
    done = lab.bring(clock, upgrade=True)
    assert "mobility.restart" in {finding["rule"] for finding in done["findings"]}
    assert lab.host.wants_restart()


def test_a_newer_agent_is_kept(lab, clock):
    lab.bring(clock)
    done = lab.bring(clock, version="9.57.0.0", upgrade=True)
    assert done["changed"] is False
    assert {finding["rule"] for finding in done["findings"]} == {"mobility.newer"}


def test_half_an_installation_is_repaired(lab, clock):
    lab.bring(clock)
    lab.host.registry.write(AGENT_PRODUCT, {"PostInstallActions": "Failed", "AgentConfigurationStatus": "Failed"})
    done = lab.bring(clock)
    assert done["changes"][0]["from"] == "half installed"
    assert done["facts"]["mobility"]["registered"]


def test_an_agent_of_another_server_is_left_alone_or_moved(lab, clock):
    lab.bring(clock, appliance_address=OTHER)
    with pytest.raises(prepare.HostNotReadyError, match=f"registered with {OTHER}, not with {CS}"):
        lab.bring(clock)
    assert lab.bring(clock, move=True)["facts"]["mobility"]["server"] == CS


def test_an_agent_that_stands_still_is_started(lab, clock):
    lab.bring(clock)
    lab.host.services.stop("svagents")
    assert lab.bring(clock)["changes"][0]["from"] == f"registered with {CS}, service not running"
    assert lab.host.services.is_running("svagents")


def test_a_registration_is_taken_back_and_the_agent_stays(lab, clock):
    config = mobility_config.config_json(mobility_config.config_input(lab.host.describe()), APPLIANCE)
    lab.bring(clock, **by_config(source_config=config))
    done = lab.bring(clock, **by_config(state="unconfigured"))
    assert done["facts"]["mobility"]["registered"] is False
    assert lab.host.agent_version() == "9.66.0.0"
    assert lab.bring(clock, **by_config(state="unconfigured"))["changed"] is False


def test_the_agent_is_removed_and_the_restart_is_said(flavoured, clock):
    flavoured.bring(clock)
    done = flavoured.bring(clock, state="absent")
    assert done["round_trips"] == 3
    assert done["facts"]["mobility"]["installed"] is False
    assert "mobility.restart" in {finding["rule"] for finding in done["findings"]}
    assert flavoured.host.agent_version() is None
    assert flavoured.bring(clock, state="absent")["changed"] is False


def closed(lab):
    lab.world.closed.add((CS, 443))


def full(lab):
    lab.host.condition.free_bytes["C:"] = 400 * 2**20


def for_azure(lab):
    lab.host.registry.write(mobility.SV_SYSTEMS, {"VmPlatform": "Azure"})


@pytest.mark.parametrize(
    ("spoil", "fields", "code", "cause"),
    [
        (closed, {}, 14, "did not answer on TCP 443"),
        (None, {"passphrase": "another"}, 14, "passphrase"),
        (full, {}, 99, "little space"),
        (for_azure, {}, 76, "installed for Azure"),
        (None, {"installer": {"path": "C:\\none.exe"}}, None, "name does not resolve"),
        (None, by_config(source_config="no json"), 19, "config.json is not valid"),
        (
            None,
            by_config(source_config='{"BiosId": "x", "RcmProxyTransportSettings": {"IpAddresses": ["10.20.0.20"]}}'),
            128,
            "sign-in",
        ),
    ],
)
def test_each_class_of_failure_is_told_with_its_cause(lab, clock, spoil, fields, code, cause):
    lab.spoil = spoil
    with pytest.raises(AsrMigrateError) as failed:
        lab.bring(clock, **fields)
    assert code is None or f"failed with exit code {code}" in failed.value.message
    assert cause in failed.value.cause
    assert failed.value.remedy
    assert PASSPHRASE not in str(failed.value.as_dict())
    assert lab.host.files.text(PASSPHRASE_FILE) is None


def test_an_appliance_out_of_reach_is_told(lab, clock):
    lab.world.closed.add((APPLIANCE, 443))
    config = mobility_config.config_json(mobility_config.config_input(lab.host.describe()), APPLIANCE)
    with pytest.raises(AsrMigrateError, match=r"exit code 119: .*10\.20\.0\.20:443"):
        lab.bring(clock, **by_config(source_config=config))


def test_windows_server_2008_r2_without_its_updates_is_told(tmp_path, clock):
    lab = Lab("2008r2", tmp_path)
    lab.host.registry.remove(UPDATES)
    with pytest.raises(AsrMigrateError) as failed:
        lab.bring(clock)
    assert "KB4474419" in failed.value.remedy + str(failed.value.message)
