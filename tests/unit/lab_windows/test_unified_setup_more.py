"""Unified Setup on a simulated server: its proxy's file, and running over an older version."""

import pytest

from asr_lab.hosts.windows.installers import packages, unified_setup
from asr_lab.hosts.windows.shell import run_text
from asr_lab.hosts.windows.state import AGENT_PRODUCT

WORK = r"C:\ProgramData\asr-migrate"
MYSQL = '[MySQLCredentials]\r\nMySQLRootPassword = "root secret"\r\nMySQLUserPassword = "user secret"\r\n'
PROXY = (
    '[ProxySettings]\r\nProxyAuthentication = "Yes"\r\nProxy IP = "10.20.0.5"\r\nProxyPort = "3128"\r\n'
    'ProxyUserName="asr"\r\nProxyPassword="proxy secret"\r\n'
)
SETUP_LOG = r"C:\ProgramData\ASRSetupLogs\ASRUnifiedSetup.log"


@pytest.fixture
def server(make_host, world):
    host = make_host("legacy-cs")
    host.files.write(WORK + r"\mysql.txt", MYSQL.encode())
    host.files.write(WORK + r"\vault.xml", world.key + b"\r\n")
    host.files.write(WORK + r"\proxy.txt", PROXY.encode())
    return host


def install(host, version=packages.VERSION, more=""):
    host.files.write(WORK + r"\UNIFIEDSETUP.EXE", packages.program("unified-setup", version))
    arguments = (
        f"'/AcceptThirdpartyEULA' '/servermode' 'CS' '/InstallLocation' 'D:\\' '/MySQLCredsFilePath' "
        f"'{WORK}\\mysql.txt' '/VaultCredsFilePath' '{WORK}\\vault.xml' '/EnvType' 'NonVMWare' {more}"
    )
    return run_text(host, rf"& '{WORK}\UNIFIEDSETUP.EXE' {arguments} | Out-String").code


def test_a_proxy_is_taken_from_a_file_of_the_documented_form(server, world):
    assert install(server, more=f"'/ProxySettingsFilePath' '{WORK}\\proxy.txt'") == 0
    assert "proxy secret" not in server.files.text(SETUP_LOG)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("[ProxySettings]", "[Proxy]"), "must hold [ProxySettings]"),
        (("Proxy IP", "ProxyIP"), "must hold [ProxySettings]"),
        (('"Yes"', '"True"'), "Yes or No"),
        (('"asr"', '""'), "user or password is empty"),
    ],
)
def test_a_wrong_proxy_file_fails_with_its_reason(server, change, complaint):
    server.files.write(WORK + r"\proxy.txt", PROXY.replace(*change).encode())
    assert install(server, more=f"'/ProxySettingsFilePath' '{WORK}\\proxy.txt'") == 1
    assert complaint in server.files.text(SETUP_LOG)


def test_a_proxy_that_does_not_answer_fails(server, world):
    world.blocked.add(("10.20.0.5", 3128))
    assert install(server, more=f"'/ProxySettingsFilePath' '{WORK}\\proxy.txt'") == 1
    assert "10.20.0.5:3128 was not reached" in server.files.text(SETUP_LOG)


@pytest.mark.parametrize(
    ("older", "newer", "code"), [("9.55.0.0", "9.59.0.0", 0), ("9.54.0.0", "9.59.0.0", 1), ("9.59.0.0", "9.58.0.0", 1)]
)
def test_an_upgrade_passes_at_most_four_versions_and_never_goes_back(server, older, newer, code):
    assert install(server, older) == 0
    passphrase = server.files.text(unified_setup.PASSPHRASE)
    assert install(server, newer) == code
    assert server.registry.text(AGENT_PRODUCT, "Product_Version") == (older if code else newer)
    assert server.files.text(unified_setup.PASSPHRASE) == passphrase
