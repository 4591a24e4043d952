"""Every readiness rule: a machine that passes it and a machine that fails it."""

import pytest

from asr_migrate.domain.machine import Machine
from asr_migrate.domain.readiness import Severity, evaluate
from asr_migrate.domain.readiness_rules import RULES

TARGET = {"vm_name": "web01"}
LINUX = {
    "name": "db-1",
    "source_id": "i-1",
    "wave": "current",
    "os": "linux",
    "os_name": "Red Hat Enterprise Linux 8.8",
    "target": TARGET,
    "virtualization": "hvm",
    "storage_interface": "scsi",
    "disks": [{"name": "/dev/sda1", "size_gib": 40, "boot": True}, {"name": "/dev/sdb", "size_gib": 200}],
    "facts": {"firmware": "BIOS"},
}
WINDOWS = LINUX | {"name": "app-1", "os": "windows", "os_name": "Windows Server 2012 R2 Standard"}
W2008 = WINDOWS | {"os_name": "Windows Server 2008 R2 Enterprise Service Pack 1", "pv_driver": "aws"}


def disks(boot_gib=40, data_gib=()):
    return [{"name": "boot", "size_gib": boot_gib, "boot": True}] + [
        {"name": f"data{n}", "size_gib": size} for n, size in enumerate(data_gib)
    ]


#: rule -> (machine that passes, machine that fails, architecture)
CASES = {
    "os.64-bit": (LINUX | {"bits": 64}, LINUX | {"bits": 32}, "modernized"),
    "os.amazon-linux": (LINUX, LINUX | {"os_name": "Amazon Linux 2"}, "modernized"),
    "os.supported": (LINUX, LINUX | {"os_name": "Red Hat Enterprise Linux 9.2"}, "classic"),
    "os.version-known": (LINUX, LINUX | {"os_name": None}, "modernized"),
    "os.service-pack": (W2008, W2008 | {"os_name": "Windows Server 2008 R2 Standard"}, "classic"),
    "windows-2008r2.pv-driver": (W2008 | {"pv_driver": "Citrix PV"}, W2008 | {"pv_driver": "RedHat PV"}, "classic"),
    "windows-2008r2.pv-driver-known": (W2008, W2008 | {"pv_driver": None}, "classic"),
    "ec2.virtualization-hvm": (LINUX, LINUX | {"virtualization": "paravirtual"}, "modernized"),
    "ec2.virtualization-known": (LINUX, LINUX | {"virtualization": None}, "modernized"),
    "ec2.linux-storage-interface": (LINUX, LINUX | {"storage_interface": "nvme"}, "modernized"),
    "target.vm-name": (
        LINUX | {"target": {"vm_name": "a" * 63}},
        LINUX | {"target": {"vm_name": "web_01"}},
        "modernized",
    ),
    "target.vm-name-reserved": (LINUX, LINUX | {"target": {"vm_name": "Azure"}}, "modernized"),
    "target.vm-name-trademark": (LINUX, LINUX | {"target": {"vm_name": "my-windows-vm"}}, "modernized"),
    "disk.os-size": (LINUX | {"disks": disks(2048)}, LINUX | {"disks": disks(2049)}, "modernized"),
    "disk.os-size-firmware-known": (
        LINUX | {"disks": disks(2048), "facts": {}},
        LINUX | {"disks": disks(3000), "facts": {}},
        "modernized",
    ),
    "disk.count": (
        LINUX | {"disks": disks(data_gib=[8] * 64)},
        LINUX | {"disks": disks(data_gib=[8] * 65)},
        "modernized",
    ),
    "disk.count-azure-migrate": (
        LINUX | {"disks": disks(data_gib=[8] * 63)},
        LINUX | {"disks": disks(data_gib=[8] * 64)},
        "modernized",
    ),
    "disk.data-size": (
        LINUX | {"disks": disks(data_gib=[32767])},
        LINUX | {"disks": disks(data_gib=[32768])},
        "modernized",
    ),
    "disk.min-size": (LINUX | {"disks": disks(data_gib=[1])}, LINUX | {"disks": disks(data_gib=[0.5])}, "modernized"),
}


def rules_broken(data, architecture):
    return {finding.rule for finding in evaluate(Machine.model_validate(data), architecture)}


def test_every_rule_has_a_passing_and_a_failing_fixture():
    assert sorted(CASES) == sorted(rule.id for rule in RULES)


@pytest.mark.parametrize("rule", sorted(CASES))
def test_a_machine_that_meets_the_rule_has_no_finding_by_it(rule):
    passing, _, architecture = CASES[rule]
    assert rule not in rules_broken(passing, architecture)


@pytest.mark.parametrize("rule", sorted(CASES))
def test_a_machine_that_breaks_the_rule_has_that_finding_with_its_name_and_a_remedy(rule):
    _, failing, architecture = CASES[rule]
    (finding,) = [found for found in evaluate(Machine.model_validate(failing), architecture) if found.rule == rule]
    assert failing["name"] in finding.text
    assert finding.remedy
    assert finding.source
    assert "{" not in finding.text + finding.remedy


@pytest.mark.parametrize("good", [LINUX, WINDOWS, W2008])
@pytest.mark.parametrize("architecture", ["classic", "modernized"])
def test_a_good_machine_has_no_finding_at_all(good, architecture):
    assert rules_broken(good, architecture) == set()


def test_every_broken_rule_is_found_at_once_with_blockers_first():
    bad = LINUX | {
        "bits": 32,
        "os_name": "Amazon Linux AMI release 2018.03",
        "virtualization": "paravirtual",
        "storage_interface": "xen",
        "target": {"vm_name": "-db-"},
        "disks": disks(5000, [40000, 0.2]),
    }
    found = evaluate(Machine.model_validate(bad), "modernized")
    assert {finding.rule for finding in found} == {
        "os.64-bit",
        "os.amazon-linux",
        "ec2.virtualization-hvm",
        "ec2.linux-storage-interface",
        "target.vm-name",
        "disk.os-size",
        "disk.data-size",
        "disk.min-size",
    }
    severities = [finding.severity for finding in found]
    assert severities == [Severity.BLOCKER] * 7 + [Severity.WARNING]


def test_unread_facts_refuse_nothing():
    unread = {"name": "x", "source_id": "i-2", "wave": "w", "os": "linux", "target": TARGET}
    found = evaluate(Machine.model_validate(unread), "classic")
    assert {finding.severity for finding in found} == {Severity.WARNING}
    assert {finding.rule for finding in found} == {"os.version-known", "ec2.virtualization-known"}


def test_a_uefi_machine_may_have_a_larger_os_disk():
    uefi = LINUX | {"disks": disks(4095), "facts": {"firmware": "UEFI"}}
    assert rules_broken(uefi, "modernized") == set()


def test_a_service_pack_may_come_from_the_probe_instead_of_the_name():
    probed = W2008 | {"os_name": "Windows Server 2008 R2 Standard", "facts": {"service_pack": 1}}
    assert rules_broken(probed, "classic") == set()


def test_a_machine_that_is_no_ec2_instance_is_not_asked_for_ec2_facts():
    physical = LINUX | {"source": "physical", "virtualization": None, "storage_interface": "nvme"}
    assert rules_broken(physical, "modernized") == set()
