"""Before the work of a machine is stopped: which machines would a run move now, and what holds the others back."""

import asyncio
from datetime import UTC, datetime

import pytest
from tests.worlds.zones import short_zone

from asr_migrate.clock import ManualClock
from asr_migrate.domain.gates import OPEN, Gates
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import AzureVm, Goal, Observation, Stage
from asr_migrate.domain.parsing import parse
from asr_migrate.domain.wave import Wave
from asr_migrate.engine.preflight import PATIENCE_S, preflight

ZONE = short_zone()
OFFERED = frozenset({"UnplannedFailover", "TestFailover"})
READY = Observation(Stage.PROTECTED, OFFERED)
TEST_VM = AzureVm("vm-web-test", "/vm", "rg")


def wave(*names, group=None):
    machines = [
        {
            "name": name,
            "source_id": f"i-{name}",
            "wave": "w",
            "os": "linux",
            "target": {"vm_name": name},
            "group": group,
        }
        for name in names
    ]
    return Wave.from_hosts(machines, parse(LandingZone, ZONE, "z"))


def ask(found, *, gates=OPEN, group=None, left_out=(), clock=None):
    """Ask with what each look shows: ``found`` is name -> one observation, or one a look, the last for ever."""
    looks = []

    async def look(_):
        looks.append(1)
        return {name: seen[min(len(looks), len(seen)) - 1] for name, seen in shown.items()}

    shown = {name: seen if isinstance(seen, list) else [seen] for name, seen in found.items()}
    made = wave(*found, group=group)
    return asyncio.run(preflight(look, made, Goal.FAILED_OVER, gates, clock or ManualClock(), left_out))


def test_a_machine_that_a_run_would_fail_over_moves():
    assert ask({"web": READY})["web"].moves


@pytest.mark.parametrize("stage", [Stage.FAILING_OVER, Stage.FAILED_OVER, Stage.COMMITTED, Stage.MIGRATED])
def test_a_machine_that_is_on_its_way_or_there_neither_moves_nor_is_kept_back(stage):
    answer = ask({"web": Observation(stage, busy=stage is Stage.FAILING_OVER)})["web"]
    assert (answer.moves, answer.refusal) == (False, None)


def test_the_gate_that_comes_after_the_work_has_stopped_is_not_asked():
    assert ask({"web": READY}, gates=Gates(fresh_point=True))["web"].moves


def test_what_a_gate_refuses_is_kept_back_with_its_code():
    answer = ask({"web": READY}, gates=Gates(require_approval=True))["web"]
    assert answer.refusal.code == "NotApproved"
    assert answer.as_dict()["refusal"]["remedy"]


def test_a_test_vm_that_goes_away_is_waited_for():
    clock = ManualClock()
    leaving = Observation(Stage.TESTED, OFFERED, test_vm=TEST_VM)
    gone = Observation(Stage.TESTED, OFFERED)
    assert ask({"web": [leaving, leaving, gone]}, clock=clock)["web"].moves
    assert 0 < clock.monotonic() < PATIENCE_S


def test_a_test_vm_that_stays_keeps_its_machine_back_after_ten_minutes():
    clock = ManualClock()
    answer = ask({"web": Observation(Stage.TESTED, OFFERED, test_vm=TEST_VM)}, clock=clock)["web"]
    assert answer.refusal.code == "TestVmLeft"
    assert clock.monotonic() >= PATIENCE_S


def test_a_list_that_is_behind_is_looked_at_again_before_a_machine_is_kept_back():
    tested = Observation(Stage.PROTECTED, OFFERED, last_test=datetime(2025, 12, 31, tzinfo=UTC))
    assert ask({"web": [READY, tested]}, gates=Gates(tested_within_days=7))["web"].moves


def test_a_machine_that_is_still_being_copied_is_kept_back():
    answer = ask({"web": Observation(Stage.REPLICATING)})["web"]
    assert answer.refusal.code == "NoChange"
    assert "replicating" in answer.refusal.message


def test_an_application_stays_when_one_of_its_machines_is_kept_back():
    answers = ask({"web": READY, "db": Observation(Stage.ABSENT)}, group="shop")
    assert answers["web"].refusal.code == "ApplicationHeldBack"
    assert "db" in answers["web"].refusal.cause
    assert answers["db"].refusal.code == "NotReplicating"


def test_a_machine_that_the_run_has_lost_holds_its_application_back():
    answers = ask({"web": READY, "db": READY}, group="shop", left_out=["db"])
    assert answers["web"].refusal.code == "ApplicationHeldBack"


def test_a_machine_that_moved_before_and_fell_out_holds_nobody_back():
    answers = ask({"web": READY, "db": Observation(Stage.FAILED_OVER)}, group="shop", left_out=["db"])
    assert answers["web"].moves


def test_machines_without_an_application_do_not_hold_each_other_back():
    assert ask({"web": READY, "db": Observation(Stage.ABSENT)})["web"].moves
