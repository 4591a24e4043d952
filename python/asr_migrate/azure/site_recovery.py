"""The engine's door to Azure: one sweep sees everything, one call asks for one change."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Any

from azure.core.exceptions import AzureError

from asr_migrate.azure.client import AzureClients
from asr_migrate.azure.failures import translate
from asr_migrate.azure.sweep import VaultReader
from asr_migrate.domain.errors import SetupError
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.site import Call, Json, Site, Sweep

ITEM_PATH = re.compile(r"/replicationFabrics/([^/]+)/replicationProtectionContainers/([^/]+)/", re.IGNORECASE)


class AzureSiteRecovery:
    """One vault over the SDK; implements ``engine.port.SiteRecovery``."""

    def __init__(self, clients: AzureClients, zone: LandingZone) -> None:
        self._clients = clients
        self._zone = zone
        self._reader = VaultReader(clients, zone)
        self._site: Site | None = None

    async def sweep(self, resource_groups: Iterable[str], *, with_sources: bool) -> Sweep:
        """Return what is there now. In check mode a vault that does not exist yet is an empty one.

        Jobs are read before items: an item that still names a job of the list's then really is behind it.

        Raises SetupError when the vault does not exist, ServiceError when Azure does not answer.
        """
        try:
            jobs = await self._reader.vault_list("replicationJobs")
            items, vms, site = await asyncio.gather(
                self._reader.vault_list("replicationProtectedItems"),
                self._reader.vms(resource_groups),
                self._known_site(),
            )
        except SetupError as error:
            if self._clients.check_mode and error.code == "VaultMissing":
                return Sweep(vms=await self._reader.vms(resource_groups))
            raise
        sources = await self._reader.sources(site) if site and with_sources else ()
        return Sweep(tuple(items), tuple(jobs), vms, sources, site)

    async def _known_site(self) -> Site | None:
        if self._site is None:
            self._site = await self._reader.site()
        return self._site

    async def item(self, item_id: str) -> Json:
        """Return one protected item with its disks and network adapters."""
        return await self._reader.resource(item_id)

    async def job(self, name: str) -> Json:
        """Return one job with its tasks and errors."""
        return await self._reader.job(name)

    async def send(self, call: Call, site: Site | None) -> str | None:
        """Send one change and return the name of its job, None when the service named none.

        The operation is not followed here: the next sweep's list of jobs does that for all machines at once.
        """
        seen: list[str] = []

        def remember(response: Any) -> None:
            seen.append(job_name(response.http_response.headers))

        zone = self._zone
        place = (zone.resource_group, zone.vault, *self._fabric_and_container(call, site))
        items = self._clients.site_recovery.replication_protected_items
        operations = {
            "create": items.begin_create,
            "update": items.begin_update,
            "testFailover": items.begin_test_failover,
            "testFailoverCleanup": items.begin_test_failover_cleanup,
            "unplannedFailover": items.begin_unplanned_failover,
            "failoverCommit": items.begin_failover_commit,
            "remove": items.begin_delete,
        }
        containers = self._clients.site_recovery.replication_protection_containers
        begin: Any = operations.get(call.operation, containers.begin_discover_protectable_item)
        names = place if call.operation == "discover" else (*place, call.item)
        arguments: tuple[Any, ...] = names if call.body is None else (*names, call.body)
        try:
            await begin(*arguments, raw_response_hook=remember)
        except AzureError as error:
            raise translate(error, f"{call.operation} of {call.item}") from error
        return seen[-1] or None if seen else None

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


def job_name(headers: Any) -> str:
    """Return the job that an answer names: the last segment of x-ms-request-id or of Azure-AsyncOperation.

    Source: recorded exchanges; the operation, its job and both poll addresses share one GUID.
    """
    for header in ("x-ms-request-id", "Azure-AsyncOperation"):
        value = str(headers.get(header) or "").split(",")[0].split("?")[0]
        if "/" in value:
            return value.rstrip("/").rpartition("/")[2]
    return ""
