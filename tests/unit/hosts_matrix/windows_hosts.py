"""Windows hosts of the lab in this process, and the product's own probe, decision and changes on them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asr_lab.arm.estate import HostDescription, HostDisk
from asr_lab.clock import ManualClock
from asr_lab.hosts.windows.faults import apply_fault
from asr_lab.hosts.windows.flavour import VERSIONS
from asr_lab.hosts.windows.installers.packages import downloads
from asr_lab.hosts.windows.shell import run_line
from asr_lab.hosts.windows.state import Host, HostSpec
from asr_migrate.domain.machine import Os
from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import profiles
from asr_migrate.hosts.plan import Answer, Exchange, Profile

GIB = 1024**3
ADDRESS = "10.20.1.11"
APPLIANCE = "10.20.0.10"
FLAVOURS = VERSIONS
UEFI = ("2025",)


class World:
    """Network and internet around one host; nobody registers anything here."""

    def __init__(self) -> None:
        self.blocked: set[int] = set()
        self.internet = downloads()

    def register_configuration_server(
        self, vault_credentials_xml: bytes, host: HostDescription, passphrase: str
    ) -> None:
        raise AssertionError("no source registers a configuration server")

    def register_mobility(self, server_address: str, passphrase: str, host: HostDescription) -> None:
        """Take every Mobility service."""

    def appliance_installed(self, host: HostDescription) -> None:
        raise AssertionError("no source becomes an appliance")

    def connects(self, source: str, target: str, port: int) -> bool:
        return port not in self.blocked

    def powered_on(self, address: str) -> bool:
        return True

    def download(self, url: str) -> bytes | None:
        return self.internet.get(url)


def make(flavour: str, directory: Path, fault: Mapping[str, Any] | None = None, *, firmware: str = "") -> Host:
    """Return a host of that version of Windows with two disks, broken as ``fault`` says."""
    description = HostDescription(
        host_id="0a0a0a0a-0000-4000-8000-000000000001",
        host_name="app-1",
        addresses=(ADDRESS,),
        os_type="Windows",
        os_name="",
        disks=(HostDisk("disk0", 80 * GIB, boot=True), HostDisk("disk1", 120 * GIB, boot=False)),
        bios_id="0b0b0b0b-0000-4000-8000-000000000001",
        mac="02:00:0a:14:01:0b",
        firmware="UEFI" if (firmware or ("UEFI" if flavour in UEFI else "BIOS")) == "UEFI" else "BIOS",
        cores=2,
        memory_mb=8192,
        agent_version=None,
    )
    host = Host(HostSpec("app-1", flavour, description), directory, World(), ManualClock())
    if fault:
        apply_fault(host, fault)
    return host


def source(**want: Any) -> Profile:
    """Return the product's profile of a Windows source."""
    return profiles.make("source", Os.WINDOWS, "app-1", want)


def send(host: Host, exchange: Exchange) -> Answer:
    """Run one exchange in the host's interpreter, as its WinRM listener does."""
    now = host.clock.wall()
    result = run_line(host, exchange.command, exchange.stdin or b"")
    host.save()
    return Answer(result.out.replace("\r\n", "\n"), result.err, result.code, now, host.clock.wall())


def findings(host: Host, **want: Any) -> tuple[Finding, ...]:
    """Return what the product finds on a host that is to be ``want``."""
    profile = source(**want)
    return profile.plan(profile.read(send(host, profile.probe()))).findings


def state(host: Host) -> dict[str, Any]:
    """Return everything that a preparation could change: the registry (services and firewall are in it), what runs, and
    files that are not empty folders.
    """
    data = json.loads((host.directory / "state.json").read_text())
    return {key: data[key] for key in ("registry", "running", "files", "listening")}
