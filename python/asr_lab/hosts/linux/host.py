"""One simulated Linux machine: its sandbox, what Site Recovery reads of it, what appliances do to it, its faults."""

import json
import shlex
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from asr_lab.arm.estate import HostDescription, HostDisk, PushFailure, RegistrationRefused
from asr_lab.aws.estate import Machine
from asr_lab.hosts import mobility_config
from asr_lab.hosts.linux import flavour, tree
from asr_lab.hosts.linux.installers import pack
from asr_lab.hosts.linux.passwords import password_matches
from asr_lab.hosts.linux.sandbox import Sandbox

APPLIANCE_PORTS = (443, 9443)
# Exit codes of UnifiedAgentConfigurator.sh (published script of the Mobility service) by reason of refusal.
EXIT_CODES = {"AlreadyRegistered": 13, "PassphraseInvalid": 14, "ServerUnreachable": 14}
REGISTRATION_FAILED = 119
AGENT_SERVICES = ("vxagent", "uarespawnd")


class Uplink(Protocol):
    """What a Linux host needs of the world around it."""

    def register_mobility(self, server_address: str, passphrase: str, host: HostDescription) -> None:
        """Register a machine with a configuration server. Raises RegistrationRefused."""

    def connects(self, source: str, target: str, port: int) -> bool:
        """Return whether a TCP connection from ``source`` to ``target`` succeeds."""

    def powered_on(self, address: str) -> bool:
        """Return whether the machine at ``address`` runs (in EC2)."""


