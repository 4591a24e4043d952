"""One error, told alike by the run, its journal, the report and the command line."""

import json

import pytest


def journaled(folder):
    """Return the error that the journal's last line about web-01 tells."""
    lines = [json.loads(line) for line in (folder / "journal" / "w.jsonl").read_text().splitlines()]
    return [line["error"] for line in lines if line["event"] == "result" and line["machine"] == "web-01"][-1]


def reported(folder):
    """Return what the report says of web-01."""
    report = json.loads((folder / "reports" / "w-report.json").read_text())
    return next(machine for machine in report["machines"] if machine["name"] == "web-01")


@pytest.mark.parametrize("case", ["failed job", "gate"])
def test_run_journal_report_and_command_line_tell_the_same_error(told, tmp_path, case):
    async def play(controllers, playbooks):
        folder = str(tmp_path / "reports")
        more = {"asr_gates": {"tested_within_days": 3}} if case == "gate" else {}
        if case == "failed job":
            match = {"scenario": "UnplannedFailover", "name": "web-01"}
            controllers.lab.world.faults.add({"match": match, "job": {"code": "28031", "message": "no vCPUs"}})
        ran = await playbooks.run("run", "failover", **more)
        return ran, await playbooks.run("report", "--folder", folder, **more), await playbooks.run("status", **more)

    (code, said), (shown_code, shown), (_, status) = told(play)
    error, machine = journaled(tmp_path), reported(tmp_path)
    assert code == 2, said
    assert error["code"] == ("28031" if case == "failed job" else "NotTested")
    assert (machine["result"], machine["error"]) == ("failed", error)
    assert shown_code == 1
    for words in (error["message"], f"[{error['code']}]", error["cause"], error["remedy"]):
        assert all(words[:40] in text for text in (said, shown, status)), (words, shown)


def test_what_is_wrong_in_the_inventory_is_the_cause_that_status_and_plan_tell(told):
    async def play(controllers, playbooks):
        status = await playbooks.run("status", asr_probes="80")
        return status, await playbooks.run("plan", "failover", asr_gates={"tested_within_days": -3})

    (status_code, status), (plan_code, plan) = told(play)
    assert (status_code, plan_code) == (3, 3), (status, plan)
    assert "asr_probes" in status.partition("Error:")[2]
    assert "asr_gates.tested_within_days" in plan.partition("What could not be planned")[2]
    assert plan.partition("What could not be planned")[2].count("tested_within_days:") == 1
