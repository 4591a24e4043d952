"""What request bodies may say: schemas derived from the models of azure-mgmt-recoveryservicessiterecovery.

The SDK's models are generated from the published specification, so names, types, required properties, enumerations and
discriminators come from there and not from a table of ours. What the service is known to take beyond them (recorded
requests, samples of the documentation) stands in ``rules/bodies.yml``, each row with its reason.
"""

import types
import typing
from dataclasses import replace
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, cast

from azure.mgmt.recoveryservicessiterecovery import models as sdk
from azure.mgmt.recoveryservicessiterecovery.models import _models

from asr_lab.arm.providers.rules import table
from asr_lab.arm.schema import Anything, Flag, ListOf, MapOf, Number, OneOf, Record, Schema, Text, Whole, check
from asr_lab.arm.wire import Request

STRICT_SINCE = "2021-01-01"
"""Requests of older api-versions may hold properties that the models no longer know (recorded requests of 2017)."""


def checked(request: Request, model: str) -> dict[str, Any]:
    """Return the request's body with canonical property names when it fits the SDK's model ``model``.

    Raises ArmError 400 whose sentence names the path, what was found there and what is accepted. ``model`` is the name
    of an input model such as ``EnableProtectionInput``.
    """
    return cast("dict[str, Any]", check(request.body, schema(model, lenient=request.api_version < STRICT_SINCE)))


@cache
def schema(model: str, *, lenient: bool = False) -> Schema:
    """Return the schema of the SDK's model of this name; a ``lenient`` one lets unknown properties through."""
    found = _of_model(getattr(sdk, model), lenient)
    if isinstance(found, Record) and "properties" in found.properties:
        return replace(found, required=tuple({*found.required, "properties"}))
    return found


def _of_model(model: type[Any], lenient: bool) -> Schema:
    kinds: dict[str, type[Any]] = getattr(model, "__mapping__", {})
    if not kinds or model not in _bases(kinds):
        return _record(model, lenient)
    name = next(field._rest_name for field in _fields(model).values() if field._is_discriminator)
    rows = {kind: _record(found, lenient, without=name) for kind, found in kinds.items()}
    extra = cast("dict[str, dict[str, str]]", table("bodies")["kinds"].get(model.__name__, {}))
    more = {kind: Record({key: _named(text) for key, text in row.items()}, open=lenient) for kind, row in extra.items()}
    return OneOf(name, {**more, **rows, model.__name__: Record({}, open=lenient)}, nullable=True, may_be_empty=True)


def _bases(kinds: dict[str, type[Any]]) -> set[type[Any]]:
    """Return the classes that the discriminated ones were derived from."""
    return {base for found in kinds.values() for base in found.__mro__[1:]}


def _record(model: type[Any], lenient: bool, without: str = "") -> Record:
    hints = typing.get_type_hints(model, {**vars(_models), "_models": sdk})
    fields = _fields(model)
    optional = set(table("bodies")["optional"].get(model.__name__, ()))
    properties: dict[str, Schema] = {}
    required: list[str] = []
    for name, field in fields.items():
        wire = field._rest_name
        if wire == without:
            continue
        properties[wire] = _of_hint(hints[name], lenient)
        if not _is_optional(hints[name]) and wire not in optional:
            properties[wire] = _present(properties[wire])
            required.append(wire)
    extra = cast("dict[str, str]", table("bodies")["properties"].get(model.__name__, {}))
    more = {name: _named(text) for name, text in extra.items()}
    return Record({**properties, **more}, tuple(required), nullable=True, open=lenient)


def _fields(model: type[Any]) -> dict[str, Any]:
    """Return the model's fields by Python name; the SDK fills in this table when the first instance is made."""
    return cast("dict[str, Any]", cast("Any", model).__new__(model)._attr_to_rest_field)


def _present(schema: Schema) -> Schema:
    """Return the schema of a required property: not null."""
    return schema if isinstance(schema, Anything) else replace(schema, nullable=False)


def _is_optional(hint: Any) -> bool:
    return type(None) in typing.get_args(hint)


def _of_hint(hint: Any, lenient: bool) -> Schema:
    plain: dict[Any, Schema] = {
        str: Text(nullable=True, loose=True),
        datetime: Text(nullable=True),
        bool: Flag(nullable=True),
        int: Whole(nullable=True),
        float: Number(nullable=True),
        Any: Anything(),
    }
    if hint in plain:
        return plain[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is list:
        return ListOf(_of_hint(arguments[0], lenient), nullable=True)
    if origin is dict:
        return MapOf(_of_hint(arguments[1], lenient), nullable=True)
    if origin is typing.Literal:
        return Text(tuple(str(one.value if isinstance(one, Enum) else one) for one in arguments), nullable=True)
    if origin in (typing.Union, types.UnionType):
        kinds = [one for one in arguments if one is not type(None)]
        enums = [one for one in kinds if isinstance(one, type) and issubclass(one, Enum)]
        if enums:
            more = tuple(table("bodies")["enums"].get(enums[0].__name__, ()))
            return Text((*(str(one.value) for one in enums[0]), *more), nullable=True)
        return _of_hint(kinds[0], lenient)
    return _of_model(hint, lenient)


def _named(text: str) -> Schema:
    """Return the schema that a row of ``rules/bodies.yml`` names: text, flag, whole, list or anything."""
    kinds: dict[str, Schema] = {
        "text": Text(nullable=True, loose=True),
        "flag": Flag(nullable=True),
        "whole": Whole(nullable=True),
        "anything": Anything(),
    }
    return kinds[text]
