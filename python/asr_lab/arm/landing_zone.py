"""What there is in Azure before a migration begins: the subscription, networks and storage of the rehearsal."""

from datetime import datetime

from asr_lab.arm.resources.network import add_virtual_network
from asr_lab.arm.resources.resource_groups import add_resource_group
from asr_lab.arm.resources.storage import add_storage_account
from asr_lab.arm.resources.subscriptions import add_subscription
from asr_lab.arm.world import World

TENANT_ID = "11111111-1111-4111-8111-111111111111"
SUBSCRIPTION_ID = "22222222-2222-4222-8222-222222222222"
LOCATION = "westeurope"
RESOURCE_GROUP = "rg-migration"
NETWORKS = {"vnet-prod": {"apps": "10.60.1.0/24"}, "vnet-test": {"apps": "10.60.1.0/24"}}
STORAGE_ACCOUNT = "stasrcache"


def seed(world: World, now: datetime) -> str:
    """Put the rehearsal's landing zone into an empty world and return the id of its resource group."""
    with world.lock:
        add_subscription(world, SUBSCRIPTION_ID, tenant_id=TENANT_ID)
        group = add_resource_group(world, SUBSCRIPTION_ID, RESOURCE_GROUP, location=LOCATION)
        for network, subnets in NETWORKS.items():
            add_virtual_network(
                world,
                SUBSCRIPTION_ID,
                RESOURCE_GROUP,
                network,
                location=LOCATION,
                address_prefixes=["10.60.0.0/16"],
                subnets=subnets,
            )
        add_storage_account(world, SUBSCRIPTION_ID, RESOURCE_GROUP, STORAGE_ACCOUNT, location=LOCATION, now=now)
        return group
