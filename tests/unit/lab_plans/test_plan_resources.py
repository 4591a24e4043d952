"""Recovery plans as resources: making, reading, changing, removing them."""

from typing import Any

import pytest
from tests.unit.lab_plans.conftest import Wave, action

MORE_ITEMS = 101


def plan(wave: Wave) -> dict[str, Any]:
    return dict(wave.lab.get(wave.plan)["properties"])


def members(wave: Wave) -> list[list[str]]:
    return [
        [row["id"].rpartition("/")[2] for row in group["replicationProtectedItems"]] for group in plan(wave)["groups"]
    ]


def test_a_plan_of_boot_groups_shows_shutdown_and_failover_before_them(protected: Wave) -> None:
    protected.make_plan()
    assert [group["groupType"] for group in plan(protected)["groups"]] == ["Shutdown", "Failover", "Boot", "Boot"]
    assert members(protected) == [[], [], ["web-1", "web-2"], ["db-1"]]


def test_a_plan_tells_its_provider_and_what_its_items_allow(protected: Wave) -> None:
    protected.make_plan()
    found = plan(protected)
    assert found["replicationProviders"] == ["InMageRcm"]
    assert found["allowedOperations"] == ["UnplannedFailover", "TestFailover"]
    assert (found["currentScenario"], found["currentScenarioStatus"]) == (None, None)
    assert found["recoveryFabricFriendlyName"] == "Microsoft Azure"


def test_a_plan_names_a_machine_by_the_identifier_inside_the_service(protected: Wave) -> None:
    protected.make_plan()
    row = plan(protected)["groups"][2]["replicationProtectedItems"][0]
    assert row["virtualMachineId"] == protected.properties("web-1")["providerSpecificDetails"]["internalIdentifier"]


def test_a_list_of_plans_shows_no_groups(protected: Wave) -> None:
    protected.make_plan()
    listed = protected.lab.get(f"{protected.vault}/replicationRecoveryPlans")["value"]
    assert [row["properties"]["groups"] for row in listed] == [[]]
    assert listed[0]["properties"]["allowedOperations"] == ["UnplannedFailover", "TestFailover"]


def test_saving_a_plan_is_a_job_on_the_plan(protected: Wave) -> None:
    job = protected.lab.do("PUT", protected.plan, protected.plan_body(protected.group("web-1")))
    assert (job["scenarioName"], job["friendlyName"]) == ("SaveRecoveryPlan", "Save a recovery plan")
    assert (job["targetInstanceType"], job["targetObjectName"]) == ("RecoveryPlan", "wave-1")
    assert set(job["customDetails"]["affectedObjectDetails"]) == {
        "primaryVmmId",
        "primaryVmmName",
        "recoveryVmmId",
        "recoveryVmmName",
        "primaryFabricProviderId",
        "recoveryFabricProviderId",
    }


def test_a_change_replaces_all_groups(protected: Wave) -> None:
    protected.make_plan()
    body = {"properties": {"groups": [protected.group("db-1"), protected.group("web-2")]}}
    job = protected.lab.do("PATCH", protected.plan, body)
    assert (job["scenarioName"], job["friendlyName"]) == ("UpdateRecoveryPlan", "Save a recovery plan")
    assert members(protected) == [[], [], ["db-1"], ["web-2"]]


def test_actions_are_kept_as_they_were_sent(protected: Wave) -> None:
    given = [action("look"), action("warm", "runbook"), action("copy", "script")]
    protected.make_plan(protected.group("web-1", start=given))
    kept = plan(protected)["groups"][2]["startGroupActions"]
    assert [row["actionName"] for row in kept] == ["look", "warm", "copy"]
    assert kept[0]["customDetails"] == {"instanceType": "ManualActionDetails", "description": "Do look."}
    assert kept[1]["failoverTypes"] == ["TestFailover", "UnplannedFailover", "PlannedFailover"]


def test_a_change_without_failover_types_empties_them(protected: Wave) -> None:
    protected.make_plan(protected.group("web-1", start=[action("look")]))
    sparse = {name: value for name, value in action("look").items() if name != "failoverTypes"}
    body = {"properties": {"groups": [protected.group("web-1", start=[sparse])]}}
    assert protected.lab.do("PATCH", protected.plan, body)["state"] == "Succeeded"
    assert plan(protected)["groups"][2]["startGroupActions"][0]["failoverTypes"] == []


