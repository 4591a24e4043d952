"""Enabling protection of a Hyper-V machine: the job, the initial replication, IrCompletion, what is refused."""

import pytest
from tests.unit.lab_hyper_v.conftest import OLD, machine
from tests.worlds.hosts import GIB
from tests.worlds.zones import GROUP, PROD

from asr_lab.arm.providers.hyper_v_model import VirtualDisk

TASKS = [
    ("EnableProtectionPreflightChecksTask", "Prerequisites check for enabling protection"),
    ("CreateProtectionTargetTask", "Identifying the replication target"),
    ("EnableProtectionTask", "Enable replication"),
    ("StartInitialReplicationTask", "Starting initial replication"),
    ("UpdateDraStateTask", "Updating the provider states"),
]


def jobs(site, scenario):
    listed = site.lab.get(f"{site.vault}/replicationJobs")["value"]
    return [one for one in listed if one["properties"]["scenarioName"] == scenario]


def failure(job):
    error = job["errors"][0]
    return error["serviceErrorDetails"]["code"], error["providerErrorDetails"]["possibleCauses"]


def test_the_enable_job_has_the_recorded_tasks_and_details(site):
    job = site.lab.do("PUT", site.item, site.enable_body())
    assert [(task["taskId"], task["friendlyName"]) for task in job["tasks"]] == TASKS
    assert (job["targetObjectId"], job["targetObjectName"]) == (site.machines[0].vm_id, "sql-1")
    affected = job["customDetails"]["affectedObjectDetails"]
    assert affected["primaryCloudId"] == site.container.rpartition("/")[2]
    assert (affected["primaryFabricProviderId"], affected["recoveryFabricProviderId"]) == ("HyperVSite", "Azure")
    assert (affected["primaryVmId"], affected["primaryVmName"]) == (site.machines[0].vm_id, "sql-1")


def test_the_item_goes_through_the_states_of_the_initial_replication(site):
    site.lab.do("PUT", site.item, site.enable_body())
    seen = []
    for _ in range(20):
        shown = site.properties()
        row = (shown["protectionState"], shown["providerSpecificDetails"]["vmProtectionState"])
        if row not in seen:
            seen.append(row)
        site.lab.advance(60)
    assert seen == [
        ("InitialReplicationInProgress", "UnprotectedStatesBegin"),
        ("InitialReplicationRecoveryCompletionPending", "UnprotectedStatesBegin"),
        ("Protected", "Protected"),
    ]


def test_a_second_job_completes_the_initial_replication_and_allows_nothing_meanwhile(site):
    site.lab.do("PUT", site.item, site.enable_body())
    while site.properties()["protectionState"] != "Protected":
        site.lab.advance(5)
    shown = site.properties()
    assert shown["allowedOperations"] == []
    assert shown["providerSpecificDetails"]["vmProtectionState"] == "ReplicaConfigurationInProgress"
    assert shown["currentScenario"]["scenarioName"] == "EnableProtection"
    running = site.lab.get(shown["currentScenario"]["jobId"])["properties"]
    assert running["scenarioName"] == "IrCompletion"
    assert [task["taskId"] for task in running["tasks"]] == [
        "CompleteInitialReplicationTask",
        "ReplicaConfigurationPreflightChecksTask",
        "ReplicaConfigurationTask",
        "UpdateDraStateTask",
    ]
    site.lab.advance(16)
    shown = site.properties()
    assert shown["allowedOperations"] == ["PlannedFailover", "UnplannedFailover", "DisableProtection", "TestFailover"]
    assert shown["currentScenario"]["scenarioName"] == "None"


def test_an_item_shows_the_properties_of_2023(protected):
    protected.lab.advance(1200)
    shown = protected.lab.get(protected.item, api="2022-08-01")["properties"]
    assert (shown["protectedItemType"], shown["primaryFabricProvider"]) == (
        "HyperVVirtualMachine",
        "SingleHostHyperVFabric",
    )
    assert shown["switchProviderStateDescription"] is None
    warning = shown["healthErrors"][0]
    assert (warning["errorCode"], warning["errorType"], warning["errorId"]) == ("161011", "8010", "6:8010")
    details = shown["providerSpecificDetails"]
    assert details["recoveryAzureVmName"] == "vm-sql-1"
    assert [disk["vhdType"] for disk in details["azureVmDiskDetails"]] == ["OperatingSystem", "Data"]
    assert details["azureVmDiskDetails"][0]["diskId"].startswith(protected.machines[0].vm_id.upper())
    nic = details["vmNics"][0]
    assert (nic["recoveryVMNetworkId"], nic["ipConfigs"][0]["recoverySubnetName"]) == (PROD, "apps")
    assert details["lastReplicatedTime"] is not None
    assert "linuxLicenseType" not in details


def test_an_item_shows_the_names_of_2017_in_the_oldest_version(protected):
    shown = protected.lab.get(protected.item, api=OLD)["properties"]
    details = shown["providerSpecificDetails"]
    assert details["recoveryAzureVMName"] == "vm-sql-1"
    assert details["vmNics"][0]["recoveryVMSubnetName"] == "apps"
    assert set(details["azureVMDiskDetails"][0]) == {
        "vhdType",
        "vhdId",
        "vhdName",
        "maxSizeMB",
        "targetDiskLocation",
        "targetDiskName",
        "lunId",
    }
    assert "rpoInSeconds" not in details


def test_the_wanted_name_being_taken_is_a_warning_in_a_succeeded_operation(protected):
    assert protected.act("unplannedFailover", protected.failover_body())["state"] == "Succeeded"
    other = f"{protected.container}/replicationProtectedItems/web-1"
    response = protected.lab.ask("PUT", other, protected.enable_body(1, targetAzureVmName="vm-sql-1"))
    status = response.headers["Azure-AsyncOperation"].partition("?")[0].partition(".com")[2]
    protected.lab.advance(120)
    told = protected.lab.get(status)
    assert (told["status"], told["error"]["code"]) == ("Succeeded", "28061")


