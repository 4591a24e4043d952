"""A world over real HTTPS, and the product that signs in to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from asr_lab.arm import landing_zone
from asr_lab.arm.certificates import make_certificates
from asr_lab.arm.server import serve
from asr_lab.arm.tokens import Credentials
from asr_lab.arm.world import World
from asr_lab.clock import VirtualClock
from asr_migrate.azure.client import AzureClients, connect
from asr_migrate.clock import Clock
from asr_migrate.domain.cloud import CloudSettings
from asr_migrate.session import Session, open_session

CLIENT_ID = "33333333-3333-4333-8333-333333333333"
SECRET = "not-a-secret-of-anybody"
ENVIRONMENT = {
    "AZURE_TENANT_ID": landing_zone.TENANT_ID,
    "AZURE_CLIENT_ID": CLIENT_ID,
    "AZURE_CLIENT_SECRET": SECRET,
}
"""What the product needs to sign in to the lab."""


def sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the product what it needs to sign in to the lab."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


def cloud(url: str, ca_file: Path) -> dict[str, Any]:
    """Return the settings of a cloud that answers and signs in at ``url``."""
    return {"resource_manager": url, "authority": url, "ca_file": str(ca_file), "instance_discovery": False}


class ServedWorld:
    """A world with the lab's landing zone, which can be served at ``address`` (loopback) again and again.

    The product's own waits are scaled like the clock.
    """

    def __init__(self, folder: Path, address: str, world: World, clock: VirtualClock) -> None:
        self.address, self.world, self.clock = address, world, clock
        landing_zone.seed(world, clock.now())
        self.certificates = make_certificates(folder, addresses=[address], now=datetime.now(UTC))

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Serve the world at a free port and give its URL."""
        credentials = Credentials(landing_zone.TENANT_ID, CLIENT_ID, SECRET)
        runner = await serve(self.world, self.clock, self.certificates, self.address, 0, credentials)
        try:
            yield f"https://{self.address}:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    def params(self, url: str, zone: dict[str, Any]) -> dict[str, Any]:
        """Return what a session of the product is opened with, as Ansible's modules hand it over."""
        return {
            "landing_zone": zone,
            "cloud": cloud(url, self.certificates.ca_file),
            "wait_scale": 1 / self.clock.speed,
        }

    @asynccontextmanager
    async def session(self, zone: dict[str, Any], check_mode: bool = False) -> AsyncIterator[Session]:
        """Serve the world and open a session of the product."""
        async with self.served() as url, open_session(self.params(url, zone), check_mode) as session:
            yield session

    @asynccontextmanager
    async def connected(self, **options: Any) -> AsyncIterator[AzureClients]:
        """Serve the world and connect to it as the product does.

        ``options`` are those of ``connect``, and ``ca_file`` (None: the system's), trusted in place of the right one.
        """
        async with self.served() as url:
            settings = cloud(url, self.certificates.ca_file)
            settings["ca_file"] = options.pop("ca_file", settings["ca_file"])
            clock = Clock(1 / self.clock.speed)
            async with connect(
                CloudSettings(**settings), landing_zone.SUBSCRIPTION_ID, clock=clock, **options
            ) as clients:
                yield clients
