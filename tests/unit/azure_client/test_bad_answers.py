"""What a read or a write is told when the answer is not one: cut off, a proxy's page, a status that leaves it open."""

import asyncio

import pytest

from asr_lab.arm.landing_zone import RESOURCE_GROUP
from asr_migrate.azure.accepted import Acceptance
from asr_migrate.azure.site_recovery import AzureSiteRecovery
from asr_migrate.domain.errors import ServiceError
from asr_migrate.domain.recovery_plan import PlanCall, PlanMember

from .far_end import CUT_JSON, PAGE, ZONE, cut_off, fail_over, items, reply

PLAN = PlanCall(
    "unplannedFailover", "plan", f"{ZONE.vault_id}/replicationFabrics/f", ((PlanMember("i", "m", "v"),),), {}
)
JOB = {"Location": "https://elsewhere/x", "Azure-AsyncOperation": "https://elsewhere/operations/the-job"}


def fail_over_by_plan(clients):
    return AzureSiteRecovery(clients, ZONE).send_plan(PLAN)


def make_policy(clients, **options):
    operations = clients.site_recovery.replication_policies
    call = operations.begin_create(RESOURCE_GROUP, "vault-a", "p", {"properties": {}})
    return clients.finish(call, what="create the policy p", why="there is none", **options)


def asked(far, work, *answers, **options):
    """Return what ``work`` returned, or the ServiceError that it raised."""

    async def story():
        async with far.opened(*answers, **options) as clients:
            try:
                return await work(clients)
            except ServiceError as error:
                return error

    return asyncio.run(story())


def refused(status, code):
    return reply(status, {"error": {"code": "Outer", "message": "m", "details": [{"code": code}]}})


IN_DOUBT = {
    "the answer breaks off": cut_off,
    "a page in place of the answer": PAGE,
    "503 with a code that is final": refused(503, "28031"),
    "500 with a code that is final": refused(500, "539"),
    "501": reply(501, {}),
    "408": reply(408, {}),
}


@pytest.mark.parametrize("answer", IN_DOUBT.values(), ids=IN_DOUBT.keys())
@pytest.mark.parametrize("write", [fail_over, fail_over_by_plan, make_policy])
def test_a_write_whose_answer_leaves_it_open_is_in_doubt_and_sent_once(far, write, answer):
    error = asked(far, write, answer)
    assert isinstance(error, ServiceError)
    assert error.transient
    assert len(far.arrived) == 1


@pytest.mark.parametrize("code", ["28031", "539"])
def test_a_final_code_with_a_status_that_says_no_is_final(far, code):
    error = asked(far, fail_over, refused(400, code))
    assert (error.code, error.transient, error.status) == (code, False, 400)


@pytest.mark.parametrize("answer", [cut_off, PAGE, CUT_JSON, reply(200, [1])], ids=["cut", "page", "cut JSON", "list"])
def test_a_read_that_never_gets_an_answer_ends_in_an_error_that_passes(far, answer):
    error = asked(far, items, answer)
    assert (error.code, error.transient) == ("NoAnswer", True)
    assert "replicationProtectedItems" in error.message


@pytest.mark.parametrize("answer", [cut_off, PAGE, CUT_JSON], ids=["cut", "page", "cut JSON"])
def test_a_read_is_tried_again_after_an_answer_that_is_none(far, answer):
    assert asked(far, items, answer, reply(200, {"value": [{"id": "1"}]})) == [{"id": "1"}]


RETRY_AFTER = ["0.5", "Wed, 21 Oct 2026 07:28:00 GMT", "Fri, 31 Dec 2100 23:59:59 GMT", "soon"]


@pytest.mark.parametrize("named", RETRY_AFTER)
@pytest.mark.parametrize("write", [fail_over, fail_over_by_plan])
def test_what_was_accepted_is_accepted_whatever_the_wait_looks_like(far, write, named):
    sent = asked(far, write, reply(202, None, Retry_After=named, **JOB))
    assert sent.job_id == "the-job"
    assert len(far.arrived) == 1


@pytest.mark.parametrize("named", RETRY_AFTER)
def test_an_operation_is_followed_whatever_the_wait_looks_like(far, named):
    made = {"id": "p", "name": "p", "properties": {}}
    assert asked(far, make_policy, reply(202, made, Retry_After=named), reply(200, made)).name == "p"


class Answer:
    """What the SDK shows to the hook of a call."""

    def __init__(self, status, **headers):
        self.http_response = self
        self.status_code = status
        self.headers = headers


async def breaks_after(accepted, answer):
    accepted.options["raw_response_hook"](answer)
    raise ValueError("invalid literal for int()")


@pytest.mark.parametrize("answer", [Answer(202, **JOB), Answer(202), Answer(204), Answer(200, **JOB)])
def test_an_sdk_that_breaks_after_the_change_was_taken_does_not_undo_it(answer):
    accepted = Acceptance("key")
    sent = asyncio.run(accepted.of(breaks_after(accepted, answer)))
    assert (sent.client_request_id, sent.job_id) == ("key", "the-job" if answer.headers else None)


@pytest.mark.parametrize("answer", [Answer(200), Answer(409, **JOB), Answer(503)])
def test_an_sdk_that_breaks_on_any_other_answer_is_told(answer):
    accepted = Acceptance()
    with pytest.raises(ValueError, match="invalid literal"):
        asyncio.run(accepted.of(breaks_after(accepted, answer)))


def test_an_operation_that_does_not_end_is_told_and_not_cancelled(far):
    async def story():
        begun = reply(202, {"id": "p"}, Azure_AsyncOperation=f"https://{far.address}/operation")
        async with far.opened(begun, reply(200, {"status": "InProgress"})) as clients:
            far.answers[0] = reply(202, {"id": "p"}, Azure_AsyncOperation=f"{far.address}/operation")
            with pytest.raises(ServiceError) as raised:
                await make_policy(clients, timeout_s=120)
            return raised.value

    error = asyncio.run(story())
    assert (error.code, error.transient) == ("OperationStillRuns", True)
    assert "create the policy p" in error.message
    assert "2 minutes" in error.message
    assert [line.split()[0] for line in far.arrived] == ["PUT", *["GET"] * (len(far.arrived) - 1)]


def test_an_operation_that_failed_without_a_word_is_final(far):
    async def story():
        async with far.opened(PAGE, reply(200, {"status": "Failed"})) as clients:
            far.answers[0] = reply(202, {"id": "p"}, Azure_AsyncOperation=f"{far.address}/operation")
            with pytest.raises(ServiceError) as raised:
                await make_policy(clients)
            return raised.value

    assert asyncio.run(story()).transient is False
