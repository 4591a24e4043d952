"""The journal: append-only evidence of every change asked of Azure, one JSON object a line.

A line is on the disk before the write is sent (event ``sending``), another after its outcome (``answered``,
``no_answer``). The file is 0600 and holds no body and no secret. It is never the truth about a machine: deleting it
loses nothing. It is read to tell which write may have arrived although nobody saw the answer.

Lines carry ``schema``; older lines are brought forward when they are read:

1. (no ``schema``) ``at event method path client_request_id``, then ``status request_id`` or ``error``; "no answer".
2. adds ``schema run actor correlation_id``; the event is ``no_answer``.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from asr_migrate.domain.errors import SetupError

SCHEMA = 2
SENDING, ANSWERED, NO_ANSWER = "sending", "answered", "no_answer"
EVENTS = frozenset({SENDING, ANSWERED, NO_ANSWER})


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
class Reading:
    """What a journal says: its entries, and the numbers of lines that could not be read (a kill cuts a line short)."""

    entries: tuple[Entry, ...] = ()
    damaged: tuple[int, ...] = ()

    def unanswered(self, since: datetime) -> tuple[Entry, ...]:
        """Return the writes sent since then whose outcome nobody saw, oldest first."""
        ended = {entry.client_request_id for entry in self.entries if entry.event == ANSWERED}
        return tuple(
            entry
            for entry in self.entries
            if entry.event == SENDING and entry.at >= since and entry.client_request_id not in ended
        )


class Journal:
    """One journal file, open for appending by one run."""

    def __init__(self, path: Path, *, actor: str, run: str | None = None) -> None:
        self.path = path
        self.actor = actor
        self.run = run or uuid.uuid4().hex
        self._begun = False

    def append(self, at: datetime, event: str, **told: object) -> None:
        """Write one line and wait until it is on the disk.

        Raises SetupError when the file cannot be written: a change that leaves no evidence is not asked for.
        """
        line = {"schema": SCHEMA, "at": at.isoformat(), "event": event, "run": self.run, "actor": self.actor, **told}
        try:
            self._write(json.dumps(line) + "\n")
        except OSError as error:
            raise SetupError(
                f"the journal {self.path} cannot be written ({error.strerror})",
                code="JournalUnwritable",
                cause=str(error),
                remedy="Free the disk, or set asr_journal_dir to a directory this user may write; nothing was sent.",
            ) from error

    def _write(self, text: str) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            if not self._begun:
                text = self._after_what_stands_there(handle) + text
                self._begun = True
            os.write(handle, text.encode())
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

    Lines that cannot be read are counted, not fatal. Raises SetupError when a line was written by a newer release,
    whose meaning is not known here.
    """
    try:
        text = path.read_bytes().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return Reading()
    entries: list[Entry] = []
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
            entries.append(_entry(told))
        except (ValueError, KeyError, TypeError):
            damaged.append(number)
    return Reading(tuple(entries), tuple(damaged))


def _entry(told: Mapping[str, Any]) -> Entry:
    event = str(told["event"]).replace(" ", "_")
    if event not in EVENTS:
        raise ValueError(event)
    return Entry(
        at=datetime.fromisoformat(told["at"]),
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
