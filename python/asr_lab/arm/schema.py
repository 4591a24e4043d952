"""Strict schemas for request bodies.

A schema is data made of the classes here. ``check`` compares a body with one and returns a copy whose property names
have the schema's own case, because the service reads names without regard to case (recorded exchanges) and handlers
should not have to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from asr_lab.arm.wire import ArmError

CODE = "InvalidRequestContent"


@dataclass(frozen=True)
class Text:
    """A string, one of ``choices`` when given (compared without regard to case, returned as listed).

    A ``loose`` one takes JSON's true and false too, as "true" and "false" (samples of the documentation send them).
    """

    choices: tuple[str, ...] = ()
    nullable: bool = False
    not_empty: bool = False
    loose: bool = False


@dataclass(frozen=True)
class Whole:
    """An integer between ``minimum`` and ``maximum`` when given."""

    minimum: int | None = None
    maximum: int | None = None
    nullable: bool = False


@dataclass(frozen=True)
class Number:
    """A number, whole or not."""

    nullable: bool = False


@dataclass(frozen=True)
class Flag:
    """True or false."""

    nullable: bool = False


@dataclass(frozen=True)
class Anything:
    """Any JSON value, not looked into."""


@dataclass(frozen=True)
class ListOf:
    """A list whose elements fit ``item``."""

    item: "Schema"
    nullable: bool = False


@dataclass(frozen=True)
class MapOf:
    """An object with free names, such as tags, whose values fit ``value``."""

    value: "Schema" = field(default_factory=Text)
    nullable: bool = False


@dataclass(frozen=True)
class Record:
    """An object with these properties; ``required`` ones must be there and not null.

    Others are refused, unless the record is ``open``: then they stay as they are.
    """

    properties: Mapping[str, "Schema"]
    required: tuple[str, ...] = ()
    nullable: bool = False
    open: bool = False


@dataclass(frozen=True)
class OneOf:
    """An object whose ``discriminator`` property names which of ``records`` it fits.

    The discriminator itself need not be listed in the records. ``may_be_empty`` lets an empty object pass.
    """

    discriminator: str
    records: Mapping[str, Record]
    nullable: bool = False
    may_be_empty: bool = False


Schema = Text | Whole | Number | Flag | Anything | ListOf | MapOf | Record | OneOf


def check(body: Any, schema: Schema, place: str = "") -> Any:
    """Return ``body`` with canonical property names when it fits ``schema``.

    ``place`` is the JSON path to the body, empty for the whole. Raises ArmError 400 whose sentence names the path, what
    was found there and what is accepted.
    """
    if body is None and place == "":
        raise _refuse("the body is missing; send a JSON object")
    return _check(body, schema, place)


def _check(value: Any, schema: Schema, place: str) -> Any:
    if isinstance(schema, Anything):
        return value
    if value is None:
        if schema.nullable:
            return None
        raise _refuse(f"{_at(place)} is null; {_wanted(schema)} is needed")
    match schema:
        case Text():
            return _check_text(value, schema, place)
        case Whole():
            return _check_whole(value, schema, place)
        case Number():
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise _wrong_type(value, schema, place)
            return value
        case Flag():
            if not isinstance(value, bool):
                raise _wrong_type(value, schema, place)
            return value
        case ListOf():
            if not isinstance(value, list):
                raise _wrong_type(value, schema, place)
            return [_check(item, schema.item, f"{place}[{index}]") for index, item in enumerate(value)]
        case MapOf():
            entries = _object(value, schema, place)
            return {name: _check(entry, schema.value, _join(place, name)) for name, entry in entries.items()}
        case Record():
            return _check_record(_object(value, schema, place), schema, place)
        case OneOf():
            return _check_one_of(_object(value, schema, place), schema, place)


def _check_text(value: Any, schema: Text, place: str) -> str:
    if schema.loose and isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise _wrong_type(value, schema, place)
    if schema.not_empty and not value.strip():
        raise _refuse(f"{_at(place)} is empty; give a value")
    if not schema.choices:
        return value
    for choice in schema.choices:
        if choice.casefold() == value.casefold():
            return choice
    raise _refuse(f"{_at(place)} is '{value}'; accepted: {', '.join(schema.choices)}")


def _check_whole(value: Any, schema: Whole, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong_type(value, schema, place)
    if schema.minimum is not None and value < schema.minimum:
        raise _refuse(f"{_at(place)} is {value}; the smallest accepted value is {schema.minimum}")
    if schema.maximum is not None and value > schema.maximum:
        raise _refuse(f"{_at(place)} is {value}; the largest accepted value is {schema.maximum}")
    return value


def _check_record(entries: Mapping[str, Any], schema: Record, place: str) -> dict[str, Any]:
    known = {name.casefold(): name for name in schema.properties}
    checked: dict[str, Any] = {}
    for name, entry in entries.items():
        canonical = known.get(name.casefold())
        if canonical is None and schema.open:
            checked[name] = entry
            continue
        if canonical is None:
            raise _refuse(f"'{_join(place, name)}' is not a known property; {_accepted(place, schema.properties)}")
        if canonical in checked:
            raise _refuse(f"'{_join(place, name)}' is given twice")
        if entry is None and canonical not in schema.required:
            checked[canonical] = None
            continue
        checked[canonical] = _check(entry, schema.properties[canonical], _join(place, canonical))
    for name in schema.required:
        if name not in checked:
            raise _refuse(f"'{_join(place, name)}' is missing; {_wanted(schema.properties[name])} is needed")
    return checked


def _check_one_of(entries: Mapping[str, Any], schema: OneOf, place: str) -> dict[str, Any]:
    if schema.may_be_empty and not entries:
        return {}
    given = next((key for key in entries if key.casefold() == schema.discriminator.casefold()), None)
    where = _join(place, schema.discriminator)
    if given is None:
        raise _refuse(f"'{where}' is missing; accepted: {', '.join(schema.records)}")
    kind = _check_text(entries[given], Text(choices=tuple(schema.records)), where)
    rest = {name: entry for name, entry in entries.items() if name != given}
    return {schema.discriminator: kind, **_check_record(rest, schema.records[kind], place)}


def _object(value: Any, schema: Schema, place: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise _wrong_type(value, schema, place)
    for name in value:
        if not isinstance(name, str):
            raise _refuse(f"{_at(place)} has a property named {name!r}, which is no string; write it in quotes")
    return cast("Mapping[str, Any]", value)


def _wrong_type(value: Any, schema: Schema, place: str) -> ArmError:
    return _refuse(f"{_at(place)} is {_kind(value)}; {_wanted(schema)} is needed")


def _refuse(sentence: str) -> ArmError:
    return ArmError(400, CODE, f"The request content was invalid: {sentence}.")


def _accepted(place: str, names: Mapping[str, Schema]) -> str:
    listed = ", ".join(names) if names else "none"
    return f"{'properties accepted there' if place else 'properties accepted in the body'}: {listed}"


def _at(place: str) -> str:
    return f"'{place}'" if place else "the body"


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _kind(value: Any) -> str:
    kinds: Sequence[tuple[type, str]] = (
        (bool, "a boolean"),
        (int, "a whole number"),
        (float, "a number"),
        (str, "a string"),
        (list, "a list"),
        (dict, "an object"),
    )
    return next((text for kind, text in kinds if isinstance(value, kind)), "null")


def _wanted(schema: Schema) -> str:
    match schema:
        case Text():
            return "one of " + ", ".join(schema.choices) if schema.choices else "a string"
        case Whole():
            return "a whole number"
        case Number():
            return "a number"
        case Flag():
            return "true or false"
        case ListOf():
            return "a list"
        case Anything():
            return "a value"
        case _:
            return "an object"
