"""Actions on Hyper-V items: what their jobs tell, what they leave in Azure, and what is refused."""

import pickle

import pytest
from tests.unit.lab_hyper_v.conftest import POLICY
from tests.worlds.zones import GROUP, PROD, TEST

PLANNED_TASKS = [
    ("PlannedFailoverPreflightChecksTask", "VmPfoPrerequisitesCheck", "Prerequisites check for planned failover"),
    ("ShutdownVmOnPrimary", "VmShutdownVmOnPrimary", "Shut down the virtual machine"),
    ("PrepareForFailoverTask", "VmPrepareForFailover", "Preparing for failover"),
    ("FailoverTask", "VmFailover", "Start failover"),
    ("StartVmOnSecondary", "VmFoStartVmOnSecondary", "Start the replica virtual machine"),
]
REPROTECT = {
    "properties": {
        "failoverDirection": "PrimaryToRecovery",
        "providerSpecificDetails": {"instanceType": "HyperVReplicaAzure"},
    }
}


def code(job):
    assert job["state"] == "Failed", job["state"]
    return job["errors"][0]["serviceErrorDetails"]["code"]


def nic_of(site, name):
    vm = site.vms[name]
    nic = vm["properties"]["networkProfile"]["networkInterfaces"][0]["id"]
    return site.lab.get(nic, api="2025-05-01")["properties"]["ipConfigurations"][0]["properties"]


# Test failover


def test_a_finished_test_failover_tells_of_the_test_machine(protected):
    job = protected.act("testFailover", protected.test_body())
    row = job["customDetails"]["protectedItemDetails"][0]
    assert (row["testVmName"], row["networkConnectionStatus"]) == ("vm-sql-1-test", "Connected")
    assert (row["networkFriendlyName"], row["subnet"]) == ("vnet-test", "apps")
    point = protected.properties()["failoverRecoveryPointId"]
    assert point.endswith(f"/recoveryPoints/{row['recoveryPointId']}")
    assert TEST in nic_of(protected, "vm-sql-1-test")["subnet"]["id"]


def test_a_test_failover_without_network_makes_a_machine_without_adapter(protected):
    body = protected.test_body()
    body["properties"] |= {"networkType": "NoNetworkAttachAsInput", "networkId": None}
    job = protected.act("testFailover", body)
    assert job["customDetails"]["protectedItemDetails"][0]["networkConnectionStatus"] == "Disconnected"
    assert protected.vms["vm-sql-1-test"]["properties"]["networkProfile"]["networkInterfaces"] == []


def test_while_the_test_machine_is_up_only_clean_up_and_removal_are_allowed(protected):
    protected.act("testFailover", protected.test_body())
    assert protected.properties()["allowedOperations"] == ["DisableProtection", "TestFailoverCleanup"]
    assert code(protected.act("plannedFailover", protected.failover_body())) == "25037"
    protected.act("testFailoverCleanup", {"properties": {}})
    shown = protected.properties()
    assert (shown["testFailoverState"], protected.vms) == ("MarkedForDeletion", {})


def test_a_test_failover_can_use_an_older_recovery_point(protected):
    protected.lab.advance(3600)
    older = protected.lab.get(f"{protected.item}/recoveryPoints")["value"][-1]
    body = protected.test_body()
    body["properties"]["providerSpecificDetails"]["recoveryPointId"] = older["id"]
    job = protected.act("testFailover", body)
    assert job["customDetails"]["protectedItemDetails"][0]["recoveryPointId"] == older["name"]


# Failover


