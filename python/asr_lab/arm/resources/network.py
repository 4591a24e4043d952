"""Virtual networks, subnets and network interfaces."""

from collections.abc import Mapping
from typing import Any

from asr_lab.arm.resources.subscriptions import check_location, require_body
from asr_lab.arm.routes import route
from asr_lab.arm.schema import Anything, Flag, ListOf, MapOf, Record, Schema, Text, Whole, check
from asr_lab.arm.versions import NETWORK_VERSIONS
from asr_lab.arm.wire import ArmError, Request, Response, group_id, resource_id, resource_not_found
from asr_lab.arm.world import World

_GROUP = "/subscriptions/{sub}/resourceGroups/{rg}"
_NETWORKS = _GROUP + "/providers/Microsoft.Network/virtualNetworks"
_NICS = _GROUP + "/providers/Microsoft.Network/networkInterfaces"
_NETWORK_TYPE = "Microsoft.Network/virtualNetworks"
_NIC_TYPE = "Microsoft.Network/networkInterfaces"

_REFERENCE = Record({"id": Text(not_empty=True)}, required=("id",))
_HEAD: dict[str, Schema] = {"id": Text(), "name": Text(), "type": Text(), "etag": Text()}

_SUBNET_BODY = Record(
    {
        **_HEAD,
        "properties": Record(
            {
                "addressPrefix": Text(not_empty=True),
                "addressPrefixes": ListOf(Text()),
                "networkSecurityGroup": _REFERENCE,
                "routeTable": _REFERENCE,
                "natGateway": _REFERENCE,
                "serviceEndpoints": ListOf(Anything()),
                "delegations": ListOf(Anything()),
                "privateEndpointNetworkPolicies": Text(),
                "privateLinkServiceNetworkPolicies": Text(),
                "defaultOutboundAccess": Flag(),
                "ipConfigurations": ListOf(Anything()),
                "provisioningState": Text(),
            }
        ),
    }
)

_NETWORK_BODY = Record(
    {
        **_HEAD,
        "location": Text(not_empty=True),
        "tags": MapOf(),
        "properties": Record(
            {
                "addressSpace": Record(
                    {"addressPrefixes": ListOf(Text(not_empty=True))}, required=("addressPrefixes",)
                ),
                "subnets": ListOf(_SUBNET_BODY),
                "dhcpOptions": Record({"dnsServers": ListOf(Text())}),
                "enableDdosProtection": Flag(),
                "enableVmProtection": Flag(),
                "flowTimeoutInMinutes": Whole(),
                "virtualNetworkPeerings": ListOf(Anything()),
                "provisioningState": Text(),
                "resourceGuid": Text(),
            },
            required=("addressSpace",),
        ),
    },
    required=("location", "properties"),
)


def add_virtual_network(
    world: World,
    subscription_id: str,
    resource_group: str,
    name: str,
    *,
    location: str,
    address_prefixes: list[str],
    subnets: Mapping[str, str],
    tags: Mapping[str, str] | None = None,
) -> str:
    """Put a virtual network into the world (``subnets``: prefix by name) and return its id."""
    made = resource_id(subscription_id, resource_group, _NETWORK_TYPE, name)
    known = world.resources.get(made)
    world.resources.put(
        made,
        {
            "name": name,
            "id": made,
            "etag": f'W/"{world.guid()}"',
            "type": _NETWORK_TYPE,
            "location": location,
            "tags": dict(tags or {}),
            "properties": {
                "provisioningState": "Succeeded",
                "resourceGuid": known["properties"]["resourceGuid"] if known else world.guid(),
                "addressSpace": {"addressPrefixes": address_prefixes},
                "virtualNetworkPeerings": [],
                "enableDdosProtection": False,
            },
        },
    )
    for subnet, prefix in subnets.items():
        _put_subnet(world, made, subnet, {"addressPrefix": prefix})
    return made


def subnet_of(world: World, network_id: str, subnet: str) -> dict[str, Any] | None:
    """Return the subnet ``subnet`` (a name) of a virtual network, or None."""
    found: dict[str, Any] | None = world.resources.get(f"{network_id}/subnets/{subnet}")
    return found


