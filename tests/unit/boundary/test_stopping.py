"""A run that is asked to stop, as a real process: no new verbs, what goes on is named, the wave is given back."""

import json
import os
import signal
import sys

import pytest

LEADER = """
import os, signal, subprocess, sys
if os.fork():
    open(sys.argv[1], "w").write(str(os.getpid()))
    signal.pause()
os.setsid()
sys.exit(subprocess.call(sys.argv[2:]))
"""


async def stopped_by(controllers, ask, **environment):
    """Start a run, ask it to stop while replication is being enabled, and return its process and result."""
    process = await controllers.start("ann", **environment)
    await controllers.until(lambda: len(controllers.jobs("EnableDr")) == 3)
    ask(process)
    return process, await controllers.result(process)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_run_with_what_goes_on_in_azure_and_the_wave_given_back(story, number):
    async def play(controllers):
        process, result = await stopped_by(controllers, lambda process: process.send_signal(number))
        return process.returncode, result, controllers.leases, controllers.jobs("EnableDr")

    code, result, leases, jobs = story(play)
    assert code == 0
    assert result["stopped"].startswith(f"it was asked to stop by {number.name}")
    assert set(result["going_on"]) == {"web-01", "web-02", "web-03"}
    assert {machine["error"]["code"] for machine in result["machines"].values()} == {"Stopped"}
    assert leases == []
    assert sum(jobs.values()) == 3


def test_the_next_run_goes_on_where_the_stopped_one_was(story):
    async def play(controllers):
        await stopped_by(controllers, lambda process: process.terminate())
        return await controllers.run("bob"), controllers.jobs("EnableDr")

    result, jobs = story(play)
    assert all(machine["reached"] for machine in result["machines"].values())
    assert sum(jobs.values()) == 3


def test_what_goes_on_is_left_for_the_command_line_and_a_run_that_ended_by_itself_leaves_nothing(story, tmp_path):
    run = tmp_path / "run"
    run.mkdir()

    async def play(controllers):
        process, _ = await stopped_by(controllers, lambda process: process.terminate(), ASR_RUN_DIR=str(run))
        left = json.loads((run / f"{process.pid}.json").read_text())
        (run / f"{process.pid}.json").unlink()
        await controllers.run("bob", ASR_RUN_DIR=str(run))
        return process.pid, left

    pid, left = story(play)
    assert left["pid"] == pid
    assert left["about"] == "wave w: protected"
    assert left["stopped"].startswith("it was asked to stop by SIGTERM")
    assert len(left["lines"]) == 3
    assert list(run.iterdir()) == []


def test_a_run_whose_ansible_was_killed_stops_by_itself(story, tmp_path):
    """ansible-runner kills ansible-playbook; the worker, which leads a session of its own, and the module live on."""
    pid_file = tmp_path / "ansible.pid"

    async def play(controllers):
        process = await controllers.start("ann", command=(sys.executable, "-c", LEADER, str(pid_file)))
        await controllers.until(lambda: len(controllers.jobs("EnableDr")) == 3)
        os.kill(int(pid_file.read_text()), signal.SIGKILL)
        out = await process.stdout.read()
        await process.wait()
        return json.loads(out), controllers.leases

    result, leases = story(play)
    assert result["stopped"] == "ansible-playbook, which started it, is gone"
    assert leases == []


def test_check_mode_leaves_its_plan_for_the_command_line(story, tmp_path):
    run = tmp_path / "run"
    run.mkdir()

    async def play(controllers):
        return await controllers.run("ann", ASR_RUN_DIR=str(run), parameters={"_ansible_check_mode": True})

    result = story(play)
    (left,) = [json.loads(path.read_text()) for path in run.glob("plan-*.json")]
    assert left["writes"] == result["writes"]
    assert left["goal"] == "protected"
