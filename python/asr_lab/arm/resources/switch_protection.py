"""POST {container}/switchprotection: replicate a failed-over machine back to where it came from (A2A)."""

from datetime import datetime

from asr_lab.arm.models import checked
from asr_lab.arm.providers.azure_to_azure import AzureToAzure
from asr_lab.arm.providers.azure_to_azure_model import A2A
from asr_lab.arm.providers.model import ProtectedItem
from asr_lab.arm.providers.provider import provider_named
from asr_lab.arm.providers.scope import CONTAINER, VERSIONS, Scope
from asr_lab.arm.providers.work import start_action
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response, bad_request
from asr_lab.arm.world import World


@route("POST", CONTAINER + "/switchprotection", versions=VERSIONS)
def switch_protection(world: World, request: Request, now: datetime) -> Response:
    """Turn an item round; the operation hangs on the container, and the item moves to the other one (recorded)."""
    scope = Scope(world, request)
    container = scope.container
    given = checked(request, "SwitchProtectionInput")["properties"] or {}
    name = given.get("replicationProtectedItemName") or ""
    if not name:
        raise bad_request(
            "InvalidParameter",
            "properties.replicationProtectedItemName is missing; give the name of a protected item of the container.",
        )
    item = scope.get(f"{container.id}/replicationProtectedItems/{name}", ProtectedItem)
    specific = given.get("providerSpecificDetails") or {}
    provider = provider_named(item.provider)
    if not isinstance(provider, AzureToAzure) or specific.get("instanceType") != item.provider:
        raise bad_request(
            "InvalidProviderSpecificInput",
            f"properties.providerSpecificDetails.instanceType is '{specific.get('instanceType') or ''}' and the item "
            f"'{item.name}' is protected with {item.provider}; switchprotection is for {A2A}.",
            action="Use reProtect of the item for other providers.",
        )
    action = provider.switch_protection(scope, item, specific, now)
    return start_action(world, request, now, item, action, target_id=container.id)
