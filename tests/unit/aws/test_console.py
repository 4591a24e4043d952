"""The certificate that an instance shows in its console, and the file that it is kept in."""

import base64
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from asr_migrate.aws import console
from asr_migrate.clock import ManualClock
from asr_migrate.domain.errors import ServiceError

from .test_modules import ROOT, load

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def made(name):
    """Return a self-signed certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return builder.sign(key, hashes.SHA256())


def line(certificate):
    return f"ASR-MIGRATE-CERTIFICATE {base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()} END\r\n"


def pem(certificate):
    return certificate.public_bytes(Encoding.PEM).decode()


class Ec2:
    """A console that shows one text after the other, the last one for good; ``nitro`` shows what is printed now."""

    def __init__(self, *texts, nitro=True):
        self.texts, self.nitro, self.asked = list(texts), nitro, 0

    def get_console_output(self, InstanceId, Latest=False):  # noqa: N803
        if Latest and not self.nitro:
            raise ClientError({"Error": {"Code": "UnsupportedOperation", "Message": "not on Xen"}}, "GetConsoleOutput")
        self.asked += 1
        return {"InstanceId": InstanceId, "Output": self.texts.pop(0) if len(self.texts) > 1 else self.texts[0]}


def test_the_last_whole_certificate_of_the_console_is_taken():
    old, new = made("old"), made("new")
    assert console.certificate(
        f"Windows is Ready\r\n{line(old)}noise{line(new)}ASR-MIGRATE-CERTIFICATE AAAA END"
    ) == pem(new)
    assert console.certificate(line(new)[:60]) is None
    assert console.certificate("ASR-MIGRATE-CERTIFICATE not-base64 END ASR-MIGRATE-CERTIFICATE A END") is None
    assert console.certificate("") is None


@pytest.mark.parametrize("nitro", [True, False])
def test_the_console_is_looked_at_until_it_shows_a_certificate(nitro):
    certificate, clock = made("cs-1"), ManualClock()
    ec2 = Ec2("", "Windows is being set up", line(certificate), nitro=nitro)
    assert console.wait_for_certificate(ec2, "i-1", clock) == pem(certificate)
    assert ec2.asked == 3


def test_a_console_without_a_certificate_is_given_up_in_time():
    with pytest.raises(ServiceError) as gone:
        console.wait_for_certificate(Ec2("nothing"), "i-1", ManualClock(), timeout_s=60)
    assert gone.value.code == "CertificateNotShown"
    assert "i-1" in gone.value.message


def test_a_refusal_of_ec2_names_the_instance():
    class Refusing:
        def get_console_output(self, **_given):
            raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, "GetConsoleOutput")

    with pytest.raises(ServiceError, match="show the console of i-1"):
        console.output(Refusing(), "i-1")


def test_the_file_is_of_one_instance(tmp_path):
    path = tmp_path / "keys" / "cs-1.pem"
    assert not console.kept_for(path, "i-1")
    console.keep(path, "i-1", pem(made("cs-1")))
    assert console.kept_for(path, "i-1")
    assert path.stat().st_mode & 0o777 == 0o600
    assert not console.kept_for(path, "i-2")


def test_the_module_leaves_a_file_of_the_same_instance_and_writes_none_in_check_mode(monkeypatch, tmp_path):
    plugin = load(monkeypatch, ROOT / "plugins" / "modules" / "server_certificate.py")
    path = tmp_path / "cs-1.pem"
    params = {"instance_id": "i-1", "dest": str(path), "timeout_s": 60, "wait_scale": 1.0, "region": None}
    assert plugin.run(params, SimpleNamespace(check_mode=True)) == {"changed": True, "path": str(path)}
    assert not path.exists()
    console.keep(path, "i-1", pem(made("cs-1")))
    assert plugin.run(params, SimpleNamespace(check_mode=False))["changed"] is False
