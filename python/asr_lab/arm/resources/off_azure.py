"""Discovery (Microsoft.OffAzure): sites of an appliance, the machines it found, the accounts that a person entered
there.

Nothing here is made by a request: an appliance reports it (``add_site``, ``add_machine``, ``add_run_as_account``).
"""

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

from asr_lab.arm.routes import route
from asr_lab.arm.versions import OFF_AZURE_VERSIONS
from asr_lab.arm.wire import ArmError, Request, Response, group_id, iso7, resource_not_found
from asr_lab.arm.world import World

SiteKind = Literal["MasterSites", "ServerSites", "VMwareSites"]

_PAGE = 100
_SINCE_APPLIANCES = "2023-06-06"
_NOT_BEFORE = frozenset({"appliancePropertiesCollection", "hydratedFqdn", "runAsAccountId"})
_GROUP = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.OffAzure"
_SITE = _GROUP + "/{kind}/{site}"
_KINDS = ("MasterSites", "ServerSites", "VMwareSites")


def add_site(
    world: World,
    *,
    subscription_id: str,
    resource_group: str,
    name: str,
    location: str,
    now: datetime,
    kind: SiteKind = "ServerSites",
    properties: Mapping[str, Any] | None = None,
) -> str:
    """Put a discovery site into the world and return its id; ``properties`` are added to the common ones."""
    made = f"{group_id(subscription_id, resource_group)}/providers/Microsoft.OffAzure/{kind}/{name}"
    world.resources.put(
        made,
        {
            "id": made,
            "name": name,
            "type": f"Microsoft.OffAzure/{kind}",
            "location": location,
            "tags": {},
            "properties": {
                "provisioningState": "Succeeded",
                "serviceEndpoint": f"https://{location}.prod.migration.windowsazure.com",
                "createdTimestamp": iso7(now),
                **(properties or {}),
            },
        },
    )
    return made


def add_machine(world: World, site_id: str, name: str, properties: Mapping[str, Any], *, now: datetime) -> str:
    """Put a discovered machine under a site (in place of one with the same name) and return its id."""
    stamps = {"createdTimestamp": iso7(now), "updatedTimestamp": iso7(now)}
    return _add(world, site_id, "machines", name, {**stamps, **properties})


def add_run_as_account(
    world: World, site_id: str, name: str, *, display_name: str, credential_type: str, now: datetime
) -> str:
    """Put an account under a site and return its id; ``credential_type`` is such as WindowsServer or LinuxServer."""
    stamps = {"createdTimestamp": iso7(now), "updatedTimestamp": iso7(now)}
    held = {"displayName": display_name, "credentialType": credential_type, **stamps}
    return _add(world, site_id, "runasaccounts", name, held)


def add_vcenter(
    world: World,
    site_id: str,
    name: str,
    *,
    address: str,
    port: str,
    instance_id: str,
    account_id: str,
    now: datetime,
) -> str:
    """Put a vCenter server that an appliance asks under a VMware site and return its id (specification)."""
    return _add(
        world,
        site_id,
        "vcenters",
        name,
        {
            "createdTimestamp": iso7(now),
            "updatedTimestamp": iso7(now),
            "fqdn": address,
            "port": port,
            "runAsAccountId": account_id,
            "version": "7.0.3",
            "perfStatisticsLevel": "Level 1",
            "instanceUuid": instance_id,
            "friendlyName": name,
            "errors": [],
        },
    )


@route("GET", _SITE, versions=OFF_AZURE_VERSIONS)
def get_site(world: World, *, sub: str, rg: str, kind: str, site: str) -> Response:
    """Answer a site."""
    return Response(200, {}, _site(world, sub, rg, kind, site))


@route("GET", _GROUP + "/{kind}", versions=OFF_AZURE_VERSIONS)
def list_sites(world: World, *, sub: str, rg: str, kind: str) -> Response:
    """Answer the sites of one kind in a resource group."""
    held = world.resources.children(group_id(sub, rg), f"providers/Microsoft.OffAzure/{_kind(kind)}")
    return Response(200, {}, {"value": held})


@route("GET", "/subscriptions/{sub}/providers/Microsoft.OffAzure/{kind}", versions=OFF_AZURE_VERSIONS)
def list_all_sites(world: World, *, sub: str, kind: str) -> Response:
    """Answer the sites of one kind in a subscription."""
    held = world.resources.descendants(f"/subscriptions/{sub}", f"providers/Microsoft.OffAzure/{_kind(kind)}")
    return Response(200, {}, {"value": held})


@route("GET", _SITE + "/machines", versions=OFF_AZURE_VERSIONS)
def list_machines(world: World, request: Request, *, sub: str, rg: str, kind: str, site: str) -> Response:
    """Answer the machines of a site, a hundred a page; ``nextLink`` carries a continuation token."""
    held = world.resources.children(_site(world, sub, rg, kind, site)["id"], "machines")
    return _page(request, held, _machine)


