"""Scenarios in which the answer is not what happened: statuses, broken connections, slow and stale ones."""

import pytest

STATUSES = [429, 500, 503, 504]


@pytest.mark.parametrize("status", STATUSES)
def test_an_error_before_the_effect_leaves_nothing_behind(vaulted, status):
    vaulted.plant(f"answers_{status}_before")
    answer = vaulted.put()
    assert (answer.status, vaulted.exists()) == (status, False)
    assert answer.body["error"]["message"]


@pytest.mark.parametrize("status", STATUSES)
def test_an_error_after_the_effect_hides_that_it_happened(vaulted, status):
    vaulted.plant(f"answers_{status}_after")
    answer = vaulted.put()
    assert (answer.status, vaulted.exists()) == (status, True)
    assert "Azure-AsyncOperation" not in answer.headers


@pytest.mark.parametrize("status", STATUSES)
def test_the_error_comes_once_so_that_a_client_that_tries_again_gets_through(vaulted, status):
    vaulted.plant(f"answers_{status}_before")
    assert [vaulted.put().status for _ in range(2)] == [status, 202]


@pytest.mark.parametrize("status", [429, 503])
def test_throttled_and_unavailable_say_when_to_come_back_and_never_at_once(vaulted, status):
    vaulted.plant(f"answers_{status}_before")
    assert int(vaulted.put().headers["Retry-After"]) >= 1


@pytest.mark.parametrize(("moment", "exists"), [("before", False), ("after", True)])
def test_a_broken_connection_tells_nothing_about_the_effect(vaulted, moment, exists):
    vaulted.plant(f"connection_reset_{moment}")
    assert vaulted.put().status == 0
    assert vaulted.exists() is exists


def test_reads_are_spared_by_the_scenarios_of_changes(vaulted):
    vaulted.plant("answers_503_before")
    assert vaulted.lab.ask("GET", f"{vaulted.vault}/replicationPolicies").status == 200


def test_slow_answers_are_held_back_although_the_effect_is_there_at_once(vaulted):
    vaulted.plant("slow_answers")
    answer = vaulted.put()
    assert (answer.status, answer.delay_s) == (202, 5.0)
    assert vaulted.exists()


def test_a_stale_read_does_not_know_yet_what_was_just_made(vaulted):
    vaulted.plant("stale_reads")
    assert vaulted.put().status == 202
    vaulted.lab.advance(30)
    assert vaulted.lab.ask("GET", vaulted.policy).status == 404
    vaulted.lab.advance(61)
    assert vaulted.lab.ask("GET", vaulted.policy).status == 200


def test_a_client_that_polls_sees_the_end_of_an_operation_a_minute_late(vaulted):
    vaulted.plant("stale_reads")
    accepted = vaulted.put()
    status_url = accepted.headers["Azure-AsyncOperation"].partition("azure.com")[2].partition("?")[0]
    seen = []
    for _ in range(9):
        seen.append(vaulted.lab.ask("GET", status_url).body["status"] == "Succeeded")
        vaulted.lab.advance(10)
    assert seen == [False] * 7 + [True] * 2


def test_lists_above_a_changed_resource_are_stale_too(vaulted):
    vaulted.plant("stale_reads")
    vaulted.put()
    vaulted.lab.advance(5)
    assert vaulted.lab.get(f"{vaulted.vault}/replicationPolicies")["value"] == []


def test_without_a_row_that_fits_reads_are_fresh(vaulted):
    vaulted.plant("stale_reads", path="*/replicationJobs/*")
    vaulted.put()
    vaulted.lab.advance(5)
    assert vaulted.lab.ask("GET", vaulted.policy).status == 200


def test_a_principal_without_rights_is_told_which_action_it_lacks(vaulted):
    vaulted.plant("not_authorized")
    answer = vaulted.put()
    assert (answer.status, answer.body["error"]["code"]) == (403, "AuthorizationFailed")
    action = "'Microsoft.RecoveryServices/vaults/replicationPolicies/write'"
    assert (
        f"The client 'someone' with object id 'someone' does not have authorization to perform action {action}"
        in (answer.body["error"]["message"])
    )
    assert vaulted.lab.ask("GET", f"{vaulted.vault}/replicationPolicies").status == 200


def test_a_namespace_that_is_not_registered_is_named_once(vaulted):
    vaulted.plant("namespace_not_registered")
    refused, taken = vaulted.put(), vaulted.put()
    assert (refused.status, refused.body["error"]["code"]) == (409, "MissingSubscriptionRegistration")
    assert "not registered to use namespace 'Microsoft.RecoveryServices'" in refused.body["error"]["message"]
    assert taken.status == 202
