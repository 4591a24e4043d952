"""Which function answers which request.

Modules under ``resources/`` register their handlers with ``@route`` when they are imported; ``load`` imports them all.
A path that nobody registered, a method or an api-version that the resource does not have is refused with a sentence, as
Azure does.

A template is a path with ``{name}`` segments; literal segments match without regard to case. One segment may be
``{*name}``: it stands for any number of segments, also none.

A handler gets by keyword what its parameters name and nothing else, so one that has no use for the time does not take
it: ``world``, ``request``, ``now``, and the segments of its template as they were written in the request.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from asr_lab.arm.wire import ArmError, Request, Response

H = TypeVar("H", bound=Callable[..., Response])

_GIVEN = frozenset({"world", "request", "now"})


@dataclass(frozen=True)
class Route:
    """A registered handler; ``segments`` are those of its template."""

    method: str
    segments: tuple[str, ...]
    versions: tuple[str, ...]
    handler: Callable[..., Response]
    wants: frozenset[str]

    def answer(self, offered: Mapping[str, Any]) -> Response:
        """Return the handler's answer, giving it what it names of ``offered``."""
        return self.handler(**{name: value for name, value in offered.items() if name in self.wants})

    def match(self, path: list[str], lower: list[str]) -> dict[str, str] | None:
        """Return the parameters when the path, also given in lower case, fits the template, else None."""
        star = self.star
        if star is None:
            return _match(self.folded, path, lower) if len(path) == len(self.segments) else None
        tail = len(self.segments) - star - 1
        end = len(path) - tail
        if end < star:
            return None
        tail_values = _match(self.folded[star + 1 :], path[end:], lower[end:])
        head_values = None if tail_values is None else _match(self.folded[:star], path[:star], lower[:star])
        if head_values is None or tail_values is None:
            return None
        return {**head_values, self.segments[star][2:-1]: "/".join(path[star:end]), **tail_values}

    @cached_property
    def folded(self) -> tuple[str, ...]:
        """Return the segments, literal ones in lower case."""
        return tuple(one if one.startswith("{") else one.casefold() for one in self.segments)

    @cached_property
    def star(self) -> int | None:
        """Return where the segment stands that takes any number of segments, or None."""
        return next((index for index, segment in enumerate(self.segments) if segment.startswith("{*")), None)

    @cached_property
    def exactness(self) -> tuple[bool, int]:
        """Return what decides between two routes that both match: no star before a star, then the more literal one."""
        return (
            self.star is None,
            sum(not segment.startswith("{") for segment in self.segments),
        )


ROUTES: list[Route] = []

_STARRED = 0
_index: dict[tuple[int, str], list[Route]] = {}
_indexed: list[int] = [0]
"""Routes by their number of segments (``_STARRED`` for any number) and their last literal one; how many are in it."""


def route(method: str, template: str, *, versions: Iterable[str]) -> Callable[[H], H]:
    """Return a decorator that registers a handler for ``method`` and ``template`` in the api-versions given."""

    def register(handler: H) -> H:
        segments = tuple(_split(template))
        offered = {segment[1:-1].lstrip("*") for segment in segments if segment.startswith("{")} | _GIVEN
        wants = frozenset(inspect.signature(handler).parameters)
        if wants - offered:
            raise TypeError(
                f"{handler.__name__}: {method} {template} does not offer {', '.join(sorted(wants - offered))}"
            )
        ROUTES.append(Route(method, segments, tuple(versions), handler, wants))
        return handler

    return register


def load() -> None:
    """Import every module under ``resources/`` and ``providers/``, which registers handlers, providers and kinds."""
    for name in ("asr_lab.arm.resources", "asr_lab.arm.providers"):
        package = importlib.import_module(name)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{name}.{module.name}")


