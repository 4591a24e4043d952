"""Walks one recorded session through the lab and reports where its answers are not the recorded ones."""

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from asr_lab.arm.operations import Operation
from asr_lab.arm.wire import Request, Response
from asr_lab.contract import paths, versions
from asr_lab.contract.azure import Surroundings
from asr_lab.contract.certificates import with_certificate
from asr_lab.contract.compare import Comparison, Deviation, is_word
from asr_lab.contract.facts import Facts, polled_operation
from asr_lab.contract.names import TOKENS, Names
from asr_lab.contract.pace import pace_of
from asr_lab.contract.recording import Exchange, Session
from asr_lab.contract.regions import in_our_regions
from asr_lab.contract.scene import Scene
from asr_lab.contract.seed import PROBLEMS, Seeding
from asr_lab.contract.services import Treatment, treatment

Outcome = Literal["equal", "allowed", "deviates", "skipped"]
START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
SEEDED_BEFORE = timedelta(days=90)
_SIGNED = ("t", "c", "s", "h")
_LADDER_S = (1, 5, 15, 30, *range(60, 3600, 60), *range(3600, 6 * 3600 + 1, 600))
_UNPAIRED = ("replicationpolicies", "replicationprotectioncontainers", "replicationfabrics")


@dataclass
class Result:
    """What became of one exchange. ``deviations`` holds the allowed ones too."""

    exchange: Exchange
    outcome: Outcome
    deviations: list[Deviation] = field(default_factory=list)
    reason: str = ""


@dataclass
class SessionReport:
    """What became of one file. ``notes`` says what could not be put into the lab beforehand."""

    session: Session
    results: list[Result] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def count(self, *outcomes: Outcome) -> int:
        """Return how many exchanges had one of these outcomes."""
        return sum(result.outcome in outcomes for result in self.results)

    @property
    def equal(self) -> bool:
        """Whether no exchange deviates."""
        return not self.count("deviates")


