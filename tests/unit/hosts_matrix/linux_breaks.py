"""Ways to break each check of preparation on a Linux host: the host itself is changed, never what the probe says."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from asr_lab.hosts.linux.flavour import Flavour
from asr_lab.hosts.linux.tree import SECURE_BOOT

from .linux_hosts import APPLIANCE, Fingers, Seat
from .linux_kinds import (
    boots_by_bios,
    everywhere,
    has_boot,
    has_grub_defaults,
    has_selinux,
    has_uefi,
    is_el6,
    sample,
    takes_a_named_package,
)

BLOCKER, WARNING = "blocker", "warning"
PUSH = {"push": True}
BY_HAND = {
    "mobility": {
        "architecture": "modernized",
        "source_config": "{}",
        "installer": {"path": "/srv/agent.tar.gz", "version": "9.66.0.0"},
    }
}
LAB = "/var/lib/lab"
MOUNTS, KERNEL, PACKAGES, RUNLEVEL = (f"{LAB}/{name}" for name in ("mounts", "kernel", "packages", "runlevel"))
SSHD, FSTAB, CMDLINE = "/etc/ssh/sshd_config", "/etc/fstab", "/proc/cmdline"
GRUB_FILES = ("/boot/grub/grub.conf", "/boot/grub2/grub.cfg", "/boot/grub/grub.cfg", "/boot/grub/menu.lst")
DHCP_CLIENTS = (
    *("/usr/sbin/dhclient", "/usr/sbin/dhcpcd", "/usr/sbin/wicked", "/usr/sbin/NetworkManager"),
    "/usr/lib/systemd/systemd-networkd",
)
TIME_SERVICES = ("chronyd", "ntpd", "systemd-timesyncd")
MOUNT = "/.machine/usr/bin/mount"


@dataclass(frozen=True)
class Break:
    """One way to be wrong: ``rule`` is what must be found then, with ``severity``, and nothing else.

    ``want`` is what the user asked for beyond the defaults, ``applies`` says to which distributions it can happen,
    ``user`` is who runs the probe.
    """

    rule: str
    severity: str
    name: str
    make: Callable[[Fingers], None]
    applies: Callable[[Flavour], bool] = everywhere
    want: dict[str, Any] = field(default_factory=dict)
    user: str = "root"

    @property
    def id(self) -> str:
        """Return a name for the test."""
        return f"{self.rule}-{self.name}"


@contextmanager
def broken(seat: Seat, case: Break) -> Iterator[None]:
    """The host with one thing wrong; mended at the end."""
    with ExitStack() as undo:
        case.make(Fingers(seat.host, undo))
        yield


def rows(hands: Fingers, change: Callable[[list[str]], list[str]]) -> None:
    """Change the rows of the mount table: source, target, type, options, size, free space, UUID."""
    table = [line.split(" ") for line in hands.read(MOUNTS).splitlines()]
    hands.write(MOUNTS, "".join(" ".join(row) + "\n" for row in map(change, table) if row))


def column(hands: Fingers, target: str, number: int, value: str) -> None:
    """Give one column of one row of the mount table another value."""
    rows(hands, lambda row: [*row[:number], value, *row[number + 1 :]] if row[1] == target else row)


def root_on(hands: Fingers, device: str) -> None:
    """Mount / from another device, and /boot too where it is a file system of its own."""
    rows(hands, lambda row: [device, *row[1:]] if row[1] in ("/", "/boot") else row)


def mapped(hands: Fingers, uuid: str, *slaves: str) -> None:
    """Put / (and /boot) on a device of the device mapper over ``slaves``."""
    place = "/sys/devices/virtual/block/dm-0"
    hands.write(f"{place}/dm/name", "mapped\n")
    hands.write(f"{place}/dm/uuid", f"{uuid}\n")
    for slave in slaves:
        hands.link(f"{place}/slaves/{slave}", f"../../../../../class/block/{slave}")
    hands.link("/sys/class/block/dm-0", "../../devices/virtual/block/dm-0")
    hands.link("/dev/mapper/mapped", "../dm-0")
    hands.write("/dev/dm-0", "")
    root_on(hands, "/dev/mapper/mapped")


def striped(hands: Fingers) -> None:
    """Put / (and /boot) on a software RAID over two disks."""
    place = "/sys/devices/virtual/block/md0"
    for slave in ("xvda", "xvdf"):
        hands.link(f"{place}/slaves/{slave}", f"../../../../../class/block/{slave}")
    hands.link("/sys/class/block/md0", "../../devices/virtual/block/md0")
    root_on(hands, "/dev/md0")


def kernel(hands: Fingers, version: str) -> None:
    """Run another kernel, all of whose files are there."""
    hands.write(KERNEL, f"{version}\n")
    hands.write(f"/usr/lib/modules/{version}/modules.dep", "")


def without_modules(hands: Fingers) -> None:
    """Let the folder of the running kernel's modules be gone, as after an upgrade that removed it."""
    folder = f"/usr/lib/modules/{hands.flavour.kernel}"
    hands.run(f"mv {folder} {folder}.old", mend=f"mv {folder}.old {folder}")


