"""Gates: each one passes, waits or refuses, and says why."""

from datetime import UTC, datetime, timedelta

import pytest

from asr_migrate.domain.errors import InputError, lookup
from asr_migrate.domain.gates import GATES, OPEN, Approval, Gates
from asr_migrate.domain.lifecycle import AzureVm, Goal, Observation, Refuse, Stage, Verb, Wait
from asr_migrate.domain.parsing import parse
from asr_migrate.engine.decide import decide

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)  # a Wednesday
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def seen(stage=Stage.TESTED, **more):
    return Observation(
        stage,
        allowed_operations=frozenset({"UnplannedFailover", "TestFailover", "Commit", "CompleteMigration"}),
        **more,
    )


def gates(**options):
    return parse(Gates, options, "asr_gates")


def test_open_gates_stop_nothing():
    for verb in Verb:
        assert OPEN.stop(seen(), verb) is None


def test_a_test_vm_that_is_left_is_waited_for_whatever_the_gates_say():
    left = seen(test_vm=AzureVm("vm-web-test", "/vm", "rg"))
    found = decide(left, Goal.FAILED_OVER)
    assert isinstance(found, Wait)
    assert "vm-web-test is still in resource group rg" in found.why
    assert found.patience_s


@pytest.mark.parametrize("verb", [Verb.FAIL_OVER, Verb.COMMIT, Verb.COMPLETE, Verb.STOP_REPLICATION])
def test_what_nobody_approved_is_refused(verb):
    asking = gates(require_approval=True)
    assert asking.stop(seen(), verb).code == "NotApproved"
    approved = asking.model_copy(update={"approval": Approval(by="Ada", reason="change 4711")})
    assert approved.stop(seen(), verb) is None


@pytest.mark.parametrize("verb", [Verb.REPLICATE, Verb.TEST_FAILOVER, Verb.CLEAN_UP_TEST, Verb.UPDATE])
def test_what_production_does_not_notice_needs_no_approval_and_no_open_window(verb):
    asking = gates(require_approval=True, freeze=[{"start": NOW - HOUR, "end": NOW + HOUR, "why": "year end"}])
    assert asking.stop(seen(), verb, NOW) is None


def test_a_failover_of_a_machine_that_was_never_tested_is_refused_and_names_the_goal_before_it():
    found = decide(seen(Stage.PROTECTED), Goal.FAILED_OVER, gates(tested_within_days=7), NOW)
    assert (found.code, found.first) == ("NotTested", Goal.TESTED)


@pytest.mark.parametrize(("age", "code"), [(7 * DAY, None), (7 * DAY + timedelta(seconds=1), "TestTooOld")])
def test_a_test_counts_for_so_many_days(age, code):
    found = gates(tested_within_days=7).stop(seen(last_test=NOW - age), Verb.FAIL_OVER, NOW)
    assert (found.code if found else None) == code


def test_a_machine_whose_test_is_too_old_can_be_tested_again():
    old = seen(last_test=NOW - 9 * DAY)
    found = decide(old, Goal.TEST_RUNNING, gates(tested_within_days=7), NOW)
    assert found.verb is Verb.TEST_FAILOVER
    assert "more than 7 days old" in found.why


def test_a_failover_without_a_known_quiesce_is_refused():
    found = gates(fresh_point=True).stop(seen(last_point=NOW), Verb.FAIL_OVER, NOW)
    assert (type(found), found.code) == (Refuse, "NotQuiesced")


@pytest.mark.parametrize(
    ("point", "since", "kind"),
    [
        (NOW - 1 * HOUR, timedelta(minutes=10), Wait),
        (None, timedelta(minutes=10), Wait),
        (NOW - timedelta(minutes=10), timedelta(minutes=10), Wait),
        (NOW - timedelta(minutes=9), timedelta(minutes=10), type(None)),
        (NOW - 1 * HOUR, timedelta(minutes=31), Refuse),
    ],
)
def test_a_recovery_point_later_than_the_quiesce_is_waited_for_and_given_up(point, since, kind):
    found = gates(fresh_point=True).stop(seen(last_point=point, quiesced_at=NOW - since), Verb.FAIL_OVER, NOW)
    assert isinstance(found, kind)
    if found:
        assert found.code == "StalePoint"


