"""What the lab remembers of a machine that is replicated between two regions of Azure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from asr_lab.arm.providers.model import Disk, Nic, ProtectedItem

A2A = "A2A"


@dataclass
class AzureDisk(Disk):
    """A protected managed disk. ``disk_id`` is its id in lower case, as items show it (recorded).

    ``log_account_id`` is the staging account in the primary region, ``disk_type`` the type of the disk that a failover
    makes, ``recovery_group_id`` the group it is made in, ``original_id`` the disk that it takes the place of after a
    reprotection. ``protected_from`` is when a disk added later was in sync; None: with the others or not yet.
    """

    recovery_group_id: str = ""
    replica_type: str = "Premium_LRS"
    source_encryption_set_id: str | None = None
    failover_name: str = ""
    test_name: str = ""
    original_id: str | None = None
    added: datetime | None = None
    protected_from: datetime | None = None

    @property
    def replica_id(self) -> str:
        """The managed disk that replication writes to."""
        name = self.disk_id.rpartition("/")[2] if self.original_id else self.name
        return f"{self.recovery_group_id}/providers/Microsoft.Compute/disks/{name}-ASRReplica"


@dataclass
class AzureNic(Nic):
    """A network interface of the source and where it goes; None: not known yet, as right after a reprotection."""

    arm_id: str = ""
    source_network_id: str | None = None
    source_subnet: str | None = None
    ip_config: str | None = None
    address_type: str = "Dynamic"
    recovery_network_id: str | None = None
    recovery_security_group_id: str | None = None
    recovery_accelerated: bool = False
    recovery_public_ip_id: str | None = None
    recovery_pools: list[str] | None = None
    recovery_name: str | None = None
    recovery_group: str | None = None
    reuse: bool = False
    test_network_id: str | None = None
    test_security_group_id: str | None = None
    test_accelerated: bool | None = None
    test_public_ip_id: str | None = None
    test_pools: list[str] | None = None
    test_name: str | None = None
    test_group: str | None = None
    test_reuse: bool = False
    selection: str = "NotSelected"


@dataclass
class AzureToAzureItem(ProtectedItem):
    """A replicationProtectedItem of A2A.

    ``source_id`` is the id of the virtual machine; ``synced`` tells that its configuration has been read, which is
    when the initial replication is done. The ``initial_...`` fields stay as they were at the first enable.
    """

    recovery_fabric_id: str = ""
    recovery_container_id: str = ""
    initial_primary_location: str = ""
    initial_recovery_location: str = ""
    initial_primary_zone: str = ""
    initial_recovery_zone: str = ""
    primary_zone: str | None = None
    management_id: str = ""
    lifecycle_id: str | None = None
    multi_vm_created_by_user: bool = False
    test_machine_name: str = ""
    scale_set_id: str | None = None
    capacity_group_id: str | None = None
    cloud_service_id: str | None = None
    recovery_extended_location: dict[str, Any] | None = None
    fault_domain: int | None = None
    auto_protection: str = "Disabled"
    generation: str = "V1"
    synced: bool = False
    synced_tags: dict[str, str] = field(default_factory=dict)
    certificate_expires: datetime | None = None
    former_vm_id: str | None = None
    agent_version: str = "9.62.7096.1"
