"""Unified Setup on a simulated server: its proxy's file, running over an older version, and another registration."""

import pytest

from asr_lab.hosts.windows.faults import apply_fault
from asr_lab.hosts.windows.installers import dr_configurator, packages, unified_setup
from asr_lab.hosts.windows.installers.unified_setup import CS_PRODUCT, MYSQL_5_5, REGISTRATION, Exit
from asr_lab.hosts.windows.shell import run_text
from asr_lab.hosts.windows.state import AGENT_PRODUCT

from .conftest import run_setup

WORK = r"C:\ProgramData\asr-migrate"
MYSQL = '[MySQLCredentials]\r\nMySQLRootPassword = "R00t_secret"\r\nMySQLUserPassword = "Us3r_secret"\r\n'
PROXY = (
    '[ProxySettings]\r\nProxyAuthentication = "Yes"\r\nProxy IP = "10.20.0.5"\r\nProxyPort = "3128"\r\n'
    'ProxyUserName="asr"\r\nProxyPassword="proxy secret"\r\n'
)
GIVEN = f"'/ProxySettingsFilePath' '{WORK}\\proxy.txt'"
ONLY_WAY = {"address": "10.20.0.5", "port": 3128, "user": "asr", "password": "proxy secret"}
SETUP_LOG = r"C:\ProgramData\ASRSetupLogs\ASRUnifiedSetup.log"
CONFIGURE = f"& '{unified_setup.CONFIGURATOR}' '/r' '/friendlyname' 'CS' '/Credentials'"


@pytest.fixture
def server(make_host, world):
    host = make_host("legacy-cs")
    host.files.write(WORK + r"\mysql.txt", MYSQL.encode())
    host.files.write(WORK + r"\vault.xml", world.key + b"\r\n")
    host.files.write(WORK + r"\proxy.txt", PROXY.encode())
    return host


def run(host, arguments, version=packages.VERSION):
    host.files.write(WORK + r"\UNIFIEDSETUP.EXE", packages.program("unified-setup", version))
    return run_setup(host, rf"{WORK}\UNIFIEDSETUP.EXE", arguments).code


def install(host, version=packages.VERSION, more=""):
    arguments = (
        f"'/AcceptThirdpartyEULA' '/servermode' 'CS' '/InstallLocation' 'D:\\' '/MySQLCredsFilePath' "
        f"'{WORK}\\mysql.txt' '/VaultCredsFilePath' '{WORK}\\vault.xml' '/EnvType' 'NonVMWare' {more}"
    )
    return run(host, arguments, version)


def test_a_proxy_is_taken_from_a_file_of_the_documented_form(server, world):
    assert install(server, more=GIVEN) == Exit.RESTART
    assert "proxy secret" not in server.files.text(SETUP_LOG)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("[ProxySettings]", "[Proxy]"), "must hold [ProxySettings]"),
        (("Proxy IP", "ProxyIP"), "must hold [ProxySettings]"),
        (('"10.20.0.5"', '"http://10.20.0.5"'), "in a form that is not valid"),
        (('"Yes"', '"True"'), "Yes or No"),
        (('"asr"', '""'), "user or password is empty"),
    ],
)
def test_a_wrong_proxy_file_fails_with_its_reason(server, change, complaint):
    server.files.write(WORK + r"\proxy.txt", PROXY.replace(*change).encode())
    assert install(server, more=GIVEN) == Exit.ARGUMENTS
    assert complaint in server.files.text(SETUP_LOG)


def test_a_setup_of_the_published_form_takes_a_url_and_nothing_else(server):
    apply_fault(server, {"proxy_file_form": "published_source"})
    assert install(server, more=GIVEN) == Exit.ARGUMENTS
    published = PROXY.replace('Proxy IP = "10.20.0.5"', 'ProxyIP = "http://10.20.0.5"')
    server.files.write(WORK + r"\proxy.txt", published.encode())
    assert install(server, more=GIVEN) == Exit.RESTART


