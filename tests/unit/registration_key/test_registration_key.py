"""The vault registration key: its form, its life, and that nobody but its owner reads it."""

import asyncio
import base64
import stat
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import ExtendedKeyUsage, load_der_x509_certificate
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.worlds.zones import short_zone

from asr_migrate.azure import registration_key
from asr_migrate.azure.registration_key import RegistrationKeyExpiredError
from asr_migrate.clock import ManualClock
from asr_migrate.domain.errors import InputError, SetupError
from asr_migrate.domain.landing_zone import LandingZone

START = datetime(2026, 4, 1, 8, 30, tzinfo=UTC)
SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"
INTEGRITY_KEY = "c2l4dGVlbiBieXRlcyEhIQ=="
CONTRACT = "{http://schemas.datacontract.org/2004/07/Microsoft.Azure.Portal.RecoveryServices.Models.Common}"
ANSWER = {
    "authType": "AzureActiveDirectory",
    "resourceId": 918950760620133907,
    "aadAuthority": "https://login.windows.net",
    "aadTenantId": "11111111-1111-4111-8111-111111111111",
    "servicePrincipalClientId": "b38bb412-276d-0696-eadd-bc97c0d5df50",
    "azureManagementEndpointAudience": "https://pod01-id1.we.backup.windowsazure.com/restapi/",
}
ZONE = LandingZone.model_validate(
    short_zone(subscription_id=SUBSCRIPTION, vault="vault-legacy", architecture="classic")
)


class Wire(dict[str, Any]):
    """An answer as the SDK gives it."""

    def as_dict(self):
        return dict(self)


class FakeClients:
    """A vault that takes certificates and keeps its integrity key; ``sent`` is what it was sent."""

    def __init__(self, *, vault=True, algorithm="None", check_mode=False):
        self.clock = ManualClock(START)
        self.check_mode = check_mode
        self.sent = []
        self._vault = vault
        self._key = None if algorithm == "absent" else {"integrityKey": INTEGRITY_KEY, "algorithm": algorithm}
        self.vaults = SimpleNamespace(
            vaults=SimpleNamespace(get=self._get),
            vault_extended_info=SimpleNamespace(get=self._get_key, create_or_update=self._put_key),
            vault_certificates=SimpleNamespace(create=self._put_certificate),
        )

    async def _get(self, *_):
        if not self._vault:
            return None
        return Wire(id="/v", name="vault-legacy", location="westeurope", properties={"provisioningState": "Succeeded"})

    async def _get_key(self, *_):
        return Wire(properties=self._key) if self._key else None

    async def _put_key(self, _group, _vault, body):
        self.sent.append("integrity key")
        self._key = body["properties"]
        return Wire(properties=self._key)

    async def _put_certificate(self, _group, _vault, name, body):
        self.sent.append(name)
        self.certificate = base64.b64decode(body["properties"]["certificate"])
        return Wire(properties=ANSWER)

    async def find(self, call, _doing):
        return await call

    async def send(self, call, *, what, why):
        if self.check_mode:
            call.close()
            return None
        return await call


def ensure(clients, directory, **options):
    return asyncio.run(registration_key.ensure(clients, ZONE, directory, **options))


def local(element):
    return element.tag.removeprefix(CONTRACT)


def test_the_file_has_the_documented_elements_in_order(tmp_path):
    key, made = ensure(FakeClients(), tmp_path)
    content = key.path.read_bytes()
    root = ET.fromstring(content)
    assert made
    assert content.startswith(b'<?xml version="1.0" encoding="utf-8"?><RSVaultAsrCreds')
    assert [local(child) for child in root] == [
        "VaultDetails",
        "ManagementCert",
        "Version",
        "AadDetails",
        "ChannelIntegrityKey",
        "SiteId",
        "SiteName",
        "PrivateEndpointStateForSiteRecovery",
    ]
    assert {local(child): child.text for child in root.find(f"{CONTRACT}VaultDetails")} == {
        "SubscriptionId": SUBSCRIPTION,
        "ResourceGroup": "rg",
        "ResourceName": "vault-legacy",
        "ResourceId": "918950760620133907",
        "Location": "westeurope",
        "ResourceType": "Vaults",
        "ProviderNamespace": "Microsoft.RecoveryServices",
    }
    assert [local(child) for child in root.find(f"{CONTRACT}VaultDetails")][3] == "ResourceId"
    assert [(local(child), child.text) for child in root.find(f"{CONTRACT}AadDetails")] == [
        ("AadAuthority", "https://login.windows.net"),
        ("AadTenantId", ANSWER["aadTenantId"]),
        ("ServicePrincipalClientId", ANSWER["servicePrincipalClientId"]),
        ("AadVaultAudience", "https://RecoveryServiceVault/westeurope/vault-legacy/918950760620133907"),
        ("ArmManagementEndpoint", ANSWER["azureManagementEndpointAudience"]),
    ]
    assert root.findtext(f"{CONTRACT}Version") == "2.0"
    assert root.findtext(f"{CONTRACT}ChannelIntegrityKey") == INTEGRITY_KEY


def test_the_certificate_is_the_one_the_vault_demands(tmp_path):
    clients = FakeClients()
    key, _ = ensure(clients, tmp_path)
    sent = load_der_x509_certificate(clients.certificate)
    held = ET.fromstring(key.path.read_bytes()).findtext(f"{CONTRACT}ManagementCert")
    private, inside, _ = pkcs12.load_key_and_certificates(base64.b64decode(held), None)
    public = sent.public_key()
    assert isinstance(public, RSAPublicKey)
    assert public.key_size == 2048
    assert sent.subject.rfc4514_string() == sent.issuer.rfc4514_string() == "CN=Windows Azure Tools"
    assert ExtendedKeyUsageOID.CLIENT_AUTH in sent.extensions.get_extension_for_class(ExtendedKeyUsage).value
    assert sent.not_valid_before_utc == START - timedelta(minutes=10)
    assert sent.not_valid_after_utc == START + timedelta(hours=120)
    assert inside == sent
    assert private is not None


