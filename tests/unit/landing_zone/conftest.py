"""The lab's Azure over real HTTPS, and stories that the product tells against it."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from asr_lab.arm import landing_zone as seeded
from asr_lab.arm.certificates import make_certificates
from asr_lab.arm.estate import HostDescription, HostDisk, ListedHosts
from asr_lab.arm.server import serve
from asr_lab.arm.site_recovery import (
    world_add_physical_server,
    world_register_appliance,
    world_register_configuration_server,
)
from asr_lab.arm.tokens import Credentials
from asr_lab.arm.world import World
from asr_lab.clock import VirtualClock
from asr_migrate.session import Session, open_session

ADDRESS = "127.36.0.2"
SPEED = 2400.0
SECRET = "not-a-secret-of-anybody"
CLIENT_ID = "33333333-3333-4333-8333-333333333333"
APPLIANCE, WEB, DB = "10.20.0.20", "10.20.1.21", "10.20.1.22"


def host(name: str, address: str, os_type: str = "Windows") -> HostDescription:
    identity = str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
    return HostDescription(
        identity,
        name,
        (address,),
        os_type,
        "Some OS",
        (HostDisk("disk0", 32 << 30, True),),
        identity,
        "02:00:" + ":".join(f"{int(part):02x}" for part in address.split(".")),
        "BIOS",
        8,
        16384,
        "9.62.0.0",
    )


class Azure:
    """The lab with an empty resource group; ``tell`` runs a story of the product against it."""

    def __init__(self, folder: Path) -> None:
        self.hosts = ListedHosts(
            {APPLIANCE: host("appliance", APPLIANCE), WEB: host("web", WEB), DB: host("db", DB, "Linux")}
        )
        self.world = World(self.hosts)
        self.clock = VirtualClock(SPEED)
        seeded.seed(self.world, self.clock.now())
        self.certificates = make_certificates(folder, addresses=[ADDRESS], now=datetime.now(UTC))
        self.zone: dict[str, Any] = {
            "subscription_id": seeded.SUBSCRIPTION_ID,
            "tenant_id": seeded.TENANT_ID,
            "location": "westeurope",
            "resource_group": "rg-migration",
            "vault": "vault-new",
            "network": "vnet-prod",
            "subnet": "apps",
            "test_network": "vnet-test",
            "test_subnet": "apps",
            "cache_storage_account": "stasrcache",
            "architecture": "modernized",
            "policy": {"name": "ec2-to-azure"},
            "appliance": {"name": "appliance", "address": APPLIANCE},
        }

    def tell(self, story: Callable[[Session], Awaitable[Any]], *, check_mode: bool = False) -> Any:
        """Serve the world, open a session of the product, and return what ``story`` returns."""

        async def go() -> Any:
            runner = await serve(
                self.world,
                self.clock,
                self.certificates,
                ADDRESS,
                0,
                Credentials(seeded.TENANT_ID, CLIENT_ID, SECRET),
            )
            try:
                url = f"https://{ADDRESS}:{runner.addresses[0][1]}"
                params = {
                    "landing_zone": self.zone,
                    "cloud": {
                        "resource_manager": url,
                        "authority": url,
                        "ca_file": str(self.certificates.ca_file),
                        "instance_discovery": False,
                    },
                    "wait_scale": 1 / SPEED,
                }
                async with open_session(params, check_mode) as session:
                    return await story(session)
            finally:
                await runner.cleanup()

        return asyncio.run(go())

    @property
    def vault_id(self) -> str:
        return (
            f"/subscriptions/{seeded.SUBSCRIPTION_ID}/resourceGroups/rg-migration"
            f"/providers/Microsoft.RecoveryServices/vaults/{self.zone['vault']}"
        )

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
            passphrase="a passphrase of the test",
            now=self.clock.now(),
        )


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Azure:
    monkeypatch.setenv("AZURE_TENANT_ID", seeded.TENANT_ID)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", SECRET)
    return Azure(tmp_path)
