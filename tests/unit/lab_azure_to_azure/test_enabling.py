"""Enabling replication of an Azure machine: the sequence that was recorded, and what stands in the way."""

import pytest

from asr_lab.arm.providers.azure_to_azure_source import seed_virtual_machine
from asr_lab.arm.resources.compute import set_power

from .conftest import ACCOUNT, ACCOUNT_THERE, GROUP, NETWORK_THERE, PROD, THERE_GROUP, code


def _enable(regions, **changes):
    return regions.lab.do("PUT", regions.item, regions.enable_body(**changes))


def _refused(regions, **changes):
    response = regions.lab.ask("PUT", regions.item, regions.enable_body(**changes))
    assert response.status in (400, 404), response.body
    return response.body["error"]["details"][0]["code"]


def test_the_enable_operation_takes_the_recorded_seven_minutes(ready):
    ready.lab.ask("PUT", ready.item, ready.enable_body())
    ready.lab.advance(420)
    assert ready.properties()["currentScenario"]["scenarioName"] == "EnableProtection"
    ready.lab.advance(10)
    assert ready.properties()["currentScenario"]["scenarioName"] == "None"


def test_before_replication_begins_the_disks_are_unavailable(ready):
    ready.lab.ask("PUT", ready.item, ready.enable_body())
    ready.lab.advance(60)
    assert {disk["diskState"] for disk in ready.details()["protectedManagedDisks"]} == {"Unavailable"}


def test_initial_replication_shows_the_recorded_sequence(ready):
    ready.succeed("PUT", ready.item, ready.enable_body())
    seen = []
    for _ in range(50):
        properties = ready.properties()
        details = properties["providerSpecificDetails"]
        disk = details["protectedManagedDisks"][0]
        row = (properties["protectionState"], details["vmProtectionState"], disk["diskState"])
        if not seen or seen[-1] != row:
            seen.append(row)
        ready.lab.advance(30)
    assert seen == [
        ("InitialReplicationInProgress", "UnprotectedStatesBegin", "InitialReplicationPending"),
        ("InitialReplicationRecoveryCompletionPending", "UnprotectedStatesBegin", "InitialReplicationPending"),
        ("Protected", "Protected", "Protected"),
    ]


def test_percentages_begin_late_never_reach_the_end_and_stay(ready):
    ready.succeed("PUT", ready.item, ready.enable_body())
    seen = []
    for _ in range(50):
        seen.append(ready.details()["monitoringPercentageCompletion"])
        ready.lab.advance(30)
    assert seen[0] is None
    assert 0 <= min(one for one in seen if one is not None) < 10
    assert seen[-1] == max(one for one in seen if one is not None) == 43


def test_interfaces_network_and_tags_are_known_when_the_machine_is_protected(ready):
    ready.succeed("PUT", ready.item, ready.enable_body())
    before = ready.details()
    assert (before["vmNics"], before["selectedRecoveryAzureNetworkId"], before["lifecycleId"]) == ([], None, None)
    assert "agentCertificateExpiryDate" not in before
    ready.lab.until(ready.item, "Protected")
    after = ready.details()
    assert after["selectedRecoveryAzureNetworkId"] == NETWORK_THERE
    assert after["vmNics"][0]["vMNetworkName"] == PROD
    assert after["vmNics"][0]["ipConfigs"][0]["recoverySubnetName"] == "apps"
    assert after["vmSyncedConfigDetails"]["tags"] == {"service": "billing"}
    assert after["lifecycleId"]
    assert after["agentCertificateExpiryDate"]


def test_ids_of_machine_and_disks_are_written_in_lower_case(protected):
    details = protected.details()
    assert details["fabricObjectId"] == protected.machine.lower()
    assert all(disk["diskId"].islower() for disk in details["protectedManagedDisks"])


def test_both_sides_of_the_item_are_fabrics_of_the_vault(protected):
    properties = protected.properties()
    assert properties["primaryFabricFriendlyName"] == "West Europe"
    assert properties["recoveryFabricFriendlyName"] == "North Europe"
    assert properties["recoveryFabricId"].endswith("/replicationFabrics/fabric-ne")
    assert properties["recoveryContainerId"].endswith("/replicationProtectionContainers/container-ne")
    assert properties["primaryFabricProvider"] == "AzureFabric"


def test_a_subnet_may_be_named_by_its_id(ready):
    subnet = f"{NETWORK_THERE}/subnets/apps"
    assert _enable(ready, recoveryAzureNetworkId=NETWORK_THERE, recoverySubnetName=subnet)["state"] == "Succeeded"
    ready.lab.until(ready.item, "Protected")
    nic = ready.details()["vmNics"][0]
    assert (nic["ipConfigs"][0]["recoverySubnetName"], nic["selectionType"]) == ("apps", "SelectedByUserOverride")


