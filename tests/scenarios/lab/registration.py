"""The registration file that servers outside Azure need to be taken into a vault."""

from typing import Any

from tests.worlds.vaults import registration_file

from asr_lab.arm import landing_zone
from asr_lab.contract.certificates import client_certificate

from .served import Client


async def register_certificate(azure: Client, *, site: tuple[str, str] | None = None) -> bytes:
    """Register a new certificate with the vault and return the registration file; ``site`` is id and name."""
    certificate = client_certificate(azure.served.clock.now(), hours=120)
    name = f"{azure.vault}{landing_zone.SUBSCRIPTION_ID}-1-1-2026-vaultcredentials"
    body: Any = {"properties": {"authType": "AAD", "certificate": certificate}}
    group = landing_zone.RESOURCE_GROUP
    await azure.call("recovery_services", "vault_certificates.create", group, azure.vault, name, body)
    return registration_file(azure.vault, certificate, site=site)
