"""Windows hosts of a small estate, with a world around them that behaves and remembers."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from asr_lab.arm.estate import HostDescription, HostDisk, RegistrationRefused
from asr_lab.clock import ManualClock
from asr_lab.hosts.windows.installers.packages import downloads
from asr_lab.hosts.windows.result import Result
from asr_lab.hosts.windows.shell import run_text
from asr_lab.hosts.windows.state import Host, HostSpec

GIB = 1024**3
ADDRESSES = {"app-2008": "10.20.1.11", "app-2012": "10.20.1.12", "web-2022": "10.20.1.21"}
SERVERS = {"legacy-cs": "10.20.0.10", "current-appliance": "10.20.0.20"}
FLAVOURS = {
    "app-2008": "2008r2",
    "app-2012": "2012r2",
    "web-2022": "2022",
    "legacy-cs": "2016",
    "current-appliance": "2022",
}


class World:
    """Site Recovery, network and internet: a passphrase, a vault key, switched-off machines, blocked connections."""

    def __init__(self) -> None:
        self.key = b"<RSBackupVaultAsrCreds/>"
        self.key_refusal: str | None = None
        self.passphrase: str | None = None
        self.servers: list[HostDescription] = []
        self.machines: list[tuple[str, HostDescription]] = []
        self.installed: list[HostDescription] = []
        self.off: set[str] = set()
        self.blocked: set[tuple[str, int]] = set()
        self.internet = downloads()

    def register_configuration_server(
        self, vault_credentials_xml: bytes, host: HostDescription, passphrase: str
    ) -> None:
        if vault_credentials_xml.strip() != self.key:
            raise RegistrationRefused("KeyInvalid", "The file is not this vault's.")
        if self.key_refusal:
            raise RegistrationRefused(self.key_refusal, "The key was issued 6 days ago.")
        self.passphrase = passphrase
        self.servers.append(host)

    def register_mobility(self, server_address: str, passphrase: str, host: HostDescription) -> None:
        if passphrase != self.passphrase:
            raise RegistrationRefused("PassphraseInvalid", "The passphrase is not the configuration server's.")
        self.machines.append((server_address, host))

    def appliance_installed(self, host: HostDescription) -> None:
        self.installed.append(host)

    def connects(self, source: str, target: str, port: int) -> bool:
        return target not in self.off and (target, port) not in self.blocked

    def powered_on(self, address: str) -> bool:
        return address not in self.off

    def download(self, url: str) -> bytes | None:
        return self.internet.get(url)


def spec(name: str, *, cores: int = 16) -> HostSpec:
    address = {**ADDRESSES, **SERVERS}[name]
    data_disk = (HostDisk("disk1", 620 * GIB, boot=False),) if name in SERVERS else ()
    description = HostDescription(
        host_id="0a0a0a0a-0000-4000-8000-000000000001",
        host_name=name.upper(),
        addresses=(address,),
        os_type="Windows",
        os_name="",
        disks=(HostDisk("disk0", 80 * GIB, boot=True), *data_disk),
        bios_id="0b0b0b0b-0000-4000-8000-000000000001",
        mac="02:00:0a:14:01:0b",
        firmware="BIOS",
        cores=cores,
        memory_mb=16384,
        agent_version=None,
    )
    return HostSpec(name, FLAVOURS[name], description)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def make_host(tmp_path: Path, world: World, clock: ManualClock) -> Callable[[str], Host]:
    def make(name: str) -> Host:
        return Host(spec(name), tmp_path / name, world, clock)

    return make


@pytest.fixture
def host(make_host: Callable[[str], Host]) -> Host:
    return make_host("app-2012")


@pytest.fixture
def run(host: Host) -> Callable[..., Result]:
    def run(text: str, stdin: bytes = b"") -> Result:
        return run_text(host, text, stdin)

    return run


def run_setup(host: Host, program: str, arguments: str) -> Result:
    """Return what a program said, with its own exit code; PowerShell itself tells 0 or 1."""
    result = run_text(host, f"& '{program}' {arguments} | Out-String\necho \"$LASTEXITCODE\"")
    return replace(result, code=int(result.out.split()[-1]))
