"""A Linux source: facts, findings and changes; each finding with a host that fails it and one that passes."""

import pytest

from asr_migrate.domain.errors import SetupError
from asr_migrate.domain.machine import Os
from asr_migrate.hosts import profiles
from asr_migrate.hosts.linux_mobility import judge_delivery
from asr_migrate.hosts.mobility_want import Installer

PACKAGE = "/srv/Microsoft-ASR_UA_9.59.0.0_RHEL6-64_GA_15Mar2024_release.tar.gz"
CS = "10.20.0.10"


def source(**want):
    return profiles.make("source", Os.LINUX, "db-1", want)


def pushed(**want):
    return source(push=True, root_password="Root-1!", **want)


def classic(**mobility):
    wanted = {
        "architecture": "classic",
        "appliance_address": CS,
        "passphrase": "the-pass",
        "installer": {"file": PACKAGE},
    }
    return source(mobility=wanted | mobility)


def script(exchange):
    return exchange.stdin.decode()


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        ({}, "Red Hat Enterprise Linux 6.7"),
        ({"os_release": None, "os_id": "ubuntu", "os_version": "22.04"}, "Ubuntu 22.04"),
        ({"os_release": "Amazon Linux release 2 (Karoo)", "os_id": "amzn", "os_version": "2"}, "Amazon Linux 2"),
        (
            {"os_release": "CentOS Linux release 7.9.2009 (Core)", "os_id": "centos", "os_version": "7"},
            "CentOS 7.9.2009",
        ),
        ({"os_release": "CentOS Linux release 6.10"}, "CentOS 6.10"),
        ({"os_release": None, "os_distribution": "Some Linux", "os_version": "1"}, "Some Linux 1"),
    ],
)
def test_the_system_is_named_as_the_support_matrix_does(kit, lines, name):
    assert source().read(kit.answer(kit.linux(lines).stdout())).facts["os_name"] == name


@pytest.mark.parametrize(
    ("lines", "virtualization", "interface"),
    [
        ({"hypervisor": "xen HVM"}, "hvm", "xen"),
        ({"hypervisor": "xen PV"}, "paravirtual", "xen"),
        ({"disk": "nvme0n1"}, None, "nvme"),
        ({"disk": "vda"}, None, None),
    ],
)
def test_xen_and_nvme_are_told_by_what_the_kernel_shows(kit, lines, virtualization, interface):
    facts = source().read(kit.answer(kit.linux(lines).stdout())).facts
    assert (facts["virtualization"], facts["storage_interface"]) == (virtualization, interface)


def test_a_banner_does_not_disturb_the_reading(kit):
    facts = source().read(kit.answer("Authorised use only\n" + kit.linux().stdout())).facts
    assert facts["host_name"] == "db-1"


def test_a_user_without_sudo_is_told_what_to_allow(kit):
    with pytest.raises(SetupError) as refused:
        source().read(kit.answer("", "sudo: a password is required", exit_code=1))
    assert "NOPASSWD" in refused.value.remedy


def test_a_ready_host_has_no_findings_and_no_changes(kit):
    plan = kit.planned(pushed(), kit.linux())
    assert plan.findings == ()
    assert plan.changes == ()
    assert plan.exchanges == ()


def test_a_fresh_host_is_prepared_for_a_push_in_one_round_trip(kit):
    fresh = kit.linux(
        {
            "sshd_permitrootlogin": "prohibit-password",
            "sshd_passwordauthentication": "no",
            "sshd_sftp": None,
            "sftp_server": "/usr/libexec/openssh/sftp-server",
            "root_password": "none",
            "hosts_address": None,
        }
    )
    plan = kit.planned(pushed(), fresh)
    assert [(change.what, change.before, change.after) for change in plan.changes] == [
        ("sshd PermitRootLogin", "prohibit-password", "yes"),
        ("sshd PasswordAuthentication", "no", "yes"),
        ("sshd Subsystem sftp", None, "/usr/libexec/openssh/sftp-server"),
        ("root's password", "not set", "as given"),
        ("/etc/hosts 10.20.1.13", None, "db-1"),
    ]
    assert len(plan.exchanges) == 1
    assert "Root-1!" not in script(plan.exchanges[0])
    assert "root:$6$" in script(plan.exchanges[0])
    assert plan.exchanges[0].command == "sh"


def test_an_sftp_subsystem_that_is_there_is_not_given_twice(kit):
    plan = kit.planned(pushed(), kit.linux({"sshd_permitrootlogin": "no"}))
    assert "Subsystem sftp /" not in script(plan.exchanges[0])


def test_the_addresses_of_the_inventory_are_named_when_the_host_shows_none(kit):
    plan = kit.planned(source(addresses=["10.20.1.13"]), kit.linux({"address": None, "hosts_address": None}))
    assert [change.what for change in plan.changes] == ["/etc/hosts 10.20.1.13"]
    assert kit.planned(source(hosts_file=False), kit.linux({"hosts_address": None})).changes == ()


