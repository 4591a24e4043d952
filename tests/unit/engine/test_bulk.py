"""Which machines go into which recovery plan, what is asked of it, and what its job says of each machine."""

from typing import Any

import pytest
from tests.worlds.zones import lab_zone

from asr_migrate.domain.errors import RefusedError
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import Verb
from asr_migrate.domain.recovery_plan import StandingPlan, plan_name, plan_number, standing_numbers
from asr_migrate.domain.wave import Wave
from asr_migrate.engine import bulk
from asr_migrate.engine.bulk_outcome import PlanState, outcomes

ZONE = lab_zone(vault="vault-current")
FABRIC = "/subscriptions/s/vaults/v/replicationFabrics/f"


def described(name: str, group: str | None = None, boot_order: int = 1, **target: Any) -> dict[str, Any]:
    return {
        "name": name,
        "source_id": f"i-{name}",
        "wave": "w1",
        "os": "linux",
        "group": group,
        "boot_order": boot_order,
        "target": {"vm_name": f"vm-{name}", **target},
    }


def wave_of(machines: list[dict[str, Any]]) -> Wave:
    return Wave.from_hosts(machines, LandingZone.model_validate(ZONE))


def applications(count: int, size: int) -> list[dict[str, Any]]:
    """Return applications of ``size`` machines each, with boot orders 1 to 3."""
    return [
        described(f"app{number:02}-{member:02}", f"app{number:02}", 1 + member % 3)
        for number in range(count)
        for member in range(size)
    ]


def names(batches: list[bulk.Batch]) -> dict[str, set[str]]:
    return {batch.name: {machine.name for machine in batch.machines} for batch in batches}


def item(name: str, provider: str = "InMageRcm", fabric: str = FABRIC) -> dict[str, Any]:
    details = {"instanceType": provider}
    if provider == "InMageRcm":
        details["internalIdentifier"] = f"guid-{name}"
    return {
        "id": f"{fabric}/replicationProtectionContainers/c/replicationProtectedItems/{name}",
        "name": name,
        "properties": {
            "friendlyName": f"{name}.corp",
            "protectableItemId": f"{fabric}/replicationProtectionContainers/c/replicationProtectableItems/pi-{name}",
            "providerSpecificDetails": details,
        },
    }


def test_250_machines_with_applications_take_three_plans_and_every_application_is_whole():
    wave = wave_of([*applications(20, 12), *(described(f"single{number}") for number in range(10))])
    found = bulk.batches(wave, wave.machines, Verb.TEST_FAILOVER)
    assert [batch.name for batch in found] == ["asr-w1-1", "asr-w1-2", "asr-w1-3"]
    assert sum(len(batch.machines) for batch in found) == 250
    assert max(len(batch.machines) for batch in found) <= 100
    for application in {machine.group for machine in wave.machines if machine.group}:
        assert sum(application in {machine.group for machine in batch.machines} for batch in found) == 1


def test_the_groups_of_a_plan_follow_the_boot_order():
    wave = wave_of([described("web", "shop", 3), described("db", "shop", 1), described("app", "shop", 2)])
    (batch,) = bulk.batches(wave, wave.machines, Verb.FAIL_OVER)
    assert [[machine.name for machine in group] for group in batch.groups] == [["db"], ["app"], ["web"]]


def test_asked_again_with_fewer_machines_they_are_found_under_the_same_names():
    wave = wave_of(applications(25, 10))
    before = names(bulk.batches(wave, wave.machines, Verb.TEST_FAILOVER))
    few = wave.machines[::17]
    for name, machines in names(bulk.batches(wave, few, Verb.FAIL_OVER)).items():
        assert machines == before[name] & {machine.name for machine in few}


def test_the_order_in_which_the_inventory_lists_machines_changes_nothing():
    machines = applications(25, 10)
    forwards, backwards = wave_of(machines), wave_of(machines[::-1])
    assert bulk.batches(forwards, forwards.machines, Verb.COMMIT) == bulk.batches(
        backwards, backwards.machines, Verb.COMMIT
    )


def test_a_limited_run_finds_its_machines_in_the_plans_in_which_they_stand():
    whole = wave_of(applications(25, 10))
    batches = bulk.batches(whole, whole.machines, Verb.TEST_FAILOVER)
    ids = {machine.name: f"/items/{machine.name}" for machine in whole.machines}
    plans = {
        batch.name: StandingPlan(
            batch.name, tuple(tuple(ids[machine.name] for machine in group) for group in batch.groups)
        )
        for batch in batches
    }
    limited = wave_of([row for row in applications(25, 10) if row["group"] in ("app20", "app24")])
    standing = standing_numbers("w1", plans, {machine.name: ids[machine.name] for machine in limited.machines})
    found = names(bulk.batches(limited, limited.machines, Verb.FAIL_OVER, standing=standing))
    assert found == {
        name: here
        for name, machines in names(batches).items()
        if (here := machines & {machine.name for machine in limited.machines})
    }


