"""Landing zones as inventories describe them, and the ids of what the lab's own one holds."""

from typing import Any

from asr_lab.arm import landing_zone

SUB = landing_zone.SUBSCRIPTION_ID
GROUP = f"/subscriptions/{SUB}/resourceGroups/{landing_zone.RESOURCE_GROUP}"
PROD = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-prod"
TEST = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-test"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{landing_zone.STORAGE_ACCOUNT}"
APPLIANCE = "10.20.0.20"


def vault_id(name: str) -> str:
    """Return the id of a vault of the lab's resource group."""
    return f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/{name}"


def lab_zone(**changes: Any) -> dict[str, Any]:
    """Return the landing zone that the lab is seeded with, with a vault and an appliance that are still to be made."""
    return {
        "subscription_id": SUB,
        "tenant_id": landing_zone.TENANT_ID,
        "location": landing_zone.LOCATION,
        "resource_group": landing_zone.RESOURCE_GROUP,
        "vault": "vault-a",
        "network": "vnet-prod",
        "subnet": "apps",
        "test_network": "vnet-test",
        "test_subnet": "apps",
        "cache_storage_account": landing_zone.STORAGE_ACCOUNT,
        "policy": {"name": "policy"},
        "appliance": {"name": "appliance", "address": APPLIANCE},
        **changes,
    }


def short_zone(**changes: Any) -> dict[str, Any]:
    """Return a landing zone that is nowhere, its names so short that ids can be written in full."""
    return {
        "subscription_id": "s",
        "tenant_id": "t",
        "location": "westeurope",
        "resource_group": "rg",
        "vault": "v",
        "network": "n",
        "subnet": "a",
        "test_network": "tn",
        "test_subnet": "a",
        "cache_storage_account": "c",
        "policy": {"name": "p"},
        "appliance": {"name": "appliance", "address": "10.0.0.1"},
        **changes,
    }
