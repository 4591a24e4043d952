"""Is everything in Azure there, and where it has to be, before anything is made? Every problem is found at once.

Networks and storage accounts are the user's own: they are looked at, never made.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from asr_migrate.azure.client import AzureClients
from asr_migrate.azure.sweep import NOT_FOUND, VaultReader
from asr_migrate.azure.together import together
from asr_migrate.azure.vault import same_region
from asr_migrate.domain.errors import ServiceError, SetupError
from asr_migrate.domain.landing_zone import Architecture, LandingZone
from asr_migrate.domain.readiness_rule import Finding, Severity

Json = Mapping[str, Any]

SUBSCRIPTION_API = "2022-12-01"
GENERAL_PURPOSE = ("storage", "storagev2")
NO_PREMIUM = ("centralindia", "southindia")
DOCUMENTATION = "Site Recovery documentation"


@dataclass(frozen=True)
class Seen:
    """What is there, as Azure tells it; None is what does not exist. ``fabrics`` are those of the vault."""

    subscription: Json | None = None
    resource_group: Json | None = None
    network: Json | None = None
    test_network: Json | None = None
    storage_account: Json | None = None
    vault: Json | None = None
    fabrics: tuple[Json, ...] = ()

    def fabric_kinds(self) -> tuple[str, ...]:
        """Return the instance type of each fabric."""
        return tuple(
            str(((fabric.get("properties") or {}).get("customDetails") or {}).get("instanceType"))
            for fabric in self.fabrics
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what a task's result shows: of each thing its id and region, or None."""
        things = {
            "subscription": self.subscription,
            "resource_group": self.resource_group,
            "network": self.network,
            "test_network": self.test_network,
            "cache_storage_account": self.storage_account,
            "vault": self.vault,
        }
        shown: dict[str, Any] = {
            name: None if thing is None else {"id": thing.get("id"), "location": thing.get("location")}
            for name, thing in things.items()
        }
        shown["fabrics"] = [
            {"name": fabric["name"], "kind": kind}
            for fabric, kind in zip(self.fabrics, self.fabric_kinds(), strict=True)
        ]
        return shown


async def read(clients: AzureClients, zone: LandingZone) -> Seen:
    """Return what is there of the landing zone.

    Raises ServiceError when Azure does not answer or does not allow to look.
    """
    group, _, network = zone.network.rpartition("/")
    test_group, _, test_network = zone.test_network.rpartition("/")
    resource_group, vnet, test_vnet, storage, vault = await together(
        _thing(
            clients,
            clients.resources.resource_groups.get(zone.resource_group),
            f"reading the resource group {zone.resource_group}",
        ),
        _thing(
            clients,
            clients.network.virtual_networks.get(group or zone.resource_group, network),
            f"reading the virtual network {zone.network}",
        ),
        _thing(
            clients,
            clients.network.virtual_networks.get(test_group or zone.resource_group, test_network),
            f"reading the virtual network {zone.test_network}",
        ),
        _thing(
            clients,
            clients.storage.storage_accounts.get_properties(zone.resource_group, zone.cache_storage_account),
            f"reading the storage account {zone.cache_storage_account}",
        ),
        _thing(clients, clients.vaults.vaults.get(zone.resource_group, zone.vault), f"reading the vault {zone.vault}"),
    )
    subscription, fabrics = await together(_subscription(clients, zone), _fabrics(clients, zone))
    return Seen(subscription, resource_group, vnet, test_vnet, storage, vault, fabrics)


async def _thing(clients: AzureClients, call: Awaitable[Any], doing: str) -> Json | None:
    found = await clients.find(call, doing)
    return None if found is None else dict(found.as_dict())


async def _subscription(clients: AzureClients, zone: LandingZone) -> Json | None:
    try:
        return await clients.get(
            f"/subscriptions/{zone.subscription_id}", SUBSCRIPTION_API, f"reading subscription {zone.subscription_id}"
        )
    except ServiceError as error:
        if error.status != NOT_FOUND:
            raise
        return None


async def _fabrics(clients: AzureClients, zone: LandingZone) -> tuple[Json, ...]:
    try:
        return tuple(await VaultReader(clients, zone).vault_list("replicationFabrics"))
    except SetupError as error:
        if error.code != "VaultMissing":
            raise
        return ()


