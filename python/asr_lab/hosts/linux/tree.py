"""Lays the files of a simulated Linux host: what its flavour says, its disks, its state, its stand-in commands."""

import shutil
import uuid
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from asr_lab.aws.estate import Machine
from asr_lab.hosts.linux.flavour import Flavour

LOGIN_USER = "ec2-user"
# Services that show as processes of their names while they run.
DAEMONS = ("ntpd", "chronyd", "systemd-timesyncd", "vxagent", "uarespawnd")
OLD_TIME_CLIENTS, TIME_CLIENTS = ("ntpdate", "ntpd", "ntpq", "ntpstat"), ("chronyc", "timedatectl")
# Where a stand-in goes: by command, the script it is made of.
COMMANDS = {
    "usr/bin/sudo": "sudo",
    "usr/bin/uname": "uname",
    "usr/bin/date": "date",
    "usr/bin/passwd": "passwd",
    "usr/bin/df": "df",
    "usr/bin/findmnt": "findmnt",
    "usr/bin/mount": "mount",
    "usr/bin/lsblk": "lsblk",
    "usr/sbin/blkid": "blkid",
    "usr/sbin/runlevel": "runlevel",
    "usr/sbin/chpasswd": "chpasswd",
    "usr/sbin/usermod": "usermod",
    "usr/sbin/sshd": "sshd",
    "usr/sbin/service": "service",
    "usr/sbin/reboot": "reboot",
    "usr/sbin/shutdown": "reboot",
    "usr/sbin/poweroff": "reboot",
    "var/lib/lab/boot": "boot",
    "var/lib/lab/set_shadow": "set_shadow",
    "var/lib/lab/user/id": "user_id",
    "var/lib/lab/user/whoami": "user_whoami",
}
SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#: Attributes that a variable of UEFI begins with, and the value "off".
SECURE_BOOT_OFF = "\x06\0\0\0\0"
XEN_DISK_MAJOR, XEN_MINORS = 202, 16


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
    _Tree(machine, flavour, tree).lay(authorized_key)