class LinuxHost:
    """A machine of the estate. ``directory`` is its own; ``root_password`` is what the person types for pushes."""

    def __init__(
        self, machine: Machine, directory: Path, uplink: Uplink, *, authorized_key: str, root_password: str
    ) -> None:
        self.machine = machine
        self.flavour = flavour.flavours()[machine.image.key]
        self._directory = directory
        self._uplink = uplink
        self._authorized_key = authorized_key
        self._root_password = root_password
        self._open: set[tuple[str, int]] = set()
        self.sandbox = self._new_sandbox()

    @property
    def running(self) -> bool:
        """Whether EC2 runs the machine."""
        return self._uplink.powered_on(self.machine.address)

    def begin(self) -> None:
        """Lay the host's files and start to build it; ``finish`` waits."""
        self.sandbox = self._new_sandbox()
        self._open = set()
        tree.lay_tree(self.machine, self.flavour, self._directory / "tree", self._authorized_key)
        self.sandbox.begin()

    def finish(self) -> None:
        """Wait until the host is built and has booted. Raises NamespacesRefused."""
        self.sandbox.finish()
        shutil.rmtree(self._directory / "tree", ignore_errors=True)
        self.sandbox.run("/var/lib/lab/boot")

    def stop(self) -> None:
        """End the host; everything in it is forgotten."""
        self.sandbox.stop()

    def refresh_ports(self, servers: Iterable[str]) -> None:
        """Make the servers' ports answer inside the host as the network lets it reach them now."""
        wanted = {
            (server, port)
            for server in servers
            for port in APPLIANCE_PORTS
            if self._uplink.connects(self.machine.address, server, port)
        }
        if wanted != self._open:
            self.sandbox.open_ports(sorted(wanted))
            self._open = wanted

    def describe(self) -> HostDescription | None:
        """Return what the Mobility service and an appliance read of the machine, or None while it is stopped."""
        if not self.running:
            return None
        disks = zip(tree.disk_names(self.machine), self.machine.volumes_gib, strict=True)
        return HostDescription(
            host_id=tree.guid(self.machine, "host"),
            host_name=self.machine.name,
            addresses=(self.machine.address,),
            os_type="Linux",
            os_name=self.flavour.os_name,
            disks=tuple(HostDisk(name, size << 30, number == 0) for number, (name, size) in enumerate(disks)),
            bios_id=tree.bios_id(self.machine),
            mac=tree.mac(self.machine),
            firmware="BIOS" if self.machine.image.boot_mode == "legacy-bios" else "UEFI",
            cores=self.machine.instance_type.cores,
            memory_mb=self.machine.instance_type.memory_mb,
            agent_version=self._agent_version(),
        )

    def sshd_setting(self, keyword: str) -> str | None:
        """Return a setting of sshd as it was when sshd last started; None when it is not set."""
        for line in (self.sandbox.read("/run/lab/sshd_effective") or "").splitlines():
            name, _, value = line.partition(" ")
            if name == keyword:
                return value.strip()
        return None

    def service_running(self, name: str) -> bool:
        """Whether a service runs."""
        return (self.sandbox.read(f"/var/lib/lab/services/{name}") or "").startswith("running")

    def password_field(self, user: str) -> str:
        """Return the password field of a user in the shadow file; ``!`` when there is no such user."""
        for line in (self.sandbox.read("/etc/shadow") or "").splitlines():
            name, field, *_ = line.split(":")
            if name == user:
                return field
        return "!"

    def register(self, server: str, port: int, passphrase: str) -> tuple[int, str]:
        """Register with a configuration server; return exit code and message of UnifiedAgentConfigurator.sh."""
        address = self.machine.address
        description = self.describe()
        if description is None or not self._uplink.connects(address, server, port):
            return EXIT_CODES["ServerUnreachable"], f"post request: (7) couldn't connect to {server}:{port}"
        if not self._names_itself():
            return REGISTRATION_FAILED, f"No Valid IP Address found: /etc/hosts does not map {self.machine.name}"
        try:
            self._uplink.register_mobility(server, passphrase, description)
        except RegistrationRefused as refusal:
            return EXIT_CODES.get(refusal.code, REGISTRATION_FAILED), refusal.message
        return 0, f"Registered with the configuration server {server}."

    def push_mobility(self, account: str, server: str) -> PushFailure | None:
        """Install the Mobility service as the appliance at ``server`` does, over SSH and SFTP as root with a password.

        Codes, causes and actions are those of the Site Recovery documentation, "Troubleshoot Mobility service push".
        """
        if not self.running or not self.service_running("sshd"):
            return self._failure("95117", "the machine does not answer on port 22.", "Start it and its sshd service.")
        if not self._names_itself():
            cause = f"/etc/hosts does not map the host name {self.machine.name} to its addresses."
            return self._failure(
                "95117", cause, "Map the host name to the addresses of all network cards in /etc/hosts."
            )
        for obstacle, action in self._obstacles_of_root_login(account):
            return self._failure("95108", obstacle, action)
        if self._agent_version() is None:
            return self._install_agent(server)
        return None

    def plant(self, fault: Mapping[str, Any]) -> None:
        """Change the machine behind everybody's back: ``skew_s``, ``service``, ``file``, ``root_free_kb``.

        ``skew_s`` puts the clock ahead and takes its time source away; 0 brings it back. ``service`` maps names to
        running or stopped, ``file`` absolute paths to texts or None (removed). Raises ValueError for anything else.
        """
        unknown = fault.keys() - {"skew_s", "service", "file", "root_free_kb"}
        if unknown:
            raise ValueError(
                f"{self.machine.name}: unknown fault {', '.join(sorted(unknown))}; "
                "a Linux host knows skew_s, service, file, root_free_kb"
            )
        if "skew_s" in fault:
            skewed = str(int(fault["skew_s"])) if fault["skew_s"] else None
            self._put("/var/lib/lab/skew_s", skewed)
            self._put("/var/lib/lab/no_time_source", skewed)
        if "root_free_kb" in fault:
            self._put("/var/lib/lab/root_free_kb", str(int(fault["root_free_kb"])))
        for name, state in fault.get("service", {}).items():
            if state not in ("running", "stopped"):
                raise ValueError(f"service: {name}: {state!r} is neither running nor stopped")
            verb = "start_service" if state == "running" else "stop_service"
            self.sandbox.run(f". /var/lib/lab/services.sh; {verb} {shlex.quote(name)}")
        for path, text in fault.get("file", {}).items():
            self._put(path, text)

    def _new_sandbox(self) -> Sandbox:
        hidden = self.flavour.hidden_commands
        name, address = self.machine.name, self.machine.address
        return Sandbox(name, address, self._directory, user=tree.LOGIN_USER, hide=hidden)

    def _put(self, path: str, text: str | None) -> None:
        if text is None:
            self.sandbox.path(path).unlink(missing_ok=True)
        else:
            self.sandbox.write(path, text)

    def _agent_version(self) -> str | None:
        """Return the version of the Mobility service when it is installed and configured."""
        lines = (self.sandbox.read("/usr/local/.vx_version") or "").splitlines()
        facts = dict(line.split("=", 1) for line in lines if "=" in line)
        return facts.get("VERSION") if facts.get("AGENT_CONFIGURATION_STATUS") == "Succeeded" else None

    def _names_itself(self) -> bool:
        """Whether /etc/hosts maps the host name to the address of its network card."""
        lines = [line.partition("#")[0].split() for line in (self.sandbox.read("/etc/hosts") or "").splitlines()]
        return any(line and line[0] == self.machine.address and self.machine.name in line[1:] for line in lines)

    def _obstacles_of_root_login(self, account: str) -> Iterable[tuple[str, str]]:
        """Yield cause and remedy of everything that keeps the appliance from logging in as root."""
        if self.sshd_setting("permitrootlogin") != "yes":
            yield "sshd refuses the login of root with a password.", "Set PermitRootLogin yes and restart sshd."
        if self.sshd_setting("passwordauthentication") != "yes":
            yield "password authentication is off.", "Set PasswordAuthentication yes and restart sshd."
        if "sftp" not in (self.sshd_setting("subsystem") or ""):
            yield "the SFTP subsystem is off.", "Set Subsystem sftp in sshd_config and restart sshd."
        if not password_matches(self.password_field("root"), self._root_password):
            yield f"the password of account {account!r} is not root's.", "Set root's password to that of the account."

    def _install_agent(self, server: str) -> PushFailure | None:
        tag = self.flavour.installer_os
        if tag not in pack.DHCP_CLIENT:
            cause = f"there is no Mobility service package for {self.flavour.os_name}."
            return self._failure("95117", cause, "Replicate supported operating systems only.")
        folder = "/var/tmp/remote_install"
        told = json.dumps({"RcmProxyTransportSettings": mobility_config.transport_settings(server)})
        steps = (
            f"mkdir -p {folder} && cd {folder} && tar xzf - && ./install -q -r MS -v VmWare -c CSPrime"
            " && sed -i s/^AGENT_CONFIGURATION_STATUS=.*/AGENT_CONFIGURATION_STATUS=Succeeded/ /usr/local/.vx_version"
            f" && touch /usr/local/InMage/config/RCMInfo.conf && rm -rf {shlex.quote(folder)}"
            f" && printf %s {shlex.quote(told)} >/usr/local/ASR/Vx/etc/SourceConfig.json"
        )
        starts = "".join(f" && service {name} start" for name in AGENT_SERVICES)
        done = self.sandbox.run(steps + starts, stdin=pack.package(tag))
        if done.returncode:
            words = done.stdout.decode(errors="replace").strip().splitlines() or ["no output"]
            cause = f"the installer ended with exit code {done.returncode}: {words[-2:][0]}"
            return self._failure("95117", cause, "See /var/log/ua_install.log on the machine.")
        return None

    def _failure(self, code: str, cause: str, action: str) -> PushFailure:
        name = self.machine.name
        message = f"Push installation of the Mobility service to {name} ({self.machine.address}) failed: {cause}"
        return PushFailure(code=code, message=message, causes=cause, action=action)
