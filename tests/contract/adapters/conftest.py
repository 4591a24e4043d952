"""Recorded exchanges of the real service, where they are at hand."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
WIRE = Path(os.environ.get("ASR_WIRE") or ROOT.parent / "shared" / "wire")


class Recordings:
    """The recorded files by number."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def exchanges(self, number: str) -> list[dict[str, Any]]:
        path = next(self.folder.glob(f"{number}-*.json"))
        return list(json.loads(path.read_text(encoding="utf-8"))["exchanges"])

    def numbers(self) -> list[str]:
        return sorted(path.name.partition("-")[0] for path in self.folder.glob("[0-9]*-*.json"))

    def resources(self, number: str, key: str) -> Iterator[dict[str, Any]]:
        """Yield every resource of the answers whose properties have ``key``."""
        for exchange in self.exchanges(number):
            body = exchange["response"].get("body")
            if not isinstance(body, dict):
                continue
            rows = body["value"] if isinstance(body.get("value"), list) else [body]
            yield from (row for row in rows if key in (row.get("properties") or {}))

    def sent(self, number: str, method: str, path_end: str = "") -> dict[str, Any]:
        """Return the body of the first request of a method whose path ends so."""
        return next(
            exchange["request"].get("body")
            for exchange in self.exchanges(number)
            if exchange["request"]["method"] == method
            and exchange["request"]["url"].partition("?")[0].endswith(path_end)
        )


@pytest.fixture(scope="session")
def wire() -> Recordings:
    if not WIRE.is_dir():
        pytest.skip(f"no recorded exchanges at {WIRE}; set ASR_WIRE to their folder")
    return Recordings(WIRE)
