"""The Mobility service on Windows: the probe's sections, the text that does the steps, and how its answer is judged."""

import pytest

from asr_migrate.domain.machine import Os
from asr_migrate.hosts import profiles, windows_mobility
from asr_migrate.hosts import windows_text as text
from asr_migrate.hosts.mobility import MobilityState
from asr_migrate.hosts.mobility_want import Mobility
from asr_migrate.hosts.windows_installer import judge_download
from asr_migrate.hosts.windows_mobility import WindowsMobility, judge

CS = "10.20.0.10"
SYSTEM = "Windows Server 2012 R2"
URL = "https://downloads.example.com/Microsoft-ASR_UA_9.59.0.0_Windows_GA_15Mar2024_release.exe"
NEW = URL.replace("9.59", "9.66")
PASSPHRASE = "pass-of-the-server"
REGISTERED = {"PostInstallActions": "Succeeded", "AgentConfigurationStatus": "Succeeded"}
ABSENT = MobilityState(installed=False, configured=False, running=False)


def hand(**fields):
    wanted = {"architecture": "classic", "appliance_address": CS, "passphrase": PASSPHRASE, "installer": {"url": URL}}
    return WindowsMobility(Mobility(**(wanted | fields)))


def modernized(**fields):
    return WindowsMobility(Mobility(**({"architecture": "modernized", "installer": {"url": NEW}} | fields)))


def source(**mobility):
    wanted = {"architecture": "classic", "appliance_address": CS, "passphrase": PASSPHRASE, "installer": {"url": URL}}
    return profiles.make("source", Os.WINDOWS, "app-1", {"mobility": wanted | mobility})


def sent(work):
    return text.lines(work.lines)


def test_a_fresh_host_gets_everything_in_one_text():
    made = hand().work("app-1", SYSTEM, ABSENT)
    script = sent(made)
    assert f"DownloadFile('{URL}'," in script
    assert "'/q' '/x:C:\\Windows\\asr-migrate\\mobility'" in script
    assert (
        "UnifiedAgent.exe' '/Role' 'MS' '/InstallLocation' 'C:\\Program Files (x86)\\Microsoft Azure Site Recovery' "
        "'/Platform' 'VmWare' '/Silent' '/CSType' 'CSLegacy'"
    ) in script
    assert f"UnifiedAgentConfigurator.exe' '/CSEndPoint' '{CS}' '/PassphraseFilePath'" in script
    assert [(change.before, change.after) for change in made.changes] == [("not installed", f"registered with {CS}")]


def test_the_passphrase_is_no_part_of_the_text_and_its_file_is_removed():
    made = hand().work("app-1", SYSTEM, ABSENT)
    assert PASSPHRASE not in sent(made)
    assert made.contents == (PASSPHRASE.encode() + b"\r\n",)
    assert "MobSvc.passphrase" in made.lines[-2]
    assert made.lines[-2].startswith("cmd /c 'del /f /q ")
    assert b"MobSvc.passphrase" in made.cleanup.stdin


def test_a_modernized_agent_is_installed_and_registered_by_the_documented_words():
    script = sent(modernized(source_config='{"a": 1}', credential_less=True).work("app-1", SYSTEM, ABSENT))
    assert (
        "UnifiedAgentInstaller.exe' '/Platform' 'vmware' '/Silent' '/Role' 'MS' '/CSType' 'CSPrime' '/InstallLocation' "
        "'C:\\Program Files (x86)\\Microsoft Azure Site Recovery'"
    ) in script
    assert (
        "UnifiedAgentConfigurator.exe' '/SourceConfigFilePath' 'C:\\Windows\\asr-migrate\\config.json' '/CSType' "
        "'CSPrime' '/CredentialLessDiscovery' 'true'"
    ) in script


def test_a_modernized_agent_without_config_json_is_only_installed():
    made = modernized().work("app-1", SYSTEM, ABSENT)
    assert "UnifiedAgentConfigurator" not in sent(made)
    assert made.contents == ()


def test_an_upgrade_keeps_the_architecture():
    older = MobilityState(
        installed=True, configured=True, running=True, servers=(CS,), version="9.57.0.0", cs_type="CSLegacy"
    )
    script = sent(hand(upgrade=True).work("app-1", SYSTEM, older))
    assert "UnifiedAgent.exe' '/Platform' 'VmWare' '/Silent' '/CSType' 'CSLegacy' | Out-String" in script
    assert "UnifiedAgentConfigurator" not in script


