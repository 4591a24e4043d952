"""From what azure-core raises to an error with a code, a cause and a remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from asr_migrate.domain.errors import AsrMigrateError, ServiceError, SetupError, lookup
from asr_migrate.domain.landing_zone import LandingZone

SIGN_IN_REMEDY = (
    "Check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET of the controller and asr_cloud.authority."
)
CONNECTION_REMEDY = "Check asr_cloud.resource_manager, asr_cloud.ca_file, the proxy and the firewall of the controller."


def body_of(error: HttpResponseError) -> Mapping[str, Any]:
    """Return the ``error`` object of the answer, or an empty mapping when there is none."""
    try:
        answer: Any = error.response
        body = answer.json() if answer is not None else {}
    except (AttributeError, ValueError):
        return {}
    if not isinstance(body, Mapping):
        return {}
    inner = body.get("error")
    return inner if isinstance(inner, Mapping) else {}


def translate(error: AzureError, doing: str) -> AsrMigrateError:
    """Return ``error`` in our words; ``doing`` says what was being done, e.g. ``reading vault v``.

    The useful code of a Site Recovery answer is ``error.details[0].code``. Source: recorded exchanges.
    """
    if isinstance(error, ClientAuthenticationError):
        first_line = error.message.splitlines()[0] if error.message else "sign-in failed"
        code = "invalid_client" if "invalid_client" in str(error) else "AuthenticationFailed"
        row = lookup(code)
        return SetupError(
            f"{doing}: Azure did not let us sign in: {first_line}",
            code=code,
            cause=row.cause if row else None,
            remedy=SIGN_IN_REMEDY,
        )
    if not isinstance(error, HttpResponseError):
        return ServiceError(
            f"{doing}: no answer from Azure: {error.message}",
            code="NoAnswer",
            cause="The connection could not be made or broke before the answer",
            remedy=CONNECTION_REMEDY,
            transient=True,
        )
    body = body_of(error)
    details = [detail for detail in body.get("details") or () if isinstance(detail, Mapping)]
    detail = details[0] if details else {}
    return ServiceError.from_codes(
        f"{doing}: {body.get('message') or error.reason or error.message}",
        [detail.get("code"), body.get("code"), error.status_code],
        cause=detail.get("possibleCauses"),
        remedy=detail.get("recommendedAction"),
        status=error.status_code,
    )


def vault_missing(zone: LandingZone, cause: str | None = None) -> SetupError:
    """Return the error of whoever needs a vault that is not there."""
    return SetupError(
        f"vault {zone.vault} does not exist in resource group {zone.resource_group}",
        code="VaultMissing",
        cause=cause,
        remedy="Run the prepare_landing_zone playbook first, or correct asr_landing_zone.vault.",
    )
