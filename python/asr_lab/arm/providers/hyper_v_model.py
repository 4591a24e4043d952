"""What the lab remembers of Hyper-V: virtual machines of a host, and the items that stand for them.

A virtual machine is described by whoever registers its host; nothing here knows a URL's route or the time.
"""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from asr_lab.arm.estate import HostDescription, HostDisk
from asr_lab.arm.providers.model import ProtectableItem, ProtectedItem

HYPER_V_SITE = "HyperVSite"
VMM = "VMM"
MACHINE_TYPE = "HyperVVirtualMachine"
_MIB = 1024**2


@dataclass(frozen=True)
class VirtualDisk:
    """A virtual hard disk. ``vhd_id`` is a GUID, ``name`` the file's name without its ending."""

    vhd_id: str
    name: str
    size_bytes: int
    boot: bool = False

    @property
    def size_mib(self) -> int:
        """The size as the service writes it (maxSizeMB)."""
        return self.size_bytes // _MIB


@dataclass(frozen=True)
class VirtualAdapter:
    """A network adapter. ``network`` is the name of the virtual switch, or of the VM network of a VMM server."""

    adapter_id: str
    network: str
    mac: str = ""
    address: str = ""


@dataclass(frozen=True)
class VirtualMachine:
    """A virtual machine of a Hyper-V host; ``vm_id`` is its GUID.

    ``os_reported``: its integration services told the host which system it runs; when not, an enable request has to
    say it, and all its disks are listed as Data (recorded).
    """

    vm_id: str
    name: str
    disks: tuple[VirtualDisk, ...]
    adapters: tuple[VirtualAdapter, ...] = ()
    os_type: Literal["Windows", "Linux"] = "Windows"
    os_reported: bool = True
    generation: Literal[1, 2] = 1
    cores: int = 2
    memory_mb: int = 4096
    has_physical_disk: bool = False
    has_fibre_channel: bool = False
    has_shared_vhd: bool = False

    @property
    def obstacles(self) -> tuple[str, ...]:
        """What keeps the machine from being replicated (documented): shared, pass-through and fibre channel disks."""
        return tuple(
            text
            for present, text in (
                (self.has_shared_vhd, "a shared virtual hard disk"),
                (self.has_physical_disk, "a pass-through disk"),
                (self.has_fibre_channel, "a fibre channel adapter"),
            )
            if present
        )

    def as_host(self) -> HostDescription:
        """Return the machine as the estate describes machines."""
        adapter = self.adapters[0] if self.adapters else None
        return HostDescription(
            host_id=self.vm_id,
            host_name=self.name,
            addresses=tuple(one.address for one in self.adapters if one.address),
            os_type=self.os_type,
            os_name="",
            disks=tuple(HostDisk(disk.name, disk.size_bytes, disk.boot) for disk in self.disks),
            bios_id=self.vm_id.upper(),
            mac=adapter.mac if adapter else "",
            firmware="BIOS" if self.generation == 1 else "UEFI",
            cores=self.cores,
            memory_mb=self.memory_mb,
            agent_version=None,
        )


NO_MACHINE = VirtualMachine("", "", ())


@dataclass
class HyperVProtectable(ProtectableItem):
    """A virtual machine that a provider (DRA) has reported; the item's name is the machine's id.

    ``dra_id`` names the recovery services provider, ``host_id`` the Hyper-V host. ``providers`` are those that can
    protect it.
    """

    machine: VirtualMachine = NO_MACHINE
    dra_id: str = ""
    host_id: str = ""
    providers: tuple[str, ...] = ("HyperVReplicaAzure",)


@dataclass
class HyperVItem(ProtectedItem):
    """A protected item of a Hyper-V provider.

    ``machine`` is the source, ``controller_id`` the GUID in the ids of its disks. ``completing`` is set while the job
    IrCompletion runs. ``replica_disks``: replication goes to managed disks instead of a storage account.
    ``changes_from`` is when the first changes after the initial replication were sent, None before that is known.
    ``selected_nic`` is selectedSourceNicId.
    """

    machine: VirtualMachine = NO_MACHINE
    controller_id: str = ""
    completing: bool = False
    changes_from: datetime | None = None
    replica_disks: bool = False
    selected_nic: str = ""
    os_name_given: str = ""
    capacity_group_id: str = ""
    custom_disk_names: dict[str, str] = field(default_factory=dict)


def nic_id(machine: VirtualMachine, adapter: VirtualAdapter) -> str:
    """Return an adapter's id as the service writes it: base64 of ``Microsoft:{machine}\\{adapter}`` (recorded)."""
    text = f"Microsoft:{machine.vm_id.upper()}\\{adapter.adapter_id.upper()}"
    return base64.b64encode(text.encode()).decode()


def disk_id(item: HyperVItem, number: int) -> str:
    """Return the id of a replicated disk: machine, controller, bus and slot (recorded)."""
    return f"{item.machine.vm_id.upper()}_{item.controller_id.upper()}_0_{number}"
