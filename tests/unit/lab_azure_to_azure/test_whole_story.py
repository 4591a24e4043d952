"""From an empty vault to an empty vault: two regions, a failover there, the way back, and everything removed."""

from .conftest import COMPUTE, GROUP, NETWORK_THERE, THERE_GROUP, Regions

VAULT_LISTS = (
    "replicationFabrics",
    "replicationProtectionContainers",
    "replicationProtectionContainerMappings",
    "replicationNetworkMappings",
    "replicationPolicies",
    "replicationProtectedItems",
    "replicationRecoveryServicesProviders",
)


def _listed(regions: Regions) -> dict[str, list[str]]:
    return {name: [row["name"] for row in regions.lab.get(f"{regions.vault}/{name}")["value"]] for name in VAULT_LISTS}


def test_a_machine_goes_to_the_other_region_and_back_and_leaves_an_empty_vault(regions):
    assert all(not rows for rows in _listed(regions).values())
    regions.prepare()
    regions.protect()

    regions.succeed("POST", f"{regions.item}/testFailover", regions.test_body())
    assert (
        regions.vm(f"{THERE_GROUP}/providers/Microsoft.Compute/virtualMachines/db-1-test")["location"] == "northeurope"
    )
    regions.succeed("POST", f"{regions.item}/testFailoverCleanup", {"properties": {"comments": "fine"}})
    assert regions.properties()["testFailoverState"] == "MarkedForDeletion"

    regions.fail_over_and_commit()
    recovered = regions.details()["recoveryFabricObjectId"]
    assert regions.vm(recovered)["location"] == "northeurope"

    regions.switch()
    assert regions.lab.ask("GET", regions.item).status == 404
    assert regions.details(regions.item_there)["fabricObjectId"] == recovered.lower()
    regions.lab.until(regions.item_there, "Protected")

    body = regions.failover_body()
    regions.succeed("POST", f"{regions.item_there}/unplannedFailover", body)
    regions.succeed("POST", f"{regions.item_there}/failoverCommit")
    back = regions.details(regions.item_there)["recoveryFabricObjectId"]
    assert regions.vm(back)["location"] == "westeurope"

    regions.succeed("POST", f"{regions.item_there}/remove", {"properties": {}})
    for container in (regions.container_here, regions.container_there):
        mapping = f"{container}/replicationProtectionContainerMappings/mapping"
        regions.succeed("POST", f"{mapping}/remove", {"properties": {"providerSpecificInput": {}}})
    regions.succeed("DELETE", regions.network_mapping)
    for container in (regions.container_here, regions.container_there):
        regions.succeed("POST", f"{container}/remove")
    regions.succeed("DELETE", regions.policy)
    regions.succeed("DELETE", regions.here)
    regions.succeed("POST", f"{regions.there}/remove")
    assert all(not rows for rows in _listed(regions).values())
    machines = regions.lab.get(f"{GROUP}/providers/Microsoft.Compute/virtualMachines", api=COMPUTE)["value"]
    assert [machine["name"] for machine in machines] == ["db-1"]


def test_the_recovery_machine_comes_into_the_network_that_its_own_is_mapped_to(protected):
    protected.fail_over_and_commit()
    machine = protected.vm(protected.details()["recoveryFabricObjectId"])
    nic = protected.lab.get(machine["properties"]["networkProfile"]["networkInterfaces"][0]["id"], api="2025-05-01")
    assert nic["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"] == f"{NETWORK_THERE}/subnets/apps"
    assert machine["tags"] == {"service": "billing"}
