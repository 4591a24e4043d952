"""``/_lab``: the door through which tests and the lab's commands look at the world and change its conditions.

It needs no token and answers loopback addresses only. What lies outside Azure (hosts, the network between them, the EC2
estate) is left to a ``LabAdmin`` that the lab gives to the server.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Protocol

from aiohttp import web

from asr_lab.arm.schema import Record, Text, check
from asr_lab.arm.wire import ArmError, iso7
from asr_lab.arm.world import World
from asr_lab.clock import Clock


class LabAdmin(Protocol):
    """What the lab does beyond Azure. Methods may raise ArmError to refuse a body with a sentence."""

    async def reset(self, now: datetime) -> None:
        """Bring everything, the world included, back to how the lab starts."""

    async def network(self, body: dict[str, Any], now: datetime) -> Any:
        """Change which ways are blocked; return what holds now."""

    async def host(self, name: str, body: dict[str, Any], now: datetime) -> Any:
        """Change a host, such as its clock or a service; return its state."""

    async def state(self, now: datetime) -> dict[str, Any]:
        """Return what to add to the state of the world."""


class WorldAdmin:
    """The admin of a world alone, for tests: ``seed`` fills it again after a reset."""

    def __init__(self, world: World, seed: Callable[[World, datetime], object] | None = None) -> None:
        self._world = world
        self._seed = seed

    async def reset(self, now: datetime) -> None:
        """Empty the world and fill it again."""
        self._world.reset()
        if self._seed:
            self._seed(self._world, now)

    async def network(self, body: dict[str, Any], now: datetime) -> Any:
        """Refuse: a world alone has no network."""
        raise ArmError(404, "NoNetwork", f"There is no network here to change at {iso7(now)} with {body}.")

    async def host(self, name: str, body: dict[str, Any], now: datetime) -> Any:
        """Refuse: a world alone has no hosts."""
        raise ArmError(404, "NoSuchHost", f"There is no host '{name}' here to change at {iso7(now)} with {body}.")

    async def state(self, now: datetime) -> dict[str, Any]:
        """Return the time only."""
        return {"now": iso7(now)}


Act = Callable[[web.Request], Awaitable[Any]]


class AdminRoutes:
    """The ``/_lab`` routes over a world, its clock and a LabAdmin."""

    def __init__(self, world: World, clock: Clock, admin: LabAdmin) -> None:
        self._world = world
        self._clock = clock
        self._admin = admin

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        for method, path, act in (
            ("POST", "/_lab/reset", self._reset),
            ("POST", "/_lab/advance", self._advance),
            ("POST", "/_lab/inject", self._inject),
            ("DELETE", "/_lab/inject", self._remove_faults),
            ("GET", "/_lab/log", self._log),
            ("DELETE", "/_lab/log", self._empty_log),
            ("GET", "/_lab/state", self._state),
            ("POST", "/_lab/network", self._network),
            ("POST", "/_lab/hosts/{name}", self._host),
        ):
            app.router.add_route(method, path, _guarded(act))

    async def _reset(self, _: web.Request) -> Any:
        await self._admin.reset(self._clock.now())
        return {"now": iso7(self._clock.now())}

    async def _advance(self, request: web.Request) -> Any:
        body = await _object(request)
        seconds = body.get("seconds")
        if set(body) != {"seconds"} or isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
            raise ArmError(400, "InvalidAdvance", 'Send {"seconds": n}, n being virtual seconds of 0 or more.')
        now = self._clock.advance(seconds)
        self._world.advance(now)
        return {"now": iso7(now)}

    async def _inject(self, request: web.Request) -> Any:
        body = await request.json()
        rows = body if isinstance(body, list) else [body]
        for row in rows:
            self._world.faults.add(row)
        return {"faults": len(self._world.faults.rows)}

    async def _remove_faults(self, _: web.Request) -> Any:
        self._world.faults.clear()
        return {"faults": 0}

    async def _log(self, request: web.Request) -> Any:
        entries = self._world.writes if request.query.get("writes") == "1" else self._world.log
        return {"entries": [logged.row() for logged in entries]}

    async def _empty_log(self, _: web.Request) -> Any:
        self._world.log.clear()
        return {"entries": []}

    async def _state(self, _: web.Request) -> Any:
        now = self._clock.now()
        return {"now": iso7(now), **self._world.summary(now), **await self._admin.state(now)}

    async def _network(self, request: web.Request) -> Any:
        return await self._admin.network(await _object(request), self._clock.now())

    async def _host(self, request: web.Request) -> Any:
        name = check({"name": request.match_info["name"]}, Record({"name": Text(not_empty=True)}))["name"]
        return await self._admin.host(name, await _object(request), self._clock.now())


def _guarded(act: Act) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def answer(request: web.Request) -> web.StreamResponse:
        try:
            if not ip_address(request.remote or "0.0.0.0").is_loopback:
                raise ArmError(403, "LoopbackOnly", "The lab is changed from the machine that it runs on only.")
            return web.json_response(await act(request))
        except ArmError as error:
            refused = error.response()
            return web.json_response(refused.body, status=refused.status)
        except ValueError as error:
            return web.json_response({"error": {"code": "InvalidJson", "message": f"{error}; send JSON."}}, status=400)

    return answer


async def _object(request: web.Request) -> dict[str, Any]:
    body = await request.json()
    if not isinstance(body, dict):
        raise ArmError(400, "InvalidBody", "The body is not a JSON object.")
    return body
