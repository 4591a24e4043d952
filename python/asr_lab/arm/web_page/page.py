"""The lab's web page: one HTML file that reads ``/_lab/state`` and ``/_lab/log`` every few seconds and changes nothing.

Style and script stand in the page itself, and the Content-Security-Policy names them by their hashes: the page loads
nothing else, asks nobody but the lab, and what machines are called can never become markup.
"""

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from ipaddress import ip_address

from aiohttp import web
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

REFRESH_MS = 3000
LOG_LINES = 200
PAGE_ROWS = 25
"""Rows of a table shown at once; the rest is on further pages."""


@dataclass(frozen=True)
class Column:
    """One column: its heading, the property it shows, and how (see ``cell`` in page.js)."""

    title: str
    field: str
    kind: str = "text"


@dataclass(frozen=True)
class Section:
    """One table: the key of its rows in the state (or ``log``), and whether the newest row comes first."""

    key: str
    title: str
    columns: tuple[Column, ...]
    newest_first: bool = False


SECTIONS = (
    Section("vaults", "Vaults", (Column("Vault", "name"), Column("State", "state", "state"), Column("Id", "id", "id"))),
    Section(
        "items",
        "Protected items",
        (
            Column("Machine", "name"),
            Column("Provider", "provider"),
            Column("State", "state", "state"),
            Column("Progress", "progress", "progress"),
            Column("Test failover", "test"),
            Column("Allowed operations", "allowed", "list"),
        ),
    ),
    Section(
        "jobs",
        "Jobs",
        (
            Column("Job", "scenario"),
            Column("Of", "target"),
            Column("State", "state", "state"),
            Column("Error", "error"),
            Column("Started", "started", "time"),
            Column("Ended", "ended", "time"),
            Column("Tasks", "tasks", "tasks"),
        ),
        newest_first=True,
    ),
    Section(
        "log",
        "Requests",
        (
            Column("At", "at", "time"),
            Column("Method", "method"),
            Column("Status", "status", "status"),
            Column("Code", "code"),
            Column("Path", "path", "id"),
        ),
        newest_first=True,
    ),
    Section(
        "hosts",
        "Hosts",
        (
            Column("Host", "name"),
            Column("Address", "address"),
            Column("Runs", "running", "yes"),
            Column("Mobility service", "agent_version"),
        ),
    ),
    Section(
        "virtual_machines",
        "Virtual machines in Azure",
        (Column("Name", "name"), Column("Size", "size"), Column("Region", "location"), Column("Id", "id", "id")),
    ),
)


def add_to(app: web.Application) -> None:
    """Register the page at ``/_lab`` and ``/_lab/``; it answers loopback addresses only."""
    for path in ("/_lab", "/_lab/"):
        app.router.add_get(path, _answer)


async def _answer(request: web.Request) -> web.Response:
    if not ip_address(request.remote or "0.0.0.0").is_loopback:
        return web.Response(status=403, text="The lab is looked at from the machine that it runs on only.")
    text, policy = page()
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)


@cache
def page() -> tuple[str, str]:
    """Return the page and its Content-Security-Policy."""
    style, script, template = (_source(name) for name in ("page.css", "page.js", "page.html.j2"))
    text = (
        Environment(autoescape=True, undefined=StrictUndefined)
        .from_string(template)
        .render(
            sections=SECTIONS,
            refresh_ms=REFRESH_MS,
            log_lines=LOG_LINES,
            page_rows=PAGE_ROWS,
            style=Markup(style),
            script=Markup(script),
        )
    )
    policy = "; ".join(
        [
            "default-src 'none'",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )
    return text, policy


def _source(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(source: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"
