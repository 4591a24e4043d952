"""The Mobility service on real Linux hosts of the lab: the product's own script over ssh, the lab's installers answer.

Each class of exit code comes from a lab host that goes wrong in that way after it was probed.
"""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from asr_lab.hosts import mobility_config
from asr_lab.hosts.linux.installers import pack
from asr_migrate.clock import ManualClock
from asr_migrate.domain.errors import AsrMigrateError
from asr_migrate.domain.machine import Os
from asr_migrate.hosts import prepare, profiles
from asr_migrate.hosts.plan import Answer

HOST, TAG = "db-rhel67", "RHEL6-64"
CS, OTHER = "10.20.0.10", "10.20.0.11"
PASSPHRASE = "correct horse"


class Lab:
    """One lab host, the way to it, and a directory of the controller with installers."""

    def __init__(self, site, directory):
        self.site = site
        self.directory = directory
        self.spoil = None
        self.exchanges = []
        self.time = datetime.now(tz=UTC)

    def package(self, version="9.59.0.0", tag=TAG, **broken):
        place = self.directory / pack.file_name(tag, version)
        place.write_bytes(pack.package(tag, version, **broken))
        return str(place)

    def send(self, exchange):
        self.exchanges.append(exchange)
        if self.spoil and exchange.name == "change":
            self.ssh(self.spoil)
        stdin = exchange.stdin
        if exchange.stdin_file:
            with open(exchange.stdin_file, "rb") as file:
                stdin = file.read()
        sent = datetime.now(tz=UTC)
        done = self.site.ssh(HOST, f"sudo -n {exchange.command}", stdin=stdin or b"")
        return Answer(done.stdout, done.stderr, done.returncode, sent, sent + timedelta(seconds=1))

    def ssh(self, command):
        done = self.site.ssh(HOST, f"sudo -n sh -c '{command}'")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def bring(self, version="9.59.0.0", **fields):
        """Bring the host's Mobility service to what is wanted."""
        wanted = {"architecture": "classic", "appliance_address": CS, "passphrase": PASSPHRASE}
        if "installer" not in fields and "repository" not in fields:
            wanted["installer"] = {"file": self.package(version)}
        profile = profiles.make("source", Os.LINUX, HOST, {"mobility": wanted | fields})
        return prepare.prepare(profile, self.send, ManualClock(), keep=lambda _priors: None)


def modernized(version="9.66.0.0", **fields):
    return {"architecture": "modernized", "version": version, **fields}


@pytest.fixture
def lab(site, tmp_path):
    return Lab(site, tmp_path)


def test_a_fresh_host_gets_the_file_is_registered_and_then_found_ready(lab):
    done = lab.bring()
    assert [exchange.name for exchange in lab.exchanges][1].startswith("send ")
    assert done["round_trips"] == 4
    assert lab.site.surroundings.registered == [HOST]
    seen = done["facts"]["mobility"]
    assert (seen["registered"], seen["running"], seen["server"], seen["version"]) == (True, True, CS, "9.59.0.0")
    assert lab.ssh("ls -d /var/lib/asr-migrate* 2>/dev/null || true") == ""
    again = lab.bring()
    assert (again["changed"], again["round_trips"]) == (False, 1)


def test_a_modernized_agent_waits_shows_its_input_and_goes_on_with_config_json(lab):
    first = lab.bring(**modernized())
    shown = first["private"]["agent_config_input"]
    assert "mobility.config-json" in {finding["rule"] for finding in first["findings"]}
    again = lab.bring(**modernized())
    assert (again["changed"], again["private"]) == (False, first["private"])
    config = mobility_config.config_json(shown, CS)
    done = lab.bring(**modernized(source_config=config))
    assert (done["facts"]["mobility"]["registered"], done["facts"]["mobility"]["cs_type"]) == (True, "CSPrime")
    assert done["facts"]["mobility"]["server"] == CS
    with pytest.raises(prepare.HostNotReadyError, match=f"registered with {CS}, not with {OTHER}"):
        lab.bring(**modernized(appliance_address=OTHER))
    back = lab.bring(**modernized(state="unconfigured"))
    assert back["facts"]["mobility"]["registered"] is False


