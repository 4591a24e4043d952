"""The way back: reprotection, failback, its commit, and to Azure again."""

import pytest


def fail_over(ready, *, commit=True):
    if not ready.rcm:
        make_failback_policy(ready)
    ready.protect()
    assert ready.lab.do("POST", f"{ready.item}/unplannedFailover", ready.failover_body())["state"] == "Succeeded"
    if commit:
        assert ready.lab.do("POST", f"{ready.item}/failoverCommit")["state"] == "Succeeded"


def make_failback_policy(ready):
    settings = {
        "instanceType": "InMage",
        "recoveryPointThresholdInMinutes": 60,
        "recoveryPointHistory": 1440,
        "appConsistentFrequencyInMinutes": 60,
        "multiVmSyncStatus": "Enable",
    }
    policy = f"{ready.vault}/replicationPolicies/back"
    made = ready.lab.do("PUT", policy, {"properties": {"providerSpecificInput": settings}})
    assert made["state"] == "Succeeded", made["errors"]
    mapping = {"properties": {"targetProtectionContainerId": ready.container, "policyId": policy}}
    path = f"{ready.container}/replicationProtectionContainerMappings/back"
    paired = ready.lab.do("PUT", path, mapping)
    assert paired["state"] == "Succeeded", paired["errors"]


def reprotect_body(ready, **changes):
    if ready.rcm:
        details = {
            "instanceType": "InMageRcm",
            "reprotectAgentId": ready.server_id,
            "datastoreName": "datastore",
            "logStorageAccountId": "account",
        }
    else:
        details = {
            "instanceType": "InMage",
            "masterTargetId": ready.server_id,
            "processServerId": ready.server_id,
            "retentionDrive": "R",
            "profileId": f"{ready.vault}/replicationPolicies/back",
            "datastoreName": "datastore",
        }
    return {"properties": {"failoverDirection": "RecoveryToPrimary", "providerSpecificDetails": details | changes}}


def failback(ready):
    """Return the action and body that bring the machine back."""
    details = {"instanceType": "InMageRcmFailback" if ready.rcm else "InMage", "recoveryPointType": "LatestTime"}
    if ready.rcm:
        details["recoveryPointType"] = "CrashConsistent"
    body = {"properties": {"failoverDirection": "PrimaryToRecovery", "providerSpecificDetails": details}}
    return ("plannedFailover" if ready.rcm else "unplannedFailover"), body


def power(ready):
    (vm,) = ready.vms.values()
    view = ready.lab.get(f"{vm['id']}/instanceView", api="2025-04-01")
    return view["statuses"][-1]["code"]


def test_a_reprotected_item_belongs_to_the_provider_of_the_way_back(ready):
    fail_over(ready)
    job = ready.lab.do("POST", f"{ready.item}/reProtect", reprotect_body(ready))
    assert (job["state"], job["scenarioName"]) == ("Succeeded", "SwitchReplicationGroupProtection")
    assert job["customDetails"]["instanceType"] == "SwitchProtectionJobDetails"
    assert job["customDetails"]["newReplicationProtectedItemId"].casefold() == ready.item.casefold()
    seen = ready.properties()
    assert seen["providerSpecificDetails"]["instanceType"] == ("InMageRcmFailback" if ready.rcm else "InMage")
    assert seen["protectionState"] == "InitialReplicationInProgress"
    assert (seen["activeLocation"], seen["allowedOperations"]) == ("Primary", ["DisableProtection"])


def test_a_classic_item_on_the_way_back_has_the_policy_of_the_way_back_and_its_own_site_as_target(classic):
    fail_over(classic)
    classic.lab.do("POST", f"{classic.item}/reProtect", reprotect_body(classic))
    seen = classic.properties()
    assert seen["policyFriendlyName"] == "back"
    assert seen["recoveryFabricId"].casefold() == classic.fabric.casefold()
    assert seen["recoveryContainerId"].casefold() == classic.container.casefold()
    assert "lastSuccessfulFailoverTime" not in seen


def test_a_classic_reprotection_needs_a_policy_of_the_way_back_that_is_associated(classic):
    fail_over(classic)
    job = classic.lab.do("POST", f"{classic.item}/reProtect", reprotect_body(classic, profileId=classic.policy))
    assert (job["state"], job["errors"][0]["serviceErrorDetails"]["code"]) == ("Failed", "78253")


def test_the_way_back_offers_its_failover_when_it_is_protected(ready):
    fail_over(ready)
    ready.lab.do("POST", f"{ready.item}/reProtect", reprotect_body(ready))
    ready.lab.until(ready.item, "Protected")
    wanted = ["PlannedFailover", "DisableProtection"] if ready.rcm else ["UnplannedFailover", "DisableProtection"]
    assert ready.properties()["allowedOperations"] == wanted


