"""The stand-ins for the Mobility service of Linux: refusals with the documented codes, and what success leaves."""

import hashlib

import pytest

from asr_lab.hosts import mobility_config
from asr_lab.hosts.linux.installers import pack

INSTALL = "sudo -n /tmp/ua/install -q -d /usr/local/ASR -r MS -v VmWare -c CSLegacy"
REGISTER = "sudo -n /usr/local/ASR/Vx/bin/UnifiedAgentConfigurator.sh -i 10.20.0.10 -P /tmp/passphrase -c CSLegacy"
NAME_ITSELF = "echo 10.20.1.13 db-rhel67 | sudo -n tee -a /etc/hosts"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ("-r Agent -v VmWare -c CSLegacy", 98),
        ("-r MS -v Hyper-V -c CSLegacy", 96),
        ("-r MS -v VmWare -c CSWrong", 96),
        ("-r MS -v VmWare -c CSLegacy -z", 96),
        ("-r MS -v VmWare -c CSLegacy -d relative", 156),
        ("-r MS -v VmWare -d relative", 97),
        ("-r MS -v VmWare -c CSLegacy -a Upgrade", 97),
    ],
)
def test_the_installer_refuses_wrong_options_with_its_exit_codes(site, options, code):
    site.unpack("db-rhel67", "RHEL6-64")
    done = site.ssh("db-rhel67", f"sudo -n /tmp/ua/install -q {options}")
    assert done.returncode == code
    assert f"Exit code: {code}" in site.ssh("db-rhel67", "cat /var/log/ua_install.log").stdout


def test_the_installer_wants_root(site):
    site.unpack("db-rhel67", "RHEL6-64")
    assert site.ssh("db-rhel67", "/tmp/ua/install -q -r MS -v VmWare -c CSLegacy").returncode == 119


@pytest.mark.parametrize(("cs_type", "code"), [("CSLegacy", 149), ("CSPrime", 97)])
def test_the_package_of_another_distribution_is_refused(site, cs_type, code):
    site.unpack("db-rhel67", "RHEL8-64")
    assert site.ssh("db-rhel67", f"sudo -n /tmp/ua/install -q -r MS -v VmWare -c {cs_type}").returncode == code


def test_the_installer_wants_space(site):
    site.hosts["db-rhel67"].plant({"root_free_kb": 900_000})
    site.unpack("db-rhel67", "RHEL6-64")
    assert site.ssh("db-rhel67", INSTALL).returncode == 99


def test_installation_and_registration_leave_what_the_documentation_says(site):
    site.unpack("db-rhel67", "RHEL6-64")
    assert site.ssh("db-rhel67", INSTALL).returncode == 0
    assert site.hosts["db-rhel67"].describe().agent_version is None
    site.ssh("db-rhel67", f"{NAME_ITSELF}; cat > /tmp/passphrase", stdin=b"correct horse")
    done = site.ssh("db-rhel67", REGISTER)
    assert done.returncode == 0, done.stdout
    assert site.surroundings.registered == ["db-rhel67"]
    left = site.ssh("db-rhel67", "cat /usr/local/.vx_version /usr/local/ASR/Vx/etc/drscout.conf").stdout
    assert "AGENT_CONFIGURATION_STATUS=Succeeded" in left
    assert "Hostname=10.20.0.10" in left
    assert site.ssh("db-rhel67", "sudo -n service vxagent status").returncode == 0
    assert site.hosts["db-rhel67"].describe().agent_version == pack.VERSION


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        ("rm /tmp/passphrase", 1, "is missing"),
        ("echo wrong > /tmp/passphrase", 14, "passphrase is not that"),
        ("sudo -n sed -i /db-rhel67/d /etc/hosts", 119, "No Valid IP Address found"),
    ],
)
def test_the_configurator_refuses_with_its_exit_codes(site, spoil, code, words):
    site.unpack("db-rhel67", "RHEL6-64")
    site.ssh("db-rhel67", f"{INSTALL}; {NAME_ITSELF}; cat > /tmp/passphrase; {spoil}", stdin=b"correct horse")
    done = site.ssh("db-rhel67", REGISTER)
    assert done.returncode == code
    assert words in done.stdout
    assert words in site.ssh("db-rhel67", "cat /var/log/ua_install.log").stdout


def test_the_configurator_needs_port_443_of_the_server(site):
    site.unpack("db-rhel67", "RHEL6-64")
    site.ssh("db-rhel67", f"{INSTALL}; {NAME_ITSELF}; cat > /tmp/passphrase", stdin=b"correct horse")
    site.surroundings.closed.add(443)
    done = site.ssh("db-rhel67", REGISTER)
    assert done.returncode == 14
    assert "(7)" in done.stdout


def test_the_configurator_refuses_another_type_and_a_bad_address(site):
    site.unpack("db-rhel67", "RHEL6-64")
    site.ssh("db-rhel67", f"{INSTALL}; echo x > /tmp/passphrase")
    assert site.ssh("db-rhel67", REGISTER.replace("CSLegacy", "CSPrime")).returncode == 96
    assert site.ssh("db-rhel67", REGISTER.replace("10.20.0.10", "legacy-cs")).returncode == 3


