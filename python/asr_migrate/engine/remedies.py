"""What the engine mends by itself: few things, each documented as safe, each said before it is done, each bounded.

Nothing here touches a failover: a failed one is told and left to the next run, which a person starts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from asr_migrate.domain.errors import ServiceError
from asr_migrate.domain.lifecycle import VERBS, Goal, Observation, Stage, Verb
from asr_migrate.domain.site import Call

RESYNC, REFRESH = "resync", "refresh"
RESYNC_OPERATION = "RepairReplication"
RESYNC_WORDS = "synchronise its disks again (repairReplication): health is Critical and Site Recovery offers it"
REFRESH_WORDS = "refresh the appliance's provider: machines are waited for that it does not list"
REFRESH_AFTER_S = 300.0


@dataclass(frozen=True)
class Retry:
    """A job of a verb that failed is asked for again: up to ``times`` in a run; ``any_code`` or transient ones only.

    ``source`` says why that is safe.
    """

    times: int
    any_code: bool
    source: str


RETRIES: Mapping[Verb, Retry] = MappingProxyType(
    {
        Verb.CLEAN_UP_TEST: Retry(
            2, any_code=True, source="a failed clean-up leaves the operation offered and can be repeated (recorded)"
        ),
        Verb.UPDATE: Retry(2, any_code=False, source="an update sets properties; a second one sets the same"),
        Verb.COMMIT: Retry(2, any_code=False, source="the machine is failed over and Commit stays offered"),
        Verb.COMPLETE: Retry(2, any_code=False, source="the item stays until its removal has succeeded; the VM stays"),
        Verb.STOP_REPLICATION: Retry(2, any_code=False, source="the item stays until its removal has succeeded"),
    }
)


def retry(verb: Verb, error: ServiceError, used: Counter[str]) -> str | None:
    """Return in words that the failed ``verb`` is asked for again and count it, None when it must not be."""
    row = RETRIES.get(verb)
    if row is None or not (row.any_code or error.transient) or used[verb] >= row.times:
        return None
    used[verb] += 1
    return f"{VERBS[verb].words} again ({used[verb]} of {row.times}) after [{error.code}]: {row.source}"


def resync(seen: Observation, goal: Goal, used: Counter[str]) -> str | None:
    """Return in words that a machine is synchronised again and count it, None when that does not help or was done.

    Offered by the service itself (``allowedOperations``), before any failover, and only where the goal is a healthy
    replication. Source: Microsoft, "Resynchronize a machine" in the troubleshooting of VMware and physical replication.
    """
    offered = RESYNC_OPERATION in seen.allowed_operations and seen.stage in (Stage.PROTECTED, Stage.TESTED)
    if goal is not Goal.PROTECTED or not offered or seen.busy or seen.health != "Critical" or used[RESYNC]:
        return None
    used[RESYNC] += 1
    return RESYNC_WORDS


def resync_call(seen: Observation) -> Call:
    """Return the request that synchronises a machine again; ``seen`` is of its protected item."""
    return Call("repairReplication", str(seen.item_name), None, seen.item_id)


def refresh_call() -> Call:
    """Return the request that lets the vault's appliance say anew what it knows."""
    return Call("refreshProvider", "", None)