def test_names_are_those_of_the_service(tmp_path):
    clients = FakeClients()
    key, _ = ensure(clients, tmp_path)
    assert clients.sent == [f"vault-legacy{SUBSCRIPTION}-4-1-2026-vaultcredentials"]
    assert key.path.name == "vault-legacy_2026-04-01T08-30-00.VaultCredentials"


def test_only_its_owner_reads_the_file(tmp_path):
    key, _ = ensure(FakeClients(), tmp_path / "keys")
    assert stat.S_IMODE(key.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.path.parent.stat().st_mode) == 0o700
    assert [path.name for path in key.path.parent.iterdir()] == [key.path.name]


def test_the_result_holds_no_secret(tmp_path):
    key, _ = ensure(FakeClients(), tmp_path)
    assert key.as_dict() == {
        "path": str(key.path),
        "issued_at": "2026-04-01T08:30:00+00:00",
        "expires_at": "2026-04-06T08:30:00+00:00",
    }


def test_a_key_that_is_valid_for_more_than_a_day_is_kept(tmp_path):
    clients = FakeClients()
    first, _ = ensure(clients, tmp_path)
    clients.clock.advance(3.9 * 86400)
    second, made = ensure(clients, tmp_path)
    assert (second, made) == (first, False)
    assert len(clients.sent) == 1


@pytest.mark.parametrize(("days", "force"), [(4.1, False), (6, False), (1, True)])
def test_an_old_key_or_a_forced_one_is_replaced(tmp_path, days, force):
    clients = FakeClients()
    first, _ = ensure(clients, tmp_path)
    clients.clock.advance(days * 86400)
    second, made = ensure(clients, tmp_path, force=force)
    assert made
    assert second.expires_at > first.expires_at
    assert list(tmp_path.iterdir()) == [second.path]


def test_a_key_of_a_deleted_vault_of_the_same_name_is_replaced(tmp_path):
    first, _ = ensure(FakeClients(), tmp_path)
    clients = FakeClients(algorithm="absent")
    clients.clock.advance(60)
    second, made = ensure(clients, tmp_path)
    assert made
    assert second.path != first.path


def test_a_key_of_another_vault_is_not_taken(tmp_path):
    ensure(FakeClients(), tmp_path)
    other = ZONE.model_copy(update={"resource_group": "another"})
    assert registration_key.newest(other, tmp_path) is None


def test_a_vault_without_an_integrity_key_gets_one(tmp_path):
    clients = FakeClients(algorithm="absent")
    key, _ = ensure(clients, tmp_path)
    held = ET.fromstring(key.path.read_bytes()).findtext(f"{CONTRACT}ChannelIntegrityKey")
    assert clients.sent[0] == "integrity key"
    assert len(base64.b64decode(held)) == 16


def test_an_encrypted_integrity_key_is_refused(tmp_path):
    with pytest.raises(SetupError, match="integrity key is encrypted"):
        ensure(FakeClients(algorithm="RSA1_5"), tmp_path)


def test_without_a_vault_the_remedy_is_the_playbook(tmp_path):
    with pytest.raises(SetupError, match="does not exist") as raised:
        ensure(FakeClients(vault=False), tmp_path)
    assert "prepare_landing_zone" in raised.value.remedy


def test_check_mode_leaves_no_file_even_without_a_vault(tmp_path):
    clients = FakeClients(vault=False, algorithm="absent", check_mode=True)
    assert ensure(clients, tmp_path / "keys") == (None, False)
    assert not (tmp_path / "keys").exists()


def test_a_key_that_was_downloaded_is_checked_and_taken(tmp_path):
    made, _ = ensure(FakeClients(), tmp_path)
    assert registration_key.given(ZONE, made.path, START) == made


def test_a_downloaded_key_with_a_bare_certificate_is_read_too(tmp_path):
    clients = FakeClients()
    made, _ = ensure(clients, tmp_path)
    root = ET.fromstring(made.path.read_bytes())
    root.find(f"{CONTRACT}ManagementCert").text = base64.b64encode(clients.certificate).decode()
    portal = tmp_path / "portal.VaultCredentials"
    portal.write_bytes(b"\xef\xbb\xbf" + ET.tostring(root))
    assert registration_key.read(portal).expires_at == made.expires_at


def test_a_key_six_days_old_is_refused_with_its_dates_and_the_remedy(tmp_path):
    made, _ = ensure(FakeClients(), tmp_path)
    with pytest.raises(RegistrationKeyExpiredError) as raised:
        registration_key.given(ZONE, made.path, START + timedelta(days=6))
    assert (raised.value.issued_at, raised.value.expires_at) == (made.issued_at, made.expires_at)
    assert raised.value.code == "RegistrationKeyExpired"
    assert "deploy_appliance" in raised.value.remedy


@pytest.mark.parametrize("content", [b"no xml", b"<RSBackupVaultAADCreds/>"])
def test_a_file_that_is_no_key_is_refused_without_its_content(tmp_path, content):
    path = tmp_path / "backup.VaultCredentials"
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        registration_key.read(path)
    assert content.decode() not in str(raised.value)


def test_a_key_of_another_vault_is_refused_by_name(tmp_path):
    made, _ = ensure(FakeClients(), tmp_path)
    other = ZONE.model_copy(update={"vault": "vault-other"})
    with pytest.raises(InputError, match="is of vault vault-legacy, the landing zone's is vault-other"):
        registration_key.given(other, made.path, START)
