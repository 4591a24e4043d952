"""Which operating systems can be replicated: os_support.yml, read once, and the names machines give themselves.

An operating system's name arrives from many places: the registry ("Windows Server 2008 R2 Standard"),
/etc/redhat-release ("Red Hat Enterprise Linux Server release 6.7 (Santiago)"), /etc/os-release ("Ubuntu 22.04.5 LTS"),
EC2 ("Red Hat Enterprise Linux").
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_TABLE = Path(__file__).with_name("os_support.yml")
_VERSION = re.compile(r"(\d+)(?:\.(\d+))?")
_SERVICE_PACK = re.compile(r"(?:service pack|\bsp) ?(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class OsSupport:
    """What the table says of one operating system on one architecture.

    ``title``: the table's name, None when no row matches. ``supported``: None when the name carries no version to
    judge. ``service_pack``: the least service pack, Windows only. ``listed``: what would be supported, in words.
    """

    title: str | None
    supported: bool | None
    service_pack: int | None = None
    listed: str = ""


@cache
def _table() -> dict[str, list[dict[str, Any]]]:
    loaded: dict[str, list[dict[str, Any]]] = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))
    return loaded


def service_pack(os_name: str) -> int | None:
    """Return the service pack that the name mentions ("SP1", "Service Pack 1"), or None."""
    found = _SERVICE_PACK.search(os_name)
    return int(found[1]) if found else None


def is_amazon_linux(os_name: str) -> bool:
    """Say whether the name is any Amazon Linux ("Amazon Linux 2", "Amazon Linux AMI release 2018.03")."""
    return "amazon linux" in os_name.lower()


def _within(version: tuple[int, int | None], ranges: Sequence[str]) -> bool | None:
    """Say whether a version lies in one of the ranges; None when it names a listed major version but no minor one."""
    major, minor = version
    for text in ranges:
        low, _, high = text.partition("-")
        low_major, low_minor = (int(part) for part in low.split("."))
        high_minor = int(high.split(".")[1]) if high else low_minor
        if major != low_major:
            continue
        if minor is None:
            return None
        if low_minor <= minor <= high_minor:
            return True
    return False


def _windows(os_name: str, architecture: str) -> OsSupport:
    rows = _table()["windows"]
    listed = ", ".join(row["title"] for row in rows if architecture in row["architectures"])
    for row in rows:
        if re.search(row["name"], os_name, re.IGNORECASE):
            return OsSupport(row["title"], architecture in row["architectures"], row.get("service_pack"), listed)
    return OsSupport(None, False if re.search(r"\d", os_name) else None, None, listed)


def _linux_version(row: dict[str, Any], os_name: str) -> tuple[int, int | None] | None:
    """Return (major, minor) that follows the distribution's name; SUSE writes the minor version as a service pack."""
    name = re.search(row["name"], os_name, re.IGNORECASE)
    found = _VERSION.search(os_name, name.end() if name else 0)
    if not found:
        return None
    minor = found[2]
    if minor is None and (pack := service_pack(os_name)) is not None:
        return int(found[1]), pack
    if minor is None and row["title"] in ("Debian", "SUSE Linux Enterprise Server"):
        return int(found[1]), 0
    return int(found[1]), None if minor is None else int(minor)


def _linux(os_name: str, architecture: str) -> OsSupport:
    for row in _table()["linux"]:
        if not re.search(row["name"], os_name, re.IGNORECASE):
            continue
        ranges = row[architecture]
        listed = f"{row['title']} {', '.join(ranges)}" if ranges else f"no version of {row['title']}"
        version = _linux_version(row, os_name)
        return OsSupport(row["title"], _within(version, ranges) if version else None, None, listed)
    listed = ", ".join(row["title"] for row in _table()["linux"] if row[architecture])
    return OsSupport(None, None if os_name.strip().lower() in ("", "linux", "linux/unix") else False, None, listed)


def look_up(os_name: str, family: str, architecture: str) -> OsSupport:
    """Return what the support matrix says of ``os_name`` on ``architecture`` ("classic" or "modernized").

    ``family`` is "windows" or "linux". A name without a version is neither supported nor refused: ``supported`` is
    None.
    """
    return _windows(os_name, architecture) if family == "windows" else _linux(os_name, architecture)
