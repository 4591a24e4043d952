"""A Linux host for ``make bench-hosts``, and the two ways to prepare it for the push of the Mobility service."""

from __future__ import annotations

import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.scenarios.harness import LabProcess
from tests.scenarios.real_host import ADDRESS, NAME, SSHD, NamespaceRefused, RealHost

from asr_migrate.hosts import linux_cloud
from asr_migrate.hosts.sha512_crypt import holds, salt_for, sha512_crypt

from .hosts_runs import SOURCE_HOST, Place, Runner, Way

PASSWORD = "Pa$$ '3c0w-lily\\"
PIPELINING = {"ANSIBLE_PIPELINING": "1"}
LAB_HOST, LAB_ADDRESS = "web-ubuntu22", "1.23"
#: What all ways must leave alike: all of /etc with modes, owners and contents, and the settings that sshd has. Left out
#: are the host's own keys, and the lock and the copies with a dash that the tools of shadow-utils make.
STATE = """
cd / && set -- etc -xdev ! -name "*-" ! -name .pwd.lock ! -name "ssh_host_*"
find "$@" -printf "%p %y %m %U %G %l\\n" | sort
find "$@" ! -name shadow -type f -print0 | sort -z | xargs -0 cksum
cut -d: -f1,2 /etc/shadow
/usr/sbin/sshd -T
"""


def alike(state: str) -> str:
    """Return what ``STATE`` printed with root's hash told in words: each way has its own salt for the same password."""
    lines = (line.partition(":") for line in state.splitlines(keepends=True))
    return "".join(
        f"{name}:the password given\n" if name == "root" and holds(rest.strip(), PASSWORD) else name + colon + rest
        for name, colon, rest in lines
    )


class RealDebian:
    """This machine's own Debian and OpenSSH in namespaces; needs root."""

    def __init__(self, host: RealHost, directory: Path) -> None:
        self._host = host
        # As a person's ssh does it, with connections shared between tasks (ansible.cfg).
        options = host.options()
        alone = options.index("ControlPath=none")
        del options[alone - 1 : alone + 1]
        variables = {
            "ansible_connection": "ssh",
            "ansible_host": ADDRESS,
            "ansible_user": "root",
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_private_key_file": str(host.login_key),
            "ansible_ssh_common_args": shlex.join(options),
        }
        self.runner = Runner(directory, NAME, variables, host.near())

    def state(self) -> str:
        """Return what all ways must leave alike."""
        return alike(self._host.ask(STATE).stdout)


class LabLinux:
    """An Ubuntu of the lab: namespaces of a user, with the programs of this machine and stand-ins for some."""

    def __init__(self, lab: LabProcess, directory: Path) -> None:
        keys = lab.state / "ssh"
        trust = f"-o UserKnownHostsFile={keys / 'known_hosts'} -o GlobalKnownHostsFile=/dev/null"
        variables = {
            "ansible_connection": "ssh",
            "ansible_host": f"{lab.net}.{LAB_ADDRESS}",
            "ansible_port": 2222,
            "ansible_user": "ec2-user",
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_private_key_file": str(keys / "id_ed25519"),
            "ansible_ssh_common_args": trust,
        }
        login = f"ssh -F none {trust} -i {keys / 'id_ed25519'} -p 2222 ec2-user@{lab.net}.{LAB_ADDRESS} sudo -n sh"
        self._shell = shlex.split(login)
        self.runner = Runner(directory, LAB_HOST, variables)

    def state(self) -> str:
        """Return what all ways must leave alike; of the shadow file the passwords, all that the lab's usermod minds."""
        state = STATE.replace(" ! -name .pwd.lock", " ! -name .pwd.lock ! -name shadow")
        return alike(subprocess.run(self._shell, input=state, capture_output=True, text=True, check=True).stdout)


@dataclass(frozen=True)
class Linux:
    """The host that can be had here, and the ways to prepare it; ``name`` and ``note`` are for people."""

    name: str
    note: str
    fresh: Callable[[Path], AbstractContextManager[Place]]
    ways: Sequence[Way]


def choose(lab: LabProcess) -> Linux:
    """Return a real host where this machine lets one be made, else one of the lab."""
    reason = _why_not_real()
    host = LAB_HOST if reason else NAME
    singly = [modules(host, become=bool(reason), settings=settings) for settings in (PIPELINING, None)]
    if reason:
        note = f"an Ubuntu 22.04 of the lab, over SSH with sudo ({reason})."
        return Linux("Linux host of the lab", note, partial(lab_linux, lab), [ours(), *singly])
    note = "this machine's Debian with its own OpenSSH server, PAM and shadow, in namespaces; over SSH as root."
    return Linux("Linux, real", note, real_debian, [ours(), *singly])


