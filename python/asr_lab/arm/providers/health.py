"""What is wrong with a protected item: the entries of ``healthErrors``, and the healths that follow from them.

Codes 161011, 310056 and 325091 are recorded; 78186, 78174, 78188, 78143 and 806 are documented for classic servers. For
InMageRcm the lab uses the same codes where none is known (chosen).
"""

from datetime import datetime
from typing import Any

from asr_lab.arm.providers import replicate, rules, timeline
from asr_lab.arm.providers.model import ProtectedItem, Replication, Stage
from asr_lab.arm.providers.provider import Provider, provider_named
from asr_lab.arm.providers.scope import fabric_of
from asr_lab.arm.wire import UNSET, iso7
from asr_lab.arm.world import World

NO_POINT_AFTER_S = 3600.0
_NO_POINT = {"InMageRcm": "325091", "InMageRcmFailback": "325091"}


def errors(world: World, item: ProtectedItem, now: datetime) -> list[dict[str, Any]]:
    """Return what is wrong with the item at ``now``, in the shape the service has used since 2018."""
    provider = provider_named(item.provider)
    found: list[dict[str, Any]] = []
    if item.stage is Stage.ENABLING_FAILED:
        found.append(_entry(provider, item, "310056", UNSET))
    replication = item.replication
    if replication is not None and item.stage in replicate.REPLICATES:
        found += _of_tests(world, provider, item, now)
        found += _of_data(world, provider, item, replication, now)
        if world.faults.rows:
            found += _planted(world, provider, item, replication, now)
    return found + provider.health_errors(world, item, now)


def health(found: list[dict[str, Any]], category: str) -> str:
    """Return ``replicationHealth`` or ``failoverHealth`` that follows from the errors of this category."""
    levels = {error["errorLevel"] for error in found if error["errorCategory"] == category}
    return "Critical" if "Error" in levels else "Warning" if "Warning" in levels else "Normal"


def as_in_2017(found: list[dict[str, Any]], category: str) -> list[dict[str, Any]]:
    """Return errors as the service wrote them in 2017; those of replication had no type then."""
    younger = ("errorCategory", "errorId", "customerResolvability")
    untyped = {"errorType": None} if category == "Replication" else {}
    return [
        {name: value for name, value in error.items() if name not in younger} | untyped
        for error in found
        if error["errorCategory"] == category
    ]


def _of_tests(world: World, provider: Provider, item: ProtectedItem, now: datetime) -> list[dict[str, Any]]:
    since = item.untested_since
    if since is None or item.last_test is not None:
        return []
    passed_s = (now - since).total_seconds()
    if passed_s < world.duration_s(provider.warns_like, "failover_warning", name=item.friendly_name):
        return []
    return [_entry(provider, item, "161011", iso7(since))]


def _of_data(
    world: World, provider: Provider, item: ProtectedItem, replication: Replication, now: datetime
) -> list[dict[str, Any]]:
    gap = replication.gap
    if gap is None or not timeline.stalled(item, now):
        return []
    values = _values(world, item)
    found = [_entry(provider, item, "78186", iso7(gap.began), **values)]
    if replication.protected_at and (now - gap.began).total_seconds() >= NO_POINT_AFTER_S:
        found.append(_entry(provider, item, _NO_POINT.get(item.provider, "78143"), iso7(gap.began), **values))
    return found


def _planted(
    world: World, provider: Provider, item: ProtectedItem, replication: Replication, now: datetime
) -> list[dict[str, Any]]:
    values = _values(world, item)
    gap = replication.gap
    since = iso7(gap.began if gap else replication.started)
    found = []
    if replicate.server_fault(world, item):
        found.append(_entry(provider, item, "806", since, **values))
    elif replicate.planted(world, item, "agent_not_responding"):
        found.append(_entry(provider, item, "78174", since, **values))
    if replicate.planted(world, item, "churn_above_limit"):
        found.append(_entry(provider, item, "78188", iso7(now.replace(minute=0, second=0, microsecond=0)), **values))
    if replicate.resync_fault(world, item):
        found.append(_entry(provider, item, "78032", since, **values))
    return found


def _entry(provider: Provider, item: ProtectedItem, code: str, created: str, **values: str) -> dict[str, Any]:
    row = rules.health_error(
        code, entity_id=item.machine_id, created=created, **({"name": item.friendly_name} | values)
    )
    return {**row, **provider.error_fields.get(code, {})}


def _values(world: World, item: ProtectedItem) -> dict[str, str]:
    server = fabric_of(world, item).server(item.server_id)
    return {
        "name": item.friendly_name,
        "server": server.name if server else item.server_id,
        "source": item.host.address,
        "target": server.address if server else "",
        "disks": ", ".join(disk.name for disk in item.disks),
    }