def test_upgrade_downgrade_move_repair_and_removal(lab):
    lab.bring(version="9.54.0.0")
    older = lab.bring()
    assert (older["changed"], {finding["rule"] for finding in older["findings"]} & {"mobility.older"}) == (
        False,
        {"mobility.older"},
    )
    up = lab.bring(upgrade=True)
    assert up["facts"]["mobility"]["version"] == "9.59.0.0"
    assert "mobility.restart" in {finding["rule"] for finding in up["findings"]}
    down = lab.bring(version="9.57.0.0", upgrade=True)
    assert down["changed"] is False
    assert "mobility.newer" in {finding["rule"] for finding in down["findings"]}

    lab.ssh(f"sed -i s/^Hostname=.*/Hostname={OTHER}/ /usr/local/ASR/Vx/etc/drscout.conf")
    with pytest.raises(prepare.HostNotReadyError, match=f"registered with {OTHER}"):
        lab.bring()
    assert lab.bring(move=True)["facts"]["mobility"]["server"] == CS

    lab.ssh("rm /etc/vxagent/bin/vxagent")
    repaired = lab.bring()
    assert repaired["changes"][-1]["from"] == "half installed"
    assert repaired["facts"]["mobility"]["running"]

    gone = lab.bring(state="absent")
    assert gone["facts"]["mobility"]["installed"] is False
    assert "mobility.restart" in {finding["rule"] for finding in gone["findings"]}
    assert lab.bring(state="absent")["changed"] is False


def test_the_wrong_package_is_refused_before_anything_runs(lab):
    with pytest.raises(prepare.HostNotReadyError, match="is the installer for RHEL8-64; db-rhel67 runs Red Hat"):
        lab.bring(installer={"file": lab.package(tag="RHEL8-64")})
    assert len(lab.exchanges) == 1


def test_a_directory_of_the_controller_gives_the_right_package(lab):
    names = [
        lab.package(version, tag).rsplit("/", 1)[1] for version in ("9.57.0.0", "9.59.0.0") for tag in (TAG, "OL6-64")
    ]
    done = lab.bring(repository={"directory": str(lab.directory), "files": names})
    assert done["facts"]["mobility"]["version"] == "9.59.0.0"


def test_a_pinned_digest_lets_only_the_right_file_run(lab):
    place = lab.package()
    with pytest.raises(AsrMigrateError, match="has the SHA-256"):
        lab.bring(installer={"file": place, "sha256": "ab" * 32})
    assert lab.ssh("ls /usr/local/ASR 2>/dev/null || true") == ""
    with open(place, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    assert lab.bring(installer={"file": place, "sha256": digest})["facts"]["mobility"]["registered"]


@pytest.mark.parametrize(
    ("spoil", "fields", "code", "cause"),
    [
        ("mkdir -p /var/lock/asr-install", {}, 1, "already running"),
        ("mkdir /srv/real; ln -s /srv/real /usr/local/ASR", {}, 56, "symbolic link"),
        ("echo 2.6.32-573.custom >/var/lib/lab/kernel", {}, 208, "kernel"),
        ("sed -i /^lvm2/d /var/lib/lab/packages", {}, 99, "lvm2"),
        ("sed -i /^dhclient/d /var/lib/lab/packages", {}, 99, "DHCP client"),
        ("echo 900000 >/var/lib/lab/root_free_kb", {}, 99, "prerequisite"),
        ("echo OL6-64 >/var/lib/lab/installer_os", {}, 149, "operating system"),
        ("true", {"passphrase": "wrong"}, 14, "passphrase"),
        ("sed -i /db-rhel67/d /etc/hosts", {}, 119, "usable name or address"),
        ("echo 2.6.32-573.custom >/var/lib/lab/kernel", modernized(source_config="{}"), 97, "kernel"),
        ("true", modernized(source_config='{"BiosId": "x"}'), 128, "config.json is not of this machine"),
    ],
)
def test_each_class_of_failure_is_told_with_its_cause(lab, spoil, fields, code, cause):
    lab.spoil = spoil
    if "/etc/hosts" in spoil:
        lab.ssh("echo 10.20.1.13 db-rhel67 >>/etc/hosts")
    with pytest.raises(AsrMigrateError) as failed:
        lab.bring(**fields)
    assert f"failed with exit code {code}" in failed.value.message
    assert cause in failed.value.cause
    assert failed.value.remedy
    assert lab.ssh("ls -d /var/lib/asr-migrate* 2>/dev/null || true") == ""


def test_a_package_that_is_not_whole_is_told(lab):
    with pytest.raises(AsrMigrateError, match="exit code 93"):
        lab.bring(installer={"file": lab.package(without="Third-Party_Notices.txt")})


def test_a_server_out_of_reach_is_told(lab):
    lab.site.surroundings.closed.add(443)
    with pytest.raises(AsrMigrateError) as failed:
        lab.bring()
    assert "exit code 14" in failed.value.message
    assert "TCP 443" in failed.value.cause
