"""What the lab calls things that the recorded service had given other names: operations, jobs, points, page tokens."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from asr_lab.contract.recording import GUID, Exchange

TOKENS = ("$skiptoken", "continuationtoken")
"""How page tokens are called in a query, in lower case."""


class Names:
    """Recorded names and ours. ``later`` are the GUIDs that requests of the session use; only those are learnt."""

    def __init__(self, exchanges: tuple[Exchange, ...]) -> None:
        self.ours: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self._later = {guid.casefold() for exchange in exchanges for guid in _guids(exchange)}
        self._kept: set[str] = set()

    def learn(self, recorded: str, ours: str) -> None:
        """Remember that the lab says ``ours`` where the recording says ``recorded``."""
        key = recorded.casefold()
        if recorded and key not in self.ours and key != ours.casefold():
            self.ours[key] = ours
            self._pattern = None

    def learn_operation(self, exchange: Exchange, links: Mapping[str, str]) -> None:
        """Remember the operation that an answer began."""
        link = links.get("Location") or links.get("Azure-AsyncOperation")
        if exchange.operation and link:
            self.learn(exchange.operation, urlsplit(link).path.rstrip("/").rpartition("/")[2])

    def learn_answer(self, recorded: Any, ours: Any) -> None:
        """Remember the GUIDs of an answer that later requests use and that the lab has chosen itself."""
        stack = [(recorded, ours)]
        while stack:
            told, said = stack.pop()
            if isinstance(told, Mapping) and isinstance(said, Mapping):
                self._learn_page(told.get("nextLink"), said.get("nextLink"))
                stack += [(told[name], said[name]) for name in told if name in said]
            elif isinstance(told, list) and isinstance(said, list):
                stack += self.pairs(told, said)
            elif isinstance(told, str) and isinstance(said, str):
                self._learn_guids(told, said)

    def pairs(self, recorded: list[Any], ours: list[Any]) -> list[tuple[Any, Any]]:
        """Return the rows of two lists that belong together: by id, else by name, else by their place.

        Jobs, of which a list may show others than ours, belong together when they did the same thing.
        """
        known = {self.to_ours(_name(row)).casefold(): row for row in ours if _name(row)}
        named = {id(row) for row in map(known.get, (self.to_ours(_name(row)).casefold() for row in recorded)) if row}
        result = []
        for number, row in enumerate(recorded):
            found = known.get(self.to_ours(_name(row)).casefold()) if _name(row) else None
            if found is None:
                found = _alike(row, [one for one in ours if id(one) not in named], ours, number)
                named.add(id(found))
            if found is not None:
                result.append((row, found))
        return result

    def to_ours(self, text: str) -> str:
        """Return a text of a request with our names in place of recorded ones."""
        if not self.ours:
            return text
        if self._pattern is None:
            longest = sorted(self.ours, key=len, reverse=True)
            self._pattern = re.compile("|".join(map(re.escape, longest)), re.IGNORECASE)
        return self._pattern.sub(lambda match: self.ours[match[0].casefold()], text)

    def body_to_ours(self, body: Any) -> Any:
        """Return a request's body with our names in place of recorded ones."""
        if isinstance(body, str):
            return self.to_ours(body)
        if isinstance(body, Mapping):
            return {name: self.body_to_ours(held) for name, held in body.items()}
        if isinstance(body, list):
            return [self.body_to_ours(held) for held in body]
        return body

    def token_to_ours(self, token: str) -> str:
        """Return our page token in place of a recorded one."""
        return self.tokens.get(token, token)

    def _learn_page(self, recorded: Any, ours: Any) -> None:
        if isinstance(recorded, str) and isinstance(ours, str) and (told := token_of(recorded)):
            self.tokens[told] = token_of(ours)

    def _learn_guids(self, recorded: str, ours: str) -> None:
        told, said = GUID.findall(recorded), GUID.findall(ours)
        if len(told) != len(said):
            return
        for one, other in zip(told, said, strict=True):
            if one.casefold() == other.casefold():
                self._kept.add(one.casefold())
            elif one.casefold() in self._later and one.casefold() not in self._kept:
                self.learn(one, other)


def token_of(link: str) -> str:
    """Return the page token of a link, an empty string when it has none."""
    query = parse_qs(urlsplit(link).query, keep_blank_values=True)
    return next((values[0] for name, values in query.items() if name.casefold() in TOKENS), "")


def _guids(exchange: Exchange) -> list[str]:
    return GUID.findall(f"{exchange.url} {exchange.body}")


def _name(row: Any) -> str:
    found = (row.get("id") or row.get("name")) if isinstance(row, Mapping) else None
    return found if isinstance(found, str) else ""


def _alike(row: Any, free: list[Any], ours: list[Any], number: int) -> Any:
    """Return our row in place of a recorded one that none has the name of, or None."""
    work = _work(row)
    if work:
        return next((one for one in free if _work(one) == work), None)
    return ours[number] if number < len(ours) and any(one is ours[number] for one in free) else None


def _work(row: Any) -> tuple[str, str] | None:
    """Return what a job did and with what, None for what is no job."""
    properties = row.get("properties") if isinstance(row, Mapping) else None
    if not isinstance(properties, Mapping) or "scenarioName" not in properties:
        return None
    return str(properties["scenarioName"]), str(properties.get("targetObjectName"))
