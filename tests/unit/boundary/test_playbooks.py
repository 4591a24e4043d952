"""Whole playbooks over the role wave, from the command line, against a lab's Azure over HTTPS."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest
import yaml

from .conftest import ROOT

BIN = Path(sys.executable).parent
MACHINES = ("web-01", "web-02", "web-03")


class Playbooks:
    """Runs playbooks on the controllers' wave; its machines are reached as local hosts."""

    def __init__(self, controllers, folder):
        self.controllers = controllers
        self.folder = folder
        told = json.loads(controllers.arguments("cli", "protected"))["ANSIBLE_MODULE_ARGS"]
        self.variables = {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "asr_wave": "w",
            "asr_source": "physical",
            "asr_landing_zone": told["landing_zone"],
            "asr_cloud": told["cloud"],
            "asr_wait_scale": told["wait_scale"],
            "asr_journal_dir": str(folder / "journal"),
        }
        self.hosts = {
            machine["name"]: {f"asr_{key}": machine[key] for key in ("source_id", "os", "addresses", "target")}
            for machine in told["machines"]
        }

    async def start(self, *words, **variables):
        """Start asr-migrate with an inventory of the wave and return its process."""
        inventory = self.folder / "inventory.yml"
        wave = {"hosts": self.hosts, "vars": {**self.variables, **variables}}
        inventory.write_text(yaml.safe_dump({"all": {"children": {"wave_w": wave}}}))
        environment = self.controllers.environment(ANSIBLE_HOME=str(self.folder / "ansible"), ANSIBLE_NOCOLOR="1")
        environment |= {"PATH": f"{BIN}{os.pathsep}{environment['PATH']}", "COLUMNS": "200", "LANG": "C.UTF-8"}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "from asr_migrate.cli.main import app; app()",
            *words,
            "-i",
            str(inventory),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=ROOT,
            env=environment,
            start_new_session=True,
        )

    async def ended(self, process):
        out, _ = await process.communicate()
        return process.returncode, " ".join(out.decode().split())

    async def run(self, *words, **variables):
        """Run asr-migrate to its end and return its exit code and output, spaces made single."""
        return await self.ended(await self.start(*words, **variables))


@pytest.fixture
def told(story, tmp_path):
    """Tell a story that begins with a wave which is protected."""

    def tell(play):
        async def go(controllers):
            await controllers.run("prepare")
            return await play(controllers, Playbooks(controllers, tmp_path))

        return story(go)

    return tell


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_stopped_names_what_goes_on_gives_the_wave_back_and_ends_with_4(told, number):
    async def play(controllers, playbooks):
        controllers.slow("test_failover")
        process = await playbooks.start("run", "test_failover")
        await controllers.until(lambda: len(controllers.jobs("TestFailover")) == 3)
        process.send_signal(number)
        return *await playbooks.ended(process), controllers.leases, controllers.jobs("TestFailover")

    code, output, leases, jobs = told(play)
    assert code == 4, output
    assert "Stopped: wave w: test_running: it was asked to stop by" in output
    assert all(f"goes on in Azure: {name}: " in output for name in MACHINES)
    assert "Nothing was cancelled" in output
    assert leases == []
    assert set(jobs.values()) == {1}


def test_a_wave_that_another_run_holds_fails_every_host_with_who_holds_it(told):
    async def play(controllers, playbooks):
        controllers.slow("test_failover")
        other = await controllers.start("ann", "test_running")
        await controllers.until(lambda: len(controllers.jobs("TestFailover")) == 3)
        code, output = await playbooks.run("run", "test_failover")
        other.terminate()
        await controllers.result(other)
        return code, output

    code, output = told(play)
    assert code == 2
    assert output.count("wave w is being worked on by ann@here (run ") >= 3, output
    assert all(f"{name} : ok=" in output for name in MACHINES)


def test_a_run_that_lost_the_wave_begins_nothing_more_and_ends_with_4(told):
    async def play(controllers, playbooks):
        controllers.slow("test_failover")
        process = await playbooks.start("run", "test_failover")
        await controllers.until(lambda: len(controllers.jobs("TestFailover")) == 3)
        controllers.lab.world.resources.get(controllers.lab.vault_id)["tags"].clear()
        return await playbooks.ended(process)

    code, output = told(play)
    assert code == 4, output
    assert "this run was taken for dead" in output


def test_the_plan_lists_every_write_with_its_reason_and_sends_none(told):
    async def play(controllers, playbooks):
        controllers.lab.world.log.clear()
        return *await playbooks.run("plan", "test_failover", "--json"), controllers.lab.world.writes

    code, text, writes = told(play)
    assert code == 0, text
    plan = json.loads(text)
    assert all(write["why"] and write["what"] for write in plan["writes"])
    assert all(name in str(plan["writes"]) for name in MACHINES)
    assert plan["refused"] == []
    assert writes == []


def test_a_refusal_of_a_gate_reads_the_same_in_the_recap_and_an_approval_stands_in_the_journal(told, tmp_path):
    async def play(controllers, playbooks):
        refused = await playbooks.run("run", "failover", asr_require_approval=True)
        approved = await playbooks.run(
            "run", "failover", asr_require_approval=True, asr_approval_by="eve", asr_approval_reason="CHG1"
        )
        return refused, approved

    (code, output), (approved, more) = told(play)
    assert code == 2
    assert "[NotApproved]" in output
    assert approved == 0, more
    lines = [json.loads(line) for line in (tmp_path / "journal" / "w.jsonl").read_text().splitlines()]
    asked = [line for line in lines if line["path"].endswith("/unplannedFailover")]
    assert {line["actor"].partition(", ")[2] for line in asked} == {"approved by eve: CHG1"}


def test_the_work_of_a_machine_is_stopped_before_its_failover_and_the_failover_waits_for_a_newer_point(told, tmp_path):
    async def play(controllers, playbooks):
        said = tmp_path / "said"
        commands = [f"echo stopped {{{{ inventory_hostname }}}} >> {said}"]
        ran = await playbooks.run("run", "failover", asr_quiesce_commands=commands, asr_gates={"fresh_point": True})
        return *ran, said.read_text().split("\n")

    code, output, said = told(play)
    assert code == 0, output
    assert sorted(said) == ["", *(f"stopped {name}" for name in MACHINES)]


def test_replication_is_stopped_by_its_playbook(told):
    async def play(controllers, playbooks):
        return await playbooks.run("run", "stop_replication")

    code, output = told(play)
    assert code == 0, output
    assert all(f"{name}: absent reached" in output for name in MACHINES)
