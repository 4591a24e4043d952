"""What a recorded session tells about its own world: what was there before it, what it made, how its work ended.

Everything is read from the exchanges themselves. A resource was there before the session when something was read of it,
done with it, or said about it before the session made it; it was made by the session when its first sign is an accepted
PUT (or what a verb makes: the item that ``switchprotection`` moves).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asr_lab.arm.providers.model import AZURE_FABRIC
from asr_lab.contract import paths
from asr_lab.contract.recording import Exchange, Session, moment, texts

Body = Mapping[str, Any]
_REPEATABLE = ("replicationpolicies", "replicationrecoveryplans")
"""Collections in which a PUT may meet a resource that is already there, and then fail in its job."""
_EXISTS = "15035"
"""The service error of a PUT over a policy that is there with other settings."""
_SURE = frozenset({"recoveryContainerId", "recoveryFabricId", "targetProtectionContainerId"})
"""Keys of an answer under which a fabric or container stands that must be there, whether or not it was read."""


@dataclass(frozen=True)
class Read:
    """One sight of a resource: the body of a GET (``full``) or the row of a list."""

    position: int
    body: Body
    full: bool


@dataclass(frozen=True)
class Poll:
    """What one poll of an operation said; ``state`` as a job's, ``error`` is the recorded error object or None."""

    exchange: Exchange
    state: str
    job: Body | None
    error: Body | None


@dataclass
class RecordedOperation:
    """One operation of the session: the exchange that began it (None: before the session), and its polls."""

    name: str
    begun: Exchange | None = None
    polls: list[Poll] = field(default_factory=list)

    @property
    def end(self) -> Poll | None:
        """The first poll that saw it ended."""
        return next((poll for poll in self.polls if poll.state not in ("InProgress", "NotStarted")), None)

    @property
    def failed(self) -> bool:
        """Whether it was seen to fail."""
        return self.end is not None and self.end.state == "Failed"

    @property
    def codes(self) -> set[str]:
        """The codes of the errors that its polls told."""
        return {text for poll in self.polls for key, text in texts(poll.exchange.answer) if key == "code"}

    @property
    def last_running(self) -> datetime | None:
        """When it was last seen to run."""
        running = [poll.exchange for poll in self.polls if poll.state in ("InProgress", "NotStarted")]
        return running[-1].last_time or running[-1].time if running else None


@dataclass
class Signs:
    """Where a resource shows: positions of exchanges."""

    id: str
    reads: list[Read] = field(default_factory=list)
    used: int | None = None
    made: int | None = None
    removed: int | None = None
    verbs: list[Exchange] = field(default_factory=list)

    @property
    def first_sign(self) -> int | None:
        """The first exchange that takes the resource for granted."""
        seen = [read.position for read in self.reads[:1]] + ([self.used] if self.used is not None else [])
        return min(seen) if seen else None


