"""A Linux host of files: prepared by the real scripts, and put back byte for byte, also after a run that was killed.

The shell runs the very texts that a profile sends, with /etc and what it reloads sshd with moved below a directory.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from asr_migrate.domain.machine import Os
from asr_migrate.hosts import profiles

SHELLS = [shell for shell in (["dash"], ["bash"], ["busybox", "sh"]) if shutil.which(shell[0])] or [["sh"]]
MOVED = re.compile(
    r"(?<![\w/.])(/etc|/run/systemd/system|/usr/sbin/sshd|/var/run/sshd\.pid|/run/sshd\.pid|/dev/disk)(?![\w-])"
)
WANT = {
    "push": True,
    "root_password": "Root-1!",
    "fstab_by_uuid": True,
    "addresses": ["10.20.1.13"],
    "time_service": "ignored",
}
FILES = {
    "ssh/sshd_config": b"# caf\xe9\nInclude sshd_config.d/*.conf\nPermitRootLogin no\r\nMatch User x\n Banner no",
    "ssh/sshd_config.d/50-cloud-init.conf": b"PasswordAuthentication no\n",
    "hosts": b"127.0.0.1 localhost",
    "fstab": b"/dev/xvda2\t/ ext4 defaults 1 1\n\n#/dev/xvdb /b\nUUID=3 /c xfs",
    "shadow": b"bin:*:17834:0:99999:7:::\nroot:!!:16500:0:99999:7:::\nec2-user:!!:18000:0:99999:7:::\n",
    "cloud/cloud.cfg": b"users:\n - default\ndatasource_list: [ Ec2, None ]\n",
    "cloud/cloud.cfg.d/05_logging.cfg": b"x: 1\n",
}
MODES = {"shadow": 0o000, "ssh/sshd_config": 0o600}


class Host:
    """A host whose /etc is a directory; ``stop_after`` kills its change script after that many changes."""

    def __init__(self, root, shell, kit):
        self.root, self.shell, self.kit = root, shell, kit
        self.stop_after = None
        for name, content in FILES.items():
            path = root / "etc" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(MODES.get(name, 0o644))
        bin_ = root / "bin"
        bin_.mkdir()
        uuids = root / "dev" / "disk" / "by-uuid"
        uuids.mkdir(parents=True)
        (uuids / "2b-2b").symlink_to("../../xvda2")
        for name, text in {
            "service": "exit 0",
            "sshd": "exit 0",
            "ip": "exit 0",
            "hostname": "echo 10.20.1.13",
            "uname": self._uname(),
        }.items():
            (bin_ / name).write_text(f"#!/bin/sh\n{text}\n")
            (bin_ / name).chmod(0o755)

    @staticmethod
    def _uname():
        return "case $1 in -n) echo db-1 ;; -m) echo x86_64 ;; *) echo 5.14.0-427.13.1.el9_4.x86_64 ;; esac"

    def send(self, exchange):
        assert exchange.command == "sh"
        text = exchange.stdin.decode("utf-8", "surrogateescape")
        text = MOVED.sub(lambda found: f"{self.root}{found[1]}", text)
        text = text.replace("PATH=/usr/local/sbin", f"PATH={self.root}/bin:/usr/local/sbin", 1)
        if exchange.name == "change" and self.stop_after is not None:
            calls = [at.start() for at in re.finditer(r"(?m)^printf '%s' '", text)]
            text = text[: calls[self.stop_after]] + "kill -9 $$\n" if self.stop_after < len(calls) else text
        done = subprocess.run(
            self.shell, input=text.encode("utf-8", "surrogateescape"), capture_output=True, check=False
        )
        return self.kit.answer(done.stdout.decode().replace(str(self.root), ""), done.stderr.decode(), done.returncode)

    def state(self):
        """Return all files of /etc: content, mode and owner."""
        found = {}
        for path in sorted(Path(self.root, "etc").rglob("*")):
            if path.is_file():
                stat = path.stat()
                found[str(path.relative_to(self.root))] = (
                    path.read_bytes(),
                    oct(stat.st_mode),
                    stat.st_uid,
                    stat.st_gid,
                )
        return found


@pytest.fixture(params=SHELLS, ids=lambda shell: shell[0])
def host(request, tmp_path, kit):
    return Host(tmp_path, request.param, kit)


@pytest.fixture
def one_host(tmp_path, kit):
    """A host of the first shell only."""
    return Host(tmp_path, SHELLS[0], kit)


def source():
    return profiles.make("source", Os.LINUX, "db-1", WANT)


def prepare(host, check=True):
    profile = source()
    plan = profile.plan(profile.read(host.send(profile.probe())))
    errors = [exchange.judge(host.send(exchange)) for exchange in plan.exchanges]
    assert not check or errors in ([], [None])
    return plan


def restore(host, priors):
    profile = profiles.make("source", Os.LINUX, "db-1", {})
    plan = profile.restoration(profile.read(host.send(profile.inspect(priors))), priors)
    assert [exchange.judge(host.send(exchange)) for exchange in plan.exchanges] in ([], [None])
    left = profile.restoration(profile.read(host.send(profile.inspect(priors))), priors)
    return plan, left


def test_a_prepared_host_wants_nothing_more(host):
    plan = prepare(host)
    assert len(plan.prior) == 5
    assert len(plan.exchanges) == 1
    again = prepare(host, check=False)
    assert (again.changes, again.prior) == ((), ())
    config = (host.root / "etc/ssh/sshd_config").read_bytes()
    assert config.startswith(b"# asr-migrate: begin\nPermitRootLogin yes\nPasswordAuthentication yes\nSubsystem sftp ")
    assert config.endswith(FILES["ssh/sshd_config"])
    assert b"UUID=2b-2b\t/ ext4" in (host.root / "etc/fstab").read_bytes()
    assert b"root:$6$" in (host.root / "etc/shadow").read_bytes()


def test_what_was_there_comes_back_byte_for_byte(host):
    before = host.state()
    priors = prepare(host).prior
    assert host.state() != before
    plan, left = restore(host, priors)
    assert (plan.findings, left.changes, left.prior) == ((), (), ())
    assert host.state() == before


@pytest.mark.parametrize("done", range(6))
def test_a_run_that_was_killed_is_put_back_as_well(one_host, done):
    before = one_host.state()
    one_host.stop_after = done
    priors = prepare(one_host, check=False).prior
    one_host.stop_after = None
    restore(one_host, priors)
    assert one_host.state() == before


@pytest.mark.parametrize("done", range(6))
def test_a_run_that_was_killed_and_run_again_is_put_back_as_well(one_host, done):
    before = one_host.state()
    one_host.stop_after = done
    first = {item.name: item for item in prepare(one_host, check=False).prior}
    one_host.stop_after = None
    second = {item.name: item for item in prepare(one_host).prior}
    priors = tuple(first.get(name, item) for name, item in (first | second).items())
    restore(one_host, priors)
    assert one_host.state() == before


@pytest.mark.parametrize(
    ("left", "content"),
    [("shadow.asr-migrate-new", b"root:"), ("hosts.asr-migrate-old", b"127"), ("shadow.lock", b"999999999")],
)
def test_what_a_kill_leaves_in_the_middle_of_a_file_is_taken_away(one_host, left, content):
    before = one_host.state()
    (one_host.root / "etc" / left).write_bytes(content)
    plan, _ = restore(one_host, ())
    assert [change.what for change in plan.changes] == [f"/etc/{left}"]
    assert one_host.state() == before


def test_a_lock_that_somebody_holds_is_left(one_host):
    (one_host.root / "etc/shadow.lock").write_bytes(str(os.getpid()).encode())
    plan, _ = restore(one_host, ())
    assert plan.changes == ()


def test_lines_of_somebody_else_stay(host):
    before = host.state()
    priors = prepare(host).prior
    hosts = host.root / "etc/hosts"
    hosts.write_bytes(b"10.9.9.9 theirs\n" + hosts.read_bytes())
    plan, _ = restore(host, priors)
    assert [finding.rule for finding in plan.findings] == ["restore.changed-since"]
    assert hosts.read_bytes() == b"10.9.9.9 theirs\n" + before["etc/hosts"][0] + b"\n"
