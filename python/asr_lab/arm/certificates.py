"""The lab's certificate authority and the certificates that its servers show.

Both carry key usage and key identifiers, without which current Python versions refuse a certificate. The authority's
key is thrown away once the server's certificate is signed.
"""

import os
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID = timedelta(days=365)
_EARLY = timedelta(days=1)

_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True)
class Certificates:
    """Files: what clients trust (``ca_file``), what servers show (``certificate_file``) and its key (mode 0600)."""

    ca_file: Path
    certificate_file: Path
    key_file: Path

    def server_context(self) -> ssl.SSLContext:
        """Return the TLS settings of a server that shows the certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate_file, self.key_file)
        return context


def make_certificates(
    directory: Path, *, addresses: Iterable[str], now: datetime, names: Iterable[str] = ()
) -> Certificates:
    """Make an authority and a server certificate in ``directory``: ``ca.pem``, ``server.pem``, ``server.key``.

    The server's certificate is good for ``addresses`` (IP), ``names`` (DNS) and localhost; ``now`` is clients' time.
    """
    directory.mkdir(parents=True, exist_ok=True)
    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority_name, server_name = _name("asr-migrate lab CA"), _name("localhost")
    authority = (
        _builder(authority_name, authority_name, authority_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    ips = dict.fromkeys([*addresses, "127.0.0.1", "::1"])
    dns = dict.fromkeys([*names, "localhost"])
    server = (
        _builder(server_name, authority_name, server_key.public_key(), now)
        .add_extension(
            x509.SubjectAlternativeName(
                [*(x509.DNSName(name) for name in dns), *(x509.IPAddress(ip_address(address)) for address in ips)]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    made = Certificates(directory / "ca.pem", directory / "server.pem", directory / "server.key")
    made.ca_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    made.certificate_file.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    _write_private(
        made.key_file,
        server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
    return made


def kept_certificates(directory: Path, *, addresses: Iterable[str], now: datetime) -> Certificates | None:
    """Return the certificates that an earlier call left in ``directory`` when they are good for ``addresses`` and for
    another day, else None.
    """
    kept = Certificates(directory / "ca.pem", directory / "server.pem", directory / "server.key")
    try:
        server = x509.load_pem_x509_certificate(kept.certificate_file.read_bytes())
        named = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        kept.server_context()
    except (OSError, ValueError, x509.ExtensionNotFound):
        return None
    held = {str(address) for address in named.get_values_for_type(x509.IPAddress)}
    lasts = server.not_valid_before_utc <= now < server.not_valid_after_utc - _EARLY
    return kept if kept.ca_file.exists() and held >= set(addresses) and lasts else None


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*allowed: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in allowed for usage in _USAGES})


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
