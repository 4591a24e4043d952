"""Lifts configuration servers and the appliances of a vault: fabrics, and the machines that classic servers know."""

from collections.abc import Mapping
from typing import Any

from asr_lab.arm.estate import HostDisk
from asr_lab.arm.providers.model import RCM_FABRIC, VMWARE_FABRIC, ApplianceServer, Fabric, ProtectableItem
from asr_lab.arm.wire import last_segment
from asr_lab.contract import lift, paths
from asr_lab.contract.lift import GIB, Body, Context, details, lifts_fabric, lifts_protectable, properties
from asr_lab.contract.machines import site_id

lift.POLICIES["InMageRcm"] = {
    "instanceType": "InMageRcm",
    "recoveryPointHistoryInMinutes": 1440,
    "appConsistentFrequencyInMinutes": 0,
    "crashConsistentFrequencyInMinutes": 5,
    "enableMultiVmSync": "true",
}
lift.POLICIES["InMageRcmFailback"] = {
    "instanceType": "InMageRcmFailback",
    "appConsistentFrequencyInMinutes": 60,
    "crashConsistentFrequencyInMinutes": 5,
}
lift.POLICIES["InMageAzureV2"] = {
    "instanceType": "InMageAzureV2",
    "crashConsistentFrequencyInMinutes": 5,
    "recoveryPointThresholdInMinutes": 5,
    "recoveryPointHistory": 1440,
    "appConsistentFrequencyInMinutes": 0,
    "multiVmSyncStatus": "Enabled",
}
lift.POLICIES["InMage"] = {
    "instanceType": "InMage",
    "recoveryPointThresholdInMinutes": 5,
    "recoveryPointHistory": 1440,
    "appConsistentFrequencyInMinutes": 0,
    "multiVmSyncStatus": "Enabled",
}


@lifts_fabric("VMware", "InMageRcm")
def fabric(body: Body, context: Context) -> Fabric:
    """Return a configuration server, or the appliances of a vault, with as many servers as recorded."""
    held, told = properties(body), details(body)
    name = last_segment(str(body["id"]))
    rcm = told.get("instanceType") == "InMageRcm"
    friendly = str(held.get("friendlyName") or (name if rcm else "server"))
    internal = str(held.get("internalIdentifier") or _internal_id(body, context))
    rows = [row for row in told.get("processServers") or () if isinstance(row, Mapping)]
    servers = [_server(row, context) for row in rows] or _named_servers(body, context, friendly)
    made = Fabric(
        id=f"{context.vault_id}/replicationFabrics/{name}",
        name=name,
        kind=RCM_FABRIC if rcm else VMWARE_FABRIC,
        friendly_name=friendly,
        internal_id=internal,
        vault_id=context.vault_id,
        location=context.location,
        servers=servers,
        registered=context.now,
        accounts={
            str(row.get("accountId")): str(row.get("accountName"))
            for row in told.get("runAsAccounts") or ({"accountId": "1", "accountName": "admin"},)
            if isinstance(row, Mapping)
        },
    )
    if rcm:
        made.vmware_site_id = site_id(context, "VMwareSites", told.get("vmwareSiteId"))
        made.physical_site_id = site_id(context, "ServerSites", told.get("physicalSiteId"), needed=False)
    return made


def _internal_id(body: Body, context: Context) -> str:
    """Return the GUID of a fabric: that in the names of its container or its provider, else a new one."""
    start = paths.key(str(body["id"])) + "/"
    for known in context.ids:
        rest = paths.key(known).removeprefix(start) if paths.key(known).startswith(start) else ""
        parts = rest.split("/")
        if len(parts) > 1 and parts[0] == "replicationprotectioncontainers" and parts[1].startswith("cloud_"):
            return parts[1].removeprefix("cloud_")
        if len(parts) > 1 and parts[0] == "replicationrecoveryservicesproviders":
            return parts[1]
    return context.world.guid()


def _server(row: Body, context: Context) -> ApplianceServer:
    name = str(row.get("friendlyName") or row.get("name") or "server")
    host = context.host(name)
    return ApplianceServer(
        server_id=str(row.get("id") or context.world.guid()),
        name=name,
        host=host,
        agent_version=str(row.get("agentVersion") or row.get("version") or "9.44.0.0"),
        fabric_object_id=str(row.get("fabricObjectId") or ""),
    )


def _named_servers(body: Body, context: Context, friendly: str) -> list[ApplianceServer]:
    """Return a server for each id that requests of the session name, at least one."""
    start = paths.key(str(body["id"])) + "/replicationrecoveryservicesproviders/"
    ids = [text for text in context.said.get("processserverid", ()) if text]
    ids += [text for text in context.said.get("sourceprocessserverid", ()) if text]
    ids += [text for text in context.said.get("targetprocessserverid", ()) if text]
    ids += [one.rpartition("/")[2] for one in context.ids if paths.key(one).startswith(start)]
    unique = list(dict.fromkeys(ids)) or [context.world.guid()]
    return [ApplianceServer(one, friendly, context.host(friendly), "9.44.0.0") for one in unique]


@lifts_protectable("VMwareVirtualMachine")
def protectable(body: Body, context: Context) -> ProtectableItem:
    """Return a machine that a configuration server knows, with an agent where one was recorded or is needed."""
    held, told = properties(body), details(body)
    name = last_segment(str(body["id"]))
    friendly = str(held.get("friendlyName") or name)
    linux = str(told.get("osType") or "").upper() == "LINUX"
    address = str(told.get("ipAddress") or "").split(",")[0]
    known = not told or bool(told.get("diskDetails")) or told.get("agentInstalled") == "Installed"
    host = (
        context.host(
            friendly,
            addresses=(address,) if address else (),
            linux=linux,
            disks=_disks(told.get("diskDetails")),
            mac=mac(context),
            agent_version=str(told.get("agentVersion") or "9.44.0.0"),
        )
        if known
        else None
    )
    container = context.container
    if container is None:
        raise LookupError("a protectable item lies in a container")
    return ProtectableItem(
        id=f"{container.id}/replicationProtectableItems/{name}",
        name=name,
        container_id=container.id,
        friendly_name=friendly,
        address=host.address if host else address or context.hosts.free_address(),
        os_type="Linux" if linux else "Windows",
        discovery=str(told.get("discoveryType") or "vCenter"),
        infrastructure_id=str(told.get("vCenterInfrastructureId") or "1"),
        host=host,
    )


def _disks(rows: Any) -> tuple[HostDisk, ...]:
    found = [row for row in rows or () if isinstance(row, Mapping)]
    made = tuple(
        HostDisk(
            str(row.get("diskName") or f"\\\\.\\PHYSICALDRIVE{number}"),
            _size(row.get("diskSizeInMB")),
            str(row.get("diskType") or "") == "OperatingSystem" or number == 0,
        )
        for number, row in enumerate(found)
    )
    return made or (
        HostDisk("\\\\.\\PHYSICALDRIVE0", 32 * GIB, True),
        HostDisk("\\\\.\\PHYSICALDRIVE1", 8 * GIB, False),
    )


def _size(text: Any) -> int:
    return int(float(text)) * 1024**2 if str(text or "").replace(".", "", 1).isdigit() and float(text) else 32 * GIB


def mac(context: Context) -> str:
    """Return the address of a network interface that the session names, or an empty string."""
    return next(iter(context.said.get("nicid", ())), "")
