"""Calls to ``/_lab`` of a running lab, over HTTPS with the lab's own authority."""

import json
import ssl
import urllib.error
import urllib.request
from typing import Any

from asr_lab.lab_state import State

TIMEOUT_S = 60.0


class AdminRefused(Exception):
    """The lab does not answer, or refused the request with a sentence."""


def call(state: State, url: str, method: str, path: str, body: Any = None) -> Any:
    """Return what ``/_lab`` answers at ``url`` (``https://127.20.0.1:8443``). Raises AdminRefused."""
    request = urllib.request.Request(
        f"{url}/_lab/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        context = ssl.create_default_context(cafile=str(state.ca))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        with opener.open(request, timeout=TIMEOUT_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        raise AdminRefused(_sentence(refusal.read())) from None
    except (OSError, ssl.SSLError) as error:
        raise AdminRefused(f"no lab answers at {url} ({error}); start it with: python -m asr_lab up") from None


def _sentence(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace")
