"""What EC2 knows of the source instances, and how to stop them.

Region, credentials and endpoint are boto3's own chain (environment, profile, role); nothing here overrides them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from asr_migrate.clock import Clock
from asr_migrate.domain.errors import ServiceError

PAGE = 100
STOPPED = "stopped"
_GONE = ("terminated", "shutting-down")
_XEN_DEVICE = "/dev/xvd"
_RETRYABLE = ("RequestLimitExceeded", "Throttling", "InternalError", "Unavailable", "ServiceUnavailable")


def client(region: str | None = None) -> Any:
    """Return boto3's EC2 client; ``region`` None leaves the choice to boto3's chain.

    Raises ServiceError when no region or no credentials can be found.
    """
    try:
        return boto3.session.Session().client("ec2", region_name=region)
    except (BotoCoreError, ValueError) as error:
        raise _service_error(f"EC2 cannot be used: {str(error).rstrip('.')}") from error


def _service_error(text: str, code: str = "Ec2Unavailable", *, transient: bool = False) -> ServiceError:
    return ServiceError(
        text,
        code=code,
        cause=text,
        remedy="Check region, credentials and permissions in boto3's chain (AWS_PROFILE, AWS_DEFAULT_REGION, role).",
        transient=transient,
    )


def refused(error: Exception, what: str) -> ServiceError:
    """Return our error for boto3's, naming the instance or the call."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", "Unknown"))
        return _service_error(f"EC2 refused to {what}: {error}", code, transient=code in _RETRYABLE)
    return _service_error(f"EC2 could not be asked to {what}: {error}", transient=True)


def _pages(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), PAGE):
        yield ids[start : start + PAGE]


