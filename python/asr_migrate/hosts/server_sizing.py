"""How large an appliance must be for a number of machines and their daily churn, and which EC2 instance that is.

The numbers are data, in ``server_sizing.yml``, with their sources.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from math import ceil
from typing import Any

import yaml

from asr_migrate.domain.errors import InputError

ARCHITECTURES = ("classic", "modernized")
SYSTEM_DEVICE, CACHE_DEVICE = "/dev/sda1", "/dev/xvdb"
_SERVERS = {"classic": "configuration server", "modernized": "replication appliance"}


@dataclass(frozen=True)
class Volume:
    """One EBS volume; ``gib`` is its size."""

    device_name: str
    gib: int
    purpose: str

    def as_block_device(self) -> dict[str, Any]:
        """Return the volume as ``amazon.aws.ec2_instance`` takes it."""
        return {
            "device_name": self.device_name,
            "ebs": {"volume_size": self.gib, "volume_type": "gp3", "delete_on_termination": True},
        }


@dataclass(frozen=True)
class Size:
    """What is needed; ``machines`` and ``churn_gb`` (GB a day, None: unknown) are those of the whole wave.

    ``appliances`` of this size are needed; ``cores`` are physical ones, 0 where nothing counts them.
    """

    architecture: str
    machines: int
    churn_gb: float | None
    appliances: int
    vcpus: int
    cores: int
    memory_gib: int
    cache_gib: int
    instance_type: str
    volumes: tuple[Volume, ...]
    notes: tuple[str, ...]

    @property
    def text(self) -> str:
        """The size in one sentence."""
        churn = "an unknown churn" if self.churn_gb is None else f"{self.churn_gb:g} GB of changes a day"
        server = _SERVERS[self.architecture]
        disks = " and ".join(f"{volume.gib} GiB for the {volume.purpose}" for volume in self.volumes)
        return (
            f"{self.machines} machines with {churn} need {self.appliances} {server}{'s' * (self.appliances > 1)} of "
            f"{self.vcpus} processors, {self.memory_gib} GiB of memory and {self.cache_gib} GiB of cache: "
            f"{self.instance_type} with {disks}"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the size for Ansible, with ``text`` and ``block_devices``."""
        return {
            **asdict(self),
            "notes": list(self.notes),
            "text": self.text,
            "block_devices": [volume.as_block_device() for volume in self.volumes],
        }


@cache
def _data() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(files(__package__).joinpath("server_sizing.yml").read_text("utf-8"))
    return loaded


def size(architecture: str, machines: int, churn_gb: float | None = None) -> Size:
    """Return the size of each appliance, and how many are needed.

    Above 200 machines or 2 TB of changes a day one does not suffice (Site Recovery documentation); the size is then
    that of one with an equal share. Raises InputError for an unknown architecture or a negative number.
    """
    if architecture not in ARCHITECTURES:
        raise InputError("architecture", architecture, "is unknown", remedy="Give classic or modernized.")
    if machines < 0 or (churn_gb or 0) < 0:
        raise InputError("size", (machines, churn_gb), "is negative", remedy="Give counts from 0 on.")
    data = _data()
    appliances = max(1, ceil(machines / data["most_machines"]), ceil((churn_gb or 0) / data["most_churn_gb"]))
    share, share_gb = ceil(machines / appliances), (churn_gb or 0) / appliances
    row = next(row for row in data[architecture] if share <= row["machines"] and share_gb <= row["churn_gb"])
    kind = next(
        kind
        for kind in data["instance_types"]
        if all(kind[what] >= row[what] for what in ("vcpus", "cores", "memory_gib"))
    )
    room_gib = max(row["cache_gib"], data["least_cache_gib"]) + data["headroom_gib"]
    return Size(
        architecture=architecture,
        machines=machines,
        churn_gb=churn_gb,
        appliances=appliances,
        vcpus=row["vcpus"],
        cores=row["cores"],
        memory_gib=row["memory_gib"],
        cache_gib=row["cache_gib"],
        instance_type=kind["name"],
        volumes=(
            Volume(SYSTEM_DEVICE, data["system_gib"][architecture], "system"),
            Volume(CACHE_DEVICE, room_gib, "installation and cache"),
        ),
        notes=_notes(architecture, machines, churn_gb, appliances),
    )


def _notes(architecture: str, machines: int, churn_gb: float | None, appliances: int) -> tuple[str, ...]:
    data, notes = _data(), []
    if appliances > 1:
        more = (
            "scale-out process servers or further configuration servers" if architecture == "classic" else "appliances"
        )
        notes.append(
            f"One appliance replicates at most {data['most_machines']} machines and {data['most_churn_gb']} GB of "
            f"changes a day. {machines} machines with {churn_gb or 0:g} GB need {appliances}: divide them into "
            f"{appliances} waves with an appliance each ({more}), about {ceil(machines / appliances)} machines a wave."
        )
    if churn_gb is None:
        notes.append(
            "The churn is unknown, so only the number of machines counts. Measure it (CloudWatch VolumeWriteBytes of a "
            "day) and set asr_appliance.daily_churn_gb."
        )
    if architecture == "modernized":
        notes.append(
            "DRInstaller.ps1 counts physical cores: 8 hyper-threaded virtual processors are 4 and are refused, so the "
            "instance has 16 virtual processors."
        )
    return tuple(notes)
