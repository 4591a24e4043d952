"""Whether Site Recovery's driver is made for a kernel: linux_kernels.yml, read once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from asr_migrate.domain import os_support

_TABLE = Path(__file__).with_name("linux_kernels.yml")


class Known(StrEnum):
    """What the table says of a kernel; ``UNLISTED`` may be supported all the same, ``NO_ROW`` is no kernel's fault."""

    SUPPORTED = "supported"
    NOT_STOCK = "not stock"
    TOO_OLD = "too old"
    TOO_NEW = "too new"
    UNLISTED = "unlisted"
    NO_ROW = "no row"


@dataclass(frozen=True)
class Judgement:
    """``known`` says whether; ``listed`` what the table has instead, in words ("5.4.0-223-generic")."""

    known: Known
    listed: str = ""

    @property
    def refused(self) -> bool:
        """Whether the driver is certainly not made for the kernel."""
        return self.known in (Known.NOT_STOCK, Known.TOO_OLD)

    @property
    def doubtful(self) -> bool:
        """Whether the table cannot tell."""
        return self.known in (Known.TOO_NEW, Known.UNLISTED)


@cache
def _rows() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))["kernels"]
    return loaded


def _row(os_name: str) -> dict[str, Any] | None:
    title = os_support.look_up(os_name, "linux", "modernized").title
    version = re.search(r"\d[\d.]*.*", os_name)
    if not title or not version:
        return None
    return next((row for row in _rows() if row["title"] == title and re.match(row["versions"], version[0])), None)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text))


def _is_before(kernel: str, first: str) -> bool:
    """Whether a kernel of the same series (``5.14.0``) is older; another series is not compared."""
    version = re.match(r"[\d.-]*\d", kernel)
    same = kernel.partition("-")[0] == first.partition("-")[0]
    return bool(version and same and _numbers(version[0]) < _numbers(first))


def _below_the_least(kernel: str, least: Mapping[str, str]) -> str | None:
    """Return the first supported kernel of the prefix that ``kernel`` begins with when it is older than that."""
    version = re.match(r"[\d.-]*\d", kernel)
    for prefix, first in least.items():
        if version and re.match(re.escape(prefix) + r"(?!\d)", kernel) and _numbers(version[0]) < _numbers(first):
            return first
    return None


def _words(newest: Mapping[str, int]) -> str:
    """Say a table of builds: ``{"5.4.0-generic": 223}`` is "5.4.0-223-generic"."""
    parts = ((*key.rpartition("-"), build) for key, build in newest.items())
    return ", ".join(
        f"{series}{'.' if 'bpo' in series or 'deb' in series else '-'}{build}-{flavour}"
        for series, _, flavour, build in parts
    )


def _by_builds(found: re.Match[str], row: Mapping[str, Any]) -> Judgement:
    newest: Mapping[str, int] = row["newest"]
    key, build, complete = f"{found['series']}-{found['flavour']}", int(found["build"]), bool(row.get("complete"))
    words = _words(newest)
    if key not in newest:
        return Judgement(Known.NOT_STOCK if complete else Known.UNLISTED, words)
    if build > newest[key]:
        return Judgement(Known.NOT_STOCK if complete else Known.TOO_NEW, words)
    if complete and build < row["first"][key]:
        return Judgement(Known.TOO_OLD, _words(row["first"]))
    return Judgement(Known.SUPPORTED)


def judge(os_name: str, kernel: str) -> Judgement:
    """Return what the table says of ``kernel`` (as ``uname -r`` prints it) on ``os_name`` ("Ubuntu 22.04")."""
    row = _row(os_name)
    if row is None:
        return Judgement(Known.NO_ROW)
    found = next((match for pattern in row["stock"] if (match := re.fullmatch(pattern, kernel))), None)
    if found is None:
        unsure = any(re.fullmatch(pattern, kernel) for pattern in row.get("unsure", ()))
        listed = _words(row["newest"]) if "newest" in row else "the distribution's own"
        return Judgement(Known.UNLISTED if unsure else Known.NOT_STOCK, listed)
    if first := _below_the_least(kernel, row.get("least", {})):
        return Judgement(Known.TOO_OLD, f"{first} and later")
    if "listed_from" in row and _is_before(kernel, row["listed_from"]):
        return Judgement(Known.UNLISTED, f"{row['listed_from']} and later")
    return _by_builds(found, row) if "newest" in row else Judgement(Known.SUPPORTED)
