"""Every error of asr-migrate, and the catalogue that gives a service's code its cause and remedy.

    AsrMigrateError
    |-- InputError          what the user wrote is wrong: place, value, remedy
    |-- SetupError          something must be prepared first (a package, a vault, an appliance, a sign-in)
    |-- RefusedError        the step is not legal from where the machine stands; nothing was sent
    |-- ServiceError        Azure answered with an error, or an operation ended in one; code, transient, status
    |-- DeadlineError       the time given ran out; nothing was cancelled
    `-- WireError           an answer that does not have the shape this provider speaks

The catalogue is ``error_catalogue.yml`` (codes of the services), ``error_catalogue_symptoms.yml`` (event ids, other
spellings, texts) and ``error_catalogue_own.yml`` (our own): code -> cause, remedy, transient; or ``same``, the code of
another row. It speaks where the service is silent; the service's own cause and action win where it gives them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

CATALOGUES = ("error_catalogue.yml", "error_catalogue_symptoms.yml", "error_catalogue_own.yml")


@dataclass(frozen=True)
class CatalogueRow:
    """What is known about one error code."""

    code: str
    cause: str
    remedy: str
    transient: bool = False


@cache
def catalogue() -> Mapping[str, CatalogueRow]:
    """Return every row of the catalogue by code."""
    raw: dict[str, dict[str, Any]] = {}
    for name in CATALOGUES:
        text = files(__package__).joinpath(name).read_text(encoding="utf-8")
        raw |= {str(code): row for code, row in yaml.safe_load(text).items()}
    return {code: CatalogueRow(code=code, **(raw[row["same"]] if "same" in row else row)) for code, row in raw.items()}


def lookup(*codes: object) -> CatalogueRow | None:
    """Return the row of the first code that the catalogue knows; codes are numbers or words, None is skipped."""
    for code in codes:
        if code is not None and (row := catalogue().get(str(code))):
            return row
    return None


class AsrMigrateError(Exception):
    """Base of the tree. ``str(error)`` says what happened and to whom; ``cause`` why; ``remedy`` what to do."""

    def __init__(self, message: str, *, code: str | None = None, cause: str | None = None, remedy: str | None = None):
        super().__init__(message)
        self.message = message
        self.code = code
        self.cause = cause
        self.remedy = remedy

    def as_dict(self) -> dict[str, str | None]:
        """Return ``{message, code, cause, remedy}``: the shape that results and reports carry."""
        return {"message": self.message, "code": self.code, "cause": self.cause, "remedy": self.remedy}


class InputError(AsrMigrateError):
    """Something the user wrote is wrong. ``place`` is where it stands, ``value`` what stands there."""

    def __init__(self, place: str, value: object, problem: str, *, remedy: str):
        super().__init__(f"{place}: {problem}", code="InvalidInput", cause=f"{place} is {value!r}", remedy=remedy)
        self.place = place
        self.value = value


class SetupError(AsrMigrateError):
    """Something has to be prepared before this can work."""


class RefusedError(AsrMigrateError):
    """The step asked for is not legal from the stage that was seen; nothing was sent."""


class WireError(AsrMigrateError):
    """An answer does not have the shape that the provider documents."""


class DeadlineError(AsrMigrateError):
    """The time given ran out. What Azure was doing goes on; running again picks it up."""


class ServiceError(AsrMigrateError):
    """Azure refused a request, or an operation ended in failure.

    ``transient`` says whether running again may help without changing anything; ``status`` is the HTTP status, if any.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        cause: str | None = None,
        remedy: str | None = None,
        transient: bool = False,
        status: int | None = None,
    ):
        super().__init__(message, code=code, cause=cause, remedy=remedy)
        self.transient = transient
        self.status = status

    @classmethod
    def from_codes(
        cls,
        message: str,
        codes: Sequence[object],
        *,
        cause: str | None = None,
        remedy: str | None = None,
        status: int | None = None,
    ) -> ServiceError:
        """Build an error from a service's codes, most specific first; the catalogue fills what the service left out.

        An HTTP ``status`` of 408, 429 or 5xx makes it transient whatever the codes are; else the catalogue says.
        """
        row = lookup(*codes)
        known = [str(code) for code in codes if code not in (None, "", 0, "0")]
        return cls(
            message,
            code=row.code if row else (known[0] if known else None),
            cause=cause or (row.cause if row else None),
            remedy=remedy or (row.remedy if row else None),
            transient=_passes(status) or bool(row and row.transient),
            status=status,
        )


def _passes(status: int | None) -> bool:
    """Whether an HTTP status alone says that asking again may help.

    408 and 5xx leave open what was begun, whatever code they carry; 429 says that nothing was.
    """
    return status is not None and (status in (408, 429) or status >= 500)


def job_error(job: Mapping[str, Any], message: str) -> ServiceError:
    """Return what a failed Site Recovery job says: provider code before service code.

    ``job`` is one replicationJobs resource. Each entry of ``properties.errors`` holds ``serviceErrorDetails`` (code,
    message, possibleCauses, recommendedAction) and ``providerErrorDetails`` (errorCode 0 = none).
    Source: Site Recovery job schema, recorded exchanges.
    """
    properties = job.get("properties") or {}
    for entry in properties.get("errors") or ():
        service = entry.get("serviceErrorDetails") or {}
        provider = entry.get("providerErrorDetails") or {}
        if not service and not provider:
            continue
        said = provider.get("errorMessage") or service.get("message") or "no text given"
        return ServiceError.from_codes(
            f"{message}: {said}",
            [provider.get("errorCode") or None, service.get("code")],
            cause=provider.get("possibleCauses") or service.get("possibleCauses"),
            remedy=provider.get("recommendedAction") or service.get("recommendedAction"),
        )
    return ServiceError(f"{message}: the job ended as {properties.get('state')} and gave no error", code="JobFailed")
