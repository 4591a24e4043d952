"""Real pywinrm against the lab's WinRM listener."""

import base64
import ipaddress
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
import winrm
import winrm.exceptions
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from asr_lab.clock import ManualClock
from asr_lab.hosts.windows.estate import WindowsHosts

from .conftest import World, spec

NET = "127.33"
PASSWORD = "a long, random password"


def _certificate(folder: Path, addresses: list[str]) -> tuple[Path, ssl.SSLContext]:
    """Return the CA's file and the server's TLS context."""
    now = datetime.now(UTC)

    def build(name: str, key: ec.EllipticCurvePrivateKey, issuer: str) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = (
        build("Lab CA", ca_key, "Lab CA")
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address)) for address in addresses])
    leaf = build("hosts", key, "Lab CA").add_extension(names, critical=False).sign(ca_key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "server.pem").write_bytes(leaf.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.key").write_bytes(private)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(folder / "server.pem", folder / "server.key")
    return folder / "ca.pem", tls


class Lab:
    def __init__(self, hosts: WindowsHosts, world: World, ca: Path) -> None:
        self.hosts = hosts
        self.world = world
        self._ca = ca

    def client(self, address: str, password: str = PASSWORD) -> winrm.Protocol:
        return winrm.Protocol(
            endpoint=f"https://{address}:5986/wsman",
            transport="ntlm",
            username="Administrator",
            password=password,
            ca_trust_path=str(self._ca),
            server_cert_validation="validate",
            operation_timeout_sec=5,
            read_timeout_sec=10,
        )


@pytest.fixture
def lab(tmp_path: Path, world: World, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setenv("NTLM_USER_FILE", "")
    ca, tls = _certificate(tmp_path, [f"{NET}.1.11", f"{NET}.1.21"])
    hosts = WindowsHosts(
        state=tmp_path, net=NET, tls=tls, user="Administrator", password=PASSWORD, uplink=world, clock=clock
    )
    hosts.add(spec("app-2008"))
    hosts.add(spec("web-2022"))
    hosts.start()
    yield Lab(hosts, world, ca)
    hosts.stop()


def run(client: winrm.Protocol, text: str, stdin: bytes = b"") -> tuple[str, str, int]:
    """Run PowerShell text as Ansible's winrm connection does."""
    shell = client.open_shell()
    encoded = base64.b64encode(text.encode("utf-16-le")).decode()
    arguments = ["-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Unrestricted", "-EncodedCommand", encoded]
    command = client.run_command(shell, "PowerShell", arguments, console_mode_stdin=not stdin)
    if stdin:
        client.send_command_input(shell, command, stdin, end=True)
    out, err, code = client.get_command_output(shell, command)
    client.cleanup_command(shell, command)
    client.close_shell(shell)
    return out.decode(), err.decode(), code


def test_pywinrm_logs_on_by_ntlm_and_runs_a_native_command(lab):
    out, err, code = run(lab.client(f"{NET}.1.11"), "hostname")
    assert (out, err, code) == ("APP-2008\r\n", "", 0)


def test_each_host_answers_at_its_own_address(lab):
    assert run(lab.client(f"{NET}.1.21"), "hostname")[0] == "WEB-2022\r\n"


def test_standard_input_reaches_a_file(lab):
    client = lab.client(f"{NET}.1.11")
    run(client, r"[IO.File]::WriteAllLines('C:\ProgramData\note.txt', @($input))", b"first\nsecond\n")
    assert run(client, r"cmd /c 'type C:\ProgramData\note.txt'")[0] == "first\r\nsecond\r\n"


def test_a_wrong_password_is_refused(lab):
    with pytest.raises(winrm.exceptions.InvalidCredentialsError):
        run(lab.client(f"{NET}.1.11", password="wrong"), "hostname")


def test_a_machine_that_is_switched_off_refuses_connections_and_comes_back(lab):
    lab.world.off.add("10.20.1.11")
    lab.hosts.look()
    with pytest.raises(requests.exceptions.ConnectionError):
        run(lab.client(f"{NET}.1.11"), "hostname")
    lab.world.off.clear()
    lab.hosts.look()
    assert run(lab.client(f"{NET}.1.11"), "hostname")[2] == 0


def test_an_open_connection_ends_when_the_machine_is_switched_off(lab):
    client = lab.client(f"{NET}.1.11")
    assert run(client, "hostname")[2] == 0
    lab.world.off.add("10.20.1.11")
    with pytest.raises(requests.exceptions.ConnectionError):
        run(client, "hostname")


def test_a_restart_lets_the_command_end_and_then_refuses_connections(lab, clock):
    assert run(lab.client(f"{NET}.1.11"), "shutdown /r /t 0") == ("", "", 0)
    clock.advance(1)
    lab.hosts.look()
    with pytest.raises(requests.exceptions.ConnectionError):
        run(lab.client(f"{NET}.1.11"), "hostname")
    clock.advance(5)
    lab.hosts.look()
    assert run(lab.client(f"{NET}.1.11"), "hostname")[2] == 0


def test_a_command_line_longer_than_cmd_exe_takes_is_refused(lab):
    out, err, code = run(lab.client(f"{NET}.1.11"), "echo '" + "x" * 4000 + "'")
    assert (out, err, code) == ("", "The command line is too long.\r\n", 1)


def test_a_hundred_thousand_lines_of_output_arrive_whole(lab):
    lab.hosts.apply_fault("app-2008", {"file": {r"C:\big.txt": "line\r\n" * 100_000}})
    assert run(lab.client(f"{NET}.1.11"), r"cmd /c 'type C:\big.txt'")[0] == "line\r\n" * 100_000


def test_the_file_with_the_password_is_private(lab, tmp_path):
    assert (tmp_path / "secrets" / "ntlm_users").stat().st_mode & 0o777 == 0o600
