"""Which installer of the Mobility service a system takes; the table is ``mobility_packages.yml``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

#: Version and tag of an installer's own name.
_NAME = re.compile(
    r"Microsoft-ASR_UA_(?P<version>\d+(?:\.\d+)+)_(?P<tag>[A-Za-z0-9.-]+)_GA_(?P<released>\w+?)_release\.", re.I
)
#: An upgrade over more versions than this since the last start asks for a restart.
VERSIONS_WITHOUT_RESTART = 4

#: From this version on there are agents of the modernized architecture only; the last of the classic one is 9.59.
FIRST_MODERNIZED_ONLY = (9, 62)
CLASSIC_ONLY = (9, 59)

Version = tuple[int, ...]


@dataclass(frozen=True)
class Package:
    """The installer of one system: its tag, whether that is only ``derived``, and whether ``classic`` agents exist."""

    tag: str
    derived: bool = False
    classic: bool = True

    def file_name(self, version: str, released: str) -> str:
        """Return the installer's name by the documented pattern, ``..._9.59.0.0_RHEL8-64_GA_15Mar2024_...``."""
        kind = "exe" if self.tag == "Windows" else "tar.gz"
        return f"Microsoft-ASR_UA_{version}_{self.tag}_GA_{released}_release.{kind}"


@cache
def _rows() -> tuple[tuple[re.Pattern[str], Package], ...]:
    raw = yaml.safe_load(files(__package__).joinpath("mobility_packages.yml").read_text(encoding="utf-8"))
    return tuple((re.compile(row.pop("os")), Package(**row)) for row in raw)


def of_system(os_name: str) -> Package | None:
    """Return the package for a system's name, such as ``Red Hat Enterprise Linux 6.7``; None when there is none."""
    return next((package for pattern, package in _rows() if pattern.match(os_name)), None)


def tag_of(file_name: str) -> str | None:
    """Return the tag of an installer's name; None when the name does not follow the pattern."""
    found = _NAME.search(file_name)
    return found.group("tag") if found else None


def version_of(file_name: str) -> str | None:
    """Return the version of an installer's name; None when the name tells none."""
    found = _NAME.search(file_name) or re.search(r"_?UA_(?P<version>\d+(?:\.\d+)+)", file_name)
    return found.group("version") if found else None


def number(version: str | None) -> Version | None:
    """Return a version as numbers that can be compared; None when there is none."""
    parts = re.match(r"\d+(?:\.\d+)*", version or "")
    return tuple(int(part) for part in parts.group().split(".")) if parts else None


def versions_between(older: Version, newer: Version) -> int:
    """Return how many versions lie between two, such as 5 for 9.54 and 9.59; another major version counts as many."""
    if older[0] != newer[0]:
        return VERSIONS_WITHOUT_RESTART + 1
    return abs((*newer, 0)[1] - (*older, 0)[1])


def order(installed: Version, offered: Version) -> int:
    """Return -1, 0 or 1 for older, the same or newer; a host may tell fewer parts of its version than a name does."""
    parts = min(len(installed), len(offered))
    return (installed[:parts] > offered[:parts]) - (installed[:parts] < offered[:parts])


def is_for(version: Version, *, classic: bool) -> bool:
    """Whether there are agents of this version for an architecture."""
    return version[:2] < FIRST_MODERNIZED_ONLY if classic else version[:2] != CLASSIC_ONLY


def newest(names: Iterable[str], tag: str, *, classic: bool) -> str | None:
    """Return the installer of the newest version for a tag and an architecture; None when there is none."""
    fitting = [
        (version, name)
        for name in names
        if (tag_of(name) or "").lower() == tag.lower()
        and (version := number(version_of(name)))
        and is_for(version, classic=classic)
    ]
    return max(fitting)[1] if fitting else None
