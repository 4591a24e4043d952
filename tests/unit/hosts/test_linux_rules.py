"""Every rule about a Linux source, with a host that breaks it, and hosts that break none."""

import pytest

from asr_migrate.domain.machine import Os
from asr_migrate.hosts import linux_rules, profiles
from asr_migrate.hosts.sha512_crypt import sha512_crypt

PUSH = {"push": True, "root_password": "Root-1!"}
BY_HAND = {
    "mobility": {
        "architecture": "classic",
        "appliance_address": "10.20.0.10",
        "passphrase": "secret",
        "installer": {"path": "/srv/agent.tar.gz"},
    }
}
READY = {"shadow_field": sha512_crypt("Root-1!", "saltsaltsaltsalt")}
SSHD = "/etc/ssh/sshd_config"
FSTAB = "/etc/fstab"
LVM = ["xvda\t\t\t", "xvdb\t\t\t", "xvda2\t\t\t", "dm-0\tvg-root\tLVM-abc\txvda2 xvdb"]
GOOD_SSHD = "PermitRootLogin yes\nPasswordAuthentication yes\nSubsystem sftp internal-sftp\n"
NFT = ["table inet filter {", "chain input {", "type filter hook input priority filter; policy drop;"]


def source(**want):
    return profiles.make("source", Os.LINUX, "db-1", {"hosts_file": False} | want)


