"""Starting Site Recovery operations: the operation, its job, and what an item shows while it is busy."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from asr_lab.arm.operations import Operation, OperationError, Result, Target
from asr_lab.arm.providers import rules
from asr_lab.arm.providers.model import (
    AZURE,
    AZURE_CONTAINER,
    AZURE_VMM_ID,
    Container,
    Fabric,
    Policy,
    ProtectedItem,
    Running,
    Stage,
)
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


def start_for_item(
    world: World,
    now: datetime,
    item: ProtectedItem,
    *,
    scenario: str,
    duration_s: float,
    on_done: Done,
    on_failed: Failed | None = None,
    policy: Policy | None = None,
    extra: dict[str, Any] | None = None,
    asked: bool = False,
    fail: OperationError | None = None,
    warning: OperationError | None = None,
    result: Result = "target",
) -> Operation:
    """Begin an operation on a protected item; the item is busy until it ends."""
    running: list[Running] = []

    def free() -> None:
        if running and item.running is running[0]:
            item.running = None

    def done(due: datetime) -> None:
        free()
        on_done(due)

    def failed(due: datetime, error: OperationError) -> None:
        free()
        if on_failed:
            on_failed(due, error)

    operation = start(
        world,
        now,
        scenario=scenario,
        target_id=item.id,
        duration_s=duration_s,
        object_id=item.machine_id,
        object_name=item.friendly_name,
        provider=item.provider,
        affected=affected_by_item(world, item, policy),
        extra=extra,
        asked=asked,
        fail=fail,
        warning=warning,
        on_done=done,
        on_failed=failed,
        result=result,
    )
    if item.running is None or item.stage is Stage.ENABLING_FAILED:
        item.running = Running(rules.scenario(scenario)["scenario"], operation.job_id, now)
        running.append(item.running)
    return operation


def affected_by_item(world: World, item: ProtectedItem, policy: Policy | None = None) -> dict[str, str]:
    """Return affectedObjectDetails of a job on a protected item."""
    found = policy or world.resources.get(item.policy_id)
    return {
        "primaryVmId": item.machine_id,
        "primaryVmName": item.friendly_name,
        "recoveryVmId": "",
        "recoveryVmName": item.friendly_name,
        "protectionProfileId": found.profile_id if isinstance(found, Policy) else "",
        **affected_by_pairing(fabric_of(world, item), container_of(world, item)),
    }


def affected_by_pairing(fabric: Fabric, container: Container) -> dict[str, str]:
    """Return affectedObjectDetails of a job between a container and Azure."""
    return {
        "primaryCloudId": f"cloud_{fabric.internal_id}",
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
