"""The scenario ``throttled``: the token buckets of Resource Manager."""

from datetime import timedelta

import pytest

from asr_lab.arm.throttle import Throttle, Throttled
from asr_lab.arm.wire import Request


def reads_until_refused(vaulted):
    """Return the answers to reads of one moment, up to the first that is refused."""
    answers = []
    while not answers or answers[-1].status == 200:
        answers.append(vaulted.lab.ask("GET", vaulted.vault, api="2026-11-01"))
    return answers


def test_a_burst_of_250_reads_is_served_and_the_next_one_is_told_when_to_come_back(vaulted):
    vaulted.plant("throttled")
    *served, refused = reads_until_refused(vaulted)
    assert len(served) == 250
    assert refused.status == 429
    assert refused.headers["Retry-After"] == "1"
    assert refused.body["error"]["code"] == "SubscriptionRequestsThrottled"
    assert "Number of 'read' requests for subscription" in refused.body["error"]["message"]


def test_the_headers_count_what_is_left_of_the_principal_and_of_the_subscription(vaulted):
    vaulted.plant("throttled")
    first, second = (vaulted.lab.ask("GET", vaulted.vault, api="2026-11-01").headers for _ in range(2))
    name = "x-ms-ratelimit-remaining-subscription"
    assert (first[f"{name}-reads"], first[f"{name}-global-reads"]) == ("249", "3749")
    assert (second[f"{name}-reads"], second[f"{name}-global-reads"]) == ("248", "3748")


def test_25_reads_come_back_in_a_second(vaulted):
    vaulted.plant("throttled")
    reads_until_refused(vaulted)
    vaulted.lab.advance(1)
    assert len(reads_until_refused(vaulted)) == 26


def test_changes_have_a_bucket_of_200_with_10_a_second(vaulted):
    vaulted.plant("throttled")
    statuses = [vaulted.lab.ask("POST", f"{vaulted.vault}/nothing").status for _ in range(202)]
    assert statuses.count(429) == 2
    assert vaulted.put().headers["Retry-After"] == "1"
    vaulted.lab.advance(1)
    assert [vaulted.lab.ask("POST", f"{vaulted.vault}/nothing").status for _ in range(11)].count(429) == 1


def test_reads_changes_and_deletions_do_not_use_up_each_others_tokens(vaulted):
    vaulted.plant("throttled")
    reads_until_refused(vaulted)
    assert vaulted.put().headers["x-ms-ratelimit-remaining-subscription-writes"] == "199"
    gone = vaulted.lab.ask("DELETE", f"{vaulted.vault}/replicationPolicies/none")
    assert gone.headers["x-ms-ratelimit-remaining-subscription-deletes"] == "199"


def test_a_refused_request_did_nothing(vaulted):
    vaulted.plant("throttled")
    vaulted.lab.world.throttle.switch_on({"writes": {"capacity": 1, "per_second": 1}})
    vaulted.lab.ask("POST", f"{vaulted.vault}/nothing")
    assert vaulted.put().status == 429
    assert not vaulted.exists()


def test_requests_are_not_limited_unless_told(vaulted):
    answers = [vaulted.lab.ask("GET", vaulted.vault, api="2026-11-01") for _ in range(300)]
    assert {answer.status for answer in answers} == {200}
    assert answers[-1].headers["x-ms-ratelimit-remaining-subscription-reads"] == "11999"


@pytest.fixture
def throttle():
    made = Throttle()
    made.switch_on({"reads": {"capacity": 2, "per_second": 4}})
    return made


def read(principal="one", subscription="s", host="management.azure.com"):
    return Request("GET", f"/subscriptions/{subscription}/x", {}, {"host": host}, None, principal)


def test_each_principal_subscription_and_region_has_its_own_bucket(throttle, lab):
    for _ in range(2):
        throttle.take(read(), lab.now)
    with pytest.raises(Throttled):
        throttle.take(read(), lab.now)
    for other in (read("two"), read(subscription="t"), read(host="westeurope.management.azure.com")):
        assert throttle.take(other, lab.now).left == 1


def test_all_principals_together_get_fifteen_times_as_much(throttle, lab):
    for number in range(15):
        for _ in range(2):
            throttle.take(read(f"principal {number}"), lab.now)
    with pytest.raises(Throttled):
        throttle.take(read("the sixteenth"), lab.now)


def test_a_bucket_never_holds_more_than_its_capacity(throttle, lab):
    throttle.take(read(), lab.now)
    assert throttle.take(read(), lab.now + timedelta(hours=1)).left == 1


def test_tokens_come_back_in_parts_of_a_second(throttle, lab):
    for _ in range(2):
        throttle.take(read(), lab.now)
    with pytest.raises(Throttled):
        throttle.take(read(), lab.now + timedelta(seconds=0.2))
    assert throttle.take(read(), lab.now + timedelta(seconds=0.26)).left == 0


def test_what_lies_in_no_subscription_is_counted_for_the_tenant(throttle, lab):
    left = throttle.take(Request("GET", "/subscriptions", {}, {}, None, "one"), lab.now)
    assert set(left.headers()) == {
        "x-ms-ratelimit-remaining-tenant-reads",
        "x-ms-ratelimit-remaining-tenant-global-reads",
    }
