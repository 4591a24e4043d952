"""The estate of the lab as typed rows: machines, images, subnets and security groups, read from estate.yml."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml


@dataclass(frozen=True)
class Image:
    """One AMI. ``virtualization_type`` is hvm or paravirtual; ``platform_details`` is what EC2 bills it as."""

    key: str
    ami_id: str
    name: str
    owner_id: str
    owner_alias: str | None
    virtualization_type: str
    platform_details: str
    usage_operation: str
    boot_mode: str
    ena_support: bool

    @property
    def windows(self) -> bool:
        """Whether instances of it carry ``Platform: windows``."""
        return self.platform_details == "Windows"


@dataclass(frozen=True)
class InstanceType:
    """Size of an instance: ``memory_mb`` in MiB; ``nitro`` types show their disks as NVMe."""

    name: str
    cores: int
    memory_mb: int
    nitro: bool


@dataclass(frozen=True)
class Machine:
    """One seeded instance; ``volumes_gib`` starts with the boot volume, ``fit`` is false for what cannot move."""

    name: str
    wave: str
    address: str
    os: str
    image: Image
    instance_type: InstanceType
    volumes_gib: tuple[int, ...]
    tags: Mapping[str, str]
    fit: bool


@dataclass(frozen=True)
class Appliance:
    """A server that the product launches: its name, the address it must take, and ``classic`` or ``modernized``.

    ``flavour`` is the version of Windows Server that its host simulates; ``vault`` and ``wave`` are what the person
    at a modernized appliance registers it with and adds to it.
    """

    name: str
    address: str
    architecture: str
    flavour: str
    vault: str | None = None
    wave: str | None = None


@dataclass(frozen=True)
class Ingress:
    """One rule of a security group: a TCP port range, inclusive, and the CIDR that may come in."""

    first_port: int
    last_port: int
    cidr: str


@dataclass(frozen=True)
class Estate:
    """Everything that EC2 holds when the lab starts."""

    region: str
    vpc: str
    subnets: Mapping[str, str]
    security_groups: Mapping[str, tuple[Ingress, ...]]
    machines: tuple[Machine, ...]
    appliances: tuple[Appliance, ...]
    images: tuple[Image, ...]

    @property
    def linux(self) -> tuple[Machine, ...]:
        """The machines that run Linux."""
        return tuple(machine for machine in self.machines if machine.os == "linux")

    @property
    def windows(self) -> tuple[Machine, ...]:
        """The machines that run Windows."""
        return tuple(machine for machine in self.machines if machine.os == "windows")

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every private address of the estate, appliances first."""
        return tuple(a.address for a in self.appliances) + tuple(m.address for m in self.machines)


def load() -> Estate:
    """Return the estate of estate.yml."""
    text = resources.files(__package__).joinpath("estate.yml").read_text("utf-8")
    return _estate(yaml.safe_load(text))


def _estate(data: Mapping[str, Any]) -> Estate:
    images = {key: _image(key, row, data) for key, row in data["images"].items()}
    types = {name: InstanceType(name=name, **row) for name, row in data["instance_types"].items()}
    return Estate(
        region=data["region"],
        vpc=data["vpc"],
        subnets=data["subnets"],
        security_groups={
            name: tuple(Ingress(rule["ports"][0], rule["ports"][1], rule["from"]) for rule in rules)
            for name, rules in data["security_groups"].items()
        },
        machines=tuple(_machine(row, images, types) for row in data["machines"]),
        appliances=tuple(Appliance(**row) for row in data["appliances"]),
        images=tuple(images.values()),
    )


def _image(key: str, row: Mapping[str, Any], data: Mapping[str, Any]) -> Image:
    owner = data["owners"][row["owner"]]
    return Image(
        key=key,
        ami_id=row["ami_id"],
        name=row["name"],
        owner_id=owner["id"],
        owner_alias=owner["alias"],
        virtualization_type=row.get("virtualization_type", "hvm"),
        platform_details=row["platform_details"],
        usage_operation=data["usage_operations"][row["platform_details"]],
        boot_mode=row["boot_mode"],
        ena_support=row["ena_support"],
    )


def _machine(row: Mapping[str, Any], images: Mapping[str, Image], types: Mapping[str, InstanceType]) -> Machine:
    return Machine(
        name=row["name"],
        wave=row["wave"],
        address=row["address"],
        os=row["os"],
        image=images[row["image"]],
        instance_type=types[row["instance_type"]],
        volumes_gib=tuple(row["volumes_gib"]),
        tags={"Name": row["name"], "asr:wave": row["wave"], **row["tags"]},
        fit=row.get("fit", True),
    )
