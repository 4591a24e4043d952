"""What the vault's appliance is called on the wire, and what one sweep of the vault saw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from asr_migrate.domain.lifecycle import AzureVm

Json = Mapping[str, Any]
Names = Callable[[Json], Iterable[str]]


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
    appliance is registered. ``behind`` names the items (by id, lower case) whose rows are older than a job that is
    known, and says why: nothing may be decided from such a row. A machine whose row is missing although it was enabled,
    or was listed before, stands there by its friendly name or its item's name.

    Every question about one machine is answered from a dictionary that is made when it is first asked for: a wave of
    thousands costs no more a machine than one of ten.
    """

    items: tuple[Json, ...] = ()
    jobs: tuple[Json, ...] = ()
    vms: tuple[AzureVm, ...] = ()
    sources: tuple[Json, ...] = ()
    site: Site | None = None
    behind: Mapping[str, str] = field(default_factory=dict)

    def job(self, name: str | None) -> Json | None:
        """Return the job of this name, compared without case."""
        return self._jobs_by_name.get((name or "").lower())

    def jobs_about(self, *names: str | None) -> tuple[Json, ...]:
        """Return the jobs whose target has one of these names or GUIDs, each once, in the order of the list."""
        found = {number for name in names if name for number in self._jobs_by_target.get(name.lower(), ())}
        return tuple(self.jobs[number] for number in sorted(found))

    def item_named(self, name: str) -> Json | None:
        """Return the protected item of this resource name, compared without case."""
        return self._items_by_name.get(name.lower())

    def indexed(self, rows: Literal["items", "sources"], names: Names) -> Mapping[str, tuple[Json, ...]]:
        """Return the rows by every name that ``names`` gives them, lower case.

        ``names`` is a function of a module, not made anew for each call: the index is kept under it.
        """
        key = (rows, names)
        if key not in self._indexes:
            index: dict[str, list[Json]] = {}
            for row in getattr(self, rows):
                for name in {str(name).lower() for name in names(row) if name}:
                    index.setdefault(name, []).append(row)
            self._indexes[key] = {name: tuple(found) for name, found in index.items()}
        return self._indexes[key]

    def vm_named(self, group: str, name: str) -> AzureVm | None:
        """Return the VM of this name in this resource group, compared without case."""
        return self._vms_by_name.get((group.lower(), name.lower()))

    def vms_tagged(self, group: str, tag: str, value: str) -> tuple[AzureVm, ...]:
        """Return the VMs of this resource group that carry this tag."""
        return tuple(self._vms_by_tag.get((group.lower(), tag, value), ()))

    @cached_property
    def _jobs_by_name(self) -> dict[str, Json]:
        return {str(job.get("name", "")).lower(): job for job in self.jobs if job.get("name")}

    @cached_property
    def _jobs_by_target(self) -> dict[str, list[int]]:
        index: dict[str, list[int]] = {}
        for number, job in enumerate(self.jobs):
            properties = job.get("properties") or {}
            for name in (properties.get("targetObjectName"), properties.get("targetObjectId")):
                if name:
                    index.setdefault(str(name).lower(), []).append(number)
        return index

    @cached_property
    def _items_by_name(self) -> dict[str, Json]:
        return {str(item.get("name", "")).lower(): item for item in self.items}

    @cached_property
    def _indexes(self) -> dict[tuple[str, Names], Mapping[str, tuple[Json, ...]]]:
        return {}

    @cached_property
    def _vms_by_name(self) -> dict[tuple[str, str], AzureVm]:
        return {(vm.resource_group.lower(), vm.name.lower()): vm for vm in self.vms}

    @cached_property
    def _vms_by_tag(self) -> dict[tuple[str, str, str], list[AzureVm]]:
        index: dict[tuple[str, str, str], list[AzureVm]] = {}
        for vm in self.vms:
            for tag, value in vm.tags.items():
                index.setdefault((vm.resource_group.lower(), tag, value), []).append(vm)
        return index


@dataclass(frozen=True)
class Call:
    """One request for a change: the operation of the service, the item it concerns, the body it carries.

    ``operation`` is ``discover``, ``create``, ``update``, the name of an item's action, or ``refreshProvider``, which
    concerns the appliance and no item.
    """

    operation: str
    item: str
    body: Json | None
    item_id: str | None = None


@dataclass(frozen=True)
class Sent:
    """A change that the service took: its job (None when it named none), and the id that the request carried."""

    job_id: str | None
    client_request_id: str


@dataclass(frozen=True)
class Written:
    """A write of an earlier run: when it was last sent, to what, and what came of it.

    ``status`` is the HTTP status of the answer, None when nobody saw one; ``job_id`` the job that the answer named.
    """

    at: datetime
    method: str
    path: str
    client_request_id: str
    status: int | None = None
    job_id: str | None = None
