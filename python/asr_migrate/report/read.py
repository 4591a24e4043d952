"""Reading what a wave report needs: one look at the vault, the recovery points, the Azure VMs' addresses."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Any, TypeVar

from asr_migrate.azure.client import AzureClients
from asr_migrate.azure.journal import RunResult
from asr_migrate.domain.errors import ServiceError
from asr_migrate.domain.lifecycle import AzureVm
from asr_migrate.domain.wave import Wave
from asr_migrate.engine.port import Provider, SiteRecovery
from asr_migrate.report.collect import (
    Assessed,
    failover_job,
    job_row,
    names_of,
    recovery_point_id,
    recovery_point_time,
    wave_report,
    with_assessment,
)
from asr_migrate.report.model import EarlierPoint, WaveReport, steps_of

AT_ONCE = 8
NOT_FOUND = 404
T = TypeVar("T")

AddressOf = Callable[[AzureVm], Awaitable[str | None]]


async def _each(rows: Sequence[T], read: Callable[[T], Awaitable[Any]]) -> list[Any]:
    """Return ``read`` of every row, in their order, a few at a time."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(row: T) -> Any:
        async with gate:
            return await read(row)

    return list(await asyncio.gather(*(one(row) for row in rows)))


async def private_address(clients: AzureClients, vm: AzureVm) -> str | None:
    """Return the private address of the VM's first network adapter, or None when it has none any more."""
    doing = f"reading the address of {vm.name}"
    found = await clients.find(clients.compute.virtual_machines.get(vm.resource_group, vm.name), doing)
    nics = found.network_profile.network_interfaces if found and found.network_profile else []
    if not nics:
        return None
    group, name = nics[0].id.split("/")[4], nics[0].id.split("/")[-1]
    nic = await clients.find(clients.network.network_interfaces.get(group, name), doing)
    configurations = nic.ip_configurations if nic else []
    return str(configurations[0].private_ip_address) if configurations else None


async def read_wave(
    name: str,
    wave: Wave,
    port: SiteRecovery,
    provider: Provider,
    address_of: AddressOf,
    *,
    assessment: Mapping[str, Assessed],
    earlier: Mapping[str, EarlierPoint],
    results: Mapping[str, RunResult] = MappingProxyType({}),
    now: datetime | None = None,
) -> WaveReport:
    """Return the report of a wave as it stands now; nothing is changed.

    ``assessment`` is what the assess role kept of each machine, by its name. ``earlier`` are the recovery points of an
    earlier report: once a migration is complete, Site Recovery does not tell them any more. ``results`` are what the
    last run said of each machine, ``now`` is the service's time.

    Raises SetupError when the vault does not exist, ServiceError when Azure does not answer.
    """
    machines = [with_assessment(machine, assessment.get(machine.name, {})) for machine in wave.machines]
    sweep = await port.sweep(wave.resource_groups, with_sources=False)
    points = {machine.name: recovery_point_id(provider.item(machine, sweep)) for machine in machines}
    known = {name: point for name, point in points.items() if point}
    times = dict(zip(known, await _each(list(known.values()), partial(_point_time, port)), strict=True))
    rows = [job_row(job) for job in sweep.jobs]
    for machine in machines:
        job = failover_job(steps_of(names_of(machine), rows))
        before = earlier.get(machine.name)
        if job and before and before.job == job and machine.name not in times:
            times[machine.name] = before.time
    vms = [vm for machine in machines if (vm := provider.observe(machine, sweep).vm)]
    addresses = dict(zip((vm.id.lower() for vm in vms), await _each(vms, address_of), strict=True))
    return wave_report(
        name,
        wave.landing_zone,
        machines,
        sweep,
        provider.observe,
        findings={key: row.get("findings") or () for key, row in assessment.items()},
        recovery_points={key: time for key, time in times.items() if time},
        addresses=addresses,
        results=results,
        now=now,
    )


async def _point_time(port: SiteRecovery, identifier: str) -> datetime | None:
    """Return the time of a recovery point; None when the service has given it up meanwhile."""
    try:
        return recovery_point_time(await port.item(identifier))
    except ServiceError as error:
        if error.status != NOT_FOUND:
            raise
        return None
