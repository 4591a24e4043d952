"""Replication policies of every instanceType."""

import pytest

INPUTS = {
    "InMageAzureV2": (
        {
            "recoveryPointThresholdInMinutes": 10,
            "recoveryPointHistory": 2880,
            "crashConsistentFrequencyInMinutes": 5,
            "appConsistentFrequencyInMinutes": 0,
            "multiVmSyncStatus": "Enable",
        },
        {
            "crashConsistentFrequencyInMinutes": 5,
            "recoveryPointThresholdInMinutes": 10,
            "recoveryPointHistory": 2880,
            "appConsistentFrequencyInMinutes": 0,
            "multiVmSyncStatus": "Enabled",
        },
    ),
    "InMage": (
        {
            "recoveryPointThresholdInMinutes": 5,
            "recoveryPointHistory": 2400,
            "appConsistentFrequencyInMinutes": 900,
            "multiVmSyncStatus": "Disable",
        },
        {
            "recoveryPointThresholdInMinutes": 5,
            "recoveryPointHistory": 2400,
            "appConsistentFrequencyInMinutes": 900,
            "multiVmSyncStatus": "Disabled",
        },
    ),
    "InMageRcm": (
        {
            "recoveryPointHistoryInMinutes": 4320,
            "crashConsistentFrequencyInMinutes": 5,
            "appConsistentFrequencyInMinutes": 240,
            "enableMultiVmSync": "true",
        },
        {
            "recoveryPointHistoryInMinutes": 4320,
            "appConsistentFrequencyInMinutes": 240,
            "crashConsistentFrequencyInMinutes": 5,
            "enableMultiVmSync": "true",
            "status": False,
            "associatedItemsCount": 0,
            "dataSourceType": "VM",
        },
    ),
    "InMageRcmFailback": (
        {"crashConsistentFrequencyInMinutes": 5, "appConsistentFrequencyInMinutes": 60},
        {"appConsistentFrequencyInMinutes": 60, "crashConsistentFrequencyInMinutes": 5},
    ),
    "HyperVReplicaAzure": (
        {
            "recoveryPointHistoryDuration": 2,
            "applicationConsistentSnapshotFrequencyInHours": 1,
            "replicationInterval": 30,
            "storageAccounts": ["/subscriptions/s/account"],
        },
        {
            "recoveryPointHistoryDurationInHours": 2,
            "applicationConsistentSnapshotFrequencyInHours": 1,
            "replicationInterval": 30,
            "onlineReplicationStartTime": None,
            "encryption": "Disabled",
            "activeStorageAccountId": "/subscriptions/s/account",
        },
    ),
    "A2A": (
        {
            "recoveryPointHistory": 1440,
            "crashConsistentFrequencyInMinutes": 5,
            "appConsistentFrequencyInMinutes": 240,
            "multiVmSyncStatus": "Enable",
        },
        {
            "recoveryPointThresholdInMinutes": 0,
            "recoveryPointHistory": 1440,
            "appConsistentFrequencyInMinutes": 240,
            "multiVmSyncStatus": "Enabled",
            "crashConsistentFrequencyInMinutes": 5,
        },
    ),
}


@pytest.mark.parametrize("kind", INPUTS)
def test_a_policy_is_read_back_in_the_words_of_the_service(lab, vault, kind):
    given, shown = INPUTS[kind]
    assert lab.policy(vault, {"instanceType": kind, **given})["state"] == "Succeeded"
    details = lab.get(f"{vault}/replicationPolicies/policy")["properties"]["providerSpecificDetails"]
    assert details == {"instanceType": kind, **shown}
    assert list(details) == ["instanceType", *shown]


def test_a_policy_of_appliances_told_less_before_2022_08_01(lab, vault):
    given, shown = INPUTS["InMageRcm"]
    lab.policy(vault, {"instanceType": "InMageRcm", **given})
    old = lab.get(f"{vault}/replicationPolicies/policy", api="2021-06-01")["properties"]["providerSpecificDetails"]
    assert set(shown) - set(old) == {"status", "associatedItemsCount", "dataSourceType"}