def add_network_interface(
    world: World,
    subscription_id: str,
    resource_group: str,
    name: str,
    *,
    location: str,
    subnet_id: str,
    private_ip: str,
    static: bool = True,
    mac: str = "",
    security_group_id: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> str:
    """Put a network interface into the world and return its id."""
    made = resource_id(subscription_id, resource_group, _NIC_TYPE, name)
    properties: dict[str, Any] = {
        "provisioningState": "Succeeded",
        "resourceGuid": world.guid(),
        "ipConfigurations": [
            {
                "name": "ipconfig1",
                "id": f"{made}/ipConfigurations/ipconfig1",
                "properties": {
                    "provisioningState": "Succeeded",
                    "privateIPAddress": private_ip,
                    "privateIPAllocationMethod": "Static" if static else "Dynamic",
                    "subnet": {"id": subnet_id},
                    "primary": True,
                    "privateIPAddressVersion": "IPv4",
                },
            }
        ],
        "dnsSettings": {"dnsServers": [], "appliedDnsServers": []},
        "macAddress": mac,
        "enableAcceleratedNetworking": False,
        "enableIPForwarding": False,
        "primary": True,
    }
    if security_group_id:
        properties["networkSecurityGroup"] = {"id": security_group_id}
    world.resources.put(
        made,
        {
            "name": name,
            "id": made,
            "etag": f'W/"{world.guid()}"',
            "type": _NIC_TYPE,
            "location": location,
            "tags": dict(tags or {}),
            "properties": properties,
        },
    )
    return made


@route("PUT", _NETWORKS + "/{network}", versions=NETWORK_VERSIONS)
def put_virtual_network(world: World, request: Request, *, sub: str, rg: str, network: str) -> Response:
    """Create (201) or change (200) a virtual network with its subnets."""
    body = check(require_body(request), _NETWORK_BODY)
    made = resource_id(sub, rg, _NETWORK_TYPE, network)
    existed = made in world.resources
    subnets = body["properties"].get("subnets") or []
    for subnet in subnets:
        _check_subnet(subnet)
    kept = {subnet["name"].casefold() for subnet in subnets}
    for held in world.resources.children(made, "subnets"):
        if held["name"].casefold() not in kept:
            world.resources.delete(held["id"])
    add_virtual_network(
        world,
        sub,
        rg,
        network,
        location=check_location(body["location"]),
        address_prefixes=body["properties"]["addressSpace"]["addressPrefixes"],
        subnets={},
        tags=body.get("tags"),
    )
    for subnet in subnets:
        _put_subnet(world, made, subnet["name"], subnet["properties"])
    return Response(200 if existed else 201, {}, _shown(world, made))


@route("GET", _NETWORKS + "/{network}", versions=NETWORK_VERSIONS)
def get_virtual_network(world: World, *, sub: str, rg: str, network: str) -> Response:
    """Answer a virtual network with its subnets."""
    made = resource_id(sub, rg, _NETWORK_TYPE, network)
    if made not in world.resources:
        raise resource_not_found(_NETWORK_TYPE, network, rg)
    return Response(200, {}, _shown(world, made))


@route("GET", _NETWORKS, versions=NETWORK_VERSIONS)
def list_virtual_networks(world: World, *, sub: str, rg: str) -> Response:
    """Answer the virtual networks of a resource group."""
    held = world.resources.children(group_id(sub, rg), f"providers/{_NETWORK_TYPE}")
    return Response(200, {}, {"value": [_shown(world, network["id"]) for network in held]})


@route("GET", "/subscriptions/{sub}/providers/Microsoft.Network/virtualNetworks", versions=NETWORK_VERSIONS)
def list_all_virtual_networks(world: World, *, sub: str) -> Response:
    """Answer the virtual networks of a subscription."""
    held = world.resources.descendants(f"/subscriptions/{sub}", f"providers/{_NETWORK_TYPE}")
    return Response(200, {}, {"value": [_shown(world, network["id"]) for network in held]})


@route("PUT", _NETWORKS + "/{network}/subnets/{subnet}", versions=NETWORK_VERSIONS)
def put_subnet(world: World, request: Request, *, sub: str, rg: str, network: str, subnet: str) -> Response:
    """Create (201) or change (200) a subnet."""
    body = check(require_body(request), _SUBNET_BODY)
    _check_subnet({"name": subnet, **body})
    made = resource_id(sub, rg, _NETWORK_TYPE, network)
    existed = f"{made}/subnets/{subnet}" in world.resources
    _put_subnet(world, made, subnet, body["properties"])
    return Response(200 if existed else 201, {}, subnet_of(world, made, subnet))


@route("GET", _NETWORKS + "/{network}/subnets/{subnet}", versions=NETWORK_VERSIONS)
def get_subnet(world: World, *, sub: str, rg: str, network: str, subnet: str) -> Response:
    """Answer a subnet."""
    found = subnet_of(world, resource_id(sub, rg, _NETWORK_TYPE, network), subnet)
    if found is None:
        raise ArmError(404, "NotFound", f"Resource {network}/subnets/{subnet} in resource group {rg} not found.")
    return Response(200, {}, found)


@route("GET", _NETWORKS + "/{network}/subnets", versions=NETWORK_VERSIONS)
def list_subnets(world: World, *, sub: str, rg: str, network: str) -> Response:
    """Answer the subnets of a virtual network."""
    held = world.resources.children(resource_id(sub, rg, _NETWORK_TYPE, network), "subnets")
    return Response(200, {}, {"value": held})


@route("GET", _NICS + "/{nic}", versions=NETWORK_VERSIONS)
def get_network_interface(world: World, *, sub: str, rg: str, nic: str) -> Response:
    """Answer a network interface."""
    found = world.resources.get(resource_id(sub, rg, _NIC_TYPE, nic))
    if found is None:
        raise resource_not_found(_NIC_TYPE, nic, rg)
    return Response(200, {}, found)


@route("GET", _NICS, versions=NETWORK_VERSIONS)
def list_network_interfaces(world: World, *, sub: str, rg: str) -> Response:
    """Answer the network interfaces of a resource group."""
    return Response(200, {}, {"value": world.resources.children(group_id(sub, rg), f"providers/{_NIC_TYPE}")})


@route("GET", "/subscriptions/{sub}/providers/Microsoft.Network/networkInterfaces", versions=NETWORK_VERSIONS)
def list_all_network_interfaces(world: World, *, sub: str) -> Response:
    """Answer the network interfaces of a subscription."""
    return Response(200, {}, {"value": world.resources.descendants(f"/subscriptions/{sub}", f"providers/{_NIC_TYPE}")})


@route("DELETE", _NICS + "/{nic}", versions=NETWORK_VERSIONS)
def delete_network_interface(world: World, *, sub: str, rg: str, nic: str) -> Response:
    """Remove a network interface (200; 204 when there is none); one that a virtual machine uses stays."""
    made = resource_id(sub, rg, _NIC_TYPE, nic)
    found = world.resources.get(made)
    if found is None:
        return Response(204)
    user = found["properties"].get("virtualMachine")
    if user:
        raise ArmError(400, "NicInUse", f"Network Interface {made} is used by existing resource {user['id']}.")
    world.resources.delete(made)
    return Response(200)


def _check_subnet(subnet: Mapping[str, Any]) -> None:
    properties = subnet.get("properties") or {}
    if not subnet.get("name"):
        raise ArmError(400, "InvalidRequestFormat", "A subnet has no name; give properties.subnets[].name.")
    if not properties.get("addressPrefix") and not properties.get("addressPrefixes"):
        raise ArmError(
            400, "InvalidRequestFormat", f"Subnet '{subnet['name']}' has no addressPrefix; give it in CIDR notation."
        )


def _put_subnet(world: World, network_id: str, name: str, properties: Mapping[str, Any]) -> None:
    made = f"{network_id}/subnets/{name}"
    world.resources.put(
        made,
        {
            "name": name,
            "id": made,
            "etag": f'W/"{world.guid()}"',
            "type": "Microsoft.Network/virtualNetworks/subnets",
            "properties": {
                "privateEndpointNetworkPolicies": "Disabled",
                "privateLinkServiceNetworkPolicies": "Enabled",
                "delegations": [],
                **{key: value for key, value in properties.items() if value is not None},
                "provisioningState": "Succeeded",
            },
        },
    )


def _shown(world: World, network_id: str) -> dict[str, Any]:
    held = world.resources.get(network_id)
    if held is None:
        raise LookupError(network_id)
    properties = {**held["properties"], "subnets": world.resources.children(network_id, "subnets")}
    return {**held, "properties": properties}
