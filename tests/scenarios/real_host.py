"""A real Debian with a real OpenSSH server for a story: this machine's own files in namespaces, changes in memory.

Nothing of the machine itself changes: the host has its root, name, processes and network for itself, and its cable
ends in a second network namespace, from which the story connects. All of it ends with one process.

What a root in memory has not is laid over: a disk with a partition, the kernel's modules, a package lvm2.
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
#: Makes the host's root and becomes its first process. Arguments: a directory with its keys, files for its /etc
#: (``etc``) and globs of what it must not have (``gone``); its name; the kind of its host key.
#: The root is as big as a push of the Mobility service asks for; memory is used only for what is written.
BOOT = """
keys=$1 name=$2 kind=$3
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
mount -t tmpfs -o mode=700 tmpfs root
for device in null zero full random urandom tty; do
    : >"dev/$device"
    mount --bind "/dev/$device" "dev/$device"
done
ln -s /proc/self/fd dev/fd
mkdir -p run/sshd run/before
mkdir -m 700 root/.ssh
install -m 600 "$keys/login.pub" root/.ssh/authorized_keys
rm -f etc/ssh/ssh_host_* etc/ssh/sshd_config.d/* etc/resolv.conf
install -m 600 "$keys/host" "etc/ssh/ssh_host_${kind}_key"
install -m 644 "$keys/host.pub" "etc/ssh/ssh_host_${kind}_key.pub"
printf 'PermitRootLogin prohibit-password\\nPasswordAuthentication no\\n' >etc/ssh/sshd_config.d/50-cloud-init.conf
printf '127.0.0.1\\tlocalhost\\n' >etc/hosts
printf 'UUID=6f2d3c7a-2b9e-4a51-8f50-5c1f1a6f0e11 / ext4 defaults 0 1\\n' >etc/fstab
cp -r "$keys/etc/." etc
while read -r gone; do rm -f $gone; done <"$keys/gone"

mkdir -p "lib/modules/$(uname -r)"
mount -t tmpfs tmpfs sys/class/block
mkdir -p sys/class/block/sda/sda1/slaves sys/class/block/sda/slaves
echo 1 >sys/class/block/sda/sda1/partition
ln -s sda/sda1 sys/class/block/sda1
printf '#!/bin/sh\\necho "/ /dev/sda1 ext4 rw,relatime"\\n' >usr/local/sbin/findmnt
chmod 755 usr/local/sbin/findmnt
if ! chroot . dpkg -s lvm2 >/dev/null 2>&1; then
    mkdir -p tmp/lvm2/DEBIAN
    printf '%s\\n' 'Package: lvm2' 'Version: 2.03' 'Architecture: all' 'Maintainer: nobody <nobody@lab.example>' \\
        'Description: empty' >tmp/lvm2/DEBIAN/control
    dpkg-deb --build tmp/lvm2 tmp/lvm2.deb >/dev/null
    chroot . dpkg --install /tmp/lvm2.deb >/dev/null
fi

pivot_root . run/before
cd /
umount -l run/before
/usr/sbin/sshd -D -e -p 22 -f /etc/ssh/sshd_config &
wait
"""
#: What sshd is told to be one of 2013, and what today's ssh must be told to speak to it. Login keys may be signed with
#: SHA-2 as well, because this sshd says that it can, and clients believe it.
OLD_SSHD = """HostKey /etc/ssh/ssh_host_rsa_key
HostKeyAlgorithms ssh-rsa
KexAlgorithms diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1
Ciphers aes128-cbc,aes256-cbc,3des-cbc
MACs hmac-sha1
PubkeyAcceptedAlgorithms ssh-rsa,rsa-sha2-256,rsa-sha2-512
"""
OLD_SSH = {
    "HostKeyAlgorithms": "+ssh-rsa",
    "PubkeyAcceptedAlgorithms": "+ssh-rsa",
    "KexAlgorithms": "+diffie-hellman-group14-sha1",
    "Ciphers": "+aes128-cbc",
    "MACs": "+hmac-sha1",
}
#: A packet filter that lets in SSH, and answers.
FIREWALL = """table inet filter {
    chain input {
        type filter hook input priority 0; policy drop;
        ct state established,related accept
        iifname "lo" accept
        meta l4proto icmp accept
        tcp dport 22 accept
    }
}
"""
PYTHONS = ("usr/bin/python*", "usr/local/bin/python*", "usr/libexec/platform-python*")
#: Everything that preparation may touch, a line for each fact: entries with mode, owner and target, contents, settings.
PICTURE = """
find /etc /root /boot -printf '%y %m %U %G %p %l\\n' | sort
find /etc /root /boot -type f -exec sha256sum {} + | sort -k 2
/usr/sbin/sshd -T
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

    An ``old`` one has no Python, speaks the SSH of 2013 only, and has a packet filter. Raises NamespaceRefused on
    entering.
    """

    def __init__(self, state: Path, *, old: bool = False) -> None:
        self.state, self.old = state, old
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
            _run("ssh-keygen", "-q", "-t", self._kind, "-N", "", "-C", "", "-f", str(self.state / name))
        self.known_hosts.write_text(f"{ADDRESS} {(self.state / 'host.pub').read_text()}")

    @property
    def _kind(self) -> str:
        return "rsa" if self.old else "ed25519"

    def _boot(self) -> None:
        (self.state / "disk").mkdir()
        settings = self.state / "etc/ssh/sshd_config.d"
        settings.mkdir(parents=True)
        (self.state / "gone").write_text("\n".join((*(PYTHONS if self.old else ()), "")))
        if self.old:
            (settings / "10-algorithms.conf").write_text(OLD_SSHD)
            (self.state / "firewall").write_text(FIREWALL)
            _run("ip", "netns", "exec", self._far, "nft", "-f", str(self.state / "firewall"))
        apart = ["unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child"]
        self._running = subprocess.Popen(
            ["ip", "netns", "exec", self._far, *apart, "sh", "-euc", BOOT, "boot", str(self.state), NAME, self._kind],
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
        } | (OLD_SSH if self.old else {})
        return ["-F", "none", *(word for key, value in settings.items() for word in ("-o", f"{key}={value}"))]

    def near(self, *command: str) -> list[str]:
        """Return the command line that runs ``command`` where the host can be reached."""
        return ["ip", "netns", "exec", self._near, *command]

    def firewall(self) -> str:
        """Return the rules of the packet filter."""
        return _run("ip", "netns", "exec", self._far, "nft", "list", "ruleset")

    def picture(self) -> list[str]:
        """Return the state of everything that preparation may touch."""
        said = self.ask(PICTURE)
        assert said.code == 0, said.stderr
        return said.stdout.splitlines()

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


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


def _read_until(wanted: re.Pattern[str], output: IO[str]) -> None:
    said = []
    for line in output:
        said.append(line)
        if wanted.match(line):
            return
    raise AssertionError(f"the host did not start: {''.join(said)}")
