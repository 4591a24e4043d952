"""The images of the simulated Linux hosts: that each distribution is there, and agrees with itself."""

import re
import shutil
import subprocess
from importlib import resources
from pathlib import Path

import pytest

from asr_lab.hosts.linux.flavour import flavours

SUPPORTED = {
    *("rhel-6.7-hvm", "rhel-7.9", "rhel-8.8", "rhel-9.4", "rhel-10.0", "rocky-9.4"),
    *("oracle-6.10", "oracle-7.9", "oracle-8.8", "oracle-9.4"),
    *("ubuntu-14.04", "ubuntu-16.04", "ubuntu-18.04", "ubuntu-20.04", "ubuntu-22.04", "ubuntu-24.04"),
    *("debian-8", "debian-9", "debian-10", "debian-11", "debian-12"),
    *("sles-11-sp4", "sles-12-sp5", "sles-15-sp5"),
}
STANDINS = sorted(Path(str(resources.files("asr_lab.hosts.linux").joinpath("standins"))).glob("*.sh"))
EVERY = pytest.mark.parametrize("flavour", [pytest.param(row, id=key) for key, row in flavours().items()])


def test_every_supported_distribution_is_there():
    assert set(flavours()) >= SUPPORTED


@EVERY
def test_the_sftp_server_of_the_settings_is_where_the_image_has_it(flavour):
    settings = flavour.files["/etc/ssh/sshd_config"]
    assert re.findall(r"^Subsystem\s+sftp\s+(\S+)$", settings, re.MULTILINE) == [flavour.sftp_server]


@EVERY
def test_the_boot_loader_names_the_kernel_and_no_device(flavour):
    texts = [text for path, text in flavour.files.items() if path.startswith(("/boot/", "/etc/default/grub"))]
    assert any("{kernel}" in text for text in texts)
    assert not [text for text in (*texts, flavour.cmdline) if re.search(r"root=/dev/", text)]


@EVERY
def test_the_mounts_are_those_of_fstab(flavour):
    lines = [line.split() for line in flavour.files["/etc/fstab"].splitlines()]
    named = {line[1] for line in lines if line and line[0].startswith(("UUID=", "LABEL=", "PARTUUID="))}
    assert named == {target for target in flavour.mounts if "/efi" not in target or target in named}


@EVERY
def test_a_package_is_there_for_what_preparation_asks_for(flavour):
    assert {"openssl", "lvm2", "cloud-init", "sudo"} <= set(flavour.packages)
    assert "openssh-server" in flavour.packages or flavour.suse
    assert flavour.debian is ("/etc/debian_version" in flavour.files)


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize("script", [pytest.param(path, id=path.stem) for path in STANDINS])
def test_a_stand_in_is_understood_by_both_shells(script, shell):
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell} on this machine")
    assert subprocess.run([shell, "-n", str(script)], capture_output=True, check=False).stderr == b""
