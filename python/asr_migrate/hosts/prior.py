"""What a host was before it was changed, so that exactly that can be put back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Prior:
    """One thing of a host: its value ``before`` we change it, and ``after``; None means that it was, or will be, absent.

    ``kind`` ("file", "registry", "service", ...) says how ``name`` and the values are understood; a profile knows its
    own kinds. Values are of JSON's types. They can be secrets (the hash of a password), so they stand in no result.
    """

    kind: str
    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
