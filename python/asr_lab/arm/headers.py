"""What every answer leaves with: the headers of Resource Manager and of the service behind it, the ids in an error."""

import hashlib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote

from asr_lab.arm import versions
from asr_lab.arm.exchange_log import error_code
from asr_lab.arm.throttle import Allowance
from asr_lab.arm.wire import Request, Response

_URL_HEADERS = ("Azure-AsyncOperation", "Location")
_VAULTS = "/microsoft.recoveryservices/"
_ARM_CODES = frozenset(
    {
        "InvalidApiVersionParameter",
        "InvalidResourceType",
        "MethodNotAllowed",
        "MissingApiVersionParameter",
        "NoRegisteredProviderFound",
        "ResourceGroupNotFound",
        "ResourceNotFound",
        "SubscriptionNotFound",
        "SubscriptionRequestsThrottled",
    }
)
"""Errors that Resource Manager gives before a request reaches the service behind it."""

_CLIENT_REQUEST_ID = "x-ms-client-request-id"
_EPOCH = datetime(1, 1, 1, tzinfo=UTC)


def finish(request: Request, response: Response, now: datetime, allowance: Allowance, identity: str) -> None:
    """Complete the headers of ``response``. ``identity`` is one of a kind for each request: ids are made from it."""
    headers = response.headers
    for name in _URL_HEADERS:
        if headers.get(name, "").startswith("/"):
            headers[name] = poll_url(request, headers[name], now)
    headers.setdefault("Date", format_datetime(now.replace(microsecond=0), usegmt=True))
    headers.setdefault("Cache-Control", "no-cache")
    front = versions.front(request.api_version)
    served = _VAULTS in request.path.casefold() and error_code(response) not in _ARM_CODES
    if response.body is not None:
        headers.setdefault("Content-Type", front.content_type if served else "application/json; charset=utf-8")
    if served and (front.named_on_202 or response.status != 202):
        headers.setdefault("Server", front.server)
    for name, value in allowance.headers().items():
        headers.setdefault(name, value)
    one = str(uuid.uuid5(uuid.NAMESPACE_OID, identity))
    headers.setdefault("x-ms-request-id", one)
    headers.setdefault("x-ms-correlation-request-id", request.headers.get("x-ms-correlation-request-id", one))
    headers.setdefault("x-ms-routing-request-id", f"LAB:{now.astimezone(UTC):%Y%m%dT%H%M%SZ}:{one}")
    if served and response.status >= 400:
        _identify(request, response, one)


def _identify(request: Request, response: Response, activity_id: str) -> None:
    """Give each detail of a Site Recovery error the two ids that the recorded ones have, where they are missing."""
    error = response.body.get("error") if isinstance(response.body, dict) else None
    for detail in (error.get("details") or []) if isinstance(error, dict) else []:
        if "possibleCauses" in detail:
            detail["clientRequestId"] = detail.get("clientRequestId") or request.headers.get(_CLIENT_REQUEST_ID, "")
            detail["activityId"] = detail.get("activityId") or activity_id


def poll_url(request: Request, path: str, now: datetime) -> str:
    """Return the URL of a status or a result.

    Those of Site Recovery, which begin with a capital ``/Subscriptions/``, name the version that the service answered
    with and are signed since 2023; those of vaults and of other providers are neither (recorded).
    """
    of_site_recovery = path.startswith("/Subscriptions/")
    version = versions.poll_version(request.api_version) if of_site_recovery else request.api_version
    url = f"https://{request.host}{path}?api-version={version}"
    if not of_site_recovery or not versions.signs_poll_urls(request.api_version):
        return url
    return url + "".join(f"&{name}={quote(value)}" for name, value in _signature(path, now))


def _signature(path: str, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield the values that sign a poll URL: its time in ticks, and three that only the service can read.

    Clients follow the URL as it is, so the simulator makes them up and never looks at them.
    """
    passed = now - _EPOCH
    yield "t", str(passed.days * 864_000_000_000 + passed.seconds * 10_000_000 + passed.microseconds * 10)
    for name in ("c", "s", "h"):
        yield name, "lab-" + hashlib.sha256(f"{name}:{path}".encode()).hexdigest()[:40]


def sent(response: Response) -> Iterator[tuple[str, str]]:
    """Yield the headers as they are sent; an ``x-ms-request-id`` that names a job comes twice (recorded)."""
    for name, value in response.headers.items():
        yield name, value
        if name == "x-ms-request-id" and value.startswith("/") and response.status == 202:
            yield name, value
