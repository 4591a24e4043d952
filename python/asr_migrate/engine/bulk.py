"""Recovery plans as bulk verbs: one request fails over, tests, cleans up or commits up to 100 machines. Pure.

Which machine is in which plan follows from the whole wave, not from who needs the verb now: a run that is repeated with
fewer machines finds them under the same names. Machines that are in one of the wave's plans stay in it.

Rules (documented): at most 100 machines and 7 groups a plan; groups start one after the other, the machines of a group
together. Ours: an application (``machine.group``) is never split; a plan tests in one network and moves machines of one
appliance. Plans run side by side, so boot order holds inside a plan: machines that need each other are an application.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from asr_migrate.domain.cloud import PlannedWrite
from asr_migrate.domain.errors import RefusedError
from asr_migrate.domain.lifecycle import VERBS, Refuse, Verb
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.recovery_plan import MAX_GROUPS, MAX_MACHINES, PlanCall, PlanMember, plan_name
from asr_migrate.domain.site import Json
from asr_migrate.domain.wave import Wave

BULK_FROM = 10
OPERATIONS = {
    Verb.TEST_FAILOVER: "testFailover",
    Verb.CLEAN_UP_TEST: "testFailoverCleanup",
    Verb.FAIL_OVER: "unplannedFailover",
    Verb.COMMIT: "failoverCommit",
}
BULK_VERBS = frozenset(OPERATIONS)
DIRECTION = "PrimaryToRecovery"
NUMBERS = range(1, 10_000)


@dataclass(frozen=True)
class Batch:
    """The machines of one plan that want ``verb``: ``groups`` start in this order, none is empty."""

    name: str
    verb: Verb
    groups: tuple[tuple[Machine, ...], ...]

    @property
    def machines(self) -> tuple[Machine, ...]:
        return tuple(machine for group in self.groups for machine in group)


@dataclass(frozen=True)
class Unit:
    """What is never split: an application, or a machine that belongs to none."""

    name: str
    wave: str
    machines: tuple[Machine, ...]
    places: frozenset[tuple[str, str]]

    @property
    def orders(self) -> frozenset[int]:
        return frozenset(machine.boot_order for machine in self.machines)


@dataclass
class Space:
    """A plan while it is filled."""

    wave: str
    place: tuple[str, str]
    machines: list[Machine] = field(default_factory=list)
    orders: frozenset[int] = frozenset()

    def takes(self, unit: Unit, limit: int) -> bool:
        alike = unit.wave == self.wave and unit.places == {self.place}
        return (
            alike and len(self.machines) + len(unit.machines) <= limit and len(self.orders | unit.orders) <= MAX_GROUPS
        )

    def add(self, unit: Unit) -> None:
        self.machines += unit.machines
        self.orders |= unit.orders


def worth_a_plan(machines: Sequence[Machine], verb: Verb) -> bool:
    """Say whether these machines, which all want ``verb``, are asked by plans: they are many, or have an order."""
    if verb not in BULK_VERBS or len(machines) < 2:
        return False
    return len(machines) >= BULK_FROM or len({machine.boot_order for machine in machines}) > 1


def unplannable(wave: Wave, limit: int = MAX_MACHINES, fabrics: Mapping[str, str] | None = None) -> dict[str, Refuse]:
    """Return the machines whose application does not fit into one plan, and why; ``batches`` leaves them out."""
    refusals: dict[str, Refuse] = {}
    for unit in _units(wave, fabrics or {}):
        if refusal := _refusal(unit, limit):
            refusals |= {machine.name: refusal for machine in unit.machines}
    return refusals


def batches(
    wave: Wave,
    machines: Iterable[Machine],
    verb: Verb,
    limit: int = MAX_MACHINES,
    *,
    standing: Mapping[str, int] | None = None,
    fabrics: Mapping[str, str] | None = None,
) -> list[Batch]:
    """Return the plans that ask ``verb`` of ``machines``, which are some of the wave's or all.

    ``standing`` says in which of the wave's plans a machine is now (``domain.recovery_plan.standing_numbers``);
    ``fabrics`` is machine -> fabric id, for vaults with several appliances. Machines of ``unplannable`` are left out.

    Raises RefusedError for a verb that plans do not have.
    """
    if verb not in BULK_VERBS:
        raise RefusedError(
            f"recovery plans cannot {VERBS[verb].words}",
            code="NotABulkVerb",
            remedy=f"Plans serve {', '.join(sorted(BULK_VERBS))}; ask the machines one by one.",
        )
    wanted = {machine.name for machine in machines}
    found: list[Batch] = []
    for (wave_name, number), space in sorted(_layout(wave, limit, standing or {}, fabrics or {}).items()):
        mine = sorted((machine for machine in space.machines if machine.name in wanted), key=_in_plan)
        orders = sorted({machine.boot_order for machine in mine})
        groups = tuple(tuple(machine for machine in mine if machine.boot_order == order) for order in orders)
        if groups:
            found.append(Batch(plan_name(wave_name, number), verb, groups))
    return found


def _in_plan(machine: Machine) -> tuple[int, str, str]:
    return machine.boot_order, machine.group or "", machine.name


def _units(wave: Wave, fabrics: Mapping[str, str]) -> list[Unit]:
    """Return the wave's applications and single machines, the largest first.

    A machine whose fabric is not known is taken to be where most are.
    """
    usual = Counter(fabrics.values()).most_common(1)
    usually = usual[0][0] if usual else ""
    members: dict[tuple[str, str, str], list[Machine]] = {}
    for machine in wave.machines:
        key = (machine.wave, "application", machine.group) if machine.group else (machine.wave, "machine", machine.name)
        members.setdefault(key, []).append(machine)
    units = [
        Unit(
            key[2],
            key[0],
            tuple(sorted(found, key=_in_plan)),
            frozenset(
                (
                    wave.landing_zone.network_id(machine.target.test_network or wave.landing_zone.test_network).lower(),
                    fabrics.get(machine.name, usually).lower(),
                )
                for machine in found
            ),
        )
        for key, found in members.items()
    ]
    return sorted(units, key=lambda unit: (-len(unit.machines), unit.wave, unit.name))


def _refusal(unit: Unit, limit: int) -> Refuse | None:
    application = f"application {unit.name} (asr_group)"
    if len(unit.machines) > limit:
        return Refuse(
            f"{application} has {len(unit.machines)} machines; a recovery plan holds at most {limit}",
            "Divide it into applications that can move one after the other.",
            cause="An application is moved whole, by one recovery plan.",
            code="ApplicationTooBig",
        )
    if len(unit.orders) > MAX_GROUPS:
        return Refuse(
            f"{application} has {len(unit.orders)} boot orders; a recovery plan has at most {MAX_GROUPS} groups",
            f"Give its machines at most {MAX_GROUPS} different values of asr_boot_order.",
            cause=f"Its boot orders are {', '.join(map(str, sorted(unit.orders)))}",
            code="TooManyBootOrders",
        )
    if len(unit.places) > 1:
        networks, fabrics = ({place[number] for place in unit.places} for number in (0, 1))
        what = "test networks" if len(networks) > 1 else "appliances"
        return Refuse(
            f"{application} uses {len(networks if len(networks) > 1 else fabrics)} {what}; a recovery plan has one",
            "Give its machines the same one, or make an application of each part.",
            cause="An application is moved whole, by one recovery plan.",
            code="ApplicationDivided",
        )
    return None


def _layout(
    wave: Wave, limit: int, standing: Mapping[str, int], fabrics: Mapping[str, str]
) -> dict[tuple[str, int], Space]:
    """Return the wave's plans as (wave, number) -> machines: first those that stand somewhere, then first fit."""
    spaces: dict[tuple[str, int], Space] = {}
    units = [unit for unit in _units(wave, fabrics) if _refusal(unit, limit) is None]
    moving: list[Unit] = []
    for unit in units:
        numbers = {standing[machine.name] for machine in unit.machines if machine.name in standing}
        if not (numbers and _put(spaces, unit, sorted(numbers), limit)):
            moving.append(unit)
    for unit in moving:
        _put(spaces, unit, NUMBERS, limit)
    return spaces


