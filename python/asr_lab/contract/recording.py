"""Recorded sessions: JSON files of requests and answers, as the public test suites of Azure's clients kept them.

A file is ``{"source": ..., "exchanges": [...], "note"?: ...}``; an exchange is ``{"index", "request": {"method", "url",
"body"?}, "response": {"status", "headers", "body"}}`` and may say ``trueTimeUtc`` (the real time when the recorded Date
was rewritten), ``repeated``/``lastDate`` (equal polls that follow each other, kept once), ``trimmed`` (shortened lists)
and ``bodyDropped`` (a call to another Azure service whose bodies were removed).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class BadInput(Exception):
    """What was given cannot be replayed; the text names the place, what is wrong there and what is needed."""


@dataclass(frozen=True)
class Exchange:
    """One recorded request and its answer. ``position`` counts from 0 in the file; ``index`` is that of the session."""

    position: int
    index: int
    method: str
    url: str
    body: Any
    status: int
    headers: Mapping[str, str]
    answer: Any
    time: datetime | None = None
    last_time: datetime | None = None
    true_time: bool = False
    repeated: int = 1
    body_dropped: bool = False
    trimmed: tuple[Mapping[str, Any], ...] = ()

    @cached_property
    def path(self) -> str:
        """The path of the URL, decoded, without a slash at its end."""
        return "/" + "/".join(segment for segment in unquote(urlsplit(self.url).path).split("/") if segment)

    @cached_property
    def query(self) -> dict[str, str]:
        """The query of the URL, decoded."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query, keep_blank_values=True).items()}

    @property
    def api_version(self) -> str:
        """The api-version of the URL, empty when it has none."""
        return next((value for name, value in self.query.items() if name.casefold() == "api-version"), "")

    @property
    def operation(self) -> str | None:
        """The operation that the answer starts: the last segment of its Location or Azure-AsyncOperation."""
        if self.method == "GET":
            return None
        link = self.headers.get("location") or self.headers.get("azure-asyncoperation")
        return unquote(urlsplit(link).path).rstrip("/").rpartition("/")[2] if link else None

    @property
    def asks(self) -> str:
        """The request as one line: method and path, from the vault on where there is one."""
        inside = re.sub(r"^.*/vaults/[^/]+/", "", self.path, flags=re.IGNORECASE)
        return f"{self.method} {re.sub('^/subscriptions/[^/]+/', '', inside, flags=re.IGNORECASE) or '/'}"

    def name(self, collection: str) -> str | None:
        """The segment after ``collection`` in the path, or None."""
        return name_in(self.path, collection)


def name_in(path: str, collection: str) -> str | None:
    """Return the segment after ``collection`` in a path, or None."""
    segments = path.split("/")
    lower = [segment.casefold() for segment in segments]
    if collection.casefold() not in lower:
        return None
    return [*segments, ""][lower.index(collection.casefold()) + 1] or None


@dataclass(frozen=True)
class Session:
    """One file."""

    path: Path
    exchanges: tuple[Exchange, ...]
    source: Any = None
    held: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the file without its ending."""
        return self.path.stem


def files(folder: Path) -> list[Path]:
    """Return the recorded sessions of a folder, by name; raises BadInput when there is no folder or none in it."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise BadInput(f"{folder} {what}; name a folder with recorded sessions (*.json).")
    found = sorted(folder.glob("*.json"))
    if not found:
        raise BadInput(f"{folder} holds no *.json file; name a folder with recorded sessions.")
    return found


def read(path: Path) -> Session:
    """Return the session of one file; raises BadInput when it is not JSON or not of the format."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError) as problem:
        raise BadInput(f"{path} cannot be read as JSON ({problem}); a recorded session is needed.") from problem
    return parse(path, held)


def parse(path: Path, held: Any) -> Session:
    """Return the session that a parsed file holds; raises BadInput when it is not of the format."""
    rows = held.get("exchanges") if isinstance(held, dict) else None
    if not isinstance(rows, list):
        raise BadInput(f"{path} has no list 'exchanges'; a recorded session is {{source, exchanges: [...]}}.")
    exchanges = tuple(_exchange(path, position, row) for position, row in enumerate(rows))
    return Session(path, exchanges, held.get("source"), held)


def _exchange(path: Path, position: int, row: Any) -> Exchange:
    place = f"{path}, exchanges[{position}]"
    try:
        request, response = row["request"], row["response"]
        method, url, status = request["method"], request["url"], response["status"]
    except (TypeError, KeyError) as problem:
        raise BadInput(
            f"{place} lacks {problem}; needed are request {{method, url}} and response {{status}}."
        ) from problem
    if not isinstance(method, str) or not isinstance(url, str) or not isinstance(status, int):
        raise BadInput(f"{place} has a method or url that is no text, or a status that is no number.")
    headers = {str(name).casefold(): _header(value) for name, value in (response.get("headers") or {}).items()}
    true = moment(row.get("trueTimeUtc"))
    return Exchange(
        position=position,
        index=row["index"] if isinstance(row.get("index"), int) else position,
        method=method.upper(),
        url=url,
        body=_json(request.get("body")),
        status=status,
        headers=headers,
        answer=_json(response.get("body")),
        time=true or moment(headers.get("date")),
        last_time=moment(row.get("lastDate")),
        true_time=true is not None,
        repeated=row["repeated"] if isinstance(row.get("repeated"), int) else 1,
        body_dropped=bool(row.get("bodyDropped") or request.get("bodyDropped") or response.get("bodyDropped")),
        trimmed=tuple(cut for cut in row.get("trimmed") or () if isinstance(cut, dict)),
    )


def _header(value: Any) -> str:
    """Return a header's text; recorders keep a header that was sent several times as a list."""
    return str(value[0]) if isinstance(value, list) and value else str(value)


def _json(value: Any) -> Any:
    """Return a body; one that was kept as text is parsed when it is JSON, and an empty one is None."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value) if value.strip() else None
    except ValueError:
        return value


def moment(text: Any) -> datetime | None:
    """Return the time a text says, as a header (``Wed, 02 Aug 2023 ...``) or in ISO 8601, else None."""
    if not isinstance(text, str):
        return None
    try:
        found = parsedate_to_datetime(text) if "," in text else datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def walk(value: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Yield (dotted path, key, value) of everything inside a JSON value; elements of a list have the list's key."""
    stack: list[tuple[str, str, Any]] = [(path, path.rpartition(".")[2], value)]
    while stack:
        place, key, held = stack.pop()
        yield place, key, held
        if isinstance(held, Mapping):
            stack += [(f"{place}.{name}" if place else str(name), str(name), one) for name, one in held.items()]
        elif isinstance(held, list):
            stack += [(f"{place}[]", key, one) for one in held]


def texts(value: Any) -> Iterator[tuple[str, str]]:
    """Yield (key, text) of every text inside a JSON value."""
    return ((key, held) for _place, key, held in walk(value) if isinstance(held, str))
