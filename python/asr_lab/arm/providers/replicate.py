"""Replication in the world: the beat of every protected item."""

from datetime import datetime

from asr_lab.arm.providers import timeline
from asr_lab.arm.providers.model import ProtectedItem, Stage
from asr_lab.arm.providers.scope import fabric_of
from asr_lab.arm.wire import last_segment
from asr_lab.arm.world import World

CONTROL_PORT = 443
DATA_PORT = 9443


def begin(world: World, item: ProtectedItem, now: datetime) -> None:
    """Start the initial replication of an item and its beat."""
    timeline.start(item, now)
    for disk in item.disks:
        disk.seed_id = _seed_disk_id(world, item)
    _schedule(world, item, now)


def reaches(world: World, item: ProtectedItem, port: int) -> bool:
    """Return whether the source reaches its server on ``port``; a server that is gone is not reached."""
    server = fabric_of(world, item).server(item.server_id)
    if server is None or not item.host.addresses or not server.address:
        return False
    return world.hosts.connects(item.host.addresses[0], server.address, port)


def _seed_disk_id(world: World, item: ProtectedItem) -> str:
    short = item.friendly_name.replace("-", "_")[:8]
    return (
        f"{item.target.resource_group_id}/providers/Microsoft.Compute/disks/asrseeddisk-{short}-PHYSICAL-{world.guid()}"
    )


def _schedule(world: World, item: ProtectedItem, now: datetime) -> None:
    world.after(now, timeline.interval_s(item), lambda due: _beat(world, item, due))


def _beat(world: World, item: ProtectedItem, now: datetime) -> None:
    if world.resources.get(item.id) is not item or item.stage not in (Stage.REPLICATING, Stage.FAILOVER_FAILED):
        return
    stuck = world.effect("stuck_replication", name=item.friendly_name) is not None
    timeline.tick(
        item,
        now,
        data_flows=not stuck and reaches(world, item, DATA_PORT),
        agent_reports=reaches(world, item, CONTROL_PORT),
        new_name=world.guid,
    )
    _schedule(world, item, now)


def point_named(item: ProtectedItem, wanted: str | None) -> str | None:
    """Return the name of the recovery point that ``wanted`` (an id, or empty for the latest) means, or None."""
    points = item.replication.points if item.replication else []
    if not wanted:
        return points[0].name if points else None
    name = last_segment(wanted).casefold()
    return next((point.name for point in points if point.name.casefold() == name), None)
