"""The Mobility service on a simulated machine: by hand, and pushed by an appliance."""

from collections.abc import Callable

import pytest

from asr_lab.hosts import mobility_config
from asr_lab.hosts.windows import firewall, push
from asr_lab.hosts.windows.faults import apply_fault
from asr_lab.hosts.windows.installers import mobility, msi, packages
from asr_lab.hosts.windows.installers.mobility_codes import Exit
from asr_lab.hosts.windows.result import Result
from asr_lab.hosts.windows.shell import run_text
from asr_lab.hosts.windows.state import AGENT_PRODUCT, Host

WORK = r"C:\ProgramData\asr-migrate"
AGENT = mobility.FOLDER + r"\agent\UnifiedAgentConfigurator.exe"
INSTALL = f"'/Role' 'MS' '/InstallLocation' '{mobility.FOLDER}' '/Platform' 'VmWare' '/Silent' '/CSType' 'CSLegacy'"
REGISTER = f"'/CSEndPoint' '10.20.0.10' '/PassphraseFilePath' '{WORK}\\MobSvc.passphrase'"


@pytest.fixture
def machine(make_host: Callable[[str], Host], world) -> Host:
    host = make_host("app-2008")
    world.passphrase = "the servers secret"
    host.files.write(WORK + r"\Installer.exe", world.internet[packages.MIRROR + packages.MOBILITY_FILE])
    host.files.write(WORK + r"\MobSvc.passphrase", b"the servers secret\r\n")
    assert run_text(host, rf"& '{WORK}\Installer.exe' '/q' '/x:{WORK}\agent'").code == 0
    return host


def answer(host: Host, program: str, arguments: str) -> tuple[int, Result]:
    result = run_text(host, f"& '{program}' {arguments} | Out-String\necho \"@@rc $LASTEXITCODE\"")
    return int(result.out.rsplit("@@rc ", 1)[1]), result


def install(host: Host, arguments: str = INSTALL) -> int:
    return answer(host, WORK + r"\agent\UnifiedAgent.exe", arguments)[0]


def register(host: Host, arguments: str = REGISTER) -> int:
    return answer(host, AGENT, arguments)[0]


def test_an_agent_is_installed_by_hand_and_registered(machine, world):
    assert install(machine) == 0
    assert not machine.services.is_running("svagents")
    assert register(machine) == 0
    assert [(server, host.agent_version) for server, host in world.machines] == [("10.20.0.10", packages.VERSION)]
    assert machine.registry.get(AGENT_PRODUCT, "PostInstallActions") == "Succeeded"
    assert machine.registry.get(AGENT_PRODUCT, "AgentConfigurationStatus") == "Succeeded"
    assert machine.services.is_running("svagents")
    assert machine.registry.get(mobility.SV_SYSTEMS, "ServerName") == "10.20.0.10"


def test_registering_again_with_the_same_server_is_fine(machine):
    install(machine)
    assert [register(machine), register(machine)] == [0, 0]


@pytest.mark.parametrize(
    "change",
    [
        ("'MS'", "'Agent'"),
        ("'VmWare'", "'Azure'"),
        ("'/Silent'", ""),
        ("'CSLegacy'", "'Classic'"),
        ("'/Role'", "'/Roles'"),
    ],
)
def test_a_wrong_argument_ends_with_2_and_installs_nothing(machine, change):
    assert install(machine, INSTALL.replace(*change)) == 2
    assert machine.agent_version() is None


def test_without_cstype_the_agent_is_for_the_modernized_architecture_and_cannot_register(machine, world):
    assert install(machine, INSTALL.replace(" '/CSType' 'CSLegacy'", "")) == 0
    assert register(machine) == Exit.REFUSED
    assert machine.registry.get(AGENT_PRODUCT, "AgentConfigurationStatus") == "Failed"
    assert "/CSType CSLegacy" in machine.files.text(mobility.CONFIGURATOR_LOG)
    assert world.machines == []


def test_agents_before_9_55_are_classic_by_default():
    assert [mobility.default_architecture(version) for version in ("9.54.1.0", "9.55.0.0")] == ["CSLegacy", "CSPrime"]


def test_a_wrong_passphrase_ends_with_14(machine, world):
    install(machine)
    world.passphrase = "another"
    assert register(machine) == 14


def test_an_unreachable_server_ends_with_14_and_says_so(machine, world):
    install(machine)
    world.blocked.add(("10.20.0.10", 443))
    assert register(machine) == 14
    assert "post request: (7)" in machine.files.text(mobility.CONFIGURATOR_LOG)


def test_another_server_ends_with_13(machine):
    install(machine)
    register(machine)
    assert register(machine, REGISTER.replace("10.20.0.10", "10.20.0.11")) == 13


