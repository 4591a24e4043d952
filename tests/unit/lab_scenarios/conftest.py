"""The small Azure of the Site Recovery tests, in which scenarios are planted; and the same over real HTTPS."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from tests.unit.lab_site_recovery.conftest import classic, lab, modern
from tests.worlds.vaults import policy_body

from asr_lab.arm import scenarios
from asr_lab.arm.admin import WorldAdmin
from asr_lab.arm.certificates import Certificates, make_certificates
from asr_lab.arm.landing_zone import TENANT_ID, seed
from asr_lab.arm.server import serve
from asr_lab.arm.tokens import Credentials
from asr_lab.arm.world import World
from asr_lab.clock import ManualClock, VirtualClock

__all__ = ["certs", "classic", "lab", "modern", "served", "vaulted"]

ADDRESS = "127.47.0.1"
CLIENT = "33333333-3333-4333-8333-333333333333"
SECRET = "not a real secret"


class Vaulted:
    """A vault in which policies can be made, and the scenarios that are planted in its world."""

    def __init__(self, lab: Any) -> None:
        self.lab = lab
        self.vault = lab.make_vault("vault-current")
        self.policy = f"{self.vault}/replicationPolicies/policy"

    def plant(self, name: str, **match: str) -> None:
        scenarios.plant(self.lab.world, scenarios.scenario(name).narrowed(match))

    def put(self) -> Any:
        return self.lab.ask("PUT", self.policy, policy_body("modernized"))

    def exists(self) -> bool:
        self.lab.advance(60)
        return bool(self.lab.ask("GET", self.policy).status == 200)


@pytest.fixture
def vaulted(lab: Any) -> Vaulted:
    return Vaulted(lab)


class Served:
    """A world over HTTPS, asked with a token that is right."""

    def __init__(self, world: World, clock: Any, session: aiohttp.ClientSession, url: str, tls: ssl.SSLContext) -> None:
        self.world, self.clock, self.session, self.url, self.tls = world, clock, session, url, tls

    async def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        url = self.url + path + ("" if path.startswith("/_lab") else "?api-version=2025-08-01")
        async with self.session.request(method, url, json=body) as answer:
            return answer.status, answer.headers.copy()

    async def raw(self, method: str, path: str, body: Any) -> bytes:
        """Return every byte that comes back; aiohttp sends a PUT again by itself when its connection breaks."""
        authority = self.url.removeprefix("https://")
        host, _, port = authority.partition(":")
        content = json.dumps(body).encode()
        head = (
            f"{method} {path}?api-version=2025-08-01 HTTP/1.1\r\nHost: {authority}\r\n"
            f"Authorization: {self.session.headers['Authorization']}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(content)}\r\nConnection: close\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection(host, int(port), ssl=self.tls)
        writer.write(head.encode() + content)
        try:
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certs"), addresses=[ADDRESS], now=VirtualClock(1).wall())


@pytest.fixture
def served(certs: Certificates) -> Any:
    """A function that gives a served world, its clock standing still, as an asynchronous context."""

    @asynccontextmanager
    async def context(speed: float = 1.0) -> AsyncIterator[Served]:
        clock = ManualClock(speed=speed)
        world = World(seed=1)
        seed(world, clock.now())
        credentials = Credentials(TENANT_ID, CLIENT, SECRET)
        runner = await serve(world, clock, certs, ADDRESS, 0, credentials, WorldAdmin(world))
        url = f"https://{ADDRESS}:{runner.addresses[0][1]}"
        tls = ssl.create_default_context(cafile=str(certs.ca_file))
        try:
            # On a kept connection aiohttp asks again by itself.
            connector = aiohttp.TCPConnector(ssl=tls, force_close=True)
            async with aiohttp.ClientSession(connector=connector) as session:
                form = {
                    "grant_type": "client_credentials",
                    "client_id": CLIENT,
                    "client_secret": SECRET,
                    "scope": f"{url}/.default",
                }
                async with session.post(f"{url}/{TENANT_ID}/oauth2/v2.0/token", data=form) as answer:
                    session.headers["Authorization"] = f"Bearer {(await answer.json())['access_token']}"
                yield Served(world, clock, session, url, tls)
        finally:
            await runner.cleanup()

    return context
