"""Recovery plans, of which a vault of the simulator has none."""

from asr_lab.arm.routes import route
from asr_lab.arm.versions import SITE_RECOVERY_VERSIONS
from asr_lab.arm.wire import Request, Response, site_recovery_not_found
from asr_lab.arm.world import World

_VAULT = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.RecoveryServices/vaults/{vault}"
_PLANS = _VAULT + "/replicationRecoveryPlans"


@route("GET", _PLANS, versions=SITE_RECOVERY_VERSIONS)
def list_recovery_plans() -> Response:
    """Answer that there is none."""
    return Response(200, {}, {"value": [], "nextLink": None})


@route("GET", _PLANS + "/{plan}", versions=SITE_RECOVERY_VERSIONS)
def get_recovery_plan(world: World, request: Request, *, plan: str) -> Response:
    """Refuse as the service does for a plan that does not exist."""
    client_request_id = request.headers.get("x-ms-client-request-id", "")
    raise site_recovery_not_found(plan, client_request_id=client_request_id, activity_id=world.guid())
