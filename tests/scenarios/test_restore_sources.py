"""A source is what it was, byte for byte, once it is put back: also after preparing and restoring were killed half-way.

Looked at with commands of the test's own, over connections of its own: every file of the Linux machines with its mode
and owner, the whole registry and the services of the Windows ones.
"""

import json
import os
import random
import signal
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import winrm
import yaml

from .harness import PLAYBOOK, ROOT, LabProcess, Ran, directory, fresh_lab

NET = "127.61"
#: Windows Server 2008 R2, RHEL 6.7 without Python and with 2013's SSH only, Windows Server 2022, RHEL 8.8
WINDOWS = {"app-2008": "1.11", "web-2022": "1.21"}
LINUX = {"db-rhel67": "1.13", "db-rhel8": "1.22"}
OLD_SSH = (
    "HostKeyAlgorithms=+ssh-rsa",
    "PubkeyAcceptedAlgorithms=+ssh-rsa",
    "KexAlgorithms=+diffie-hellman-group14-sha1",
)
SERVICES = ("W32Time", "TermService", "LanmanServer", "Winmgmt", "MpsSvc", "vds", "defragsvc")
#: Every file below / with its mode, owner, SELinux context and content; a log may grow, /run, /proc, /sys and /dev are
#: no files, and /var/lib/lab is the lab's own.
FILES = r"""
cd /
set -- bin/. boot etc home lib/. opt root sbin/. srv tmp usr var
find "$@" \( -path var/log -o -path var/lib/lab \) -prune -o -exec ls -ldn {} + 2>/dev/null |
    awk '{print $1, $3, $4, $9, $10, $11}' | sort
find "$@" \( -path var/log -o -path var/lib/lab \) -prune -o -type f -exec cksum {} + 2>/dev/null | sort
ls -dZ etc/* etc/ssh/* etc/cloud/cloud.cfg.d/* 2>/dev/null | sort
"""
#: Made so before the story begins, so that the Windows machines have more to be changed and put back.
UNLIKE = (
    r'reg add "HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server" /v fDenyTSConnections /t REG_DWORD /d 1 /f',
    r"reg add HKLM\SYSTEM\CurrentControlSet\services\partmgr\Parameters /v SanPolicy /t REG_DWORD /d 3 /f",
)
#: The tasks that change machines; a kill is aimed at one of them.
TASKS = {
    "prepare": "source_{system} : Find out what stands in the way",
    "restore": "source_{system} : Put back what was there",
}
#: Seconds after the beginning of such a task within which a run is killed; a task lasts one to five.
WINDOW_S = 2.5

Snapshot = dict[str, list[str]]


