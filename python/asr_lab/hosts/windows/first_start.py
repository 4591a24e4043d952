"""What EC2's launch agent does at the first start of a stock image of Windows: it runs the user data.

A stock image has raw data volumes and no WinRM listener on HTTPS. Of a ``<powershell>`` script the lab understands
three things by their commands, whatever else stands in it: volumes on the raw disks, a listener with a certificate of
its own, and that certificate in one line of the console (EC2 documentation, user data on Windows instances).
"""

import base64
import ipaddress
import os
import re
from collections.abc import Iterable
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from asr_lab.hosts.windows.state import Host

_SCRIPT = re.compile(r"<powershell>(.*)</powershell>", re.DOTALL | re.IGNORECASE)
_VOLUMES = re.compile(r"\bInitialize-Disk\b.*\bFormat-Volume\b", re.DOTALL | re.IGNORECASE)
_LISTENER = re.compile(r"\bNew-Item\b[^\n]*WSMan:\\localhost\\Listener[^\n]*-Transport HTTPS\b", re.IGNORECASE)
_ADDRESS = re.compile(r"\bIPAddress=([0-9.]+)")
_CONSOLE = re.compile(r"'(?P<mark>[A-Z-]+) ' \+ \[Convert\]::ToBase64String\(.*?'(?P<end> [A-Z]+)'.*'COM1'", re.DOTALL)


def run(host: Host, user_data: str, loopback: str) -> None:
    """Start a stock image for the first time, with its user data; a later call does nothing.

    ``loopback`` is where the controller finds the host; the certificate carries it besides the script's address.
    """
    if host.condition.started:
        return
    host.condition.started = True
    host.condition.console = "Windows is being set up\r\n"
    script = _SCRIPT.search(user_data)
    if script:
        _obey(host, script.group(1), loopback)
    host.condition.console += "Windows is Ready to use\r\n"
    host.save()


def _obey(host: Host, script: str, loopback: str) -> None:
    condition = host.condition
    if _VOLUMES.search(script):
        condition.raw_volumes = False
        for drive in host.drives():
            host.files.make_folder(f"{drive}\\")
    if not _LISTENER.search(script):
        return
    certificate = _certificate(host, [*_ADDRESS.findall(script), loopback])
    condition.https_listener = True
    if console := _CONSOLE.search(script):
        text = base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()
        condition.console += f"{console.group('mark')} {text}{console.group('end')}\r\n"


def _certificate(host: Host, addresses: Iterable[str]) -> x509.Certificate:
    """Write key and self-signed certificate of the listener, as certreq makes it, and return the certificate.

    A host that the lab has reset keeps the one it had, as its instance keeps its id.
    """
    if host.listener_certificate.exists():
        return x509.load_pem_x509_certificate(host.listener_certificate.read_bytes())
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host.spec.description.host_name)])
    now = host.utc_now()
    names = [x509.IPAddress(ipaddress.ip_address(address)) for address in dict.fromkeys(addresses)]
    usage = x509.KeyUsage(
        digital_signature=True,
        key_encipherment=True,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=10))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    host.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(host.listener_certificate, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(private + made.public_bytes(Encoding.PEM))
    return made
