"""Disks and appliance of an InMageRcm item that is replicating already (models of the specification, jobs chosen)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers import enable, gate, timeline
from asr_lab.arm.providers.actions import ToAzure
from asr_lab.arm.providers.in_mage import seed_disk_id
from asr_lab.arm.providers.model import Disk, ProtectedItem
from asr_lab.arm.providers.provider import Action
from asr_lab.arm.providers.scope import Scope, fabric_of
from asr_lab.arm.providers.source_machines import discovered_disks
from asr_lab.arm.providers.work import error
from asr_lab.arm.wire import bad_request
from asr_lab.arm.world import World


def add(provider: ToAzure, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
    """Return the job that adds disks; one that the machine does not have, or that is protected, makes it fail."""
    world = scope.world
    machine = world.resources.get(item.source_id)
    known = discovered_disks(machine["properties"]) if machine else []
    made = enable.disks(known, given.get("disks") or (), {})
    fail = _not_protected(item, "AddDisks", now)
    held = {disk.disk_id.casefold() for disk in item.disks}
    for disk in made:
        if disk.disk_id.casefold() in held:
            fail = error("310056", name=item.friendly_name, problem=f"The disk '{disk.disk_id}' is protected already.")
        elif disk.size_bytes == 0:
            problem = f"The machine '{item.friendly_name}' has no disk '{disk.disk_id}'."
            fail = error("310056", name=item.friendly_name, problem=problem)
    return provider.action(world, item, "AddDisks", "add_disks", partial(_added, world, item, made), fail=fail)


def remove(provider: ToAzure, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
    """Return the job that removes disks; the boot disk cannot go, nor can all.

    Raises ArmError 400 when a disk is not the item's.
    """
    wanted = [str(one).casefold() for one in given.get("diskIds") or ()]
    held = {disk.disk_id.casefold(): disk for disk in item.disks}
    unknown = [one for one in wanted if one not in held]
    if unknown or not wanted:
        raise bad_request(
            "InvalidDisk",
            f"properties.providerSpecificDetails.diskIds is '{', '.join(unknown)}'; the item's disks are: "
            f"{', '.join(disk.disk_id for disk in item.disks)}.",
        )
    fail = _not_protected(item, "RemoveDisks", now)
    if any(held[one].boot for one in wanted):
        fail = error("310056", name=item.friendly_name, problem="The disk with the operating system has to stay.")
    done = partial(_removed, item, tuple(wanted))
    return provider.action(scope.world, item, "RemoveDisks", "remove_disks", done, fail=fail)


def change_appliance(
    provider: ToAzure, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime
) -> Action:
    """Return the job that lets another appliance's process server replicate the machine."""
    wanted = str(given["targetApplianceId"])
    fabric = fabric_of(scope.world, item)
    specific = given.get("providerSpecificDetails") or {}
    fail = gate.busy(item, "UpdateAppliance", now)
    if fabric.server(wanted) is None:
        known = ", ".join(server.server_id for server in fabric.servers)
        problem = f"targetApplianceId is '{wanted}'; the appliances of '{fabric.friendly_name}' are: {known}."
        fail = error("310056", name=item.friendly_name, problem=problem)
    done = partial(_moved, item, wanted, specific.get("runAsAccountId") or "")
    return provider.action(scope.world, item, "UpdateAppliance", "update_appliance", done, fail=fail)


def _not_protected(item: ProtectedItem, operation: str, now: datetime) -> OperationError | None:
    state = timeline.protection_state(item, now)
    if state != "Protected":
        return error("25037", name=item.friendly_name, state=state, operation=operation)
    return gate.busy(item, operation, now)


def _added(world: World, item: ProtectedItem, made: Sequence[Disk], _due: datetime) -> None:
    for disk in made:
        disk.seed_id = seed_disk_id(world, item)
        item.disks.append(disk)


def _removed(item: ProtectedItem, wanted: tuple[str, ...], _due: datetime) -> None:
    item.disks = [disk for disk in item.disks if disk.disk_id.casefold() not in wanted]


def _moved(item: ProtectedItem, server_id: str, account_id: str, _due: datetime) -> None:
    item.server_id = server_id
    item.account_id = account_id or item.account_id