@pytest.mark.parametrize("arguments", ["", "'/CSEndPoint' '10.20.0.10'", REGISTER + " '/Force'"])
def test_a_wrong_argument_of_the_configurator_ends_with_2(machine, arguments):
    install(machine)
    assert register(machine, arguments) == 2


def test_a_missing_passphrase_file_ends_with_1(machine):
    install(machine)
    machine.files.remove(WORK + r"\MobSvc.passphrase")
    assert register(machine) == 1


def test_windows_server_2008_r2_needs_its_sha_2_updates(machine):
    packages_key = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages"
    machine.registry.remove(packages_key)
    assert install(machine) == Exit.PREREQUISITE
    assert "KB4474419" in machine.files.text(mobility.LOG)


def test_an_upgrade_leaves_a_registered_agent_running(machine):
    install(machine)
    register(machine)
    assert install(machine, "'/Platform' 'VmWare' '/Silent'") == 0
    assert machine.services.is_running("svagents")


def test_no_log_holds_the_passphrase(machine):
    install(machine)
    register(machine)
    assert "the servers secret" not in (machine.files.text(mobility.CONFIGURATOR_LOG) or "")


# push installation


@pytest.fixture
def ready(make_host: Callable[[str], Host]) -> Host:
    host = make_host("web-2022")
    host.registry.write(push.POLICIES, {"LocalAccountTokenFilterPolicy": 1})
    for group in (firewall.FILE_SHARING, firewall.WMI):
        firewall.set_active(host.registry, firewall.of_group(host.registry, group), True)
    return host


def code_of(host: Host) -> str | None:
    failure = push.push_failure(host)
    return failure.code if failure else None


def test_a_prepared_machine_gets_the_agent_pushed(ready):
    assert push.push(ready, "10.20.0.20") is None
    assert ready.describe().agent_version == packages.VERSION
    assert ready.services.is_running("svagents")
    assert ready.registry.get(mobility.SV_SYSTEMS, "CSType") == "CSPrime"


def test_a_fresh_machine_is_not_ready_for_a_push(make_host):
    assert code_of(make_host("web-2022")) == "95103"


@pytest.mark.parametrize(
    ("group", "code"), [(firewall.WMI, "95103"), (firewall.FILE_SHARING, "95105")], ids=["wmi", "file sharing"]
)
def test_a_closed_rule_group_fails_the_push(ready, group, code):
    firewall.set_active(ready.registry, firewall.of_group(ready.registry, group)[:1], False)
    assert code_of(ready) == code


def test_filtered_tokens_fail_the_push(ready):
    ready.registry.remove_value(push.POLICIES, "LocalAccountTokenFilterPolicy")
    assert code_of(ready) == "95107"


def test_a_domains_account_is_not_filtered(ready):
    ready.registry.remove_value(push.POLICIES, "LocalAccountTokenFilterPolicy")
    apply_fault(ready, {"domain": "corp.example"})
    assert push.push_failure(ready) is None


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"registry": {push.SHARES: {"AutoShareServer": 0}}}, "95106"),
        ({"registry": {firewall.GROUP_POLICY + r"\PublicProfile": {"AllowLocalPolicyMerge": 0}}}, "95103"),
        ({"disks": {"0": {"boot": None}}}, "95310"),
    ],
)
def test_what_documented_errors_name_fails_the_push(ready, fault, code):
    apply_fault(ready, fault)
    assert push.push_failure(ready).code == code


def test_a_machine_that_is_off_fails_the_push(ready, world):
    world.off.add(ready.spec.address)
    assert code_of(ready) == "95117"


def test_a_full_disk_fails_the_push(ready):
    ready.condition.free_bytes["C:"] = 50 * 1024**2
    assert code_of(ready) == "95524"


def test_a_failed_push_leaves_nothing(make_host):
    host = make_host("web-2022")
    assert push.push(host, "10.20.0.20") is not None
    assert host.agent_version() is None


# versions, architectures, and what takes the agent away


def agent_of(host: Host, version: str, architecture: str = mobility.CLASSIC) -> None:
    """Leave an agent of a version on the host, and the extracted installer of the lab's version."""
    mobility.install(host, version, architecture)


UPGRADE = "'/Platform' 'VmWare' '/Silent' '/CSType' 'CSLegacy'"


@pytest.mark.parametrize(
    ("version", "code"),
    [("9.58.0.0", Exit.OK), ("9.54.9.9", Exit.SUCCESS_RESTART), ("9.66.0.0", Exit.DOWNGRADE), ("8.9.0.0", 11)],
)
def test_an_upgrade_ends_as_the_versions_are_apart(machine, version, code):
    agent_of(machine, version)
    assert install(machine, UPGRADE) == code
    assert machine.wants_restart() is (code == Exit.SUCCESS_RESTART)
    assert machine.agent_version() == (packages.VERSION if code in (0, 3010) else version)


