"""HyperVReplicaAzure with the unmodified SDK: from an empty subscription to an empty vault."""

from tests.worlds.hosts import host

from asr_lab.arm.providers.hyper_v_model import VirtualAdapter, VirtualDisk, VirtualMachine
from asr_lab.arm.site_recovery_hyper_v import world_register_hyper_v_host

from .journey import (
    ACCOUNT,
    GIB,
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

SQL = VirtualMachine(
    vm_id="b1956159-f3d3-4317-86d4-000000000001",
    name="sql-1",
    disks=(VirtualDisk("ecdaefa8-9206-4d8b-9ff8-000000000001", "sql-1", 40 * GIB, boot=True),),
    adapters=(
        VirtualAdapter("5d4cbafb-724f-4e82-aa67-000000000001", "Production Switch", "00:15:5d:00:00:01", "10.30.1.1"),
    ),
)


def test_a_machine_migrates_and_leaves_an_empty_vault(tell, served):
    async def story(azure):
        await make_vault(azure)
        body = {"properties": {"customDetails": {"instanceType": "FabricSpecificCreationInput"}}}
        fabric = await azure.do("replication_fabrics.begin_create", "site-1", body)
        assert fabric.properties.custom_details["instanceType"] == "HyperVSite"
        credentials = await register_certificate(azure, site=(fabric.properties.internal_identifier, "site-1"))
        world_register_hyper_v_host(
            served.world,
            vault_credentials_xml=credentials,
            host=host("hv-1", "10.30.0.10", 30),
            machines=[SQL],
            now=served.last_request_at(),
        )
        served.world.advance(served.clock.advance(600))
        [container] = await azure.do("replication_protection_containers.list_by_replication_fabrics", fabric.name)
        [found] = await azure.do(
            "replication_protectable_items.list_by_replication_protection_containers", fabric.name, container.name
        )
        policy = await make_policy(
            azure,
            {
                "instanceType": "HyperVReplicaAzure",
                "recoveryPointHistoryDuration": 4,
                "applicationConsistentSnapshotFrequencyInHours": 1,
                "replicationInterval": 300,
                "storageAccounts": [ACCOUNT],
            },
        )
        settings = {"instanceType": "HyperVReplicaAzure"}
        await associate(azure, fabric.name, container.name, policy, providerSpecificInput=settings)
        way = Journey(
            "HyperVReplicaAzure",
            fabric.name,
            container.name,
            {
                "hvHostVmId": SQL.vm_id,
                "vmName": SQL.name,
                "osType": "Windows",
                "vhdId": SQL.disks[0].vhd_id,
                "disksToInclude": [SQL.disks[0].vhd_id],
                "targetStorageAccountId": ACCOUNT,
                "targetAzureNetworkId": PROD,
                "targetAzureSubnetId": f"{PROD}/subnets/apps",
                "targetAzureVmName": "vm-sql-1",
                "targetAzureV2ResourceGroupId": GROUP,
                "enableRdpOnTargetOption": "Never",
                "useManagedDisks": "false",
            },
            protectable_id=found.id,
            failover="begin_planned_failover",
            policy_id=policy,
        )
        item = await protect(azure, way)
        await make_and_remove_plan(azure, way, item)
        await move(azure, way)
        await dissolve(azure, (fabric.name, container.name))
        await azure.do("replication_fabrics.begin_purge", fabric.name)
        await delete_vault(azure)

    tell(story)
