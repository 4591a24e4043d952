"""A real Debian with a real OpenSSH server for a story: this machine's own files in namespaces, changes in memory.

Nothing of the machine itself changes: the host has its root, name, processes and network for itself, and its cable
ends in a second network namespace, from which the story connects. All of it ends with one process.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO

NAME = "real-debian"
#: The network of RFC 2544 for benchmarks; it is in use in the two namespaces only.
CONTROLLER_ADDRESS, ADDRESS = "198.18.77.1", "198.18.77.2"
PREFIX_LENGTH = 30
SSHD = Path("/usr/sbin/sshd")
#: Makes the host's root and becomes its first process. Arguments: directory with its keys, its name.
#: The root is as big as a push of the Mobility service asks for; memory is used only for what is written.
BOOT = """
keys=$1 name=$2
hostname "$name"
mount -t tmpfs -o mode=755,size=4g tmpfs "$keys/disk"
cd "$keys/disk"
mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
cd root
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
ln -s /proc/self/fd dev/fd
mkdir -p run/sshd run/before root/.ssh
chmod 700 root/.ssh
install -m 600 "$keys/login.pub" root/.ssh/authorized_keys
rm -f etc/ssh/ssh_host_* etc/ssh/sshd_config.d/* etc/resolv.conf
install -m 600 "$keys/host" etc/ssh/ssh_host_ed25519_key
install -m 644 "$keys/host.pub" etc/ssh/ssh_host_ed25519_key.pub
printf 'PermitRootLogin prohibit-password\\nPasswordAuthentication no\\n' >etc/ssh/sshd_config.d/50-cloud-init.conf
printf '127.0.0.1\\tlocalhost\\n' >etc/hosts
pivot_root . run/before
cd /
umount -l run/before
/usr/sbin/sshd -D -e -p 22 -f /etc/ssh/sshd_config &
wait
"""
LISTENS = re.compile(r"^Server listening on 0\.0\.0\.0 port 22\.")


class NamespaceRefused(Exception):
    """The machine does not let a network namespace be made; containers without privileges do so."""


@dataclass(frozen=True)
class Said:
    """The end of a command on the host."""

    code: int
    stdout: str
    stderr: str


class RealHost:
    """A running host with root's key login; keys are in ``state``, an empty directory only root may read.

    Raises NamespaceRefused on entering.
    """

    def __init__(self, state: Path) -> None:
        self.state = state
        self.login_key, self.known_hosts = state / "login", state / "known_hosts"
        self._far, self._near = f"asrtest-{os.getpid()}", f"asrtest-{os.getpid()}-c"
        self._running: subprocess.Popen[str] | None = None

    def __enter__(self) -> "RealHost":
        try:
            self._cable()
            self._keys()
            self._boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        """End the host: with its first process go all others, its mounts and, with the namespaces, its cable."""
        if self._running:
            self._running.kill()
            self._running.communicate()
        for namespace in (self._near, self._far):
            if Path("/run/netns", namespace).exists():
                _run("ip", "netns", "delete", namespace)
        shutil.rmtree(self.state, ignore_errors=True)

    def _cable(self) -> None:
        for namespace in (self._near, self._far):
            made = subprocess.run(["ip", "netns", "add", namespace], capture_output=True, text=True)
            if made.returncode:
                raise NamespaceRefused(made.stderr.strip())
        _run("ip", "-n", self._near, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", self._far)
        for namespace, address in ((self._near, CONTROLLER_ADDRESS), (self._far, ADDRESS)):
            _run("ip", "-n", namespace, "address", "add", f"{address}/{PREFIX_LENGTH}", "dev", "eth0")
            for device in ("lo", "eth0"):
                _run("ip", "-n", namespace, "link", "set", device, "up")

    def _keys(self) -> None:
        for name in ("login", "host"):
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self.state / name))
        self.known_hosts.write_text(f"{ADDRESS} {(self.state / 'host.pub').read_text()}")

    def _boot(self) -> None:
        (self.state / "disk").mkdir()
        apart = ["unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child"]
        self._running = subprocess.Popen(
            ["ip", "netns", "exec", self._far, *apart, "sh", "-euc", BOOT, "boot", str(self.state), NAME],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._running.stderr
        _read_until(LISTENS, self._running.stderr)

    def options(self) -> list[str]:
        """Return the options for ssh that trust this host's key alone and leave the user's own settings out."""
        settings = {
            "UserKnownHostsFile": str(self.known_hosts),
            "GlobalKnownHostsFile": "none",
            "StrictHostKeyChecking": "yes",
            "IdentitiesOnly": "yes",
            "ControlPath": "none",
            "ConnectTimeout": "10",
        }
        return ["-F", "none", *(word for key, value in settings.items() for word in ("-o", f"{key}={value}"))]

    def near(self, *command: str) -> list[str]:
        """Return the command line that runs ``command`` where the host can be reached."""
        return ["ip", "netns", "exec", self._near, *command]

    def ask(self, command: str) -> Said:
        """Run a command on the host, over ssh as root with the key."""
        return self._ssh(["-i", str(self.login_key), "-o", "BatchMode=yes"], command, {})

    def accepts(self, password: Path) -> bool:
        """Return whether root may log in with the password in a file, and nothing but it."""
        teller = self.state / "askpass"
        teller.write_text('#!/bin/sh\ncat "$ASR_TEST_PASSWORD_FILE"\n')
        teller.chmod(0o700)
        only = ["-o", "PreferredAuthentications=password", "-o", "NumberOfPasswordPrompts=1"]
        told = {
            "SSH_ASKPASS": str(teller),
            "SSH_ASKPASS_REQUIRE": "force",
            "ASR_TEST_PASSWORD_FILE": str(password),
        }
        said = self._ssh(only, "id -un", told)
        assert said.code == 0 or "Permission denied" in said.stderr, said.stderr
        return (said.code, said.stdout.strip()) == (0, "root")

    def _ssh(self, options: list[str], command: str, told: dict[str, str]) -> Said:
        done = subprocess.run(
            self.near("ssh", *self.options(), *options, f"root@{ADDRESS}", command),
            env={"PATH": os.environ["PATH"]} | told,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        return Said(done.returncode, done.stdout, done.stderr)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"


def _read_until(wanted: re.Pattern[str], output: IO[str]) -> None:
    said = []
    for line in output:
        said.append(line)
        if wanted.match(line):
            return
    raise AssertionError(f"the host did not start: {''.join(said)}")
