"""Changing the target of a protected item: name, size, network, subnet, address, tags."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from asr_lab.arm.providers import in_mage_azure_v2, in_mage_rcm, rules
from asr_lab.arm.providers.gate import REFUSED_AFTER_S
from asr_lab.arm.providers.model import ProtectedItem, Target
from asr_lab.arm.providers.scope import ITEM, VERSIONS, Scope
from asr_lab.arm.providers.timeline import protection_state
from asr_lab.arm.providers.work import accepted, error, start_for_item
from asr_lab.arm.routes import route
from asr_lab.arm.schema import ListOf, OneOf, Record, Text, check
from asr_lab.arm.wire import Request, Response, bad_request
from asr_lab.arm.world import World

_TEXT = Text(nullable=True)
_IP_CONFIG = Record(
    {
        "ipConfigName": _TEXT,
        "isPrimary": Text(("true", "false"), nullable=True),
        "isSeletedForFailover": Text(("true", "false"), nullable=True),
        "recoverySubnetName": _TEXT,
        "recoveryStaticIPAddress": _TEXT,
        "recoveryPublicIPAddressId": _TEXT,
        "tfoSubnetName": _TEXT,
        "tfoStaticIPAddress": _TEXT,
        "tfoPublicIPAddressId": _TEXT,
    }
)
_NIC = Record(
    {
        "nicId": Text(not_empty=True),
        "ipConfigs": ListOf(_IP_CONFIG, nullable=True),
        "recoveryVMSubnetName": _TEXT,
        "replicaNicStaticIPAddress": _TEXT,
        "selectionType": _TEXT,
        "recoveryNetworkSecurityGroupId": _TEXT,
        "tfoNetworkSecurityGroupId": _TEXT,
        "recoveryNicName": _TEXT,
        "tfoNicName": _TEXT,
    },
    ("nicId",),
)
UPDATE = Record(
    {
        "properties": Record(
            {
                "recoveryAzureVMName": _TEXT,
                "recoveryAzureVMSize": _TEXT,
                "selectedRecoveryAzureNetworkId": _TEXT,
                "selectedTfoAzureNetworkId": _TEXT,
                "selectedSourceNicId": _TEXT,
                "enableRdpOnTargetOption": _TEXT,
                "vmNics": ListOf(_NIC, nullable=True),
                "licenseType": Text(in_mage_rcm.LICENSES, nullable=True),
                "recoveryAvailabilitySetId": _TEXT,
                "providerSpecificDetails": OneOf(
                    "instanceType",
                    {"InMageRcm": in_mage_rcm.UPDATE, "InMageAzureV2": in_mage_azure_v2.UPDATE},
                    nullable=True,
                ),
            }
        )
    },
    ("properties",),
)

# Where a property of the request is kept: common ones, then those of the two providers.
_COMMON = {
    "recoveryAzureVMName": "vm_name",
    "recoveryAzureVMSize": "vm_size",
    "selectedRecoveryAzureNetworkId": "network_id",
    "enableRdpOnTargetOption": "rdp",
    "licenseType": "license_type",
    "recoveryAvailabilitySetId": "availability_set_id",
}
_RCM = {
    "targetVmName": "vm_name",
    "targetVmSize": "vm_size",
    "targetResourceGroupId": "resource_group_id",
    "targetNetworkId": "network_id",
    "testNetworkId": "test_network_id",
    "targetAvailabilitySetId": "availability_set_id",
    "targetAvailabilityZone": "availability_zone",
    "targetProximityPlacementGroupId": "proximity_group_id",
    "targetBootDiagnosticsStorageAccountId": "boot_diagnostics_id",
    "licenseType": "license_type",
    "sqlServerLicenseType": "sql_license_type",
    "linuxLicenseType": "linux_license_type",
    "targetVmSecurityProfile": "security_profile",
}
_V2 = {
    "recoveryAzureV2ResourceGroupId": "resource_group_id",
    "targetAvailabilityZone": "availability_zone",
    "targetProximityPlacementGroupId": "proximity_group_id",
    "sqlServerLicenseType": "sql_license_type",
}
_TAGS = {"targetVmTags": "tags", "targetManagedDiskTags": "disk_tags", "targetNicTags": "nic_tags"}


@route("PATCH", ITEM, versions=VERSIONS)
def patch_item(world: World, request: Request, now: datetime) -> Response:
    """Change the target; accepted while the item is protected, otherwise the job fails."""
    item = Scope(world, request).item
    given = check(request.body, UPDATE)["properties"]
    specific = given.get("providerSpecificDetails") or {}
    kind = specific.get("instanceType", item.provider)
    if kind != item.provider:
        raise bad_request(
            "InvalidProviderSpecificInput",
            f"properties.providerSpecificDetails.instanceType is '{kind}'; the item '{item.name}' is protected with "
            f"{item.provider}.",
        )
    state = protection_state(item)
    fail = None
    if state != "Protected" or item.running is not None:
        fail = error("25037", name=item.friendly_name, state=state, operation="changing its properties")
    operation = start_for_item(
        world,
        now,
        item,
        scenario="UpdateVmProperties",
        duration_s=REFUSED_AFTER_S if fail else rules.duration_s(item.provider, "update"),
        on_done=lambda _due: _change(item, given, specific),
        fail=fail,
    )
    return accepted(request, operation)


def _change(item: ProtectedItem, given: Mapping[str, Any], specific: Mapping[str, Any]) -> None:
    target = item.target
    _copy(target, given, _COMMON)
    _copy(target, specific, _RCM if item.provider == rules.IN_MAGE_RCM else _V2)
    for name, place in _TAGS.items():
        tags = specific.get(name)
        if tags is not None:
            rows = {row["tagName"]: row["tagValue"] for row in tags} if isinstance(tags, list) else dict(tags)
            setattr(target, place, rows)
    if specific.get("useManagedDisks") is not None:
        target.managed_disks = specific["useManagedDisks"] == "true"
    for row in given.get("vmNics") or ():
        _change_nic(item, row)
    for row in specific.get("vmNics") or ():
        _change_rcm_nic(item, row)


def _copy(target: Target, given: Mapping[str, Any], places: Mapping[str, str]) -> None:
    for name, place in places.items():
        if given.get(name):
            setattr(target, place, given[name])


def _change_nic(item: ProtectedItem, row: Mapping[str, Any]) -> None:
    for nic in item.nics:
        if nic.nic_id.casefold() != row["nicId"].casefold():
            continue
        config: Mapping[str, Any] = next(iter(row.get("ipConfigs") or ()), {})
        nic.target_subnet = row.get("recoveryVMSubnetName") or config.get("recoverySubnetName") or nic.target_subnet
        address = row.get("replicaNicStaticIPAddress") or config.get("recoveryStaticIPAddress")
        nic.target_address = address or nic.target_address
        nic.test_subnet = config.get("tfoSubnetName") or nic.test_subnet
        nic.test_address = config.get("tfoStaticIPAddress") or nic.test_address
        if row.get("selectionType"):
            nic.selected = row["selectionType"] != "NotSelected"


def _change_rcm_nic(item: ProtectedItem, row: Mapping[str, Any]) -> None:
    for nic in item.nics:
        if nic.nic_id.casefold() != row["nicId"].casefold():
            continue
        nic.primary = row["isPrimaryNic"] == "true"
        selected = row.get("isSelectedForFailover") or row.get("isSelectedForMigration")
        nic.selected = nic.selected if selected is None else selected == "true"
        nic.target_subnet = row.get("targetSubnetName") or nic.target_subnet
        nic.test_subnet = row.get("testSubnetName") or nic.test_subnet
        # An empty string unsets an address.
        if row.get("targetStaticIPAddress") is not None:
            nic.target_address = row["targetStaticIPAddress"]
        if row.get("testStaticIPAddress") is not None:
            nic.test_address = row["testStaticIPAddress"]
