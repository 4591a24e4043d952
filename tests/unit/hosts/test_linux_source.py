"""A Linux source: its facts, and what is changed on it; the rules have tests of their own."""

import pytest

from asr_migrate.domain.errors import SetupError
from asr_migrate.domain.machine import Os
from asr_migrate.hosts import linux_cloud, profiles
from asr_migrate.hosts.sha512_crypt import sha512_crypt

CS = "10.20.0.10"
SSHD, HOSTS, FSTAB = "/etc/ssh/sshd_config", "/etc/hosts", "/etc/fstab"
DROP_IN = linux_cloud.DROP_IN


def source(**want):
    return profiles.make("source", Os.LINUX, "db-1", want)


def pushed(**want):
    return source(push=True, root_password="Root-1!", **want)


def script(exchange):
    return exchange.stdin.decode("utf-8", "surrogateescape")


def changes(plan):
    return [(change.what, change.before, change.after) for change in plan.changes]


def prior(plan, name):
    return next(item for item in plan.prior if item.name == name)


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
        ({"os_release": "Oracle Linux Server release 6.10"}, "Oracle Linux 6.10"),
        ({"os_release": None, "os_id": "debian", "os_version": "9", "debian_version": "9.13"}, "Debian 9.13"),
        (
            {"os_release": None, "os_id": "ubuntu", "os_version": "14.04", "debian_version": "jessie/sid"},
            "Ubuntu 14.04",
        ),
        ({"os_release": None, "suse_version": "11.4"}, "SUSE Linux Enterprise Server 11.4"),
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


def test_the_facts_hold_no_content_of_a_file_and_no_hash(kit):
    reading = source().read(kit.answer(kit.linux({"shadow_field": "$6$abc$hash"}).stdout()))
    assert "$6$" not in str(reading.facts)
    assert "PermitRootLogin yes" not in str(reading.facts)


def test_what_could_be_reached_is_a_fact_for_each_address_and_port(kit):
    wanted = source(reach=[[CS, 443], [CS, 9443], [CS, 1]])
    lines = {f"reach {CS} 443": "open", f"reach {CS} 9443": "closed"}
    facts = wanted.read(kit.answer(kit.linux(lines).stdout())).facts
    assert facts["reached"] == {f"{CS}:443": True, f"{CS}:9443": False, f"{CS}:1": None}


def test_a_banner_does_not_disturb_the_reading(kit):
    facts = source().read(kit.answer("Authorised use only\n" + kit.linux().stdout())).facts
    assert facts["host_name"] == "db-1"


def test_a_user_without_sudo_is_told_what_to_allow(kit):
    with pytest.raises(SetupError) as refused:
        source().read(kit.answer("", "sudo: a password is required", exit_code=1))
    assert "NOPASSWD" in refused.value.remedy


@pytest.mark.parametrize("stat", ["-rw-r--r-- 1 0 0 4", "short"])
def test_a_file_that_changed_while_it_was_read_is_no_answer(kit, stat):
    lines = {"file": "/etc/hosts\t/etc/hosts", "stat": f"{stat}\t/etc/hosts", "hex": "00"}
    with pytest.raises(SetupError) as refused:
        source().read(kit.answer(kit.linux(lines).stdout()))
    assert "/etc/hosts changed while it was read" in str(refused.value)


@pytest.mark.parametrize(
    ("want", "lines", "rule", "severity"),
    [
        ({}, {"utc": "2026-05-04T11:40:00Z"}, "host.clock", "blocker"),
        ({}, {"utc": "2026-05-04T11:54:00Z"}, "host.clock", "warning"),
        ({"reach": [[CS, 443]]}, {f"reach {CS} 443": "closed"}, "host.reach", "blocker"),
        ({"reach": [[CS, 443]]}, {f"reach {CS} 443": "untried"}, "host.reach", "warning"),
    ],
)
def test_clock_and_reach_are_judged_as_on_every_host(kit, want, lines, rule, severity):
    whole = {f"reach {CS} 443": "open"}
    assert kit.rules(kit.planned(source(**want), kit.linux(whole | lines))) == {rule: severity}


def test_a_ready_host_has_no_findings_and_no_changes(kit):
    ready = {"shadow_field": sha512_crypt("Root-1!", "anothersalt"), "cloud_init": "installed"}
    plan = kit.planned(pushed(), kit.linux(ready, {DROP_IN: linux_cloud.CONTENT}))
    assert (plan.findings, plan.changes, plan.exchanges, plan.prior) == ((), (), (), ())


FRESH_SSHD = "Include d/*.conf\nPermitRootLogin prohibit-password\n\xff\udcff\n"


