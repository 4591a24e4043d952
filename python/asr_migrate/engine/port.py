"""What the engine needs of the world, as protocols: tests implement them in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from asr_migrate.domain.lifecycle import AzureVm, Observation, Verb
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.recovery_plan import PlanCall, StandingPlan
from asr_migrate.domain.site import Call, Json, Sent, Site, Sweep, Written


class SiteRecovery(Protocol):
    """One vault. Methods raise ServiceError when Azure does not answer or refuses, SetupError when nothing works."""

    async def sweep(self, resource_groups: Iterable[str], *, with_sources: bool) -> Sweep:
        """Return what is there now."""

    async def item(self, item_id: str) -> Json:
        """Return one protected item with what lists omit; ServiceError with status 404 when it is not there."""

    async def job(self, name: str) -> Json:
        """Return one job with its tasks, errors and ``activityId``; ServiceError of status 404 when it is not there."""

    async def send(self, call: Call, site: Site | None, client_request_id: str | None = None) -> Sent:
        """Ask for one change. Any error but one of a status of 4xx (408 excepted) leaves open whether it was begun."""

    async def plans(self, wave: str) -> Mapping[str, StandingPlan]:
        """Return the wave's recovery plans that are in the vault, by name in lower case."""

    async def prepare_plan(self, call: PlanCall) -> bool:
        """Make the plan hold the machines of ``call``, who are asked for nothing yet; False when it is at work."""

    async def send_plan(self, call: PlanCall, client_request_id: str | None = None) -> Sent:
        """Ask for the plan's action; in doubt as ``send`` is."""

    async def release(self, wave: str, item_ids: Iterable[str]) -> frozenset[str]:
        """Take items out of the wave's plans; return the ids (lower case) of those whose plan is at work now."""

    async def recent(self, since: datetime) -> tuple[Written, ...]:
        """Return the writes that earlier runs have noted since then; empty without a journal."""


class Prober(Protocol):
    """Asks what a machine is to answer to (``Machine.probes``) of its VM in Azure."""

    async def passed(self, machine: Machine, vm: AzureVm) -> bool:
        """Say whether every probe passes now. Raises ServiceError when Azure does not answer."""

    def failures_of(self, machine: Machine, vm: AzureVm) -> tuple[str, ...]:
        """Return in words what did not pass when ``passed`` was last asked."""


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
