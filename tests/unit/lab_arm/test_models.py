"""Request bodies are checked against the models of the SDK."""

import inspect

import pytest
from azure.mgmt.recoveryservicessiterecovery import models as sdk

from asr_lab.arm.models import checked, schema
from asr_lab.arm.providers.rules import table
from asr_lab.arm.schema import Record
from asr_lab.arm.wire import ArmError, Request

CONTAINER = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v"
INPUTS = sorted(
    name
    for name, model in inspect.getmembers(sdk, inspect.isclass)
    if name.endswith(("Input", "Request", "InputProperties")) and hasattr(model, "as_dict")
)
RCM = {
    "instanceType": "InMageRcm",
    "fabricDiscoveryMachineId": "m",
    "processServerId": "p",
    "targetResourceGroupId": "g",
}


def body_of(name, body, version="2025-08-01"):
    return checked(Request("PUT", CONTAINER, {"api-version": version}, {}, body), name)


def enable(**details):
    return {"properties": {"policyId": "p", "providerSpecificDetails": {**RCM, **details}}}


def refusal(name, body, version="2025-08-01"):
    with pytest.raises(ArmError) as refused:
        body_of(name, body, version)
    assert (refused.value.status, refused.value.code) == (400, "InvalidRequestContent")
    return refused.value.message


@pytest.mark.parametrize(
    ("model", "body", "told"),
    [
        ("EnableProtectionInput", None, "the body is missing; send a JSON object"),
        ("EnableProtectionInput", {}, "'properties' is missing"),
        ("EnableProtectionInput", enable(colour="red"), "'properties.providerSpecificDetails.colour' is not a known"),
        (
            "EnableProtectionInput",
            enable(disksToInclude=[{"diskId": "d", "logStorageAccountId": "a", "diskType": "Floppy"}]),
            "'properties.providerSpecificDetails.disksToInclude[0].diskType' is 'Floppy'; accepted: Standard_LRS",
        ),
        (
            "EnableProtectionInput",
            enable(disksToInclude=[{"diskId": "d", "diskType": "Premium_LRS"}]),
            "'properties.providerSpecificDetails.disksToInclude[0].logStorageAccountId' is missing",
        ),
        ("EnableProtectionInput", enable(disksToInclude={}), "disksToInclude' is an object; a list is needed"),
        ("EnableProtectionInput", enable(targetVmName=5), "targetVmName' is a whole number; a string is needed"),
        (
            "EnableProtectionInput",
            {"properties": {"policyId": "p", "providerSpecificDetails": {"instanceType": "Teleport"}}},
            "'properties.providerSpecificDetails.instanceType' is 'Teleport'; accepted: ",
        ),
        (
            "EnableProtectionInput",
            {"properties": {"policyId": "p", "providerSpecificDetails": {"policyId": "p"}}},
            "'properties.providerSpecificDetails.instanceType' is missing; accepted: ",
        ),
        (
            "CreatePolicyInput",
            {
                "properties": {
                    "providerSpecificInput": {"instanceType": "InMageRcm", "recoveryPointHistoryInMinutes": "1"}
                }
            },
            "recoveryPointHistoryInMinutes' is a string; a whole number is needed",
        ),
        (
            "CreateRecoveryPlanInput",
            {"properties": {"primaryFabricId": "f"}},
            "'properties.recoveryFabricId' is missing",
        ),
    ],
)
def test_a_body_that_does_not_fit_the_model_is_refused_naming_place_and_remedy(model, body, told):
    assert told in refusal(model, body)


def test_names_are_read_without_regard_to_case_and_come_back_as_the_model_writes_them():
    sent = {"Properties": {"PolicyId": "p", "providerspecificdetails": {"INSTANCETYPE": "inmagercm", **RCM}}}
    del sent["Properties"]["providerspecificdetails"]["instanceType"]
    assert body_of("EnableProtectionInput", sent) == enable()


def test_one_property_in_two_spellings_is_refused():
    assert "'properties.PolicyId' is given twice" in refusal(
        "EnableProtectionInput", {"properties": {"policyId": "p", "PolicyId": "q", "providerSpecificDetails": RCM}}
    )


@pytest.mark.parametrize("version", ["2016-08-10", "2018-07-10"])
def test_versions_before_2021_let_properties_through_that_the_models_do_not_know(version):
    assert (
        body_of("EnableProtectionInput", enable(colour="red"), version)["properties"]["providerSpecificDetails"][
            "colour"
        ]
        == "red"
    )


@pytest.mark.parametrize("version", ["2016-08-10", "2018-07-10"])
def test_versions_before_2021_are_strict_about_types_all_the_same(version):
    assert "is a list" in refusal("EnableProtectionInput", enable(targetVmName=[]), version)


def test_a_flag_that_the_model_writes_as_text_may_be_sent_as_true_or_false():
    sent = {"properties": {"failoverDirection": "PrimaryToRecovery", "providerSpecificDetails": {}}}
    sent["properties"]["providerSpecificDetails"] = {"instanceType": "InMageRcm", "performShutdown": True}
    told = body_of("UnplannedFailoverInput", sent)["properties"]["providerSpecificDetails"]
    assert told["performShutdown"] == "true"


def test_details_may_be_empty_where_nothing_provider_specific_is_to_be_said():
    sent = {"properties": {"providerSpecificDetails": {}}}
    assert body_of("TestFailoverInput", sent)["properties"]["providerSpecificDetails"] == {}


@pytest.mark.parametrize("name", INPUTS)
def test_every_input_model_of_the_sdk_gives_a_schema(name):
    assert schema(name)
    assert schema(name, lenient=True)


@pytest.mark.parametrize("group", ["kinds", "properties", "optional"])
def test_what_is_taken_beyond_the_models_names_models_that_there_are(group):
    assert [name for name in table("bodies")[group] if not hasattr(sdk, name)] == []


def test_what_is_taken_beyond_the_models_is_really_beyond_them():
    for name, extra in table("bodies")["properties"].items():
        known = {
            field._rest_name for field in getattr(sdk, name).__new__(getattr(sdk, name))._attr_to_rest_field.values()
        }
        assert known.isdisjoint(extra), name
    for name, extra in table("bodies")["enums"].items():
        assert {value.value for value in getattr(sdk, name)}.isdisjoint(extra), name


def test_a_provider_that_the_models_lack_is_taken_when_a_row_names_it():
    sent = {
        "properties": {
            "targetProtectionContainerId": "Microsoft Azure",
            "policyId": "p",
            "providerSpecificInput": {"instanceType": "InMageRcm", "enableAgentAutoUpgrade": "true"},
        }
    }
    assert body_of("CreateProtectionContainerMappingInput", sent) == sent


def test_required_properties_of_a_model_are_required_of_the_body():
    found = schema("EnableProtectionInput")
    assert isinstance(found, Record)
    assert found.required == ("properties",)
