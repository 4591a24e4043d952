"""Unified Setup on a simulated server: what it asks for, what it leaves, what it says when it fails."""

from collections.abc import Callable

import pytest

from asr_lab.hosts.windows.installers import unified_setup
from asr_lab.hosts.windows.installers.unified_setup import Exit
from asr_lab.hosts.windows.result import Result
from asr_lab.hosts.windows.shell import run_text
from asr_lab.hosts.windows.state import Host

from .conftest import run_setup

WORK = r"C:\ProgramData\asr-migrate"
MYSQL = '[MySQLCredentials]\r\nMySQLRootPassword = "R00t_secret"\r\nMySQLUserPassword = "Us3r_secret"\r\n'
ARGUMENTS = (
    f"'/AcceptThirdpartyEULA' '/servermode' 'CS' '/InstallLocation' 'D:\\' '/MySQLCredsFilePath' '{WORK}\\mysql.txt' "
    f"'/VaultCredsFilePath' '{WORK}\\vault.xml' '/EnvType' 'NonVMWare' '/PSIP' '10.20.0.10' '/CSIP' '10.20.0.10'"
)
SETUP_LOG = r"C:\ProgramData\ASRSetupLogs\ASRUnifiedSetup.log"
REGISTRATION_LOG = r"C:\ProgramData\ASRLogs\DRASetupWizard.log"


@pytest.fixture
def server(make_host: Callable[[str], Host], world) -> Host:
    host = make_host("legacy-cs")
    host.files.write(WORK + r"\setup.exe", world.internet["https://aka.ms/unifiedsetup"])
    host.files.write(WORK + r"\mysql.txt", MYSQL.encode())
    host.files.write(WORK + r"\vault.xml", world.key + b"\r\n")
    assert run_text(host, rf"& '{WORK}\setup.exe' '/q' '/x:{WORK}\setup' | Out-String").code == 0
    return host


def install(host: Host, arguments: str = ARGUMENTS) -> Result:
    return run_setup(host, rf"{WORK}\setup\UNIFIEDSETUP.EXE", arguments)


def test_the_package_extracts_only_with_the_colon(server):
    assert run_text(server, rf"& '{WORK}\setup.exe' '/q' '/x' '{WORK}\other'").code == 1


def test_a_configuration_server_is_installed_registered_and_wants_a_restart(server, world):
    assert install(server).code == Exit.RESTART
    assert [host.host_name for host in world.servers] == ["LEGACY-CS"]
    running = {name for name in (*unified_setup.SERVICES, "dra") if server.services.is_running(name)}
    assert running == {*unified_setup.SERVICES, "dra"}
    assert server.registry.has(unified_setup.REGISTRATION)
    assert server.wants_restart()
    assert all(server.listens(port) for port in (443, 9443))


def test_the_passphrase_is_random_and_genpassphrase_shows_it(server, world):
    install(server)
    shown = run_text(server, rf"& '{unified_setup.HOME}\bin\genpassphrase.exe' '-v' | Out-String").out.strip()
    assert shown == world.passphrase
    assert len(shown) == 16
    assert run_text(server, rf"& '{unified_setup.HOME}\bin\genpassphrase.exe' '-n'").code == 1


def test_setup_does_not_run_twice_over_the_same_version(server, world):
    install(server)
    assert install(server).code == Exit.ARGUMENTS
    assert "already installed" in server.files.text(SETUP_LOG)
    assert len(world.servers) == 1


def test_the_agents_lie_in_the_repository(server):
    install(server)
    names = [node.path for node in server.files.children(unified_setup.REPOSITORY)]
    assert any("_Windows_GA_" in name for name in names)


def test_no_secret_stands_in_a_log(server, world):
    install(server)
    logs = (server.files.text(SETUP_LOG) or "") + (server.files.text(REGISTRATION_LOG) or "")
    assert logs
    assert not [secret for secret in ("R00t_secret", "Us3r_secret", world.passphrase) if secret in logs]


@pytest.mark.parametrize(
    ("change", "complaint", "code"),
    [
        (("'/AcceptThirdpartyEULA' ", ""), "/AcceptThirdpartyEULA is required", Exit.ARGUMENTS),
        (("'CS'", "'MT'"), "/ServerMode", Exit.ARGUMENTS),
        (("'NonVMWare'", "'AWS'"), "/EnvType", Exit.ARGUMENTS),
        (
            ("'/PSIP' '10.20.0.10'", "'/PSIP' '10.20.0.99'"),
            "/PSIP: 10.20.0.99 is no address of this server",
            Exit.ARGUMENTS,
        ),
        (("mysql.txt", "nothing.txt"), "nothing.txt does not exist", Exit.ARGUMENTS),
        (("vault.xml", "nothing.xml"), "nothing.xml does not exist", Exit.ARGUMENTS),
        (("'/EnvType'", "'/EnvironmentType'"), "Invalid command line argument: /EnvironmentType", Exit.ARGUMENTS),
        (("'/InstallLocation' 'D:\\'", ""), "/InstallLocation is missing", Exit.ARGUMENTS),
        (("'D:\\'", "'E:\\'"), "The drive E: for the installation does not exist", Exit.PREREQUISITES),
    ],
)
def test_a_wrong_argument_fails_with_its_reason_in_the_log(server, world, change, complaint, code):
    assert install(server, ARGUMENTS.replace(*change)).code == code
    assert complaint in server.files.text(SETUP_LOG)
    assert world.servers == []


