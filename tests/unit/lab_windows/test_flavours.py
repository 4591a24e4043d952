"""What each version of Windows Server has on a fresh host, and how disks, WMI and the connecting user can differ."""

from pathlib import Path

import pytest

from asr_lab.clock import ManualClock
from asr_lab.hosts.windows import firewall, identity
from asr_lab.hosts.windows.faults import apply_fault
from asr_lab.hosts.windows.flavour import VERSIONS
from asr_lab.hosts.windows.shell import run_text
from asr_lab.hosts.windows.state import Host, HostSpec

from .conftest import World, spec

SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
CURRENT = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
PARTITIONS = (
    r"Get-WmiObject -Namespace 'root\CIMV2' -Class Win32_DiskPartition -ErrorAction SilentlyContinue "
    "| ForEach-Object { '{0}|{1}|{2}' -f $_.DiskIndex, $_.Index, $_.BootPartition }"
)
ENCRYPTION = (
    r"Get-WmiObject -Namespace 'root\CIMV2\Security\MicrosoftVolumeEncryption' -Class Win32_EncryptableVolume "
    "-ErrorAction SilentlyContinue | ForEach-Object { '{0}|{1}|{2}' -f $_.DriveLetter, $_.ProtectionStatus, "
    "$_.GetConversionStatus().ConversionStatus }"
)


@pytest.fixture(params=VERSIONS)
def fresh(request: pytest.FixtureRequest, tmp_path: Path, world: World, clock: ManualClock) -> Host:
    return Host(HostSpec("legacy-cs", request.param, spec("legacy-cs").description), tmp_path, world, clock)


def test_a_fresh_host_has_what_its_version_has(fresh):
    registry = fresh.registry
    assert registry.text(CURRENT, "ProductName").startswith("Windows Server 20")
    assert registry.text(CURRENT, "CurrentBuildNumber") == str(fresh.flavour.build)
    for name in ("RpcSs", "LanmanServer", "Winmgmt", "WinRM", "MpsSvc", "W32Time", "TermService", "EventSystem"):
        assert fresh.services.is_running(name), name
    for name in ("VSS", "swprv", "COMSysApp", "Netlogon"):
        assert fresh.services.get(name).start == 3, name
        assert not fresh.services.is_running(name), name


def test_ec2_images_open_remote_desktop_and_no_other_group(fresh):
    assert firewall.group_open(fresh.registry, firewall.REMOTE_DESKTOP)
    for group in (firewall.FILE_SHARING, firewall.WMI):
        assert not any(rule.active for rule in firewall.of_group(fresh.registry, group))
    assert (fresh.listens(3389), fresh.listens(445), fresh.listens(135)) == (True, False, False)
    versions = {rule.version for rule in firewall.rules(fresh.registry)}
    assert versions == {fresh.flavour.firewall_version}


def test_ec2_images_carry_routes_to_ec2s_own_services(fresh):
    routes = fresh.registry.values(SERVICES + r"\Tcpip\Parameters\PersistentRoutes")
    assert {value.name.split(",")[0] for value in routes} == {
        f"169.254.169.{last}" for last in (123, 249, 250, 251, 253, 254)
    }


@pytest.mark.parametrize(("flavour", "works"), [("2008r2", False), ("2012", True), ("2016", True)])
def test_the_oldest_net_knows_no_name_for_tls_1_2(tmp_path, world, clock, flavour, works):
    host = Host(HostSpec("legacy-cs", flavour, spec("legacy-cs").description), tmp_path, world, clock)
    result = run_text(host, "[Net.ServicePointManager]::SecurityProtocol = 3072\n$x = 'a'")
    assert ("invalid enumeration values" in result.err) is not works
    made = "[Net.ServicePointManager]::SecurityProtocol = [Enum]::ToObject([Net.SecurityProtocolType], 3072)"
    download = r"(New-Object Net.WebClient).DownloadFile('https://aka.ms/unifiedsetup', 'C:\ProgramData\Setup.exe')"
    assert run_text(host, f"{made}\n{download}").err == ""
    assert host.files.exists(r"C:\ProgramData\Setup.exe")


def test_disks_are_partitioned_as_their_firmware_wants(run, host):
    assert run(PARTITIONS).out == "0|0|True\r\n"
    apply_fault(host, {"disks": {"0": {"letters": [None, "C:"], "boot": 0, "gpt": True, "dynamic": True}}})
    assert run(PARTITIONS).out == "0|0|True\r\n0|1|False\r\n"
    listed = run("'list disk' | diskpart").out.splitlines()
    assert "  Disk 0    Online           80 GB      0 B   *    *" in listed