def full_boot(hands: Fingers) -> None:
    """Leave 10 MiB on /boot."""
    column(hands, "/boot", 5, "10240")


def full_install_disk(hands: Fingers) -> None:
    """Give /usr/local a file system of its own, and leave 300 MiB on it."""
    hands.append(MOUNTS, "/dev/xvdf /usr/local ext4 rw 1048576 307200 8f5c35ea-9bb4-4e29-8c04-7a4a2a7d5a59\n")


def read_only(hands: Fingers, directory: str) -> None:
    """Let a folder be read-only in truth, while the mount table does not tell."""
    hands.run(
        f"{MOUNT} --bind {directory} {directory} && {MOUNT} -o remount,ro,bind {directory}", mend=f"umount {directory}"
    )


def another_dhcp_client(hands: Fingers) -> None:
    """Leave the host with a DHCP client that no distribution comes with."""
    hands.remove(*DHCP_CLIENTS)
    hands.link("/usr/sbin/udhcpc", "/.machine/usr/bin/true")


def without_c_locale(hands: Fingers) -> None:
    """Let the host list no locale C."""
    program = "/usr/local/sbin/locale"
    hands.run(f"printf '#!/bin/sh\\necho POSIX\\n' >{program} && chmod 755 {program}", mend=f"rm {program}")


def mounted_noexec(hands: Fingers, directory: str) -> None:
    """Let no program run below a folder."""
    hands.run(
        f"mkdir {directory} && {MOUNT} --bind {directory} {directory} && {MOUNT} -o remount,noexec,bind {directory}",
        mend=f"umount {directory} && rmdir {directory}",
    )


def grub_of_another_volume(hands: Fingers) -> None:
    """Let the boot loader's file activate a logical volume that is gone."""
    file = next(path for path in GRUB_FILES if hands.exists(path))
    hands.append(file, "  linux /boot/vmlinuz-old rd.lvm.lv=vg0/gone ro\n")


def boot_forgotten(hands: Fingers) -> None:
    """Leave /boot, which fstab names, unmounted."""
    if has_boot(hands.flavour):
        rows(hands, lambda row: [] if row[1] == "/boot" else row)
    else:
        hands.append(FSTAB, "UUID=0b3f5a0e-7f3c-4ae7-8f27-0b8a3b2f8d11 /boot ext4 defaults 1 2\n")


def grub_by_name(hands: Fingers) -> None:
    """Let the boot loader's file name the root disk."""
    file = next(path for path in GRUB_FILES if hands.exists(path))
    hands.append(file, "  linux /boot/vmlinuz-old root=/dev/xvda1 ro\n")


def damaged_packages(hands: Fingers) -> None:
    """Let the package database be damaged, or a package half installed."""
    words = "error: rpmdb: BDB0113 Thread/process 1042/140 failed: BDB1507 Thread died in Berkeley DB library\n"
    if hands.flavour.debian:
        words = "The following packages are only half configured, probably due to problems\n libpam-modules\n"
    hands.write(f"{LAB}/package_database_broken", words)


def without_package(hands: Fingers, name: str) -> None:
    """Uninstall a package."""
    hands.edit(PACKAGES, rf"^{name} .*\n", "")


def without_openssl(hands: Fingers) -> None:
    """Uninstall openssl with its program."""
    without_package(hands, "openssl")
    hands.remove("/usr/bin/openssl")


def without_python(hands: Fingers) -> None:
    """Take every Python off the host."""
    for folder in ("/usr/bin", "/usr/libexec"):
        for place in hands.host.sandbox.path(folder).iterdir():
            if place.name.startswith(("python", "platform-python")):
                hands.remove(f"{folder}/{place.name}")


def without_time_service(hands: Fingers) -> None:
    """Stop whatever keeps the clock."""
    name = next(name for name in TIME_SERVICES if hands.host.service_running(name))
    services = f". {LAB}/services.sh"
    hands.run(f"{services}; stop_service {name}", mend=f"{services}; start_service {name}")