@dataclass
class Sources:
    """Four machines of a lab, and the plays that prepare and restore them, as a person would write them."""

    lab: LabProcess
    folder: Path

    @property
    def prior(self) -> Path:
        return self.folder / "prior"

    def write(self) -> None:
        state = self.lab.state
        windows = {
            "ansible_connection": "winrm",
            "ansible_port": 5986,
            "ansible_winrm_scheme": "https",
            "ansible_winrm_transport": "ntlm",
            "ansible_winrm_ca_trust_path": str(state / "ca.pem"),
            "ansible_user": "Administrator",
            "ansible_password": self._secret("windows_password"),
            "asr_os": "windows",
        }
        linux = {
            "ansible_connection": "ssh",
            "ansible_port": 2222,
            "ansible_user": "ec2-user",
            "ansible_control_path_dir": str(state / "ssh" / "cp"),
            "asr_os": "linux",
        }
        hosts: dict[str, Any] = {name: windows | {"ansible_host": f"{NET}.{at}"} for name, at in WINDOWS.items()}
        for name, at in LINUX.items():
            key, *settings = self._ssh(name)
            words = " ".join(f"-o {setting}" for setting in settings)
            login = {"ansible_ssh_private_key_file": key, "ansible_ssh_common_args": words}
            hosts[name] = linux | login | {"ansible_host": f"{NET}.{at}"}
        wanted = {"architecture": "modernized", "appliance_address": "10.20.0.20", "ports": [], "push": True}
        variables = {
            f"source_{system}_{name}": value for system in ("linux", "windows") for name, value in wanted.items()
        }
        variables |= {
            "source_linux_root_password": self._secret("root_password"),
            "asr_prior_dir": str(self.prior),
            "asr_wait_scale": 1 / self.lab.speed,
        }
        wave = {"hosts": hosts, "vars": variables}
        (self.folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": {"wave_x": wave}}}))
        play = {
            "name": "Prepare",
            "hosts": "wave_x",
            "gather_facts": False,
            "tasks": [
                {
                    "name": "Prepare the machine",
                    "ansible.builtin.include_role": {"name": "asr.migrate.source_{{ asr_os }}"},
                }
            ],
        }
        (self.folder / "prepare.yml").write_text(yaml.safe_dump([play]))

    def _secret(self, name: str) -> str:
        return f"{{{{ lookup('ansible.builtin.file', '{self.lab.state / 'secrets' / name}') }}}}"

    def _ssh(self, name: str) -> list[str]:
        """Return the path of the key and the settings for a machine."""
        old = name == "db-rhel67"
        known = f"UserKnownHostsFile={self.lab.state / 'ssh/known_hosts'}"
        key = self.lab.state / "ssh" / ("id_rsa" if old else "id_ed25519")
        return [str(key), known, "GlobalKnownHostsFile=/dev/null", *(OLD_SSH if old else ())]

    def start(self, play: str, *arguments: str) -> subprocess.Popen[str]:
        """Start ``prepare`` or ``restore`` in a process group of its own."""
        path = self.folder / "prepare.yml" if play == "prepare" else ROOT / "playbooks" / "restore_sources.yml"
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        environment |= {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
        return subprocess.Popen(
            [str(PLAYBOOK), "-i", str(self.folder / "hosts.yml"), *arguments, str(path)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, play: str, *arguments: str) -> Ran:
        process = self.start(play, *arguments)
        output, _ = process.communicate()
        return Ran(process.returncode, output)

    def killed(self, play: str, system: str, after_s: float) -> None:
        """Kill a play and all its processes ``after_s`` seconds after it began to change the machines of a system."""
        process = self.start(play)
        assert process.stdout
        title = TASKS[play].format(system=system)
        assert any(title in line for line in process.stdout), title
        try:
            process.communicate(timeout=after_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def snapshot(self) -> Snapshot:
        """Return what each machine is, line by line."""
        seen = {name: self._linux(name, at) for name, at in LINUX.items()}
        return seen | {name: self._windows(at) for name, at in WINDOWS.items()}

    def _linux(self, name: str, at: str) -> list[str]:
        key, *settings = self._ssh(name)
        options = [word for setting in settings for word in ("-o", setting)]
        done = subprocess.run(
            ["ssh", "-F", "none", "-p", "2222", "-i", key, *options, f"ec2-user@{NET}.{at}", "sudo -n sh -s"],
            input=FILES,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        assert " etc/ssh/sshd_config" in done.stdout
        assert " etc/shadow" in done.stdout
        return done.stdout.splitlines()

    def _session(self, at: str) -> Any:
        password = (self.lab.state / "secrets" / "windows_password").read_text().strip()
        return winrm.Session(
            f"https://{NET}.{at}:5986/wsman",
            auth=("Administrator", password),
            transport="ntlm",
            ca_trust_path=str(self.lab.state / "ca.pem"),
        )

    def _windows(self, at: str) -> list[str]:
        session = self._session(at)
        registry = session.run_cmd("reg query HKLM /s").std_out.decode()
        assert "FirewallRules" in registry
        services = "".join(session.run_cmd(f"sc.exe query {name}").std_out.decode() for name in SERVICES)
        return (registry + services).splitlines()

    def make_unlike(self) -> None:
        """Give the Windows machines settings that a preparation has to change."""
        for at in WINDOWS.values():
            session = self._session(at)
            for command in UNLIKE:
                done = session.run_cmd(command)
                assert done.status_code == 0, done.std_err


@pytest.fixture
def sources() -> Iterator[Sources]:
    """Four fresh machines, gone afterwards."""
    with directory() as folder, fresh_lab(NET) as lab:
        made = Sources(lab, folder)
        made.write()
        made.make_unlike()
        yield made


def well_ended(ran: Ran) -> None:
    """Assert that a play went well on every machine, whatever was left for it to do."""
    assert ran.code == 0, ran.output
    assert sorted(ran.recap()) == sorted([*WINDOWS, *LINUX])


def well(ran: Ran, changed: bool) -> None:
    """Assert that a play went well on every machine and changed all of them, or none."""
    assert ran.code == 0, ran.output
    assert {host: row["changed"] > 0 for host, row in ran.recap().items()} == dict.fromkeys(
        [*WINDOWS, *LINUX], changed
    ), ran.output


def differences(before: Snapshot, now: Snapshot) -> dict[str, list[str]]:
    """Return the lines that are on one side only, by machine."""
    return {name: sorted(set(before[name]) ^ set(now[name])) for name in before if before[name] != now[name]}


def secrets_on_record(sources: Sources) -> set[str]:
    """Return every password field that the records hold."""
    records = [json.loads(path.read_text()) for path in sources.prior.glob("*.json")]
    shadows = [prior for record in records for prior in record["priors"] if prior["kind"] == "shadow"]
    return {side["field"] for prior in shadows for side in (prior["before"], prior["after"]) if len(side["field"]) > 3}


def test_sources_are_as_before_once_they_are_put_back(sources: Sources) -> None:
    before = sources.snapshot()
    prepared_by = sources.run("prepare", "--diff", "-vvv")
    well(prepared_by, changed=True)
    prepared = sources.snapshot()
    assert sorted(differences(before, prepared)) == sorted(before)
    assert stat.S_IMODE(sources.prior.stat().st_mode) == 0o700
    assert {path.name for path in sources.prior.iterdir()} == {f"{name}.json" for name in before}
    assert {stat.S_IMODE(path.stat().st_mode) for path in sources.prior.iterdir()} == {0o600}
    secrets = secrets_on_record(sources)
    assert secrets
    well(sources.run("prepare"), changed=False)

    checked = sources.run("restore", "--check", "--diff", "-vvv")
    well(checked, changed=True)
    assert differences(prepared, sources.snapshot()) == {}

    restored = sources.run("restore", "--diff", "-vvv")
    well(restored, changed=True)
    assert differences(before, sources.snapshot()) == {}
    assert list(sources.prior.iterdir()) == []
    well(sources.run("restore"), changed=False)
    for ran in (prepared_by, checked, restored):
        assert [secret for secret in secrets if secret in ran.output] == []


def test_what_a_push_needed_goes_first_and_a_machine_out_of_reach_keeps_its_record(sources: Sources) -> None:
    before = sources.snapshot()
    well(sources.run("prepare"), changed=True)
    well(sources.run("restore", "-e", "asr_restore_scope=push"), changed=True)
    left = differences(before, sources.snapshot())
    assert [line for line in left["db-rhel67"] if "sshd_config" in line or "shadow" in line] == []
    assert [line for line in left["db-rhel67"] if "99-asr-migrate.cfg" in line]
    assert [line for line in left["app-2008"] if "LocalAccountTokenFilterPolicy" in line] == []
    assert [line for line in left["app-2008"] if "SanPolicy" in line]

    apart = sources.run("restore", "--limit", "db-rhel67,app-2008", "-e", '{"ansible_port": 1}')
    assert apart.code == 4, apart.output
    said = " ".join(apart.output.split())
    for name in ("db-rhel67", "app-2008"):
        assert apart.recap()[name]["unreachable"] == 1
        assert str(sources.prior / f"{name}.json") in said
    well(sources.run("restore"), changed=True)
    assert differences(before, sources.snapshot()) == {}


def test_killed_in_the_middle_and_run_again_sources_are_as_before(sources: Sources) -> None:
    before = sources.snapshot()
    chance = random.Random(1)
    for ended_first in (False, True):
        for system in ("windows", "linux"):
            sources.killed("prepare", system, WINDOW_S * chance.random())
            if ended_first:
                well_ended(sources.run("prepare"))
            sources.killed("restore", system, WINDOW_S * chance.random())
            well_ended(sources.run("restore"))
            assert differences(before, sources.snapshot()) == {}, (ended_first, system)
            assert list(sources.prior.glob("*")) == []
