"""Preparing a host: how many round trips, what happens on failure, and that no secret gets out."""

import pytest

from asr_migrate.domain.errors import InputError, SetupError
from asr_migrate.hosts.plan import Exchange, Plan, blocker
from asr_migrate.hosts.prepare import ConnectionLostError, HostNotReadyError, prepare
from asr_migrate.hosts.prior import Prior

from .toy_host import ToyHost, ToyProfile


def forget(_priors):
    """Keep nothing: a server has nothing that is put back."""


class Refused(ToyProfile):
    """Two things stand in the way."""

    def plan(self, reading):
        rows = [blocker(f"toy.{port}", f"app-1 does not reach a:{port}", "Open it.", "ours") for port in (443, 9443)]
        plan = super().plan(reading)
        return Plan(tuple(rows), plan.changes, plan.exchanges, prior=plan.prior)


class Installed(ToyProfile):
    """Runs an installer under which the host may restart; its files with secrets go in the end."""

    secrets = ("Root-secret-1", "two\nlines")

    def plan(self, reading):
        plan = super().plan(reading)
        run = Exchange(
            "run setup",
            "setup",
            judge=lambda answer: SetupError(f"it said {answer.stdout}") if answer.exit_code else None,
            logs=Exchange("read the logs", "logs"),
            explain=lambda error, log: SetupError(f"{error}; {log}", cause=log, remedy=log),
            may_disconnect=True,
        )
        return Plan(
            changes=plan.changes,
            exchanges=(run,) if plan.changes else (),
            cleanup=Exchange("clean up", "delete"),
            prior=plan.prior,
        )


def test_a_host_that_is_ready_costs_one_round_trip(clock):
    host, kept = ToyHost(a="1"), []
    result = prepare(ToyProfile(a="1"), host.send, clock, keep=kept.append)
    assert host.names == ["probe"]
    assert (result["changed"], result["round_trips"]) == (False, 1)
    assert result["diff"] == {"before": "", "after": ""}
    assert kept == []


def test_a_host_that_is_changed_costs_three_round_trips_and_its_values_from_before_are_kept(clock):
    host, kept = ToyHost(a="0"), []
    result = prepare(ToyProfile(a="1", b="2"), host.send, clock, keep=kept.append)
    assert host.names == ["probe", "change", "probe"]
    assert (result["changed"], result["round_trips"]) == (True, 3)
    assert result["changes"] == [{"what": "a", "from": "0", "to": "1"}, {"what": "b", "from": None, "to": "2"}]
    assert result["facts"] == {"a": "1", "b": "2"}
    assert result["diff"] == {"before": "a: 0\n", "after": "a: 1\nb: 2\n"}
    assert kept == [(Prior("toy", "a", {"text": "0"}, {"text": "1"}), Prior("toy", "b", None, {"text": "2"}))]
    assert "prior" not in result


def test_check_mode_only_probes_and_tells_what_would_change(clock):
    host, kept = ToyHost(a="0"), []
    result = prepare(ToyProfile(a="1"), host.send, clock, keep=kept.append, change=False)
    assert host.names == ["probe"]
    assert result["changed"] is True
    assert result["facts"] == {"a": "0"}
    assert kept == []


def test_every_blocker_is_told_at_once_and_nothing_is_changed(clock):
    host, kept = ToyHost(a="0"), []
    with pytest.raises(HostNotReadyError) as refused:
        prepare(Refused(a="1"), host.send, clock, keep=kept.append)
    assert host.names == ["probe"]
    assert [finding["rule"] for finding in refused.value.findings] == ["toy.443", "toy.9443"]
    assert "a:443" in refused.value.message
    assert "a:9443" in refused.value.message
    assert kept == []


def test_blockers_are_only_returned_when_the_caller_asks_so_and_still_nothing_is_changed(clock):
    host = ToyHost(a="0")
    result = prepare(Refused(a="1"), host.send, clock, keep=forget, refuse=False)
    assert host.names == ["probe"]
    assert [finding["rule"] for finding in result["findings"]] == ["toy.443", "toy.9443"]
    assert result["changed"] is False


def test_a_value_that_does_not_last_is_an_error_after_patience(clock):
    class Stubborn(ToyHost):
        def send(self, exchange):
            answer = super().send(exchange)
            self.values.clear()
            return answer

    with pytest.raises(SetupError, match="a is missing, not 1"):
        prepare(ToyProfile(a="1"), Stubborn().send, clock, keep=forget)
    assert clock.monotonic() >= ToyProfile.settle_s


def test_a_connection_that_breaks_elsewhere_is_the_caller_s_business(clock):
    def send(exchange):
        if exchange.name == "change":
            raise ConnectionLostError("no route")
        return ToyHost().send(exchange)

    with pytest.raises(ConnectionLostError):
        prepare(ToyProfile(a="1"), send, clock, keep=forget)


LOST = ConnectionLostError("reset by peer")


def test_a_host_that_restarts_under_its_setup_is_waited_for_and_then_cleaned_up(kit, clock):
    send = kit.recorder(kit.answer("a=0"), LOST, LOST, LOST, kit.answer("a=1"))
    result = prepare(Installed(a="1"), send, clock, keep=forget)
    assert result["facts"] == {"a": "1"}
    assert send.names == ["probe", "run setup", "probe", "probe", "probe", "clean up"]
    assert result["round_trips"] == 6


def test_a_setup_that_went_well_cleans_up_itself_and_costs_three_round_trips(kit, clock):
    send = kit.recorder(kit.answer("a=0"), kit.answer(), kit.answer("a=1"))
    assert prepare(Installed(a="1"), send, clock, keep=forget)["round_trips"] == 3


def test_after_a_failure_the_host_is_cleaned_up_and_no_secret_is_told(kit, clock):
    said = "rejected Root-secret-1 and two\nlines"
    send = kit.recorder(kit.answer("a=0"), kit.answer(said, exit_code=1), kit.answer(said), LOST)
    with pytest.raises(SetupError, match="it said rejected") as refused:
        prepare(Installed(a="1"), send, clock, keep=forget)
    assert send.names == ["probe", "run setup", "read the logs", "clean up"]
    told = str(refused.value.as_dict()) + str(refused.value)
    assert "********" in told
    assert "secret-1" not in told
    assert "lines" not in told


def test_inputs_that_are_missing_stop_before_anything_is_sent_but_not_in_check_mode(clock):
    class Incomplete(ToyProfile):
        def plan(self, reading):
            missing = InputError("want a_password", None, "is needed", remedy="Give it.")
            plan = super().plan(reading)
            return Plan(changes=plan.changes, exchanges=plan.exchanges, missing=(missing,), prior=plan.prior)

    host, kept = ToyHost(), []
    with pytest.raises(InputError, match="a_password"):
        prepare(Incomplete(a="1"), host.send, clock, keep=kept.append)
    assert (host.names, kept) == (["probe"], [])
    assert prepare(Incomplete(a="1"), host.send, clock, keep=forget, change=False)["changed"] is True
