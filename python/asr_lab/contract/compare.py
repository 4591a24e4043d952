"""Holds the lab's answer against the recorded one: status, headers, the shape of the body, and words clients need."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from asr_lab.arm.wire import Response
from asr_lab.contract import paths, shapes
from asr_lab.contract.exceptions import Allowed, Place, allowing
from asr_lab.contract.names import Names
from asr_lab.contract.recording import GUID, Exchange

WORDS = (
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
_LINKS = ("Location", "Azure-AsyncOperation")
_STATES = ("status",)


@dataclass(frozen=True)
class Deviation:
    """One difference: a JSON path (empty: the whole answer), what is wrong there, and the row that allows it."""

    path: str
    text: str
    allowed: Allowed | None = None

    def __str__(self) -> str:
        return f"{self.path or 'the answer'} {self.text}"


def is_word(deviation: Deviation) -> bool:
    """Return whether the deviation is of status, or of a word that clients decide by."""
    return not deviation.path or deviation.path.rpartition(".")[2] in (*WORDS, *_STATES)


class Comparison:
    """Compares the answers of one session. ``note`` is what the recording says about itself."""

    def __init__(self, names: Names, note: str) -> None:
        self.names = names
        self.note = note

    def status_only(self, exchange: Exchange, response: Response) -> list[Deviation]:
        """Return the difference of status of a call to another service."""
        if response.status == exchange.status:
            return []
        return [Deviation("", f"is {response.status} instead of {exchange.status}{_said(response)}")]

    def deviations(self, exchange: Exchange, response: Response, api_version: str) -> list[Deviation]:
        """Return every difference between our answer and the recorded one."""
        if response.status != exchange.status:
            return self.status_only(exchange, response)
        found = [Deviation("", text) for text in self._headers(exchange, response)]
        if (exchange.answer is None) != (response.body is None):
            found.append(
                Deviation("", f"has {'no body' if response.body is None else 'a body'}, unlike the recorded one")
            )
            return found
        differences = [
            (_kind(exchange.answer), found.path, found.text) for found in self._words_differ(exchange, response)
        ]
        differences += [(kind, one.path, one.text) for kind, one in self._shapes(exchange, response)]
        for kind, path, text in differences:
            year = exchange.time.year if exchange.time else 0
            inside = re.sub(r"^value\[[^\]]*\]\.", "", path)
            place = Place(_collection(exchange), kind, inside, api_version, year, self.note)
            found.append(Deviation(path, text, allowing(place)))
        return found

    # Headers

    def _headers(self, exchange: Exchange, response: Response) -> Iterator[str]:
        for name in (*_LINKS, "Retry-After", "x-ms-request-id"):
            recorded, ours = exchange.headers.get(name.casefold()), response.headers.get(name)
            if recorded is None:
                continue
            if ours is None:
                yield f"lacks the header {name}"
            elif name == "Retry-After":
                if ours != recorded:
                    yield f"has the header {name} {ours} instead of {recorded}"
            elif (name in _LINKS or recorded.startswith("/")) and self._link(recorded) != self._link(ours):
                yield f"has the header {name} {self._link(ours)} instead of {self._link(recorded)}"

    def _link(self, text: str) -> str:
        """Return a link, or a request id, with all names of operations as one word."""
        parts = urlsplit(self.names.to_ours(unquote(text)))
        path = parts.path
        for name in sorted({*self.names.ours.values()}, key=len, reverse=True):
            path = path.replace(name, "{operation}")
        segments = path.split("/")
        if len(segments) > 2 and segments[-2].casefold() in ("operationresults", "operationstatus"):
            path = "/".join([*segments[:-1], "{operation}"])
        path = GUID.sub("{guid}", path) if "/" not in path else path
        asks = "?api-version" if "api-version" in parse_qs(parts.query) else ""
        return re.sub(r"^/subscriptions/", "/Subscriptions/", path, flags=re.IGNORECASE) + asks

    # Bodies

    def _shapes(self, exchange: Exchange, response: Response) -> Iterator[tuple[str, shapes.Difference]]:
        """Yield (instanceType, difference); the rows of a list are compared kind by kind."""
        recorded, ours = exchange.answer, response.body
        if _is_list(recorded) and _is_list(ours) and recorded is not None and ours is not None:
            rows = self._rows(exchange, recorded["value"], ours["value"])
            told, said = _by_kind(recorded["value"]), _by_kind(rows)
            for kind in told:
                there, here = shapes.of({"value": told[kind]}), shapes.of({"value": said.get(kind, [])})
                for found in shapes.differences(
                    there, here, samples=_samples(exchange, len(rows) != len(recorded["value"]))
                ):
                    yield kind, found
            recorded = {**recorded, "value": []}
            ours = {**ours, "value": []}
        for found in shapes.differences(shapes.of(recorded), shapes.of(ours), samples=_samples(exchange, True)):
            yield _kind(recorded), found

    def _rows(self, exchange: Exchange, recorded: list[Any], ours: list[Any]) -> list[Any]:
        """Return our rows to compare: of a list that was shortened, those that were kept, where we have them all."""
        if "value" not in _cut(exchange):
            return ours
        pairs = self.names.pairs(recorded, ours)
        rows = [said for told, said in pairs if _same_name(self.names, told, said)]
        return rows if len(rows) == len(recorded) else ours

    def _words_differ(self, exchange: Exchange, response: Response) -> Iterator[Deviation]:
        """Yield where the words differ that clients decide by: those of jobs, items, operations and errors."""
        recorded, ours = exchange.answer, response.body
        if not isinstance(recorded, Mapping) or not isinstance(ours, Mapping):
            return
        if _is_list(recorded) and _is_list(ours):
            for told, said in self.names.pairs(recorded["value"], ours["value"]):
                if _same_name(self.names, told, said):
                    yield from self._words_of(told, said, f"value[{told.get('name')}].")
            return
        yield from self._words_of(recorded, ours, "")
        yield from _error_words(recorded, ours)

    def _words_of(self, recorded: Any, ours: Any, place: str) -> Iterator[Deviation]:
        for name in _STATES:
            if isinstance(recorded.get(name), str) and recorded[name] != ours.get(name):
                yield Deviation(f"{place}{name}", f"is {ours.get(name)!r} instead of {recorded[name]!r}")
        told, said = recorded.get("properties"), ours.get("properties")
        if not isinstance(told, Mapping) or not isinstance(said, Mapping):
            return
        for name in WORDS:
            if name in told and told[name] != said.get(name):
                text = f"is {said.get(name)!r} instead of {told[name]!r}"
                yield Deviation(f"{place}properties.{name}", text)
        if "scenarioName" in told and _tasks(told) != _tasks(said):
            yield Deviation(f"{place}properties.tasks", f"are {_tasks(said)} instead of {_tasks(told)}")


def _cut(exchange: Exchange) -> list[str]:
    """Return the paths of the lists that were shortened when the answer was kept."""
    return [re.sub(r"\[[^\]]*\]", "[]", str(cut.get("path"))) for cut in exchange.trimmed]


def _samples(exchange: Exchange, rows_differ: bool) -> tuple[str, ...]:
    """Return the paths of lists of which the recorded elements are a sample; the rows only when ours are others."""
    return tuple(path for path in _cut(exchange) if path != "value" or rows_differ)


def _error_words(recorded: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[Deviation]:
    told, said = recorded.get("error"), ours.get("error")
    if not isinstance(told, Mapping) or not isinstance(said, Mapping):
        return
    if told.get("code") != said.get("code"):
        yield Deviation("error.code", f"is {said.get('code')!r} instead of {told.get('code')!r}")
    details = [_first(one.get("details")).get("code") for one in (told, said)]
    if details[0] != details[1]:
        yield Deviation("error.details[].code", f"is {details[1]!r} instead of {details[0]!r}")


def _first(rows: Any) -> Mapping[str, Any]:
    return rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], Mapping) else {}


def _tasks(job: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return id, name and text of the tasks; ids that are GUIDs differ from job to job."""
    rows = [row for row in job.get("tasks") or () if isinstance(row, Mapping)]
    return [
        (GUID.sub("{guid}", str(row.get("taskId"))), str(row.get("name")), str(row.get("friendlyName"))) for row in rows
    ]


