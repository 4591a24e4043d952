"""What the lab remembers of Site Recovery: fabrics, policies, mappings, protectable and protected items.

Plain data, one object per Azure resource, kept in the world's store under its resource id. The providers and resources
turn them into the service's JSON; nothing here knows a URL's route or the time.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from asr_lab.arm.estate import HostDescription
from asr_lab.arm.faults import Fault
from asr_lab.arm.operations import OperationError

# The literal name Azure has as a target, and the container behind it; the same in every recorded vault.
AZURE = "Microsoft Azure"
AZURE_FABRIC = "d49858f157601230a6ac5862fbbc6e63bf38d23ecd96cf953767945d457fe9d5"
AZURE_CONTAINER = "d38048d4-b460-4791-8ece-108395ee8478"
AZURE_VMM_ID = "21a9403c-6ec1-44f2-b744-b4e50b792387"

VMWARE_FABRIC = "VMware"
RCM_FABRIC = "InMageRcm"


@dataclass
class ApplianceServer:
    """A configuration server, process server or replication appliance.

    ``server_id`` is the id that enable requests name: for a configuration server a GUID with three dashes, for an
    appliance a GUID.
    """

    server_id: str
    name: str
    host: HostDescription
    agent_version: str
    fabric_object_id: str = ""

    @property
    def address(self) -> str:
        """The address sources reach it at."""
        return self.host.address


@dataclass
class Fabric:
    """A replicationFabric; ``kind`` names its FabricKind. ``servers`` are those that replicate, none for some kinds."""

    id: str
    name: str
    kind: str
    friendly_name: str
    internal_id: str
    vault_id: str
    location: str
    servers: list[ApplianceServer]
    registered: datetime
    passphrase: str = field(default="", repr=False)
    accounts: dict[str, str] = field(default_factory=dict)
    tenant_id: str = "11111111-1111-4111-8111-111111111111"
    vmware_site_id: str = ""
    physical_site_id: str = ""
    certificate_renewed: datetime | None = None

    def server(self, server_id: str) -> ApplianceServer | None:
        """Return the server with this id, compared without case."""
        return next((server for server in self.servers if server.server_id.lower() == server_id.lower()), None)


@dataclass
class Container:
    """A replicationProtectionContainer of a fabric."""

    id: str
    name: str
    friendly_name: str
    fabric_id: str


@dataclass
class Policy:
    """A replicationPolicy; ``settings`` is what a GET returns in providerSpecificDetails, without what 2023 added."""

    id: str
    name: str
    profile_id: str
    settings: dict[str, Any]

    @property
    def provider(self) -> str:
        """The instanceType of the policy."""
        return str(self.settings["instanceType"])


@dataclass
class Mapping:
    """A replicationProtectionContainerMapping."""

    id: str
    name: str
    container_id: str
    policy_id: str
    target_container_id: str
    details: dict[str, Any] | None


@dataclass
class ProtectableItem:
    """A machine a configuration server knows. ``host`` is what its Mobility agent reported, None before."""

    id: str
    name: str
    container_id: str
    friendly_name: str
    address: str
    os_type: str
    discovery: str = "Physical"
    infrastructure_id: str = "1"
    host: HostDescription | None = None
    protected_item_id: str | None = None


class Stage(Enum):
    """Where a protected item stands between the operations."""

    ENABLING = "enabling"
    ENABLING_FAILED = "enabling failed"
    REPLICATING = "replicating"
    FAILOVER_FAILED = "failover failed"
    FAILED_OVER = "failed over"
    COMMITTED = "committed"


@dataclass
class Disk:
    """A protected disk. ``seed_id`` and ``target_id`` are managed disk ids, set when they exist."""

    disk_id: str
    name: str
    size_bytes: int
    boot: bool
    disk_type: str
    log_account_id: str | None
    encryption_set_id: str | None = None
    seed_id: str | None = None
    target_id: str | None = None


@dataclass
class Nic:
    """A network adapter of the source and where it goes."""

    nic_id: str
    source_address: str
    network_name: str
    primary: bool = True
    selected: bool = True
    target_subnet: str = ""
    target_address: str = ""
    test_subnet: str = ""
    test_address: str = ""


@dataclass
class Target:
    """The Azure machine a failover makes. Ids are ARM ids, subnets are names; empty string = not chosen."""

    vm_name: str
    vm_size: str
    resource_group_id: str
    network_id: str
    subnet: str
    test_network_id: str = ""
    test_subnet: str = ""
    availability_set_id: str = ""
    availability_zone: str = ""
    proximity_group_id: str = ""
    boot_diagnostics_id: str = ""
    license_type: str = "NotSpecified"
    sql_license_type: str = "NotSpecified"
    linux_license_type: str = "NotSpecified"
    multi_vm_group: str | None = None
    security_profile: dict[str, Any] | None = None
    rdp: str = "Never"
    managed_disks: bool = True
    storage_account_id: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    disk_tags: dict[str, str] = field(default_factory=dict)
    seed_disk_tags: dict[str, str] = field(default_factory=dict)
    nic_tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RecoveryPoint:
    """A moment the machine can be made from."""

    name: str
    at: datetime
    kind: str = "CrashConsistent"


@dataclass
class Gap:
    """A time in which no data came; ``ended`` is None while it lasts.

    ``cause`` is unreachable (the source does not reach its server), stuck (planted), silent (the agent does not
    respond), server (the server has no heartbeat) or resync.
    """

    began: datetime
    cause: str
    ended: datetime | None = None


@dataclass
class Replication:
    """When data began and ceased to come. Progress, states and recovery points follow from it (``timeline``).

    ``queued_s``, ``transfer_s`` and ``completion_s`` are the parts of an undisturbed initial replication. ``seconds``
    is the time after the queue in which data came, up to ``counted``; from there it runs on with ``speed`` unless
    ``gap`` is open or ``stopped`` is set (a failover ends replication). ``gaps`` are those that are over. ``points``
    are recovery points beyond the derived ones. ``resync_started`` is set while a resynchronization runs;
    ``resynced_for`` is the planted fault that the last one has answered.
    """

    started: datetime
    queued_s: float = 0.0
    transfer_s: float = 0.0
    completion_s: float = 0.0
    retention_s: float = 86400.0
    app_consistent_s: float = 0.0
    counted: datetime | None = None
    seconds: float = 0.0
    speed: float = 1.0
    gap: Gap | None = None
    gaps: list[Gap] = field(default_factory=list)
    protected_at: datetime | None = None
    stopped: datetime | None = None
    resync_s: float = 0.0
    resync_started: datetime | None = None
    resynced_for: Fault | None = None
    points: list[RecoveryPoint] = field(default_factory=list)


@dataclass
class Running:
    """The operation an item is busy with; ``name`` is the scenario name of ``currentScenario``."""

    name: str
    job_id: str
    started: datetime


@dataclass
class ProtectedItem:
    """A replicationProtectedItem; ``provider`` is its instanceType, which a reprotection changes.

    ``planned`` tells a planned failover from an unplanned one. ``state_row`` names a row of the state table that stands
    instead of the one that follows from the stage. ``warning`` is what the action that just ended wants its job to say.
    ``failback`` holds what the request that turned replication round said. ``booted`` tells whether the machine of the
    failover started.
    """

    id: str
    name: str
    provider: str
    container_id: str
    fabric_id: str
    policy_id: str
    machine_id: str
    friendly_name: str
    host: HostDescription
    server_id: str
    account_id: str
    target: Target
    disks: list[Disk]
    nics: list[Nic]
    correlation_id: str
    source_id: str = ""
    protectable_item_id: str | None = None
    fabric_guid: str = ""
    multi_vm_id: str = ""
    discovery: str = "Physical"
    infrastructure_id: str = "1"
    stage: Stage = Stage.ENABLING
    test: str = "NotTested"
    replication: Replication | None = None
    running: Running | None = None
    last_heartbeat: datetime | None = None
    last_test: datetime | None = None
    last_failover: datetime | None = None
    failover_point: str | None = None
    vm_id: str | None = None
    test_vm_ids: list[str] = field(default_factory=list)
    untested_since: datetime | None = None
    planned: bool = False
    state_row: str = ""
    warning: OperationError | None = None
    booted: bool = True
    enable_job: str = ""
    disk_defaults: dict[str, Any] = field(default_factory=dict)
    agent_upgraded: datetime | None = None
    failback: dict[str, Any] = field(default_factory=dict)
