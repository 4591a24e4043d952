"""A Linux machine that is to be replicated: what stands in the way, and what is changed.

Its facts are read in ``linux_facts``.
"""

from __future__ import annotations

from typing import Any

from asr_migrate.domain.errors import AsrMigrateError, InputError, SetupError
from asr_migrate.domain.readiness_rule import Finding
from asr_migrate.hosts import checks, linux_facts, linux_script
from asr_migrate.hosts.linux_facts import LinuxFacts
from asr_migrate.hosts.linux_mobility import LinuxMobility
from asr_migrate.hosts.plan import Answer, Change, Exchange, Plan, Reading, blocker, warning
from asr_migrate.hosts.sha512_crypt import salt_for, sha512_crypt
from asr_migrate.hosts.want import SourceWant, TimeService

#: KiB that must be free on / for a push, and for an installation by hand; and in the installation's directory.
PUSH_ROOT_KIB = 2 * 2**20
INSTALL_ROOT_KIB = 2**20
INSTALL_DIRECTORY_KIB = 600 * 2**10
SSH_PORT = "22"

_PUSH = "Site Recovery documentation, prerequisites for push installation on Linux"
_CHECKS = "Site Recovery documentation, prerequisite checks on Linux"


class LinuxSource:
    """The profile ``source`` on Linux. ``name`` is the inventory's name; it goes into the salt of root's password."""

    def __init__(self, want: SourceWant, name: str) -> None:
        self._want = want
        self._mobility = LinuxMobility(want.mobility)
        self._root_field = self._hashed(name)
        self.settle_s = 600.0

    @property
    def secrets(self) -> tuple[str, ...]:
        return (*self._mobility.secrets, self._want.root_password.get_secret_value(), self._root_field)

    def _hashed(self, name: str) -> str:
        password = self._want.root_password.get_secret_value()
        return sha512_crypt(password, salt_for(name, password)) if self._want.push and password else ""

    def probe(self) -> Exchange:
        targets = " ".join(f"{address} {port}" for address, port in self._want.reach)
        script = linux_script.script("probe", want_reach=targets, want_root_field=self._root_field)
        return Exchange("probe", linux_script.SHELL, script.encode())

    def read(self, answer: Answer) -> Reading:
        seen = linux_facts.read(answer, self._want.reach)
        return Reading(seen.as_dict(), seen)

    def plan(self, reading: Reading) -> Plan:
        seen = reading.of(LinuxFacts)
        changes, script, prior = self._host_changes(seen)
        exchanges = [self._apply(script)] if script else []
        mobility_changes, mobility_exchanges = self._mobility.steps(seen.mobility)
        return Plan(
            findings=(*self._findings(seen), *self._mobility.findings(seen.host_name, seen.mobility)),
            changes=(*changes, *mobility_changes),
            exchanges=(*exchanges, *mobility_exchanges),
            cleanup=self._mobility.cleanup() if mobility_exchanges else None,
            missing=(*self._missing(), *(self._mobility.missing() if mobility_exchanges else ())),
            prior=prior,
        )

    def _findings(self, seen: LinuxFacts) -> list[Finding]:
        daemon = f"{seen.time_service} runs" if seen.time_service else "no ntpd, chronyd or systemd-timesyncd runs"
        remedy = f"Set the clock and keep it with chrony or ntp (on this host {daemon})."
        findings = checks.clock_findings(seen.host_name, seen.skew_s, self._want.time, remedy)
        findings += checks.reach_findings(seen.host_name, seen.reached)
        if self._want.time_service is TimeService.REQUIRED and not seen.time_service:
            findings.append(
                blocker(
                    "linux.time-service",
                    f"{seen.host_name} keeps its clock with no time service: {daemon}",
                    "Install and start chrony or ntp.",
                    _CHECKS,
                )
            )
        return findings + self._space(seen) + self._system(seen) + (self._push(seen) if self._want.push else [])

    def _space(self, seen: LinuxFacts) -> list[Finding]:
        findings = []
        wanted = {}
        if self._want.push:
            wanted = {"/": PUSH_ROOT_KIB, "/usr/local": INSTALL_DIRECTORY_KIB}
        elif self._want.mobility.wanted and not seen.mobility.installed:
            wanted = {"/": INSTALL_ROOT_KIB, "/usr/local": INSTALL_DIRECTORY_KIB}
        for directory, least in wanted.items():
            free = seen.free_kib.get(directory)
            if free is not None and free < least:
                findings.append(
                    blocker(
                        "linux.free-space",
                        f"{seen.host_name} has {free // 1024} MiB free on {directory}; {least // 1024} MiB are "
                        "needed (95524)",
                        f"Free {(least - free) // 1024 + 1} MiB on {directory}.",
                        _PUSH if self._want.push else _CHECKS,
                    )
                )
        return findings

    def _system(self, seen: LinuxFacts) -> list[Finding]:
        findings = []
        if seen.host_name.split(".")[0] in ("", "localhost", "(none)"):
            findings.append(
                blocker(
                    "linux.host-name",
                    f"the host name is {seen.host_name or 'empty'!r}; the Mobility service registers by it",
                    "Give the host a name of its own (hostnamectl set-hostname, or /etc/sysconfig/network).",
                    _CHECKS,
                )
            )
        if seen.mounts_by_name:
            findings.append(
                warning(
                    "linux.fstab",
                    f"/etc/fstab of {seen.host_name} mounts by device name ({', '.join(seen.mounts_by_name)}); "
                    "Azure names disks anew",
                    "Write UUID=... in /etc/fstab and in GRUB's root= (see blkid).",
                    "Site Recovery documentation, before a failover of Linux",
                )
            )
        if not seen.python:
            findings.append(
                warning(
                    "linux.python",
                    f"{seen.host_name} has no Python; the Azure guest agent, which needs 2.6 or newer, is not "
                    "installed at failover",
                    "Install the distribution's python package, or do without the guest agent.",
                    _PUSH,
                )
            )
        if not seen.dhcp_client:
            findings.append(
                warning(
                    "linux.dhcp-client",
                    f"{seen.host_name} has no DHCP client; the Azure VM gets its address by DHCP",
                    "Install dhclient (SLES: wicked).",
                    _CHECKS,
                )
            )
        return findings

    def _push(self, seen: LinuxFacts) -> list[Finding]:
        findings = []
        if not seen.sshd_present:
            findings.append(
                blocker(
                    "linux.sshd",
                    f"{seen.host_name} has no /etc/ssh/sshd_config; the push needs an SSH server",
                    "Install openssh-server.",
                    _PUSH,
                )
            )
        if seen.sshd.get("port") not in ("", None, SSH_PORT):
            findings.append(
                blocker(
                    "linux.ssh-port",
                    f"sshd of {seen.host_name} listens on port {seen.sshd['port']}; the push uses {SSH_PORT}",
                    f"Let sshd listen on port {SSH_PORT} as well until the machine is replicated.",
                    _PUSH,
                )
            )
        return findings

    def _missing(self) -> list[AsrMigrateError]:
        password = self._want.root_password.get_secret_value()
        if not self._want.push or (password and password.isprintable()):
            return []
        problem = "is needed for the push" if not password else "must be of printable characters"
        remedy = (
            "Give root_password from a vault or a secret file; the same password goes into the appliance's credentials."
        )
        return [InputError("want root_password", None, problem, remedy=remedy)]

    def _host_changes(self, seen: LinuxFacts) -> tuple[list[Change], str, dict[str, Any]]:
        """Return the changes, the script that makes them (empty: nothing to do), and the values from before."""
        changes: list[Change] = []
        calls = ""
        prior: dict[str, Any] = {}
        if self._want.push and seen.sshd_present:
            wanted, lines = self._sshd(seen)
            changes += wanted
            if wanted:
                prior["sshd"] = dict(seen.sshd)
                calls += linux_script.run_change("sshd", "change_sshd", lines)
        if self._want.push and seen.root_password != "wanted":
            changes.append(
                Change("root's password", {"none": "not set"}.get(seen.root_password, "another"), "as given")
            )
            prior["root_password"] = seen.root_password
            calls += linux_script.run_change("root's password", "change_root_password", f"root:{self._root_field}\n")
        if self._want.hosts_file:
            unnamed = [a for a in seen.addresses or self._want.addresses if a not in seen.named_addresses]
            changes += [Change(f"/etc/hosts {address}", None, seen.host_name) for address in unnamed]
            if unnamed:
                prior["hosts_file"] = {"added": unnamed}
                lines = "".join(f"{address}\t{seen.host_name}\n" for address in unnamed)
                calls += linux_script.run_change("/etc/hosts", "change_hosts_file", lines)
        return changes, linux_script.script("changes") + calls if calls else "", prior

    def _sshd(self, seen: LinuxFacts) -> tuple[list[Change], str]:
        """Return the changes of sshd's settings and the block that goes before all others: the first value wins."""
        wanted = {"PermitRootLogin": "yes", "PasswordAuthentication": "yes"}
        changes = [
            Change(f"sshd {keyword}", seen.sshd.get(keyword.lower()) or None, value)
            for keyword, value in wanted.items()
            if seen.sshd.get(keyword.lower(), "").lower() != value
        ]
        lines = "".join(f"{keyword} {value}\n" for keyword, value in wanted.items())
        if not seen.sshd.get("sftp"):
            server = seen.sftp_server or "internal-sftp"
            changes.append(Change("sshd Subsystem sftp", None, server))
            lines += f"Subsystem sftp {server}\n"
        return changes, lines

    def _apply(self, script: str) -> Exchange:
        return Exchange("change", linux_script.SHELL, script.encode(), judge=judge_changes)


def judge_changes(answer: Answer) -> AsrMigrateError | None:
    """Return the error of the first change that failed."""
    found = linux_script.lines(answer)
    codes = linux_script.exit_codes(found)
    for name, code in codes.items():
        if code:
            said = " ".join(found["say"])[:300] or "it said nothing"
            return SetupError(
                f"changing {name} failed with exit code {code}: {said}",
                code="HostChangeFailed",
                cause="The host refused the change; a read-only file system or missing rights are the usual reasons.",
                remedy="Make the change on the host as root to see why, then run the playbook again.",
            )
    return None if codes else linux_script.unreadable(answer)
