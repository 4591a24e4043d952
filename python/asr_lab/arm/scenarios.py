"""Scenarios: files that say how this world differs from one in which everything goes well.

A scenario is a YAML or JSON document::

    title: one line
    description: what a client sees, and why
    known: recorded | documented | chosen, and where from
    rows: [rows of ``faults.py``]
    throttle: {enabled: true, reads: {capacity: 250, per_second: 25}}     # optional, see ``throttle.py``

Those with a name stand in ``rules/scenarios/<name>.yml``. Planting one adds its rows to those that are planted already.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

import yaml

from asr_lab.arm.faults import parse_fault, selectors
from asr_lab.arm.schema import Anything, ListOf, MapOf, Record, Text, check
from asr_lab.arm.throttle import SETTINGS
from asr_lab.arm.wire import ArmError
from asr_lab.arm.world import World

_DOCUMENT = Record(
    {
        "title": Text(not_empty=True),
        "description": Text(),
        "known": Text(),
        "rows": ListOf(Anything()),
        "throttle": SETTINGS,
    },
    required=("title",),
)

_ORDER = Record({"scenario": Text(not_empty=True), "match": MapOf(Text())}, required=("scenario",))


@dataclass(frozen=True)
class Scenario:
    """One scenario; ``name`` is its file's, or "scenario" for a document that came with a request."""

    name: str
    title: str
    description: str = ""
    known: str = ""
    rows: tuple[dict[str, Any], ...] = ()
    throttle: dict[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the scenario as JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "known": self.known,
            "rows": [dict(row) for row in self.rows],
            "throttle": dict(self.throttle) or None,
        }

    def narrowed(self, match: Mapping[str, str]) -> "Scenario":
        """Return the scenario with ``match`` put over that of every row that can select by it.

        Raises ArmError 400 for a selector that no row of the scenario knows.
        """
        for name in match:
            if not any(name in selectors(row) for row in self.rows):
                known = sorted({selector for row in self.rows for selector in selectors(row)})
                offered = ", ".join(known) or "nothing"
                raise _invalid(self.name, f"'match.{name}' selects nothing in it; its rows select by {offered}")
        rows = tuple(
            {**row, "match": {**row["match"], **{k: v for k, v in match.items() if k in selectors(row)}}}
            for row in self.rows
        )
        return replace(self, rows=rows)


def parse(document: Any, name: str = "scenario") -> Scenario:
    """Return the scenario that a document describes; ``name`` is what errors call it.

    Raises ArmError 400 whose sentence names the document, the row (from 1) and the value that is wrong.
    """
    try:
        checked = check(document, _DOCUMENT)
    except ArmError as error:
        raise _invalid(name, _sentence(error)) from None
    rows: list[dict[str, Any]] = list(checked.get("rows") or [])
    for number, row in enumerate(rows, start=1):
        try:
            parse_fault(row)
        except ArmError as error:
            raise _invalid(name, f"row {number}: {_sentence(error)}") from None
    throttle = dict(checked.get("throttle") or {})
    if not rows and not throttle:
        raise _invalid(name, "it has neither 'rows' nor 'throttle'; give at least one row")
    return Scenario(
        name, checked["title"], checked.get("description") or "", checked.get("known") or "", tuple(rows), throttle
    )


@cache
def scenario(name: str) -> Scenario:
    """Return the scenario of this name. Raises ArmError 404 that lists the names there are."""
    file = resources.files("asr_lab.arm.rules.scenarios").joinpath(f"{name}.yml")
    if name not in names():
        raise ArmError(404, "NoSuchScenario", f"There is no scenario '{name}'; there are: {', '.join(names())}.")
    return replace(parse(yaml.safe_load(file.read_text(encoding="utf-8")), file.name), name=name)


@cache
def names() -> tuple[str, ...]:
    """Return the names of the scenarios there are."""
    folder = resources.files("asr_lab.arm.rules.scenarios")
    return tuple(sorted(file.name.removesuffix(".yml") for file in folder.iterdir() if file.name.endswith(".yml")))


def plant(world: World, chosen: Scenario, now: datetime | None = None) -> None:
    """Add the scenario's rows to the world, at ``now``, and its limits of requests when it has any."""
    with world.lock:
        for row in chosen.rows:
            world.faults.add(row, now)
        if chosen.throttle:
            world.throttle.switch_on(chosen.throttle)


def plant_any(world: World, body: Any, now: datetime | None = None) -> None:
    """Plant what a request asks for: a row, a list of rows, ``{"scenario": name, "match": {...}}`` or a document.

    Nothing is planted unless all of it is right. Raises ArmError 400 or 404 with a sentence.
    """
    if isinstance(body, dict) and "scenario" in body:
        order = check(body, _ORDER)
        plant(world, scenario(order["scenario"]).narrowed(order.get("match") or {}), now)
    elif isinstance(body, dict) and ("rows" in body or "throttle" in body):
        plant(world, parse(body), now)
    else:
        rows = body if isinstance(body, list) else [body]
        for row in rows:
            parse_fault(row)
        plant(world, Scenario("rows", "rows of a request", rows=tuple(rows)), now)


def _sentence(error: ArmError) -> str:
    return error.message.partition(": ")[2].removesuffix(".") or error.message


def _invalid(name: str, problem: str) -> ArmError:
    return ArmError(400, "InvalidScenario", f"The scenario {name} is wrong: {problem}.")
