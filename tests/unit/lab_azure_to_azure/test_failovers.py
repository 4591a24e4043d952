"""Failovers of A2A: test, real, back again, recovery points, and what the states refuse."""

import pytest

from asr_lab.arm.resources.compute import set_power
from asr_lab.arm.resources.network import add_network_interface

from .conftest import ACCOUNT_THERE, COMPUTE, GROUP, NETWORK_THERE, PROD, SUB, TEST_NETWORK, THERE_GROUP, code


def _machines(regions, group):
    listed = regions.lab.get(f"{group}/providers/Microsoft.Compute/virtualMachines", api=COMPUTE)["value"]
    return {machine["name"]: machine for machine in listed}


def _subnet(regions, machine):
    nic = machine["properties"]["networkProfile"]["networkInterfaces"][0]["id"]
    return regions.lab.get(nic, api="2025-05-01")["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"]


def test_a_test_machine_stands_in_the_test_network_of_the_recovery_region_until_the_clean_up(protected):
    protected.succeed("POST", f"{protected.item}/testFailover", protected.test_body())
    machine = _machines(protected, THERE_GROUP)["db-1-test"]
    assert _subnet(protected, machine) == f"{TEST_NETWORK}/subnets/apps"
    assert protected.details()["testFailoverRecoveryFabricObjectId"] == machine["id"]
    assert protected.properties()["allowedOperations"] == ["DisableProtection", "TestFailoverCleanup"]
    protected.succeed("POST", f"{protected.item}/testFailoverCleanup", {"properties": {}})
    assert _machines(protected, THERE_GROUP) == {}
    assert protected.details()["testFailoverRecoveryFabricObjectId"] is None


def test_the_job_of_a_test_names_its_machine(protected):
    job = protected.succeed("POST", f"{protected.item}/testFailover", protected.test_body())
    assert job["customDetails"]["protectedItemDetails"][0]["testVmName"] == "db-1-test"


def test_a_failover_leaves_the_source_running_unless_its_shutdown_is_asked_for(protected):
    protected.succeed("POST", f"{protected.item}/unplannedFailover", protected.failover_body())
    view = protected.lab.get(f"{protected.machine}/instanceView", api=COMPUTE)
    assert view["statuses"][1]["code"] == "PowerState/running"


def test_a_failover_that_asks_for_it_shuts_the_source_down(protected):
    body = protected.failover_body(sourceSiteOperations="Required")
    job = protected.succeed("POST", f"{protected.item}/unplannedFailover", body)
    view = protected.lab.get(f"{protected.machine}/instanceView", api=COMPUTE)
    assert view["statuses"][1]["code"] == "PowerState/deallocated"
    task = next(task for task in job["tasks"] if task["taskId"] == "ShutdownVmOnPrimaryForUFO")
    assert task["state"] == "Succeeded"


def test_the_recovery_disks_have_the_names_of_their_sources(protected):
    protected.fail_over_and_commit()
    machine = protected.vm(protected.details()["recoveryFabricObjectId"])
    names = {disk.rpartition("/")[2] for disk in protected.disks()}
    storage = machine["properties"]["storageProfile"]
    assert {disk["name"] for disk in (storage["osDisk"], *storage["dataDisks"])} == names
    assert {
        disk["recoveryTargetDiskId"].rpartition("/")[2] for disk in protected.details()["protectedManagedDisks"]
    } == names


def test_without_a_network_for_it_a_failover_fails_with_28031(regions):
    regions.make_fabrics()
    regions.make_containers()
    regions.make_policy()
    regions.map_containers()
    regions.protect()
    job = regions.lab.do("POST", f"{regions.item}/unplannedFailover", regions.failover_body())
    assert code(job) == "28031"
    assert regions.properties()["protectionState"] == "UnplannedFailoverFailed"


def test_the_states_and_operations_after_failover_and_commit(protected):
    protected.succeed("POST", f"{protected.item}/unplannedFailover", protected.failover_body())
    pending = protected.properties()
    assert pending["protectionState"] == "UnplannedFailoverCommitPendingStatesBegin"
    assert pending["allowedOperations"] == ["Commit", "DisableProtection", "ChangePit"]
    protected.succeed("POST", f"{protected.item}/failoverCommit")
    committed = protected.properties()
    assert committed["protectionState"] == "UnplannedFailoverStatesBegin"
    assert committed["allowedOperations"] == ["DisableProtection", "SwitchProtection"]
    assert committed["activeLocation"] == "Recovery"


