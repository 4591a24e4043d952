"""One run per wave on this computer: a lock beside the journal, which ends with the process that holds it.

The file keeps its last holders. Whoever gets the lock therefore knows that the runs named there have ended, also when
they were killed, and need not wait until their leases in the vault are stale.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from asr_migrate.domain.errors import RefusedError, SetupError

LONGEST = 4096
REMEMBERED = 50


@dataclass(frozen=True)
class Holder:
    """Who holds a lock: the run's id, its actor, its process, since when (ISO 8601), and the runs before it."""

    run: str
    actor: str
    pid: int
    since: str
    earlier: tuple[str, ...] = ()

    @property
    def runs(self) -> tuple[str, ...]:
        """This run and those before it, the latest first."""
        return (self.run, *self.earlier)


class HeldHereError(RefusedError):
    """Another process of this computer works on the wave; nothing was changed."""

    def __init__(self, path: Path, holder: Holder | None):
        who = f"{holder.actor} (process {holder.pid}) since {holder.since}" if holder else "another process"
        super().__init__(
            f"this wave is being worked on by {who}, on this computer",
            code="WaveHeld",
            cause=f"The lock {path} is held." + (f" Its run is {holder.run}." if holder else ""),
            remedy="Wait until that run has ended, or stop it; nothing was changed here.",
        )
        self.holder = holder


def lock_path(journal: Path) -> Path:
    """Return the lock that belongs to a journal."""
    return journal.with_name(f"{journal.name}.lock")


@contextmanager
def locked(path: Path, holder: Holder) -> Iterator[tuple[str, ...]]:
    """Hold the lock at ``path`` for the length of a block; yields the runs that held it before and have ended.

    Raises HeldHereError when another process holds it, SetupError when the file cannot be used.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HeldHereError(path, _said(handle)) from None
        except OSError as error:
            raise _unusable(path, error) from error
        before = _said(handle)
        ended = before.runs[:REMEMBERED] if before else ()
        _say(handle, path, replace(holder, earlier=ended))
        yield ended
    finally:
        os.close(handle)


def _said(handle: int) -> Holder | None:
    try:
        told = Holder(**json.loads(os.pread(handle, LONGEST, 0)))
        return replace(told, earlier=tuple(str(run) for run in told.earlier))
    except (ValueError, TypeError):
        return None


def _say(handle: int, path: Path, holder: Holder) -> None:
    """Write the holder in one go: a kill leaves the old words or the new ones, or none that can be read."""
    try:
        os.pwrite(handle, json.dumps(asdict(holder)).encode().ljust(LONGEST - 1) + b"\n", 0)
        os.fsync(handle)
    except OSError as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: OSError) -> SetupError:
    return SetupError(
        f"the lock {path} cannot be used ({error.strerror})",
        code="LockUnusable",
        cause=str(error),
        remedy="Set asr_journal_dir to a directory of a local disk that this user may write; nothing was sent.",
    )
