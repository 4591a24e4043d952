"""What the user wants a host to be, as the action plugin and the roles pass it in ``want``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from asr_migrate.domain.errors import InputError
from asr_migrate.domain.parsing import parse

W = TypeVar("W", bound="Want")

#: Mobility service installers before this version know no choice of architecture (Site Recovery documentation, 9.55).
FIRST_VERSION_WITH_CS_TYPE = (9, 55)


class TimeService(StrEnum):
    """What to do about a host's time service that stands still: start it, refuse the host, or leave it."""

    RUNNING = "running"
    REQUIRED = "required"
    IGNORED = "ignored"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TimeLimits(_Strict):
    """From how many seconds of difference to the controller's clock to warn, and to stop."""

    warn_s: float = Field(default=300.0, gt=0)
    stop_s: float = Field(default=900.0, gt=0)


class Want(_Strict):
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


class Installer(_Strict):
    """Where an installer comes from: a URL that the host fetches, a file on the host, or a file on the controller.

    ``sha256`` is checked on the host; it is required for http, which proves nothing by itself.
    """

    url: str | None = None
    path: str | None = None
    file: str | None = None
    sha256: str | None = Field(default=None, pattern="^[0-9a-fA-F]{64}$")
    version: str | None = None

    @property
    def problem(self) -> InputError | None:
        """What is wrong with the place, or None."""
        given = [place for place in (self.url, self.path, self.file) if place]
        if len(given) != 1:
            return InputError(
                "want installer",
                given or "(not given)",
                "needs exactly one of url, path and file",
                remedy="Give url (the host fetches it), path (it is on the host) or file (it is on the controller).",
            )
        if self.url and not self.url.lower().startswith("https://") and not self.sha256:
            return InputError(
                "want installer.url", self.url, "is not https and has no sha256", remedy="Give sha256, or an https URL."
            )
        return None

    @property
    def place(self) -> str:
        """Where the installer is; empty when nothing was given."""
        return self.url or self.path or self.file or ""

    @property
    def file_name(self) -> str:
        """The last part of the place."""
        return re.split(r"[\\/]", self.place.split("?", 1)[0])[-1]

    @property
    def knows_cs_type(self) -> bool:
        """Whether this installer takes the choice between CSLegacy and CSPrime; without a version, yes."""
        found = re.match(r"(\d+)\.(\d+)", self.version or "") or re.search(r"_UA_(\d+)\.(\d+)", self.file_name)
        return not found or (int(found.group(1)), int(found.group(2))) >= FIRST_VERSION_WITH_CS_TYPE


class Mobility(_Strict):
    """The Mobility service, installed and registered by hand; ``none`` leaves it to the appliance, which pushes it."""

    architecture: str = Field(default="none", pattern="^(classic|none)$")
    installer: Installer = Installer()
    appliance_address: str | None = None
    passphrase: SecretStr = SecretStr("")
    install_dir: str | None = None

    @model_validator(mode="after")
    def _knows_where(self) -> Self:
        if self.wanted and not self.appliance_address:
            raise ValueError("architecture classic needs appliance_address, the configuration server's")
        return self

    @property
    def wanted(self) -> bool:
        """Whether there is something to install by hand."""
        return self.architecture == "classic"


class SourceWant(Want):
    """What a machine that is to be replicated needs."""

    #: prepared for the appliance to push the Mobility service
    push: bool = False
    #: Linux: root's password for the push
    root_password: SecretStr = SecretStr("")
    #: Linux: /etc/hosts names the host for each of its addresses
    hosts_file: bool = True
    #: Linux: the addresses to name when the host shows none
    addresses: tuple[str, ...] = ()
    mobility: Mobility = Mobility()


class ServerWant(Want):
    """What every server that becomes an appliance needs."""

    time_service: TimeService = TimeService.REQUIRED
    installer: Installer
    cores: int = Field(default=8, ge=1)
    #: GiB that must be free on the disk that is installed to
    install_free_gib: float = Field(default=5.0, ge=0)
    #: GiB that should be free there for the cache
    cache_free_gib: float = Field(default=600.0, ge=0)
    memory_mib: int | None = None
    memory_least_mib: int = 16 * 1024


class ConfigurationServerWant(ServerWant):
    """What Unified Setup is told."""

    installer: Installer = Installer(url="https://aka.ms/unifiedsetup")
    install_location: str = "D:\\"
    address: str | None = None
    mysql_root_password: SecretStr = SecretStr("")
    mysql_user_password: SecretStr = SecretStr("")
    vault_credentials: SecretStr = SecretStr("")
    skip_space_check: bool = False
    #: read the passphrase of the configuration server
    passphrase: bool = False


class ReplicationApplianceWant(ServerWant):
    """What the replication appliance's installer needs."""

    installer: Installer = Installer(url="https://aka.ms/V2ARcmApplianceCreationPowershellZip")
