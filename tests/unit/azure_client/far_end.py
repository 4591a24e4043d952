"""A far end over real HTTPS that answers what a test tells it to, where the lab would be too well-behaved."""

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from tests.worlds.served import cloud
from tests.worlds.zones import lab_zone

from asr_lab.arm import landing_zone
from asr_lab.arm.certificates import make_certificates
from asr_migrate.azure.client import AzureClients, connect
from asr_migrate.azure.site_recovery import AzureSiteRecovery
from asr_migrate.clock import Clock
from asr_migrate.domain.cloud import CloudSettings
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.site import Call

ADDRESS = "127.35.0.2"
SPEED = 2000.0
ZONE = LandingZone.model_validate(lab_zone())
CONTAINER = f"{ZONE.vault_id}/replicationFabrics/f/replicationProtectionContainers/c"
FAILOVER = Call("unplannedFailover", "m1", {"properties": {}}, f"{CONTAINER}/replicationProtectedItems/m1")

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


def reply(status: int = 200, body: Any = None, **headers: str) -> Reply:
    """Return an answer: ``body`` is JSON, or as it is when it is text; ``_`` in the name of a header is ``-``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(_: web.Request) -> web.StreamResponse:
        if isinstance(body, str):
            return web.Response(status=status, text=body, headers={"Content-Type": "application/json", **named})
        return web.json_response(body, status=status, headers=named)

    return answer


async def cut_off(request: web.Request) -> web.StreamResponse:
    """Answer 200, promise a thousand bytes, and break the connection after ten."""
    answer = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
    await answer.prepare(request)
    await answer.write(b'{"value":[')
    assert request.transport is not None
    request.transport.close()
    return answer


PAGE = reply(200, "<html>Sign in to this network</html>", Content_Type="text/html")
CUT_JSON = reply(200, '{"value":[{"id"')


class FarEnd:
    """Azure and its sign-in, played from two lists; the last answer of each is given for ever.

    ``arrived`` are ``METHOD path?query`` of what reached Azure, ``bearers`` the tokens that came with it, ``signed_in``
    counts the requests for a token.
    """

    def __init__(self, folder: Path) -> None:
        self.certificates = make_certificates(folder, addresses=[ADDRESS], now=datetime.now(UTC))
        self.answers: list[Reply] = []
        self.tokens: list[Reply] = []
        self.arrived: list[str] = []
        self.bearers: list[str] = []
        self.signed_in = 0
        self.address = ""

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/token"):
            self.signed_in += 1
            if self.tokens:
                return await (self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0])(request)
            token = {"token_type": "Bearer", "expires_in": 3600, "access_token": f"token-{self.signed_in}"}
            return web.json_response(token)
        self.arrived.append(f"{request.method} {request.path_qs}")
        self.bearers.append(request.headers.get("Authorization", "").removeprefix("Bearer "))
        return await (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(request)

    @asynccontextmanager
    async def opened(self, *answers: Reply, tokens: tuple[Reply, ...] = (), **options: Any):
        """Connect to it as the product does. ``authority`` in ``options`` is asked for tokens in its place."""
        self.answers, self.tokens = list(answers), list(tokens)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, ADDRESS, 0, ssl_context=self.certificates.server_context()).start()
        self.address = f"https://{ADDRESS}:{runner.addresses[0][1]}"
        settings = cloud(self.address, self.certificates.ca_file)
        settings["authority"] = options.pop("authority", self.address)
        options |= {"clock": Clock(1 / SPEED)}
        try:
            async with connect(CloudSettings(**settings), landing_zone.SUBSCRIPTION_ID, **options) as clients:
                yield clients
        finally:
            await runner.cleanup()


def fail_over(clients: AzureClients) -> Any:
    """Ask for the failover of one machine."""
    return AzureSiteRecovery(clients, ZONE).send(FAILOVER, None)


def items(clients: AzureClients) -> Any:
    """Read the list of protected items."""
    return clients.get_all(f"{ZONE.vault_id}/replicationProtectedItems", "2025-08-01")
