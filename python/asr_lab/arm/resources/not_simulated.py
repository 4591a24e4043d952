"""Operations of the SDK that the lab does not simulate: each is answered with what it is and what to do instead.

The rows of ``rules/not_simulated.yml`` become routes. An empty vault answers lists and reads of such resources by
itself, so those are answered truly (an empty list, the 404); everything else is 501 ``NotSimulated``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from asr_lab.arm.providers import rules
from asr_lab.arm.providers.scope import CONTAINER, VAULT, VERSIONS, Scope
from asr_lab.arm.routes import route
from asr_lab.arm.wire import ArmError, Request, Response, last_segment
from asr_lab.arm.world import World

_CONTAINER = "{container}"


@dataclass(frozen=True)
class NotSimulated:
    """One row: the SDK's operation, the request that it sends, how it is answered and why."""

    sdk: str
    method: str
    template: str
    answer: str
    reason: str
    instead: str

    def __call__(self, world: World, request: Request) -> Response:
        """Answer a request of this operation."""
        if self.answer == "empty":
            return Response(200, {}, {"value": [], "nextLink": None})
        if self.answer == "missing":
            raise Scope(world, request).not_found(last_segment(request.path))
        raise ArmError(501, "NotSimulated", f"{self.sdk} is not simulated: {self.reason}. Instead, {self.instead}.")


def operations() -> Iterator[NotSimulated]:
    """Yield the rows of the table, their paths in full."""
    for area in rules.table("not_simulated").values():
        for row in area["operations"]:
            method, _, path = row["call"].partition(" ")
            above = CONTAINER if path.startswith(_CONTAINER) else VAULT
            template = above + path.removeprefix(_CONTAINER)
            yield NotSimulated(row["sdk"], method, template, row["answer"], area["reason"], area["instead"])


for _row in operations():
    route(_row.method, _row.template, versions=VERSIONS)(_row)
