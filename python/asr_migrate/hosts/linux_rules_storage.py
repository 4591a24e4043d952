"""Rules about the disks, file systems and boot loader of a Linux source, as data."""

from __future__ import annotations

from asr_migrate.domain.readiness_rule import Severity
from asr_migrate.hosts import linux_disks
from asr_migrate.hosts.linux_rule import (
    FAILOVER,
    MATRIX,
    PUSH,
    HostRule,
    Subject,
    Values,
    not_installed,
    to_install,
    when,
)

#: KiB that must be free: on / for a push and for an installation by hand, in the installation's directory, and on /boot
#: (of which there is no documented number: room for one initial RAM disk to be written anew).
PUSH_ROOT_KIB = 2 * 2**20
INSTALL_ROOT_KIB = 2**20
INSTALL_DIRECTORY_KIB = 600 * 2**10
BOOT_KIB = 20 * 2**10
INSTALL_DIRECTORY = "/usr/local"
ROOT_FILE_SYSTEMS = ("ext3", "ext4", "xfs", "btrfs")
KERNEL_S_NAME = "/dev/root"
WRITTEN_TO = ("/", "/boot", "/etc", "/var")


def _space(s: Subject) -> Values | None:
    least = {"/": PUSH_ROOT_KIB if s.want.push else INSTALL_ROOT_KIB, INSTALL_DIRECTORY: INSTALL_DIRECTORY_KIB}
    short = {place: kib for place, kib in least.items() if s.seen.free_kib.get(place, kib) < kib}
    if not short:
        return None
    said = [
        f"{s.seen.free_kib[place] // 1024} MiB free on {place}, of {kib // 1024} MiB" for place, kib in short.items()
    ]
    more = [f"{(kib - s.seen.free_kib[place]) // 1024 + 1} MiB on {place}" for place, kib in short.items()]
    return {"said": " and ".join(said), "more": " and ".join(more)}


