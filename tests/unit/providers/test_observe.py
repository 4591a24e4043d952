"""What the providers make of items, jobs, VMs and sources; the requests are in the contract tests."""

import pytest
from tests.worlds.zones import short_zone

from asr_migrate.domain.errors import SetupError, WireError
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import AzureVm, Stage
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.site import Site, Sweep
from asr_migrate.providers.in_mage_azure_v2 import InMageAzureV2
from asr_migrate.providers.in_mage_rcm import InMageRcm

ZONE = LandingZone.model_validate(short_zone())
MACHINE = Machine(
    name="web",
    source_id="i-1",
    wave="w",
    os="linux",
    addresses=("10.20.1.21",),
    host_name="web-host",
    target={"vm_name": "vm-web"},
)
RCM = InMageRcm(ZONE)
V2 = InMageAzureV2(ZONE)
PROTECTED = ["UnplannedFailover", "DisableProtection", "TestFailover"]
TESTING = ["UnplannedFailover", "DisableProtection", "TestFailoverCleanup"]


def item(state="Protected", offered=(), *, details=(), job=None, scenario="None", **properties):
    return {
        "id": "/items/web",
        "name": "web",
        "properties": {
            "friendlyName": "web-host",
            "protectionState": state,
            "protectionStateDescription": f"in words: {state}",
            "allowedOperations": list(offered),
            "activeLocation": "Primary",
            "testFailoverState": "None",
            "currentScenario": {"scenarioName": scenario, "jobId": f"/jobs/{job}"},
            "providerSpecificDetails": {"instanceType": "InMageRcm", "targetVmName": "vm-web", **dict(details)},
            **properties,
        },
    }


def job(name, state, scenario="TestFailover", **properties):
    errors = [{"serviceErrorDetails": {"code": "28031", "message": "no quota"}}] if state == "Failed" else []
    return {
        "name": name,
        "properties": {
            "scenarioName": scenario,
            "friendlyName": scenario,
            "state": state,
            "targetObjectName": "web-host",
            "startTime": name,
            "tasks": [],
            "errors": errors,
            **properties,
        },
    }


def look(*items, jobs=(), vms=(), sources=(), provider=RCM, machine=MACHINE):
    return provider.observe(machine, Sweep(items, tuple(jobs), tuple(vms), tuple(sources)))


def vm(name="vm-web", source_id="i-1", group="rg", running=True):
    return AzureVm(name, f"/vms/{name}", group, running=running, tags={"asr-source-id": source_id})


@pytest.mark.parametrize(
    ("state", "offered", "more", "stage", "busy"),
    [
        ("UnprotectedStatesBegin", [], {}, Stage.ENABLING, True),
        ("InitialReplicationInProgress", ["DisableProtection"], {}, Stage.REPLICATING, True),
        ("InitialReplicationRecoveryCompletionPending", ["DisableProtection"], {}, Stage.REPLICATING, True),
        ("Protected", PROTECTED, {}, Stage.PROTECTED, False),
        ("Protected", [], {}, Stage.PROTECTED, True),
        ("Protected", PROTECTED, {"testFailoverState": "MarkedForDeletion"}, Stage.PROTECTED, False),
        ("Protected", PROTECTED, {"lastSuccessfulTestFailoverTime": "2026-01-01"}, Stage.TESTED, False),
        ("Protected", TESTING, {"testFailoverState": "whatever it is called"}, Stage.TEST_RUNNING, False),
        ("Protected", TESTING, {"testFailoverState": "Failed"}, Stage.BROKEN, False),
        ("EnablingFailed", ["DisableProtection"], {}, Stage.BROKEN, False),
        ("UnplannedFailoverFailed", PROTECTED, {}, Stage.BROKEN, False),
        ("CancelFailoverInProgress", [], {}, Stage.BROKEN, False),
        ("A state of tomorrow", [], {}, Stage.REPLICATING, True),
        ("A state of tomorrow", ["Commit", "CompleteMigration"], {}, Stage.FAILED_OVER, False),
        ("UnplannedFailoverStatesBegin", ["CompleteMigration"], {}, Stage.COMMITTED, False),
    ],
)
def test_the_stage_follows_from_what_is_offered_before_what_the_state_is_called(state, offered, more, stage, busy):
    seen = look(item(state, offered, **more), vms=[vm("vm-web-test")])
    assert (seen.stage, seen.busy) == (stage, busy)


