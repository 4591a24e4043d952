"""Actions on recovery plans: test failover and its clean-up, failovers, commit, cancel, reprotection.

Bodies follow the SDK's models; here providerSpecificDetails is a list. None of them was recorded.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from asr_lab.arm.models import checked
from asr_lab.arm.providers import plans_run
from asr_lab.arm.providers.plans import Plan, items
from asr_lab.arm.providers.plans_requests import VERBS, Verb, entry_for
from asr_lab.arm.providers.scope import VERSIONS, Scope
from asr_lab.arm.providers.work import accepted
from asr_lab.arm.resources.recovery_plans import PLAN, idle_plan
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response, bad_request
from asr_lab.arm.world import World


def _offer(path: str, verb: Verb) -> None:
    """Register the route of an action."""

    @route("POST", f"{PLAN}/{path}", versions=VERSIONS)
    def act(world: World, request: Request, now: datetime) -> Response:
        return _act(world, request, now, verb)


def _act(world: World, request: Request, now: datetime, verb: Verb) -> Response:
    plan = idle_plan(Scope(world, request))
    given = checked(request, verb.model).get("properties") or {} if verb.model else {}
    _check(world, plan, verb, given)
    return accepted(request, plans_run.begin(world, request, now, plan, verb, given))


def _check(world: World, plan: Plan, verb: Verb, given: Mapping[str, Any]) -> None:
    """Refuse what no item of the plan can make sense of; the codes are those of single items."""
    if given.get("networkType") == "VmNetworkAsInput" and not given.get("networkId"):
        sentence = "properties.networkId is missing; networkType VmNetworkAsInput needs the id of a network."
        raise bad_request("InvalidNetwork", sentence)
    found = items(world, plan)
    for number, entry in enumerate(given.get("providerSpecificDetails") or []):
        alone = {"providerSpecificDetails": [entry]}
        if not any(entry_for(item, verb, alone) for item in found):
            providers = ", ".join(dict.fromkeys(item.provider for item in found)) or "none"
            raise bad_request(
                "InvalidProviderSpecificInput",
                f"properties.providerSpecificDetails[{number}].instanceType is '{entry.get('instanceType')}'; the "
                f"items of the recovery plan '{plan.name}' are protected with {providers}.",
            )


for _path, _verb in VERBS.items():
    _offer(_path, _verb)
