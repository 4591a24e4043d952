"""A world with the rehearsal's landing zone, and a short way to ask it."""

from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest

from asr_lab.arm.landing_zone import RESOURCE_GROUP, SUBSCRIPTION_ID, seed
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World
from asr_lab.clock import ManualClock


class Asker:
    """Asks a world, moving time by hand."""

    group = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/{RESOURCE_GROUP}"
    vault = f"{group}/providers/Microsoft.RecoveryServices/vaults/vault-legacy"
    vault_body: ClassVar[dict[str, Any]] = {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {}}

    def __init__(self, world: World, clock: ManualClock) -> None:
        self.world = world
        self.clock = clock

    def __call__(
        self, method: str, path: str, body: Any = None, *, version: str = "2025-04-01", **query: str
    ) -> Response:
        request = Request(method, path, {"api-version": version, **query}, {}, body)
        return self.world.handle(request, self.clock.now())

    def make_vault(self) -> None:
        """Create the vault and wait until it is provisioned."""
        assert self("PUT", self.vault, self.vault_body, version="2026-11-01").status == 201
        self.clock.advance(61)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 4, 1, 8, 0, tzinfo=UTC))


@pytest.fixture
def world(clock: ManualClock) -> World:
    made = World(seed=7)
    seed(made, clock.now())
    return made


@pytest.fixture
def ask(world: World, clock: ManualClock) -> Asker:
    return Asker(world, clock)