@dataclass(frozen=True)
class Rule:
    """One demand. ``problem`` says what is wrong, or returns None; ``remedy`` and ``source`` are for people."""

    id: str
    severity: Severity
    problem: Callable[[LandingZone, Seen], str | None]
    remedy: str
    source: str = DOCUMENTATION


def check(zone: LandingZone, seen: Seen) -> tuple[Finding, ...]:
    """Return everything that is wrong, blockers first."""
    found = [
        Finding(rule.id, rule.severity, problem, rule.remedy, rule.source)
        for rule in RULES
        if (problem := rule.problem(zone, seen))
    ]
    return tuple(sorted(found, key=lambda finding: finding.severity is not Severity.BLOCKER))


def _elsewhere(zone: LandingZone, thing: Json | None, called: str) -> str | None:
    if thing is None or same_region(str(thing.get("location")), zone.location):
        return None
    return f"{called} is in {thing.get('location')}, the vault and the machines go to {zone.location}"


def _no_subnet(network: Json | None, name: str, called: str) -> str | None:
    if network is None:
        return None
    rows = (network.get("properties") or {}).get("subnets") or network.get("subnets") or ()
    names = [str(row.get("name")) for row in rows]
    if name.lower() in (known.lower() for known in names):
        return None
    return f"{called} has no subnet {name}; it has {', '.join(names) or 'none'}"


def _subscription_problem(zone: LandingZone, seen: Seen) -> str | None:
    if seen.subscription is None:
        return f"subscription {zone.subscription_id} does not exist or is not visible to this sign-in"
    state = str(seen.subscription.get("state", "Enabled"))
    return None if state in ("Enabled", "PastDue", "Warned") else f"subscription {zone.subscription_id} is {state}"


def _storage_kind(zone: LandingZone, seen: Seen) -> str | None:
    kind = str((seen.storage_account or {}).get("kind", "StorageV2"))
    if kind.lower() in GENERAL_PURPOSE:
        return None
    return (
        f"storage account {zone.cache_storage_account} is of kind {kind}; replication logs need a general purpose one"
    )


def _premium(seen: Seen) -> bool:
    sku = (seen.storage_account or {}).get("sku") or {}
    return str(sku.get("name", "")).lower().startswith("premium")


def _storage_premium(zone: LandingZone, seen: Seen) -> str | None:
    if not _premium(seen):
        return None
    where = zone.location.replace(" ", "").lower()
    extra = f", and {zone.location} takes no replication to premium accounts at all" if where in NO_PREMIUM else ""
    return f"storage account {zone.cache_storage_account} is premium; replication logs need a standard account{extra}"


def _hierarchical(zone: LandingZone, seen: Seen) -> str | None:
    properties = (seen.storage_account or {}).get("properties") or {}
    if not properties.get("isHnsEnabled"):
        return None
    return (
        f"storage account {zone.cache_storage_account} has a hierarchical namespace, which cannot hold replication logs"
    )


def _classic_gate(zone: LandingZone, seen: Seen) -> str | None:
    if zone.architecture is not Architecture.CLASSIC or zone.classic_acknowledged or "VMware" in seen.fabric_kinds():
        return None
    return (
        f"the classic architecture was retired on 30 March 2026 and vault {zone.vault} holds no configuration server; "
        "Microsoft takes no new ones"
    )


def _classic_warning(zone: LandingZone, seen: Seen) -> str | None:
    if zone.architecture is not Architecture.CLASSIC or _classic_gate(zone, seen):
        return None
    return "the classic architecture was retired on 30 March 2026; Microsoft neither repairs nor supports it"


def _mixed_vault(zone: LandingZone, seen: Seen) -> str | None:
    if zone.architecture is not Architecture.MODERNIZED or "VMware" not in seen.fabric_kinds():
        return None
    return f"vault {zone.vault} already holds a configuration server; a replication appliance wants a vault of its own"


def _same_network(zone: LandingZone, _seen: Seen) -> str | None:
    if zone.network_id().lower() != zone.network_id(zone.test_network).lower():
        return None
    return (
        f"test failovers go to the production network {zone.network}; a test machine would answer beside its original"
    )