@route("GET", _SITE + "/machines/{machine}", versions=OFF_AZURE_VERSIONS)
def get_machine(world: World, request: Request, *, sub: str, rg: str, kind: str, site: str, machine: str) -> Response:
    """Answer one machine."""
    found = _one(world, f"{_site(world, sub, rg, kind, site)['id']}/machines/{machine}")
    return Response(200, {}, _machine(found, request.api_version))


@route("GET", _SITE + "/runasaccounts", versions=OFF_AZURE_VERSIONS)
def list_run_as_accounts(world: World, request: Request, *, sub: str, rg: str, kind: str, site: str) -> Response:
    """Answer the accounts of a site."""
    return _page(request, world.resources.children(_site(world, sub, rg, kind, site)["id"], "runasaccounts"), _as_held)


@route("GET", _SITE + "/runasaccounts/{account}", versions=OFF_AZURE_VERSIONS)
def get_run_as_account(world: World, *, sub: str, rg: str, kind: str, site: str, account: str) -> Response:
    """Answer one account."""
    return Response(200, {}, _one(world, f"{_site(world, sub, rg, kind, site)['id']}/runasaccounts/{account}"))


@route("GET", _SITE + "/vcenters", versions=OFF_AZURE_VERSIONS)
def list_vcenters(world: World, request: Request, *, sub: str, rg: str, kind: str, site: str) -> Response:
    """Answer the vCenter servers of a VMware site; other sites have none."""
    return _page(request, world.resources.children(_vmware_site(world, sub, rg, kind, site), "vcenters"), _as_held)


@route("GET", _SITE + "/vcenters/{vcenter}", versions=OFF_AZURE_VERSIONS)
def get_vcenter(world: World, *, sub: str, rg: str, kind: str, site: str, vcenter: str) -> Response:
    """Answer one vCenter server."""
    return Response(200, {}, _one(world, f"{_vmware_site(world, sub, rg, kind, site)}/vcenters/{vcenter}"))


def _kind(kind: str) -> str:
    for known in _KINDS:
        if known.casefold() == kind.casefold():
            return known
    raise ArmError(
        404,
        "InvalidResourceType",
        f"The resource type '{kind}' could not be found in the namespace 'Microsoft.OffAzure'; "
        f"known: {', '.join(_KINDS)}.",
    )


def _site(world: World, sub: str, rg: str, kind: str, site: str) -> dict[str, Any]:
    known = _kind(kind)
    found: dict[str, Any] | None = world.resources.get(
        f"{group_id(sub, rg)}/providers/Microsoft.OffAzure/{known}/{site}"
    )
    if found is None:
        raise resource_not_found(f"Microsoft.OffAzure/{known}", site, rg)
    return found


def _vmware_site(world: World, sub: str, rg: str, kind: str, site: str) -> str:
    if _kind(kind) != "VMwareSites":
        raise ArmError(
            404,
            "InvalidResourceType",
            f"The resource type '{kind}/vcenters' could not be found in the namespace 'Microsoft.OffAzure'; "
            "VMwareSites have vcenters.",
        )
    return str(_site(world, sub, rg, kind, site)["id"])


def _as_held(found: dict[str, Any], _api_version: str) -> dict[str, Any]:
    return found


def _machine(found: dict[str, Any], api_version: str) -> dict[str, Any]:
    """Return a machine as this api-version writes it: the first one did not tell of appliances (specification)."""
    if api_version >= _SINCE_APPLIANCES:
        return found
    properties = {name: value for name, value in found["properties"].items() if name not in _NOT_BEFORE}
    system = properties.get("operatingSystemDetails")
    if isinstance(system, dict):
        properties["operatingSystemDetails"] = {
            name: value for name, value in system.items() if name != "osArchitecture"
        }
    return {**found, "properties": properties}


def _add(world: World, site_id: str, collection: str, name: str, properties: Mapping[str, Any]) -> str:
    site = world.resources.get(site_id)
    if site is None:
        raise LookupError(f"{site_id}: there is no such site; add it with add_site first")
    made = f"{site['id']}/{collection}/{name}"
    world.resources.put(
        made, {"id": made, "name": name, "type": f"{site['type']}/{collection}", "properties": dict(properties)}
    )
    return made


def _one(world: World, resource: str) -> dict[str, Any]:
    found: dict[str, Any] | None = world.resources.get(resource)
    if found is None:
        raise ArmError(404, "ResourceNotFound", f"The resource '{resource}' was not found.")
    return found


def _page(request: Request, rows: list[Any], write: Callable[[dict[str, Any], str], dict[str, Any]]) -> Response:
    start = _start(request.query.get("continuationToken", ""))
    listed = [write(row, request.api_version) for row in rows[start : start + _PAGE]]
    body: dict[str, Any] = {"value": listed, "nextLink": None}
    if start + _PAGE < len(rows):
        token = base64.urlsafe_b64encode(str(start + _PAGE).encode()).decode()
        body["nextLink"] = (
            f"https://{request.host}{request.path}?api-version={request.api_version}&continuationToken={token}"
        )
    return Response(200, {}, body)


def _start(token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(token)) if token else 0
    except (binascii.Error, ValueError):
        message = f"The continuationToken '{token}' is not one of ours; follow nextLink as it is."
        raise ArmError(400, "InvalidContinuationToken", message) from None
