"""How long a verb usually takes for one machine (``durations.yml``: minutes and their source)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

from asr_migrate.domain.lifecycle import Verb


@cache
def durations() -> Mapping[str, Mapping[str, Mapping[str, float | str]]]:
    """Return provider -> verb -> {minutes, source}."""
    found: Mapping[str, Mapping[str, Mapping[str, float | str]]] = yaml.safe_load(
        files(__package__).joinpath("durations.yml").read_text(encoding="utf-8")
    )
    return found


def minutes_of(provider: str, verb: Verb) -> float | None:
    """Return the usual minutes of a verb, None when nothing is known. ``provider`` is an instance type of the wire."""
    row = durations().get(provider, {}).get(verb.value)
    return float(row["minutes"]) if row else None