def ssh_not_at_boot(hands: Fingers) -> None:
    """Let sshd run now, but not be started at boot."""
    wanted = "/etc/systemd/system/multi-user.target.wants"
    links = ("/etc/rc.d/rc{}.d/S55sshd", "/etc/init.d/rc{}.d/S11sshd")
    hands.remove(f"{wanted}/sshd.service", f"{wanted}/ssh.service", "/etc/init/ssh.conf")
    hands.remove("/etc/systemd/system/sockets.target.wants/ssh.socket")
    hands.remove(*(link.format(level) for link in links for level in (3, 5)))


def ssh_on_another_port(hands: Fingers) -> None:
    """Let sshd listen on port 2222 alone."""
    others = [line for line in hands.read(SSHD).splitlines() if not line.startswith("Port ")]
    hands.write(SSHD, "\n".join(["Port 2222", *others, ""]))


def packet_filter(hands: Fingers) -> None:
    """Let a packet filter drop what comes in, but for the web."""
    if hands.flavour.firewall == "nft":
        hands.write("/sys/module/nf_tables/initstate", "live\n")
        rules = (
            "table inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n"
            '\t\tct state established,related accept\n\t\tiifname "lo" accept\n\t\ttcp dport 443 accept\n\t}\n}\n'
        )
    else:
        hands.write("/sys/module/iptable_filter/initstate", "live\n")
        rules = (
            "-P INPUT DROP\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n"
            "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT\n-A INPUT -i lo -j ACCEPT\n"
            "-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT\n"
        )
    hands.write(f"{LAB}/firewall", rules)


def later_cloud_settings(hands: Fingers) -> None:
    """Let a file that cloud-init reads after ours ask for EC2 again."""
    hands.write("/etc/cloud/cloud.cfg.d/99-zz-site.cfg", "datasource_list: [ Ec2, None ]\n")