def test_enabling_a_protected_machine_again_succeeds_with_a_warning(protected):
    response = protected.lab.ask("PUT", protected.item, protected.enable_body())
    status = response.headers["Azure-AsyncOperation"].partition("?")[0].partition(".com")[2]
    protected.lab.advance(5)
    assert protected.lab.get(status)["error"]["code"] == "45031"


def test_recovery_points_come_and_are_kept_as_long_as_the_policy_says(protected):
    protected.lab.advance(8 * 3600)
    points = protected.lab.get(f"{protected.item}/recoveryPoints")["value"]
    kinds = {point["properties"]["recoveryPointType"] for point in points}
    assert kinds == {"CrashConsistent", "ApplicationConsistent"}
    times = [point["properties"]["recoveryPointTime"] for point in points]
    assert times == sorted(times, reverse=True)
    assert points[-1]["properties"]["recoveryPointTime"] >= "2026-03-01T12:"


def test_replication_to_managed_disks_shows_them(site):
    body = site.enable_body(useManagedDisksForReplication="True", useManagedDisks="true", diskType="Premium_LRS")
    assert site.lab.do("PUT", site.item, body)["state"] == "Succeeded"
    details = site.properties()["providerSpecificDetails"]
    assert details["useManagedDisks"] == "true"
    assert [disk["replicaDiskType"] for disk in details["protectedManagedDisks"]] == ["Premium_LRS", "Premium_LRS"]
    assert all("/disks/asrseeddisk-" in disk["seedManagedDiskId"] for disk in details["protectedManagedDisks"])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"targetAzureNetworkId": f"{GROUP}/providers/Microsoft.Network/virtualNetworks/none"}, "does not exist"),
        ({"targetAzureSubnetId": f"{PROD}/subnets/none"}, "no subnet 'none'"),
        ({"targetStorageAccountId": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/none"}, "does not exist"),
        ({"targetStorageAccountId": None}, "targetStorageAccountId"),
        ({"targetAzureV2ResourceGroupId": f"{GROUP}-none"}, "resource group"),
        ({"disksToInclude": ["00000000-0000-0000-0000-000000000000"]}, "system"),
    ],
)
def test_what_is_wrong_with_the_target_fails_the_job(site, change, problem):
    job = site.lab.do("PUT", site.item, site.enable_body(**change))
    code, causes = failure(job)
    assert (job["state"], code) == ("Failed", "70094")
    assert problem in causes
    assert job["errors"][0]["providerErrorDetails"]["errorCode"] == 31389
    assert site.properties()["protectionState"] == "EnablingFailed"
    assert site.act("remove", {"properties": {}})["state"] == "Succeeded"


def test_a_policy_that_is_not_associated_fails_the_job(site):
    site.lab.do("POST", f"{site.mapping}/remove", {"properties": {}})
    job = site.lab.do("PUT", site.item, site.enable_body())
    assert (job["state"], job["errors"][0]["serviceErrorDetails"]["code"]) == ("Failed", "78253")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"has_shared_vhd": True}, "shared virtual hard disk"),
        ({"disks": ()}, "no disks"),
        ({"disks": (VirtualDisk("ecdaefa8-9206-4d8b-9ff8-000000000001", "big", 3000 * GIB, boot=True),)}, "2048 GiB"),
    ],
)
def test_a_machine_that_cannot_be_replicated_fails_the_job(bare, changes, problem):
    bare.machines[0] = machine("sql-1", 1, **changes)
    bare.make()
    bare.register()
    bare.associate()
    job = bare.lab.do("PUT", bare.item, bare.enable_body(vhdId=None, disksToInclude=None))
    assert job["state"] == "Failed"
    assert problem in failure(job)[1]


def refusal(site, body):
    refused = site.lab.ask("PUT", site.item, body)
    assert refused.status == 400, refused.body
    return refused.body["error"]


def test_another_provider_is_refused(site):
    body = site.enable_body()
    body["properties"]["providerSpecificDetails"] = {"instanceType": "InMageAzureV2"}
    assert "HyperVReplicaAzure" in refusal(site, body)["message"]


def test_the_machine_of_another_id_is_refused(site):
    assert "hvHostVmId" in refusal(site, site.enable_body(hvHostVmId=site.machines[1].vm_id))["message"]


def test_a_request_without_a_machine_is_refused(site):
    body = site.enable_body()
    del body["properties"]["protectableItemId"]
    assert "protectableItemId" in refusal(site, body)["message"]


def test_a_request_without_a_resource_group_is_refused(site):
    assert (
        "targetAzureV2ResourceGroupId" in refusal(site, site.enable_body(targetAzureV2ResourceGroupId=None))["message"]
    )


def test_an_unknown_property_is_refused(site):
    assert "colour" in refusal(site, site.enable_body(colour="red"))["message"]


def test_a_machine_whose_system_nobody_knows_needs_it_in_the_request(bare):
    bare.machines[0] = machine("sql-1", 1, os_reported=False)
    bare.make()
    bare.register()
    bare.associate()
    assert "osType" in refusal(bare, bare.enable_body(osType=None))["message"]
    assert bare.lab.do("PUT", bare.item, bare.enable_body())["state"] == "Succeeded"


def test_a_machine_that_is_not_there_is_not_found(site):
    body = site.enable_body()
    body["properties"]["protectableItemId"] += "-none"
    assert site.lab.ask("PUT", site.item, body).status == 404
