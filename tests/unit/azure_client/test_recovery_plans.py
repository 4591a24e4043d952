"""What a change of a recovery plan sends, and what a list that lags behind is told by; nothing is asked of Azure."""

from typing import Any

from asr_migrate.azure.freshness import Freshness, behind
from asr_migrate.azure.recovery_plans import groups_for, standing
from asr_migrate.domain.recovery_plan import PlanMember


def boot(*items: str, start: Any = (), end: Any = ()) -> dict[str, Any]:
    rows = [{"id": item, "virtualMachineId": f"guid-{item}"} for item in items]
    return {
        "groupType": "Boot",
        "replicationProtectedItems": rows,
        "startGroupActions": list(start),
        "endGroupActions": list(end),
    }


def empty(kind: str) -> dict[str, Any]:
    return {**boot(), "groupType": kind}


def members(*items: str) -> tuple[PlanMember, ...]:
    return tuple(PlanMember(item, item, f"guid-{item}") for item in items)


def action(name: str) -> dict[str, Any]:
    return {"actionName": name, "failoverTypes": ["TestFailover"], "failoverDirections": ["PrimaryToRecovery"]}


FRONT = [empty("Shutdown"), empty("Failover")]


def test_a_new_plan_is_made_of_boot_groups_in_their_order():
    assert groups_for((), [members("db"), members("web", "app")]) == [boot("db"), boot("web", "app")]


def test_a_change_sends_all_groups_with_their_actions_and_failover_types():
    found = [*FRONT, boot("db", start=[action("wait")]), boot("web", end=[action("tell")])]
    assert groups_for(found, [members("db", "db2"), members("web")]) == [
        *FRONT,
        boot("db", "db2", start=[action("wait")]),
        boot("web", end=[action("tell")]),
    ]


def test_actions_stay_with_their_machines_when_an_earlier_group_falls_away():
    found = [*FRONT, boot("db"), boot("app", start=[action("wait")]), boot("web")]
    assert groups_for(found, [members("app"), members("web")]) == [
        *FRONT,
        boot("app", start=[action("wait")]),
        boot("web"),
    ]


def test_a_group_with_actions_keeps_its_place_while_it_has_no_machine():
    found = [*FRONT, boot("db", start=[action("wait")]), boot("web")]
    assert groups_for(found, [members("web")]) == [*FRONT, boot(start=[action("wait")]), boot("web")]


def test_a_plan_never_gets_more_than_seven_groups():
    found = [boot(f"old{number}", start=[action("wait")]) for number in range(7)]
    assert len(groups_for(found, [members(f"new{number}") for number in range(6)])) == 7


def test_a_plan_that_was_read_tells_its_items_and_whether_it_is_at_work():
    plan = {"name": "asr-w-1", "properties": {"groups": [*FRONT, boot("DB"), boot("web")], "currentScenario": None}}
    assert (standing(plan).groups, standing(plan).busy_with) == ((("db",), ("web",)), None)
    plan["properties"]["currentScenario"] = {"scenarioName": "TestFailover"}
    assert standing(plan).busy_with == "TestFailover"


def item(name: str, **properties: Any) -> dict[str, Any]:
    details = {"internalIdentifier": f"guid-{name}"}
    return {"id": f"/items/{name}", "name": name, "properties": {"providerSpecificDetails": details, **properties}}


def job(name: str, scenario: str, state: str, minute: int, target: str = "web") -> dict[str, Any]:
    properties = {
        "scenarioName": scenario,
        "state": state,
        "startTime": f"2026-01-01T10:{minute:02}:00.1234567Z",
        "targetObjectId": f"guid-{target}",
        "targetObjectName": target,
    }
    return {"name": name, "properties": properties}


PROTECTED = {"activeLocation": "Primary", "allowedOperations": ["UnplannedFailover", "TestFailover"]}


