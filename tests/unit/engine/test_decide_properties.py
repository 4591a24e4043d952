"""What holds for every observation, and along every road that a machine can take: ``decide`` never loses a machine."""

import string
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from asr_migrate.domain.gates import Approval, Freeze, Gates
from asr_migrate.domain.lifecycle import (
    GOALS,
    VERBS,
    Act,
    AzureVm,
    Done,
    Fault,
    Goal,
    Observation,
    Refuse,
    Stage,
    Verb,
    Wait,
)
from asr_migrate.engine.decide import decide

from .service_model import OFFERS, START, Service

RULES = settings(deadline=None, derandomize=True, max_examples=150)
ROADS = settings(deadline=None, derandomize=True, max_examples=120)
OPERATIONS = sorted({row.operation for row in VERBS.values() if row.operation} | {"CancelFailover", "ChangePit"})
GONE_OVER = frozenset({Stage.FAILING_OVER, Stage.FAILED_OVER, Stage.COMMITTING, Stage.COMMITTED, Stage.COMPLETING})

words = st.text(string.ascii_letters, max_size=8)
moments = st.integers(-40 * 24 * 60, 60).map(lambda minutes: START + timedelta(minutes=minutes))
maybe_moment = st.none() | moments
vms = st.none() | st.builds(AzureVm, words, words, st.just("rg"), running=st.sampled_from([None, True, False]))
faults = st.builds(Fault, words, st.none() | words, st.none() | words, st.none() | words)
observations = st.builds(
    Observation,
    st.sampled_from(Stage),
    allowed_operations=st.frozensets(st.sampled_from(OPERATIONS)),
    busy=st.booleans(),
    busy_with=words,
    health=st.sampled_from([None, "Normal", "Warning", "Critical"]),
    health_errors=st.lists(faults, max_size=2).map(tuple),
    error=st.none() | faults,
    vm=vms,
    test_vm=vms,
    name_taken=vms,
    unknown_source=st.none() | words,
    discoverable=st.booleans(),
    drift=st.sampled_from([(), ("vm_size",)]),
    last_test=maybe_moment,
    last_point=maybe_moment,
    quiesced_at=maybe_moment,
    probed=st.sampled_from([None, True, False]),
)
freezes = st.builds(
    lambda start, hours: Freeze(start=start, end=start + timedelta(hours=hours), why="the books are closed"),
    moments,
    st.integers(1, 100),
)
gates_of_any_kind = st.builds(
    Gates,
    tested_within_days=st.none() | st.integers(1, 30),
    fresh_point=st.booleans(),
    probes=st.booleans(),
    require_approval=st.booleans(),
    approval=st.none() | st.just(Approval(by="Ada", reason="window 7")),
    freeze=st.lists(freezes, max_size=1).map(tuple),
)


def check_act(act, seen, goal, gates, now):
    """Assert everything that must hold whenever a verb is asked for."""
    verb, row = act.verb, VERBS[act.verb]
    assert not seen.busy
    assert row.operation is None or row.operation in seen.allowed_operations
    assert seen.stage in row.legal_from
    assert verb in GOALS[goal].verbs
    if seen.stage in GONE_OVER:
        assert verb in (Verb.COMMIT, Verb.COMPLETE), "only these two leave a failover alone"
    if verb is Verb.COMPLETE:
        assert seen.stage is Stage.COMMITTED
    if verb is Verb.COMMIT and gates.probes:
        assert seen.probed is True
    if verb in (Verb.FAIL_OVER, Verb.COMMIT, Verb.COMPLETE):
        assert not any(window.end_at(now) for window in gates.freeze)
        assert gates.approval or not gates.require_approval
    if verb is Verb.FAIL_OVER:
        assert seen.test_vm is None
        if gates.tested_within_days is not None:
            assert seen.last_test is not None
            assert now - seen.last_test <= timedelta(days=gates.tested_within_days)
        if gates.fresh_point:
            assert seen.quiesced_at is not None
            assert seen.last_point is not None
            assert seen.last_point > seen.quiesced_at


@RULES
@given(observations, st.sampled_from(Goal), gates_of_any_kind)
def test_every_observation_has_one_decision_and_no_forbidden_one(seen, goal, gates):
    decision = decide(seen, goal, gates, START)
    assert isinstance(decision, Act | Wait | Done | Refuse)
    assert decide(seen, goal, gates, START) == decision
    if isinstance(decision, Act):
        check_act(decision, seen, goal, gates, START)


@RULES
@given(observations, st.sampled_from(Goal), gates_of_any_kind)
def test_a_gate_only_holds_back(seen, goal, gates):
    """With gates a verb is asked for or not; it never becomes another verb (but an old test is made again)."""
    with_gates, without = decide(seen, goal, gates, START), decide(seen, goal)
    if isinstance(with_gates, Act) and not gates.outdated(seen, START):
        assert with_gates == without
    if isinstance(without, Refuse):
        assert with_gates == without


@RULES
@given(observations, st.sampled_from(Goal), gates_of_any_kind)
def test_a_refusal_tells_what_is_wrong_what_to_do_and_a_code(seen, goal, gates):
    decision = decide(seen, goal, gates, START)
    if isinstance(decision, Refuse):
        assert decision.remedy
        assert decision.code is not None
        assert decision.first in (None, *Goal)
        assert decision.first is not goal


