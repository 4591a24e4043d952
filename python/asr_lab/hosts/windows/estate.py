"""All Windows hosts of a lab: the one entry point for what starts them and for what Site Recovery asks of them."""

import ssl
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asr_lab.arm.estate import HostDescription, PushFailure
from asr_lab.clock import Clock
from asr_lab.hosts.windows import faults, first_start, push
from asr_lab.hosts.windows.installers import dr_installer
from asr_lab.hosts.windows.server import Listeners, write_users
from asr_lab.hosts.windows.state import Host, HostSpec
from asr_lab.hosts.windows.uplink import Uplink


class WindowsHosts:
    """The Windows hosts of a lab.

    ``state`` is the lab's state directory, ``net`` the loopback network (``127.20``): the host at 10.20.a.b answers at
    NET.a.b:5986. ``user`` and ``password`` are those of every host's administrator. Nothing listens before ``start``.
    """

    def __init__(
        self, *, state: Path, net: str, tls: ssl.SSLContext, user: str, password: str, uplink: Uplink, clock: Clock
    ) -> None:
        self._state = state
        self._net = net
        self._uplink = uplink
        self._clock = clock
        self._hosts: dict[str, Host] = {}
        self._starting = threading.Lock()
        write_users(state / "secrets" / "ntlm_users", user, password)
        self._listeners = Listeners(self.loopback, tls)

    def add(self, spec: HostSpec) -> Host:
        """Add a machine, with the state it was left in or fresh from its image; it answers as soon as it is powered
        on.
        """
        host = Host(spec, self._state / "hosts" / spec.name, self._uplink, self._clock)
        self._hosts[spec.name] = host
        self._listeners.add(host)
        return host

    def start(self) -> None:
        """Open the listeners of all machines that run, and follow them as they are switched on and off."""
        self._listeners.start()

    def look(self) -> None:
        """Open and close listeners so that they fit what runs now; ``start`` does it several times a second."""
        self._listeners.look()

    def stop(self) -> None:
        """Close all listeners; the state of the hosts stays."""
        self._listeners.stop()

    def loopback(self, host: Host) -> str:
        """Return the address at which the controller finds a host."""
        return f"{self._net}.{host.spec.address.split('.', 2)[2]}"

    def host(self, name: str) -> Host | None:
        """Return a host by its name in EC2."""
        return self._hosts.get(name)

    def at(self, address: str) -> Host | None:
        """Return the host that has an address of the estate."""
        return next((host for host in self._hosts.values() if address in host.spec.description.addresses), None)

    def first_start(self, address: str, user_data: str) -> None:
        """Let a host that comes from a stock image start, for the first time if it has not; see ``first_start``."""
        host = self.at(address)
        if host is None or host.condition.started:
            return
        with self._starting:
            first_start.run(host, user_data, self.loopback(host))

    def console(self, address: str) -> str:
        """Return what EC2 shows of the console of the host at ``address``; empty when there is none."""
        host = self.at(address)
        return host.condition.console if host else ""

    def describe(self, address: str) -> HostDescription | None:
        """Return the machine at ``address`` when it is there and answers."""
        host = self.at(address)
        return host.describe() if host and host.answers() else None

    def listens(self, address: str, port: int) -> bool:
        """Return whether the machine at ``address`` takes TCP connections on ``port``: powered on, listening, firewall
        open.
        """
        host = self.at(address)
        return host is not None and host.listens(port)

    def push_mobility(self, address: str, server: str) -> PushFailure | None:
        """Push the Mobility service to ``address`` for the appliance at ``server``. Raises LookupError when there is
        no such host.
        """
        host = self.at(address)
        if host is None:
            raise LookupError(f"no Windows host has the address {address}")
        return push.push(host, server)

    def appliance_registered(self, name: str) -> None:
        """Leave on the appliance ``name`` what its registration with a vault leaves there. Raises LookupError."""
        host = self._hosts.get(name)
        if host is None:
            raise LookupError(f"no Windows host is called {name}")
        with host.lock:
            dr_installer.registered(host)
            host.save()

    def apply_fault(self, name: str, fault: Mapping[str, Any]) -> None:
        """Do to a host what ``faults`` describes. Raises LookupError (no such host) or ValueError (no such fault)."""
        host = self._hosts.get(name)
        if host is None:
            raise LookupError(f"no Windows host is called {name}")
        faults.apply_fault(host, fault)
