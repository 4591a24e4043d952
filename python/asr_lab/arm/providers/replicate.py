"""Replication in the world: when data comes, and one beat a minute for all items that looks who reaches whom.

The beat stores changes only; what follows from them is computed when it is read (``timeline``). Items that are
protected are looked at every fifth minute.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from asr_lab.arm.faults import Fault
from asr_lab.arm.operations import after
from asr_lab.arm.providers import timeline
from asr_lab.arm.providers.model import Gap, Policy, ProtectedItem, Replication, Stage
from asr_lab.arm.providers.provider import provider_named
from asr_lab.arm.providers.scope import fabric_of
from asr_lab.arm.world import World

CONTROL_PORT = 443
DATA_PORT = 9443
BEAT_S = 60.0
PROTECTED_EVERY = 5
REPLICATES = (Stage.REPLICATING, Stage.FAILOVER_FAILED)
EFFECTS = (
    "stuck_replication",
    "resync_required",
    "agent_not_responding",
    "appliance_without_heartbeat",
    "slow_replication",
)
_KEPT = "replication"


@dataclass
class Beat:
    """The items that replicate, and what the look that is under way has found out about connections."""

    items: dict[str, ProtectedItem] = field(default_factory=dict)
    number: int = 0
    scheduled: bool = False
    seen: dict[tuple[str, str, int], bool] = field(default_factory=dict)
    addresses: dict[tuple[str, str], str] = field(default_factory=dict)

    def forget(self) -> None:
        """Look anew: nothing of an earlier look counts."""
        self.seen.clear()
        self.addresses.clear()


def begin(world: World, item: ProtectedItem, now: datetime) -> None:
    """Start the initial replication of an item; how long it takes is the tables' matter."""
    policy = world.resources.get(item.policy_id)
    settings: Mapping[str, object] = policy.settings if isinstance(policy, Policy) else {}
    item.stage = Stage.REPLICATING
    item.replication = Replication(
        started=now,
        queued_s=_seconds(world, item, "initial_replication_queued"),
        transfer_s=_seconds(world, item, "initial_replication_transfer"),
        completion_s=_seconds(world, item, "initial_replication_completion"),
        retention_s=(
            _minutes(settings, "recoveryPointHistoryInMinutes") or _minutes(settings, "recoveryPointHistory") or 1440
        )
        * 60,
        app_consistent_s=_minutes(settings, "appConsistentFrequencyInMinutes") * 60,
    )
    item.last_heartbeat = now
    _watch(world, item, now)
    _expect_completion(world, item, now)


def stop(world: World, item: ProtectedItem, now: datetime) -> None:
    """End replication: the machine has failed over. Its recovery points stay."""
    leave(world, item)
    replication = item.replication
    if replication is not None and replication.stopped is None:
        _settle(replication, now)
        replication.stopped = now


def go_on(world: World, item: ProtectedItem, now: datetime) -> None:
    """Go on with replication after a failover that was cancelled."""
    item.stage = Stage.REPLICATING
    replication = item.replication
    if replication is None:
        return
    if replication.stopped is not None:
        replication.gaps.append(Gap(replication.stopped, "failover", now))
    replication.stopped = None
    replication.counted = now
    _watch(world, item, now)


def leave(world: World, item: ProtectedItem) -> None:
    """Look at the item no more."""
    _beat(world).items.pop(item.id, None)


def connects(world: World, source: str, target: str, port: int) -> bool:
    """Return whether ``source`` reaches ``target``; within one beat each connection is tried once."""
    seen = _beat(world).seen
    key = (source, target, port)
    found = seen.get(key)
    if found is None:
        found = seen[key] = world.hosts.connects(source, target, port)
    return found


def reaches_server(world: World, item: ProtectedItem) -> tuple[bool, bool]:
    """Return whether the source reaches its server's data port, and its control port; no server, no connection."""
    addresses = _beat(world).addresses
    key = (item.fabric_id, item.server_id)
    address = addresses.get(key)
    if address is None:
        server = fabric_of(world, item).server(item.server_id)
        address = addresses[key] = server.address if server else ""
    if not address or not item.host.addresses:
        return False, False
    source = item.host.addresses[0]
    return connects(world, source, address, DATA_PORT), connects(world, source, address, CONTROL_PORT)


# Resynchronization


def resync_fault(world: World, item: ProtectedItem) -> Fault | None:
    """Return the planted fault for which the item needs a resynchronization and has had none yet, or None."""
    replication = item.replication
    if replication is None or item.stage not in REPLICATES:
        return None
    found = planted(world, item, "resync_required")
    return None if found is replication.resynced_for else found


def resynchronize(world: World, item: ProtectedItem, now: datetime) -> None:
    """Start a resynchronization; recovery points come again when it is done."""
    replication = item.replication
    if replication is None or replication.protected_at is None:
        return
    fault = resync_fault(world, item)
    if fault is not None:
        fault.strike()
        replication.resynced_for = fault
    if replication.gap is not None and replication.gap.cause == "resync":
        _close(replication, now)
    replication.resync_started = now
    replication.resync_s = _seconds(world, item, "resync_transfer")
    _watch(world, item, now)
    world.after(now, replication.resync_s, partial(_resynced, world, item, replication, now))


def _resynced(world: World, item: ProtectedItem, replication: Replication, started: datetime, due: datetime) -> None:
    if item.replication is not replication or replication.resync_started != started or replication.stopped:
        return
    if replication.gap is not None:
        world.after(due, BEAT_S, partial(_resynced, world, item, replication, started))
        return
    replication.gaps.append(Gap(started, "resync", due))
    replication.resync_started = None


# The beat