def test_a_machine_goes_back_and_to_azure_again(ready):
    fail_over(ready)
    lab = ready.lab
    lab.do("POST", f"{ready.item}/reProtect", reprotect_body(ready))
    lab.until(ready.item, "Protected")
    verb, body = failback(ready)
    assert lab.do("POST", f"{ready.item}/{verb}", body)["state"] == "Succeeded"
    assert power(ready) == "PowerState/deallocated"
    assert "Commit" in ready.properties()["allowedOperations"]
    assert lab.do("POST", f"{ready.item}/failoverCommit")["state"] == "Succeeded"
    assert ready.properties()["allowedOperations"] == ["DisableProtection", "SwitchProtection"]
    details = {"instanceType": "InMageAzureV2"}
    if ready.rcm:
        details = {"instanceType": "InMageRcmFailback", "processServerId": ready.server_id, "policyId": ready.policy}
    again = {"properties": {"failoverDirection": "PrimaryToRecovery", "providerSpecificDetails": details}}
    assert lab.do("POST", f"{ready.item}/reProtect", again)["state"] == "Succeeded"
    lab.until(ready.item, "Protected")
    seen = ready.properties()
    assert seen["providerSpecificDetails"]["instanceType"] == ready.provider
    assert "TestFailover" in seen["allowedOperations"]


def test_the_details_of_a_modernized_failback_tell_when_it_began(modern):
    fail_over(modern)
    modern.lab.do("POST", f"{modern.item}/reProtect", reprotect_body(modern))
    modern.lab.until(modern.item, "Protected")
    verb, body = failback(modern)
    began = modern.lab.now
    modern.lab.do("POST", f"{modern.item}/{verb}", body)
    details = modern.properties()["providerSpecificDetails"]
    assert details["lastPlannedFailoverStatus"] == "Succeeded"
    assert details["lastPlannedFailoverStartTime"].startswith(f"{began:%Y-%m-%dT%H:%M:%S}")
    assert modern.properties()["protectionState"] == "PlannedFailoverCommitRequired"


def test_an_item_on_the_way_back_can_be_removed(ready):
    fail_over(ready)
    ready.lab.do("POST", f"{ready.item}/reProtect", reprotect_body(ready))
    assert ready.lab.do("POST", f"{ready.item}/remove", {"properties": {}})["state"] == "Succeeded"
    assert ready.lab.ask("GET", ready.item).status == 404
    assert len(ready.vms) == 1


def test_a_failback_can_be_cancelled_before_its_commit(modern):
    fail_over(modern)
    modern.lab.do("POST", f"{modern.item}/reProtect", reprotect_body(modern))
    modern.lab.until(modern.item, "Protected")
    verb, body = failback(modern)
    modern.lab.do("POST", f"{modern.item}/{verb}", body)
    assert modern.lab.do("POST", f"{modern.item}/failoverCancel")["state"] == "Succeeded"
    assert modern.properties()["protectionState"] == "Protected"
    assert power(modern) == "PowerState/running"


def test_a_protected_item_is_not_reprotected(ready):
    ready.protect()
    job = ready.lab.do("POST", f"{ready.item}/reProtect", reprotect_body(ready))
    assert (job["state"], job["errors"][0]["serviceErrorDetails"]["code"]) == ("Failed", "25037")


def test_a_reprotection_in_the_wrong_direction_is_refused_at_once(ready):
    fail_over(ready)
    body = reprotect_body(ready)
    body["properties"]["failoverDirection"] = "PrimaryToRecovery"
    answer = ready.lab.ask("POST", f"{ready.item}/reProtect", body)
    assert answer.status == 400
    assert answer.body["error"]["details"][0]["code"] == "InvalidFailoverDirection"


def test_a_reprotection_names_a_server_of_the_fabric(ready):
    fail_over(ready)
    name = "reprotectAgentId" if ready.rcm else "masterTargetId"
    job = ready.lab.do("POST", f"{ready.item}/reProtect", reprotect_body(ready, **{name: "elsewhere"}))
    assert job["state"] == "Failed"
    assert "elsewhere" in job["errors"][0]["serviceErrorDetails"]["possibleCauses"]


@pytest.mark.parametrize("name", ["InMageRcmFailback", "InMage"])
def test_no_machine_is_enabled_with_a_provider_of_the_way_back(modern, name):
    details = {"instanceType": name}
    if name == "InMage":
        details |= {
            "masterTargetId": "m",
            "processServerId": "p",
            "retentionDrive": "R",
            "multiVmGroupId": "g",
            "multiVmGroupName": "g",
        }
    body = {"properties": {"policyId": modern.policy, "providerSpecificDetails": details}}
    answer = modern.lab.ask("PUT", modern.item, body)
    assert answer.status == 400
    assert "reProtect" in answer.body["error"]["message"] or name in answer.body["error"]["message"]


def test_a_classic_item_is_reprotected_with_the_way_backs_name_only(classic):
    fail_over(classic)
    body = {
        "properties": {
            "failoverDirection": "RecoveryToPrimary",
            "providerSpecificDetails": {"instanceType": "InMageAzureV2"},
        }
    }
    assert classic.lab.ask("POST", f"{classic.item}/reProtect", body).status == 400
