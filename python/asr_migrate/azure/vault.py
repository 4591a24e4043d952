"""The Recovery Services vault: made when absent, never changed when it is there."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from typing import Any

from azure.mgmt.recoveryservices import models

from asr_migrate.azure.client import AzureClients
from asr_migrate.azure.outcome import made_or_found
from asr_migrate.domain.errors import DeadlineError, ServiceError, SetupError
from asr_migrate.domain.landing_zone import LandingZone

POLL_S = 15.0
PROVISIONING_TIMEOUT_S = 900.0
INTEGRITY_KEY_BYTES = 16
NO_ALGORITHM = "None"
NO_EXTENDED_INFO = "ResourceExtendedInfoNotFound"
FAILED_STATES = ("failed", "deleting")


@dataclass(frozen=True)
class Vault:
    """One vault as it was read. ``private_endpoint_state`` is ``None``, ``Enabled``... as the service writes it."""

    id: str
    name: str
    location: str
    provisioning_state: str
    private_endpoint_state: str

    @classmethod
    def of(cls, wire: Any) -> Vault:
        """Return the SDK's vault as ours."""
        body = wire.as_dict()
        properties = body.get("properties") or {}
        return cls(
            id=body["id"],
            name=body["name"],
            location=body["location"],
            provisioning_state=properties.get("provisioningState") or "Succeeded",
            private_endpoint_state=properties.get("privateEndpointStateForSiteRecovery") or "None",
        )

    def as_dict(self) -> dict[str, str]:
        """Return what a task's result shows."""
        return {
            "id": self.id,
            "name": self.name,
            "location": self.location,
            "provisioning_state": self.provisioning_state,
        }


def same_region(one: str, other: str) -> bool:
    """Whether two ways to write a region mean the same: ``West Europe`` is ``westeurope``."""
    return one.replace(" ", "").lower() == other.replace(" ", "").lower()


def body(zone: LandingZone) -> dict[str, Any]:
    """Return the body that makes the vault. Source: recorded exchange of the Azure CLI."""
    return {
        "location": zone.location,
        "sku": {"name": "Standard"},
        "properties": {
            "publicNetworkAccess": "Enabled",
            "monitoringSettings": {
                "azureMonitorAlertSettings": {"alertsForAllJobFailures": "Enabled"},
                "classicAlertSettings": {"alertsForCriticalOperations": "Enabled"},
            },
        },
    }


async def find(clients: AzureClients, zone: LandingZone) -> Vault | None:
    """Return the landing zone's vault, or None when there is none of this name."""
    wire = await clients.find(
        clients.vaults.vaults.get(zone.resource_group, zone.vault), f"reading the vault {zone.vault}"
    )
    return None if wire is None else Vault.of(wire)


async def ensure(clients: AzureClients, zone: LandingZone) -> tuple[Vault | None, bool]:
    """Return the vault, provisioned, and whether it was made now; ``(None, False)`` when check mode would make it.

    A request whose answer leaves open if it was taken is looked up, not sent again. Raises SetupError when a vault of
    this name is in another region or its provisioning failed, DeadlineError when it is not provisioned in 15 minutes.
    """
    found = await find(clients, zone)
    if found is not None:
        _check_region(found, zone)
        return await _provisioned(clients, zone, found), False
    made = await made_or_found(clients.clock, _make(clients, zone), lambda: find(clients, zone))
    if made is None:
        return None, False
    return await _provisioned(clients, zone, made), True


async def _make(clients: AzureClients, zone: LandingZone) -> Vault | None:
    wire = await clients.finish(
        clients.vaults.vaults.begin_create_or_update(zone.resource_group, zone.vault, models.Vault(body(zone))),
        what=f"create the vault {zone.vault} in {zone.location}",
        why=f"resource group {zone.resource_group} has no vault of this name",
    )
    return None if wire is None else Vault.of(wire)


async def known_integrity_key(clients: AzureClients, zone: LandingZone) -> str | None:
    """Return the vault's channel integrity key, or None when it has none.

    Raises SetupError when the key is encrypted: only a plain one (algorithm ``None``) may go into a registration key.
    Source: the registration file that Azure PowerShell writes.
    """
    doing = f"reading the integrity key of the vault {zone.vault}"
    try:
        wire = await clients.find(clients.vaults.vault_extended_info.get(zone.resource_group, zone.vault), doing)
    except ServiceError as error:
        if error.code != NO_EXTENDED_INFO:
            raise
        return None
    return None if wire is None else _plain_key(wire, zone)


async def integrity_key(clients: AzureClients, zone: LandingZone) -> str | None:
    """Return the vault's channel integrity key, putting a fresh random one when there is none; None in check mode.

    Raises SetupError as ``known_integrity_key``.
    """
    known = await known_integrity_key(clients, zone)
    if known is not None:
        return known
    return await made_or_found(clients.clock, _put_key(clients, zone), lambda: known_integrity_key(clients, zone))


async def _put_key(clients: AzureClients, zone: LandingZone) -> str | None:
    fresh = base64.b64encode(secrets.token_bytes(INTEGRITY_KEY_BYTES)).decode()
    wire = await clients.send(
        clients.vaults.vault_extended_info.create_or_update(
            zone.resource_group,
            zone.vault,
            models.VaultExtendedInfoResource({"properties": {"integrityKey": fresh, "algorithm": NO_ALGORITHM}}),
        ),
        what=f"put an integrity key on the vault {zone.vault}",
        why="a registration key needs one and the vault has none",
    )
    return None if wire is None else _plain_key(wire, zone)


def _plain_key(wire: Any, zone: LandingZone) -> str:
    properties = wire.as_dict().get("properties") or {}
    if (properties.get("algorithm") or NO_ALGORITHM) != NO_ALGORITHM:
        raise SetupError(
            f"vault {zone.vault}: its integrity key is encrypted ({properties['algorithm']})",
            code="IntegrityKeyEncrypted",
            cause="Another client stored the key with an algorithm of its own",
            remedy="Download the registration key in the portal and give its path as asr_appliance.registration_key.",
        )
    return str(properties["integrityKey"])


def _check_region(found: Vault, zone: LandingZone) -> None:
    if same_region(found.location, zone.location):
        return
    raise SetupError(
        f"vault {zone.vault} is in {found.location}, asr_landing_zone.location is {zone.location}",
        code="VaultInOtherRegion",
        cause="A vault cannot move and must be in the region that the machines go to",
        remedy="Correct asr_landing_zone.location, or give asr_landing_zone.vault another name.",
    )


async def _provisioned(clients: AzureClients, zone: LandingZone, vault: Vault) -> Vault:
    deadline_s = clients.clock.monotonic() + PROVISIONING_TIMEOUT_S
    while vault.provisioning_state != "Succeeded":
        if vault.provisioning_state.lower() in FAILED_STATES:
            raise SetupError(
                f"vault {zone.vault}: provisioning state is {vault.provisioning_state}",
                code="VaultNotProvisioned",
                cause="Azure could not make the vault, or somebody is deleting it",
                remedy="Look at the vault's activity log; delete the vault when it is empty and run again.",
            )
        if clients.clock.monotonic() > deadline_s:
            raise DeadlineError(
                f"vault {zone.vault} is still {vault.provisioning_state} after {PROVISIONING_TIMEOUT_S:.0f} s",
                code="VaultNotProvisioned",
                remedy="Run prepare_landing_zone again; it goes on waiting.",
            )
        await clients.clock.sleep(POLL_S)
        vault = await find(clients, zone) or vault
    return vault
