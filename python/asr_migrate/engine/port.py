"""What the engine needs of the world, as protocols: tests implement them in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from asr_migrate.domain.lifecycle import Observation, Verb
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.site import Call, Json, Site, Sweep


class SiteRecovery(Protocol):
    """One vault."""

    async def sweep(self, resource_groups: Iterable[str], *, with_sources: bool) -> Sweep: ...

    async def item(self, item_id: str) -> Json: ...

    async def job(self, name: str) -> Json: ...

    async def send(self, call: Call, site: Site | None) -> str | None: ...


class Provider(Protocol):
    """One Site Recovery provider: requests out, observations in."""

    @property
    def instance_type(self) -> str: ...

    def observe(self, machine: Machine, sweep: Sweep) -> Observation: ...

    def item(self, machine: Machine, sweep: Sweep) -> Json | None: ...

    def read(
        self, item: Json, machine: Machine | None, sweep: Sweep, vm: Any = None, test: Any = None
    ) -> Observation: ...

    def discover(self, machine: Machine) -> Call: ...

    def enable(self, machine: Machine, site: Site, sweep: Sweep) -> Call: ...

    def update(self, machine: Machine, item: Json) -> Call: ...

    def act(self, verb: Verb, machine: Machine, item: Json) -> Call: ...
