"""The recovery plans of a wave in its vault: made, changed when they differ, asked for actions, removed when done.

Only plans that are called as the wave's own are touched (``domain.recovery_plan``). What a user has added to one of
them, such as a runbook before a group, stays: a change sends the whole list of groups, and their actions with the
``failoverTypes`` that the service would otherwise empty (public reports).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from asr_migrate.azure.accepted import Acceptance
from asr_migrate.azure.client import AzureClients
from asr_migrate.azure.sweep import SITE_RECOVERY_API, VaultReader
from asr_migrate.azure.together import together
from asr_migrate.domain.errors import RefusedError, ServiceError
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.recovery_plan import MAX_GROUPS, PlanCall, PlanMember, StandingPlan, plan_number
from asr_migrate.domain.site import Json, Sent

KIND = "replicationRecoveryPlans"
AZURE = "Microsoft Azure"
BOOT = "Boot"
READS_AT_ONCE = 8
CHANGE_TIMEOUT_S = 600.0
NOT_FOUND = 404
BUSY = "RecoveryPlanBusy"
NO_SCENARIO = ("", "None")


class RecoveryPlans:
    """The plans of one vault over the SDK. In check mode every write is noted as planned and none is sent."""

    def __init__(self, clients: AzureClients, zone: LandingZone, reader: VaultReader) -> None:
        self._clients = clients
        self._zone = zone
        self._reader = reader

    def _place(self, plan: str) -> tuple[str, str, str]:
        return self._zone.resource_group, self._zone.vault, plan

    async def _find(self, name: str) -> dict[str, Any] | None:
        path = f"{self._zone.vault_id}/{KIND}/{name}"
        try:
            return await self._clients.get(path, SITE_RECOVERY_API, f"reading recovery plan {name}")
        except ServiceError as error:
            if error.status != NOT_FOUND:
                raise
            return None

    async def _of_wave(self, wave: str) -> list[dict[str, Any]]:
        """Return the wave's plans with their groups: the list leaves the groups out, so each is read on its own."""
        names = [
            str(row["name"])
            for row in await self._reader.vault_list(KIND)
            if plan_number(wave, str(row.get("name"))) is not None
        ]
        gate = asyncio.Semaphore(READS_AT_ONCE)

        async def read(name: str) -> dict[str, Any] | None:
            async with gate:
                return await self._find(name)

        return [plan for plan in await together(*map(read, names)) if plan]

    async def of_wave(self, wave: str) -> dict[str, StandingPlan]:
        """Return the plans of the wave that are in the vault, by name in lower case.

        Raises SetupError when the vault does not exist.
        """
        return {str(plan["name"]).lower(): standing(plan) for plan in await self._of_wave(wave)}

    async def item_ids(self, name: str) -> frozenset[str]:
        """Return the ids (lower case) of the items of any plan of the vault; none when there is no such plan."""
        plan = await self._find(name)
        return standing(plan).items if plan else frozenset()

    async def prepare(self, call: PlanCall) -> bool:
        """Make the plan, or change it to hold exactly what ``call`` says; a plan that does so already is left alone.

        Returns False when the plan works on something else now: nothing was sent, look again later. An error leaves
        nothing in doubt: no machine was asked for anything, and the next call begins by reading the plan.

        Raises RefusedError when the plan of this name moves machines of another appliance.
        """
        plan = await self._find(call.plan)
        count = f"{len(call.members)} machines in {len(call.groups)} groups"
        if plan is None:
            properties = {
                "primaryFabricId": call.fabric_id,
                "recoveryFabricId": AZURE,
                "failoverDeploymentModel": "ResourceManager",
                "groups": groups_for((), call.groups),
            }
            return await self._save(
                call.plan, properties, f"make recovery plan {call.plan} of {count}", "there is none"
            )
        fabric = str(plan["properties"].get("primaryFabricId") or "")
        if fabric.lower() != call.fabric_id.lower():
            raise RefusedError(
                f"recovery plan {call.plan} moves machines of {last(fabric)}, not of {last(call.fabric_id)}",
                code="PlanOfOtherAppliance",
                cause=f"Its primaryFabricId is {fabric}",
                remedy=f"Delete recovery plan {call.plan} in the vault; the next run makes it anew.",
            )
        found = plan["properties"].get("groups") or ()
        wanted = groups_for(found, call.groups)
        if _contents(wanted) == _contents(found):
            return standing(plan).busy_with is None
        return await self._change(plan, wanted, f"make recovery plan {call.plan} hold {count}", "it holds others")

    async def _save(self, name: str, properties: Json, what: str, why: str) -> bool:
        operations: Any = self._clients.site_recovery.replication_recovery_plans
        begin = operations.begin_create(*self._place(name), {"properties": properties})
        return await self._finished(begin, what, why)

    async def _change(self, plan: Json, groups: Sequence[Json], what: str, why: str) -> bool:
        if standing(plan).busy_with is not None:
            return False
        operations: Any = self._clients.site_recovery.replication_recovery_plans
        body = {"properties": {"groups": list(groups)}}
        return await self._finished(operations.begin_update(*self._place(str(plan["name"])), body), what, why)

    async def _finished(self, begin: Any, what: str, why: str) -> bool:
        """Follow a change of a plan to its end (0 to 5 s, recorded); False when the plan turned out to be busy."""
        try:
            await self._clients.finish(begin, what=what, why=why, timeout_s=CHANGE_TIMEOUT_S)
        except ServiceError as error:
            if error.code == BUSY:
                return False
            raise
        return True

    async def act(self, call: PlanCall, client_request_id: str | None = None) -> Sent:
        """Send the action of a plan that ``prepare`` has made ready and return its job.

        An error that is transient leaves open whether the action began: look for ``client_request_id`` in the jobs.
        """
        operations: Any = self._clients.site_recovery.replication_recovery_plans
        begin = {
            "testFailover": operations.begin_test_failover,
            "testFailoverCleanup": operations.begin_test_failover_cleanup,
            "unplannedFailover": operations.begin_unplanned_failover,
            "failoverCommit": operations.begin_failover_commit,
        }[call.operation]
        accepted = Acceptance(client_request_id)
        arguments = self._place(call.plan) if call.body is None else (*self._place(call.plan), call.body)
        what = f"{call.operation} of recovery plan {call.plan} ({len(call.members)} machines)"
        began = accepted.of(begin(*arguments, **accepted.options))
        await self._clients.send(began, what=what, why="its machines ask for it")
        return accepted.sent

    async def release(self, wave: str, item_ids: Iterable[str]) -> frozenset[str]:
        """Take these items out of the wave's plans and delete the plans that are then empty.

        An item that is in a plan cannot be removed, and a plan keeps the vault from being deleted (public reports).
        Returns the ids (lower case) that could not be taken out because their plan is at work: look again later.
        """
        leaving = {item.lower() for item in item_ids}
        results = await together(*(self._let_go(plan, leaving) for plan in await self._of_wave(wave)))
        return frozenset().union(*results)

    async def _let_go(self, plan: Json, leaving: Collection[str]) -> frozenset[str]:
        name, held = str(plan["name"]), standing(plan)
        mine = held.items & set(leaving)
        if held.items and not mine:
            return frozenset()
        if held.busy_with is not None:
            return mine
        if held.items == mine:
            operations: Any = self._clients.site_recovery.replication_recovery_plans
            begin = operations.begin_delete(*self._place(name))
            done = await self._finished(begin, f"delete recovery plan {name}", "its machines are done")
        else:
            groups = [_without(group, leaving) for group in plan["properties"].get("groups") or ()]
            what = f"take {len(mine)} machines out of recovery plan {name}"
            done = await self._change(plan, groups, what, "an item that is in a plan cannot be removed")
        return frozenset() if done else mine


