"""Long-running operations, which in Site Recovery are jobs at the same time (one GUID names both).

An operation is data: when it began and ends, its tasks, what it works on, how it fails. ``World.begin`` makes one and
puts it on the schedule. The job bodies (``replicationJobs``) are made from it by ``resources/jobs.py``.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from asr_lab.arm.wire import Response, capital, iso7, iso7_whole

Style = Literal["site_recovery", "vault", "provider"]
State = Literal["InProgress", "Succeeded", "Failed", "Cancelled"]
TaskState = Literal["NotStarted", "InProgress", "Succeeded", "Failed", "Other"]
Moment = Callable[[datetime], None]
Result = Literal["target", "nothing"] | Callable[[datetime], Any]

RETRY_AFTER_S: Mapping[Style, int] = {"site_recovery": 30, "vault": 60, "provider": 10}
"""Virtual seconds; the HTTP server turns them into wall seconds by the lab's speed."""


@dataclass(frozen=True)
class OperationError:
    """Why an operation failed, with everything a job's error entry holds.

    ``code`` is the service error (a numeric string), ``provider_code`` the provider's (0: none). ``task`` names the
    task that failed; without it the last one did. ``restartable`` offers Restart on the failed job.
    """

    code: str
    message: str
    possible_causes: str = ""
    recommended_action: str = ""
    provider_code: int = 0
    provider_message: str = ""
    provider_causes: str = ""
    provider_action: str = ""
    provider_error_id: str = ""
    task: str | None = None
    restartable: bool = True

    def body(self) -> dict[str, Any]:
        """Return the error as an operation's status body carries it."""
        return {"code": self.code, "message": self.message, "details": None}


class OperationFailed(Exception):
    """Raised by an ``on_done`` callback to make its operation end as Failed."""

    def __init__(self, error: OperationError) -> None:
        super().__init__(f"{error.code}: {error.message}")
        self.error = error


@dataclass(frozen=True)
class Task:
    """A step of a job. ``skipped`` ones end as Other, though the job succeeds (recorded for container mappings)."""

    name: str
    friendly_name: str = ""
    duration_s: float = 0.0
    skipped: bool = False


@dataclass(frozen=True)
class Target:
    """What a job works on: ``targetObjectId`` (a GUID), ``targetObjectName`` and ``targetInstanceType``."""

    object_id: str
    object_name: str
    instance_type: str = "ProtectionEntity"


@dataclass(frozen=True)
class TaskProgress:
    """Where a task stands at one moment; times are None before they are known."""

    task: Task
    state: TaskState
    started: datetime | None
    ended: datetime | None


