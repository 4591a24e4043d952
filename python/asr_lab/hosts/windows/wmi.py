"""Windows Management Instrumentation of a lab host: the few classes that are asked for, and ``Get-WmiObject``."""

from collections.abc import Callable, Mapping

from asr_lab.hosts.windows.disks import has_bitlocker, layout
from asr_lab.hosts.windows.errors import PowerShellError
from asr_lab.hosts.windows.state import Host
from asr_lab.hosts.windows.values import Value

CIMV2 = r"root\cimv2"
ENCRYPTION = r"root\cimv2\security\microsoftvolumeencryption"
STORAGE = r"root\microsoft\windows\storage"
SERVER_2012 = 9200
"""The build since which the namespace of storage spaces exists."""

Row = Mapping[str, Value]
"""Members of one object in lower case; a property of what a method returns stands under ``method().property``."""


class UnknownClassError(Exception):
    """A class that real hosts may have and the lab does not know."""


def objects(host: Host, namespace: str, name: str) -> list[Row]:
    """Return the objects of a class.

    Raises PowerShellError where a real host has no such namespace or its service does not run, and UnknownClassError.
    """
    service = host.services.find("Winmgmt")
    if service is None or (service.start == 4 and not service.running):
        raise PowerShellError(
            "Get-WmiObject : The service cannot be started, either because it is disabled or because it has no enabled "
            "devices associated with it. (Exception from HRESULT: 0x80070422)",
            "GetWMICOMException",
        )
    host.services.running.add("winmgmt")
    where = namespace.lower().replace("/", "\\")
    there = {CIMV2: True, ENCRYPTION: has_bitlocker(host), STORAGE: host.flavour.build >= SERVER_2012}
    if where in there and not there[where]:
        raise PowerShellError(f'Get-WmiObject : Invalid namespace "{namespace}"', "GetWMIManagementException")
    read = _CLASSES.get((where, name.lower()))
    if read is None:
        raise UnknownClassError(f"{namespace}:{name}")
    return read(host)


def _partitions(host: Host) -> list[Row]:
    return [
        {"diskindex": disk.number, "index": number, "bootpartition": number == disk.boot}
        for disk in layout(host)
        for number in range(len(disk.letters))
    ]


def _volumes(host: Host) -> list[Row]:
    server = f"\\\\{host.spec.description.host_name.upper()[:15]}\\root\\cimv2"
    return [
        {
            "antecedent": f'{server}:Win32_DiskPartition.DeviceID="Disk #{disk.number}, Partition #{number}"',
            "dependent": f'{server}:Win32_LogicalDisk.DeviceID="{letter}"',
        }
        for disk in layout(host)
        for number, letter in enumerate(disk.letters)
        if letter
    ]


def _processors(host: Host) -> list[Row]:
    return [{"numberofcores": host.physical_cores, "numberoflogicalprocessors": host.spec.description.cores}]


def _computer(host: Host) -> list[Row]:
    domain = host.condition.domain
    memory = host.spec.description.memory_mb << 20
    return [{"totalphysicalmemory": memory, "partofdomain": domain is not None, "domain": domain or "WORKGROUP"}]


def _encryptable(host: Host) -> list[Row]:
    states = {letter: [0, 0] for letter in host.drives()} | host.condition.volumes
    return [
        {"driveletter": letter, "protectionstatus": on, "getconversionstatus().conversionstatus": converted}
        for letter, (on, converted) in sorted(states.items())
    ]


def _virtual_disks(host: Host) -> list[Row]:
    return [{"friendlyname": name} for name in host.condition.storage_spaces]


_CLASSES: dict[tuple[str, str], Callable[[Host], list[Row]]] = {
    (CIMV2, "win32_diskpartition"): _partitions,
    (CIMV2, "win32_logicaldisktopartition"): _volumes,
    (CIMV2, "win32_processor"): _processors,
    (CIMV2, "win32_computersystem"): _computer,
    (ENCRYPTION, "win32_encryptablevolume"): _encryptable,
    (STORAGE, "msft_virtualdisk"): _virtual_disks,
}
