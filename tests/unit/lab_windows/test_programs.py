"""Other programs of Windows, and the host's own life: disks, clock, restart, persistence."""

import hashlib

import pytest

from asr_lab.hosts.windows.flavour import VERSIONS, flavour
from asr_lab.hosts.windows.shell import run_text
from asr_lab.hosts.windows.state import Host

from .conftest import GIB, spec


def test_old_windows_prints_a_digest_with_blanks(run, host):
    host.files.write(r"C:\f", b"content")
    digest = hashlib.sha256(b"content").hexdigest()
    shown = " ".join(digest[at : at + 2] for at in range(0, 64, 2))
    assert run(r"certutil -hashfile C:\f SHA256").out.splitlines()[:2] == [r"SHA256 hash of file C:\f:", shown]


def test_new_windows_prints_a_digest_in_one_word(make_host):
    host = make_host("web-2022")
    host.files.write(r"C:\f", b"content")
    assert hashlib.sha256(b"content").hexdigest() in run_text(host, r"certutil -hashfile C:\f SHA256").out


def test_free_space_is_printed_in_the_way_of_each_version(make_host):
    old = run_text(make_host("app-2012"), "fsutil volume diskfree c:").out
    new = run_text(make_host("web-2022"), "fsutil volume diskfree c:").out
    assert old.splitlines()[0] == f"Total # of free bytes        : {60 * GIB}"
    assert new.splitlines()[0] == "Total free bytes        :  64,424,509,440 ( 60.0 GB)"


def test_a_drive_that_is_not_there_is_an_error(run):
    assert run("fsutil volume diskfree e:").code == 1


def test_a_second_disk_is_drive_d(make_host):
    assert run_text(make_host("legacy-cs"), "fsutil volume diskfree d:").code == 0


def test_whoami_names_the_administrators_and_the_high_integrity_level(run):
    out = run("whoami /groups /fo csv /nh").out
    assert '"S-1-5-32-544"' in out
    assert '"S-1-16-12288"' in out


def test_ipconfig_marks_the_hosts_own_address(run):
    assert "IPv4 Address. . . . . . . . . . . : 10.20.1.12(Preferred)" in run("ipconfig /all").out


def test_the_clock_is_set_right_by_a_resync(run, host):
    host.condition.skew_s = 960
    assert run("w32tm /resync /force").code == 0
    assert host.condition.skew_s == 0


def test_a_resync_fails_when_the_time_service_stands_still(run, host):
    host.condition.skew_s = 960
    assert run("net stop w32time\nw32tm /resync").code == 1
    assert host.condition.skew_s == 960


def test_a_resync_fails_without_a_time_source(run, host):
    host.condition.skew_s, host.condition.time_source = 960, False
    assert "no time data was available" in run("w32tm /resync").out
    assert host.condition.skew_s == 960


def test_stripchart_shows_the_offset(run, host):
    host.condition.skew_s = 2
    out = run("w32tm /stripchart /computer:time.windows.com /samples:1 /dataonly").out
    assert out.splitlines()[-1] == "00:00:02, -02.0000000s"


@pytest.mark.parametrize("line", ["w32tm /debug", "whoami /all /x", "ipconfig", "shutdown /s", "tasklist /v", "icacls"])
def test_a_switch_that_is_not_known_fails(run, line):
    assert run(line).code == 1


def test_tar_came_with_windows_server_2019(run):
    assert "is not recognized" in run(r"tar.exe -xf C:\x.zip -C C:\Windows").err


def test_a_restart_takes_a_moment_and_clears_what_waited_for_it(run, host, clock):
    host.ask_for_restart()
    run("net stop w32time\nshutdown /r /t 0")
    assert host.answers()
    clock.advance(1)
    assert not host.answers()
    clock.advance(5)
    assert host.answers()
    assert not host.wants_restart()
    assert host.services.is_running("w32time")


def test_everything_survives_a_restart_of_the_lab(run, host, world, clock):
    run("reg add 'HKLM\\SOFTWARE\\X' /v Y /d z /f\nnet stop w32time")
    host.files.write(r"C:\secret.txt", b"secret")
    host.condition.skew_s = 5
    host.save()
    again = Host(spec("app-2012"), host.directory, world, clock)
    assert again.registry.get(r"HKLM\SOFTWARE\X", "Y") == "z"
    assert again.files.read(r"C:\secret.txt") == b"secret"
    assert again.condition.skew_s == 5
    assert not again.services.is_running("w32time")


def test_state_and_contents_are_private(host):
    host.files.write(r"C:\secret.txt", b"secret")
    host.save()
    paths = [host.directory / "state.json", *(host.directory / "blobs").iterdir()]
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o600}


def test_a_deleted_files_content_is_gone_from_the_lab(run, host):
    host.files.write(r"C:\secret.txt", b"secret")
    run(r"cmd /c 'del /f /q C:\secret.txt'")
    assert list((host.directory / "blobs").iterdir()) == []


@pytest.mark.parametrize("name", VERSIONS)
def test_every_flavour_can_be_made(name):
    assert flavour(name).build > 7600


def test_an_unknown_flavour_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="2008r2"):
        flavour("95")


def test_windows_server_2008_r2_tells_no_firmware_type(make_host):
    control = r"HKLM\SYSTEM\CurrentControlSet\Control"
    assert make_host("app-2008").registry.get(control, "PEFirmwareType") is None
    assert make_host("web-2022").registry.get(control, "PEFirmwareType") == 1
