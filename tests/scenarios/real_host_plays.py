"""What the stories of real Linux hosts share: a host or why there is none, the plays of a person, their runs."""

import hashlib
import os
import secrets
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from .harness import PLAYBOOK, ROOT, Ran, directory
from .real_host import ADDRESS, CONTROLLER_ADDRESS, NAME, SSHD, NamespaceRefused, RealHost

#: Files of the machine under test that the host's own namesakes stand for.
MACHINE_FILES = ("/etc/shadow", "/etc/shadow-", "/etc/passwd", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf")


@contextmanager
def real_host(*programs: str, old: bool = False) -> Iterator[RealHost]:
    """Give a fresh real host, gone afterwards; the story is skipped where none can be made.

    ``programs`` are commands that the story needs, each with the Debian package that has it: ``nft (nftables)``.
    """
    if os.geteuid() != 0:
        pytest.skip("makes a Linux host of its own, for which it must run as root")
    wanted = [f"{SSHD} (openssh-server)", "ip (iproute2)", *programs]
    missing = [program for program in wanted if not shutil.which(program.split()[0])]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}; in brackets the Debian package to install")
    try:
        with directory() as state, RealHost(state, old=old) as running:
            yield running
    except NamespaceRefused as refused:
        pytest.skip(f"this machine lets no network namespace be made: {refused}")


def new_password(directory: Path) -> Path:
    """Write root's password to be into a file only its owner may read."""
    path = directory / "root_password"
    path.touch(mode=0o600)
    path.write_text(f"Pa$$ '{secrets.token_urlsafe(12)}\\")
    return path


def machine_files() -> dict[str, str]:
    """Return a digest of every file of the machine itself that a mistaken story would have changed."""
    paths = [Path(name) for name in MACHINE_FILES] + sorted(Path("/etc/ssh").rglob("*"))
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths if path.is_file()}


def write_plays(directory: Path, host: RealHost, password: Path) -> None:
    """Write ``hosts.yml`` and ``prepare.yml``, as a person with one machine would."""
    connection = {
        "ansible_connection": "ssh",
        "ansible_host": ADDRESS,
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(host.login_key),
        "ansible_ssh_common_args": shlex.join(host.options()),
        "asr_os": "linux",
        "asr_prior_dir": str(directory / "prior"),
        "asr_wait_scale": 0.05,
    }
    role = {
        "role": "asr.migrate.source_linux",
        "source_linux_architecture": "modernized",
        "source_linux_appliance_address": CONTROLLER_ADDRESS,
        "source_linux_ports": [],
        "source_linux_mobility_method": "push",
        "source_linux_root_password": f"{{{{ lookup('ansible.builtin.file', '{password}') }}}}",
        # The kernel is that of the machine under the host, whatever that is.
        "source_linux_kernels": [os.uname().release],
    }
    play = {"name": "Prepare a real host", "hosts": "all", "gather_facts": False, "roles": [role]}
    wave = {"hosts": {NAME: connection}}
    (directory / "hosts.yml").write_text(yaml.safe_dump({"all": {"children": {"wave_one": wave}}}))
    (directory / "prepare.yml").write_text(yaml.safe_dump([play]))


def prepare(directory: Path, host: RealHost, *arguments: str) -> Ran:
    """Run the play that prepares the host."""
    return _run(directory, host, directory / "prepare.yml", *arguments)


def restore(directory: Path, host: RealHost) -> Ran:
    """Run the project's playbook that puts hosts back."""
    return _run(directory, host, ROOT / "playbooks" / "restore_sources.yml")


def _run(directory: Path, host: RealHost, play: Path, *arguments: str) -> Ran:
    """Run a play with all that Ansible tells about it."""
    done = subprocess.run(
        host.near(str(PLAYBOOK), "-vvv", "--diff", "-i", str(directory / "hosts.yml"), *arguments, str(play)),
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
