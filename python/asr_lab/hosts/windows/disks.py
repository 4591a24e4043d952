"""The disks of a Windows host: how they are partitioned, ``diskpart`` and ``fsutil``.

EC2 gives each machine disk 0 with Windows, and data disks that EC2Launch formats. A machine that BIOS starts has one
partition, which is active and drive C; one that UEFI starts has the EFI system partition before it.
``Condition.disks`` overrules that for a disk by its number: ``letters`` (one a partition, null for none), ``boot`` (the
number of the boot partition, or null), ``dynamic`` and ``gpt``.
"""

from dataclasses import dataclass
from typing import Any

from asr_lab.hosts.windows.result import Result, failed, ok
from asr_lab.hosts.windows.state import Host

SERVER_2019 = 17763
"""The build at which fsutil changed what it prints."""
SAN_POLICIES = {1: "Online All", 2: "Offline Shared", 3: "Offline All", 4: "Offline Internal"}
PARTITION_MANAGER = r"HKLM\SYSTEM\CurrentControlSet\Services\partmgr\Parameters"


@dataclass(frozen=True)
class Disk:
    """One disk; ``letters`` are the drives on its partitions in order, ``boot`` is the number of the boot partition."""

    number: int
    size_bytes: int
    letters: tuple[str | None, ...]
    boot: int | None
    dynamic: bool
    gpt: bool


def layout(host: Host) -> list[Disk]:
    """Return the disks of a host, by number."""
    description = host.spec.description
    uefi = description.firmware == "UEFI"
    ordered = sorted(description.disks, key=lambda disk: not disk.boot)
    found = []
    for number, disk in enumerate(ordered):
        letter = f"{chr(ord('C') + number)}:"
        plain: dict[str, Any] = {
            "letters": [None, letter] if uefi and disk.boot else [letter],
            "boot": 0 if disk.boot else None,
            "dynamic": False,
            "gpt": uefi,
        }
        chosen = plain | host.condition.disks.get(str(number), {})
        found.append(
            Disk(
                number,
                disk.size_bytes,
                tuple(chosen["letters"]),
                chosen["boot"],
                bool(chosen["dynamic"]),
                bool(chosen["gpt"]),
            )
        )
    return found


def has_bitlocker(host: Host) -> bool:
    """Return whether the feature BitLocker Drive Encryption is installed."""
    return host.flavour.bitlocker or bool(host.condition.volumes)


def diskpart(host: Host, words: list[str], stdin: str) -> Result:
    """``diskpart`` with its commands on standard input: ``list disk``, ``san`` and ``san policy=X``, ``exit``."""
    if words:
        return failed(-2147024809, "The lab's diskpart reads its commands on standard input only.")
    rows = [
        "",
        f"Microsoft DiskPart version {host.flavour.version}",
        "",
        "Copyright (C) Microsoft Corporation.",
        f"On computer: {host.spec.description.host_name.upper()[:15]}",
    ]
    for line in stdin.splitlines():
        command = line.lower().split()
        if command == ["list", "disk"]:
            rows += ["", "DISKPART> ", *_listed(host)]
        elif command == ["san"]:
            policy = SAN_POLICIES.get(host.registry.number(PARTITION_MANAGER, "SanPolicy") or 0, "Offline Shared")
            rows += ["", "DISKPART> ", f"SAN Policy  : {policy}"]
        elif command[:1] == ["san"] and len(command) == 2 and command[1].startswith("policy="):
            rows += ["", "DISKPART> ", _set_san(host, command[1].removeprefix("policy="))]
        elif command not in ([], ["exit"]):
            return Result(out=ok(*rows, "", f"The lab's diskpart does not know: {line}").out, code=-2147024809)
    return ok(*rows, "", "DISKPART> ")


def _listed(host: Host) -> list[str]:
    german = host.language == "de-DE"
    name = "Datenträger" if german else "Disk"
    wide = len(name) + 4
    size, free = ("Größe", "Frei") if german else ("Size", "Free")
    rows = [
        f"  {f'{name} ###':{wide}}  {'Status':<13}  {size:<7}  {free:<7}  Dyn  Gpt",
        f"  {'-' * wide}  {'-' * 13}  {'-' * 7}  {'-' * 7}  ---  ---",
    ]
    for disk in layout(host):
        row = f"  {f'{name} {disk.number}':{wide}}  {'Online':<13}  {disk.size_bytes >> 30:>4} GB  {'0 B':>7}"
        rows.append(f"{row}   {'*' if disk.dynamic else ' '}    {'*' if disk.gpt else ' '}".rstrip())
    return rows


def _set_san(host: Host, word: str) -> str:
    for number, name in SAN_POLICIES.items():
        if name.replace(" ", "").lower() == word:
            host.registry.set(PARTITION_MANAGER, "SanPolicy", number)
            return "DiskPart successfully changed the SAN policy for the current operating system."
    return "The arguments specified for this command are not valid."


def fsutil(host: Host, words: list[str]) -> Result:
    """``fsutil volume diskfree X:``; Server 2019 and later print groups of three digits and gigabytes."""
    lower = [word.lower() for word in words]
    if lower[:2] != ["volume", "diskfree"] or len(lower) != 3:
        return failed(1, f"{' '.join(words)} is an invalid parameter.")
    drive = words[2].rstrip("\\").upper()
    free, size = host.free_bytes(drive), host.drives().get(drive)
    if free is None or size is None:
        return Result(out=ok("Error:  The system cannot find the path specified.").out, code=1)
    if host.flavour.build >= SERVER_2019:
        names = ("Total free bytes", "Total bytes", "Total quota free bytes")
        shown = (f"{number:>15,} ({number / 1024**3:>5.1f} GB)" for number in (free, size, free))
        return ok(*(f"{name:<23} : {text}" for name, text in zip(names, shown, strict=True)))
    names = ("Total # of free bytes", "Total # of bytes", "Total # of avail free bytes")
    return ok(*(f"{name:<28} : {number}" for name, number in zip(names, (free, size, free), strict=True)))
