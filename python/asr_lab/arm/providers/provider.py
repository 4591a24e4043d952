"""What a replication provider is: one subclass for each instanceType that protects machines.

The routes under ``resources/`` check a request, find the item's provider and let it say what the request means. Each
verb answers an ``Action``: the job that begins now and what changes when it ends. Recovery plans run the same actions
inside one job.

What an action does when it ends is a ``functools.partial`` of a module's function or of a provider's method, never a
lambda or a function inside a function: the lab writes what is due into its state file.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from asr_lab.arm.operations import Operation, OperationError, Result
from asr_lab.arm.wire import bad_request

if TYPE_CHECKING:
    from asr_lab.arm.providers.model import Policy, ProtectedItem, RecoveryPoint
    from asr_lab.arm.providers.scope import Scope
    from asr_lab.arm.world import World

Done = Callable[[datetime], None]
Failed = Callable[[datetime, OperationError], None]


@dataclass(frozen=True)
class RecoverySide:
    """Where an item replicates to, as its body and its jobs tell it; ids as they stand on the wire."""

    fabric_id: str
    fabric_name: str
    container_id: str
    container_name: str
    cloud_id: str
    vmm_id: str
    fabric_kind: str = "Azure"


@dataclass(frozen=True)
class Action:
    """A job that is about to begin on an item.

    ``scenario`` is its row in ``rules/jobs.yml``; ``fail`` lets it fail from the outset; ``extra`` are custom details
    of the job, read each time the job is read; ``asked`` runs the tasks that run on request only.
    """

    scenario: str
    duration_s: float
    on_done: Done
    on_failed: Failed | None = None
    fail: OperationError | None = None
    warning: OperationError | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    asked: bool = False
    result: Result = "target"


class Provider(ABC):
    """One replication provider. Instances hold nothing; what is known of a machine stands in its item.

    Methods raise ArmError for what the service refuses at once; what it finds out in the job is ``Action.fail``.
    """

    name: str
    fabric_kinds: frozenset[str] = frozenset()
    """The kinds of fabric whose machines it protects."""
    warns_like: str = "any"
    """The row of durations.yml whose failover_warning tells when 161011 comes after protection."""
    protected_item_type: str = ""
    """``protectedItemType`` of its items."""
    primary_fabric_provider: str = "InMageFabric"
    """``primaryFabricProvider`` of its items."""
    switch_description: str | None = "None"
    """``switchProviderStateDescription`` of its items (recorded: null for A2A)."""
    error_fields: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    """What differs in health errors that all providers share, by code (recorded: 161011 of A2A is of another type)."""

    def __reduce__(self) -> tuple[Callable[[str], "Provider"], tuple[str]]:
        return provider_named, (self.name,)

    # Enabling

    @abstractmethod
    def make_item(self, scope: "Scope", policy: "Policy", properties: Mapping[str, Any]) -> "ProtectedItem":
        """Return the item that a checked enable request describes; it is not in the store yet."""

    def refusal(self, world: "World", item: "ProtectedItem", policy: "Policy") -> OperationError | None:
        """Return why the enable job will fail on what can be seen beforehand, or None."""
        return None

    def enable_warning(self, world: "World", item: "ProtectedItem") -> OperationError | None:
        """Return the warning that the enable job carries from its beginning, or None."""
        return None

    def enabling(self, world: "World", item: "ProtectedItem", operation: Operation, now: datetime) -> None:
        """Do what happens while the enable job runs, such as a push installation; by default nothing."""

    @abstractmethod
    def enabled(self, world: "World", item: "ProtectedItem", now: datetime) -> None:
        """Begin the initial replication: the enable job has ended."""

    def initial_replication_done(self, world: "World", item: "ProtectedItem", now: datetime) -> None:
        """Do what follows the initial replication; by default nothing (Hyper-V runs the job IrCompletion)."""

    def takes(self, item: "ProtectedItem", verb: str, instance_type: str) -> bool:
        """Return whether a request's ``instanceType`` fits the verb; mostly the provider's own name does."""
        return instance_type == self.name

    # What an item shows

    def recovery_side(self, world: "World", item: "ProtectedItem") -> RecoverySide:
        """Return where the item replicates to; by default the one Azure of all on-premises machines."""
        from asr_lab.arm.providers.work import azure_side

        return azure_side(item)

    def services_provider_id(self, world: "World", item: "ProtectedItem") -> str | None:
        """Return ``recoveryServicesProviderId``; by default the fabric's provider."""
        return f"{item.fabric_id}/replicationRecoveryServicesProviders/{item.fabric_guid}"

    @abstractmethod
    def details(
        self, world: "World", item: "ProtectedItem", now: datetime, *, sparse: bool, api_version: str
    ) -> dict[str, Any]:
        """Return ``providerSpecificDetails`` of a GET, or of a list when ``sparse``."""

    def health_errors(self, world: "World", item: "ProtectedItem", now: datetime) -> list[dict[str, Any]]:
        """Return entries of ``healthErrors`` beyond those that all providers share."""
        return []

    def point_details(self, item: "ProtectedItem", point: "RecoveryPoint") -> dict[str, Any]:
        """Return ``providerSpecificDetails`` of a recovery point."""
        return {"instanceType": self.name}

    def plan_machine_id(self, item: "ProtectedItem") -> str:
        """Return what a recovery plan's GET writes as ``virtualMachineId``."""
        return item.machine_id

    def reaches(self, world: "World", item: "ProtectedItem") -> tuple[bool, bool]:
        """Return whether data flows from the source, and whether its agent is heard; by default both."""
        return True, True

    # Verbs: the body is checked and canonical, ``given`` is what stands under ``properties``

    def update(self, scope: "Scope", item: "ProtectedItem", given: Mapping[str, Any], now: datetime) -> Action:
        """PATCH."""
        raise self.not_offered(item, "update")

    def disable(self, scope: "Scope", item: "ProtectedItem", given: Mapping[str, Any], now: datetime) -> Action:
        """POST remove: stop replication, or complete the migration."""
        raise self.not_offered(item, "remove")

    def purge(self, scope: "Scope", item: "ProtectedItem", now: datetime) -> Action:
        """DELETE."""
        raise self.not_offered(item, "delete")

    def test_failover(self, scope: "Scope", item: "ProtectedItem", given: Mapping[str, Any], now: datetime) -> Action:
        """POST testFailover."""
        raise self.not_offered(item, "testFailover")

    def clean_up(self, scope: "Scope", item: "ProtectedItem", given: Mapping[str, Any], now: datetime) -> Action:
        """POST testFailoverCleanup."""
        raise self.not_offered(item, "testFailoverCleanup")

    def unplanned_failover(
        self, scope: "Scope", item: "ProtectedItem", given: Mapping[str, Any], now: datetime
    ) -> Action:
        """POST unplannedFailover."""
        raise self.not_offered(item, "unplannedFailover")

    def planned_failover(
        self, scope: "Scope", item: "ProtectedItem", given: Mapping[str, Any], now: datetime
    ) -> Action:
        """POST plannedFailover, to Azure or back."""
        raise self.not_offered(item, "plannedFailover")

    def commit(self, scope: "Scope", item: "ProtectedItem", now: datetime) -> Action:
        """POST failoverCommit."""
        raise self.not_offered(item, "failoverCommit")

    def cancel_failover(self, scope: "Scope", item: "ProtectedItem", now: datetime) -> Action:
        """POST failoverCancel."""
        raise self.not_offered(item, "failoverCancel")

    def apply_recovery_point(
        self, scope: "Scope", item: "ProtectedItem", given: Mapping[str, Any], now: datetime
    ) -> Action:
        """POST applyRecoveryPoint."""
        raise self.not_offered(item, "applyRecoveryPoint")

    def reprotect(self, scope: "Scope", item: "ProtectedItem", given: Mapping[str, Any], now: datetime) -> Action:
        """POST reProtect."""
        raise self.not_offered(item, "reProtect")

    def repair(self, scope: "Scope", item: "ProtectedItem", now: datetime) -> Action:
        """POST repairReplication."""
        raise self.not_offered(item, "repairReplication")

    def update_agent(self, scope: "Scope", item: "ProtectedItem", given: Mapping[str, Any], now: datetime) -> Action:
        """POST updateMobilityService."""
        raise self.not_offered(item, "updateMobilityService")

    def reinstall_agent(self, scope: "Scope", item: "ProtectedItem", given: Mapping[str, Any], now: datetime) -> Action:
        """POST reinstallMobilityService."""
        raise self.not_offered(item, "reinstallMobilityService")

    def resolve_health(self, scope: "Scope", item: "ProtectedItem", given: Mapping[str, Any], now: datetime) -> Action:
        """POST resolveHealthErrors."""
        raise self.not_offered(item, "resolveHealthErrors")

    def add_disks(self, scope: "Scope", item: "ProtectedItem", given: Mapping[str, Any], now: datetime) -> Action:
        """POST addDisks."""
        raise self.not_offered(item, "addDisks")

    def remove_disks(self, scope: "Scope", item: "ProtectedItem", given: Mapping[str, Any], now: datetime) -> Action:
        """POST removeDisks."""
        raise self.not_offered(item, "removeDisks")

    def switch_provider(self, scope: "Scope", item: "ProtectedItem", given: Mapping[str, Any], now: datetime) -> Action:
        """POST switchProvider."""
        raise self.not_offered(item, "switchProvider")

    def update_appliance(
        self, scope: "Scope", item: "ProtectedItem", given: Mapping[str, Any], now: datetime
    ) -> Action:
        """POST updateAppliance."""
        raise self.not_offered(item, "updateAppliance")

    def not_offered(self, item: "ProtectedItem", verb: str) -> Exception:
        """Return the refusal of a verb that this provider does not have."""
        return bad_request(
            "OperationNotSupported", f"{verb} is not supported for '{item.friendly_name}', protected with {self.name}."
        )


PROVIDERS: dict[str, Provider] = {}

P = TypeVar("P", bound=type[Provider])


def provider(made: P) -> P:
    """Register a class of provider under its name; modules under ``providers/`` do so when they are imported."""
    PROVIDERS[made.name] = made()
    return made


def provider_named(name: str) -> Provider:
    """Return the provider of this instanceType; raises LookupError when the lab has none."""
    if name not in PROVIDERS:
        raise LookupError(f"{name} is not a provider of the lab; it has {', '.join(sorted(PROVIDERS))}")
    return PROVIDERS[name]


def provider_of_kind(fabric_kind: str) -> Provider | None:
    """Return the provider that protects the machines of fabrics of this kind to Azure, or None."""
    return next((one for one in PROVIDERS.values() if fabric_kind in one.fabric_kinds), None)
