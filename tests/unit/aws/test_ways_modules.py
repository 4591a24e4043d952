"""The modules about ways and security groups: what they make of their parameters and of EC2."""

from types import SimpleNamespace

import pytest
from moto import mock_aws

from asr_migrate.aws import ec2 as aws

from .test_modules import ROOT, load

APPLIANCE = {"name": "ra-1", "address": "10.20.0.20"}


def module(monkeypatch, name):
    return load(monkeypatch, ROOT / "plugins" / "modules" / f"{name}.py")


def filled(plugin, **given):
    """Return a module's parameters with their defaults, as Ansible gives them to ``run``."""
    return {name: option.get("default") for name, option in plugin.ARGUMENT_SPEC.items()} | given


@pytest.fixture
def machine(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL_EC2", raising=False)
    with mock_aws():
        ec2 = aws.client()
        vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.0.0/20")["Subnet"]["SubnetId"]
        group = ec2.create_security_group(GroupName="all", Description="all", VpcId=vpc)["GroupId"]
        image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        ids = {}
        for address in ("10.20.1.21", APPLIANCE["address"]):
            nic = {"DeviceIndex": 0, "SubnetId": subnet, "PrivateIpAddress": address, "Groups": [group]}
            made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, NetworkInterfaces=[nic])
            ids[address] = made["Instances"][0]["InstanceId"]
        row = {"name": "web", "addresses": ["10.20.1.21"], "os": "windows", "source_id": ids["10.20.1.21"]}
        yield SimpleNamespace(row=row, vpc=vpc, group=group)


def test_ways_are_judged_by_what_was_reached_and_by_ec2(monkeypatch, machine):
    plugin, warned = module(monkeypatch, "ways"), []
    reached = {"web": {"10.20.0.20:443": True, "10.20.0.20:9443": False}, "ra-1": {}}
    params = filled(plugin, machines=[machine.row], appliance=APPLIANCE, architecture="modernized", reached=reached)
    result = plugin.run(params, SimpleNamespace(warn=warned.append))
    assert (result["changed"], warned) == (False, [])
    assert result["table"][1].split()[:3] == ["web", "open", "closed"]
    assert any("security group all" in text and "lacks inbound TCP 9443" in text for text in result["not_open"])


def test_without_ec2_the_ways_are_judged_by_what_was_reached_alone(monkeypatch):
    plugin, warned = module(monkeypatch, "ways"), []
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    row = {"name": "web", "addresses": ["10.20.1.21"], "os": "linux", "source_id": "web"}
    params = filled(plugin, machines=[row], appliance=APPLIANCE, architecture="classic", push=False, reached={})
    result = plugin.run(params, SimpleNamespace(warn=warned.append))
    assert [way["state"] for way in result["ways"]] == ["not tried", "not tried"]
    assert "the security groups could not be read" in result["not_open"][0]
    assert len(warned) == 1


def test_security_groups_lists_in_check_mode_what_it_would_add(monkeypatch, machine):
    plugin = module(monkeypatch, "security_groups")
    given = {"group": machine.group, "address": APPLIANCE["address"], "vpc": machine.vpc, "machines": [machine.row]}
    params = filled(plugin, architecture="modernized", **given)
    planned = plugin.run(params, SimpleNamespace(check_mode=True))
    assert planned["changed"] is True
    assert {row["ports"] for row in planned["added"]} == {"443", "9443", "135", "139", "445", "49152-65535"}
    assert [write["method"] for write in planned["writes"]] == ["POST"] * 6
    done = plugin.run(params, SimpleNamespace(check_mode=False))
    assert (done["added"], done["writes"]) == (planned["added"], [])
    assert plugin.run(params, SimpleNamespace(check_mode=False))["changed"] is False


def test_security_groups_of_a_group_that_check_mode_did_not_make_asks_nothing(monkeypatch):
    plugin = module(monkeypatch, "security_groups")
    params = filled(plugin, address="10.20.0.20", vpc="vpc-1", architecture="classic")
    assert plugin.run(params, SimpleNamespace(check_mode=True)) == {"changed": False, "added": [], "writes": []}
