"""The vault registration key: the file with which a configuration server registers itself with a vault.

A self-signed certificate is put on the vault; the vault's answer, the certificate with its key and the vault's channel
integrity key make a data-contract XML that the server reads. It is a secret for five days, so the file belongs to its
owner alone and its content is in no result, log or message.
Source: the registration file that Azure PowerShell writes; Site Recovery documentation (validity).
"""

from __future__ import annotations

import base64
import binascii
import os
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from azure.mgmt.recoveryservices import models
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from asr_migrate.azure import vault as vaults
from asr_migrate.azure.client import AzureClients
from asr_migrate.azure.failures import vault_missing
from asr_migrate.domain.errors import InputError, SetupError
from asr_migrate.domain.landing_zone import LandingZone

VALIDITY = timedelta(hours=120)
BACKDATED = timedelta(minutes=10)
KEPT_WHILE_VALID_FOR = timedelta(days=1)
SUBJECT = "Windows Azure Tools"
CONTRACT = "http://schemas.datacontract.org/2004/07/Microsoft.Azure.Portal.RecoveryServices.Models.Common"
INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
SUFFIX = ".VaultCredentials"
STAMP = "%Y-%m-%dT%H-%M-%S"


class RegistrationKeyExpiredError(SetupError):
    """The registration key that was given is older than five days.

    Attributes: issued_at, expires_at (aware datetimes, UTC).
    """

    def __init__(self, path: Path, issued_at: datetime, expires_at: datetime):
        super().__init__(
            f"{path}: the registration key expired at {expires_at:%Y-%m-%d %H:%M} UTC",
            code="RegistrationKeyExpired",
            cause=f"A vault registration key is valid for five days; this one is of {issued_at:%Y-%m-%d %H:%M} UTC",
            remedy="Leave asr_appliance.registration_key out, and deploy_appliance issues a new key; or download a new "
            "one in the portal.",
        )
        self.issued_at = issued_at
        self.expires_at = expires_at


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate: its DER, and a PFX with an empty password that holds its key as well."""

    der: bytes
    pfx: bytes


@dataclass(frozen=True)
class RegistrationKey:
    """Where a key is and from when until when it is good. ``vault`` is (subscription id, resource group, vault)."""

    path: Path
    issued_at: datetime
    expires_at: datetime
    vault: tuple[str, str, str]

    def good_for(self, zone: LandingZone) -> bool:
        """Whether the key belongs to the landing zone's vault."""
        mine = (zone.subscription_id, zone.resource_group, zone.vault)
        return [part.lower() for part in self.vault] == [part.lower() for part in mine]

    def as_dict(self) -> dict[str, str]:
        """Return what a task's result shows; never the content."""
        return {
            "path": str(self.path),
            "issued_at": self.issued_at.isoformat(timespec="seconds"),
            "expires_at": self.expires_at.isoformat(timespec="seconds"),
        }


def make_certificate(now: datetime) -> Certificate:
    """Return a certificate as the vault demands it: RSA 2048, for client authentication, valid 120 hours from ``now``.

    It begins ten minutes early, so that a server whose clock is a little behind takes it.
    """
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, SUBJECT)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(private, hashes.SHA256())
    )
    pfx = pkcs12.serialize_key_and_certificates(SUBJECT.encode(), private, made, None, NoEncryption())
    return Certificate(der=made.public_bytes(Encoding.DER), pfx=pfx)


def certificate_name(zone: LandingZone, now: datetime) -> str:
    """Return the certificate's name in the vault: vault, subscription, date (month-day-year without zeros)."""
    return f"{zone.vault}{zone.subscription_id}-{now.month}-{now.day}-{now.year}-vaultcredentials"


def file_name(zone: LandingZone, now: datetime) -> str:
    """Return the registration file's name."""
    return f"{zone.vault}_{now.strftime(STAMP)}{SUFFIX}"


def render(
    zone: LandingZone,
    vault: vaults.Vault,
    certificate: Certificate,
    answer: Mapping[str, Any],
    integrity_key: str,
) -> bytes:
    """Return the registration file: UTF-8 without a byte order mark, elements in the data contract's order.

    ``answer`` is the ``properties`` of the vault's answer to the certificate. ``SiteId`` and ``SiteName`` stay empty:
    only a Hyper-V site has them.
    """
    resource_id = str(answer["resourceId"])
    audience = answer.get("aadAudience")
    audience = audience or f"https://RecoveryServiceVault/{vault.location}/{zone.vault}/{resource_id}"
    root = ET.Element("RSVaultAsrCreds", {"xmlns": CONTRACT, "xmlns:i": INSTANCE})

    def fill(parent: ET.Element, values: Mapping[str, str | None]) -> None:
        for name, value in values.items():
            child = ET.SubElement(parent, name)
            if value is None:
                child.set("i:nil", "true")
            else:
                child.text = value

    fill(
        ET.SubElement(root, "VaultDetails"),
        {
            "SubscriptionId": zone.subscription_id,
            "ResourceGroup": zone.resource_group,
            "ResourceName": zone.vault,
            "ResourceId": resource_id,
            "Location": vault.location,
            "ResourceType": "Vaults",
            "ProviderNamespace": "Microsoft.RecoveryServices",
        },
    )
    fill(root, {"ManagementCert": base64.b64encode(certificate.pfx).decode(), "Version": "2.0"})
    fill(
        ET.SubElement(root, "AadDetails"),
        {
            "AadAuthority": answer["aadAuthority"],
            "AadTenantId": answer["aadTenantId"],
            "ServicePrincipalClientId": answer["servicePrincipalClientId"],
            "AadVaultAudience": audience,
            "ArmManagementEndpoint": answer["azureManagementEndpointAudience"],
        },
    )
    fill(
        root,
        {
            "ChannelIntegrityKey": integrity_key,
            "SiteId": None,
            "SiteName": None,
            "PrivateEndpointStateForSiteRecovery": vault.private_endpoint_state,
        },
    )
    return b'<?xml version="1.0" encoding="utf-8"?>' + ET.tostring(root, encoding="unicode").encode()


