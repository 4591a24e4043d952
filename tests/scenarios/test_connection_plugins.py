"""Ansible's own connection plugins against a real OpenSSH server: what ssh does, paramiko_ssh and local do as well."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from .real_host import NAME, RealHost
from .real_host_plays import changed, new_password, prepare, real_host, restore, write_plays

pytestmark = pytest.mark.root

PROBE = [
    {
        "name": "Look",
        "hosts": "all",
        "gather_facts": False,
        "tasks": [
            {"asr.migrate.source_host": {"state": "probed", "family": "linux"}, "register": "seen"},
            {"ansible.builtin.debug": {"var": "seen.facts.host_name"}},
        ],
    }
]


@pytest.fixture
def host() -> Iterator[RealHost]:
    """A fresh real host, gone afterwards."""
    with real_host() as running:
        yield running


def connect(directory: Path, **variables: Any) -> None:
    """Change the connection of the host in the inventory."""
    path = directory / "hosts.yml"
    inventory = yaml.safe_load(path.read_text())
    inventory["all"]["children"]["wave_one"]["hosts"][NAME] |= variables
    path.write_text(yaml.safe_dump(inventory))


def by_paramiko(directory: Path, **variables: Any) -> None:
    """Connect by paramiko, which reads no settings of ssh; the host's key is new to it."""
    own = {"ansible_host_key_checking": False, "ansible_paramiko_record_host_keys": False}
    connect(directory, ansible_connection="paramiko_ssh", **own, **variables)


def test_paramiko_prepares_and_puts_back_and_leaves_no_file(host: RealHost, tmp_path: Path) -> None:
    before, password = host.picture(), new_password(tmp_path)
    write_plays(tmp_path, host, password)
    by_paramiko(tmp_path)

    first = prepare(tmp_path, host)
    assert changed(first) == 1
    assert host.accepts(password)
    assert changed(prepare(tmp_path, host)) == 0

    back = restore(tmp_path, host)
    assert changed(back) == 1
    assert host.picture() == before
    for ran in (first, back):
        assert password.read_text() not in ran.output


@pytest.mark.parametrize("plugin", ["ssh", "paramiko_ssh"])
def test_a_closed_port_makes_the_host_unreachable(host: RealHost, tmp_path: Path, plugin: str) -> None:
    write_plays(tmp_path, host, new_password(tmp_path))
    connect(tmp_path, ansible_connection=plugin, ansible_port=1)
    ran = prepare(tmp_path, host)
    counts = ran.recap()[NAME]
    assert (counts["unreachable"], counts["failed"]) == (1, 0), ran.output


def test_the_controller_itself_is_read_without_ssh(host: RealHost, tmp_path: Path) -> None:
    write_plays(tmp_path, host, new_password(tmp_path))
    connect(tmp_path, ansible_connection="local")
    (tmp_path / "prepare.yml").write_text(yaml.safe_dump(PROBE))
    assert changed(prepare(tmp_path, host)) == 0
