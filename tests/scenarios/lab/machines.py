"""Machines outside Azure for the stories, and the registration file that their servers need."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from asr_lab.arm import landing_zone
from asr_lab.arm.estate import HostDescription, HostDisk

from .journey import GIB
from .served import Client


def machine(name: str, address: str, number: int, agent: str | None = None) -> HostDescription:
    """Return a Windows machine with one disk of 40 GiB."""
    guid = f"00000000-0000-4000-8000-{number:012d}"
    return HostDescription(
        host_id=guid,
        host_name=name,
        addresses=(address,),
        os_type="Windows",
        os_name="Windows Server 2022",
        disks=(HostDisk(r"\\.\PHYSICALDRIVE0", 40 * GIB, True),),
        bios_id=guid.upper(),
        mac=f"0a:00:00:00:00:{number:02x}",
        firmware="BIOS",
        cores=2,
        memory_mb=4096,
        agent_version=agent,
    )


async def registration_file(azure: Client, *, site: tuple[str, str] = ("", "")) -> bytes:
    """Register a new certificate with the vault and return the registration file; ``site`` is id and name."""
    certificate = _certificate()
    name = f"{azure.vault}{landing_zone.SUBSCRIPTION_ID}-1-1-2026-vaultcredentials"
    body: Any = {"properties": {"authType": "AAD", "certificate": certificate}}
    group = landing_zone.RESOURCE_GROUP
    await azure.call("recovery_services", "vault_certificates.create", group, azure.vault, name, body)
    return (
        '<RSVaultAsrCreds xmlns="http://schemas.datacontract.org/2004/07/Portal"><VaultDetails>'
        f"<SubscriptionId>{landing_zone.SUBSCRIPTION_ID}</SubscriptionId><ResourceGroup>{group}</ResourceGroup>"
        f"<ResourceName>{azure.vault}</ResourceName></VaultDetails><ManagementCert>{certificate}</ManagementCert>"
        "<Version>2.0</Version><ChannelIntegrityKey>aW50ZWdyaXR5</ChannelIntegrityKey>"
        f"<SiteId>{site[0]}</SiteId><SiteName>{site[1]}</SiteName></RSVaultAsrCreds>"
    ).encode()


def _certificate() -> str:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Windows Azure Tools")])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(hours=120))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(built.public_bytes(Encoding.DER)).decode()