def _put(spaces: dict[tuple[str, int], Space], unit: Unit, numbers: Iterable[int], limit: int) -> bool:
    (place,) = unit.places
    for number in numbers:
        space = spaces.get((unit.wave, number)) or Space(unit.wave, place)
        if space.takes(unit, limit):
            space.add(unit)
            spaces[unit.wave, number] = space
            return True
    return False


def planned(batch: Batch, vault: str, *, exists: bool = False) -> list[PlannedWrite]:
    """Return the batch as lines of check mode's list of writes."""
    path = f"replicationRecoveryPlans/{batch.name}"
    who = f"{len(batch.machines)} machines in {len(batch.groups)} groups"
    made = f"{'change' if exists else 'make'} recovery plan {batch.name} of {who} in vault {vault}"
    done = f"{VERBS[batch.verb].words} for {who} by recovery plan {batch.name} in vault {vault}"
    return [
        PlannedWrite("PATCH" if exists else "PUT", made, "one request then serves all its machines", path),
        PlannedWrite("POST", done, "its machines ask for it", f"{path}/{OPERATIONS[batch.verb]}"),
    ]


def plan_call(batch: Batch, items: Mapping[str, Json], test_network_id: str) -> PlanCall:
    """Return the request of a batch. ``items`` is machine -> protected item, as the sweep has it.

    Machines without an item are left out. Every machine moves to its latest recovery point (``Latest``: the service
    first processes all data that has arrived).

    Raises RefusedError when the machines are not of one fabric and one provider.
    """
    groups = tuple(
        members
        for group in batch.groups
        if (members := tuple(_member(machine, items[machine.name]) for machine in group if machine.name in items))
    )
    fabrics = {fabric_of(member.item_id) for group in groups for member in group}
    providers = {_details(items[member.machine]).get("instanceType") for group in groups for member in group}
    if len(fabrics) != 1 or len(providers) != 1:
        raise RefusedError(
            f"recovery plan {batch.name} needs machines of one appliance, found were {len(fabrics)}",
            code="PlanDivided",
            cause=f"Providers: {', '.join(sorted(map(str, providers))) or 'none'}",
            remedy="Move machines of different appliances in different waves.",
        )
    body = _body(batch.verb, str(providers.pop()), test_network_id)
    return PlanCall(OPERATIONS[batch.verb], batch.name, fabrics.pop(), groups, body)