def test_a_proxy_that_does_not_answer_fails(server, world):
    world.blocked.add(("10.20.0.5", 3128))
    assert install(server, more=GIVEN) == Exit.ARGUMENTS
    assert "10.20.0.5:3128 was not reached" in server.files.text(SETUP_LOG)


def test_where_a_proxy_is_the_only_way_out_setup_must_know_it(server, world):
    apply_fault(server, {"proxy": ONLY_WAY})
    assert install(server) == Exit.CONTAINER_NOT_REGISTERED
    assert world.servers == []
    assert install(server, more=GIVEN) == Exit.RESTART


@pytest.mark.parametrize(
    ("older", "newer", "code"),
    [
        ("9.55.0.0", "9.59.0.0", Exit.DONE),
        ("9.54.0.0", "9.59.0.0", Exit.NO_UPGRADE),
        ("9.59.0.0", "9.59.0.0", Exit.NO_UPGRADE),
        ("9.59.0.0", "9.58.0.0", Exit.NO_UPGRADE),
    ],
)
def test_an_upgrade_passes_at_most_four_versions_and_never_goes_back(server, older, newer, code):
    assert install(server, older) == Exit.RESTART
    passphrase = server.files.text(unified_setup.PASSPHRASE)
    assert run(server, "'/Upgrade'", newer) == code
    now = older if code else newer
    assert [server.registry.text(key, "Version") for key in (CS_PRODUCT, AGENT_PRODUCT)] == [now, now]
    assert server.files.text(unified_setup.PASSPHRASE) == passphrase
    assert all(server.services.is_running(name) for name in (*unified_setup.SERVICES, "dra"))


def test_an_upgrade_needs_its_switch_alone_and_a_whole_server(server):
    assert run(server, "'/Upgrade'") == Exit.ARGUMENTS
    assert install(server, "9.58.0.0") == Exit.RESTART
    assert install(server, "9.59.0.0") == Exit.ARGUMENTS
    assert run(server, "'/Upgrade' '/servermode' 'CS'", "9.59.0.0") == Exit.ARGUMENTS
    assert run(server, "'/Upgrade'", "9.59.0.0") == Exit.DONE


def test_an_upgrade_that_replaces_mysql_wants_its_licence_accepted(server):
    install(server, "9.58.0.0")
    server.registry.create(MYSQL_5_5)
    assert run(server, "'/Upgrade'", "9.59.0.0") == Exit.ARGUMENTS
    assert run(server, "'/Upgrade' '/AcceptThirdpartyEULA'", "9.59.0.0") == Exit.DONE
    assert not server.registry.has(MYSQL_5_5)


def test_a_server_is_registered_again_by_its_provider(server, world):
    install(server)
    assert run_text(server, f"{CONFIGURE} '{WORK}\\vault.xml'").code == 0
    assert len(world.servers) == 2
    assert run_text(server, f"{CONFIGURE} '{WORK}\\nothing.xml'").code == 1


def test_the_provider_takes_no_other_vault_while_it_is_registered(server, world):
    install(server)
    server.registry.write(REGISTRATION, {"ResourceName": "first"})
    world.key = b"<RSVaultAsrCreds><ResourceName>second</ResourceName></RSVaultAsrCreds>"
    server.files.write(WORK + r"\vault.xml", world.key)
    assert "another vault: first" in run_text(server, f"{CONFIGURE} '{WORK}\\vault.xml'").err
    server.registry.remove(REGISTRATION)
    assert run_text(server, f"{CONFIGURE} '{WORK}\\vault.xml'").code == 0
    assert server.registry.text(REGISTRATION, "ResourceName") == "second"


def test_the_agent_s_proxy_is_set_by_its_cmdlet(server):
    cmdlet = "Set-OBMachineSetting -ProxyServer 'http://10.20.0.5' -ProxyPort 3128"
    assert run_text(server, cmdlet).code == 1
    install(server)
    assert run_text(server, cmdlet).code == 0
    assert server.registry.text(dr_configurator.AGENT_PROXY, "Server") == "http://10.20.0.5"