def test_a_disk_that_is_not_there_cannot_be_changed(host):
    with pytest.raises(ValueError, match="disks: 7"):
        apply_fault(host, {"disks": {"7": {"dynamic": True}}})


def test_bitlocker_is_there_when_its_feature_is(run, host):
    assert run(ENCRYPTION).out == ""
    apply_fault(host, {"volumes": {"c:": [1, 1]}})
    assert run(ENCRYPTION).out == "C:|1|1\r\n"


def test_wmi_answers_nothing_when_its_service_is_disabled(run, host):
    apply_fault(host, {"service": {"Winmgmt": "disabled"}})
    assert run(PARTITIONS).out == ""
    assert "cannot be started" in run(PARTITIONS.replace("SilentlyContinue", "Continue")).err


def test_a_class_that_the_lab_does_not_know_ends_the_text(run):
    text = "Get-WmiObject -Class Win32_Fan -ErrorAction SilentlyContinue | ForEach-Object { '{0}' -f $_.Name }\necho x"
    result = run(text)
    assert (result.out, result.code) == ("", 1)
    assert "the lab does not know this class" in result.err


@pytest.mark.parametrize(
    ("token", "administrators", "label"),
    [("full", "Group owner", "12288"), ("filtered", "Group used for deny only", "8192"), ("user", None, "8192")],
)
def test_the_connecting_user_may_be_no_administrator(run, host, token, administrators, label):
    apply_fault(host, {"token": token})
    out = run("whoami /groups /fo csv /nh").out
    assert ("S-1-5-32-544" in out) is (administrators is not None)
    assert administrators is None or administrators in out
    assert f'"S-1-16-{label}"' in out


def test_the_token_of_a_local_administrator_is_filtered_over_the_network(run, host):
    apply_fault(host, {"built_in": False})
    assert '"S-1-16-8192"' in run("whoami /groups /fo csv /nh").out
    assert run("whoami").out == "app-2012\\deploy\r\n"
    apply_fault(host, {"registry": {identity.POLICIES: {"LocalAccountTokenFilterPolicy": 1}}})
    assert '"S-1-16-12288"' in run("whoami /groups /fo csv /nh").out


def test_a_domains_user_has_the_domains_identifier(run, host):
    local = run("whoami /user /fo csv /nh").out
    assert local.startswith('"app-2012\\administrator","S-1-5-21-')
    assert "S-1-5-113" in run("whoami /groups /fo csv /nh").out
    apply_fault(host, {"domain": "corp.example"})
    joined = run("whoami /user /fo csv /nh").out
    assert joined.startswith('"corp\\svc-asr","S-1-5-21-')
    assert joined.split("-")[4:7] != local.split("-")[4:7]
    assert "S-1-5-113" not in run("whoami /groups /fo csv /nh").out
    assert host.services.is_running("Netlogon")
    assert firewall.active_profile(host.registry)[1] == "Domain"


def test_the_display_language_changes_words_and_no_numbers(run, host):
    apply_fault(host, {"language": "de-DE"})
    assert run("reg query 'HKLM\\Nothing'").err.startswith("FEHLER: Der angegebene")
    assert "STATUS             : 4  RUNNING" in run("sc.exe query w32time").out
    assert "(Bevorzugt)" in run("ipconfig /all").out
    assert "VORDEFINIERT\\Administratoren" in run("whoami /groups /fo csv /nh").out
    assert "  Datenträger 0    Online" in run("'list disk' | diskpart").out


def test_the_state_survives_a_restart_of_the_lab(host, world, clock):
    apply_fault(host, {"domain": "corp.example", "token": "user", "volumes": {"C:": [1, 1]}, "language": "de-DE"})
    again = Host(host.spec, host.directory, world, clock)
    assert (vars(again.condition), again.language) == (vars(host.condition), "de-DE")
    assert again.registry.dump() == host.registry.dump()


def test_a_restart_notes_when_windows_was_shut_down(host):
    key = r"HKLM\SYSTEM\CurrentControlSet\Control\Windows"
    assert host.registry.value(key, "ShutdownTime").kind == "REG_BINARY"
    host.restart()
    ticks = int.from_bytes(bytes.fromhex(host.registry.value(key, "ShutdownTime").data), "little")
    assert ticks / 10**7 - 11_644_473_600 == host.clock.wall().timestamp()
