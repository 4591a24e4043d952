"""What a real SSH client finds on a simulated Linux host."""

import hashlib
import os
import subprocess

import pytest


def test_a_command_gives_back_its_output_and_exit_code(site):
    done = site.ssh("db-rhel67", "id -un; pwd; exit 7")
    assert (done.returncode, done.stdout) == (7, "ec2-user\n/home/ec2-user\n")


def test_megabytes_pass_through_standard_input(site):
    data = os.urandom(5_000_000)
    done = site.ssh("db-rhel67", "cat > /tmp/package && sha256sum < /tmp/package", stdin=data)
    assert done.stdout.split()[0] == hashlib.sha256(data).hexdigest()


def test_a_host_of_rhel_6_has_no_python_and_no_systemd(site):
    done = site.ssh("db-rhel67", "for c in python python3 systemctl chkconfig; do command -v $c; done; uname -r")
    assert done.stdout.split() == ["2.6.32-573.el6.x86_64"]
    assert site.ssh("db-rhel67", "sudo -n sh -c 'command -v chkconfig'").stdout.strip() == "/sbin/chkconfig"
    assert site.ssh("db-rhel67", "/usr/bin/python3 -V").returncode == 127


def test_only_sudo_may_change_what_root_owns(site):
    assert site.ssh("db-rhel67", "echo x > /etc/motd").returncode != 0
    done = site.ssh("db-rhel67", "sudo -n sh -c 'id -u; echo x > /etc/motd' && cat /etc/motd")
    assert done.stdout == "0\nx\n"


def test_files_stay_as_long_as_the_lab_runs(site):
    site.ssh("db-rhel67", "sudo -n sh -c 'umask 077; echo kept > /root/kept'")
    assert site.ssh("db-rhel67", "sudo -n stat -c %a /root/kept").stdout == "600\n"


def test_the_machine_that_runs_the_lab_cannot_be_changed_from_a_host(site):
    done = site.ssh("db-rhel67", "sudo -n sh -c 'echo x > /.machine/usr/bin/id'")
    assert "Read-only file system" in done.stderr


def test_a_host_cannot_reach_the_network_of_the_machine(site):
    assert site.ssh("db-rhel67", "bash -c '</dev/tcp/127.134.1.13/2222'").returncode != 0
    assert site.ssh("db-rhel67", "hostname -I").stdout.split() == ["10.20.1.13"]


def test_a_port_of_the_server_answers_until_it_is_blocked(site):
    reach = "bash -c '</dev/tcp/10.20.0.10/9443'"
    assert site.ssh("db-rhel67", reach).returncode == 0
    site.surroundings.closed.add(9443)
    refused = site.ssh("db-rhel67", reach)
    assert refused.returncode != 0
    assert "Connection refused" in refused.stderr


def test_a_stopped_instance_lets_nobody_in(site):
    site.surroundings.off.add("10.20.1.13")
    assert site.ssh("db-rhel67", "true").returncode == 255


def test_root_comes_in_only_when_sshd_lets_it(site):
    assert "Permission denied" in site.ssh("db-rhel67", "id -u", user="root").stderr
    edit = "sed -i 's/^PermitRootLogin.*/PermitRootLogin yes/' /etc/ssh/sshd_config"
    site.ssh("db-rhel67", f'sudo -n sh -c "{edit}"')
    assert "Permission denied" in site.ssh("db-rhel67", "id -u", user="root").stderr
    site.ssh("db-rhel67", "sudo -n service sshd restart")
    assert site.ssh("db-rhel67", "id -u", user="root").stdout == "0\n"


def test_a_wrong_host_key_is_noticed(site):
    done = subprocess.run(
        [
            *("ssh", "-F", "none", "-p", "2222", "-o", "BatchMode=yes", "-o", "UserKnownHostsFile=/dev/null"),
            *("-o", "GlobalKnownHostsFile=/dev/null", "ec2-user@127.134.1.22", "true"),
        ],
        capture_output=True,
        check=False,
        text=True,
        timeout=30,
    )
    assert "Host key verification failed" in done.stderr


def test_sshd_refuses_to_start_with_a_bad_configuration(site):
    done = site.ssh(
        "db-rhel8", "echo Nonsense yes | sudo -n tee -a /etc/ssh/sshd_config; sudo -n systemctl restart sshd"
    )
    assert done.returncode != 0
    assert "Bad configuration option: Nonsense" in done.stderr


def test_a_skewed_clock_shows_and_is_cured_by_its_time_service(site):
    site.hosts["db-rhel8"].plant({"skew_s": 960})
    wrong, right = (int(t) for t in site.ssh("db-rhel8", "date -u +%s; /.machine/usr/bin/date -u +%s").stdout.split())
    assert 955 <= wrong - right <= 965
    site.ssh("db-rhel8", "sudo -n chronyc makestep")
    assert "960" in site.ssh("db-rhel8", "chronyc tracking").stdout
    site.hosts["db-rhel8"].plant({"skew_s": 0})
    assert "No" not in site.ssh("db-rhel8", "timedatectl show").stdout


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ((), "no matching key exchange method found"),
        (("KexAlgorithms=+diffie-hellman-group14-sha1",), "no matching host key type found. Their offer: ssh-rsa"),
        (("KexAlgorithms=+diffie-hellman-group14-sha1", "HostKeyAlgorithms=+ssh-rsa"), "Permission denied (publickey)"),
    ],
)
def test_todays_ssh_must_be_told_of_each_algorithm_of_openssh_5(site, told, problem):
    done = site.ssh("db-rhel67", "true", options=told)
    assert done.returncode == 255
    assert problem in done.stderr


def test_a_host_with_a_newer_openssh_needs_no_options(site):
    assert site.ssh("db-rhel8", "true", options=()).returncode == 0