def _missing(thing: Json | None, sentence: str) -> str | None:
    return None if thing is not None else sentence


BLOCKER, WARNING = Severity.BLOCKER, Severity.WARNING
SAME_REGION = "Use one in the vault's region, or correct asr_landing_zone.location; neither can be moved."
RULES: tuple[Rule, ...] = (
    Rule(
        "zone.subscription",
        BLOCKER,
        _subscription_problem,
        "Correct asr_landing_zone.subscription_id, or give this sign-in a role in the subscription.",
    ),
    Rule(
        "zone.resource-group",
        BLOCKER,
        lambda zone, seen: _missing(seen.resource_group, f"resource group {zone.resource_group} does not exist"),
        "Make the resource group (az group create), or correct asr_landing_zone.resource_group.",
    ),
    Rule(
        "zone.network",
        BLOCKER,
        lambda zone, seen: _missing(seen.network, f"virtual network {zone.network} does not exist"),
        "Make the network and its subnet, or correct asr_landing_zone.network (resource-group/network if it is in "
        "another group).",
    ),
    Rule(
        "zone.network-region",
        BLOCKER,
        lambda zone, seen: _elsewhere(zone, seen.network, f"virtual network {zone.network}"),
        SAME_REGION,
    ),
    Rule(
        "zone.subnet",
        BLOCKER,
        lambda zone, seen: _no_subnet(seen.network, zone.subnet, f"virtual network {zone.network}"),
        "Make the subnet, or correct asr_landing_zone.subnet.",
    ),
    Rule(
        "zone.test-network",
        BLOCKER,
        lambda zone, seen: _missing(seen.test_network, f"test network {zone.test_network} does not exist"),
        "Make a network that is connected to nothing, or correct asr_landing_zone.test_network.",
    ),
    Rule(
        "zone.test-network-region",
        BLOCKER,
        lambda zone, seen: _elsewhere(zone, seen.test_network, f"test network {zone.test_network}"),
        SAME_REGION,
    ),
    Rule(
        "zone.test-subnet",
        BLOCKER,
        lambda zone, seen: _no_subnet(seen.test_network, zone.test_subnet, f"test network {zone.test_network}"),
        "Make the subnet, or correct asr_landing_zone.test_subnet.",
    ),
    Rule(
        "zone.storage-account",
        BLOCKER,
        lambda zone, seen: _missing(
            seen.storage_account, f"storage account {zone.cache_storage_account} does not exist"
        ),
        "Make a standard StorageV2 account in the vault's region, or correct asr_landing_zone.cache_storage_account.",
    ),
    Rule(
        "zone.storage-account-region",
        BLOCKER,
        lambda zone, seen: _elsewhere(zone, seen.storage_account, f"storage account {zone.cache_storage_account}"),
        SAME_REGION,
    ),
    Rule("zone.storage-account-kind", BLOCKER, _storage_kind, "Use a StorageV2 account with a standard SKU."),
    Rule("zone.storage-account-premium", BLOCKER, _storage_premium, "Use a StorageV2 account with a standard SKU."),
    Rule("zone.storage-account-namespace", BLOCKER, _hierarchical, "Use an account without a hierarchical namespace."),
    Rule(
        "zone.vault-region",
        BLOCKER,
        lambda zone, seen: _elsewhere(zone, seen.vault, f"vault {zone.vault}"),
        "Correct asr_landing_zone.location, or name another vault; a vault cannot move.",
    ),
    Rule(
        "zone.classic-retired",
        BLOCKER,
        _classic_gate,
        "Set asr_landing_zone.architecture to modernized, or name a vault that already holds a configuration server, "
        "or set asr_landing_zone.classic_acknowledged to true if you know that this vault still takes one.",
    ),
    Rule("zone.classic", WARNING, _classic_warning, "Plan the move to the modernized architecture."),
    Rule("zone.mixed-vault", WARNING, _mixed_vault, "Name a new vault for the replication appliance."),
    Rule(
        "zone.test-network-isolated",
        WARNING,
        _same_network,
        "Set asr_landing_zone.test_network to a network that is connected to nothing.",
    ),
)
