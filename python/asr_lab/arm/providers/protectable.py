"""Protectable items as the API writes them: of a configuration server or of a Hyper-V host.

Recorded: machines of a configuration server (``VMwareVirtualMachine``, also physical ones) and of a Hyper-V host
(``HyperVVirtualMachine``).
"""

from typing import Any

from asr_lab.arm.providers.hyper_v_model import MACHINE_TYPE, HyperVProtectable, VirtualDisk, VirtualMachine
from asr_lab.arm.providers.model import Fabric, ProtectableItem
from asr_lab.arm.providers.scope import OLDEST
from asr_lab.arm.providers.source_machines import SourceDisk, classic_disks

ITEM_TYPE = (
    "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/replicationProtectableItems"
)
CLASSIC_PROVIDERS = ("InMage", "InMageAzureV2")
SINCE_USER_SELECTED_OS = "2024-01-01"


def body(fabric: Fabric, item: ProtectableItem, api_version: str) -> dict[str, Any]:
    """Return a protectable item; list and GET show the same (recorded)."""
    hyper_v = item if isinstance(item, HyperVProtectable) else None
    dra = hyper_v.dra_id if hyper_v else fabric.internal_id
    return {
        "id": item.id,
        "name": item.name,
        "type": ITEM_TYPE,
        "properties": {
            "friendlyName": item.friendly_name,
            "protectionStatus": status(item),
            "replicationProtectedItemId": item.protected_item_id,
            "recoveryServicesProviderId": f"{fabric.id}/replicationRecoveryServicesProviders/{dra}",
            "protectionReadinessErrors": [f"The virtual machine has {text}." for text in hyper_v.machine.obstacles]
            if hyper_v
            else [],
            "supportedReplicationProviders": list(hyper_v.providers if hyper_v else CLASSIC_PROVIDERS),
            "customDetails": _virtual_machine(hyper_v, api_version) if hyper_v else _classic(item),
        },
    }


def status(item: ProtectableItem) -> str:
    """Return ``protectionStatus``."""
    return "Protected" if item.protected_item_id else "Unprotected"


def _classic(item: ProtectableItem) -> dict[str, Any]:
    host = item.host
    return {
        "instanceType": "VMwareVirtualMachine",
        "agentGeneratedId": host.host_id if host else None,
        "agentInstalled": "Installed" if host else "NotInstalled",
        "osType": item.os_type.upper(),
        "agentVersion": host.agent_version if host else None,
        "ipAddress": item.address,
        "poweredOn": "On" if host or item.discovery == "vCenter" else "Off",
        "vCenterInfrastructureId": item.infrastructure_id,
        "discoveryType": item.discovery,
        "diskDetails": [_disk(disk) for disk in classic_disks(item)],
        "validationErrors": [],
    }


def _virtual_machine(item: HyperVProtectable, api_version: str) -> dict[str, Any]:
    machine = item.machine
    shown: dict[str, Any] = {
        "instanceType": MACHINE_TYPE,
        "sourceItemId": machine.vm_id,
        "generation": str(machine.generation),
        "osDetails": os_details(machine.os_type, api_version) if machine.os_reported else None,
        "diskDetails": [_virtual_disk(machine, disk) for disk in machine.disks],
    }
    if api_version != OLDEST:
        shown["hasPhysicalDisk"] = _presence(machine.has_physical_disk)
        shown["hasFibreChannelAdapter"] = _presence(machine.has_fibre_channel)
        shown["hasSharedVhd"] = _presence(machine.has_shared_vhd)
        shown["hyperVHostId"] = item.host_id
    return shown


def os_details(os_type: str, api_version: str, selected: str = "") -> dict[str, Any]:
    """Return ``oSDetails`` of a Hyper-V machine; version and product were recorded as if unknown."""
    shown: dict[str, Any] = {
        "osType": os_type,
        "productType": "UNKNOWN",
        "osEdition": "Standard",
        "oSVersion": "1.1.1.1",
        "oSMajorVersion": "0",
        "oSMinorVersion": "0",
    }
    if api_version >= SINCE_USER_SELECTED_OS:
        shown["userSelectedOSName"] = selected or None
    return shown


def _virtual_disk(machine: VirtualMachine, disk: VirtualDisk) -> dict[str, Any]:
    boot = disk.boot and machine.os_reported
    return {
        "maxSizeMB": disk.size_mib,
        "vhdType": "OperatingSystem" if boot else "Data",
        "vhdId": disk.vhd_id,
        "vhdName": disk.name,
    }


def _presence(present: bool) -> str:
    return "Present" if present else "NotPresent"


def _disk(disk: SourceDisk) -> dict[str, Any]:
    found_id, name, size_bytes, boot = disk
    return {
        "diskId": found_id,
        "diskName": name,
        "diskSizeInMB": str(size_bytes // 1024**2),
        "diskType": "OperatingSystem" if boot else "Data",
        "diskConfiguration": "Basic",
        "volumeList": [{"label": "", "name": "C" if name.startswith("\\\\") else "/"}] if boot else [],
    }
