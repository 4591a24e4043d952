"""The recorded exchanges: found beside the repository or under ASR_WIRE, read at run time, never copied."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def folder() -> Path:
    """Return where the recorded exchanges are expected."""
    beside = Path(__file__).parents[4] / "shared" / "wire"
    return Path(os.environ.get("ASR_WIRE", beside))


@dataclass(frozen=True)
class Exchange:
    """One recorded request and its answer."""

    index: int
    method: str
    url: str
    body: Any | None
    status: int
    headers: dict[str, str]
    answer: Any | None

    @property
    def path(self) -> str:
        """The path of the URL, decoded."""
        return unquote(urlsplit(self.url).path)

    @property
    def query(self) -> dict[str, str]:
        """The query of the URL, decoded."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}

    @property
    def api_version(self) -> str:
        """The api-version of the URL."""
        return self.query["api-version"]

    def name(self, collection: str) -> str | None:
        """The segment after ``collection`` in the path, or None."""
        segments = self.path.split("/")
        lower = [segment.casefold() for segment in segments]
        if collection.casefold() not in lower:
            return None
        return [*segments, ""][lower.index(collection.casefold()) + 1] or None

    @property
    def operation(self) -> str | None:
        """The operation that the answer starts: the last segment of its Location or Azure-AsyncOperation."""
        link = self.headers.get("Location") or self.headers.get("Azure-AsyncOperation")
        return unquote(urlsplit(link).path).rpartition("/")[2] if link else None

    @property
    def label(self) -> str:
        """Method and the end of the path, for messages."""
        return f"[{self.index}] {self.method} .../{'/'.join(self.path.split('/')[-2:])}"


def files() -> list[Path]:
    """Return the files of recorded exchanges, in order; empty when they are not there."""
    return sorted(folder().glob("[0-9][0-9]-*.json"))


def read(path: Path) -> list[Exchange]:
    """Return the exchanges of one file."""
    held = json.loads(path.read_text(encoding="utf-8"))
    return [
        Exchange(
            index=number if row.get("index") is None else row["index"],
            method=row["request"]["method"],
            url=row["request"]["url"],
            body=row["request"].get("body"),
            status=row["response"]["status"],
            headers=row["response"]["headers"],
            answer=row["response"]["body"],
        )
        for number, row in enumerate(held["exchanges"])
    ]


def texts(value: Any) -> list[str]:
    """Return every string inside a JSON value."""
    if isinstance(value, dict):
        return [text for held in value.values() for text in texts(held)]
    if isinstance(value, list):
        return [text for held in value for text in texts(held)]
    return [value] if isinstance(value, str) else []
