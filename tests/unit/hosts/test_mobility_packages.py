"""Which installer a system takes, and versions of installers."""

import pytest

from asr_migrate.hosts import mobility_packages as packages
from asr_migrate.hosts.mobility_want import Installer, Repository

NAMES = tuple(
    f"Microsoft-ASR_UA_{version}_{tag}_GA_15Mar2024_release.{kind}"
    for version in ("9.9.0.0", "9.66.0.0", "9.59.0.0", "9.54.1.0")
    for tag, kind in (("RHEL8-64", "tar.gz"), ("Windows", "exe"))
)


@pytest.mark.parametrize(
    ("system", "tag"),
    [
        ("Windows Server 2008 R2 SP1", "Windows"),
        ("Windows Server 2025", "Windows"),
        ("Red Hat Enterprise Linux 6.7", "RHEL6-64"),
        ("Red Hat Enterprise Linux 8.10", "RHEL8-64"),
        ("Red Hat Enterprise Linux 10.0", "RHEL10-64"),
        ("CentOS 7.9.2009", "RHEL7-64"),
        ("Rocky Linux 9.4", "RHEL9-64"),
        ("Oracle Linux 6.10", "OL6-64"),
        ("Oracle Linux 9.4", "OL9-64"),
        ("SUSE Linux Enterprise Server 11.4", "SLES11-SP4-64"),
        ("SUSE Linux Enterprise Server 11 SP3", "SLES11-SP3-64"),
        ("SUSE Linux Enterprise Server 12.5", "SLES12-64"),
        ("SUSE Linux Enterprise Server 15.5", "SLES15-64"),
        ("Ubuntu 14.04", "UBUNTU-14.04-64"),
        ("Ubuntu 24.04", "UBUNTU-24.04-64"),
        ("Debian 8", "DEBIAN8-64"),
        ("Debian 12", "DEBIAN12-64"),
        ("Debian 10.13", "DEBIAN10-64"),
    ],
)
def test_a_system_takes_the_installer_of_its_tag(system, tag):
    assert packages.of_system(system).tag == tag


@pytest.mark.parametrize("system", ["Amazon Linux 2", "Red Hat Enterprise Linux 4.9", "Ubuntu 23.10", "Fedora 40", ""])
def test_a_system_outside_the_matrix_has_none(system):
    assert packages.of_system(system) is None


@pytest.mark.parametrize(
    ("system", "classic"),
    [("Red Hat Enterprise Linux 8.8", True), ("Red Hat Enterprise Linux 8.9", False), ("Ubuntu 22.04", False)],
)
def test_newer_systems_have_no_classic_agent(system, classic):
    assert packages.of_system(system).classic is classic


def test_a_name_that_the_documentation_does_not_give_is_known_as_derived():
    assert packages.of_system("Ubuntu 24.04").derived
    assert not packages.of_system("Ubuntu 20.04").derived


def test_an_installer_s_name_tells_version_and_tag():
    assert packages.tag_of(NAMES[0]) == "RHEL8-64"
    assert packages.version_of(NAMES[0]) == "9.9.0.0"
    assert packages.tag_of("setup.exe") is None
    assert packages.version_of("setup.exe") is None
    assert packages.version_of("UA_9.54.0.0.tar.gz") == "9.54.0.0"


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [("9.54.0.0", "9.59.0.0", -1), ("9.59", "9.59.3.1", 0), ("9.100.0.0", "9.59.0.0", 1), ("10.0", "9.59.0.0", 1)],
)
def test_versions_are_compared_by_number_as_far_as_both_tell(one, other, order):
    assert packages.order(packages.number(one), packages.number(other)) == order


def test_more_than_four_versions_ask_for_a_restart():
    assert packages.versions_between((9, 54), (9, 58)) == packages.VERSIONS_WITHOUT_RESTART
    assert packages.versions_between((9, 54), (9, 59)) > packages.VERSIONS_WITHOUT_RESTART
    assert packages.versions_between((8, 9), (9, 9)) > packages.VERSIONS_WITHOUT_RESTART


def test_a_directory_gives_the_newest_installer_of_the_system():
    repository = Repository(directory="/srv/agents/", files=NAMES, sha256={"RHEL8-64": "ab" * 32})
    installer = repository.installer_for(packages.of_system("CentOS 8.5"), classic=True)
    assert installer == Installer(
        file="/srv/agents/Microsoft-ASR_UA_9.59.0.0_RHEL8-64_GA_15Mar2024_release.tar.gz", sha256="ab" * 32
    )
    assert repository.installer_for(packages.of_system("Ubuntu 20.04"), classic=True) is None


def test_a_web_server_s_name_is_made_of_version_and_date():
    repository = Repository(url="https://cs.example/agents/", version="9.59.0.0", released="15Mar2024")
    installer = repository.installer_for(packages.of_system("Windows Server 2016"), classic=True)
    assert installer.url == "https://cs.example/agents/Microsoft-ASR_UA_9.59.0.0_Windows_GA_15Mar2024_release.exe"
    assert (
        Repository(url="https://cs.example/").installer_for(packages.of_system("Windows Server 2016"), classic=True)
        is None
    )


def test_a_directory_on_the_host_keeps_its_kind_of_slash():
    package = packages.of_system("Windows Server 2016")
    repository = Repository(path="E:\\Software\\Agents", version="9.66.0.0", released="1Jan2026")
    assert repository.installer_for(package, classic=False).path.startswith(
        "E:\\Software\\Agents\\Microsoft-ASR_UA_9.66.0.0_Windows"
    )


def test_a_directory_gives_each_architecture_its_own_newest_version():
    package = packages.of_system("Red Hat Enterprise Linux 8.8")
    repository = Repository(directory="/srv", files=NAMES)
    assert "_9.59.0.0_" in repository.name_for(package, classic=True)
    assert "_9.66.0.0_" in repository.name_for(package, classic=False)
    pinned = Repository(directory="/srv", files=NAMES, version="9.54.1.0")
    assert "_9.54.1.0_" in pinned.name_for(package, classic=True)
    assert Repository(directory="/srv", files=NAMES, version="9.0").name_for(package, classic=True) is None
