"""The TCP ports of Site Recovery between sources, appliance and administrators, as data; see ``ports.yml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml


@dataclass(frozen=True)
class Port:
    """One row: who connects to whom on ``first`` to ``last``, why, and when that is needed.

    ``origin`` and ``target`` are ``source``, ``appliance``, ``admin`` or ``internet``; ``when`` is ``always``, ``push``
    or ``group``; ``os`` is the family of the source, None for both; ``architecture`` None is for both.
    """

    id: str
    origin: str
    target: str
    first: int
    last: int
    why: str
    firewall: str
    when: str = "always"
    os: str | None = None
    architecture: str | None = None

    @property
    def text(self) -> str:
        """The port or range as people write it."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    @property
    def single(self) -> bool:
        """Whether it is one port, which can be tried; a dynamic range cannot."""
        return self.first == self.last

    def as_dict(self) -> dict[str, Any]:
        """Return the row for Ansible."""
        return {"id": self.id, "first": self.first, "last": self.last, "why": self.why, "firewall": self.firewall}


@cache
def table() -> tuple[Port, ...]:
    """Return every row."""
    rows = yaml.safe_load(files(__package__).joinpath("ports.yml").read_text("utf-8"))
    return tuple(_row(dict(row)) for row in rows)


def _row(row: dict[str, Any]) -> Port:
    first, _, last = str(row.pop("ports")).partition("-")
    origin, target = row.pop("from"), row.pop("to")
    return Port(origin=origin, target=target, first=int(first), last=int(last or first), **row)


def between(
    origin: str,
    target: str,
    *,
    architecture: str,
    os: str | None = None,
    push: bool = False,
    group: bool = False,
) -> tuple[Port, ...]:
    """Return the rows that are needed from ``origin`` to ``target``.

    ``os`` is the family of the source that takes part, None when none does; ``push`` and ``group`` say whether the
    Mobility service is pushed, and whether machines share recovery points.
    """
    wanted = {"always": True, "push": push, "group": group}
    return tuple(
        port
        for port in table()
        if (port.origin, port.target) == (origin, target)
        and wanted[port.when]
        and port.os in (None, os)
        and port.architecture in (None, architecture)
    )
