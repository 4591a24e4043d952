"""The Mobility service packages for Linux: tar.gz files with the names, options and exit codes of Microsoft's."""

import gzip
import hashlib
import io
import tarfile
from importlib import resources
from pathlib import Path

VERSION = "9.59.0.0"
RELEASED = "15Mar2024"
#: What a mirror holds: the last version of the classic architecture, and two of the modernized one.
MIRRORED = (VERSION, "9.62.0.0", "9.66.0.0")
# By the <OS> tag of the file name: DHCP clients, one of which the prerequisite check wants (by its documentation).
DHCP_CLIENT = {
    "RHEL6-64": "dhclient",
    "RHEL7-64": "dhclient",
    "RHEL8-64": "dhcp-client",
    "RHEL9-64": "dhcp-client NetworkManager",
    "RHEL10-64": "NetworkManager",
    "OL6-64": "dhclient",
    "OL7-64": "dhclient",
    "OL8-64": "dhcp-client",
    "OL9-64": "dhcp-client NetworkManager",
    "SLES11-SP4-64": "dhcpcd",
    "SLES12-64": "dhcp-client",
    "SLES15-64": "wicked",
    "UBUNTU-14.04-64": "isc-dhcp-client",
    "UBUNTU-16.04-64": "isc-dhcp-client",
    "UBUNTU-18.04-64": "isc-dhcp-client",
    "UBUNTU-20.04-64": "isc-dhcp-client",
    "UBUNTU-22.04-64": "isc-dhcp-client",
    "UBUNTU-24.04-64": "isc-dhcp-client dhcpcd-base",
    "DEBIAN8-64": "isc-dhcp-client",
    "DEBIAN9-64": "isc-dhcp-client",
    "DEBIAN10-64": "isc-dhcp-client",
    "DEBIAN11-64": "isc-dhcp-client",
    "DEBIAN12-64": "isc-dhcp-client",
}
# What the kernels of a distribution look like, as patterns of the shell; a package has drivers for these only.
_RED_HAT = {
    "6": "2.6.32-*.el6*",
    "7": "3.10.0-*.el7*",
    "8": "4.18.0-*.el8*",
    "9": "5.14.0-*.el9*",
    "10": "6.12.0-*.el10*",
}
_ORACLE = {"6": "*.el6uek*", "7": "*.el7uek*", "8": "*.el8uek*", "9": "*.el9uek*"}
MEMBERS = {
    "install": "install.sh",
    "UnifiedAgentConfigurator.sh": "UnifiedAgentConfigurator.sh",
    "AzureRcmCli": "AzureRcmCli.sh",
    "vxagent": "vxagent.sh",
    "uninstall.sh": "uninstall.sh",
    "Third-Party_Notices.txt": "Third-Party_Notices.txt",
}


def file_name(os_tag: str, version: str = VERSION) -> str:
    """Return the package's file name for an operating system tag such as ``RHEL8-64``."""
    return f"Microsoft-ASR_UA_{version}_{os_tag}_GA_{RELEASED}_release.tar.gz"


def kernels(os_tag: str) -> str:
    """Return the patterns of the kernels that a package supports, joined for a ``case`` of the shell."""
    name, _, release = os_tag.removesuffix("-64").partition("-")
    family, major = name.rstrip("0123456789"), name.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    if family == "RHEL":
        return _RED_HAT[major]
    if family == "OL":
        return f"{_RED_HAT[major]} | {_ORACLE[major]}"
    if family == "SLES":
        return "*-default"
    return "*-generic | *-azure | *-aws" if family == "UBUNTU" and release else "*-amd64"


def default_architecture(version: str) -> str:
    """Return what the installer takes without ``-c``: from 9.55 on modernized; before there was no such option."""
    major, minor = (int(part) for part in version.split(".")[:2])
    return "CSPrime" if (major, minor) >= (9, 55) else "CSLegacy"


def write_all(directory: Path) -> None:
    """Write every package; the bytes are the same each time."""
    for os_tag in DHCP_CLIENT:
        for version in MIRRORED:
            (directory / file_name(os_tag, version)).write_bytes(package(os_tag, version))


def write_checksums(directory: Path) -> None:
    """Write SHA256SUMS of every file of the directory, in the format of sha256sum(1)."""
    files = sorted(path for path in directory.iterdir() if path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (directory / "SHA256SUMS").write_text("".join(lines), "utf-8")


def package(os_tag: str, version: str = VERSION, *, without: str = "") -> bytes:
    """Return the tar.gz for one operating system tag; ``without`` leaves one member out, as a broken download would."""
    packed = io.BytesIO()
    values = {
        "@VERSION@": version,
        "@OS@": os_tag,
        "@DHCP@": DHCP_CLIENT[os_tag],
        "@KERNELS@": kernels(os_tag),
        "@DEFAULT@": default_architecture(version),
    }
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for name, source in MEMBERS.items():
            if name == without:
                continue
            text = resources.files(__package__).joinpath(source).read_text("utf-8")
            for field, value in values.items():
                text = text.replace(field, value)
            member = tarfile.TarInfo(name)
            member.mode = 0o755
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()