def _said(response: Response) -> str:
    """Return our error's code and message for a report, an empty string when there is none."""
    error = response.body.get("error") if isinstance(response.body, Mapping) else None
    if not isinstance(error, Mapping):
        return ""
    detail = _first(error.get("details")).get("code")
    code = f"{error.get('code')}/{detail}" if detail else str(error.get("code"))
    return f" ({code}: {error.get('message')})"


def _is_list(body: Any) -> bool:
    return isinstance(body, Mapping) and isinstance(body.get("value"), list)


def _by_kind(rows: list[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(_kind(row), []).append(row)
    return found


def _kind(body: Any) -> str:
    """Return the instanceType of a resource: that of its provider's or fabric's details, else an empty string."""
    properties = body.get("properties") if isinstance(body, Mapping) else None
    if not isinstance(properties, Mapping):
        return ""
    for name in ("providerSpecificDetails", "customDetails", "fabricSpecificDetails", "fabricSpecificSettings"):
        held = properties.get(name)
        if isinstance(held, Mapping) and held.get("instanceType"):
            return str(held["instanceType"])
    return ""


def _same_name(names: Names, recorded: Any, ours: Any) -> bool:
    if not isinstance(recorded, Mapping) or not isinstance(ours, Mapping):
        return False
    one, other = recorded.get("name"), ours.get("name")
    return isinstance(one, str) and isinstance(other, str) and names.to_ours(one).casefold() == other.casefold()


def _collection(exchange: Exchange) -> str:
    named = paths.named(exchange.path)
    return named.tail if named.tail and exchange.method == "GET" else named.collection
