"""Changing the target of a protected item: name, size, network, subnet, address, tags.

The names of the common properties are those of the models; a provider adds its own (``Provider.target_fields``).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from asr_lab.arm.providers.enable import tag_map
from asr_lab.arm.providers.model import ProtectedItem

COMMON = {
    "recoveryAzureVMName": "vm_name",
    "recoveryAzureVMSize": "vm_size",
    "selectedRecoveryAzureNetworkId": "network_id",
    "selectedTfoAzureNetworkId": "test_network_id",
    "enableRdpOnTargetOption": "rdp",
    "licenseType": "license_type",
    "recoveryAvailabilitySetId": "availability_set_id",
}
TAGS = {"targetVmTags": "tags", "targetManagedDiskTags": "disk_tags", "targetNicTags": "nic_tags"}


def change(
    item: ProtectedItem,
    given: Mapping[str, Any],
    specific: Mapping[str, Any],
    fields: Mapping[str, str],
    _due: datetime,
) -> None:
    """Copy what a PATCH says to the item's target and adapters.

    ``fields`` tells where properties of ``specific`` (providerSpecificDetails) are kept in ``model.Target``. An empty
    text unsets a static address.
    """
    target = item.target
    for source, places in ((given, COMMON), (specific, fields)):
        for name, place in places.items():
            if source.get(name):
                setattr(target, place, source[name])
    for name, place in TAGS.items():
        if specific.get(name) is not None:
            setattr(target, place, tag_map(specific[name]))
    if specific.get("useManagedDisks") is not None:
        target.managed_disks = specific["useManagedDisks"].casefold() == "true"
    for row in given.get("vmNics") or ():
        _change_nic(item, row)
    for row in specific.get("vmNics") or ():
        _change_own_nic(item, row)


def _change_nic(item: ProtectedItem, row: Mapping[str, Any]) -> None:
    for nic in item.nics:
        if nic.nic_id.casefold() != (row.get("nicId") or "").casefold():
            continue
        config: Mapping[str, Any] = next(iter(row.get("ipConfigs") or ()), {})
        nic.target_subnet = row.get("recoveryVMSubnetName") or config.get("recoverySubnetName") or nic.target_subnet
        address = row.get("replicaNicStaticIPAddress") or config.get("recoveryStaticIPAddress")
        nic.target_address = address or nic.target_address
        nic.test_subnet = config.get("tfoSubnetName") or nic.test_subnet
        nic.test_address = config.get("tfoStaticIPAddress") or nic.test_address
        if row.get("selectionType"):
            nic.selected = row["selectionType"] != "NotSelected"


def _change_own_nic(item: ProtectedItem, row: Mapping[str, Any]) -> None:
    for nic in item.nics:
        if nic.nic_id.casefold() != row["nicId"].casefold():
            continue
        nic.primary = str(row.get("isPrimaryNic")).casefold() == "true"
        selected = row.get("isSelectedForFailover") or row.get("isSelectedForMigration")
        nic.selected = nic.selected if selected is None else selected.casefold() == "true"
        nic.target_subnet = row.get("targetSubnetName") or nic.target_subnet
        nic.test_subnet = row.get("testSubnetName") or nic.test_subnet
        if row.get("targetStaticIPAddress") is not None:
            nic.target_address = row["targetStaticIPAddress"]
        if row.get("testStaticIPAddress") is not None:
            nic.test_address = row["testStaticIPAddress"]