def test_an_agent_is_removed_and_unregistered_by_the_documented_words():
    ready = MobilityState(installed=True, configured=True, running=True, cs_type="CSPrime")
    removal = sent(WindowsMobility(Mobility(state="absent")).work("app-1", SYSTEM, ready))
    assert (
        "& 'msiexec.exe' '/qn' '/x' '{275197FC-14FD-4560-A5EB-38217F80CBD1}' '/L+*V' "
        "'C:\\ProgramData\\ASRSetupLogs\\UnifiedAgentMSIUninstall.log'"
    ) in removal
    script = sent(WindowsMobility(Mobility(state="unconfigured")).work("app-1", SYSTEM, ready))
    assert "UnifiedAgentConfigurator.exe' '/Unconfigure' 'true' | Out-String" in script


def test_an_installer_from_before_the_choice_of_architecture_is_not_told_of_it():
    old = URL.replace("9.59", "9.54")
    assert "CSLegacy" not in sent(hand(installer={"url": old}).work("app-1", SYSTEM, ABSENT))
    versioned = {"path": "C:\\setup.exe", "version": "9.30.0.0"}
    assert "CSLegacy" not in sent(hand(installer=versioned).work("app-1", SYSTEM, ABSENT))


def test_an_installer_on_the_host_is_not_downloaded_and_not_deleted():
    script = sent(hand(installer={"path": "D:\\agents\\setup.exe", "sha256": "ab" * 32}).work("app-1", SYSTEM, ABSENT))
    assert "DownloadFile" not in script
    assert "del /f /q D:" not in script
    assert "certutil -hashfile 'D:\\agents\\setup.exe' SHA256 | findstr.exe /i '/c:abab" in script


def test_each_step_runs_only_when_the_one_before_it_ended_well():
    script = sent(hand(installer={"url": URL, "sha256": "ab" * 32}).work("app-1", SYSTEM, ABSENT))
    places = [script.index(f"@@ mobility {step}") for step in ("fetch", "digest", "unpack", "install", "register")]
    assert places == sorted(places)
    assert script.count("-contains $LASTEXITCODE) {") == 5
    assert "if (@(0,98,1641,3010) -contains $LASTEXITCODE) {\necho '@@ mobility register'" in script


def test_an_installed_and_registered_host_is_left_alone(kit):
    host = kit.windows(mobility=REGISTERED, server={"ServerName": CS}, states={"w32time": 4, "svagents": 4})
    state = windows_state(kit, host)
    assert state.ready
    assert hand().work("app-1", SYSTEM, state).changes == ()


def windows_state(kit, host, **mobility):
    profile = source(**mobility)
    return profile.read(kit.answer(host.stdout())).seen.mobility


def test_the_registry_and_the_services_make_the_state(kit):
    both = {"svagents": 4, "InMage Scout Application Service": 1}
    product = REGISTERED | {"Version": "9.59.0.0"}
    server = {"ServerName": CS, "HostId": "ABC", "CSType": "CSLegacy", "VmPlatform": "VmWare"}
    names = ("w32time", "svagents", "InMage Scout Application Service")
    state = windows_state(kit, kit.windows(mobility=product, server=server, states=both, installed=names))
    assert (state.installed, state.configured, state.running) == (True, True, False)
    assert (state.version, state.server, state.cs_type) == ("9.59.0.0", CS, "CSLegacy")
    assert (state.platform, state.host_ids) == ("VmWare", ("abc",))


def test_half_an_installation_is_told(kit):
    half = kit.windows(mobility={"PostInstallActions": "Failed", "AgentConfigurationStatus": "Succeeded"})
    state = windows_state(kit, half)
    assert (state.installed, state.leftovers, state.configured) == (False, True, False)
    assert hand().work("app-1", SYSTEM, state).changes[0].before == "half installed"
    assert "msiexec.exe" in sent(hand().work("app-1", SYSTEM, state))


def test_a_conf_file_of_another_host_is_seen(kit):
    printed = kit.windows(mobility=REGISTERED, server={"ServerName": CS, "HostId": "abc"}).stdout()
    printed += "\r\n@@ mobility_conf\r\n[vxagent]\r\nHostId=def\r\nCSType=CSLegacy\r\nVmPlatform=Azure\r\n"
    state = source().read(kit.answer(printed)).seen.mobility
    assert state.host_ids == ("abc", "def")
    assert state.platform == "Azure"


def test_an_agent_that_stands_still_is_started():
    stopped = MobilityState(installed=True, configured=True, running=False, servers=(CS,))
    made = hand().work("app-1", SYSTEM, stopped)
    assert made.changes[0].before == f"registered with {CS}, service not running"
    assert "sc.exe start 'svagents'" in sent(made)


