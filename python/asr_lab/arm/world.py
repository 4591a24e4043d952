"""The world of Azure: what exists, what is under way, and how requests change it. No input or output, no clock.

Every method takes ``now``. Reading never changes the world: what is due happens because time passed, in the order in
which it was due, before the request is looked at. Callers in several threads hold ``lock``; ``handle`` and ``advance``
take it themselves.
"""

import heapq
import random
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm import headers, routes
from asr_lab.arm.estate import ListedHosts, SourceHosts
from asr_lab.arm.exchange_log import ExchangeLog, LogEntry, entry
from asr_lab.arm.faults import Fault, Faults
from asr_lab.arm.operations import (
    Moment,
    Operation,
    OperationError,
    OperationFailed,
    Result,
    Style,
    Target,
    Task,
    after,
    guid_of,
)
from asr_lab.arm.providers import rules
from asr_lab.arm.stale import StaleReads
from asr_lab.arm.store import ResourceStore
from asr_lab.arm.throttle import Allowance, Throttle, Throttled
from asr_lab.arm.wire import ArmError, Request, Response, resource_not_found

Summary = Callable[["World", datetime], Any]
SUMMARIES: dict[str, Summary] = {}
"""What ``World.summary`` tells, by key; resource modules add theirs when they are imported."""