BROKEN = [
    ("linux.root", "blocker", {"user": "1000"}, {}, {}),
    ("linux.architecture", "blocker", {"machine": "aarch64"}, {}, {}),
    ("linux.host-name", "blocker", {"host_name": "localhost.localdomain"}, {}, {}),
    ("linux.secure-boot", "blocker", {"secure_boot": "01"}, {}, {}),
    ("linux.free-space", "blocker", {"free_kib /": "1000"}, {}, PUSH),
    ("linux.free-space", "blocker", {"free_kib /usr/local": "1000"}, {}, PUSH),
    ("linux.free-space-boot", "warning", {"free_kib /boot": "1000"}, {}, {}),
    ("linux.kernel", "blocker", {"kernel": "3.18.1-custom", "initrd_storvsc": None}, {}, {}),
    (
        "linux.kernel",
        "warning",
        {"kernel": "6.8.0-999-generic", "os_release": None, "os_id": "ubuntu", "os_version": "24.04"},
        {},
        {},
    ),
    ("linux.kernel-modules", "blocker", {"kernel_modules": "no"}, {}, {}),
    ("linux.initrd", "blocker", {"initrd_storvsc": "no"}, {}, {}),
    ("linux.initrd", "warning", {"initrd_storvsc": "unknown"}, {}, {}),
    ("linux.boot-disk", "blocker", {"block": ["sda\t\t\t"], "part": None}, {}, {}),
    ("linux.boot-disk", "warning", {"block": None, "part": None}, {}, {}),
    ("linux.boot-disk", "warning", {"mount": "/ /dev/root ext4 rw"}, {FSTAB: ""}, {}),
    (
        "linux.boot-disk",
        "blocker",
        {
            "mount": ["/ /dev/xvda2 ext4 rw", "/boot /dev/md0 ext4 rw"],
            "block": ["xvda\t\t\t", "xvdb\t\t\t", "xvda2\t\t\t", "md0\t\t\txvda xvdb"],
        },
        {},
        {},
    ),
    ("linux.boot-on-lvm", "blocker", {"mount": "/ /dev/mapper/vg-root ext4 rw", "block": LVM}, {FSTAB: ""}, {}),
    (
        "linux.encrypted-disks",
        "blocker",
        {
            "mount": ["/ /dev/xvda2 ext4 rw", "/boot /dev/xvda1 ext4 rw", "/srv /dev/mapper/data xfs rw"],
            "block": ["xvda\t\t\t", "xvda1\t\t\t", "xvda2\t\t\t", "dm-3\tdata\tCRYPT-LUKS1-1\txvda2"],
        },
        {},
        {},
    ),
    (
        "linux.multipath",
        "blocker",
        {"mount": "/ /dev/mapper/mpatha ext4 rw", "block": ["sda\t\t\t", "dm-0\tmpatha\tmpath-360\tsda"]},
        {FSTAB: ""},
        {},
    ),
    ("linux.boot-mounted", "blocker", {"mount": "/ /dev/xvda2 ext4 rw"}, {}, {}),
    ("linux.root-filesystem", "blocker", {"mount": ["/ /dev/xvda2 jfs rw", "/boot /dev/xvda1 ext2 rw"]}, {}, {}),
    ("linux.writable", "blocker", {"mount": ["/ /dev/xvda2 ext4 rw", "/boot /dev/xvda1 ext4 ro"]}, {}, {}),
    ("linux.writable", "blocker", {"writable /var": "no"}, {}, {}),
    ("linux.acpi", "blocker", {"cmdline": "ro root=UUID=1 acpi=off"}, {}, {}),
    ("linux.grub-names", "blocker", {"cmdline": "ro root=/dev/xvda1"}, {}, {}),
    ("linux.grub-names", "blocker", {"grub": "/etc/default/grub\tresume=/dev/sda2"}, {}, {}),
    ("linux.fstab-names", "warning", {}, {FSTAB: "/dev/xvdf /data xfs nofail 0 2\n"}, {}),
    ("linux.fstab-names", "warning", {}, {FSTAB: "/dev/xvdf /data xfs nofail 0 2\n"}, {"fstab_by_uuid": True}),
    ("linux.dhcp-client", "blocker", {"dhcp_client": ""}, {}, {}),
    ("linux.dhcp-client", "warning", {"dhcp_client": ["NetworkManager", "systemd-networkd"]}, {}, {}),
    ("linux.c-locale", "blocker", {"c_locale": "no"}, {}, {}),
    ("linux.grub-devices", "blocker", {"grub_missing": "/etc/default/grub\t/dev/vg/gone"}, {}, {}),
    ("linux.work-noexec", "blocker", {"work_noexec": "/var"}, {}, BY_HAND),
    ("linux.runlevel", "blocker", {"runlevel": "1"}, {}, {}),
    ("linux.lvm2", "blocker", {"package": "openssl\t1.0.1e-42.el6"}, {}, {}),
    ("linux.package-database", "blocker", {"package_database": "error: cannot open Packages index"}, {}, {}),
    ("linux.openssl", "warning", {"openssl": "", "package": "lvm2\t2.02"}, {}, {}),
    ("linux.python", "warning", {"python": ""}, {}, {}),
    ("linux.time-service", "blocker", {"time_service": ""}, {}, {"time_service": "required"}),
    (
        "linux.cloud-init",
        "warning",
        {"cloud_init": "installed"},
        {
            "/etc/cloud/cloud.cfg.d/99-asr-migrate.cfg": "datasource_list: [ Azure ]\n",
            "/etc/cloud/cloud.cfg.d/zz.cfg": "datasource_list:\n- Ec2\n",
        },
        {},
    ),
    ("linux.ssh-boot", "warning", {"ssh_at_boot": "no"}, {}, {}),
    ("linux.ssh-firewall", "warning", {"iptables": ["-P INPUT DROP", "-A INPUT -p tcp --dport 443 -j ACCEPT"]}, {}, {}),
    ("linux.ssh-firewall", "warning", {"nft": [*NFT, "tcp dport 443 accept", "}", "}"]}, {}, {}),
    (
        "linux.ssh-firewall",
        "warning",
        {
            "iptables": [
                "-P INPUT ACCEPT",
                "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT",
                "-A INPUT -p icmp -j ACCEPT",
                "-A INPUT -i lo -j ACCEPT",
                "-A INPUT -j REJECT --reject-with icmp-host-prohibited",
            ]
        },
        {},
        {},
    ),
    (
        "linux.ssh-firewall",
        "warning",
        {
            "nft": [
                *NFT,
                "ct state established,related accept",
                'iifname "lo" accept',
                "meta l4proto icmp accept",
                "counter packets 1 bytes 60 reject",
                "}",
                "}",
            ]
        },
        {},
        {},
    ),
    ("linux.openssh", "blocker", {"sshd_program": ""}, {}, PUSH),
    ("linux.openssh", "blocker", {}, {SSHD: None}, PUSH),
    ("linux.ssh-port", "blocker", {}, {SSHD: f"Port 2022\n{GOOD_SSHD}"}, PUSH),
    ("linux.ssh-users", "blocker", {}, {SSHD: f"AllowUsers ec2-user admin\n{GOOD_SSHD}"}, PUSH),
    ("linux.ssh-match", "warning", {}, {SSHD: f"{GOOD_SSHD}Match Address 10.*\n PermitRootLogin no\n"}, PUSH),
    ("linux.ssh-match", "blocker", {}, {SSHD: f"{GOOD_SSHD}Match all\nPasswordAuthentication no\n"}, PUSH),
    ("linux.ssh-match", "blocker", {}, {SSHD: f"{GOOD_SSHD}Match User root\nPermitRootLogin no\n"}, PUSH),
    ("linux.ssh-match", "blocker", {}, {SSHD: f"{GOOD_SSHD}Match User r* Group root\nPermitRootLogin no\n"}, PUSH),
    ("linux.ssh-match", "warning", {}, {SSHD: f"{GOOD_SSHD}Match User root Address 10.*\nPermitRootLogin no\n"}, PUSH),
    (
        "linux.ssh-match",
        "blocker",
        {},
        {SSHD: f"{GOOD_SSHD}Match Address 10.*\nPermitRootLogin yes\nMatch all\nPermitRootLogin no\n"},
        PUSH,
    ),
    ("linux.selinux", "warning", {"selinux_enforcing": "1", "selinux_type": "mls"}, {}, PUSH),
]


