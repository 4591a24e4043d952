"""The journal: append-only evidence of every change asked of Azure, one JSON object a line.

A line is on the disk before the write is sent (event ``sending``), another after its outcome (``answered``,
``no_answer``); at the end of a run one for each machine says what came of it (``result``). The file is 0600 and holds
no body and no secret. It is never the truth about a machine: deleting it loses nothing. It is read to tell which write
may have arrived although nobody saw the answer.

Lines carry ``schema``; older lines are brought forward when they are read:

1. (no ``schema``) ``at event method path client_request_id``, then ``status request_id`` or ``error``; "no answer".
2. adds ``schema run actor correlation_id``; the event is ``no_answer``.
3. adds the event ``result``: ``machine goal stage reached failed refused``, and ``error {message code cause remedy}``,
   null for a machine that is where it was asked to be. It has no ``method path client_request_id``.
"""

from __future__ import annotations

import errno
import json
import os
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from asr_migrate.domain.cloud import short_path
from asr_migrate.domain.errors import SetupError
from asr_migrate.domain.lifecycle import Fault
from asr_migrate.domain.wave import MachineResult

SCHEMA = 3
SENDING, ANSWERED, NO_ANSWER = "sending", "answered", "no_answer"
RESULT = "result"
EVENTS = frozenset({SENDING, ANSWERED, NO_ANSWER})
NAMED = 5
REMEDY = "Free the disk, or set asr_journal_dir to a directory this user may write, then run the same playbook again."


@dataclass(frozen=True)
class Entry:
    """One line of a journal. ``status`` is the HTTP status; ``error`` the class of what broke the connection."""

    at: datetime
    event: str
    method: str
    path: str
    client_request_id: str
    run: str = ""
    actor: str = ""
    status: int | None = None
    request_id: str | None = None
    correlation_id: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class RunResult:
    """What a run said of one machine at its end; ``error`` is None when the machine was where it was asked to be."""

    at: datetime
    machine: str
    goal: str
    stage: str
    error: Fault | None = None


@dataclass(frozen=True)
class Reading:
    """What a journal says: its entries, the results of its runs, oldest first, and the numbers of lines that could not
    be read (a kill cuts a line short)."""

    entries: tuple[Entry, ...] = ()
    damaged: tuple[int, ...] = ()
    results: tuple[RunResult, ...] = ()

    @property
    def last_results(self) -> dict[str, RunResult]:
        """The last result of each machine, by its name."""
        return {result.machine: result for result in self.results}

    def unanswered(self, since: datetime) -> tuple[Entry, ...]:
        """Return the writes sent since then whose outcome nobody saw, oldest first."""
        ended = {entry.client_request_id for entry in self.entries if entry.event == ANSWERED}
        return tuple(
            entry
            for entry in self.entries
            if entry.event == SENDING and entry.at >= since and entry.client_request_id not in ended
        )


class Journal:
    """One journal file, open for appending by one run.

    ``on_trouble`` is called once, with a sentence, when a line finds no place: the run is to ask for nothing more.
    """

    def __init__(self, path: Path, *, actor: str, run: str | None = None) -> None:
        self.path = path
        self.actor = actor
        self.run = run or uuid.uuid4().hex
        self.on_trouble: Callable[[str], None] | None = None
        self._unsaid: dict[str, str] = {}
        self._troubled = False
        self._let_go = False

    def append(self, at: datetime, event: str, **told: object) -> None:
        """Write one line and wait until it is on the disk.

        Raises SetupError when the line of a write that is about to be sent cannot be written: a change that leaves no
        evidence is not asked for. The outcome of a write that was sent is never an error: when its line finds no place
        it is kept, told to ``on_trouble``, and written before the next line.
        """
        line = {"schema": SCHEMA, "at": at.isoformat(), "event": event, "run": self.run, "actor": self.actor, **told}
        text = json.dumps(line) + "\n"
        about = f"{told.get('method')} {short_path(str(told.get('path')))}"
        try:
            self._write("".join([*self._unsaid, text]))
            self._unsaid.clear()
        except OSError as error:
            if event != SENDING:
                self._unsaid[text] = about
            refusal = self._unwritable(about, error)
            self._tell(error)
            if event == SENDING and not self._let_go:
                raise refusal from error

    def require(self) -> None:
        """Raise SetupError when the file cannot be written; it is made when it is not there."""
        try:
            self._write("")
        except OSError as error:
            raise self._unwritable("the first change", error) from error

    def note(self, at: datetime, results: Iterable[MachineResult]) -> None:
        """Write what came of each machine, in one go. When the lines find no place it is told to ``on_trouble``."""
        head = {"schema": SCHEMA, "at": at.isoformat(), "event": RESULT, "run": self.run, "actor": self.actor}
        lines = [json.dumps(head | _result_row(result)) + "\n" for result in results]
        try:
            self._write("".join([*self._unsaid, *lines]))
            self._unsaid.clear()
        except OSError as error:
            self._tell(error)

    def let_go(self) -> None:
        """From now on a line that finds no place holds nothing back: all that is left is to give the wave back."""
        self._let_go = True

    def _tell(self, error: OSError) -> None:
        if self.on_trouble and not self._troubled:
            self.on_trouble(
                f"no further writes: the journal {self.path} cannot be written ({error.strerror}). {REMEDY}"
            )
        self._troubled = True

    def _unwritable(self, about: str, error: OSError) -> SetupError:
        cause = str(error)
        if self._unsaid:
            before = list(self._unsaid.values())
            its = "its outcome" if len(before) == 1 else "their outcomes"
            more = f" and {len(before) - NAMED} more" if len(before) > NAMED else ""
            cause += f"; {len(before)} sent before, {its} not noted: {', '.join(before[:NAMED])}{more}"
        return SetupError(
            f"{about} was not sent: the journal {self.path} cannot be written ({error.strerror})",
            code="JournalUnwritable",
            cause=cause,
            remedy=REMEDY,
        )

    def _write(self, text: str) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            left = (self._after_what_stands_there(handle) + text).encode()
            while left:
                written = os.write(handle, left)
                if not written:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
                left = left[written:]
            os.fsync(handle)
        finally:
            os.close(handle)

    @staticmethod
    def _after_what_stands_there(handle: int) -> str:
        """Return a line end when the last line was cut short, so that ours stays whole."""
        size = os.fstat(handle).st_size
        return "\n" if size and os.pread(handle, 1, size - 1) != b"\n" else ""


