"""The engine's door to Azure: one sweep sees everything, one call asks for one change."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from azure.core.exceptions import AzureError

from asr_migrate.azure import freshness, journal, rows
from asr_migrate.azure.accepted import Acceptance, job_name
from asr_migrate.azure.client import AzureClients
from asr_migrate.azure.failures import translate
from asr_migrate.azure.freshness import Freshness
from asr_migrate.azure.journal import ANSWERED, SENDING, Entry
from asr_migrate.azure.recovery_plans import RecoveryPlans
from asr_migrate.azure.sweep import NOT_FOUND, VaultReader
from asr_migrate.azure.together import together
from asr_migrate.domain.errors import ServiceError, SetupError
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.recovery_plan import PlanCall, StandingPlan
from asr_migrate.domain.site import Call, Json, Sent, Site, Sweep, Written

ITEM_PATH = re.compile(r"/replicationFabrics/([^/]+)/replicationProtectionContainers/([^/]+)/", re.IGNORECASE)
ITEM_ID = re.compile(r"/replicationProtectedItems/[^/]+$", re.IGNORECASE)
SINGLE_READS = 20
PROVIDERS = "replicationRecoveryServicesProviders"


class AzureSiteRecovery:
    """One vault over the SDK; implements ``engine.port.SiteRecovery``."""

    def __init__(self, clients: AzureClients, zone: LandingZone) -> None:
        self._clients = clients
        self._zone = zone
        self._reader = VaultReader(clients, zone)
        self._plans = RecoveryPlans(clients, zone, self._reader)
        self._site: Site | None = None
        self._fresh = Freshness()
        self._plan_jobs: dict[str, Json] = {}
        self._held: dict[str, frozenset[str]] = {}

    async def sweep(self, resource_groups: Iterable[str], *, with_sources: bool) -> Sweep:
        """Return what is there now. In check mode a vault that does not exist yet is an empty one.

        Jobs are read before items: an item that still names a job of the list's then really is behind it. A row that is
        older than a job about its machine is read on its own; if that does not help it stands in ``Sweep.behind``.

        Raises SetupError when the vault does not exist, ServiceError when Azure does not answer.
        """
        try:
            jobs = self._fresh.jobs(await self._reader.vault_list("replicationJobs"))
            items, vms, site = await together(
                self._reader.items(),
                self._reader.vms(resource_groups),
                self._known_site(),
            )
        except SetupError as error:
            if self._clients.check_mode and error.code == "VaultMissing":
                return Sweep(vms=await self._reader.vms(resource_groups))
            raise
        listed, behind = await self._up_to_date(items, jobs)
        sources = await self._reader.sources(site) if site and with_sources else ()
        return Sweep(tuple(listed), tuple(jobs), vms, sources, site, behind)

    async def _up_to_date(self, items: Sequence[Json], jobs: Sequence[Json]) -> tuple[list[Json], dict[str, str]]:
        """Return the rows, those that are behind replaced by single reads, and what is behind all the same."""
        about, held = await self._of_plans(jobs)
        known = [*jobs, *about]
        missing = self._fresh.missing(items, known)
        behind = freshness.behind(items, known, held)
        found = {str(item["id"]).lower(): item for item in items}
        doubtful = [*missing, *(name for name in behind if name in found)]
        unread = missing if len(doubtful) > SINGLE_READS else []
        if doubtful and len(doubtful) <= SINGLE_READS:
            for identifier, item in zip(doubtful, await together(*map(self._maybe, doubtful)), strict=True):
                if item is not None:
                    found[identifier.lower()] = rows.item(item)
                elif identifier.lower() in found:
                    del found[identifier.lower()]
            behind = freshness.behind(found.values(), known, held)
        self._fresh.remember(found.values(), unread)
        for identifier in unread:
            for name in (identifier.lower(), identifier.rpartition("/")[2].lower()):
                behind[name] = "Azure's list does not show it any more"
        return list(found.values()), self._fresh.doubted(behind, self._clients.clock.monotonic())

    async def _maybe(self, identifier: str) -> Json | None:
        try:
            return await self._reader.resource(identifier)
        except ServiceError as error:
            if error.status != NOT_FOUND:
                raise
            return None

    async def _of_plans(self, jobs: Sequence[Json]) -> tuple[list[Json], dict[str, Json]]:
        """Return what recovery plans' jobs say: of machines they have finished, and which items those that run hold.

        The list tells neither. A job that has ended is read once, the plan of one that runs is read once.
        """
        about: list[Json] = []
        held: dict[str, Json] = {}
        for job in freshness.plan_jobs(jobs):
            name = str(job["name"])
            if freshness.is_running(job):
                if name not in self._held:
                    plan = str(freshness.job_of(job).get("targetObjectName"))
                    self._held[name] = await self._plans.item_ids(plan)
                held |= dict.fromkeys(self._held[name], job)
                continue
            if name not in self._plan_jobs:
                self._plan_jobs[name] = await self._maybe(str(job["id"])) or {}
            about += freshness.with_machines(self._plan_jobs[name])
        return about, held

    async def _known_site(self) -> Site | None:
        if self._site is None:
            self._site = await self._reader.site()
        return self._site

    async def item(self, item_id: str) -> Json:
        """Return one protected item, which tells its network adapters; of it what is read of it (``azure.rows``).

        A resource of an item (a recovery point) is returned whole.
        """
        found = await self._reader.resource(item_id)
        return rows.item(found) if ITEM_ID.search(item_id) else found

    async def job(self, name: str) -> Json:
        """Return one job with its tasks and errors."""
        return await self._reader.job(name)

    async def send(self, call: Call, site: Site | None, client_request_id: str | None = None) -> Sent:
        """Send one change and return its job, if the service named one, and the id that the request carried.

        The operation is not followed here: the next sweep's list of jobs does that for all machines at once. Who gives
        ``client_request_id`` can look for the job of a change whose answer never came.
        """
        accepted = Acceptance(client_request_id)
        begin, names = await self._operation(call, site)
        arguments = names if call.body is None else (*names, call.body)
        try:
            return await accepted.of(begin(*arguments, **accepted.options))
        except AzureError as error:
            raise translate(error, f"{call.operation} of {call.item or 'the appliance'}") from error

    async def _operation(self, call: Call, site: Site | None) -> tuple[Any, tuple[str, ...]]:
        """Return the SDK's method for a change and the names that it is called with, all but the body."""
        client = self._clients.site_recovery
        place = (self._zone.resource_group, self._zone.vault, *self._fabric_and_container(call, site))
        if call.operation == "refreshProvider":
            providers = await self._reader.vault_list(f"replicationFabrics/{place[2]}/{PROVIDERS}")
            names = (*place[:3], *(str(row["name"]) for row in providers[:1]))
            return client.replication_recovery_services_providers.begin_refresh_provider, names
        if call.operation == "discover":
            return client.replication_protection_containers.begin_discover_protectable_item, place
        items = client.replication_protected_items
        operations: dict[str, Any] = {
            "create": items.begin_create,
            "update": items.begin_update,
            "testFailover": items.begin_test_failover,
            "testFailoverCleanup": items.begin_test_failover_cleanup,
            "unplannedFailover": items.begin_unplanned_failover,
            "failoverCommit": items.begin_failover_commit,
            "repairReplication": items.begin_repair_replication,
            "remove": items.begin_delete,
        }
        return operations[call.operation], (*place, call.item)

    async def plans(self, wave: str) -> dict[str, StandingPlan]:
        """Return the recovery plans of the wave that are in the vault, by name in lower case."""
        return await self._plans.of_wave(wave)

    async def prepare_plan(self, call: PlanCall) -> bool:
        """Make the plan hold exactly the machines of ``call``; False when it is at work now (see RecoveryPlans)."""
        return await self._plans.prepare(call)

    async def send_plan(self, call: PlanCall, client_request_id: str | None = None) -> Sent:
        """Send the action of a plan that is prepared; one job then stands for all its machines."""
        return await self._plans.act(call, client_request_id)

    async def release(self, wave: str, item_ids: Iterable[str]) -> frozenset[str]:
        """Take items out of the wave's plans before they are removed; return those whose plan is at work now."""
        return await self._plans.release(wave, item_ids)

    async def recent(self, since: datetime) -> tuple[Written, ...]:
        """Return every write that earlier runs of this journal have sent since then, oldest first.

        Without a journal nothing is known. Raises SetupError when a newer release has written it.
        """
        noted = self._clients.journal
        if noted is None:
            return ()
        reading = await asyncio.to_thread(journal.read, noted.path)
        return written(entry for entry in reading.entries if entry.run != noted.run and entry.at >= since)

    @staticmethod
    def _fabric_and_container(call: Call, site: Site | None) -> tuple[str, str]:
        found = ITEM_PATH.search(call.item_id or "")
        if found:
            return found[1], found[2]
        if site is None:
            raise SetupError(
                f"{call.item}: no appliance is registered with the vault",
                code="ApplianceMissing",
                remedy="Run the deploy_appliance playbook first.",
            )
        return site.fabric, site.container


def written(entries: Iterable[Entry]) -> tuple[Written, ...]:
    """Return the writes that a journal's entries tell of. One that was throttled and sent again is one write; its last
    attempt counts."""
    found: dict[str, Written] = {}
    for entry in entries:
        key = entry.client_request_id
        if entry.event == SENDING:
            found.pop(key, None)
            found[key] = Written(entry.at, entry.method, entry.path, key)
        elif entry.event == ANSWERED and key in found:
            job = job_name({"x-ms-request-id": entry.request_id}) or None
            found[key] = replace(found[key], status=entry.status, job_id=job)
    return tuple(found.values())
