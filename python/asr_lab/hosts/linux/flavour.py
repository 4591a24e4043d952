"""What a simulated Linux host looks like from inside: flavours.yml and the stand-in commands, laid out as files."""

import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from asr_lab.aws.estate import Machine

LOGIN_USER = "ec2-user"
# Services that show as processes of their names while they run.
DAEMONS = ("ntpd", "chronyd", "vxagent", "uarespawnd")
TIME_CLIENTS = {"sysv": ("ntpdate", "ntpd", "ntpq", "ntpstat"), "systemd": ("chronyc", "timedatectl")}
# Where a stand-in goes: by command, the script it is made of.
COMMANDS = {
    "usr/bin/sudo": "sudo",
    "usr/bin/uname": "uname",
    "usr/bin/date": "date",
    "usr/bin/passwd": "passwd",
    "usr/sbin/chpasswd": "chpasswd",
    "usr/sbin/usermod": "usermod",
    "usr/sbin/sshd": "sshd",
    "usr/sbin/service": "service",
    "usr/sbin/dhclient": "dhclient",
    "usr/sbin/reboot": "reboot",
    "usr/sbin/shutdown": "reboot",
    "usr/sbin/poweroff": "reboot",
    "var/lib/lab/boot": "boot",
    "var/lib/lab/set_shadow": "set_shadow",
    "var/lib/lab/user/id": "user_id",
    "var/lib/lab/user/whoami": "user_whoami",
}
SYSTEMD_ONLY = ("systemctl", "timedatectl", "hostnamectl", "loginctl", "journalctl", "chronyc")
PYTHON = ("python*", "pypy*", "pydoc*", "pip*", "2to3*")
DEBIAN_ONLY = ("dpkg*", "apt*", "deb*")
RED_HAT_ONLY = ("rpm*", "yum*", "dnf*", "microdnf")


@dataclass(frozen=True)
class Flavour:
    """One row of flavours.yml; ``services`` are state by name, ``files`` are texts with fields by absolute path."""

    os_name: str
    kernel: str
    init: str
    python: bool
    installer_os: str
    services: Mapping[str, str]
    aliases: Mapping[str, str]
    packages: Mapping[str, str]
    files: Mapping[str, str]

    @property
    def debian(self) -> bool:
        """Whether its packages are Debian's."""
        return "/etc/debian_version" in self.files

    @property
    def hidden_commands(self) -> tuple[str, ...]:
        """Globs of the machine's commands that this host lacks."""
        hidden: tuple[str, ...] = RED_HAT_ONLY if self.debian else DEBIAN_ONLY
        hidden += () if self.python else PYTHON
        return hidden + (SYSTEMD_ONLY if self.init == "sysv" else ())


@cache
def flavours() -> Mapping[str, Flavour]:
    """Return the flavours by image key."""
    data: dict[str, dict[str, Any]] = yaml.safe_load(
        resources.files(__package__).joinpath("flavours.yml").read_text("utf-8")
    )
    return {key: Flavour(**row) for key, row in data.items() if key != "common"}


def guid(machine: Machine, purpose: str) -> str:
    """Return a GUID of this machine, the same in every lab."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{purpose}.{machine.name}.lab.example"))


def bios_id(machine: Machine) -> str:
    """Return the BIOS identifier; on EC2 it begins with ec2 (EC2 documentation, "identify EC2 instances")."""
    return "ec2" + guid(machine, "bios")[3:]


def mac(machine: Machine) -> str:
    """Return the hardware address of the only network card."""
    return "02:00:" + ":".join(f"{int(part):02x}" for part in machine.address.split("."))


def disk_names(machine: Machine) -> tuple[str, ...]:
    """Return the names of the disks as the kernel shows them."""
    count = len(machine.volumes_gib)
    if machine.instance_type.nitro:
        return tuple(f"/dev/nvme{number}n1" for number in range(count))
    return tuple(f"/dev/xvd{letter}" for letter in "afghij"[:count])


def lay_tree(machine: Machine, flavour: Flavour, tree: Path, authorized_key: str) -> None:
    """Write the host's own files into the empty directory ``tree``; the holder copies them into the root."""
    shutil.rmtree(tree, ignore_errors=True)
    fields = {
        "name": machine.name,
        "address": machine.address,
        "disk_uuid": guid(machine, "root-disk"),
        "machine_id": guid(machine, "machine").replace("-", ""),
        "bios_id": bios_id(machine),
        "vendor": "Amazon EC2" if machine.instance_type.nitro else "Xen",
        "product": machine.instance_type.name if machine.instance_type.nitro else "HVM domU",
    }
    for path, text in flavour.files.items():
        for field, value in fields.items():
            text = text.replace("{" + field + "}", value)
        _write(tree, path, text)
    _lay_accounts(tree, authorized_key)
    _lay_state(tree, machine, flavour)
    _lay_commands(tree, flavour)
    for directory in ("var/log", "var/lock", "run/lab", "home", "usr/local/bin", "usr/local/sbin"):
        (tree / directory).mkdir(parents=True, exist_ok=True)


