"""What the vault's appliance is called on the wire, and what one sweep of the vault saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asr_migrate.domain.lifecycle import AzureVm

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Site:
    """The appliance's side of a vault: names that go into URLs and bodies.

    ``run_as_accounts`` maps an account's name to its id. ``server_site_id`` is the Microsoft.OffAzure site in which a
    replication appliance lists physical servers, None with a configuration server.
    """

    fabric: str
    container: str
    process_server_id: str
    master_target_id: str | None = None
    run_as_accounts: Mapping[str, str] = field(default_factory=dict)
    server_site_id: str | None = None


@dataclass(frozen=True)
class Sweep:
    """One look at everything: the vault's protected items and jobs, and the VMs of the target resource groups.

    ``sources`` are the machines that the appliance knows: protectable items (configuration server) or servers of the
    Microsoft.OffAzure site (replication appliance); empty when nobody asked for them. ``site`` is None while no
    appliance is registered.
    """

    items: tuple[Json, ...] = ()
    jobs: tuple[Json, ...] = ()
    vms: tuple[AzureVm, ...] = ()
    sources: tuple[Json, ...] = ()
    site: Site | None = None

    def job(self, name: str | None) -> Json | None:
        """Return the job of this name, compared without case."""
        wanted = (name or "").lower()
        return next((job for job in self.jobs if str(job.get("name", "")).lower() == wanted), None)


@dataclass(frozen=True)
class Call:
    """One request for a change: the operation of the service, the item it concerns, the body it carries.

    ``operation`` is ``discover``, ``create``, ``update``, or the name of an item's action.
    """

    operation: str
    item: str
    body: Json | None
    item_id: str | None = None
