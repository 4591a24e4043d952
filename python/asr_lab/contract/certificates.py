"""Certificates as clients register them, also in place of those that were removed from recorded requests."""

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def with_certificate(body: Any, now: datetime) -> Any:
    """Return the body with a fresh certificate where one belongs (vault certificates)."""
    properties = body.get("properties") if isinstance(body, Mapping) else None
    if not isinstance(properties, Mapping) or "certificate" not in properties:
        return body
    return {**body, "properties": {**properties, "certificate": client_certificate(now)}}


def client_certificate(now: datetime, hours: float = 48) -> str:
    """Return a self-signed certificate for client authentication, valid from ten minutes ago, as base64 of its DER."""
    key = _key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Windows Azure Tools")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(minutes=10))
        .not_valid_after(now + timedelta(hours=hours))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return base64.b64encode(built.public_bytes(Encoding.DER)).decode()


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)
