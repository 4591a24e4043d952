"""Bodies are compared strictly with their schema."""

import pytest

from asr_lab.arm.schema import Flag, ListOf, MapOf, OneOf, Record, Text, Whole, check
from asr_lab.arm.wire import ArmError

POLICY = OneOf(
    "instanceType",
    {
        "InMageRcm": Record(
            {"recoveryPointHistoryInMinutes": Whole(minimum=0), "enableMultiVmSync": Text(("true", "false"))}
        ),
        "A2A": Record({}),
    },
)
BODY = Record(
    {
        "properties": Record(
            {"policy": POLICY, "disks": ListOf(Text(not_empty=True)), "on": Flag()}, required=("policy",)
        ),
        "tags": MapOf(),
    },
    required=("properties",),
)
RCM = {"instanceType": "InMageRcm"}


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (None, "the body is missing"),
        ([], "the body is a list; an object is needed"),
        ({}, "'properties' is missing"),
        ({"properties": None}, "'properties' is null"),
        ({"properties": {"policy": RCM, "colour": 1}}, "'properties.colour' is not a known property"),
        ({"properties": {"policy": {}}}, "'properties.policy.instanceType' is missing; accepted: InMageRcm, A2A"),
        (
            {"properties": {"policy": {"instanceType": "Other"}}},
            "'properties.policy.instanceType' is 'Other'; accepted",
        ),
        ({"properties": {"policy": {"instanceType": "A2A", "x": 1}}}, "'properties.policy.x' is not a known property"),
        (
            {"properties": {"policy": {**RCM, "enableMultiVmSync": True}}},
            "enableMultiVmSync' is a boolean; one of true",
        ),
        ({"properties": {"policy": {**RCM, "recoveryPointHistoryInMinutes": "5"}}}, "is a string; a whole number"),
        ({"properties": {"policy": {**RCM, "recoveryPointHistoryInMinutes": -1}}}, "the smallest accepted value is 0"),
        ({"properties": {"policy": RCM, "disks": ["a", ""]}}, "'properties.disks[1]' is empty"),
        ({"properties": {"policy": RCM, "on": "true"}}, "'properties.on' is a string; true or false is needed"),
        ({"properties": {"policy": RCM}, "tags": {"owner": 1}}, "'tags.owner' is a whole number"),
        ({"properties": {"policy": RCM}, "Properties": {"policy": RCM}}, "'Properties' is given twice"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_naming_place_and_remedy(body, sentence):
    with pytest.raises(ArmError) as refused:
        check(body, BODY)
    assert refused.value.status == 400
    assert sentence in refused.value.message


def test_property_names_and_choices_are_read_without_regard_to_case_and_come_back_canonical():
    body = {"PROPERTIES": {"Policy": {"InstanceType": "inmagercm", "enableMultivmSync": "TRUE"}}}
    wanted = {"properties": {"policy": {"instanceType": "InMageRcm", "enableMultiVmSync": "true"}}}
    assert check(body, BODY) == wanted


def test_the_names_of_a_map_keep_their_case():
    body = {"properties": {"policy": RCM}, "tags": {"Owner": "team"}}
    assert check(body, BODY)["tags"] == {"Owner": "team"}
