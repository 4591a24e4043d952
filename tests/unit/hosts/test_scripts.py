"""The scripts for Linux hosts, run by the shells that this machine has, on files of their own."""

import shutil
import subprocess
from importlib.resources import files

import pytest

from asr_migrate.hosts import linux_script

SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)] or ["sh"]
CONFIG = "/etc/ssh/sshd_config"


def run(shell, text):
    return subprocess.run([shell], input=text, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", ["probe", "changes", "mobility"])
def test_every_script_is_understood_by_a_plain_shell(shell, name):
    text = files("asr_migrate.hosts").joinpath("scripts", f"{name}.sh").read_text(encoding="utf-8")
    assert run(shell, f"set -n\n{text}").stderr == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_the_probe_reaches_its_end_and_reads_nothing_from_its_own_standard_input(shell):
    done = run(shell, linux_script.script("probe", want_reach="127.0.0.1 9", want_root_field="") + "echo after\n")
    printed = done.stdout.splitlines()
    assert done.returncode == 0
    assert printed[-2:] == ["end\t0", "after"]
    assert "reach 127.0.0.1 9\tclosed" in printed
    assert any(line.startswith("utc\t20") for line in printed)


@pytest.fixture
def change_sshd(tmp_path):
    """Return a function that lets a shell change a copy of sshd's settings, and the file."""
    config = tmp_path / "sshd_config"

    def change(shell, lines):
        text = linux_script.script("changes") + linux_script.run_change("sshd", "change_sshd", lines)
        text = text.replace(CONFIG, str(config))
        text = text.replace("reload_sshd() {", "reload_sshd() {\n    return 0", 1).replace("/usr/sbin/sshd", "/none")
        return run(shell, text.replace("$(command -v sshd || echo /none)", "/none"))

    return change, config


@pytest.mark.parametrize("shell", SHELLS)
def test_sshd_s_block_stands_first_and_once(change_sshd, shell):
    change, config = change_sshd
    config.write_text("Include /etc/x\nPermitRootLogin no\n", encoding="utf-8")
    for _ in range(2):
        assert change(shell, "PermitRootLogin yes\n").stdout == "rc\tsshd\t0\n"
    assert config.read_text(encoding="utf-8") == (
        "# asr-migrate: begin\nPermitRootLogin yes\n# asr-migrate: end\nInclude /etc/x\nPermitRootLogin no\n"
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_an_sftp_subsystem_of_an_older_block_is_kept(change_sshd, shell):
    change, config = change_sshd
    config.write_text("PermitRootLogin no\n", encoding="utf-8")
    change(shell, "PermitRootLogin yes\nSubsystem sftp internal-sftp\n")
    change(shell, "PermitRootLogin yes\n")
    assert config.read_text(encoding="utf-8").count("Subsystem sftp internal-sftp") == 1


@pytest.mark.parametrize("shell", SHELLS)
def test_a_change_that_fails_midway_tells_its_exit_code_and_what_it_said(shell):
    text = linux_script.script("changes")
    text += "breaks() {\n    echo 'went wrong'\n    false\n    echo 'never here'\n}\n"
    text += linux_script.run_change("a thing", "breaks", "")
    assert run(shell, text).stdout == "say\twent wrong\nrc\ta thing\t1\n"


@pytest.fixture
def package(tmp_path):
    """Return a function that packs an installer with the given exit codes; it leaves its arguments in ``calls``."""

    def pack(install=0, register=0):
        tree = tmp_path / "tree"
        tree.mkdir()
        calls = tmp_path / "calls"
        installer = tree / "install"
        bindir = tmp_path / "ASR" / "Vx" / "bin"
        configurator = bindir / "UnifiedAgentConfigurator.sh"
        configure = f'#!/bin/sh\\necho "$@" >>{calls}\\ncat "$4" >>{calls}\\nexit {register}\\n'
        installer.write_text(
            f"#!/bin/sh\necho \"$@\" >>{calls}\nmkdir -p {bindir}\nprintf '{configure}' >{configurator}\n"
            f"chmod +x {configurator}\nexit {install}\n",
            encoding="utf-8",
        )
        installer.chmod(0o755)
        archive = tmp_path / "UA.tar.gz"
        subprocess.run(["tar", "-czf", str(archive), "-C", str(tree), "install"], check=True)
        return archive, calls

    return pack


def mobility(tmp_path, archive):
    return linux_script.script(
        "mobility",
        package=str(archive),
        directory=str(tmp_path / "ASR"),
        work=str(tmp_path / "work"),
        server="10.20.0.10",
        cs_type="-c CSLegacy",
        install="install",
        passphrase="the pass'phrase",
    )


@pytest.mark.parametrize("shell", SHELLS)
def test_the_mobility_service_is_installed_registered_and_its_passphrase_file_removed(tmp_path, package, shell):
    archive, calls = package()
    done = run(shell, mobility(tmp_path, archive))
    assert done.stdout == "rc\tunpack\t0\nrc\tinstall\t0\nrc\tregister\t0\n"
    said = calls.read_text(encoding="utf-8").splitlines()
    assert said[0] == f"-d {tmp_path}/ASR -r MS -v VmWare -q -c CSLegacy"
    assert said[1] == f"-i 10.20.0.10 -P {tmp_path}/work/MobSvc.passphrase -c CSLegacy"
    assert said[2] == "the pass'phrase"
    assert not (tmp_path / "work" / "MobSvc.passphrase").exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_failed_installation_is_not_registered_and_leaves_no_passphrase(tmp_path, package, shell):
    archive, _ = package(install=14)
    done = run(shell, mobility(tmp_path, archive))
    assert "rc\tinstall\t14" in done.stdout
    assert "register" not in done.stdout
    assert not (tmp_path / "work" / "MobSvc.passphrase").exists()