def test_a_planned_failover_has_the_recorded_tasks_and_tells_where_the_machine_is(protected):
    job = protected.act("plannedFailover", protected.failover_body())
    assert [(task["taskId"], task["name"], task["friendlyName"]) for task in job["tasks"]] == PLANNED_TASKS
    assert {task["state"] for task in job["tasks"]} == {"Succeeded"}
    row = job["customDetails"]["protectedItemDetails"][0]
    assert (row["testVmName"], row["networkFriendlyName"], row["subnet"]) == (None, "vnet-prod", "apps")
    shown = protected.properties()
    assert (shown["protectionState"], shown["protectionStateDescription"], shown["activeLocation"]) == (
        "PlannedFailoverCommitRequired",
        "Planned failover finished",
        "Recovery",
    )
    assert shown["allowedOperations"] == ["CompleteMigration", "Commit", "DisableProtection", "ChangePit"]
    assert shown["providerSpecificDetails"]["vmProtectionState"] == "PlannedFailoverCommitRequired"
    assert shown["failoverRecoveryPointId"].endswith(row["recoveryPointId"])
    assert PROD in nic_of(protected, "vm-sql-1")["subnet"]["id"]


def test_an_unplanned_failover_shuts_down_only_when_asked(protected):
    job = protected.act("unplannedFailover", protected.failover_body())
    skipped = [task["taskId"] for task in job["tasks"] if task["state"] == "Other"]
    assert skipped == ["ShutdownVmOnPrimaryForUFO", "PrepareForUnPlannedFailoverTask"]
    shown = protected.properties()
    assert shown["protectionState"] == "UnplannedFailoverCommitPendingStatesBegin"
    assert shown["allowedOperations"] == ["CompleteMigration", "Commit", "DisableProtection", "ChangePit"]


def test_an_unplanned_failover_that_asks_for_it_shuts_down_too(protected):
    body = protected.failover_body()
    body["properties"]["sourceSiteOperations"] = "Required"
    job = protected.act("unplannedFailover", body)
    assert {task["state"] for task in job["tasks"]} == {"Succeeded"}


def test_another_recovery_point_can_be_applied_before_the_commit(protected):
    protected.lab.advance(3600)
    protected.fail_over()
    older = protected.lab.get(f"{protected.item}/recoveryPoints")["value"][-1]
    body = {
        "properties": {
            "recoveryPointId": older["id"],
            "providerSpecificDetails": {"instanceType": "HyperVReplicaAzure"},
        }
    }
    assert protected.act("applyRecoveryPoint", body)["state"] == "Succeeded"
    assert protected.properties()["failoverRecoveryPointId"].endswith(older["name"])
    protected.commit()
    assert code(protected.act("applyRecoveryPoint", body)) == "25037"


def test_a_failover_that_is_not_committed_can_be_cancelled(protected):
    protected.fail_over()
    assert protected.act("failoverCancel")["state"] == "Succeeded"
    assert protected.properties()["protectionState"] == "Protected"
    assert protected.vms == {}


def test_a_failover_that_azure_refuses_can_be_repeated(protected):
    protected.lab.ask("PATCH", protected.item, {"properties": {"selectedRecoveryAzureNetworkId": f"{PROD}-none"}})
    protected.lab.advance(60)
    assert code(protected.act("plannedFailover", protected.failover_body())) == "28031"
    shown = protected.properties()
    assert (shown["protectionState"], shown["allowedOperations"][0]) == ("UnplannedFailoverFailed", "PlannedFailover")
    protected.lab.world.resources.put(
        f"{PROD}-none/subnets/apps", protected.lab.world.resources.get(f"{PROD}/subnets/apps")
    )
    protected.fail_over()


# Changing


