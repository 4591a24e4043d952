"""One source computer to move, and where it is to go."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from asr_migrate.domain.parsing import parse, written_out

__all__ = ["Disk", "Machine", "Os", "Probe", "Target", "parse"]

SOURCE_ID_TAG = "asr-source-id"
WAVE_TAG = "asr-wave"


class Os(StrEnum):
    """The family of a machine's operating system."""

    WINDOWS = "windows"
    LINUX = "linux"


class Disk(BaseModel):
    """One disk of the source; ``boot`` marks the one that holds the operating system."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    size_gib: float = Field(ge=0, allow_inf_nan=False)
    boot: bool = False


class Probe(BaseModel):
    """A TCP port that answers when the machine's work is being done; with ``path`` it answers HTTP with 2xx or 3xx.

    ``scheme`` is http or https; a certificate is not checked, because it is an address that is asked, not a name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: int = Field(ge=1, le=65535)
    name: str | None = None
    path: str | None = Field(default=None, pattern="^/[^\\s]*$")
    scheme: Literal["http", "https"] = "http"

    @property
    def words(self) -> str:
        """What is asked, e.g. ``TCP port 5432 (database)`` or ``https on port 443, /health``."""
        asked = f"TCP port {self.port}" if self.path is None else f"{self.scheme} on port {self.port}, {self.path}"
        return f"{asked} ({self.name})" if self.name else asked


class Target(BaseModel):
    """The Azure VM that the machine becomes.

    ``network`` and ``test_network`` are names, or ``resource-group/network``; None takes the landing zone's, as do
    ``resource_group`` and the subnets. ``availability_set`` and ``security_group`` are names in ``resource_group``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    vm_name: str
    vm_size: str | None = None
    resource_group: str | None = None
    network: str | None = None
    subnet: str | None = None
    private_ip: str | None = None
    disk_type: str = "StandardSSD_LRS"
    availability_set: str | None = None
    license_type: str | None = None
    tags: dict[str, str] = Field(default_factory=dict)
    test_network: str | None = None
    test_subnet: str | None = None
    security_group: str | None = None
    public_ip: str | None = None

    @property
    def test_vm_name(self) -> str:
        """The name that Site Recovery gives the test VM."""
        return f"{self.vm_name}-test"


class Machine(BaseModel):
    """One source. ``addresses`` begins with the private one; ``facts`` holds whatever the probes of the host
    found; ``quiesced_at`` is when its services were stopped for the failover. ``probe_address`` is where its Azure VM
    is probed instead of the VM's private address, ``probe_test_address`` where its test VM is: the test network is
    isolated, so without one the ports of a test VM are not asked. ``quiesce_commands`` counts what stops its work."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    source_id: str
    wave: str
    os: Os
    target: Target
    source: str = "aws"
    os_name: str | None = None
    addresses: tuple[str, ...] = ()
    host_name: str | None = None
    bits: int = 64
    virtualization: str | None = None
    storage_interface: str | None = None
    disks: tuple[Disk, ...] = ()
    pv_driver: str | None = None
    facts: dict[str, Any] = Field(default_factory=dict)
    group: str | None = None
    boot_order: int = Field(default=1, ge=1)
    probes: tuple[Probe, ...] = ()
    run_as_account: str | None = None
    quiesced_at: AwareDatetime | None = None
    probe_address: str | None = None
    probe_test_address: str | None = None
    quiesce_commands: int = 0

    @field_validator("quiesced_at", mode="before")
    @classmethod
    def _no_bare_number(cls, value: Any) -> Any:
        return written_out(value)

    @field_validator("quiesce_commands", mode="before")
    @classmethod
    def _counted(cls, value: Any) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError("must be a list of commands, each a text that is not empty")
        return value

    @property
    def target_tags(self) -> dict[str, str]:
        """The tags of the Azure VM: the user's, and the two by which a migrated machine is recognised."""
        return {**self.target.tags, SOURCE_ID_TAG: self.source_id, WAVE_TAG: self.wave}
