"""Actions on protected items, one route each: check the body, let the item's provider say what it means, start the job.

Bodies are those of the SDK's models. Recorded are the failovers, their test and clean-up, the commit, the cancel,
reprotection and resynchronization; the actions on agents, disks, appliance and provider were not.
"""

from dataclasses import dataclass
from datetime import datetime

from asr_lab.arm.models import checked
from asr_lab.arm.providers.bodies import given_for
from asr_lab.arm.providers.provider import Action, provider_named
from asr_lab.arm.providers.scope import ITEM, VERSIONS, Scope
from asr_lab.arm.providers.work import start_action
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World


@dataclass(frozen=True)
class Verb:
    """One action: the last segment of its path, the provider's method, and the SDK's model of the body (None: no body).

    ``of_provider`` says that the body's providerSpecificDetails must be of the item's provider.
    """

    path: str
    method: str
    model: str | None = None
    of_provider: bool = True


VERBS = (
    Verb("testFailover", "test_failover", "TestFailoverInput"),
    Verb("testFailoverCleanup", "clean_up", "TestFailoverCleanupInput", of_provider=False),
    Verb("unplannedFailover", "unplanned_failover", "UnplannedFailoverInput"),
    Verb("plannedFailover", "planned_failover", "PlannedFailoverInput"),
    Verb("failoverCommit", "commit"),
    Verb("failoverCancel", "cancel_failover"),
    Verb("applyRecoveryPoint", "apply_recovery_point", "ApplyRecoveryPointInput"),
    Verb("reProtect", "reprotect", "ReverseReplicationInput"),
    Verb("repairReplication", "repair"),
    Verb("updateMobilityService", "update_agent", "UpdateMobilityServiceRequest", of_provider=False),
    Verb("reinstallMobilityService", "reinstall_agent", "ReinstallMobilityServiceRequest", of_provider=False),
    Verb("resolveHealthErrors", "resolve_health", "ResolveHealthInput", of_provider=False),
    Verb("addDisks", "add_disks", "AddDisksInput"),
    Verb("removeDisks", "remove_disks", "RemoveDisksInput"),
    Verb("switchProvider", "switch_provider", "SwitchProviderInput"),
    Verb("updateAppliance", "update_appliance", "UpdateApplianceForReplicationProtectedItemInput"),
)


def _offer(verb: Verb) -> None:
    """Register the route of an action."""

    @route("POST", f"{ITEM}/{verb.path}", versions=VERSIONS)
    def act(world: World, request: Request, now: datetime) -> Response:
        scope = Scope(world, request)
        return start_action(world, request, now, scope.item, _action(scope, verb, now))


def _action(scope: Scope, verb: Verb, now: datetime) -> Action:
    item = scope.item
    method = getattr(provider_named(item.provider), verb.method)
    action: Action
    if verb.model is None:
        action = method(scope, item, now)
    else:
        if verb.of_provider:
            given = given_for(scope.request, item, verb.path, verb.model)
        else:
            given = checked(scope.request, verb.model)["properties"]
        action = method(scope, item, given, now)
    return action


for _verb in VERBS:
    _offer(_verb)
