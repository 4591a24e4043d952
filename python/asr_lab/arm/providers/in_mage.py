"""What InMageRcm and InMageAzureV2 have in common: servers on the source's side, the Mobility agent, connections."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.estate import HostDescription
from asr_lab.arm.operations import Operation, OperationError
from asr_lab.arm.providers import enable, gate, health, replicate, timeline
from asr_lab.arm.providers.actions import ToAzure
from asr_lab.arm.providers.failover import vm_id
from asr_lab.arm.providers.model import Fabric, Nic, Policy, ProtectedItem, Target
from asr_lab.arm.providers.provider import Action
from asr_lab.arm.providers.scope import Scope, container_of, fabric_of, policies, policy_is_mapped
from asr_lab.arm.providers.work import error
from asr_lab.arm.wire import bad_request
from asr_lab.arm.world import World

PUSH_AFTER_S = 120.0


class FromServers(ToAzure):
    """Replication through a process server or an appliance next to the source."""

    def refusal(self, world: World, item: ProtectedItem, policy: Policy) -> OperationError | None:
        """Return why the enable job will fail: policy not associated, or something in the world stands in the way."""
        name = item.friendly_name
        if not policy_is_mapped(world, container_of(world, item), policy.id):
            return error("78253", name=name, policy=policy.name)
        problem = enable.problem(world, item, fabric_of(world, item))
        return error("310056", name=name, problem=problem) if problem else None

    def enable_warning(self, world: World, item: ProtectedItem) -> OperationError | None:
        """Warn that the wanted name of the machine is taken (recorded: 310024)."""
        if vm_id(item, item.target.vm_name) not in world.resources:
            return None
        return error("310024", name=item.target.vm_name)

    def enabled(self, world: World, item: ProtectedItem, now: datetime) -> None:
        """Begin the initial replication into seed disks."""
        replicate.begin(world, item, now)
        for disk in item.disks:
            disk.seed_id = seed_disk_id(world, item)

    def reaches(self, world: World, item: ProtectedItem) -> tuple[bool, bool]:
        """Return whether the source reaches its server's data port, and whether it reaches the control port."""
        return replicate.reaches_server(world, item)

    def update_agent(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Update the Mobility service."""
        return self._install(scope.world, item, now, "UpdateMobilityService", "update_agent")

    def reinstall_agent(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Install the Mobility service anew."""
        return self._install(scope.world, item, now, "ReinstallMobilityService", "reinstall_agent")

    def _install(self, world: World, item: ProtectedItem, now: datetime, scenario: str, step: str) -> Action:
        fail = gate.busy(item, scenario, now)
        if item.stage not in replicate.REPLICATES:
            state = timeline.protection_state(item, now)
            fail = error("25037", name=item.friendly_name, state=state, operation=scenario)
        elif not self.reaches(world, item)[1]:
            problem = f"The Mobility service of '{item.friendly_name}' does not respond."
            fail = error("310056", name=item.friendly_name, problem=problem)
        return self.action(world, item, scenario, step, partial(self._installed, item), fail=fail)

    def _installed(self, item: ProtectedItem, due: datetime) -> None:
        item.agent_upgraded = due

    def resolve_health(self, scope: Scope, item: ProtectedItem, given: Mapping[str, Any], now: datetime) -> Action:
        """Refuse in the job what the customer cannot resolve; raises ArmError 400 for an error that is not there."""
        found = {row["errorId"]: row for row in health.errors(scope.world, item, now)}
        fail = gate.busy(item, "ResolveHealthErrors", now)
        for row in given.get("healthErrors") or ():
            known = found.get(row.get("healthErrorId"))
            if known is None:
                raise bad_request(
                    "InvalidHealthError",
                    f"properties.healthErrors names '{row.get('healthErrorId')}'; the item's health errors are: "
                    f"{', '.join(found) or 'none'}.",
                )
            if known["customerResolvability"] != "Allowed":
                what = f"resolving the health error {known['errorCode']} by request"
                fail = error("25037", name=item.friendly_name, state=gate.state_told(item, now), operation=what)
        return self.action(
            scope.world, item, "ResolveHealthErrors", "resolve_health", partial(self._resolved, item), fail=fail
        )

    def _resolved(self, _item: ProtectedItem, _due: datetime) -> None:
        """Change nothing: what is wrong shows as long as it is."""


def new_item(
    scope: Scope,
    provider: str,
    policy: Policy,
    friendly_name: str,
    host: HostDescription,
    target: Target,
    nics: list[Nic],
) -> ProtectedItem:
    """Return an item of the request's container with what every provider fills in alike."""
    fabric: Fabric = scope.fabric
    container = scope.container
    name = scope.name("replicationProtectedItems")
    return ProtectedItem(
        id=f"{container.id}/replicationProtectedItems/{name}",
        name=name,
        provider=provider,
        container_id=container.id,
        fabric_id=fabric.id,
        policy_id=policy.id,
        machine_id="",
        friendly_name=friendly_name,
        host=host,
        server_id="",
        account_id="",
        target=target,
        disks=[],
        nics=nics,
        correlation_id=scope.world.guid(),
        fabric_guid=fabric.internal_id,
    )


def turned_round(world: World, item: ProtectedItem, name: str, specific: Mapping[str, Any], due: datetime) -> None:
    """Let the item replicate the other way, with the provider ``name``."""
    policy = policy_told(world, item, specific, name)
    item.failback = {**specific, "policy_before": item.policy_id}
    item.policy_id = policy.id if policy else item.policy_id
    item.provider = name
    item.planned = False
    item.untested_since = item.last_failover = None
    replicate.begin(world, item, due)


def policy_told(world: World, item: ProtectedItem, specific: Mapping[str, Any], name: str) -> Policy | None:
    """Return the policy of provider ``name`` that a reprotection asks for by id, name or GUID, else the one before."""
    told = specific.get("profileId") or specific.get("policyId") or item.failback.get("policy_before") or ""
    found = [one for one in policies(world, fabric_of(world, item).vault_id) if one.provider == name]
    wanted = str(told).casefold()
    return next((one for one in found if wanted in (one.id.casefold(), one.name.casefold(), one.profile_id)), None)


def wrong_way_back(item: ProtectedItem, given: Mapping[str, Any]) -> Exception:
    """Return the one refusal of a reprotection that comes at once (recorded for Hyper-V: InvalidFailoverDirection)."""
    return bad_request(
        "InvalidFailoverDirection",
        f"failoverDirection is '{given.get('failoverDirection')}'; '{item.friendly_name}' is active in Azure and is "
        "replicated back with RecoveryToPrimary.",
    )


def push_agent(world: World, item: ProtectedItem, operation: Operation, account: str, now: datetime) -> None:
    """Install the Mobility service on the machine; what stands in the way ends the job."""
    if not operation.running:
        return
    address = item.host.address
    failure = world.hosts.push_mobility(address, account)
    if failure is None:
        item.host = world.hosts.describe(address) or item.host
        return
    base = error("559", task="CreateProtectionTargetTask")
    problem = OperationError(
        code=base.code,
        message=base.message,
        possible_causes=base.possible_causes,
        recommended_action=base.recommended_action,
        provider_code=int(failure.code),
        provider_message=failure.message,
        provider_causes=failure.causes,
        provider_action=failure.action,
        provider_error_id=world.guid(),
        task="CreateProtectionTargetTask",
    )
    world.finish(operation, now, problem)


def seed_disk_id(world: World, item: ProtectedItem) -> str:
    """Return the id of a managed disk that replication writes to (recorded form)."""
    short = item.friendly_name.replace("-", "_")[:8]
    group = item.target.resource_group_id
    return f"{group}/providers/Microsoft.Compute/disks/asrseeddisk-{short}-PHYSICAL-{world.guid()}"
