"""The disks of a Windows source: where it starts from, what kind of disks they are, and what forbids replication.

Source: Site Recovery documentation, support matrix (guest storage) and errors 95309 to 95313.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import windows_output as output
from asr_migrate.hosts.plan import blocker, warning

_MATRIX = "Site Recovery documentation, support matrix, guest storage"
_ERRORS = "Site Recovery documentation, errors of the push installation"
_NUMBERS = re.compile(r'DeviceID="[^"]*?(\d+)[^"]*?(\d+)[^"]*"')
_DRIVE = re.compile(r'DeviceID="([A-Z]:)"', re.IGNORECASE)
SYSTEM_DRIVE = "c:"


@dataclass(frozen=True)
class Disks:
    """What is known of the disks, each a number from 0.

    ``seen`` those with a partition, ``boot`` those with one that the firmware starts from, ``system`` those that hold
    C:, ``dynamic`` those that are dynamic disks. ``encrypted`` are drives with BitLocker (``c:``), ``spaces`` names of
    virtual disks of Storage Spaces.
    """

    seen: tuple[int, ...] = ()
    boot: tuple[int, ...] = ()
    system: tuple[int, ...] = ()
    dynamic: tuple[int, ...] = ()
    encrypted: tuple[str, ...] = ()
    spaces: tuple[str, ...] = ()


def read(found: output.Sections) -> Disks:
    """Return the disks from a probe's sections; what a host did not answer is empty."""
    partitions = [row for row in output.rows(found["partitions"], 3) if row[0].isdigit()]
    volumes = output.rows(found["volumes"], 2)
    return Disks(
        seen=_numbers([row[0] for row in partitions]),
        boot=_numbers([row[0] for row in partitions if row[2].lower() == "true"]),
        system=_numbers([disk for disk, drive in map(_volume, volumes) if drive == SYSTEM_DRIVE]),
        dynamic=output.dynamic_disks(found["dynamic"]),
        encrypted=tuple(row[0].lower() for row in output.rows(found["bitlocker"], 3) if _encrypted(row)),
        spaces=tuple(line.strip() for line in found["storage_spaces"].lines if line.strip()),
    )


def _numbers(words: Sequence[str]) -> tuple[int, ...]:
    return tuple(sorted({int(word) for word in words if word}))


def _volume(row: tuple[str, ...]) -> tuple[str, str]:
    """Return disk number and drive of one association; the words around the numbers are in the display language."""
    disk, drive = _NUMBERS.search(row[0]), _DRIVE.search(row[1])
    return disk.group(1) if disk else "", drive.group(1).lower() if drive else ""


def _encrypted(row: tuple[str, ...]) -> bool:
    """Return whether a volume is protected (or locked), or holds anything encrypted; 0 and 0 is a plain one."""
    return any(number.isdigit() and int(number) != 0 for number in row[1:])


def findings(name: str, disks: Disks) -> list[Finding]:
    """Return what the disks of host ``name`` forbid."""
    return [*_boot(name, disks), *_kind(name, disks), *_contents(name, disks)]


def _boot(name: str, disks: Disks) -> list[Finding]:
    if not disks.seen:
        return []
    if not disks.boot:
        return [
            blocker(
                "windows.boot-disk",
                f"no disk of {name} has a partition to start from (95310)",
                "Mark the system partition of the boot disk as active (diskpart: select partition, then active).",
                _ERRORS,
            )
        ]
    if len(disks.boot) > 1:
        return [
            blocker(
                "windows.boot-disk",
                f"several disks of {name} have a partition to start from: {_listed(disks.boot)} (95311)",
                "On every disk but the one that the host starts from, mark the partition as inactive (diskpart: select "
                "partition, then inactive).",
                _ERRORS,
            )
        ]
    if len(disks.system) > 1:
        return [
            blocker(
                "windows.boot-disk",
                f"drive C: of {name} lies on several disks: {_listed(disks.system)} (95313)",
                "Move the system to one basic disk before replicating it.",
                _ERRORS,
            )
        ]
    if disks.system and disks.system != disks.boot:
        return [
            warning(
                "windows.boot-disk",
                f"{name} starts from disk {_listed(disks.boot)} and has C: on disk {_listed(disks.system)} (95309); "
                "Mobility service versions before 9.20 refuse that",
                "Use a Mobility service of 9.20 or later, and run a test failover.",
                _ERRORS,
            )
        ]
    return []


def _kind(name: str, disks: Disks) -> list[Finding]:
    own = disks.system or disks.boot
    found = []
    if any(disk in own for disk in disks.dynamic):
        found.append(
            blocker(
                "windows.dynamic-disk",
                f"the disk of the operating system of {name} (disk {_listed(own)}) is a dynamic disk; it must be basic",
                "Restore the system to a basic disk before replicating it.",
                _MATRIX,
            )
        )
    data = tuple(disk for disk in disks.dynamic if disk not in own)
    if data:
        found.append(
            warning(
                "windows.dynamic-disk",
                f"disk {_listed(data)} of {name} is dynamic; a volume over several of them is only whole in Azure when "
                "all of its disks are replicated",
                "Replicate every disk of the volume, and look at the volume in a test failover.",
                _MATRIX,
            )
        )
    if disks.spaces:
        found.append(
            blocker(
                "windows.storage-spaces",
                f"{name} has Storage Spaces ({', '.join(disks.spaces)}), which Site Recovery does not replicate",
                "Move the data to plain disks before replicating the machine.",
                _MATRIX,
            )
        )
    return found


def _contents(name: str, disks: Disks) -> list[Finding]:
    if not disks.encrypted:
        return []
    drives = ", ".join(drive.upper() for drive in disks.encrypted)
    return [
        blocker(
            "windows.bitlocker",
            f"BitLocker encrypts {drives} of {name}; encrypted disks cannot be replicated",
            "On the host run manage-bde -off for each of these drives and wait until manage-bde -status says fully "
            "decrypted.",
            _MATRIX,
        )
    ]


def _listed(disks: Sequence[int]) -> str:
    return ", ".join(str(disk) for disk in disks)
