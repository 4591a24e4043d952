"""Brings one host to what its profile wants, over a sender of the caller: probe, decide, change, probe again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from asr_migrate.clock import Clock
from asr_migrate.domain.errors import AsrMigrateError, SetupError
from asr_migrate.hosts.plan import Answer, Exchange, Plan, Profile, Reading

#: Sends an exchange over the host's connection. Raises ConnectionLostError when the connection breaks.
Sender = Callable[[Exchange], Answer]

POLL_S = 15.0
MASK = "********"


class ConnectionLostError(Exception):
    """The connection to the host broke; only senders raise it, with the original error as its cause."""


class HostNotReadyError(SetupError):
    """Blockers stand in the way; nothing was changed. ``findings`` are all of the host's findings."""

    def __init__(self, message: str, *, findings: tuple[dict[str, str], ...], remedy: str):
        super().__init__(message, code="HostNotReady", cause=message, remedy=remedy)
        self.findings = findings


def prepare(
    profile: Profile, send: Sender, clock: Clock, *, change: bool = True, refuse: bool = True
) -> dict[str, Any]:
    """Return ``{changed, facts, findings, changes, prior, diff}`` and what the profile reads privately (``private``).

    With ``change`` False nothing is changed and ``changed`` says whether something would be. With ``refuse`` a blocker
    raises HostNotReadyError before anything is changed. Every failure is an AsrMigrateError whose text holds no secret
    of the profile.
    """
    try:
        reading = _probe(profile, send)
        plan = profile.plan(reading)
        if plan.blockers and refuse:
            raise _not_ready(plan)
        changed = bool(plan.changes)
        if changed and change and not plan.blockers:
            for missing in plan.missing:
                raise missing
            _apply(plan, send)
            reading = _settle(profile, send, clock)
    except AsrMigrateError as error:
        raise _without_secrets(error, profile.secrets) from None
    return {
        "changed": changed,
        "facts": dict(reading.facts),
        "findings": [finding.as_dict() for finding in plan.findings],
        "changes": [made.as_dict() for made in plan.changes],
        "prior": dict(plan.prior),
        "diff": _diff(plan),
        "private": dict(reading.private),
    }


def _probe(profile: Profile, send: Sender) -> Reading:
    answer = send(profile.probe())
    return profile.read(answer)


def _not_ready(plan: Plan) -> HostNotReadyError:
    texts = "; ".join(finding.text for finding in plan.blockers)
    remedies = " ".join(dict.fromkeys(finding.remedy for finding in plan.blockers))
    return HostNotReadyError(texts, findings=tuple(finding.as_dict() for finding in plan.findings), remedy=remedies)


def _apply(plan: Plan, send: Sender) -> None:
    try:
        for exchange in plan.exchanges:
            _send_judged(exchange, send)
    except BaseException:
        if plan.cleanup:
            _quietly(plan.cleanup, send)
        raise
    if plan.cleanup:
        send(plan.cleanup)


def _quietly(exchange: Exchange, send: Sender) -> None:
    """Clean up after a failure, whose error must win over one of the cleaning."""
    try:
        send(exchange)
    except ConnectionLostError:
        return


def _send_judged(exchange: Exchange, send: Sender) -> None:
    try:
        error = exchange.judge(send(exchange))
    except ConnectionLostError:
        if exchange.may_disconnect:
            return
        raise
    if error is None:
        return
    if exchange.logs:
        error = exchange.explain(error, send(exchange.logs).stdout)
    raise error


def _settle(profile: Profile, send: Sender, clock: Clock) -> Reading:
    """Probe until nothing is left to change; a service may take its time, and a host that restarts is waited for."""
    deadline_s = clock.monotonic() + profile.settle_s
    while True:
        last = clock.monotonic() >= deadline_s
        try:
            reading = _probe(profile, send)
        except ConnectionLostError:
            if last:
                raise
        else:
            plan = profile.plan(reading)
            if not plan.changes:
                return reading
            if last:
                raise _did_not_last(plan, profile.settle_s)
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

    def masked(text: str | None) -> str | None:
        for secret in secrets:
            text = text.replace(secret, MASK) if text and secret else text
        return text

    error.message = masked(error.message) or ""
    error.cause, error.remedy = masked(error.cause), masked(error.remedy)
    error.args = (error.message,)
    return error


def _diff(plan: Plan) -> dict[str, str]:
    before = "".join(f"{change.what}: {change.before}\n" for change in plan.changes if change.before is not None)
    after = "".join(f"{change.what}: {change.after}\n" for change in plan.changes)
    return {"before": before, "after": after}