def test_an_application_bigger_than_a_plan_is_refused_and_the_others_are_served():
    wave = wave_of([*applications(1, 101), *(described(f"single{number}") for number in range(3))])
    refused = bulk.unplannable(wave)
    assert len(refused) == 101
    assert {(refusal.code, refusal.why) for refusal in refused.values()} == {
        ("ApplicationTooBig", "application app00 (asr_group) has 101 machines; a recovery plan holds at most 100")
    }
    assert names(bulk.batches(wave, wave.machines, Verb.FAIL_OVER)) == {"asr-w1-1": {"single0", "single1", "single2"}}


def test_an_application_with_eight_boot_orders_is_refused():
    wave = wave_of([described(f"m{order}", "shop", order) for order in range(1, 9)])
    assert {refusal.code for refusal in bulk.unplannable(wave).values()} == {"TooManyBootOrders"}
    assert bulk.batches(wave, wave.machines, Verb.FAIL_OVER) == []


def test_machines_with_many_boot_orders_that_do_not_need_each_other_are_spread_over_plans():
    wave = wave_of([described(f"m{order:02}", None, order) for order in range(1, 21)])
    found = bulk.batches(wave, wave.machines, Verb.FAIL_OVER)
    assert [len(batch.groups) for batch in found] == [7, 7, 6]


def test_a_plan_tests_in_one_network():
    wave = wave_of([described("a"), described("b"), described("c", test_network="vnet-other")])
    assert list(names(bulk.batches(wave, wave.machines, Verb.TEST_FAILOVER)).values()) == [{"a", "b"}, {"c"}]
    divided = wave_of([described("a", "shop"), described("b", "shop", test_network="vnet-other")])
    assert {refusal.code for refusal in bulk.unplannable(divided).values()} == {"ApplicationDivided"}


def test_a_plan_moves_machines_of_one_appliance():
    wave = wave_of([described("a"), described("b"), described("c")])
    fabrics = {"a": "/f/1", "b": "/f/2"}
    assert list(names(bulk.batches(wave, wave.machines, Verb.FAIL_OVER, fabrics=fabrics)).values()) == [
        {"a", "c"},
        {"b"},
    ]


def test_completing_is_nothing_that_a_plan_can_do():
    wave = wave_of([described("a")])
    with pytest.raises(RefusedError, match="recovery plans cannot complete the migration"):
        bulk.batches(wave, wave.machines, Verb.COMPLETE)


@pytest.mark.parametrize(
    ("count", "order", "verb", "worth"),
    [
        (10, 1, Verb.FAIL_OVER, True),
        (9, 1, Verb.FAIL_OVER, False),
        (2, 2, Verb.FAIL_OVER, True),
        (50, 1, Verb.REPLICATE, False),
    ],
)
def test_plans_are_worth_it_for_many_machines_or_for_an_order(count, order, verb, worth):
    machines = wave_of([described(f"m{number}", None, 1 + number % order) for number in range(count)]).machines
    assert bulk.worth_a_plan(machines, verb) is worth


@pytest.mark.parametrize("wave", ["w1", "Wave 1", "wave_1", "WAVE-1", "ÄÖ", "x" * 90])
def test_a_plan_is_known_by_its_name_to_belong_to_its_wave(wave):
    name = plan_name(wave, 12)
    assert plan_number(wave, name.upper()) == 12
    assert len(name) <= 63
    assert all(letter.isascii() and (letter.isalnum() or letter == "-") for letter in name)


def test_plans_of_other_waves_and_of_users_are_not_ours():
    others = ("asr-w1-1-1", "asr-w1", "asr-w1-x", "asr-w1-01", "my-plan", "asr-w2-1")
    assert [plan_number("w1", name) for name in others] == [None] * len(others)
    assert len({plan_name(wave, 1) for wave in ("wave 1", "wave_1", "Wave-1", "wave-1")}) == 4


def test_the_request_names_items_groups_and_the_kind_of_recovery_point():
    wave = wave_of([described("web", "shop", 2), described("db", "shop", 1)])
    (batch,) = bulk.batches(wave, wave.machines, Verb.TEST_FAILOVER)
    call = bulk.plan_call(batch, {"web": item("web"), "db": item("db")}, "/net/test")
    assert (call.operation, call.plan, call.fabric_id) == ("testFailover", "asr-w1-1", FABRIC)
    assert [[member.virtual_machine_id for member in group] for group in call.groups] == [["guid-db"], ["guid-web"]]
    assert call.body == {
        "properties": {
            "failoverDirection": "PrimaryToRecovery",
            "networkType": "VmNetworkAsInput",
            "networkId": "/net/test",
            "providerSpecificDetails": [{"instanceType": "InMageRcm", "recoveryPointType": "Latest"}],
        }
    }


def test_the_classic_provider_is_named_by_its_protectable_item():
    wave = wave_of([described("web")])
    (batch,) = bulk.batches(wave, wave.machines, Verb.FAIL_OVER)
    call = bulk.plan_call(batch, {"web": item("web", "InMageAzureV2")}, "/net/test")
    assert [member.virtual_machine_id for member in call.members] == ["pi-web"]
    assert call.body["properties"]["sourceSiteOperations"] == "NotRequired"
    assert call.body["properties"]["providerSpecificDetails"] == [
        {"instanceType": "InMageAzureV2", "recoveryPointType": "Latest"}
    ]


