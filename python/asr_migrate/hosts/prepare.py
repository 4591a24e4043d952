"""Brings one host to what its profile wants, and back: probe, decide, change, probe again, over a sender of the caller.

A run that is killed anywhere leaves the host and its record so that the same call, made again, goes on: the record is
written before the first change, and loses an item only after a look at the host showed it put back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asr_migrate.clock import Clock
from asr_migrate.domain.errors import AsrMigrateError, SetupError
from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts.identity import Check, any_machine
from asr_migrate.hosts.masking import masked
from asr_migrate.hosts.plan import Answer, Exchange, Plan, Profile, Reading, Restorable
from asr_migrate.hosts.prior import Prior

#: Sends an exchange over the host's connection. Raises ConnectionLostError when the connection breaks.
Sender = Callable[[Exchange], Answer]
#: Puts prior values on record, for good when it returns.
Keep = Callable[[tuple[Prior, ...]], None]

POLL_S = 15.0


class ConnectionLostError(Exception):
    """The connection to the host broke; only senders raise it, with the original error as its cause."""


class HostNotReadyError(SetupError):
    """Blockers stand in the way; nothing was changed. ``findings`` are all of the host's findings."""

    def __init__(self, message: str, *, findings: tuple[dict[str, str], ...], remedy: str):
        super().__init__(message, code="HostNotReady", cause=message, remedy=remedy)
        self.findings = findings


@dataclass(frozen=True)
class Aim:
    """Where a host is to be brought: how to look at it, what is then to be done, and what is done before a change."""

    look: Callable[[], Exchange]
    read: Callable[[Answer], Reading]
    decide: Callable[[Reading], Plan]
    before_changes: Keep
    settle_s: float


class _Line:
    """The sender, counting its round trips and keeping what answers said that deserves a look."""

    def __init__(self, send: Sender) -> None:
        self._send = send
        self.round_trips = 0
        self.notes: list[Finding] = []

    def __call__(self, exchange: Exchange) -> Answer:
        self.round_trips += 1
        answer = self._send(exchange)
        self.notes += exchange.notes(answer)
        return answer

    def told(self, plan: Plan) -> list[Finding]:
        """Return the plan's findings, and the notes about what none of them is about."""
        known = {finding.rule for finding in plan.findings}
        return [*plan.findings, *(note for note in self.notes if note.rule not in known)]


def prepare(
    profile: Profile,
    send: Sender,
    clock: Clock,
    *,
    keep: Keep,
    check: Check = any_machine,
    change: bool = True,
    refuse: bool = True,
) -> dict[str, Any]:
    """Return ``{changed, facts, findings, changes, round_trips, diff}`` and what is read privately (``private``).

    ``keep`` gets the plan's prior values before the first exchange that changes the host; when it raises, nothing is
    changed. ``check`` gets the host's identity when something is to go on record, and raises for a machine to which the
    record does not belong. With ``change`` False nothing is changed and ``changed`` says whether something would be. A
    blocker forbids every change, and with ``refuse`` it raises HostNotReadyError. Every failure is an AsrMigrateError
    whose text holds no secret of the profile.
    """

    def decide(reading: Reading) -> Plan:
        plan = profile.plan(reading)
        if plan.prior:
            check(reading.machine)
        return plan

    aim = Aim(profile.probe, profile.read, decide, keep, profile.settle_s)
    result, _ = _reach(aim, _Line(send), clock, lambda: profile.secrets, change=change, refuse=refuse)
    return result


def restore(
    profile: Restorable,
    priors: tuple[Prior, ...],
    send: Sender,
    clock: Clock,
    *,
    leave: Keep,
    check: Check = any_machine,
    force: bool = False,
    only_push: bool = False,
    change: bool = True,
    refuse: bool = True,
) -> dict[str, Any]:
    """Put back what ``priors`` say was there before; return the same as ``prepare``.

    ``leave`` gets the prior values that stay on record, when a look at the host has shown all others put back.
    ``check`` gets the host's identity, and raises for a machine that ``priors`` are not about; nothing is changed then.
    With ``force`` also what somebody else changed since is put back; with ``only_push`` just what a push needed.
    """

    def decide(reading: Reading) -> Plan:
        check(reading.machine)
        return profile.restoration(reading, priors, force=force, only_push=only_push)

    aim = Aim(
        look=lambda: profile.inspect(priors),
        read=profile.read,
        decide=decide,
        before_changes=lambda _priors: None,
        settle_s=profile.settle_s,
    )
    recorded = tuple(secret for prior in priors for secret in prior.secrets)
    result, last = _reach(aim, _Line(send), clock, lambda: (*profile.secrets, *recorded), change=change, refuse=refuse)
    if change and not last.blockers:
        leave(last.prior)
    return result


