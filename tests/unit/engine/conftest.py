"""A wave, a vault in memory and a clock: what the tests of the engine tell their stories with."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.worlds.zones import APPLIANCE, lab_zone

from asr_migrate.clock import ManualClock
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import Goal, Observation
from asr_migrate.domain.wave import Outcome, Wave
from asr_migrate.engine.run import Engine
from asr_migrate.providers.in_mage_azure_v2 import InMageAzureV2
from asr_migrate.providers.in_mage_rcm import InMageRcm

from .fake_vault import FakeVault, protectable, server

ZONE = lab_zone(vault="vault-current", appliance={"name": "current-appliance", "address": APPLIANCE})


def described(name: str, address: str, **target: Any) -> dict[str, Any]:
    return {
        "name": name,
        "source_id": f"i-{name}",
        "wave": "current",
        "os": "linux",
        "addresses": [address],
        "target": {"vm_name": f"vm-{name}", **target},
    }


@dataclass
class Story:
    """One wave, one vault, one clock; ``reach`` runs the engine to its end."""

    vault: FakeVault
    clock: ManualClock
    zone: LandingZone
    machines: list[dict[str, Any]]
    lines: list[str] = field(default_factory=list)

    def engine(self, **options: Any) -> Engine:
        classic = self.zone.architecture == "classic"
        provider = InMageAzureV2(self.zone) if classic else InMageRcm(self.zone)
        return Engine(self.vault, provider, self.clock, emit=self.lines.append, seed=1, **options)

    def reach(self, goal: Goal, *, timeout_s: float = 6 * 3600, **options: Any) -> Outcome:
        wave = Wave.from_hosts(self.machines, self.zone)
        return asyncio.run(self.engine(**options).reach(wave, goal, timeout_s))

    def look(self) -> dict[str, Observation]:
        return asyncio.run(self.engine().look(Wave.from_hosts(self.machines, self.zone)))

    def reach_all(self, *goals: Goal) -> None:
        for goal in goals:
            outcome = self.reach(goal)
            assert all(result.reached for result in outcome.machines.values()), outcome.by_machine()


@pytest.fixture
def story() -> Story:
    """A modernized wave of two machines that the appliance knows."""
    clock = ManualClock()
    vault = FakeVault(clock, sources=[server("web", "10.20.1.21"), server("db", "10.20.1.22")])
    machines = [described("web", "10.20.1.21"), described("db", "10.20.1.22")]
    return Story(vault, clock, LandingZone.model_validate(ZONE), machines)


@pytest.fixture
def classic_story() -> Story:
    """A classic wave of one machine whose agent has registered."""
    clock = ManualClock()
    vault = FakeVault(clock, "InMageAzureV2", sources=[protectable("app", "10.20.1.11")])
    zone = LandingZone.model_validate({**ZONE, "architecture": "classic"})
    return Story(vault, clock, zone, [described("app", "10.20.1.11")])


@pytest.fixture
def big_story() -> Callable[..., Story]:
    """Make a modernized wave of many machines: ``big_story(250, group=..., boot_order=...)``, both by number."""

    def make(count: int, **more: Callable[[int], Any]) -> Story:
        clock = ManualClock()
        addresses = [f"10.20.{number // 250}.{number % 250 + 1}" for number in range(count)]
        vault = FakeVault(clock, sources=[server(f"m{number:04}", addresses[number]) for number in range(count)])
        machines = [
            {**described(f"m{number:04}", addresses[number]), **{key: of(number) for key, of in more.items()}}
            for number in range(count)
        ]
        return Story(vault, clock, LandingZone.model_validate(ZONE), machines)

    return make
