"""Starting Site Recovery operations: the operation, its job, and what an item shows while it is busy."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from asr_lab.arm.operations import Operation, OperationError, Result, Target
from asr_lab.arm.providers import rules
from asr_lab.arm.providers.model import (
    AZURE,
    AZURE_CONTAINER,
    AZURE_FABRIC,
    AZURE_VMM_ID,
    Container,
    Fabric,
    Policy,
    ProtectedItem,
    Running,
    Stage,
)
from asr_lab.arm.providers.provider import Action, RecoverySide, provider_named
from asr_lab.arm.providers.scope import OLDEST, container_of, fabric_of
from asr_lab.arm.wire import Request, Response
from asr_lab.arm.world import World

Done = Callable[[datetime], None]
Failed = Callable[[datetime, OperationError], None]


def start(
    world: World,
    now: datetime,
    *,
    scenario: str,
    target_id: str,
    duration_s: float,
    object_id: str,
    object_name: str,
    provider: str | None = None,
    affected: dict[str, str] | None = None,
    extra: dict[str, Any] | None = None,
    asked: bool = False,
    fail: OperationError | None = None,
    warning: OperationError | None = None,
    on_done: Done | None = None,
    on_failed: Failed | None = None,
    result: Result = "target",
) -> Operation:
    """Begin an operation that is a job of ``scenario``.

    ``affected`` becomes affectedObjectDetails; ``extra`` are further custom details of the job, read each time the job
    is read; ``asked`` runs the tasks that run on request only (shutting the source down).
    """
    row = rules.scenario(scenario)
    return world.begin(
        now,
        target_id=target_id,
        duration_s=duration_s,
        on_done=on_done,
        on_failed=on_failed,
        scenario=scenario,
        friendly_name=row["text"],
        target=Target(object_id, object_name, row["target"]),
        custom_details={"provider": provider, "affected": affected or {}, "extra": extra or {}, "asked": asked},
        fail=fail,
        warning=warning,
        result=result,
    )


def accepted(request: Request, operation: Operation) -> Response:
    """Return the 202; the service of api-version 2016-08-10 leads to the job instead of the operation status."""
    response = operation.accepted()
    if request.api_version == OLDEST:
        response.headers["Azure-AsyncOperation"] = operation.job_id
    return response


def start_action(
    world: World,
    request: Request,
    now: datetime,
    item: ProtectedItem,
    action: Action,
    *,
    target_id: str | None = None,
) -> Response:
    """Begin the job of an action on an item and return the 202.

    ``target_id`` is the resource that the result URL hangs on when it is not the item (switchprotection: container).
    """
    return accepted(request, begin_action(world, now, item, action, target_id=target_id))


def begin_action(
    world: World,
    now: datetime,
    item: ProtectedItem,
    action: Action,
    *,
    policy: Policy | None = None,
    target_id: str | None = None,
) -> Operation:
    """Begin the job of an action; the item is busy until it ends.

    ``policy`` is the item's when the item is not in the store yet. What an action leaves in ``item.warning`` when it
    ends becomes the warning of its job.
    """
    busy = item.running is not None and item.stage is not Stage.ENABLING_FAILED
    operation = start(
        world,
        now,
        scenario=action.scenario,
        target_id=target_id or item.id,
        duration_s=action.duration_s,
        object_id=item.machine_id,
        object_name=item.friendly_name,
        provider=item.provider,
        affected=affected_by_item(world, item, policy),
        extra=action.extra,
        asked=action.asked,
        fail=action.fail,
        warning=action.warning,
        result=action.result,
    )
    operation.on_done = partial(_done, item, operation, action)
    operation.on_failed = partial(_failed, item, operation, action)
    if not busy:
        item.running = Running(rules.scenario(action.scenario)["scenario"], operation.job_id, now)
    return operation


def free(item: ProtectedItem, operation: Operation) -> None:
    """Let the item be idle again when it is this operation that it is busy with; a cancelled job calls it too."""
    if item.running is not None and item.running.job_id == operation.job_id:
        item.running = None


def _done(item: ProtectedItem, operation: Operation, action: Action, due: datetime) -> None:
    free(item, operation)
    item.warning = None
    action.on_done(due)
    if item.warning is not None:
        operation.warning = item.warning


def _failed(item: ProtectedItem, operation: Operation, action: Action, due: datetime, error: OperationError) -> None:
    free(item, operation)
    if action.on_failed:
        action.on_failed(due, error)


def azure_side(item: ProtectedItem) -> RecoverySide:
    """Return the recovery side of machines that replicate from their own site to Azure."""
    vault_id = item.fabric_id.partition("/replicationFabrics/")[0]
    container = f"{vault_id}/replicationFabrics/{AZURE_FABRIC}/replicationProtectionContainers/{AZURE_CONTAINER}"
    return RecoverySide(AZURE, AZURE, container, AZURE, AZURE_CONTAINER, AZURE_VMM_ID)


def affected_by_item(world: World, item: ProtectedItem, policy: Policy | None = None) -> dict[str, str]:
    """Return affectedObjectDetails of a job on a protected item."""
    found = policy or world.resources.get(item.policy_id)
    side = provider_named(item.provider).recovery_side(world, item)
    return {
        "primaryVmId": item.machine_id,
        "primaryVmName": item.friendly_name,
        "recoveryVmId": "",
        "recoveryVmName": item.friendly_name,
        "protectionProfileId": found.profile_id if isinstance(found, Policy) else "",
        **affected_by_pairing(fabric_of(world, item), container_of(world, item)),
        "recoveryCloudId": side.cloud_id,
        "recoveryCloudName": side.container_name,
        "recoveryVmmId": side.vmm_id,
        "recoveryVmmName": side.fabric_name,
        "recoveryFabricProviderId": side.fabric_kind,
    }


def affected_by_pairing(fabric: Fabric, container: Container) -> dict[str, str]:
    """Return affectedObjectDetails of a job between a container and Azure."""
    return {
        "primaryCloudId": container.name if fabric.kind == "VMM" else f"cloud_{fabric.internal_id}",
        "primaryCloudName": container.friendly_name,
        "recoveryCloudId": AZURE_CONTAINER,
        "recoveryCloudName": AZURE,
        "primaryVmmId": fabric.internal_id,
        "primaryVmmName": fabric.friendly_name,
        "recoveryVmmId": AZURE_VMM_ID,
        "recoveryVmmName": AZURE,
        "primaryFabricProviderId": fabric.kind,
        "recoveryFabricProviderId": "Azure",
    }


def affected_by_fabric(fabric: Fabric) -> dict[str, str]:
    """Return affectedObjectDetails of a job on a fabric."""
    return {
        "primaryVmmId": fabric.internal_id,
        "primaryVmmName": fabric.friendly_name,
        "primaryFabricProviderId": fabric.kind,
    }


def error(code: str, *, task: str | None = None, **values: str) -> OperationError:
    """Return the failure with a service error code of the tables, its placeholders filled in."""
    row = rules.service_error(code, **values)
    return OperationError(
        code=code,
        message=row["message"],
        possible_causes=row["possibleCauses"],
        recommended_action=row["recommendedAction"],
        task=task,
    )


def with_provider_error(base: OperationError, code: str, error_id: str, **values: str) -> OperationError:
    """Return ``base`` with the provider's error of the tables beside it."""
    row = rules.provider_error(code, error_id, **values)
    return replace(
        base,
        provider_code=row["errorCode"],
        provider_message=row["errorMessage"],
        provider_causes=row["possibleCauses"],
        provider_action=row["recommendedAction"],
        provider_error_id=error_id,
    )