def describe(ec2: Any, instance_ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return EC2's description by instance id, asked for in pages.

    Raises ServiceError with code InvalidInstanceID.NotFound naming every id that EC2 does not know.
    """
    found: dict[str, Mapping[str, Any]] = {}
    wanted = sorted(set(instance_ids))
    for page in _pages(wanted):
        try:
            pages = list(ec2.get_paginator("describe_instances").paginate(InstanceIds=list(page)))
        except (ClientError, BotoCoreError) as error:
            raise refused(error, f"describe {', '.join(page)}") from error
        for answer in pages:
            for reservation in answer["Reservations"]:
                found.update({instance["InstanceId"]: instance for instance in reservation["Instances"]})
    if missing := [name for name in wanted if name not in found]:
        raise _service_error(f"EC2 knows no instance {', '.join(missing)}", "InvalidInstanceID.NotFound")
    return found


def _volume_sizes(ec2: Any, volume_ids: Sequence[str]) -> dict[str, int]:
    """Return the size of each volume in GiB."""
    sizes: dict[str, int] = {}
    for page in _pages(sorted(volume_ids)):
        try:
            for answer in ec2.get_paginator("describe_volumes").paginate(VolumeIds=list(page)):
                sizes.update({volume["VolumeId"]: int(volume["Size"]) for volume in answer["Volumes"]})
        except (ClientError, BotoCoreError) as error:
            raise refused(error, f"describe the volumes {', '.join(page)}") from error
    return sizes


def _volume_ids(instance: Mapping[str, Any]) -> list[str]:
    return [row["Ebs"]["VolumeId"] for row in instance.get("BlockDeviceMappings", []) if "Ebs" in row]


def _nitro_types(ec2: Any, types: set[str]) -> set[str]:
    """Return those instance types whose EBS disks show as NVMe devices."""
    nitro: set[str] = set()
    for page in _pages(sorted(types)):
        try:
            for answer in ec2.get_paginator("describe_instance_types").paginate(InstanceTypes=list(page)):
                nitro.update(row["InstanceType"] for row in answer["InstanceTypes"] if row.get("Hypervisor") == "nitro")
        except (ClientError, BotoCoreError) as error:
            raise refused(error, "describe the instance types") from error
    return nitro


def _disks(instance: Mapping[str, Any], sizes: Mapping[str, int]) -> list[dict[str, Any]]:
    root = instance.get("RootDeviceName")
    return [
        {"name": row["DeviceName"], "size_gib": sizes[row["Ebs"]["VolumeId"]], "boot": row["DeviceName"] == root}
        for row in instance.get("BlockDeviceMappings", [])
        if "Ebs" in row
    ]


def source_info(ec2: Any, instance_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return what readiness needs to know of each instance, by instance id.

    Shape: ``{state, platform ("windows"|"linux"), platform_details, virtualization ("hvm"|"paravirtual"),
    architecture, instance_type, storage_interface ("nvme"|"xen"), firmware ("BIOS"|"UEFI"|None), private_ip,
    disks: [{name, size_gib, boot}]}``.

    Instance-store disks are not counted: a stop loses them, so nothing can be replicated from them.

    Raises ServiceError when EC2 refuses or does not know an instance.
    """
    found = describe(ec2, instance_ids)
    sizes = (
        _volume_sizes(ec2, [volume for instance in found.values() for volume in _volume_ids(instance)]) if found else {}
    )
    nitro = _nitro_types(ec2, {instance["InstanceType"] for instance in found.values()}) if found else set()
    return {name: _facts(instance, sizes, nitro) for name, instance in sorted(found.items())}


def _facts(instance: Mapping[str, Any], sizes: Mapping[str, int], nitro: set[str]) -> dict[str, Any]:
    boot_mode = instance.get("CurrentInstanceBootMode") or instance.get("BootMode")
    return {
        "state": instance["State"]["Name"],
        "platform": str(instance.get("Platform") or "linux").lower(),
        "platform_details": instance.get("PlatformDetails"),
        "virtualization": instance.get("VirtualizationType"),
        "architecture": instance.get("Architecture"),
        "instance_type": instance["InstanceType"],
        "storage_interface": "nvme" if instance["InstanceType"] in nitro else "xen",
        "firmware": {"legacy-bios": "BIOS", "uefi": "UEFI"}.get(str(boot_mode)),
        "private_ip": instance.get("PrivateIpAddress"),
        "disks": _disks(instance, sizes),
    }


def states(ec2: Any, instance_ids: Iterable[str]) -> dict[str, str]:
    """Return the state of each instance ("running", "stopping", "stopped", ...)."""
    return {name: str(instance["State"]["Name"]) for name, instance in describe(ec2, instance_ids).items()}


def running(ec2: Any, instance_ids: Iterable[str]) -> list[str]:
    """Return the ids, sorted, of the instances that a stop would change: neither stopped nor terminated."""
    return sorted(name for name, state in states(ec2, instance_ids).items() if state not in (STOPPED, *_GONE))


def stop_instances(
    ec2: Any, instance_ids: Iterable[str], clock: Clock, *, timeout_s: float = 900.0, interval_s: float = 15.0
) -> list[str]:
    """Stop the instances, wait until each is stopped, and return the ids of those that were not stopped before.

    Running it again changes nothing. A terminated instance counts as stopped. Times are service seconds.

    Raises ServiceError when EC2 refuses, or with code StopTimeout when an instance still runs after ``timeout_s``.
    """
    wanted = sorted(set(instance_ids))
    changed = running(ec2, wanted)
    for page in _pages(changed):
        try:
            ec2.stop_instances(InstanceIds=list(page))
        except (ClientError, BotoCoreError) as error:
            raise refused(error, f"stop {', '.join(page)}") from error
    deadline_s = clock.monotonic() + timeout_s
    while waiting := running(ec2, changed):
        if clock.monotonic() >= deadline_s:
            raise _service_error(
                f"EC2 did not stop {', '.join(waiting)} within {timeout_s:g} seconds", "StopTimeout", transient=True
            )
        clock.wait(interval_s)
    return changed
