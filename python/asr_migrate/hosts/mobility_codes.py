"""Why installers of the Mobility service fail; tables: ``mobility_exit_codes.yml``, ``mobility_log_texts.yml``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from asr_migrate.domain.errors import SetupError
from asr_migrate.domain.machine import Os

#: Prefix of the names in InstallerErrors.json.
ERROR_PREFIX = "ASRMobilityService"
#: Exit codes of a modernized registration; those without a row of their own share one.
REGISTRATION_CODES = range(120, 150)
#: Success: done, done with warnings, restart begun, restart recommended (Windows Installer documentation).
DONE = (0, 98, 1641, 3010)
#: Of the configurator: 129 says that the appliance's proxy is not registered yet, a success on the platform VmWare.
REGISTERED = (0, 98, 129, 3010)
#: Of unregistering: the machine was not registered any more.
UNREGISTERED = (0, 98, 144, 3010)
#: Of uninstalling: the product was not installed any more.
UNINSTALLED = (0, 1605, 1614, 1641, 3010)

_ERROR_NAME = re.compile(rf"\b{ERROR_PREFIX}(\w+)")
_MESSAGE = re.compile(r'"default_message"\s*:\s*"((?:[^"\\]|\\.)*)"')
_TELLING = re.compile(r"error|fail|refus|denied|exception|invalid|missing|not ", re.IGNORECASE)


@dataclass(frozen=True)
class Known:
    """Why something failed and what to do about it; ``vague`` when a log tells more."""

    cause: str
    remedy: str
    vague: bool = False


@dataclass(frozen=True)
class Table:
    """The rows of the table: by exit code, by error name, and by pattern in the order in which they are tried.

    ``steps`` are those of steps that are not the installer's own, by step and exit code; None is any other code.
    """

    codes: Mapping[Os, Mapping[int, Known]]
    steps: Mapping[Os, Mapping[str, Mapping[int | None, Known]]]
    registration: Known
    errors: Mapping[str, Known]
    texts: tuple[tuple[re.Pattern[str] | str, Known], ...]


@cache
def table() -> Table:
    """Return both tables."""
    raw = _read("mobility_exit_codes.yml") | _read("mobility_log_texts.yml")
    return Table(
        codes={Os.LINUX: _codes(raw["linux"]), Os.WINDOWS: _codes(raw["windows"])},
        steps={family: _steps(raw["steps"][family.value]) for family in (Os.LINUX, Os.WINDOWS)},
        registration=_known(raw["linux_registration"]),
        errors={name: _known(row) for name, row in raw["errors"].items()},
        texts=tuple((re.compile(row["pattern"], re.IGNORECASE), _known(row)) for row in raw["texts"]),
    )


def _read(name: str) -> dict[str, Any]:
    rows: dict[str, Any] = yaml.safe_load(files(__package__).joinpath(name).read_text(encoding="utf-8"))
    return rows


def _codes(rows: Mapping[Any, Mapping[str, Any]]) -> dict[Any, Known]:
    return {code: _known(rows[row["same"]] if "same" in row else row) for code, row in rows.items()}


def _steps(rows: Mapping[str, Mapping[Any, Any]]) -> dict[str, dict[int | None, Known]]:
    whole = {step: rows[row["same"]] if "same" in row else row for step, row in rows.items()}
    return {
        step: {None if code == "other" else code: known for code, known in _codes(row).items()}
        for step, row in whole.items()
    }


def _known(row: Mapping[str, Any]) -> Known:
    return Known(row["cause"], row["remedy"], row.get("vague", False))


def of_code(family: Os, code: int | None) -> Known | None:
    """Return what an exit code means; None for one that nobody documented."""
    known = table().codes[family].get(code if code is not None else -1)
    if known is None and family is Os.LINUX and code in REGISTRATION_CODES:
        return table().registration
    return known


def of_step(family: Os, step: str, code: int | None) -> Known | None:
    """Return what an exit code means that a step has from us or from the shell, not from the installer; else None."""
    rows = table().steps[family].get(step, {})
    return rows.get(code) or rows.get(None)


def of_errors_file(text: str) -> Known | None:
    """Return what the last error name of an InstallerErrors.json means; a name with a number behind it is that name."""
    known = None
    for name in _ERROR_NAME.findall(text):
        known = table().errors.get(name) or table().errors.get(re.sub(r"_\d+$", "", name)) or known
    return known


def of_text(text: str) -> Known | None:
    """Return what a text of an installer of the Mobility service tells."""
    return reason(text, table().texts)


def reason(text: str, known: Sequence[tuple[re.Pattern[str] | str, Known]]) -> Known | None:
    """Return the reason whose pattern matches last in ``text``: logs grow, and only their end is about this attempt."""
    ends = [
        (max(match.end() for match in matches), -place, why)
        for place, (pattern, why) in enumerate(known)
        if (matches := list(re.finditer(pattern, text, 0 if isinstance(pattern, re.Pattern) else re.IGNORECASE)))
    ]
    return max(ends, key=lambda end: end[:2])[2] if ends else None


def last_words(text: str) -> str:
    """Return the last line that tells of a failure, to be put behind a message; empty when there is none."""
    messages = _MESSAGE.findall(text)
    telling = messages or [line for line in text.splitlines() if _TELLING.search(line)]
    return f": {telling[-1].strip().rstrip('.')[:300]}" if telling else ""


def explain(family: Os, step: str, exit_code: int | None, said: str, log: str) -> SetupError:
    """Return the error for a step ("install", "register") that ended with ``exit_code``.

    The errors file tells the reason best, then what the step ``said``, then an exit code that is not vague, then its
    log, which may hold older attempts. An exit code that is not the installer's own is no matter of its logs.
    """
    if ours := of_step(family, step, exit_code):
        return _failed(step, exit_code, in_one_line(said), of_text(said) or ours)
    coded = of_code(family, exit_code)
    known = of_errors_file(log) or of_text(said) or (coded if coded and not coded.vague else None) or of_text(log)
    known = known or coded or Known("The installer gives no known reason.", "Read the installer's log on the host.")
    return _failed(step, exit_code, last_words(said) or last_words(log), known)


def in_one_line(text: str) -> str:
    """Return a short text to be put behind a message; empty when there is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f": {'; '.join(lines)[:300]}" if lines else ""


def _failed(step: str, exit_code: int | None, words: str, known: Known) -> SetupError:
    return SetupError(
        f"the Mobility service: {step} failed with exit code {'unknown' if exit_code is None else exit_code}{words}",
        code="MobilityServiceFailed",
        cause=known.cause,
        remedy=known.remedy,
    )