def test_the_quiesce_may_be_given_beside_the_observation():
    assert gates(fresh_point=True).stop(seen(last_point=NOW), Verb.FAIL_OVER, NOW, NOW - HOUR) is None


@pytest.mark.parametrize(("probed", "code"), [(None, "NotProbed"), (False, "ProbeFailed"), (True, None)])
def test_a_commit_waits_for_the_probes(probed, code):
    over = seen(Stage.FAILED_OVER, probed=probed, probe_failures=("port 443 is refused",))
    found = gates(probes=True).stop(over, Verb.COMMIT, NOW)
    assert (found.code if found else None) == code
    if probed is False:
        assert "port 443 is refused" in found.why


@pytest.mark.parametrize("goal", [Goal.TEST_RUNNING, Goal.FAILED_OVER])
def test_a_goal_with_a_vm_is_reached_when_its_probes_passed(goal):
    vm = AzureVm("vm-web", "/vm", "rg", running=True)
    there = seen(Stage(goal.value), vm=vm, test_vm=vm)
    assert isinstance(decide(there, goal, gates(probes=True), NOW), Wait)
    assert not isinstance(decide(there, goal), Wait)


def test_everything_that_somebody_has_to_do_is_named_at_once():
    found = gates(require_approval=True, tested_within_days=7, fresh_point=True).stop(seen(), Verb.FAIL_OVER, NOW)
    assert found.code == "NotApproved"
    assert "no test failover" in found.why
    assert "stands still" in found.why


def test_a_gate_that_needs_the_time_says_so():
    with pytest.raises(ValueError, match="no time was given"):
        gates(tested_within_days=7).stop(seen(last_test=NOW), Verb.FAIL_OVER)


@pytest.mark.parametrize("code", sorted({code for gate in GATES for code in gate.codes}))
def test_every_gate_has_a_remedy_in_the_catalogue(code):
    assert lookup(code).remedy


FROZEN_NIGHTS = {"days": ["fri"], "from": "18:00", "to": "06:00", "zone": "Europe/Berlin", "why": "batch run"}


@pytest.mark.parametrize(
    ("moment", "frozen"),
    [
        ("2026-03-06T17:59:59+01:00", False),
        ("2026-03-06T18:00:00+01:00", True),
        ("2026-03-07T05:59:59+01:00", True),
        ("2026-03-07T06:00:00+01:00", False),
        ("2026-03-06T05:00:00+01:00", False),
        ("2026-03-06T17:30:00+00:00", True),
    ],
)
def test_a_weekly_window_goes_over_midnight_and_its_end_is_open(moment, frozen):
    found = gates(freeze=[FROZEN_NIGHTS]).stop(seen(), Verb.FAIL_OVER, datetime.fromisoformat(moment))
    assert (found.code if found else None) == ("Frozen" if frozen else None)


@pytest.mark.parametrize(
    ("moment", "frozen", "end"),
    [
        # Berlin goes to summer time at 2026-03-29T01:00Z: 06:00 there is 04:00Z, no longer 05:00Z
        ("2026-03-29T03:59:00+00:00", True, "06:00 +0200"),
        ("2026-03-29T04:00:00+00:00", False, None),
        # and back at 2026-10-25T01:00Z: 06:00 there is 05:00Z again
        ("2026-10-25T04:59:00+00:00", True, "06:00 +0100"),
        ("2026-10-25T05:00:00+00:00", False, None),
    ],
)
def test_a_weekly_window_keeps_its_wall_clock_when_the_clocks_change(moment, frozen, end):
    saturday = {**FROZEN_NIGHTS, "days": ["sat"]}
    found = gates(freeze=[saturday]).stop(seen(), Verb.FAIL_OVER, datetime.fromisoformat(moment))
    assert (found is not None) == frozen
    if found:
        assert end in found.why


