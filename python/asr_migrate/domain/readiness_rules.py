"""The readiness rules, as data. Each has a passing and a failing fixture in its tests.

Sources in words: "migration article" is Microsoft's article on moving AWS instances to Azure with Site Recovery,
"support matrix" is Site Recovery's for VMware and physical machines (an EC2 instance counts as a physical machine).
"""

import re
from typing import Any

from asr_migrate.domain import os_support
from asr_migrate.domain.machine import Disk, Os
from asr_migrate.domain.readiness_rule import Rule, Severity, Subject

OS_DISK_GIB = {"BIOS": 2048, "UEFI": 4095}
DATA_DISKS = 64
DATA_DISKS_AZURE_MIGRATE = 63
DATA_DISK_GIB = 32767
DISK_MIN_GIB = 1

_VM_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_RESERVED_NAME = re.compile(
    "access|azure|bing|bizspark|biztalk|cortana|directx|dotnet|dynamics|excel|exchange|forefront|groove|hololens|hyperv|"
    "kinect|login|lync|microsoft|msdn|o365|office|office365|onedrive|onenote|outlook|powerpoint|sharepoint|skype|visio|"
    "visualstudio|windows|xbox",
    re.IGNORECASE,
)
_TRADEMARKS = ("microsoft", "windows")
_NOT_IN_FRONT = "login"
_PV_DRIVERS = ("aws", "amazon", "citrix", "none")

_ARTICLE = "migration article, prerequisites"
_MATRIX_OS = "support matrix, replicated machines"
_MATRIX_VM = "support matrix, Azure VM requirements"
_RESERVED_NAMES = "Azure Resource Manager documentation, reserved resource names"
_MATRIX_STORAGE = "support matrix, Linux file systems and guest storage"


def _os_name(subject: Subject) -> str:
    return subject.machine.os_name or ""


def _support(subject: Subject) -> os_support.OsSupport:
    return os_support.look_up(_os_name(subject), subject.machine.os.value, subject.architecture)


def _service_pack(subject: Subject) -> int:
    """Return the service pack by the name or by the probed fact ``service_pack``; none mentioned is 0."""
    named = os_support.service_pack(_os_name(subject))
    return named if named is not None else int(subject.machine.facts.get("service_pack") or 0)


def _linux(subject: Subject) -> bool:
    return subject.machine.os is Os.LINUX


def _ec2_linux(subject: Subject) -> bool:
    return _linux(subject) and subject.machine.source == "aws"


def _amazon_linux(subject: Subject) -> bool:
    return _linux(subject) and os_support.is_amazon_linux(_os_name(subject))


def _windows_2008_r2(subject: Subject) -> bool:
    return subject.machine.os is Os.WINDOWS and _support(subject).title == "Windows Server 2008 R2"


def _firmware(subject: Subject) -> str | None:
    """Return "BIOS" or "UEFI" as probed, or None when nobody has looked."""
    found = str(subject.machine.facts.get("firmware") or "").upper()
    return found if found in OS_DISK_GIB else None


def _os_disks(subject: Subject) -> list[Disk]:
    return [disk for disk in subject.machine.disks if disk.boot]


def _data_disks(subject: Subject) -> list[Disk]:
    return [disk for disk in subject.machine.disks if not disk.boot]


def _os_disk_limit(subject: Subject) -> int:
    """Return the largest OS disk in GiB; without a known firmware, the largest of any generation."""
    return OS_DISK_GIB.get(_firmware(subject) or "", max(OS_DISK_GIB.values()))


def _disk_names(disks: list[Disk]) -> dict[str, Any]:
    return {"disks": ", ".join(f"{disk.name} ({disk.size_gib:g} GiB)" for disk in disks)}


def _too_large_os_disks(subject: Subject) -> list[Disk]:
    return [disk for disk in _os_disks(subject) if disk.size_gib > _os_disk_limit(subject)]


def _os_disks_between_generations(subject: Subject) -> list[Disk]:
    return [disk for disk in _os_disks(subject) if OS_DISK_GIB["BIOS"] < disk.size_gib <= OS_DISK_GIB["UEFI"]]


def _too_large_data_disks(subject: Subject) -> list[Disk]:
    return [disk for disk in _data_disks(subject) if disk.size_gib > DATA_DISK_GIB]


def _too_small_disks(subject: Subject) -> list[Disk]:
    return [disk for disk in subject.machine.disks if disk.size_gib < DISK_MIN_GIB]


def _vm_name(subject: Subject) -> str:
    return subject.machine.target.vm_name


def _reserved(subject: Subject) -> bool:
    return _RESERVED_NAME.fullmatch(_vm_name(subject)) is not None


def _carries_trademark(subject: Subject) -> bool:
    name = _vm_name(subject).lower()
    return name.startswith(_NOT_IN_FRONT) or any(word in name for word in _TRADEMARKS)


