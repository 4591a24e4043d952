"""Hyper-V hosts and VMM servers described in JSON, for people who use the lab without a simulated host of their own.

A host of a site that was made by request::

    {"site": "<id of the site's fabric>", "host": "hv-1",
     "machines": [{"name": "sql-1", "disks": [{"size_gib": 40}, {"name": "data", "size_gib": 100}]}]}

A VMM server::

    {"vault": "<id of the vault>", "server": "vmm-1",
     "clouds": [{"name": "Gold", "machines": [...]}],
     "networks": [{"name": "Blue Network", "subnets": {"blue": "10.40.1.0/24"}}]}

A machine may also say ``os`` (Windows or Linux), ``os_known`` (false: the host does not know it), ``generation``,
``cores``, ``memory_mb``, ``network`` (switch or VM network), ``address``, and ``shared_disk``, ``physical_disk``,
``fibre_channel``. Its first disk is the one with the system. Ids follow from the names, so that the same document
registers the same host again.
"""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from asr_lab.arm.estate import HostDescription, RegistrationRefused
from asr_lab.arm.providers.hyper_v_model import VirtualAdapter, VirtualDisk, VirtualMachine
from asr_lab.arm.schema import Flag, ListOf, MapOf, Record, Text, Whole, check
from asr_lab.arm.site_recovery_hyper_v import Cloud, VmNetwork, world_register_hyper_v_host, world_register_vmm
from asr_lab.arm.wire import ArmError
from asr_lab.arm.world import World

_GIB = 1024**3
_MACHINE = Record(
    {
        "name": Text(not_empty=True),
        "disks": ListOf(Record({"name": Text(), "size_gib": Whole(minimum=1)}, ("size_gib",))),
        "os": Text(("Windows", "Linux")),
        "os_known": Flag(),
        "generation": Whole(minimum=1, maximum=2),
        "cores": Whole(minimum=1),
        "memory_mb": Whole(minimum=1),
        "network": Text(),
        "address": Text(),
        "shared_disk": Flag(),
        "physical_disk": Flag(),
        "fibre_channel": Flag(),
    },
    ("name", "disks"),
)
HOST = Record(
    {"site": Text(not_empty=True), "host": Text(not_empty=True), "machines": ListOf(_MACHINE)},
    ("site", "host", "machines"),
)
SERVER = Record(
    {
        "vault": Text(not_empty=True),
        "server": Text(not_empty=True),
        "clouds": ListOf(Record({"name": Text(not_empty=True), "machines": ListOf(_MACHINE)}, ("name", "machines"))),
        "networks": ListOf(Record({"name": Text(not_empty=True), "subnets": MapOf(Text())}, ("name",))),
    },
    ("vault", "server", "clouds"),
)


def register(world: World, document: Any, now: datetime) -> dict[str, str]:
    """Register what a document describes and return ``{"id": ...}``: of the host's provider, or of the server's fabric.

    Raises ArmError 400 for a document that does not fit, and for one that Site Recovery refuses (with its code).
    """
    server = isinstance(document, Mapping) and "server" in document
    given = cast("dict[str, Any]", check(document, SERVER if server else HOST))
    try:
        return {"id": _server(world, given, now) if server else _host(world, given, now)}
    except RegistrationRefused as refused:
        raise ArmError(400, refused.code, refused.message) from refused


def _host(world: World, given: Mapping[str, Any], now: datetime) -> str:
    name = str(given["host"])
    machines = [machine(name, row) for row in given["machines"]]
    host = _description(str(given["site"]), name)
    return world_register_hyper_v_host(world, site_id=str(given["site"]), host=host, machines=machines, now=now)


def _server(world: World, given: Mapping[str, Any], now: datetime) -> str:
    name = str(given["server"])
    clouds = [
        Cloud(row["name"], tuple(machine(row["name"], one) for one in row["machines"])) for row in given["clouds"]
    ]
    networks = [
        VmNetwork(row["name"], tuple((row.get("subnets") or {}).items())) for row in given.get("networks") or ()
    ]
    vault = str(given["vault"])
    return world_register_vmm(
        world, vault_id=vault, host=_description(vault, name), clouds=clouds, networks=networks, now=now
    )


def machine(owner: str, row: Mapping[str, Any]) -> VirtualMachine:
    """Return the virtual machine that a checked row describes; ``owner`` is its host or its cloud."""
    name = str(row["name"])
    disks = tuple(
        VirtualDisk(
            _guid(owner, name, f"disk {number}"),
            disk.get("name") or (f"{name}-{number}" if number else name),
            disk["size_gib"] * _GIB,
            boot=number == 0,
        )
        for number, disk in enumerate(row["disks"])
    )
    adapter = VirtualAdapter(
        _guid(owner, name, "adapter"), row.get("network") or "Virtual Switch", "", row.get("address") or ""
    )
    return VirtualMachine(
        vm_id=_guid(owner, name),
        name=name,
        disks=disks,
        adapters=(adapter,),
        os_type=row.get("os") or "Windows",
        os_reported=row.get("os_known", True),
        generation=row.get("generation") or 1,
        cores=row.get("cores") or 2,
        memory_mb=row.get("memory_mb") or 4096,
        has_shared_vhd=row.get("shared_disk", False),
        has_physical_disk=row.get("physical_disk", False),
        has_fibre_channel=row.get("fibre_channel", False),
    )


def _description(place: str, name: str) -> HostDescription:
    guid = _guid(place.casefold(), name)
    return HostDescription(
        host_id=guid,
        host_name=name,
        addresses=(),
        os_type="Windows",
        os_name="Windows Server 2022",
        disks=(),
        bios_id=guid.upper(),
        mac="",
        firmware="UEFI",
        cores=16,
        memory_mb=65536,
        agent_version=None,
    )


def _guid(*names: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(names)))
