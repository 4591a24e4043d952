"""Events of a vault, made from what is in the world when they are read; texts and codes stand in ``rules/events.yml``.

A machine's and a server's health and failed jobs make events. An event's name is recorded as
``{prefix};{number}_{guid}``; the number is the largest 64-bit integer less the moment as a Windows file time, so names
sort newest first. The GUID follows from what the event is about, so the name stays the same.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from asr_lab.arm.operations import Operation
from asr_lab.arm.providers import fabric_details, health, rules
from asr_lab.arm.providers.fabric_kind import kind_of
from asr_lab.arm.providers.model import Fabric, ProtectedItem
from asr_lab.arm.providers.scope import fabric_of, fabrics, items_of_vault
from asr_lab.arm.wire import UNSET, iso7, same_id
from asr_lab.arm.world import World

_FILE_TIME_BEGINS = datetime(1601, 1, 1, tzinfo=UTC)
_LARGEST = 2**63 - 1
_COLLECTION = "replicationEvents"


@dataclass(frozen=True)
class Event:
    """One replicationEvent. ``details`` and ``specific`` are providerSpecificDetails and eventSpecificDetails."""

    name: str
    code: str
    text: str
    list_type: str
    get_type: str
    affected: str
    severity: str
    at: datetime
    fabric_id: str | None
    correlation_id: str | None = None
    details: dict[str, Any] | None = None
    specific: dict[str, Any] | None = None
    errors: list[dict[str, Any]] = field(default_factory=list)


def add_event(world: World, vault_id: str, event: Event) -> str:
    """Put an event into a vault beside those that are made from the world, and return its id."""
    made = f"{vault_id}/{_COLLECTION}/{event.name}"
    world.resources.put(made, event)
    return made


def event_name(kind: str, at: datetime, about: str) -> str:
    """Return the name of an event of this kind (a row of the table) at a moment about something."""
    ticks = _ticks(at)
    guid = uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {about.casefold()} {ticks}")
    return f"{rules.table('events')[kind]['prefix']};{_LARGEST - ticks}_{guid}"


@dataclass(frozen=True)
class Happening:
    """What an event will tell, before it is written out: enough to sort and to filter by."""

    kind: str
    at: datetime
    about: str
    affected: str
    fabric_id: str | None
    correlation_id: str | None = None
    details: Callable[[], dict[str, Any]] | None = None
    specific: dict[str, Any] | None = None
    errors: tuple[dict[str, Any], ...] = ()
    words: tuple[tuple[str, str], ...] = ()

    @property
    def severity(self) -> str:
        """Severity of the event."""
        return str(rules.table("events")[self.kind]["severity"])

    @property
    def list_type(self) -> str:
        """The eventType that a list shows."""
        return str(rules.table("events")[self.kind]["list"])

    def event(self) -> Event:
        """Return the event."""
        row = rules.table("events")[self.kind]
        return Event(
            name=event_name(self.kind, self.at, self.about),
            code=row["code"],
            text=row["text"].format(**dict(self.words)),
            list_type=row["list"],
            get_type=row["get"],
            affected=self.affected,
            severity=row["severity"],
            at=self.at,
            fabric_id=self.fabric_id,
            correlation_id=self.correlation_id,
            details=self.details() if self.details else None,
            specific=self.specific,
            errors=list(self.errors),
        )


def happenings(world: World, vault_id: str, now: datetime) -> list[Event | Happening]:
    """Return what makes the events of a vault, newest first; an event that was put there stands for itself."""
    held = [one for one in world.resources.children(vault_id, _COLLECTION) if isinstance(one, Event)]
    made: list[Event | Happening] = [
        *held,
        *(found for fabric in fabrics(world, vault_id) for found in _of_servers(world, fabric, now)),
        *(found for item in items_of_vault(world, vault_id) for found in _of_item(world, item, now)),
        *_of_jobs(world, vault_id),
    ]
    return sorted(made, key=_moment_of, reverse=True)


def written(found: Event | Happening) -> Event:
    """Return the event that something makes."""
    return found if isinstance(found, Event) else found.event()


def event_named(world: World, vault_id: str, name: str, now: datetime) -> Event | None:
    """Return the event of this name, or None; only those of its moment are looked at."""
    digits = name.partition(";")[2].partition("_")[0]
    ticks = _LARGEST - int(digits) if digits.isdigit() else None
    for found in happenings(world, vault_id, now):
        if isinstance(found, Happening) and _ticks(found.at) != ticks:
            continue
        event = written(found)
        if event.name.casefold() == name.casefold():
            return event
    return None


def _moment_of(found: Event | Happening) -> datetime:
    return found.at


def _ticks(at: datetime) -> int:
    """Return a moment as a Windows file time: steps of 100 ns since 1601."""
    since = at - _FILE_TIME_BEGINS
    return (since.days * 86400 + since.seconds) * 10_000_000 + since.microseconds * 10


def _of_servers(world: World, fabric: Fabric, now: datetime) -> Iterator[Happening]:
    for server in fabric.servers:
        yield Happening("ServerHealthy", fabric.registered, server.server_id, server.name, fabric.id)
        since = fabric_details.silent_since(world, fabric, server.name, now)
        if since is not None:
            role = kind_of(fabric).role
            errors = fabric_details.server_health_errors(world, fabric, server.name, now, role=role)
            yield Happening("ServerSilent", since, server.server_id, server.name, fabric.id, errors=tuple(errors))


def _of_item(world: World, item: ProtectedItem, now: datetime) -> Iterator[Happening]:
    fabric = fabric_of(world, item)
    happening = partial(
        Happening,
        about=item.id,
        affected=item.friendly_name,
        fabric_id=fabric.id,
        correlation_id=item.correlation_id,
        details=partial(_details, item, fabric),
    )
    replication = item.replication
    if replication is not None and replication.protected_at is not None:
        yield happening("VmHealthy", replication.protected_at)
    errors = [error for error in health.errors(world, item, now) if error["errorCategory"] == "Replication"]
    if errors:
        critical = any(error["errorLevel"] == "Error" for error in errors)
        since = [_moment(error["creationTimeUtc"]) for error in errors if error["creationTimeUtc"] != UNSET]
        began = min(since) if since else _begun(item, now)
        yield happening("VmCritical" if critical else "VmWarning", began, errors=tuple(errors))


def _of_jobs(world: World, vault_id: str) -> Iterator[Happening]:
    for job in world.operations.values():
        failed = job.state == "Failed" and job.scenario is not None and job.part_of is None
        if failed and job.ended and same_id(job.vault_id, vault_id):
            yield _of_job(job, job.ended)


def _of_job(job: Operation, ended: datetime) -> Happening:
    name = job.target.object_name if job.target else ""
    specific = {
        "instanceType": "JobStatus",
        "jobId": job.job_id,
        "jobFriendlyName": job.friendly_name,
        "jobStatus": job.state,
        "affectedObjectType": job.target.instance_type if job.target else None,
    }
    words = (("job", job.friendly_name), ("name", name))
    return Happening("JobFailed", ended, job.guid, name, None, specific=specific, words=words)


def _details(item: ProtectedItem, fabric: Fabric) -> dict[str, Any]:
    row = rules.table("events")["details"].get(item.provider, {})
    words = {
        "item": item.name,
        "machine": item.friendly_name,
        "machine_id": item.source_id or item.machine_id,
        "fabric": fabric.friendly_name,
        "location": fabric.location,
    }
    shown = {name: value.format(**words) if isinstance(value, str) else value for name, value in row.items()}
    return {"instanceType": item.provider, **shown}


def _begun(item: ProtectedItem, now: datetime) -> datetime:
    """Return when an error without a time of its own began: with the job that failed (recorded: 310056 has none)."""
    return item.running.started if item.running else now


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def event_errors(event: Event, *, old: bool) -> list[dict[str, Any]]:
    """Return healthErrors of an event; those of 2017 (``old``) tell neither source nor level (recorded)."""
    if not old:
        return event.errors
    names = ("errorCode", "summaryMessage", "errorMessage", "possibleCauses", "recommendedAction", "creationTimeUtc")
    blank = {"errorSource": None, "errorType": None, "errorLevel": None}
    tail = {"recoveryProviderErrorMessage": None, "entityId": None}
    return [{**blank, **{name: error.get(name) for name in names}, **tail} for error in event.errors]


def occurred(event: Event) -> str:
    """Return timeOfOccurrence."""
    return iso7(event.at)