def _boot_space(s: Subject) -> Values | None:
    free = s.seen.free_kib.get("/boot", BOOT_KIB)
    return when(free < BOOT_KIB, free=free // 1024, least=BOOT_KIB // 1024)


def _boot_disks(s: Subject) -> tuple[str, tuple[str, ...], bool] | None:
    """Return mount point, disks and whether LVM lies between, of the file system that holds /boot.

    None where that is not known: without the kernel's list of devices, or for a root file system that the kernel
    mounted itself and names /dev/root.
    """
    boot, storage = s.seen.storage.boot, s.seen.storage
    if boot is None or not storage.blocks or boot.source == KERNEL_S_NAME:
        return None
    on_lvm = any(block.uuid.startswith("LVM-") for block in storage.below(boot.source))
    return boot.target, storage.disks(boot.source), on_lvm


def _boot_disk(s: Subject) -> Values | None:
    found = _boot_disks(s)
    if found is None:
        return {"said": "the disk that it boots from could not be found out", "warn": True}
    target, disks, on_lvm = found
    if not disks:
        return {"said": f"no disk is found under {target}"}
    return when(len(disks) > 1 and not on_lvm, said=f"{target} lies on several disks ({', '.join(disks)})")


def _boot_on_lvm(s: Subject) -> Values | None:
    target, disks, on_lvm = _boot_disks(s) or ("", (), False)
    return when(on_lvm and len(disks) > 1, target=target, disks=", ".join(disks))


def _mapped(s: Subject, prefix: str) -> Values | None:
    storage = s.seen.storage
    found = {
        mount.target: block.mapped or block.name
        for mount in storage.mounts.values()
        for block in storage.below(mount.source)
        if block.uuid.startswith(prefix)
    }
    return when(bool(found), said=", ".join(f"{target} ({device})" for target, device in found.items()))


def _boot_mounted(s: Subject) -> Values | None:
    entries = linux_disks.fstab(s.seen.files["/etc/fstab"].content) if "/etc/fstab" in s.seen.files else []
    wanted = next((e for e in entries if e.target == "/boot" and "noauto" not in e.options), None)
    mounts = s.seen.storage.mounts
    return when(bool(wanted and mounts and "/boot" not in mounts), device=wanted.device if wanted else "")


def _file_systems(s: Subject) -> Values | None:
    mounts = s.seen.storage.mounts
    allowed = {"/": ROOT_FILE_SYSTEMS, "/boot": (*ROOT_FILE_SYSTEMS, "ext2")}
    wrong = [f"{t} is {mounts[t].kind}" for t, kinds in allowed.items() if t in mounts and mounts[t].kind not in kinds]
    return when(bool(wrong), said=", ".join(wrong))


def _read_only(s: Subject) -> Values | None:
    storage = s.seen.storage
    found = []
    for directory in WRITTEN_TO:
        mount = storage.holding(directory)
        if storage.writable.get(directory) is False or (mount and "ro" in mount.options):
            found.append(directory)
    return when(bool(found), said=", ".join(found))


def _grub(s: Subject) -> Values | None:
    words = [("/proc/cmdline", word) for word in s.seen.boot.command_line] + list(s.seen.boot.grub)
    found = dict.fromkeys(
        f"{word} in {place}"
        for place, word in words
        if word.startswith(("root=", "resume=")) and linux_disks.BY_NAME.match(word.partition("=")[2])
    )
    return when(bool(found), said=", ".join(found))


def _fstab(s: Subject) -> Values | None:
    file = s.seen.files.get("/etc/fstab")
    if file is None:
        return None
    content = linux_disks.fstab_by_uuid(file.content, s.seen.storage) if s.want.fstab_by_uuid else file.content
    found = [f"{entry.device} on {entry.target}" for entry in linux_disks.fstab(content) if entry.by_name]
    return when(bool(found), said=", ".join(found))


RULES: tuple[HostRule, ...] = (
    HostRule(
        id="linux.boot-disk",
        broken=_boot_disk,
        text="{name}: {said}; one disk must hold what it boots from (95310, 95311)",
        remedy="Put /boot on a partition of one disk (see lsblk).",
    ),
    HostRule(
        id="linux.boot-on-lvm",
        broken=_boot_on_lvm,
        text="{name}: {target}, which it boots from, is a logical volume over several disks ({disks})",
        remedy="Move the logical volume to one disk with pvmove, or give /boot a partition of its own.",
    ),
    HostRule(
        id="linux.encrypted-disks",
        broken=lambda s: _mapped(s, "CRYPT-"),
        text="{name} has encrypted disks, which are not replicated: {said}",
        remedy="Move the data to volumes without guest encryption (EBS encryption is no hindrance).",
        source=MATRIX,
    ),
    HostRule(
        id="linux.multipath",
        broken=lambda s: _mapped(s, "mpath-"),
        text="{name} has multipath devices, which are not replicated: {said}",
        remedy="Mount the disks by one path, and turn multipathd off.",
        source=MATRIX,
    ),
    HostRule(
        id="linux.boot-mounted",
        broken=_boot_mounted,
        text="/boot of {name} stands in /etc/fstab ({device}) and is not mounted",
        remedy="Run mount /boot, and correct its line in /etc/fstab if that fails.",
    ),
    HostRule(
        id="linux.root-filesystem",
        broken=_file_systems,
        text="{name}: {said}; the root file system must be ext3, ext4, xfs or btrfs (/boot also ext2)",
        remedy="Move the system to one of these file systems before replicating it.",
    ),
    HostRule(
        id="linux.writable",
        broken=_read_only,
        text="{name} cannot write to {said}",
        remedy="Find out why it is read-only (dmesg, /etc/fstab), then mount -o remount,rw it.",
    ),
    HostRule(
        id="linux.free-space",
        applies=to_install,
        broken=_space,
        text="{name} has {said} that the Mobility service needs (95524)",
        remedy="Free {more}: old packages and logs first, or enlarge the file system.",
        source=PUSH,
    ),
    HostRule(
        id="linux.free-space-boot",
        severity=Severity.WARNING,
        applies=not_installed,
        broken=_boot_space,
        text="{name} has {free} MiB free on /boot; an initial RAM disk that is written anew needs about {least} MiB",
        remedy="Remove old kernels (package-cleanup --oldkernels, apt-get autoremove) until there is room.",
        source=FAILOVER,
    ),
    HostRule(
        id="linux.grub-names",
        broken=_grub,
        text="the boot loader of {name} names disks that Azure names anew (95320): {said}",
        remedy="Write root=UUID=... (see blkid) in /etc/default/grub or /boot/grub/grub.conf, then run grub2-mkconfig "
        "-o /boot/grub2/grub.cfg or update-grub, and reboot.",
    ),
    HostRule(
        id="linux.grub-devices",
        applies=not_installed,
        broken=lambda s: when(
            bool(s.seen.grub_missing), said=", ".join(f"{device} in {file}" for file, device in s.seen.grub_missing)
        ),
        text="the boot loader of {name} activates logical volumes that are not there: {said}",
        remedy="Take rd.lvm.lv=... (rd_LVM_LV=...) of volumes that are gone out of /etc/default/grub or "
        "/boot/grub/grub.conf, then run grub2-mkconfig -o /boot/grub2/grub.cfg or update-grub.",
    ),
    HostRule(
        id="linux.fstab-names",
        severity=Severity.WARNING,
        broken=_fstab,
        text="/etc/fstab of {name} mounts by device name; Azure names disks anew: {said}",
        remedy="Write UUID=... in /etc/fstab (see blkid), or set source_linux_fstab_by_uuid to let that be done.",
        source=FAILOVER,
    ),
)