def test_a_modernized_agent_is_not_made_a_classic_one(machine):
    agent_of(machine, "9.57.0.0", mobility.MODERNIZED)
    assert install(machine, UPGRADE) == Exit.FAILED_WITH_ERRORS
    assert "ASRMobilityServiceInstallerCSTypeMismatch" in machine.files.text(
        r"C:\ProgramData\ASRSetupLogs\InstallerErrors.json"
    )


def test_an_agent_of_azure_does_not_change_its_platform(machine):
    agent_of(machine, "9.57.0.0")
    machine.registry.write(mobility.SV_SYSTEMS, {"VmPlatform": "Azure"})
    assert install(machine, UPGRADE) == Exit.PLATFORM_CHANGE


@pytest.fixture
def modernized(machine: Host) -> Host:
    assert install(machine, INSTALL.replace("CSLegacy", "CSPrime")) == 0
    return machine


CLI = mobility.FOLDER + r"\agent\AzureRcmCli.exe"
CONFIGURE = f"'/SourceConfigFilePath' '{WORK}\\config.json' '/CSType' 'CSPrime'"


def test_a_modernized_agent_is_registered_with_the_config_json_of_its_appliance(modernized):
    code, shown = answer(modernized, CLI, "'--getagentconfiginput' '--logfile' 'C:\\x.log'")
    assert code == 0
    config = mobility_config.config_json(shown.out.split("@@rc")[0], "10.20.0.20")
    modernized.files.write(WORK + r"\config.json", config.encode())
    assert register(modernized, CONFIGURE) == 0
    assert modernized.services.is_running("svagents")
    assert register(modernized, "'/Unconfigure' 'true'") == 0
    assert modernized.registry.get(AGENT_PRODUCT, "AgentConfigurationStatus") == "Failed"
    assert register(modernized, "'/Unconfigure' 'true'") == Exit.NOT_REGISTERED


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("no json", Exit.BAD_SOURCE_CONFIG),
        ('{"BiosId": "another", "RcmProxyTransportSettings": {"IpAddresses": ["10.20.0.20"]}}', Exit.LOGIN_FAILED),
        (None, Exit.FAILED),
    ],
)
def test_a_wrong_config_json_is_refused(modernized, content, code):
    if content:
        modernized.files.write(WORK + r"\config.json", content.encode())
    assert register(modernized, CONFIGURE) == code


def test_an_appliance_out_of_reach_refuses_the_login(modernized, world):
    config = mobility_config.config_json(mobility_config.config_input(modernized.describe()), "10.20.0.20")
    modernized.files.write(WORK + r"\config.json", config.encode())
    world.off.add("10.20.0.20")
    assert register(modernized, CONFIGURE) == Exit.REFUSED


@pytest.mark.parametrize(
    "arguments",
    [
        "'/Unconfigure' 'false'",
        "'/Unconfigure' 'true' '/CSEndPoint' '10.20.0.10'",
        CONFIGURE + " '/CSEndPoint' '10.20.0.10'",
        CONFIGURE + " '/CredentialLessDiscovery' 'maybe'",
    ],
)
def test_arguments_of_two_ways_at_once_end_with_2(modernized, arguments):
    assert register(modernized, arguments) == Exit.BAD_COMMAND_LINE


def test_azurercmcli_knows_a_modernized_agent_and_its_own_options_only(machine):
    install(machine)
    assert answer(machine, CLI, "'--getagentconfiginput'")[0] == Exit.NO_CONFIG_INPUT
    assert answer(machine, CLI, "'--register'")[0] == 120


@pytest.mark.parametrize("text", ["", "e30=", "not base64"])
def test_a_text_that_is_no_agent_config_input_gives_no_config_json(text):
    with pytest.raises(ValueError, match="no Agent Config Input"):
        mobility_config.config_json(text, "10.20.0.20")


REMOVE = f"/qn /x {mobility.PRODUCT_CODE} /L+*V C:\\ProgramData\\ASRSetupLogs\\UnifiedAgentMSIUninstall.log"


def test_windows_installer_takes_the_agent_away_and_wants_a_restart(machine):
    install(machine)
    register(machine)
    assert msi.msiexec(machine, REMOVE.split()).code == 0
    assert machine.agent_version() is None
    assert machine.services.find("svagents") is None
    assert not any(node.path.startswith(mobility.FOLDER + "\\") for node in machine.files)
    assert machine.wants_restart()
    assert msi.msiexec(machine, REMOVE.split()).code == 1605


@pytest.mark.parametrize("words", ["/x {1}", "/qn", "/qn /i x.msi"])
def test_windows_installer_refuses_what_would_open_a_window(machine, words):
    assert msi.msiexec(machine, words.split()).code == 1639
