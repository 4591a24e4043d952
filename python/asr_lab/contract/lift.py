"""From recorded answers to the lab's own model: which function turns which recorded object into one of ours.

A recorded session takes for granted what was there before it began. What it read is *lifted*: a function for the kind
of object makes the lab's model object in the recorded state, and from then on every answer is computed by the lab.
Functions are registered by what the service writes as ``instanceType``; modules named ``lift_*`` are imported by
``load``.

A recorded body may lack anything: a session that only tests the failover of an item never reads it, and a list is
sparser than a GET. Then the body holds what could be inferred (``id``, ``name``, ``protectionState``, the
``instanceType``), and a lift fills in what any machine has.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from asr_lab.arm.estate import HostDescription, HostDisk
from asr_lab.arm.providers.model import Container, Fabric, Policy, ProtectableItem, ProtectedItem
from asr_lab.arm.world import World
from asr_lab.contract.hosts import RecordedHosts
from asr_lab.contract.scene import Scene

GIB = 1024**3

Body = Mapping[str, Any]


@dataclass
class Context:
    """What stands around an object that is lifted.

    ``told`` holds what is said of every recorded resource, by its id in lower case (the GET's body over the list's
    row). ``said`` holds every text under a key anywhere in the recorded bodies, by the key in lower case; ``ids`` every
    resource id in a path or a body. Azure resources that the recording names (machines, networks with their subnets,
    storage accounts, disks, groups) are in ``world.resources`` before anything is lifted; so are, in this order,
    fabrics, containers, policies, mappings and protectable items before protected items.
    """

    scene: Scene
    vault_id: str
    api_version: str
    location: str
    told: Mapping[str, Body] = field(default_factory=dict)
    said: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ids: tuple[str, ...] = ()
    fabric: Fabric | None = None
    container: Container | None = None
    policy: Policy | None = None

    @property
    def world(self) -> World:
        """The world that the object goes into."""
        return self.scene.world

    @property
    def now(self) -> datetime:
        """The virtual time, before that of the session's first exchange."""
        return self.scene.now

    @property
    def hosts(self) -> RecordedHosts:
        """The machines outside Azure."""
        return self.scene.hosts

    def inside(
        self, *, fabric: Fabric | None = None, container: Container | None = None, policy: Policy | None = None
    ) -> "Context":
        """Return the context of an object in this fabric and container, protected with this policy."""
        return replace(self, fabric=fabric, container=container, policy=policy)

    def host(
        self,
        name: str,
        *,
        addresses: tuple[str, ...] = (),
        linux: bool = False,
        disks: tuple[HostDisk, ...] = (HostDisk("\\\\.\\PHYSICALDRIVE0", 32 * GIB, True),),
        mac: str = "",
        bios_id: str = "",
        agent_version: str | None = "9.44.0.0",
    ) -> HostDescription:
        """Return a machine that exists in the world's estate, reaches its servers, and can be prepared."""
        guid = bios_id or self.world.guid()
        made = HostDescription(
            host_id=guid.lower(),
            host_name=name,
            addresses=addresses or (self.hosts.free_address(),),
            os_type="Linux" if linux else "Windows",
            os_name="Red Hat Enterprise Linux 8" if linux else "Windows Server 2016",
            disks=disks,
            bios_id=guid,
            mac=mac or "00:50:56:00:00:01",
            firmware="BIOS",
            cores=2,
            memory_mb=4096,
            agent_version=agent_version,
        )
        self.hosts.add(made)
        return made


LiftItem = Callable[[Body, Context], ProtectedItem]
LiftFabric = Callable[[Body, Context], Fabric]
LiftProtectable = Callable[[Body, Context], ProtectableItem]
LiftOther = Callable[[Body, Context], None]
LiftContainer = Callable[[Body, Context], Container]

ITEMS: dict[str, LiftItem] = {}
FABRICS: dict[str, LiftFabric] = {}
PROTECTABLES: dict[str, LiftProtectable] = {}
CONTAINERS: dict[str, LiftContainer] = {}
OTHERS: dict[str, LiftOther] = {}
"""By collection, in the order in which they are seeded; these put the object into the world themselves."""
POLICIES: dict[str, Mapping[str, Any]] = {}
"""Settings of a usual policy, as a GET writes them, by instanceType."""

L = TypeVar("L", bound=Callable[..., object])


def lifts_item(*instance_types: str) -> Callable[[L], L]:
    """Return a decorator for what lifts protected items of these ``providerSpecificDetails.instanceType``."""
    return _register(ITEMS, instance_types)


def lifts_fabric(*instance_types: str) -> Callable[[L], L]:
    """Return a decorator for what lifts fabrics of these ``customDetails.instanceType``."""
    return _register(FABRICS, instance_types)


def lifts_protectable(*instance_types: str) -> Callable[[L], L]:
    """Return a decorator for what lifts protectable items of these ``customDetails.instanceType``."""
    return _register(PROTECTABLES, instance_types)


def lifts_container(*fabric_kinds: str) -> Callable[[L], L]:
    """Return a decorator for what lifts containers of fabrics of these kinds, where a plain one is not enough."""
    return _register(CONTAINERS, fabric_kinds)


def lifts_others(collection: str) -> Callable[[L], L]:
    """Return a decorator for what lifts the other resources of a vault, by the name of their collection."""
    return _register(OTHERS, (collection,))


def usual_policy(provider: str) -> dict[str, Any]:
    """Return the settings of a usual policy of a provider."""
    return dict(POLICIES.get(provider) or {"instanceType": provider})


def _register(table: dict[str, Any], instance_types: tuple[str, ...]) -> Callable[[L], L]:
    def register(function: L) -> L:
        for name in instance_types:
            table[name] = function
        return function

    return register


def load() -> None:
    """Import every module of this package named ``lift_*``."""
    package = importlib.import_module("asr_lab.contract")
    for module in pkgutil.iter_modules(package.__path__):
        if module.name.startswith("lift_"):
            importlib.import_module(f"asr_lab.contract.{module.name}")


def properties(body: Body) -> Body:
    """Return ``properties`` of a recorded body, empty when there are none."""
    found = body.get("properties")
    return found if isinstance(found, Mapping) else {}


def details(body: Body) -> Body:
    """Return ``providerSpecificDetails`` or ``customDetails`` of a recorded body, empty when there are none."""
    held = properties(body)
    found = held.get("providerSpecificDetails") or held.get("customDetails")
    return found if isinstance(found, Mapping) else {}
