"""The certificate that a Windows instance shows in its console at its first start.

The console can be written by the instance alone and read through EC2's interface alone, over TLS and with AWS
credentials; so what stands there may be trusted as much as EC2 itself. The appliance's user data
(``roles/appliance/templates/user_data.ps1.j2``) writes one line: ``ASR-MIGRATE-CERTIFICATE <DER in base64> END``.
"""

from __future__ import annotations

import binascii
import os
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from asr_migrate.aws import ec2 as instances
from asr_migrate.clock import Clock
from asr_migrate.domain.errors import ServiceError

_LINE = re.compile(r"ASR-MIGRATE-CERTIFICATE\s+([A-Za-z0-9+/=]+)\s+END")
#: Only instances on Nitro show what they print now; the others show what EC2 kept of their last start.
_ONLY_NITRO = "UnsupportedOperation"


def certificate(console: str) -> str | None:
    """Return the certificate, as PEM, that stands last in what a console shows; None when there is no whole one."""
    for found in reversed(_LINE.findall(console)):
        try:
            return x509.load_der_x509_certificate(b64decode(found, validate=True)).public_bytes(Encoding.PEM).decode()
        except (ValueError, binascii.Error):
            continue
    return None


def output(ec2: Any, instance_id: str) -> str:
    """Return what EC2 has of an instance's console, at most its last 64 KiB. Raises ServiceError when EC2 refuses."""
    try:
        try:
            answer = ec2.get_console_output(InstanceId=instance_id, Latest=True)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") != _ONLY_NITRO:
                raise
            answer = ec2.get_console_output(InstanceId=instance_id)
    except (ClientError, BotoCoreError) as error:
        raise instances.refused(error, f"show the console of {instance_id}") from error
    return str(answer.get("Output") or "")


def kept_for(path: Path, instance_id: str) -> bool:
    """Return whether ``path`` holds the certificate of this instance; another one may have had the name before."""
    try:
        return path.read_text("utf-8").startswith(_head(instance_id))
    except FileNotFoundError:
        return False


def keep(path: Path, instance_id: str, pem: str) -> None:
    """Write a certificate with its instance's id above it, in one step; what reads certificates skips that line.

    Only the owner may read the file, for it stands beside keys.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        out.write(_head(instance_id) + pem)
    os.replace(new, path)


def wait_for_certificate(
    ec2: Any, instance_id: str, clock: Clock, *, timeout_s: float = 1800.0, interval_s: float = 15.0
) -> str:
    """Return the certificate, as PEM, once the console shows it. Times are service seconds.

    Raises ServiceError when EC2 refuses, or with code CertificateNotShown after ``timeout_s``.
    """
    deadline_s = clock.monotonic() + timeout_s
    while (found := certificate(output(ec2, instance_id))) is None:
        if clock.monotonic() >= deadline_s:
            raise ServiceError(
                f"the console of {instance_id} shows no certificate of WinRM after {timeout_s / 60:g} minutes",
                code="CertificateNotShown",
                cause="The instance was not started with the role's user data, or its image had a listener already.",
                remedy="Leave asr_appliance.certificate_file out and trust the listener's certificate by "
                "ansible_winrm_ca_trust_path; or terminate the instance and let deploy_appliance start another. On the "
                "server, C:\\Windows\\asr-migrate\\first-start.log says what the user data did.",
            )
        clock.wait(interval_s)
    return found


def _head(instance_id: str) -> str:
    return f"WinRM of {instance_id}\n"
