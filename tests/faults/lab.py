"""A lab for whole waves: a vault, an appliance, sources, all in memory and served over HTTPS.

The world runs in this process so that a story can look at every job afterwards, and stop the product at the very moment
in which one of its writes arrives. The product only ever sees the HTTPS address.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from tests.worlds.hosts import host
from tests.worlds.served import ServedWorld
from tests.worlds.vaults import prepare
from tests.worlds.zones import APPLIANCE, lab_zone, vault_id

from asr_lab.arm.estate import ListedHosts
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World
from asr_lab.clock import VirtualClock

Architecture = Literal["modernized", "classic"]
ARCHITECTURES: tuple[Architecture, ...] = ("modernized", "classic")
ADDRESS = "127.55.0.2"
VAULT = "vault-a"
READS = ("GET", "HEAD")
SPEED = 60.0

PACE_S = {
    "enable": (90, 180),
    "initial_replication_queued": (10, 30),
    "initial_replication_transfer": (30, 60),
    "initial_replication_completion": (10, 30),
    "test_failover": (90, 240),
    "test_failover_cleanup": (60, 150),
    "unplanned_failover": (90, 240),
    "failover_commit": (1, 90),
    "disable": (30, 120),
}
"""Between how many service seconds each step takes in a story. They are shorter than in life, initial replication most:
nothing is asked of the service meanwhile. Starting a process takes about 40 of these seconds, so a run that follows a
killed one finds most steps still at work."""


class ScaledClock(VirtualClock):
    """Virtual time for clients whose own waits are scaled like it: an answer held back for 30 s takes 30 of theirs."""

    async def hold(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)


class WatchedWorld(World):
    """A world that tells of each request before and after it takes effect.

    ``before`` and ``after_effect`` get the request; when ``before`` returns True the request is lost on its way: it has
    no effect and no answer. After each write the world remembers what every list that was asked for answers now, so
    that a stale list is as old as its row says and not as old as the last time somebody looked.
    """

    def __init__(self, hosts: ListedHosts, seed: int) -> None:
        self.watch_nothing()
        self._lists: dict[str, Request] = {}
        super().__init__(hosts, seed)

    def watch_nothing(self) -> None:
        """Lose no request and tell of none."""
        self.before: Callable[[Request], bool] = lambda request: False
        self.after_effect: Callable[[Request], None] = lambda request: None

    def handle(self, request: Request, now: datetime) -> Response:
        if self.before(request):
            return Response(0)
        response = super().handle(request, now)
        if request.method in READS:
            self._note_list(request, response)
        else:
            for asked in self._lists.values():
                self._stale.remember(asked, now, partial(self.dispatch, now=now))
        self.after_effect(request)
        return response

    def _note_list(self, request: Request, response: Response) -> None:
        if isinstance(response.body, dict) and isinstance(response.body.get("value"), list):
            self._lists[f"{request.path.casefold()} {sorted(request.query.items())}"] = request


@dataclass
class FaultLab(ServedWorld):
    """One lab: ``machines`` sources ready to be replicated, in so many ``waves`` that are worked on at once.

    ``seed`` decides its GUIDs and how long its steps take.
    """

    folder: Path
    architecture: Architecture
    machines: int = 20
    seed: int = 0
    waves: int = 1
    speed: float = SPEED
    address: str = ADDRESS
    clock: ScaledClock = field(init=False)
    world: WatchedWorld = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.sources = {f"web-{number:02d}": f"10.20.1.{20 + number}" for number in range(1, self.machines + 1)}
        hosts = {address: host(name, address, windows=False) for name, address in self.sources.items()}
        hosts[APPLIANCE] = host("appliance", APPLIANCE)
        world = WatchedWorld(ListedHosts(hosts), self.seed)
        super().__init__(self.folder, self.address, world, ScaledClock(self.speed))
        self._prepare()

    @property
    def vault_id(self) -> str:
        return vault_id(VAULT)

    def _prepare(self) -> None:
        """Make what the landing zone, appliance and source playbooks leave behind, and set the story's pace."""
        prepare(self.world, self.clock, self.vault_id, self.architecture, self.sources.values())
        draw = random.Random(f"pace {self.seed}")
        for step, (least, most) in PACE_S.items():
            self.world.faults.add({"match": {"step": step}, "seconds": draw.randint(least, most)})
        self.world.log.clear()

    def all_well(self) -> None:
        """Remove everything that was planted but the story's pace."""
        faults = self.world.faults
        faults.rows = [fault for fault in faults.rows if fault.kind == "seconds"]

    def description(self, url: str, home: Path, goals: Sequence[str]) -> dict[str, Any]:
        """Return what ``wave_process.py`` is to do, as JSON; each wave's journal lies in ``home``."""
        by_wave: dict[str, list[dict[str, Any]]] = {}
        for number, (name, address) in enumerate(self.sources.items()):
            wave = f"w{number % self.waves}"
            by_wave.setdefault(wave, []).append(self._machine(name, address, wave))
        return {
            "goals": list(goals),
            "waves": [
                {"session": self._session(url, home / f"{wave}.jsonl"), "machines": machines}
                for wave, machines in by_wave.items()
            ],
        }

    @property
    def zone(self) -> dict[str, Any]:
        """The landing zone as an inventory describes it."""
        return lab_zone(vault=VAULT, architecture=self.architecture)

    def _session(self, url: str, journal: Path) -> dict[str, Any]:
        return {**self.params(url, self.zone), "journal": str(journal)}

    def _machine(self, name: str, address: str, wave: str) -> dict[str, Any]:
        return {
            "name": name,
            "source_id": f"i-{name}",
            "wave": wave,
            "os": "linux",
            "addresses": [address],
            "target": {"vm_name": f"vm-{name}", "vm_size": "Standard_B2s"},
        }
