"""What tells one machine from another that has its name, so that nobody gets what belongs to somebody else.

An identity is a mapping from kind to value, of the kinds that the host could tell. Sources: EC2 documentation,
"Identify EC2 instances" (asset tag, UUIDs); machine-id(5); MachineGuid of Windows.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping

#: The instance's own first; what lies on a disk, and so in its copies, last.
KINDS = ("asset_tag", "product_uuid", "hypervisor_uuid", "machine_guid", "machine_id")
#: A UUID that says nothing has no more than this many different digits.
_BLANK = 2

_INSTANCE = re.compile(r"i-[0-9a-f]{8,32}")


def identity(told: Mapping[str, str]) -> dict[str, str]:
    """Return the identity that ``told`` holds, by kind, each value in its one spelling.

    What says nothing, as "Not Specified", is left out.
    """
    readers = {"asset_tag": _instance, "product_uuid": _either_order}
    values = {kind: readers.get(kind, _uuid)(told.get(kind, "").strip().lower()) for kind in KINDS}
    return {kind: value for kind, value in values.items() if value}


def conflict(recorded: Mapping[str, str], seen: Mapping[str, str]) -> tuple[str, str] | None:
    """Return how the two machines call themselves when they differ, in words; None when nothing says that they do.

    The strongest kind that both tell decides.
    """
    for kind in KINDS:
        if kind in recorded and kind in seen:
            differ = recorded[kind] != seen[kind]
            return (f"{kind} {recorded[kind]}", f"{kind} {seen[kind]}") if differ else None
    return None


def words(known: Mapping[str, str]) -> str:
    """Return the strongest value; empty of a host that tells none."""
    return next((known[kind] for kind in KINDS if kind in known), "")


def _instance(text: str) -> str:
    return text if _INSTANCE.fullmatch(text) else ""


def _uuid(text: str) -> str:
    try:
        value = uuid.UUID(text.strip("{}"))
    except ValueError:
        return ""
    return "" if len(set(value.hex)) <= _BLANK else str(value)


def _either_order(text: str) -> str:
    """Return a UUID of the firmware: kernels differ in the order of its first bytes (SMBIOS 2.6), so the lower one."""
    known = _uuid(text)
    return min(known, str(uuid.UUID(bytes=uuid.UUID(known).bytes_le))) if known else ""


Check = Callable[[Mapping[str, str]], None]


def any_machine(_identity: Mapping[str, str]) -> None:
    """Accept every machine."""
