"""The record of prior values as text: JSON with the number of its schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from asr_migrate.domain.errors import SetupError
from asr_migrate.hosts.prior import Prior

SCHEMA = 2


class RecordUnreadableError(SetupError):
    """A record that cannot be read; nothing is changed, on the host or in the record. Its text shows no prior value."""

    def __init__(self, place: str, problem: str, *, cause: str, remedy: str):
        super().__init__(f"{place} {problem}", code="PriorRecordUnreadable", cause=cause, remedy=remedy)


class OtherMachineError(SetupError):
    """The record is about another machine of the same name; nothing is changed, on the host or in the record."""

    def __init__(self, place: str, recorded: str, seen: str):
        super().__init__(
            f"{place} is the record of another machine ({recorded}); this one is {seen}",
            code="PriorRecordOtherMachine",
            cause="Two inventories, regions or accounts use the name, or the machine was made anew under it.",
            remedy="Give each inventory an asr_prior_dir of its own, or the machines different names. If the other "
            "machine is gone for good, move the record away. If this is the same machine on other hardware, take "
            "'machine' out of the record.",
        )


@dataclass(frozen=True)
class Recorded:
    """A record that was read: the prior values, and the identity of the machine that had them (empty: not told)."""

    priors: tuple[Prior, ...] = ()
    machine: Mapping[str, str] = field(default_factory=dict)


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    kind: str
    name: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    #: A record of schema 1 does not say which machine it is about.
    schema_number: Literal[1, 2] = Field(alias="schema")
    host: str
    machine: dict[str, str] = Field(default_factory=dict)
    priors: list[_Row]


def encode(host: str, priors: Iterable[Prior], machine: Mapping[str, str]) -> str:
    """Return the record of ``host`` as text in ASCII; bytes that are no UTF-8 stand in it as surrogates.

    ``machine`` is the identity of the machine that it is about.
    """
    rows = [{"kind": p.kind, "name": p.name, "before": p.before, "after": p.after} for p in priors]
    return json.dumps({"schema": SCHEMA, "host": host, "machine": dict(machine), "priors": rows}, indent=1) + "\n"


def decode(text: str, host: str, place: str) -> Recorded:
    """Return what ``text`` records of ``host``; ``place`` says in errors where it stands.

    Raises RecordUnreadableError for a text that is damaged, of a newer schema, or another host's.
    """
    try:
        data = json.loads(text)
    except ValueError as error:
        raise _damaged(place, f"is not JSON ({error})") from None
    schema = data.get("schema") if isinstance(data, dict) else None
    if not isinstance(schema, int) or isinstance(schema, bool):
        raise _damaged(place, f"has the schema number {schema!r}")
    if schema > SCHEMA:
        raise RecordUnreadableError(
            place,
            f"has schema {schema}; this version of asr.migrate reads up to {SCHEMA}",
            cause="A newer version of asr.migrate wrote it.",
            remedy="Run the playbook with that version or a newer one. Do not delete the record: it holds what the "
            "host was before.",
        )
    try:
        record = _Record.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _damaged(place, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if record.host != host:
        raise _damaged(place, f"is the record of host {record.host!r}, not of {host!r}")
    priors = tuple(Prior(row.kind, row.name, row.before, row.after) for row in record.priors)
    return Recorded(priors, record.machine)


def _damaged(place: str, problem: str) -> RecordUnreadableError:
    return RecordUnreadableError(
        place,
        f"is damaged: it {problem}" if problem.startswith(("is ", "has ")) else f"is damaged: {problem}",
        cause="The file was edited, cut short or mixed up; asr.migrate itself replaces it only as a whole.",
        remedy="Put it back from a backup. Without one, move it away and put the host back by hand: what it still says "
        "names the things that were changed.",
    )
