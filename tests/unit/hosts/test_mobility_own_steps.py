"""Exit codes that are ours or the shell's, not the installer's; and half an agent without its own uninstaller."""

import os
import subprocess

import pytest

from asr_migrate.domain.machine import Os
from asr_migrate.hosts import mobility_codes as codes
from asr_migrate.hosts.linux_mobility import LinuxMobility, judge
from asr_migrate.hosts.mobility import MobilityState
from asr_migrate.hosts.mobility_want import Mobility

from .fake_agent import SHELLS, FakeAgent

SYSTEM = "Red Hat Enterprise Linux 6.7"
ABSENT = MobilityState(installed=False, configured=False, running=False)
HALF = MobilityState(installed=False, configured=False, running=False, leftovers=True)


def hand(archive):
    wanted = {"architecture": "classic", "appliance_address": "10.20.0.10", "passphrase": "secret"}
    return LinuxMobility(Mobility(**wanted, installer={"path": str(archive)}))


@pytest.mark.parametrize("shell", SHELLS)
def test_a_page_in_the_package_s_place_is_told_as_that(tmp_path, shell, kit):
    agent = FakeAgent(tmp_path)
    agent.archive.write_text("<html>Sign in</html>", encoding="utf-8")
    error = judge(kit.answer(agent.run(shell, hand(agent.archive).work("db-1", SYSTEM, ABSENT))))
    assert "unpack failed with exit code 2" in error.message
    assert "is not the package" in error.cause
    assert "gzip" in error.message, "tar's own words are quoted"


@pytest.mark.parametrize("shell", SHELLS)
def test_a_package_without_the_program_install_is_told_as_that(tmp_path, shell, kit):
    agent = FakeAgent(tmp_path)
    subprocess.run(["tar", "-czf", agent.archive, "-C", tmp_path / "tree", "configure"], check=True)
    error = judge(kit.answer(agent.run(shell, hand(agent.archive).work("db-1", SYSTEM, ABSENT))))
    assert "install failed with exit code 127" in error.message
    assert "no program install" in error.cause


@pytest.mark.parametrize("shell", SHELLS)
def test_a_program_that_may_not_be_run_is_no_refusal_of_the_appliance(tmp_path, shell, kit):
    agent = FakeAgent(tmp_path)
    (tmp_path / "tree" / "install").chmod(0o644)
    subprocess.run(["tar", "-czf", agent.archive, "-C", tmp_path / "tree", "install"], check=True)
    error = judge(kit.answer(agent.run(shell, hand(agent.archive).work("db-1", SYSTEM, ABSENT))))
    assert "install failed with exit code 126" in error.message
    assert "noexec" in error.cause


def test_the_same_codes_of_a_registration_are_the_appliance_s():
    assert "appliance refused" in codes.explain(Os.LINUX, "register", 126, "", "").cause


def test_a_full_disk_is_told_by_what_tar_said():
    error = codes.explain(Os.LINUX, "unpack", 2, "tar: Vx/bin: Cannot write: No space left on device", "")
    assert "space" in error.cause
    assert error.message.endswith("exit code 2: tar: Vx/bin: Cannot write: No space left on device")


def test_old_logs_of_the_installer_do_not_explain_what_it_never_began():
    log = '{"Errors":[{"error_name":"ASRMobilityServiceSecureBootEnabled","default_message":"Secure Boot"}]}'
    assert "Secure Boot" not in codes.explain(Os.LINUX, "install", 126, "./install: Permission denied", log).cause
    assert "not the installer" in codes.explain(Os.WINDOWS, "unpack", 2, "", log).cause


def leave_half_an_agent(agent):
    """Leave what a broken installation leaves: the mark, the configuration, the service; no uninstaller."""
    parts = [agent.directory / "ASR" / "Vx" / name for name in ("etc/drscout.conf", "bin/UnifiedAgentConfigurator.sh")]
    service = agent.service / "bin" / "vxagent"
    for part in (*parts, service):
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(f'#!/bin/sh\necho "vxagent $*" >>{agent.calls}\n', encoding="utf-8")
        part.chmod(0o755)
    agent.version.write_text(f"INSTALLATION_DIR={agent.directory}/ASR/Vx\n", encoding="utf-8")
    return [agent.version, *parts, service]


@pytest.mark.parametrize("shell", SHELLS)
def test_half_an_agent_without_an_uninstaller_is_removed(tmp_path, shell, kit):
    agent = FakeAgent(tmp_path)
    parts = leave_half_an_agent(agent)
    printed = agent.run(shell, LinuxMobility(Mobility(state="absent")).work("db-1", SYSTEM, HALF))
    assert judge(kit.answer(printed)) is None
    assert [part for part in parts if part.exists()] == []
    assert agent.said() == ["vxagent stop"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_part_that_cannot_be_removed_is_named_at_once(tmp_path, shell, kit):
    agent = FakeAgent(tmp_path)
    leave_half_an_agent(agent)
    stuck = agent.directory / "ASR" / "Vx" / "etc" / "drscout.conf"
    stuck.unlink()
    stuck.mkdir()
    printed = agent.run(shell, LinuxMobility(Mobility(state="absent")).work("db-1", SYSTEM, HALF))
    error = judge(kit.answer(printed))
    assert f"parts of the agent are still there: {stuck}" in error.message
    assert "cannot be deleted" in error.cause


@pytest.mark.parametrize("shell", SHELLS)
def test_an_uninstaller_that_leaves_its_mark_is_an_error_and_one_that_leaves_files_is_not(tmp_path, shell, kit):
    agent = FakeAgent(tmp_path)
    parts = leave_half_an_agent(agent)
    uninstaller = agent.directory / "ASR" / "uninstall.sh"
    uninstaller.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    uninstaller.chmod(0o755)
    removal = LinuxMobility(Mobility(state="absent")).work("db-1", SYSTEM, HALF)
    error = judge(kit.answer(agent.run(shell, removal)))
    assert f"still there: {agent.version}" in error.message
    assert os.path.exists(parts[1]), "nothing is removed behind an uninstaller that did not do its work"
    uninstaller.write_text(f"#!/bin/sh\nrm -f {agent.version}\n", encoding="utf-8")
    agent.run(shell, removal)
    assert [part for part in parts if part.exists()] == []
