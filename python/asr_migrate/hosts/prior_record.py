"""The record of prior values as text: JSON with the number of its schema."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from asr_migrate.domain.errors import SetupError
from asr_migrate.hosts.prior import Prior

SCHEMA = 1


class RecordUnreadableError(SetupError):
    """A record that cannot be read; nothing is changed, on the host or in the record. Its text shows no prior value."""

    def __init__(self, place: str, problem: str, *, cause: str, remedy: str):
        super().__init__(f"{place} {problem}", code="PriorRecordUnreadable", cause=cause, remedy=remedy)


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    kind: str
    name: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    schema_number: Literal[1] = Field(alias="schema")
    host: str
    priors: list[_Row]


def encode(host: str, priors: Iterable[Prior]) -> str:
    """Return the record of ``host`` as text in ASCII; bytes that are no UTF-8 stand in it as surrogates."""
    rows = [{"kind": p.kind, "name": p.name, "before": p.before, "after": p.after} for p in priors]
    return json.dumps({"schema": SCHEMA, "host": host, "priors": rows}, indent=1) + "\n"


def decode(text: str, host: str, place: str) -> tuple[Prior, ...]:
    """Return the prior values of ``host`` that ``text`` records; ``place`` says in errors where it stands.

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
    return tuple(Prior(row.kind, row.name, row.before, row.after) for row in record.priors)


def _damaged(place: str, problem: str) -> RecordUnreadableError:
    return RecordUnreadableError(
        place,
        f"is damaged: it {problem}" if problem.startswith(("is ", "has ")) else f"is damaged: {problem}",
        cause="The file was edited, cut short or mixed up; asr.migrate itself replaces it only as a whole.",
        remedy="Put it back from a backup. Without one, move it away and put the host back by hand: what it still says "
        "names the things that were changed.",
    )
