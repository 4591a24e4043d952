"""The replication appliance's installer, and what a scenario can do to a host."""

import pytest

from asr_lab.hosts.windows.faults import apply_fault
from asr_lab.hosts.windows.installers import dr_installer, unified_setup
from asr_lab.hosts.windows.shell import run_text
from asr_lab.hosts.windows.state import Host

from .conftest import spec

WORK = r"C:\ProgramData\asr-migrate"
UNPACK = rf"tar.exe -xf '{WORK}\Appliance.zip' -C '{WORK}'"
INSTALL = rf"& '{WORK}\DRInstaller.ps1' | Out-String"
TCP = (
    "$c = New-Object Net.Sockets.TcpClient; "
    "try { $c.Connect('127.0.0.1', 44368); echo 'open' } catch { echo 'closed' }; $c.Close()"
)


@pytest.fixture
def server(make_host, world):
    host = make_host("current-appliance")
    host.files.write(WORK + r"\Appliance.zip", world.internet["https://aka.ms/V2ARcmApplianceCreationPowershellZip"])
    assert run_text(host, UNPACK).code == 0
    return host


def test_the_appliance_is_installed_and_waits_for_its_registration(server, world):
    assert run_text(server, TCP).out == "closed\r\n"
    assert run_text(server, INSTALL).code == 0
    assert run_text(server, TCP).out == "open\r\n"
    assert [host.host_name for host in world.installed] == ["CURRENT-APPLIANCE"]
    assert all(server.services.is_running(name) for name in dr_installer.SERVICES)
    assert not server.services.is_running("dra")
    dr_installer.registered(server)
    assert server.services.is_running("dra")
    assert server.registry.has(unified_setup.REGISTRATION)


def test_the_installer_can_run_twice(server):
    assert [run_text(server, INSTALL).code for _ in range(2)] == [0, 0]


def test_a_server_that_is_too_small_is_refused(tmp_path, world, clock):
    host = Host(spec("current-appliance", cores=8), tmp_path / "small", world, clock)
    host.files.write(r"C:\DRInstaller.ps1", b"# asr-lab dr-installer 9.59.0.0\r\n")
    result = run_text(host, r"& 'C:\DRInstaller.ps1'")
    assert result.code == 1
    assert "needs 8 cores; this server has 4" in result.out
    assert world.installed == []


def test_only_windows_server_2022_becomes_a_replication_appliance(make_host):
    host = make_host("legacy-cs")
    host.files.write(r"C:\DRInstaller.ps1", b"# asr-lab dr-installer 9.59.0.0\r\n")
    assert "is not supported on this server" in run_text(host, r"& 'C:\DRInstaller.ps1'").out


def test_faults_change_the_host(host):
    apply_fault(
        host,
        {
            "skew_s": 960,
            "time_source": False,
            "service": {"W32Time": "disabled"},
            "registry": {r"HKLM\SOFTWARE\X": {"Y": 1}, r"HKLM\SOFTWARE\Amazon": None},
            "firewall": {"Remote Desktop": False},
            "free_bytes": {"c:": 5},
            "listening": {"443": True},
            "file": {r"C:\x.txt": "text"},
        },
    )
    assert host.utc_now().minute == 16
    assert host.services.find("W32Time").start == 4
    assert not host.services.is_running("W32Time")
    assert host.registry.get(r"HKLM\SOFTWARE\X", "Y") == 1
    assert not host.registry.has(r"HKLM\SOFTWARE\Amazon\PVDriver")
    assert not host.listens(3389)
    assert host.free_bytes("C:") == 5
    assert 443 in host.condition.listening
    assert host.files.text(r"C:\x.txt") == "text"


def test_reset_makes_a_host_fresh(host):
    apply_fault(host, {"skew_s": 960, "file": {r"C:\x.txt": "text"}})
    apply_fault(host, {"reset": True})
    assert host.condition.skew_s == 0
    assert not host.files.exists(r"C:\x.txt")


@pytest.mark.parametrize(
    "fault",
    [
        {"skew": 1},
        {"service": {"nothing": "stopped"}},
        {"service": {"W32Time": "asleep"}},
        {"firewall": {"Nothing": True}},
        {"free_bytes": {"Q:": 1}},
        {"reset": "yes"},
    ],
)
def test_an_unknown_fault_is_refused_with_a_sentence(host, fault):
    with pytest.raises(ValueError, match=" "):
        apply_fault(host, fault)


def test_while_a_host_registers_the_world_can_reach_it(make_host, world):
    """Otherwise the two could wait for each other: the host for Site Recovery, and Site Recovery for the host."""
    host = make_host("current-appliance")
    seen = []

    def appliance_installed(description):
        with host.lock:
            seen.append(description.host_name)

    world.appliance_installed = appliance_installed
    host.files.write(r"C:\DRInstaller.ps1", b"# asr-lab dr-installer 9.59.0.0\r\n")
    with host.lock:
        assert run_text(host, r"& 'C:\DRInstaller.ps1'").code == 0
    assert seen == ["CURRENT-APPLIANCE"]