def test_enabling_twice_succeeds_with_the_recorded_warning(protected):
    started = protected.lab.ask("PUT", protected.item, protected.enable_body())
    protected.lab.advance(600)
    path = started.headers["Azure-AsyncOperation"].partition("management.azure.com")[2].partition("?")[0]
    status = protected.lab.get(path)
    assert (status["status"], status["error"]["code"]) == ("Succeeded", "45031")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"fabricObjectId": f"{GROUP}/providers/Microsoft.Compute/virtualMachines/none"}, "InvalidFabricObjectId"),
        ({"fabricObjectId": ACCOUNT}, "InvalidFabricObjectId"),
        ({"recoveryContainerId": f"{GROUP}/none"}, "ArmResourceDoesNotExist"),
        ({"recoveryContainerId": None}, "InvalidParameter"),
        ({"recoveryResourceGroupId": None}, "InvalidParameter"),
        (
            {
                "vmDisks": [
                    {
                        "diskUri": "https://account.blob.core.windows.net/vhds/os.vhd",
                        "recoveryAzureStorageAccountId": ACCOUNT_THERE,
                        "primaryStagingAzureStorageAccountId": ACCOUNT,
                    }
                ]
            },
            "InvalidDiskInput",
        ),
    ],
)
def test_what_the_request_gets_wrong_is_refused_at_once(ready, changes, expected):
    assert _refused(ready, **changes) == expected


def test_a_machine_of_another_region_is_refused(ready):
    other = seed_virtual_machine(
        ready.lab.world,
        ready.lab.now,
        resource_group=THERE_GROUP,
        name="db-2",
        location="northeurope",
        subnet_id=f"{NETWORK_THERE}/subnets/apps",
    )
    assert _refused(ready, fabricObjectId=other) == "InvalidFabricObjectId"


def test_its_own_container_cannot_be_the_recovery_container(ready):
    assert _refused(ready, recoveryContainerId=ready.container_here) == "InvalidRecoveryContainer"


def test_a_disk_of_another_machine_is_refused(ready):
    rows = ready.disk_rows([f"{GROUP}/providers/Microsoft.Compute/disks/other"])
    assert _refused(ready, vmManagedDisks=rows) == "InvalidDiskInput"


def test_a_provider_of_another_kind_of_fabric_is_refused(ready):
    body = ready.enable_body()
    body["properties"]["providerSpecificDetails"] = {"instanceType": "InMageAzureV2"}
    assert ready.lab.ask("PUT", ready.item, body).status == 400


def test_a_property_that_the_models_do_not_have_is_refused(ready):
    response = ready.lab.ask("PUT", ready.item, ready.enable_body(recoveryVirtualMachineName="db-1"))
    assert response.status == 400
    assert "recoveryVirtualMachineName" in response.body["error"]["message"]


def test_a_policy_that_is_not_mapped_to_the_recovery_container_fails_the_job(regions):
    regions.make_fabrics()
    regions.make_containers()
    regions.make_policy()
    assert code(_enable(regions)) == "78253"
    assert regions.properties()["protectionState"] == "EnablingFailed"


def test_a_machine_that_is_not_running_fails_the_job(ready):
    set_power(ready.lab.world, ready.machine, "deallocated", ready.lab.now)
    assert code(_enable(ready)) == "MachineNotRunning"


@pytest.mark.parametrize(
    "changes",
    [
        {"recoveryResourceGroupId": f"{GROUP}-none"},
        {"recoveryAzureNetworkId": f"{GROUP}/providers/Microsoft.Network/virtualNetworks/none"},
        {"recoveryAzureNetworkId": PROD},
        {"vmManagedDisks": []},
    ],
)
def test_what_is_missing_on_the_recovery_side_fails_the_job(ready, changes):
    assert code(_enable(ready, **changes)) == "310056"


@pytest.mark.parametrize("account", [f"{ACCOUNT}none", ACCOUNT_THERE])
def test_a_staging_account_that_is_missing_or_in_another_region_fails_the_job(ready, account):
    rows = ready.disk_rows(ready.disks(), account=account)
    job = _enable(ready, vmManagedDisks=rows)
    assert code(job) == "310056"
    assert "storage account" in job["errors"][0]["serviceErrorDetails"]["possibleCauses"]


def test_the_disk_to_boot_from_must_be_protected(ready):
    assert code(_enable(ready, vmManagedDisks=ready.disk_rows(ready.disks()[1:]))) == "310056"


def test_after_a_failed_enable_the_item_can_be_removed_and_made_again(ready):
    _enable(ready, vmManagedDisks=[])
    ready.succeed("POST", f"{ready.item}/remove", {"properties": {}})
    ready.protect()
    assert ready.properties()["replicationHealth"] == "Normal"


def test_replication_stands_still_while_the_machine_is_off(ready):
    ready.succeed("PUT", ready.item, ready.enable_body())
    set_power(ready.lab.world, ready.machine, "deallocated", ready.lab.now)
    ready.lab.advance(7200)
    assert ready.properties()["protectionState"] == "InitialReplicationInProgress"
    set_power(ready.lab.world, ready.machine, "running", ready.lab.now)
    ready.lab.until(ready.item, "Protected")
