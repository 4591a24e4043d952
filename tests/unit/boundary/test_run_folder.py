"""What a run leaves for the command line, with a real ansible-playbook on local hosts: plans, failures and hosts."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from .conftest import ROOT

BIN = Path(sys.executable).parent
CLI = "from asr_migrate.cli.main import app; app()"
VARIABLES = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}


@pytest.fixture
def start(tmp_path):
    """Start asr-migrate with a playbook of these tasks for the wave's hosts and return its process."""

    def begin(command, tasks, *words, hosts=("web", "db"), pattern="wave_*"):
        playbook, inventory = tmp_path / "playbook.yml", tmp_path / "inventory.yml"
        playbook.write_text(yaml.safe_dump([{"hosts": pattern, "gather_facts": False, "tasks": tasks}]))
        wave = {"hosts": {name: {} for name in hosts}, "vars": VARIABLES}
        inventory.write_text(yaml.safe_dump({"all": {"children": {"wave_w": wave, "wave_empty": {}}}}))
        environment = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
        environment |= {"ANSIBLE_HOME": str(tmp_path / "ansible"), "ANSIBLE_NOCOLOR": "1", "COLUMNS": "200"}
        environment |= {"PYTHONPATH": str(ROOT / "python")}
        return subprocess.Popen(
            [sys.executable, "-c", CLI, command, str(playbook), *words, "-i", str(inventory)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    return begin


def ended(process):
    """Wait for asr-migrate; return its exit code, output and errors, spaces made single."""
    out, err = process.communicate(timeout=120)
    return process.returncode, " ".join(out.split()), " ".join(err.split())


@pytest.fixture
def call(start):
    """Run asr-migrate to its end."""
    return lambda *arguments, **more: ended(start(*arguments, **more))


def copy(path, **more):
    task = {"name": "Write a file", "ansible.builtin.copy": {"dest": str(path), "content": "x", "mode": "0600"}}
    return {**task, **more}


def fail(text, **more):
    return {"name": "Look at it", "ansible.builtin.fail": {"msg": text}, **more}


def test_whatever_a_task_would_change_stands_in_the_plan_with_its_host(call, tmp_path):
    hidden = copy(tmp_path / "b", name="Write a secret", no_log=True)
    code, out, err = call("plan", [copy(tmp_path / "a"), hidden, fail("no matter", ignore_errors=True)], "--json")
    rows = [write["what"] for write in json.loads(out)["writes"]]
    assert (code, sorted(rows)) == (
        0,
        ["db: Write a file", "db: Write a secret", "web: Write a file", "web: Write a secret"],
    )
    assert ".. Write a file" in err
    assert not (tmp_path / "a").exists()


def test_a_plan_of_which_a_part_fails_shows_the_rest_and_the_failure_and_ends_with_3(call, tmp_path):
    failing = fail("the gates cannot be read", when="inventory_hostname == 'db'")
    code, out, _ = call("plan", [failing, copy(tmp_path / "a")])
    assert code == 3, out
    assert "web: Write a file" in out
    assert "db │ Look at it │ the gates cannot be read" in out


def test_what_one_task_says_of_two_hosts_is_told_once(call):
    code, out, _ = call("plan", [fail("the vault is not there")], "--json")
    told = json.loads(out)["failed"]
    assert (code, [one["message"] for one in told]) == (3, ["the vault is not there"])


@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_playbook_that_finds_no_host_is_not_done(call, command):
    code, out, err = call(command, [fail("never")], pattern="wave_nope*")
    assert code == 3, out
    assert "the inventory has no host for it, so nothing was done" in err


@pytest.mark.parametrize("wave", ["nope", "empty"])
def test_a_wave_without_machines_is_refused_with_those_that_have_some(call, wave):
    code, _, err = call("plan", [fail("never")], "--wave", "w", "--wave", wave)
    assert code == 2
    assert f"no machine in wave_{wave}" in err
    assert "machines in these waves: w." in err


def test_an_inventory_that_cannot_be_read_is_no_empty_inventory(call, tmp_path):
    broken = tmp_path / "broken.yml"
    broken.write_text("all: {children: [")
    code, out, err = call("plan", [fail("never")], "-i", str(broken))
    assert code == 3, out
    assert "broken.yml" in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_stop_while_no_module_of_ours_is_at_work_ends_with_4_and_leaves_nobody_behind(
    command, number, start, tmp_path
):
    pid = tmp_path / "pid"
    os.mkfifo(pid)
    waiting = {"name": "Wait", "ansible.builtin.raw": f"echo $$ > {pid}; exec sleep 600", "check_mode": False}
    process = start(command, [{**waiting, "run_once": True}])
    task = int(pid.read_text())
    process.send_signal(number)
    code, out, err = ended(process)
    with suppress(ProcessLookupError):
        os.kill(task, signal.SIGKILL)
    assert code == 4, out + err
    assert "Stopped: nothing was being asked of Azure." in err
    assert of_session(process.pid) <= {task}


def of_session(leader):
    """Return the processes that a session still has."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            words = path.read_text().rpartition(")")[2].split()
            if words[3] == str(leader) and words[0] != "Z":
                found.add(int(path.parent.name))
    return found