class World:
    """One Azure. ``seed`` decides its GUIDs; ``hosts`` are the machines that Site Recovery sees.

    ``keep_answers`` makes the log keep answers too, so that it can be exported as a session. ``kept`` is for modules
    that keep something for the whole world, by key. A pickled world has everything but ``lock`` and ``hosts``.
    """

    def __init__(self, hosts: SourceHosts | None = None, seed: int = 0) -> None:
        routes.load()
        self.hosts: SourceHosts = hosts or ListedHosts()
        self.seed = seed
        self.lock = threading.RLock()
        self.keep_answers = False
        self._changes = 0
        self.faults = Faults()
        self.throttle = Throttle()
        self.reset()

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: everything but the lock and the hosts."""
        with self.lock:
            return {name: value for name, value in vars(self).items() if name not in ("lock", "hosts")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickled world; it sees no hosts until ``hosts`` is set."""
        routes.load()
        vars(self).update(state)
        self.lock = threading.RLock()
        self.hosts = ListedHosts()

    def reset(self) -> None:
        """Make the world empty again: no resources, operations, faults or log, and the GUIDs begin anew."""
        with self.lock:
            self._changes = self.changes + 1
            self.resources = ResourceStore()
            self.operations: dict[str, Operation] = {}
            self.faults = Faults()
            self.throttle = Throttle()
            self.log = ExchangeLog()
            self.kept: dict[str, Any] = {}
            self._due: list[tuple[datetime, int, Moment]] = []
            self._seq = 0
            self._random = random.Random(self.seed)
            self._request: Request | None = None
            self._stale = StaleReads()

    @property
    def changes(self) -> int:
        """Return a number that moves whenever the world may have changed: a write, something due, a planted rule."""
        return self._changes + self.faults.changes + self.throttle.changes

    def guid(self) -> str:
        """Return the next GUID; the sequence depends on the seed only."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def number(self, bits: int) -> int:
        """Return the next number of ``bits`` bits of the same sequence."""
        return self._random.getrandbits(bits)

    # Time

    def at(self, due: datetime, callback: Moment) -> None:
        """Call ``callback(due)`` when time reaches ``due``; callbacks due at the same moment keep their order."""
        self._seq += 1
        heapq.heappush(self._due, (due, self._seq, callback))

    def after(self, now: datetime, seconds: float, callback: Moment) -> None:
        """Call ``callback`` ``seconds`` after ``now``."""
        self.at(after(now, seconds), callback)

    def advance(self, now: datetime) -> None:
        """Let everything happen that is due up to ``now``, in order, also what becomes due by it."""
        with self.lock:
            while self._due and self._due[0][0] <= now:
                due, _, callback = heapq.heappop(self._due)
                self._changes += 1
                callback(due)

    # Requests

    def handle(self, request: Request, now: datetime) -> Response:
        """Return the answer to ``request``; never raises. A status of 0 asks the server to break the connection."""
        with self.lock:
            allowance = self.throttle.untouched(request)
            try:
                self.advance(now)
                allowance = self.throttle.take(request, now)
                response = self._answer(request, now)
            except Throttled as refused:
                allowance, response = refused.allowance, refused.response()
            except ArmError as error:
                response = error.response()
            except Exception as error:
                response = ArmError(500, "InternalServerError", f"The simulator failed: {error!r}").response()
            return self._told(request, response, now, allowance)

    def refuse(self, request: Request, error: ArmError, now: datetime) -> Response:
        """Return the answer to a request that ``error`` keeps from being looked at, such as one without a token."""
        with self.lock:
            return self._told(request, error.response(), now, self.throttle.untouched(request))

    def _told(self, request: Request, response: Response, now: datetime, allowance: Allowance) -> Response:
        """Complete the headers of an answer and write it into the log."""
        if response.status:
            headers.finish(request, response, now, allowance, f"{self.seed}:{self.log.seen}")
        logged = entry(request, response, now, keep_answer=self.keep_answers)
        self._changes += logged.is_write
        self.log.append(logged)
        return response

    def _answer(self, request: Request, now: datetime) -> Response:
        delay_s = self.faults.delay_s(request)
        fault = self.faults.answer(request)
        if fault and not fault.after_effect:
            response = fault.response(request)
        else:
            response = self._read_or_change(request, now)
            response = fault.response(request) if fault else response
        response.delay_s = delay_s
        return response

    def _read_or_change(self, request: Request, now: datetime) -> Response:
        if not self.faults.has_stale_reads:
            return self.dispatch(request, now)
        if request.method != "GET":
            self._stale.before_change(request, now, partial(self.dispatch, now=now))
            return self.dispatch(request, now)
        age_s = self.faults.stale_s(request)
        fresh = partial(self.dispatch, now=now)
        return self._stale.read(request, now, age_s, fresh) if age_s else fresh(request)

    def dispatch(self, request: Request, now: datetime) -> Response:
        """Return what the resource's handler answers, without faults, log or common headers; raises ArmError."""
        found, parameters = routes.find(request, partial(self._location_of, request.path))
        self._check_scope(request)
        before, self._request = self._request, request
        try:
            return found.answer({**parameters, "world": self, "request": request, "now": now})
        finally:
            self._request = before

    def _check_scope(self, request: Request) -> None:
        """Refuse what lies in a subscription, a resource group or a top-level resource that does not exist."""
        segments = [segment for segment in request.path.split("/") if segment]
        if len(segments) < 2 or segments[0].casefold() != "subscriptions":
            return
        if f"/subscriptions/{segments[1]}" not in self.resources:
            raise ArmError(404, "SubscriptionNotFound", f"The subscription '{segments[1]}' could not be found.")
        if len(segments) <= 4 or segments[2].casefold() != "resourcegroups":
            return
        group = "/" + "/".join(segments[:4])
        if group not in self.resources:
            raise ArmError(404, "ResourceGroupNotFound", f"Resource group '{segments[3]}' could not be found.")
        if len(segments) <= 8 or "operation" in segments[8].casefold():
            return
        top = "/" + "/".join(segments[:8])
        if top not in self.resources:
            raise resource_not_found(f"{segments[5]}/{segments[6]}", segments[7], segments[3])

    # Operations

    def begin(
        self,
        now: datetime,
        *,
        target_id: str,
        duration_s: float | None,
        on_done: Moment | None = None,
        scenario: str | None = None,
        friendly_name: str = "",
        tasks: Sequence[Task] = (),
        target: Target | None = None,
        custom_details: Mapping[str, Any] | None = None,
        fail: OperationError | None = None,
        warning: OperationError | None = None,
        on_failed: Callable[[datetime, OperationError], None] | None = None,
        result: Result = "target",
        style: Style = "site_recovery",
        location: str = "",
    ) -> Operation:
        """Begin an operation on ``target_id`` that ends after ``duration_s`` virtual seconds, and return it.

        With None as duration nothing ends it but ``finish`` or ``cancel`` (the job of a recovery plan).
        When its time is over ``on_done(due)`` makes the change; it may raise OperationFailed. With ``fail`` the
        operation ends as Failed instead, and ``on_failed(due, error)`` is called. A planted fault for the scenario
        acts like ``fail``, a planted warning like ``warning``. ``result`` is what the result URL answers in the end:
        ``"target"`` the resource's own GET (204 when it is gone), ``"nothing"`` 204, or a function of the moment that
        returns a body. ``location`` is needed by the style "provider".
        """
        name = target.object_name if target else target_id.rpartition("/")[2]
        guid = self.guid()
        headers = self._request.headers if self._request else {}
        self._seq += 1
        operation = Operation(
            guid=guid,
            seq=self._seq,
            target_id=target_id,
            style=style,
            started=now,
            due=after(now, duration_s or 0.0),
            scenario=scenario,
            friendly_name=friendly_name,
            tasks=tuple(tasks),
            target=target,
            custom_details=dict(custom_details or {}),
            result=result,
            fail=fail or self.faults.job(scenario or "", name, target_id),
            warning=warning or self.faults.warning(scenario or "", name, target_id),
            on_done=on_done,
            on_failed=on_failed,
            location=location,
            client_request_id=headers.get("x-ms-client-request-id", ""),
            activity_id=self.guid(),
            request=self._request,
        )
        self.operations[guid.casefold()] = operation
        if duration_s is not None:
            self.at(operation.due, partial(self._end, operation))
        return operation

    def start(self, now: datetime, **settings: Any) -> Response:
        """Begin an operation (settings as for ``begin``) and return the 202 that tells the client where to look."""
        return self.begin(now, **settings).accepted()

    def finish(self, operation: Operation, now: datetime, error: OperationError | None = None) -> None:
        """End a running operation: as Failed with ``error``, else with its change. A second end does nothing."""
        if not operation.running:
            return
        operation.ended = operation.due = now
        try:
            if error is None and operation.on_done:
                operation.on_done(now)
        except OperationFailed as failure:
            error = failure.error
        operation.state = "Failed" if error else "Succeeded"
        operation.error = error
        if error and operation.on_failed:
            operation.on_failed(now, error)

    def _end(self, operation: Operation, due: datetime) -> None:
        self.finish(operation, due, operation.fail)

    def cancel(self, operation: Operation, now: datetime) -> None:
        """End a running operation as Cancelled, without its change."""
        if operation.running:
            operation.ended = operation.due = now
            operation.state = "Cancelled"

    def operation(self, name: str) -> Operation | None:
        """Return the operation whose URLs end in ``name``, or None."""
        return self.operations.get(guid_of(name))

    # Looking at it from outside

    def effect(self, effect: str, **seen: str) -> Fault | None:
        """Return the planted fault with this effect that fits what is seen (such as ``name=``), used once, or None."""
        return self.faults.effect(effect, **seen)

    def planted(self, effect: str, **seen: str) -> Fault | None:
        """Return the planted fault with this effect that fits what is seen, without using it, or None."""
        return self.faults.planted(effect, **seen)

    def duration_s(self, provider: str, step: str, **seen: str) -> float:
        """Return how long ``step`` takes with ``provider`` ("any": all), in virtual seconds, at the pace planted.

        ``seen`` is what pace rows select by besides: ``name`` (the item's friendly name) and ``location``; without a
        location that of the vault counts which the present request goes to.
        """
        seconds = rules.duration_s(provider, step)
        if not self.faults.rows:
            return seconds
        if "location" not in seen and self._request:
            seen["location"] = self._location_of(self._request.path)
        return self.faults.pace(seconds, provider=provider, step=step, **seen)

    def _location_of(self, path: str) -> str:
        """Return the region of the top-level resource that a path leads into, empty when it tells none."""
        found = self.resources.get("/".join(path.split("/")[:9]))
        return str(found.get("location", "")) if isinstance(found, Mapping) else ""

    @property
    def writes(self) -> list[LogEntry]:
        """Return the log's requests that could change something."""
        return [logged for logged in self.log if logged.is_write]

    def summary(self, now: datetime) -> dict[str, Any]:
        """Return what there is and what is under way, for people and tests; no secrets."""
        with self.lock:
            self.advance(now)
            return {name: tell(self, now) for name, tell in SUMMARIES.items()}
