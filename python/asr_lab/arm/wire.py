"""Requests and responses of Azure Resource Manager as plain values, and the formats that its bodies use."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

UNSET = "0001-01-01T00:00:00"
"""How Site Recovery writes a time that is not set: without a zone (recorded exchanges)."""


@dataclass
class Request:
    """One request. ``path`` begins with a slash, decoded; header names are lower case; ``body`` is parsed JSON."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: Any | None = None
    principal: str = ""

    @property
    def api_version(self) -> str:
        """Return the api-version asked for, or an empty string."""
        for name, value in self.query.items():
            if name.lower() == "api-version":
                return value
        return ""

    @property
    def host(self) -> str:
        """Return the host that URLs in the answer point to."""
        return self.headers.get("host", "management.azure.com")


@dataclass
class Response:
    """One answer; a ``body`` of None is empty. URL headers that begin with a slash become absolute on the way out.

    The server holds it back for ``delay_s`` seconds of the clients' time.
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Any | None = None
    delay_s: float = 0.0


class ArmError(Exception):
    """An error answer: HTTP status, the code and message of its body, and what stands under ``details``."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: list[dict[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Return the answer that carries this error in the shape of Azure Resource Manager."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.details is not None:
            error["details"] = self.details
        return Response(self.status, dict(self.headers), {"error": error})


def resource_not_found(provider_type: str, name: str, resource_group: str) -> ArmError:
    """Return the 404 that Resource Manager itself gives for a missing top-level resource (recorded for a vault)."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{provider_type}/{name}' under resource group '{resource_group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def site_recovery_not_found(name: str, *, client_request_id: str = "", activity_id: str = "") -> ArmError:
    """Return the 404 that Site Recovery gives for a missing resource inside a vault (recorded for plans and items)."""
    message = f"Specified resource with name '{name}' does not exist."
    return ArmError(
        404,
        "NotFound",
        message,
        details=[
            {
                "code": "ArmResourceDoesNotExist",
                "message": message,
                "possibleCauses": "Ensure correct resource name was specified.",
                "recommendedAction": "Verify ARM resource name details.",
                "clientRequestId": client_request_id,
                "activityId": activity_id,
            }
        ],
    )


def bad_request(detail_code: str, message: str, *, causes: str = "", action: str = "") -> ArmError:
    """Return a 400 of Site Recovery: ``BadRequest`` with the code that matters under ``details``."""
    detail = {"code": detail_code, "message": message, "possibleCauses": causes, "recommendedAction": action}
    return ArmError(400, "BadRequest", message, details=[detail])


def iso7(moment: datetime) -> str:
    """Return ``moment`` with seven digits of a second and Z, as ``2023-08-26T02:57:25.1234560Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"


def iso7_whole(moment: datetime) -> str:
    """Return ``moment`` cut to whole seconds but written with seven digits; end times of operations look so."""
    return iso7(moment.replace(microsecond=0))


def iso(moment: datetime) -> str:
    """Return ``moment`` in whole seconds with Z, as ``2023-08-26T02:57:25Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def capital(resource_id: str) -> str:
    """Return ``resource_id`` as Site Recovery writes it in bodies: beginning with ``/Subscriptions/``."""
    prefix = "/subscriptions/"
    return "/Subscriptions/" + resource_id[len(prefix) :] if resource_id.lower().startswith(prefix) else resource_id


def same_id(one: str, other: str) -> bool:
    """Return whether two resource ids name the same resource; case and a last slash do not count."""
    return one.rstrip("/").casefold() == other.rstrip("/").casefold()


def group_id(subscription_id: str, resource_group: str) -> str:
    """Return the id of a resource group."""
    return f"/subscriptions/{subscription_id}/resourceGroups/{resource_group}"


def resource_id(subscription_id: str, resource_group: str, provider_type: str, name: str) -> str:
    """Return the id of a top-level resource; ``provider_type`` is such as ``Microsoft.Network/virtualNetworks``."""
    return f"{group_id(subscription_id, resource_group)}/providers/{provider_type}/{name}"


def last_segment(resource_id: str) -> str:
    """Return the name at the end of a resource id."""
    return resource_id.rstrip("/").rpartition("/")[2]
