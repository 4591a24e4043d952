"""Requests that change something: each is sent once, none is cancelled, and what is under way is known by name."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from asr_migrate.clock import Clock
from asr_migrate.domain.errors import AsrMigrateError, ServiceError, WireError
from asr_migrate.domain.lifecycle import VERBS, Verb
from asr_migrate.domain.site import Sent
from asr_migrate.engine.caps import Begun
from asr_migrate.engine.doubt import in_doubt
from asr_migrate.engine.reads import AT_ONCE
from asr_migrate.engine.track import Asked, Track

Request = Callable[[str], Awaitable[Sent]]


@dataclass(frozen=True)
class Errand:
    """One request that asks ``verb`` of ``tracks``; ``known`` are the jobs about them, or about ``plan``, before it."""

    verb: Verb
    tracks: Sequence[Track]
    known: frozenset[str] = frozenset()
    plan: str | None = None
    key: str = field(default_factory=lambda: str(uuid.uuid4()))


class Wire:
    """Where the changes of one run leave. ``begun`` counts what was asked for."""

    def __init__(self, clock: Clock, stopping: Callable[[], bool], begun: Begun) -> None:
        self._clock = clock
        self._stopping = stopping
        self._begun = begun
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._under_way: dict[str, Errand] = {}
        self._closed = False

    @property
    def shut(self) -> bool:
        """Whether nothing may be sent any more."""
        return self._closed or self._stopping()

    async def ask(self, errand: Errand, request: Request) -> None:
        """Send ``request`` and note on the machines that they were asked; nothing happens when the wire is shut.

        Whatever leaves open whether the request was begun is noted as a doubt, to be looked up: an answer that was lost
        or cannot be read. Raises the error of a request that was not begun.
        """
        async with self._gate:
            if self.shut:
                return
            self._under_way[errand.key] = errand
            try:
                sent, doubt = await self._send(errand.key, request)
            finally:
                mine = self._under_way.pop(errand.key, None)
        if mine is not None:
            self._note(errand, sent, doubt)

    async def tell(self, request: Request) -> None:
        """Send a request that asks no verb of any machine: a remedy. Raises its error unless it may have been begun."""
        async with self._gate:
            if not self.shut:
                await self._send(str(uuid.uuid4()), request)

    def close(self) -> list[Track]:
        """Send nothing from now on; return the machines whose request has no answer yet, which they note as a doubt."""
        self._closed = True
        left = list(self._under_way.values())
        self._under_way.clear()
        for errand in left:
            words = VERBS[errand.verb].words
            doubt = ServiceError.from_codes(f"no answer yet to: {words}", ["Unanswered"])
            self._note(errand, Sent(None, errand.key), doubt)
        return [track for errand in left for track in errand.tracks]

    @staticmethod
    async def _send(key: str, request: Request) -> tuple[Sent, AsrMigrateError | None]:
        try:
            return await request(key), None
        except ServiceError as error:
            if not in_doubt(error):
                raise
            return Sent(None, key), error
        except WireError as error:
            return Sent(None, key), error
        except AsrMigrateError:
            raise
        except Exception as error:
            unread = "the answer of Site Recovery could not be read"
            doubt = ServiceError.from_codes(unread, ["Unanswered"], cause=f"{type(error).__name__}: {error}")
            return Sent(None, key), doubt

    def _note(self, errand: Errand, sent: Sent, doubt: AsrMigrateError | None) -> None:
        verb, plan, now_s = errand.verb, errand.plan, self._clock.monotonic()
        for track in errand.tracks:
            self._begun.note(verb, 1, now_s)
            before = track.seen.stage
            track.asked.append(
                Asked(verb, now_s, sent.job_id, sent.client_request_id, before, errand.known, doubt, plan)
            )
            track.wait_for(VERBS[verb].words + (f" by recovery plan {plan}" if plan else ""), now_s)