@pytest.mark.parametrize(("rule", "severity", "lines", "files", "want"), BROKEN)
def test_a_host_that_breaks_one_rule_is_told_of_that_one_only(kit, rule, severity, lines, files, want):
    plan = kit.planned(source(**want), kit.linux(READY | lines, files))
    assert kit.rules(plan) == {rule: severity}
    assert all(finding.text and finding.remedy and finding.source for finding in plan.findings)


@pytest.mark.parametrize("want", [{}, PUSH, {"time_service": "required"}, {"fstab_by_uuid": True}])
def test_a_sound_host_breaks_none(kit, want):
    assert kit.rules(kit.planned(source(**want), kit.linux(READY))) == {}


def test_every_rule_has_a_host_that_breaks_it():
    known = {rule.id for rule in linux_rules.RULES} | {linux_rules.NOT_ROOT.id}
    assert known == {rule for rule, *_ in BROKEN}


@pytest.mark.parametrize(
    ("lines", "files"),
    [
        ({"mount": None, "writable /": None, "block": None, "part": None}, {FSTAB: None}),
        ({"packages": None, "package": None, "package_database": None}, {}),
        ({"runlevel": "unknown"}, {}),
        ({"kernel_modules": None, "cmdline": None, "grub": None, "initrd_storvsc": None}, {}),
        ({"free_kib /": None, "free_kib /usr/local": "", "free_kib /boot": None}, {}),
        ({"groups": None, "shadow_field": None, "ssh_at_boot": None}, {}),
        ({"c_locale": None, "work_noexec": None, "grub_missing": None}, {}),
    ],
)
def test_what_a_host_cannot_tell_is_no_blocker(kit, lines, files):
    plan = kit.planned(source(**PUSH), kit.linux(READY | lines, files))
    assert plan.blockers == ()


