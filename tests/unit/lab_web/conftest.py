"""A lab's web server over a world with many machines, in a thread, and a headless browser in front of it."""

import asyncio
import shutil
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from asr_lab.arm.web_page import page

ADDRESS = "127.48.2.1"
NAME_WITH_MARKUP = '<img src=x onerror="document.title=1">'
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def state(items: int = 1200) -> dict[str, Any]:
    """Return what ``/_lab/state`` answers for a lab with many machines."""
    started = datetime(2026, 4, 1, 8, tzinfo=UTC)
    return {
        "now": "2026-04-01T10:20:30.1234567Z",
        "vaults": [{"id": "/subscriptions/s/vaults/vault-1", "name": "vault-1", "state": "Succeeded"}],
        "items": [
            {
                "id": f"/i/{number}",
                "name": NAME_WITH_MARKUP if number == 1 else f"web-{number:04d}",
                "provider": "InMageRcm",
                "state": "InitialReplicationInProgress" if number % 2 == 0 else "Protected",
                "progress": 0.42 if number % 2 == 0 else None,
                "test": "NotTested",
                "allowed": ["UnplannedFailover", "TestFailover"],
            }
            for number in range(items)
        ],
        "jobs": [
            {
                "id": f"job-{number}",
                "scenario": "TestFailover",
                "target": f"web-{number:04d}",
                "state": "Failed" if number == 2 else "Succeeded",
                "error": "28031" if number == 2 else None,
                "started": started.isoformat(),
                "ended": started.isoformat(),
                "tasks": {"CreateVm": "Succeeded", "StartVm": "Failed" if number == 2 else "Succeeded"},
            }
            for number in range(3)
        ],
        "hosts": {"app-2008": {"address": "10.20.1.11", "running": True, "agent_version": None}},
        "virtual_machines": [],
        "person": [],
    }


LOG = [
    {"at": "2026-04-01T10:00:00.0000000Z", "method": "PUT", "status": 202, "code": "", "path": "/subscriptions/s/a"},
    {"at": "2026-04-01T10:01:00.0000000Z", "method": "GET", "status": 404, "code": "NotFound", "path": "/b"},
]


class Serving:
    """The page and canned answers to what it asks, over http in a thread."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self._up: Future[None] = Future()
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=[self._serve()], daemon=True)

    def __enter__(self) -> "Serving":
        self._thread.start()
        self._up.result(timeout=20)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(timeout=20)
        self._loop.close()

    async def _serve(self) -> None:
        app = web.Application()
        page.add_to(app)
        app.router.add_get("/_lab/state", self._state)
        app.router.add_get("/_lab/log", self._log)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, ADDRESS, 0).start()
        self.url = f"http://{ADDRESS}:{runner.addresses[0][1]}"
        self._up.set_result(None)
        await self._ended.wait()
        await runner.cleanup()

    async def _state(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        return web.json_response(state())

    async def _log(self, request: web.Request) -> web.Response:
        self.asked.append(request.path_qs)
        return web.json_response({"entries": LOG})


@pytest.fixture
def serving() -> Iterator[Serving]:
    with Serving() as running:
        yield running


class Tree(HTMLParser):
    """Every element of a page with its attributes, and the text under it, in the order of the page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self._open: list[list[str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        words: list[str] = []
        self.elements.append((tag, {name: value or "" for name, value in attrs}, words))
        if tag not in ("meta", "link", "input", "img", "br"):
            self._open.append(words)

    def handle_endtag(self, tag: str) -> None:
        if self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for words in self._open:
            words.append(data)

    def texts(self, tag: str, kind: str = "") -> list[str]:
        """Return the texts of the elements of this tag, and of this class when it is given."""
        return [
            "".join(words).strip()
            for name, attributes, words in self.elements
            if name == tag and kind in ("", *attributes.get("class", "").split())
        ]


class Browser:
    """Headless Chromium: what a page looks like when its script has run."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder

    def dom(self, url: str) -> Tree:
        """Return the page after a few seconds of its own time."""
        return Tree(self._run("--dump-dom", url))

    def picture(self, url: str, *, dark: bool = False) -> Path:
        """Return a screenshot."""
        path = self._folder / f"page-{'dark' if dark else 'light'}.png"
        theme = ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if dark else []
        self._run(*theme, f"--screenshot={path}", "--window-size=1400,1400", url)
        return path

    def _run(self, *arguments: str) -> str:
        line = [
            self._program,
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--virtual-time-budget=4000",
            f"--user-data-dir={self._folder / 'profile'}",
            *arguments,
        ]
        done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser on this machine (looked for {', '.join(BROWSERS)})")
    return Browser(program, tmp_path)
