"""What an item allows: an action that is not among its allowed operations is accepted, and its job fails."""

from datetime import datetime

from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers import timeline
from asr_lab.arm.providers.model import ProtectedItem
from asr_lab.arm.providers.work import error

REFUSED_AFTER_S = 2.0


def refused(item: ProtectedItem, operation: str, now: datetime) -> OperationError | None:
    """Return the failure of an operation the item does not allow now, else None (recorded code: 25037)."""
    if operation in timeline.allowed_operations(item, now):
        return None
    return error("25037", name=item.friendly_name, state=state_told(item, now), operation=operation)


def busy(item: ProtectedItem, operation: str, now: datetime) -> OperationError | None:
    """Return the failure of an operation that only needs an idle item, else None."""
    if item.running is None:
        return None
    return error("25037", name=item.friendly_name, state=state_told(item, now), operation=operation)


def state_told(item: ProtectedItem, now: datetime) -> str:
    """Return the item's state and what it is busy with, for messages."""
    state = timeline.protection_state(item, now)
    return state if item.running is None else f"{state}, while {item.running.name} runs"