def test_a_removed_plan_is_gone_and_its_items_stay(protected: Wave) -> None:
    protected.make_plan()
    job = protected.lab.do("DELETE", protected.plan)
    assert job["scenarioName"] == "DeleteRecoveryPlan"
    assert protected.ask("GET", protected.plan).status == 404
    assert protected.ask("DELETE", protected.plan).status == 404
    assert protected.state("web-1") == "Protected"


def test_the_result_of_a_removal_is_empty(protected: Wave) -> None:
    protected.make_plan()
    location = protected.ask("DELETE", protected.plan).headers["Location"].partition("?")[0]
    protected.lab.advance(5)
    assert protected.ask("GET", "/" + location.split("/", 3)[3]).status == 204


def test_the_items_of_a_plan_can_be_listed(protected: Wave) -> None:
    protected.make_plan(protected.group("web-2"))
    query = {"$filter": "RecoveryPlanName eq 'wave-1'"}
    listed = protected.lab.get(f"{protected.vault}/replicationProtectedItems", **query)["value"]
    assert [row["name"] for row in listed] == ["web-2"]


def test_a_purged_item_is_in_no_plan_any_more(protected: Wave) -> None:
    protected.make_plan()
    assert protected.lab.do("DELETE", protected.item("web-1"))["state"] == "Succeeded"
    assert members(protected) == [[], [], ["web-2"], ["db-1"]]


def test_an_item_of_a_plan_has_to_leave_it_before_replication_can_be_stopped(protected: Wave) -> None:
    protected.make_plan()
    job = protected.lab.do("POST", protected.item("web-1") + "/remove", {"properties": {}})
    assert job["errors"][0]["serviceErrorDetails"]["code"] == "25037"
    assert "wave-1" in job["errors"][0]["serviceErrorDetails"]["possibleCauses"]


def refusal(wave: Wave, *groups: dict[str, Any]) -> str:
    response = wave.ask("PUT", wave.plan, wave.plan_body(*groups))
    assert response.status == 400
    return str(response.body["error"]["message"])


def test_an_item_that_is_not_there_is_refused(protected: Wave) -> None:
    assert "no protected item" in refusal(protected, protected.group("nobody"))


def test_an_item_is_in_a_plan_once(protected: Wave) -> None:
    assert "more than once" in refusal(protected, protected.group("web-1"), protected.group("web-1"))


def test_a_plan_has_at_most_seven_boot_groups(protected: Wave) -> None:
    assert "at most 7" in refusal(protected, *(protected.group() for _ in range(8)))


def test_a_plan_has_at_most_a_hundred_items(protected: Wave) -> None:
    assert "at most 100" in refusal(protected, protected.group(*["web-1"] * MORE_ITEMS))


def test_shutdown_and_failover_stand_before_the_boot_groups(protected: Wave) -> None:
    late = {"groupType": "Shutdown", "replicationProtectedItems": [], "startGroupActions": [], "endGroupActions": []}
    assert "come first" in refusal(protected, protected.group("web-1"), late)


def test_items_belong_into_boot_groups(protected: Wave) -> None:
    wrong = protected.group("web-1") | {"groupType": "Failover"}
    assert "belong into Boot groups" in refusal(protected, wrong)


def test_the_fabrics_have_to_be_there(protected: Wave) -> None:
    body = protected.plan_body(protected.group("web-1"))
    body["properties"]["primaryFabricId"] += "-other"
    assert protected.ask("PUT", protected.plan, body).status == 400
    body = protected.plan_body(protected.group("web-1"))
    body["properties"]["recoveryFabricId"] = "Somewhere"
    assert protected.ask("PUT", protected.plan, body).status == 400


@pytest.mark.parametrize("kind", ["Start", "boot-2"])
def test_a_group_of_another_kind_is_refused(protected: Wave, kind: str) -> None:
    assert "groupType" in refusal(protected, protected.group("web-1") | {"groupType": kind})


def test_a_plan_that_is_not_there_gives_the_recorded_error(wave: Wave) -> None:
    response = wave.ask("GET", wave.plan)
    assert response.status == 404
    assert response.body["error"]["details"][0]["code"] == "ArmResourceDoesNotExist"
