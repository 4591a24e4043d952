"""From what a user wrote to a value of the domain, or to an error that says where and what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from asr_migrate.domain.errors import InputError

M = TypeVar("M", bound=BaseModel)
Place = Callable[[Sequence[str | int]], str]

BARE_NUMBER = re.compile(r"[-+]?[0-9]*\.?[0-9]*")
LONGEST_VALUE = 80
CORRECT = "Correct it where the inventory or the command line sets it, then run again."
REMEDIES = {
    "missing": "Add it; the role's argument_specs describe every option.",
    "extra_forbidden": "Remove it or correct its spelling; the role's argument_specs list the options.",
}
MOMENT = "must be a date and time with a zone, for example 2026-12-20T00:00:00+01:00"
#: by the beginning of pydantic's error type, the longest first; braces name what pydantic tells besides
WORDS = {
    "missing": "is not given",
    "extra_forbidden": "is no known option",
    "string_too_short": "must not be empty",
    "string": "must be a text",
    "int": "must be a whole number",
    "float": "must be a number",
    "decimal": "must be a number",
    "finite_number": "must be a number with an end",
    "bool": "must be true or false",
    "tuple": "must be a list",
    "list": "must be a list",
    "dict": "must be a dictionary",
    "mapping": "must be a dictionary",
    "model": "must be a dictionary",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be at least {ge:g}",
    "greater_than": "must be more than {gt:g}",
    "less_than_equal": "must be at most {le:g}",
    "less_than": "must be less than {lt:g}",
    "timezone": MOMENT,
    "date": MOMENT,
    "time": "must be a time in quotes, for example '18:00'",
}


def parse(model: type[M], data: Any, place: str | Place, *, show: bool = False) -> M:
    """Return ``data`` as a ``model``. ``place`` names the variable, e.g. ``asr_landing_zone``, or makes such a name
    from the keys and positions that lead to an option. ``show`` puts the value into the message: not for secrets.

    Raises InputError for the first problem, naming the place inside ``data``, the value and the remedy.
    """
    at = place if callable(place) else lambda keys: joined([place, *keys])
    if not isinstance(data, Mapping):
        raise _error(at([]), data, "must be a dictionary", "Write it as a dictionary of options.", show)
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where, kind = at(first["loc"]), first["type"]
        value = "(not given)" if kind == "missing" else first.get("input")
        remedy = REMEDIES.get(kind, CORRECT)
        raise _error(where, value, words(first), remedy, show and kind not in REMEDIES) from None


def words(told: Mapping[str, Any]) -> str:
    """Return what is wrong in the words of this project; ``told`` is one of pydantic's errors.

    What our own validators say is taken as it is, and so is a kind of error that is not known here.
    """
    kind = str(told["type"])
    known = max((start for start in WORDS if kind.startswith(start)), key=len, default=None)
    if known is None or kind == "value_error":
        return str(told["msg"]).removeprefix("Value error, ")
    return WORDS[known].format_map({"expected": "as documented", **(told.get("ctx") or {})})


def joined(keys: Sequence[str | int]) -> str:
    """Return the name of an option: the keys and positions that lead to it, with dots between them."""
    return ".".join(str(key) for key in keys)


def shown(value: object) -> str:
    """Return a value for people, cut when it is long."""
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def written_out(value: Any) -> Any:
    """Return what a user gave as a moment.

    Raises ValueError for a bare number, which pydantic would take as seconds since 1970.
    """
    if isinstance(value, int | float) or (isinstance(value, str) and BARE_NUMBER.fullmatch(value.strip())):
        raise ValueError(MOMENT)
    return value


def within_utc(value: datetime) -> datetime:
    """Return ``value``. Raises ValueError when it cannot be told in UTC: it is in year 1 or 9999, at the very end."""
    try:
        value.astimezone(UTC)
    except OverflowError:
        raise ValueError("is too far away; give a year between 2 and 9998") from None
    return value


def _error(place: str, value: object, problem: str, remedy: str, show: bool) -> InputError:
    return InputError(place, value, f"{problem}, not {shown(value)}" if show else problem, remedy=remedy)
