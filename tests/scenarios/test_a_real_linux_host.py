"""A Linux host that is none of ours: Debian with its own OpenSSH, PAM and shadow, prepared over a real connection."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .real_host import ADDRESS, NAME, RealHost
from .real_host_plays import changed, machine_files, new_password, prepare, real_host, restore, write_plays

pytestmark = pytest.mark.root


@pytest.fixture
def host() -> Iterator[RealHost]:
    """A fresh real host, gone afterwards."""
    with real_host() as running:
        yield running


def test_a_real_debian_is_prepared_for_the_push_and_put_back_and_second_runs_change_nothing(
    host: RealHost, tmp_path: Path
) -> None:
    untouched, before, password = machine_files(), host.picture(), new_password(tmp_path)
    write_plays(tmp_path, host, password)
    assert not host.accepts(password)

    first = prepare(tmp_path, host)
    assert changed(first) == 1

    settings = host.ask("/usr/sbin/sshd -T").stdout.splitlines()
    assert {"permitrootlogin yes", "passwordauthentication yes"} <= set(settings)
    assert [line for line in settings if line.startswith("subsystem sftp /")]
    assert f"{ADDRESS} {NAME}" in [" ".join(line.split()) for line in host.ask("cat /etc/hosts").stdout.splitlines()]
    assert host.accepts(password), "sshd was not told of its new settings, or root's password is another"

    second = prepare(tmp_path, host)
    assert changed(second) == 0
    checked = prepare(tmp_path, host, "--check")
    assert changed(checked) == 0

    stored = host.ask("cat /etc/shadow").stdout.partition("root:")[2].split(":")[0]
    assert stored.startswith("$6$")

    back = restore(tmp_path, host)
    assert changed(back) == 1
    assert host.picture() == before
    assert not host.accepts(password), "sshd was not told to read its old settings again"
    assert changed(restore(tmp_path, host)) == 0

    for ran in (first, second, checked, back):
        assert password.read_text() not in ran.output
        assert stored not in ran.output
    assert machine_files() == untouched