def test_a_change_of_the_target_is_there_after_a_failover(protected):
    nic = protected.properties()["providerSpecificDetails"]["vmNics"][0]["nicId"]
    body = {
        "properties": {
            "recoveryAzureVMName": "vm-renamed",
            "recoveryAzureVMSize": "Standard_D2s_v5",
            "selectedSourceNicId": nic,
            "vmNics": [
                {
                    "nicId": nic,
                    "selectionType": "SelectedByUser",
                    "ipConfigs": [{"recoverySubnetName": "apps", "recoveryStaticIPAddress": "10.50.1.77"}],
                }
            ],
            "providerSpecificDetails": {
                "instanceType": "HyperVReplicaAzure",
                "useManagedDisks": "true",
                "targetVmTags": {"team": "sql"},
                "vmDisks": [
                    {
                        "diskId": protected.properties()["providerSpecificDetails"]["azureVmDiskDetails"][0]["diskId"],
                        "targetDiskName": "disk-sql",
                    }
                ],
            },
        }
    }
    job = protected.lab.do("PATCH", protected.item, body)
    assert (job["state"], job["scenarioName"]) == ("Succeeded", "UpdateVmProperties")
    details = protected.properties()["providerSpecificDetails"]
    assert (details["recoveryAzureVmName"], details["useManagedDisks"]) == ("vm-renamed", "true")
    assert details["azureVmDiskDetails"][0]["customTargetDiskName"] == "disk-sql"
    assert details["vmNics"][0]["targetNicName"] == "nic-vm-renamed-00"
    protected.fail_over()
    assert protected.vms["vm-renamed"]["tags"] == {"team": "sql"}


def test_a_change_while_the_machine_runs_in_azure_fails(protected):
    protected.fail_over()
    job = protected.lab.do("PATCH", protected.item, {"properties": {"recoveryAzureVMName": "other"}})
    assert code(job) == "25037"


# The way back


def test_reprotecting_a_protected_machine_is_refused_at_once(protected):
    refused = protected.lab.ask("POST", f"{protected.item}/reProtect", REPROTECT)
    assert (refused.status, refused.body["error"]["code"]) == (400, "BadRequest")
    assert refused.body["error"]["details"][0]["code"] == "InvalidFailoverDirection"


def test_reprotecting_a_machine_that_has_not_come_back_fails_in_the_job(protected):
    protected.fail_over()
    protected.commit()
    assert code(protected.act("reProtect", REPROTECT)) == "25038"


def test_a_failback_before_the_commit_fails(protected):
    protected.fail_over()
    assert code(protected.act("plannedFailover", protected.failback_body())) == "25037"


def test_a_failback_in_the_wrong_direction_fails(protected):
    protected.fail_over()
    protected.commit()
    assert code(protected.act("plannedFailover", protected.failback_body("PrimaryToRecovery"))) == "25037"


def test_a_failback_of_a_machine_that_never_left_fails(protected):
    assert code(protected.act("plannedFailover", protected.failback_body())) == "25037"


@pytest.mark.parametrize("option", ["dataSyncOption", "recoveryVmCreationOption"])
def test_a_failback_with_an_unknown_option_is_refused(protected, option):
    protected.fail_over()
    protected.commit()
    body = protected.failback_body(**{option: "Perhaps"})
    refused = protected.lab.ask("POST", f"{protected.item}/plannedFailover", body)
    assert refused.status == 400
    assert option in refused.body["error"]["message"]


def test_a_failback_shuts_the_azure_machine_down_and_its_commit_removes_it(protected):
    protected.fail_over()
    protected.commit()
    protected.act("plannedFailover", protected.failback_body(dataSyncOption="ForDownTime"))
    vm = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm-sql-1"
    view = protected.lab.get(f"{vm}/instanceView", api="2025-04-01")
    assert view["statuses"][1]["code"] == "PowerState/deallocated"
    protected.commit()
    assert protected.lab.ask("GET", vm, api="2025-04-01").status == 404
    assert protected.lab.get(f"{GROUP}/providers/Microsoft.Compute/disks", api="2025-01-02")["value"] == []


# Refusals and removal


def test_the_details_of_another_provider_are_refused(protected):
    body = protected.failover_body()
    body["properties"]["providerSpecificDetails"] = {"instanceType": "InMageRcm", "performShutdown": "false"}
    assert protected.lab.ask("POST", f"{protected.item}/unplannedFailover", body).status == 400


def test_a_failback_named_in_an_unplanned_failover_is_refused(protected):
    refused = protected.lab.ask("POST", f"{protected.item}/unplannedFailover", protected.failback_body())
    assert refused.status == 400


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("failoverCommit", None),
        ("testFailoverCleanup", {"properties": {}}),
        ("failoverCancel", None),
        ("remove", {"properties": {"disableProtectionReason": "MigrationComplete"}}),
    ],
)
def test_a_protected_machine_has_nothing_to_commit_clean_cancel_or_complete(protected, verb, body):
    assert code(protected.act(verb, body)) == "25037"


