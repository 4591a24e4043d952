"""The table of operating systems and the names that machines give themselves."""

import pytest

from asr_migrate.domain.os_support import is_amazon_linux, look_up, service_pack


@pytest.mark.parametrize(
    ("os_name", "family", "classic", "modernized"),
    [
        ("Microsoft Windows Server 2008 R2 Standard", "windows", True, True),
        ("Windows Server 2012", "windows", True, True),
        ("Windows Server 2012 R2 Standard", "windows", True, True),
        ("Windows Server 2016 Datacenter", "windows", True, True),
        ("Windows Server 2022 Datacenter", "windows", True, True),
        ("Windows Server 2025 Datacenter", "windows", False, True),
        ("Windows Server 2003 R2", "windows", False, False),
        ("Windows", "windows", None, None),
        ("Red Hat Enterprise Linux Server release 6.7 (Santiago)", "linux", True, True),
        ("Red Hat Enterprise Linux 8.8", "linux", True, True),
        ("Red Hat Enterprise Linux release 8.10 (Ootpa)", "linux", False, True),
        ("RHEL 9.7", "linux", False, True),
        ("Red Hat Enterprise Linux 4.8", "linux", False, False),
        ("Red Hat Enterprise Linux", "linux", None, None),
        ("Red Hat Enterprise Linux 9", "linux", False, None),
        ("Ubuntu 20.04.6 LTS", "linux", True, True),
        ("Ubuntu 22.04.5 LTS", "linux", False, True),
        ("Ubuntu 23.10", "linux", False, False),
        ("Debian GNU/Linux 12 (bookworm)", "linux", False, True),
        ("Debian GNU/Linux 9.0", "linux", False, False),
        ("SUSE Linux Enterprise Server 12 SP5", "linux", True, True),
        ("SUSE Linux Enterprise Server 15 SP6", "linux", False, True),
        ("Oracle Linux Server 7.9", "linux", True, True),
        ("Rocky Linux 9.4 (Blue Onyx)", "linux", False, True),
        ("CentOS Linux release 7.9.2009 (Core)", "linux", True, False),
        ("Fedora Linux 41", "linux", False, False),
        ("Linux/UNIX", "linux", None, None),
    ],
)
def test_the_table_answers_for_each_architecture(os_name, family, classic, modernized):
    answers = tuple(look_up(os_name, family, architecture).supported for architecture in ("classic", "modernized"))
    assert answers == (classic, modernized)


def test_every_spelling_of_a_service_pack_is_read():
    names = ("Windows Server 2008 R2 SP1", "Windows Server 2008 R2 Standard Service Pack 1", "Windows Server 2008 R2")
    assert [service_pack(name) for name in names] == [1, 1, None]


def test_every_amazon_linux_is_recognised():
    names = ("Amazon Linux 2", "Amazon Linux AMI release 2018.03", "Amazon Linux 2023.6", "Ubuntu 22.04 on Amazon")
    assert [is_amazon_linux(name) for name in names] == [True, True, True, False]
