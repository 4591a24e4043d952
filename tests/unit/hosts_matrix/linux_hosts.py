"""Simulated Linux hosts of every supported distribution, with the product's own eyes and hands on them."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from asr_lab.aws.estate import Machine, load
from asr_lab.hosts.linux.flavour import Flavour, flavours
from asr_lab.hosts.linux.host import LinuxHost
from asr_migrate.hosts.linux import LinuxSource
from asr_migrate.hosts.plan import Answer, Exchange, Plan, Reading
from asr_migrate.hosts.want import SourceWant

#: Amazon Linux cannot be migrated, and the paravirtual RHEL 6.7 is the same system as the other one.
FLAVOURS = tuple(key for key in flavours() if key not in ("amazon-linux-2", "rhel-6.7-pv"))
APPLIANCE = "10.20.0.10"
ROOT_PASSWORD = "Root-Password-1"


class Alone:
    """A machine with nothing around it that answers (``Uplink``)."""

    def register_mobility(self, *_: object) -> None:
        raise AssertionError("nothing is registered here")

    def connects(self, *_: object) -> bool:
        return False

    def powered_on(self, address: str) -> bool:
        return bool(address)


@dataclass
class Seat:
    """One host of a flavour, and what the product says and does about it."""

    key: str
    directory: Path
    host: LinuxHost = field(init=False)

    def __post_init__(self) -> None:
        self.host = LinuxHost(
            machine_of(self.key),
            self.directory / self.key,
            Alone(),
            authorized_key="ssh-rsa AAAA",
            root_password=ROOT_PASSWORD,
        )

    @property
    def flavour(self) -> Flavour:
        """What the host is made of."""
        return self.host.flavour

    def boot(self) -> None:
        """Wait until the host runs; its appliance's port 443 answers."""
        self.host.finish()
        self.host.sandbox.open_ports([(APPLIANCE, 443)])

    def source(self, want: dict[str, Any]) -> LinuxSource:
        """Return the product's profile for this host."""
        return LinuxSource(SourceWant.of({"root_password": ROOT_PASSWORD, **want}), self.host.machine.name)

    def send(self, exchange: Exchange, user: str = "root") -> Answer:
        """Send one round trip of the product to the host; the test fails when it tells of an error."""
        sent = datetime.now(UTC)
        done = self.host.sandbox.run(exchange.command, user=user, stdin=exchange.stdin or b"")
        out, errors = (text.decode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr))
        answer = Answer(out, errors, done.returncode, sent, datetime.now(UTC))
        error = exchange.judge(answer)
        assert error is None, f"{self.key}: {error}"
        return answer

    def ended(self, exchange: Exchange) -> bool:
        """Send a round trip, and return whether it came to its good end on the host."""
        done = self.host.sandbox.run(exchange.command, stdin=exchange.stdin or b"")
        now = datetime.now(UTC)
        return exchange.judge(Answer(done.stdout.decode(), done.stderr.decode(), done.returncode, now, now)) is None

    def reading(self, source: LinuxSource, user: str = "root") -> Reading:
        """Probe the host."""
        return source.read(self.send(source.probe(), user))

    def plan(self, want: dict[str, Any], user: str = "root") -> Plan:
        """Return what the product says of the host as it is now."""
        source = self.source(want)
        return source.plan(self.reading(source, user))

    def findings(self, want: dict[str, Any], user: str = "root") -> dict[str, str]:
        """Return the findings about the host as it is now: severity by rule."""
        return {finding.rule: str(finding.severity) for finding in self.plan(want, user).findings}


def machine_of(key: str) -> Machine:
    """Return a machine with two Xen disks for a flavour; one with an EFI partition boots by UEFI."""
    model = next(machine for machine in load().linux if machine.name == "db-rhel67")
    firmware = "uefi-preferred" if "/boot/efi" in flavours()[key].mounts else "legacy-bios"
    return replace(model, name="m-" + key.replace(".", "-"), image=replace(model.image, key=key, boot_mode=firmware))