def test_a_fresh_host_is_prepared_for_a_push_in_one_round_trip(kit):
    fresh = kit.linux(
        {"cloud_init": "installed"},
        {
            SSHD: FRESH_SSHD,
            HOSTS: "127.0.0.1 localhost",
            DROP_IN: None,
            "/etc/ssh/d/1.conf": "PasswordAuthentication no\n",
        },
    )
    plan = kit.planned(pushed(), fresh)
    assert changes(plan) == [
        (f"{HOSTS} 10.20.1.13", None, "db-1"),
        (DROP_IN, None, "datasource_list: [NoCloud, Azure, None]"),
        ("root's password", "not set", "as given"),
        ("sshd PermitRootLogin", "prohibit-password", "yes"),
        ("sshd PasswordAuthentication", "no", "yes"),
        ("sshd Subsystem sftp", None, "/usr/libexec/openssh/sftp-server"),
    ]
    assert [exchange.command for exchange in plan.exchanges] == ["sh"]
    assert "Root-1!" not in script(plan.exchanges[0])


def test_every_change_has_its_value_from_before(kit):
    fresh = kit.linux({"cloud_init": "installed"}, {SSHD: FRESH_SSHD, HOSTS: "127.0.0.1 localhost", DROP_IN: None})
    plan = kit.planned(pushed(), fresh)
    whole = {"mode": "0644", "uid": 0, "gid": 0}
    assert prior(plan, SSHD).before == whole | {"content": FRESH_SSHD}
    assert prior(plan, SSHD).after["content"].endswith(FRESH_SSHD)
    assert prior(plan, HOSTS).after["content"] == (
        "127.0.0.1 localhost\n# asr-migrate: begin\n10.20.1.13\tdb-1\n# asr-migrate: end\n"
    )
    assert prior(plan, DROP_IN).before is None
    assert prior(plan, DROP_IN).after == whole | {"content": linux_cloud.CONTENT}
    assert prior(plan, "root").before == {"field": "!!", "changed": "16500"}
    assert prior(plan, "root").after["changed"] == "20577"
    assert len(plan.prior) == 4


def test_owner_mode_and_context_of_a_file_are_kept(kit):
    content = "127.0.0.1 localhost\n"
    lines = {
        "file": [f"{HOSTS}\t/srv/hosts"],
        "stat": [f"-rw-r-Sr-T. 2 7 8 {len(content)}\t/srv/hosts"],
        "context": "system_u:object_r:net_conf_t:s0\t/srv/hosts",
        "hex": content.encode().hex(),
    }
    plan = kit.planned(source(), kit.linux(lines))
    kept = {"mode": "3644", "uid": 7, "gid": 8, "context": "system_u:object_r:net_conf_t:s0"}
    assert prior(plan, HOSTS).before == kept | {"content": content}
    assert "'/srv/hosts' '" in script(plan.exchanges[0])


def test_an_sftp_subsystem_that_is_there_is_not_given_twice(kit):
    plan = kit.planned(pushed(), kit.linux({}, {SSHD: "Subsystem\tsftp /usr/lib/sftp-server -f AUTH\n"}))
    assert "Subsystem sftp" not in prior(plan, SSHD).after["content"]


def test_a_block_of_ours_is_replaced_and_what_it_alone_gave_is_kept(kit):
    old = "# asr-migrate: begin\nPermitRootLogin no\nSubsystem sftp internal-sftp\n# asr-migrate: end\nUsePAM yes\n"
    plan = kit.planned(pushed(), kit.linux({}, {SSHD: old}))
    assert prior(plan, SSHD).after["content"] == (
        "# asr-migrate: begin\nPermitRootLogin yes\nPasswordAuthentication yes\nSubsystem sftp internal-sftp\n"
        "# asr-migrate: end\nUsePAM yes\n"
    )


def test_keys_stay_enough_where_a_second_factor_was_asked_for(kit):
    config = "AuthenticationMethods publickey,keyboard-interactive\nPermitRootLogin yes\nPasswordAuthentication yes\n"
    plan = kit.planned(pushed(), kit.linux({}, {SSHD: config + "Subsystem sftp internal-sftp\n"}))
    assert (
        "sshd AuthenticationMethods",
        "publickey,keyboard-interactive",
        "publickey password keyboard-interactive",
    ) in (changes(plan))


@pytest.mark.parametrize(
    ("field", "day", "before"),
    [
        ("*", "20228", "not set"),
        ("!!", "", "not set"),
        ("$1$abc$def", "20228", "another"),
        ("!" + sha512_crypt("Root-1!", "salt"), "20228", "another"),
        (sha512_crypt("Other-1!", "salt"), "20228", "another"),
        (sha512_crypt("Root-1!", "salt"), "0", "to be changed at the next login"),
    ],
)
def test_root_gets_the_password_only_when_it_has_another(kit, field, day, before):
    plan = kit.planned(pushed(), kit.linux({"shadow_field": field, "shadow_changed": day}))
    assert changes(plan) == [("root's password", before, "as given")]
    assert prior(plan, "root").before == {"field": field, "changed": day}


def test_the_addresses_of_the_inventory_are_named_when_the_host_shows_none(kit):
    wanted = source(addresses=["10.20.1.14"])
    assert changes(kit.planned(wanted, kit.linux({"address": None}))) == [(f"{HOSTS} 10.20.1.14", None, "db-1")]
    assert kit.planned(source(hosts_file=False), kit.linux({"address": "10.0.0.9"})).changes == ()


