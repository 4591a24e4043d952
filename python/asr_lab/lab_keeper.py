"""Keeps the state file of a running lab up to date: at most every few seconds, only after changes, and at the end."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from asr_lab import clock as wall
from asr_lab import lab_memory
from asr_lab.arm import state_file
from asr_lab.arm.world import World
from asr_lab.clock import VirtualClock

EVERY_S = 3.0
"""Wall seconds between two looks at whether something changed."""

SHARE = 0.05
"""Share of a processor that writing may take: a large world is written less often."""

_log = logging.getLogger(__name__)


class Keeper:
    """Writes ``world`` to ``path``. ``outside`` and ``parts`` are as in ``state_file``; ``parts`` is asked often."""

    def __init__(
        self,
        path: Path,
        world: World,
        clock: VirtualClock,
        *,
        outside: Mapping[str, object],
        parts: Callable[[], Mapping[str, Any]],
        every_s: float = EVERY_S,
        share: float = SHARE,
    ) -> None:
        self._path = path
        self._world = world
        self._clock = clock
        self._outside = dict(outside)
        self._parts = parts
        self._every_s = every_s
        self._share = share
        self._kept = -1
        self._told = ""
        self._ended = asyncio.Event()
        self._busy = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    def restore(self) -> state_file.Saved:
        """Fill the world and set the clock from the file; return what else it held. Raises StateFileUnusable."""
        saved = state_file.restore(self._path, self._world, outside=self._outside)
        self._clock.set(saved.now)
        return saved

    def start(self) -> None:
        """Write from now on, in the running event loop."""
        self._task = asyncio.create_task(self._write_on())

    async def stop(self) -> None:
        """Write a last time and write no more."""
        self._ended.set()
        if self._task:
            await self._task
        await self.keep()

    async def keep(self) -> None:
        """Write now. A world that cannot be written is named in the lab's log once; the lab goes on without."""
        async with self._busy:
            changes = self._world.changes
            try:
                await asyncio.to_thread(self._write)
            except (state_file.StateNotKept, OSError) as error:
                if str(error) != self._told:
                    _log.error("%s is not up to date: %s", self._path, error)
                self._told = str(error)
                return
            self._kept = changes

    def _write(self) -> None:
        parts = self._parts()
        content = state_file.snapshot(self._world, self._clock.now(), outside=self._outside, parts=parts)
        state_file.write(self._path, content)
        lab_memory.settle()

    async def _write_on(self) -> None:
        pause_s = 0.0
        while not await self._ends_within(max(pause_s, self._every_s)):
            if self._world.changes != self._kept:
                began_s = wall.seconds()
                await self.keep()
                pause_s = (wall.seconds() - began_s) / self._share

    async def _ends_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._ended.wait(), seconds)
        except TimeoutError:
            return False
        return True
