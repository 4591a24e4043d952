"""Hosts are judged by what the Mobility service's installer asks for whenever it runs: also a move or an upgrade."""

import shutil
import subprocess

import pytest

from asr_migrate.domain.machine import Os
from asr_migrate.hosts import linux_script, profiles

from .fake_agent import SHELLS

CS = "10.20.0.10"
URL = "https://files.example/Microsoft-ASR_UA_9.59.0.0_{}_GA_15Mar2024_release.{}"
SHORT = {"free_kib /": "1024", "kernel": "5.15.0-1051-aws", "kernel_modules": "no"}
ELSEWHERE = {
    "mobility": "installed",
    "mobility_status": "Succeeded",
    "mobility_version": "9.57.0.0",
    "mobility_cstype": "CSLegacy",
    "mobility_hostname": "10.9.9.9",
    "vxagent": "running",
}
OURS = {**ELSEWHERE, "mobility_hostname": CS}
BROKEN = {"linux.free-space", "linux.kernel", "linux.kernel-modules"}


def linux(**mobility):
    wanted = {"architecture": "classic", "appliance_address": CS, "passphrase": "secret"}
    wanted["installer"] = {"url": URL.format("RHEL6-64", "tar.gz")}
    return profiles.make("source", Os.LINUX, "db-1", {"mobility": wanted | mobility})


def broken(kit, profile, lines):
    plan = kit.planned(profile, kit.linux(lines=lines))
    return {finding.rule for finding in plan.blockers}, bool(plan.changes)


def test_an_agent_that_is_moved_by_being_installed_anew_needs_what_an_installation_needs(kit):
    found, changes = broken(kit, linux(move=True), {**ELSEWHERE, **SHORT})
    assert changes
    assert found >= BROKEN
    assert not broken(kit, linux(move=True), ELSEWHERE)[0] & BROKEN


@pytest.mark.parametrize("mobility", [{"upgrade": True}, {"state": "upgraded"}])
def test_an_upgrade_needs_what_its_installer_needs(kit, mobility):
    found, changes = broken(kit, linux(**mobility), {**OURS, **SHORT})
    assert changes
    assert found >= BROKEN
    assert broken(kit, linux(**mobility), OURS) == (set(), True)


@pytest.mark.parametrize("mobility", [{}, {"upgrade": True, "installer": {"path": "/srv/x.tar.gz"}}])
def test_an_agent_that_stays_as_it_is_needs_none_of_it(kit, mobility):
    assert not broken(kit, linux(**mobility), {**OURS, **SHORT})[0] & BROKEN


@pytest.mark.parametrize("state", ["absent", "unconfigured"])
def test_what_is_taken_away_needs_none_of_it(kit, state):
    assert broken(kit, linux(state=state), {**OURS, **SHORT}) == (set(), True)


def windows(**mobility):
    wanted = {"architecture": "classic", "appliance_address": CS, "passphrase": "secret"}
    wanted["installer"] = {"url": URL.format("Windows", "exe")}
    return profiles.make("source", Os.WINDOWS, "app-1", {"mobility": wanted | mobility})


def windows_host(kit, server, **broken):
    product = {
        "Version": "9.57.0.0",
        "PostInstallActions": "Succeeded",
        "AgentConfigurationStatus": "Succeeded",
    }
    agent = {"installed": ("w32time", "xenvbd", "svagents"), "states": kit.windows().states | {"svagents": 4}}
    return kit.windows(mobility=product, server={"ServerName": server}, **agent, **broken)


@pytest.mark.parametrize(
    ("mobility", "server"), [({"move": True}, "10.9.9.9"), ({"upgrade": True}, CS), ({"state": "upgraded"}, CS)]
)
def test_on_windows_too(kit, mobility, server):
    plan = kit.planned(windows(**mobility), windows_host(kit, server, free_bytes={"c:": 2**20}, updates=()))
    assert plan.changes
    found = {finding.rule for finding in plan.blockers}
    assert len(found) == 2, found
    assert kit.planned(windows(**mobility), windows_host(kit, server)).blockers == ()


def test_on_windows_an_agent_that_stays_as_it_is_needs_none_of_it(kit):
    plan = kit.planned(windows(), windows_host(kit, CS, free_bytes={"c:": 2**20}, updates=()))
    assert plan.blockers == ()


