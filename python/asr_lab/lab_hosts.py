"""All machines of the estate together: what Site Recovery sees of them, and what they need of the world around them."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_DNS, uuid5

from asr_lab.arm import site_recovery
from asr_lab.arm.estate import HostDescription, HostDisk, PushFailure
from asr_lab.arm.world import World
from asr_lab.aws.estate import Appliance, Estate, Machine
from asr_lab.aws.server import Ec2, Hardware
from asr_lab.clock import Clock
from asr_lab.hosts.linux.host import LinuxHost
from asr_lab.hosts.windows.estate import WindowsHosts
from asr_lab.hosts.windows.installers.packages import downloads
from asr_lab.hosts.windows.state import HostSpec
from asr_lab.lab_network import Network

NOT_LAUNCHED = Hardware(cores=1, memory_mb=1024, volumes_gib=(30,))


class Fleet:
    """The machines as Site Recovery sees them (``SourceHosts``), with the network between them, and faults by name."""

    def __init__(self, estate: Estate, ec2: Ec2) -> None:
        self._estate = estate
        self._ec2 = ec2
        self._appliances = {appliance.address: appliance for appliance in estate.appliances}
        self.network = Network(ec2, self.listens)
        self.linux: dict[str, LinuxHost] = {}
        self.windows: WindowsHosts | None = None

    def add_linux(self, hosts: Iterable[LinuxHost]) -> None:
        """Add the machines that run Linux."""
        self.linux.update({host.machine.address: host for host in hosts})

    def add_windows(self, windows: WindowsHosts) -> None:
        """Add every Windows machine of the estate to the simulator, the appliances included."""
        for appliance in self._estate.appliances:
            windows.add(appliance_spec(appliance))
        for machine in self._estate.windows:
            windows.add(machine_spec(machine))
        self.windows = windows
        self._ec2.console = self.console

    def console(self, address: str) -> str:
        """Return what the console of the machine at ``address`` shows, once it runs."""
        return self.windows.console(address) if self.windows and self.powered_on(address) else ""

    def powered_on(self, address: str) -> bool:
        """Return whether the machine at ``address`` runs in EC2; an appliance gets the size it was launched with."""
        appliance = self._appliances.get(address)
        if appliance is None:
            return self._ec2.powered_on(address)
        hardware = self._ec2.hardware(address)
        host = self.windows.at(address) if self.windows else None
        if hardware and host and self.windows:
            host.spec = appliance_spec(appliance, hardware)
            self.windows.first_start(address, hardware.user_data)
        return hardware is not None

    def push_mobility(self, address: str, account: str) -> PushFailure | None:
        """Install the Mobility service as the modernized appliance does; return what stood in the way, or None."""
        if address in self.linux:
            return self.linux[address].push_mobility(account, self._pushing_appliance())
        with suppress(LookupError):
            if self.windows:
                return self.windows.push_mobility(address, self._pushing_appliance())
        return PushFailure(
            code="95117",
            message=f"Push installation of the Mobility service to {address} failed: it cannot be reached.",
            causes=f"No machine answers at {address}.",
            action="Ensure that the machine runs and that its address is right, then retry the operation.",
        )

    def connects(self, source: str, target: str, port: int) -> bool:
        """Return whether ``source`` reaches ``target`` on this TCP port."""
        return self.network.connects(source, target, port)

    def describe(self, address: str) -> HostDescription | None:
        """Return the machine at ``address``, or None when it is unknown or off."""
        if address in self.linux:
            return self.linux[address].describe()
        return self.windows.describe(address) if self.windows else None

    def listens(self, address: str, port: int) -> bool:
        """Return whether the machine at ``address`` answers on ``port``."""
        if address in self.linux:
            return port == 22 and self.linux[address].service_running("sshd")
        return self.windows is not None and self.windows.listens(address, port)

    def plant(self, name: str, fault: Mapping[str, Any]) -> None:
        """Change a machine by its EC2 name. Raises LookupError for an unknown name, ValueError for an unknown fault."""
        for linux in self.linux.values():
            if linux.machine.name == name:
                return linux.plant(fault)
        if self.windows is None:
            raise LookupError(f"no host is called {name}")
        return self.windows.apply_fault(name, fault)

    def conditions(self) -> dict[str, Any]:
        """Return, by name, whether each machine runs and which Mobility service it has."""
        machines: list[Machine | Appliance] = [*self._estate.appliances, *self._estate.machines]
        seen = [(machine, self.describe(machine.address)) for machine in machines]
        return {
            machine.name: {
                "address": machine.address,
                "running": self.powered_on(machine.address),
                "agent_version": host.agent_version if host else None,
            }
            for machine, host in seen
        }

    def reset(self) -> None:
        """Make every host fresh from its image. The Linux hosts' requests must be listened to again afterwards."""
        self.network.block([])
        machines: list[Machine | Appliance] = [*self._estate.appliances, *self._estate.windows]
        for machine in machines:
            self.plant(machine.name, {"reset": True})
        for host in self.linux.values():
            host.stop()
            host.begin()
        for host in self.linux.values():
            host.finish()

    def _pushing_appliance(self) -> str:
        return next(a.address for a in self._estate.appliances if a.architecture == "modernized")


