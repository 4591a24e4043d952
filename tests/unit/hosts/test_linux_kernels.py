"""Kernels of each distribution against the table, and the table itself."""

import re
from importlib.resources import files

import pytest
import yaml

from asr_migrate.domain import os_support
from asr_migrate.hosts.linux_kernels import Known, judge

ROWS = yaml.safe_load(files("asr_migrate.hosts").joinpath("linux_kernels.yml").read_text(encoding="utf-8"))["kernels"]


@pytest.mark.parametrize(
    ("os_name", "kernel", "known"),
    [
        ("Red Hat Enterprise Linux 6.7", "2.6.32-573.el6.x86_64", Known.SUPPORTED),
        ("Red Hat Enterprise Linux 6.7", "2.6.32-573.el6.i686", Known.NOT_STOCK),
        ("Red Hat Enterprise Linux 7.9", "3.10.0-1160.119.1.el7.x86_64", Known.SUPPORTED),
        ("Red Hat Enterprise Linux 7.9", "5.4.273-1.el7.elrepo.x86_64", Known.NOT_STOCK),
        ("Red Hat Enterprise Linux 8.4", "4.18.0-305.3.1.el8_4.x86_64", Known.TOO_OLD),
        ("Red Hat Enterprise Linux 8.4", "4.18.0-305.30.1.el8_4.x86_64", Known.SUPPORTED),
        ("Red Hat Enterprise Linux 8.8", "4.18.0-477.10.1.el8_8.x86_64", Known.SUPPORTED),
        ("Red Hat Enterprise Linux 9.4", "5.14.0-427.13.1.el9_4.x86_64", Known.UNLISTED),
        ("Red Hat Enterprise Linux 9.5", "5.14.0-503.11.1.el9_5.x86_64", Known.SUPPORTED),
        ("Red Hat Enterprise Linux 9.5", "5.14.0-503.10.1.el9_5.x86_64", Known.TOO_OLD),
        ("Red Hat Enterprise Linux 9.7", "5.14.0-611.5.1.el9_7.x86_64", Known.SUPPORTED),
        ("Red Hat Enterprise Linux 10.1", "6.12.0-124.8.1.el10_1.x86_64", Known.SUPPORTED),
        ("Red Hat Enterprise Linux 10.1", "6.12.0-124.5.2.el10_1.x86_64", Known.TOO_OLD),
        ("Rocky Linux 9.2", "5.14.0-284.11.1.el9_2.x86_64", Known.UNLISTED),
        ("Rocky Linux 9.6", "5.14.0-570.12.1.el9_6.x86_64", Known.UNLISTED),
        ("Rocky Linux 9.7", "5.14.0-611.5.1.el9_7.x86_64", Known.SUPPORTED),
        ("Oracle Linux 9.4", "5.14.0-427.13.1.el9_4.x86_64", Known.UNLISTED),
        ("Oracle Linux 9.5", "5.15.0-302.el9uek.x86_64", Known.UNLISTED),
        ("CentOS 7.9.2009", "3.10.0-1160.el7.x86_64", Known.SUPPORTED),
        ("Oracle Linux 6.10", "4.1.12-124.16.4.el6uek.x86_64", Known.SUPPORTED),
        ("Oracle Linux 8.6", "5.15.0-101.103.2.1.el8uek.x86_64", Known.NOT_STOCK),
        ("Oracle Linux 8.10", "5.15.0-101.103.2.1.el8uek.x86_64", Known.SUPPORTED),
        ("Oracle Linux 8.8", "5.4.17-2136.302.7.2.el8uek.x86_64", Known.UNLISTED),
        ("SUSE Linux Enterprise Server 11.4", "3.0.101-108.138-default", Known.SUPPORTED),
        ("SUSE Linux Enterprise Server 15.5", "5.14.21-150500.55.62-default", Known.SUPPORTED),
        ("SUSE Linux Enterprise Server 15.5", "5.14.21-150500.55.62-preempt", Known.NOT_STOCK),
        ("Ubuntu 14.04", "4.4.0-149-generic", Known.NOT_STOCK),
        ("Ubuntu 14.04", "3.13.0-19-generic", Known.TOO_OLD),
        ("Ubuntu 16.04", "4.4.0-210-generic", Known.SUPPORTED),
        ("Ubuntu 22.04", "5.15.0-161-generic", Known.SUPPORTED),
        ("Ubuntu 22.04", "5.15.0-1055-aws", Known.NOT_STOCK),
        ("Ubuntu 22.04", "5.19.0-50-generic", Known.UNLISTED),
        ("Ubuntu 24.04", "6.8.0-101-generic", Known.TOO_NEW),
        ("Debian 8.11", "4.9.0-0.bpo.12-amd64", Known.SUPPORTED),
        ("Debian 9.13", "4.9.0-19-amd64", Known.SUPPORTED),
        ("Debian 11.9", "6.1.0-0.deb11.41-cloud-amd64", Known.SUPPORTED),
        ("Debian 12.5", "6.1.0-99-cloud-amd64", Known.TOO_NEW),
        ("AlmaLinux 9.4", "5.14.0-427.13.1.el9_4.x86_64", Known.NO_ROW),
    ],
)
def test_a_kernel_is_judged_by_its_distribution_s_row(os_name, kernel, known):
    assert judge(os_name, kernel).known is known


def test_what_the_table_has_instead_is_said_in_whole_kernel_names():
    assert judge("Debian 11.9", "7.1.0-own").listed == "5.10.0-36-amd64, 6.1.0-0.deb11.41-amd64"
    assert judge("Red Hat Enterprise Linux 8.4", "4.18.0-305.3.1.el8_4.x86_64").listed == "4.18.0-305.30.1 and later"
    assert judge("Rocky Linux 9.2", "5.14.0-284.11.1.el9_2.x86_64").listed == "5.14.0-611.5.1 and later"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['title']} {row['versions']}")
def test_each_row_is_about_a_system_of_the_support_matrix_and_its_lists_agree(row):
    assert os_support.look_up(row["title"], "linux", "modernized").title == row["title"]
    assert set(row.get("first", {})) == (set(row["newest"]) if "first" in row else set())
    assert all(row["first"][key] <= row["newest"][key] for key in row.get("first", {}))
    if "newest" in row:
        assert all({"series", "build", "flavour"} <= set(re.compile(text).groupindex) for text in row["stock"])