def _good_pv_driver(subject: Subject) -> bool:
    driver = subject.machine.pv_driver
    return driver is None or any(good in driver.lower() for good in _PV_DRIVERS)


RULES: tuple[Rule, ...] = (
    Rule(
        id="os.64-bit",
        severity=Severity.BLOCKER,
        holds=lambda s: s.machine.bits == 64,
        says=lambda s: {"bits": s.machine.bits},
        text="{name} runs a {bits}-bit operating system; Site Recovery replicates 64-bit ones only",
        remedy="Move its workload to a 64-bit system before replicating it.",
        source=_ARTICLE,
    ),
    Rule(
        id="os.amazon-linux",
        severity=Severity.BLOCKER,
        applies=_linux,
        holds=lambda s: not _amazon_linux(s),
        says=lambda s: {"os": _os_name(s)},
        text="{name} runs {os}; Amazon Linux cannot be migrated to Azure",
        remedy="Move its workload to a supported distribution, on AWS or newly in Azure.",
        source="Azure Migrate tutorial for AWS instances, and support matrix (never listed)",
    ),
    Rule(
        id="os.supported",
        severity=Severity.BLOCKER,
        applies=lambda s: bool(s.machine.os_name) and not _amazon_linux(s),
        holds=lambda s: _support(s).supported is not False,
        says=lambda s: {"os": _os_name(s), "listed": _support(s).listed},
        text="{name} runs {os}, which the {architecture} architecture does not replicate; it does replicate {listed}",
        remedy="Use the other architecture if that lists it, or upgrade the operating system before migrating.",
        source=_MATRIX_OS,
    ),
    Rule(
        id="os.version-known",
        severity=Severity.WARNING,
        applies=lambda s: not _amazon_linux(s),
        holds=lambda s: bool(s.machine.os_name) and _support(s).supported is not None,
        says=lambda s: {"os": _os_name(s) or "an operating system that could not be read"},
        text="{name} runs {os}; whether the {architecture} architecture replicates its version could not be checked",
        remedy="Let the probe reach the host, or set asr_os_name to name and version, for example 'Ubuntu 22.04'.",
        source=_MATRIX_OS,
    ),
    Rule(
        id="os.service-pack",
        severity=Severity.BLOCKER,
        applies=lambda s: s.machine.os is Os.WINDOWS and bool(_support(s).service_pack),
        holds=lambda s: _service_pack(s) >= (_support(s).service_pack or 0),
        says=lambda s: {"title": _support(s).title, "pack": _support(s).service_pack},
        text="{name} runs {title} without Service Pack {pack}",
        remedy="Install the service pack, then assess again.",
        source=_ARTICLE,
    ),
    Rule(
        id="windows-2008r2.pv-driver",
        severity=Severity.BLOCKER,
        applies=_windows_2008_r2,
        holds=_good_pv_driver,
        says=lambda s: {"driver": s.machine.pv_driver},
        text="{name} is a Windows Server 2008 R2 with {driver} PV drivers; only Citrix or AWS PV drivers are supported",
        remedy="Upgrade to the AWS PV drivers with Amazon's AWSPVDriverSetup.msi, then assess again.",
        source=_ARTICLE,
    ),
    Rule(
        id="windows-2008r2.pv-driver-known",
        severity=Severity.WARNING,
        applies=_windows_2008_r2,
        holds=lambda s: s.machine.pv_driver is not None,
        text="{name} is a Windows Server 2008 R2 whose PV driver could not be read; RedHat PV drivers would be refused",
        remedy="Let the probe reach the host, or set asr_pv_driver to aws, citrix or none.",
        source=_ARTICLE,
    ),
    Rule(
        id="ec2.virtualization-hvm",
        severity=Severity.BLOCKER,
        applies=_linux,
        holds=lambda s: s.machine.virtualization in (None, "hvm"),
        says=lambda s: {"virtualization": s.machine.virtualization},
        text="{name} is a {virtualization} instance; Linux sources must be HVM",
        remedy="Move the workload to an HVM image before replicating it.",
        source=_ARTICLE,
    ),
    Rule(
        id="ec2.virtualization-known",
        severity=Severity.WARNING,
        applies=_ec2_linux,
        holds=lambda s: s.machine.virtualization is not None,
        text="{name}: whether the instance is HVM could not be read; a paravirtual one would be refused",
        remedy="Allow ec2:DescribeInstances for the inventory, or set asr_virtualization to hvm.",
        source=_ARTICLE,
    ),
    Rule(
        id="ec2.linux-storage-interface",
        severity=Severity.WARNING,
        applies=_ec2_linux,
        holds=lambda s: s.machine.storage_interface not in ("nvme", "xen"),
        says=lambda s: {
            "interface": {"nvme": "NVMe", "xen": "Xen paravirtual"}.get(s.machine.storage_interface or "", "")
        },
        text=(
            "{name} sees its disks over {interface}, which the support matrix leaves out for Linux on physical machines"
            " although the tutorials migrate such instances"
        ),
        remedy="Run a test failover of this machine and of each image family before you rely on it.",
        source=_MATRIX_STORAGE,
    ),
    Rule(
        id="target.vm-name",
        severity=Severity.BLOCKER,
        holds=lambda s: _VM_NAME.fullmatch(_vm_name(s)) is not None,
        says=lambda s: {"vm": _vm_name(s)},
        text="{name}: '{vm}' is no Azure VM name: 1 to 63 letters, digits and hyphens, no hyphen at an end",
        remedy="Set asr_target.vm_name, or the EC2 tag asr:target, to a valid name.",
        source=_MATRIX_VM,
    ),
    Rule(
        id="target.vm-name-reserved",
        severity=Severity.BLOCKER,
        holds=lambda s: not _reserved(s),
        says=lambda s: {"vm": _vm_name(s)},
        text="{name}: '{vm}' is a name that Azure reserves",
        remedy="Set asr_target.vm_name, or the EC2 tag asr:target, to another name.",
        source=_RESERVED_NAMES,
    ),
    Rule(
        id="target.vm-name-trademark",
        severity=Severity.WARNING,
        applies=lambda s: not _reserved(s),
        holds=lambda s: not _carries_trademark(s),
        says=lambda s: {"vm": _vm_name(s)},
        text="{name}: '{vm}' contains a trademark or begins with 'login'; Azure refuses that for public endpoints",
        remedy="Choose another name if the machine is to have a public DNS name of its own.",
        source=_RESERVED_NAMES,
    ),
    Rule(
        id="disk.os-size",
        severity=Severity.BLOCKER,
        holds=lambda s: not _too_large_os_disks(s),
        says=lambda s: _disk_names(_too_large_os_disks(s)) | {"limit": _os_disk_limit(s)},
        text="{name}: the OS disk {disks} is larger than {limit} GiB",
        remedy="Move data to another disk and shrink the OS disk: 2048 GiB at most with BIOS, 4095 GiB with UEFI boot.",
        source=_MATRIX_VM,
    ),
    Rule(
        id="disk.os-size-firmware-known",
        severity=Severity.WARNING,
        applies=lambda s: _firmware(s) is None,
        holds=lambda s: not _os_disks_between_generations(s),
        says=lambda s: _disk_names(_os_disks_between_generations(s)),
        text="{name}: the OS disk {disks} is larger than 2048 GiB and its firmware, to be UEFI then, is unknown",
        remedy="Make sure that the machine boots by UEFI, else shrink the OS disk to 2048 GiB.",
        source=_MATRIX_VM,
    ),
    Rule(
        id="disk.count",
        severity=Severity.BLOCKER,
        holds=lambda s: len(_data_disks(s)) <= DATA_DISKS,
        says=lambda s: {"count": len(_data_disks(s)), "limit": DATA_DISKS},
        text="{name} has {count} data disks; at most {limit} can be replicated",
        remedy="Join data disks, or take those that need no migration off the machine.",
        source=_MATRIX_VM,
    ),
    Rule(
        id="disk.count-azure-migrate",
        severity=Severity.WARNING,
        holds=lambda s: len(_data_disks(s)) <= DATA_DISKS_AZURE_MIGRATE or len(_data_disks(s)) > DATA_DISKS,
        says=lambda s: {"count": len(_data_disks(s)), "limit": DATA_DISKS_AZURE_MIGRATE},
        text="{name} has {count} data disks; Site Recovery names 64 as the limit, Azure Migrate {limit}",
        remedy="Run a test failover of this machine, with a VM size that takes so many disks.",
        source="support matrices of Site Recovery and of Azure Migrate for physical machines",
    ),
    Rule(
        id="disk.data-size",
        severity=Severity.BLOCKER,
        holds=lambda s: not _too_large_data_disks(s),
        says=lambda s: _disk_names(_too_large_data_disks(s)) | {"limit": DATA_DISK_GIB},
        text="{name}: data disk {disks} is larger than {limit} GiB, the largest managed disk",
        remedy="Spread the data over several disks before replicating.",
        source=_MATRIX_VM,
    ),
    Rule(
        id="disk.min-size",
        severity=Severity.BLOCKER,
        holds=lambda s: not _too_small_disks(s),
        says=lambda s: _disk_names(_too_small_disks(s)),
        text="{name}: disk {disks} is smaller than 1 GiB, the smallest that can be replicated",
        remedy="Take the disk off the machine or enlarge it.",
        source=_MATRIX_VM,
    ),
)
