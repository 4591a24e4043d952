"""Which api-versions the simulator takes for each resource type, and what depends on them.

Each list holds the defaults of the SDK packages that the project pins, what the Azure CLI asks, and what recordings
used. The known differences between versions are rows of ``rules/versions.yml``.
"""

from dataclasses import dataclass
from functools import cache

from asr_lab.arm.providers.rules import table

SITE_RECOVERY_VERSIONS = (
    "2016-08-10",
    "2018-01-10",
    "2018-07-10",
    "2021-02-10",
    "2021-03-01",
    "2021-04-01",
    "2021-06-01",
    "2021-10-01",
    "2021-11-01",
    "2021-12-01",
    "2022-03-01",
    "2022-04-01",
    "2022-08-01",
    "2022-10-01",
    "2023-01-01",
    "2023-04-01",
    "2023-06-01",
    "2023-08-01",
    "2024-01-01",
    "2024-02-01",
    "2024-04-01",
    "2024-10-01",
    "2025-01-01",
    "2025-02-01",
    "2025-08-01",
    "2026-02-01",
)

VAULT_VERSIONS = (
    "2016-06-01",
    "2018-01-10",
    "2020-02-02",
    "2020-10-01",
    "2021-03-01",
    "2022-04-01",
    "2022-10-01",
    "2023-02-01",
    "2023-04-01",
    "2023-06-01",
    "2024-04-01",
    "2024-10-01",
    "2025-02-01",
    "2025-08-01",
    "2026-07-01",
    "2026-11-01",
)

IN_VAULT_VERSIONS = tuple(sorted({*SITE_RECOVERY_VERSIONS, *VAULT_VERSIONS}))
"""Operation status and results serve both the vault's own operations and Site Recovery's."""

OFF_AZURE_VERSIONS = ("2020-01-01", "2020-07-07", "2023-06-06", "2023-10-01-preview", "2024-05-01-preview")

SUBSCRIPTION_VERSIONS = ("2016-06-01", "2019-11-01", "2020-01-01", "2021-01-01", "2022-12-01")

RESOURCES_VERSIONS = (
    "2019-10-01",
    "2020-06-01",
    "2020-10-01",
    "2021-04-01",
    "2022-09-01",
    "2024-03-01",
    "2024-11-01",
    "2025-04-01",
)

NETWORK_VERSIONS = (
    "2022-01-01",
    "2023-09-01",
    "2024-01-01",
    "2024-05-01",
    "2024-07-01",
    "2025-01-01",
    "2025-05-01",
    "2025-07-01",
    "2026-03-01",
)

STORAGE_VERSIONS = (
    "2021-09-01",
    "2022-09-01",
    "2023-01-01",
    "2023-05-01",
    "2024-01-01",
    "2025-06-01",
    "2025-08-01",
    "2026-09-01",
)

COMPUTE_VERSIONS = (
    "2021-07-01",
    "2023-03-01",
    "2023-09-01",
    "2024-03-01",
    "2024-07-01",
    "2024-11-01",
    "2025-04-01",
    "2026-04-01",
)

DISK_VERSIONS = ("2022-03-02", "2023-04-02", "2023-10-02", "2024-03-02", "2025-01-02", "2026-03-02")


@dataclass(frozen=True)
class Front:
    """The web server that answers: its name, the content type it writes, whether it is named on a 202."""

    server: str
    content_type: str
    named_on_202: bool


@cache
def front(api_version: str) -> Front:
    """Return the web server that answered when this version was recorded; without a version the newest one."""
    rows = table("versions")["front"]
    row = next((row for row in rows if api_version and api_version < row["before"]), rows[-1])
    return Front(row["server"], row["content_type"], row["named_on_202"])


def poll_version(api_version: str) -> str:
    """Return the version that poll URLs name when ``api_version`` was asked."""
    row = table("versions")["poll_version"].get(api_version)
    return str(row["answered"]) if row else api_version


def signs_poll_urls(api_version: str) -> bool:
    """Return whether poll URLs of this version carry the values t, c, s and h."""
    return api_version >= str(table("versions")["signed_poll_urls"]["since"])
