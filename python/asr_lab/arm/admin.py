"""``/_lab``: the door through which tests and the lab's commands look at the world and change its conditions.

It needs no token and answers loopback addresses only. What lies outside Azure (hosts, the network between them, the EC2
estate) is left to a ``LabAdmin`` that the lab gives to the server.

``POST /_lab/reset``
    bring everything back to how the lab starts
``POST /_lab/advance``
    ``{"seconds": n}``: push virtual time forward
``GET /_lab/scenarios``
    the scenarios that have a name, with their rows
``POST /_lab/inject``, ``GET``, ``DELETE``
    plant a row, a list of rows, ``{"scenario": name, "match": {...}}`` or a whole scenario; how many there are; none
``POST /_lab/throttle``, ``GET``, ``DELETE``
    the limits of requests: ``{"enabled": true, "reads": {"capacity": 250, "per_second": 25}}``; as they are; off
``GET /_lab/log``, ``DELETE``
    the exchanges: ``?writes=1`` changes only, ``?last=N`` the newest, ``?session=1`` as a recorded session; forget them
``POST /_lab/log``
    ``{"keep_answers": true}``: keep answers too, which ``?session=1`` needs
``POST /_lab/hyper-v``
    register a Hyper-V host or a VMM server that is described in JSON, see ``site_recovery_hyper_v_documents.py``
``GET /_lab/state``
    what there is and what is under way
``POST /_lab/network``, ``POST /_lab/hosts/{name}``
    what lies outside Azure
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from ipaddress import ip_address
from typing import Any, Protocol

from aiohttp import web

from asr_lab.arm import scenarios
from asr_lab.arm import site_recovery_hyper_v_documents as hyper_v
from asr_lab.arm.exchange_log import as_session
from asr_lab.arm.schema import Flag, Record, Text, check
from asr_lab.arm.web_page import page
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
            ("GET", "/_lab/scenarios", self._scenarios),
            ("GET", "/_lab/inject", self._planted),
            ("POST", "/_lab/inject", self._inject),
            ("DELETE", "/_lab/inject", self._remove_faults),
            ("GET", "/_lab/throttle", self._limits),
            ("POST", "/_lab/throttle", self._limit),
            ("DELETE", "/_lab/throttle", self._unlimit),
            ("GET", "/_lab/log", self._log),
            ("POST", "/_lab/log", self._keep_answers),
            ("DELETE", "/_lab/log", self._empty_log),
            ("GET", "/_lab/state", self._state),
            ("POST", "/_lab/hyper-v", self._hyper_v),
            ("POST", "/_lab/network", self._network),
            ("POST", "/_lab/hosts/{name}", self._host),
        ):
            app.router.add_route(method, path, _guarded(act))
        page.add_to(app)

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

    async def _scenarios(self, _: web.Request) -> Any:
        return {"scenarios": [scenarios.scenario(name).body() for name in scenarios.names()]}

    async def _planted(self, _: web.Request) -> Any:
        return {"faults": len(self._world.faults.rows)}

    async def _inject(self, request: web.Request) -> Any:
        scenarios.plant_any(self._world, await request.json(), self._clock.now())
        return {"faults": len(self._world.faults.rows)}

    async def _remove_faults(self, _: web.Request) -> Any:
        self._world.faults.clear()
        self._world.throttle.switch_off()
        return {"faults": 0}

    async def _limits(self, _: web.Request) -> Any:
        return self._world.throttle.state()

    async def _limit(self, request: web.Request) -> Any:
        self._world.throttle.switch_on(await _object(request))
        return self._world.throttle.state()

    async def _unlimit(self, _: web.Request) -> Any:
        self._world.throttle.switch_off()
        return self._world.throttle.state()

    async def _log(self, request: web.Request) -> Any:
        logged = self._world.writes if request.query.get("writes") == "1" else list(self._world.log)
        last = request.query.get("last", "")
        if last and not (last.isdecimal() and int(last)):
            raise ArmError(400, "InvalidLog", f"'last' is '{last}'; give how many exchanges, 1 or more.")
        chosen = logged[-int(last) :] if last else logged
        if request.query.get("session") != "1":
            return {"entries": [entry.row() for entry in chosen]}
        if not self._world.keep_answers:
            raise ArmError(
                409,
                "AnswersNotKept",
                'The log has no answers. POST {"keep_answers": true} to /_lab/log before the exchanges to export.',
            )
        return as_session(chosen)

    async def _keep_answers(self, request: web.Request) -> Any:
        wanted = check(await _object(request), Record({"keep_answers": Flag()}, ("keep_answers",)))
        self._world.keep_answers = wanted["keep_answers"]
        return wanted

    async def _empty_log(self, _: web.Request) -> Any:
        self._world.log.clear()
        return {"entries": []}

    async def _state(self, _: web.Request) -> Any:
        now = self._clock.now()
        return {"now": iso7(now), **self._world.summary(now), **await self._admin.state(now)}

    async def _hyper_v(self, request: web.Request) -> Any:
        return hyper_v.register(self._world, await request.json(), self._clock.now())

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
