"""What a Linux host's file systems stand on: mounts, device mapper, partitions and disks, as the kernel tells them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from asr_migrate.hosts.linux_script import Lines

#: Names that disks have by the order in which they are found or by their bus; Azure finds them anew.
BY_NAME = re.compile(r"/dev/(sd|xvd|nvme|hd|vd)|/dev/disk/by-(path|id)/")


@dataclass(frozen=True)
class Mount:
    """One mounted file system."""

    target: str
    source: str
    kind: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """One block device: its device mapper name and UUID ("LVM-...", "CRYPT-...", "mpath-..."), what it stands on."""

    name: str
    mapped: str
    uuid: str
    slaves: tuple[str, ...]


@dataclass(frozen=True)
class Storage:
    """Mounts by target, block devices by name, the disk of each partition, and what links under /dev lead to.

    ``uuids`` are UUIDs of file systems by the name of their device, ``writable`` directories with what writing to them
    would do.
    """

    mounts: Mapping[str, Mount] = field(default_factory=dict)
    blocks: Mapping[str, Block] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    resolved: Mapping[str, str] = field(default_factory=dict)
    uuids: Mapping[str, str] = field(default_factory=dict)
    writable: Mapping[str, bool] = field(default_factory=dict)

    @property
    def boot(self) -> Mount | None:
        """The file system that holds /boot; None when not even the root one is known."""
        return self.mounts.get("/boot") or self.mounts.get("/")

    def holding(self, directory: str) -> Mount | None:
        """Return the file system that holds a directory right below the root."""
        return self.mounts.get(directory) or self.mounts.get("/")

    def device(self, source: str) -> Block | None:
        """Return the block device of a mount's source; None for one that the kernel does not show."""
        path = source.partition("[")[0]
        path = self.resolved.get(path, path)
        if path in self.resolved.values() or not path.startswith("/dev/mapper/"):
            name = path.removeprefix("/dev/").replace("/", "!")
            if name in self.blocks:
                return self.blocks[name]
        parts = path.split("/")
        mapped = (
            parts[-1] if path.startswith("/dev/mapper/") else "-".join(part.replace("-", "--") for part in parts[2:])
        )
        return next((block for block in self.blocks.values() if mapped and block.mapped == mapped), None)

    def below(self, source: str) -> tuple[Block, ...]:
        """Return the device of a mount's source and every device that it stands on, down to the disks."""
        found: dict[str, Block] = {}
        start = self.device(source)
        waiting = [start.name] if start else []
        while waiting:
            name = waiting.pop(0)
            if name in found or name not in self.blocks:
                continue
            found[name] = self.blocks[name]
            waiting += self.blocks[name].slaves
            if name in self.parts:
                waiting.append(self.parts[name])
        return tuple(found.values())

    def disks(self, source: str) -> tuple[str, ...]:
        """Return the names of the disks that a mount's source stands on."""
        return tuple(block.name for block in self.below(source) if not block.slaves and block.name not in self.parts)

    def uuid(self, device: str) -> str | None:
        """Return the UUID of the file system, or swap space, on ``device`` ("/dev/xvda1")."""
        path = self.resolved.get(device, device)
        return self.uuids.get(path.removeprefix("/dev/"))


def _blanks(text: str) -> str:
    """Undo how findmnt (``\\x20``) and fstab (``\\040``) write a blank."""
    return text.replace("\\x20", " ").replace("\\040", " ")


def read(found: Lines) -> Storage:
    """Return the storage that a probe's lines tell of."""
    mounts = {}
    for row in found["mount"]:
        target, source, kind, *options = row.split(" ")
        mounts[_blanks(target)] = Mount(_blanks(target), source, kind, tuple(",".join(options).split(",")))
    blocks = {}
    for row in found["block"]:
        name, mapped, uuid, slaves = [*row.split("\t"), "", "", ""][:4]
        blocks[name] = Block(name, mapped, uuid, tuple(slaves.split()))
    return Storage(
        mounts=mounts,
        blocks=blocks,
        parts=dict(_pairs(found["part"])),
        resolved={
            key.removeprefix("resolved "): values[0] for key, values in found.items() if key.startswith("resolved ")
        },
        uuids={device: uuid for uuid, device in _pairs(found["uuid"])},
        writable={
            key.removeprefix("writable "): values[0] == "yes"
            for key, values in found.items()
            if key.startswith("writable ")
        },
    )


def _pairs(rows: list[str]) -> list[tuple[str, str]]:
    """Return the two parts of each row."""
    return [(first, second) for first, _, second in (row.partition("\t") for row in rows)]


@dataclass(frozen=True)
class FstabLine:
    """One entry of /etc/fstab; ``number`` counts lines from 0."""

    number: int
    device: str
    target: str
    options: tuple[str, ...]

    @property
    def by_name(self) -> bool:
        """Whether the entry names a disk by a name that changes in Azure."""
        return BY_NAME.match(self.device) is not None


def fstab(content: str) -> list[FstabLine]:
    """Return the entries of /etc/fstab; comments and short lines are left out."""
    entries = []
    for number, line in enumerate(content.split("\n")):
        words = line.split()
        if len(words) >= 3 and not words[0].startswith("#"):
            options = tuple(words[3].split(",")) if len(words) > 3 else ()
            entries.append(FstabLine(number, words[0], _blanks(words[1]), options))
    return entries


def fstab_by_uuid(content: str, storage: Storage) -> str:
    """Return ``content`` of /etc/fstab with UUID=... where a device is named whose UUID is known; blanks are kept."""
    lines = content.split("\n")
    for entry in fstab(content):
        uuid = storage.uuid(entry.device) if entry.by_name else None
        if uuid:
            lines[entry.number] = lines[entry.number].replace(entry.device, f"UUID={uuid}", 1)
    return "\n".join(lines)
