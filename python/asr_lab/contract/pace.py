"""How long a recorded operation took and how it ended, for the lab's operation in its place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asr_lab.arm.operations import OperationError
from asr_lab.contract.facts import Poll, RecordedOperation
from asr_lab.contract.recording import moment

SHORTEST_S = 2.0
"""The shortest operation: long enough to be read as not started, running and ended one after the other."""
_STILL_S = 60.0


@dataclass(frozen=True)
class Pace:
    """``ended_s``/``running_s``: seconds after its start at which it was first seen ended and last seen running.

    ``told_s`` is what its last poll says that it took.
    """

    ended_s: float | None = None
    running_s: float | None = None
    told_s: float | None = None
    fail: OperationError | None = None
    warning: OperationError | None = None
    late_warning: OperationError | None = None
    """What only a poll after its end told, while earlier ones did not."""

    def duration_s(self, usual_s: float | None) -> float | None:
        """Return the duration of ours: ``usual_s`` when no end was recorded, None when it ends by what it waits for."""
        if usual_s is None:
            return None
        running_s = self.running_s or 0.0
        if self.ended_s is None:
            return max(usual_s, SHORTEST_S, running_s + _STILL_S if running_s else 0.0)
        told_s = self.told_s if self.told_s is not None else (running_s + self.ended_s) / 2
        return max(SHORTEST_S, running_s + SHORTEST_S / 2, min(told_s, self.ended_s))


def pace_of(operation: RecordedOperation) -> Pace:
    """Return what was recorded of an operation that the session begins."""
    begun = operation.begun.time if operation.begun else None
    end = operation.end
    warning = _warning(operation)
    late = len(operation.polls) > 1 and not operation.polls[0].error
    return Pace(
        ended_s=_between(begun, end.exchange.time) if end else None,
        running_s=_between(begun, operation.last_running),
        told_s=_told_s(end) if end else None,
        fail=_failure(operation) if operation.failed else None,
        warning=None if late else warning,
        late_warning=warning if late else None,
    )


def _between(begun: datetime | None, moment: datetime | None) -> float | None:
    if begun is None or moment is None or moment < begun:
        return None
    return (moment - begun).total_seconds()


def _told_s(end: Poll) -> float | None:
    """Return the seconds between the start and the end that a poll tells, None when it does not tell both."""
    answer = end.exchange.answer
    told: Mapping[str, Any] = end.job or (answer if isinstance(answer, Mapping) else {})
    return _between(moment(told.get("startTime")), moment(told.get("endTime")))


def _failure(operation: RecordedOperation) -> OperationError:
    jobs = [poll.job for poll in operation.polls if poll.job and poll.state == "Failed"]
    if jobs:
        found = error_of_job(jobs[0])
        if found is not None:
            return found
    told = next((poll.error for poll in operation.polls if poll.error), None) or {}
    return OperationError(str(told.get("code") or "1"), str(told.get("message") or "recorded as failed"))


def _warning(operation: RecordedOperation) -> OperationError | None:
    if operation.failed:
        return None
    told = next((poll.error for poll in operation.polls if poll.error), None)
    if told is None or not told.get("code"):
        return None
    return OperationError(str(told["code"]), str(told.get("message") or ""))


def error_of_job(job: Mapping[str, Any]) -> OperationError | None:
    """Return the first error of a recorded job (its ``properties``) as the lab holds errors, or None."""
    errors = [row for row in job.get("errors") or () if isinstance(row, Mapping)]
    if not errors:
        return None
    service = _object(errors[0].get("serviceErrorDetails"))
    provider = _object(errors[0].get("providerErrorDetails"))
    number = provider.get("errorCode")
    return OperationError(
        code=str(service.get("code") or "1"),
        message=str(service.get("message") or ""),
        possible_causes=str(service.get("possibleCauses") or ""),
        recommended_action=str(service.get("recommendedAction") or ""),
        provider_code=number if isinstance(number, int) else 0,
        provider_message=str(provider.get("errorMessage") or ""),
        provider_causes=str(provider.get("possibleCauses") or ""),
        provider_action=str(provider.get("recommendedAction") or ""),
        provider_error_id=str(provider.get("errorId") or ""),
        task=str(errors[0].get("taskId") or "") or None,
        restartable="Restart" in (job.get("allowedActions") or ()),
    )


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
