"""How replication of an item advances, and the state the service shows for it: pure functions of item and time.

An item stores when data began and ceased to come (``model.Replication``); progress, states and recovery points are
computed from that for the moment of a read. Times of InMageRcm follow a recorded initial replication of one disk of
40 GB (83 minutes from the request); those of InMageAzureV2 are the lab's choice.
"""

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

from asr_lab.arm.providers import rules
from asr_lab.arm.providers.model import Gap, ProtectedItem, RecoveryPoint, Replication, Stage
from asr_lab.arm.wire import last_segment

SLOTS_AN_HOUR = 12
"""Of the newest hour every recovery point is kept, of older ones one an hour (a recorded list: 9 points of 2.5 h)."""

_POINTS = uuid.UUID("6f2e2c0e-9d3c-4c57-9a3e-3f8f0f3c1d52")
_CONNECTION_CAUSES = ("unreachable", "stuck", "server", "silent")


# Data


def flows(replication: Replication) -> bool:
    """Return whether data is coming."""
    return replication.stopped is None and replication.gap is None


def queue_ends(replication: Replication) -> datetime:
    """Return when the item is taken from the queue of those that wait for their initial replication."""
    return replication.started + timedelta(seconds=replication.queued_s)


def counted_from(replication: Replication, now: datetime) -> datetime:
    """Return from when on data counts that begins to come now: time in the queue does not."""
    return max(now, queue_ends(replication))


def seconds(replication: Replication, now: datetime) -> float:
    """Return the time after the queue in which data has come, in seconds of undisturbed speed."""
    if not flows(replication):
        return replication.seconds
    since = replication.counted or queue_ends(replication)
    return replication.seconds + _seconds_between(since, now) * replication.speed


def last_data(replication: Replication, now: datetime) -> datetime | None:
    """Return when data came last, None before the first."""
    if replication.gap is not None:
        return replication.gap.began if replication.seconds else None
    return replication.stopped or now


def initial_replication_s(replication: Replication) -> float:
    """Return the seconds an undisturbed initial replication takes after the queue."""
    return replication.transfer_s + replication.completion_s


def transferred_share(item: ProtectedItem, now: datetime) -> float | None:
    """Return the share of the data that has been sent, 0..0.64 for a running transfer, None before it and after it.

    The service was never seen to show more than 64 % before it waits for the first recovery point.
    """
    replication = item.replication
    if replication is None or replication.protected_at is not None:
        return None
    if now < queue_ends(replication):
        return None
    moved_s = seconds(replication, now)
    return min(0.64, 0.64 * moved_s / (replication.transfer_s * 2 / 3)) if replication.transfer_s else 0.64


def resync_share(replication: Replication | None, now: datetime) -> float | None:
    """Return the share of a running resynchronization that is done, 0..1; None when none runs."""
    if replication is None or replication.resync_started is None or not replication.resync_s:
        return None
    return min(1.0, _seconds_between(replication.resync_started, now) / replication.resync_s)


def stalled(item: ProtectedItem, now: datetime) -> bool:
    """Return whether data has not come for long enough to be reported."""
    gap = item.replication.gap if item.replication else None
    if gap is None or gap.cause not in _CONNECTION_CAUSES:
        return False
    return _seconds_between(gap.began, now) >= rules.duration_s("any", "stalled_after")


# Recovery points


def points(item: ProtectedItem, now: datetime) -> list[RecoveryPoint]:
    """Return the recovery points that exist at ``now``, newest first."""
    replication = item.replication
    if replication is None:
        return []
    derived = [_point(item, replication, slot) for slot in _slots(replication, now)]
    if not replication.points:
        return derived
    return sorted([*replication.points, *derived], key=_moment, reverse=True)


def latest_point(item: ProtectedItem, now: datetime) -> RecoveryPoint | None:
    """Return the newest recovery point, or None before the first."""
    replication = item.replication
    if replication is None:
        return None
    slot = next(_slots(replication, now), None)
    found = [] if slot is None else [_point(item, replication, slot)]
    return max([*replication.points, *found], key=_moment, default=None)


def point_named(item: ProtectedItem, wanted: str | None, now: datetime) -> RecoveryPoint | None:
    """Return the recovery point that ``wanted`` (an id, or empty for the latest) means, or None."""
    if not wanted:
        return latest_point(item, now)
    name = last_segment(wanted).casefold()
    return next((point for point in points(item, now) if point.name.casefold() == name), None)


