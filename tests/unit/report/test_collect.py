"""From what the vault answered to a wave report."""

from datetime import UTC, datetime

import pytest

from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import AzureVm, Fault, Observation, Stage
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.site import Sweep
from asr_migrate.report.collect import failover_job, moment, recovery_point_id, recovery_point_time, wave_report
from asr_migrate.report.model import Result, steps_of

ZONE = LandingZone.model_validate(
    {
        "subscription_id": "s",
        "tenant_id": "t",
        "location": "westeurope",
        "resource_group": "rg",
        "vault": "vault-legacy",
        "network": "vnet-prod",
        "subnet": "apps",
        "test_network": "vnet-test",
        "test_subnet": "apps",
        "cache_storage_account": "stcache",
        "architecture": "classic",
        "policy": {"name": "ec2"},
        "appliance": {"name": "cs", "address": "10.20.0.10"},
    }
)


def machine(name, **more):
    data = {
        "name": name,
        "source_id": f"i-{name}",
        "wave": "legacy",
        "os": "linux",
        "target": {"vm_name": f"{name}-az"},
    }
    return Machine.model_validate(data | more)


def job(name, scenario, target, start, end, state="Succeeded"):
    properties = {
        "scenarioName": scenario,
        "targetObjectName": target,
        "state": state,
        "startTime": start,
        "endTime": end,
    }
    return {"name": name, "properties": properties}


JOBS = (
    job("j3", "UnplannedFailover", "DB-1", "2026-05-04T10:00:00.1234567Z", "2026-05-04T10:08:00Z"),
    job("j1", "EnableDr", "db-1", "2026-05-04T08:00:00.1234567Z", "2026-05-04T08:27:00Z"),
    job("j2", "TestFailover", "other", "2026-05-04T09:00:00Z", "2026-05-04T09:08:00Z"),
    job("j0", "AddProtectionProfile", "db-1", "2026-05-04T07:00:00Z", "2026-05-04T07:01:00Z"),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-05-04T08:00:00.1234567Z", datetime(2026, 5, 4, 8, 0, 0, 123456, tzinfo=UTC)),
        ("2026-05-04T08:00:00Z", datetime(2026, 5, 4, 8, 0, tzinfo=UTC)),
        ("2026-05-04T10:00:00+02:00", datetime(2026, 5, 4, 8, 0, tzinfo=UTC)),
        ("0001-01-01T00:00:00", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_of_the_service_becomes_aware_utc(text, expected):
    assert moment(text) == expected


def report_of(one, seen, **more):
    given = {"findings": {}, "recovery_points": {}, "addresses": {}} | more
    report = wave_report("legacy", ZONE, [one], Sweep(jobs=JOBS), lambda found, sweep: seen, **given)
    return report.machines[0]


def test_the_machine_gets_its_own_jobs_in_the_order_of_time():
    made = report_of(machine("db-1"), Observation(Stage.FAILED_OVER))
    assert [step.job for step in made.steps] == ["j1", "j3"]


def test_jobs_are_found_by_the_host_name_too():
    made = report_of(machine("web", host_name="other"), Observation(Stage.TEST_RUNNING))
    assert [step.job for step in made.steps] == ["j2"]


def test_the_azure_vm_carries_its_address_and_the_failover_its_recovery_point():
    vm = AzureVm("db-1-az", "/subscriptions/s/resourceGroups/rg/VM/db-1-az", "rg", "Standard_D2s_v5")
    point = datetime(2026, 5, 4, 9, 59, tzinfo=UTC)
    made = report_of(
        machine("db-1"),
        Observation(Stage.MIGRATED, vm=vm),
        addresses={vm.id.lower(): "10.60.1.9"},
        recovery_points={"db-1": point},
    )
    assert (made.result, made.azure_vm.private_ip, made.recovery_point) == (Result.MIGRATED, "10.60.1.9", point)


def test_the_fault_of_a_broken_machine_is_told_with_cause_and_remedy():
    fault = Fault("push failed", "95107", "The account is wrong", "Check the account")
    made = report_of(machine("db-1"), Observation(Stage.BROKEN, error=fault))
    assert (made.result, made.reasons) == (Result.FAILED, ("95107: The account is wrong",))


def test_findings_refuse_a_machine_that_was_never_replicated():
    found = {
        "db-1": [{"rule": "os.64-bit", "severity": "blocker", "text": "32-bit", "remedy": "Move it", "source": "x"}]
    }
    made = report_of(machine("db-1"), Observation(Stage.ABSENT), findings=found)
    assert (made.result, made.reasons) == (Result.REFUSED, ("32-bit",))


def test_only_a_failover_that_succeeded_names_the_recovery_point():
    rows = [
        {
            "name": "a",
            "scenario": "UnplannedFailover",
            "state": "Failed",
            "target": "x",
            "started": None,
            "ended": None,
        },
        {
            "name": "b",
            "scenario": "UnplannedFailover",
            "state": "Succeeded",
            "target": "x",
            "started": None,
            "ended": None,
        },
    ]
    assert failover_job(steps_of(["x"], rows)) == "b"
    assert failover_job(steps_of(["x"], rows[:1])) is None


def test_the_recovery_point_of_a_failed_over_item_is_found_under_the_items_own_id():
    alias = "/Subscriptions/s/vaults/v/replicationFabrics/f/cloud_1/replicationProtectedItems/db-1/recoveryPoints/p-7"
    item = {"id": "/subscriptions/s/vaults/v/items/db-1", "properties": {"failoverRecoveryPointId": alias}}
    assert recovery_point_id(item) == "/subscriptions/s/vaults/v/items/db-1/recoveryPoints/p-7"
    assert recovery_point_id({"id": "x", "properties": {"failoverRecoveryPointId": None}}) is None
    assert recovery_point_id(None) is None


def test_the_recovery_points_time_is_read():
    point = {"properties": {"recoveryPointTime": "2026-05-04T09:59:00Z"}}
    assert recovery_point_time(point) == datetime(2026, 5, 4, 9, 59, tzinfo=UTC)
