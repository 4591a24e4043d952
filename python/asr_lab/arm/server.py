"""HTTPS in front of the world: sign-in, metadata, ``/_lab`` and Azure Resource Manager, for unmodified Azure clients.

The only place that turns virtual time into waiting: a ``Retry-After`` of the world (virtual seconds) leaves as wall
seconds, never 0, which clients take for "no header". Answers that the world holds back wait here, and other requests go
on meanwhile.
"""

import json
import math
from typing import Any

from aiohttp import web
from multidict import CIMultiDict

from asr_lab.arm.admin import AdminRoutes, LabAdmin, WorldAdmin
from asr_lab.arm.certificates import Certificates
from asr_lab.arm.headers import sent
from asr_lab.arm.tokens import Credentials, SignInRefused, Tokens
from asr_lab.arm.wire import ArmError, Request, Response
from asr_lab.arm.world import World
from asr_lab.clock import Clock

_LIST_METADATA = ("2019-05-01", "2020-06-01")
"""The api-versions in which the metadata are a list of clouds."""

POLL_S = 30
"""Virtual seconds until the next poll when a status answer names none, as those of Site Recovery do (recorded)."""


async def serve(
    world: World,
    clock: Clock,
    certs: Certificates,
    host: str,
    port: int,
    credentials: Credentials,
    admin: LabAdmin | None = None,
) -> web.AppRunner:
    """Serve ``world`` on ``https://host:port`` in the running event loop; ``await runner.cleanup()`` stops it.

    With port 0 the system chooses one: ``runner.addresses[0][1]``. Raises OSError when the address is taken.
    """
    app = web.Application(client_max_size=16 << 20)
    AdminRoutes(world, clock, admin or WorldAdmin(world)).add_to(app)
    SignIn(Tokens(credentials), world, clock).add_to(app)
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=75)
    await runner.setup()
    await web.TCPSite(runner, host, port, ssl_context=certs.server_context(), backlog=1024).start()
    return runner


class SignIn:
    """The routes of the authority, of the cloud's metadata, and of everything that needs a token."""

    def __init__(self, tokens: Tokens, world: World, clock: Clock) -> None:
        self._tokens = tokens
        self._world = world
        self._clock = clock

    def add_to(self, app: web.Application) -> None:
        """Register the routes; the last one takes every path of Azure Resource Manager."""
        app.router.add_get("/metadata/endpoints", self._metadata)
        app.router.add_get("/common/discovery/instance", self._instance)
        for version in ("", "v2.0/"):
            app.router.add_get("/{tenant}/" + version + ".well-known/openid-configuration", self._openid)
            app.router.add_post("/{tenant}/oauth2/" + version + "token", self._token)
        app.router.add_route("*", "/{path:.*}", self._resource_manager)

    async def _openid(self, request: web.Request) -> web.Response:
        root = f"https://{request.host}/{request.match_info['tenant']}"
        return web.json_response(
            {
                "issuer": f"{root}/v2.0",
                "authorization_endpoint": f"{root}/oauth2/v2.0/authorize",
                "token_endpoint": f"{root}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{root}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{root}/discovery/v2.0/keys",
                "tenant_region_scope": "EU",
                "cloud_instance_name": request.host,
                "response_types_supported": ["code", "id_token"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _instance(self, request: web.Request) -> web.Response:
        tenant = self._tokens.tenant_id
        endpoint = f"https://{request.host}/{tenant}/v2.0/.well-known/openid-configuration"
        return web.json_response({"tenant_discovery_endpoint": endpoint, "api-version": "1.1", "metadata": []})

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        try:
            return web.json_response(self._tokens.sign_in(request.match_info["tenant"], form, self._clock.wall()))
        except SignInRefused as refused:
            return web.json_response(refused.body, status=refused.status)

    async def _metadata(self, request: web.Request) -> web.Response:
        root, version = f"https://{request.host}", request.query.get("api-version", "")
        names = ("portal", "gallery", "graph", "graphAudience", "batch", "sqlManagement", "vmImageAliasDoc")
        suffixes = ("storage", "keyVaultDns", "acrLoginServer", "sqlServerHostname", "azureDataLakeStoreFileSystem")
        cloud: dict[str, Any] = {
            "name": "AsrLab",
            **dict.fromkeys(names, root),
            "mediaResourceId": root,
            "resourceManager": root + "/",
            "authentication": {
                "loginEndpoint": root,
                "audiences": [root + "/"],
                "tenant": "common",
                "identityProvider": "AAD",
            },
            "suffixes": {
                name: f"{name.lower()}.lab.localhost" for name in (*suffixes, "azureDataLakeAnalyticsCatalogAndJob")
            },
        }
        return web.json_response([cloud] if version in _LIST_METADATA else cloud)

    async def _resource_manager(self, request: web.Request) -> web.StreamResponse:
        now = self._clock.now()
        headers = {name.lower(): value for name, value in request.headers.items() if name.lower() != "authorization"}
        asked = Request(request.method, request.path, dict(request.query), headers)
        try:
            token = request.headers.get("Authorization")
            asked.principal = self._tokens.check(token, request.host, self._clock.wall())
            asked.body = await _body(request)
        except ArmError as error:
            return _sent(self._world.refuse(asked, error, now), self._clock.speed)
        answer = self._world.handle(asked, self._clock.now())
        if answer.delay_s:
            await self._clock.hold(answer.delay_s)
        if answer.status == 0:
            if request.transport:
                request.transport.abort()
            return web.Response(status=500)
        return _sent(answer, self._clock.speed)


async def _body(request: web.Request) -> Any:
    raw = await request.read()
    if not raw:
        return None
    if request.content_type != "application/json":
        raise ArmError(
            415,
            "UnsupportedMediaType",
            f"The content media type '{request.content_type}' is not supported. Only 'application/json' is supported.",
        )
    try:
        return json.loads(raw)
    except ValueError as error:
        message = f"The request content was invalid and could not be deserialized: '{error}'."
        raise ArmError(400, "InvalidRequestContent", message) from None


def _runs(answer: Response) -> bool:
    """Return whether an answer tells of an operation that runs."""
    told = answer.body.get("status") if isinstance(answer.body, dict) else None
    return answer.status == 202 or told in ("NotStarted", "InProgress")


def _sent(answer: Response, speed: float) -> web.Response:
    headers = CIMultiDict(sent(answer))
    if _runs(answer):
        headers.setdefault("Retry-After", str(POLL_S))
    retry_after = headers.get("Retry-After", "")
    if retry_after.isdigit():
        wall_s = int(retry_after) / speed
        headers["Retry-After"] = str(max(1, math.ceil(wall_s)))
        if speed > 1:
            headers["x-ms-retry-after-ms"] = str(max(1, math.ceil(wall_s * 1000)))
    if answer.body is None:
        return web.Response(status=answer.status, headers=headers)
    return web.Response(status=answer.status, headers=headers, body=json.dumps(answer.body).encode())