@pytest.mark.parametrize(
    ("scenario", "stage"),
    [
        ("EnableProtection", Stage.ENABLING),
        ("TestFailover", Stage.TESTING),
        ("TestFailoverCleanup", Stage.CLEANING),
        ("UnplannedFailover", Stage.FAILING_OVER),
        ("Commit", Stage.COMMITTING),
    ],
)
def test_a_running_job_decides_the_stage_and_is_told_in_words(scenario, stage):
    running = job("j1", "InProgress", scenario, tasks=[{"state": "InProgress", "friendlyName": "Creating it"}])
    seen = look(item("Protected", PROTECTED, job="j1", scenario=scenario), jobs=[running])
    assert (seen.stage, seen.busy, seen.busy_with) == (stage, True, f"{scenario}: Creating it")


def test_removal_after_a_failover_is_the_completion_and_before_it_the_way_back_to_absent():
    running = job("j1", "InProgress", "DisableDr")
    there = {"job": "j1", "scenario": "DisableProtection"}
    assert look(item(**there, activeLocation="Recovery"), jobs=[running]).stage is Stage.COMPLETING
    assert look(item(**there), jobs=[running]).stage is Stage.ABSENT


def test_a_job_that_has_ended_does_not_make_a_machine_busy():
    seen = look(item("Protected", PROTECTED, job="j1", scenario="TestFailover"), jobs=[job("j1", "Succeeded")])
    assert (seen.stage, seen.busy) == (Stage.PROTECTED, False)


def test_a_failed_enable_is_told_by_its_job():
    failed = job("j1", "Failed", "EnableDr")
    seen = look(item("EnablingFailed", ["DisableProtection"], job="j1", scenario="EnableProtection"), jobs=[failed])
    assert (seen.stage, seen.error.code) == (Stage.BROKEN, "28031")


def test_a_test_that_left_no_vm_is_broken_with_the_error_of_its_newest_job():
    seen = look(item("Protected", TESTING), jobs=[job("j1", "Succeeded"), job("j2", "Failed")])
    assert (seen.stage, seen.error.code) == (Stage.BROKEN, "28031")


NEVER_TESTED = {"errorCode": "161011", "errorMessage": "never tested", "errorLevel": "Warning"}


@pytest.mark.parametrize("errors", [[], [NEVER_TESTED], [{"errorCode": "78186", "errorLevel": "Error"}]])
def test_a_failed_failover_is_told_by_its_job_when_the_item_is_idle_again(errors):
    jobs = [job("j1", "Succeeded", "TestFailoverCleanup"), job("j2", "Failed", "UnplannedFailover")]
    seen = look(item("UnplannedFailoverFailed", PROTECTED, healthErrors=errors), jobs=jobs)
    assert (seen.stage, seen.error.code) == (Stage.BROKEN, "28031")
    assert "no quota" in seen.error.message


def test_a_failure_that_was_overcome_since_is_not_why_a_machine_is_broken():
    jobs = [job("j1", "Failed", "EnableDr"), job("j2", "Succeeded", "EnableDr")]
    graver = {"errorCode": "310056", "errorMessage": "not configured", "errorLevel": "Error"}
    seen = look(item("CancelFailoverInProgress", [], healthErrors=[NEVER_TESTED, graver]), jobs=jobs)
    assert seen.error.code == "310056"


def test_a_warning_is_never_why_a_machine_is_broken():
    seen = look(item("UnplannedFailoverFailed", PROTECTED, healthErrors=[NEVER_TESTED]))
    assert (seen.error.code, seen.error.message) == (None, "in words: UnplannedFailoverFailed")


def test_an_enable_that_is_not_listed_as_an_item_yet_is_found_by_its_job():
    seen = look(jobs=[job("j1", "InProgress", "EnableDr")])
    assert (seen.stage, seen.busy) == (Stage.ENABLING, True)


def test_an_absent_item_with_a_tagged_vm_is_migrated():
    assert look(vms=[vm()]).stage is Stage.MIGRATED
    assert look(vms=[vm("renamed")]).vm.name == "renamed"


def test_a_test_vm_alone_is_not_a_migrated_machine():
    assert look(vms=[vm("vm-web-test")]).stage is Stage.ABSENT


@pytest.mark.parametrize("other", [vm(source_id="i-2"), vm("vm-web", "i-2")])
def test_a_vm_of_the_name_without_the_tag_takes_the_name(other):
    seen = look(vms=[other])
    assert (seen.stage, seen.name_taken) == (Stage.ABSENT, other)


def test_a_vm_of_another_resource_group_does_not_count():
    assert look(vms=[vm(group="elsewhere")]).stage is Stage.ABSENT


