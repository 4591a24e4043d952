"""The words that every profile of a host speaks: what is sent, what comes back, what is to change.

A profile is pure. It says what to ask (``probe``), reads the answer (``read``), and decides (``plan``); sending is the
caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar, runtime_checkable

from asr_migrate.domain.errors import AsrMigrateError
from asr_migrate.domain.readiness_rule import Finding, Severity
from asr_migrate.hosts.prior import Prior

S = TypeVar("S")


@dataclass(frozen=True)
class Answer:
    """What a host printed for one command; ``sent`` and ``received`` are the controller's UTC times around it."""

    stdout: str
    stderr: str
    exit_code: int
    sent: datetime
    received: datetime


def accept(_answer: Answer) -> None:
    """Judge nothing: the next probe tells."""


def nothing(_answer: Answer) -> tuple[Finding, ...]:
    """Note nothing."""
    return ()


def leave(error: AsrMigrateError, _log: str) -> AsrMigrateError:
    """Leave an error as it is."""
    return error


@dataclass(frozen=True)
class Exchange:
    """One round trip: a command line, what goes to its standard input, and how to judge the answer.

    ``stdin_file`` names a file on the controller whose bytes go to standard input in place of ``stdin``.

    ``judge`` returns the error that the answer tells of, or None; ``notes`` what a good answer says that deserves a
    look. ``logs`` is sent when there is an error, and
    ``explain`` makes the better error of it. ``may_disconnect`` says that the host may restart under the command.
    """

    name: str
    command: str
    stdin: bytes | None = None
    stdin_file: str | None = None
    judge: Callable[[Answer], AsrMigrateError | None] = accept
    notes: Callable[[Answer], tuple[Finding, ...]] = nothing
    logs: Exchange | None = None
    explain: Callable[[AsrMigrateError, str], AsrMigrateError] = leave
    may_disconnect: bool = False


@dataclass(frozen=True)
class Change:
    """One thing that will be, or was, made different on the host; ``before`` None means it was not there."""

    what: str
    before: str | None
    after: str

    def as_dict(self) -> dict[str, str | None]:
        """Return ``{what, from, to}``, for results and diffs."""
        return {"what": self.what, "from": self.before, "to": self.after}


@dataclass(frozen=True)
class Plan:
    """What stands in the way, what is to change, and the round trips that change it.

    ``exchanges`` are sent in order; ``cleanup`` afterwards, also when one of them failed. ``missing`` are errors about
    inputs without which the changes cannot be made. ``prior`` is what must be on record once the changes are made: one
    for each thing that they touch and that can be put back. Of a restoration it is what stays on record, because it was
    left as it is.
    """

    findings: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    cleanup: Exchange | None = None
    missing: tuple[AsrMigrateError, ...] = ()
    prior: tuple[Prior, ...] = ()

    @property
    def blockers(self) -> tuple[Finding, ...]:
        """The findings that forbid going on."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.BLOCKER)


@dataclass(frozen=True)
class Reading:
    """A probe, read: ``facts`` for the result, ``seen`` the same as the profile's own value.

    ``private`` is what no result may show (a passphrase that was read); ``machine`` is the host's identity.
    """

    facts: Mapping[str, Any]
    seen: object
    private: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)

    def of(self, kind: type[S]) -> S:
        """Return ``seen`` as the ``kind`` that the profile put there."""
        if not isinstance(self.seen, kind):
            raise TypeError(f"the reading holds {type(self.seen).__name__}, not {kind.__name__}")
        return self.seen


class Profile(Protocol):
    """What a host is to become; made from the user's ``want``."""

    #: how long, in service seconds, the host may take after the changes until a probe finds nothing left to change
    settle_s: float

    @property
    def secrets(self) -> tuple[str, ...]:
        """Texts that must appear in no message."""
        ...

    def probe(self) -> Exchange:
        """Return the one round trip that reads everything ``plan`` needs."""
        ...

    def read(self, answer: Answer) -> Reading:
        """Return what the probe found; SetupError when the answer cannot be one of this kind of host."""
        ...

    def plan(self, reading: Reading) -> Plan:
        """Decide."""
        ...


@runtime_checkable
class Restorable(Profile, Protocol):
    """A profile whose changes can be taken back."""

    def inspect(self, priors: tuple[Prior, ...]) -> Exchange:
        """Return the one round trip that reads everything ``restoration`` needs; its answer goes through ``read``.

        ``priors`` are the record, made by whatever ``want`` there was then; they may name more than ``probe`` reads.
        """
        ...

    def restoration(
        self, reading: Reading, priors: tuple[Prior, ...], *, force: bool = False, only_push: bool = False
    ) -> Plan:
        """Decide how to put back what ``priors`` say was there before.

        A thing that is as ``before`` needs nothing; one that is as ``after`` gets its change. One that is neither was
        changed by somebody else since: a file with our marked block loses just the block; anything else is left alone
        with the warning ``restore.changed-since`` and stays in the plan's ``prior``, unless ``force`` is given. With
        ``only_push`` just what a push of the Mobility service needed is put back; the rest stays in ``prior``.

        ``priors`` may be empty, or may lack a thing that carries our mark: the record is lost then, or elsewhere.
        """
        ...


def blocker(rule: str, text: str, remedy: str, source: str) -> Finding:
    """Return a finding that forbids going on."""
    return Finding(rule, Severity.BLOCKER, text, remedy, source)


def warning(rule: str, text: str, remedy: str, source: str) -> Finding:
    """Return a finding that is said aloud."""
    return Finding(rule, Severity.WARNING, text, remedy, source)