def test_recovery_points_say_whether_they_are_shared_by_a_group(protected):
    protected.lab.advance(1800)
    points = protected.lab.get(f"{protected.item}/recoveryPoints")["value"]
    details = points[0]["properties"]["providerSpecificDetails"]
    assert details["instanceType"] == "A2A"
    assert details["recoveryPointSyncType"] == "PerVmRecoveryPoint"
    assert len(details["disks"]) == 2


def test_another_recovery_point_can_be_applied_before_the_commit(protected):
    protected.lab.advance(1800)
    oldest = protected.lab.get(f"{protected.item}/recoveryPoints")["value"][-1]
    protected.succeed("POST", f"{protected.item}/unplannedFailover", protected.failover_body())
    body = {"properties": {"recoveryPointId": oldest["id"], "providerSpecificDetails": {"instanceType": "A2A"}}}
    protected.succeed("POST", f"{protected.item}/applyRecoveryPoint", body)
    assert protected.properties()["failoverRecoveryPointId"].endswith(oldest["name"])
    assert list(_machines(protected, THERE_GROUP)) == ["db-1"]


def test_a_failover_in_the_other_direction_fails(protected):
    body = protected.failover_body(failoverDirection="RecoveryToPrimary")
    assert code(protected.lab.do("POST", f"{protected.item}/unplannedFailover", body)) == "25037"


def test_a_foreign_instance_type_is_refused(protected):
    body = protected.failover_body(providerSpecificDetails={"instanceType": "InMageAzureV2"})
    assert protected.lab.ask("POST", f"{protected.item}/unplannedFailover", body).status == 400


def test_planned_failover_is_not_offered(protected):
    body = {"properties": {"failoverDirection": "PrimaryToRecovery", "providerSpecificDetails": {}}}
    assert protected.lab.ask("POST", f"{protected.item}/plannedFailover", body).status == 400


# The way back


def test_switching_moves_the_item_into_the_other_container_with_the_roles_swapped(protected):
    protected.fail_over_and_commit()
    recovered = protected.details()["recoveryFabricObjectId"]
    protected.switch()
    assert protected.lab.ask("GET", protected.item).status == 404
    properties = protected.properties(protected.item_there)
    details = properties["providerSpecificDetails"]
    assert properties["primaryFabricFriendlyName"] == "North Europe"
    assert properties["recoveryFabricFriendlyName"] == "West Europe"
    assert properties["protectionState"] == "InitialReplicationInProgress"
    assert properties["activeLocation"] == "Primary"
    assert "lastSuccessfulFailoverTime" not in properties
    assert details["fabricObjectId"] == recovered.lower()
    assert (details["primaryFabricLocation"], details["recoveryFabricLocation"]) == ("northeurope", "westeurope")
    assert (details["initialPrimaryFabricLocation"], details["initialRecoveryFabricLocation"]) == (
        "westeurope",
        "northeurope",
    )


def test_what_the_item_keeps_and_what_is_new_after_a_switch(protected):
    protected.fail_over_and_commit()
    before = protected.properties()
    protected.switch()
    after = protected.properties(protected.item_there)
    kept = ("multiVmGroupId",)
    for name in kept:
        assert before["providerSpecificDetails"][name] == after["providerSpecificDetails"][name]
    assert before["providerSpecificDetails"]["managementId"] != after["providerSpecificDetails"]["managementId"]
    assert before["eventCorrelationId"] != after["eventCorrelationId"]
    nics = [details["providerSpecificDetails"]["vmNics"][0]["nicId"] for details in (before, after)]
    assert nics[0] == nics[1]


def test_after_a_switch_the_disks_name_the_ones_they_will_replace(protected):
    originals = set(protected.disks())
    protected.fail_over_and_commit()
    protected.switch()
    disks = protected.details(protected.item_there)["protectedManagedDisks"]
    assert {disk["recoveryOrignalTargetDiskId"] for disk in disks} <= originals | {one.lower() for one in originals}
    assert all(disk["recoveryReplicaDiskId"].endswith("-ASRReplica") for disk in disks)