class Facts:
    """The facts of one session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.signs: dict[str, Signs] = {}
        self.operations: dict[str, RecordedOperation] = {}
        self.said: dict[str, dict[str, None]] = {}
        self.ids: dict[str, str] = {}
        """Every resource id in a path or a body, by its key, as it was first written."""
        self.asked_ids: set[str] = set()
        """Keys of the ids that requests name: in paths or bodies."""
        self.version_evidence: str | None = None
        """The youngest api-version the answers allow, empty for any; None until it was looked for."""
        for exchange in session.exchanges:
            self._operations(exchange)
        for exchange in session.exchanges:
            self._path(exchange)
            self._bodies(exchange)

    # What was there, what was made

    def existed(self, resource_id: str) -> bool:
        """Return whether the session takes the resource for granted."""
        signs = self.signs.get(paths.key(resource_id))
        if signs is None or signs.first_sign is None:
            return False
        made = self.made_at(resource_id)
        return made is None or signs.first_sign < made

    def made_at(self, resource_id: str) -> int | None:
        """Return the position of the exchange that makes the resource, or None."""
        signs = self.signs.get(paths.key(resource_id))
        if signs is not None and signs.made is not None:
            return signs.made
        if paths.collection_of(resource_id).casefold() == "replicationjobs":
            return self._job_made_at(resource_id)
        return self._moved_at(resource_id)

    def _job_made_at(self, job_id: str) -> int | None:
        """Return the position of the exchange that began a job, that of its first sight when it began meanwhile."""
        held = self.operations.get(job_id.rpartition("/")[2].casefold())
        if held is not None and held.begun is not None:
            return held.begun.position
        first = next((exchange.time for exchange in self.session.exchanges if exchange.time), None)
        started = moment(properties(self.told(job_id)).get("startTime"))
        signs = self.signs.get(paths.key(job_id))
        return signs.first_sign if signs and first and started and started > first else None

    def _moved_at(self, resource_id: str) -> int | None:
        """Return the position of the ``switchprotection`` that moves an item to where the id says, or None."""
        if paths.collection_of(resource_id).casefold() != "replicationprotecteditems":
            return None
        name = resource_id.rpartition("/")[2].casefold()
        for exchange in self.session.exchanges:
            given = properties(exchange.body)
            if exchange.path.casefold().endswith("/switchprotection") and exchange.status < 400:
                said = str(given.get("replicationProtectedItemName") or "").casefold()
                here = paths.key(exchange.path.rpartition("/")[0])
                if said == name and not paths.same_start(resource_id, here):
                    return exchange.position
        return None

    def before(self, collection: str) -> list[Signs]:
        """Return the resources of a collection that were there before the session, in the order of their first sign."""
        wanted = collection.casefold()
        found = [
            signs for key, signs in self.signs.items() if paths.collection_of(key) == wanted and self.existed(signs.id)
        ]
        return sorted(found, key=lambda signs: signs.first_sign or 0)

    def told(self, resource_id: str) -> Body:
        """Return all that is said of a resource: its first GET over its row in a list; empty when nothing is."""
        signs = self.signs.get(paths.key(resource_id))
        if signs is None or not signs.reads:
            return {}
        rows = sorted(signs.reads, key=lambda read: not read.full)
        return merged(rows[-1].body, rows[0].body) if rows[0].full else rows[0].body

    def all_told(self) -> dict[str, Body]:
        """Return what is said of every resource, by the key of its id."""
        return {key: self.told(signs.id) for key, signs in self.signs.items() if signs.reads}

    def texts(self) -> dict[str, tuple[str, ...]]:
        """Return every text under a key anywhere in the bodies, by the key in lower case."""
        return {name: tuple(held) for name, held in self.said.items()}

    # Reading the session

    def sign(self, resource_id: str) -> Signs:
        """Return the signs of a resource, new ones when it has none yet."""
        return self.signs.setdefault(paths.key(resource_id), Signs(resource_id))

    def _path(self, exchange: Exchange) -> None:
        found = paths.named(exchange.path)
        if not found.resource.startswith("/subscriptions/") and not found.resource.startswith("/Subscriptions/"):
            return
        if paths.RESOURCE_ID.match(found.resource):
            self.ids.setdefault(paths.key(found.resource), found.resource)
            self.asked_ids.add(paths.key(found.resource))
        if exchange.status == 404:
            return
        for parent in paths.chain(found.resource):
            self._use(parent, exchange)
        if exchange.method == "PUT" and not found.tail:
            self._make(found, exchange)
        elif exchange.method != "GET" or found.tail:
            self._use(found.resource, exchange)
            if exchange.method != "GET" and exchange.status < 400:
                self.sign(found.resource).verbs.append(exchange)
            if exchange.method == "DELETE" or (found.tail == "remove" and exchange.method == "POST"):
                self.sign(found.resource).removed = exchange.position

    def _make(self, found: paths.Named, exchange: Exchange) -> None:
        signs = self.sign(found.resource)
        signs.verbs.append(exchange)
        operation = self.operations.get((exchange.operation or "").casefold())
        failed = operation is not None and operation.failed and found.collection.casefold() in _REPEATABLE
        if failed and operation is not None and _EXISTS in operation.codes:
            self._use(found.resource, exchange)
        elif signs.made is None and exchange.status < 400 and not failed:
            signs.made = exchange.position

    def _use(self, resource_id: str, exchange: Exchange) -> None:
        signs = self.sign(resource_id)
        if signs.used is None:
            signs.used = exchange.position

    def _bodies(self, exchange: Exchange) -> None:
        own = paths.key(paths.named(exchange.path).resource)
        for name, text in texts(exchange.body):
            self.said.setdefault(name.casefold(), {}).setdefault(text)
            if paths.RESOURCE_ID.match(text):
                self.ids.setdefault(paths.key(text), text)
                self.asked_ids.add(paths.key(text))
                if exchange.status < 400 and paths.key(text) != own:
                    self._use(text, exchange)
                    for parent in paths.chain(text):
                        self._use(parent, exchange)
        for name, text in texts(exchange.answer):
            self.said.setdefault(name.casefold(), {}).setdefault(text)
            if paths.RESOURCE_ID.match(text):
                self.ids.setdefault(paths.key(text), text)
                if name in _SURE and AZURE_FABRIC not in text:
                    self._use(text, exchange)
                    for parent in paths.chain(text):
                        self._use(parent, exchange)
        if exchange.status == 200 and not exchange.body_dropped:
            for body, full in rows_of(exchange):
                self.sign(str(body["id"])).reads.append(Read(exchange.position, body, full))

    def _operations(self, exchange: Exchange) -> None:
        if exchange.operation:
            held = self.operations.setdefault(exchange.operation.casefold(), RecordedOperation(exchange.operation))
            held.begun = held.begun or exchange
        polled = polled_operation(exchange)
        if polled is None or exchange.status != 200 or not isinstance(exchange.answer, Mapping):
            return
        job = exchange.answer.get("properties")
        job = job if isinstance(job, Mapping) and "scenarioName" in job else None
        state = str((job or {}).get("state") or exchange.answer.get("status") or "")
        error = exchange.answer.get("error")
        held = self.operations.setdefault(polled.casefold(), RecordedOperation(polled))
        held.polls.append(Poll(exchange, state, job, error if isinstance(error, Mapping) else None))


def polled_operation(exchange: Exchange) -> str | None:
    """Return the name of the operation or job that a GET asks about, or None."""
    if exchange.method != "GET":
        return None
    for poll in ("replicationOperationStatus", "operationStatus", "replicationJobs"):
        if found := exchange.name(poll):
            return found
    return None


def rows_of(exchange: Exchange) -> Iterator[tuple[Body, bool]]:
    """Yield the resources that an answer shows, with whether it shows them in full (not as a row of a list)."""
    answer = exchange.answer
    if not isinstance(answer, Mapping):
        return
    if isinstance(answer.get("value"), list):
        for row in answer["value"]:
            if isinstance(row, Mapping) and _is_resource(row):
                yield row, False
    elif _is_resource(answer) and exchange.method == "GET":
        yield answer, True


def _is_resource(body: Body) -> bool:
    return isinstance(body.get("id"), str) and str(body["id"]).casefold().startswith("/subscriptions/")


def properties(body: Any) -> Body:
    """Return ``properties`` of a body, empty when it has none."""
    found = body.get("properties") if isinstance(body, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def merged(lower: Body, upper: Body) -> dict[str, Any]:
    """Return ``upper`` with what only ``lower`` has; an empty list or null above gives way to what is below."""
    result = dict(lower)
    for name, value in upper.items():
        below = result.get(name)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            result[name] = merged(below, value)
        elif value not in (None, [], "") or name not in result:
            result[name] = value
    return result
