"""How often to look, how long it will take, and whether anything moves. All times are service seconds."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field

SOON_S = 15.0
STEADY_S = 60.0
IDLE_S = 300.0
QUIET_AFTER_S = 900.0
JITTER = 0.1
HISTORY_S = 1800.0
SAMPLES = 32


class Pace:
    """The time between two sweeps of a wave.

    15 s while a change is near, 60 s while disks are copied, 5 minutes when nothing has changed for a quarter of an
    hour; each a tenth more or less, so that runs that began together do not ask together.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._gist: Hashable = None
        self._since_s = 0.0

    def rest_s(self, soon: bool, gist: Hashable, now_s: float) -> float:
        """Return how long to wait. ``gist`` is whatever would be another if anything had changed."""
        if gist != self._gist:
            self._gist, self._since_s = gist, now_s
        quiet = now_s - self._since_s >= QUIET_AFTER_S
        return self.spread(SOON_S if soon else IDLE_S if quiet else STEADY_S)

    def spread(self, interval_s: float) -> float:
        """Return about ``interval_s``."""
        return interval_s * (1 + self._chance.uniform(-JITTER, JITTER))


@dataclass
class Progress:
    """The shares of the disks that were seen copied, in percent, and when: what the remaining time follows from.

    ``since_s`` is when this run first saw that the disks are being copied, None while they are not.
    """

    seen: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    since_s: float | None = None

    def copying(self, now: bool, now_s: float) -> None:
        """Note whether the disks are being copied now."""
        self.since_s = (now_s if self.since_s is None else self.since_s) if now else None

    def add(self, share: float | None, now_s: float) -> None:
        """Note a share; the same one again is no news, a smaller one begins anew (a resync)."""
        if share is None or (self.seen and share == self.seen[-1][1]):
            return
        if self.seen and share < self.seen[-1][1]:
            self.seen.clear()
        self.seen.append((now_s, share))

    def eta_s(self, now_s: float) -> float | None:
        """Return in how many seconds the rest is copied at the pace of the last half hour, None while unknown."""
        if not self.seen:
            return None
        last_s, last = self.seen[-1]
        first_s, first = next(one for one in self.seen if one[0] >= last_s - HISTORY_S)
        if last <= first or last_s <= first_s:
            return None
        rate = (last - first) / (last_s - first_s)
        return max((100.0 - last) / rate - (now_s - last_s), 0.0)

    def unmoved_s(self, now_s: float) -> float:
        """Return for how long the share has been the same, or none was told; 0 before the disks are copied."""
        moved_s = [self.seen[-1][0]] if self.seen else []
        begun_s = [self.since_s] if self.since_s is not None else []
        return now_s - max(moved_s + begun_s, default=now_s)


def in_words(seconds: float) -> str:
    """Return a duration as people say it: ``40 min``, ``3 h``."""
    minutes = max(round(seconds / 60), 1)
    return f"{minutes} min" if minutes < 120 else f"{round(minutes / 60)} h"
