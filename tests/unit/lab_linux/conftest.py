"""Two simulated Linux hosts behind a real SSH client, with a Site Recovery that only knows one passphrase."""

import shutil
import subprocess
from dataclasses import dataclass, field

import pytest

from asr_lab.arm.estate import RegistrationRefused
from asr_lab.aws.estate import load
from asr_lab.hosts.linux.flavour import flavours
from asr_lab.hosts.linux.host import LinuxHost
from asr_lab.hosts.linux.installers import pack
from asr_lab.hosts.linux.sandbox import NamespacesRefused
from asr_lab.hosts.linux.server import FrontKeys, SshFront
from asr_lab.lab_state import State

NET = "127.134"
SERVER = "10.20.0.10"
NAMES = ("db-rhel67", "db-rhel8")
OLD_OPENSSH = (
    "HostKeyAlgorithms=+ssh-rsa",
    "PubkeyAcceptedAlgorithms=+ssh-rsa",
    "KexAlgorithms=+diffie-hellman-group14-sha1",
)


@dataclass
class Surroundings:
    """Power, network and Site Recovery as plain sets."""

    off: set = field(default_factory=set)
    closed: set = field(default_factory=set)
    registered: list = field(default_factory=list)
    passphrase: str = "correct horse"

    def powered_on(self, address):
        return address not in self.off

    def connects(self, source, target, port):
        return target == SERVER and port not in self.closed

    def register_mobility(self, server_address, passphrase, host):
        if passphrase != self.passphrase:
            raise RegistrationRefused("PassphraseInvalid", "The passphrase is not that of the configuration server.")
        self.registered.append(host.host_name)


@dataclass
class Site:
    """The hosts and the way to them."""

    hosts: dict
    surroundings: Surroundings
    state: State

    def ssh(self, name, command, *, stdin=b"", user="ec2-user", options=None):
        """Run a command with the machine's own ssh; return the completed process with text output.

        ``options`` are settings of ssh_config; by default those that the host needs.
        """
        address = NET + self.hosts[name].machine.address.removeprefix("10.20")
        needed = self.hosts[name].flavour.old_openssh
        key = "id_rsa" if needed else "id_ed25519"
        if options is None:
            options = OLD_OPENSSH if needed else ()
        done = subprocess.run(
            [
                *("ssh", "-F", "none", "-p", "2222", "-o", "BatchMode=yes", "-o", "GlobalKnownHostsFile=/dev/null"),
                *(
                    "-i",
                    str(self.state.directory / "ssh" / key),
                    *(word for setting in options for word in ("-o", setting)),
                ),
                *("-o", f"UserKnownHostsFile={self.state.directory / 'ssh/known_hosts'}"),
                *(f"{user}@{address}", command),
            ],
            input=stdin,
            capture_output=True,
            check=False,
            timeout=60,
        )
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        return done

    def unpack(self, name, tag):
        """Bring the Mobility service package to a host, as a migration does."""
        done = self.ssh(name, "mkdir -p /tmp/ua && cd /tmp/ua && tar xzf -", stdin=pack.package(tag))
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    if not shutil.which("ssh"):
        pytest.skip("no ssh client on this machine")
    state = State(tmp_path_factory.mktemp("lab"))
    state.prepare(keep=False)
    machines = [machine for machine in load().linux if machine.name in NAMES]
    keys = state.make_ssh_keys([NET + machine.address.removeprefix("10.20") for machine in machines], 2222)
    surroundings = Surroundings()
    hosts = [
        LinuxHost(
            machine,
            state.hosts / machine.name,
            surroundings,
            authorized_key=keys.authorized_key(old=flavours()[machine.image.key].old_openssh),
            root_password="Root-Password-1",
        )
        for machine in machines
    ]
    front = SshFront(
        hosts,
        loopback=lambda address: NET + address.removeprefix("10.20"),
        port=2222,
        keys=FrontKeys(keys.host, keys.client),
        old_keys=FrontKeys(keys.old_host, keys.old_client),
        servers=[SERVER],
    )
    try:
        for host in hosts:
            host.begin()
        for host in hosts:
            host.finish()
    except NamespacesRefused as refused:
        pytest.skip(str(refused))
    front.start()
    yield Site({host.machine.name: host for host in hosts}, surroundings, state), front
    front.stop()
    for host in hosts:
        host.stop()


@pytest.fixture
def site(running):
    """The hosts, fresh from their images."""
    made, front = running
    for host in made.hosts.values():
        host.stop()
        host.begin()
    for host in made.hosts.values():
        host.finish()
    front.renew()
    made.surroundings.off.clear()
    made.surroundings.closed.clear()
    made.surroundings.registered.clear()
    return made
