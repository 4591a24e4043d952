"""The password that EC2 keeps for a Windows instance."""

import base64

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from asr_migrate.aws import password
from asr_migrate.domain.errors import ServiceError

ADDRESS, SECRET = "10.20.0.20", "x9;Planted(word)"


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(65537, 2048)


def pem(private):
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Ec2:
    """EC2 with instances, one of which has a password."""

    def __init__(self, data, instances=("i-1",)):
        self.data, self.instances = data, instances

    def describe_instances(self, Filters):  # noqa: N803
        assert {"Name": "private-ip-address", "Values": [ADDRESS]} in Filters
        return {"Reservations": [{"Instances": [{"InstanceId": name}]} for name in self.instances]}

    def get_password_data(self, InstanceId):  # noqa: N803
        return {"InstanceId": InstanceId, "PasswordData": self.data}


def encrypted(key):
    return base64.b64encode(key.public_key().encrypt(SECRET.encode(), PKCS1v15())).decode()


def test_the_password_is_decrypted_with_the_key_pair_s_private_half(key):
    assert password.administrator(Ec2(f"\r\n{encrypted(key)}\r\n"), ADDRESS, pem(key)) == SECRET


@pytest.mark.parametrize(
    ("instances", "data", "told"),
    [
        ((), "", "0 running instances have the address 10.20.0.20"),
        (("i-1", "i-2"), "", "2 running instances"),
        (("i-1",), "", "EC2 has no password of i-1"),
        (("i-1",), "not base64!", "cannot be read with the given key"),
    ],
)
def test_what_is_missing_is_named(key, instances, data, told):
    with pytest.raises(ServiceError, match=told) as unknown:
        password.administrator(Ec2(data, instances), ADDRESS, pem(key))
    assert unknown.value.code == "PasswordNotKnown"


@pytest.mark.parametrize("wrong", [b"no key", pem(ed25519.Ed25519PrivateKey.generate())])
def test_a_key_that_does_not_fit_is_told_without_the_key(key, wrong):
    with pytest.raises(ServiceError, match="cannot be read with the given key") as unknown:
        password.administrator(Ec2(encrypted(key)), ADDRESS, wrong)
    assert wrong.decode() not in str(unknown.value.as_dict())


def test_a_refusal_of_ec2_names_the_address():
    class Refusing:
        def describe_instances(self, **_given):
            raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, "DescribeInstances")

    with pytest.raises(ServiceError, match=r"the instance at 10\.20\.0\.20"):
        password.administrator(Refusing(), ADDRESS, b"")
