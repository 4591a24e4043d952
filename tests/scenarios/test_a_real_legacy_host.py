"""A Linux host of 2013: no Python, SSH with SHA-1 and RSA alone, a packet filter; real but for its age."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .real_host import ADDRESS, RealHost
from .real_host_plays import changed, machine_files, new_password, prepare, real_host, restore, write_plays

pytestmark = pytest.mark.root


@pytest.fixture
def host() -> Iterator[RealHost]:
    """A fresh real host, gone afterwards."""
    with real_host("nft (nftables)", old=True) as running:
        yield running


def test_todays_ssh_cannot_speak_to_it_unless_it_is_told_how(host: RealHost) -> None:
    refused = subprocess.run(
        host.near("ssh", "-F", "none", "-o", "BatchMode=yes", f"root@{ADDRESS}", "true"), capture_output=True, text=True
    )
    assert refused.returncode == 255
    assert "no matching key exchange method found" in refused.stderr
    assert host.ask("true").code == 0


def test_a_host_without_python_is_prepared_for_the_push_and_put_back_byte_for_byte(
    host: RealHost, tmp_path: Path
) -> None:
    assert host.ask("command -v python python2 python3 || echo none").stdout == "none\n"
    assert "tcp dport 22 accept" in host.firewall()
    untouched, before, password = machine_files(), [*host.picture(), host.firewall()], new_password(tmp_path)
    write_plays(tmp_path, host, password)

    first = prepare(tmp_path, host)
    assert changed(first) == 1
    assert host.accepts(password)
    assert "linux.ssh-firewall" not in first.output
    assert changed(prepare(tmp_path, host)) == 0

    assert changed(restore(tmp_path, host)) == 1
    assert [*host.picture(), host.firewall()] == before
    assert not host.accepts(password)
    assert machine_files() == untouched
