"""The disks of a Windows source, in each way that Site Recovery refuses or that deserves a look."""

import pytest

from asr_migrate.hosts import windows_disks
from asr_migrate.hosts import windows_output as output

PATH = "\\\\APP-1\\root\\cimv2:Win32_"
RULER = "  Disk ###  Status         Size     Free     Dyn  Gpt\n  --------  -------------  -------  -------  ---  ---\n"
ROW = "  Disk {}    Online           30 GB      0 B   {}"


def volume(partition, drive="C:"):
    return f'{PATH}DiskPartition.DeviceID="{partition}"|{PATH}LogicalDisk.DeviceID="{drive}"'


def disks(partitions=("0|0|True", "0|1|False"), volumes=("Disk #0, Partition #1",), dynamic=(), **rest):
    texts = {
        "partitions": "\n".join(partitions),
        "volumes": "\n".join(volume(partition) for partition in volumes),
        "dynamic": RULER + "\n".join(ROW.format(disk, "*") for disk in dynamic),
        **rest,
    }
    found = output.Sections({name: output.Section(tuple(text.split("\n"))) for name, text in texts.items()})
    return windows_disks.read(found)


def rules(**broken):
    return [(finding.rule, str(finding.severity)) for finding in windows_disks.findings("app-1", disks(**broken))]


def test_one_basic_disk_that_starts_and_holds_the_system_is_fine():
    assert rules() == []


def test_a_german_windows_names_disks_by_the_same_numbers():
    found = disks(volumes=("Datenträgernr. 2, Partitionsnr. 1",))
    assert found.system == (2,)
    assert found.boot == (0,)


@pytest.mark.parametrize(
    ("broken", "rule", "severity", "words"),
    [
        ({"partitions": ("0|0|False",)}, "windows.boot-disk", "blocker", "95310"),
        ({"partitions": ("0|0|True", "1|0|True")}, "windows.boot-disk", "blocker", "0, 1 (95311)"),
        (
            {"volumes": ("Disk #0, Partition #1", "Disk #1, Partition #0")},
            "windows.boot-disk",
            "blocker",
            "0, 1 (95313)",
        ),
        (
            {"partitions": ("0|0|True", "1|0|False"), "volumes": ("Disk #1, Partition #0",)},
            "windows.boot-disk",
            "warning",
            "C: on disk 1 (95309)",
        ),
        ({"dynamic": (0,)}, "windows.dynamic-disk", "blocker", "disk 0"),
        ({"dynamic": (1, 2)}, "windows.dynamic-disk", "warning", "disk 1, 2"),
        ({"storage_spaces": "pool disk"}, "windows.storage-spaces", "blocker", "pool disk"),
        ({"bitlocker": "C:|1|1\nD:|0|0"}, "windows.bitlocker", "blocker", "encrypts C: of"),
        ({"bitlocker": "C:|0|2"}, "windows.bitlocker", "blocker", "C:"),
        ({"bitlocker": "D:|2|"}, "windows.bitlocker", "blocker", "D:"),
    ],
)
def test_each_hindrance_of_the_disks_is_found_alone(broken, rule, severity, words):
    found = windows_disks.findings("app-1", disks(**broken))
    assert [(finding.rule, str(finding.severity)) for finding in found] == [(rule, severity)]
    assert words in found[0].text
    assert found[0].remedy
    assert found[0].source


def test_a_dynamic_boot_disk_is_known_when_c_has_no_association():
    assert rules(volumes=(), dynamic=(0,)) == [("windows.dynamic-disk", "blocker")]


def test_a_volume_that_bitlocker_knows_but_does_not_encrypt_is_fine():
    assert rules(bitlocker="C:|0|0") == []


def test_a_host_that_gave_no_answer_about_its_disks_has_no_findings_about_them():
    assert windows_disks.findings("app-1", windows_disks.Disks()) == []
