"""A pipeline over a transport that plays a script, and the lab's Azure over real HTTPS."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import HttpRequest
from tests.worlds.served import ServedWorld, sign_in

from asr_lab.arm.world import World
from asr_lab.clock import VirtualClock
from asr_migrate.clock import ManualClock

from .far_end import FarEnd

SPEED = 2000.0


class Answer:
    """One scripted answer."""

    def __init__(self, status_code: int, headers: dict[str, str] | None = None) -> None:
        self.status_code = status_code
        self.headers = headers or {}
        self.content = b""

    async def close(self) -> None:
        pass


class Script(AsyncHttpTransport):
    """Answers requests from a list; an exception in it is raised. ``sent`` is what arrived, ``slept`` the waits."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.sent: list[HttpRequest] = []
        self.slept: list[float] = []

    async def send(self, request: HttpRequest, **options: Any) -> Any:
        self.sent.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, duration: float) -> None:
        self.slept.append(duration)

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        pass


@pytest.fixture
def answer() -> type[Answer]:
    return Answer


@pytest.fixture
def script() -> type[Script]:
    return Script


@pytest.fixture
def send() -> Callable[..., Any]:
    """Send one request through policies over a script and return the answer's status."""

    def run(transport: Script, policies: list[Any], method: str, url: str = "https://azure/x", **options: Any) -> int:
        async def go() -> int:
            async with AsyncPipeline(transport, policies) as pipeline:
                response = await pipeline.run(HttpRequest(method, url, **options))
                return int(response.http_response.status_code)

        return asyncio.run(go())

    return run


class Lab(ServedWorld):
    """The lab's Azure on loopback, its landing zone seeded; ``opened`` connects to it as the product does."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "127.35.0.1", World(), VirtualClock(SPEED))
        self.folder = folder

    opened = ServedWorld.connected


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    sign_in(monkeypatch)
    return Lab(tmp_path)


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FarEnd:
    sign_in(monkeypatch)
    return FarEnd(tmp_path)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()
