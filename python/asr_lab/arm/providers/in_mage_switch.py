"""Moving an item from a configuration server to an appliance: ``switchProvider``.

Body and states follow the models of the specification. That the item leaves its container and stands in the appliance's
with the same name, replicating anew, is chosen.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.operations import OperationError, OperationFailed
from asr_lab.arm.providers import gate, replicate, timeline
from asr_lab.arm.providers.actions import ToAzure
from asr_lab.arm.providers.model import RCM_FABRIC, Container, Fabric, Policy, ProtectedItem
from asr_lab.arm.providers.provider import Action, provider_named
from asr_lab.arm.providers.scope import Scope, containers, mappings
from asr_lab.arm.providers.work import error
from asr_lab.arm.wire import bad_request
from asr_lab.arm.world import World

TARGET = "InMageRcm"


def switch(provider: ToAzure, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
    """Return the job that moves the item.

    Raises ArmError: 400 when the target is not InMageRcm or details are missing, 404 when the fabric is missing.
    """
    if given.get("targetInstanceType") != TARGET:
        asked = given.get("targetInstanceType")
        raise bad_request(
            "InvalidProvider",
            f"properties.targetInstanceType is '{asked}'; an item of {item.provider} moves to {TARGET}.",
        )
    specific = given.get("providerSpecificDetails") or {}
    if not specific.get("targetFabricID"):
        raise bad_request("InvalidParameter", "properties.providerSpecificDetails.targetFabricID is missing; give one.")
    world = scope.world
    fabric = scope.get(specific["targetFabricID"], Fabric)
    fail = gate.busy(item, "SwitchProvider", now)
    state = timeline.protection_state(item, now)
    if state != "Protected":
        fail = error("25037", name=item.friendly_name, state=state, operation="SwitchProvider")
    elif fabric.kind != RCM_FABRIC or fabric.server(specific["targetApplianceID"]) is None:
        problem = f"targetApplianceID '{specific['targetApplianceID']}' is not an appliance of the target fabric."
        fail = error("310056", name=item.friendly_name, problem=problem)
    elif _place(world, fabric) is None:
        fail = _no_policy(item, fabric)
    done = partial(_switched, world, item, fabric, str(specific["targetApplianceID"]))
    return provider.action(world, item, "SwitchProvider", "switch_provider", done, fail=fail, result="nothing")


def _no_policy(item: ProtectedItem, fabric: Fabric) -> OperationError:
    return error("78253", name=item.friendly_name, policy=f"of {fabric.friendly_name}")


def _place(world: World, fabric: Fabric) -> tuple[Container, Policy] | None:
    """Return the fabric's container and a policy that is associated with it."""
    for container in containers(world, fabric.vault_id, fabric):
        for mapping in mappings(world, container):
            policy = world.resources.get(mapping.policy_id)
            if isinstance(policy, Policy):
                return container, policy
    return None


def _switched(world: World, item: ProtectedItem, fabric: Fabric, appliance_id: str, due: datetime) -> None:
    place = _place(world, fabric)
    if place is None:
        raise OperationFailed(_no_policy(item, fabric))
    container, policy = place
    replicate.leave(world, item)
    world.resources.delete(item.id)
    moved = replace(
        item,
        id=f"{container.id}/replicationProtectedItems/{item.name}",
        provider=TARGET,
        container_id=container.id,
        fabric_id=fabric.id,
        fabric_guid=fabric.internal_id,
        policy_id=policy.id,
        server_id=appliance_id,
        machine_id=world.guid(),
        protectable_item_id=None,
        running=None,
    )
    world.resources.put(moved.id, moved)
    provider_named(TARGET).enabled(world, moved, due)
