"""Long-running operations, which in Site Recovery are jobs at the same time (one GUID names both).

An operation is data: when it began and ends, its tasks, what it works on, how it fails. ``World.begin`` makes one and
puts it on the schedule. The job bodies (``replicationJobs``) are made from it by ``resources/job_bodies.py``.

Tasks and their job are not in step (recorded): the first task begins after its job, some jobs still run when all their
tasks have ended, and some succeed while a task says InProgress for good. ``rules/jobs.yml`` says which.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from asr_lab.arm.providers import rules
from asr_lab.arm.wire import Request, Response, capital, iso7, iso7_whole

Style = Literal["site_recovery", "vault", "provider"]
State = Literal["InProgress", "Suspended", "Succeeded", "Failed", "Cancelled"]
StepState = Literal["NotStarted", "InProgress", "Suspended", "Succeeded", "Failed", "Cancelled", "Other"]
Moment = Callable[[datetime], None]
Result = Literal["target", "nothing"] | Callable[[datetime], Any]

RETRY_AFTER_S: Mapping[Style, int] = {"site_recovery": 30, "vault": 60, "provider": 10}
"""Virtual seconds; the HTTP server turns them into wall seconds by the lab's speed."""

FIRST_TASK_S = 0.5
"""Seconds from a job's start to that of its first task (recorded: 0.2 to 6 s)."""

_STATUS: Mapping[str, str] = {"Suspended": "InProgress", "Cancelled": "Canceled"}
"""How a status URL words states that only jobs have; Canceled is Resource Manager's final state (chosen)."""


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


CANCELLED = OperationError("Cancelled", "The job was cancelled.", restartable=False)
"""What is told to those who clean up after a job that a client cancelled; job and status show no error."""


class OperationFailed(Exception):
    """Raised by an ``on_done`` callback to make its operation end as Failed."""

    def __init__(self, error: OperationError) -> None:
        super().__init__(f"{error.code}: {error.message}")
        self.error = error


@dataclass(frozen=True)
class Task:
    """What a job does, in order. ``duration_s`` is weighed against that of the other tasks.

    ``task_id`` is empty where the service made up a GUID. ``skipped`` ones end as Other (recorded for a shutdown that
    nobody asked for). ``left`` is the state in which a finished job leaves the task when it is not Succeeded.
    """

    name: str
    friendly_name: str = ""
    duration_s: float = 0.0
    skipped: bool = False
    task_id: str = ""
    left: StepState | None = None


@dataclass(frozen=True)
class Target:
    """What a job works on: ``targetObjectId`` (a GUID), ``targetObjectName`` and ``targetInstanceType``."""

    object_id: str
    object_name: str
    instance_type: str = "ProtectionEntity"


@dataclass
class Step:
    """Where a task stands; times are None before they are known.

    The steps of most jobs are computed when they are looked at (``Operation.progress``); those of a recovery plan's job
    are kept in ``Operation.steps`` and move on with the plan. ``details`` becomes customDetails; a step with ``group``
    (groupTaskCustomDetails without its childTasks) holds ``children``, or what ``work`` is doing.
    """

    name: str
    friendly_name: str = ""
    task_id: str = ""
    state: StepState = "NotStarted"
    started: datetime | None = None
    ended: datetime | None = None
    failing: bool = False
    allowed: list[str] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=lambda: {"instanceType": "TaskDetails"})
    group: dict[str, Any] | None = None
    children: list["Step"] = field(default_factory=list)
    work: "Operation | None" = None
    errors: list[OperationError] = field(default_factory=list)


