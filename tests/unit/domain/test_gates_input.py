"""What is written wrong in asr_gates, asr_approval, asr_wait_scale and wave_timeout_s is one clear error."""

import asyncio
from datetime import UTC, datetime

import pytest

from asr_migrate.clock import ManualClock
from asr_migrate.domain.errors import InputError
from asr_migrate.domain.freeze import Freeze
from asr_migrate.domain.gates import Gates
from asr_migrate.domain.lifecycle import Observation, Refuse, Stage, Verb
from asr_migrate.domain.parsing import parse
from asr_migrate.session import approval_of, gates_of, open_session, request_of

from .test_values import MACHINE, ZONE

AT = "asr_gates.freeze.0"
ONCE = {"start": "2026-12-20T00:00:00+01:00", "end": "2027-01-04T00:00:00+01:00", "why": "year's end"}
WEEKLY = {"days": ["fri"], "zone": "UTC", "why": "weekend"}


@pytest.mark.parametrize(
    ("gates", "told"),
    [
        ("soon", "asr_gates: must be a dictionary, not 'soon'"),
        ([{"probes": True}], "asr_gates: must be a dictionary, not [{'probes': True}]"),
        ({"tested_within_days": 1_000_000_000_000}, "asr_gates.tested_within_days: must be at most 3650"),
        ({"tested_within_days": -3}, "asr_gates.tested_within_days: must be at least 1, not -3"),
        ({"probes": "perhaps"}, "asr_gates.probes: must be true or false, not 'perhaps'"),
        ({"freeze": "friday"}, "asr_gates.freeze: must be a list, not 'friday'"),
        ({"freeze": [{**ONCE, "start": 1, "end": 2}]}, f"{AT}.start: must be a date and time with a zone"),
        ({"freeze": [{**ONCE, "start": "1", "end": "2"}]}, f"{AT}.start: must be a date and time with a zone"),
        ({"freeze": [{**ONCE, "start": "soon"}]}, f"{AT}.start: must be a date and time with a zone"),
        ({"freeze": [{**ONCE, "end": "9999-12-31T23:59:00-12:00"}]}, f"{AT}.end: is too far away"),
        ({"freeze": [{**WEEKLY, "days": ["sunset", "monkey"]}]}, f"{AT}.days: sunset is no day"),
        ({"freeze": [{**WEEKLY, "from": "25:00"}]}, f"{AT}.from: must be a time in quotes"),
        ({"freeze": [{**WEEKLY, "why": ""}]}, f"{AT}.why: must not be empty"),
    ],
)
def test_a_wrong_gate_is_named_with_place_and_value_in_plain_words(gates, told):
    with pytest.raises(InputError) as caught:
        gates_of(gates, None)
    assert caught.value.message.startswith(told)
    assert caught.value.remedy
    assert caught.value.message not in caught.value.remedy


@pytest.mark.parametrize("nothing", [None, "", {}])
def test_nothing_is_no_gate_and_no_approval(nothing):
    assert gates_of(nothing, nothing) == Gates()
    assert approval_of({"by": "", "reason": ""}) is None


def test_the_command_line_may_give_both_as_json():
    assert gates_of('{"probes": true}', '{"by": "eve", "reason": "CHG1"}').approval.by == "eve"


def test_days_may_be_written_out():
    freeze = parse(Freeze, {**WEEKLY, "days": ["Friday", "sat"]}, "f")
    assert freeze.days == ("fri", "sat")


@pytest.mark.parametrize(
    ("approval", "told"),
    [
        ("eve", "asr_approval: must be a dictionary, not 'eve'"),
        ({"by": "eve"}, "asr_approval.reason: is not given"),
        ({"by": "eve", "reason": " "}, "asr_approval.reason: must not be empty"),
    ],
)
def test_a_wrong_approval_is_named(approval, told):
    with pytest.raises(InputError) as caught:
        gates_of({}, approval)
    assert caught.value.message.startswith(told)


def test_requiring_an_approval_switches_the_gate_on_whatever_the_gates_say():
    assert gates_of({"require_approval": False}, None, require_approval=True).require_approval


@pytest.mark.parametrize("timeout_s", [0, -1, 10**12])
def test_a_wrong_timeout_is_named(timeout_s):
    params = {"gates": None, "approval": None, "require_approval": False, "machines": [MACHINE], "timeout_s": timeout_s}
    with pytest.raises(InputError, match=r"wave_timeout_s: must be more than 0 and at most \d+ seconds"):
        request_of(params, None)


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf")])
def test_a_wrong_scale_of_waits_is_named(scale):
    async def go():
        async with open_session({"landing_zone": ZONE, "wait_scale": scale}):
            pass

    with pytest.raises(InputError, match=f"asr_wait_scale: must be a number of seconds above 0, not {scale}"):
        asyncio.run(go())


def test_a_quiesce_far_in_the_future_is_refused_and_not_waited_for():
    gates = parse(Gates, {"fresh_point": True}, "asr_gates")
    now = ManualClock().now()
    seen = Observation(Stage.PROTECTED, last_point=now, quiesced_at=datetime(2999, 1, 1, tzinfo=UTC))
    stop = gates.stop(seen, Verb.FAIL_OVER, now)
    assert isinstance(stop, Refuse)
    assert "2999" in stop.why
    assert "has not come yet" in stop.why
