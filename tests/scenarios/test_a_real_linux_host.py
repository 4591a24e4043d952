"""A Linux host that is none of ours: Debian with its own OpenSSH, PAM and shadow, prepared over a real connection."""

import hashlib
import os
import secrets
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from .harness import PLAYBOOK, ROOT, Ran
from .real_host import ADDRESS, CONTROLLER_ADDRESS, NAME, SSHD, NamespaceRefused, RealHost

pytestmark = pytest.mark.root

#: Files of the machine under test that the host's own namesakes stand for.
MACHINE_FILES = ("/etc/shadow", "/etc/shadow-", "/etc/passwd", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf")


@pytest.fixture
def host() -> Iterator[RealHost]:
    """A fresh real host, gone afterwards."""
    if os.geteuid() != 0:
        pytest.skip("makes a Linux host of its own, for which it must run as root")
    if not SSHD.exists() or not shutil.which("ip"):
        pytest.skip(f"needs {SSHD} and ip; on Debian install openssh-server and iproute2")
    state = Path(tempfile.mkdtemp(prefix="asr-"))
    try:
        with RealHost(state) as running:
            yield running
    except NamespaceRefused as refused:
        pytest.skip(f"this machine lets no network namespace be made: {refused}")


@pytest.fixture
def password(tmp_path: Path) -> Path:
    """Root's password to be, in a file only its owner may read."""
    path = tmp_path / "root_password"
    path.touch(mode=0o600)
    path.write_text(f"Pa$$ '{secrets.token_urlsafe(12)}\\")
    return path


def machine_files() -> dict[str, str]:
    """Return a digest of every file of the machine itself that a mistaken story would have changed."""
    paths = [Path(name) for name in MACHINE_FILES] + sorted(Path("/etc/ssh").rglob("*"))
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()}


def write_play(directory: Path, host: RealHost, password: Path) -> None:
    """Write ``hosts.yml`` and ``play.yml``, as a person with one machine would."""
    connection = {
        "ansible_connection": "ssh",
        "ansible_host": ADDRESS,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(host.login_key),
        "ansible_ssh_common_args": shlex.join(host.options()),
    }
    role = {
        "role": "asr.migrate.source_linux",
        "source_linux_architecture": "modernized",
        "source_linux_appliance_address": CONTROLLER_ADDRESS,
        "source_linux_ports": [],
        "source_linux_push": True,
        "source_linux_hosts_file": True,
        "source_linux_root_password": f"{{{{ lookup('ansible.builtin.file', '{password}') }}}}",
        "source_linux_wait_scale": 0.05,
    }
    play = {"name": "Prepare a real host", "hosts": "all", "gather_facts": False, "roles": [role]}
    (directory / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {NAME: connection}}}))
    (directory / "play.yml").write_text(yaml.safe_dump([play]))


def run_play(directory: Path, host: RealHost, *arguments: str) -> Ran:
    """Run the play with all that Ansible tells about it."""
    inventory, play = str(directory / "hosts.yml"), str(directory / "play.yml")
    done = subprocess.run(
        host.near(str(PLAYBOOK), "-vvv", "--diff", "-i", inventory, *arguments, play),
        cwd=ROOT,
        env={key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Ran(done.returncode, done.stdout)


def changed(ran: Ran) -> int:
    """Return how many tasks of a run that must have gone well changed the host."""
    assert ran.code == 0, ran.output
    counts = ran.recap()[NAME]
    assert (counts["failed"], counts["unreachable"]) == (0, 0), ran.output
    return counts["changed"]


def test_a_real_debian_is_prepared_for_the_push_and_a_second_run_changes_nothing(
    host: RealHost, password: Path, tmp_path: Path
) -> None:
    untouched = machine_files()
    write_play(tmp_path, host, password)
    assert not host.accepts(password)

    first = run_play(tmp_path, host)
    assert changed(first) == 1

    settings = host.ask("/usr/sbin/sshd -T").stdout.splitlines()
    assert {"permitrootlogin yes", "passwordauthentication yes"} <= set(settings)
    assert [line for line in settings if line.startswith("subsystem sftp /")]
    assert f"{ADDRESS} {NAME}" in [" ".join(line.split()) for line in host.ask("cat /etc/hosts").stdout.splitlines()]
    assert host.accepts(password), "sshd was not told of its new settings, or root's password is another"

    second = run_play(tmp_path, host)
    assert changed(second) == 0
    checked = run_play(tmp_path, host, "--check")
    assert changed(checked) == 0

    stored = host.ask("cat /etc/shadow").stdout.partition("root:")[2].split(":")[0]
    assert stored.startswith("$6$")
    for ran in (first, second, checked):
        assert password.read_text() not in ran.output
        assert stored not in ran.output
    assert machine_files() == untouched