def test_an_installer_on_the_controller_cannot_be_sent():
    (missing,) = hand(installer={"file": "/tmp/UA.exe"}).work("app-1", SYSTEM, ABSENT).missing
    assert "controller" in missing.message


def test_the_agent_config_input_is_asked_for_only_by_a_modernized_agent_that_waits(kit):
    assert "--getagentconfiginput" in text.lines(windows_mobility.probe_lines(modernized()._wanted))
    assert "--getagentconfiginput" not in text.lines(windows_mobility.probe_lines(hand()._wanted))
    profile = source(architecture="modernized")
    printed = kit.windows(mobility={"PostInstallActions": "Succeeded"}).stdout()
    reading = profile.read(kit.answer(printed + "\r\n@@ mobility_input\r\n\r\ne30=\r\n@@rc 0\r\n"))
    assert reading.private == {"agent_config_input": "e30="}
    assert "e30=" not in str(reading.facts)
    refused = profile.read(kit.answer(printed + "\r\n@@ mobility_input\r\nno agent\r\n@@rc 130\r\n"))
    assert refused.private == {}


@pytest.mark.parametrize(
    ("printed", "code", "cause"),
    [
        ("@@ mobility unpack\n@@rc 0\n@@ mobility install\n@@rc 2\n", 2, "does not know one of its arguments"),
        ("@@ mobility register\nThe passphrase is invalid.\n@@rc 1\n", 1, "refused the passphrase"),
        ("@@ mobility register\npost request: (7) couldn't connect\n@@rc 1\n", 1, "did not answer on TCP 443"),
        ("@@ mobility install\n@@rc 1603\n", 1603, "fatal error"),
        ("@@ mobility install\n@@rc 1618\n", 1618, "Another installation"),
        ("@@ mobility install\n@@rc 517\n", 517, "marked for deletion"),
        ("@@ mobility uninstall\n@@rc 1618\n", 1618, "Another installation"),
        ("@@ mobility register\n@@rc 4711\n", 4711, "no known reason"),
        ('@@ mobility install\n@@rc 97\n@@ mobility log\n"ASRMobilityServiceBootDriversMissing"\n', 97, "boot driver"),
    ],
)
def test_a_failed_step_has_a_cause_and_a_remedy(kit, printed, code, cause):
    error = judge(kit.answer(printed))
    assert f"failed with exit code {code}" in error.message
    assert cause in error.cause
    assert error.remedy


@pytest.mark.parametrize(
    ("step", "code"), [("install", 3010), ("install", 98), ("install", 1641), ("register", 129), ("uninstall", 1605)]
)
def test_codes_that_are_success_are_no_error(kit, step, code):
    assert judge(kit.answer(f"@@ mobility {step}\n@@rc {code}\n")) is None


def test_what_a_run_prints_beside_the_steps_is_not_judged(kit):
    assert judge(kit.answer("@@ mobility\nx\n@@rc 1\n@@ mobility forget\n@@rc 1\n@@ change x\n@@rc 1\n")) is None


def test_a_download_that_failed_or_changed_is_told(kit):
    failed = judge(kit.answer("@@ mobility fetch\n@@rc -2147024894\n", "The remote name could not be resolved"))
    assert failed.code == "DownloadFailed"
    assert "The remote name could not be resolved" in failed.message
    digest = "cd" * 32
    printed = f"@@ mobility fetch\n{digest}\n@@rc 0\n@@ mobility digest\nwanted {'ab' * 32}\n@@rc 1\n"
    changed = judge(kit.answer(printed))
    assert changed.code == "DownloadNotTrusted"
    assert digest in changed.message


def test_a_download_of_another_installer_is_judged_by_its_digest(kit):
    digest = "ab" * 32
    trusted = hand(installer={"url": URL, "sha256": digest.upper()})._wanted.installer
    assert judge_download(kit.answer(f"@@ sha256\n{digest}\n"), trusted) is None
    assert judge_download(kit.answer("@@ sha256\n" + "cd" * 32), trusted).code == "DownloadNotTrusted"
    failed = judge_download(kit.answer("@@ sha256\n", "The remote name could not be resolved"), trusted)
    assert "The remote name could not be resolved" in failed.message


def test_a_work_directory_that_is_not_private_ends_the_run(kit):
    error = judge(kit.answer("@@ work directory\n@@rc 5\n"))
    assert error.code == "WorkDirectoryNotPrivate"


def test_a_program_that_did_not_start_is_told_as_that(kit):
    error = judge(kit.answer("@@ mobility install\n@@rc 9009\n"))
    assert "could not be started" in error.cause