def test_a_push_names_every_obstacle_in_turn_and_then_installs(site):
    host = site.hosts["db-rhel8"]
    assert host.push_mobility("linux-root", "10.20.0.20").code == "95117"
    site.ssh("db-rhel8", "echo 10.20.1.22 db-rhel8 | sudo -n tee -a /etc/hosts")
    assert host.push_mobility("linux-root", "10.20.0.20").causes == "sshd refuses the login of root with a password."
    edit = "s/^PermitRootLogin.*/PermitRootLogin yes/; s/^PasswordAuthentication.*/PasswordAuthentication yes/"
    site.ssh("db-rhel8", f"sudo -n sed -i '{edit}' /etc/ssh/sshd_config; sudo -n systemctl restart sshd")
    assert (
        host.push_mobility("linux-root", "10.20.0.20").causes == "the password of account 'linux-root' is not root's."
    )
    site.ssh("db-rhel8", "sudo -n chpasswd", stdin=b"root:Root-Password-1\n")
    assert host.push_mobility("linux-root", "10.20.0.20") is None
    assert host.describe().agent_version == pack.VERSION
    assert "AGENT_TYPE=CSPrime" in site.ssh("db-rhel8", "cat /usr/local/.vx_version").stdout


def test_packages_are_the_same_each_time_and_have_checksums(tmp_path):
    pack.write_all(tmp_path)
    pack.write_checksums(tmp_path)
    for line in (tmp_path / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest
    assert pack.package("RHEL6-64") == pack.package("RHEL6-64")


def install_version(site, version, options="-r MS -v VmWare -c CSLegacy"):
    """Unpack a version of the package and run its installer; return the exit code."""
    site.ssh(
        "db-rhel67",
        "rm -rf /tmp/ua; mkdir -p /tmp/ua && cd /tmp/ua && tar xzf -",
        stdin=pack.package("RHEL6-64", version),
    )
    return site.ssh("db-rhel67", f"sudo -n /tmp/ua/install -q {options}").returncode


def test_versions_are_upgraded_kept_or_refused_by_the_published_codes(site):
    assert install_version(site, "9.54.0.0", "-r MS -v VmWare -c CSLegacy") == 96
    assert install_version(site, "9.54.0.0", "-r MS -v VmWare") == 0
    assert install_version(site, "9.58.0.0", "-v VmWare -c CSLegacy -a Install") == 97
    assert install_version(site, "9.58.0.0", "-v VmWare -c CSLegacy") == 0
    assert install_version(site, "9.57.0.0", "-v VmWare -c CSLegacy") == 15
    assert install_version(site, "9.63.0.0", "-v VmWare -c CSLegacy -a Upgrade") == 98
    assert install_version(site, "9.63.0.0", "-v VmWare -c CSLegacy") == 0
    assert install_version(site, "9.66.0.0", "-v VmWare") == 97
    assert install_version(site, "10.0.0.0", "-v VmWare -c CSLegacy") == 11
    site.ssh("db-rhel67", "sudo -n sed -i s/^VmPlatform=.*/VmPlatform=Azure/ /usr/local/ASR/Vx/etc/drscout.conf")
    assert install_version(site, "9.66.0.0", "-v VmWare -c CSLegacy") == 76


def test_a_registered_agent_is_not_registered_elsewhere_until_it_is_unconfigured(site):
    assert install_version(site, "9.59.0.0") == 0
    site.ssh("db-rhel67", f"{NAME_ITSELF}; cat > /tmp/passphrase", stdin=b"correct horse")
    unconfigure = "sudo -n /usr/local/ASR/Vx/bin/UnifiedAgentConfigurator.sh -q -U true -c CSLegacy"
    assert site.ssh("db-rhel67", unconfigure).returncode == 144
    assert site.ssh("db-rhel67", REGISTER).returncode == 0
    assert site.ssh("db-rhel67", REGISTER.replace("10.20.0.10", "10.20.0.11")).returncode == 13
    assert "AGENT_CONFIGURATION_STATUS=Succeeded" in site.ssh("db-rhel67", "cat /usr/local/.vx_version").stdout
    assert site.ssh("db-rhel67", unconfigure).returncode == 0


def test_the_uninstaller_is_strict_and_leaves_nothing_but_the_loaded_driver(site):
    assert install_version(site, "9.59.0.0") == 0
    uninstall = "sudo -n /usr/local/ASR/uninstall.sh"
    assert [site.ssh("db-rhel67", f"{uninstall} {words}").returncode for words in ("", "-Y -x", "-L /x")] == [1, 1, 1]
    assert site.ssh("db-rhel67", f"{uninstall} -Y -L /var/log/ua_uninstall.log").returncode == 0
    left = site.ssh("db-rhel67", "ls -d /usr/local/ASR /etc/vxagent /usr/local/.vx_version /sys/module/involflt").stdout
    assert left.split() == ["/sys/module/involflt"]


def test_azurercmcli_knows_a_modernized_agent_and_its_own_options_only(site):
    cli = "sudo -n /usr/local/ASR/Vx/bin/AzureRcmCli"
    assert install_version(site, "9.66.0.0", "-r MS -v VmWare -c CSPrime") == 0
    shown = site.ssh("db-rhel67", f"{cli} --getagentconfiginput --logfile /tmp/x.log")
    assert mobility_config.config_json(shown.stdout, "10.20.0.20")
    assert site.ssh("db-rhel67", f"{cli} --register").returncode == 120
    site.ssh("db-rhel67", "sudo -n sed -i s/CSPrime/CSLegacy/ /usr/local/.vx_version")
    assert site.ssh("db-rhel67", f"{cli} --getagentconfiginput").returncode == 130


@pytest.mark.parametrize("tag", pack.DHCP_CLIENT)
def test_every_package_knows_kernels(tag):
    assert pack.kernels(tag).startswith(("*", "2", "3", "4", "5", "6"))