def test_device_names_of_fstab_become_uuids_when_that_is_wanted(kit):
    content = "# by hand\n/dev/xvda2\t/ ext4  defaults 1 1\nLABEL=boot /boot ext4\n/dev/mapper/vg-x /x xfs"
    plan = kit.planned(source(fstab_by_uuid=True), kit.linux({}, {FSTAB: content}))
    assert changes(plan) == [(f"{FSTAB} /", "/dev/xvda2", "UUID=22-bb")]
    assert prior(plan, FSTAB).after["content"] == content.replace("/dev/xvda2", "UUID=22-bb")
    assert plan.findings == ()


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        ({"/etc/cloud/cloud.cfg": "datasource_list: [NoCloud, None]\n"}, {"cloud_init": "installed"}),
        (
            {
                "/etc/cloud/cloud.cfg": "datasource_list: [Ec2]\n",
                "/etc/cloud/cloud.cfg.d/90_dpkg.cfg": "datasource_list:\n  - None\n",
            },
            {"cloud_init": "installed"},
        ),
        ({}, {}),
        ({}, {"cloud_init": ["installed", "disabled"]}),
    ],
)
def test_cloud_init_is_left_where_it_does_not_look_for_ec2(kit, files, lines):
    assert kit.planned(source(), kit.linux(lines, files)).changes == ()


def test_cloud_init_is_left_when_the_user_says_so(kit):
    assert kit.planned(source(cloud_init=False), kit.linux({"cloud_init": "installed"})).changes == ()


def test_what_a_killed_run_left_is_removed(kit):
    plan = kit.planned(source(), kit.linux({"remains": "/etc/hosts.asr-migrate-new"}))
    assert [change.what for change in plan.changes] == ["/etc/hosts.asr-migrate-new"]
    assert plan.prior == ()


@pytest.mark.parametrize("password", ["", "two\nlines"])
def test_a_push_needs_a_password_of_one_line(kit, password):
    plan = kit.planned(source(push=True, root_password=password), kit.linux())
    assert "root_password" in plan.missing[0].message
    assert password == "" or password not in str(plan.missing[0].as_dict())


def test_a_file_with_a_nul_byte_is_not_written(kit):
    with pytest.raises(SetupError) as refused:
        kit.planned(source(), kit.linux({}, {HOSTS: "127.0.0.1\0"}))
    assert "/etc/hosts holds a NUL byte" in str(refused.value)


def test_a_change_that_the_host_refuses_is_named_with_what_it_said(kit):
    change = kit.planned(pushed(), kit.linux()).exchanges[0]
    error = change.judge(kit.answer("said\tlocked by another program\nchanged\troot's password\t1\n"))
    assert "changing root's password failed with exit code 1: locked by another program" in error.message
    assert change.judge(kit.answer("changed\troot's password\t0\n")) is None
    assert change.judge(kit.answer("", "connection closed", 255)).code == "HostNotReadable"


def test_a_host_that_stopped_half_way_is_not_taken_for_changed(kit):
    plan = kit.planned(pushed(), kit.linux({}, {HOSTS: "127.0.0.1 localhost\n"}))
    assert plan.exchanges[0].judge(kit.answer("changed\t/etc/hosts\t0\n")).code == "HostNotReadable"


def classic(**mobility):
    wanted = {
        "architecture": "classic",
        "appliance_address": CS,
        "passphrase": "the-pass",
        "installer": {"path": "/srv/Microsoft-ASR_UA_9.59.0.0_RHEL6-64_GA_15Mar2024_release.tar.gz"},
    }
    return source(mobility=wanted | mobility)


def test_changes_and_the_mobility_service_are_one_round_trip(kit):
    plan = kit.planned(classic(), kit.linux({}, {HOSTS: "127.0.0.1 localhost\n"}))
    assert [change.what for change in plan.changes] == [f"{HOSTS} 10.20.1.13", "Mobility service"]
    assert len(plan.exchanges) == 1
    text = script(plan.exchanges[0])
    assert text.count("set -eu\n") == 1
    assert text.index("replace_file' '/etc/hosts'") < text.index("the-pass")
    assert "the-pass" not in plan.exchanges[0].command


def test_the_mobility_service_is_judged_after_the_changes(kit):
    exchange = kit.planned(classic(), kit.linux({}, {HOSTS: "127.0.0.1 localhost\n"})).exchanges[0]
    changed = "changed\t/etc/hosts\t0\n"
    assert exchange.judge(kit.answer(changed + "rc\tinstall\t0\n")) is None
    assert "install" in exchange.judge(kit.answer(changed + "rc\tinstall\t14\nfailed\tinstall\n")).message
    assert "changing /etc/hosts" in exchange.judge(kit.answer("changed\t/etc/hosts\t1\n")).message


def test_a_removal_of_the_mobility_service_changes_nothing_else(kit):
    lines = {"mobility": "installed", "mobility_status": "Succeeded", "vxagent": "running", "dhcp_client": ""}
    plan = kit.planned(classic(state="absent"), kit.linux(lines, {HOSTS: ""}))
    assert [change.what for change in plan.changes] == ["Mobility service"]
    assert plan.prior == ()
    assert "linux.dhcp-client" not in kit.rules(plan)
