"""What is refused before a resource's handler sees it."""

import pytest

from asr_lab.arm import routes


def test_an_unknown_resource_type_is_refused_with_a_sentence(ask):
    answer = ask("GET", f"{ask.group}/providers/Microsoft.Network/loadBalancers/lb")
    assert answer.status == 404
    assert answer.body["error"]["code"] == "InvalidResourceType"
    assert "'loadBalancers' could not be found in the namespace 'Microsoft.Network'" in answer.body["error"]["message"]


def test_an_unknown_api_version_is_refused_and_the_known_ones_are_named(ask):
    answer = ask("GET", f"{ask.group}/providers/Microsoft.Network/virtualNetworks/vnet-prod", version="1999-01-01")
    assert answer.status == 400
    assert "2026-03-01" in answer.body["error"]["message"]


def test_a_missing_api_version_is_refused(ask):
    answer = ask("GET", ask.group, version="")
    assert (answer.status, answer.body["error"]["code"]) == (400, "MissingApiVersionParameter")


def test_a_method_that_the_resource_lacks_is_refused_naming_those_it_has(ask):
    answer = ask("POST", ask.group)
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET, HEAD, PUT"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups", "SubscriptionNotFound"),
        ("{subscription}/resourceGroups/nowhere/providers/Microsoft.Compute/disks", "ResourceGroupNotFound"),
        ("{group}/providers/Microsoft.Network/virtualNetworks/nowhere/subnets/apps", "ResourceNotFound"),
    ],
)
def test_what_lies_in_something_that_does_not_exist_is_not_found(ask, path, code):
    subscription = ask.group.partition("/resourceGroups")[0]
    versions = {"ResourceNotFound": "2026-03-01", "ResourceGroupNotFound": "2026-03-02"}
    answer = ask(
        "GET", path.format(subscription=subscription, group=ask.group), version=versions.get(code, "2025-04-01")
    )
    assert (answer.status, answer.body["error"]["code"]) == (404, code)


def test_literal_segments_match_without_regard_to_case(ask):
    assert ask("GET", ask.group.upper().replace("/RESOURCEGROUPS/", "/resourcegroups/")).status == 200


def test_a_handler_that_asks_for_what_its_template_does_not_offer_is_refused_at_import():
    with pytest.raises(TypeError, match="does not offer vault"):

        @routes.route("GET", "/nothing/{name}", versions=())
        def _handler(*, vault: str) -> None:
            raise AssertionError


def test_a_failing_handler_is_answered_500_and_logged(world, ask):
    world.resources.put(f"{ask.group}/providers/Microsoft.Compute/virtualMachines/broken", "not a machine")
    answer = ask("GET", f"{ask.group}/providers/Microsoft.Compute/virtualMachines/broken", version="2026-04-01")
    assert answer.status == 500
    assert world.log[-1].status == 500
