"""Replication policies: create, read, list, change, delete."""

from datetime import datetime
from typing import Any

from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers import rules
from asr_lab.arm.providers.model import Policy
from asr_lab.arm.providers.scope import VAULT, VERSIONS, Scope, containers, mappings, policies
from asr_lab.arm.providers.work import accepted, error, start
from asr_lab.arm.routes import route
from asr_lab.arm.schema import OneOf, Record, Schema, Text, Whole, check
from asr_lab.arm.wire import Request, Response, same_id
from asr_lab.arm.world import World

POLICY_TYPE = "Microsoft.RecoveryServices/vaults/replicationPolicies"
SINCE_ITEM_COUNT = "2022-08-01"

_MULTI_VM = Text(("Enable", "Disable"))
_CLASSIC: dict[str, Schema] = {
    "recoveryPointThresholdInMinutes": Whole(),
    "recoveryPointHistory": Whole(),
    "appConsistentFrequencyInMinutes": Whole(),
    "multiVmSyncStatus": _MULTI_VM,
}
_KINDS = {
    "InMageAzureV2": Record(
        {"crashConsistentFrequencyInMinutes": Whole(), **_CLASSIC}, required=("multiVmSyncStatus",)
    ),
    "InMage": Record(_CLASSIC, required=("multiVmSyncStatus",)),
    "InMageRcm": Record(
        {
            "recoveryPointHistoryInMinutes": Whole(),
            "appConsistentFrequencyInMinutes": Whole(),
            "crashConsistentFrequencyInMinutes": Whole(),
            "enableMultiVmSync": Text(("true", "false")),
        },
        required=("enableMultiVmSync",),
    ),
    "InMageRcmFailback": Record(
        {"crashConsistentFrequencyInMinutes": Whole(), "appConsistentFrequencyInMinutes": Whole()}
    ),
}
_INPUT = OneOf("instanceType", _KINDS)
CREATE = Record({"properties": Record({"providerSpecificInput": _INPUT}, ("providerSpecificInput",))}, ("properties",))
CHANGE = Record(
    {"properties": Record({"replicationProviderSettings": _INPUT}, ("replicationProviderSettings",))}, ("properties",)
)

# Largest values the service documents: 15 days of recovery points, 12 hours between application-consistent ones.
_LIMITS = {
    "recoveryPointHistory": 4320,
    "recoveryPointHistoryInMinutes": 21600,
    "appConsistentFrequencyInMinutes": 1440,
    "crashConsistentFrequencyInMinutes": 60,
}


@route("PUT", VAULT + "/replicationPolicies/{policy}", versions=VERSIONS)
def put_policy(world: World, request: Request, now: datetime) -> Response:
    """Create a policy; over one with other settings the job fails (recorded: 15035)."""
    scope = Scope(world, request)
    settings = _settings(check(request.body, CREATE)["properties"]["providerSpecificInput"])
    policy = scope.name("replicationPolicies")
    policy_id = f"{scope.vault_id}/replicationPolicies/{policy}"
    existing = world.resources.get(policy_id)
    fail = _out_of_range(settings)
    if isinstance(existing, Policy) and existing.settings != settings:
        fail = error("15035", name=policy)
    made = existing if isinstance(existing, Policy) else Policy(policy_id, policy, world.guid(), settings)

    def create(_due: datetime) -> None:
        if not isinstance(existing, Policy):
            world.resources.put(policy_id, made)

    return _start(world, request, now, "AddProtectionProfile", made, create, fail)


@route("PATCH", VAULT + "/replicationPolicies/{policy}", versions=VERSIONS)
def patch_policy(world: World, request: Request, now: datetime) -> Response:
    """Change the settings of a policy."""
    scope = Scope(world, request)
    found = scope.policy
    settings = _settings(check(request.body, CHANGE)["properties"]["replicationProviderSettings"])

    def change(_due: datetime) -> None:
        found.settings = {**found.settings, **settings}

    return _start(world, request, now, "ModifyProtectionProfile", found, change, _out_of_range(settings))


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

    def remove(_due: datetime) -> None:
        world.resources.delete(found.id)

    return _start(world, request, now, "RemoveProtectionProfile", found, remove, fail)


@route("GET", VAULT + "/replicationPolicies/{policy}", versions=VERSIONS)
def get_policy(world: World, request: Request) -> Response:
    """Answer one policy."""
    scope = Scope(world, request)
    found = scope.policy
    return Response(200, {}, _body(found, request.api_version))


@route("GET", VAULT + "/replicationPolicies", versions=VERSIONS)
def list_policies(world: World, request: Request) -> Response:
    """Answer the policies of the vault."""
    scope = Scope(world, request)
    found = policies(world, scope.vault_id)
    return Response(200, {}, {"value": [_body(policy, request.api_version) for policy in found], "nextLink": None})


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    """Return what the service reads back: the same, but Enable and Disable become Enabled and Disabled."""
    settings = {name: value for name, value in given.items() if value is not None}
    if "multiVmSyncStatus" in settings:
        settings["multiVmSyncStatus"] += "d"
    return settings


def _out_of_range(settings: dict[str, Any]) -> OperationError | None:
    for name, largest in _LIMITS.items():
        value = settings.get(name, 0)
        if not 0 <= value <= largest:
            return error("15040", problem=f"{name} is {value}; accepted: 0 to {largest} minutes.")
    return None


def _start(
    world: World,
    request: Request,
    now: datetime,
    scenario: str,
    policy: Policy,
    change: Any,
    fail: OperationError | None,
) -> Response:
    operation = start(
        world,
        now,
        scenario=scenario,
        target_id=policy.id,
        duration_s=rules.duration_s("any", "policy"),
        object_id=policy.profile_id,
        object_name=policy.name,
        on_done=change,
        fail=fail,
        result="nothing" if scenario == "RemoveProtectionProfile" else "target",
    )
    return accepted(request, operation)


def _body(policy: Policy, api_version: str) -> dict[str, Any]:
    details = dict(policy.settings)
    if policy.provider == "InMageRcm" and api_version >= SINCE_ITEM_COUNT:
        details.update(status=False, associatedItemsCount=0, dataSourceType="VM")
    return {
        "id": policy.id,
        "name": policy.name,
        "type": POLICY_TYPE,
        "properties": {"friendlyName": policy.name, "providerSpecificDetails": details},
    }