class Fingers:
    """Changes a host from outside, and remembers in ``undo`` how to take each change back."""

    def __init__(self, host: LinuxHost, undo: ExitStack) -> None:
        self.host = host
        self._undo = undo

    @property
    def flavour(self) -> Flavour:
        """What the host is made of."""
        return self.host.flavour

    def read(self, path: str) -> str:
        """Return the text of a file."""
        return self.host.sandbox.path(path).read_text()

    def exists(self, path: str) -> bool:
        """Whether a file or a link is there."""
        place = self.host.sandbox.path(path)
        return place.is_symlink() or place.exists()

    def write(self, path: str, text: str) -> None:
        """Give a file another content, in place; folders that are missing on the way are made."""
        place = self._remember(path)
        self._make_folders(place.parent)
        place.write_text(text)

    def edit(self, path: str, pattern: str, text: str) -> None:
        """Replace the first match of a regular expression in a file; there must be one."""
        old = self.read(path)
        new = re.sub(pattern, text, old, count=1, flags=re.MULTILINE)
        assert new != old, f"{path}: {pattern} is not there"
        self.write(path, new)

    def append(self, path: str, text: str) -> None:
        """Add text to the end of a file."""
        self.write(path, self.read(path) + text)

    def prepend(self, path: str, text: str) -> None:
        """Put text before what a file holds."""
        self.write(path, text + self.read(path))

    def remove(self, *paths: str) -> None:
        """Remove files and links, those that are there."""
        for path in paths:
            if self.exists(path):
                self._remember(path).unlink()

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link."""
        place = self._remember(path)
        self._make_folders(place.parent)
        place.symlink_to(target)

    def run(self, command: str, mend: str) -> None:
        """Run a command as root, and ``mend`` to take it back."""
        self._undo.callback(self._run, mend)
        self._run(command)

    def close_ports(self) -> None:
        """Let no port of the appliance answer."""
        self._undo.callback(self.host.sandbox.open_ports, [(APPLIANCE, 443)])
        self.host.sandbox.open_ports([])

    def _run(self, command: str) -> None:
        done = self.host.sandbox.run(command)
        assert done.returncode == 0, f"{command}: {done.stderr.decode()}"

    def _make_folders(self, place: Path) -> None:
        if not place.is_dir():
            self._make_folders(place.parent)
            place.mkdir()
            self._undo.callback(place.rmdir)

    def _remember(self, path: str) -> Path:
        place = self.host.sandbox.path(path)
        if place.is_symlink():
            self._undo.callback(_relink, place, place.readlink())
        elif place.exists():
            self._undo.callback(_rewrite, place, place.read_bytes(), place.stat().st_mode & 0o7777)
        else:
            self._make_folders(place.parent)
            self._undo.callback(place.unlink, missing_ok=True)
        return place


def _relink(place: Path, target: Path) -> None:
    place.unlink(missing_ok=True)
    place.symlink_to(target)


def _rewrite(place: Path, content: bytes, mode: int) -> None:
    place.write_bytes(content)
    place.chmod(mode)


#: Puts a file in place as mv does, and kills every shell of the host at the given call, before or after the move.
DEADLY_MV = """#!/bin/sh
moves=$(($(cat /run/lab/moves 2>/dev/null || echo 0) + 1))
echo $moves >/run/lab/moves
die() {
    [ "$moves" = @CALL@ ] || return 0
    for process in /proc/[0-9]*; do
        read -r name <"$process/comm"
        case $name in sh | bash | dash) kill -9 "${process#/proc/}" ;; esac
    done
    exit 1
}
[ @MOMENT@ = after ] || die
/.machine/usr/bin/mv "$@"
die
"""


@contextmanager
def mortal_shells(host: LinuxHost, call: int, moment: str) -> Iterator[None]:
    """Let every shell of the host be killed ``before`` or ``after`` the file of this ``call`` is put in place."""
    script = DEADLY_MV.replace("@CALL@", str(call)).replace("@MOMENT@", moment)
    host.sandbox.write("/usr/local/sbin/mv", script, 0o755)
    yield
    for file in ("/usr/local/sbin/mv", "/run/lab/moves"):
        host.sandbox.path(file).unlink(missing_ok=True)


#: Everything that preparation may touch: kind, mode, owner, name and target of each entry, content, SELinux contexts,
#: and the settings that sshd works with.
PICTURE = """
find /etc /root /boot -printf '%y %m %U %G %p %l\\n' | sort
find /etc /root /boot -type f -exec sha256sum {} + | sort -k 2
if [ -e /var/lib/lab/contexts ]; then find /etc /root /boot -type f -exec ls -Z {} + | sort -k 2; fi
cat /run/lab/sshd_effective
sshd -T
"""


def picture(host: LinuxHost) -> list[str]:
    """Return the state of a host, a line for each fact."""
    done = host.sandbox.run(PICTURE)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().splitlines()