def planted(world: World, item: ProtectedItem, effect: str) -> Fault | None:
    """Return the planted fault with this effect that fits the item, or None."""
    if not world.faults.rows:
        return None
    return world.planted(
        effect, name=item.friendly_name, provider=item.provider, location=fabric_of(world, item).location
    )


def server_fault(world: World, item: ProtectedItem) -> Fault | None:
    """Return the fault that keeps the item's server from being heard, selected by server or fabric name; or None."""
    if not world.faults.rows:
        return None
    fabric = fabric_of(world, item)
    server = fabric.server(item.server_id)
    names = [fabric.friendly_name] if server is None else [server.name, fabric.friendly_name]
    seen = {"provider": item.provider, "location": fabric.location}
    found = (world.planted("appliance_without_heartbeat", name=name, **seen) for name in names)
    return next((fault for fault in found if fault is not None), None)


def _beat(world: World) -> Beat:
    kept = world.kept.get(_KEPT)
    if not isinstance(kept, Beat):
        kept = world.kept[_KEPT] = Beat()
    return kept


def _watch(world: World, item: ProtectedItem, now: datetime) -> None:
    beat = _beat(world)
    beat.items[item.id] = item
    beat.forget()
    _look(world, item, now, _planted_effects(world))
    if not beat.scheduled:
        beat.scheduled = True
        world.after(now, BEAT_S, partial(_strike, world))


def _strike(world: World, due: datetime) -> None:
    beat = _beat(world)
    beat.number += 1
    beat.forget()
    planted_now = _planted_effects(world)
    all_of_them = beat.number % PROTECTED_EVERY == 0
    for item in list(beat.items.values()):
        replication = item.replication
        if (
            replication is None
            or item.stage not in REPLICATES
            or (all_of_them and world.resources.get(item.id) is not item)
        ):
            del beat.items[item.id]
        elif all_of_them or replication.protected_at is None:
            _look(world, item, due, planted_now)
    beat.forget()
    beat.scheduled = bool(beat.items)
    if beat.items:
        world.after(due, BEAT_S, partial(_strike, world))


def _planted_effects(world: World) -> set[str]:
    return {row.effect for row in world.faults.rows if row.effect in EFFECTS and row.left != 0}


def _look(world: World, item: ProtectedItem, now: datetime, effects: set[str]) -> None:
    """Store what has changed since the last look; ``effects`` are those that are planted at all."""
    replication = item.replication
    if replication is None:
        return
    data, agent = provider_named(item.provider).reaches(world, item)
    cause = "" if data else "unreachable"
    speed = 1.0
    if effects:
        cause, agent = _planted_cause(world, item, effects, cause, agent)
        slow = planted(world, item, "slow_replication") if "slow_replication" in effects else None
        speed = 1.0 / float((slow.settings or {}).get("factor", 4)) if slow else 1.0
    if agent:
        item.last_heartbeat = now
    if speed != replication.speed:
        _settle(replication, now)
        replication.speed = speed
        _expect_completion(world, item, now)
    _note_cause(world, item, replication, cause, now)


def _planted_cause(world: World, item: ProtectedItem, effects: set[str], cause: str, agent: bool) -> tuple[str, bool]:
    if "appliance_without_heartbeat" in effects and server_fault(world, item):
        return "server", False
    if "agent_not_responding" in effects and planted(world, item, "agent_not_responding"):
        return "silent", False
    if cause:
        return cause, agent
    if "stuck_replication" in effects and planted(world, item, "stuck_replication"):
        return "stuck", agent
    protected = item.replication is not None and item.replication.protected_at is not None
    if "resync_required" in effects and protected and resync_fault(world, item):
        return "resync", agent
    return "", agent


def _note_cause(world: World, item: ProtectedItem, replication: Replication, cause: str, now: datetime) -> None:
    gap = replication.gap
    if gap is None and cause:
        _settle(replication, now)
        replication.gap = Gap(now, cause)
    elif gap is not None and not cause:
        _close(replication, now)
        _expect_completion(world, item, now)
    elif gap is not None:
        gap.cause = cause


def _close(replication: Replication, now: datetime) -> None:
    if replication.gap is not None:
        replication.gap.ended = now
        replication.gaps.append(replication.gap)
    replication.gap = None
    replication.counted = timeline.counted_from(replication, now)


def _settle(replication: Replication, now: datetime) -> None:
    replication.seconds = timeline.seconds(replication, now)
    replication.counted = timeline.counted_from(replication, now)


def _expect_completion(world: World, item: ProtectedItem, now: datetime) -> None:
    """Put the end of the initial replication on the schedule, as it will be when data keeps coming."""
    replication = item.replication
    if replication is None or replication.protected_at is not None or not timeline.flows(replication):
        return
    left_s = timeline.initial_replication_s(replication) - timeline.seconds(replication, now)
    due = after(timeline.counted_from(replication, now), max(0.0, left_s) / replication.speed)
    world.at(due, partial(_completed, world, item, replication))


def _completed(world: World, item: ProtectedItem, replication: Replication, due: datetime) -> None:
    if item.replication is not replication or replication.protected_at is not None:
        return
    if (
        due < timeline.queue_ends(replication)
        or timeline.seconds(replication, due) < timeline.initial_replication_s(replication) - 0.001
    ):
        return
    replication.protected_at = due
    item.untested_since = due
    provider_named(item.provider).initial_replication_done(world, item, due)


def _seconds(world: World, item: ProtectedItem, step: str) -> float:
    return world.duration_s(item.provider, step, name=item.friendly_name, location=fabric_of(world, item).location)


def _minutes(settings: Mapping[str, object], name: str) -> float:
    found = settings.get(name)
    return float(found) if isinstance(found, int | float) else 0.0
