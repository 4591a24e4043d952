"""The lab's Azure over real HTTPS, and stories that the product tells against it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.worlds.hosts import host
from tests.worlds.served import ServedWorld, sign_in
from tests.worlds.vaults import PASSPHRASE
from tests.worlds.zones import APPLIANCE, lab_zone, vault_id

from asr_lab.arm.estate import ListedHosts
from asr_lab.arm.site_recovery import (
    world_add_physical_server,
    world_register_appliance,
    world_register_configuration_server,
)
from asr_lab.arm.world import World
from asr_lab.clock import VirtualClock
from asr_migrate.session import Session

ADDRESS = "127.36.0.2"
SPEED = 2400.0
WEB, DB = "10.20.1.21", "10.20.1.22"


class Azure(ServedWorld):
    """The lab with an empty resource group; ``tell`` runs a story of the product against it."""

    def __init__(self, folder: Path) -> None:
        self.hosts = ListedHosts(
            {
                APPLIANCE: host("appliance", APPLIANCE, agent="9.62.0.0", cores=8, memory_mb=16384),
                WEB: host("web", WEB, agent="9.62.0.0"),
                DB: host("db", DB, windows=False, agent="9.62.0.0"),
            }
        )
        super().__init__(folder, ADDRESS, World(self.hosts), VirtualClock(SPEED))
        self.zone = lab_zone(vault="vault-new", architecture="modernized", policy={"name": "ec2-to-azure"})

    def tell(self, story: Callable[[Session], Awaitable[Any]], *, check_mode: bool = False) -> Any:
        """Serve the world, open a session of the product, and return what ``story`` returns."""

        async def go() -> Any:
            async with self.session(self.zone, check_mode) as session:
                return await story(session)

        return asyncio.run(go())

    @property
    def vault_id(self) -> str:
        return vault_id(self.zone["vault"])

    def writes(self) -> list[str]:
        """Return what was written so far, as ``METHOD last/segments``."""
        return [f"{entry.method} {entry.path.rpartition('/vaults/')[2]}" for entry in self.world.log if entry.is_write]

    def register_appliance(self) -> None:
        world_register_appliance(
            self.world, vault_id=self.vault_id, host=self.hosts.hosts[APPLIANCE], now=self.clock.now()
        )

    def add_server(self, address: str) -> None:
        credential = "LinuxServer" if address == DB else "WindowsServer"
        world_add_physical_server(
            self.world,
            vault_id=self.vault_id,
            address=address,
            account="somebody",
            credential_type=credential,
            now=self.clock.now(),
        )
        self.clock.advance(3600)

    def register_configuration_server(self, key: bytes) -> None:
        world_register_configuration_server(
            self.world,
            vault_credentials_xml=key,
            host=self.hosts.hosts[APPLIANCE],
            passphrase=PASSPHRASE,
            now=self.clock.now(),
        )


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Azure:
    sign_in(monkeypatch)
    return Azure(tmp_path)
