"""Protection containers and their mappings to Azure."""

from datetime import datetime
from typing import Any

from asr_lab.arm.operations import OperationError
from asr_lab.arm.providers import rules
from asr_lab.arm.providers.model import AZURE, Container, Fabric, Mapping, Policy
from asr_lab.arm.providers.scope import (
    CONTAINER,
    FABRIC,
    VAULT,
    VERSIONS,
    Scope,
    containers,
    fabric_by_id,
    items,
    mappings,
)
from asr_lab.arm.providers.work import accepted, affected_by_pairing, error, start
from asr_lab.arm.routes import route
from asr_lab.arm.schema import Anything, Record, Text, check
from asr_lab.arm.wire import ArmError, Request, Response, bad_request, same_id
from asr_lab.arm.world import World

CONTAINER_TYPE = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers"
MAPPING_TYPE = f"{CONTAINER_TYPE}/replicationProtectionContainerMappings"
_MAPPINGS = CONTAINER + "/replicationProtectionContainerMappings"
_MAPPING = _MAPPINGS + "/{mapping}"

_SPECIFIC = Record(
    {"instanceType": Text(nullable=True), "enableAgentAutoUpgrade": Text(("true", "false"), nullable=True)},
    nullable=True,
)
CREATE = Record(
    {
        "properties": Record(
            {
                "targetProtectionContainerId": Text(not_empty=True),
                "policyId": Text(not_empty=True),
                "providerSpecificInput": _SPECIFIC,
            },
            ("targetProtectionContainerId", "policyId"),
        )
    },
    ("properties",),
)
REMOVE = Record({"properties": Record({"providerSpecificInput": Anything()}, nullable=True)})

_INPUT_TYPES = {
    "InMageAzureV2": ("", "ReplicationProviderSpecificContainerMappingInput"),
    "InMageRcm": ("", "ReplicationProviderSpecificContainerMappingInput", "InMageRcm"),
}


@route("GET", FABRIC + "/replicationProtectionContainers", versions=VERSIONS)
def list_fabric_containers(world: World, request: Request) -> Response:
    """Answer the containers of a fabric."""
    scope = Scope(world, request)
    found = scope.fabric
    listed = [_body(world, found, container) for container in containers(world, scope.vault_id, found)]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", VAULT + "/replicationProtectionContainers", versions=VERSIONS)
def list_containers(world: World, request: Request) -> Response:
    """Answer the containers of all fabrics of the vault."""
    scope = Scope(world, request)
    listed = [_body(world, fabric_by_id(world, one.fabric_id), one) for one in containers(world, scope.vault_id)]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", CONTAINER, versions=VERSIONS)
def get_container(world: World, request: Request) -> Response:
    """Answer one container."""
    scope = Scope(world, request)
    found = scope.fabric
    return Response(200, {}, _body(world, found, scope.container))


@route("GET", _MAPPINGS, versions=VERSIONS)
def list_container_mappings(world: World, request: Request) -> Response:
    """Answer the mappings of a container."""
    scope = Scope(world, request)
    found = scope.fabric
    one = scope.container
    listed = [_mapping_body(world, found, one, mapping) for mapping in mappings(world, one)]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", VAULT + "/replicationProtectionContainerMappings", versions=VERSIONS)
def list_mappings(world: World, request: Request) -> Response:
    """Answer the mappings of all containers of the vault."""
    scope = Scope(world, request)
    listed = [
        _mapping_body(world, fabric_by_id(world, one.fabric_id), one, mapping)
        for one in containers(world, scope.vault_id)
        for mapping in mappings(world, one)
    ]
    return Response(200, {}, {"value": listed, "nextLink": None})


@route("GET", _MAPPING, versions=VERSIONS)
def get_mapping(world: World, request: Request) -> Response:
    """Answer one mapping."""
    scope = Scope(world, request)
    found = scope.fabric
    one = scope.container
    return Response(200, {}, _mapping_body(world, found, one, scope.mapping))


@route("PUT", _MAPPING, versions=VERSIONS)
def put_mapping(world: World, request: Request, now: datetime) -> Response:
    """Associate a policy with a container; the policy must be one for the fabric's provider."""
    scope = Scope(world, request)
    found = scope.fabric
    one = scope.container
    given = check(request.body, CREATE)["properties"]
    policy = scope.get(given["policyId"], Policy)
    _check_input(found, policy, given)
    name = scope.name("replicationProtectionContainerMappings")
    made = Mapping(
        f"{one.id}/replicationProtectionContainerMappings/{name}",
        name,
        one.id,
        policy.id,
        given["targetProtectionContainerId"],
        _details(found, given.get("providerSpecificInput") or {}),
    )
    operation = start(
        world,
        now,
        scenario="AssociateProtectionProfile",
        target_id=made.id,
        duration_s=rules.duration_s(found.provider, "mapping"),
        object_id=policy.profile_id,
        object_name=policy.name,
        affected=affected_by_pairing(found, one),
        on_done=lambda _due: world.resources.put(made.id, made),
    )
    return accepted(request, operation)


