"""Recovery plans: make, read, list, change, remove."""

from datetime import datetime
from functools import partial

from asr_lab.arm.models import checked
from asr_lab.arm.operations import Operation, Target
from asr_lab.arm.providers import rules
from asr_lab.arm.providers.plans import PLANS, Group, Plan, body, plan_named, plans_of_vault
from asr_lab.arm.providers.plans_input import groups_of, primary_fabric, recovery_fabric_id
from asr_lab.arm.providers.plans_steps import affected
from asr_lab.arm.providers.scope import VAULT, VERSIONS, Scope, fabric_by_id
from asr_lab.arm.providers.work import accepted
from asr_lab.arm.routes import route
from asr_lab.arm.wire import Request, Response, bad_request
from asr_lab.arm.world import World

PLAN = f"{VAULT}/{PLANS}/{{plan}}"


def found_plan(scope: Scope) -> Plan:
    """Return the plan that the request names; raises the recorded 404."""
    name = scope.name(PLANS)
    plan = plan_named(scope.world, scope.vault_id, name)
    if plan is None:
        raise scope.not_found(name)
    return plan


def idle_plan(scope: Scope) -> Plan:
    """Return the plan that the request names; raises ArmError 400 while an action on it runs (chosen)."""
    plan = found_plan(scope)
    if plan.running is not None:
        raise bad_request(
            "RecoveryPlanBusy",
            f"The recovery plan '{plan.name}' is busy with {plan.running.name}.",
            action="Wait for the job, or cancel it, and retry.",
        )
    return plan


@route("GET", f"{VAULT}/{PLANS}", versions=VERSIONS)
def list_recovery_plans(world: World, request: Request, now: datetime) -> Response:
    """Answer the plans of the vault, without their groups (recorded)."""
    found = plans_of_vault(world, Scope(world, request).vault_id)
    return Response(200, {}, {"value": [body(world, plan, now, sparse=True) for plan in found], "nextLink": None})


@route("GET", PLAN, versions=VERSIONS)
def get_recovery_plan(world: World, request: Request, now: datetime) -> Response:
    """Answer one plan."""
    return Response(200, {}, body(world, found_plan(Scope(world, request)), now, sparse=False))


@route("PUT", PLAN, versions=VERSIONS)
def put_recovery_plan(world: World, request: Request, now: datetime) -> Response:
    """Make a plan, or one in place of that of the same name."""
    scope = Scope(world, request)
    given = checked(request, "CreateRecoveryPlanInput")["properties"]
    fabric = primary_fabric(world, scope.vault_id, given)
    name = scope.name(PLANS)
    existing = plan_named(world, scope.vault_id, name)
    if existing is not None:
        idle_plan(scope)
    plan = Plan(
        id=existing.id if existing else f"{scope.vault_id}/{PLANS}/{name}",
        name=existing.name if existing else name,
        object_id=existing.object_id if existing else world.guid(),
        vault_id=scope.vault_id,
        primary_fabric_id=fabric.id,
        recovery_fabric_id=recovery_fabric_id(world, scope.vault_id, given),
        deployment_model=given.get("failoverDeploymentModel") or "ResourceManager",
        groups=groups_of(world, fabric, given["groups"]),
        specific=[dict(row) for row in given.get("providerSpecificInput") or []],
    )
    operation = _begin(world, now, plan, "SaveRecoveryPlan", "recovery_plan")
    operation.on_done = partial(_keep, world, plan)
    return accepted(request, operation)


@route("PATCH", PLAN, versions=VERSIONS)
def patch_recovery_plan(world: World, request: Request, now: datetime) -> Response:
    """Replace the groups of a plan; a request without groups changes nothing."""
    plan = idle_plan(Scope(world, request))
    given = checked(request, "UpdateRecoveryPlanInput")["properties"]
    groups = given.get("groups")
    made = plan.groups if groups is None else groups_of(world, fabric_by_id(world, plan.primary_fabric_id), groups)
    operation = _begin(world, now, plan, "UpdateRecoveryPlan", "recovery_plan")
    operation.on_done = partial(_regroup, plan, made)
    return accepted(request, operation)


@route("DELETE", PLAN, versions=VERSIONS)
def delete_recovery_plan(world: World, request: Request, now: datetime) -> Response:
    """Remove a plan; its items stay."""
    plan = idle_plan(Scope(world, request))
    operation = _begin(world, now, plan, "DeleteRecoveryPlan", "recovery_plan_delete")
    operation.on_done = partial(_forget, world, plan)
    operation.result = "nothing"
    return accepted(request, operation)


def _begin(world: World, now: datetime, plan: Plan, scenario: str, step: str) -> Operation:
    row = rules.scenario(scenario)
    return world.begin(
        now,
        target_id=plan.id,
        duration_s=world.duration_s("any", step, name=plan.name),
        scenario=scenario,
        friendly_name=row["text"],
        target=Target(plan.object_id, plan.name, row["target"]),
        custom_details={"affected": affected(world, plan)},
    )


def _keep(world: World, plan: Plan, _due: datetime) -> None:
    world.resources.put(plan.id, plan)


def _regroup(plan: Plan, groups: list[Group], _due: datetime) -> None:
    plan.groups = groups


def _forget(world: World, plan: Plan, _due: datetime) -> None:
    world.resources.delete(plan.id)
