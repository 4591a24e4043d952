"""Which machines a long recorded list needs in the lab, whose pages are shorter than the service's.

The service put hundreds of protectable items on a page, the lab puts ``PAGE``. A list gets as many pages as recorded:
of each recorded page come the rows that the session names again, then one of each shape, then others until our page
is full; stand-ins fill it where the recording was shortened. The lab, as the service, ends with an empty page.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from asr_lab.arm.resources.protectable_items import PAGE
from asr_lab.contract import paths
from asr_lab.contract.facts import Body, Facts
from asr_lab.contract.recording import Exchange, walk


class Row(NamedTuple):
    """A recorded row; a stand-in is like it but has a name of its own."""

    body: Body
    stand_in: bool


def long_lists(facts: Facts) -> dict[str, list[Row]]:
    """Return, by the path of each list of protectable items that does not fit on a page of ours, what to put there."""
    return {path: list(_rows(facts, pages)) for path, pages in _lists(facts).items() if _is_long(pages)}


def listed(facts: Facts) -> set[str]:
    """Return the keys of the ids of all rows of long lists."""
    return {
        paths.key(str(row["id"]))
        for pages in _lists(facts).values()
        if _is_long(pages)
        for page in pages
        for row in _held(page)
    }


def _lists(facts: Facts) -> dict[str, list[Exchange]]:
    """Return the pages of each list of protectable items, as it was first read, by its path."""
    found: dict[str, list[Exchange]] = {}
    ended: set[str] = set()
    for exchange in facts.session.exchanges:
        answer = exchange.answer
        is_list = isinstance(answer, Mapping) and isinstance(answer.get("value"), list)
        path = paths.key(exchange.path)
        if exchange.method != "GET" or not is_list or not path.endswith("/replicationprotectableitems"):
            continue
        if path not in ended:
            found.setdefault(path, []).append(exchange)
            if not answer.get("nextLink"):
                ended.add(path)
    return found


def _is_long(pages: list[Exchange]) -> bool:
    return len(pages) > 1 or any(len(_held(page)) > PAGE for page in pages)


def _held(page: Exchange) -> list[Body]:
    return [row for row in page.answer["value"] if isinstance(row, Mapping) and isinstance(row.get("id"), str)]


def _rows(facts: Facts, pages: list[Exchange]) -> Iterator[Row]:
    last_held: list[Body] = []
    for number, page in enumerate(pages):
        chosen = _chosen(facts, _held(page))
        last_held = chosen or last_held
        yield from (Row(body, False) for body in chosen)
        if number < len(pages) - 2 and last_held:
            missing = PAGE - len(chosen)
            yield from (Row(last_held[place % len(last_held)], True) for place in range(missing))


def _chosen(facts: Facts, held: list[Body]) -> list[Body]:
    """Return at most a page of rows: those named by requests, one of each shape, then the others."""
    named = [row for row in held if paths.key(str(row["id"])) in facts.asked_ids]
    shapes = {_shape(row): row for row in reversed(held)}
    wanted = [*named, *shapes.values(), *held]
    unique = {paths.key(str(row["id"])): row for row in wanted}
    return list(unique.values())[:PAGE]


def _shape(row: Any) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({(place, type(value).__name__) for place, _key, value in walk(row)}))
