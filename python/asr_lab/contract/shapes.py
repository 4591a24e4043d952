"""The shape of JSON: which keys there are and which types stand under them, lists by the union of their elements."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

KINDS = {str: "text", bool: "truth value", int: "number", float: "number", type(None): "null"}


@dataclass
class Shape:
    """What was seen at one place: plain types, and the shapes of keys or of list elements."""

    kinds: set[str] = field(default_factory=set)
    keys: dict[str, "Shape"] = field(default_factory=dict)
    elements: "Shape | None" = None

    def add(self, value: Any) -> None:
        """Take one more value seen at this place into account."""
        if isinstance(value, Mapping):
            self.kinds.add("object")
            for key, held in value.items():
                self.keys.setdefault(key, Shape()).add(held)
        elif isinstance(value, list):
            self.kinds.add("list")
            for element in value:
                self.elements = self.elements or Shape()
                self.elements.add(element)
        else:
            self.kinds.add(KINDS[type(value)])


def of(value: Any) -> Shape:
    """Return the shape of one JSON value."""
    shape = Shape()
    shape.add(value)
    return shape


@dataclass(frozen=True)
class Difference:
    """Where two shapes differ: a dotted path (``[]`` for list elements) and what is wrong there."""

    path: str
    text: str


def differences(recorded: Shape, ours: Shape, path: str = "", *, samples: tuple[str, ...] = ()) -> Iterator[Difference]:
    """Yield every place where ``ours`` is not shaped like ``recorded``.

    A list that was recorded empty says nothing about its elements; one that was recorded filled must be filled in ours.
    ``samples`` are paths of lists of which only some elements were kept: they must be found in ours, which may hold
    other types and keys besides.
    """
    sample = any(path.startswith(f"{one}[]") for one in samples)
    if not (recorded.kinds <= ours.kinds if sample else recorded.kinds == ours.kinds):
        yield Difference(path, f"{', '.join(sorted(ours.kinds))} instead of {', '.join(sorted(recorded.kinds))}")
    if "object" in recorded.kinds and "object" in ours.kinds:
        for key in sorted(recorded.keys.keys() - ours.keys.keys()):
            yield Difference(_join(path, key), "is missing")
        for key in sorted(ours.keys.keys() - recorded.keys.keys()) if not sample else ():
            yield Difference(_join(path, key), "was not recorded")
        for key in sorted(recorded.keys.keys() & ours.keys.keys()):
            yield from differences(recorded.keys[key], ours.keys[key], _join(path, key), samples=samples)
    if recorded.elements is not None and "list" in ours.kinds:
        if ours.elements is None:
            yield Difference(path, "is empty, elements were recorded")
        else:
            yield from differences(recorded.elements, ours.elements, f"{path}[]", samples=samples)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
