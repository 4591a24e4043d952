"""Faults that a test or a rehearsal plants in the world, as rows of data.

Three kinds, told apart by what the row holds:

``{"match": {"method": "POST", "path": "*unplannedFailover*"}, "status": 503, "after_effect": true, "times": 1}``
    an answer: the request is answered ``status`` (with ``code``, ``message``, ``headers``), with ``after_effect`` only
    after it took effect; ``"reset": true`` breaks the connection instead of answering.
``{"match": {"scenario": "TestFailover", "name": "web-*"}, "job": {"code": "28031", "message": "...", "task": "..."}}``
    a job: an operation of that scenario and target name fails with that error when its time is over.
``{"match": {"name": "web-2022"}, "effect": "stuck_replication"}``
    an effect: asked for by name by the rules of a resource (``World.effect``); further keys are its settings.

Patterns in ``match`` are those of a shell (``*``), without regard to case; ``times`` (default: for ever) counts uses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from asr_lab.arm.operations import OperationError
from asr_lab.arm.schema import Anything, Flag, MapOf, Record, Text, Whole, check
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
        "status": Whole(minimum=400, maximum=599),
        "code": Text(),
        "message": Text(),
        "headers": MapOf(Text()),
        "after_effect": Flag(),
        "reset": Flag(),
        "job": _JOB,
        "effect": Text(not_empty=True),
        "settings": Anything(),
    },
    required=("match",),
)

_CODES = {429: "TooManyRequests", 500: "InternalServerError", 503: "ServiceUnavailable", 504: "GatewayTimeout"}


@dataclass
class Fault:
    """One planted fault; ``left`` is how often it still strikes, None for ever."""

    match: dict[str, str]
    left: int | None = None
    status: int | None = None
    code: str = ""
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    after_effect: bool = False
    reset: bool = False
    job: OperationError | None = None
    effect: str | None = None
    settings: Any = None

    @property
    def is_answer(self) -> bool:
        """Return whether the fault changes the answer to a request."""
        return self.status is not None or self.reset

    def fits(self, **seen: str) -> bool:
        """Return whether every pattern fits what was seen; a pattern for something not seen does not fit."""
        return self.left != 0 and all(
            name in seen and fnmatchcase(seen[name].casefold(), pattern.casefold())
            for name, pattern in self.match.items()
        )

    def strike(self) -> None:
        """Use the fault once."""
        if self.left is not None:
            self.left -= 1

    def response(self) -> Response:
        """Return the answer of an answering fault; for a reset its status is 0 and the server breaks the connection."""
        if self.reset:
            return Response(0)
        status = self.status or 500
        code = self.code or _CODES.get(status, "ServiceUnavailable")
        message = self.message or f"The simulator was told to answer {status} here."
        return ArmError(status, code, message, headers=self.headers).response()


def parse_fault(row: Any) -> Fault:
    """Return the fault that a row describes. Raises ArmError 400 when the row is not one of the three kinds."""
    checked: Mapping[str, Any] = check(row, _ROW)
    job = checked.get("job")
    fault = Fault(
        match=dict(checked["match"]),
        left=checked.get("times"),
        status=checked.get("status"),
        code=checked.get("code") or "",
        message=checked.get("message") or "",
        headers=dict(checked.get("headers") or {}),
        after_effect=bool(checked.get("after_effect")),
        reset=bool(checked.get("reset")),
        job=OperationError(**job) if job else None,
        effect=checked.get("effect"),
        settings=checked.get("settings"),
    )
    if sum((fault.is_answer, fault.job is not None, fault.effect is not None)) != 1:
        raise ArmError(
            400, "InvalidFault", "A fault holds exactly one of: status or reset (an answer), job, effect; see match."
        )
    return fault


class Faults:
    """The faults of a world, in the order in which they were planted; the first that fits strikes."""

    def __init__(self) -> None:
        self.rows: list[Fault] = []

    def add(self, row: Any) -> Fault:
        """Plant the fault that ``row`` describes; raises ArmError 400 when the row is wrong."""
        fault = parse_fault(row)
        self.rows.append(fault)
        return fault

    def clear(self) -> None:
        """Remove every fault."""
        self.rows.clear()

    def answer(self, request: Request) -> Fault | None:
        """Return the fault that strikes this request, used once, or None."""
        query = "&".join(f"{name}={value}" for name, value in request.query.items())
        seen = {"method": request.method, "path": request.path, "query": query}
        return self._strike([fault for fault in self.rows if fault.is_answer and fault.fits(**seen)])

    def job(self, scenario: str, name: str, target_id: str) -> OperationError | None:
        """Return the error that strikes an operation of this scenario and target name, or None."""
        seen = {"scenario": scenario, "name": name, "target": target_id}
        fault = self._strike([fault for fault in self.rows if fault.job and fault.fits(**seen)])
        return fault.job if fault else None

    def effect(self, effect: str, **seen: str) -> Fault | None:
        """Return the fault with this effect that fits what is seen, used once, or None."""
        return self._strike([fault for fault in self.rows if fault.effect == effect and fault.fits(**seen)])

    @staticmethod
    def _strike(fitting: list[Fault]) -> Fault | None:
        if not fitting:
            return None
        fitting[0].strike()
        return fitting[0]
