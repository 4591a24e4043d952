"""Changing the target of a protected item: name, size, network, subnet, address, tags."""

from datetime import datetime

from asr_lab.arm.providers.bodies import given_for
from asr_lab.arm.providers.provider import provider_named
from asr_lab.arm.providers.scope import ITEM, VERSIONS, Scope
from asr_lab.arm.providers.work import start_action
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World


@route("PATCH", ITEM, versions=VERSIONS)
def patch_item(world: World, request: Request, now: datetime) -> Response:
    """Change the target; accepted while the item is protected, otherwise the job fails."""
    scope = Scope(world, request)
    item = scope.item
    given = given_for(request, item, "update", "UpdateReplicationProtectedItemInput")
    return start_action(world, request, now, item, provider_named(item.provider).update(scope, item, given, now))
