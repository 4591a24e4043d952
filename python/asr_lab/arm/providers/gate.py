"""What an item allows: an action that is not among its allowed operations is accepted, and its job fails."""

from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers import timeline
from asr_lab.arm.providers.model import ProtectedItem
from asr_lab.arm.providers.work import error

REFUSED_AFTER_S = 2.0


def refused(item: ProtectedItem, operation: str) -> OperationError | None:
    """Return the failure of an operation the item does not allow now, else None."""
    if operation in timeline.allowed_operations(item):
        return None
    state = timeline.protection_state(item)
    if item.running is not None:
        state = f"{state}, while {item.running.name} runs"
    return error("25037", name=item.friendly_name, state=state, operation=operation)