def test_a_security_group_of_the_first_interface_is_kept_for_the_way_back(protected):
    nic = protected.vm(protected.machine)["properties"]["networkProfile"]["networkInterfaces"][0]["id"]
    group = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/db"
    add_network_interface(
        protected.lab.world,
        SUB,
        GROUP.rpartition("/")[2],
        nic.rpartition("/")[2],
        location="westeurope",
        subnet_id=f"{PROD}/subnets/apps",
        private_ip="10.60.1.4",
        security_group_id=group,
    )
    protected.fail_over_and_commit()
    protected.switch()
    assert protected.details(protected.item_there)["vmNics"][0]["recoveryNetworkSecurityGroupId"] == group


def test_the_job_of_a_switch_hangs_on_the_container_and_names_the_new_item(protected):
    protected.fail_over_and_commit()
    path = f"{protected.container_here}/switchprotection"
    started = protected.lab.ask("POST", path, protected.switch_body())
    assert f"{protected.container_here}/operationresults/".casefold() in started.headers["Location"].casefold()
    protected.lab.advance(510)
    job = protected.lab.get(started.headers["x-ms-request-id"])["properties"]
    assert job["state"] == "Succeeded"
    assert job["customDetails"]["instanceType"] == "SwitchProtectionJobDetails"
    assert job["customDetails"]["newReplicationProtectedItemId"].casefold() == protected.item_there.casefold()


def test_the_machine_that_comes_back_takes_the_place_of_the_one_it_was(protected):
    protected.fail_over_and_commit()
    protected.switch()
    protected.lab.until(protected.item_there, "Protected")
    protected.succeed("POST", f"{protected.item_there}/unplannedFailover", protected.failover_body())
    machines = _machines(protected, GROUP)
    assert list(machines) == ["db-1"]
    assert _subnet(protected, machines["db-1"]) == f"{PROD}/subnets/apps"


def test_replication_can_be_turned_round_a_second_time(protected):
    protected.fail_over_and_commit()
    protected.switch()
    protected.lab.until(protected.item_there, "Protected")
    protected.succeed("POST", f"{protected.item_there}/unplannedFailover", protected.failover_body())
    protected.succeed("POST", f"{protected.item_there}/failoverCommit")
    recovered = protected.details(protected.item_there)["recoveryFabricObjectId"]
    details = {
        "instanceType": "A2A",
        "policyId": protected.policy,
        "recoveryContainerId": protected.container_there,
        "recoveryResourceGroupId": THERE_GROUP,
        "vmManagedDisks": protected.disk_rows(protected.disks(recovered)),
    }
    body = {"properties": {"replicationProtectedItemName": "db-1", "providerSpecificDetails": details}}
    protected.succeed("POST", f"{protected.container_there}/switchprotection", body)
    assert protected.properties()["primaryFabricFriendlyName"] == "West Europe"
    protected.lab.until(protected.item, "Protected")
    assert protected.details()["selectedRecoveryAzureNetworkId"] == NETWORK_THERE


def test_switching_before_the_commit_fails_in_the_job(protected):
    protected.succeed("POST", f"{protected.item}/unplannedFailover", protected.failover_body())
    job = protected.lab.do("POST", f"{protected.container_here}/switchprotection", protected.switch_body())
    assert code(job) == "25037"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"recoveryContainerId": "container-ne"}, "ArmResourceDoesNotExist"),
        ({"recoveryContainerId": None}, "InvalidParameter"),
        ({"policyId": None}, "InvalidParameter"),
        ({"recoveryResourceGroupId": None}, "InvalidParameter"),
        (
            {
                "vmManagedDisks": [
                    {
                        "diskId": "other",
                        "primaryStagingAzureStorageAccountId": "account",
                        "recoveryResourceGroupId": GROUP,
                    }
                ]
            },
            "InvalidDiskInput",
        ),
    ],
)
def test_a_switch_request_that_is_wrong_is_refused(protected, changes, expected):
    protected.fail_over_and_commit()
    body = protected.switch_body(**changes)
    response = protected.lab.ask("POST", f"{protected.container_here}/switchprotection", body)
    assert response.status in (400, 404)
    assert response.body["error"]["details"][0]["code"] == expected


