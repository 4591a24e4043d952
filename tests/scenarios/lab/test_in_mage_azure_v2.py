"""InMageAzureV2, the classic architecture, with the unmodified SDK: from an empty subscription to an empty vault."""

from tests.worlds.hosts import host

from asr_lab.arm.site_recovery import world_register_configuration_server, world_register_mobility

from .journey import (
    ACCOUNT,
    GROUP,
    PROD,
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
from .registration import register_certificate

PASSPHRASE = "a passphrase of the test"


def test_a_machine_migrates_and_leaves_an_empty_vault(tell, served):
    async def story(azure):
        await make_vault(azure)
        server = host("cs-1", "10.20.0.10", 10, agent="9.59.0.0")
        source = host("app-1", "10.20.1.12", 12, agent="9.59.0.0")
        served.hosts.hosts.update({"10.20.0.10": server, "10.20.1.12": source})
        credentials = await register_certificate(azure)
        world_register_configuration_server(
            served.world,
            vault_credentials_xml=credentials,
            host=server,
            passphrase=PASSPHRASE,
            now=served.last_request_at(),
        )
        world_register_mobility(
            served.world,
            server_address="10.20.0.10",
            passphrase=PASSPHRASE,
            host=source,
            now=served.last_request_at(),
        )
        [fabric] = await azure.do("replication_fabrics.list")
        [container] = await azure.do("replication_protection_containers.list_by_replication_fabrics", fabric.name)
        [found] = await azure.do(
            "replication_protectable_items.list_by_replication_protection_containers", fabric.name, container.name
        )
        assert (found.properties.friendly_name, found.properties.protection_status) == ("app-1", "Unprotected")
        policy = await make_policy(
            azure,
            {
                "instanceType": "InMageAzureV2",
                "recoveryPointThresholdInMinutes": 60,
                "recoveryPointHistory": 1440,
                "crashConsistentFrequencyInMinutes": 5,
                "appConsistentFrequencyInMinutes": 0,
                "multiVmSyncStatus": "Disable",
            },
        )
        await associate(azure, fabric.name, container.name, policy)
        process_server = fabric.properties.custom_details.process_servers[0].id
        way = Journey(
            "InMageAzureV2",
            fabric.name,
            container.name,
            {
                "masterTargetId": process_server,
                "processServerId": process_server,
                "runAsAccountId": "1",
                "logStorageAccountId": ACCOUNT,
                "targetAzureNetworkId": PROD,
                "targetAzureSubnetId": "apps",
                "targetAzureVmName": "vm-app-1",
                "targetVmSize": "Standard_D2s_v5",
                "targetAzureV2ResourceGroupId": GROUP,
            },
            protectable_id=found.id,
            policy_id=policy,
        )
        item = await protect(azure, way)
        await make_and_remove_plan(azure, way, item)
        await move(azure, way)
        await dissolve(azure, (fabric.name, container.name))
        await azure.do("replication_fabrics.begin_delete", fabric.name)
        await delete_vault(azure)

    tell(story)
