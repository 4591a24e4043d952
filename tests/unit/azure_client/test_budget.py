"""The token buckets that keep our requests below what Azure Resource Manager takes."""

import asyncio

import pytest

from asr_migrate.azure.budget import Allowance, Budget, BudgetPolicy
from asr_migrate.azure.policies import WriteOnceRetryPolicy
from asr_migrate.clock import ManualClock


def admitted_at(budget, clock, method, count):
    """Return when each of ``count`` requests, asked for at once, was let through."""
    times = []

    async def one():
        await budget.admit(method)
        times.append(clock.monotonic())

    async def everyone():
        await asyncio.gather(*(one() for _ in range(count)))

    asyncio.run(everyone())
    return times


def test_a_full_bucket_lets_all_but_its_reserve_through_at_once():
    clock = ManualClock()
    assert admitted_at(Budget(clock), clock, "PUT", 196) == [0.0] * 195 + [pytest.approx(0.1)]


def test_a_thousand_writes_take_what_the_bucket_fills_in():
    clock = ManualClock()
    times = admitted_at(Budget(clock), clock, "PUT", 1000)
    assert times[-1] == pytest.approx(80.5)
    assert times == sorted(times)


def test_reads_writes_and_deletions_do_not_take_from_each_other():
    clock = ManualClock()
    budget = Budget(clock, {kind: Allowance(1, 1) for kind in ("reads", "writes", "deletes")})
    for method in ("GET", "POST", "DELETE"):
        asyncio.run(budget.admit(method))
    assert clock.monotonic() == 0.0


def test_a_bucket_fills_again_and_no_further_than_its_capacity():
    clock = ManualClock()
    budget = Budget(clock, {"reads": Allowance(10, 5)})
    admitted_at(budget, clock, "GET", 10)
    clock.advance(3600)
    before = clock.monotonic()
    assert admitted_at(budget, clock, "GET", 12)[-1] - before == pytest.approx(0.4)


def test_the_service_is_believed_when_it_says_that_fewer_tokens_are_left():
    clock = ManualClock()
    budget = Budget(clock)
    budget.learn("PUT", 202, {"x-ms-ratelimit-remaining-subscription-writes": "0"})
    assert admitted_at(budget, clock, "PUT", 10)[-1] == pytest.approx(1.5)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-ms-ratelimit-remaining-subscription-global-writes": "0"},
        {"X-Ms-Ratelimit-Remaining-Tenant-Writes": "0"},
        {
            "x-ms-ratelimit-remaining-subscription-writes": "199",
            "x-ms-ratelimit-remaining-subscription-global-writes": "0",
        },
    ],
)
def test_the_lowest_of_what_is_left_counts(headers):
    clock = ManualClock()
    budget = Budget(clock)
    budget.learn("PUT", 202, headers)
    assert admitted_at(budget, clock, "PUT", 10)[-1] == pytest.approx(1.5)


@pytest.mark.parametrize(
    "headers",
    [
        {"x-ms-ratelimit-remaining-subscription-reads": "0"},
        {"x-ms-ratelimit-remaining-resource": "Microsoft.Compute/HighCostGet3Min;0"},
        {"x-ms-ratelimit-remaining-subscription-writes": "none"},
    ],
)
def test_what_is_said_of_something_else_changes_nothing(headers):
    clock = ManualClock()
    budget = Budget(clock)
    budget.learn("PUT", 202, headers)
    assert admitted_at(budget, clock, "PUT", 195)[-1] == 0.0


def test_more_tokens_than_we_think_are_not_believed():
    clock = ManualClock()
    budget = Budget(clock)
    admitted_at(budget, clock, "PUT", 195)
    budget.learn("PUT", 202, {"x-ms-ratelimit-remaining-subscription-writes": "1199"})
    assert admitted_at(budget, clock, "PUT", 1)[-1] == pytest.approx(0.1)


def test_after_a_refusal_nothing_passes_before_the_wait_that_azure_names():
    clock = ManualClock()
    budget = Budget(clock)
    budget.learn("POST", 429, {"Retry-After": "17"})
    assert admitted_at(budget, clock, "POST", 1) == [17.0]
    assert budget.spent.throttled == 1


@pytest.mark.parametrize(("named", "wait_s"), [("Thu, 01 Jan 2026 00:00:40 GMT", 40.0), ("0.5", 1.0), ("7200", 300.0)])
def test_a_wait_may_be_a_date_or_a_fraction_and_is_capped(named, wait_s):
    clock = ManualClock()
    budget = Budget(clock)
    budget.learn("GET", 429, {"Retry-After": named})
    assert admitted_at(budget, clock, "GET", 1) == [wait_s]


def test_an_unreadable_wait_is_taken_as_five_seconds():
    clock = ManualClock()
    budget = Budget(clock)
    budget.learn("POST", 429, {"Retry-After": "soon"})
    assert admitted_at(budget, clock, "POST", 1) == [5.0]


def test_every_attempt_takes_a_token_and_the_answer_corrects_the_bucket(script, answer, send, clock):
    budget = Budget(clock, {"reads": Allowance(5, 1), "writes": Allowance(5, 1), "deletes": Allowance(5, 1)})
    transport = script(answer(429, {"Retry-After": "2"}), answer(202))
    assert send(transport, [WriteOnceRetryPolicy(), BudgetPolicy(budget)], "POST") == 202
    assert budget.spent.requests == {"writes": 2}
    assert budget.spent.throttled == 1
