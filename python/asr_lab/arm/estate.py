"""What Site Recovery sees of the machines outside Azure, and the protocol that the simulated hosts fulfil."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True)
class HostDisk:
    """A disk of a source machine."""

    name: str
    size_bytes: int
    boot: bool


@dataclass(frozen=True)
class HostDescription:
    """A machine as the Mobility service or an appliance reports it. ``host_id`` and ``bios_id`` are GUIDs."""

    host_id: str
    host_name: str
    addresses: tuple[str, ...]
    os_type: Literal["Windows", "Linux"]
    os_name: str
    disks: tuple[HostDisk, ...]
    bios_id: str
    mac: str
    firmware: Literal["BIOS", "UEFI"]
    cores: int
    memory_mb: int
    agent_version: str | None

    @property
    def address(self) -> str:
        """Its first address, empty when it has none."""
        return self.addresses[0] if self.addresses else ""


@dataclass(frozen=True)
class PushFailure:
    """Why the push installation of the Mobility service failed, in the words of Site Recovery's job error."""

    code: str
    message: str
    causes: str
    action: str


class RegistrationRefused(Exception):
    """Site Recovery refused a configuration server, an appliance or a Mobility service; ``code`` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class SourceHosts(Protocol):
    """What Site Recovery sees and does of machines; the lab's hosts implement it, tests use a dict-backed fake."""

    def push_mobility(self, address: str, account: str) -> PushFailure | None:
        """Install the Mobility service on the machine at ``address``; return what stood in the way, or None."""

    def connects(self, source: str, target: str, port: int) -> bool:
        """Return whether ``source`` reaches ``target`` on this TCP port (addresses of the estate)."""

    def describe(self, address: str) -> HostDescription | None:
        """Return the machine at ``address``, or None when nothing answers there."""


class ListedHosts:
    """Machines held in a dict by address, on a network without walls but for ``blocked``; a world's default has none.

    ``push_failures`` says, by address, what stands in the way of a push installation; ``blocked`` holds
    (source, target, port).
    """

    def __init__(
        self,
        hosts: Mapping[str, HostDescription] | None = None,
        *,
        push_failures: Mapping[str, PushFailure] | None = None,
        blocked: Iterable[tuple[str, str, int]] = (),
    ) -> None:
        self.hosts = dict(hosts or {})
        self.push_failures = dict(push_failures or {})
        self.blocked = set(blocked)
        self.pushed: list[tuple[str, str]] = []

    def push_mobility(self, address: str, account: str) -> PushFailure | None:
        """Return what was listed for the machine, or the failure of a machine that nobody can reach, or None."""
        if address not in self.hosts:
            return PushFailure(
                code="95117",
                message=f"Push installation of the Mobility service to {address} failed: it cannot be reached.",
                causes=f"No machine answers at {address}, or the account {account!r} is not known there.",
                action="Ensure that the machine runs and that its address is right, then retry the operation.",
            )
        failure = self.push_failures.get(address)
        if failure is None:
            self.pushed.append((address, account))
        return failure

    def connects(self, source: str, target: str, port: int) -> bool:
        """Return whether the way is not listed as blocked."""
        return (source, target, port) not in self.blocked

    def describe(self, address: str) -> HostDescription | None:
        """Return the machine listed at ``address``, or None."""
        return self.hosts.get(address)
