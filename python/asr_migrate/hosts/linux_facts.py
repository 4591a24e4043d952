"""What a probe of a Linux host says, as facts of a machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asr_migrate.hosts import linux_disks, linux_files, linux_script, linux_sshd
from asr_migrate.hosts.checks import clock_skew_s
from asr_migrate.hosts.identity import KINDS, identity
from asr_migrate.hosts.linux_disks import Storage
from asr_migrate.hosts.linux_files import HostFile
from asr_migrate.hosts.linux_mobility import mobility_state
from asr_migrate.hosts.linux_sshd import Settings
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
class Packages:
    """What the package manager says: ``kind`` ("rpm", "dpkg", empty), versions by name, and the state of its database.

    ``database`` is "consistent", what is wrong with it, or empty when it was not asked.
    """

    kind: str
    versions: Mapping[str, str]
    database: str


@dataclass(frozen=True)
class Boot:
    """How the host booted. ``grub`` holds (file, word) of the boot loader's settings.

    ``storvsc`` says whether the initial RAM disk holds Azure's disk driver ("yes", "no", "unknown"); empty for a kernel
    that has it built in or always packs it.
    """

    kernel: str
    modules: bool
    command_line: tuple[str, ...]
    storvsc: str
    secure: bool
    runlevel: str
    grub: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class LinuxFacts:
    """What is known of a Linux source. Texts are empty and tuples without a member where the host could not tell.

    ``shadow`` is root's password field and the day of its last change, None where it could not be read. ``remains`` are
    files that a killed run of ours left. ``dhcp_clients`` are all DHCP clients, by program; ``c_locale`` is None
    where the host does not list its locales; ``grub_missing`` holds (file, device) of volumes that the boot loader
    activates and that are not there; ``work_noexec`` is the mount point of our work directory when no program may
    run there.
    """

    os_name: str
    identity: Mapping[str, str]
    machine: str
    user: str
    groups: tuple[str, ...]
    host_name: str
    addresses: tuple[str, ...]
    utc: str | None
    skew_s: float | None
    time_service: str
    virtualization: str | None
    disks: tuple[str, ...]
    firmware: str | None
    free_kib: Mapping[str, int]
    boot: Boot
    storage: Storage
    packages: Packages
    firewall: tuple[str, ...]
    selinux: str
    cloud_init: bool
    sshd_program: str
    sftp_server: str
    ssh_at_boot: str
    settings: Settings
    shadow: tuple[str, str] | None
    files: Mapping[str, HostFile]
    remains: tuple[str, ...]
    python: str
    openssl: str
    dhcp_clients: tuple[str, ...]
    c_locale: bool | None
    grub_missing: tuple[tuple[str, str], ...]
    work_noexec: str
    mobility: MobilityState
    reached: Mapping[tuple[str, int], bool | None]

    @property
    def bits(self) -> int:
        """Of the processor, as the kernel uses it."""
        return 64 if self.machine in MACHINES_64 else 32

    @property
    def named_addresses(self) -> frozenset[str]:
        """The addresses for which /etc/hosts names the host."""
        file = self.files.get("/etc/hosts")
        rows = (line.partition("#")[0].split() for line in (file.content if file else "").splitlines())
        return frozenset(row[0] for row in rows if self.host_name in row[1:])

    @property
    def sshd_present(self) -> bool:
        """Whether an SSH server is there."""
        return linux_sshd.CONFIG in self.files and bool(self.sshd_program)

    def as_dict(self) -> dict[str, Any]:
        """Return the facts for a result; sizes in GiB."""
        return {
            "os": "linux",
            "os_name": self.os_name,
            "bits": self.bits,
            "kernel": self.boot.kernel,
            "host_name": self.host_name,
            "addresses": list(self.addresses),
            "utc": self.utc,
            "clock_skew_s": self.skew_s,
            "time_service": self.time_service or None,
            "virtualization": self.virtualization,
            "storage_interface": storage_interface(self.disks),
            "disk_names": list(self.disks),
            "firmware": self.firmware,
            "pv_driver": None,
            "free_gib": {directory: round(free / 2**20, 2) for directory, free in self.free_kib.items()},
            "sshd": {
                "permitrootlogin": self.settings.first("permitrootlogin"),
                "passwordauthentication": self.settings.first("passwordauthentication"),
                "sftp": self.settings.sftp,
                "ports": list(self.settings.ports),
            },
            "python": self.python or None,
            "dhcp_client": next(iter(self.dhcp_clients), None),
            "cloud_init": self.cloud_init,
            "selinux": self.selinux or None,
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
    files = linux_files.read(found)
    return LinuxFacts(
        os_name=os_name(found),
        identity=identity({kind: found.first(kind) for kind in KINDS}),
        machine=found.first("machine"),
        user=found.first("user"),
        groups=tuple(found.first("groups").split()),
        host_name=found.first("host_name"),
        addresses=tuple(dict.fromkeys(found["address"])),
        utc=host_utc.isoformat() if host_utc else None,
        skew_s=clock_skew_s(host_utc, answer.sent, answer.received, resolution_s=1.0) if host_utc else None,
        time_service=found.first("time_service").strip("()"),
        virtualization=virtualization(found.first("hypervisor")),
        disks=tuple(found["disk"]),
        firmware=found.first("firmware") or None,
        free_kib={
            key.removeprefix("free_kib "): int(values[0])
            for key, values in found.items()
            if key.startswith("free_kib ") and values[0].isdigit()
        },
        boot=_boot(found),
        storage=linux_disks.read(found),
        packages=Packages(found.first("packages"), dict(_pairs(found["package"])), found.first("package_database")),
        firewall=tuple(found["nft"] + found["iptables"]),
        selinux=(found.first("selinux_type") or "enforcing") if found.first("selinux_enforcing") == "1" else "",
        cloud_init=found["cloud_init"] == ["installed"],
        sshd_program=found.first("sshd_program"),
        sftp_server=found.first("sftp_server"),
        ssh_at_boot=found.first("ssh_at_boot"),
        settings=linux_sshd.read(files),
        shadow=(found.first("shadow_field"), found.first("shadow_changed")) if found["shadow_field"] else None,
        files=files,
        remains=tuple(found["remains"]),
        python=found.first("python"),
        openssl=found.first("openssl"),
        dhcp_clients=tuple(dict.fromkeys(value for value in found["dhcp_client"] if value)),
        c_locale={"yes": True, "no": False}.get(found.first("c_locale")),
        grub_missing=tuple(_pairs(found["grub_missing"])),
        work_noexec=found.first("work_noexec"),
        mobility=mobility_state(found),
        reached={(a, p): answers.get(found.first(f"reach {a} {p}")) for a, p in targets},
    )


def _pairs(rows: list[str]) -> list[tuple[str, str]]:
    """Return the two parts of each row."""
    return [(first, second) for first, _, second in (row.partition("\t") for row in rows)]


def _boot(found: linux_script.Lines) -> Boot:
    return Boot(
        kernel=found.first("kernel"),
        modules=found.first("kernel_modules") != "no",
        command_line=tuple(found.first("cmdline").split()),
        storvsc=found.first("initrd_storvsc"),
        secure=found.first("secure_boot") == "01",
        runlevel=found.first("runlevel"),
        grub=tuple(_pairs(found["grub"])),
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
    if identity == "debian" and re.match(r"\d", found.first("debian_version")):
        return f"{DISTRIBUTIONS[identity]} {found.first('debian_version')}"
    if not identity and found["suse_version"]:
        return f"{DISTRIBUTIONS['sles']} {found.first('suse_version')}"
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
