"""Vaults, their keys and certificates, in the shapes of the recorded exchanges."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from asr_lab.arm.resources.vault_certificates import registered

VERSION = "2023-02-01"
KEY = "extendedInformation/vaultExtendedInfo"


def self_signed(key, usage=ExtendedKeyUsageOID.CLIENT_AUTH):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Windows Azure Tools")])
    start = datetime(2026, 4, 1, tzinfo=UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(5)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(hours=120))
    )
    return builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False).sign(key, hashes.SHA256())


def text(certificate):
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(65537, 2048)


def put_certificate(ask, certificate, name="vault-legacy-vaultcredentials", version="2016-06-01"):
    body = {"properties": {"authType": "AAD", "certificate": certificate}}
    return ask("PUT", f"{ask.vault}/certificates/{name}", body, version=version)


def test_a_new_vault_is_created_with_201_and_provisions_for_a_minute(ask, clock):
    made = ask("PUT", ask.vault, ask.vault_body, version=VERSION)
    assert made.status == 201
    assert made.body["properties"]["provisioningState"] == "Provisioning"
    assert "Location" not in made.headers
    status = made.headers["Azure-AsyncOperation"].removeprefix("https://management.azure.com").partition("?")[0]
    running = ask("GET", status, version=VERSION)
    assert running.body == {"id": status, "name": status.rpartition("/")[2], "status": "InProgress"}
    assert "/operationResults/" in running.headers["Location"]
    clock.advance(60)
    assert ask("GET", status, version=VERSION).body["status"] == "Succeeded"
    properties = ask("GET", ask.vault, version=VERSION).body["properties"]
    assert properties["provisioningState"] == "Succeeded"
    assert properties["securitySettings"]["softDeleteSettings"]["softDeleteRetentionPeriodInDays"] == 14


def test_putting_an_existing_vault_again_is_200_and_changes_what_is_given(ask):
    ask.make_vault()
    body = {**ask.vault_body, "properties": {"publicNetworkAccess": "Disabled"}, "tags": {"owner": "team"}}
    again = ask("PUT", ask.vault, body, version=VERSION)
    assert again.status == 200
    assert again.body["properties"]["publicNetworkAccess"] == "Disabled"
    assert again.body["tags"] == {"owner": "team"}


def test_the_oldest_api_makes_a_vault_at_once_and_tells_only_its_state(ask):
    made = ask("PUT", ask.vault, ask.vault_body, version="2016-06-01")
    assert (made.status, made.body["properties"]) == (201, {"provisioningState": "Succeeded"})


def test_a_missing_vault_is_not_found_in_the_recorded_words(ask):
    answer = ask("GET", ask.vault, version=VERSION)
    assert (answer.status, answer.body["error"]["code"]) == (404, "ResourceNotFound")
    assert answer.body["error"]["message"].startswith(
        "The Resource 'Microsoft.RecoveryServices/vaults/vault-legacy' under resource group 'rg-migration' was not"
    )


def test_a_vault_that_holds_items_cannot_be_deleted(ask, world, clock):
    ask.make_vault()
    world.resources.put(f"{ask.vault}/replicationPolicies/p", {})
    assert ask("DELETE", ask.vault, version=VERSION).body["error"]["code"].startswith("ServiceResourceNotEmpty")
    world.resources.delete(f"{ask.vault}/replicationPolicies/p")
    assert ask("DELETE", ask.vault, version=VERSION).status == 202
    clock.advance(60)
    assert ask("GET", ask.vault, version=VERSION).status == 404


def test_tags_are_changed_with_patch(ask):
    ask.make_vault()
    assert ask("PATCH", ask.vault, {"tags": {"a": "b"}}, version=VERSION).body["tags"] == {"a": "b"}


def test_a_new_vault_has_no_integrity_key_until_one_is_put(ask):
    ask.make_vault()
    missing = ask("GET", f"{ask.vault}/{KEY}", version=VERSION)
    assert (missing.status, missing.body["error"]["code"]) == (404, "ResourceExtendedInfoNotFound")
    put = ask("PUT", f"{ask.vault}/{KEY}", {"properties": {"integrityKey": "k"}}, version=VERSION)
    assert (put.status, put.body["properties"]) == (200, {"integrityKey": "k", "algorithm": "None"})
    assert put.body["id"] == f"{ask.vault}{KEY}"


def test_a_certificate_is_answered_with_what_a_registration_file_needs(ask, key):
    ask.make_vault()
    answer = put_certificate(ask, text(self_signed(key)), name="vault-legacySUB--vaultcredentials")
    assert answer.status == 200
    assert answer.body["name"] == "vault-legacySUB-4-1-2026-vaultcredentials"
    assert answer.body["id"].startswith("/Subscriptions/")
    properties = answer.body["properties"]
    assert list(properties) == [
        "authType",
        "certificate",
        "resourceId",
        "aadAuthority",
        "aadTenantId",
        "servicePrincipalClientId",
        "servicePrincipalObjectId",
        "azureManagementEndpointAudience",
        "subject",
        "validFrom",
        "validTo",
        "thumbprint",
        "friendlyName",
        "issuer",
    ]
    assert isinstance(properties["resourceId"], int)
    assert properties["validTo"] == "2026-04-06T08:01:01+00:00"


def test_a_newer_api_names_the_audience_too(ask, key):
    ask.make_vault()
    properties = put_certificate(ask, text(self_signed(key)), version=VERSION).body["properties"]
    wanted = f"https://RecoveryServiceVault/westeurope/vault-legacy/{properties['resourceId']}"
    assert properties["aadAudience"] == wanted


def test_a_registered_certificate_is_found_by_its_der_or_its_pfx_and_expires_after_120_hours(ask, world, clock, key):
    ask.make_vault()
    certificate = self_signed(key)
    put_certificate(ask, text(certificate))
    pfx = pkcs12.serialize_key_and_certificates(None, key, certificate, None, NoEncryption())
    for management_cert in (text(certificate), base64.b64encode(pfx).decode()):
        found = registered(world, ask.vault, management_cert)
        assert found.valid_to == clock.now() + timedelta(hours=120)
    other = rsa.generate_private_key(65537, 2048)
    assert registered(world, ask.vault, text(self_signed(other))) is None


@pytest.mark.parametrize(
    ("certificate", "sentence"), [("no certificate", "not the base64 text"), ("", "begins with CN=")]
)
def test_what_is_not_a_certificate_is_refused(ask, certificate, sentence):
    ask.make_vault()
    answer = put_certificate(ask, certificate)
    assert (answer.status, sentence in answer.body["error"]["message"]) == (400, True)


def test_a_certificate_without_client_authentication_is_refused(ask, key):
    ask.make_vault()
    answer = put_certificate(ask, text(self_signed(key, ExtendedKeyUsageOID.SERVER_AUTH)))
    assert "lacks client authentication" in answer.body["error"]["message"]


def test_the_service_makes_a_certificate_when_none_is_sent_under_a_name_with_cn(ask, world):
    ask.make_vault()
    made = put_certificate(ask, "", name="CN=vault-legacy").body["properties"]["certificate"]
    assert registered(world, ask.vault, made).name == "CN=vault-legacy"
