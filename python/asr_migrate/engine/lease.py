"""One run per wave: a lease in the vault that every controller sees.

The lease is one tag on the vault for each run that wants the wave, so that no run ever overwrites another's. Runs line
up by tickets as in Lamport's bakery: a run says that it is choosing, takes a ticket above all it sees, then looks
again. Whoever stands before it has the wave; it withdraws and says who that is. Two runs that begin in the same moment
cannot both pass, whatever the order in which their requests arrive. Before a run believes that it has the wave it
looks once more, two seconds later: should the service have lost its tag under another's, it puts it again.

A run that holds the wave beats every five minutes. One that has not beaten for fifteen is stale: the next run takes its
place and removes its tag. A run that cannot beat stops by itself a minute before that, also when the vault answers
neither yes nor no; and it looks how old its last beat is before everything that it sends, by both of its clocks, for a
computer that was asleep finds its tasks where they were. Times of tags are the service's (the Date header of its
answers), not the controllers'; a tag is removed only while it still says what was read, so that a run that comes back
to life in that moment keeps it.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from asr_migrate.clock import Clock
from asr_migrate.domain.errors import AsrMigrateError, RefusedError

PREFIX = "asr-migrate-lease"
BEAT_S = 300.0
STALE_S = 900.0
LOSE_S = STALE_S - 60.0
LEAST_LOSE_S = 30.0
"""Real seconds: however fast a rehearsal's services run, an answer takes its time."""
ANSWER_S = 60.0
AGAIN_S = 60.0
RELEASE_S = 15.0
CHOOSING_STALE_S = 60.0
LOOK_AGAIN_S = 2.0
LOOKS = 100
CHOOSING = 0
LONGEST_HOLDER = 160
NOT_IN_A_TAG = re.compile(r"[<>%&\\?/\x00-\x1f.]")

OnLost = Callable[[str], None]


class Tags(Protocol):
    """The tags of the vault, and the service's time. Putting or dropping one tag leaves the others as they are.

    ``drop`` does nothing when the tag has another value by now.
    """

    async def read(self) -> tuple[Mapping[str, str], datetime]: ...

    async def put(self, name: str, value: str) -> None: ...

    async def drop(self, name: str, value: str) -> None: ...


@dataclass(frozen=True)
class Ticket:
    """One run's place in the line. ``number`` 0 means that it is still choosing."""

    run: str
    holder: str
    number: int
    since: datetime
    beat: datetime

    @property
    def value(self) -> str:
        """Return the ticket as a tag's value."""
        times = f"{self.since:%Y-%m-%dT%H:%M:%S%z}|{self.beat:%Y-%m-%dT%H:%M:%S%z}"
        return f"{self.number}|{times}|{self.holder[:LONGEST_HOLDER]}"

    @classmethod
    def of(cls, run: str, value: str) -> Ticket | None:
        """Return the ticket that a tag's value holds, None when somebody else wrote it."""
        try:
            number, since, beat, holder = value.split("|", 3)
            return cls(run, holder, int(number), datetime.fromisoformat(since), datetime.fromisoformat(beat))
        except ValueError:
            return None

    def stale(self, now: datetime) -> bool:
        """Return whether the run has not been heard of for too long."""
        patience_s = STALE_S if self.number else CHOOSING_STALE_S
        return now - self.beat > timedelta(seconds=patience_s)

    def before(self, other: Ticket) -> bool:
        """Return whether this run stands before the other in the line."""
        return (self.number, self.run) < (other.number, other.run)


class WaveHeldError(RefusedError):
    """Another run has the wave; nothing was changed. ``holder`` says who, ``since`` since when."""

    def __init__(self, wave: str, ticket: Ticket):
        since = f"{ticket.since:%Y-%m-%d %H:%M:%S} UTC"
        super().__init__(
            f"wave {wave} is being worked on by {ticket.holder} since {since}",
            code="WaveHeld",
            cause=f"Run {ticket.run} holds the lease in the vault, last heard of at {ticket.beat:%H:%M:%S} UTC.",
            remedy=f"Wait until that run has ended. If it was killed, run again {STALE_S / 60:.0f} minutes after it.",
        )
        self.holder = ticket.holder
        self.since = ticket.since


