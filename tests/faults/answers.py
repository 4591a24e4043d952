"""What goes wrong with a fifth of the answers of a story: fault rows for the lab, drawn from the story's seed."""

from typing import Any

SHARE = 0.2
SLOW_S = 30.0
OLD_S = 60.0
SERVICE = "*/Microsoft.RecoveryServices/*"
LISTS = ("*/replicationProtectedItems", "*/replicationJobs", "*/Microsoft.Compute/virtualMachines")
STATUSES = (429, 500, 502, 503, 504)
RETRY_AFTER_S = "5"


def rows(seed: int, share: float = SHARE, *, stale: bool = True) -> list[dict[str, Any]]:
    """Return rows that spoil ``share`` of the answers.

    Kinds of answer are equally likely: 429, four kinds of 5xx and a reset before the effect; the 5xx and the reset
    after it; an answer 30 s late. On top, with ``stale``, the same share of lists answers what was true a minute ago:
    such an answer looks like any other.
    """
    kinds: list[dict[str, Any]] = [_status(status) for status in STATUSES]
    kinds += [{**_status(status), "after_effect": True} for status in STATUSES if status != 429]
    kinds += [{"reset": True}, {"reset": True, "after_effect": True}]
    each = share / (len(kinds) + 1)
    made = [
        {"match": {"path": SERVICE}, **kind, "share": each / (1 - number * each), "seed": 1000 * seed + number}
        for number, kind in enumerate(kinds)
    ]
    slow = {"match": {"path": SERVICE}, "delay_s": SLOW_S, "share": each, "seed": 1000 * seed + 100}
    old = [
        {"match": {"path": path}, "stale_s": OLD_S, "share": share, "seed": 1000 * seed + 200 + number}
        for number, path in enumerate(LISTS)
    ]
    return [*made, slow, *(old if stale else ())]


def _status(status: int) -> dict[str, Any]:
    row: dict[str, Any] = {"status": status}
    if status in (429, 503):
        row["headers"] = {"Retry-After": RETRY_AFTER_S}
    return row
