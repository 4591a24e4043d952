"""Network mappings: which network of the recovery side takes the place of a network of the primary side.

Three kinds, told apart by the fabric and by ``fabricSpecificDetails.instanceType``: AzureToAzure (under the network
name ``azureNetwork``), VmmToAzure and VmmToVmm. Request bodies and durations are recorded, bodies of answers follow
the specification.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.models import checked
from asr_lab.arm.providers.azure_fabric import AZURE_NETWORK, AZURE_REGION, same_region
from asr_lab.arm.providers.model import AZURE, AZURE_FABRIC, Fabric
from asr_lab.arm.providers.scope import FABRIC, VAULT, VERSIONS, Scope, fabrics
from asr_lab.arm.providers.vmm import Network
from asr_lab.arm.providers.work import accepted, affected_by_fabric, start
from asr_lab.arm.routes import route
from asr_lab.arm.wire import ArmError, Request, Response, bad_request, last_segment, same_id
from asr_lab.arm.world import World

MAPPING_TYPE = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings"
MAPPINGS = FABRIC + "/replicationNetworks/{network}/replicationNetworkMappings"
MAPPING = MAPPINGS + "/{mapping}"

AZURE_TO_AZURE = "AzureToAzure"
VMM_TO_AZURE = "VmmToAzure"
VMM_TO_VMM = "VmmToVmm"


@dataclass
class NetworkMapping:
    """A replicationNetworkMapping; networks are ids.

    ``recovery_fabric_id`` of VmmToAzure is the fabric that stands for all of Azure (specification).
    """

    id: str
    name: str
    kind: str
    fabric_id: str
    guid: str
    primary_network_id: str
    primary_network_name: str
    recovery_network_id: str
    recovery_network_name: str
    recovery_fabric_id: str
    recovery_fabric_name: str
    primary_location: str = ""
    recovery_location: str = ""


def mappings_of_fabric(world: World, fabric: Fabric) -> list[NetworkMapping]:
    """Return the network mappings of a fabric, oldest first."""
    found = world.resources.descendants(f"{fabric.id}/replicationNetworks", "replicationNetworkMappings")
    return [one for one in found if isinstance(one, NetworkMapping)]


def recovery_network(world: World, fabric: Fabric, recovery_fabric_id: str, network_id: str) -> str:
    """Return the network that an Azure network is mapped to on the recovery side, empty when it is not mapped."""
    for mapping in mappings_of_fabric(world, fabric):
        if same_id(mapping.primary_network_id, network_id) and same_id(mapping.recovery_fabric_id, recovery_fabric_id):
            return mapping.recovery_network_id
    return ""


@route("PUT", MAPPING, versions=VERSIONS)
def put_network_mapping(world: World, request: Request, now: datetime, *, network: str, mapping: str) -> Response:
    """Map a network; a mapping of that name is replaced."""
    scope = Scope(world, request)
    given = checked(request, "CreateNetworkMappingInput")["properties"]
    made = _made(scope, network, mapping, given)
    return _start(world, request, now, "NetworkPairing", "network_mapping", scope.fabric, made, put=True)


@route("PATCH", MAPPING, versions=VERSIONS)
def patch_network_mapping(world: World, request: Request, now: datetime, *, network: str, mapping: str) -> Response:
    """Change the networks of a mapping; what the request leaves out stays."""
    scope = Scope(world, request)
    held = _held(scope)
    given = checked(request, "UpdateNetworkMappingInput")["properties"]
    specific = given.get("fabricSpecificDetails") or {}
    if specific and specific["instanceType"] != held.kind:
        raise _wrong_kind(specific["instanceType"], held.name, held.kind)
    merged = {
        "recoveryFabricName": given.get("recoveryFabricName") or last_segment(held.recovery_fabric_id),
        "recoveryNetworkId": given.get("recoveryNetworkId") or held.recovery_network_id,
        "fabricSpecificDetails": {
            "instanceType": held.kind,
            "primaryNetworkId": specific.get("primaryNetworkId") or held.primary_network_id,
        },
    }
    made = _made(scope, network, mapping, merged)
    made.guid = held.guid
    return _start(world, request, now, "NetworkPairing", "network_mapping", scope.fabric, made, put=True)


@route("DELETE", MAPPING, versions=VERSIONS)
def delete_network_mapping(world: World, request: Request, now: datetime) -> Response:
    """Remove a mapping; machines keep the network that they were given by it."""
    scope = Scope(world, request)
    held = _held(scope)
    return _start(world, request, now, "NetworkUnPairing", "network_unmapping", scope.fabric, held, put=False)


@route("GET", MAPPING, versions=VERSIONS)
def get_network_mapping(world: World, request: Request) -> Response:
    """Answer one mapping."""
    scope = Scope(world, request)
    return Response(200, {}, _body(scope.fabric, _held(scope)))


@route("GET", MAPPINGS, versions=VERSIONS)
def list_network_mappings(world: World, request: Request, *, network: str) -> Response:
    """Answer the mappings of one network."""
    scope = Scope(world, request)
    fabric = scope.fabric
    below = f"{fabric.id}/replicationNetworks/{network}/replicationNetworkMappings"
    found = [one for one in mappings_of_fabric(world, fabric) if same_id(one.id.rpartition("/")[0], below)]
    if not found and fabric.kind != AZURE_REGION:
        _primary_network(scope, network)
    return Response(200, {}, {"value": [_body(fabric, one) for one in found], "nextLink": None})


@route("GET", VAULT + "/replicationNetworkMappings", versions=VERSIONS)
def list_all_network_mappings(world: World, request: Request) -> Response:
    """Answer the network mappings of all fabrics of the vault."""
    vault_id = Scope(world, request).vault_id
    listed = [_body(one, mapping) for one in fabrics(world, vault_id) for mapping in mappings_of_fabric(world, one)]
    return Response(200, {}, {"value": listed, "nextLink": None})


def _made(scope: Scope, network: str, name: str, given: Mapping[str, Any]) -> NetworkMapping:
    fabric = scope.fabric
    kind = (given.get("fabricSpecificDetails") or {}).get("instanceType") or _kind(fabric, given)
    _check_kind(fabric, kind)
    if fabric.kind == AZURE_REGION:
        return _azure_to_azure(scope, network, name, given)
    primary_id, primary_name = _primary_network(scope, network)
    wanted = given["recoveryNetworkId"]
    made = NetworkMapping(
        id=f"{primary_id}/replicationNetworkMappings/{name}",
        name=name,
        kind=kind,
        fabric_id=fabric.id,
        guid=scope.world.guid(),
        primary_network_id=primary_id,
        primary_network_name=primary_name,
        recovery_network_id=wanted,
        recovery_network_name=last_segment(wanted),
        recovery_fabric_id=f"{scope.vault_id}/replicationFabrics/{AZURE_FABRIC}",
        recovery_fabric_name=AZURE,
        primary_location=fabric.location,
    )
    if kind == VMM_TO_VMM:
        recovery = _recovery_fabric(scope, given)
        made.recovery_fabric_id, made.recovery_fabric_name = recovery.id, recovery.friendly_name
        made.recovery_network_name = _fabric_network(scope, wanted)
    else:
        _azure_network(scope.world, wanted, "properties.recoveryNetworkId")
    return made


def _azure_to_azure(scope: Scope, network: str, name: str, given: Mapping[str, Any]) -> NetworkMapping:
    fabric = scope.fabric
    if network.casefold() != AZURE_NETWORK.casefold():
        raise scope.not_found(network)
    recovery = _recovery_fabric(scope, given)
    primary_id = (given.get("fabricSpecificDetails") or {}).get("primaryNetworkId") or ""
    primary = _azure_network(scope.world, primary_id, "properties.fabricSpecificDetails.primaryNetworkId")
    wanted = _azure_network(scope.world, given["recoveryNetworkId"], "properties.recoveryNetworkId")
    for found, region in ((primary, fabric), (wanted, recovery)):
        if not same_region(str(found["location"]), region.location):
            raise bad_request(
                "InvalidNetwork",
                f"The virtual network '{found['id']}' is in {found['location']}; the fabric '{region.name}' stands for "
                f"{region.location}.",
                action="Give a virtual network of the fabric's region.",
            )
    return NetworkMapping(
        id=f"{fabric.id}/replicationNetworks/{AZURE_NETWORK}/replicationNetworkMappings/{name}",
        name=name,
        kind=AZURE_TO_AZURE,
        fabric_id=fabric.id,
        guid=scope.world.guid(),
        primary_network_id=primary_id,
        primary_network_name=last_segment(primary_id),
        recovery_network_id=given["recoveryNetworkId"],
        recovery_network_name=last_segment(given["recoveryNetworkId"]),
        recovery_fabric_id=recovery.id,
        recovery_fabric_name=recovery.friendly_name,
        primary_location=fabric.location,
        recovery_location=recovery.location,
    )


def _kind(fabric: Fabric, given: Mapping[str, Any]) -> str:
    if fabric.kind == AZURE_REGION:
        return AZURE_TO_AZURE
    return VMM_TO_VMM if given.get("recoveryFabricName") not in (None, "", AZURE) else VMM_TO_AZURE


def _check_kind(fabric: Fabric, kind: str) -> None:
    offered = {AZURE_REGION: (AZURE_TO_AZURE,), "VMM": (VMM_TO_AZURE, VMM_TO_VMM)}.get(fabric.kind, ())
    if not offered:
        raise bad_request(
            "OperationNotSupported",
            f"Networks of the fabric '{fabric.friendly_name}' cannot be mapped: it is of kind {fabric.kind}; only "
            "fabrics of kind Azure and VMM have network mappings.",
        )
    if kind not in offered:
        raise _wrong_kind(kind, fabric.friendly_name, " or ".join(offered))


def _wrong_kind(given: str, name: str, accepted_kind: str) -> ArmError:
    return bad_request(
        "InvalidFabricSpecificInput",
        f"properties.fabricSpecificDetails.instanceType is '{given}'; '{name}' takes {accepted_kind}.",
    )


def _recovery_fabric(scope: Scope, given: Mapping[str, Any]) -> Fabric:
    wanted = given.get("recoveryFabricName") or ""
    if not wanted:
        raise bad_request(
            "InvalidRecoveryFabric",
            "properties.recoveryFabricName is missing; give the name of the fabric of the recovery side.",
        )
    found = scope.get(f"{scope.vault_id}/replicationFabrics/{wanted}", Fabric)
    if found.kind != scope.fabric.kind or same_id(found.id, scope.fabric.id):
        raise bad_request(
            "InvalidRecoveryFabric",
            f"properties.recoveryFabricName is '{wanted}'; another fabric of kind {scope.fabric.kind} is needed.",
        )
    return found


def _azure_network(world: World, network_id: str, place: str) -> Mapping[str, Any]:
    found = world.resources.get(network_id) if network_id else None
    if not isinstance(found, Mapping) or "/virtualnetworks/" not in network_id.casefold():
        raise bad_request(
            "InvalidNetwork",
            f"{place} is '{network_id}'; there is no such virtual network.",
            action="Create the virtual network or give the id of one that exists.",
        )
    return found


def _primary_network(scope: Scope, network: str) -> tuple[str, str]:
    """Return id and friendly name of a network of the fabric; raises the 404."""
    wanted = f"{scope.fabric.id}/replicationNetworks/{network}"
    return wanted, _fabric_network(scope, wanted)


def _fabric_network(scope: Scope, network_id: str) -> str:
    """Return the friendly name of a network of a VMM server; raises the 404."""
    return scope.get(network_id, Network).friendly_name


def _held(scope: Scope) -> NetworkMapping:
    network, name = scope.name("replicationNetworks"), scope.name("replicationNetworkMappings")
    wanted = f"{scope.fabric.id}/replicationNetworks/{network}/replicationNetworkMappings/{name}"
    return scope.get(wanted, NetworkMapping)


def _start(
    world: World,
    request: Request,
    now: datetime,
    scenario: str,
    step: str,
    fabric: Fabric,
    mapping: NetworkMapping,
    *,
    put: bool,
) -> Response:
    change = partial(_put, world, mapping) if put else partial(_remove, world, mapping)
    operation = start(
        world,
        now,
        scenario=scenario,
        target_id=mapping.id,
        duration_s=world.duration_s(
            "A2A" if mapping.kind == AZURE_TO_AZURE else "any", step, name=mapping.name, location=fabric.location
        ),
        object_id=mapping.guid,
        object_name=mapping.primary_network_name,
        affected=affected_by_fabric(fabric),
        on_done=change,
        result="target" if put else "nothing",
    )
    return accepted(request, operation)


def _put(world: World, mapping: NetworkMapping, _due: datetime) -> None:
    world.resources.put(mapping.id, mapping)


def _remove(world: World, mapping: NetworkMapping, _due: datetime) -> None:
    world.resources.delete(mapping.id)


def _body(fabric: Fabric, mapping: NetworkMapping) -> dict[str, Any]:
    settings: dict[str, Any] = {"instanceType": mapping.kind}
    if mapping.kind == AZURE_TO_AZURE:
        settings["primaryFabricLocation"] = mapping.primary_location
        settings["recoveryFabricLocation"] = mapping.recovery_location
    return {
        "id": mapping.id,
        "name": mapping.name,
        "type": MAPPING_TYPE,
        "properties": {
            "state": "Paired",
            "primaryNetworkFriendlyName": mapping.primary_network_name,
            "primaryNetworkId": mapping.primary_network_id,
            "primaryFabricFriendlyName": fabric.friendly_name,
            "recoveryNetworkFriendlyName": mapping.recovery_network_name,
            "recoveryNetworkId": mapping.recovery_network_id,
            "recoveryFabricArmId": mapping.recovery_fabric_id,
            "recoveryFabricFriendlyName": mapping.recovery_fabric_name,
            "fabricSpecificSettings": settings,
        },
    }