def test_a_direction_back_without_a_failback_fails(protected):
    body = protected.failover_body()
    body["properties"]["failoverDirection"] = "RecoveryToPrimary"
    assert code(protected.act("plannedFailover", body)) == "25037"


def test_an_unknown_recovery_point_is_not_found(protected):
    body = protected.failover_body(recoveryPointId=f"{protected.item}/recoveryPoints/none")
    assert protected.lab.ask("POST", f"{protected.item}/unplannedFailover", body).status == 404


def test_an_item_can_be_purged_in_any_state(protected):
    protected.fail_over()
    job = protected.lab.do("DELETE", protected.item)
    assert (job["state"], job["scenarioName"]) == ("Succeeded", "PurgeVm")
    assert protected.lab.get(protected.protectable())["properties"]["protectionStatus"] == "Unprotected"
    assert set(protected.vms) == {"vm-sql-1"}


def test_a_planned_failover_to_a_chosen_point_makes_no_other_point(protected):
    protected.lab.advance(3600)
    chosen = protected.lab.get(f"{protected.item}/recoveryPoints")["value"][0]["name"]
    job = protected.act("plannedFailover", protected.failover_body(recoveryPointId=chosen))
    assert job["customDetails"]["protectedItemDetails"][0]["recoveryPointId"] == chosen
    after = [point["name"] for point in protected.lab.get(f"{protected.item}/recoveryPoints")["value"]]
    assert after.count(chosen) == 1


def test_a_host_that_is_gone_is_an_error_of_its_machines(protected):
    dra = protected.lab.get(f"{protected.fabric}/replicationRecoveryServicesProviders")["value"][0]["id"]
    assert protected.lab.do("DELETE", dra)["state"] == "Succeeded"
    protected.lab.advance(1800)
    shown = protected.properties()
    assert shown["replicationHealth"] == "Critical"
    assert "Hyper-V host" in next(one for one in shown["healthErrors"] if one["errorCode"] == "78186")["errorMessage"]


def test_a_resynchronization_goes_on_and_ends(protected):
    assert protected.act("repairReplication")["state"] == "Succeeded"
    protected.lab.advance(3600)
    assert protected.properties()["replicationHealth"] == "Normal"


def test_a_planted_machine_that_does_not_boot_fails_its_test(protected):
    protected.lab.world.faults.add({"match": {"name": "sql-1"}, "effect": "does_not_boot"})
    assert code(protected.act("testFailover", protected.test_body())) == "28190"


def test_the_policy_shows_the_renamed_settings(site):
    shown = site.lab.get(site.policy)["properties"]["providerSpecificDetails"]
    assert shown["recoveryPointHistoryDurationInHours"] == POLICY["recoveryPointHistoryDuration"]
    assert (shown["replicationInterval"], shown["encryption"]) == (300, "Disabled")


def test_the_world_can_be_stored_in_the_middle_of_each_operation(protected):
    actions = [
        ("testFailover", protected.test_body()),
        ("testFailoverCleanup", {"properties": {}}),
        ("plannedFailover", protected.failover_body()),
        ("failoverCommit", None),
        ("plannedFailover", protected.failback_body()),
        ("failoverCommit", None),
        ("reProtect", REPROTECT),
    ]
    lab = protected.lab
    for verb, body in actions:
        response = lab.ask("POST", f"{protected.item}/{verb}", body)
        lab.advance(0.5)
        lab.world = pickle.loads(pickle.dumps(lab.world))
        lab.world.hosts = lab.hosts
        lab.advance(3600)
        job = lab.get(response.headers["x-ms-request-id"])["properties"]
        assert (verb, job["state"]) == (verb, "Succeeded")
    assert protected.properties()["protectionState"] == "Protected"
