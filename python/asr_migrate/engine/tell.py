"""The lines that a person follows a wave by: what is new, in few lines, however many machines there are."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from asr_migrate.engine.pace import in_words
from asr_migrate.engine.track import Track

SHARE = re.compile(r", \d+ %")
EACH_BY_NAME = 20
EXAMPLES = 3

Emit = Callable[[str], None]


def silent(line: str) -> None:
    """Drop ``line``: nobody follows."""


@dataclass
class Teller:
    """Says what has changed since it last spoke.

    Up to 20 machines each has a line of its own; of more, those that did the same are told together. Who failed is
    always named.
    """

    emit: Emit
    _said: dict[str, str] = field(default_factory=dict)
    _progress: str | None = None

    def turn(self, tracks: Sequence[Track], now_s: float) -> None:
        """Tell what one turn has brought; the same is not told twice, and a share that grew is nothing new."""
        changed: dict[str, list[Track]] = {}
        for track in tracks:
            text = standing(track)
            gist = SHARE.sub("", text)
            if self._said.get(track.machine.name) != gist:
                self._said[track.machine.name] = gist
                by_name = len(tracks) <= EACH_BY_NAME or (track.result is not None and track.result.failed)
                changed.setdefault(f"{track.machine.name}: {text}" if by_name else gist, []).append(track)
        self._tell(changed, len(tracks))
        self._tell_progress(tracks, now_s)

    def _tell(self, changed: dict[str, list[Track]], total: int) -> None:
        named = 0
        for text, tracks in changed.items():
            if len(tracks) > 1 or (total > EACH_BY_NAME and not _failed(tracks[0])):
                names = ", ".join(track.machine.name for track in tracks[:EXAMPLES])
                more = f" and {len(tracks) - EXAMPLES} more" if len(tracks) > EXAMPLES else ""
                self.emit(f"{len(tracks)} of {total}: {text} ({names}{more})")
                continue
            named += 1
            if total <= EACH_BY_NAME or named <= EACH_BY_NAME:
                self.emit(text)
        if total > EACH_BY_NAME and named > EACH_BY_NAME:
            self.emit(f"{named - EACH_BY_NAME} more have failed; each stands in the result")

    def _tell_progress(self, tracks: Sequence[Track], now_s: float) -> None:
        """Say in one line how far the machines are that still copy their disks, and how long it will take."""
        copying = [track for track in tracks if track.result is None and track.seen.progress is not None]
        if not copying:
            return
        slowest = min(copying, key=lambda track: track.seen.progress or 0)
        known = [eta for track in copying if (eta := track.progress.eta_s(now_s)) is not None]
        left = f", about {in_words(max(known))} left" if len(known) == len(copying) else ""
        line = (
            f"{len(copying)} of {len(tracks)} copying their disks, "
            f"slowest {slowest.machine.name} at {slowest.seen.progress:.0f} %"
        )
        if line != self._progress:
            self._progress = line
            self.emit(line + left)


def _failed(track: Track) -> bool:
    return track.result is not None and track.result.failed


def standing(track: Track) -> str:
    """Return in words where a machine stands and what it waits for, without its name."""
    result = track.result
    if result is None:
        return f"{track.seen.stage}: {track.waited_on or track.seen.busy_with}"
    if result.error:
        return f"{'refused' if result.refused else 'failed'} at {result.stage}: {result.error.message}"
    return f"{track.goal} reached ({result.stage})"