BREAKS = (
    Break("linux.root", BLOCKER, "a user without rights", lambda _: None, user="ec2-user"),
    Break("linux.architecture", BLOCKER, "aarch64", lambda h: h.write(f"{LAB}/architecture", "aarch64\n")),
    Break(
        "linux.host-name",
        BLOCKER,
        "localhost",
        lambda h: h.run("hostname localhost", mend=f"hostname {h.host.machine.name}"),
    ),
    Break("host.clock", BLOCKER, "20 minutes ahead", lambda h: h.write(f"{LAB}/skew_s", "1200\n")),
    Break("host.clock", WARNING, "8 minutes ahead", lambda h: h.write(f"{LAB}/skew_s", "480\n"), applies=sample),
    Break("host.reach", BLOCKER, "port 443 closed", Fingers.close_ports, want={"reach": [[APPLIANCE, 443]]}),
    Break("linux.time-service", BLOCKER, "none runs", without_time_service, want={"time_service": "required"}),
    Break(
        "linux.secure-boot", BLOCKER, "switched on", lambda h: h.write(SECURE_BOOT, "\x06\0\0\0\x01"), applies=has_uefi
    ),
    Break(
        "linux.free-space", BLOCKER, "1.4 GiB on /", lambda h: h.write(f"{LAB}/root_free_kb", "1500000\n"), want=PUSH
    ),
    Break(
        "linux.free-space", BLOCKER, "300 MiB on the installation's disk", full_install_disk, want=PUSH, applies=sample
    ),
    Break("linux.free-space-boot", WARNING, "10 MiB on /boot", full_boot, applies=has_boot),
    Break("linux.kernel", BLOCKER, "a kernel of their own", lambda h: kernel(h, "4.14.336-custom")),
    Break("linux.kernel-modules", BLOCKER, "no folder", without_modules),
    Break(
        "linux.initrd",
        BLOCKER,
        "no hv_storvsc",
        lambda h: h.edit(h.flavour.initrd_path, r"^.*hv_storvsc.*\n", ""),
        applies=is_el6,
    ),
    Break("linux.boot-disk", BLOCKER, "a device that is on no disk", lambda h: root_on(h, "/dev/xvdq1")),
    Break("linux.boot-disk", BLOCKER, "a RAID over two disks", striped, applies=sample),
    Break("linux.boot-on-lvm", BLOCKER, "over two disks", lambda h: mapped(h, "LVM-8TqZ", "xvda", "xvdf")),
    Break("linux.encrypted-disks", BLOCKER, "LUKS", lambda h: mapped(h, "CRYPT-LUKS1-5f0a-mapped", "xvda")),
    Break("linux.multipath", BLOCKER, "dm-multipath", lambda h: mapped(h, "mpath-360014056", "xvda")),
    Break("linux.boot-mounted", BLOCKER, "in fstab only", boot_forgotten),
    Break("linux.root-filesystem", BLOCKER, "/ on reiserfs", lambda h: column(h, "/", 2, "reiserfs")),
    Break("linux.root-filesystem", BLOCKER, "/boot on f2fs", lambda h: column(h, "/boot", 2, "f2fs"), has_boot),
    Break("linux.writable", BLOCKER, "/ mounted ro", lambda h: column(h, "/", 3, "ro,relatime")),
    Break("linux.writable", BLOCKER, "/var takes no writes", lambda h: read_only(h, "/var"), applies=sample),
    Break("linux.acpi", BLOCKER, "acpi=off", lambda h: h.edit(CMDLINE, r"$", " acpi=off")),
    Break("linux.grub-names", BLOCKER, "the running kernel", lambda h: h.edit(CMDLINE, r"root=\S+", "root=/dev/xvda1")),
    Break("linux.grub-names", BLOCKER, "GRUB's file", grub_by_name, applies=sample),
    Break(
        "linux.grub-names",
        BLOCKER,
        "GRUB's settings",
        lambda h: h.append("/etc/default/grub", 'GRUB_CMDLINE_LINUX="resume=/dev/nvme0n1p3"\n'),
        applies=has_grub_defaults,
    ),
    Break(
        "linux.fstab-names", WARNING, "a data disk", lambda h: h.append(FSTAB, "/dev/xvdf /data ext4 defaults 0 0\n")
    ),
    Break("linux.dhcp-client", BLOCKER, "none", lambda h: h.remove(*DHCP_CLIENTS)),
    Break("linux.dhcp-client", WARNING, "another one only", another_dhcp_client),
    Break("linux.c-locale", BLOCKER, "none", without_c_locale),
    Break(
        "linux.work-noexec",
        BLOCKER,
        "/var/lib",
        lambda h: mounted_noexec(h, "/var/lib/asr-migrate"),
        applies=takes_a_named_package,
        want=BY_HAND,
    ),
    Break("linux.grub-devices", BLOCKER, "a volume that is gone", grub_of_another_volume, applies=boots_by_bios),
    Break("linux.runlevel", BLOCKER, "single user", lambda h: h.write(RUNLEVEL, "N 1\n")),
    Break("linux.lvm2", BLOCKER, "no package", lambda h: without_package(h, "lvm2")),
    Break("linux.package-database", BLOCKER, "damaged", damaged_packages),
    Break("linux.openssl", WARNING, "none", without_openssl),
    Break("linux.openssh", BLOCKER, "no settings", lambda h: h.remove(SSHD), want=PUSH),
    Break("linux.openssh", BLOCKER, "no program", lambda h: h.remove("/usr/sbin/sshd"), want=PUSH, applies=sample),
    Break("linux.ssh-port", BLOCKER, "2222", ssh_on_another_port, want=PUSH),
    Break("linux.ssh-users", BLOCKER, "AllowUsers", lambda h: h.prepend(SSHD, "AllowUsers ec2-user\n"), want=PUSH),
    Break(
        "linux.ssh-users",
        BLOCKER,
        "DenyGroups",
        lambda h: h.prepend(SSHD, "DenyGroups root\n"),
        want=PUSH,
        applies=sample,
    ),
    Break(
        "linux.ssh-match",
        WARNING,
        "a Match block",
        lambda h: h.append(SSHD, "Match Address 10.0.0.0/8\n\tPasswordAuthentication no\n"),
        want=PUSH,
    ),
    Break(
        "linux.ssh-match",
        BLOCKER,
        "a Match block for root",
        lambda h: h.append(SSHD, "Match User root\n\tPermitRootLogin no\n"),
        want=PUSH,
    ),
    Break(
        "linux.ssh-match",
        BLOCKER,
        "a Match block for all",
        lambda h: h.append(SSHD, "Match all\n\tPasswordAuthentication no\n"),
        want=PUSH,
        applies=sample,
    ),
    Break("linux.ssh-boot", WARNING, "not started", ssh_not_at_boot),
    Break("linux.ssh-firewall", WARNING, "port 22 closed", packet_filter),
    Break(
        "linux.selinux",
        WARNING,
        "mls",
        lambda h: h.edit("/etc/selinux/config", "SELINUXTYPE=targeted", "SELINUXTYPE=mls"),
        has_selinux,
        PUSH,
    ),
    Break("linux.cloud-init", WARNING, "another file asks for EC2", later_cloud_settings),
    Break("linux.python", WARNING, "none", without_python, lambda flavour: not is_el6(flavour)),
)
