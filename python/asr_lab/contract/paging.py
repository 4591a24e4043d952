"""Fills recorded lists of several pages: the session shows a few rows, the lab needs enough for its own pages."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from asr_lab.contract import paths
from asr_lab.contract.names import token_of
from asr_lab.contract.recording import Exchange, Session
from asr_lab.contract.seed import Seeding

_MOST = 2000
_AT_ONCE = 25


def fill_pages(session: Session, seeding: Seeding) -> None:
    """Add rows like the recorded ones until each list of the session has as many pages as recorded."""
    for path, pages in _paged(session).items():
        resource = paths.named(path)
        if resource.tail.casefold() != "replicationprotectableitems":
            seeding.notes.append(f"{path} has {len(pages)} pages; the lab is not filled up with such rows")
            continue
        rows = [row for page in pages for row in page.answer["value"] if isinstance(row, Mapping)]
        added = 0
        while rows and _pages(seeding, path) < len(pages) and added < _MOST:
            for number in range(_AT_ONCE):
                seeding.another_protectable(rows[number % len(rows)])
            added += _AT_ONCE


def _paged(session: Session) -> dict[str, list[Exchange]]:
    """Return the pages of each list that was read over several, by its path."""
    found: dict[str, list[Exchange]] = {}
    for exchange in session.exchanges:
        answer = exchange.answer
        if exchange.method == "GET" and isinstance(answer, Mapping) and isinstance(answer.get("value"), list):
            held = found.setdefault(exchange.path, [])
            follows = any(name.casefold() == "$skiptoken" for name in exchange.query)
            if follows or (not held and answer.get("nextLink")):
                held.append(exchange)
    return {path: pages for path, pages in found.items() if len(pages) > 1}


def _pages(seeding: Seeding, path: str) -> int:
    return sum(1 for _page in _walk(seeding, path))


def _walk(seeding: Seeding, path: str) -> Iterator[Any]:
    token = ""
    while True:
        query = {"$skipToken": unquote(token)} if token else {}
        body = seeding.scene.ask("GET", path, query=query, api_version=seeding.api_version).body
        yield body
        token = token_of(str(body.get("nextLink") or "")) if isinstance(body, dict) else ""
        if not token:
            return
