"""What the landing zone must have, found all at once."""

import pytest
from tests.worlds.zones import short_zone

from asr_migrate.azure import landing_zone
from asr_migrate.domain.landing_zone import LandingZone


async def look(session):
    seen = await landing_zone.read(session.clients, session.landing_zone)
    return landing_zone.check(session.landing_zone, seen)


def rules(findings):
    return [finding.rule for finding in findings]


def test_a_complete_landing_zone_has_no_finding(azure):
    assert azure.tell(look) == ()


def test_everything_that_is_missing_is_reported_at_once(azure):
    azure.zone |= {
        "network": "no-net",
        "test_network": "no-test-net",
        "cache_storage_account": "nostorage",
        "architecture": "classic",
    }
    found = azure.tell(look)
    assert rules(found) == ["zone.network", "zone.test-network", "zone.storage-account", "zone.classic-retired"]
    assert all(finding.remedy for finding in found)


def test_a_missing_resource_group_does_not_end_the_look(azure):
    azure.zone["resource_group"] = "nowhere"
    assert rules(azure.tell(look)) == [
        "zone.resource-group",
        "zone.network",
        "zone.test-network",
        "zone.storage-account",
    ]


def test_a_subnet_that_is_not_there_is_named_with_those_that_are(azure):
    azure.zone["subnet"] = "front"
    (finding,) = azure.tell(look)
    assert finding.text == "virtual network vnet-prod has no subnet front; it has apps"


def test_a_look_writes_nothing(azure):
    azure.tell(look)
    assert azure.writes() == []


ZONE = short_zone(resource_group="g", test_network="m")
NET = {"location": "West Europe", "properties": {"subnets": [{"name": "A"}]}}
SEEN = {
    "subscription": {"state": "Enabled"},
    "resource_group": {"location": "northeurope"},
    "network": NET,
    "test_network": NET,
    "storage_account": {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}},
    "vault": None,
}
SERVER = {"name": "f", "properties": {"customDetails": {"instanceType": "VMware"}}}


def judged(zone=None, **seen):
    return rules(
        landing_zone.check(LandingZone.model_validate(ZONE | (zone or {})), landing_zone.Seen(**(SEEN | seen)))
    )


def test_names_and_regions_are_compared_as_azure_compares_them():
    assert judged() == []


@pytest.mark.parametrize(
    ("rule", "seen"),
    [
        ("zone.subscription", {"subscription": {"state": "Disabled"}}),
        ("zone.network-region", {"network": NET | {"location": "eastus"}}),
        ("zone.test-network-region", {"test_network": NET | {"location": "eastus"}}),
        ("zone.storage-account-region", {"storage_account": SEEN["storage_account"] | {"location": "eastus"}}),
        ("zone.storage-account-kind", {"storage_account": SEEN["storage_account"] | {"kind": "BlobStorage"}}),
        (
            "zone.storage-account-premium",
            {"storage_account": SEEN["storage_account"] | {"sku": {"name": "Premium_LRS"}}},
        ),
        (
            "zone.storage-account-namespace",
            {"storage_account": SEEN["storage_account"] | {"properties": {"isHnsEnabled": True}}},
        ),
        ("zone.vault-region", {"vault": {"location": "eastus"}}),
        ("zone.mixed-vault", {"fabrics": (SERVER,)}),
    ],
)
def test_each_rule_finds_its_fault(rule, seen):
    assert judged(**seen) == [rule]


def test_a_test_network_that_is_the_production_network_is_a_warning():
    assert judged({"test_network": "N"}) == ["zone.test-network-isolated"]


def test_classic_is_refused_for_a_vault_without_a_configuration_server():
    assert judged({"architecture": "classic"}) == ["zone.classic-retired"]


@pytest.mark.parametrize(("zone", "seen"), [({"classic_acknowledged": True}, {}), ({}, {"fabrics": (SERVER,)})])
def test_classic_is_only_warned_of_when_acknowledged_or_already_in_use(zone, seen):
    assert judged({"architecture": "classic"} | zone, **seen) == ["zone.classic"]