class Root:
    """The part of the probe that looks at what the installer asks for, on files below a directory."""

    def __init__(self, directory, shell):
        self.directory = directory
        self.shell = shell
        for program in ("awk", "grep", "tr", "sed", "sort", "locale"):
            self.link(f"bin/{program}", shutil.which(program))

    def link(self, name, target):
        place = self.directory / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)

    def write(self, name, text):
        place = self.directory / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        place.chmod(0o755)

    def probe(self, kit):
        text = linux_script.body("probe_mobility")
        for path in ("/boot/", "/etc/default/", "/proc/mounts", '/dev/$word" ]', "/sys/firmware", "/usr/lib/", "/lib/"):
            text = text.replace(f" {path}", f" {self.directory}{path}").replace(f'"{path}', f'"{self.directory}{path}')
        head = f"PATH={self.directory}/bin\nwant_work=/var/lib/asr-migrate\nset -eu\n"
        say = 'say() { printf \'%s\\t%s\\n\' "$1" "$2"; }\n'
        call = "for part in dhcp_clients c_locale grub_volumes noexec; do $part; done\n"
        shell = shutil.which(self.shell)
        done = subprocess.run([shell], input=head + say + text + call, capture_output=True, text=True, check=True)
        assert done.stderr == ""
        return linux_script.lines(kit.answer(done.stdout))


@pytest.fixture(params=SHELLS)
def root(request, tmp_path):
    return Root(tmp_path, request.param)


def test_every_dhcp_client_of_a_host_is_told(root, kit):
    assert root.probe(kit)["dhcp_client"] == []
    root.write("bin/dhcpcd", "")
    root.write("bin/NetworkManager", "")
    root.write("usr/lib/systemd/systemd-networkd", "")
    assert root.probe(kit)["dhcp_client"] == ["dhcpcd", "NetworkManager", "systemd-networkd"]


def test_the_locale_c_is_looked_for_where_locales_are_listed(root, kit):
    assert root.probe(kit).first("c_locale") == "yes"
    (root.directory / "bin/locale").unlink()
    assert root.probe(kit).first("c_locale") == ""
    root.write("bin/locale", "#!/bin/sh\necho POSIX\n")
    assert root.probe(kit).first("c_locale") == "no"


def test_volumes_that_the_boot_loader_activates_and_that_are_gone_are_told(root, kit):
    root.write(
        "boot/grub2/grub.cfg", " linux16 /vmlinuz root=/dev/mapper/vg-root rd.lvm.lv=vg/root rd.lvm.lv=vg/swap\n"
    )
    root.write("etc/default/grub", '#rd.lvm.lv=old/x\nGRUB_CMDLINE_LINUX="rd_LVM_LV=vg/gone quiet"\n')
    root.write("dev/vg/root", "")
    found = [value.replace(str(root.directory), "") for value in root.probe(kit)["grub_missing"]]
    assert found == ["/boot/grub2/grub.cfg\t/dev/vg/swap", "/etc/default/grub\t/dev/vg/gone"]
    root.write("sys/firmware/efi/x", "")
    assert root.probe(kit)["grub_missing"] == []


@pytest.mark.parametrize(
    ("mounts", "found"),
    [
        ("/dev/a / ext4 rw 0 0\n/dev/b /var ext4 rw,noexec,nosuid 0 0\n", "/var"),
        ("/dev/a / ext4 rw 0 0\n/dev/b /var/lib ext4 noexec 0 0\n/dev/c /var ext4 rw 0 0\n", "/var/lib"),
        ("/dev/a / ext4 rw 0 0\n/dev/b /var ext4 noexec 0 0\n/dev/b /var ext4 rw 0 0\n", ""),
        ("/dev/a / ext4 rw 0 0\n/dev/b /va ext4 noexec 0 0\ntmpfs /tmp tmpfs rw,noexec 0 0\n", ""),
    ],
)
def test_the_file_system_that_holds_our_directory_is_told_when_it_runs_nothing(root, kit, mounts, found):
    root.write("proc/mounts", mounts)
    assert root.probe(kit).first("work_noexec") == found
