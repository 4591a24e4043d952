"""Which recorded calls are held against the lab: Site Recovery's in full, those to other services by their status."""

from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from asr_lab.contract import paths
from asr_lab.contract.recording import Exchange

Extent = Literal["full", "status", "skip"]
_FULL = frozenset({"microsoft.recoveryservices", "microsoft.offazure"})
_RESOURCE_MANAGER = ("management.azure.com", "management.core.windows.net", "localhost", "127.")


class Treatment(NamedTuple):
    """How far a call is compared, and why not further."""

    extent: Extent
    reason: str = ""


def treatment(exchange: Exchange) -> Treatment:
    """Return how a recorded exchange is compared."""
    host = urlsplit(exchange.url).hostname or ""
    if host and not _is_resource_manager(host):
        return Treatment("skip", f"{host} is not Azure Resource Manager")
    namespace = paths.provider_of(exchange.path)
    if "backup" in exchange.path.casefold().partition("/vaults/")[2]:
        return Treatment("skip", "Azure Backup is not part of the lab")
    if exchange.body_dropped:
        if exchange.method != "GET":
            return Treatment("skip", f"a change of {namespace} whose bodies were not recorded")
        return Treatment("status", f"the body of {namespace} was not recorded")
    if namespace.casefold() not in _FULL:
        return Treatment("status", f"{namespace} is another service")
    return Treatment("full")


def _is_resource_manager(host: str) -> bool:
    return any(host == known or host.endswith(f".{known}") or host.startswith(known) for known in _RESOURCE_MANAGER)
