"""The password that a Windows instance of an AWS image made for its Administrator, which EC2 keeps encrypted.

Source: EC2 documentation, GetPasswordData: RSA with PKCS #1 v1.5 padding, for the key pair of the instance.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from asr_migrate.aws import ec2 as instances
from asr_migrate.domain.errors import ServiceError


def administrator(ec2: Any, address: str, key: bytes) -> str:
    """Return the first password of the Administrator of the running instance at private ``address``.

    ``key`` is the private half of the instance's key pair as PEM, without a passphrase. Raises ServiceError when EC2
    refuses, or with code PasswordNotKnown when there is no such instance, no password yet, or the key does not fit.
    """
    filters = [
        {"Name": "private-ip-address", "Values": [address]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
    ]
    try:
        answer = ec2.describe_instances(Filters=filters)
        found = [row["InstanceId"] for each in answer["Reservations"] for row in each["Instances"]]
        if len(found) != 1:
            raise _unknown(f"{len(found)} running instances have the address {address}", "Correct the address.")
        data = str(ec2.get_password_data(InstanceId=found[0]).get("PasswordData") or "").strip()
    except (ClientError, BotoCoreError) as error:
        raise instances.refused(error, f"tell the password of the instance at {address}") from error
    if not data:
        raise _unknown(
            f"EC2 has no password of {found[0]} ({address})",
            "Give the instance a key pair (asr_appliance.key_name) and wait for its first start, which takes minutes; "
            "an image with a password of its own has none here.",
        )
    try:
        private = load_pem_private_key(key, password=None)
        if isinstance(private, RSAPrivateKey):
            return private.decrypt(b64decode(data), PKCS1v15()).decode("ascii")
    except (ValueError, TypeError, binascii.Error):
        pass  # the cause might hold parts of the key
    raise _unknown(
        f"the password of {found[0]} ({address}) cannot be read with the given key",
        "Give the RSA private key, as PEM without a passphrase, of the key pair that the instance was started with.",
    )


def _unknown(text: str, remedy: str) -> ServiceError:
    return ServiceError(text, code="PasswordNotKnown", cause=text, remedy=remedy)
