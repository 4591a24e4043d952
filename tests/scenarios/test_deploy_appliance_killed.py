"""deploy_appliance from nothing to a registered server, killed again and again on the way.

Each run is killed with SIGKILL, with everything it started, in the first task of the role that no earlier run was
killed in; the next run goes on. So every task is interrupted once, and what one run leaves half-done meets the next. By
default a sample of tasks is taken, the longest of those that change something; with ASR_EVERY_TASK=1 every task of the
role, which takes about seven minutes.
"""

import json
import os

import pytest

from .harness import ROOT, fresh_lab

EVERY = bool(os.environ.get("ASR_EVERY_TASK"))
SAMPLE = (
    "Run the appliance's instance",
    "Run Unified Setup on the server, or what it left undone",
    "Install the replication appliance on the server",
)
#: A run that is not killed any more, of a role that has fewer tasks than this, ends the story.
MOST_RUNS = 80
SERVERS = {"web-2022": "10.20.1.21", "db-rhel8": "10.20.1.22", "web-ubuntu22": "10.20.1.23"}
SECRET_FILES = ("mysqlcredentials", ".vaultcredentials", "proxysettings", "passphrase.txt")


@pytest.fixture(scope="module")
def fresh():
    """One lab for both appliances."""
    with fresh_lab("127.63") as lab:
        yield lab


def run_until_done(lab, appliance):
    """Run deploy_appliance until a run ends by itself; return the tasks that were killed, as (file, task)."""
    killed = lab.state / f"{appliance}-killed"
    lab.environment |= {
        "ANSIBLE_CALLBACK_PLUGINS": str(ROOT / "tests" / "scenarios" / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "kill_in_task",
        "ASR_KILL_FILE": str(killed),
        "ASR_KILL_ROLE": "appliance",
        "ASR_KILL_AFTER_S": "0.4",
        "ASR_KILL_TASKS": "" if EVERY else ";".join(SAMPLE),
    }
    servers = [
        {"name": name, "addresses": [address], "os": "windows" if name == "web-2022" else "linux"}
        for name, address in SERVERS.items()
    ]
    only = ("--limit", appliance, "-e", json.dumps({"appliance_servers": servers}))
    for number in range(1, MOST_RUNS):
        ran = lab.playbook("deploy_appliance", *only)
        if ran.code != -9:
            rows = [tuple(row.split("\t")) for row in killed.read_text().splitlines()]
            print(f"\n{appliance}: {len(rows)} runs killed, run {number} ended with {ran.code}")
            print("\n".join(f"  {at:>3}  {file:<34}{task}" for at, (file, task) in enumerate(rows, start=1)))
            assert ran.code == 0, ran.output
            return [task for _, task in rows]
    raise AssertionError(f"{appliance}: still killed after {MOST_RUNS} runs")


def files_on(lab, host):
    return [path.lower() for path in json.loads((lab.state / "hosts" / host / "state.json").read_text())["files"]]


@pytest.mark.parametrize(("appliance", "least"), [("legacy-cs", 24), ("current-appliance", 24)])
def test_a_deployment_that_is_killed_in_its_tasks_comes_to_its_end_and_leaves_nothing_behind(fresh, appliance, least):
    made = fresh.playbook("prepare_landing_zone", "--limit", appliance)
    assert made.code == 0, made.output
    known = len(fresh.admin("GET", "state")["fabrics"])
    tasks = run_until_done(fresh, appliance)
    assert len(tasks) >= (least if EVERY else 2)
    assert [path for path in files_on(fresh, appliance) if any(word in path for word in SECRET_FILES)] == []
    state = fresh.admin("GET", "state")
    assert len(state["fabrics"]) == known + 1, "one registration, however often it was tried"
    assert state["hosts"][appliance]["running"]


@pytest.mark.skipif(not EVERY, reason="a second run that changes nothing is part of every rehearsal")
def test_the_next_run_changes_nothing(fresh):
    fresh.environment["ASR_KILL_TASKS"] = "no task"
    again = fresh.playbook("deploy_appliance", "--limit", "appliances", "-e", json.dumps({"appliance_servers": []}))
    assert again.code == 0, again.output
    assert {host: row["changed"] for host, row in again.recap().items()} == dict.fromkeys(again.recap(), 0), (
        again.output
    )
