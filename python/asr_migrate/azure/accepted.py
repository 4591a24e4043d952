"""What the answer to a change says: that it was taken, and which job began."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable
from typing import Any

from asr_migrate.domain.site import Sent

OK, NOT_A_SUCCESS = 200, 300


def job_name(headers: Any) -> str:
    """Return the job that an answer names: the last segment of x-ms-request-id or of Azure-AsyncOperation.

    Source: recorded exchanges; the operation, its job and both poll addresses share one GUID.
    """
    for header in ("x-ms-request-id", "Azure-AsyncOperation"):
        value = str(headers.get(header) or "").split(",")[0].split("?")[0]
        if "/" in value:
            return value.rstrip("/").rpartition("/")[2]
    return ""


class Acceptance:
    """One change on its way: options for the SDK's call that set the client request id and catch the job's name.

    The id is known before the request is sent, so that a change whose answer never came can be looked for by it: the
    service repeats it in the job's ``activityId``.
    """

    def __init__(self, client_request_id: str | None = None) -> None:
        self.client_request_id = client_request_id or str(uuid.uuid4())
        self._job: str | None = None
        self._status = 0

    @property
    def options(self) -> dict[str, Any]:
        """Return keyword arguments of an SDK operation."""
        return {"request_id": self.client_request_id, "raw_response_hook": self._remember}

    def _remember(self, response: Any) -> None:
        self._job = job_name(response.http_response.headers) or None
        self._status = response.http_response.status_code

    @property
    def taken(self) -> bool:
        """Whether the service has taken the change. A 200 that names no job may be the page of a proxy."""
        return OK <= self._status < NOT_A_SUCCESS and (self._status != OK or self._job is not None)

    async def of(self, call: Awaitable[object]) -> Sent:
        """Await the SDK's call that carries ``options`` and return what began.

        The SDK may fail on an answer that took the change (a header it cannot parse, a body cut off); what was taken is
        taken, so such an error is none. Raises every other error of the SDK.
        """
        try:
            await call
        except Exception:
            if not self.taken:
                raise
        return self.sent

    @property
    def sent(self) -> Sent:
        return Sent(self._job, self.client_request_id)
