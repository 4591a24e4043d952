"""Lists in pages: ``{"value": [...], "nextLink": url | null}`` with an opaque ``$skipToken``.

Only protectable items were recorded with more than one page; there the token means nothing to the client, and the last
page has ``nextLink: null``.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from asr_lab.arm.wire import ArmError, Request

_SKIP_TOKEN = "$skiptoken"
_TAG = "page:"


def page(request: Request, rows: Sequence[Any], size: int) -> dict[str, Any]:
    """Return the page of ``rows`` that the request's ``$skipToken`` asks for, at most ``size`` of them.

    Raises ArmError 400 for a token that no page handed out.
    """
    found, first = window(request, rows, size)
    return {"value": list(found), "nextLink": next_link(request, first + size) if first + size < len(rows) else None}


def window(request: Request, rows: Sequence[Any], size: int) -> tuple[Sequence[Any], int]:
    """Return the rows of the page asked for and the number of the first; for rows that are costly to write out."""
    first = _first(request)
    return rows[first : first + size], first


def next_link(request: Request, first: int) -> str:
    """Return the URL of the page that begins with row number ``first``."""
    token = base64.urlsafe_b64encode(f"{_TAG}{first}".encode()).decode()
    kept: Mapping[str, str] = {name: value for name, value in request.query.items() if name.casefold() != _SKIP_TOKEN}
    query = "&".join(f"{quote(name, safe='$-')}={quote(value, safe='')}" for name, value in kept.items())
    return f"https://{request.host}{quote(request.path)}?{query}&$skipToken={quote(token)}"


def _first(request: Request) -> int:
    token = next((value for name, value in request.query.items() if name.casefold() == _SKIP_TOKEN), "")
    if not token:
        return 0
    try:
        text = base64.urlsafe_b64decode(token).decode()
        if text.startswith(_TAG):
            return int(text.removeprefix(_TAG))
    except (binascii.Error, UnicodeDecodeError, ValueError):
        pass
    raise ArmError(400, "BadRequest", f"$skipToken is '{token}'; follow the nextLink of a page as it stands.")
