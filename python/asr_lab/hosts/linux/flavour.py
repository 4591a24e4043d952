"""What a simulated Linux host looks like from inside: the rows of the folder ``flavours``, one file a family."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

BASE = "common"
PYTHON = ("python*", "pypy*", "pydoc*", "pip*", "2to3*")
DEBIAN_ONLY = ("dpkg*", "apt*", "deb*")
RED_HAT_ONLY = ("rpm*", "yum*", "dnf*", "microdnf")
SYSTEMD_ONLY = ("systemctl", "timedatectl", "hostnamectl", "loginctl", "journalctl", "chronyc")
#: What a distribution puts elsewhere, or has not: the machine's own are never shown.
NEVER_BORROWED = (
    *("nft", "iptables*", "ip6tables*", "firewall-cmd", "ufw", "mokutil", "lsinitrd", "lsinitramfs", "dracut"),
    *("dhclient*", "dhcpcd*", "wicked", "udhcpc", "NetworkManager", "cloud-init*", "sshd", "runlevel", "telinit"),
    *("systemd", "openssh", "sftp-server", "modules", "firmware", "os-release", "platform-python"),
)


@dataclass(frozen=True)
class Mount:
    """One mounted file system of an image, on partition ``partition`` of the first disk.

    ``type`` and ``options`` are those of findmnt(8); ``uuid`` is a text with fields, the root disk's by default.
    """

    partition: int
    type: str
    options: str
    size_gib: float
    free_gib: float
    uuid: str = "{disk_uuid}"


@dataclass(frozen=True)
class Flavour:
    """One image of a distribution.

    ``init`` is sysv, upstart or systemd, ``runlevel`` the one it boots into; ``python`` whether a Python 3 is there.
    ``installer_os`` is the tag of the Mobility package that fits. ``services`` are states by name, ``aliases`` other
    names of services, ``packages`` versions by name, ``programs`` absolute paths of programs that do nothing here.
    ``firewall`` is nft or iptables. ``initrd`` are the kernel modules in the initial RAM disk. ``cmdline`` is the
    kernel's, ``files`` are texts by absolute path, both with fields in braces; ``links`` are targets by path.
    """

    os_name: str
    kernel: str
    init: str
    runlevel: int
    python: bool
    installer_os: str
    sftp_server: str
    firewall: str
    cmdline: str
    initrd: tuple[str, ...]
    mounts: Mapping[str, Mount]
    services: Mapping[str, str]
    aliases: Mapping[str, str]
    packages: Mapping[str, str]
    programs: tuple[str, ...]
    links: Mapping[str, str]
    files: Mapping[str, str]

    @property
    def debian(self) -> bool:
        """Whether its packages are Debian's."""
        return "/etc/debian_version" in self.files

    @property
    def suse(self) -> bool:
        """Whether it is SUSE's."""
        return "kernel-default" in self.packages

    @property
    def systemd(self) -> bool:
        """Whether its first process is systemd."""
        return self.init == "systemd"

    @property
    def old_openssh(self) -> bool:
        """Whether its SSH server is of the time before elliptic curves and SHA-2 signatures (OpenSSH 5)."""
        version = self.packages.get("openssh-server", "")
        return version.startswith("5.")

    @property
    def selinux(self) -> bool:
        """Whether SELinux is enforcing."""
        return any(path.endswith("selinux/enforce") for path in self.files)

    @property
    def initrd_path(self) -> str:
        """Where the initial RAM disk is."""
        if self.debian:
            return f"/boot/initrd.img-{self.kernel}"
        return f"/boot/initrd-{self.kernel}" if self.suse else f"/boot/initramfs-{self.kernel}.img"

    @property
    def hidden_commands(self) -> tuple[str, ...]:
        """Globs of the machine's commands, and of its folders in /usr/lib, that this host does not show."""
        hidden = NEVER_BORROWED + (RED_HAT_ONLY if self.debian else DEBIAN_ONLY)
        hidden += () if self.python else PYTHON
        return hidden + (() if self.systemd else SYSTEMD_ONLY)


@cache
def flavours() -> Mapping[str, Flavour]:
    """Return the flavours by image key."""
    rows: dict[str, dict[str, Any]] = {}
    for file in sorted(resources.files(__package__).joinpath("flavours").iterdir(), key=lambda file: file.name):
        rows |= yaml.safe_load(file.read_text("utf-8"))
    return {key: _flavour(_whole(key, rows)) for key in rows if key != BASE}


def _flavour(row: Mapping[str, Any]) -> Flavour:
    mounts = {target: Mount(**mount) for target, mount in row["mounts"].items()}
    lists = {key: tuple(row[key]) for key in ("initrd", "programs")}
    return Flavour(**{**row, **lists, "mounts": mounts})


def _whole(key: str, rows: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a row with everything that it takes from the rows it is ``like``."""
    row = dict(rows[key])
    model = row.pop("like", None)
    return _merged(_whole(model, rows), row) if model else row


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` changed by ``over``: mappings key by key, null removes, anything else replaces."""
    made = dict(base)
    for key, value in over.items():
        if value is None:
            made.pop(key, None)
        elif isinstance(value, dict) and isinstance(made.get(key), dict):
            made[key] = _merged(made[key], value)
        else:
            made[key] = value
    return made
