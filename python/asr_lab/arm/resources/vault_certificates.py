"""Certificates of a vault: what makes a vault registration key valid, and for how long.

A client puts a self-signed certificate; the vault answers with what the registration file needs. The key made from it
is good for 120 hours (Site Recovery documentation: five days); the world's time decides, not the certificate's own
dates.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID

from asr_lab.arm.resources.subscriptions import require_body
from asr_lab.arm.routes import route
from asr_lab.arm.schema import Record, Text, check
from asr_lab.arm.versions import VAULT_VERSIONS
from asr_lab.arm.wire import ArmError, Request, Response, capital, resource_id
from asr_lab.arm.world import World

VALID_H = 120
_GIVEN_BEFORE = timedelta(minutes=10)
_VAULT_TYPE = "Microsoft.RecoveryServices/vaults"
_SUBJECT = "CN=Windows Azure Tools"
_VAULT = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.RecoveryServices/vaults/{vault}"

_BODY = Record(
    {
        "properties": Record(
            {
                "authType": Text(choices=("AAD", "ACS", "AccessControlService", "AzureActiveDirectory", "Invalid")),
                "certificate": Text(),
                "validFrom": Text(),
                "validTo": Text(),
            },
            required=("authType", "certificate"),
        )
    },
    required=("properties",),
)


@dataclass(frozen=True)
class RegisteredCertificate:
    """A certificate that a vault knows; ``certificate`` is base64 DER as the client sent it, times are virtual."""

    name: str
    vault_id: str
    certificate: str
    thumbprint: str
    valid_from: datetime
    valid_to: datetime


def registered(world: World, vault_id: str, management_cert: str) -> RegisteredCertificate | None:
    """Return the vault's certificate that the ``ManagementCert`` of a registration file holds, or None.

    ``management_cert`` is base64 of the certificate (DER) or of a PFX with an empty password.
    """
    wanted = _thumbprint_of(management_cert)
    held: list[RegisteredCertificate] = world.resources.children(vault_id, "certificates")
    return next((one for one in reversed(held) if one.thumbprint == wanted), None)


@route("PUT", _VAULT + "/certificates/{name}", versions=VAULT_VERSIONS)
def put_certificate(
    world: World, request: Request, now: datetime, *, sub: str, rg: str, vault: str, name: str
) -> Response:
    """Register a certificate and answer what a registration file needs; the shape is that of the recorded exchange."""
    properties = check(require_body(request), _BODY)["properties"]
    vault_id = resource_id(sub, rg, _VAULT_TYPE, vault)
    held = world.resources.get(vault_id)
    certificate = properties["certificate"] or _made_by_the_service(world, name)
    if properties["certificate"]:
        _check_certificate(certificate)
    dated = name.replace("--vaultcredentials", f"-{now.month}-{now.day}-{now.year}-vaultcredentials")
    entry = RegisteredCertificate(
        name=dated,
        vault_id=vault_id,
        certificate=certificate,
        thumbprint=_thumbprint_of(certificate),
        valid_from=now - _GIVEN_BEFORE,
        valid_to=now + timedelta(hours=VALID_H),
    )
    certificate_id = f"{vault_id}/certificates/{dated}"
    world.resources.delete(certificate_id)
    world.resources.put(certificate_id, entry)
    principal = _principal(world, vault_id)
    body: dict[str, Any] = {
        "name": dated,
        "type": "Microsoft.RecoveryServices/vaults/certificates",
        "id": capital(certificate_id),
        "properties": {
            "authType": "AzureActiveDirectory",
            "certificate": certificate,
            "resourceId": principal["resource_id"],
            "aadAuthority": "https://login.windows.net",
            "aadTenantId": (world.resources.get(f"/subscriptions/{sub}") or {}).get("tenantId", ""),
            "servicePrincipalClientId": principal["client_id"],
            "servicePrincipalObjectId": principal["object_id"],
            "azureManagementEndpointAudience": f"https://pod01-id1.{_short(held)}.backup.windowsazure.com/restapi/",
            "subject": _SUBJECT,
            "validFrom": entry.valid_from.isoformat(timespec="seconds"),
            "validTo": entry.valid_to.isoformat(timespec="seconds"),
            "thumbprint": entry.thumbprint,
            "friendlyName": "",
            "issuer": _SUBJECT,
        },
    }
    if request.api_version > "2016-06-01":
        body["properties"]["aadAudience"] = (
            f"https://RecoveryServiceVault/{_short(held)}/{vault}/{principal['resource_id']}"
        )
    return Response(200, {}, body)


def _short(vault: Any) -> str:
    return str(vault["location"])


def _principal(world: World, vault_id: str) -> dict[str, Any]:
    place = f"{vault_id}/servicePrincipal/default"
    held: dict[str, Any] | None = world.resources.get(place)
    if held is None:
        held = {"resource_id": world.number(62) + 1, "client_id": world.guid(), "object_id": world.guid()}
        world.resources.put(place, held)
    return held


def _made_by_the_service(world: World, name: str) -> str:
    if not name.startswith("CN="):
        raise _refused("properties.certificate is empty, which is accepted only for a name that begins with CN=")
    return base64.b64encode(world.number(2048).to_bytes(256, "big")).decode()


def _check_certificate(text: str) -> None:
    """Refuse what is not an RSA certificate of at least 2048 bits for client authentication."""
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise _refused("properties.certificate is not the base64 text of a certificate in DER") from None
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < 2048:
        raise _refused("the certificate's key is not RSA with 2048 bits or more")
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        raise _refused("the certificate has no extended key usage; client authentication is needed") from None
    if ExtendedKeyUsageOID.CLIENT_AUTH not in usage:
        raise _refused("the certificate's extended key usage lacks client authentication (1.3.6.1.5.5.7.3.2)")


def _refused(sentence: str) -> ArmError:
    return ArmError(400, "UploadCertificateInvalid", f"The certificate cannot be registered: {sentence}.")


def _thumbprint_of(text: str) -> str:
    """Return the upper-case SHA-1 of a certificate given as base64 of DER or of a PFX with an empty password."""
    try:
        raw = base64.b64decode(text)
    except binascii.Error:
        return ""
    try:
        found = pkcs12.load_key_and_certificates(raw, None)[1]
        raw = found.public_bytes(Encoding.DER) if found else raw
    except ValueError:
        pass
    digest = hashes.Hash(hashes.SHA1())
    digest.update(raw)
    return digest.finalize().hex().upper()