@route("POST", _MAPPING + "/remove", versions=VERSIONS)
def remove_mapping(world: World, request: Request, now: datetime) -> Response:
    """Dissociate a policy; while machines are protected with it the job fails."""
    scope = Scope(world, request)
    found = scope.fabric
    one = scope.container
    if request.body is not None:
        check(request.body, REMOVE)
    removed = scope.mapping
    used = [item.friendly_name for item in items(world, one) if same_id(item.policy_id, removed.policy_id)]
    fail = None
    if used:
        operation = f"removing it: machines are protected with its policy ({', '.join(used)})"
        fail = error("25037", name=removed.name, state="in use", operation=operation)
    return _delete(world, request, now, found, one, removed, "DissociateProtectionProfile", fail)


@route("DELETE", _MAPPING, versions=VERSIONS)
def purge_mapping(world: World, request: Request, now: datetime) -> Response:
    """Purge a mapping."""
    scope = Scope(world, request)
    found = scope.fabric
    one = scope.container
    purged = scope.mapping
    return _delete(world, request, now, found, one, purged, "PurgeProtectionProfileAssociation", None)


def _check_input(fabric: Fabric, policy: Policy, given: dict[str, Any]) -> None:
    kind = (given.get("providerSpecificInput") or {}).get("instanceType") or ""
    accepted_kinds = _INPUT_TYPES[fabric.provider]
    if kind not in accepted_kinds:
        raise bad_request(
            "InvalidProviderSpecificInput",
            f"properties.providerSpecificInput.instanceType is '{kind}'; a container of '{fabric.friendly_name}' takes "
            f"{', '.join(repr(one) for one in accepted_kinds)}.",
        )
    failback = {"InMageAzureV2": "InMage", "InMageRcm": "InMageRcmFailback"}[fabric.provider]
    if policy.provider not in (fabric.provider, failback):
        raise bad_request(
            "InvalidPolicy",
            f"The policy '{policy.name}' is for {policy.provider}; the fabric '{fabric.friendly_name}' needs one for "
            f"{fabric.provider}.",
        )
    if policy.provider == fabric.provider and given["targetProtectionContainerId"] != AZURE:
        raise ArmError(
            400,
            "BadRequest",
            f"properties.targetProtectionContainerId is '{given['targetProtectionContainerId']}'; for a policy of "
            f"{fabric.provider} it is '{AZURE}'.",
        )


def _details(fabric: Fabric, given: dict[str, Any]) -> dict[str, Any] | None:
    if fabric.provider == "InMageRcm":
        upgrade = given.get("enableAgentAutoUpgrade") or "false"
        return {"instanceType": "InMageRcm", "enableAgentAutoUpgrade": upgrade}
    return None


def _delete(
    world: World,
    request: Request,
    now: datetime,
    fabric: Fabric,
    container: Container,
    mapping: Mapping,
    scenario: str,
    fail: OperationError | None,
) -> Response:
    policy = world.resources.get(mapping.policy_id)
    operation = start(
        world,
        now,
        scenario=scenario,
        target_id=mapping.id,
        duration_s=rules.duration_s(fabric.provider, "unmapping"),
        object_id=policy.profile_id if isinstance(policy, Policy) else world.guid(),
        object_name=policy.name if isinstance(policy, Policy) else mapping.name,
        affected=affected_by_pairing(fabric, container),
        on_done=lambda _due: world.resources.delete_tree(mapping.id),
        fail=fail,
        result="nothing",
    )
    return accepted(request, operation)


def _body(world: World, fabric: Fabric, container: Container) -> dict[str, Any]:
    paired = bool(mappings(world, container))
    return {
        "id": container.id,
        "name": container.name,
        "type": CONTAINER_TYPE,
        "properties": {
            "fabricFriendlyName": fabric.friendly_name,
            "friendlyName": container.friendly_name,
            "fabricType": fabric.kind,
            "protectedItemCount": len(items(world, container)),
            "pairingStatus": "Paired" if paired else "NotPaired",
            "role": "Primary" if paired else "",
            "fabricSpecificDetails": None,
        },
    }


def _mapping_body(world: World, fabric: Fabric, container: Container, mapping: Mapping) -> dict[str, Any]:
    policy = world.resources.get(mapping.policy_id)
    to_azure = mapping.target_container_id == AZURE
    return {
        "id": mapping.id,
        "name": mapping.name,
        "type": MAPPING_TYPE,
        "properties": {
            "targetProtectionContainerId": mapping.target_container_id,
            "targetProtectionContainerFriendlyName": AZURE if to_azure else container.friendly_name,
            "providerSpecificDetails": mapping.details,
            "health": "Normal",
            "healthErrorDetails": [],
            "policyId": mapping.policy_id,
            "state": "Paired",
            "sourceProtectionContainerFriendlyName": container.friendly_name,
            "sourceFabricFriendlyName": fabric.friendly_name,
            "targetFabricFriendlyName": AZURE if to_azure else fabric.friendly_name,
            "policyFriendlyName": policy.name if isinstance(policy, Policy) else "",
        },
    }