def _why_not_real() -> str:
    """Return why no real host can be made here, or an empty text."""
    if os.geteuid() != 0:
        return "a real host needs root"
    if not SSHD.exists() or not shutil.which("ip"):
        return f"a real host needs {SSHD} and ip"
    try:
        with tempfile.TemporaryDirectory(prefix="asr-") as files, real_debian(Path(files)):
            return ""
    except NamespaceRefused as refused:
        return f"a real host cannot be made: {refused}"


@contextmanager
def real_debian(directory: Path) -> Iterator[RealDebian]:
    """A fresh real host, gone afterwards. Raises NamespaceRefused."""
    keys = directory / "keys"
    keys.mkdir(mode=0o700)
    with RealHost(keys) as host:
        yield RealDebian(host, directory)


@contextmanager
def lab_linux(lab: LabProcess, directory: Path) -> Iterator[LabLinux]:
    """The lab's host as a fresh lab has it."""
    lab.admin("POST", "reset")
    yield LabLinux(lab, directory)


def ours() -> Way:
    """Return the one task of the collection."""
    want = {
        "push": True,
        "root_password": PASSWORD,
        "hosts_file": True,
        "time_service": "ignored",
        "reach": [],
        # A host in namespaces runs under this machine's own kernel, which need not be a distribution's.
        "kernels": [platform.release()],
    }
    options = {"profile": "source", "family": "linux", "want": want, "prior_dir": "{{ inventory_dir }}/prior"}
    return Way(SOURCE_HOST, [{"name": "Prepare the source", SOURCE_HOST: options}])


def modules(host: str, *, become: bool, settings: Mapping[str, str] | None = None) -> Way:
    """Return the same checks and changes as single tasks with Ansible's own modules."""
    name = "Ansible modules, pipelining" if settings else "Ansible modules"
    tasks = [{**task, **({"become": True} if become else {})} for task in (*_reads(), *_changes(host), *_looks_again())]
    handlers = [{**task, **({"become": True} if become else {})} for task in _handlers()]
    return Way(name, tasks, handlers, settings)


def _task(name: str, module: str, arguments: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, f"ansible.builtin.{module}": arguments, **more}


def _command(name: str, line: str, **more: Any) -> dict[str, Any]:
    return _task(name, "command", line, changed_when=False, **more)


