"""The world in which one recorded session is replayed, and its time."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from asr_lab.arm.operations import Operation, OperationError
from asr_lab.arm.wire import Request, Response, last_segment
from asr_lab.arm.world import World
from asr_lab.contract.hosts import RecordedHosts
from asr_lab.contract.pace import Pace

OWN_VERSION = "2025-08-01"
SEED = 20170919
"""Of the GUIDs of a replay: another one than that of a lab, whose own sessions would name things alike."""
SLOWER = 1.2
"""Initial replication is a little slower than the lab's own, so that a recorded item is never behind ours."""


class RecordedWorld(World):
    """A world whose operations take as long and end as the recorded ones did.

    ``pace`` is what was recorded of the operation that the next request begins; None leaves it to the lab.
    """

    def __init__(self, hosts: RecordedHosts, seed: int) -> None:
        self.pace: Pace | None = None
        self.late_warnings: dict[str, OperationError] = {}
        super().__init__(hosts, seed=seed)

    def begin(
        self,
        now: datetime,
        *,
        target_id: str,
        duration_s: float | None,
        fail: OperationError | None = None,
        warning: OperationError | None = None,
        **settings: Any,
    ) -> Operation:
        """Begin an operation as the lab does, with the recorded duration, failure and warning."""
        pace, self.pace = self.pace, None
        if pace is not None:
            duration_s = pace.duration_s(duration_s)
            fail = fail or pace.fail
            warning = warning or pace.warning
        made = super().begin(now, target_id=target_id, duration_s=duration_s, fail=fail, warning=warning, **settings)
        if pace is not None and pace.late_warning is not None:
            self.late_warnings[made.guid] = pace.late_warning
        return made

    def finish(self, operation: Operation, now: datetime, error: OperationError | None = None) -> None:
        """End an operation as the lab does, with the warning that was recorded of its end."""
        super().finish(operation, now, error)
        late = self.late_warnings.pop(operation.guid, None)
        if operation.error is None and operation.warning is None:
            operation.warning = late

    def duration_s(self, provider: str, step: str, **seen: str) -> float:
        """Return the lab's duration; initial replication is a little slower."""
        return super().duration_s(provider, step, **seen) * (SLOWER if step.startswith("initial_replication") else 1.0)


class Scene:
    """A world before a session begins, and its virtual time."""

    def __init__(self, now: datetime, seed: int = SEED) -> None:
        self.hosts = RecordedHosts()
        self.world = RecordedWorld(self.hosts, seed)
        self.now = now

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        api_version: str = OWN_VERSION,
        query: Mapping[str, str] | None = None,
    ) -> Response:
        """Return the lab's answer to a request of our own."""
        request = Request(method, path, {"api-version": api_version, **(query or {})}, {}, body, "recorded")
        return self.world.handle(request, self.now)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        self.world.advance(self.now)

    def do(self, method: str, path: str, body: Any = None) -> Operation:
        """Make a change, let it end, and return its operation; raises LookupError when the lab refuses it."""
        response = self.ask(method, path, body)
        operation = self.world.operation(last_segment(response.headers.get("x-ms-request-id", "")))
        if response.status != 202 or operation is None:
            raise LookupError(f"{method} {path} was answered {response.status}: {response.body}")
        self.now = max(self.now, operation.due)
        self.world.advance(self.now)
        return operation
