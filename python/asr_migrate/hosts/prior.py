"""What a host was before it was changed, so that exactly that can be put back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

#: Kinds whose values are secrets, every text of them.
SECRET_KINDS = frozenset({"shadow"})


@dataclass(frozen=True)
class Prior:
    """One thing of a host: its value ``before`` we change it, and ``after``; None means that it is absent then.

    ``kind`` ("file", "registry", "service", ...) says how ``name`` and the values are understood; a profile knows its
    own kinds. Values are of JSON's types. They can be secrets (the hash of a password), so they stand in no result.
    """

    kind: str
    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None

    @property
    def thing(self) -> str:
        """What is meant, for people: ``file /etc/hosts``."""
        return f"{self.kind} {self.name}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The texts of a secret kind's values, which no message may show."""
        if self.kind not in SECRET_KINDS:
            return ()
        values = [value for side in (self.before, self.after) for value in (side or {}).values()]
        return tuple(value for value in values if isinstance(value, str) and len(value) > 1)


def merged(recorded: Iterable[Prior], new: Iterable[Prior]) -> tuple[Prior, ...]:
    """Return the record with ``new`` put into it, sorted by kind and name.

    What was first seen ``before`` stays, so that a run that was killed and run again keeps the true values. ``after``
    follows our own changes only: when the new ``before`` is neither of the two recorded values, somebody else changed
    the thing in between, and the recorded pair stands; taking it back will notice.
    """
    record = {(prior.kind, prior.name): prior for prior in recorded}
    for prior in new:
        known = record.get((prior.kind, prior.name))
        if known is None:
            record[prior.kind, prior.name] = prior
        elif prior.before in (known.before, known.after):
            record[prior.kind, prior.name] = replace(known, after=prior.after)
    return tuple(record[key] for key in sorted(record))
