"""Faults and other rules that a test, a rehearsal or a scenario plants in the world, as rows of data.

Each row selects by ``match`` and holds exactly one thing that happens:

``{"match": {"method": "POST", "path": "*unplannedFailover*"}, "status": 503, "after_effect": true, "times": 1}``
    an answer: the request is answered ``status`` (with ``code``, ``message``, ``headers``), with ``after_effect`` only
    after it took effect; ``"reset": true`` breaks the connection instead of answering.
``{"match": {"method": "GET"}, "delay_s": 5}``
    a slow answer: what was asked happens at once, the answer leaves that many seconds of the clients' time later.
``{"match": {"path": "*/replicationProtectedItems/*"}, "stale_s": 60}``
    a stale read: a GET answers what was true that many virtual seconds ago.
``{"match": {"scenario": "TestFailover", "name": "web-*"}, "job": {"code": "28031", "message": "...", "task": "..."}}``
    a job: an operation of that scenario and target name fails with that error when its time is over.
``{"match": {"scenario": "EnableDr"}, "warning": {"code": "310024", "message": "..."}}``
    a warning: such an operation ends as Succeeded with this error inside.
``{"match": {"provider": "InMageRcm", "step": "initial_replication_*", "name": "web-*"}, "factor": 4}``
    a pace: the step takes that many times as long, or ``"seconds": 60`` exactly so long.
``{"match": {"name": "web-2022"}, "effect": "stuck_replication", "settings": {...}}``
    an effect: asked for by name by the rules of a resource (``World.effect``, ``World.planted``).

Patterns in ``match`` are those of a shell (``*``), without regard to case; ``times`` (default: for ever) counts uses.
A row about requests may strike by chance: ``"share": 0.2`` strikes a fifth of them. Which ones follows from ``seed``
(default 0), the request's method and path, and how often the row has seen these two; not from the order among paths.
"""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from asr_lab.arm.operations import OperationError
from asr_lab.arm.routes import action_of
from asr_lab.arm.schema import Anything, Flag, MapOf, Number, Record, Text, Whole, check
from asr_lab.arm.wire import ArmError, Request, Response

_JOB = Record(
    {
        "code": Text(not_empty=True),
        "message": Text(),
        "possible_causes": Text(),
        "recommended_action": Text(),
        "provider_code": Whole(),
        "provider_message": Text(),
        "provider_causes": Text(),
        "provider_action": Text(),
        "task": Text(),
        "restartable": Flag(),
    },
    required=("code", "message"),
)

_ROW = Record(
    {
        "match": MapOf(Text()),
        "times": Whole(minimum=1),
        "share": Number(),
        "seed": Whole(),
        "status": Whole(minimum=400, maximum=599),
        "code": Text(),
        "message": Text(),
        "headers": MapOf(Text()),
        "after_effect": Flag(),
        "reset": Flag(),
        "delay_s": Number(),
        "stale_s": Number(),
        "job": _JOB,
        "warning": _JOB,
        "factor": Number(),
        "seconds": Number(),
        "effect": Text(not_empty=True),
        "settings": Anything(),
    },
    required=("match",),
)

_REQUEST = ("method", "path", "query", "principal")
_OPERATION = ("scenario", "name", "target")
_SELECTORS: Mapping[str, tuple[str, ...]] = {
    "status": _REQUEST,
    "reset": _REQUEST,
    "delay_s": _REQUEST,
    "stale_s": ("path", "query", "principal"),
    "job": _OPERATION,
    "warning": _OPERATION,
    "factor": ("provider", "step", "name", "location"),
    "seconds": ("provider", "step", "name", "location"),
    "effect": ("name", "provider", "location"),
}
"""What a row of each kind can select by; the key is the property that makes it one."""

_BY_CHANCE = ("status", "reset", "delay_s", "stale_s")
"""The kinds of rows that may have a ``share``: those about requests."""

_POSITIVE = ("delay_s", "stale_s", "factor", "seconds")

