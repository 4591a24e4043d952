"""The Mobility service on Linux: the probe's lines, the script that does the steps, how its answer is judged."""

import hashlib
import subprocess

import pytest

from asr_migrate.hosts import linux_script
from asr_migrate.hosts.linux_mobility import LinuxMobility, judge, judge_delivery, mobility_state
from asr_migrate.hosts.mobility import MobilityState
from asr_migrate.hosts.mobility_want import Installer, Mobility

from .fake_agent import SHELLS, FakeAgent

CS = "10.20.0.10"
PACKAGE = "/srv/Microsoft-ASR_UA_9.59.0.0_RHEL6-64_GA_15Mar2024_release.tar.gz"
SYSTEM = "Red Hat Enterprise Linux 6.7"
ABSENT = MobilityState(installed=False, configured=False, running=False)
INSTALLED = MobilityState(installed=True, configured=False, running=False, cs_type="CSPrime", version="9.66.0.0")


def hand(**fields):
    wanted = {
        "architecture": "classic",
        "appliance_address": CS,
        "passphrase": "the pass'phrase",
        "installer": {"file": PACKAGE},
    }
    return LinuxMobility(Mobility(**(wanted | fields)))


def modernized(**fields):
    package = {"path": PACKAGE.replace("9.59", "9.66")}
    return LinuxMobility(Mobility(**({"architecture": "modernized", "installer": package} | fields)))


def variables(script):
    """Return what a script sets before its functions."""
    head = script.split("# Does the steps", 1)[0]
    return dict(line.split("=", 1) for line in head.splitlines() if "=" in line)


def test_the_documented_words_of_a_classic_installation_are_used():
    script = hand().work("db-1", SYSTEM, ABSENT).script
    assert './install ${directory:+-d "$directory"} -r MS -v VmWare -q $cs_type' in script
    assert variables(script)["directory"] == "'/usr/local/ASR'"
    assert variables(script)["cs_type"] == "'-c CSLegacy'"
    assert variables(script)["server"] == f"'{CS}'"


def test_an_installer_from_before_the_choice_of_architecture_is_not_told_of_it():
    old = hand(installer={"path": PACKAGE.replace("9.59", "9.54")}).work("db-1", SYSTEM, ABSENT)
    assert variables(old.script)["cs_type"] == "''"


def test_a_modernized_agent_is_told_its_config_json_and_no_passphrase():
    made = modernized(source_config='{"a": "b"}', credential_less=True, passphrase="unused").work(
        "db-1", SYSTEM, INSTALLED
    )
    told = variables(made.script)
    assert told["steps"] == "'register'"
    assert told["source_config"] == '\'{"a": "b"}\''
    assert told["discovery"] == "'-D true'"
    assert told["cs_type"] == "'-c CSPrime'"
    assert "unused" not in made.script


def test_a_file_of_the_controller_is_sent_before_the_script():
    made = hand().work("db-1", SYSTEM, ABSENT)
    assert made.delivery.stdin_file == PACKAGE
    assert "sha256sum" in made.delivery.command
    assert hand(installer={"path": PACKAGE}).work("db-1", SYSTEM, ABSENT).delivery is None


def test_a_package_is_judged_by_its_digest(kit):
    digest = "ab" * 32
    installer = Installer(file=PACKAGE, sha256=digest)
    assert judge_delivery(kit.answer(f"{digest}  /var/tmp/x\n"), installer) is None
    assert judge_delivery(kit.answer("cd" * 32 + "  /var/tmp/x\n"), installer).code == "DownloadNotTrusted"
    assert judge_delivery(kit.answer("", "No space left on device", 1), installer).code == "DownloadFailed"


def lines(**values):
    return linux_script.Lines({key: value if isinstance(value, list) else [value] for key, value in values.items()})


def test_the_probe_s_lines_make_the_state():
    found = lines(
        mobility="installed",
        mobility_status="Succeeded",
        mobility_version="9.59.0.0",
        mobility_hostname=CS,
        mobility_cstype="CSLegacy",
        mobility_vmplatform="VmWare",
        mobility_hostid=["ABC", "abc"],
        mobility_driver="loaded",
        vxagent="running",
    )
    state = mobility_state(found)
    assert state.ready
    assert (state.server, state.version, state.cs_type, state.platform) == (CS, "9.59.0.0", "CSLegacy", "VmWare")
    assert state.host_ids == ("abc",)
    assert state.driver is True
    assert mobility_state(lines()) == ABSENT
    half = mobility_state(lines(mobility="partial", mobility_status="Succeeded"))
    assert (half.installed, half.leftovers, half.configured) == (False, True, False)


