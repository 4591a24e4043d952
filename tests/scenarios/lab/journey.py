"""One machine's way through Site Recovery, as every provider has it: what differs is data."""

from dataclasses import dataclass, field
from typing import Any

from asr_lab.arm import landing_zone

from .served import Client

GIB = 1024**3
GROUP = f"/subscriptions/{landing_zone.SUBSCRIPTION_ID}/resourceGroups/{landing_zone.RESOURCE_GROUP}"
VAULTS = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults"
PROD = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-prod"
TEST = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/vnet-test"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/{landing_zone.STORAGE_ACCOUNT}"
AZURE = "Microsoft Azure"
ITEMS = "replication_protected_items"

VAULT_LISTS = (
    "replication_fabrics",
    "replication_protection_containers",
    "replication_protection_container_mappings",
    "replication_policies",
    "replication_protected_items",
    "replication_recovery_plans",
    "replication_recovery_services_providers",
)


@dataclass
class Journey:
    """What a provider needs said. ``details`` are the provider's part of the enable request."""

    provider: str
    fabric: str
    container: str
    details: dict[str, Any]
    protectable_id: str = ""
    recovery_fabric: str = AZURE
    failover: str = "begin_unplanned_failover"
    failover_details: dict[str, Any] = field(default_factory=dict)
    test_network: str = TEST
    policy_id: str = ""
    removal_reason: str = "MigrationComplete"
    item: str = "machine-1"

    @property
    def place(self) -> tuple[str, str, str]:
        """Return where the protected item is: fabric, container, item."""
        return self.fabric, self.container, self.item


async def make_vault(azure: Client) -> str:
    """Create the vault, see that it is empty, and return its id."""
    body = {
        "location": landing_zone.LOCATION,
        "sku": {"name": "Standard"},
        "properties": {"publicNetworkAccess": "Enabled"},
    }
    vault = await azure.vaults("begin_create_or_update", azure.vault, body)
    assert vault.properties.provisioning_state == "Succeeded"
    await assert_empty(azure)
    return f"{VAULTS}/{azure.vault}"


async def make_policy(azure: Client, settings: dict[str, Any], name: str = "policy-1") -> str:
    """Create a replication policy and return its id."""
    policy = await azure.do(
        "replication_policies.begin_create", name, {"properties": {"providerSpecificInput": settings}}
    )
    assert policy.properties.provider_specific_details["instanceType"] == settings["instanceType"]
    return str(policy.id)


async def associate(azure: Client, fabric: str, container: str, policy: str, **more: Any) -> None:
    """Map a container to its target with a policy."""
    properties = {"policyId": policy, "targetProtectionContainerId": AZURE, **more}
    made = await azure.do(
        "replication_protection_container_mappings.begin_create",
        fabric,
        container,
        "mapping-1",
        {"properties": properties},
    )
    assert made.properties.health == "Normal"


async def protect(azure: Client, way: Journey) -> Any:
    """Enable replication and wait until the machine is protected; return the protected item."""
    properties = {
        "policyId": way.policy_id,
        "protectableItemId": way.protectable_id,
        "providerSpecificDetails": {"instanceType": way.provider, **way.details},
    }
    if not way.protectable_id:
        del properties["protectableItemId"]
    await azure.do(f"{ITEMS}.begin_create", *way.place, {"properties": properties})
    item = await azure.until(
        f"{ITEMS}.get",
        *way.place,
        fits=lambda found: (
            found.properties.protection_state == "Protected" and "TestFailover" in found.properties.allowed_operations
        ),
    )
    listed = await azure.do(f"{ITEMS}.list")
    assert [one.name for one in listed] == [way.item]
    return item


async def move(azure: Client, way: Journey) -> None:
    """Test the failover, clean up, fail over, commit and complete the migration of a protected machine."""
    tested = await azure.do(
        f"{ITEMS}.begin_test_failover",
        *way.place,
        {
            "properties": {
                "failoverDirection": "PrimaryToRecovery",
                "networkType": "VmNetworkAsInput",
                "networkId": way.test_network,
                "providerSpecificDetails": {"instanceType": way.provider},
            }
        },
    )
    assert "TestFailoverCleanup" in tested.properties.allowed_operations
    cleaned = await azure.do(
        f"{ITEMS}.begin_test_failover_cleanup", *way.place, {"properties": {"comments": "it works"}}
    )
    assert cleaned.properties.test_failover_state == "MarkedForDeletion"
    over = await azure.do(
        f"{ITEMS}.{way.failover}",
        *way.place,
        {
            "properties": {
                "failoverDirection": "PrimaryToRecovery",
                "providerSpecificDetails": {"instanceType": way.provider, **way.failover_details},
            }
        },
    )
    assert over.properties.active_location == "Recovery"
    committed = await azure.do(f"{ITEMS}.begin_failover_commit", *way.place)
    assert "Commit" not in committed.properties.allowed_operations
    await remove(azure, way)


async def remove(azure: Client, way: Journey) -> None:
    """Take the machine out of Site Recovery."""
    body = {"properties": {"disableProtectionReason": way.removal_reason}}
    await azure.do(f"{ITEMS}.begin_delete", *way.place, body)
    assert await azure.do(f"{ITEMS}.list") == []


async def make_and_remove_plan(azure: Client, way: Journey, item: Any) -> None:
    """Create a recovery plan of the one machine, look at it and remove it."""
    vault = f"{VAULTS}/{azure.vault}"
    recovery = (
        way.recovery_fabric if way.recovery_fabric == AZURE else f"{vault}/replicationFabrics/{way.recovery_fabric}"
    )
    plan = await azure.do(
        "replication_recovery_plans.begin_create",
        "plan-1",
        {
            "properties": {
                "primaryFabricId": f"{vault}/replicationFabrics/{way.fabric}",
                "recoveryFabricId": recovery,
                "failoverDeploymentModel": "ResourceManager",
                "groups": [
                    {
                        "groupType": "Boot",
                        "replicationProtectedItems": [{"id": item.id}],
                        "startGroupActions": [],
                        "endGroupActions": [],
                    }
                ],
            }
        },
    )
    boot = [group for group in plan.properties.groups if group.group_type == "Boot"]
    assert [one.id.casefold() for group in boot for one in group.replication_protected_items] == [item.id.casefold()]
    await azure.do("replication_recovery_plans.begin_delete", "plan-1")


async def dissolve(azure: Client, *containers: tuple[str, str], policy: str = "policy-1") -> None:
    """Remove the mappings of these containers, and the policy."""
    for fabric, container in containers:
        await azure.do(
            "replication_protection_container_mappings.begin_delete", fabric, container, "mapping-1", {"properties": {}}
        )
    await azure.do("replication_policies.begin_delete", policy)


async def delete_vault(azure: Client) -> None:
    """See that the vault is empty, and delete it."""
    await assert_empty(azure)
    await azure.vaults("begin_delete", azure.vault)
    assert await azure.vaults("list_by_resource_group") == []


async def assert_empty(azure: Client) -> None:
    """Every list of the vault is empty."""
    assert {name: await azure.do(f"{name}.list") for name in VAULT_LISTS} == {name: [] for name in VAULT_LISTS}
