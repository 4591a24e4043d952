"""Events of a vault: list with filters, and one event. What makes them stands in ``providers/events.py``."""

from datetime import datetime
from typing import Any

from asr_lab.arm.providers.events import Event, Happening, event_errors, event_named, happenings, occurred, written
from asr_lab.arm.providers.odata_filter import conditions, moment
from asr_lab.arm.providers.paging import next_link, window
from asr_lab.arm.providers.scope import OLDEST, VAULT, VERSIONS, Scope
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response, last_segment
from asr_lab.arm.world import World

EVENT_TYPE = "Microsoft.RecoveryServices/vaults/replicationEvents"
PAGE = 200
"""Events on a page; a choice of the lab, 87 were recorded on one page."""

_FILTERS = {
    "Severity": "eq",
    "EventType": "eq",
    "AffectedObjectFriendlyName": "eq",
    "AffectedObjectCorrelationId": "eq",
    "FabricName": "eq",
    "StartTime": "eq ge gt",
    "EndTime": "eq le lt",
}


@route("GET", VAULT + "/replicationEvents", versions=VERSIONS)
def list_events(world: World, request: Request, now: datetime) -> Response:
    """Answer the events, newest first; ``$filter`` as recorded, StartTime and EndTime are bounds."""
    vault_id = Scope(world, request).vault_id
    wanted = conditions(request, _FILTERS)
    found = [one for one in happenings(world, vault_id, now) if not wanted or _fits(one, wanted)]
    rows, first = window(request, found, PAGE)
    listed = [_body(vault_id, written(one), one.list_type, request.api_version) for one in rows]
    link = next_link(request, first + PAGE) if first + PAGE < len(found) else None
    return Response(200, {}, {"value": listed, "nextLink": link})


@route("GET", VAULT + "/replicationEvents/{event}", versions=VERSIONS)
def get_event(world: World, request: Request, now: datetime, *, event: str) -> Response:
    """Answer one event; its eventType is another than in the list (recorded)."""
    scope = Scope(world, request)
    found = event_named(world, scope.vault_id, event, now)
    if found is None:
        raise scope.not_found(event)
    return Response(200, {}, _body(scope.vault_id, found, found.get_type, request.api_version))


def _fits(event: Event | Happening, wanted: dict[str, str]) -> bool:
    seen = {
        "Severity": event.severity,
        "EventType": event.list_type,
        "AffectedObjectFriendlyName": event.affected,
        "AffectedObjectCorrelationId": event.correlation_id or "",
        "FabricName": last_segment(event.fabric_id or ""),
    }
    if any(wanted[name].casefold() != value.casefold() for name, value in seen.items() if name in wanted):
        return False
    if "StartTime" in wanted and event.at < moment("StartTime", wanted["StartTime"]):
        return False
    return not ("EndTime" in wanted and event.at > moment("EndTime", wanted["EndTime"]))


def _body(vault_id: str, event: Event, event_type: str, api_version: str) -> dict[str, Any]:
    old = api_version == OLDEST
    properties: dict[str, Any] = {
        "eventCode": event.code,
        "description": event.text,
        "eventType": event_type,
        "affectedObjectFriendlyName": event.affected,
        "affectedObjectCorrelationId": event.correlation_id,
        "severity": event.severity,
        "timeOfOccurrence": occurred(event),
        "fabricId": event.fabric_id,
        "providerSpecificDetails": event.details,
        "eventSpecificDetails": event.specific,
        "healthErrors": event_errors(event, old=old),
    }
    if old:
        del properties["affectedObjectCorrelationId"]
    return {
        "name": event.name,
        "type": EVENT_TYPE,
        "id": f"{vault_id}/replicationEvents/{event.name}",
        "properties": properties,
    }
