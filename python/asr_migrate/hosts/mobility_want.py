"""What the user says about the Mobility service and about installers."""

from __future__ import annotations

import re
from typing import Self

from pydantic import Field, SecretStr, model_validator

from asr_migrate.domain.errors import InputError
from asr_migrate.hosts.strict import Strict

#: Mobility service installers before this version know no choice of architecture (Site Recovery documentation, 9.55).
FIRST_VERSION_WITH_CS_TYPE = (9, 55)


class Installer(Strict):
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


class Mobility(Strict):
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