@pytest.mark.parametrize(
    ("printed", "code", "message", "cause"),
    [
        (
            "rc\tunpack\t0\nrc\tinstall\t208\nfailed\tinstall\nlog\tERROR see here\n",
            None,
            "code 208: ERROR see",
            "kernel",
        ),
        (
            "rc\tregister\t14\nfailed\tregister\nsay\tThe passphrase is wrong\n",
            None,
            "code 14",
            "refused the passphrase",
        ),
        ("rc\tfetch\t90\nfailed\tfetch\nsay\thttps://x did not arrive\n", "DownloadFailed", "https://x did", "way out"),
        ("rc\tinstall\t77\nfailed\tinstall\n", None, "exit code 77", "no known reason"),
        ("", "HostNotReadable", "", ""),
    ],
)
def test_the_step_that_failed_is_explained(kit, printed, code, message, cause):
    error = judge(kit.answer(printed, "nothing", 1))
    assert error.code == (code or "MobilityServiceFailed")
    assert message in error.message
    assert cause in error.cause
    assert error.remedy


def test_a_digest_that_is_not_the_pinned_one_is_told(kit):
    said = f"/var/tmp/x has the digest {'cd' * 32}, wanted {'ab' * 32}"
    error = judge(kit.answer(f"rc\tfetch\t91\nfailed\tfetch\nsay\t{said}\n"))
    assert error.code == "DownloadNotTrusted"
    assert f"/var/tmp/x has the SHA-256 {'cd' * 32}, not {'ab' * 32}" in error.message


@pytest.mark.parametrize("printed", ["rc\tinstall\t98\nrc\tregister\t129\n", "rc\tstart\t0\n"])
def test_steps_that_were_done_are_no_error(kit, printed):
    assert judge(kit.answer(printed)) is None


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_installs_registers_and_leaves_nothing_of_ours(tmp_path, shell):
    agent = FakeAgent(tmp_path)
    work = hand(installer={"path": str(agent.archive)}).work("db-1", SYSTEM, ABSENT)
    assert agent.run(shell, work) == "rc\tfetch\t0\nrc\tunpack\t0\nrc\tinstall\t0\nrc\tregister\t0\n"
    assert agent.said() == [
        "install -d /usr/local/ASR -r MS -v VmWare -q -c CSLegacy",
        f"configure -i {CS} -P {agent.work}/MobSvc.passphrase -c CSLegacy",
        "the pass'phrase",
    ]
    assert not agent.work.exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_modernized_agent_is_registered_by_the_documented_words(tmp_path, shell):
    agent = FakeAgent(tmp_path)
    wanted = modernized(installer={"path": str(agent.archive)}, source_config='{"x": 1}', credential_less=True)
    agent.run(shell, wanted.work("db-1", SYSTEM, ABSENT))
    assert agent.said() == [
        "install -r MS -v VmWare -q -c CSPrime",
        f"configure -S {agent.work}/config.json -q -c CSPrime -D true",
        '{"x": 1}',
    ]
    assert not agent.work.exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_an_upgrade_is_called_by_the_documented_words(tmp_path, shell):
    agent = FakeAgent(tmp_path)
    older = MobilityState(
        installed=True, configured=True, running=True, servers=(CS,), version="9.57.0.0", cs_type="CSLegacy"
    )
    wanted = hand(installer={"path": str(agent.archive), "version": "9.59.0.0"}, upgrade=True)
    agent.run(shell, wanted.work("db-1", SYSTEM, older))
    assert agent.said() == ["install -q -v VmWare -c CSLegacy"]


@pytest.mark.parametrize("shell", SHELLS)
def test_an_agent_is_unregistered_by_the_documented_words(tmp_path, shell):
    agent = FakeAgent(tmp_path)
    agent.run(shell, hand(installer={"path": str(agent.archive)}).work("db-1", SYSTEM, ABSENT))
    agent.calls.write_text("", encoding="utf-8")
    configured = MobilityState(installed=True, configured=True, running=True, cs_type="CSPrime")
    agent.run(shell, LinuxMobility(Mobility(state="unconfigured")).work("db-1", SYSTEM, configured))
    assert agent.said() == ["configure -q -U true -c CSPrime"]