@pytest.mark.parametrize(
    ("want", "lines", "rule", "severity"),
    [
        ({}, {"utc": "2026-05-04T11:40:00Z"}, "host.clock", "blocker"),
        ({"reach": [[CS, 443]]}, {f"reach {CS} 443": "closed"}, "host.reach", "blocker"),
        ({"time_service": "required"}, {"time_service": ""}, "linux.time-service", "blocker"),
        ({}, {"host_name": "localhost.localdomain"}, "linux.host-name", "blocker"),
        ({}, {"fstab_by_name": "/dev/xvda1 /"}, "linux.fstab", "warning"),
        ({}, {"python": ""}, "linux.python", "warning"),
        ({}, {"dhcp_client": ""}, "linux.dhcp-client", "warning"),
        ({"push": True, "root_password": "x"}, {"free_kib /": "1000"}, "linux.free-space", "blocker"),
        ({"push": True, "root_password": "x"}, {"sshd_config": None}, "linux.sshd", "blocker"),
        ({"push": True, "root_password": "x"}, {"sshd_port": "2022"}, "linux.ssh-port", "blocker"),
    ],
)
def test_each_hindrance_is_found_with_a_remedy_and_only_then(kit, want, lines, rule, severity):
    whole = {f"reach {CS} 443": "open"}
    plan = kit.planned(source(**want), kit.linux(whole | lines))
    assert kit.rules(plan)[rule] == severity
    assert all(finding.remedy and finding.source for finding in plan.findings)
    assert rule not in kit.rules(kit.planned(source(**want), kit.linux(whole)))


@pytest.mark.parametrize("password", ["", "two\nlines"])
def test_a_push_needs_a_password_of_one_line(kit, password):
    plan = kit.planned(source(push=True, root_password=password), kit.linux())
    assert "root_password" in plan.missing[0].message
    assert password == "" or password not in str(plan.missing[0].as_dict())


def test_a_change_that_the_host_refuses_is_named_with_what_it_said(kit):
    change = kit.planned(pushed(), kit.linux({"root_password": "other"})).exchanges[0]
    error = change.judge(kit.answer("say\tchpasswd: line 1 refused\nrc\troot's password\t1\n"))
    assert "changing root's password failed with exit code 1: chpasswd: line 1 refused" in error.message
    assert change.judge(kit.answer("rc\tsshd\t0\n")) is None
    assert change.judge(kit.answer("", "connection closed", 255)).code == "HostNotReadable"


def test_the_mobility_service_is_sent_installed_and_registered(kit):
    plan = kit.planned(classic(), kit.linux())
    assert plan.exchanges[0].stdin_file == PACKAGE
    assert "sha256sum" in plan.exchanges[0].command
    sent = script(plan.exchanges[1])
    assert "cs_type='-c CSLegacy'" in sent
    assert f"server='{CS}'" in sent
    assert "install='install'" in sent
    assert "the-pass" not in plan.exchanges[1].command
    assert "MobSvc.passphrase" in script(plan.cleanup)


def test_an_installed_agent_is_only_registered_or_started(kit):
    unregistered = {"mobility": "installed", "mobility_status": "Failed"}
    assert "install='register'" in script(kit.planned(classic(), kit.linux(unregistered)).exchanges[0])
    registered = {"mobility": "installed", "mobility_status": "Succeeded", "mobility_hostname": CS}
    stopped = kit.linux(registered | {"vxagent": "stopped"})
    assert "install='start'" in script(kit.planned(classic(), stopped).exchanges[0])
    assert kit.planned(classic(), kit.linux(registered | {"vxagent": "running"})).changes == ()


def test_an_agent_of_another_server_is_refused(kit):
    lines = {
        "mobility": "installed",
        "mobility_status": "Succeeded",
        "mobility_hostname": "10.9.9.9",
        "vxagent": "running",
    }
    assert kit.rules(kit.planned(classic(), kit.linux(lines))) == {"mobility.other-server": "blocker"}


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (13, "another configuration server"),
        (14, "did not answer on TCP 443"),
        (98, "role"),
        (208, "kernel"),
        (77, "no known reason"),
    ],
)
def test_an_exit_code_of_the_installer_has_a_cause_and_a_remedy(kit, code, cause):
    install = kit.planned(classic(), kit.linux()).exchanges[1]
    error = install.judge(kit.answer(f"rc\tunpack\t0\nrc\tinstall\t{code}\nlog\tERROR see here\n"))
    assert f"install failed with exit code {code}: ERROR see here" in error.message
    assert cause in error.cause
    assert error.remedy


def test_a_package_is_judged_by_its_digest(kit):
    digest = "ab" * 32
    installer = Installer(file=PACKAGE, sha256=digest)
    assert judge_delivery(kit.answer(f"{digest}  /var/tmp/x\n"), installer) is None
    assert judge_delivery(kit.answer("cd" * 32 + "  /var/tmp/x\n"), installer).code == "DownloadNotTrusted"
    assert judge_delivery(kit.answer("", "No space left on device", 1), installer).code == "DownloadFailed"


def test_a_package_can_be_fetched_by_the_host(kit):
    fetch = kit.planned(classic(installer={"url": "https://x.example/UA_9.59.0.0.tar.gz"}), kit.linux()).exchanges[0]
    assert "curl -fsSL -o '/var/tmp/asr-migrate/UA_9.59.0.0.tar.gz' 'https://x.example/UA_9.59.0.0.tar.gz'" in script(
        fetch
    )
