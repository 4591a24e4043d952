"""The Mobility service by hand from its installation to its removal, by the project's playbooks over ssh and WinRM.

Modernized: installed, its Agent Config Input taken to the appliance's page by a person, registered with the config.json
from there, upgraded, removed. Classic hosts are prepared so in the rehearsal.
"""

import json
import os
import stat
from collections.abc import Iterator

import boto3
import pytest

from asr_lab.hosts import mobility_config

from .harness import ROOT, LabProcess, Ran, fresh_lab

HOSTS = ("web-2022", "db-rhel8")
APPLIANCE = "10.20.0.20"
FIREWALL = r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
PROFILES = ("DomainProfile", "PublicProfile", "StandardProfile")
PLAY = """
- hosts: [web-2022, db-rhel8]
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: asr.migrate.source_{{ asr_os }}
        tasks_from: "{{ tasks }}"
"""


@pytest.fixture
def lab() -> Iterator[LabProcess]:
    with fresh_lab("127.62") as running:
        (running.state / "play.yml").write_text(PLAY)
        launch_appliance(running)
        yield running


def launch_appliance(lab: LabProcess) -> None:
    """Launch an instance at the appliance's address that answers on its ports, which is all that agents need of it."""
    environment = lab.environment
    ec2 = boto3.client(
        "ec2",
        endpoint_url=environment["AWS_ENDPOINT_URL_EC2"],
        region_name=environment["AWS_DEFAULT_REGION"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    (group,) = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["appliance"]}])["SecurityGroups"]
    (subnet,) = ec2.describe_subnets(Filters=[{"Name": "cidr-block", "Values": ["10.20.0.0/24"]}])["Subnets"]
    image = next(row for row in ec2.describe_images()["Images"] if row["Name"].startswith("Windows_Server-2022"))
    ec2.authorize_security_group_ingress(
        GroupId=group["GroupId"], IpProtocol="tcp", FromPort=443, ToPort=443, CidrIp="10.20.0.0/16"
    )
    ec2.run_instances(
        ImageId=image["ImageId"],
        InstanceType="m5.2xlarge",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet["SubnetId"],
        PrivateIpAddress=APPLIANCE,
        SecurityGroupIds=[group["GroupId"]],
    )
    off = {f"{FIREWALL}\\{profile}": {"EnableFirewall": 0} for profile in PROFILES}
    lab.admin("POST", "hosts/current-appliance", {"listening": {"443": True}, "registry": off})


def run(lab: LabProcess, version: str, playbook: str = "", tasks: str = "main") -> Ran:
    """Run one of the project's playbooks, or a file of the roles' tasks, with the installers of a version."""
    windows = {"url": f"https://downloads.lab.example/Microsoft-ASR_UA_{version}_Windows_GA_15Mar2024_release.exe"}
    repository = {"directory": str(lab.state / "installers"), "version": version}
    variables = {
        "asr_mobility_installers": {"windows": windows},
        "asr_mobility_repository": repository,
        "source_linux_mobility_method": "manual",
        "source_windows_mobility_method": "manual",
        "source_linux_ports": [],
        "source_windows_ports": [],
        "asr_source_config_dir": str(lab.state / "source_config"),
        "asr_prior_dir": str(lab.state / "prior"),
        "tasks": tasks,
    }
    name = playbook or os.path.relpath(lab.state / "play", ROOT / "playbooks")
    return lab.playbook(name, "-vvv", "--limit", ",".join(HOSTS), "-e", json.dumps(variables))


def changed(ran: Ran) -> list[str]:
    """Return the hosts that a run changed; it must have ended well."""
    assert ran.code == 0, ran.output
    return sorted(host for host, row in ran.recap().items() if row["changed"])


def test_an_agent_s_life_by_hand(lab: LabProcess) -> None:
    installed = run(lab, "9.62.0.0")
    assert changed(installed) == sorted(HOSTS)
    assert "waits for its config.json" in installed.output
    for host in HOSTS:
        place = lab.state / "source_config" / f"{host}.agent-config-input.txt"
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        shown = place.read_text()
        assert shown.strip() not in installed.output
        config = place.with_name(f"{host}.json")
        config.write_text(mobility_config.config_json(shown, APPLIANCE))
        config.chmod(0o600)

    assert changed(run(lab, "9.62.0.0")) == sorted(HOSTS)
    assert changed(run(lab, "9.62.0.0")) == []

    assert changed(run(lab, "9.66.0.0", playbook="upgrade_mobility")) == sorted(HOSTS)
    assert changed(run(lab, "9.66.0.0", playbook="upgrade_mobility")) == []
    older = run(lab, "9.62.0.0", playbook="upgrade_mobility")
    assert changed(older) == []
    assert "it is kept" in older.output

    removed = run(lab, "9.66.0.0", playbook="remove_mobility")
    assert changed(removed) == sorted(HOSTS)
    assert "the filter driver stays loaded" in removed.output
    assert changed(run(lab, "9.66.0.0", playbook="remove_mobility")) == []