def _reach(
    aim: Aim, send: _Line, clock: Clock, secrets: Callable[[], tuple[str, ...]], *, change: bool, refuse: bool
) -> tuple[dict[str, Any], Plan]:
    """Bring the host there; return the result, and what was decided when the host was last looked at."""
    try:
        reading = aim.read(send(aim.look()))
        plan = last = aim.decide(reading)
        if plan.blockers and refuse:
            raise _not_ready(plan)
        if plan.changes and change and not plan.blockers:
            for missing in plan.missing:
                raise missing
            if plan.prior:
                aim.before_changes(plan.prior)
            reading, last = _change(plan, aim, send, clock)
    except AsrMigrateError as error:
        raise _without_secrets(error, secrets()) from None
    result = {
        "changed": bool(plan.changes) and not (change and plan.blockers),
        "facts": dict(reading.facts),
        "findings": [finding.as_dict() for finding in send.told(plan)],
        "changes": [made.as_dict() for made in plan.changes],
        "round_trips": send.round_trips,
        "diff": _diff(plan),
        "private": dict(reading.private),
    }
    return result, last


def _not_ready(plan: Plan) -> HostNotReadyError:
    texts = "; ".join(finding.text for finding in plan.blockers)
    remedies = " ".join(dict.fromkeys(finding.remedy for finding in plan.blockers))
    return HostNotReadyError(texts, findings=tuple(finding.as_dict() for finding in plan.findings), remedy=remedies)


def _change(plan: Plan, aim: Aim, send: Sender, clock: Clock) -> tuple[Reading, Plan]:
    """Send the changes and look until nothing is left to change; clean up when one failed or broke off."""
    broke_off = False
    try:
        for exchange in plan.exchanges:
            broke_off |= _send_judged(exchange, send)
        seen = _settle(aim, send, clock)
    except BaseException:
        _clean_up(plan, send)
        raise
    if broke_off:
        _clean_up(plan, send)
    return seen


def _clean_up(plan: Plan, send: Sender) -> None:
    """Clean up after a failure, whose error must win over one of the cleaning."""
    if plan.cleanup is None:
        return
    try:
        send(plan.cleanup)
    except ConnectionLostError:
        return


def _send_judged(exchange: Exchange, send: Sender) -> bool:
    """Send an exchange; return whether the host broke it off, as it may.

    Raises the error that the answer tells of.
    """
    try:
        error = exchange.judge(send(exchange))
    except ConnectionLostError:
        if exchange.may_disconnect:
            return True
        raise
    if error is None:
        return False
    if exchange.logs:
        error = exchange.explain(error, send(exchange.logs).stdout)
    raise error


def _settle(aim: Aim, send: Sender, clock: Clock) -> tuple[Reading, Plan]:
    """Look until nothing is left to change; a service may take its time, and a host that restarts is waited for."""
    deadline_s = clock.monotonic() + aim.settle_s
    while True:
        last = clock.monotonic() >= deadline_s
        try:
            reading = aim.read(send(aim.look()))
        except ConnectionLostError:
            if last:
                raise
        else:
            plan = aim.decide(reading)
            if not plan.changes:
                return reading, plan
            if last:
                raise _did_not_last(plan, aim.settle_s)
        clock.wait(POLL_S)


def _did_not_last(plan: Plan, settle_s: float) -> SetupError:
    left = "; ".join(f"{change.what} is {change.before or 'missing'}, not {change.after}" for change in plan.changes)
    return SetupError(
        f"the host was changed, but {settle_s:.0f} s later {left}",
        code="HostDidNotSettle",
        cause="Something on the host puts the value back (group policy, configuration management) or a service "
        "does not start.",
        remedy="Look at the host's event log or syslog for what is named here, then run the playbook again.",
    )


def _without_secrets(error: AsrMigrateError, secrets: tuple[str, ...]) -> AsrMigrateError:
    """Mask the profile's secrets in everything the error says; outputs of installers are quoted in errors."""

    error.message = masked(error.message, secrets)
    error.cause = masked(error.cause, secrets) if error.cause else error.cause
    error.remedy = masked(error.remedy, secrets) if error.remedy else error.remedy
    error.args = (error.message,)
    return error


def _diff(plan: Plan) -> dict[str, str]:
    before = "".join(f"{change.what}: {change.before}\n" for change in plan.changes if change.before is not None)
    after = "".join(f"{change.what}: {change.after}\n" for change in plan.changes)
    return {"before": before, "after": after}
