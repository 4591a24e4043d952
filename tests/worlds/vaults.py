"""What playbooks leave behind in a vault before a wave: an appliance that knows the sources, a policy, its mapping."""

from collections.abc import Iterable
from typing import Any

from asr_lab.arm import landing_zone
from asr_lab.arm.estate import HostDescription
from asr_lab.arm.providers.model import VMWARE_FABRIC, ApplianceServer, Fabric
from asr_lab.arm.site_recovery import (
    add_fabric,
    world_add_physical_server,
    world_register_appliance,
    world_register_mobility,
)
from asr_lab.arm.wire import Request
from asr_lab.arm.world import World
from asr_lab.clock import VirtualClock

from .zones import APPLIANCE

SERVICE_VERSION = "2025-08-01"
VAULT_VERSION = "2026-11-01"
PASSPHRASE = "a passphrase of the test"

POLICIES: dict[str, dict[str, Any]] = {
    "classic": {
        "instanceType": "InMageAzureV2",
        "recoveryPointThresholdInMinutes": 60,
        "recoveryPointHistory": 1440,
        "crashConsistentFrequencyInMinutes": 5,
        "appConsistentFrequencyInMinutes": 0,
        "multiVmSyncStatus": "Disable",
    },
    "modernized": {
        "instanceType": "InMageRcm",
        "recoveryPointHistoryInMinutes": 1440,
        "crashConsistentFrequencyInMinutes": 5,
        "appConsistentFrequencyInMinutes": 0,
        "enableMultiVmSync": "false",
    },
}
"""What a policy asks for, by architecture."""


def vault_body() -> dict[str, Any]:
    """Return what makes a vault."""
    return {"location": landing_zone.LOCATION, "sku": {"name": "Standard"}, "properties": {}}


def policy_body(architecture: str) -> dict[str, Any]:
    """Return what makes a policy."""
    return {"properties": {"providerSpecificInput": dict(POLICIES[architecture])}}


def mapping_body(policy: str, **more: Any) -> dict[str, Any]:
    """Return what associates a container with the policy of this id."""
    return {"properties": {"targetProtectionContainerId": "Microsoft Azure", "policyId": policy, **more}}


def registration_file(vault: str, certificate: str, *, site: tuple[str, str] | None = None) -> bytes:
    """Return the file that opens the vault to a server; ``site`` is id and name of a Hyper-V site."""
    of_site = "" if site is None else f"<SiteId>{site[0]}</SiteId><SiteName>{site[1]}</SiteName>"
    return (
        '<RSVaultAsrCreds xmlns="http://schemas.datacontract.org/2004/07/Portal"><VaultDetails>'
        f"<SubscriptionId>{landing_zone.SUBSCRIPTION_ID}</SubscriptionId>"
        f"<ResourceGroup>{landing_zone.RESOURCE_GROUP}</ResourceGroup>"
        f"<ResourceName>{vault}</ResourceName></VaultDetails><ManagementCert>{certificate}</ManagementCert>"
        f"<Version>2.0</Version><ChannelIntegrityKey>aW50ZWdyaXR5</ChannelIntegrityKey>{of_site}</RSVaultAsrCreds>"
    ).encode()


def prepare(world: World, clock: VirtualClock, vault: str, architecture: str, sources: Iterable[str]) -> str:
    """Make the vault of this id and all that is to be there before its first machine replicates.

    The world's hosts describe the appliance and the ``sources``, which are addresses. Return the id of the container.
    Raises RuntimeError where the lab refuses a request, LookupError where the world lacks a machine.
    """
    _put(world, clock, vault, vault_body(), VAULT_VERSION)
    register = _configuration_server if architecture == "classic" else _replication_appliance
    container = register(world, clock, vault, list(sources))
    policy = f"{vault}/replicationPolicies/policy"
    _put(world, clock, policy, policy_body(architecture))
    _put(world, clock, f"{container}/replicationProtectionContainerMappings/mapping", mapping_body(policy))
    return container


def _put(world: World, clock: VirtualClock, path: str, body: Any, version: str = SERVICE_VERSION) -> None:
    response = world.handle(Request("PUT", path, {"api-version": version}, {}, body), clock.now())
    if response.status >= 300:
        raise RuntimeError(f"the lab refused PUT {path} with {response.status}: {response.body}")
    clock.advance(120)


def _host(world: World, address: str) -> HostDescription:
    found = world.hosts.describe(address)
    if found is None:
        raise LookupError(f"the world has no machine at {address}; give it one before the vault is prepared")
    return found


def _replication_appliance(world: World, clock: VirtualClock, vault: str, sources: list[str]) -> str:
    now = clock.now()
    fabric = world_register_appliance(world, vault_id=vault, host=_host(world, APPLIANCE), now=now)
    for address in sources:
        world_add_physical_server(
            world, vault_id=vault, address=address, account="root", credential_type="LinuxServer", now=now
        )
    clock.advance(600)
    return f"{fabric}/replicationProtectionContainers/{vault.rpartition('/')[2]}-replicationcontainer"


def _configuration_server(world: World, clock: VirtualClock, vault: str, sources: list[str]) -> str:
    now, guid = clock.now(), "5C12EBF4-F86C-4247-BBD948182F762D3B"
    fabric = Fabric(
        id=f"{vault}/replicationFabrics/{'a' * 64}",
        name="a" * 64,
        kind=VMWARE_FABRIC,
        friendly_name="appliance",
        internal_id=world.guid(),
        vault_id=vault,
        location=landing_zone.LOCATION,
        servers=[ApplianceServer(guid, "appliance", _host(world, APPLIANCE), "9.59")],
        registered=now,
        passphrase=PASSPHRASE,
        accounts={"1": "migration"},
    )
    container = add_fabric(world, fabric, container=f"cloud_{fabric.internal_id}", container_text="appliance")
    for address in sources:
        world_register_mobility(
            world, server_address=APPLIANCE, passphrase=PASSPHRASE, host=_host(world, address), now=now
        )
    return container.id
