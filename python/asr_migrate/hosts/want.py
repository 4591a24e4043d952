"""What the user wants a host to be, as the action plugin and the roles pass it in ``want``."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self, TypeVar

from pydantic import Field, SecretStr, model_validator

from asr_migrate.domain.errors import InputError
from asr_migrate.domain.parsing import parse
from asr_migrate.hosts.mobility_want import Mobility
from asr_migrate.hosts.strict import Strict

W = TypeVar("W", bound="Want")


class TimeService(StrEnum):
    """What to do about a host's time service that stands still: start it, refuse the host, or leave it."""

    RUNNING = "running"
    REQUIRED = "required"
    IGNORED = "ignored"


class TimeLimits(Strict):
    """From how many seconds of difference to the controller's clock to warn, and to stop."""

    warn_s: float = Field(default=300.0, gt=0)
    stop_s: float = Field(default=900.0, gt=0)


class Want(Strict):
    """What every profile understands."""

    time: TimeLimits = TimeLimits()
    time_service: TimeService = TimeService.RUNNING
    #: addresses and ports that the host must reach
    reach: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls: type[W], data: Mapping[str, Any]) -> W:
        """Return ``data``, which is the plugin's option ``want``, as this profile's want.

        Raises InputError, which shows no value because it might be a secret.
        """
        try:
            return parse(cls, data, "want")
        except InputError as error:
            error.value = None
            error.cause = f"{error.place} is not what the profile understands"
            raise


class SourceWant(Want):
    """What a machine that is to be replicated needs."""

    #: prepared for the appliance to push the Mobility service
    push: bool = False
    #: Linux: root's password for the push
    root_password: SecretStr = SecretStr("")
    #: Linux: /etc/hosts names the host for each of its addresses
    hosts_file: bool = True
    #: Windows: Remote Desktop is let in, so that the Azure VM can be reached
    remote_desktop: bool = True
    #: Windows: disks that are new in Azure come online
    san_policy: bool = True
    #: Linux: the addresses to name when the host shows none
    addresses: tuple[str, ...] = ()
    #: Linux: cloud-init is told not to look for EC2's metadata
    cloud_init: bool = True
    #: Linux: device names in /etc/fstab are replaced by UUIDs, not only warned of
    fstab_by_uuid: bool = False
    #: Linux: kernels that the user knows to be supported, as ``uname -r`` prints them
    kernels: tuple[str, ...] = ()
    mobility: Mobility = Mobility()

    @model_validator(mode="after")
    def _one_way_of_installing(self) -> Self:
        self.mobility.check_push(self.push)
        return self
