"""Discovery sites (Microsoft.OffAzure) of a recorded session, and the machines in them."""

from collections.abc import Mapping
from typing import Any

from asr_lab.arm.estate import HostDescription, HostDisk
from asr_lab.arm.providers.source_machines import machine_properties
from asr_lab.arm.resources.off_azure import add_machine, add_run_as_account, add_site
from asr_lab.arm.wire import last_segment
from asr_lab.contract import paths
from asr_lab.contract.lift import GIB, Body, Context, properties

_TWO_DISKS = (HostDisk("\\\\.\\PHYSICALDRIVE0", 32 * GIB, True), HostDisk("\\\\.\\PHYSICALDRIVE1", 8 * GIB, False))


def site_id(context: Context, kind: str, recorded: Any, *, needed: bool = True) -> str:
    """Return the id of a site, made when it is not there: the recorded one, else any of its kind, else one of ours."""
    wanted = str(recorded or "")
    if not wanted:
        mark = f"/{kind.casefold()}/"
        wanted = next((_up_to(one, mark) for one in context.ids if mark in one.casefold()), "")
    if not wanted:
        if not needed:
            return ""
        group = "/".join(context.vault_id.split("/")[:5])
        wanted = f"{group}/providers/Microsoft.OffAzure/{kind}/site"
    if wanted not in context.world.resources:
        segments = wanted.split("/")
        add_site(
            context.world,
            subscription_id=segments[2],
            resource_group=segments[4],
            name=segments[-1],
            location=context.location,
            now=context.now,
            kind="ServerSites" if segments[-2].casefold() == "serversites" else "VMwareSites",
        )
    return wanted


def put_machine(machine_id: str, context: Context) -> None:
    """Put a discovered machine into its site, as far as it was read; two disks where nothing is told."""
    if machine_id in context.world.resources:
        return
    told = properties(context.told.get(paths.key(machine_id), {}))
    adapters = [row for row in told.get("networkAdapters") or () if isinstance(row, Mapping)]
    first = adapters[0] if adapters else {}
    system = told.get("operatingSystemDetails")
    linux = isinstance(system, Mapping) and "linux" in str(system.get("osType")).casefold()
    host = context.host(
        str(told.get("displayName") or last_segment(machine_id)),
        addresses=tuple(str(one) for one in first.get("ipAddressList") or () if one),
        linux=linux,
        disks=_disks(told.get("disks"), "maxSizeInBytes"),
        mac=str(first.get("macAddress") or "") or next(iter(context.said.get("nicid", ())), ""),
        bios_id=str(told.get("biosGuid") or ""),
    )
    _put(machine_id, host, context)


def put_machine_of(item: Body, friendly_name: str, context: Context) -> tuple[str, HostDescription]:
    """Return the machine (its id, and what it is) that an item of InMageRcm protects, put into its site.

    ``item`` are the item's provider details: the machine gets as many disks, and the address, that they tell.
    """
    wanted = str(item.get("fabricDiscoveryMachineId") or "")
    nics = [row for row in item.get("vmNics") or () if isinstance(row, Mapping)]
    host = context.host(
        friendly_name,
        linux=str(item.get("osType") or "").casefold() == "linux",
        disks=_disks(item.get("protectedDisks"), "capacityInBytes"),
        mac=str(nics[0].get("nicId")) if nics else next(iter(context.said.get("nicid", ())), ""),
    )
    if not wanted:
        wanted = f"{site_id(context, 'VMwareSites', None)}/machines/vcenter_{host.host_id}"
    _put(wanted, host, context)
    return wanted, host


def _put(machine_id: str, host: HostDescription, context: Context) -> None:
    site, _, name = machine_id.rpartition("/machines/")
    site = site_id(context, "", site)
    account = add_run_as_account(
        context.world,
        site,
        context.world.guid(),
        display_name="admin",
        credential_type="WindowsGuest",
        now=context.now,
    )
    made = machine_properties(host, account_id=account, appliance="server")
    add_machine(context.world, site, name, made, now=context.now)


def _disks(rows: Any, size: str) -> tuple[HostDisk, ...]:
    found = [row for row in rows or () if isinstance(row, Mapping)]
    return (
        tuple(
            HostDisk(f"\\\\.\\PHYSICALDRIVE{number}", int(row.get(size) or 32 * GIB), number == 0)
            for number, row in enumerate(found)
        )
        or _TWO_DISKS
    )


def _up_to(resource_id: str, mark: str) -> str:
    """Return an id up to the name that follows ``mark``."""
    start = resource_id.casefold().index(mark) + len(mark)
    return resource_id[:start] + resource_id[start:].split("/")[0]
