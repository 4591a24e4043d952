"""A Windows Server 2008 R2 of the estate over real WinRM: prepared for a push and put back, without a module on it."""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from .harness import ROOT, LabProcess, Ran, fresh_lab

HOST = "app-2008"
PLAY = """
- hosts: app-2008
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: asr.migrate.source_windows
        tasks_from: "{{ tasks }}"
      vars:
        source_windows_push: true
        source_windows_architecture: modernized
        source_windows_ports: []
        source_windows_prior_dir: "{{ prior }}"
"""
TERMINAL_SERVER = r"HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server"
PARTITION_MANAGER = r"HKLM\SYSTEM\CurrentControlSet\Services\partmgr\Parameters"
OTHER_THAN_ITS_IMAGE = {
    "language": "de-DE",
    "registry": {TERMINAL_SERVER: {"fDenyTSConnections": 1}, PARTITION_MANAGER: {"SanPolicy": 3}},
    "service": {"W32Time": "disabled"},
    "firewall": {"@FirewallAPI.dll,-28752": False},
}


@pytest.fixture
def lab() -> Iterator[LabProcess]:
    with fresh_lab("127.56") as running:
        yield running


def run(lab: LabProcess, tasks: str) -> Ran:
    play = lab.state / "one_host.yml"
    play.write_text(PLAY)
    name = os.path.relpath(play.with_suffix(""), ROOT / "playbooks")
    return lab.playbook(name, "-vvv", "-e", f"tasks={tasks}", "-e", f"prior={lab.state / 'prior'}")


def seen(lab: LabProcess) -> dict[str, Any]:
    """Return what the host consists of, as the lab keeps it."""
    state = json.loads((lab.state / "hosts" / HOST / "state.json").read_text())
    return {key: state[key] for key in ("registry", "running", "files", "listening")}


def test_it_is_prepared_and_put_back_and_needs_no_module(lab: LabProcess) -> None:
    lab.admin("POST", f"hosts/{HOST}", OTHER_THAN_ITS_IMAGE)
    before = seen(lab)
    prepared = run(lab, "main")
    assert prepared.code == 0, prepared.output
    assert prepared.recap()[HOST]["changed"] == 1
    assert "Ansible requires PowerShell" not in prepared.output
    ready = seen(lab)
    assert "w32time" in ready["running"]
    record = lab.state / "prior" / f"{HOST}.json"
    assert (record.stat().st_mode & 0o777, record.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    again = run(lab, "main")
    assert (again.code, again.recap()[HOST]["changed"]) == (0, 0), again.output
    restored = run(lab, "restore")
    assert restored.code == 0, restored.output
    assert seen(lab) == before
    assert not record.exists()