def _lay_accounts(tree: Path, authorized_key: str) -> None:
    """Accounts as cloud-init leaves them: a login with a key, a root without a password and with a key that refuses."""
    locked = "".join(f"{user}:!!:19795:0:99999:7:::\n" for user in ("root", "sshd", LOGIN_USER))
    _write(tree, "/etc/shadow", locked, 0o600)
    refusal = f'echo \'Please login as the user "{LOGIN_USER}" rather than the user "root".\';echo;sleep 10'
    _write(tree, "/root/.ssh/authorized_keys", f'no-port-forwarding,command="{refusal}" {authorized_key}\n', 0o600)
    _write(tree, f"/home/{LOGIN_USER}/.ssh/authorized_keys", f"{authorized_key}\n", 0o600)
    for home in ("root", f"home/{LOGIN_USER}"):
        (tree / home).chmod(0o700)
        (tree / home / ".ssh").chmod(0o700)


def _lay_state(tree: Path, machine: Machine, flavour: Flavour) -> None:
    """What the stand-ins know: services, packages, kernel, and which Mobility package fits."""
    for name, state in flavour.services.items():
        boot = "enabled" if state == "running" else "disabled"
        _write(tree, f"/var/lib/lab/services/{name}", f"{state} {boot}\n")
    (tree / "var/lib/lab/aliases").mkdir(parents=True)
    for alias, name in flavour.aliases.items():
        _write(tree, f"/var/lib/lab/aliases/{alias}", name + "\n")
    packages = "".join(f"{name} {version}\n" for name, version in flavour.packages.items())
    _write(tree, "/var/lib/lab/packages", packages)
    _write(tree, "/var/lib/lab/kernel", flavour.kernel + "\n")
    _write(tree, "/var/lib/lab/installer_os", flavour.installer_os + "\n")
    _write(tree, "/var/lib/lab/host_id", guid(machine, "host") + "\n")
    _write(tree, "/var/lib/lab/services.sh", _script("services"))
    for disk in disk_names(machine):
        _write(tree, f"/sys/block/{disk.removeprefix('/dev/')}/removable", "0\n")
    if not machine.instance_type.nitro:
        _write(tree, "/sys/hypervisor/type", "xen\n")
        paravirtual = machine.image.virtualization_type == "paravirtual"
        _write(tree, "/sys/hypervisor/guest_type", "PV\n" if paravirtual else "HVM\n")
    if flavour.init == "systemd":
        (tree / "run/systemd/system").mkdir(parents=True)


def _lay_commands(tree: Path, flavour: Flavour) -> None:
    commands = dict(COMMANDS)
    if flavour.init == "systemd":
        commands["usr/bin/systemctl"] = "systemctl"
    if not flavour.debian:
        commands["usr/sbin/chkconfig"] = "chkconfig"
        commands["usr/bin/rpm"] = "rpm"
    else:
        commands["usr/bin/dpkg-query"] = commands["usr/bin/dpkg"] = "dpkg-query"
    commands.update({f"usr/bin/{name}": "time_client" for name in TIME_CLIENTS[flavour.init]})
    commands.update({f"var/lib/lab/daemons/{name}": "daemon" for name in DAEMONS})
    for place, script in commands.items():
        _write(tree, f"/{place}", _script(script), 0o755)


def _script(name: str) -> str:
    return resources.files(__package__).joinpath("standins", f"{name}.sh").read_text("utf-8")


def _write(tree: Path, path: str, text: str, mode: int = 0o644) -> None:
    target = tree / path.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
    target.chmod(mode)
