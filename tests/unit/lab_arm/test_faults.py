"""Planted faults."""

import pytest

from asr_lab.arm.wire import ArmError

NETWORK = "2026-03-01"


def put_group(ask, name="rg-new"):
    path = f"{ask.group.rpartition('/')[0]}/{name}"
    return ask("PUT", path, {"location": "westeurope"}), path


def test_a_fault_before_the_effect_leaves_the_world_as_it_was(world, ask):
    world.faults.add({"match": {"method": "PUT", "path": "*/RG-*"}, "status": 503, "times": 1})
    answer, path = put_group(ask)
    assert (answer.status, answer.body["error"]["code"]) == (503, "ServiceUnavailable")
    assert path not in world.resources
    assert put_group(ask)[0].status == 201


def test_a_fault_after_the_effect_answers_503_although_it_happened(world, ask):
    world.faults.add({"match": {"method": "PUT"}, "status": 503, "after_effect": True, "times": 1})
    answer, path = put_group(ask)
    assert answer.status == 503
    assert path in world.resources


def test_a_reset_asks_the_server_to_break_the_connection(world, ask):
    world.faults.add({"match": {"method": "GET"}, "reset": True, "times": 1})
    assert ask("GET", ask.group).status == 0
    assert ask("GET", ask.group).status == 200


def test_throttling_carries_its_headers_as_often_as_told(world, ask):
    world.faults.add({"match": {"method": "GET"}, "status": 429, "headers": {"Retry-After": "17"}, "times": 2})
    answers = [ask("GET", ask.group) for _ in range(3)]
    assert [answer.status for answer in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "17"
    assert answers[0].body["error"]["code"] == "TooManyRequests"


def test_a_job_fault_fails_the_operation_of_that_scenario_and_name(world, clock, ask):
    world.faults.add(
        {"match": {"scenario": "TestFailover", "name": "web-*"}, "job": {"code": "28031", "message": "no"}}
    )
    hit = world.begin(clock.now(), target_id=f"{ask.vault}/x/web-1", duration_s=1, scenario="TestFailover")
    spared = world.begin(clock.now(), target_id=f"{ask.vault}/x/db-1", duration_s=1, scenario="TestFailover")
    world.advance(clock.advance(1))
    assert (hit.state, spared.state) == ("Failed", "Succeeded")


def struck(world, ask, seed, count=400):
    """Return which of ``count`` readings of a group are answered 500 by a row that strikes a fifth."""
    world.faults.clear()
    world.faults.add({"match": {"method": "GET"}, "status": 500, "share": 0.2, "seed": seed})
    return [ask("GET", ask.group).status == 500 for _ in range(count)]


def test_a_row_with_a_share_strikes_that_part_of_the_requests_and_the_same_ones_for_the_same_seed(world, ask):
    first = struck(world, ask, seed=1)
    assert 50 < sum(first) < 110
    assert struck(world, ask, seed=1) == first
    assert struck(world, ask, seed=2) != first


def test_which_requests_of_a_path_are_struck_does_not_depend_on_other_paths(world, ask):
    alone = struck(world, ask, seed=1, count=50)
    world.faults.clear()
    world.faults.add({"match": {"method": "GET"}, "status": 500, "share": 0.2, "seed": 1})
    mixed = []
    for _ in range(50):
        ask("GET", f"{ask.group}/resources")
        mixed.append(ask("GET", ask.group).status == 500)
    assert mixed == alone


def test_an_effect_is_found_by_name_until_it_is_used_up(world):
    world.faults.add({"match": {"name": "web"}, "effect": "stuck_replication", "times": 1})
    assert world.effect("stuck_replication", name="db") is None
    assert world.effect("stuck_replication", name="web")
    assert world.effect("stuck_replication", name="web") is None


@pytest.mark.parametrize(
    "row",
    [
        {"match": {}},
        {"status": 503},
        {"match": {}, "status": 200},
        {"match": {}, "status": 503, "effect": "x"},
        {"match": {}, "status": 503, "tmies": 1},
        {"match": {}, "status": 503, "share": 0},
        {"match": {}, "status": 503, "share": 1.5},
        {"match": {"name": "web"}, "effect": "x", "share": 0.5},
    ],
)
def test_a_row_that_is_no_fault_is_refused(world, row):
    with pytest.raises(ArmError):
        world.faults.add(row)


def test_the_log_tells_every_exchange_and_hides_secrets(world, ask):
    ask.make_vault()
    key = f"{ask.vault}/extendedInformation/vaultExtendedInfo"
    world.log.clear()
    ask("GET", key, version="2026-11-01")
    ask("PUT", key, {"properties": {"integrityKey": "very-secret"}}, version="2026-11-01")
    assert [(logged.method, logged.status) for logged in world.log] == [("GET", 404), ("PUT", 200)]
    assert [logged.method for logged in world.writes] == ["PUT"]
    assert world.log[1].body == {"properties": {"integrityKey": "***"}}
    assert world.log[0].row()["code"] == "ResourceExtendedInfoNotFound"
