"""Whole playbooks over the role wave, from the command line, against a lab's Azure over HTTPS."""

import asyncio
import json
import re
import signal

import pytest

MACHINES = ("web-01", "web-02", "web-03")


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
    # On a busy computer ansible-playbook may be gone before its signal has reached the module.
    assert re.search(
        "Stopped: wave w: test_running: (it was asked to stop by|ansible-playbook, .*, is gone)", output
    ), output
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
    assert code == 2, output
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
        process = await playbooks.start("plan", "test_failover", "--json", stderr=asyncio.subprocess.DEVNULL)
        return *await playbooks.ended(process), controllers.lab.world.writes

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
    asked = [line for line in lines if line.get("path", "").endswith("/unplannedFailover")]
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
