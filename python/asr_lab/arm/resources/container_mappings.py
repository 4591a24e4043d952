"""Container mappings: a policy associated with a container and with where its machines go."""

from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.models import checked
from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers.fabric_kind import kind_of
from asr_lab.arm.providers.model import AZURE, Container, Fabric, Mapping, Policy
from asr_lab.arm.providers.scope import CONTAINER, VAULT, VERSIONS, Scope, containers, fabric_by_id, items, mappings
from asr_lab.arm.providers.work import Done, accepted, affected_by_fabric, affected_by_pairing, error, start
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response, bad_request, last_segment, same_id
from asr_lab.arm.world import World

MAPPING_TYPE = (
    "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers"
    "/replicationProtectionContainerMappings"
)
_MAPPINGS = CONTAINER + "/replicationProtectionContainerMappings"
_MAPPING = _MAPPINGS + "/{mapping}"


@route("GET", _MAPPINGS, versions=VERSIONS)
def list_container_mappings(world: World, request: Request) -> Response:
    """Answer the mappings of a container."""
    scope = Scope(world, request)
    found = scope.fabric
    one = scope.container
    listed = [_body(world, found, one, mapping) for mapping in mappings(world, one)]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", VAULT + "/replicationProtectionContainerMappings", versions=VERSIONS)
def list_mappings(world: World, request: Request) -> Response:
    """Answer the mappings of all containers of the vault."""
    listed = [
        _body(world, fabric_by_id(world, one.fabric_id), one, mapping)
        for one in containers(world, Scope(world, request).vault_id)
        for mapping in mappings(world, one)
    ]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", _MAPPING, versions=VERSIONS)
def get_mapping(world: World, request: Request) -> Response:
    """Answer one mapping."""
    scope = Scope(world, request)
    found = scope.fabric
    one = scope.container
    return Response(200, {}, _body(world, found, one, scope.mapping))


@route("PUT", _MAPPING, versions=VERSIONS)
def put_mapping(world: World, request: Request, now: datetime) -> Response:
    """Associate a policy with a container; policy, input and target must be what the kind of fabric takes."""
    scope = Scope(world, request)
    found = scope.fabric
    one = scope.container
    given = checked(request, "CreateProtectionContainerMappingInput")["properties"]
    policy = scope.get(_in_vault(scope, _needed(given, "policyId")), Policy)
    target = _target(scope, found, policy, _needed(given, "targetProtectionContainerId"))
    specific = given.get("providerSpecificInput") or {}
    _check_input(found, specific.get("instanceType") or "", kind_of(found).mapping_inputs)
    name = scope.name("replicationProtectionContainerMappings")
    made = Mapping(
        f"{one.id}/replicationProtectionContainerMappings/{name}",
        name,
        one.id,
        policy.id,
        target,
        kind_of(found).mapping_details(specific),
    )
    done = partial(_pair, world, found, one, made, policy)
    return _start(world, request, now, found, one, made, "AssociateProtectionProfile", "mapping", done)


@route("PATCH", _MAPPING, versions=VERSIONS)
def patch_mapping(world: World, request: Request, now: datetime) -> Response:
    """Change how the agents of the mapping's machines are upgraded (A2A and InMageRcm have that)."""
    scope = Scope(world, request)
    found = scope.fabric
    one = scope.container
    changed = scope.mapping
    given = checked(request, "UpdateProtectionContainerMappingInput")["properties"]
    specific = given.get("providerSpecificInput") or {}
    _check_input(found, specific.get("instanceType") or "", kind_of(found).mapping_updates)
    details = {**(changed.details or {}), **{name: value for name, value in specific.items() if value is not None}}
    done = partial(_change, changed, details)
    scenario = "ModifyProtectionProfileAssociation"
    return _start(world, request, now, found, one, changed, scenario, "mapping_update", done)


@route("POST", _MAPPING + "/remove", versions=VERSIONS)
def remove_mapping(world: World, request: Request, now: datetime) -> Response:
    """Dissociate a policy; while machines are protected with it the job fails."""
    scope = Scope(world, request)
    found = scope.fabric
    one = scope.container
    if request.body is not None:
        checked(request, "RemoveProtectionContainerMappingInput")
    removed = scope.mapping
    used = [item.friendly_name for item in items(world, one) if same_id(item.policy_id, removed.policy_id)]
    fail = None
    if used:
        operation = f"removing it: machines are protected with its policy ({', '.join(used)})"
        fail = error("25037", name=removed.name, state="in use", operation=operation)
    scenario = "DissociateProtectionProfile"
    done = partial(_remove, world, removed.id)
    return _start(world, request, now, found, one, removed, scenario, "unmapping", done, fail=fail)


@route("DELETE", _MAPPING, versions=VERSIONS)
def purge_mapping(world: World, request: Request, now: datetime) -> Response:
    """Purge a mapping, whatever uses it."""
    scope = Scope(world, request)
    found = scope.fabric
    one = scope.container
    purged = scope.mapping
    scenario = "PurgeProtectionProfileAssociation"
    done = partial(_remove, world, purged.id)
    return _start(world, request, now, found, one, purged, scenario, "unmapping", done)


