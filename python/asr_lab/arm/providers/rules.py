"""The lab's tables of Site Recovery behaviour: durations, states, jobs and error texts.

The tables are YAML files next to this package (``rules/``); each row says whether the value was recorded from the
service or chosen by the lab. Nothing here depends on time or on the world.
"""

from collections.abc import Iterable
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, cast

import yaml

Row = dict[str, Any]

_LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader in C, where PyYAML has it, reads the tables ten times as fast."""

IN_MAGE_RCM = "InMageRcm"
IN_MAGE_AZURE_V2 = "InMageAzureV2"


@cache
def table(name: str) -> Row:
    """Return one table by the name of its file; the caller must not change it.

    A long table goes on in files of the same name with an ending: ``jobs.yml``, ``jobs_plans.yml``.
    """
    files = _files(name)
    if not files:
        raise FileNotFoundError(f"there is no table {name}.yml in the lab's rules")
    return united(files)


def united(files: Iterable[Traversable]) -> Row:
    """Return the rows of several files as one table; raises ValueError for a key that stands in two of them."""
    found: Row = {}
    origins: dict[str, str] = {}
    for file in files:
        rows = cast(Row, yaml.load(file.read_text(encoding="utf-8"), _LOADER))
        for key in rows:
            if key in origins:
                raise ValueError(f"{file.name}: '{key}' stands in {origins[key]} already; write it once")
            origins[key] = file.name
        found |= rows
    return found


def _files(name: str) -> list[Traversable]:
    """Return the files of a table, in the order of their names."""
    folder = resources.files("asr_lab.arm.rules")
    named = (file for file in folder.iterdir() if file.name.endswith(".yml"))
    return sorted(
        (file for file in named if file.name == f"{name}.yml" or file.name.startswith(f"{name}_")),
        key=lambda file: file.name,
    )


def duration_s(provider: str, step: str) -> float:
    """Return how long ``step`` takes with ``provider`` ("any": all providers), in seconds of service time."""
    return float(table("durations")[provider][step]["seconds"])


def protection_state(state: str) -> Row:
    """Return text, active_location and allowed operations of a protection state."""
    return cast(Row, table("states")["protection"][state])


def test_failover_state(stage: str) -> Row:
    """Return state and text for a stage of the test failover: NotTested, Active, Failed or CleanedUp."""
    return cast(Row, table("states")["test_failover"][stage])


def scenario(name: str) -> Row:
    """Return the job row of a scenario name such as EnableDr."""
    return cast(Row, table("jobs")[name])


def scenario_tasks(name: str, provider: str | None) -> list[Row]:
    """Return the task rows of a scenario, the provider's own list when there is one."""
    row = scenario(name)
    return cast(list[Row], row.get(f"tasks_{provider}") or row.get("tasks") or [])


def service_error(code: str, **values: str) -> Row:
    """Return code, message, possibleCauses and recommendedAction of a service error, its placeholders filled in."""
    row = table("errors")["service"][code]
    return {
        "code": code,
        "message": row["message"].format(**values),
        "possibleCauses": row["causes"].format(**values),
        "recommendedAction": row["action"].format(**values),
    }


def provider_error(code: str, error_id: str, **values: str) -> Row:
    """Return the providerErrorDetails object of a known provider error."""
    row = table("errors")["provider"][code]
    return {
        "errorCode": int(code),
        "errorMessage": row["message"].format(**values),
        "errorId": error_id,
        "possibleCauses": row["causes"].format(**values),
        "recommendedAction": row["action"].format(**values),
    }


def health_error(code: str, *, entity_id: str, created: str, **values: str) -> Row:
    """Return one entry of ``healthErrors`` as the service writes it since 2021."""
    row = table("errors")["health"][code]
    return {
        "innerHealthErrors": [],
        "errorSource": row["source"],
        "errorType": row["type"],
        "errorLevel": row["level"],
        "errorCategory": row["category"],
        "errorCode": code,
        "summaryMessage": row["summary"],
        "errorMessage": row["message"].format(**values),
        "possibleCauses": row["causes"].format(**values),
        "recommendedAction": row["action"].format(**values),
        "creationTimeUtc": created,
        "recoveryProviderErrorMessage": None,
        "entityId": entity_id,
        "errorId": row["id"],
        "customerResolvability": row["resolvability"],
    }
