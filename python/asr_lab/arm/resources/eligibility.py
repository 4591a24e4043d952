"""Whether an Azure virtual machine can be replicated to another region: ``replicationEligibilityResults``.

The shape is the specification's; nothing was recorded.
"""

from typing import Any

from asr_lab.arm.providers.azure_to_azure_source import machine, problems
from asr_lab.arm.providers.scope import VERSIONS
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response, resource_id, resource_not_found
from asr_lab.arm.world import World

ELIGIBILITY_TYPE = "Microsoft.RecoveryServices/replicationEligibilityResults"
_VM_TYPE = "Microsoft.Compute/virtualMachines"
_RESULTS = (
    "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.Compute/virtualMachines/{vm}"
    "/providers/Microsoft.RecoveryServices/replicationEligibilityResults"
)


@route("GET", _RESULTS, versions=VERSIONS)
def list_eligibility(world: World, request: Request, *, sub: str, rg: str, vm: str) -> Response:
    """Answer the one result of the machine as a list."""
    return Response(200, {}, {"value": [_result(world, request, sub, rg, vm)]})


@route("GET", _RESULTS + "/default", versions=VERSIONS)
def get_eligibility(world: World, request: Request, *, sub: str, rg: str, vm: str) -> Response:
    """Answer what stands in the way of replicating the machine; no errors: it can be replicated."""
    return Response(200, {}, _result(world, request, sub, rg, vm))


def _result(world: World, request: Request, sub: str, rg: str, vm: str) -> dict[str, Any]:
    vm_id = resource_id(sub, rg, _VM_TYPE, vm)
    found = machine(world, vm_id)
    if found is None:
        raise resource_not_found(_VM_TYPE, vm, rg)
    return {
        "id": f"{found['id']}/providers/{ELIGIBILITY_TYPE}/default",
        "name": "default",
        "type": ELIGIBILITY_TYPE,
        "properties": {
            "clientRequestId": request.headers.get("x-ms-client-request-id", ""),
            "errors": [
                {
                    "code": one.code,
                    "message": one.message,
                    "possibleCauses": one.causes,
                    "recommendedAction": one.action,
                    "status": "Error",
                }
                for one in problems(world, found)
            ],
        },
    }
