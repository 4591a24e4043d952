"""From the body of a recovery plan to its groups, with the checks that the service makes or that are documented."""

from collections.abc import Mapping, Sequence
from typing import Any

from asr_lab.arm.providers.model import AZURE, Fabric, ProtectedItem
from asr_lab.arm.providers.plans import MAX_BOOT_GROUPS, MAX_ITEMS, Group, Member
from asr_lab.arm.wire import ArmError, bad_request, last_segment, same_id
from asr_lab.arm.world import World

_FIRST = ("Shutdown", "Failover")


def primary_fabric(world: World, vault_id: str, given: Mapping[str, Any]) -> Fabric:
    """Return the fabric that a plan fails over from; raises ArmError 400 when the vault does not have it."""
    found = _fabric(world, vault_id, str(given["primaryFabricId"]))
    if found is None:
        raise refused(f"properties.primaryFabricId is '{given['primaryFabricId']}', which is no fabric of the vault.")
    return found


def recovery_fabric_id(world: World, vault_id: str, given: Mapping[str, Any]) -> str:
    """Return where a plan fails over to: ``Microsoft Azure`` or the id of an Azure fabric; raises ArmError 400."""
    wanted = str(given["recoveryFabricId"])
    if wanted.casefold() == AZURE.casefold():
        return AZURE
    found = _fabric(world, vault_id, wanted)
    if found is None:
        raise refused(
            f"properties.recoveryFabricId is '{wanted}'; it needs '{AZURE}' or the id of a fabric of the vault."
        )
    return found.id


def groups_of(world: World, fabric: Fabric, given: Sequence[Mapping[str, Any]]) -> list[Group]:
    """Return the groups of a plan in the order in which the client sent them, Shutdown and Failover in front.

    Recorded: a plan made of Boot groups alone shows the other two before them. Raises ArmError 400.
    """
    groups = [_group(world, fabric, number, row) for number, row in enumerate(given)]
    kinds = [group.kind for group in groups]
    _check_kinds(kinds)
    _check_members(groups)
    front = [Group(kind) for kind in _FIRST if kind not in kinds]
    if front and len(front) < len(_FIRST):
        groups.sort(key=lambda group: group.kind == "Boot")
        missing = front[0]
        groups.insert(_FIRST.index(missing.kind), missing)
        return groups
    return [*front, *groups]


def refused(problem: str) -> ArmError:
    """Return the refusal of a plan's body. The code is a choice of the lab; nothing was recorded."""
    return bad_request("InvalidRecoveryPlan", problem, action="Correct the recovery plan and send it again.")


def _fabric(world: World, vault_id: str, wanted: str) -> Fabric | None:
    found = world.resources.get(wanted)
    return found if isinstance(found, Fabric) and same_id(found.vault_id, vault_id) else None


def _group(world: World, fabric: Fabric, number: int, row: Mapping[str, Any]) -> Group:
    place = f"properties.groups[{number}]"
    members = [
        _member(world, fabric, f"{place}.replicationProtectedItems[{index}]", one)
        for index, one in enumerate(row.get("replicationProtectedItems") or [])
    ]
    kind = str(row["groupType"])
    if members and kind != "Boot":
        raise refused(f"{place} is a {kind} group and holds protected items; they belong into Boot groups.")
    start, end = ([_action(one) for one in row.get(name) or []] for name in ("startGroupActions", "endGroupActions"))
    return Group(kind, members, start, end)


def _member(world: World, fabric: Fabric, place: str, row: Mapping[str, Any]) -> Member:
    item = world.resources.get(str(row.get("id") or ""))
    if not isinstance(item, ProtectedItem):
        raise refused(f"{place}.id is '{row.get('id')}', which is no protected item of the vault.")
    if not same_id(item.fabric_id, fabric.id):
        raise refused(
            f"{place}.id is '{item.name}' of the fabric '{last_segment(item.fabric_id)}'; the plan's primary fabric is "
            f"'{fabric.name}'."
        )
    return Member(item.id)


def _action(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an action as a GET shows it; what a request leaves out of the two lists is empty (public reports)."""
    return {
        "actionName": row["actionName"],
        "failoverTypes": list(row.get("failoverTypes") or []),
        "failoverDirections": list(row.get("failoverDirections") or []),
        "customDetails": dict(row["customDetails"]),
    }


def _check_kinds(kinds: Sequence[str]) -> None:
    for kind in _FIRST:
        if kinds.count(kind) > 1:
            raise refused(f"properties.groups holds {kinds.count(kind)} {kind} groups; a plan has one.")
    boot = [number for number, kind in enumerate(kinds) if kind == "Boot"]
    if len(boot) > MAX_BOOT_GROUPS:
        raise refused(f"properties.groups holds {len(boot)} Boot groups; a plan has at most {MAX_BOOT_GROUPS}.")
    late = [kind for kind in kinds[boot[0] :] if kind != "Boot"] if boot else []
    if late:
        raise refused(f"properties.groups has a {late[0]} group after a Boot group; Shutdown and Failover come first.")


def _check_members(groups: Sequence[Group]) -> None:
    ids = [member.item_id.casefold() for group in groups for member in group.members]
    twice = next((found for found in ids if ids.count(found) > 1), None) if len(ids) <= MAX_ITEMS else None
    if len(ids) > MAX_ITEMS:
        raise refused(f"properties.groups holds {len(ids)} protected items; a plan has at most {MAX_ITEMS}.")
    if twice:
        raise refused(f"properties.groups holds the protected item '{last_segment(twice)}' more than once.")
