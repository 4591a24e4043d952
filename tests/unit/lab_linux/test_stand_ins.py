"""The commands of a simulated host that stand for real ones answer as those are documented to."""

import pytest


@pytest.mark.parametrize(
    ("name", "command", "answer"),
    [
        ("db-rhel67", "findmnt -rn -o TARGET,SOURCE,FSTYPE /", "/ /dev/xvda1 ext4\n"),
        ("db-rhel8", "findmnt -n -o SOURCE -T /etc/ssh", "/dev/nvme0n1p2\n"),
        ("db-rhel8", "df -Pk / | awk 'NR == 2 { print $1, $6 }'", "/dev/nvme0n1p2 /\n"),
        ("db-rhel67", "mount | sed -n 1p", "/dev/xvda1 on / type ext4 (rw,relatime)\n"),
        ("db-rhel67", "rpm -q --qf '%{NAME} %{VERSION} %{RELEASE}\\n' lvm2", "lvm2 2.02.118 3.el6\n"),
        ("db-rhel67", "rpm -qa 'openssh*'", "openssh-server-5.3p1-111.el6.x86_64\nopenssh-5.3p1-111.el6.x86_64\n"),
        ("db-rhel8", "rpm -q openssl", "openssl-1.1.1k-9.el8_7.x86_64\n"),
        ("db-rhel67", "runlevel", "N 3\n"),
        ("db-rhel67", "cat /selinux/enforce", "1"),
        ("db-rhel67", "ls -Zd /etc/hosts", "-rw-r--r--. root root system_u:object_r:net_conf_t:s0 /etc/hosts\n"),
        ("db-rhel8", "ls -Zd /etc/hosts", "system_u:object_r:net_conf_t:s0 /etc/hosts\n"),
        ("db-rhel67", "cat /sys/class/block/xvda1/partition", "1\n"),
        ("db-rhel67", "readlink -f /sys/class/block/xvdf", "/sys/devices/vbd-51792/block/xvdf\n"),
        ("db-rhel8", "cat /sys/hypervisor/type || echo nitro", "nitro\n"),
        ("db-rhel8", "uname -m", "x86_64\n"),
    ],
)
def test_it_answers_as_the_real_one(site, name, command, answer):
    assert site.ssh(name, f"PATH=$PATH:/usr/sbin; {command}").stdout == answer


def test_the_device_of_a_file_system_is_found_by_its_uuid(site):
    uuid = site.ssh("db-rhel67", "/usr/sbin/blkid -s UUID -o value /dev/xvda1").stdout.strip()
    assert f"root=UUID={uuid}" in site.ssh("db-rhel67", "cat /proc/cmdline").stdout
    assert site.ssh("db-rhel67", f"readlink -f /dev/disk/by-uuid/{uuid}").stdout == "/dev/xvda1\n"


def test_a_broken_package_database_fails_every_question(site):
    site.hosts["db-rhel8"].plant({"file": {"/var/lib/lab/package_database_broken": "error: rpmdb open failed\n"}})
    done = site.ssh("db-rhel8", "rpm -qa")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "error: rpmdb open failed\n")


def test_a_new_file_has_the_context_of_its_folder_until_it_is_given_another(site):
    made = site.ssh("db-rhel8", "sudo -n sh -c 'cp -p /etc/hosts /etc/fresh; ls -Z /etc/fresh'").stdout
    assert made == "unconfined_u:object_r:etc_t:s0 /etc/fresh\n"
    given = site.ssh("db-rhel8", "sudo -n sh -c 'chcon --reference=/etc/hosts /etc/fresh; ls -Z /etc/fresh'").stdout
    assert given == "system_u:object_r:net_conf_t:s0 /etc/fresh\n"


def test_root_may_read_the_initial_ram_disk_and_others_may_not(site):
    listing = "lsinitrd /boot/initramfs-$(uname -r).img | grep -c hv_storvsc"
    assert site.ssh("db-rhel67", f"sudo -n sh -c '{listing}'").stdout == "1\n"


def test_a_planted_shortage_of_space_shows_in_df(site):
    site.hosts["db-rhel67"].plant({"root_free_kb": 900_000})
    assert site.ssh("db-rhel67", "df -Pk /usr/local | awk 'NR == 2 { print $4 }'").stdout == "900000\n"


def test_the_packet_filter_shows_its_rules_to_root_only(site):
    site.hosts["db-rhel67"].plant({"file": {"/var/lib/lab/firewall": "-P INPUT DROP\n"}})
    assert site.ssh("db-rhel67", "/usr/sbin/iptables -S").returncode == 1
    assert site.ssh("db-rhel67", "sudo -n iptables -S").stdout == "-P INPUT DROP\n"