def test_switching_to_the_container_that_the_machine_is_in_now_is_refused(protected):
    protected.fail_over_and_commit()
    body = protected.switch_body(recoveryContainerId=protected.container_there)
    response = protected.lab.ask("POST", f"{protected.container_here}/switchprotection", body)
    assert response.body["error"]["details"][0]["code"] == "InvalidRecoveryContainer"


def test_switching_needs_the_name_of_an_item_of_the_container(protected):
    path = f"{protected.container_here}/switchprotection"
    assert protected.lab.ask("POST", path, {"properties": {}}).status == 400
    body = {"properties": {"replicationProtectedItemName": "none", "providerSpecificDetails": {"instanceType": "A2A"}}}
    assert protected.lab.ask("POST", path, body).status == 404


def test_a_switch_back_that_is_not_mapped_fails_in_the_job(protected):
    mapping = f"{protected.container_there}/replicationProtectionContainerMappings/mapping"
    protected.succeed("DELETE", mapping)
    protected.fail_over_and_commit()
    job = protected.lab.do("POST", f"{protected.container_here}/switchprotection", protected.switch_body())
    assert code(job) == "78253"
    assert protected.properties()["protectionState"] == "UnplannedFailoverStatesBegin"


def test_re_protect_of_the_item_is_a_switch_with_what_is_usual(protected):
    protected.fail_over_and_commit()
    body = {
        "properties": {
            "failoverDirection": "RecoveryToPrimary",
            "providerSpecificDetails": {"instanceType": "A2A", "policyId": protected.policy},
        }
    }
    protected.succeed("POST", f"{protected.item}/reProtect", body)
    details = protected.details(protected.item_there)
    assert details["recoveryAzureResourceGroupId"] == GROUP
    assert {disk["primaryStagingAzureStorageAccountId"] for disk in details["protectedManagedDisks"]} == {ACCOUNT_THERE}


def test_a_recovery_plan_follows_its_machines_to_the_other_region(protected):
    plan = f"{protected.vault}/replicationRecoveryPlans/dr"
    member = {"id": protected.item, "virtualMachineId": protected.machine}
    properties = {
        "primaryFabricId": protected.here,
        "recoveryFabricId": protected.there,
        "failoverDeploymentModel": "ResourceManager",
        "groups": [{"groupType": "Boot", "replicationProtectedItems": [member]}],
    }
    protected.succeed("PUT", plan, {"properties": properties})
    protected.fail_over_and_commit()
    protected.switch()
    shown = protected.lab.get(plan)["properties"]
    assert shown["primaryFabricFriendlyName"] == "North Europe"
    assert shown["groups"][2]["replicationProtectedItems"][0]["id"].casefold() == protected.item_there.casefold()


# What a scenario does to A2A


def test_a_machine_that_stands_still_for_long_is_told_without_a_server_in_between(protected):
    set_power(protected.lab.world, protected.machine, "stopped", protected.lab.now)
    protected.lab.advance(2400)
    properties = protected.properties()
    assert properties["replicationHealth"] == "Critical"
    texts = [error["errorMessage"] for error in properties["healthErrors"]]
    assert "No replication data has been received from the virtual machine." in texts


def test_a_stuck_replication_stays_where_it_is(ready):
    ready.lab.world.faults.add({"match": {"name": "db-1"}, "effect": "stuck_replication"})
    ready.succeed("PUT", ready.item, ready.enable_body())
    ready.lab.advance(7200)
    assert ready.properties()["protectionState"] == "InitialReplicationInProgress"
    assert ready.details()["monitoringPercentageCompletion"] == 0


def test_a_slow_pair_of_regions_takes_its_time(ready):
    ready.lab.world.faults.add({"match": {"provider": "A2A"}, "effect": "slow_replication", "settings": {"factor": 4}})
    ready.succeed("PUT", ready.item, ready.enable_body())
    assert ready.lab.until(ready.item, "Protected") > 2400


def test_a_recovery_machine_that_does_not_boot_is_told_by_the_job(protected):
    protected.lab.world.faults.add({"match": {"name": "db-1"}, "effect": "does_not_boot"})
    job = protected.lab.do("POST", f"{protected.item}/testFailover", protected.test_body())
    assert job["state"] == "Failed"
    assert protected.properties()["allowedOperations"] == ["DisableProtection", "TestFailoverCleanup"]
