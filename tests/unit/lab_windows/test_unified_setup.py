"""Unified Setup on a simulated server: what it asks for, what it leaves, what it says when it fails."""

from collections.abc import Callable

import pytest

from asr_lab.hosts.windows.installers import unified_setup
from asr_lab.hosts.windows.result import Result
from asr_lab.hosts.windows.shell import run_text
from asr_lab.hosts.windows.state import Host

WORK = r"C:\ProgramData\asr-migrate"
MYSQL = '[MySQLCredentials]\r\nMySQLRootPassword = "root secret"\r\nMySQLUserPassword = "user secret"\r\n'
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
    return run_text(host, rf"& '{WORK}\setup\UNIFIEDSETUP.EXE' {arguments} | Out-String")


def test_the_package_extracts_only_with_the_colon(server):
    assert run_text(server, rf"& '{WORK}\setup.exe' '/q' '/x' '{WORK}\other'").code == 1


def test_a_configuration_server_is_installed_registered_and_wants_a_restart(server, world):
    assert install(server).code == 0
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


def test_running_setup_again_keeps_the_passphrase(server, world):
    install(server)
    first = world.passphrase
    assert install(server).code == 0
    assert world.passphrase == first


def test_the_agents_lie_in_the_repository(server):
    install(server)
    names = [node.path for node in server.files.children(unified_setup.REPOSITORY)]
    assert any("_Windows_GA_" in name for name in names)


def test_no_secret_stands_in_a_log(server, world):
    install(server)
    logs = (server.files.text(SETUP_LOG) or "") + (server.files.text(REGISTRATION_LOG) or "")
    assert logs
    assert not [secret for secret in ("root secret", "user secret", world.passphrase) if secret in logs]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("'/AcceptThirdpartyEULA' ", ""), "/AcceptThirdpartyEULA is required"),
        (("'CS'", "'MT'"), "/ServerMode"),
        (("'NonVMWare'", "'AWS'"), "/EnvType"),
        (("'/PSIP' '10.20.0.10'", "'/PSIP' '10.20.0.99'"), "/PSIP: 10.20.0.99 is no address of this server"),
        (("mysql.txt", "nothing.txt"), "nothing.txt does not exist"),
        (("vault.xml", "nothing.xml"), "nothing.xml does not exist"),
        (("'/EnvType'", "'/EnvironmentType'"), "Invalid command line argument: /EnvironmentType"),
        (("'/InstallLocation' 'D:\\'", ""), "/InstallLocation is missing"),
        (("'D:\\'", "'E:\\'"), "The drive E: for the installation does not exist"),
    ],
)
def test_a_wrong_argument_fails_with_its_reason_in_the_log(server, world, change, complaint):
    assert install(server, ARGUMENTS.replace(*change)).code == 1
    assert complaint in server.files.text(SETUP_LOG)
    assert world.servers == []


@pytest.mark.parametrize(
    "text",
    [
        "MySQLRootPassword = 'x'\r\n",
        '[MySQLCredentials]\r\nMySQLRootPassword = "x"\r\n',
        '[MySQLCredentials]\r\nMySQLRootPassword = ""\r\nMySQLUserPassword = "x"\r\n',
        "[MySQLCredentials]\r\nMySQLRootPassword = x\r\nMySQLUserPassword = y\r\n",
    ],
)
def test_a_wrong_mysql_file_fails(server, text):
    server.files.write(WORK + r"\mysql.txt", text.encode())
    assert install(server).code == 1


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
    assert install(server).code == 1
    assert complaint in server.files.text(SETUP_LOG)
    assert world.servers == []


def test_sixteen_minutes_of_skew_are_acs50008(server, world):
    server.condition.skew_s = 16 * 60
    assert install(server).code == 1
    assert "ACS50008" in server.files.text(SETUP_LOG)
    assert world.servers == []


def test_a_taken_port_443_is_refused(server):
    server.condition.listening.add(443)
    assert install(server).code == 1
    assert "Port 443 is in use" in server.files.text(SETUP_LOG)


def test_the_cache_wants_600_gb_unless_the_check_is_skipped(server):
    server.condition.free_bytes["D:"] = 100 * 1024**3
    assert install(server).code == 1
    assert install(server, ARGUMENTS + " '/SkipSpaceCheck'").code == 0


def test_windows_server_2022_cannot_be_a_configuration_server(make_host, world):
    host = make_host("web-2022")
    host.files.write(r"C:\s\UNIFIEDSETUP.EXE", b"MZ asr-lab unified-setup 9.59.0.0\r\n")
    host.files.write(WORK + r"\mysql.txt", MYSQL.encode())
    host.files.write(WORK + r"\vault.xml", world.key)
    arguments = ARGUMENTS.replace("10.20.0.10", "10.20.1.21").replace("D:\\", "C:\\")
    assert run_text(host, rf"& 'C:\s\UNIFIEDSETUP.EXE' {arguments}").code == 1
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
    assert install(server).code == 1
    assert complaint in server.files.text(REGISTRATION_LOG)
    assert not server.registry.has(unified_setup.REGISTRATION)
    assert not server.services.is_running("dra")
    world.key_refusal = None
    assert install(server).code == 0
    assert server.services.is_running("dra")
