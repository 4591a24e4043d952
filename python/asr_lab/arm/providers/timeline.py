"""How replication of an item advances, and the state the service shows for it.

Progress is a pure function of the seconds in which the source reached its server (``Replication.seconds``); the world
calls ``tick`` for every item once a minute, and every five minutes once it is protected. Times of InMageRcm follow a
recorded initial replication of one disk of 40 GB (83 minutes from the request); those of InMageAzureV2 are the lab's
choice.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from asr_lab.arm.providers import rules
from asr_lab.arm.providers.model import ProtectedItem, RecoveryPoint, Replication, Stage

TICK_S = 60.0
MAX_POINTS = 288


def transferred_share(item: ProtectedItem) -> float | None:
    """Return the share of the data that has been sent, 0..0.64 for a running transfer, None before it and after it.

    The service was never seen to show more than 64 % before it waits for the first recovery point.
    """
    replication = item.replication
    if replication is None or replication.protected_at is not None:
        return None
    queued = rules.duration_s(item.provider, "initial_replication_queued")
    transfer = rules.duration_s(item.provider, "initial_replication_transfer")
    if replication.seconds < queued:
        return None
    return min(0.64, 0.64 * (replication.seconds - queued) / (transfer * 2 / 3))


def protection_state(item: ProtectedItem) -> str:
    """Return the ``protectionState`` of the item."""
    if item.stage is Stage.ENABLING:
        return "UnprotectedStatesBegin"
    if item.stage is Stage.ENABLING_FAILED:
        return "EnablingFailed"
    if item.stage is Stage.FAILED_OVER:
        return "UnplannedFailoverCommitPendingStatesBegin"
    if item.stage is Stage.COMMITTED:
        return "UnplannedFailoverStatesBegin"
    if item.stage is Stage.FAILOVER_FAILED:
        return str(rules.table("states")["failed_failover"][item.provider])
    replication = item.replication
    if replication is None or replication.protected_at is not None:
        return "Protected"
    transfer_ends = rules.duration_s(item.provider, "initial_replication_queued") + rules.duration_s(
        item.provider, "initial_replication_transfer"
    )
    if replication.seconds >= transfer_ends:
        return "InitialReplicationRecoveryCompletionPending"
    return "InitialReplicationInProgress"


def allowed_operations(item: ProtectedItem) -> list[str]:
    """Return ``allowedOperations`` in the service's order; nothing is allowed while an operation runs."""
    if item.running is not None and item.stage is not Stage.ENABLING_FAILED:
        return []
    state = protection_state(item)
    if state == "Protected" and item.test in ("Active", "Failed"):
        return list(rules.table("states")["allowed_while_testing"])
    return list(rules.protection_state(state)["allowed"])


def start(item: ProtectedItem, now: datetime) -> None:
    """Begin the initial replication."""
    item.stage = Stage.REPLICATING
    item.replication = Replication(started=now)
    item.last_heartbeat = now


def stalled(item: ProtectedItem, now: datetime) -> bool:
    """Return True when the source has not reached its server for long enough to be reported."""
    since = item.replication.stalled_since if item.replication else None
    return since is not None and (now - since).total_seconds() >= rules.duration_s("any", "stalled_after")


def initial_replication_s(provider: str) -> float:
    """Return the seconds an undisturbed initial replication takes after the enable operation."""
    steps = ("initial_replication_queued", "initial_replication_transfer", "initial_replication_completion")
    return sum(rules.duration_s(provider, step) for step in steps)


def interval_s(item: ProtectedItem) -> float:
    """Return the seconds until the item's next beat."""
    replication = item.replication
    if replication is not None and replication.protected_at is not None:
        return rules.duration_s("any", "recovery_point_interval")
    return TICK_S


def tick(
    item: ProtectedItem, now: datetime, *, data_flows: bool, agent_reports: bool, new_name: Callable[[], str]
) -> None:
    """Account for the interval that ends at ``now``.

    ``data_flows``: the source reaches its server's data port (9443); ``agent_reports``: it reaches the control port
    (443). ``new_name`` names a recovery point should one fall due.
    """
    replication = item.replication
    if replication is None or item.stage not in (Stage.REPLICATING, Stage.FAILOVER_FAILED):
        return
    passed_s = interval_s(item)
    if agent_reports:
        item.last_heartbeat = now
    if not data_flows:
        replication.stalled_since = replication.stalled_since or now - timedelta(seconds=passed_s)
        return
    replication.stalled_since = None
    replication.last_data = now
    replication.seconds += passed_s
    if replication.protected_at is None and replication.seconds >= initial_replication_s(item.provider):
        replication.protected_at = now
        item.untested_since = now
    if replication.protected_at is not None:
        _make_point(replication, now, new_name)


def _make_point(replication: Replication, now: datetime, new_name: Callable[[], str]) -> None:
    interval_s = rules.duration_s("any", "recovery_point_interval")
    if replication.points and (now - replication.points[0].at).total_seconds() < interval_s:
        return
    replication.points.insert(0, RecoveryPoint(new_name(), now))
    del replication.points[MAX_POINTS:]