def point_path(item: ProtectedItem, name: str) -> str:
    """Return a recovery point's id as item bodies write it: under the container's alias, not its name (recorded)."""
    return (
        f"{item.fabric_id}/replicationProtectionContainers/cloud_{item.fabric_guid}"
        f"/replicationProtectedItems/{item.name}/recoveryPoints/{name}"
    )


def _slots(replication: Replication, now: datetime) -> Iterator[int]:
    """Yield the numbers of the points that exist, newest first; number 0 is the one that completes protection."""
    if replication.protected_at is None:
        return
    every_s = rules.duration_s("any", "recovery_point_interval")
    until = min(now, replication.stopped or now)
    if replication.gap is not None:
        until = min(until, replication.gap.began)
    elif replication.resync_started is not None:
        until = min(until, replication.resync_started)
    last = int(_seconds_between(replication.protected_at, until) // every_s)
    newest: int | None = None
    for slot in range(last, -1, -1):
        if newest is not None:
            if slot < newest - SLOTS_AN_HOUR and slot % SLOTS_AN_HOUR:
                continue
            if (newest - slot) * every_s > replication.retention_s:
                return
        if replication.gaps and _in_a_gap(replication.gaps, _slot_moment(replication.protected_at, slot, every_s)):
            continue
        newest = slot if newest is None else newest
        yield slot


def _point(item: ProtectedItem, replication: Replication, slot: int) -> RecoveryPoint:
    every_s = rules.duration_s("any", "recovery_point_interval")
    app_s = replication.app_consistent_s
    return RecoveryPoint(
        name=str(uuid.uuid5(_POINTS, f"{item.correlation_id}:{replication.started:%Y%m%d%H%M%S%f}:{slot}")),
        at=_slot_moment(replication.protected_at or replication.started, slot, every_s),
        kind="ApplicationConsistent" if app_s and (slot * every_s) % app_s == 0 else "CrashConsistent",
    )


def _slot_moment(first: datetime, slot: int, every_s: float) -> datetime:
    return first + timedelta(seconds=slot * every_s)


def _in_a_gap(gaps: list[Gap], at: datetime) -> bool:
    return any(gap.began < at and gap.ended is not None and at < gap.ended for gap in gaps)


def _moment(point: RecoveryPoint) -> datetime:
    return point.at


def _seconds_between(one: datetime, other: datetime) -> float:
    return max(0.0, (other - one).total_seconds())


# States


def state_row(item: ProtectedItem, now: datetime) -> str:
    """Return which row of the state table the item is in; mostly it has the name of the ``protectionState``."""
    if item.state_row:
        return item.state_row
    match item.stage:
        case Stage.ENABLING:
            return "UnprotectedStatesBegin"
        case Stage.ENABLING_FAILED:
            return "EnablingFailed"
        case Stage.FAILED_OVER:
            return "PlannedFailoverCommitRequired" if item.planned else "UnplannedFailoverCommitPendingStatesBegin"
        case Stage.COMMITTED:
            return "PlannedFailoverStatesBegin" if item.planned else "UnplannedFailoverStatesBegin"
        case Stage.FAILOVER_FAILED:
            failed: dict[str, str] = rules.table("states")["failed_failover"]
            return failed.get(item.provider, failed["default"])
        case _:
            pass
    replication = item.replication
    if replication is None or replication.protected_at is not None:
        return "Protected"
    if now >= queue_ends(replication) and seconds(replication, now) >= replication.transfer_s:
        return "InitialReplicationRecoveryCompletionPending"
    return "InitialReplicationInProgress"


def protection_state(item: ProtectedItem, now: datetime) -> str:
    """Return the ``protectionState`` of the item."""
    row = state_row(item, now)
    return str(rules.protection_state(row).get("state", row))


def allowed_operations(item: ProtectedItem, now: datetime) -> list[str]:
    """Return ``allowedOperations`` in the service's order; nothing is allowed while an operation runs."""
    if item.running is not None and item.stage is not Stage.ENABLING_FAILED:
        return []
    row = state_row(item, now)
    if row == "Protected" and item.test in ("Active", "Failed"):
        return _operations(rules.table("states")["allowed_while_testing"], item.provider)
    return _operations(rules.protection_state(row)["allowed"], item.provider)


def _operations(row: list[str] | dict[str, list[str]], provider: str) -> list[str]:
    """Return a row that is the same for all providers, or the provider's part of it."""
    if isinstance(row, dict):
        return list(row.get(provider, row["default"]))
    return list(row)
