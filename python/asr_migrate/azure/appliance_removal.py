"""Taking an appliance out of its vault: only when nothing replicates through it any more.

Order by the Site Recovery documentation: protection first (not here: stop_replication, complete_migration), then the
association of policies, the policy, and the appliance itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asr_migrate.azure.appliance import ApplianceState
from asr_migrate.azure.client import AzureClients
from asr_migrate.azure.sweep import VaultReader
from asr_migrate.domain.errors import SetupError
from asr_migrate.domain.landing_zone import Architecture, LandingZone

Json = Mapping[str, Any]


async def remove(clients: AzureClients, zone: LandingZone, state: ApplianceState) -> bool:
    """Take the registered appliance out of the vault; return whether something was removed.

    Raises SetupError when machines are still protected through it, when other appliances share its fabric, or when it
    still has vCenters. Check mode notes what would be removed.
    """
    if not state.registered or not state.fabric:
        return False
    await refuse_if_used(clients, zone, state)
    if state.container:
        await _remove_mappings(clients, zone, state.fabric, state.container)
    await _remove_policy(clients, zone, state.fabric)
    await clients.finish(
        clients.site_recovery.replication_fabrics.begin_delete(zone.resource_group, zone.vault, state.fabric),
        what=f"remove the appliance {state.friendly_name}",
        why="nothing replicates through it any more",
    )
    return not clients.check_mode


async def refuse_if_used(clients: AzureClients, zone: LandingZone, state: ApplianceState) -> None:
    """Raise SetupError naming what still needs the appliance."""
    here = f"/replicationfabrics/{state.fabric}/".lower()
    rows = await VaultReader(clients, zone).vault_list("replicationProtectedItems")
    protected = sorted(_name(row) for row in rows if here in str(row["id"]).lower())
    if protected:
        raise SetupError(
            f"{len(protected)} machines are protected through the appliance {state.friendly_name}: "
            f"{', '.join(protected)}",
            code="ApplianceInUse",
            cause="Removing the appliance would stop their protection.",
            remedy="Complete their migration (complete_migration) or stop their replication (stop_replication), then "
            "run remove_appliance again.",
        )
    mine = zone.appliance
    own = {name.lower() for name in (mine.name, mine.address, mine.fqdn) if name}
    others = [server.name for server in state.process_servers if not server.answers_to(frozenset(own))]
    if others and zone.architecture is Architecture.MODERNIZED:
        raise SetupError(
            f"the vault {zone.vault} has further appliances: {', '.join(others)}",
            code="ApplianceNotAlone",
            cause="All replication appliances of a vault share one fabric, which can only be removed as a whole.",
            remedy=f"Remove only {mine.name} in the portal (Site Recovery infrastructure, appliances), or remove the "
            "others first.",
        )
    centers = await VaultReader(clients, zone).vault_list(f"replicationFabrics/{state.fabric}/replicationvCenters")
    if centers:
        raise SetupError(
            f"the appliance {state.friendly_name} still has {len(centers)} vCenters: "
            f"{', '.join(str(center['name']) for center in centers)}",
            code="ApplianceHasVCenters",
            cause="Somebody uses it for VMware machines, too.",
            remedy="Delete them in the vault (Site Recovery infrastructure), then run remove_appliance again.",
        )


def _name(row: Json) -> str:
    return str((row.get("properties") or {}).get("friendlyName") or row["name"])


async def _remove_mappings(clients: AzureClients, zone: LandingZone, fabric: str, container: str) -> None:
    operations = clients.site_recovery.replication_protection_container_mappings
    kind = f"replicationFabrics/{fabric}/replicationProtectionContainers/{container}"
    for row in await VaultReader(clients, zone).vault_list(f"{kind}/replicationProtectionContainerMappings"):
        body: dict[str, Any] = {"properties": {"providerSpecificInput": {}}}
        await clients.finish(
            operations.begin_delete(zone.resource_group, zone.vault, fabric, container, str(row["name"]), body),
            what=f"take the policy association {row['name']} away",
            why="its appliance is removed",
        )


async def _remove_policy(clients: AzureClients, zone: LandingZone, fabric: str) -> None:
    """Delete the landing zone's policy, unless another fabric's container has it."""
    rows = await VaultReader(clients, zone).vault_list("replicationProtectionContainerMappings")
    here = f"/replicationfabrics/{fabric}/".lower()
    used = [
        row
        for row in rows
        if here not in str(row["id"]).lower()
        and str((row.get("properties") or {}).get("policyId", "")).lower() == zone.policy_id.lower()
    ]
    operations = clients.site_recovery.replication_policies
    found = await clients.find(
        operations.get(zone.resource_group, zone.vault, zone.policy.name), f"reading the policy {zone.policy.name}"
    )
    if found is None or used:
        return
    await clients.finish(
        operations.begin_delete(zone.resource_group, zone.vault, zone.policy.name),
        what=f"delete the replication policy {zone.policy.name}",
        why="no appliance of the vault uses it any more",
    )
