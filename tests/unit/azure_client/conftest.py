"""A pipeline over a transport that plays a script, and the lab's Azure over real HTTPS."""

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.core.rest import HttpRequest

from asr_lab.arm import landing_zone
from asr_lab.arm.certificates import make_certificates
from asr_lab.arm.server import serve
from asr_lab.arm.tokens import Credentials
from asr_lab.arm.world import World
from asr_lab.clock import VirtualClock
from asr_migrate.azure.client import connect
from asr_migrate.clock import Clock, ManualClock
from asr_migrate.domain.cloud import CloudSettings

SECRET = "not-a-secret-of-anybody"
CLIENT_ID = "33333333-3333-4333-8333-333333333333"
SPEED = 2000.0


class Answer:
    """One scripted answer."""

    def __init__(self, status_code: int, headers: dict[str, str] | None = None) -> None:
        self.status_code = status_code
        self.headers = headers or {}


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


class Lab:
    """The lab's Azure on loopback, its landing zone seeded; ``opened`` connects to it as the product does."""

    def __init__(self, folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.world = World()
        self.clock = VirtualClock(SPEED)
        landing_zone.seed(self.world, self.clock.now())
        self.certificates = make_certificates(folder, addresses=["127.35.0.1"], now=datetime.now(UTC))
        monkeypatch.setenv("AZURE_TENANT_ID", landing_zone.TENANT_ID)
        monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT_ID)
        monkeypatch.setenv("AZURE_CLIENT_SECRET", SECRET)

    @asynccontextmanager
    async def opened(self, **options: Any):
        credentials = Credentials(landing_zone.TENANT_ID, CLIENT_ID, SECRET)
        runner = await serve(self.world, self.clock, self.certificates, "127.35.0.1", 0, credentials)
        address = f"https://127.35.0.1:{runner.addresses[0][1]}"
        cloud = CloudSettings(
            resource_manager=address,
            authority=address,
            ca_file=options.pop("ca_file", str(self.certificates.ca_file)),
            instance_discovery=False,
        )
        clock = Clock(1 / SPEED)
        try:
            async with connect(cloud, landing_zone.SUBSCRIPTION_ID, clock=clock, **options) as clients:
                yield clients
        finally:
            await runner.cleanup()


@pytest.fixture
def lab(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Lab:
    return Lab(tmp_path, monkeypatch)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()
