"""Replication appliances of a vault; only the empty list was recorded, an entry is the specification's."""

from datetime import datetime

from asr_lab.arm.providers.model import RCM_FABRIC
from asr_lab.arm.providers.odata_filter import conditions
from asr_lab.arm.providers.rcm_fabric import appliance
from asr_lab.arm.providers.scope import VAULT, VERSIONS, Scope, fabrics
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World

APPLIANCE_TYPE = "Microsoft.RecoveryServices/vaults/replicationAppliances"


@route("GET", VAULT + "/replicationAppliances", versions=VERSIONS)
def list_appliances(world: World, request: Request, now: datetime) -> Response:
    """Answer the appliances, an entry for each fabric that has some; ``$filter`` by instanceType or fabric name."""
    wanted = conditions(request, {"instanceType": "eq", "fabricName": "eq"})
    listed = [
        {
            "id": f"{fabric.vault_id}/replicationAppliances/{fabric.name}",
            "name": fabric.name,
            "type": APPLIANCE_TYPE,
            "properties": {
                "providerSpecificDetails": {
                    "instanceType": RCM_FABRIC,
                    "appliances": [appliance(world, fabric, server, now) for server in fabric.servers],
                }
            },
        }
        for fabric in fabrics(world, Scope(world, request).vault_id)
        if fabric.kind == RCM_FABRIC
        and fabric.servers
        and wanted.get("instanceType", RCM_FABRIC).casefold() == RCM_FABRIC.casefold()
        and wanted.get("fabricName", fabric.name).casefold() == fabric.name.casefold()
    ]
    return Response(200, {}, {"value": listed, "nextLink": None})
