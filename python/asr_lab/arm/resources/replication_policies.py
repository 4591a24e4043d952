"""Replication policies: create, read, list, change, delete; what differs by kind stands in ``rules/policies.yml``."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, cast

from asr_lab.arm.models import checked
from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers import rules
from asr_lab.arm.providers.model import Policy
from asr_lab.arm.providers.scope import VAULT, VERSIONS, Scope, containers, items_of_vault, mappings, policies
from asr_lab.arm.providers.work import Done, accepted, error, start
from asr_lab.arm.routes import route
from asr_lab.arm.wire import ArmError, Request, Response, bad_request, same_id
from asr_lab.arm.world import World

POLICY_TYPE = "Microsoft.RecoveryServices/vaults/replicationPolicies"


@route("PUT", VAULT + "/replicationPolicies/{policy}", versions=VERSIONS)
def put_policy(world: World, request: Request, now: datetime) -> Response:
    """Create a policy; over one with other settings the job fails (recorded: 15035)."""
    scope = Scope(world, request)
    given = checked(request, "CreatePolicyInput")["properties"].get("providerSpecificInput") or {}
    row = _row(given, "providerSpecificInput", "begin_create")
    settings = {**row["read_back"], **_settings(row, given)}
    settings = {"instanceType": given["instanceType"], **settings}
    name = scope.name("replicationPolicies")
    policy_id = f"{scope.vault_id}/replicationPolicies/{name}"
    held = world.resources.get(policy_id)
    fail = _out_of_range(row, settings)
    if isinstance(held, Policy) and any(held.settings.get(key) != value for key, value in settings.items()):
        fail = error("15035", name=name)
    made = held if isinstance(held, Policy) else Policy(policy_id, name, world.guid(), settings)
    return _start(world, request, now, "AddProtectionProfile", made, partial(_create, world, made), fail)


@route("PATCH", VAULT + "/replicationPolicies/{policy}", versions=VERSIONS)
def patch_policy(world: World, request: Request, now: datetime) -> Response:
    """Change settings of a policy; its instanceType stays."""
    scope = Scope(world, request)
    found = scope.policy
    given = checked(request, "UpdatePolicyInput")["properties"].get("replicationProviderSettings") or {}
    row = _row(given, "replicationProviderSettings", "begin_update")
    if given["instanceType"] != found.provider:
        raise bad_request(
            "InvalidPolicy",
            f"properties.replicationProviderSettings.instanceType is '{given['instanceType']}'; the policy "
            f"'{found.name}' is for {found.provider}.",
        )
    settings = _settings(row, given)
    change = partial(_change, found, settings)
    return _start(world, request, now, "ModifyProtectionProfile", found, change, _out_of_range(row, settings))


@route("DELETE", VAULT + "/replicationPolicies/{policy}", versions=VERSIONS)
def delete_policy(world: World, request: Request, now: datetime) -> Response:
    """Delete a policy; while a container is associated with it the job fails."""
    scope = Scope(world, request)
    found = scope.policy
    used = [
        mapping.name
        for container in containers(world, scope.vault_id)
        for mapping in mappings(world, container)
        if same_id(mapping.policy_id, found.id)
    ]
    fail = None
    if used:
        problem = f"It is associated with the protection container mappings {', '.join(used)}."
        fail = error("25037", name=found.name, state="associated", operation=f"deleting it. {problem}")
    return _start(world, request, now, "RemoveProtectionProfile", found, partial(_remove, world, found.id), fail)


@route("GET", VAULT + "/replicationPolicies/{policy}", versions=VERSIONS)
def get_policy(world: World, request: Request) -> Response:
    """Answer one policy."""
    scope = Scope(world, request)
    return Response(200, {}, _body(world, scope.policy, scope.vault_id, request.api_version))


@route("GET", VAULT + "/replicationPolicies", versions=VERSIONS)
def list_policies(world: World, request: Request) -> Response:
    """Answer the policies of the vault."""
    vault = Scope(world, request).vault_id
    listed = [_body(world, policy, vault, request.api_version) for policy in policies(world, vault)]
    return Response(200, {}, {"value": listed, "nextLink": None})


def _row(given: Mapping[str, Any], place: str, verb: str) -> rules.Row:
    """Return the row of the input's instanceType; refuses an input without one, and kinds the lab does not have."""
    kind = given.get("instanceType")
    known = rules.table("policies")
    if not kind:
        raise bad_request(
            "InvalidParameter", f"properties.{place} is empty; its instanceType is one of {', '.join(known)}."
        )
    if kind not in known:
        raise ArmError(
            501,
            "NotSimulated",
            f"ReplicationPoliciesOperations.{verb} is not simulated for a policy of {kind}; the simulator has "
            f"{', '.join(known)}.",
        )
    return cast(rules.Row, known[kind])


def _settings(row: rules.Row, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was given as the service reads it back: renamed, Enable and Disable become Enabled and Disabled."""
    settings: dict[str, Any] = {}
    for name, value in given.items():
        if value is None or name == "instanceType":
            continue
        if isinstance(value, list):
            value = value[0] if value else None
        words = row.get("words", {}).get(name, {})
        settings[row.get("renamed", {}).get(name, name)] = words.get(value, value)
    return settings


def _out_of_range(row: rules.Row, settings: Mapping[str, Any]) -> OperationError | None:
    for name, (smallest, largest) in row.get("limits", {}).items():
        value = settings.get(name, smallest)
        if not smallest <= value <= largest:
            return error(row["code"], problem=f"{name} is {value}; accepted: {smallest} to {largest}.")
    for name, values in row.get("choices", {}).items():
        if settings.get(name, values[0]) not in values:
            taken = ", ".join(str(value) for value in values)
            return error(row["code"], problem=f"{name} is {settings[name]}; accepted: {taken}.")
    for name, other in row.get("not_above", {}).items():
        if settings.get(name, 0) > settings.get(other, settings.get(name, 0)):
            return error(row["code"], problem=f"{name} is {settings[name]}; {other} is {settings[other]}.")
    return None


def _create(world: World, made: Policy, _due: datetime) -> None:
    if made.id not in world.resources:
        world.resources.put(made.id, made)


def _change(policy: Policy, settings: dict[str, Any], _due: datetime) -> None:
    policy.settings = {**policy.settings, **settings}


def _remove(world: World, policy_id: str, _due: datetime) -> None:
    world.resources.delete(policy_id)


def _start(
    world: World,
    request: Request,
    now: datetime,
    scenario: str,
    policy: Policy,
    change: Done,
    fail: OperationError | None,
) -> Response:
    operation = start(
        world,
        now,
        scenario=scenario,
        target_id=policy.id,
        duration_s=world.duration_s("any", "policy", name=policy.name),
        object_id=policy.profile_id,
        object_name=policy.name,
        on_done=change,
        fail=fail,
        result="nothing" if scenario == "RemoveProtectionProfile" else "target",
    )
    return accepted(request, operation)


def _body(world: World, policy: Policy, vault_id: str, api_version: str) -> dict[str, Any]:
    details = dict(policy.settings)
    for version, added in rules.table("policies").get(policy.provider, {}).get("since", {}).items():
        if api_version >= version:
            details.update(added)
    if "associatedItemsCount" in details:
        details["associatedItemsCount"] = sum(
            same_id(item.policy_id, policy.id) for item in items_of_vault(world, vault_id)
        )
    return {
        "id": policy.id,
        "name": policy.name,
        "type": POLICY_TYPE,
        "properties": {"friendlyName": policy.name, "providerSpecificDetails": details},
    }
