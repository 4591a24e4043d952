"""Signing in when the sign-in service is away, and a token that Azure refuses."""

import asyncio

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import ChainedTokenCredential

from asr_migrate.azure.credentials import (
    CERTIFICATE_VARIABLES,
    SECRET_VARIABLES,
    NoCredentialsError,
    RenewableCredential,
    credential,
)
from asr_migrate.azure.failures import translate
from asr_migrate.azure.together import together
from asr_migrate.domain.cloud import CloudSettings
from asr_migrate.domain.errors import AsrMigrateError, ServiceError, SetupError

from .far_end import PAGE, fail_over, items, reply

ROWS = reply(200, {"value": [{"id": "1"}]})
BUSY = {"error": "temporarily_unavailable", "error_description": "AADSTS90033: A transient error has occurred."}
EXPIRED = reply(
    401,
    {"error": {"code": "ExpiredAuthenticationToken", "message": "The access token expiry UTC time is earlier."}},
    WWW_Authenticate='Bearer authorization_uri="https://login", error="invalid_token"',
)
TAKEN = reply(202, None, Azure_AsyncOperation="https://elsewhere/operations/the-job")


def told(far, work, *answers, **options):
    async def story():
        async with far.opened(*answers, **options) as clients:
            try:
                return await work(clients)
            except AsrMigrateError as error:
                return error

    return asyncio.run(story())


@pytest.mark.parametrize(
    "token",
    [
        reply(503, BUSY),
        reply(429, BUSY, Retry_After="1"),
        reply(503, "<html>", Content_Type="text/html"),
        PAGE,
    ],
    ids=["503", "429", "503 page", "page"],
)
@pytest.mark.parametrize("work", [items, fail_over])
def test_a_sign_in_service_that_is_away_is_an_error_that_passes(far, token, work):
    error = told(far, work, ROWS, tokens=(token,))
    assert isinstance(error, ServiceError)
    assert (error.code, error.transient) == ("SignInUnavailable", True)
    assert "asr_cloud.authority" in error.remedy
    assert far.arrived == []


def test_a_sign_in_service_that_cannot_be_reached_is_an_error_that_passes(far):
    error = told(far, items, ROWS, authority="https://127.35.0.4:9")
    assert (error.code, error.transient) == ("SignInUnavailable", True)


def test_a_sign_in_that_is_refused_is_final(far):
    refused = reply(401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret."})
    error = told(far, items, ROWS, tokens=(refused,))
    assert isinstance(error, SetupError)
    assert error.code == "invalid_client"
    assert "AZURE_CLIENT_SECRET" in error.remedy


def test_a_read_whose_token_is_refused_is_sent_again_with_a_new_one(far):
    assert told(far, items, EXPIRED, ROWS) == [{"id": "1"}]
    assert far.bearers == ["token-1", "token-2"]


def test_a_write_whose_token_is_refused_is_sent_again_with_a_new_one(far):
    assert told(far, fail_over, EXPIRED, TAKEN).job_id == "the-job"
    assert far.bearers == ["token-1", "token-2"]


@pytest.mark.parametrize("work", [items, fail_over])
def test_a_new_token_that_is_refused_as_well_is_final_and_says_what_to_do(far, work):
    error = told(far, work, EXPIRED)
    assert (error.code, error.transient, error.status) == ("ExpiredAuthenticationToken", False, 401)
    assert "clock" in error.remedy
    assert far.bearers == ["token-1", "token-2"]


def test_many_requests_with_one_dead_token_ask_for_one_new_token(far):
    async def story():
        async with far.opened(EXPIRED, EXPIRED, EXPIRED, ROWS) as clients:
            return await asyncio.gather(*(items(clients) for _ in range(3)))

    assert asyncio.run(story()) == [[{"id": "1"}]] * 3
    assert far.signed_in == 2


class Refused:
    """A credential of azure-identity that is refused each time; ``asked`` counts."""

    def __init__(self) -> None:
        self.asked = 0

    async def get_token(self, *scopes, **options):
        self.asked += 1
        await asyncio.sleep(0)
        raise ClientAuthenticationError("chain failed\n\tAzureCliCredential: Please run 'az login'\nSee the guide")


def refusals(credential, count=5):
    async def everyone():
        return await asyncio.gather(*(credential.get_token("scope") for _ in range(count)), return_exceptions=True)

    return asyncio.run(everyone())


@pytest.mark.parametrize("given", [True, False])
def test_a_refused_sign_in_is_asked_for_once_and_told_to_all(script, given):
    asked = Refused()
    found = refusals(RenewableCredential(lambda over: asked, script(), given=given))
    assert asked.asked == 1
    assert [isinstance(error, ClientAuthenticationError) for error in found] == [True] * 5
    assert isinstance(found[0], NoCredentialsError) is not given


def test_without_credentials_the_error_names_every_way_to_give_them(script):
    found = refusals(RenewableCredential(lambda over: Refused(), script(), given=False), 1)[0]
    error = translate(found, "reading v")
    assert (type(error), error.code) == (SetupError, "NoCredentials")
    assert "Please run 'az login'" in error.cause
    for way in ("az login", "AZURE_CLIENT_SECRET", "managed identity"):
        assert way in error.remedy


def test_a_controller_that_offers_nothing_is_told_so_after_one_look(far, monkeypatch):
    for name in (*SECRET_VARIABLES, *CERTIFICATE_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_TENANT_ID", "11111111-1111-4111-8111-111111111111")
    monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.35.0.4:9")
    monkeypatch.setenv("PATH", "/nowhere")

    async def everything(clients):
        return await together(*(items(clients) for _ in range(5)))

    error = told(far, everything, ROWS)
    assert (type(error), error.code) == (SetupError, "NoCredentials")
    assert "EnvironmentCredential" in error.cause
    assert far.arrived == []


def test_only_the_documented_ways_to_sign_in_are_tried(script, monkeypatch):
    for name in (*SECRET_VARIABLES, *CERTIFICATE_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", "/nowhere/token")
    made = []

    def kinds(self, *credentials):
        made.extend(type(one).__name__ for one in credentials)

    monkeypatch.setattr(ChainedTokenCredential, "__init__", kinds)
    credential(CloudSettings(), script())
    assert sorted({name.removeprefix("AsyncFailedDACCredential") or "WorkloadIdentityCredential" for name in made}) == [
        "AzureCliCredential",
        "EnvironmentCredential",
        "ManagedIdentityCredential",
        "WorkloadIdentityCredential",
    ]


def test_all_reads_have_ended_when_one_of_them_has_failed():
    ended = []

    async def read(name, turns):
        for _ in range(turns):
            await asyncio.sleep(0)
        ended.append(name)
        if turns == 1:
            raise ValueError(name)

    async def story():
        with pytest.raises(ValueError, match="short"):
            await together(read("long", 5), read("short", 1))
        return ended

    assert asyncio.run(story()) == ["short", "long"]
