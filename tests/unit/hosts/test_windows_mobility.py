"""The Mobility service on Windows, installed and registered by hand."""

import pytest

from asr_migrate.domain.errors import InputError
from asr_migrate.domain.machine import Os
from asr_migrate.hosts import profiles
from asr_migrate.hosts.windows_mobility import judge_download

CS = "10.20.0.10"
URL = "https://downloads.example.com/Microsoft-ASR_UA_9.59.0.0_Windows_GA_15Mar2024_release.exe"
PASSPHRASE = "pass-of-the-server"
REGISTERED = {"PostInstallActions": "Succeeded", "AgentConfigurationStatus": "Succeeded"}


def source(**mobility):
    wanted = {"architecture": "classic", "appliance_address": CS, "passphrase": PASSPHRASE, "installer": {"url": URL}}
    return profiles.make("source", Os.WINDOWS, "app-1", {"mobility": wanted | mobility})


def test_a_fresh_host_gets_a_download_and_then_everything_else_at_once(kit):
    plan = kit.planned(source(), kit.windows())
    assert [exchange.name for exchange in plan.exchanges] == [f"download {URL}", "install the Mobility service"]
    assert [(change.before, change.after) for change in plan.changes] == [("not installed", f"registered with {CS}")]
    sent = kit.decoded(plan.exchanges[1])
    assert (
        "UnifiedAgent.exe' '/Role' 'MS' '/InstallLocation' 'C:\\Program Files (x86)\\Microsoft Azure Site Recovery'"
        in sent
    )
    assert "'/Platform' 'VmWare' '/Silent' '/CSType' 'CSLegacy'" in sent
    assert f"UnifiedAgentConfigurator.exe' '/CSEndPoint' '{CS}' '/PassphraseFilePath'" in sent


def test_the_passphrase_travels_through_standard_input_and_its_file_is_removed(kit):
    install = kit.planned(source(), kit.windows()).exchanges[1]
    assert PASSPHRASE not in kit.decoded(install)
    assert install.stdin == PASSPHRASE.encode() + b"\n"
    assert kit.decoded(install).splitlines()[-1].startswith("cmd /c 'del /f /q ")
    assert "MobSvc.passphrase" in kit.decoded(kit.planned(source(), kit.windows()).cleanup)


def test_an_installer_from_before_the_choice_of_architecture_is_not_told_of_it(kit):
    old = URL.replace("9.59", "9.54")
    assert "CSLegacy" not in kit.decoded(kit.planned(source(installer={"url": old}), kit.windows()).exchanges[1])
    versioned = {"path": "C:\\setup.exe", "version": "9.30.0.0"}
    assert "CSLegacy" not in kit.decoded(kit.planned(source(installer=versioned), kit.windows()).exchanges[0])


def test_an_installed_and_registered_host_is_left_alone(kit):
    host = kit.windows(mobility=REGISTERED, server={"ServerName": CS}, states={"w32time": 4, "svagents": 4})
    plan = kit.planned(source(), host)
    assert plan.changes == ()
    assert plan.findings == ()


def test_an_installed_host_is_only_registered(kit):
    host = kit.windows(mobility={"PostInstallActions": "Succeeded", "AgentConfigurationStatus": "Failed"})
    plan = kit.planned(source(), host)
    assert len(plan.exchanges) == 1
    assert "UnifiedAgent.exe'" not in kit.decoded(plan.exchanges[0])
    assert "UnifiedAgentConfigurator.exe'" in kit.decoded(plan.exchanges[0])


def test_an_agent_that_stands_still_is_started(kit):
    host = kit.windows(mobility=REGISTERED, server={"ServerName": CS}, states={"w32time": 4, "svagents": 1})
    plan = kit.planned(source(), host)
    assert plan.changes[0].before == f"registered with {CS}, service not running"
    assert "net start 'svagents'" in kit.decoded(plan.exchanges[0])


def test_a_host_of_another_server_is_refused(kit):
    host = kit.windows(mobility=REGISTERED, server={"ServerName": "10.9.9.9"}, states={"w32time": 4, "svagents": 4})
    finding = kit.planned(source(), host).blockers[0]
    assert finding.rule == "mobility.other-server"
    assert "registered with 10.9.9.9, not with 10.20.0.10" in finding.text


@pytest.mark.parametrize(
    ("mobility", "word"),
    [
        ({"passphrase": ""}, "passphrase"),
        ({"installer": {}}, "installer"),
        ({"installer": {"url": "http://x/UA.exe"}}, "https"),
        ({"installer": {"file": "/tmp/UA.exe"}}, "controller"),
    ],
)
def test_an_input_that_is_missing_is_named_before_anything_is_sent(kit, mobility, word):
    missing = kit.planned(source(**mobility), kit.windows()).missing
    assert len(missing) == 1
    assert word in missing[0].message
    assert missing[0].remedy


def test_a_server_without_an_address_is_refused_at_once():
    with pytest.raises(InputError, match="needs appliance_address"):
        source(appliance_address=None)


@pytest.mark.parametrize(
    ("printed", "code", "cause"),
    [
        ("@@ extract\n@@rc 0\n@@ install\n@@rc 2\n", 2, "does not know one of its arguments"),
        ("@@ register\nThe passphrase is invalid.\n@@rc 1\n", 1, "refused the passphrase"),
        ("@@ register\npost request: (7) couldn't connect\n@@rc 1\n", 1, "did not answer on TCP 443"),
        ("@@ register\n@@rc 4\n", 4, "no known reason"),
    ],
)
def test_a_failed_installation_has_a_cause_and_a_remedy(kit, printed, code, cause):
    install = kit.planned(source(), kit.windows()).exchanges[1]
    error = install.explain(install.judge(kit.answer(printed)), "")
    assert f"failed with exit code {code}" in error.message
    assert cause in error.cause
    assert error.remedy


def test_an_installer_that_wants_a_reboot_has_succeeded(kit):
    install = kit.planned(source(), kit.windows()).exchanges[1]
    assert install.judge(kit.answer("@@ install\n@@rc 3010\n@@ register\n@@rc 0\n")) is None


def test_a_download_is_judged_by_its_digest(kit):
    digest = "ab" * 32
    trusted = source(installer={"url": URL, "sha256": digest.upper()})._mobility._wanted.installer
    assert judge_download(kit.answer(f"@@ sha256\n{digest}\n"), trusted, URL) is None
    changed = judge_download(kit.answer("@@ sha256\n" + "cd" * 32), trusted, URL)
    assert changed.code == "DownloadNotTrusted"
    failed = judge_download(kit.answer("@@ sha256\n", "The remote name could not be resolved"), trusted, URL)
    assert "The remote name could not be resolved" in failed.message