class Replay:
    """One session against one world."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.facts = Facts(session)
        first = next((exchange.time for exchange in session.exchanges if exchange.time), None) or START
        self.begins = first
        self.scene = Scene(first - SEEDED_BEFORE)
        self.surroundings = Surroundings(self.facts, self.scene)
        self.names = Names(session.exchanges)
        note = str(session.held.get("note") or "")
        self.comparison = Comparison(self.names, note)
        self.seeding = Seeding(self.facts, self.scene, self.surroundings, api_version=self._any_version(), begins=first)
        self._before: Exchange | None = None

    def run(self) -> SessionReport:
        """Seed the world, walk the session, and return the report."""
        report = SessionReport(self.session)
        self.seeding.attempt("Azure around the vault", self.surroundings.make)
        self.seeding.run()
        self._begin()
        for exchange in self.session.exchanges:
            self.seeding.seed_late(exchange.position)
            report.results.append(self._guarded(exchange))
        report.notes = self.seeding.all_notes
        return report

    def _guarded(self, exchange: Exchange) -> Result:
        """Return what became of an exchange; one that cannot be replayed deviates and says why."""
        try:
            return self._result(exchange)
        except PROBLEMS as problem:
            return Result(exchange, "deviates", [Deviation("", f"could not be compared: {problem!r}")])

    def _any_version(self) -> str:
        for exchange in self.session.exchanges:
            if "/replication" in exchange.path.casefold():
                return versions.true_version(self.facts, exchange)
        return "2023-08-01"

    def _begin(self) -> None:
        """Forget how the world was made, and let the session's time begin."""
        scene = self.scene
        scene.now = max(scene.now, self.begins)
        scene.world.advance(scene.now)
        kept = {name.casefold() for name, held in self.facts.operations.items() if held.begun is None}
        for name in [name for name, held in scene.world.operations.items() if not held.running and name not in kept]:
            del scene.world.operations[name]

    # One exchange

    def _result(self, exchange: Exchange) -> Result:
        how = treatment(exchange)
        passed_s = self._passed_s(exchange)
        if how.extent == "skip":
            self._elsewhere(exchange)
            return Result(exchange, "skipped", reason=how.reason)
        self.scene.now = self._moment(exchange, passed_s)
        if how.extent == "status" and exchange.method == "GET" and exchange.status == 200:
            self.surroundings.ensure(exchange.path)
        if _removes(exchange):
            self.seeding.pairing.forget_own()
        response, found = self._asked(exchange, how)
        if exchange.repeated > 1 and exchange.last_time and exchange.time and not _open(found):
            self._let_pass(exchange, (exchange.last_time - exchange.time).total_seconds())
            response, again = self._asked(exchange, how)
            found += [deviation for deviation in again if deviation not in found]
        if how.extent == "status":
            return self._by_status(exchange, how, response, found)
        outcome: Outcome = "deviates" if _open(found) else "allowed" if found else "equal"
        return Result(exchange, outcome, found)

    def _by_status(self, exchange: Exchange, how: Treatment, response: Response, found: list[Deviation]) -> Result:
        unknown = (
            isinstance(response.body, dict) and response.body.get("error", {}).get("code") == "InvalidResourceType"
        )
        if found and (unknown or response.status in (400, 405)):
            return Result(exchange, "skipped", reason=how.reason)
        return Result(exchange, "deviates" if found else "equal", found, how.reason)

    def _elsewhere(self, exchange: Exchange) -> None:
        """Let a change that another service made take its effect on what Site Recovery finds there."""
        if not paths.RESOURCE_ID.match(exchange.path) or exchange.status >= 400:
            return
        if exchange.method == "PUT":
            self.surroundings.ensure(exchange.path)
        elif exchange.method == "DELETE":
            self.surroundings.remove(exchange.path)

    def _asked(self, exchange: Exchange, how: Treatment) -> tuple[Response, list[Deviation]]:
        """Send the exchange, later when only a later answer is the recorded one, and compare."""
        api_version = versions.true_version(self.facts, exchange)
        request = self._request(exchange, api_version)
        response = self._send(exchange, request)
        found = self._compared(exchange, how, response, api_version)
        wrong = _open(found) if exchange.method == "GET" else response.status != exchange.status
        moment = self._later_moment(exchange, how, request, api_version) if wrong else None
        if moment is not None:
            self.scene.now = moment
            response = self._send(exchange, request)
        self.names.learn_operation(exchange, response.headers)
        self.names.learn_answer(exchange.answer, response.body)
        return response, self._compared(exchange, how, response, api_version)

    def _send(self, exchange: Exchange, request: Request) -> Response:
        """Return the lab's answer; what it begins takes as long, and ends, as recorded."""
        operation = self.facts.operations.get((exchange.operation or "").casefold())
        self.scene.world.pace = pace_of(operation) if operation else None
        response = self.scene.world.handle(request, self.scene.now)
        self.scene.world.pace = None
        return response

    def _compared(self, exchange: Exchange, how: Treatment, response: Response, api_version: str) -> list[Deviation]:
        if how.extent == "status":
            return self.comparison.status_only(exchange, response)
        return self.comparison.deviations(exchange, response, api_version)

    def _request(self, exchange: Exchange, api_version: str) -> Request:
        path = self.names.to_ours(exchange.path)
        query = {name: held for name, held in exchange.query.items() if name not in _SIGNED}
        for name in list(query):
            if name.casefold() == "api-version":
                query[name] = api_version
            elif name.casefold() in TOKENS:
                query[name] = self.names.token_to_ours(query[name])
            else:
                query[name] = self.names.to_ours(query[name])
        body = self.names.body_to_ours(exchange.body)
        body = with_certificate(in_our_regions(exchange, body), self.scene.now)
        return Request(exchange.method, path, query, {"x-ms-client-request-id": "recorded"}, body, "recorded")

    # Time

    def _passed_s(self, exchange: Exchange) -> float:
        """Return the seconds between the exchange before and this one, as recorded."""
        before, self._before = self._before, exchange
        ended = (before.last_time or before.time) if before else None
        if ended is None or exchange.time is None:
            return 1.0 if before else 0.0
        return max(0.0, (exchange.time - ended).total_seconds())

    def _let_pass(self, exchange: Exchange, passed_s: float) -> None:
        self.scene.now = self._moment(exchange, max(0.0, passed_s))

    def _moment(self, exchange: Exchange, passed_s: float) -> datetime:
        """Return when to send an exchange: time passes as recorded, but a poll waits for its operation."""
        later = self.scene.now + timedelta(seconds=passed_s)
        operation = self._polled(exchange)
        if operation is None or not isinstance(exchange.answer, dict):
            return later
        told = (exchange.answer.get("properties") or {}).get("state") or exchange.answer.get("status")
        if told == "NotStarted":
            return self.scene.now
        if told == "InProgress":
            if not operation.running:
                return later
            span = operation.due - operation.started
            first = operation.started + min(timedelta(seconds=0.7), span / 2)
            last = operation.started + span * 0.95
            return max(self.scene.now, first, min(later, last))
        return max(later, operation.due if operation.running else later)

    def _polled(self, exchange: Exchange) -> Operation | None:
        name = polled_operation(exchange)
        return self.scene.world.operation(self.names.to_ours(name)) if name else None

    def _later_moment(self, exchange: Exchange, how: Treatment, request: Request, api_version: str) -> datetime | None:
        """Return the first later moment at which a copy of the world answers as recorded, or nearer to it; else None.

        Reads wait for the state that was recorded, writes for work that nobody polled to its end.
        """
        copy = self._copy() if how.extent == "full" and self._depends_on_time(exchange) else None
        if copy is None:
            return None
        best: tuple[tuple[int, int], datetime | None] | None = None
        for moment in (None, *self._moments()):
            response = copy.handle(request, moment or self.scene.now)
            found = _open(self._compared(exchange, how, response, api_version))
            if exchange.method != "GET" and response.status == exchange.status:
                return moment
            if exchange.method == "GET" and not found:
                return moment
            weight = (sum(is_word(one) for one in found), len(found))
            if best is None or weight < best[0]:
                best = weight, moment
        return best[1] if best and exchange.method == "GET" else None

    def _depends_on_time(self, exchange: Exchange) -> bool:
        path = exchange.path.casefold()
        if exchange.method != "GET":
            return exchange.status < 400 and "/replication" in path
        return any(
            part in path for part in ("/replicationprotecteditems", "/replicationjobs/", "/replicationoperationstatus/")
        )

    def _moments(self) -> Iterator[datetime]:
        now = self.scene.now
        dues = [one.due for one in self.scene.world.operations.values() if one.running]
        ladder = [now + timedelta(seconds=seconds) for seconds in _LADDER_S]
        yield from sorted({moment for moment in [*dues, *ladder] if moment > now})

    def _copy(self) -> Any:
        """Return a copy of the world, None when it cannot be copied."""
        try:
            return pickle.loads(pickle.dumps(self.scene.world))
        except (pickle.PickleError, AttributeError, TypeError):
            return None


def _removes(exchange: Exchange) -> bool:
    """Return whether an exchange removes what must not be paired any more: a policy, a container, a fabric."""
    named = paths.named(exchange.path)
    removes = exchange.method == "DELETE" or (exchange.method == "POST" and named.tail == "remove")
    return removes and exchange.status < 400 and named.collection.casefold() in _UNPAIRED


def _open(found: list[Deviation]) -> list[Deviation]:
    """Return the deviations that no exception allows."""
    return [deviation for deviation in found if deviation.allowed is None]
