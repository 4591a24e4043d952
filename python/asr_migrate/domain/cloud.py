"""The cloud as configuration, and a write that was not sent."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator


class CloudSettings(BaseModel):
    """Where Azure answers. The defaults are the public cloud; Azure Government and Azure Stack differ in these only.

    ``ca_file`` is a PEM file with the authorities to trust instead of the system's. ``instance_discovery`` must be
    False where the authority is not known to Microsoft's public sign-in host.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    resource_manager: str = "https://management.azure.com"
    authority: str = "https://login.microsoftonline.com"
    ca_file: str | None = None
    instance_discovery: bool = True

    @field_validator("resource_manager", "authority")
    @classmethod
    def _https_without_slash(cls, value: str) -> str:
        if not value.startswith("https://"):
            raise ValueError("must begin with https://")
        return value.rstrip("/")

    @property
    def scope(self) -> str:
        """The scope that a token for Azure Resource Manager is asked with."""
        return f"{self.resource_manager}/.default"


@dataclass(frozen=True)
class PlannedWrite:
    """One request that check mode did not send: the method, the end of its path, what it would do, and why.

    ``body`` says in words what it would carry, without secrets. ``calls`` are the requests to Azure: this one and the
    reads that see it through; ``minutes`` what it usually takes; both None when not known. ``gates`` says what would
    keep it from being sent now.
    """

    method: str
    what: str
    why: str = ""
    path: str = ""
    machine: str = ""
    body: str = ""
    calls: int | None = None
    minutes: float | None = None
    gates: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The write as one line for people, e.g. ``PUT vaults/v: create the vault v, because it does not exist``."""
        request = f"{self.method} {self.path}: " if self.path else f"{self.method} "
        return request + self.what + (f", because {self.why}" if self.why else "")

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "gates": list(self.gates), "line": self.line}


def short_path(url_path: str) -> str:
    """Return the end of an ARM path that names what is changed: type and name, and the action if there is one."""
    segments = [segment for segment in url_path.split("/") if segment]
    lowered = [segment.lower() for segment in segments]
    below = segments[len(lowered) - lowered[::-1].index("providers") + 1 :] if "providers" in lowered else segments
    return "/".join(below[-3:] if len(below) % 2 else below[-2:])
