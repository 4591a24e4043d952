"""From what the vault answered to a wave report."""

from datetime import UTC, datetime

import pytest
from tests.worlds.zones import short_zone

from asr_migrate.azure.journal import RunResult
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import AzureVm, Fault, Observation, Stage
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.site import Sweep
from asr_migrate.report.collect import failover_job, moment, recovery_point_id, recovery_point_time, wave_report
from asr_migrate.report.model import Result, Step, minutes_left, steps_of

ZONE = LandingZone.model_validate(short_zone(vault="vault-legacy", network="vnet-prod", architecture="classic"))


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
    assert (made.result, made.reasons) == (
        Result.FAILED,
        ("push failed [95107] Cause: The account is wrong Remedy: Check the account",),
    )


NOT_TESTED = Fault("db-1 was never tested", "NotTested", "no test failover ended well", "Run test_failover")


def said(fault, stage=Stage.PROTECTED):
    return {"db-1": RunResult(datetime(2026, 5, 4, 12, tzinfo=UTC), "db-1", "failed_over", str(stage), fault)}


def test_a_gate_that_refused_a_machine_is_told_in_the_words_of_the_run():
    made = report_of(machine("db-1"), Observation(Stage.PROTECTED), results=said(NOT_TESTED))
    words = "db-1 was never tested [NotTested] Cause: no test failover ended well Remedy: Run test_failover"
    assert (made.result, made.reasons) == (Result.FAILED, (words,))


def test_the_runs_words_win_over_the_jobs_for_the_same_error():
    shown, run = Fault("Failover: no quota", "28031"), Fault("db-1: fail over failed: no quota", "28031")
    made = report_of(machine("db-1"), Observation(Stage.BROKEN, error=shown), results=said(run, Stage.BROKEN))
    assert made.failure.message == run.message


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (Observation(Stage.TESTED), said(NOT_TESTED)),
        (Observation(Stage.PROTECTED), said(None)),
        (Observation(Stage.PROTECTED), said(Fault("stopped", "Stopped"))),
    ],
    ids=["moved on since", "reached", "stopped by somebody"],
)
def test_what_a_run_said_is_no_failure_of_the_machine_now(seen, told):
    assert report_of(machine("db-1"), seen, results=told).failure is None


def test_another_error_that_azure_shows_now_wins_over_what_a_run_said():
    seen = Observation(Stage.BROKEN, error=Fault("the disk is gone", "95107"))
    made = report_of(machine("db-1"), seen, results=said(NOT_TESTED, Stage.BROKEN))
    assert made.failure.code == "95107"


ENABLED = Step("EnableDr", "j", "Succeeded", datetime(2026, 5, 4, 8, tzinfo=UTC), datetime(2026, 5, 4, 9, tzinfo=UTC))
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("steps", "progress", "now", "minutes"),
    [
        ((ENABLED,), 75.0, NOON, 60),
        ((ENABLED,), 0.0, NOON, None),
        ((ENABLED,), None, NOON, None),
        ((ENABLED,), 75.0, None, None),
        ((), 75.0, NOON, None),
        ((ENABLED, Step("IrCompletion", "k", "Succeeded", NOON, NOON)), 75.0, NOON, None),
    ],
    ids=["copying", "nothing copied", "share not known", "time not known", "not enabled here", "copied before"],
)
def test_the_time_left_follows_from_the_average_pace_of_the_first_copy(steps, progress, now, minutes):
    assert minutes_left(steps, progress, now) == minutes


def test_the_rpo_of_a_machine_that_no_longer_replicates_is_left_out():
    rpo_s = [
        report_of(machine("db-1"), Observation(stage, rpo_s=90.0)).rpo_s for stage in (Stage.TESTED, Stage.COMMITTED)
    ]
    assert rpo_s == [90.0, None]


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