def last(identifier: str) -> str:
    """Return the name at the end of an ARM id."""
    return identifier.rpartition("/")[2]


def standing(plan: Json) -> StandingPlan:
    """Return what a plan that was read on its own holds, and what it is at."""
    properties = plan.get("properties") or {}
    groups = tuple(_items(group) for group in properties.get("groups") or () if group.get("groupType") == BOOT)
    scenario = properties.get("currentScenario") or {}
    name = str(scenario.get("scenarioName") or "")
    return StandingPlan(str(plan["name"]), groups, None if name in NO_SCENARIO else name)


def _items(group: Json) -> tuple[str, ...]:
    return tuple(str(member["id"]).lower() for member in group.get("replicationProtectedItems") or ())


def _contents(groups: Iterable[Json]) -> list[frozenset[str]]:
    """Return what is compared of a plan: the items of its Boot groups; the order within a group means nothing."""
    return [frozenset(_items(group)) for group in groups if group.get("groupType") == BOOT]


def _without(group: Json, leaving: Collection[str]) -> dict[str, Any]:
    kept = [row for row in group.get("replicationProtectedItems") or () if str(row["id"]).lower() not in leaving]
    return {**group, "replicationProtectedItems": kept}


def groups_for(found: Sequence[Json], wanted: Sequence[Sequence[PlanMember]]) -> list[dict[str, Any]]:
    """Return the group list that makes a plan hold ``wanted``, in the order in which the groups start.

    ``found`` are the groups that it has. The actions of a Boot group stay with the group that has most of its items; a
    group with actions and without items stays where it was as long as the plan has room for it.
    """
    front = [dict(group) for group in found if group.get("groupType") != BOOT]
    boot = [group for group in found if group.get("groupType") == BOOT]
    items = [{member.item_id.lower() for member in members} for members in wanted]
    heirs = _heirs(boot, items)
    made = [_group(members, heirs.get(number)) for number, members in enumerate(wanted)]
    taken = [id(group) for group in heirs.values()]
    for number, group in enumerate(boot):
        if id(group) not in taken and _acts(group) and len(made) < MAX_GROUPS:
            made.insert(min(number, len(made)), {**group, "replicationProtectedItems": []})
    return [*front, *made]


def _heirs(boot: Sequence[Json], wanted: Sequence[Collection[str]]) -> Mapping[int, Json]:
    """Return which of the groups found lives on in which of those wanted; each in one, and their order stays."""
    heirs: dict[int, Json] = {}
    free = list(range(len(wanted)))
    for group in boot:
        shared = {number: len(set(_items(group)) & set(wanted[number])) for number in free}
        best = max(shared, key=lambda number: shared[number], default=None)
        if best is not None and shared[best]:
            heirs[best] = group
            free = [number for number in free if number > best]
    return heirs


def _acts(group: Json) -> bool:
    return bool(group.get("startGroupActions") or group.get("endGroupActions"))


def _group(members: Sequence[PlanMember], heir: Json | None) -> dict[str, Any]:
    rows = [{"id": member.item_id, "virtualMachineId": member.virtual_machine_id} for member in members]
    return {
        "groupType": BOOT,
        "replicationProtectedItems": rows,
        "startGroupActions": list((heir or {}).get("startGroupActions") or ()),
        "endGroupActions": list((heir or {}).get("endGroupActions") or ()),
    }
