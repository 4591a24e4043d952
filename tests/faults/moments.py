"""When a run is killed: drawn from the story's seed before the story begins."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from asr_lab.arm.wire import Request

from .lab import READS

Kind = Literal["after", "arrived", "lost"]

LONGEST_S = 3.0
WRITES = 16


@dataclass(frozen=True)
class Moment:
    """``after``: so many wall seconds after the run's first request. ``arrived``: the n-th write of the run has taken
    effect and its answer has not left. ``lost``: the n-th write was sent and never arrives."""

    kind: Kind
    seconds: float = 0.0
    write: int = 0

    def __str__(self) -> str:
        if self.kind == "after":
            return f"{self.seconds:.2f} s after its first request"
        return f"when write {self.write} {'had arrived' if self.kind == 'arrived' else 'was on its way'}"


def draw(seed: int, count: int) -> list[Moment]:
    """Return ``count`` moments: half at any time, the others at a write, which arrived more often than not."""
    chance = random.Random(f"kills {seed}")
    kinds: list[Kind] = ["after", "after", "after", "arrived", "arrived", "lost"]
    return [
        Moment(chance.choice(kinds), chance.uniform(0.0, LONGEST_S), chance.randint(1, WRITES)) for _ in range(count)
    ]


class Trap:
    """Watches one run's requests and calls ``kill`` at its moment; ``begun`` is called at the run's first request."""

    def __init__(self, moment: Moment | None, kill: Callable[[], None], begun: Callable[[], None]) -> None:
        self._moment = moment
        self._kill = kill
        self._begun = begun
        self._first = True
        self._writes = 0

    def before(self, request: Request) -> bool:
        """Return whether the request is lost on its way."""
        if self._first:
            self._first = False
            self._begun()
        self._writes += request.method not in READS
        if self._is_now(request, "lost"):
            self._kill()
            return True
        return False

    def after_effect(self, request: Request) -> None:
        if self._is_now(request, "arrived"):
            self._kill()

    def _is_now(self, request: Request, kind: Kind) -> bool:
        moment = self._moment
        return (
            moment is not None and moment.kind == kind and request.method not in READS and moment.write == self._writes
        )
