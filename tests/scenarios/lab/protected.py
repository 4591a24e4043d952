"""A modernized vault with an appliance that has found one machine, made with the SDK."""

from tests.worlds.hosts import host

from asr_lab.arm.site_recovery import world_add_physical_server, world_register_appliance

from .journey import ACCOUNT, GROUP, PROD, TEST, Journey, associate, make_policy, make_vault, protect
from .served import Client, Served


async def discovered_machine(azure: Client, served: Served) -> Journey:
    """Make vault, appliance, policy and mapping; return what protecting the machine takes."""
    vault = await make_vault(azure)
    served.hosts.hosts.update(
        {"10.20.0.20": host("appliance", "10.20.0.20", 20), "10.20.1.21": host("web-1", "10.20.1.21", 21)}
    )
    world_register_appliance(
        served.world, vault_id=vault, host=served.hosts.hosts["10.20.0.20"], now=served.clock.now()
    )
    world_add_physical_server(
        served.world,
        vault_id=vault,
        address="10.20.1.21",
        account="admin",
        credential_type="WindowsServer",
        now=served.clock.now(),
    )
    served.world.advance(served.clock.advance(3600))
    [listed] = await azure.do("replication_fabrics.list")
    fabric = await azure.do("replication_fabrics.get", listed.name)
    assert fabric.properties.custom_details["instanceType"] == "InMageRcm"
    [container] = await azure.do("replication_protection_containers.list_by_replication_fabrics", fabric.name)
    details = fabric.properties.custom_details
    site = details.physical_site_id
    [found] = served.world.resources.children(site, "machines")
    [account] = served.world.resources.children(site, "runasaccounts")
    policy = await make_policy(
        azure,
        {
            "instanceType": "InMageRcm",
            "recoveryPointHistoryInMinutes": 1440,
            "crashConsistentFrequencyInMinutes": 5,
            "appConsistentFrequencyInMinutes": 0,
            "enableMultiVmSync": "false",
        },
    )
    await associate(azure, fabric.name, container.name, policy)
    return Journey(
        "InMageRcm",
        fabric.name,
        container.name,
        {
            "fabricDiscoveryMachineId": found["id"],
            "processServerId": details.process_servers[0].id,
            "runAsAccountId": account["id"],
            "disksDefault": {"diskType": "StandardSSD_LRS", "logStorageAccountId": ACCOUNT},
            "targetResourceGroupId": GROUP,
            "targetNetworkId": PROD,
            "targetSubnetName": "apps",
            "testNetworkId": TEST,
            "testSubnetName": "apps",
            "targetVmName": "vm-web-1",
            "targetVmSize": "Standard_D2s_v5",
        },
        failover_details={"performShutdown": "false"},
        policy_id=policy,
    )


async def protected_machine(azure: Client, served: Served) -> Journey:
    """Do the same and protect the machine."""
    way = await discovered_machine(azure, served)
    await protect(azure, way)
    return way
