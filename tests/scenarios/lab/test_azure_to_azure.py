"""A2A with the unmodified SDK: a machine moves to another region; from an empty subscription to an empty vault."""

from asr_lab.arm.landing_zone import SUBSCRIPTION_ID
from asr_lab.arm.providers.azure_to_azure_source import seed_virtual_machine
from asr_lab.arm.resources.network import add_virtual_network
from asr_lab.arm.resources.resource_groups import add_resource_group

from .journey import (
    ACCOUNT,
    GROUP,
    PROD,
    VAULTS,
    Journey,
    associate,
    delete_vault,
    dissolve,
    make_and_remove_plan,
    make_policy,
    make_vault,
    move,
    protect,
)

THERE = f"/subscriptions/{SUBSCRIPTION_ID}/resourceGroups/rg-recovery"
NETWORKS_THERE = f"{THERE}/providers/Microsoft.Network/virtualNetworks"


def two_regions(served):
    """Make a resource group and networks in the second region and a machine in the first; return its id and disk."""
    world = served.world
    with world.lock:
        add_resource_group(world, SUBSCRIPTION_ID, "rg-recovery", location="northeurope")
        for name in ("vnet-recovery", "vnet-test"):
            add_virtual_network(
                world,
                SUBSCRIPTION_ID,
                "rg-recovery",
                name,
                location="northeurope",
                address_prefixes=["10.61.0.0/16"],
                subnets={"apps": "10.61.1.0/24"},
            )
        made = seed_virtual_machine(
            world,
            served.clock.now(),
            resource_group=GROUP,
            name="db-1",
            location="westeurope",
            subnet_id=f"{PROD}/subnets/apps",
        )
        return made, world.resources.get(made)["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"]


def test_a_machine_moves_to_the_other_region_and_leaves_an_empty_vault(tell, served):
    machine, disk = two_regions(served)

    async def story(azure):
        await make_vault(azure)
        vault = f"{VAULTS}/{azure.vault}"
        containers = (("fabric-we", "container-we"), ("fabric-ne", "container-ne"))
        for (fabric, container), location in zip(containers, ("westeurope", "northeurope"), strict=True):
            body = {"properties": {"customDetails": {"instanceType": "Azure", "location": location}}}
            await azure.do("replication_fabrics.begin_create", fabric, body)
            made = await azure.do(
                "replication_protection_containers.begin_create",
                fabric,
                container,
                {"properties": {"providerSpecificInput": [{"instanceType": "A2A"}]}},
            )
            assert made.properties.fabric_friendly_name
        policy = await make_policy(
            azure,
            {
                "instanceType": "A2A",
                "recoveryPointHistory": 1440,
                "crashConsistentFrequencyInMinutes": 5,
                "appConsistentFrequencyInMinutes": 0,
                "multiVmSyncStatus": "Enable",
            },
        )
        ids = [f"{vault}/replicationFabrics/{one}/replicationProtectionContainers/{two}" for one, two in containers]
        settings = {"instanceType": "A2A", "agentAutoUpdateStatus": "Disabled"}
        for place, target in zip(containers, reversed(ids), strict=True):
            await associate(azure, *place, policy, targetProtectionContainerId=target, providerSpecificInput=settings)
        network = ("fabric-we", "azureNetwork", "to-north")
        mapped = await azure.do(
            "replication_network_mappings.begin_create",
            *network,
            {
                "properties": {
                    "recoveryFabricName": "fabric-ne",
                    "recoveryNetworkId": f"{NETWORKS_THERE}/vnet-recovery",
                    "fabricSpecificDetails": {"instanceType": "AzureToAzure", "primaryNetworkId": PROD},
                }
            },
        )
        assert mapped.properties.state == "Paired"
        disks = [{"diskId": disk, "primaryStagingAzureStorageAccountId": ACCOUNT, "recoveryResourceGroupId": THERE}]
        way = Journey(
            "A2A",
            "fabric-we",
            "container-we",
            {
                "fabricObjectId": machine,
                "recoveryContainerId": ids[1],
                "recoveryResourceGroupId": THERE,
                "vmManagedDisks": disks,
            },
            recovery_fabric="fabric-ne",
            test_network=f"{NETWORKS_THERE}/vnet-test",
            policy_id=policy,
            removal_reason="NotSpecified",
        )
        item = await protect(azure, way)
        await make_and_remove_plan(azure, way, item)
        await move(azure, way)
        await azure.do("replication_network_mappings.begin_delete", *network)
        await dissolve(azure, *containers)
        for fabric, container in containers:
            await azure.do("replication_protection_containers.begin_delete", fabric, container)
            await azure.do("replication_fabrics.begin_delete", fabric)
        await delete_vault(azure)

    tell(story)
