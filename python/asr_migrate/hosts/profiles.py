"""Which profile a host gets, by name and family of operating system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asr_migrate.domain.errors import InputError
from asr_migrate.domain.machine import Os
from asr_migrate.hosts.configuration_server import ConfigurationServer
from asr_migrate.hosts.linux import LinuxSource
from asr_migrate.hosts.plan import Profile
from asr_migrate.hosts.replication_appliance import ReplicationAppliance
from asr_migrate.hosts.server_want import ConfigurationServerWant, ReplicationApplianceWant
from asr_migrate.hosts.want import SourceWant
from asr_migrate.hosts.windows import WindowsSource

NAMES = ("source", "configuration_server", "replication_appliance")


def make(profile: str, family: Os, name: str, want: Mapping[str, Any]) -> Profile:
    """Return the profile for host ``name``.

    InputError for an unknown one, an appliance on Linux, or a wrong ``want``.
    """
    if profile == "source":
        source = SourceWant.of(want)
        return WindowsSource(source) if family is Os.WINDOWS else LinuxSource(source, name)
    if profile not in NAMES:
        raise InputError("profile", profile, "is unknown", remedy=f"Choose one of {', '.join(NAMES)}.")
    if family is not Os.WINDOWS:
        raise InputError(
            "profile", profile, f"needs a Windows host; {name} is not one", remedy="Check asr_os of the host."
        )
    if profile == "configuration_server":
        return ConfigurationServer(ConfigurationServerWant.of(want))
    return ReplicationAppliance(ReplicationApplianceWant.of(want))