def read(path: Path) -> RegistrationKey:
    """Return what a registration file says about itself, ours or one from the portal.

    Raises InputError when it is not one. No message holds any of its content.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            "registration key", str(path), f"{path} cannot be read: {error.strerror}", remedy="Check the path."
        ) from None
    try:
        root = ET.fromstring(content.lstrip(b"\xef\xbb\xbf"))
    except ET.ParseError:
        raise _not_a_key(path, "it is not XML") from None
    space = {"c": CONTRACT}
    named = [root.findtext(f"c:VaultDetails/c:{name}", None, space) for name in VAULT_FIELDS]
    certificate = root.findtext("c:ManagementCert", None, space)
    if not all(named) or not certificate:
        raise _not_a_key(path, "it lacks VaultDetails or ManagementCert")
    issued_at, expires_at = _validity(path, certificate)
    subscription, group, vault = (str(part) for part in named)
    return RegistrationKey(path, issued_at, expires_at, (subscription, group, vault))


def _element(path: Path, name: str) -> str | None:
    """Return the text of one element of a registration file that ``read`` took."""
    return ET.fromstring(path.read_bytes().lstrip(b"\xef\xbb\xbf")).findtext(f"{{{CONTRACT}}}{name}")


VAULT_FIELDS = ("SubscriptionId", "ResourceGroup", "ResourceName")


def _not_a_key(path: Path, problem: str) -> InputError:
    return InputError(
        "registration key",
        str(path),
        f"{path} is not a vault registration key for Site Recovery: {problem}",
        remedy="Give the .VaultCredentials file of the vault's Site Recovery page (the one for Backup is another).",
    )


def _validity(path: Path, certificate: str) -> tuple[datetime, datetime]:
    """Return from when until when a ManagementCert (base64 of a PFX or of a bare certificate) is valid."""
    try:
        raw = base64.b64decode(certificate, validate=True)
    except binascii.Error:
        raise _not_a_key(path, "ManagementCert is not base64") from None
    try:
        found = pkcs12.load_key_and_certificates(raw, None)[1]
    except ValueError:
        found = None
    try:
        held = found or x509.load_der_x509_certificate(raw)
    except ValueError:
        raise _not_a_key(path, "ManagementCert holds no certificate") from None
    return held.not_valid_before_utc + BACKDATED, held.not_valid_after_utc


def newest(zone: LandingZone, directory: Path) -> RegistrationKey | None:
    """Return the key of the landing zone's vault in ``directory`` that is valid longest, or None."""
    found: list[RegistrationKey] = []
    for path in sorted(directory.glob(f"{zone.vault}_*{SUFFIX}")):
        try:
            key = read(path)
        except InputError:
            continue
        if key.good_for(zone):
            found.append(key)
    return max(found, key=lambda key: key.expires_at, default=None)


def given(zone: LandingZone, path: Path, now: datetime) -> RegistrationKey:
    """Return the key that the user downloaded, checked.

    Raises InputError when it is of another vault, RegistrationKeyExpiredError when it is too old.
    """
    key = read(path)
    if not key.good_for(zone):
        raise InputError(
            "registration key",
            str(path),
            f"{path} is of vault {key.vault[2]}, the landing zone's is {zone.vault}",
            remedy="Download the key of the landing zone's vault, or leave asr_appliance.registration_key out.",
        )
    if key.expires_at <= now:
        raise RegistrationKeyExpiredError(path, key.issued_at, key.expires_at)
    return key


async def ensure(
    clients: AzureClients, zone: LandingZone, directory: Path, *, force: bool = False
) -> tuple[RegistrationKey | None, bool]:
    """Return a key of the vault that is valid for more than a day, and whether it was made now.

    A key with another integrity key is of a vault of the same name that was deleted, and is not kept. ``force`` makes a
    new one in any case. A new key takes the place of the old file. Check mode notes what it would send, returns None.

    Raises SetupError when the vault does not exist (in check mode it is taken as one that would be made).
    """
    now = clients.clock.now().astimezone(UTC).replace(microsecond=0)
    old = newest(zone, directory)
    if old is not None and not force and old.expires_at - now > KEPT_WHILE_VALID_FOR:
        known = await vaults.known_integrity_key(clients, zone)
        if known is not None and known == _element(old.path, "ChannelIntegrityKey"):
            return old, False
    vault = await vaults.find(clients, zone)
    if vault is None and not clients.check_mode:
        raise vault_missing(zone)
    integrity_key = await vaults.integrity_key(clients, zone)
    certificate = make_certificate(now)
    answer = await clients.send(
        clients.vaults.vault_certificates.create(
            zone.resource_group,
            zone.vault,
            certificate_name(zone, now),
            models.CertificateRequest(
                {"properties": {"authType": "AAD", "certificate": base64.b64encode(certificate.der).decode()}}
            ),
        ),
        what=f"put a registration certificate on the vault {zone.vault}",
        why="the appliance is not registered and there is no key that is valid for a day",
    )
    if answer is None or vault is None or integrity_key is None:
        return None, False
    content = render(zone, vault, certificate, answer.as_dict()["properties"], integrity_key)
    path = directory / file_name(zone, now)
    write_secret(path, content)
    if old is not None and old.path != path:
        old.path.unlink(missing_ok=True)
    return read(path), True


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, all of it or nothing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
