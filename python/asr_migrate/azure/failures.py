"""From what azure-core raises to an error with a code, a cause and a remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure.core.exceptions import AzureError, ClientAuthenticationError, DecodeError, HttpResponseError
from azure.core.polling.base_polling import OperationFailed

from asr_migrate.azure.credentials import NoCredentialsError, SignInUnavailableError
from asr_migrate.domain.errors import AsrMigrateError, ServiceError, SetupError, catalogue, lookup
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

    The useful code of a Site Recovery answer is ``error.details[0].code``. Source: recorded exchanges. An answer that
    broke off or cannot be read is no answer, whatever its status: what was asked for may have begun.
    """
    if isinstance(error, SignInUnavailableError):
        return _known("SignInUnavailable", f"{doing}: {first_line(error)}", transient=True)
    if isinstance(error, NoCredentialsError):
        known = catalogue()["NoCredentials"]
        message = f"{doing}: no credentials for Azure were found"
        return SetupError(message, code=known.code, cause=f"{known.cause}. {error.message}", remedy=known.remedy)
    if isinstance(error, ClientAuthenticationError) and not body_of(error):
        code = "invalid_client" if "invalid_client" in str(error) else "AuthenticationFailed"
        row = lookup(code)
        return SetupError(
            f"{doing}: Azure did not let us sign in: {first_line(error)}",
            code=code,
            cause=row.cause if row else None,
            remedy=SIGN_IN_REMEDY,
        )
    if not isinstance(error, HttpResponseError) or _is_broken(error):
        return ServiceError(
            f"{doing}: no answer from Azure: {first_line(error)}",
            code="NoAnswer",
            cause="The connection could not be made or broke before the answer, or the answer is not one of Azure",
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


def _is_broken(error: HttpResponseError) -> bool:
    """Whether an answer never came whole: cut off, undecodable, or a success that the SDK could not follow.

    An operation that ended in failure is told with status 200 and is a whole answer.
    """
    if error.status_code is None or (isinstance(error, DecodeError) and error.status_code < 400):
        return True
    return error.status_code < 300 and not body_of(error) and not isinstance(error.inner_exception, OperationFailed)


def first_line(error: AzureError) -> str:
    """Return the first line of an error's text; what follows it may be a whole page."""
    lines = str(error.message or "").strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _known(code: str, message: str, *, transient: bool) -> ServiceError:
    row = lookup(code)
    return ServiceError(
        message,
        code=code,
        cause=row.cause if row else None,
        remedy=row.remedy if row else None,
        transient=transient,
    )


def still_runs(what: str, after_s: float) -> ServiceError:
    """Return the error of an operation that Azure took and has not ended ``after_s`` service seconds later.

    It is transient: nothing was cancelled, and whoever asks again looks first at what is there.
    """
    return _known(
        "OperationStillRuns",
        f"{what}: Azure took it and still works on it after {after_s / 60:.0f} minutes",
        transient=True,
    )


def vault_missing(zone: LandingZone, cause: str | None = None) -> SetupError:
    """Return the error of whoever needs a vault that is not there."""
    return SetupError(
        f"vault {zone.vault} does not exist in resource group {zone.resource_group}",
        code="VaultMissing",
        cause=cause,
        remedy="Run the prepare_landing_zone playbook first, or correct asr_landing_zone.vault.",
    )
