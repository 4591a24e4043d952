"""Reading: one look at a vault sees every machine, and where the appliance's names are found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from asr_migrate.azure import rows
from asr_migrate.azure.client import AzureClients
from asr_migrate.azure.failures import vault_missing
from asr_migrate.azure.together import together
from asr_migrate.domain.errors import ServiceError, SetupError
from asr_migrate.domain.landing_zone import Architecture, LandingZone
from asr_migrate.domain.lifecycle import AzureVm
from asr_migrate.domain.site import Json, Site

SITE_RECOVERY_API = "2025-08-01"
COMPUTE_API = "2024-07-01"
OFF_AZURE_API = "2023-06-06"
NOT_FOUND = 404

Keep = Callable[[Json], dict[str, Any]]


def whole(row: Json) -> dict[str, Any]:
    """Return all of a row."""
    return dict(row)


class VaultReader:
    """Everything that is read of one vault, its appliance and its target resource groups, in pages."""

    def __init__(self, clients: AzureClients, zone: LandingZone) -> None:
        self._clients = clients
        self._zone = zone

    async def vault_list(self, kind: str, keep: Keep = whole) -> list[dict[str, Any]]:
        """Return every row of one of the vault's collections, e.g. ``replicationFabrics``, as ``keep`` leaves it.

        Raises SetupError when the vault does not exist.
        """
        zone = self._zone
        path, doing = f"{zone.vault_id}/{kind}", f"reading {kind} of vault {zone.vault}"
        try:
            return [keep(row) async for row in self._clients.rows(path, SITE_RECOVERY_API, doing)]
        except ServiceError as error:
            if error.status != NOT_FOUND:
                raise
            raise vault_missing(zone, error.message) from error

    async def items(self) -> list[dict[str, Any]]:
        """Return the vault's protected items, of each what is read of it (``azure.rows``).

        Raises SetupError when the vault does not exist.
        """
        return await self.vault_list("replicationProtectedItems", rows.item)

    async def resource(self, identifier: str) -> dict[str, Any]:
        """Return one Site Recovery resource by its id; a single item holds more than its row in a list."""
        return await self._clients.get(identifier, SITE_RECOVERY_API)

    async def job(self, name: str) -> dict[str, Any]:
        return await self.resource(f"{self._zone.vault_id}/replicationJobs/{name}")

    async def vms(self, resource_groups: Iterable[str]) -> tuple[AzureVm, ...]:
        """Return the VMs of these resource groups; one that does not exist has none."""
        found = await together(*(self._vms_of(group) for group in resource_groups))
        return tuple(vm for group in found for vm in group)

    async def _vms_of(self, group: str) -> list[AzureVm]:
        path = f"{self._zone.resource_group_id(group)}/providers/Microsoft.Compute/virtualMachines"
        try:
            listed = self._clients.rows(path, COMPUTE_API, f"reading the VMs of resource group {group}")
            return [azure_vm(row, group) async for row in listed]
        except ServiceError as error:
            if error.status != NOT_FOUND:
                raise
            return []

    async def site(self) -> Site | None:
        """Return the names of the vault's appliance, None while it is not registered.

        A fabric's list row is sparse for a replication appliance, so the one chosen is read on its own.
        """
        zone = self._zone
        kind = "VMware" if zone.architecture is Architecture.CLASSIC else "InMageRcm"
        fabrics = [row for row in await self.vault_list("replicationFabrics") if _fabric_kind(row) == kind]
        row = chosen_fabric(fabrics, zone)
        if row is None:
            return None
        fabric = await self.resource(str(row["id"]))
        containers = await self._clients.get_all(f"{row['id']}/replicationProtectionContainers", SITE_RECOVERY_API)
        if not containers:
            return None
        return site_of(fabric, str(containers[0]["name"]), zone)

    async def sources(self, site: Site) -> tuple[Json, ...]:
        """Return the machines that the appliance knows: protectable items, or servers of its discovery site; of each
        what is read of it (``azure.rows``)."""
        if self._zone.architecture is Architecture.CLASSIC:
            container = f"replicationFabrics/{site.fabric}/replicationProtectionContainers/{site.container}"
            return tuple(await self.vault_list(f"{container}/replicationProtectableItems", rows.protectable))
        if site.server_site_id is None:
            return ()
        servers = self._clients.rows(f"{site.server_site_id}/machines", OFF_AZURE_API)
        return tuple([rows.server(row) async for row in servers])


def _fabric_kind(fabric: Json) -> str:
    return str(_custom(fabric).get("instanceType"))


def _custom(fabric: Json) -> Mapping[str, Any]:
    return (fabric.get("properties") or {}).get("customDetails") or {}


def chosen_fabric(fabrics: Sequence[Json], zone: LandingZone) -> Json | None:
    """Return the fabric of the landing zone's appliance: the only one, or the one of its name or address.

    Raises SetupError when there are several and none is the appliance's.
    """
    if len(fabrics) <= 1:
        return fabrics[0] if fabrics else None
    appliance = zone.appliance
    mine = {name.lower() for name in (appliance.name, appliance.address, appliance.fqdn) if name}
    for fabric in fabrics:
        custom = _custom(fabric)
        found = (fabric["properties"].get("friendlyName"), custom.get("hostName"), custom.get("ipAddress"))
        if mine & {str(name).lower() for name in found if name}:
            return fabric
    known = ", ".join(str(fabric["properties"].get("friendlyName")) for fabric in fabrics)
    raise SetupError(
        f"vault {zone.vault} has no fabric of appliance {appliance.name}",
        code="FabricMissing",
        cause=f"It has: {known}",
        remedy="Correct asr_landing_zone.appliance, or run the deploy_appliance playbook.",
    )


def site_of(fabric: Json, container: str, zone: LandingZone) -> Site | None:
    """Return the site of a fabric read on its own; None while its appliance has no process server yet."""
    custom = _custom(fabric)
    servers = custom.get("processServers") or []
    appliance = zone.appliance
    mine = {name.lower() for name in (appliance.name, appliance.fqdn) if name}
    named = (
        server
        for server in servers
        if {str(server.get(key) or "").lower() for key in ("name", "friendlyName", "fqdn")} & mine
    )
    server = next(named, servers[0] if servers else None)
    if server is None:
        return None
    masters = custom.get("masterTargetServers") or []
    return Site(
        fabric=str(fabric["name"]),
        container=container,
        process_server_id=str(server["id"]),
        master_target_id=str(masters[0]["id"]) if masters else None,
        run_as_accounts={
            str(account["accountName"]): str(account["accountId"]) for account in custom.get("runAsAccounts") or ()
        },
        server_site_id=custom.get("physicalSiteId"),
    )


def azure_vm(row: Json, group: str) -> AzureVm:
    """Return a VM of a list. ``running`` is False while it is made or stopped, None when the list says nothing."""
    properties = row.get("properties") or {}
    power = [
        str(status.get("code"))
        for status in (properties.get("instanceView") or {}).get("statuses") or ()
        if str(status.get("code")).startswith("PowerState/")
    ]
    made = str(properties.get("provisioningState") or "").lower()
    running = power[0] == "PowerState/running" if power else (made == "succeeded" if made else None)
    return AzureVm(
        name=str(row["name"]),
        id=str(row["id"]),
        resource_group=group,
        size=(properties.get("hardwareProfile") or {}).get("vmSize"),
        running=running,
        tags=dict(row.get("tags") or {}),
    )
