"""The replication policy of a landing zone and its association with the appliance's container.

Nothing that exists is changed: a policy with other settings is refused, because a service job would fail on it (15035)
and because other machines may already replicate by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asr_migrate.azure.client import AzureClients
from asr_migrate.azure.outcome import made_or_found
from asr_migrate.azure.sweep import SITE_RECOVERY_API
from asr_migrate.domain.errors import SetupError
from asr_migrate.domain.landing_zone import Architecture, LandingZone, PolicySettings

TO_AZURE = "Microsoft Azure"
PAIRED = "Paired"


@dataclass(frozen=True)
class Setting:
    """One setting of a policy: the option's name, its name and value on the wire, and the value read back."""

    option: str
    key: str
    sent: Any
    read: Any


def settings(policy: PolicySettings, architecture: Architecture) -> tuple[Setting, ...]:
    """Return a policy as the provider of ``architecture`` writes it. Durations are minutes.

    InMageAzureV2 reads ``multiVmSyncStatus`` back as Enabled/Disabled; InMageRcm keeps no threshold for the recovery
    point objective. Source: recorded exchanges of both providers.
    """
    sync = policy.multi_vm_sync
    retention, application, crash = (
        policy.recovery_point_retention_min,
        policy.app_consistent_min,
        policy.crash_consistent_min,
    )
    common = (
        Setting("app_consistent_min", "appConsistentFrequencyInMinutes", application, application),
        Setting("crash_consistent_min", "crashConsistentFrequencyInMinutes", crash, crash),
    )
    if architecture is Architecture.MODERNIZED:
        flag = "true" if sync else "false"
        return (
            Setting("recovery_point_retention_min", "recoveryPointHistoryInMinutes", retention, retention),
            *common,
            Setting("multi_vm_sync", "enableMultiVmSync", flag, flag),
        )
    threshold = policy.rpo_threshold_min
    return (
        Setting("recovery_point_retention_min", "recoveryPointHistory", retention, retention),
        *common,
        Setting("rpo_threshold_min", "recoveryPointThresholdInMinutes", threshold, threshold),
        Setting(
            "multi_vm_sync",
            "multiVmSyncStatus",
            "Enable" if sync else "Disable",
            "Enabled" if sync else "Disabled",
        ),
    )


def policy_body(zone: LandingZone) -> dict[str, Any]:
    """Return the body that makes the landing zone's policy."""
    sent = {setting.key: setting.sent for setting in settings(zone.policy, zone.architecture)}
    return {"properties": {"providerSpecificInput": {"instanceType": zone.architecture.provider, **sent}}}


def check(zone: LandingZone, details: Mapping[str, Any]) -> None:
    """Raise SetupError naming every setting in which an existing policy differs from the landing zone's.

    ``details`` is the policy's ``providerSpecificDetails``.
    """
    kind = details.get("instanceType")
    if kind != zone.architecture.provider:
        raise _differs(zone, [f"it is for {kind}, the landing zone needs {zone.architecture.provider}"])
    differences = [
        f"{setting.option} is {details.get(setting.key)}, the landing zone asks for {setting.read}"
        for setting in settings(zone.policy, zone.architecture)
        if str(details.get(setting.key)).lower() != str(setting.read).lower()
    ]
    if differences:
        raise _differs(zone, differences)


def _differs(zone: LandingZone, differences: list[str]) -> SetupError:
    return SetupError(
        f"policy {zone.policy.name} of vault {zone.vault} has other settings: {'; '.join(differences)}",
        code="PolicyDiffers",
        cause="Somebody made a policy of this name with other settings; machines may already replicate by it",
        remedy="Give asr_landing_zone.policy another name, or set the values that the policy has.",
    )


async def ensure_policy(clients: AzureClients, zone: LandingZone) -> bool:
    """Make the policy when the vault has none of its name; return whether it was made.

    A request whose answer leaves open if it was taken is looked up, not sent again. Raises SetupError when the policy
    exists with other settings, ServiceError when the service refuses the values.
    """
    operations = clients.site_recovery.replication_policies

    async def find() -> Any:
        read = operations.get(zone.resource_group, zone.vault, zone.policy.name)
        found = await clients.find(read, f"reading the policy {zone.policy.name}")
        if found is not None:
            check(zone, (found.as_dict().get("properties") or {}).get("providerSpecificDetails") or {})
        return found

    if await find() is not None:
        return False
    made = await made_or_found(
        clients.clock,
        clients.finish(
            operations.begin_create(zone.resource_group, zone.vault, zone.policy.name, policy_body(zone)),
            what=f"create the replication policy {zone.policy.name}",
            why=f"vault {zone.vault} has no policy of this name",
        ),
        find,
    )
    return made is not None


def mapping_body(zone: LandingZone) -> dict[str, Any]:
    """Return the body that associates the policy with a container. Source: recorded exchanges of both providers."""
    details = (
        {"instanceType": "InMageRcm", "enableAgentAutoUpgrade": "true"}
        if zone.architecture is Architecture.MODERNIZED
        else {"instanceType": "ReplicationProviderSpecificContainerMappingInput"}
    )
    return {
        "properties": {
            "targetProtectionContainerId": TO_AZURE,
            "policyId": zone.policy_id,
            "providerSpecificInput": details,
        }
    }


def mapping_name(zone: LandingZone) -> str:
    """Return the name under which the policy is associated with a container."""
    return f"{zone.policy.name}-mapping"


def plan_mapping(clients: AzureClients, zone: LandingZone) -> None:
    """Note the association that check mode cannot try, because there is no container before the registration."""
    clients.plan(
        "PUT",
        f"replicationProtectionContainerMappings/{mapping_name(zone)}",
        what=f"associate the policy {zone.policy.name} with the container of the appliance {zone.appliance.name}",
        why="a container that is new has no association",
    )


async def ensure_mapping(clients: AzureClients, zone: LandingZone, fabric: str, container: str) -> bool:
    """Associate the policy with the container when it is not; return whether it was done now.

    A request whose answer leaves open if it was taken is looked up, not sent again. Raises SetupError when the
    association exists and is not in force.
    """
    operations = clients.site_recovery.replication_protection_container_mappings
    name = mapping_name(zone)

    async def state() -> str | None:
        kept = f"{zone.vault_id}/replicationFabrics/{fabric}/replicationProtectionContainers/{container}"
        path = f"{kept}/replicationProtectionContainerMappings"
        rows = await clients.get_all(path, SITE_RECOVERY_API, f"reading the policies of the container {container}")
        mine = (row.get("properties") or {} for row in rows)
        return next((str(own.get("state")) for own in mine if _is_of(own, zone)), None)

    async def paired() -> Any:
        return PAIRED if await state() == PAIRED else None

    found = await state()
    if found is not None:
        if found == PAIRED:
            return False
        raise SetupError(
            f"policy {zone.policy.name} is associated with container {container} but its state is {found}",
            code="PolicyNotPaired",
            cause="The association failed or is being removed",
            remedy="Remove the association in the vault (Site Recovery infrastructure), then run again.",
        )
    made = await made_or_found(
        clients.clock,
        clients.finish(
            operations.begin_create(zone.resource_group, zone.vault, fabric, container, name, mapping_body(zone)),
            what=f"associate the policy {zone.policy.name} with the container {container}",
            why="the container has no association with this policy",
        ),
        paired,
    )
    return made is not None


def _is_of(mapping: Mapping[str, Any], zone: LandingZone) -> bool:
    return str(mapping.get("policyId", "")).lower() == zone.policy_id.lower()