class LeaseLostError(AsrMigrateError):
    """This run was taken for dead and another one has the wave: it asks for nothing more."""


class Lease:
    """The right to change one wave, for one run.

    ``dead`` names runs that are known to have ended, however fresh their tags look. ``on_lost`` is called once, with a
    sentence, when another run may have the wave.
    """

    def __init__(
        self,
        tags: Tags,
        wave: str,
        *,
        holder: str,
        clock: Clock,
        run: str | None = None,
        dead: Collection[str] = (),
        on_lost: OnLost | None = None,
    ) -> None:
        self.wave = wave
        self.run = run or uuid.uuid4().hex[:12]
        self.lost = False
        self._tags = tags
        self._holder = holder
        self._clock = clock
        self._dead = frozenset(dead)
        self._on_lost = on_lost
        self._ticket: Ticket | None = None
        self._heard_s = 0.0
        self._heard_at = clock.now()
        self._lose_s = max(LOSE_S, LEAST_LOSE_S / clock.scale)

    def _name(self, run: str) -> str:
        return f"{PREFIX}.{NOT_IN_A_TAG.sub('_', self.wave)}.{run}"

    def _run_of(self, name: str) -> str | None:
        """Return which run a tag's name belongs to, None when it is no lease of this wave; case does not count."""
        stem, _, run = name.rpartition(".")
        return run if f"{stem}.".casefold() == self._name("").casefold() else None

    @staticmethod
    def _value(tags: Mapping[str, str], name: str) -> str | None:
        return next((value for other, value in tags.items() if other.casefold() == name.casefold()), None)

    async def others(self) -> tuple[Ticket, ...]:
        """Return the live tickets of other runs, the first in the line first; nothing is changed."""
        tags, now = await self._tags.read()
        found = [
            ticket
            for name, value in tags.items()
            if (run := self._run_of(name)) not in (None, self.run)
            and (ticket := Ticket.of(str(run), value))
            and not self._is_dead(ticket, now)
        ]
        return tuple(sorted(found, key=lambda ticket: (ticket.number, ticket.run)))

    def _is_dead(self, ticket: Ticket, now: datetime) -> bool:
        return ticket.run in self._dead or ticket.stale(now)

    async def _line(self) -> tuple[list[Ticket], str | None]:
        """Return the live tickets of other runs, and what our own tag says, None when it is gone.

        Tags of dead runs and tags that cannot be read are removed.
        """
        tags, now = await self._tags.read()
        others: list[Ticket] = []
        for name, value in tags.items():
            run = self._run_of(name)
            if run is None or run == self.run:
                continue
            ticket = Ticket.of(run, value)
            if ticket is None or self._is_dead(ticket, now):
                await self._tags.drop(name, value)
            else:
                others.append(ticket)
        return others, self._value(tags, self._name(self.run))

    async def _put(self, ticket: Ticket) -> None:
        self._ticket = ticket
        await self._tags.put(self._name(self.run), ticket.value)

    def _hear(self, monotonic_s: float, at: datetime) -> None:
        """Note when the beat that the vault has was made: before the service was asked for the time that it says."""
        self._heard_s, self._heard_at = monotonic_s, at

    @property
    def age_s(self) -> float:
        """How long ago the last beat that the vault has was made, by whichever clock says longer."""
        by_wall_s = (self._clock.now() - self._heard_at).total_seconds() / self._clock.scale
        return max(self._clock.monotonic() - self._heard_s, by_wall_s)

    def is_held(self) -> bool:
        """Say whether the wave is surely still this run's; to be asked before anything is sent. Nothing is read.

        When it is not, ``on_lost`` has been told.
        """
        if not self.lost and self.age_s >= self._lose_s:
            self._lose(f"the vault could not be told for {self.age_s / 60:.0f} minutes that this run is alive")
        return not self.lost

    async def acquire(self) -> None:
        """Take the wave. Raises WaveHeldError when another run has it or stands before this one."""
        self._hear(self._clock.monotonic(), self._clock.now())
        _, now = await self._tags.read()
        mine = Ticket(self.run, self._holder, CHOOSING, now, now)
        try:
            await self._put(mine)
            others, _ = await self._line()
            mine = replace(mine, number=1 + max((other.number for other in others), default=0))
            await self._put(mine)
            await self._wait_for_turn(mine)
        except BaseException:
            with suppress(AsrMigrateError):
                await self.release()
            raise

    async def _wait_for_turn(self, mine: Ticket) -> None:
        """Look until nobody chooses and, a moment later, this run still stands first with its tag as it was put."""
        sure = False
        for _ in range(LOOKS):
            others, said = await self._line()
            ahead = [other for other in others if other.number and other.before(mine)]
            if ahead:
                raise WaveHeldError(self.wave, min(ahead, key=lambda ticket: (ticket.number, ticket.run)))
            if said != mine.value:
                sure = False
                await self._put(mine)
            elif any(other.number == CHOOSING for other in others):
                sure = False
            elif sure:
                return
            else:
                sure = True
            await self._clock.sleep(LOOK_AGAIN_S)
        raise RefusedError(
            f"wave {self.wave}: the vault does not keep this run's lease",
            code="LeaseUnsettled",
            cause=f"In {LOOKS * LOOK_AGAIN_S:.0f} s the tags of the vault never said the same twice.",
            remedy="Look who else changes the tags of the vault, then run again; nothing was changed.",
        )

    async def renew(self) -> None:
        """Say that this run is alive. Raises LeaseLostError when another run has taken its place."""
        if self._ticket is None:
            raise LeaseLostError(f"wave {self.wave} is not held by this run", code="LeaseLost")
        began_s, began_at = self._clock.monotonic(), self._clock.now()
        tags, now = await self._tags.read()
        if self._value(tags, self._name(self.run)) is None:
            raise self._lose("this run was taken for dead, another run has the wave")
        await self._put(replace(self._ticket, beat=now))
        self._hear(began_s, began_at)

    def _lose(self, why: str) -> LeaseLostError:
        """Note that the wave is lost, tell it once, and return the error."""
        error = LeaseLostError(
            f"wave {self.wave}: {why}",
            code="LeaseLost",
            cause=f"A run that the vault does not hear of for {STALE_S / 60:.0f} minutes loses its lease.",
            remedy="Nothing was cancelled. Let the other run end, then run the same playbook again.",
        )
        if not self.lost and self._on_lost:
            self._on_lost(error.message)
        self.lost = True
        return error

    async def release(self) -> None:
        """Give the wave back."""
        self._ticket = None
        name = self._name(self.run)
        tags, _ = await self._tags.read()
        if (value := self._value(tags, name)) is not None:
            await self._tags.drop(name, value)

    async def _beat(self) -> None:
        """Renew until the wave is lost; a service that does not answer once is no reason to stop."""
        pause_s = BEAT_S
        while self.is_held():
            await self._clock.sleep(min(pause_s, self._lose_s - self.age_s))
            try:
                async with self._clock.timeout(min(ANSWER_S, max(self._lose_s - self.age_s, 0.0))):
                    await self.renew()
                pause_s = BEAT_S
            except (AsrMigrateError, TimeoutError):
                pause_s = AGAIN_S

    @asynccontextmanager
    async def held(self) -> AsyncIterator[Lease]:
        """Hold the wave for the length of a block."""
        await self.acquire()
        beat = asyncio.create_task(self._beat())
        try:
            yield self
        finally:
            beat.cancel()
            with suppress(asyncio.CancelledError):
                await beat
            with suppress(AsrMigrateError, TimeoutError):
                async with self._clock.timeout(RELEASE_S):
                    await self.release()