def fabric_of(item_id: str) -> str:
    """Return the id of the fabric that a protected item belongs to."""
    return item_id[: item_id.lower().index("/replicationprotectioncontainers/")]


def _member(machine: Machine, item: Json) -> PlanMember:
    """Return a machine as a plan names it: RCM by ``internalIdentifier``, V2 by the name of its protectable item."""
    properties, details = item.get("properties") or {}, _details(item)
    known = details.get("internalIdentifier") or str(properties.get("protectableItemId") or "").rpartition("/")[2]
    return PlanMember(machine.name, str(item["id"]), str(known or item["name"]))


def _details(item: Json) -> Json:
    return (item.get("properties") or {}).get("providerSpecificDetails") or {}


def _body(verb: Verb, instance_type: str, test_network_id: str) -> Json | None:
    """Return the body of a plan's action; ``providerSpecificDetails`` is a list here (specification)."""
    latest = [{"instanceType": instance_type, "recoveryPointType": "Latest"}]
    bodies: dict[Verb, Json | None] = {
        Verb.TEST_FAILOVER: {
            "failoverDirection": DIRECTION,
            "networkType": "VmNetworkAsInput",
            "networkId": test_network_id,
            "providerSpecificDetails": latest,
        },
        Verb.CLEAN_UP_TEST: {"comments": "The test is over."},
        Verb.FAIL_OVER: {
            "failoverDirection": DIRECTION,
            "sourceSiteOperations": "NotRequired",
            "providerSpecificDetails": latest,
        },
        Verb.COMMIT: None,
    }
    properties = bodies[verb]
    return None if properties is None else {"properties": properties}
