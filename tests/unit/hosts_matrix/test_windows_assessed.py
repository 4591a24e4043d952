"""The assessment's rules about a system, on what the probe found of every version of Windows Server."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from asr_lab.hosts.windows.state import Host
from asr_migrate.domain.machine import Disk, Machine, Os, Target
from asr_migrate.domain.readiness import evaluate
from asr_migrate.domain.readiness_rule import Severity

from . import windows_hosts
from .windows_hosts import FLAVOURS

CURRENT = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
ENVIRONMENT = r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
AMAZON = r"HKLM\SOFTWARE\Amazon\PVDriver"
SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
RED_HAT = {AMAZON: None, SERVICES + r"\rhelscsi": {"Start": 0, "Type": 1}}
CITRIX = {AMAZON: None}
CLASSIC, MODERNIZED = "classic", "modernized"
OLD = ("2008r2",)


def assessed(host: Host, architecture: str) -> set[tuple[str, Severity]]:
    """Return the rules that the assessment names of a host, told nothing but what its probe found."""
    profile = windows_hosts.source()
    facts = profile.read(windows_hosts.send(host, profile.probe())).facts
    known = {name: facts[name] for name in ("os_name", "bits", "host_name", "pv_driver", "storage_interface")}
    disks = tuple(
        Disk(name=disk.name, size_gib=disk.size_bytes / 2**30, boot=disk.boot) for disk in host.spec.description.disks
    )
    machine = Machine(
        name="app-1",
        source_id="i-1",
        wave="one",
        os=Os.WINDOWS,
        target=Target(vm_name="app-1"),
        addresses=tuple(facts["addresses"]),
        disks=disks,
        facts=dict(facts),
        virtualization=facts["virtualization"],
        **known,
    )
    return {(finding.rule, finding.severity) for finding in evaluate(machine, architecture)}


@pytest.mark.parametrize("architecture", [CLASSIC, MODERNIZED])
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_version_is_replicated_but_the_newest_by_the_classic_architecture(
    tmp_path: Path, flavour: str, architecture: str
) -> None:
    expected = {("os.supported", Severity.BLOCKER)} if (flavour, architecture) == ("2025", CLASSIC) else set()
    assert assessed(windows_hosts.make(flavour, tmp_path), architecture) == expected


@pytest.mark.parametrize("flavour", OLD)
def test_citrix_drivers_are_as_good_as_amazons(tmp_path: Path, flavour: str) -> None:
    assert assessed(windows_hosts.make(flavour, tmp_path, {"registry": CITRIX}), CLASSIC) == set()


BROKEN: tuple[tuple[str, tuple[str, ...], Mapping[str, Any]], ...] = (
    ("os.service-pack", OLD, {CURRENT: {"CSDVersion": None}}),
    ("windows-2008r2.pv-driver", OLD, RED_HAT),
    ("os.64-bit", FLAVOURS, {ENVIRONMENT: {"PROCESSOR_ARCHITECTURE": "x86"}}),
    ("os.supported", FLAVOURS, {CURRENT: {"ProductName": "Windows Server 2003 R2 Standard", "CSDVersion": None}}),
)


@pytest.mark.parametrize(
    ("rule", "flavour", "registry"),
    [(rule, flavour, registry) for rule, flavours, registry in BROKEN for flavour in flavours],
)
def test_a_system_that_is_not_replicated_is_told_of_exactly_that(
    tmp_path: Path, cell: Callable[[str, str], None], rule: str, flavour: str, registry: Mapping[str, Any]
) -> None:
    cell(rule, f"windows-{flavour}")
    host = windows_hosts.make(flavour, tmp_path, {"registry": registry})
    assert assessed(host, MODERNIZED) == {(rule, Severity.BLOCKER)}
