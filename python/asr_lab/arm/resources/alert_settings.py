"""Alert settings of a vault. A PUT is answered at once with the setting (recorded), not with an operation."""

from typing import Any

from asr_lab.arm.models import checked
from asr_lab.arm.providers.scope import VAULT, VERSIONS, Scope
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response, bad_request
from asr_lab.arm.world import World

ALERT_TYPE = "Microsoft.RecoveryServices/vaults/replicationAlertSettings"
_COLLECTION = "replicationAlertSettings"
_SEND = ("Send", "DoNotSend")


@route("PUT", VAULT + "/replicationAlertSettings/{alert}", versions=VERSIONS)
def put_alert_setting(world: World, request: Request) -> Response:
    """Say whom the vault sends mail about its health, in place of what was said before."""
    scope = Scope(world, request)
    given = checked(request, "ConfigureAlertRequest")["properties"]
    send = given.get("sendToOwners") or "DoNotSend"
    if send not in _SEND:
        raise bad_request("InvalidParameter", f"properties.sendToOwners is '{send}'; accepted: {', '.join(_SEND)}.")
    name = scope.name(_COLLECTION)
    setting_id = f"{scope.vault_id}/{_COLLECTION}/{name}"
    body: dict[str, Any] = {
        "name": name,
        "type": ALERT_TYPE,
        "id": setting_id,
        "properties": {
            "sendToOwners": send,
            "customEmailAddresses": given.get("customEmailAddresses") or [],
            "locale": given.get("locale"),
        },
    }
    world.resources.put(setting_id, body)
    return Response(200, {}, body)


@route("GET", VAULT + "/replicationAlertSettings/{alert}", versions=VERSIONS)
def get_alert_setting(world: World, request: Request) -> Response:
    """Answer one setting; there is none before the first PUT."""
    scope = Scope(world, request)
    name = scope.name(_COLLECTION)
    return Response(200, {}, scope.get(f"{scope.vault_id}/{_COLLECTION}/{name}", dict))


@route("GET", VAULT + "/replicationAlertSettings", versions=VERSIONS)
def list_alert_settings(world: World, request: Request) -> Response:
    """Answer the settings of the vault."""
    listed = world.resources.children(Scope(world, request).vault_id, _COLLECTION)
    return Response(200, {}, {"value": listed, "nextLink": None})