@pytest.mark.parametrize(
    ("lines", "files", "want"),
    [
        ({"kernel": "5.15.0-1055-aws", "initrd_storvsc": None}, {}, {"kernels": ["5.15.0-1055-aws"]}),
        ({}, {FSTAB: "UUID=1 / ext4\n/dev/vg/boot /boot ext4 noauto\n"}, {}),
        (
            {"mount": "/ /dev/mapper/vg-root xfs rw", "block": [*LVM[:3], "dm-0\tvg-root\tLVM-a\txvda2"]},
            {FSTAB: ""},
            {},
        ),
        (
            {
                "mount": "/ /dev/sda2[/@/.snapshots/1/snapshot] btrfs rw",
                "block": ["sda\t\t\t", "sda2\t\t\t"],
                "part": "sda2\tsda",
            },
            {FSTAB: ""},
            {},
        ),
        ({"mount": "/ /dev/disk/by-uuid/1 ext4 rw", "resolved /dev/disk/by-uuid/1": "/dev/xvda2"}, {FSTAB: ""}, {}),
        ({"iptables": ["-P INPUT DROP", "-A INPUT -p tcp -m multiport --dports 22,80 -j ACCEPT"]}, {}, {}),
        (
            {
                "iptables": [
                    "-P INPUT ACCEPT",
                    "-A INPUT -j IN_X",
                    "-A IN_X -p tcp --dport 22 -j ACCEPT",
                    "-A INPUT -j REJECT",
                ]
            },
            {},
            {},
        ),
        ({"nft": [*NFT, "tcp dport { 22, 80 } accept", "}", "}"]}, {}, {}),
        ({"nft": [*NFT, "jump zones", "}", "chain zones {", "tcp dport ssh accept", "}", "}"]}, {}, {}),
        ({"nft": [*NFT, "tcp dport @open accept", "}", "}"]}, {}, {}),
        ({}, {SSHD: f"Port 22\nPort 2022\n{GOOD_SSHD}"}, PUSH),
        ({}, {SSHD: f"AllowUsers ec2-user root@10.*\n{GOOD_SSHD}"}, PUSH),
        ({}, {SSHD: f"AllowGroups wheel\n{GOOD_SSHD}"}, PUSH),
        ({}, {SSHD: f"{GOOD_SSHD}Match User backup\n PasswordAuthentication no\n"}, PUSH),
        ({}, {SSHD: f"{GOOD_SSHD}Match User *,!root\n PermitRootLogin no\n"}, PUSH),
        ({}, {SSHD: f"{GOOD_SSHD}Match Group sftponly\n PermitRootLogin no\n"}, PUSH),
        (
            {},
            {SSHD: f"{GOOD_SSHD}Match User root\n PermitRootLogin yes\nMatch all\n PermitRootLogin no\n"},
            PUSH,
        ),
        ({}, {SSHD: f"Include d/*.conf\n{GOOD_SSHD}", "/etc/ssh/d/a.conf": "Port 22\n"}, PUSH),
        ({"cloud_init": ["installed", "disabled"]}, {}, {}),
    ],
)
def test_what_only_looks_wrong_is_none(kit, lines, files, want):
    plan = kit.planned(source(**want), kit.linux(READY | {"groups": "root wheel"} | lines, files))
    assert kit.rules(plan) == {}
    assert plan.changes == ()


def test_a_machine_with_its_agent_running_is_asked_only_what_still_matters(kit):
    lines = {
        "mobility": "installed",
        "mobility_status": "Succeeded",
        "vxagent": "running",
        "free_kib /": "1000",
        "kernel": "9.9.9-own",
        "package": None,
        "runlevel": "1",
        "shadow_field": "*",
        "initrd_storvsc": None,
    }
    plan = kit.planned(source(**PUSH), kit.linux(lines, {SSHD: "PermitRootLogin no\n"}))
    assert kit.rules(plan) == {}
    assert plan.changes == ()
    assert plan.missing == ()


@pytest.mark.parametrize(
    ("os", "own", "package"),
    [
        ("sles 11.4", "dhcpcd", "dhcpcd"),
        ("sles 12.5", "dhclient", "dhcp-client"),
        ("sles 15.4", "wicked", "wicked"),
        ("ubuntu 24.04", "dhclient", "isc-dhcp-client"),
        ("debian 12", "dhclient", "isc-dhcp-client"),
        ("rocky 9.4", "dhclient", "dhcp-client"),
        ("rhel 10.0", "NetworkManager", "NetworkManager"),
    ],
)
def test_each_distribution_is_asked_for_the_dhcp_client_of_its_own(kit, os, own, package):
    name, version = os.split()
    lines = READY | {"os_release": None, "os_id": name, "os_version": version}

    def found(*clients):
        plan = kit.planned(source(), kit.linux(lines | {"dhcp_client": list(clients)}))
        return [(str(f.severity), package in f.remedy) for f in plan.findings if f.rule == "linux.dhcp-client"]

    assert found("udhcpc", own) == []
    assert found("udhcpc") == [("warning", True)]
    assert found("") == [("blocker", True)]
