"""The plan: what the modules of a check run left, as a table and as JSON."""

import io
import json

import pytest
from rich.console import Console

from asr_migrate.cli import plan

WRITE = {
    "method": "POST",
    "path": "replicationProtectedItems/web/unplannedFailover",
    "what": "web: fail over to the latest recovery point in vault v",
    "why": "it is protected, asked for is failed_over",
    "line": "POST ...",
}
MORE = {"machine": "web", "body": {"recoveryPoint": "latest"}, "calls": 9, "minutes": 14.6, "gates": ["tested"]}


@pytest.fixture
def left(tmp_path):
    """Leave what one module of a check run leaves."""

    def leave(number, writes=(), goal=None, machines=None, sources=None):
        told = {"module": "wave", "goal": goal, "writes": list(writes), "machines": machines or {}}
        told |= {"sources": sources} if sources else {}
        (tmp_path / f"plan-{number:020}-1.json").write_text(json.dumps(told))
        return tmp_path

    return leave


def shown(table):
    console = Console(file=io.StringIO(), width=250)
    console.print(table)
    return " ".join(console.file.getvalue().split())


def test_writes_stand_in_the_order_of_the_tasks_that_would_send_them(left):
    left(20, [WRITE | {"what": "second"}])
    folder = left(3, [WRITE | {"what": "first"}])
    assert [write.what for write in plan.read(folder).writes] == ["first", "second"]


def test_a_write_is_told_with_reason_request_body_calls_minutes_and_gates(left):
    text = shown(plan.table(plan.read(left(1, [WRITE | MORE]))))
    for words in (
        WRITE["what"],
        WRITE["why"],
        f"POST {WRITE['path']}",
        "recoveryPoint: latest",
        " 9 ",
        " 15 ",
        "tested",
    ):
        assert words in text


def test_columns_of_which_nothing_is_known_are_left_out(left):
    text = shown(plan.table(plan.read(left(1, [WRITE]))))
    assert not any(title in text for title in ("Body", "Calls", "Minutes", "Gates"))


def test_a_machine_that_would_be_refused_is_named_with_its_goal_and_the_reason(left):
    machines = {
        "web": {"failed": True, "summary": "refused at protected: nobody has approved it [NotApproved]"},
        "db": {"failed": False, "summary": "failed_over reached"},
    }
    found = plan.read(left(1, goal="failed_over", machines=machines))
    assert found.refused == (("failed_over", "web", machines["web"]["summary"]),)
    assert "[NotApproved]" in shown(plan.refusals(found.refused))


def test_as_json_it_has_every_field_and_the_sum_of_calls(left):
    told = plan.read(left(1, [WRITE | MORE, WRITE])).as_dict()
    assert told["calls"] == 9
    assert told["writes"][0] == {
        "machine": "web",
        "request": f"POST {WRITE['path']}",
        "what": WRITE["what"],
        "why": WRITE["why"],
        "body": "recoveryPoint: latest",
        "calls": 9,
        "minutes": 14.6,
        "gates": ["tested"],
    }


def test_nothing_was_left_is_an_empty_plan(tmp_path):
    assert plan.read(tmp_path) == plan.Plan()


def test_a_rule_that_two_appliances_share_is_listed_once_and_a_step_of_two_goals_twice(left):
    rule, lease = WRITE | {"what": "add a rule to appliance"}, WRITE | {"what": "hold wave w"}
    left(1, [rule])
    left(2, [rule])
    left(3, [lease], goal="tested")
    folder = left(4, [lease], goal="failed_over")
    assert [write.what for write in plan.read(folder).writes] == [rule["what"], lease["what"], lease["what"]]


def test_a_write_that_names_only_a_source_gets_the_name_of_its_machine(left):
    left(1, goal="failed_over", sources={"i-0144": "db-rhel67"})
    folder = left(2, [{"method": "POST", "what": "stop EC2 instance i-0144", "why": "its Azure VM runs"}])
    (write,) = plan.read(folder).writes
    assert (write.machine, write.what) == ("db-rhel67", "db-rhel67: stop EC2 instance i-0144")


def test_what_could_not_be_planned_is_told_with_code_and_cause_and_a_refusal_only_once(left):
    machines = {"web": {"failed": True, "summary": "refused at protected: not tested [NotTested]"}}
    folder = left(1, goal="failed_over", machines=machines)
    for number, (host, msg, error) in enumerate(
        [
            ("db", "asr_gates cannot be read", {"code": "InvalidInput", "cause": "asr_gates is 'soon'", "remedy": "x"}),
            ("db2", "db2: asr_gates cannot be read", None),
            ("web", f"web: {machines['web']['summary']}", None),
        ]
    ):
        told = {"host": host, "task": "Bring the wave to failed_over", "msg": msg, "error": error}
        (folder / f"failed-{number:020}-1.json").write_text(json.dumps(told))
    found = plan.read(folder)
    assert [one.host for one in found.failed] == ["db"]
    assert "asr_gates cannot be read [InvalidInput] Cause: asr_gates is 'soon'" in shown(plan.failed(found.failed))
    assert found.as_dict()["failed"][0]["code"] == "InvalidInput"
