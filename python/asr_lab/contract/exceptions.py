"""Differences the contract allows, each with its reason; they are rows of exceptions.yml."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Any

import yaml


@dataclass(frozen=True)
class Place:
    """Where a difference was found: what an exception's row is held against."""

    collection: str
    instance_type: str
    path: str
    api_version: str
    year: int
    note: str


@dataclass(frozen=True)
class Allowed:
    """One row. ``path`` may hold ``*``; a ``value[]`` in front of a list's rows is left out."""

    reason: str
    path: str
    resource: str = "*"
    instance_type: str = "*"
    versions: tuple[str, str] = ("", "~")
    years: tuple[int, int] = (0, 9999)
    note: str = "*"

    def allows(self, place: Place) -> bool:
        """Return whether the row is about this place."""
        return (
            _fits(self.resource, place.collection)
            and _fits(self.instance_type, place.instance_type)
            and _fits(self.path, place.path)
            and self.versions[0] <= place.api_version <= self.versions[1]
            and self.years[0] <= place.year <= self.years[1]
            and _fits(self.note, place.note)
        )


@cache
def table() -> tuple[Allowed, ...]:
    """Return the rows of exceptions.yml."""
    text = resources.files("asr_lab.contract").joinpath("exceptions.yml").read_text(encoding="utf-8")
    return tuple(_row(row, path) for row in yaml.safe_load(text) for path in row["paths"])


def allowing(place: Place) -> Allowed | None:
    """Return the first row that allows a difference at this place, or None."""
    return next((row for row in table() if row.allows(place)), None)


def rows_for_docs() -> list[dict[str, str]]:
    """Return what a page of documentation says of each row: what differs, where, in which recordings, and why."""
    return [
        {
            "resource": row.resource,
            "provider": row.instance_type,
            "path": row.path,
            "recordings": _recordings(row),
            "reason": row.reason,
        }
        for row in table()
    ]


def _recordings(row: Allowed) -> str:
    parts = []
    if row.versions != ("", "~"):
        low, high = row.versions
        parts.append(
            f"api-version {low}" if low == high else f"api-version {low or '...'} to {high.strip('~') or '...'}"
        )
    if row.years != (0, 9999):
        parts.append(str(row.years[0]) if row.years[0] == row.years[1] else f"{row.years[0]} to {row.years[1]}")
    if row.note != "*":
        parts.append(f"those whose note says '{row.note.strip('*')}'")
    return ", ".join(parts) or "all"


def _fits(pattern: str, text: str) -> bool:
    return fnmatchcase(text.casefold(), pattern.casefold().replace("[]", "[[][]]"))


def _row(row: dict[str, Any], path: str) -> Allowed:
    years = row.get("years", [0, 9999])
    low, high = row.get("versions", ["", "~"])
    return Allowed(
        reason=row["reason"],
        path=path,
        resource=row.get("resource", "*"),
        instance_type=row.get("instance_type", "*"),
        versions=(str(low), str(high)),
        years=(years[0], years[1]),
        note=row.get("note", "*"),
    )