def test_progress_and_recovery_point_objective_are_read():
    details = {"initialReplicationProgressPercentage": 64, "lastRpoInSeconds": 90}
    seen = look(item("InitialReplicationInProgress", ["DisableProtection"], details=details))
    assert (seen.progress, seen.rpo_s) == (64.0, 90.0)
    assert seen.busy_with.endswith("64 %")


def test_replication_that_makes_no_progress_names_the_port_to_open():
    details = {"initialReplicationProgressHealth": "NoProgress"}
    seen = look(item("InitialReplicationInProgress", ["DisableProtection"], details=details))
    assert "9443" in seen.stalled.remedy


@pytest.mark.parametrize("key", ["healthErrors", "replicationHealthErrors"])
def test_a_health_error_of_both_api_generations_says_that_data_does_not_arrive(key):
    error = {"errorCode": "78186", "errorMessage": "no data", "possibleCauses": "a firewall"}
    seen = look(item("InitialReplicationInProgress", ["DisableProtection"], **{key: [error]}))
    assert (seen.stalled.code, seen.stalled.cause) == ("78186", "a firewall")


@pytest.mark.parametrize("code", ["78174", "78188"])
def test_a_standstill_is_told_by_the_health_error_that_explains_it(code):
    errors = [
        {"errorCode": "161011", "errorMessage": "never tested"},
        {"errorCode": code, "errorMessage": "said by the service", "possibleCauses": "its cause"},
    ]
    details = {"initialReplicationProgressHealth": "NoProgress"}
    seen = look(item("InitialReplicationInProgress", ["DisableProtection"], details=details, healthErrors=errors))
    assert (seen.stalled.code, seen.stalled.message, seen.stalled.cause) == (code, "said by the service", "its cause")


def test_a_high_change_rate_alone_is_no_standstill():
    errors = [{"errorCode": "78188", "errorMessage": "writes much", "errorLevel": "Warning"}]
    seen = look(item("InitialReplicationInProgress", ["DisableProtection"], healthErrors=errors))
    assert seen.stalled is None


def test_a_machine_is_found_by_the_server_it_protects_when_its_item_has_another_name():
    source = {"id": "/s/machines/m", "properties": {"networkAdapters": [{"ipAddressList": ["10.20.1.21"]}]}}
    other = dict(item("Protected", PROTECTED, details={"fabricDiscoveryMachineId": "/S/machines/M"}), name="guid")
    assert look(other, sources=[source]).item_name == "guid"


def test_a_deleted_server_of_the_site_is_not_a_source():
    source = {
        "id": "/s/machines/m",
        "properties": {"isDeleted": True, "networkAdapters": [{"ipAddressList": ["10.20.1.21"]}]},
    }
    assert "add server 10.20.1.21 on appliance" in look(sources=[source]).unknown_source


def test_a_classic_source_whose_agent_has_reported_wins_over_one_without():
    def listed(name, agent):
        custom = {"ipAddress": "10.20.1.21, fe80::1", "agentInstalled": agent}
        return {"id": f"/pi/{name}", "properties": {"friendlyName": name, "customDetails": custom}}

    sweep = Sweep(sources=(listed("a", "NotInstalled"), listed("b", "Installed")))
    assert V2.source(MACHINE, sweep)["id"] == "/pi/b"


def test_an_item_of_the_other_architecture_is_refused_by_name():
    with pytest.raises(WireError, match="InMageRcm"):
        look(item("Protected", PROTECTED), provider=V2)


def test_properties_of_the_vm_that_differ_are_named():
    machine = MACHINE.model_copy(
        update={"target": MACHINE.target.model_copy(update={"vm_size": "B2s", "private_ip": "10.60.1.5"})}
    )
    nics = [{"nicId": "n", "isPrimaryNic": "true", "targetIPAddress": ""}]
    seen = look(item("Protected", PROTECTED, details={"targetVmSize": "D2", "vmNics": nics}), machine=machine)
    assert seen.drift == ("vm_size", "private_ip")


def test_a_sparse_row_without_adapters_does_not_look_like_a_wrong_address():
    machine = MACHINE.model_copy(update={"target": MACHINE.target.model_copy(update={"private_ip": "10.60.1.5"})})
    assert look(item("Protected", PROTECTED, details={"vmNics": []}), machine=machine).drift == ()


def test_an_account_that_the_configuration_server_does_not_have_is_named():
    machine = MACHINE.model_copy(update={"run_as_account": "nobody"})
    with pytest.raises(SetupError, match="nobody"):
        V2.enable(machine, Site("f", "c", "ps", "mt", {"admin": "1"}), Sweep())