@pytest.mark.parametrize(
    "text",
    [
        "MySQLRootPassword = 'x'\r\n",
        '[MySQLCredentials]\r\nMySQLRootPassword = "x"\r\n',
        '[MySQLCredentials]\r\nMySQLRootPassword = ""\r\nMySQLUserPassword = "x"\r\n',
        "[MySQLCredentials]\r\nMySQLRootPassword = x\r\nMySQLUserPassword = y\r\n",
        MYSQL.replace("R00t_secret", "Sh0rt_!"),
        MYSQL.replace("R00t_secret", "Far_too_long_2_be"),
        MYSQL.replace("R00t_secret", "No_digit_in_it"),
        MYSQL.replace("R00t_secret", "12345678_"),
        MYSQL.replace("R00t_secret", "N0signInIt"),
        MYSQL.replace("Us3r_secret", "With a_bl4nk"),
        MYSQL.replace("Us3r_secret", "Passw0rd_~1"),
    ],
)
def test_a_wrong_mysql_file_fails(server, text):
    server.files.write(WORK + r"\mysql.txt", text.encode())
    assert install(server).code == Exit.ARGUMENTS
    assert "/MySQLCredsFilePath" in server.files.text(SETUP_LOG)


SCHANNEL = r"HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.0\Server"
ROLES = r"HKLM\SOFTWARE\Microsoft\ServerManager\ServicingStorage\ServerComponentCache"
POLICIES = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Policies\System"


@pytest.mark.parametrize(
    ("key", "name", "value", "complaint"),
    [
        (SCHANNEL, "Enabled", 0, "Failed to load Accounts"),
        (ROLES + r"\Web-Server", "InstallState", 1, "Internet Information Services is installed"),
        (ROLES + r"\AD-Domain-Services", "InstallState", 1, "Active Directory Domain Services is installed"),
        (POLICIES, "DisableRegistryTools", 1, "Prevent access to registry editing tools"),
        (r"HKLM\SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy", "Enabled", 1, "FIPS mode is enabled"),
        (r"HKLM\SYSTEM\CurrentControlSet\Control\Nls\Language", "InstallLanguage", "0407", "locale is not English"),
    ],
)
def test_a_server_that_does_not_fit_is_refused_with_the_reason(server, world, key, name, value, complaint):
    server.registry.write(key, {name: value})
    assert install(server).code == Exit.PREREQUISITES
    assert complaint in server.files.text(SETUP_LOG)
    assert world.servers == []


def test_sixteen_minutes_of_skew_are_acs50008(server, world):
    server.condition.skew_s = 16 * 60
    assert install(server).code == Exit.PREREQUISITES
    assert "ACS50008" in server.files.text(SETUP_LOG)
    assert world.servers == []


def test_a_taken_port_443_is_refused(server):
    server.condition.listening.add(443)
    assert install(server).code == Exit.PREREQUISITES
    assert "Port 443 is in use" in server.files.text(SETUP_LOG)


def test_the_cache_wants_600_gb_unless_the_check_is_skipped(server):
    server.condition.free_bytes["D:"] = 100 * 1024**3
    assert install(server).code == Exit.PREREQUISITES
    assert install(server, ARGUMENTS + " '/SkipSpaceCheck'").code == Exit.RESTART


def test_a_restart_that_is_pending_is_made_before(server):
    server.ask_for_restart()
    assert install(server).code == Exit.PREREQUISITES
    server.restart()
    assert install(server).code == Exit.RESTART


def test_the_root_of_the_system_s_drive_is_no_install_location(server):
    assert install(server, ARGUMENTS.replace("'D:\\'", "'C:\\'")).code == Exit.PREREQUISITES
    assert "root of the system drive" in server.files.text(SETUP_LOG)


def test_windows_server_2022_cannot_be_a_configuration_server(make_host, world):
    host = make_host("web-2022")
    host.files.write(r"C:\s\UNIFIEDSETUP.EXE", b"MZ asr-lab unified-setup 9.59.0.0\r\n")
    host.files.write(WORK + r"\mysql.txt", MYSQL.encode())
    host.files.write(WORK + r"\vault.xml", world.key)
    arguments = ARGUMENTS.replace("10.20.0.10", "10.20.1.21").replace("D:\\", "C:\\ASR")
    assert run_setup(host, r"C:\s\UNIFIEDSETUP.EXE", arguments).code == Exit.PREREQUISITES
    assert "is not supported on this server" in host.files.text(SETUP_LOG)


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("KeyExpired", "key has expired; a key is valid for 5 days"),
        ("KeyInvalid", "InvalidChannelIntegrityKeyToken"),
        ("ClockSkew", "ACS50008"),
    ],
)
def test_a_refused_registration_leaves_the_components_but_no_registration(server, world, code, complaint):
    world.key_refusal = code
    assert install(server).code == Exit.NOT_REGISTERED
    assert complaint in server.files.text(REGISTRATION_LOG)
    assert not server.registry.has(unified_setup.REGISTRATION)
    assert not server.services.is_running("dra")
    world.key_refusal = None
    passphrase = server.files.text(unified_setup.PASSPHRASE)
    server.restart()
    assert install(server).code == Exit.RESTART
    assert server.files.text(unified_setup.PASSPHRASE) == passphrase
    assert server.services.is_running("dra")