def test_a_request_for_machines_of_two_providers_is_refused():
    wave = wave_of([described("web"), described("db")])
    (batch,) = bulk.batches(wave, wave.machines, Verb.COMMIT)
    with pytest.raises(RefusedError, match="recovery plan asr-w1-1 needs machines of one appliance"):
        bulk.plan_call(batch, {"web": item("web"), "db": item("db", "InMageAzureV2")}, "/net/test")


def test_check_mode_lists_two_writes_for_a_plan():
    wave = wave_of([described("web", "shop", 2), described("db", "shop", 1)])
    (batch,) = bulk.batches(wave, wave.machines, Verb.FAIL_OVER)
    assert [(write.method, write.path) for write in bulk.planned(batch, "v")] == [
        ("PUT", "replicationRecoveryPlans/asr-w1-1"),
        ("POST", "replicationRecoveryPlans/asr-w1-1/unplannedFailover"),
    ]
    assert bulk.planned(batch, "v", exists=True)[0].method == "PATCH"


def task(machine: str, state: str, *children: dict[str, Any], **details: Any) -> dict[str, Any]:
    """Return a machine's task; one that has begun names its job."""
    entity = {"jobId": f"job-{machine}", "targetObjectId": f"guid-{machine}", "targetObjectName": f"{machine}.corp"}
    begun = state not in ("NotStarted", "Other")
    return {
        "taskId": f"task-{machine}",
        "name": f"{machine}.corp",
        "friendlyName": f"{machine}.corp",
        "state": state,
        "customDetails": {
            "instanceType": "VirtualMachineTaskDetails",
            "jobTask": entity if begun else None,
            **details,
        },
        "groupTaskCustomDetails": {"instanceType": "InlineWorkflowTaskDetails", "childTasks": list(children)},
        "errors": [],
    }


def job(state: str, *tasks: dict[str, Any], errors: Any = ()) -> dict[str, Any]:
    group = {
        "taskId": "group",
        "state": "InProgress",
        "customDetails": {"instanceType": "TaskDetails"},
        "groupTaskCustomDetails": {"instanceType": "RecoveryPlanGroupTaskDetails", "childTasks": list(tasks)},
        "errors": [],
    }
    checks = {"taskId": "checks", "state": "Succeeded", "groupTaskCustomDetails": None, "errors": []}
    properties = {"friendlyName": "Failover", "state": state, "tasks": [checks, group], "errors": list(errors)}
    return {"name": "job-1", "properties": properties}


def said(code: str, task_id: str) -> dict[str, Any]:
    return {"serviceErrorDetails": {"code": code, "message": f"error {code}"}, "taskId": task_id}


def test_each_machine_of_a_job_has_its_own_outcome():
    step = {"taskId": "step", "state": "InProgress", "friendlyName": "Starting the VM", "errors": []}
    broken = {"taskId": "broken", "state": "Failed", "errors": [said("28031", "broken")]}
    told = job(
        "InProgress",
        task("done", "Succeeded"),
        task("going", "InProgress", step),
        task("bad", "Failed", broken),
        task("over", "Other", skippedReason="NotAllowed", skippedReasonString="It is not protected."),
        task("later", "NotStarted"),
    )
    found = outcomes(told, {name: item(name) for name in ("done", "going", "bad", "over", "later")})
    assert {name: outcome.state for name, outcome in found.items()} == {
        "done": PlanState.DONE,
        "going": PlanState.RUNNING,
        "bad": PlanState.FAILED,
        "over": PlanState.SKIPPED,
        "later": PlanState.RUNNING,
    }
    assert found["going"].at == "Starting the VM"
    assert (found["bad"].fault.code, found["bad"].job_id) == ("28031", "job-bad")
    assert "It is not protected." in found["over"].fault.message


def test_an_error_that_stands_at_the_job_is_that_of_the_machine_whose_task_it_names():
    told = job(
        "Failed",
        task("one", "Failed"),
        task("two", "Succeeded"),
        errors=[said("9999", "elsewhere"), said("28031", "task-one")],
    )
    found = outcomes(told, {"one": item("one"), "two": item("two")})
    assert found["one"].fault.code == "28031"
    assert found["two"].state is PlanState.DONE


def test_a_job_that_fails_at_its_checks_fails_every_machine_with_its_error():
    told = job("Failed", task("one", "NotStarted"), errors=[said("539", "checks")])
    found = outcomes(told, {"one": item("one"), "unnamed": item("unnamed")})
    assert {(outcome.state, outcome.fault.code) for outcome in found.values()} == {(PlanState.FAILED, "539")}


def test_the_job_decides_what_a_task_that_never_ended_means():
    assert outcomes(job("Succeeded", task("one", "InProgress")), {"one": item("one")})["one"].state is PlanState.DONE
    assert outcomes(job("Cancelled", task("one", "InProgress")), {"one": item("one")})["one"].state is PlanState.FAILED
    empty = {"name": "job-1", "properties": {"state": "NotStarted", "tasks": []}}
    assert outcomes(empty, {"one": item("one")})["one"].state is PlanState.RUNNING
