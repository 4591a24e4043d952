"""From what a user wrote to a value of the domain, or to an error that says where and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from asr_migrate.domain.errors import InputError

M = TypeVar("M", bound=BaseModel)

REMEDIES = {
    "missing": "Add it; the role's argument_specs describe every option.",
    "extra_forbidden": "Remove it or correct its spelling; the role's argument_specs list the options.",
}


def parse(model: type[M], data: Any, place: str) -> M:
    """Return ``data`` as a ``model``. ``place`` names the variable, e.g. ``asr_landing_zone``.

    Raises InputError for the first problem, naming the place inside ``data``, the value and the remedy.
    """
    if not isinstance(data, Mapping):
        raise InputError(place, data, "must be a dictionary", remedy=f"Write {place} as a dictionary of options.")
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join([place, *(str(part) for part in first["loc"])])
        value = "(not given)" if first["type"] == "missing" else first.get("input")
        problem = first["msg"].removeprefix("Value error, ")
        remedy = REMEDIES.get(first["type"], f"Correct {where}: {problem}.")
        raise InputError(where, value, problem, remedy=remedy) from None