def _needed(given: dict[str, Any], name: str) -> str:
    """Return a property that the SDK leaves optional and the service needs (every recorded request has it)."""
    value = given.get(name)
    if not value:
        raise bad_request("InvalidParameter", f"properties.{name} is missing; its resource id is needed.")
    return str(value)


def _in_vault(scope: Scope, resource_id: str) -> str:
    """Return the id of a resource of this vault; another vault's is not found."""
    if not resource_id.casefold().startswith(f"{scope.vault_id}/".casefold()):
        raise scope.not_found(last_segment(resource_id))
    return resource_id


def _check_input(fabric: Fabric, given: str, taken: frozenset[str]) -> None:
    if not taken:
        raise bad_request(
            "OperationNotSupported", f"Mappings of the fabric '{fabric.friendly_name}' ({fabric.kind}) have no update."
        )
    if given not in taken:
        raise bad_request(
            "InvalidProviderSpecificInput",
            f"properties.providerSpecificInput.instanceType is '{given}'; a container of '{fabric.friendly_name}' "
            f"takes {', '.join(repr(one) for one in sorted(taken))}.",
        )


def _target(scope: Scope, fabric: Fabric, policy: Policy, given: str) -> str:
    """Return the target as a GET writes it: "Microsoft Azure", or the id of a container that is there."""
    kind = kind_of(fabric)
    if policy.provider not in kind.policies:
        raise bad_request(
            "InvalidPolicy",
            f"The policy '{policy.name}' is for {policy.provider}; the fabric '{fabric.friendly_name}' takes policies "
            f"for {', '.join(sorted(kind.policies))}.",
        )
    to_azure = kind.maps_to_azure and policy.provider not in kind.failback_policies
    if to_azure and given != AZURE:
        raise bad_request(
            "InvalidTargetProtectionContainer",
            f"properties.targetProtectionContainerId is '{given}'; for a policy of {policy.provider} it is '{AZURE}'.",
        )
    return AZURE if to_azure else scope.get(_in_vault(scope, given), Container).id


def _pair(world: World, fabric: Fabric, container: Container, made: Mapping, policy: Policy, due: datetime) -> None:
    world.resources.put(made.id, made)
    kind_of(fabric).paired(world, fabric, container, policy, made.target_container_id, due)


def _change(mapping: Mapping, details: dict[str, Any], _due: datetime) -> None:
    mapping.details = details


def _remove(world: World, mapping_id: str, _due: datetime) -> None:
    world.resources.delete_tree(mapping_id)


def _start(
    world: World,
    request: Request,
    now: datetime,
    fabric: Fabric,
    container: Container,
    mapping: Mapping,
    scenario: str,
    step: str,
    done: Done,
    *,
    fail: OperationError | None = None,
) -> Response:
    policy = world.resources.get(mapping.policy_id)
    operation = start(
        world,
        now,
        scenario=scenario,
        target_id=mapping.id,
        duration_s=world.duration_s(kind_of(fabric).provider, step, name=mapping.name, location=fabric.location),
        object_id=policy.profile_id if isinstance(policy, Policy) else world.guid(),
        object_name=policy.name if isinstance(policy, Policy) else mapping.name,
        affected=_affected(world, fabric, container, mapping),
        on_done=done,
        fail=fail,
        result="target" if step in ("mapping", "mapping_update") else "nothing",
    )
    return accepted(request, operation)


def _affected(world: World, fabric: Fabric, container: Container, mapping: Mapping) -> dict[str, str]:
    affected = affected_by_pairing(fabric, container)
    target = world.resources.get(mapping.target_container_id)
    if not isinstance(target, Container):
        return affected
    other = fabric_by_id(world, target.fabric_id)
    recovery = {name.replace("primary", "recovery"): value for name, value in affected_by_fabric(other).items()}
    return {**affected, **recovery, "recoveryCloudId": target.name, "recoveryCloudName": target.friendly_name}


def _target_names(world: World, mapping: Mapping) -> tuple[str, str]:
    """Return the friendly names of the target container and its fabric; a target that was removed has none."""
    if mapping.target_container_id == AZURE:
        return AZURE, AZURE
    target = world.resources.get(mapping.target_container_id)
    if not isinstance(target, Container):
        return "", ""
    return target.friendly_name, fabric_by_id(world, target.fabric_id).friendly_name


def _body(world: World, fabric: Fabric, container: Container, mapping: Mapping) -> dict[str, Any]:
    policy = world.resources.get(mapping.policy_id)
    container_name, fabric_name = _target_names(world, mapping)
    return {
        "id": mapping.id,
        "name": mapping.name,
        "type": MAPPING_TYPE,
        "properties": {
            "targetProtectionContainerId": mapping.target_container_id,
            "targetProtectionContainerFriendlyName": container_name,
            "providerSpecificDetails": mapping.details,
            "health": "Normal",
            "healthErrorDetails": [],
            "policyId": mapping.policy_id,
            "state": "Paired",
            "sourceProtectionContainerFriendlyName": container.friendly_name,
            "sourceFabricFriendlyName": fabric.friendly_name,
            "targetFabricFriendlyName": fabric_name,
            "policyFriendlyName": policy.name if isinstance(policy, Policy) else "",
        },
    }
