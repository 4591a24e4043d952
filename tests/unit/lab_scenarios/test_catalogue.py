"""The scenarios that have a name, and what is refused as one."""

import pytest

from asr_lab.arm import scenarios
from asr_lab.arm.wire import ArmError
from asr_lab.arm.world import World

ROW = {"match": {"name": "web"}, "effect": "stuck_replication"}


@pytest.mark.parametrize("name", scenarios.names())
def test_a_named_scenario_says_what_it_is_and_how_that_is_known_and_can_be_planted(name):
    found = scenarios.scenario(name)
    assert all((found.title, found.description, found.known))
    world = World()
    scenarios.plant(world, found)
    assert len(world.faults.rows) == len(found.rows)
    assert world.throttle.on is bool(found.throttle)


@pytest.mark.parametrize("status", [429, 500, 503, 504])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_there_is_a_scenario_for_each_status_before_and_after_the_effect(status, moment):
    (row,) = scenarios.scenario(f"answers_{status}_{moment}").rows
    assert (row["status"], row.get("after_effect", False)) == (status, moment == "after")


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"rows": [ROW]}, "cruise.yml is wrong: 'title' is missing"),
        ({"title": "x"}, "cruise.yml is wrong: it has neither 'rows' nor 'throttle'"),
        ({"title": "x", "rwos": []}, "cruise.yml is wrong: 'rwos' is not a known property"),
        ({"title": "x", "rows": [ROW, {"match": {}, "factr": 2}]}, "cruise.yml is wrong: row 2: 'factr' is not"),
        ({"title": "x", "rows": [{"match": {}, "factor": "two"}]}, "row 1: 'factor' is a string; a number is needed"),
        ({"title": "x", "rows": [{"match": {}, "factor": 0}]}, "row 1: 'factor' is 0; give a number above 0"),
        ({"title": "x", "rows": [{"match": {}}]}, "row 1: a row holds exactly one of status, reset"),
        ({"title": "x", "rows": [{**ROW, "status": 503}]}, "row 1: a row holds exactly one of"),
        ({"title": "x", "rows": [{"match": {"path": "*"}, "factor": 2}]}, "row 1: 'match.path': a row with 'factor'"),
        (
            {"title": "x", "rows": [{"match": {}, "status": 429, "headers": {"retry-after": "0"}}]},
            "row 1: 'headers.retry-after' is 0, which clients take for no header at all",
        ),
        ({"title": "x", "throttle": {"raeds": {}}}, "'throttle.raeds' is not a known property"),
        ([], "cruise.yml is wrong: the body is a list"),
    ],
)
def test_a_scenario_that_is_wrong_is_refused_with_its_file_its_row_and_the_value(document, told):
    with pytest.raises(ArmError) as refused:
        scenarios.parse(document, "cruise.yml")
    assert told in refused.value.message


def test_a_scenario_nobody_wrote_is_refused_with_the_names_there_are():
    with pytest.raises(ArmError) as refused:
        scenarios.scenario("sunny_day")
    assert refused.value.status == 404
    assert "slow_region" in refused.value.message


def test_a_scenario_can_be_narrowed_to_one_machine():
    world = World()
    scenarios.plant_any(world, {"scenario": "stuck_initial_replication", "match": {"name": "web-*"}})
    assert world.planted("stuck_replication", name="web-1")
    assert world.planted("stuck_replication", name="db-1") is None


def test_narrowing_by_what_no_row_can_select_by_is_refused():
    with pytest.raises(ArmError) as refused:
        scenarios.scenario("commit_refused").narrowed({"path": "*"})
    assert "rows select by name, scenario, target" in refused.value.message


def test_a_list_with_a_wrong_row_plants_nothing():
    world = World()
    with pytest.raises(ArmError):
        scenarios.plant_any(world, [ROW, {"match": {}}])
    assert world.faults.rows == []


def test_a_whole_document_can_be_planted():
    world = World()
    scenarios.plant_any(world, {"title": "mine", "rows": [ROW], "throttle": {"reads": {"capacity": 3}}})
    assert world.planted("stuck_replication", name="web")
    assert world.throttle.state()["reads"] == {"capacity": 3, "per_second": 25}