def _reads() -> list[dict[str, Any]]:
    """Return what the probe reads. Where one module tells several things (setup, service_facts), it is asked once."""
    return [
        _task("Facts: kernel, release, addresses, disks, mounts, clock", "setup", {}),
        _task("Kernel modules", "find", {"paths": "/lib/modules", "file_type": "any"}, register="kernel_modules"),
        _task(
            "Secure Boot",
            "stat",
            {"path": "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"},
            register="secure_boot",
        ),
        _command("Run level", "runlevel", failed_when=False),
        _command("Free space", "df -Pk / /usr/local /boot", register="space", failed_when=False),
        _command("Mount points", "findmnt -rn -o TARGET,SOURCE,FSTYPE,OPTIONS", register="mounts", failed_when=False),
        _task(
            "Settings of boot loaders",
            "find",
            {
                "paths": ["/boot/grub", "/boot/grub2", "/boot/loader/entries", "/etc/default"],
                "patterns": ["grub*", "menu.lst", "*.conf"],
                "contains": ".*(root|resume)=.*",
            },
        ),
        _command("Packages", "dpkg-query -W lvm2 openssl openssh-server", failed_when=False),
        _command("Package database", "dpkg --audit"),
        _task("Firewall", "stat", {"path": "/sys/module/nf_tables"}, register="nf_tables"),
        _command("Firewall rules", "nft list ruleset", when="nf_tables.stat.exists", failed_when=False),
        _task("Older firewall", "stat", {"path": "/sys/module/iptable_filter"}, register="iptables"),
        _command("Older firewall's rules", "iptables -S", when="iptables.stat.exists", failed_when=False),
        _task("Services: sshd, time service", "service_facts", {}),
        _task("cloud-init", "stat", {"path": "/etc/cloud/cloud.cfg"}, register="cloud_init"),
        _task(
            "cloud-init's data sources",
            "find",
            {"paths": "/etc/cloud", "recurse": True, "patterns": "*.cfg", "contains": "datasource_list"},
            when="cloud_init.stat.exists",
        ),
        _task(
            "Programs",
            "shell",
            "command -v dhclient dhcpcd wicked NetworkManager udhcpc; command -v curl wget",
            changed_when=False,
            failed_when=False,
        ),
        _task("SFTP server", "stat", {"path": "/usr/lib/openssh/sftp-server"}, register="sftp"),
        _task("sshd's settings", "slurp", {"src": "/etc/ssh/sshd_config"}, register="sshd"),
        _task(
            "sshd's further settings",
            "find",
            {"paths": "/etc/ssh/sshd_config.d", "patterns": "*.conf"},
            register="included",
        ),
        _task(
            "Their contents",
            "slurp",
            {"src": "{{ item.path }}"},
            loop="{{ included.files }}",
            loop_control={"label": "{{ item.path }}"},
        ),
        _task("Hosts", "slurp", {"src": "/etc/hosts"}),
        _task("File systems", "slurp", {"src": "/etc/fstab"}, failed_when=False),
        _task("Root's password", "getent", {"database": "shadow", "key": "root"}),
        _task("What a killed run left", "find", {"paths": ["/etc", "/etc/ssh"], "patterns": "*.asr-migrate-*"}),
        _task("Mobility service", "stat", {"path": "/usr/local/.vx_version"}, register="mobility"),
        _task(
            "Judge",
            "assert",
            {
                "that": [
                    "kernel_modules.matched > 0",
                    "not secure_boot.stat.exists",
                    "ansible_architecture == 'x86_64'",
                    "ansible_hostname not in ['', 'localhost']",
                    "(ansible_date_time.epoch | int - now(utc=true).timestamp()) | abs < 900",
                    "space.stdout_lines[1].split()[3] | int > 2 * 1024 * 1024",
                    "'acpi=off' not in (ansible_cmdline | string)",
                    "sftp.stat.exists",
                ],
                "quiet": True,
            },
        ),
    ]


def _changes(host: str) -> list[dict[str, Any]]:
    marker = {"marker": "# asr-migrate: {mark}", "marker_begin": "begin", "marker_end": "end"}
    settings = "PermitRootLogin yes\nPasswordAuthentication yes\n"
    # A host of the lab has no /sys/class/net, from which setup reads.
    addresses = f"ansible_all_ipv4_addresses or {[f'10.20.{LAB_ADDRESS}']}"
    line = f"{{% for address in {addresses} %}}{{{{ address }}}}\t{{{{ ansible_nodename }}}}\n{{% endfor %}}"
    return [
        _task(
            "Name the host",
            "blockinfile",
            {"path": "/etc/hosts", "block": line, **marker},
            register="named",
        ),
        _task(
            "Keep cloud-init from EC2's metadata",
            "copy",
            {"dest": linux_cloud.DROP_IN, "content": linux_cloud.CONTENT, "mode": "0644"},
            when="cloud_init.stat.exists",
        ),
        _task(
            "Give root a password",
            "user",
            {
                "name": "root",
                "password": sha512_crypt(PASSWORD, salt_for(host, PASSWORD)),
                "update_password": "always",
            },
            register="password",
            no_log=True,
        ),
        _task(
            "Let root in with a password",
            "blockinfile",
            {
                "path": "/etc/ssh/sshd_config",
                "block": settings,
                "insertbefore": "BOF",
                "validate": "/usr/sbin/sshd -t -f %s",
                **marker,
            },
            register="let_in",
            notify="Reload sshd",
        ),
        _task("Reload now", "meta", "flush_handlers"),
    ]


def _looks_again() -> list[dict[str, Any]]:
    """Return the look at the result, as our second probe is; only after a change."""
    when = "named is changed or password is changed or let_in is changed"
    return [
        _command("sshd's settings in effect", "/usr/sbin/sshd -T", when=when),
        _task("Hosts now", "slurp", {"src": "/etc/hosts"}, when=when),
        _task("Root's password now", "getent", {"database": "shadow", "key": "root"}, when=when),
    ]


def _handlers() -> list[dict[str, Any]]:
    # As a command: no systemd runs on the host, which the service module does not notice.
    return [_task("Reload sshd", "command", "service ssh reload")]