@dataclass
class Operation:
    """One long-running operation; times are virtual. ``seq`` orders operations by their beginning."""

    guid: str
    seq: int
    target_id: str
    style: Style
    started: datetime
    due: datetime
    scenario: str | None = None
    friendly_name: str = ""
    tasks: Sequence[Task] = ()
    target: Target | None = None
    custom_details: dict[str, Any] = field(default_factory=dict)
    result: Result = "target"
    fail: OperationError | None = None
    warning: OperationError | None = None
    on_done: Moment | None = None
    on_failed: Callable[[datetime, OperationError], None] | None = None
    location: str = ""
    client_request_id: str = ""
    activity_id: str = ""
    state: State = "InProgress"
    ended: datetime | None = None
    error: OperationError | None = None

    @property
    def running(self) -> bool:
        """Return whether the operation has not ended."""
        return self.ended is None

    @property
    def vault_id(self) -> str:
        """Return the id of the vault that the operation belongs to, beginning with ``/Subscriptions/``; else empty."""
        segments = self.target_id.split("/")
        lower = [segment.casefold() for segment in segments]
        if "vaults" not in lower:
            return ""
        return capital("/".join(segments[: lower.index("vaults") + 2]))

    @property
    def job_id(self) -> str:
        """Return the id of the job, ``/Subscriptions/.../replicationJobs/{guid}``."""
        return f"{self.vault_id}/replicationJobs/{self.guid}"

    @property
    def name(self) -> str:
        """Return the last segment of the URLs: the GUID, which vaults wrap in base64 (recorded exchanges)."""
        return base64.b64encode(f"2047;{self.guid}".encode()).decode() if self.style == "vault" else self.guid

    @property
    def subscription_id(self) -> str:
        """Return the subscription that the operation's target lies in."""
        return self.target_id.strip("/").split("/")[1]

    @property
    def provider(self) -> str:
        """Return the namespace of the target, such as Microsoft.Compute."""
        segments = self.target_id.strip("/").split("/")
        lower = [segment.casefold() for segment in segments]
        return segments[lower.index("providers") + 1] if "providers" in lower else "Microsoft.Resources"

    def status_path(self) -> str:
        """Return the path of the status URL."""
        match self.style:
            case "site_recovery":
                return f"{self.vault_id}/replicationOperationStatus/{self.guid}"
            case "vault":
                return f"{self.target_id}/operationStatus/{self.name}"
            case "provider":
                return (
                    f"/subscriptions/{self.subscription_id}/providers/{self.provider}"
                    f"/locations/{self.location}/operations/{self.guid}"
                )

    def result_path(self) -> str:
        """Return the path of the result URL."""
        match self.style:
            case "site_recovery":
                return f"{capital(self.target_id)}/operationresults/{self.guid}"
            case "vault":
                return f"{self.target_id}/operationResults/{self.name}"
            case "provider":
                return self.status_path().replace("/operations/", "/operationResults/")

    def headers(self) -> dict[str, str]:
        """Return the headers that lead to status and result; paths become URLs when the answer leaves the world."""
        headers = {
            "Azure-AsyncOperation": self.status_path(),
            "Location": self.result_path(),
            "Retry-After": str(RETRY_AFTER_S[self.style]),
        }
        if self.style == "site_recovery":
            headers["x-ms-request-id"] = self.job_id
        return headers

    def accepted(self) -> Response:
        """Return the 202 that starts the operation: an empty body and the headers of the recorded answers."""
        return Response(202, self.headers())

    def status(self) -> Response:
        """Return the answer of the status URL; its shape is that of the recorded exchanges."""
        match self.style:
            case "site_recovery":
                return Response(200, {}, self._site_recovery_status())
            case "vault":
                body: dict[str, Any] = {"id": self.status_path(), "name": self.name, "status": self.state}
                if self.error:
                    body["error"] = self.error.body()
                return Response(200, self.headers() if self.running else {}, body)
            case "provider":
                body = {"startTime": iso7(self.started), "status": self.state, "name": self.guid}
                if self.ended:
                    body["endTime"] = iso7(self.ended)
                if self.error:
                    body["error"] = {"code": self.error.code, "message": self.error.message}
                return Response(200, {"Retry-After": str(RETRY_AFTER_S["provider"])} if self.running else {}, body)

    def _site_recovery_status(self) -> dict[str, Any]:
        told = self.error or self.warning
        return {
            "error": told.body() if told else None,
            "id": None,
            "name": self.guid,
            "properties": None,
            "status": self.state,
            "startTime": iso7(self.started),
            "endTime": iso7_whole(self.ended) if self.ended else None,
            "percentComplete": None,
        }

    def progress(self, now: datetime) -> list[TaskProgress]:
        """Return where each task stands at ``now``; the tasks share the operation's time in proportion to their own."""
        total_s = sum(task.duration_s for task in self.tasks)
        span = self.due - self.started
        shares = [task.duration_s / total_s if total_s else 1 / len(self.tasks) for task in self.tasks]
        failing = self._failing_task() if self.state == "Failed" else None
        seen: list[TaskProgress] = []
        begin, stopped = self.started, False
        for task, share in zip(self.tasks, shares, strict=True):
            end = begin + span * share
            if stopped:
                seen.append(TaskProgress(task, "NotStarted", None, None))
            elif task is failing:
                seen.append(TaskProgress(task, "Failed", min(begin, self.ended or begin), self.ended))
                stopped = True
            elif self.state in ("Succeeded", "Failed") or end <= now:
                seen.append(TaskProgress(task, "Other" if task.skipped else "Succeeded", begin, end))
            elif begin <= now:
                seen.append(TaskProgress(task, "InProgress", begin, None))
            else:
                seen.append(TaskProgress(task, "NotStarted", None, None))
            begin = end
        return seen

    def _failing_task(self) -> Task | None:
        if not self.tasks or self.error is None:
            return None
        return next((task for task in self.tasks if task.name == self.error.task), self.tasks[-1])


def guid_of(name: str) -> str:
    """Return the GUID inside the last segment of an operation's URL, in lower case."""
    try:
        return base64.b64decode(name, validate=True).decode().partition(";")[2].casefold() or name.casefold()
    except (binascii.Error, UnicodeDecodeError):
        return name.casefold()


def after(now: datetime, seconds: float) -> datetime:
    """Return the moment ``seconds`` after ``now``."""
    return now + timedelta(seconds=seconds)
