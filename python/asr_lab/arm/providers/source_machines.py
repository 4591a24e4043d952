"""Source machines as the two kinds of server know them, turned into what a protected item keeps."""

from collections.abc import Mapping
from typing import Any

from asr_lab.arm.estate import HostDescription, HostDisk
from asr_lab.arm.providers.model import ProtectableItem

SourceDisk = tuple[str, str, int, bool]
"""(disk id, name, size in bytes, boot)."""


def classic_disks(item: ProtectableItem) -> list[SourceDisk]:
    """Return the disks the Mobility agent of a protectable item reported; ids are stable for a machine."""
    if item.host is None:
        return []
    first = int(item.name.replace("-", "")[:6], 16)
    windows = item.host.os_type == "Windows"
    return [
        (f"{{{first + number}}}" if windows else disk.name, disk.name, disk.size_bytes, disk.boot)
        for number, disk in enumerate(item.host.disks)
    ]


def discovered_host(properties: Mapping[str, Any]) -> HostDescription:
    """Return the machine that an appliance's discovery wrote down (fields of ServerSites/machines)."""
    system = properties["operatingSystemDetails"]
    adapters = properties["networkAdapters"]
    return HostDescription(
        host_id=str(properties["biosGuid"]).lower(),
        host_name=str(properties["fqdn"] or properties["displayName"]),
        addresses=tuple(address for adapter in adapters for address in adapter["ipAddressList"]),
        os_type="Windows" if str(system["osType"]).lower().startswith("windows") else "Linux",
        os_name=str(system["osName"]),
        disks=tuple(
            HostDisk(str(disk["id"]), int(disk["maxSizeInBytes"]), number == 0)
            for number, disk in enumerate(properties["disks"])
        ),
        bios_id=str(properties["biosGuid"]),
        mac=str(adapters[0]["macAddress"]) if adapters else "",
        firmware="UEFI" if str(properties["firmware"]).upper() == "UEFI" else "BIOS",
        cores=int(properties["numberOfProcessorCore"]),
        memory_mb=int(properties["allocatedMemoryInMB"]),
        agent_version=None,
    )


def discovered_disks(properties: Mapping[str, Any]) -> list[SourceDisk]:
    """Return the disks of a discovered machine; the first one is the boot disk."""
    return [
        (str(disk["diskId"]), str(disk["id"]), int(disk["maxSizeInBytes"]), number == 0)
        for number, disk in enumerate(properties["disks"])
    ]


def machine_properties(host: HostDescription, *, account_id: str, appliance: str) -> dict[str, Any]:
    """Return the properties of a machine under ServerSites as the Site Recovery documentation's sample shows them."""
    windows = host.os_type == "Windows"
    return {
        "displayName": host.host_name,
        "fqdn": host.host_name,
        "runAsAccountId": account_id,
        "appliancePropertiesCollection": [
            {"runAsAccountId": account_id, "applianceName": appliance, "status": "Registered"}
        ],
        "hydratedFqdn": None,
        "firmware": host.firmware,
        "biosGuid": host.bios_id,
        "biosSerialNumber": host.bios_id,
        "numberOfProcessorCore": host.cores,
        "allocatedMemoryInMB": float(host.memory_mb),
        "operatingSystemDetails": {
            "osType": "WindowsGuest" if windows else "LinuxGuest",
            "osName": host.os_name,
            "osVersion": "",
            "osArchitecture": "64-bit",
        },
        "disks": [
            {
                "diskId": disk_id(host, number),
                "generatedId": disk_id(host, number),
                "id": disk.name,
                "maxSizeInBytes": disk.size_bytes,
                "diskType": "BasicDisk" if windows else "Disk",
                "lun": number,
                "path": disk.name,
            }
            for number, disk in enumerate(host.disks)
        ],
        "networkAdapters": [
            {
                "nicId": host.mac,
                "macAddress": host.mac,
                "ipAddressList": list(host.addresses),
                "networkName": "Ethernet" if windows else "eth0",
                "ipAddressType": "Dhcp",
            }
        ],
        "errors": [],
        "isDeleted": False,
    }


def disk_id(host: HostDescription, number: int) -> str:
    """Return the id of a disk, a GUID made from the machine's own."""
    return f"{host.bios_id.lower()[:-2]}{number:02x}"
