"""The assess role's own judgement, with Ansible itself and without any host: EC2's answer stands in the inventory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PLAY = """
- hosts: wave_*
  gather_facts: false
  tasks:
    - include_role: {name: asr.migrate.assess, tasks_from: judge.yml}
    - include_role: {name: asr.migrate.assess, tasks_from: tell.yml}
    - include_role: {name: asr.migrate.assess, tasks_from: leave_out.yml}
      when: assess_blockers | length > 0
    - debug: {msg: "{{ inventory_hostname }} goes on"}
"""


def host(os_name, target, state="running", **more):
    instance = {"state": state, "virtualization": "hvm", "storage_interface": "nvme", "disks": []}
    facts = {
        "ec2_instance_id": f"i-{target}",
        "asr_os": "linux",
        "asr_target": {"vm_name": target},
        "asr_os_name": os_name,
    }
    return facts, {f"i-{target}": instance | more}


def inventory(folder, hosts):
    instances = {key: row for _, found in hosts.values() for key, row in found.items()}
    shared = {
        "asr_wave": "legacy",
        "asr_source": "aws",
        "asr_landing_zone": {"architecture": "modernized"},
        "asr_reports_dir": str(folder / "reports"),
        "ansible_connection": "local",
        "__assess_ec2": {"instances": instances},
    }
    group = {"vars": shared, "hosts": {name: facts for name, (facts, _) in hosts.items()}}
    (folder / "hosts.yml").write_text(json.dumps({"all": {"children": {"wave_legacy": group}}}))
    (folder / "play.yml").write_text(PLAY)


def play(folder):
    environment = os.environ | {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_HOME": str(folder / "ansible")}
    environment["ANSIBLE_NOCOLOR"] = "1"
    line = [Path(sys.executable).with_name("ansible-playbook"), "-i", folder / "hosts.yml", folder / "play.yml"]
    done = subprocess.run(line, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def assessment(folder):
    return json.loads((folder / "reports" / "legacy-assessment.json").read_text())["machines"]


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("assess")
    hosts = {"good": host("Ubuntu 22.04", "good"), "bad": host("Amazon Linux 2", "bad_", virtualization="paravirtual")}
    inventory(folder, hosts)
    return folder, play(folder)


def test_an_unfit_machine_is_left_out_with_every_reason_and_the_others_go_on(first_run):
    _, said = first_run
    assert "good goes on" in said
    assert "bad goes on" not in said
    assert "bad is left out of wave legacy" in said
    for reason in ("Amazon Linux cannot be migrated", "paravirtual instance", "no Azure VM name"):
        assert reason in " ".join(said.split())


def test_the_assessment_is_kept_with_the_findings_of_every_machine(first_run):
    found = assessment(first_run[0])
    assert (found["good"]["fit"], found["bad"]["fit"]) == (True, False)
    assert [row["rule"] for row in found["good"]["findings"]] == ["ec2.linux-storage-interface"]


def test_assessing_again_changes_nothing(first_run):
    said = play(first_run[0])
    assert said.count("changed=0") == 2


def test_a_machine_that_was_stopped_keeps_what_was_found_before(first_run):
    folder = first_run[0]
    before = assessment(folder)
    inventory(
        folder,
        {
            "good": host("", "good", state="stopped"),
            "bad": host("Amazon Linux 2", "bad_", virtualization="paravirtual"),
        },
    )
    play(folder)
    assert assessment(folder) == before
