"""Settings of a vault (specification): which migration solution it belongs to, how VMware machines go to Azure.

A PUT is answered at once: the SDK takes nothing but 200 here, although it waits as for an operation.
"""

from asr_lab.arm.models import checked
from asr_lab.arm.providers.scope import VAULT, VERSIONS, Scope
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World

SETTING_TYPE = "Microsoft.RecoveryServices/vaults/replicationVaultSettings"
_COLLECTION = "replicationVaultSettings"
_SETTING = VAULT + "/replicationVaultSettings/{setting}"


@route("PUT", _SETTING, versions=VERSIONS)
def put_vault_setting(world: World, request: Request) -> Response:
    """Set; what is not given keeps its value."""
    scope = Scope(world, request)
    given = checked(request, "VaultSettingCreationInput")["properties"]
    name = scope.name(_COLLECTION)
    setting_id = f"{scope.vault_id}/{_COLLECTION}/{name}"
    held = world.resources.get(setting_id)
    before = held["properties"] if held else {"migrationSolutionId": None, "vmwareToAzureProviderType": None}
    properties = {**before, **{key: value for key, value in given.items() if value is not None}}
    body = {"id": setting_id, "name": name, "type": SETTING_TYPE, "properties": properties}
    world.resources.put(setting_id, body)
    return Response(200, {}, body)


@route("GET", _SETTING, versions=VERSIONS)
def get_vault_setting(world: World, request: Request) -> Response:
    """Answer one setting; there is none before the first PUT."""
    scope = Scope(world, request)
    return Response(200, {}, scope.get(f"{scope.vault_id}/{_COLLECTION}/{scope.name(_COLLECTION)}", dict))


@route("GET", VAULT + "/replicationVaultSettings", versions=VERSIONS)
def list_vault_settings(world: World, request: Request) -> Response:
    """Answer the settings of the vault."""
    listed = world.resources.children(Scope(world, request).vault_id, _COLLECTION)
    return Response(200, {}, {"value": listed, "nextLink": None})
