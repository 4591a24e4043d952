"""The first start of a stock image, with the user data of the role appliance and without."""

import dataclasses
import socket
import ssl
import threading
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from asr_lab.hosts.windows import first_start
from asr_lab.hosts.windows.server import tls_of
from asr_lab.hosts.windows.state import Host
from asr_migrate.aws import console

from .conftest import spec

ROOT = Path(__file__).parents[3]
LOOPBACK = "127.34.9.10"
TEMPLATES = ROOT / "roles" / "appliance" / "templates"


@pytest.fixture(scope="module")
def user_data():
    jinja = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined)
    return jinja.get_template("user_data.ps1.j2").render(appliance_address="10.20.0.10")


@pytest.fixture
def stock(tmp_path, world, clock):
    return Host(dataclasses.replace(spec("legacy-cs"), stock=True), tmp_path / "legacy-cs", world, clock)


def test_a_stock_image_has_raw_volumes_and_no_listener(stock):
    first_start.run(stock, "", LOOPBACK)
    assert list(stock.drives()) == ["C:"]
    assert not stock.listens(5986)
    assert console.certificate(stock.condition.console) is None


def test_the_role_s_user_data_makes_volume_and_listener_and_shows_the_certificate(stock, user_data):
    first_start.run(stock, user_data, LOOPBACK)
    assert list(stock.drives()) == ["C:", "D:"]
    assert stock.listens(5986)
    assert console.certificate(stock.condition.console) in stock.listener_certificate.read_text()


def test_user_data_runs_at_the_first_start_only(stock, user_data):
    first_start.run(stock, "", LOOPBACK)
    first_start.run(stock, user_data, LOOPBACK)
    assert not stock.listens(5986)


def test_the_kept_certificate_verifies_the_listener_and_no_other(tmp_path, stock, user_data):
    first_start.run(stock, user_data, LOOPBACK)
    path = tmp_path / "keys" / "legacy-cs.pem"
    console.keep(path, "i-1", console.certificate(stock.condition.console))
    server = socket.create_server((LOOPBACK, 0))
    tls = tls_of(stock, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))

    def serve():
        while True:
            try:
                connection, _ = server.accept()
                tls.wrap_socket(connection, server_side=True).close()
            except ssl.SSLError:
                continue
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    with server:
        trusting = ssl.create_default_context(cafile=str(path))
        with socket.create_connection(server.getsockname()) as raw:
            trusting.wrap_socket(raw, server_hostname=LOOPBACK).close()
        with socket.create_connection(server.getsockname()) as raw, pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(raw, server_hostname=LOOPBACK)
        with socket.create_connection(server.getsockname()) as raw, pytest.raises(ssl.SSLCertVerificationError):
            trusting.wrap_socket(raw, server_hostname="127.34.9.11")


def test_what_the_first_start_made_is_there_after_a_restart_of_the_lab(tmp_path, world, clock, stock, user_data):
    first_start.run(stock, user_data, LOOPBACK)
    again = Host(stock.spec, stock.directory, world, clock)
    assert again.listens(5986)
    assert list(again.drives()) == ["C:", "D:"]


def test_a_reset_host_starts_for_the_first_time_again_with_the_certificate_of_its_instance(stock, user_data):
    first_start.run(stock, user_data, LOOPBACK)
    shown = console.certificate(stock.condition.console)
    stock.reset()
    assert not stock.listens(5986)
    first_start.run(stock, user_data, LOOPBACK)
    assert console.certificate(stock.condition.console) == shown


def test_the_user_data_holds_no_secret_and_is_small_enough_for_ec2(user_data):
    assert not any(word in user_data.lower() for word in ("password", "secret =", "convertto-securestring"))
    assert user_data.isascii()
    assert len(user_data.encode()) <= 16 * 1024
    assert "IPAddress=10.20.0.10&" in user_data
