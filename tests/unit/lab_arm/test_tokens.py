"""Tokens that are not good, in the words of Resource Manager."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from asr_lab.arm.tokens import LIFETIME_S, Credentials, Tokens
from asr_lab.arm.wire import ArmError

NOW = datetime(2026, 4, 1, tzinfo=UTC)
TENANT = "11111111-1111-4111-8111-111111111111"
CLIENT = "33333333-3333-4333-8333-333333333333"
HOST = "localhost:8443"


@pytest.fixture
def tokens():
    return Tokens(Credentials(TENANT, CLIENT, "secret"))


def signed_in(tokens):
    form = {
        "grant_type": "client_credentials",
        "client_id": CLIENT,
        "client_secret": "secret",
        "scope": f"https://{HOST}/.default",
    }
    return tokens.sign_in(TENANT, form, NOW)["access_token"]


def refusal(tokens, header, now=NOW, host=HOST):
    with pytest.raises(ArmError) as refused:
        tokens.check(header, host, now)
    assert refused.value.status == 401
    assert refused.value.headers["WWW-Authenticate"].startswith(f'Bearer authorization_uri="https://{host}/')
    return refused.value


def foreign(tenant):
    parts = ({"typ": "JWT", "alg": "RS256"}, {"aud": f"https://{HOST}", "tid": tenant, "exp": 4_000_000_000})
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join((*encoded, "c2lnbmF0dXJl"))


def test_a_good_token_names_the_principal(tokens):
    assert tokens.check(f"Bearer {signed_in(tokens)}", HOST, NOW) == CLIENT


def test_a_missing_token(tokens):
    assert refusal(tokens, None).code == "AuthenticationFailed"


@pytest.mark.parametrize("header", ["Bearer", "Bearer nonsense", "Basic dXNlcjpwYXNz", "Bearer a.b.c"])
def test_something_that_is_no_token(tokens, header):
    assert refusal(tokens, header).code == "InvalidAuthenticationToken"


def test_a_token_of_another_tenant_is_told_which_one_is_needed(tokens):
    refused = refusal(tokens, f"Bearer {foreign('99999999-9999-4999-8999-999999999999')}")
    assert refused.code == "InvalidAuthenticationTokenTenant"
    assert "wrong issuer 'https://sts.windows.net/99999999" in refused.message
    assert f"must match the tenant 'https://sts.windows.net/{TENANT}/'" in refused.message


def test_a_token_that_only_claims_this_tenant_is_not_taken(tokens):
    assert refusal(tokens, f"Bearer {foreign(TENANT)}").code == "InvalidAuthenticationToken"


def test_a_token_for_another_audience(tokens):
    refused = refusal(tokens, f"Bearer {signed_in(tokens)}", host="elsewhere:8443")
    assert refused.code == "InvalidAuthenticationTokenAudience"


def test_a_token_is_good_for_an_hour(tokens):
    header = f"Bearer {signed_in(tokens)}"
    tokens.check(header, HOST, NOW + timedelta(seconds=LIFETIME_S - 1))
    refused = refusal(tokens, header, NOW + timedelta(seconds=LIFETIME_S))
    assert refused.code == "ExpiredAuthenticationToken"
    assert refused.message == (
        "The access token expiry UTC time '4/1/2026 1:00:00 AM' is earlier than current UTC time '4/1/2026 1:00:00 AM'."
    )