def test_windows_that_follow_each_other_end_together():
    days = [{"days": [day], "zone": "UTC", "why": "weekend"} for day in ("sat", "sun")]
    found = gates(freeze=days).stop(seen(), Verb.FAIL_OVER, datetime(2026, 3, 7, 12, tzinfo=UTC))
    assert "until Mon 2026-03-09 00:00 UTC" in found.why


def test_a_freeze_of_every_day_has_no_end_in_sight():
    always = [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "zone": "UTC", "why": "the company is sold"}]
    assert "no end of it is in sight" in gates(freeze=always).stop(seen(), Verb.FAIL_OVER, NOW).why


def test_a_single_window_ends_when_it_says():
    window = {"start": "2026-03-04T10:00:00Z", "end": "2026-03-04T13:00:00+00:00", "why": "audit"}
    asking = gates(freeze=[window])
    assert "until Wed 2026-03-04 13:00 UTC: audit" in asking.stop(seen(), Verb.FAIL_OVER, NOW).why
    assert asking.stop(seen(), Verb.FAIL_OVER, NOW + HOUR) is None


@pytest.mark.parametrize(
    ("options", "place", "value", "words"),
    [
        ({"tested_within_days": 0}, "asr_gates.tested_within_days", "0", "at least 1"),
        ({"tested_within_days": True}, "asr_gates.tested_within_days", "True", "number of days"),
        ({"tested_within": 7}, "asr_gates.tested_within", "7", ""),
        ({"approval": {"by": " ", "reason": "x"}}, "asr_gates.approval.by", "' '", ""),
        ({"approval": {"by": "Ada"}}, "asr_gates.approval.reason", "(not given)", ""),
        ({"freeze": [{"why": "x"}]}, "asr_gates.freeze.0", "'why': 'x'", "neither start and end nor days"),
        ({"freeze": [{"days": ["fry"], "zone": "UTC", "why": "x"}]}, "asr_gates.freeze.0.days", "fry", "is no day"),
        ({"freeze": [{"days": ["fri"], "why": "x"}]}, "asr_gates.freeze.0", "fri", "no zone"),
        ({"freeze": [{**FROZEN_NIGHTS, "zone": "Mars/X"}]}, "asr_gates.freeze.0.zone", "Mars/X", "time zone"),
        ({"freeze": [{**FROZEN_NIGHTS, "from": 1080}]}, "asr_gates.freeze.0.from", "1080", "quotes"),
        ({"freeze": [{"start": "2026-03-04T10:00:00Z", "why": "x"}]}, "asr_gates.freeze.0", "2026", "no end"),
        (
            {"freeze": [{"start": "2026-03-04T10:00:00", "end": "2026-03-05T10:00:00Z", "why": "x"}]},
            "asr_gates.freeze.0.start",
            "2026-03-04T10:00:00",
            "with a zone",
        ),
        (
            {"freeze": [{"start": "2026-03-04T10:00:00Z", "end": "2026-03-04T09:00:00Z", "why": "x"}]},
            "asr_gates.freeze.0",
            "2026",
            "ends before it starts",
        ),
    ],
)
def test_what_is_written_wrong_is_named_with_place_value_and_remedy(options, place, value, words):
    with pytest.raises(InputError) as caught:
        gates(**options)
    assert caught.value.place == place
    assert value in caught.value.cause
    assert words in str(caught.value)
    assert caught.value.remedy.endswith(".")


def test_gates_that_are_no_dictionary_are_named():
    with pytest.raises(InputError, match="asr_gates: must be a dictionary"):
        parse(Gates, ["freeze"], "asr_gates")
