"""The rehearsal: both waves from EC2 to Azure by the README's command, and once more."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from .harness import ROOT, LabProcess, directory

MOVED = {
    "app-2008": "orders-app-01",
    "app-2012": "orders-app-02",
    "db-rhel67": "orders-db-01",
    "web-2022": "shop-web-01",
    "db-rhel8": "shop-db-01",
    "web-ubuntu22": "shop-web-02",
}
REFUSED = {"old-rhel67pv": "paravirtual", "batch-amzn2": "Amazon Linux"}
REHEARSE = Path(sys.executable).with_name("asr-migrate")
REPORTS = ROOT / "reports" / "rehearsal"

pytestmark = pytest.mark.rehearsal


@pytest.fixture(scope="module")
def rehearsal():
    """The finished README command and the lab that it leaves running."""
    with directory() as state:
        environment = os.environ | {"ASR_LAB_NET": "127.22", "ASR_LAB_STATE": str(state), "COLUMNS": "200"}
        done = subprocess.run(
            [str(REHEARSE), "rehearse"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with LabProcess(state, net="127.22", reports=REPORTS) as lab:
            yield done, lab


def reported() -> dict[str, dict]:
    """Return every machine of the JSON reports by name."""
    reports = [json.loads(path.read_text()) for path in REPORTS.glob("*-report.json")]
    return {machine["name"]: machine for report in reports for machine in report["machines"]}


def test_six_machines_are_migrated_and_two_refused_by_name_and_reason(rehearsal):
    done, _ = rehearsal
    assert done.returncode == 0, done.stdout
    machines = reported()
    assert {name for name, machine in machines.items() if machine["result"] == "migrated"} == set(MOVED)
    assert {name for name, machine in machines.items() if machine["result"] == "refused"} == set(REFUSED)
    summary = done.stdout.split("PLAY RECAP")[-1]
    assert [name for name in (*MOVED, *MOVED.values(), *REFUSED, *REFUSED.values()) if name not in summary] == []


def test_the_azure_vms_of_the_six_exist_and_nothing_replicates_any_more(rehearsal):
    _, lab = rehearsal
    state = lab.admin("GET", "state")
    assert {vm["name"] for vm in state["virtual_machines"]} == set(MOVED.values())
    assert state["items"] == []


def test_the_sources_that_moved_are_stopped_and_the_refused_ones_run(rehearsal):
    _, lab = rehearsal
    hosts = lab.admin("GET", "state")["hosts"]
    assert {name: hosts[name]["running"] for name in (*MOVED, *REFUSED)} == {
        **dict.fromkeys(MOVED, False),
        **dict.fromkeys(REFUSED, True),
    }


def test_the_report_tells_what_was_done_to_each_machine_when_and_for_how_long(rehearsal):
    machines = reported()
    for name, vm in MOVED.items():
        machine = machines[name]
        assert machine["azure_vm"]["name"] == vm
        done = [step["what"] for step in machine["steps"]]
        road = ["Enable replication", "Test failover", "Clean up test", "Failover", "Commit", "Complete migration"]
        assert done == road
        assert all(step["duration_s"] >= 0 for step in machine["steps"])
        assert machine["recovery_point"]
    pages = sorted(path.name for path in REPORTS.glob("*-report.html"))
    assert pages == ["current-report.html", "legacy-report.html"]


def test_a_second_run_changes_nothing_and_sends_no_write(rehearsal):
    _, lab = rehearsal
    lab.forget_log()
    ran = lab.playbook("migrate")
    assert ran.code == 0, ran.output
    assert {host: row["changed"] for host, row in ran.recap().items() if row["changed"]} == {}
    assert lab.writes() == []
    assert lab.admin("GET", "log")["entries"], "the run did ask the lab"


def test_no_secret_of_the_lab_is_found_outside_its_own_store(rehearsal):
    done, lab = rehearsal
    verbose = lab.playbook("deploy_appliance", "-vvv")
    texts = {"output": done.stdout, "verbose output": verbose.output, "log": json.dumps(lab.admin("GET", "log"))}
    for folder in (REPORTS, lab.state / "journal"):
        texts |= {path.name: path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()}
    texts["lab.log"] = (lab.state / "lab.log").read_text()
    secrets = lab.secrets()
    assert len(secrets) >= 8
    assert {name: place for name, secret in secrets.items() for place, text in texts.items() if secret in text} == {}


def test_files_with_secrets_are_for_their_owner_only(rehearsal):
    _, lab = rehearsal
    files = [path for path in (lab.state / "secrets").rglob("*") if path.is_file()]
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in files if path.stat().st_mode & 0o077} == {}
