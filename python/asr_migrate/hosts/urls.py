"""URLs that may hold a key: how they are shown, and what of them appears in no message.

A shared access signature travels in the query of a URL (Azure Storage documentation, service SAS), a user and a
password before the host name (RFC 3986, section 3.2.1). Nothing here can open a connection.
"""

from __future__ import annotations

import re

#: A query's value of fewer characters (``sp=r``) is no key; masked, it would tear words apart.
SHORTEST_KEY = 8

#: The parts of a URL (RFC 3986, appendix B), user and host apart.
_PARTS = re.compile(
    r"(?P<scheme>[^:/?#]+://)?(?:(?P<user>[^/?#]*)@)?(?P<host>[^/?#]*)(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#.*)?",
    re.DOTALL,
)


def shown(url: str) -> str:
    """Return a URL for messages: without user, password, query and fragment."""
    part = _parts(url)
    return part["scheme"] + part["host"] + part["path"]


def file_name(url: str) -> str:
    """Return the last part of a URL's path; the host's name when it has none."""
    part = _parts(url)
    return part["path"].rpartition("/")[2] or part["host"].partition(":")[0]


def below(url: str, name: str) -> str:
    """Return the URL of a file below the one of a directory; a query goes with it, as it does for a container's key."""
    part = _parts(url)
    user, query = part["user"] and f"{part['user']}@", part["query"] and f"?{part['query']}"
    return f"{part['scheme']}{user}{part['host']}{part['path'].rstrip('/')}/{name}{query}"


def keys(url: str | None) -> tuple[str, ...]:
    """Return what of a URL must appear in no message, as it stands there and decoded, the longest first."""
    part = _parts(url or "")
    values = [pair.partition("=")[2] for pair in part["query"].split("&")]
    secrets = [part["query"], part["user"], part["user"].partition(":")[2]]
    found = secrets + [value for value in values if len(value) >= SHORTEST_KEY]
    return tuple(sorted({text for text in (*found, *map(_decoded, found)) if text}, key=len, reverse=True))


def _parts(url: str) -> dict[str, str]:
    found = _PARTS.fullmatch(url)
    return {name: value or "" for name, value in found.groupdict().items()} if found else {}


def _decoded(text: str) -> str:
    """Return a text without its percent-encoding."""
    data = re.sub(rb"%([0-9A-Fa-f]{2})", lambda pair: bytes.fromhex(pair[1].decode()), text.encode())
    return data.decode("utf-8", "replace")