@RULES
@given(observations, st.sampled_from(Goal))
def test_a_busy_machine_is_asked_for_nothing(seen, goal):
    assert not isinstance(decide(replace(seen, busy=True), goal), Act)


def walk(data, service, goal, gates, *, failures, steps=40):
    """Let a run bring the machine to its goal; return the last decision. Failures, delays and kills come as drawn."""
    decision = None
    for _ in range(steps):
        seen = service.look()
        decision = decide(seen, goal, gates, service.now)
        if isinstance(decision, Act):
            check_act(decision, seen, goal, gates, service.now)
            service.take(decision.verb, looks=data.draw(st.integers(0, 3), "the job's length in looks"))
        elif isinstance(decision, Done | Refuse):
            return decision
        if service.running and service.looks == 0:
            service.end(well=not (failures and data.draw(st.booleans(), "it fails")))
        service.pass_time()
        if service.vm and not service.running:
            service.probed = True if not failures else data.draw(st.sampled_from([None, True, False]), "probes")
    return decision


def after(verb, sent):
    return sent[len(sent) - sent[::-1].index(verb) :] if verb in sent else []


def check_story(sent):
    """Assert the order of everything that was ever asked for one machine."""
    for number, verb in enumerate(sent):
        before = sent[:number]
        if verb is Verb.COMPLETE:
            assert Verb.COMMIT in before
        if verb is Verb.COMMIT:
            assert Verb.FAIL_OVER in before
        if verb is Verb.FAIL_OVER:
            assert Verb.STOP_REPLICATION not in after(Verb.REPLICATE, before)
    assert Verb.STOP_REPLICATION not in after(Verb.COMMIT, sent)
    assert Verb.FAIL_OVER not in after(Verb.COMMIT, sent)


@ROADS
@given(st.data(), st.lists(st.sampled_from(Goal), min_size=1, max_size=6), gates_of_any_kind)
def test_no_road_of_any_goals_with_any_failures_loses_a_machine(data, goals, gates):
    service = Service()
    for goal in goals:
        if data.draw(st.booleans(), "its work is stopped"):
            service.quiesced = service.now
        walk(data, service, goal, gates, failures=True, steps=15)
        check_story(service.sent)


@ROADS
@given(st.data(), gates_of_any_kind.map(lambda gates: gates.model_copy(update={"freeze": ()})))
def test_every_goal_is_reached_in_order_when_the_service_behaves(data, gates):
    gates = gates.model_copy(update={"approval": Approval(by="Ada", reason="window 7")})
    service = Service()
    for goal in (Goal.PROTECTED, Goal.TEST_RUNNING, Goal.TESTED, Goal.FAILED_OVER, Goal.MIGRATED):
        if goal is Goal.TEST_RUNNING:
            service.probed = True
        if goal is Goal.FAILED_OVER:
            service.quiesced, service.probed = service.now, None
        assert walk(data, service, goal, gates, failures=False, steps=200) == Done(), goal
    assert service.stage is Stage.MIGRATED
    assert len(service.sent) == len(set(service.sent)) == len(Verb) - 2


@ROADS
@given(st.data(), st.sampled_from(Goal), st.sampled_from(sorted(OFFERS, key=list(Stage).index)), st.booleans())
def test_from_everywhere_every_goal_ends_when_the_service_behaves(data, goal, stage, tested):
    """Done, or a refusal that says what comes first: no waiting for ever, no verb without end."""
    service = Service(stage, tested=START if tested else None)
    if stage is Stage.TEST_RUNNING:
        service.test_vm = AzureVm("vm-web-test", "", "rg", running=True)
    if stage in (Stage.FAILED_OVER, Stage.COMMITTED, Stage.MIGRATED):
        service.vm = AzureVm("vm-web", "", "rg", running=True)
    decision = walk(data, service, goal, Gates(), failures=False, steps=120)
    assert isinstance(decision, Done | Refuse)
    assert len(service.sent) == len(set(service.sent))


@ROADS
@given(st.data(), st.sampled_from(Goal))
def test_a_run_that_is_killed_and_repeated_asks_for_nothing_twice(data, goal):
    """Each run stops after a step or two; the runs together ask for every verb once."""
    service = Service()
    for asked in list(Goal)[: list(Goal).index(goal) + 1] if goal is not Goal.ABSENT else [Goal.PROTECTED, goal]:
        for _ in range(100):
            if walk(data, service, asked, Gates(), failures=False, steps=data.draw(st.integers(1, 3))) == Done():
                break
        else:
            raise AssertionError(f"{asked} is never reached")
    assert len(service.sent) == len(set(service.sent))


def test_a_machine_whose_test_is_too_old_is_tested_again_and_then_fails_over():
    service = Service(Stage.TESTED, drift=False, tested=START - timedelta(days=30))
    service.point = START
    gates = Gates(tested_within_days=7)
    refusal = decide(service.look(), Goal.FAILED_OVER, gates, START)
    assert (refusal.code, refusal.first) == ("TestTooOld", Goal.TESTED)
    for goal in (Goal.TEST_RUNNING, Goal.TESTED, Goal.FAILED_OVER):
        while not isinstance(decision := decide(service.look(), goal, gates, service.now), Done):
            assert isinstance(decision, Act), decision
            service.take(decision.verb)
            service.end(well=True)
    assert service.sent == [Verb.TEST_FAILOVER, Verb.CLEAN_UP_TEST, Verb.FAIL_OVER]