class _Tree:
    """The tree of one host while it is laid."""

    def __init__(self, machine: Machine, flavour: Flavour, tree: Path) -> None:
        self._machine = machine
        self._flavour = flavour
        self._tree = tree
        self._disk = disk_names(machine)[0]
        self._fields = _fields(machine, flavour)

    def lay(self, authorized_key: str) -> None:
        for path, text in self._flavour.files.items():
            self._write(self._filled(path), self._filled(text))
        for path, target in self._flavour.links.items():
            self._link(path, target)
        self._accounts(authorized_key)
        self._state()
        self._hardware()
        self._boot_files()
        self._commands()
        for directory in ("var/log", "var/lock", "run/lab", "home", "usr/local/bin", "usr/local/sbin"):
            (self._tree / directory).mkdir(parents=True, exist_ok=True)

    def _accounts(self, authorized_key: str) -> None:
        """Accounts as cloud-init leaves them: a login with a key, root without password and with a key that refuses."""
        locked = "".join(f"{user}:!!:19795:0:99999:7:::\n" for user in ("root", "sshd", LOGIN_USER))
        self._write("/etc/shadow", locked, 0o640 if self._flavour.debian else 0o000 if self._flavour.selinux else 0o600)
        refusal = f'echo \'Please login as the user "{LOGIN_USER}" rather than the user "root".\';echo;sleep 10'
        self._write("/root/.ssh/authorized_keys", f'no-port-forwarding,command="{refusal}" {authorized_key}\n', 0o600)
        self._write(f"/home/{LOGIN_USER}/.ssh/authorized_keys", f"{authorized_key}\n", 0o600)
        for home in ("root", f"home/{LOGIN_USER}"):
            (self._tree / home).chmod(0o700)
            (self._tree / home / ".ssh").chmod(0o700)

    def _state(self) -> None:
        """What the stand-ins know: services, packages, kernel, mounts, and which Mobility package fits."""
        flavour = self._flavour
        for name, state in flavour.services.items():
            boot = "enabled" if state == "running" else "disabled"
            self._write(f"/var/lib/lab/services/{name}", f"{state} {boot}\n")
        (self._tree / "var/lib/lab/aliases").mkdir(parents=True)
        for alias, name in flavour.aliases.items():
            self._write(f"/var/lib/lab/aliases/{alias}", name + "\n")
        packages = "".join(f"{name} {version}\n" for name, version in flavour.packages.items())
        self._write("/var/lib/lab/packages", packages)
        self._write("/var/lib/lab/kernel", flavour.kernel + "\n")
        self._write("/var/lib/lab/cmdline", self._filled(flavour.cmdline) + "\n")
        self._write("/var/lib/lab/runlevel", f"N {flavour.runlevel}\n")
        self._write("/var/lib/lab/mounts", self._mounts())
        self._write("/var/lib/lab/firewall", "")
        self._write("/var/lib/lab/installer_os", flavour.installer_os + "\n")
        self._write("/var/lib/lab/host_id", guid(self._machine, "host") + "\n")
        self._write("/var/lib/lab/services.sh", _script("services"))
        if flavour.systemd:
            (self._tree / "run/systemd/system").mkdir(parents=True)

    def _mounts(self) -> str:
        """Return the mount table: source, target, type, options, size and free space in KiB, UUID; one a line."""
        rows = [
            f"{self._partition(mount.partition)} {target} {mount.type} {mount.options} "
            f"{int(mount.size_gib * 2**20)} {int(mount.free_gib * 2**20)} {self._filled(mount.uuid)}"
            for target, mount in self._flavour.mounts.items()
        ]
        rows += ["proc /proc proc rw,relatime 0 0 -", "sysfs /sys sysfs rw,relatime 0 0 -"]
        rows += ["tmpfs /dev/shm tmpfs rw,nosuid,nodev 500000 500000 -"]
        return "".join(row + "\n" for row in rows)

    def _hardware(self) -> None:
        """The kernel's view of disks and firmware under /sys, and the names under /dev."""
        for number, disk in enumerate(disk_names(self._machine)):
            name = disk.removeprefix("/dev/")
            if self._machine.instance_type.nitro:
                place = f"/sys/devices/pci0000:00/0000:00:{number + 4:02x}.0/nvme/nvme{number}/{name}"
            else:
                letter = ord(name[-1]) - ord("a")
                place = f"/sys/devices/vbd-{XEN_DISK_MAJOR * 256 + letter * XEN_MINORS}/block/{name}"
            self._write(f"{place}/removable", "0\n")
            self._block_device(name, place)
            self._link(f"/sys/block/{name}", "../" + place.removeprefix("/sys/"))
        disk_place = f"/sys/block/{self._disk.removeprefix('/dev/')}"
        place = "/" + str((self._tree / disk_place[1:]).resolve().relative_to(self._tree.resolve()))
        for mount in self._flavour.mounts.values():
            device = self._partition(mount.partition)
            name = device.removeprefix("/dev/")
            self._write(f"{place}/{name}/partition", f"{mount.partition}\n")
            self._block_device(name, f"{place}/{name}")
            self._link(f"/dev/disk/by-uuid/{self._filled(mount.uuid)}", f"../../{name}")
        if self._machine.image.boot_mode.startswith("uefi"):
            self._write(SECURE_BOOT, SECURE_BOOT_OFF)
        if not self._machine.instance_type.nitro:
            self._write("/sys/hypervisor/type", "xen\n")
            paravirtual = self._machine.image.virtualization_type == "paravirtual"
            self._write("/sys/hypervisor/guest_type", "PV\n" if paravirtual else "HVM\n")

    def _block_device(self, name: str, place: str) -> None:
        for directory in ("slaves", "holders"):
            (self._tree / place[1:] / directory).mkdir(parents=True)
        self._link(f"/sys/class/block/{name}", "../../" + place.removeprefix("/sys/"))
        self._write(f"/dev/{name}", "")

    def _boot_files(self) -> None:
        kernel = self._flavour.kernel
        self._write(f"/usr/lib/modules/{kernel}/modules.dep", "")
        self._write(f"/boot/vmlinuz-{kernel}", "the kernel\n")
        modules = "".join(f"lib/modules/{kernel}/kernel/drivers/{name}.ko\n" for name in self._flavour.initrd)
        self._write(self._flavour.initrd_path, modules, 0o600)

    def _commands(self) -> None:
        flavour = self._flavour
        commands = dict(COMMANDS)
        if flavour.systemd:
            commands["usr/bin/systemctl"] = "systemctl"
        if flavour.debian:
            commands["usr/bin/dpkg-query"] = commands["usr/bin/dpkg"] = "dpkg-query"
        else:
            commands["usr/sbin/chkconfig"] = "chkconfig"
            commands["usr/bin/rpm"] = "rpm"
            commands["usr/bin/lsinitrd"] = "lsinitrd"
            self._link("/usr/bin/sh", "bash")
        if flavour.selinux:
            commands |= {
                "var/lib/lab/context_of": "context_of",
                "usr/bin/ls": "ls",
                "usr/bin/chcon": "chcon",
                "usr/sbin/restorecon": "chcon",
            }
        commands[f"usr/sbin/{flavour.firewall}"] = "firewall"
        commands[flavour.sftp_server[1:]] = "nothing"
        for program in flavour.programs:
            commands[program[1:]] = "python2" if "/python" in program else "nothing"
        clients = TIME_CLIENTS if "chronyd" in flavour.services or flavour.systemd else OLD_TIME_CLIENTS
        commands |= {f"usr/bin/{name}": "time_client" for name in clients}
        commands |= {f"var/lib/lab/daemons/{name}": "daemon" for name in DAEMONS}
        for place, script in commands.items():
            self._write(f"/{place}", _script(script), 0o755)

    def _partition(self, number: int) -> str:
        return f"{self._disk}{'p' if self._machine.instance_type.nitro else ''}{number}"

    def _filled(self, text: str) -> str:
        for field, value in self._fields.items():
            text = text.replace("{" + field + "}", value)
        return text

    def _link(self, path: str, target: str) -> None:
        place = self._tree / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(target)

    def _write(self, path: str, text: str, mode: int = 0o644) -> None:
        target = self._tree / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
        target.chmod(mode)


def _fields(machine: Machine, flavour: Flavour) -> Mapping[str, str]:
    nitro = machine.instance_type.nitro
    return {
        "name": machine.name,
        "address": machine.address,
        "kernel": flavour.kernel,
        "disk": disk_names(machine)[0],
        "disk_uuid": guid(machine, "root-disk"),
        "boot_uuid": guid(machine, "boot-disk"),
        "partition_uuid": guid(machine, "root-partition"),
        "machine_id": guid(machine, "machine").replace("-", ""),
        "bios_id": bios_id(machine),
        "vendor": "Amazon EC2" if nitro else "Xen",
        "product": machine.instance_type.name if nitro else "HVM domU",
    }


def _script(name: str) -> str:
    return resources.files(__package__).joinpath("standins", f"{name}.sh").read_text("utf-8")