def find(request: Request, location: Callable[[], str] = str) -> tuple[Route, dict[str, str]]:
    """Return the route and its parameters for a request; ``location`` tells where the resource lies, for an error.

    Raises ArmError: 404 for a resource type that the simulator does not have, 405 for a method that the resource type
    does not have, 400 for a missing api-version or one that the resource type does not have.
    """
    path = _split(request.path)
    lower = [segment.casefold() for segment in path]
    matches = [(found, values) for found in _candidates(lower) if (values := found.match(path, lower)) is not None]
    if not matches:
        raise _unknown_type(path, request)
    best = max(found.exactness for found, _ in matches)
    closest = [(found, values) for found, values in matches if found.exactness == best]
    for found, values in closest:
        if found.method == request.method:
            _check_version(found, path, request, location)
            return found, values
    methods = ", ".join(sorted({found.method for found, _ in closest}))
    raise ArmError(
        405,
        "MethodNotAllowed",
        f"The method {request.method} is not offered by '{resource_type(path)}' at {request.path}; offered: {methods}.",
        headers={"Allow": methods},
    )


def resource_type(path: list[str]) -> str:
    """Return the type that a split path asks for, such as ``Microsoft.RecoveryServices/vaults/replicationPolicies``."""
    lower = [segment.casefold() for segment in path]
    if "providers" not in lower:
        return "/".join(path[0::2])
    after = path[len(lower) - 1 - lower[::-1].index("providers") + 1 :]
    return "/".join(after[:1] + after[1::2])


_VERBS = {"GET": "read", "HEAD": "read", "DELETE": "delete"}


def action_of(request: Request) -> str:
    """Return what a request does in the words of role definitions: ``Microsoft.Network/virtualNetworks/read``."""
    path = _split(request.path)
    kind = resource_type(path)
    if request.method != "POST":
        return f"{kind}/{_VERBS.get(request.method, 'write')}"
    return f"{kind}/action" if kind.endswith(f"/{path[-1]}") else f"{kind}/{path[-1]}/action"


def _check_version(found: Route, path: list[str], request: Request, location: Callable[[], str]) -> None:
    asked = request.api_version
    if not asked:
        raise ArmError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if asked in found.versions:
        return
    namespace, _, name = resource_type(path).partition("/")
    if "providers" not in (segment.casefold() for segment in path):
        raise ArmError(
            400,
            "InvalidApiVersionParameter",
            f"The api-version '{asked}' is invalid. The supported versions are '{','.join(found.versions)}'.",
        )
    raise ArmError(
        400,
        "NoRegisteredProviderFound",
        f"No registered resource provider found for location '{location() or '*'}' and API version '{asked}' for type "
        f"'{name or namespace}'. The supported api-versions are '{', '.join(found.versions)}'.",
    )


def _unknown_type(path: list[str], request: Request) -> ArmError:
    kind = resource_type(path)
    namespace, _, name = kind.partition("/")
    return ArmError(
        404,
        "InvalidResourceType",
        f"The resource type '{name or namespace}' could not be found in the namespace '{namespace}' for api version "
        f"'{request.api_version}': the simulator answers nothing at {request.method} {request.path}.",
    )


def _split(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _candidates(lower: list[str]) -> Iterator[Route]:
    """Yield the routes whose last literal segment is where and what it has to be for a path in lower case."""
    if _indexed[0] != len(ROUTES):
        _index.clear()
        for found in ROUTES:
            length = len(found.segments) if found.star is None else _STARRED
            _index.setdefault((length, _last_literal(found.folded)), []).append(found)
        _indexed[0] = len(ROUTES)
    asked = dict.fromkeys((*lower, ""))
    for length in (len(lower), _STARRED):
        for literal in asked:
            yield from _index.get((length, literal), ())


def _last_literal(segments: tuple[str, ...]) -> str:
    return next((segment for segment in reversed(segments) if not segment.startswith("{")), "")


def _match(template: Sequence[str], path: Sequence[str], lower: Sequence[str]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for index, expected in enumerate(template):
        if expected.startswith("{"):
            values[expected[1:-1]] = path[index]
        elif expected != lower[index]:
            return None
    return values
