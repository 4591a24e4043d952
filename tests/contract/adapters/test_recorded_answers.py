"""The provider adapters read what the real service answered."""

import pytest
from tests.worlds.zones import short_zone

from asr_migrate.domain.errors import WireError, job_error
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import Stage
from asr_migrate.domain.site import Sweep
from asr_migrate.providers.in_mage_azure_v2 import InMageAzureV2
from asr_migrate.providers.in_mage_rcm import InMageRcm

ZONE = LandingZone.model_validate(short_zone())
PROVIDERS = {"InMageRcm": InMageRcm(ZONE), "InMageAzureV2": InMageAzureV2(ZONE)}


def observed(item):
    provider = PROVIDERS[item["properties"]["providerSpecificDetails"]["instanceType"]]
    return provider.read(item, None, Sweep())


def test_every_recorded_item_of_both_providers_is_read_to_a_stage(wire, capsys):
    expected = {
        "Protected": {Stage.PROTECTED, Stage.TESTED},
        "EnablingFailed": {Stage.BROKEN},
        "UnplannedFailoverCommitPendingStatesBegin": {Stage.FAILED_OVER},
        "UnplannedFailoverStatesBegin": {Stage.COMMITTED},
        "UnplannedFailoverCompletionFailed": {Stage.BROKEN},
        "UnplannedFailoverFailed": {Stage.BROKEN},
        "InitialReplicationInProgress": {Stage.REPLICATING},
        "InitialReplicationRecoveryCompletionPending": {Stage.REPLICATING},
    }
    read, wrong = 0, []
    for number in wire.numbers():
        for item in wire.resources(number, "protectionState"):
            if item["properties"]["providerSpecificDetails"].get("instanceType") not in PROVIDERS:
                continue
            seen = observed(item)
            read += 1
            if seen.stage not in expected.get(item["properties"]["protectionState"], set()):
                wrong.append((number, item["name"], item["properties"]["protectionState"], seen.stage))
    with capsys.disabled():
        print(f"\nprovider adapters: {read - len(wrong)} of {read} recorded protected items read to the right stage")
    assert wrong == []
    assert read > 0


def test_the_four_states_of_a_recorded_rcm_list_are_told_apart(wire):
    seen = {item["properties"]["friendlyName"]: observed(item) for item in wire.resources("03", "protectionState")}
    assert seen["Rcm-W2K19-155"].stage is Stage.FAILED_OVER
    assert seen["Rcm-Ub18-154"].stage is Stage.PROTECTED
    assert seen["Rcm-Ub18-154"].health == "Critical"
    assert seen["Rcm-W2K19-152"].stage is Stage.TESTED
    assert seen["Rcm-W2K16-153"].stage is Stage.BROKEN
    assert seen["Rcm-W2K16-153"].error.code == "310056"


def test_a_list_row_and_a_single_read_of_the_same_rcm_item_give_the_same_stage(wire):
    row = next(item for item in wire.resources("03", "protectionState") if item["name"].endswith("abe22face6d8"))
    single = next(iter(wire.resources("07", "protectionState")))
    assert row["name"] == single["name"]
    assert observed(row).stage is observed(single).stage is Stage.TESTED
    assert observed(single).rpo_s == 346


def test_a_failed_over_rcm_item_offers_what_completes_it(wire):
    seen = observed(next(iter(wire.resources("08", "protectionState"))))
    assert seen.stage is Stage.FAILED_OVER
    assert {"Commit", "CompleteMigration"} <= seen.allowed_operations


def test_a_classic_item_is_read_with_its_recovery_point_objective(wire):
    single = list(wire.resources("20", "protectionState"))[-1]
    assert observed(single).stage is Stage.PROTECTED
    assert observed(single).rpo_s == 248


@pytest.mark.parametrize("number", ["27", "33"])
def test_another_providers_item_is_named_and_not_guessed_at(wire, number):
    for item in wire.resources(number, "protectionState"):
        with pytest.raises(WireError):
            InMageRcm(ZONE).read(item, None, Sweep())


def test_a_failed_discovery_job_is_told_by_its_providers_code(wire):
    jobs = [job for job in wire.resources("19", "scenarioName") if job["properties"]["state"] == "Failed"]
    error = job_error(jobs[-1], "discover")
    assert error.code == "95222"
    assert error.remedy


def test_recorded_protectable_items_have_what_matches_a_machine(wire):
    items = list(wire.resources("17", "customDetails"))
    details = [item["properties"]["customDetails"] for item in items]
    assert all({"ipAddress", "agentInstalled"} <= set(custom) for custom in details)