@dataclass
class Operation:
    """One long-running operation; times are virtual. ``seq`` orders operations by their beginning.

    ``due`` is when a running operation will end; one that others end (a recovery plan's job) does not know. ``request``
    is what began it: restarting the job asks for it again. ``part_of`` is the job of the recovery plan that this one is
    a part of; such jobs are not listed. ``acts_on`` is the job that this operation cancels or resumes, which is
    ``closing`` meanwhile. ``description`` tells more than ``state``.
    """

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
    on_cancelled: Moment | None = None
    on_resumed: Callable[[datetime, str], None] | None = None
    location: str = ""
    client_request_id: str = ""
    activity_id: str = ""
    request: Request | None = None
    restarted: bool = False
    closing: bool = False
    part_of: "Operation | None" = None
    acts_on: "Operation | None" = None
    steps: list[Step] = field(default_factory=list)
    state: State = "InProgress"
    description: str = ""
    ended: datetime | None = None
    error: OperationError | None = None

    @property
    def running(self) -> bool:
        """Return whether the operation has not ended."""
        return self.ended is None

    @property
    def allowed_actions(self) -> list[str]:
        """Return what may be asked of the job: Cancel, Resume, Restart (recorded; Resume: documentation)."""
        if self.running:
            if self.closing or not rules.scenario(self.scenario or "").get("cancel", True):
                return []
            return ["Cancel", "Resume"] if self.state == "Suspended" else ["Cancel"]
        again = self.request is not None and not self.restarted and self.part_of is None
        return ["Restart"] if again and self.error is not None and self.error.restartable else []

    def stop(self, now: datetime, reason: OperationError) -> None:
        """End a running job as Cancelled, without its change; what it works on stays as a failure would leave it."""
        if not self.running:
            return
        self.ended = self.due = now
        self.state, self.description = "Cancelled", ""
        if self.on_cancelled:
            self.on_cancelled(now)
        elif self.on_failed:
            self.on_failed(now, reason)

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

    def status(self, now: datetime) -> Response:
        """Return the answer of the status URL at ``now``; its shape is that of the recorded exchanges."""
        match self.style:
            case "site_recovery":
                return Response(200, {}, self._site_recovery_status(now))
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

    def _site_recovery_status(self, now: datetime) -> dict[str, Any]:
        told = self.error or self.warning
        row = rules.scenario(self.scenario) if self.scenario else {}
        begun = after(self.started, row.get("begins_s", 0.0))
        waiting = self.running and now < begun
        return {
            "error": told.body() if told else None,
            "id": None,
            "name": self.guid,
            "properties": None,
            "status": "NotStarted" if waiting else _STATUS.get(self.state, self.state),
            "startTime": None if waiting else iso7(begun),
            "endTime": iso7_whole(self.ended) if self.ended else None,
            "percentComplete": None,
        }

    def progress(self, now: datetime) -> list[Step]:
        """Return where each task stands at ``now``; the tasks share the operation's time in proportion to their own."""
        if self.steps:
            return self.steps
        tasks = self.tasks or self._tasks_of_scenario()
        total_s = sum(task.duration_s for task in tasks)
        first_s, last_s = self._margins_s()
        begin, stopped = after(self.started, first_s), False
        span = self.due - self.started - timedelta(seconds=first_s + last_s)
        moment = self.ended or now
        failing = self._failing(tasks)
        seen: list[Step] = []
        for number, task in enumerate(tasks):
            share = task.duration_s / total_s if total_s else 1 / len(tasks)
            end = begin + span * share
            step = Step(task.name, task.friendly_name, task.task_id or f"{self.activity_id[:-2]}{number:02x}")
            if not stopped:
                stopped = self._place(step, task, begin, end, moment, failing=task is failing)
            seen.append(step)
            begin = end
        return seen

    def _place(
        self, step: Step, task: Task, begin: datetime, end: datetime, moment: datetime, *, failing: bool
    ) -> bool:
        """Fill in where a task stands; return whether the job went no further."""
        done = self.state == "Succeeded" or (self.state == "Failed" and not failing) or end <= moment
        if failing:
            step.failing = True
            step.state = rules.scenario(self.scenario).get("failing_task", "Failed") if self.scenario else "Failed"
            step.started = min(begin, moment)
            step.ended = moment if step.state == "Failed" else None
            return True
        if task.skipped:
            step.state = "Other" if done else "NotStarted"
        elif self.state == "Succeeded" and task.left:
            step.state, step.started = task.left, begin if task.left != "NotStarted" else None
        elif done:
            step.state, step.started, step.ended = "Succeeded", begin, end
        elif begin <= moment and self.state == "Cancelled":
            step.state, step.started, step.ended = "Cancelled", begin, moment
        elif begin <= moment:
            step.state, step.started = "InProgress", begin
        return False

    def _failing(self, tasks: Sequence[Task]) -> Task | None:
        if not tasks or self.error is None:
            return None
        return next((task for task in tasks if self.error.task in (task.task_id or None, task.name)), tasks[-1])

    def _margins_s(self) -> tuple[float, float]:
        """Return the seconds before the first task begins and after the last one has ended."""
        if self.tasks or not self.scenario:
            return 0.0, 0.0
        row = rules.scenario(self.scenario)
        span_s = max(0.0, (self.due - self.started).total_seconds())
        late_s = row.get(f"lag_s_{self.custom_details.get('provider')}", 0.0)
        return min(row.get("first_task_s", FIRST_TASK_S), span_s / 4), min(late_s, span_s / 4)

    def _tasks_of_scenario(self) -> list[Task]:
        if not self.scenario:
            return []
        tasks: list[Task] = []
        begin = 0.0
        for row in rules.scenario_tasks(self.scenario, self.custom_details.get("provider")):
            skipped = row.get("when") == "asked" and not self.custom_details.get("asked")
            end = begin if skipped else float(row["until"])
            name, text = str(row["name"]), str(row["text"])
            tasks.append(Task(name, text, end - begin, skipped, str(row.get("id") or ""), row.get("left")))
            begin = end
        return tasks


def guid_of(name: str) -> str:
    """Return the GUID inside the last segment of an operation's URL, in lower case."""
    try:
        return base64.b64decode(name, validate=True).decode().partition(";")[2].casefold() or name.casefold()
    except (binascii.Error, UnicodeDecodeError):
        return name.casefold()


def after(now: datetime, seconds: float) -> datetime:
    """Return the moment ``seconds`` after ``now``."""
    return now + timedelta(seconds=seconds)