_CODES = {
    401: "ExpiredAuthenticationToken",
    403: "AuthorizationFailed",
    409: "Conflict",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


_MESSAGES = {
    "AuthorizationFailed": (
        "The client '{principal}' with object id '{principal}' does not have authorization to perform action "
        "'{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your "
        "credentials."
    ),
    "MissingSubscriptionRegistration": (
        "The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for how "
        "to register subscriptions."
    ),
}
"""What Resource Manager says with codes that the lab never gives by itself."""


@dataclass
class Fault:
    """One planted row; ``kind`` is the property that tells what happens, ``left`` how often still, None for ever.

    ``since`` is when it was planted, None when whoever planted it did not say.
    """

    match: dict[str, str]
    kind: str = "effect"
    left: int | None = None
    share: float = 1.0
    seed: int = 0
    status: int | None = None
    code: str = ""
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    after_effect: bool = False
    reset: bool = False
    delay_s: float = 0.0
    stale_s: float = 0.0
    job: OperationError | None = None
    warning: OperationError | None = None
    factor: float | None = None
    seconds: float | None = None
    effect: str | None = None
    settings: Any = None
    since: datetime | None = None
    met: Counter[str] = field(default_factory=Counter)

    @property
    def is_answer(self) -> bool:
        """Return whether the fault changes the answer to a request."""
        return self.kind in ("status", "reset")

    def fits(self, **seen: str) -> bool:
        """Return whether every pattern fits what was seen; a pattern for something not seen does not fit."""
        return self.left != 0 and all(
            name in seen and fnmatchcase(seen[name].casefold(), pattern.casefold())
            for name, pattern in self.match.items()
        )

    def chosen(self, method: str, path: str) -> bool:
        """Return whether chance lets the fault strike this request, which fits; each asking counts as one request."""
        if self.share >= 1:
            return True
        key = f"{method} {path.casefold()}"
        self.met[key] += 1
        return random.Random(f"{self.seed} {key} {self.met[key]}").random() < self.share

    def strike(self) -> None:
        """Use the fault once."""
        if self.left is not None:
            self.left -= 1

    def response(self, request: Request) -> Response:
        """Return the answer of an answering fault; for a reset its status is 0 and the server breaks the connection."""
        if self.reset:
            return Response(0)
        status = self.status or 500
        code = self.code or _CODES.get(status, "ServiceUnavailable")
        message = self.message or _MESSAGES.get(code, "The simulator was told to answer {status} here.").format(
            status=status,
            principal=request.principal,
            scope=request.path,
            action=action_of(request),
            namespace=action_of(request).partition("/")[0],
        )
        return ArmError(status, code, message, headers=self.headers).response()


def parse_fault(row: Any) -> Fault:
    """Return the fault that a row describes. Raises ArmError 400 that says which value of the row is wrong."""
    checked: Mapping[str, Any] = check(row, _ROW)
    kinds = [kind for kind in _SELECTORS if checked.get(kind) is not None and checked[kind] is not False]
    if len(kinds) != 1:
        found = f"this one holds {', '.join(kinds)}" if kinds else "this one holds none of them"
        raise _wrong(f"a row holds exactly one of {', '.join(_SELECTORS)}; {found}")
    kind = kinds[0]
    for name in checked["match"]:
        if name not in _SELECTORS[kind]:
            offered = ", ".join(_SELECTORS[kind])
            raise _wrong(f"'match.{name}': a row with '{kind}' selects by {offered}")
    if kind in _POSITIVE and checked[kind] <= 0:
        raise _wrong(f"'{kind}' is {checked[kind]}; give a number above 0")
    share = checked.get("share")
    if (share is not None or checked.get("seed") is not None) and kind not in _BY_CHANCE:
        raise _wrong(f"'share' and 'seed': a row with '{kind}' always strikes; they go with {', '.join(_BY_CHANCE)}")
    if share is not None and not 0 < share <= 1:
        raise _wrong(f"'share' is {share}; give the part of the requests that it strikes, above 0 and at most 1")
    for name, value in (checked.get("headers") or {}).items():
        if name.casefold() == "retry-after" and value.strip() == "0":
            raise _wrong(f"'headers.{name}' is 0, which clients take for no header at all; give 1 or more")
    job, warning = checked.get("job"), checked.get("warning")
    return Fault(
        match=dict(checked["match"]),
        kind=kind,
        left=checked.get("times"),
        share=1.0 if share is None else float(share),
        seed=int(checked.get("seed") or 0),
        status=checked.get("status"),
        code=checked.get("code") or "",
        message=checked.get("message") or "",
        headers=dict(checked.get("headers") or {}),
        after_effect=bool(checked.get("after_effect")),
        reset=bool(checked.get("reset")),
        delay_s=float(checked.get("delay_s") or 0),
        stale_s=float(checked.get("stale_s") or 0),
        job=OperationError(**job) if job else None,
        warning=OperationError(**warning) if warning else None,
        factor=checked.get("factor"),
        seconds=checked.get("seconds"),
        effect=checked.get("effect"),
        settings=checked.get("settings"),
    )


def selectors(row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a row can select by, nothing when it is of no known kind."""
    return next((names for kind, names in _SELECTORS.items() if row.get(kind) is not None), ())


def _wrong(sentence: str) -> ArmError:
    return ArmError(400, "InvalidFault", f"The row is not a fault: {sentence}.")


class Faults:
    """The faults of a world, in the order in which they were planted; the first that fits strikes."""

    def __init__(self) -> None:
        self.rows: list[Fault] = []
        self.changes = 0

    def add(self, row: Any, now: datetime | None = None) -> Fault:
        """Plant the fault that ``row`` describes, at ``now``; raises ArmError 400 when the row is wrong."""
        fault = parse_fault(row)
        fault.since = now
        self.rows.append(fault)
        self.changes += 1
        return fault

    def clear(self) -> None:
        """Remove every fault."""
        self.rows.clear()
        self.changes += 1

    def answer(self, request: Request) -> Fault | None:
        """Return the fault that strikes this request, used once, or None."""
        return self._strike(self._fitting(request, "status", "reset"))

    def delay_s(self, request: Request) -> float:
        """Return how long the answer to this request is held back, in seconds of the clients' time; uses the row."""
        fault = self._strike(self._fitting(request, "delay_s"))
        return fault.delay_s if fault else 0.0

    def stale_s(self, request: Request) -> float:
        """Return how old the answer to a GET has to be, in virtual seconds; 0 for a fresh one."""
        if request.method != "GET" or not self.rows:
            return 0.0
        fault = self._strike(self._fitting(request, "stale_s"))
        return fault.stale_s if fault else 0.0

    @property
    def has_stale_reads(self) -> bool:
        """Return whether any row makes reads stale."""
        return any(fault.kind == "stale_s" and fault.left != 0 for fault in self.rows)

    def job(self, scenario: str, name: str, target_id: str) -> OperationError | None:
        """Return the error that strikes an operation of this scenario and target name, or None."""
        seen = {"scenario": scenario, "name": name, "target": target_id}
        fault = self._strike(fault for fault in self.rows if fault.kind == "job" and fault.fits(**seen))
        return fault.job if fault else None

    def warning(self, scenario: str, name: str, target_id: str) -> OperationError | None:
        """Return the warning with which such an operation succeeds, or None."""
        seen = {"scenario": scenario, "name": name, "target": target_id}
        fault = self._strike(fault for fault in self.rows if fault.kind == "warning" and fault.fits(**seen))
        return fault.warning if fault else None

    def pace(self, seconds: float, **seen: str) -> float:
        """Return how long a step takes whose table says ``seconds``: an exact time wins, factors multiply."""
        fitting = [row for row in self.rows if row.kind in ("factor", "seconds") and row.fits(**seen)]
        exact = next((row.seconds for row in fitting if row.seconds is not None), None)
        if exact is not None:
            return exact
        for row in fitting:
            seconds *= row.factor or 1.0
        return seconds

    def effect(self, effect: str, **seen: str) -> Fault | None:
        """Return the fault with this effect that fits what is seen, used once, or None."""
        return self._strike(fault for fault in self.rows if fault.effect == effect and fault.fits(**seen))

    def planted(self, effect: str, **seen: str) -> Fault | None:
        """Return the fault with this effect that fits what is seen, without using it, or None."""
        return next((fault for fault in self.rows if fault.effect == effect and fault.fits(**seen)), None)

    def _fitting(self, request: Request, *kinds: str) -> Iterator[Fault]:
        """Yield the rows of these kinds that strike the request."""
        seen = _seen(request)
        for fault in self.rows:
            if fault.kind in kinds and fault.fits(**seen) and fault.chosen(request.method, request.path):
                yield fault

    @staticmethod
    def _strike(fitting: Iterator[Fault]) -> Fault | None:
        fault = next(fitting, None)
        if fault:
            fault.strike()
        return fault


def _seen(request: Request) -> dict[str, str]:
    query = "&".join(f"{name}={value}" for name, value in request.query.items())
    return {"method": request.method, "path": request.path, "query": query, "principal": request.principal}