class Surroundings:
    """What a host needs of the world: registration with Site Recovery, the network, the internet (``Uplink``).

    ``told`` are called with the description of an appliance whose installer has run.
    """

    def __init__(self, world: World, clock: Clock, fleet: Fleet) -> None:
        self._world = world
        self._clock = clock
        self._fleet = fleet
        self._internet = downloads()
        self.told: list[Callable[[HostDescription, datetime], None]] = []

    def register_configuration_server(
        self, vault_credentials_xml: bytes, host: HostDescription, passphrase: str
    ) -> None:
        """Register a configuration server with the vault of a key. Raises RegistrationRefused."""
        with self._world.lock:
            site_recovery.world_register_configuration_server(
                self._world,
                vault_credentials_xml=vault_credentials_xml,
                host=host,
                passphrase=passphrase,
                now=self._now(),
            )

    def register_mobility(self, server_address: str, passphrase: str, host: HostDescription) -> None:
        """Register a machine with a configuration server. Raises RegistrationRefused."""
        with self._world.lock:
            site_recovery.world_register_mobility(
                self._world, server_address=server_address, passphrase=passphrase, host=host, now=self._now()
            )

    def appliance_installed(self, host: HostDescription) -> None:
        """Tell whoever waits for an appliance that its installer has run."""
        with self._world.lock:
            for tell in self.told:
                tell(host, self._now())

    def connects(self, source: str, target: str, port: int) -> bool:
        """Return whether a TCP connection from ``source`` to ``target`` succeeds."""
        return self._fleet.connects(source, target, port)

    def powered_on(self, address: str) -> bool:
        """Return whether the machine at ``address`` runs in EC2."""
        return self._fleet.powered_on(address)

    def download(self, url: str) -> bytes | None:
        """Return what the internet answers for ``url``, or None when its name does not resolve."""
        return self._internet.get(url)

    def _now(self) -> datetime:
        now = self._clock.now()
        self._world.advance(now)
        return now


def machine_spec(machine: Machine) -> HostSpec:
    """Return what the Windows simulator needs to know of a machine of the estate."""
    flavour = machine.image.key.removeprefix("windows-")
    size = machine.instance_type
    hardware = Hardware(size.cores, size.memory_mb, machine.volumes_gib)
    described = _description(machine.name, machine.address, hardware)
    if machine.image.boot_mode != "legacy-bios":
        described = replace(described, firmware="UEFI")
    return HostSpec(machine.name, flavour, described)


def appliance_spec(appliance: Appliance, hardware: Hardware = NOT_LAUNCHED) -> HostSpec:
    """Return what the Windows simulator needs to know of an appliance; its size is what EC2 launched it with."""
    described = _description(appliance.name, appliance.address, hardware)
    return HostSpec(appliance.name, appliance.flavour, described, stock=True)


def _description(name: str, address: str, hardware: Hardware) -> HostDescription:
    def guid(purpose: str) -> str:
        return str(uuid5(NAMESPACE_DNS, f"{purpose}.{name}.lab.example"))

    disks = enumerate(hardware.volumes_gib)
    return HostDescription(
        host_id=guid("host"),
        host_name=name,
        addresses=(address,),
        os_type="Windows",
        os_name="",
        disks=tuple(HostDisk(rf"\\.\PHYSICALDRIVE{number}", size << 30, number == 0) for number, size in disks),
        bios_id="ec2" + guid("bios")[3:],
        mac="02:00:" + ":".join(f"{int(part):02x}" for part in address.split(".")),
        firmware="BIOS",
        cores=hardware.cores,
        memory_mb=hardware.memory_mb,
        agent_version=None,
    )
