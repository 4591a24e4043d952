"""Sends recorded requests into a world and compares the answers with the recorded ones."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from asr_lab.arm.operations import Operation
from asr_lab.arm.wire import Request, Response

from . import shapes
from .exceptions import EXCEPTIONS
from .recordings import GUID, Exchange
from .scenery import Scenery
from .sessions import Session

_POLLS = ("replicationJobs", "replicationOperationStatus", "operationStatus")
_LINKS = ("Location", "Azure-AsyncOperation")
_WORDS = (
    "state",
    "stateDescription",
    "scenarioName",
    "targetInstanceType",
    "allowedActions",
    "protectionState",
    "protectionStateDescription",
    "activeLocation",
    "testFailoverState",
    "testFailoverStateDescription",
    "allowedOperations",
)


@dataclass(frozen=True)
class Finding:
    """One difference of one answer."""

    exchange: Exchange
    text: str

    def __str__(self) -> str:
        return f"{self.exchange.label}: {self.text}"


class Replay:
    """One recorded session against one world."""

    def __init__(self, number: str, session: Session, exchanges: list[Exchange], scenery: Scenery) -> None:
        self.number = number
        self.session = session
        self.exchanges = exchanges
        self.scenery = scenery
        self.operations: dict[str, str] = {}
        self.next_link: str | None = None
        self.used: set[tuple[str, str, str]] = set()

    def run(self) -> Iterator[tuple[Exchange, list[Finding]]]:
        """Yield every covered exchange with what is wrong with our answer."""
        for exchange in self.exchanges:
            if self.session.covers(exchange):
                response = self._send(exchange)
                yield exchange, [Finding(exchange, text) for text in self._differences(exchange, response)]

    def _send(self, exchange: Exchange) -> Response:
        self._wait(exchange)
        path = self._ours(exchange.path)
        query = {name: value for name, value in exchange.query.items() if name not in ("t", "c", "s", "h")}
        query["api-version"] = self.session.true_version or exchange.api_version
        if "$skipToken" in query and self.next_link:
            query["$skipToken"] = parse_qs(urlsplit(self.next_link).query)["$skipToken"][0]
        body = self.session.adapt(exchange.body, self.scenery)
        request = Request(exchange.method, path, query, {"x-ms-client-request-id": "recorded"}, body, "recorded")
        response = self.scenery.world.handle(request, self.scenery.now)
        if exchange.operation and response.headers.get("Location", response.headers.get("Azure-AsyncOperation")):
            link = response.headers.get("Location") or response.headers["Azure-AsyncOperation"]
            self.operations[exchange.operation] = unquote(urlsplit(link).path).rpartition("/")[2]
        if isinstance(response.body, dict) and response.body.get("nextLink"):
            self.next_link = str(response.body["nextLink"])
        return response

    def _ours(self, path: str) -> str:
        for recorded, ours in self.operations.items():
            path = path.replace(recorded, ours)
        return path

    def _operation(self, exchange: Exchange) -> Operation | None:
        name = next((found for poll in _POLLS if (found := exchange.name(poll))), None)
        if name is None or exchange.method != "GET":
            return None
        world = self.scenery.world
        if name not in self.operations and world.operations:
            self.operations[name] = next(reversed(world.operations.values())).guid
        return world.operation(self.operations.get(name, name))

    def _wait(self, exchange: Exchange) -> None:
        """Let time pass until our operation is in the state that was recorded."""
        operation = self._operation(exchange)
        if operation is None or not isinstance(exchange.answer, dict):
            return
        state = exchange.answer.get("properties", {}) or {}
        told = state.get("state") or exchange.answer.get("status")
        if told == "InProgress":
            wanted = operation.started + min(timedelta(seconds=0.5), (operation.due - operation.started) / 2)
            self.scenery.now = max(self.scenery.now, wanted)
        elif told != "NotStarted":
            self.scenery.now = max(self.scenery.now, operation.due)

    def _differences(self, exchange: Exchange, response: Response) -> Iterator[str]:
        if response.status != exchange.status:
            yield f"answers {response.status} instead of {exchange.status}: {response.body}"
            return
        yield from self._header_differences(exchange, response)
        if (exchange.answer is None) != (response.body is None):
            yield f"the body is {'empty' if response.body is None else 'not empty'}"
            return
        yield from _value_differences(exchange.answer, response.body)
        recorded = shapes.of(self.session.covered(exchange.answer))
        for found in shapes.differences(recorded, shapes.of(response.body)):
            row = excepted(self.number, found)
            if row is not None:
                self.used.add(row)
            else:
                yield f"{found.path or 'the body'} {found.text}"

    def _header_differences(self, exchange: Exchange, response: Response) -> Iterator[str]:
        for name in (*_LINKS, "Retry-After", "x-ms-request-id"):
            recorded = exchange.headers.get(name)
            if recorded is None:
                continue
            ours = response.headers.get(name)
            if ours is None:
                yield f"the header {name} is missing"
            elif name == "Retry-After":
                if ours != recorded:
                    yield f"the header {name} is {ours} instead of {recorded}"
            elif (name in _LINKS or recorded.startswith("/")) and self._link(ours) != self._link(recorded):
                yield f"the header {name} leads to {self._link(ours)} instead of {self._link(recorded)}"

    def _link(self, text: str) -> str:
        """Return a link without host, query values and operation ids."""
        parts = urlsplit(text)
        path = unquote(parts.path)
        for known in {*self.operations, *self.operations.values()}:
            path = path.replace(known, "{operation}")
        asks = "?api-version" if "api-version" in parse_qs(parts.query) else ""
        return re.sub(r"^/subscriptions/", "/Subscriptions/", path) + asks


def _value_differences(recorded: Any, ours: Any) -> Iterator[str]:
    """Yield where the words that clients decide by differ, for a job or a protected item."""
    told = recorded.get("properties") if isinstance(recorded, dict) else None
    said = ours.get("properties") if isinstance(ours, dict) else None
    if not isinstance(told, dict) or not isinstance(said, dict):
        return
    for key in _WORDS:
        if key in told and told[key] != said.get(key):
            yield f"properties.{key} is {said.get(key)!r} instead of {told[key]!r}"
    if "scenarioName" in told and _tasks(told) != _tasks(said):
        yield f"properties.tasks are {_tasks(said)} instead of {_tasks(told)}"


def _tasks(job: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return id, name and text of the tasks; ids that are GUIDs differ from job to job."""
    return [(GUID.sub("{guid}", row["taskId"]), row["name"], row["friendlyName"]) for row in job["tasks"]]


def excepted(number: str, found: shapes.Difference) -> tuple[str, str, str] | None:
    """Return the row of the table of exceptions that allows a difference, or None."""
    for row in EXCEPTIONS:
        numbers, path, _reason = row
        if number in numbers.split() and fnmatchcase(found.path, path.replace("[]", "[[][]]")):
            return row
    return None
