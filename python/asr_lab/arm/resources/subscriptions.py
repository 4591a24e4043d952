"""Tenants, subscriptions, their locations and the registration of resource providers."""

from typing import Any

from asr_lab.arm.providers import rules
from asr_lab.arm.routes import ROUTES, route
from asr_lab.arm.versions import RESOURCES_VERSIONS, SUBSCRIPTION_VERSIONS
from asr_lab.arm.wire import ArmError, Request, Response
from asr_lab.arm.world import World

LOCATIONS: dict[str, str] = {name: str(row["text"]) for name, row in rules.table("azure_regions").items()}
"""The regions of the lab: canonical name -> display name."""

_NAMESPACES = (
    "Microsoft.Compute",
    "Microsoft.Network",
    "Microsoft.OffAzure",
    "Microsoft.RecoveryServices",
    "Microsoft.Resources",
    "Microsoft.Storage",
)
_VERSIONS = tuple(sorted({*SUBSCRIPTION_VERSIONS, *RESOURCES_VERSIONS}))


def add_subscription(
    world: World, subscription_id: str, *, tenant_id: str, display_name: str = "Migration lab"
) -> None:
    """Put a subscription into the world; every resource provider of the simulator is registered in it."""
    world.resources.put(
        f"/subscriptions/{subscription_id}",
        {
            "id": f"/subscriptions/{subscription_id}",
            "authorizationSource": "RoleBased",
            "managedByTenants": [],
            "subscriptionId": subscription_id,
            "tenantId": tenant_id,
            "displayName": display_name,
            "state": "Enabled",
            "subscriptionPolicies": {
                "locationPlacementId": "Public_2014-09-01",
                "quotaId": "PayAsYouGo_2014-09-01",
                "spendingLimit": "Off",
            },
        },
    )


@route("GET", "/tenants", versions=SUBSCRIPTION_VERSIONS)
def list_tenants(world: World) -> Response:
    """Answer the tenants of the subscriptions."""
    tenants = sorted({held["tenantId"] for held in world.resources.children("", "subscriptions")})
    return Response(200, {}, {"value": [{"id": f"/tenants/{tenant}", "tenantId": tenant} for tenant in tenants]})


@route("GET", "/subscriptions", versions=SUBSCRIPTION_VERSIONS)
def list_subscriptions(world: World) -> Response:
    """Answer the subscriptions."""
    return Response(200, {}, {"value": world.resources.children("", "subscriptions")})


@route("GET", "/subscriptions/{sub}", versions=SUBSCRIPTION_VERSIONS)
def get_subscription(world: World, *, sub: str) -> Response:
    """Answer one subscription."""
    return Response(200, {}, world.resources.get(f"/subscriptions/{sub}"))


@route("GET", "/subscriptions/{sub}/locations", versions=SUBSCRIPTION_VERSIONS)
def list_locations(*, sub: str) -> Response:
    """Answer the locations of the simulator."""
    rows = [
        {
            "id": f"/subscriptions/{sub}/locations/{name}",
            "name": name,
            "type": "Region",
            "displayName": shown,
            "regionalDisplayName": shown,
        }
        for name, shown in LOCATIONS.items()
    ]
    return Response(200, {}, {"value": rows})


@route("GET", "/subscriptions/{sub}/providers", versions=_VERSIONS)
def list_providers(*, sub: str) -> Response:
    """Answer the resource providers with their types and api-versions."""
    return Response(200, {}, {"value": [_provider(sub, namespace) for namespace in _NAMESPACES]})


@route("GET", "/subscriptions/{sub}/providers/{namespace}", versions=_VERSIONS)
def get_provider(*, sub: str, namespace: str) -> Response:
    """Answer one resource provider."""
    return Response(200, {}, _provider(sub, _known(namespace)))


@route("POST", "/subscriptions/{sub}/providers/{namespace}/register", versions=_VERSIONS)
def register_provider(*, sub: str, namespace: str) -> Response:
    """Answer as for a provider that is registered already."""
    return Response(200, {}, _provider(sub, _known(namespace)))


def check_location(location: str) -> str:
    """Return the canonical name of a location given as name or display name. Raises ArmError 400 for an unknown one."""
    name = location.replace(" ", "").casefold()
    if name not in LOCATIONS:
        raise ArmError(
            400,
            "LocationNotAvailableForResourceType",
            f"The provided location '{location}' is not available. "
            f"List of available regions is '{','.join(LOCATIONS)}'.",
        )
    return name


def require_body(request: Request) -> Any:
    """Return the request's body. Raises ArmError 400 when there is none."""
    if request.body is None:
        raise ArmError(400, "MissingRequestBody", f"{request.method} {request.path} needs a body; send a JSON object.")
    return request.body


def _known(namespace: str) -> str:
    for known in _NAMESPACES:
        if known.casefold() == namespace.casefold():
            return known
    raise ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")


def _provider(sub: str, namespace: str) -> dict[str, Any]:
    types: dict[str, set[str]] = {}
    for found in ROUTES:
        lower = [segment.casefold() for segment in found.segments]
        if namespace.casefold() in lower:
            kind = found.segments[lower.index(namespace.casefold()) + 1 :][:1]
            if kind and not kind[0].startswith("{"):
                types.setdefault(kind[0], set()).update(found.versions)
    return {
        "id": f"/subscriptions/{sub}/providers/{namespace}",
        "namespace": namespace,
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
        "resourceTypes": [
            {"resourceType": kind, "locations": list(LOCATIONS.values()), "apiVersions": sorted(versions, reverse=True)}
            for kind, versions in sorted(types.items())
        ],
    }