def test_a_row_from_before_a_test_failover_is_behind_and_one_from_after_it_is_not():
    ended = [job("j", "TestFailover", "Succeeded", 5)]
    assert set(behind([item("web", **PROTECTED)], ended)) == {"/items/web"}
    tested = {**PROTECTED, "lastSuccessfulTestFailoverTime": "2026-01-01T10:05:00Z"}
    assert behind([item("web", **tested)], ended) == {}
    testing = {**PROTECTED, "allowedOperations": ["TestFailoverCleanup"]}
    assert behind([item("web", **testing)], ended) == {}


def test_a_row_that_does_not_name_the_job_that_runs_is_behind():
    running = [job("j", "UnplannedFailover", "InProgress", 5)]
    assert set(behind([item("web", **PROTECTED)], running)) == {"/items/web"}
    working = {**PROTECTED, "currentScenario": {"scenarioName": "UnplannedFailover", "jobId": "/jobs/J"}}
    assert behind([item("web", **working)], running) == {}


def test_a_row_that_still_names_a_job_that_has_ended_is_behind():
    working = {**PROTECTED, "currentScenario": {"scenarioName": "TestFailoverCleanup", "jobId": "/jobs/j"}}
    assert set(behind([item("web", **working)], [job("j", "TestFailoverCleanup", "Succeeded", 5)])) == {"/items/web"}


def test_only_the_newest_job_of_a_machine_counts_and_failed_ones_say_nothing():
    committed = {"activeLocation": "Recovery", "allowedOperations": ["CompleteMigration"]}
    jobs = [job("b", "CommitFailover", "Succeeded", 9), job("a", "UnplannedFailover", "Succeeded", 5)]
    assert behind([item("web", **committed)], jobs) == {}
    assert behind([item("web", **PROTECTED)], [job("j", "UnplannedFailover", "Failed", 5)]) == {}


def test_an_item_that_is_listed_after_its_removal_is_behind_until_it_is_enabled_anew():
    removed = job("a", "DisableDr", "Succeeded", 5)
    assert set(behind([item("web", **PROTECTED)], [removed])) == {"/items/web"}
    assert behind([item("web", **PROTECTED)], [job("b", "EnableDr", "Succeeded", 9), removed]) == {}


def test_a_machine_that_was_enabled_but_is_not_listed_is_known_by_its_name():
    enabled = [job("j", "EnableDr", "Succeeded", 5)]
    assert set(behind([], enabled)) == {"web"}
    assert behind([], [job("b", "DisableDr", "Succeeded", 9), *enabled]) == {}


def test_an_item_that_vanishes_without_a_job_is_asked_for_once():
    fresh = Freshness()
    assert fresh.missing([item("web")], []) == []
    fresh.remember([item("web")])
    assert fresh.missing([], []) == ["/items/web"]
    assert fresh.missing([], []) == []
    fresh.remember([item("web")])
    assert fresh.missing([], [job("j", "DisableDr", "Succeeded", 5)]) == []


def test_what_azure_says_for_ten_minutes_is_believed():
    fresh = Freshness()
    assert fresh.doubted({"/items/web": "why"}, 100.0) == {"/items/web": "why"}
    assert fresh.doubted({"/items/web": "why", "/items/db": "why"}, 650.0) == {"/items/web": "why", "/items/db": "why"}
    assert fresh.doubted({"/items/web": "why", "/items/db": "why"}, 701.0) == {"/items/db": "why"}


def test_an_older_list_of_jobs_takes_nothing_back():
    fresh = Freshness()
    fresh.jobs([job("b", "TestFailover", "InProgress", 9), job("a", "TestFailover", "Succeeded", 5)])
    older = fresh.jobs([job("a", "TestFailover", "InProgress", 5)])
    assert {one["name"]: one["properties"]["state"] for one in older} == {"b": "InProgress", "a": "Succeeded"}
    newer = fresh.jobs([job("c", "TestFailover", "InProgress", 30)])
    assert [one["name"] for one in newer] == ["c"]
