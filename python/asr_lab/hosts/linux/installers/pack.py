"""The Mobility service packages for Linux: tar.gz files with the names, options and exit codes of Microsoft's."""

import gzip
import hashlib
import io
import tarfile
from importlib import resources
from pathlib import Path

VERSION = "9.59.0.0"
RELEASED = "15Mar2024"
# By the <OS> tag of the file name: the DHCP client that the prerequisite check wants (Site Recovery documentation).
DHCP_CLIENT = {"RHEL6-64": "dhclient", "RHEL8-64": "dhcp-client", "UBUNTU-22.04-64": "isc-dhcp-client"}
MEMBERS = {
    "install": "install.sh",
    "UnifiedAgentConfigurator.sh": "UnifiedAgentConfigurator.sh",
    "vxagent": "vxagent.sh",
    "uninstall.sh": "uninstall.sh",
}


def file_name(os_tag: str) -> str:
    """Return the package's file name for an operating system tag such as ``RHEL8-64``."""
    return f"Microsoft-ASR_UA_{VERSION}_{os_tag}_GA_{RELEASED}_release.tar.gz"


def write_all(directory: Path) -> None:
    """Write every package; the bytes are the same each time."""
    for os_tag in DHCP_CLIENT:
        (directory / file_name(os_tag)).write_bytes(package(os_tag))


def write_checksums(directory: Path) -> None:
    """Write SHA256SUMS of every file of the directory, in the format of sha256sum(1)."""
    files = sorted(path for path in directory.iterdir() if path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (directory / "SHA256SUMS").write_text("".join(lines), "utf-8")


def package(os_tag: str) -> bytes:
    """Return the tar.gz for one operating system tag."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for name, source in MEMBERS.items():
            text = resources.files(__package__).joinpath(source).read_text("utf-8")
            text = text.replace("@VERSION@", VERSION).replace("@OS@", os_tag).replace("@DHCP@", DHCP_CLIENT[os_tag])
            member = tarfile.TarInfo(name)
            member.mode = 0o755
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()
