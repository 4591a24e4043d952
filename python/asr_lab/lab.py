"""The lab: Azure, EC2 and the machines of the estate on loopback addresses, in one process."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from aiohttp import web

from asr_lab import lab_hosts
from asr_lab.arm import landing_zone, site_recovery, state_file
from asr_lab.arm.certificates import Certificates, kept_certificates, make_certificates
from asr_lab.arm.estate import HostDescription
from asr_lab.arm.server import serve
from asr_lab.arm.tokens import Credentials
from asr_lab.arm.wire import ArmError, iso7
from asr_lab.arm.world import World
from asr_lab.aws import estate as aws_estate
from asr_lab.aws.server import Ec2
from asr_lab.clock import VirtualClock
from asr_lab.hosts.linux.flavour import flavours
from asr_lab.hosts.linux.host import LinuxHost
from asr_lab.hosts.linux.installers import pack
from asr_lab.hosts.linux.sandbox import NamespacesRefused
from asr_lab.hosts.linux.server import FrontKeys, SshFront
from asr_lab.hosts.windows.estate import WindowsHosts
from asr_lab.hosts.windows.installers import packages
from asr_lab.lab_keeper import Keeper
from asr_lab.lab_state import CLIENT_ID, SshKeys, State
from asr_lab.person import Person, SiteRecovery

ARM_PORT, EC2_PORT, SSH_PORT, WINRM_PORT = 8443, 5000, 2222, 5986
DEFAULT_NET = "127.20"
DEFAULT_SPEED = 240.0
WINDOWS_USER = "Administrator"


class PortTaken(Exception):
    """A port of the lab is in use; the text names it."""


class Lab:
    """One lab. ``net`` are the first two parts of its loopback network, ``speed`` virtual seconds per wall second.

    It is also what ``/_lab`` changes (``LabAdmin``).
    """

    def __init__(
        self, state: State, *, net: str = DEFAULT_NET, speed: float = DEFAULT_SPEED, fresh: bool = False
    ) -> None:
        self.files = state
        self.net = net
        self.fresh = fresh
        self.clock = VirtualClock(speed)
        self.estate = aws_estate.load()
        self.arm_url = f"https://{net}.0.1:{ARM_PORT}"
        self._ec2 = Ec2(self.estate, f"{net}.0.1", EC2_PORT, state.directory)
        self._fleet = lab_hosts.Fleet(self.estate, self._ec2)
        self._world = World(self._fleet)
        self._surroundings = lab_hosts.Surroundings(self._world, self.clock, self._fleet)
        self._people = tuple(self._hire_people())
        self._keeper = Keeper(
            state.world,
            self._world,
            self.clock,
            outside={f"person for {person.vault}": person for person in self._people},
            parts=self._parts,
        )
        self._surroundings.told += [person.appliance_installed for person in self._people]
        self._arm: web.AppRunner | None = None
        self._ssh: SshFront | None = None
        self._winrm: WindowsHosts | None = None

    async def start(self, say: Callable[[str], None]) -> None:
        """Open every port and go on where the last lab of this state directory stood, unless this one is fresh.

        Raises PortTaken, StateFileUnusable. ``say`` gets a line for each part that is up, or left out.
        """
        self._refuse_taken_ports()
        parts = self._begin(say)
        addresses = [self.loopback(address) for address in self.estate.addresses]
        secrets = self.files.make_secrets()
        keys = self.files.make_ssh_keys(addresses, SSH_PORT)
        certificates = self._certificates([f"{self.net}.0.1", *addresses], say)
        pack.write_all(self.files.installers)
        (self.files.installers / packages.MOBILITY_FILE).write_bytes(packages.program("mobility-package"))
        pack.write_checksums(self.files.installers)
        starting_ec2 = asyncio.create_task(asyncio.to_thread(self._ec2.start))
        linux = await asyncio.to_thread(self._build_linux, keys, secrets["root_password"])
        await starting_ec2
        await asyncio.to_thread(self._take_up, parts)
        say(f"EC2 at {self._ec2.url}: {len(self.estate.machines)} instances in {self.estate.region}")
        self._start_linux(linux, keys, say)
        self._start_windows(certificates, secrets["windows_password"])
        say(f"Windows hosts: {len(self.estate.windows)} and the appliances, WinRM over HTTPS on port {WINRM_PORT}")
        credentials = Credentials(landing_zone.TENANT_ID, CLIENT_ID, secrets["azure_client_secret"])
        self._arm = await serve(
            self._world, self.clock, certificates, f"{self.net}.0.1", ARM_PORT, credentials, admin=self
        )
        self.files.write_environment(self._environment(secrets))
        self._keeper.start()
        group = f"{landing_zone.RESOURCE_GROUP} in {landing_zone.LOCATION}"
        say(f"Azure at {self.arm_url}: {group}, {self.clock.speed:g} x real time")

    async def stop(self) -> None:
        """Close every port, write the state file and end the hosts."""
        if self._arm:
            await self._arm.cleanup()
            await self._keeper.stop()
        if self._ssh:
            await asyncio.to_thread(self._ssh.stop)
        if self._winrm:
            await asyncio.to_thread(self._winrm.stop)
        for host in self._fleet.linux.values():
            host.stop()
        await asyncio.to_thread(self._ec2.stop)

    def loopback(self, address: str) -> str:
        """Return where an address of the estate is reached on this machine."""
        return self.net + address.removeprefix("10.20")

    # What /_lab changes

    async def reset(self, now: datetime) -> None:
        """Bring Azure, EC2, the hosts and the network back to how a fresh lab starts."""
        await asyncio.to_thread(self._reset, now)
        await self._keeper.keep()

    async def network(self, body: dict[str, Any], now: datetime) -> Any:
        """Block exactly these ways: ``{"block": [[source, target, port], ...]}``, with ``*`` as a wildcard."""
        if set(body) != {"block"} or not isinstance(body["block"], list):
            raise ArmError(400, "InvalidNetwork", 'Send {"block": [["10.20.1.11", "10.20.0.10", 9443]]}.')
        with _refusing():
            self._fleet.network.block(body["block"])
        return {"now": iso7(now), "blocked": self._fleet.network.blocked}

    async def host(self, name: str, body: dict[str, Any], now: datetime) -> Any:
        """Plant a fault on a host."""
        known = self._fleet.conditions()
        if name not in known:
            raise ArmError(404, "NoSuchHost", f"There is no host '{name}'; there are {', '.join(known)}.")
        with _refusing():
            await asyncio.to_thread(self._fleet.plant, name, body)
        return {"now": iso7(now), **self._fleet.conditions()[name]}

    async def state(self, now: datetime) -> dict[str, Any]:
        """Return the hosts' conditions and what is blocked."""
        refusals = [person.last_refusal for person in self._people if person.last_refusal]
        return {
            "now": iso7(now),
            "hosts": self._fleet.conditions(),
            "blocked": self._fleet.network.blocked,
            "person": refusals,
        }

    def _reset(self, now: datetime) -> None:
        with self._world.lock:
            self._world.reset()
            self._ec2.reset()
            self._fleet.reset()
            landing_zone.seed(self._world, now)
        if self._ssh:
            self._ssh.renew()

    def _begin(self, say: Callable[[str], None]) -> dict[str, Any]:
        """Seed the world, or fill it from the state file and return what stood in it beside the world."""
        if self.fresh or not self.files.world.exists():
            old = state_file.keep_aside(self.files.world)
            if old:
                say(f"The old state is kept as {old}")
            self.files.prepare(keep=False)
            landing_zone.seed(self._world, self.clock.now())
            return {}
        saved = self._keeper.restore()
        self.files.prepare(keep=True)
        say(f"Going on where the last lab stood, at {saved.now:%Y-%m-%d %H:%M} UTC of virtual time")
        return saved.parts

    def _certificates(self, addresses: list[str], say: Callable[[str], None]) -> Certificates:
        """Return the certificates that clients trust already, or new ones."""
        now = self.clock.wall()
        kept = None if self.fresh else kept_certificates(self.files.directory, addresses=addresses, now=now)
        if kept is None and self.files.ca.exists():
            say(f"New certificates: clients must read {self.files.ca} again")
        return kept or make_certificates(self.files.directory, addresses=addresses, now=now)

    def _parts(self) -> dict[str, Any]:
        """Return what the state file keeps beside the world."""
        return {"blocked": [list(way) for way in self._fleet.network.blocked], "ec2": self._ec2.kept()}

    def _take_up(self, parts: dict[str, Any]) -> None:
        """Bring EC2 and the network to where the last lab left them."""
        self._fleet.network.block(parts.get("blocked", []))
        self._ec2.take_up(parts.get("ec2", {}))

    def _hire_people(self) -> Iterator[Person]:
        """One person for each modernized appliance, who acts when its installer has run."""
        pages = SiteRecovery(site_recovery.world_register_appliance, site_recovery.world_add_physical_server)
        for appliance in self.estate.appliances:
            if appliance.vault is None:
                continue
            yield Person(
                self._world,
                pages,
                vault=appliance.vault,
                addresses=[m.address for m in self.estate.machines if m.wave == appliance.wave and m.fit],
                powered_on=self._fleet.powered_on,
                registered=self._tell_appliance,
            )

    def _tell_appliance(self, appliance: HostDescription) -> None:
        """Let the appliance's host know of its registration, in a thread: its lock may be held by a session that waits
        for the world's."""
        if self._winrm:
            threading.Thread(target=self._winrm.appliance_registered, args=[appliance.host_name], daemon=True).start()

    def _build_linux(self, keys: SshKeys, root_password: str) -> list[LinuxHost] | NamespacesRefused:
        hosts = [
            LinuxHost(
                machine,
                self.files.hosts / machine.name,
                self._surroundings,
                authorized_key=keys.authorized_key(old=flavours()[machine.image.key].old_openssh),
                root_password=root_password,
            )
            for machine in self.estate.linux
        ]
        for host in hosts:
            host.begin()
        try:
            for host in hosts:
                host.finish()
        except NamespacesRefused as refused:
            return refused
        return hosts

    def _start_linux(
        self, built: list[LinuxHost] | NamespacesRefused, keys: SshKeys, say: Callable[[str], None]
    ) -> None:
        if isinstance(built, NamespacesRefused):
            say(f"Linux hosts are left out: {built}")
            return
        self._fleet.add_linux(built)
        self._ssh = SshFront(
            built,
            loopback=self.loopback,
            port=SSH_PORT,
            keys=FrontKeys(keys.host, keys.client),
            old_keys=FrontKeys(keys.old_host, keys.old_client),
            servers=[appliance.address for appliance in self.estate.appliances],
        )
        self._ssh.start()
        say(f"Linux hosts: {len(built)}, SSH on port {SSH_PORT}")

    def _start_windows(self, certificates: Certificates, password: str) -> None:
        self._winrm = WindowsHosts(
            state=self.files.directory,
            net=self.net,
            tls=certificates.server_context(),
            user=WINDOWS_USER,
            password=password,
            uplink=self._surroundings,
            clock=self.clock,
        )
        self._fleet.add_windows(self._winrm)
        self._winrm.start()

    def _refuse_taken_ports(self) -> None:
        """Raise PortTaken for the first port of the lab that something else holds."""
        places = [(f"{self.net}.0.1", port) for port in (ARM_PORT, EC2_PORT)]
        places += [(self.loopback(machine.address), SSH_PORT) for machine in self.estate.linux]
        places += [(self.loopback(machine.address), WINRM_PORT) for machine in self.estate.windows]
        for place in places:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(place)
                except OSError as error:
                    address = f"{place[0]}:{place[1]}"
                    raise PortTaken(
                        f"{address} cannot be opened ({error.strerror}); end what holds it, "
                        "or set ASR_LAB_NET to another network such as 127.21"
                    ) from None

    def _environment(self, secrets: Mapping[str, str]) -> dict[str, str]:
        return {
            "ASR_LAB_NET": self.net,
            "ASR_LAB_STATE": str(self.files.directory),
            "ASR_LAB_SPEED": f"{self.clock.speed:g}",
            "AZURE_TENANT_ID": landing_zone.TENANT_ID,
            "AZURE_CLIENT_ID": CLIENT_ID,
            "AZURE_CLIENT_SECRET": secrets["azure_client_secret"],
            "AZURE_SUBSCRIPTION_ID": landing_zone.SUBSCRIPTION_ID,
            "AWS_ENDPOINT_URL": self._ec2.url,
            "AWS_ENDPOINT_URL_EC2": self._ec2.url,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": "asr-lab",
            "AWS_SECRET_ACCESS_KEY": secrets["aws_secret_access_key"],
            "AWS_DEFAULT_REGION": self.estate.region,
        }


@contextmanager
def _refusing() -> Iterator[None]:
    """Turn a ValueError, or a host that was left out, into the refusal of a request."""
    try:
        yield
    except LookupError as error:
        raise ArmError(404, "NoSuchHost", f"The host is not simulated here: {error}.") from None
    except ValueError as error:
        raise ArmError(400, "InvalidFault", str(error)) from None