def test_the_same_policy_twice_is_created_once(lab, vault):
    given, _ = INPUTS["A2A"]
    states = [lab.policy(vault, {"instanceType": "A2A", **given})["state"] for _ in range(2)]
    assert states == ["Succeeded", "Succeeded"]
    assert lab.names(f"{vault}/replicationPolicies") == ["policy"]


def test_a_policy_over_one_with_other_settings_fails_in_the_job_with_15035_and_may_be_restarted(lab, vault):
    given, _ = INPUTS["InMageRcm"]
    lab.policy(vault, {"instanceType": "InMageRcm", **given})
    job = lab.policy(vault, {"instanceType": "InMageRcm", **given, "recoveryPointHistoryInMinutes": 60})
    assert job["state"] == "Failed"
    assert job["errors"][0]["serviceErrorDetails"]["code"] == "15035"
    assert job["allowedActions"] == ["Restart"]


@pytest.mark.parametrize(
    ("kind", "change", "code"),
    [
        ("InMageAzureV2", {"recoveryPointHistory": 4321}, "15040"),
        ("InMageRcm", {"recoveryPointHistoryInMinutes": 21601}, "15040"),
        ("HyperVReplicaAzure", {"replicationInterval": 60}, "15040"),
        ("HyperVReplicaAzure", {"recoveryPointHistoryDuration": 25}, "15040"),
        ("HyperVReplicaAzure", {"applicationConsistentSnapshotFrequencyInHours": 3}, "15040"),
        ("A2A", {"crashConsistentFrequencyInMinutes": -1}, "150261"),
    ],
)
def test_bad_numbers_fail_in_the_job(lab, vault, kind, change, code):
    job = lab.policy(vault, {"instanceType": kind, **INPUTS[kind][0], **change})
    assert (job["state"], job["errors"][0]["serviceErrorDetails"]["code"]) == ("Failed", code)
    assert lab.names(f"{vault}/replicationPolicies") == []


def test_a_change_keeps_what_is_not_given(lab, vault):
    lab.policy(vault, {"instanceType": "HyperVReplicaAzure", **INPUTS["HyperVReplicaAzure"][0]})
    change = {"instanceType": "HyperVReplicaAzure", "replicationInterval": 300}
    job = lab.do(
        "PATCH", f"{vault}/replicationPolicies/policy", {"properties": {"replicationProviderSettings": change}}
    )
    assert job["scenarioName"] == "ModifyProtectionProfile"
    details = lab.get(f"{vault}/replicationPolicies/policy")["properties"]["providerSpecificDetails"]
    assert (details["replicationInterval"], details["recoveryPointHistoryDurationInHours"]) == (300, 2)


def test_a_policy_cannot_become_one_of_another_provider(lab, vault):
    lab.policy(vault, {"instanceType": "A2A", **INPUTS["A2A"][0]})
    body = {"properties": {"replicationProviderSettings": {"instanceType": "InMageRcm", "enableMultiVmSync": "true"}}}
    status, code, _ = lab.refused("PATCH", f"{vault}/replicationPolicies/policy", body)
    assert (status, code) == (400, "InvalidPolicy")


def test_a_policy_for_agentless_migration_is_named_as_not_simulated(lab, vault):
    body = {"properties": {"providerSpecificInput": {"instanceType": "VMwareCbt"}}}
    status, code, message = lab.refused("PUT", f"{vault}/replicationPolicies/policy", body)
    assert (status, code) == (501, "NotSimulated")
    assert "ReplicationPoliciesOperations.begin_create" in message


def test_a_policy_without_settings_is_refused_at_once(lab, vault):
    status, code, message = lab.refused("PUT", f"{vault}/replicationPolicies/policy", {"properties": {}})
    assert (status, code) == (400, "InvalidParameter")
    assert "providerSpecificInput" in message


def test_a_policy_in_use_cannot_be_deleted(classic):
    classic.map_policy()
    job = classic.lab.do("DELETE", f"{classic.vault}/replicationPolicies/policy")
    assert job["state"] == "Failed"
    assert "mapping" in job["errors"][0]["serviceErrorDetails"]["possibleCauses"]