def read(path: Path) -> Reading:
    """Return what the journal at ``path`` says; one that does not exist says nothing.

    Lines that cannot be read are counted, not fatal. Raises SetupError when the file cannot be read, and when a line
    was written by a newer release, whose meaning is not known here.
    """
    try:
        text = path.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return Reading()
    except OSError as error:
        raise SetupError(
            f"the journal {path} cannot be read ({error.strerror})",
            code="JournalUnreadable",
            cause=str(error),
            remedy="Let this user read it, or move it aside; no machine depends on it. Nothing was sent by this run.",
        ) from error
    entries: list[Entry] = []
    results: list[RunResult] = []
    damaged: list[int] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
            if not isinstance(told, dict):
                raise TypeError("not an object")
            schema = int(told.get("schema", 1))
            if schema > SCHEMA:
                raise _too_new(path, number, schema)
            if told["event"] == RESULT:
                results.append(_result(told))
            else:
                entries.append(_entry(told))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            damaged.append(number)
    return Reading(tuple(entries), tuple(damaged), tuple(results))


def _result_row(result: MachineResult) -> dict[str, object]:
    return {
        "machine": result.name,
        "goal": str(result.goal),
        "stage": str(result.stage),
        "reached": result.reached,
        "failed": result.failed,
        "refused": result.refused,
        "error": result.error.as_dict() if result.error else None,
    }


def _result(told: Mapping[str, Any]) -> RunResult:
    error = told.get("error")
    return RunResult(
        at=_time(told),
        machine=str(told["machine"]),
        goal=str(told["goal"]),
        stage=str(told["stage"]),
        error=Fault(str(error["message"]), error.get("code"), error.get("cause"), error.get("remedy"))
        if error
        else None,
    )


def _time(told: Mapping[str, Any]) -> datetime:
    at = datetime.fromisoformat(told["at"])
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at


def _entry(told: Mapping[str, Any]) -> Entry:
    event = str(told["event"]).replace(" ", "_")
    if event not in EVENTS:
        raise ValueError(event)
    return Entry(
        at=_time(told),
        event=event,
        method=str(told["method"]),
        path=str(told["path"]),
        client_request_id=str(told["client_request_id"]),
        run=str(told.get("run") or ""),
        actor=str(told.get("actor") or ""),
        status=None if told.get("status") is None else int(told["status"]),
        request_id=told.get("request_id"),
        correlation_id=told.get("correlation_id"),
        error=told.get("error"),
    )


def _too_new(path: Path, number: int, schema: int) -> SetupError:
    return SetupError(
        f"{path}, line {number}: schema {schema} is newer than this release knows ({SCHEMA})",
        code="JournalTooNew",
        cause="The journal was written by a newer release of asr-migrate.",
        remedy="Use that release, or move the journal aside; no machine depends on it.",
    )


def touched(entries: Iterable[Entry], item: str) -> tuple[Entry, ...]:
    """Return the entries whose path names the protected item ``item``."""
    name = f"/replicationprotecteditems/{item.casefold()}"
    return tuple(
        entry for entry in entries if entry.path.casefold().endswith(name) or f"{name}/" in entry.path.casefold()
    )
