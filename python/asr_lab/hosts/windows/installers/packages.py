"""The installation files of the lab: small stand-ins with the real names, told apart by what is written in them.

A program is a text of one line that starts like a Windows executable, ``MZ asr-lab KIND VERSION``; its name does not
matter, so it may be renamed as the documentation does. The contents are the same in every run: a digest in an
inventory stays right.
"""

import io
import zipfile

VERSION = "9.59.0.0"
"""The version of every component that the lab installs."""

MODERNIZED_VERSIONS = ("9.62.0.0", "9.66.0.0")
"""Versions of the Mobility service for the modernized architecture that the mirror holds beside ``VERSION``."""


def mobility_file(version: str = VERSION) -> str:
    """Return the name of the Mobility service's installer."""
    return f"Microsoft-ASR_UA_{version}_Windows_GA_15Mar2024_release.exe"


MOBILITY_FILE = mobility_file()
LINUX_FILES = tuple(
    f"Microsoft-ASR_UA_{VERSION}_{tag}_GA_15Mar2024_release.tar.gz"
    for tag in ("RHEL6-64", "RHEL7-64", "RHEL8-64", "UBUNTU-20.04-64", "UBUNTU-22.04-64")
)
MIRROR = "https://downloads.lab.example/"
UNIFIED_SETUP_URL = "https://aka.ms/unifiedsetup"
APPLIANCE_URL = "https://aka.ms/V2ARcmApplianceCreationPowershellZip"

_MARK = "MZ asr-lab "
_SCRIPT_MARK = "# asr-lab "


def program(kind: str, version: str = VERSION) -> bytes:
    """Return the content of an executable."""
    return f"{_MARK}{kind} {version}\r\n".encode()


def script(kind: str, version: str = VERSION) -> bytes:
    """Return the content of a PowerShell script."""
    return f"{_SCRIPT_MARK}{kind} {version}\r\n".encode()


def identify(data: bytes) -> tuple[str, str] | None:
    """Return kind and version of a program of the lab, or None when it is no such program."""
    line = data[:100].decode("utf-8", errors="replace").split("\r\n", 1)[0]
    for mark in (_MARK, _SCRIPT_MARK):
        words = line.removeprefix(mark).split(" ")
        if line.startswith(mark) and len(words) == 2:
            return words[0], words[1]
    return None


def appliance_zip(folder: str = "", kind: str = "dr-installer") -> bytes:
    """Return the archive of the replication appliance: ``DRInstaller.ps1`` and the configuration manager's file.

    They stand in ``folder`` (``DRAppliance/``) or at the top; ``kind`` is what the script does.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as pack:
        for name, data in (
            ("DRInstaller.ps1", script(kind)),
            ("MicrosoftAzureApplianceConfigurationManager.msi", b"MSI\r\n"),
        ):
            entry = zipfile.ZipInfo(folder + name, date_time=(2024, 3, 15, 0, 0, 0))
            pack.writestr(entry, data)
    return stream.getvalue()


def downloads() -> dict[str, bytes]:
    """Return what the lab's internet holds for Windows hosts: address -> content."""
    mobility = {
        MIRROR + mobility_file(version): program("mobility-package", version) for version in MODERNIZED_VERSIONS
    }
    return {
        UNIFIED_SETUP_URL: program("unified-setup-package"),
        APPLIANCE_URL: appliance_zip(),
        MIRROR + MOBILITY_FILE: program("mobility-package"),
        **mobility,
    }
