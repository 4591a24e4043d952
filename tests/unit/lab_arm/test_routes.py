"""What is refused before a resource's handler sees it."""

import pytest

from asr_lab.arm import routes
from asr_lab.arm.wire import Request

routes.load()


def test_an_unknown_resource_type_is_refused_with_a_sentence(ask):
    answer = ask("GET", f"{ask.group}/providers/Microsoft.Network/loadBalancers/lb")
    assert answer.status == 404
    assert answer.body["error"]["code"] == "InvalidResourceType"
    assert "'loadBalancers' could not be found in the namespace 'Microsoft.Network'" in answer.body["error"]["message"]


def test_an_unknown_api_version_is_refused_and_the_known_ones_are_named(ask):
    answer = ask("GET", f"{ask.group}/providers/Microsoft.Network/virtualNetworks/vnet-prod", version="1999-01-01")
    assert (answer.status, answer.body["error"]["code"]) == (400, "NoRegisteredProviderFound")
    assert "for location 'westeurope' and API version '1999-01-01'" in answer.body["error"]["message"]
    assert "2026-03-01" in answer.body["error"]["message"]


def test_an_unknown_api_version_of_a_resource_group_is_refused_in_other_words(ask):
    answer = ask("GET", ask.group, version="1999-01-01")
    assert (answer.status, answer.body["error"]["code"]) == (400, "InvalidApiVersionParameter")


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


@pytest.mark.parametrize("found", routes.ROUTES, ids=lambda found: f"{found.method} {'/'.join(found.segments[-3:])}")
def test_every_route_is_found_by_a_path_of_its_template_in_any_case(found):
    segments = [
        "a/b" if one.startswith("{*") else "x" if one.startswith("{") else one.upper() for one in found.segments
    ]
    request = Request(found.method, "/" + "/".join(segments), {"api-version": found.versions[-1]})
    answering, _ = routes.find(request)
    assert (answering.method, answering.exactness >= found.exactness) == (found.method, True)


def test_a_route_without_a_star_wins_over_one_with_it():
    path = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v/replicationPolicies/p"
    version = {"api-version": "2025-08-01"}
    plain, _ = routes.find(Request("GET", path, version))
    assert plain.star is None
    starred, values = routes.find(Request("GET", f"{path}/operationresults/1", version))
    assert (starred.star is not None, values["resource"], values["operation"]) == (True, "replicationPolicies/p", "1")


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", "/replicationPolicies/p", "replicationPolicies/read"),
        ("PATCH", "/replicationPolicies/p", "replicationPolicies/write"),
        ("DELETE", "/replicationPolicies/p", "replicationPolicies/delete"),
        ("POST", "/replicationJobs/export", "replicationJobs/export/action"),
        ("POST", "/replicationFabrics/f/checkConsistency", "replicationFabrics/checkConsistency/action"),
    ],
)
def test_a_request_is_named_as_role_definitions_name_it(method, path, action):
    vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v"
    assert routes.action_of(Request(method, vault + path)) == f"Microsoft.RecoveryServices/vaults/{action}"
