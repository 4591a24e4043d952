"""What a probe of a Linux host says, as facts of a machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asr_migrate.hosts import linux_script
from asr_migrate.hosts.checks import clock_skew_s
from asr_migrate.hosts.linux_mobility import mobility_state
from asr_migrate.hosts.mobility import MobilityState
from asr_migrate.hosts.plan import Answer

#: Names of distributions as the support matrix writes them, by os-release's ID.
DISTRIBUTIONS = {
    "rhel": "Red Hat Enterprise Linux",
    "centos": "CentOS",
    "ol": "Oracle Linux",
    "rocky": "Rocky Linux",
    "almalinux": "AlmaLinux",
    "amzn": "Amazon Linux",
    "ubuntu": "Ubuntu",
    "debian": "Debian",
    "sles": "SUSE Linux Enterprise Server",
}
#: Their release file names the minor version, which their os-release may leave out.
TOLD_BY_RELEASE_FILE = ("", "rhel", "centos", "ol", "rocky", "almalinux")
MACHINES_64 = ("x86_64", "aarch64", "ppc64le", "s390x")

_RELEASE_FILE = re.compile(r"^(?P<name>.*?)(?: Server| Client| Workstation)? release (?P<version>\d[\d.]*)")
_CENTOS = re.compile(r"^CentOS Linux$")


@dataclass(frozen=True)
class LinuxFacts:
    """What is known of a Linux source.

    ``root_password`` is ``wanted``, ``other`` or ``none``; ``sshd`` its settings in effect.
    """

    os_name: str
    bits: int
    kernel: str
    host_name: str
    addresses: tuple[str, ...]
    named_addresses: frozenset[str]
    utc: str | None
    skew_s: float | None
    time_service: str
    virtualization: str | None
    storage_interface: str | None
    disks: tuple[str, ...]
    firmware: str | None
    free_kib: Mapping[str, int]
    sshd: Mapping[str, str]
    sshd_present: bool
    sftp_server: str
    root_password: str
    mounts_by_name: tuple[str, ...]
    python: str
    dhcp_client: str
    mobility: MobilityState
    reached: Mapping[tuple[str, int], bool | None]

    def as_dict(self) -> dict[str, Any]:
        """Return the facts for a result; sizes in GiB."""
        return {
            "os": "linux",
            "os_name": self.os_name,
            "bits": self.bits,
            "kernel": self.kernel,
            "host_name": self.host_name,
            "addresses": list(self.addresses),
            "utc": self.utc,
            "clock_skew_s": self.skew_s,
            "time_service": self.time_service or None,
            "virtualization": self.virtualization,
            "storage_interface": self.storage_interface,
            "disk_names": list(self.disks),
            "firmware": self.firmware,
            "pv_driver": None,
            "free_gib": {directory: round(free / 2**20, 2) for directory, free in self.free_kib.items()},
            "sshd": dict(self.sshd),
            "python": self.python or None,
            "dhcp_client": self.dhcp_client or None,
            "mobility": self.mobility.as_dict(),
            "reached": {f"{address}:{port}": answered for (address, port), answered in self.reached.items()},
        }


def read(answer: Answer, targets: tuple[tuple[str, int], ...]) -> LinuxFacts:
    """Return the facts of a probe; SetupError when it did not reach its end."""
    found = linux_script.lines(answer)
    if not found["end"]:
        raise linux_script.unreadable(answer)
    host_utc = utc(found.first("utc"))
    answers = {"open": True, "closed": False}
    disks = tuple(found["disk"])
    return LinuxFacts(
        os_name=os_name(found),
        bits=64 if found.first("machine") in MACHINES_64 else 32,
        kernel=found.first("kernel"),
        host_name=found.first("host_name"),
        addresses=tuple(dict.fromkeys(found["address"])),
        named_addresses=frozenset(found["hosts_address"]),
        utc=host_utc.isoformat() if host_utc else None,
        skew_s=clock_skew_s(host_utc, answer.sent, answer.received, resolution_s=1.0) if host_utc else None,
        time_service=found.first("time_service").strip("()"),
        virtualization=virtualization(found.first("hypervisor")),
        storage_interface=storage_interface(disks),
        disks=disks,
        firmware=found.first("firmware") or None,
        free_kib={
            key.removeprefix("free_kib "): int(values[0])
            for key, values in found.items()
            if key.startswith("free_kib ") and values[0].isdigit()
        },
        sshd={key: found.first(f"sshd_{key}") for key in ("permitrootlogin", "passwordauthentication", "sftp", "port")},
        sshd_present=bool(found["sshd_config"]),
        sftp_server=found.first("sftp_server"),
        root_password=found.first("root_password") or "none",
        mounts_by_name=tuple(found["fstab_by_name"]),
        python=found.first("python"),
        dhcp_client=found.first("dhcp_client"),
        mobility=mobility_state(found),
        reached={(a, p): answers.get(found.first(f"reach {a} {p}")) for a, p in targets},
    )


def utc(text: str) -> datetime | None:
    """Return the host's time, printed to the second; None when it is none."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def os_name(found: linux_script.Lines) -> str:
    """Return distribution and version as the support matrix writes them, such as ``Red Hat Enterprise Linux 6.7``."""
    identity, release = found.first("os_id"), _RELEASE_FILE.match(found.first("os_release"))
    if release and identity in TOLD_BY_RELEASE_FILE:
        name = DISTRIBUTIONS.get(identity) or _CENTOS.sub("CentOS", release.group("name"))
        return f"{name} {release.group('version')}"
    name = DISTRIBUTIONS.get(identity) or found.first("os_distribution") or found.first("os_release")
    return f"{name} {found.first('os_version')}".strip()


def virtualization(hypervisor: str) -> str | None:
    """Return ``hvm`` or ``paravirtual`` for a Xen guest that tells.

    None otherwise (EC2's own answer is asked first).
    """
    kind, _, guest = hypervisor.partition(" ")
    if kind != "xen":
        return None
    return {"hvm": "hvm", "pvhvm": "hvm", "pv": "paravirtual"}.get(guest.strip().lower())


def storage_interface(disks: tuple[str, ...]) -> str | None:
    """Return ``nvme`` or ``xen`` by the names of the disks; None for any other."""
    for prefix, interface in (("nvme", "nvme"), ("xvd", "xen")):
        if any(disk.startswith(prefix) for disk in disks):
            return interface
    return None
