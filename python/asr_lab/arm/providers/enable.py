"""What items of the InMage family are made of, and why their enable jobs may fail.

What a request gets wrong in itself (unknown property, missing resource) is refused at once; what is wrong with the
world (policy not associated, network missing, agent missing, machine not reachable) fails the job.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from asr_lab.arm.estate import HostDescription
from asr_lab.arm.providers.model import Disk, Fabric, ProtectedItem
from asr_lab.arm.providers.source_machines import SourceDisk
from asr_lab.arm.resources.network import subnet_of
from asr_lab.arm.wire import bad_request, last_segment
from asr_lab.arm.world import World

_GIB = 1024**3
_SIZES = ((1, 4, "Standard_B2s"), (2, 8, "Standard_D2s_v5"), (4, 16, "Standard_D4s_v5"), (8, 32, "Standard_D8s_v5"))


def needed(given: Mapping[str, Any], name: str, place: str = "properties.providerSpecificDetails") -> str:
    """Return a text that the service needs though the models do not say so; raises ArmError 400 without it."""
    found = given.get(name)
    if not found:
        raise bad_request("InvalidParameter", f"'{place}.{name}' is missing or empty; give a value.")
    return str(found)


def placement(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a target that both providers spell alike."""
    return {
        "availability_set_id": given.get("targetAvailabilitySetId") or "",
        "availability_zone": given.get("targetAvailabilityZone") or "",
        "proximity_group_id": given.get("targetProximityPlacementGroupId") or "",
        "license_type": given.get("licenseType") or "NotSpecified",
        "sql_license_type": given.get("sqlServerLicenseType") or "NotSpecified",
    }


def tag_map(rows: Sequence[Mapping[str, str]] | Mapping[str, str] | None) -> dict[str, str]:
    """Return tags by name; one provider writes a list of rows, the other an object."""
    if rows is None:
        return {}
    if isinstance(rows, Mapping):
        return dict(rows)
    return {row["tagName"]: row["tagValue"] for row in rows}


def default_size(host: HostDescription) -> str:
    """Return a size that holds the machine, as the service picks one when none is given."""
    for cores, memory_gib, size in _SIZES:
        if host.cores <= cores and host.memory_mb <= memory_gib * 1024:
            return size
    return "Standard_D16s_v5"


def disks(
    source: list[SourceDisk], included: Sequence[Mapping[str, Any]] | None, default: Mapping[str, Any]
) -> list[Disk]:
    """Return the protected disks: those included, or all of the source with the default settings."""
    by_id = {row[0].casefold(): row for row in source}
    wanted = [(row["diskId"], row) for row in included] if included else [(row[0], default) for row in source]
    made = []
    for disk_id, settings in wanted:
        known_id, name, size, boot = by_id.get(disk_id.casefold(), (disk_id, "", 0, False))
        made.append(
            Disk(
                disk_id=known_id,
                name=name,
                size_bytes=size,
                boot=boot,
                disk_type=settings.get("diskType") or default.get("diskType") or "Standard_LRS",
                log_account_id=settings.get("logStorageAccountId") or default.get("logStorageAccountId"),
                encryption_set_id=settings.get("diskEncryptionSetId"),
            )
        )
    return made


def problem(world: World, item: ProtectedItem, fabric: Fabric) -> str:
    """Return what in the world stands in the way of protecting the item, empty when nothing does."""
    target = item.target
    if fabric.server(item.server_id) is None:
        known = ", ".join(server.server_id for server in fabric.servers)
        return f"processServerId is '{item.server_id}'; the process servers of '{fabric.friendly_name}' are: {known}."
    unseen = not item.host.host_id
    if item.provider == "InMageAzureV2" and unseen and item.discovery == "Physical":
        return f"The Mobility service of '{item.friendly_name}' is not installed or not registered with the server."
    if target.resource_group_id not in world.resources:
        return f"The target resource group '{target.resource_group_id}' does not exist."
    return (
        network_problem(world, target.network_id, target.subnet, fabric.location)
        or network_problem(world, target.test_network_id, target.test_subnet, fabric.location)
        or ("" if unseen else disk_problem(world, item, fabric.location))
    )


def network_problem(world: World, network_id: str, subnet: str, location: str) -> str:
    """Return what is wrong with a target network, empty when nothing is; an empty id is no network."""
    if not network_id:
        return ""
    network = world.resources.get(network_id)
    if network is None:
        return f"The virtual network '{network_id}' does not exist."
    if str(network["location"]).casefold() != location.casefold():
        return f"The virtual network '{network_id}' is in {network['location']}; the target region is {location}."
    if subnet and subnet_of(world, network_id, subnet) is None:
        return f"The virtual network '{last_segment(network_id)}' has no subnet '{subnet}'."
    return ""


def disk_problem(world: World, item: ProtectedItem, location: str) -> str:
    """Return what is wrong with the disks and their storage accounts, empty when nothing is."""
    if not item.disks:
        return f"The machine '{item.friendly_name}' has reported no disks."
    accounts = {disk.log_account_id or item.target.storage_account_id for disk in item.disks}
    for account_id in sorted(account or "" for account in accounts):
        account = world.resources.get(account_id) if account_id else None
        if account is None:
            return f"The storage account '{account_id}' does not exist."
        if str(account["location"]).casefold() != location.casefold():
            return f"The storage account '{account_id}' is in {account['location']}; the target region is {location}."
    for disk in item.disks:
        size_gib = disk.size_bytes / _GIB
        if disk.size_bytes == 0:
            return f"The machine '{item.friendly_name}' has no disk '{disk.disk_id}'."
        limit_gib = 32767 if not disk.boot else 4095 if item.host.firmware == "UEFI" else 2048
        if not 1 <= size_gib <= limit_gib:
            return f"The disk '{disk.name}' has {size_gib:.1f} GiB; supported: 1 to {limit_gib} GiB."
    return ""