@pytest.mark.parametrize("shell", SHELLS)
def test_half_an_installation_is_uninstalled_before_it_is_installed_anew(tmp_path, shell):
    agent = FakeAgent(tmp_path)
    half = MobilityState(installed=False, configured=False, running=False, leftovers=True)
    wanted = hand(installer={"path": str(agent.archive)})
    agent.run(shell, wanted.work("db-1", SYSTEM, ABSENT))
    assert "rc\tuninstall\t0\nrc\tinstall\t0\n" in agent.run(shell, wanted.work("db-1", SYSTEM, half))
    assert agent.said()[3:5] == [
        "uninstall -Y -L /var/log/ua_uninstall.log",
        "install -d /usr/local/ASR -r MS -v VmWare -q -c CSLegacy",
    ]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(("code", "goes_on"), [(0, True), (98, True), (97, False), (208, False)])
def test_the_next_step_follows_only_a_step_that_was_done(tmp_path, shell, code, goes_on):
    agent = FakeAgent(tmp_path, install=code)
    printed = agent.run(shell, hand(installer={"path": str(agent.archive)}).work("db-1", SYSTEM, ABSENT))
    assert ("rc\tregister" in printed) is goes_on
    assert ("failed\tinstall" in printed) is not goes_on
    assert not agent.work.exists()


@pytest.mark.parametrize("shell", SHELLS)
def test_a_role_that_was_not_accepted_is_no_success_although_it_ends_with_98(tmp_path, shell):
    agent = FakeAgent(tmp_path, install=98)
    (tmp_path / "tree" / "install").write_text("#!/bin/sh\necho 'Invalid role'\nexit 98\n", encoding="utf-8")
    subprocess.run(["tar", "-czf", agent.archive, "-C", tmp_path / "tree", "install"], check=True)
    printed = agent.run(shell, hand(installer={"path": str(agent.archive)}).work("db-1", SYSTEM, ABSENT))
    assert "rc\tinstall\t98\nfailed\tinstall\nsay\tInvalid role\n" in printed


@pytest.mark.parametrize("shell", SHELLS)
def test_a_pinned_digest_is_checked_before_anything_runs(tmp_path, shell, kit):
    agent = FakeAgent(tmp_path)
    right = hashlib.sha256(agent.archive.read_bytes()).hexdigest()
    wrong = hand(installer={"path": str(agent.archive), "sha256": "AB" * 32}).work("db-1", SYSTEM, ABSENT)
    error = judge(kit.answer(agent.run(shell, wrong)))
    assert error.code == "DownloadNotTrusted"
    assert right in error.message
    assert agent.said() == []
    pinned = hand(installer={"path": str(agent.archive), "sha256": right}).work("db-1", SYSTEM, ABSENT)
    assert "failed" not in agent.run(shell, pinned)


@pytest.mark.parametrize("shell", SHELLS)
def test_an_installer_that_is_not_there_is_named(tmp_path, shell, kit):
    agent = FakeAgent(tmp_path)
    gone = hand(installer={"path": str(tmp_path / "none.tar.gz")}).work("db-1", SYSTEM, ABSENT)
    error = judge(kit.answer(agent.run(shell, gone)))
    assert "none.tar.gz is not there" in error.message


def test_a_download_shows_its_address_in_no_process_list():
    made = hand(installer={"url": "https://x.example/UA_9.59.0.0.tar.gz?sig=key"}).work("db-1", SYSTEM, ABSENT)
    assert variables(made.script)["package"] == "'/var/lib/asr-migrate/UA_9.59.0.0.tar.gz'"
    assert "curl -fsSL -K - -o" in made.script
    assert made.delivery is None


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", ["mobility", "probe_mobility"])
def test_the_scripts_are_understood_by_a_plain_shell(shell, name):
    done = subprocess.run([shell, "-n"], input=linux_script.body(name), capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_a_work_directory_of_somebody_else_is_named_with_what_to_do(kit):
    said = f"{linux_script.WORK_DIRECTORY} is not a directory that root has for itself alone"
    refused = judge(kit.answer(f"rc\tdirectory\t92\nfailed\tdirectory\nsay\t{said}\n"))
    assert refused.code == "WorkDirectoryNotPrivate"
    assert said in refused.message
    assert "ls -ld" in refused.remedy
    assert judge_delivery(kit.answer("", said, 92), Installer(file=PACKAGE)).code == "WorkDirectoryNotPrivate"
