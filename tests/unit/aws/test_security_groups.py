"""Security groups of an appliance and its sources: what they lack, and that only that is added."""

import pytest
from moto import mock_aws

from asr_migrate.aws import appliance_groups, ec2, security_groups
from asr_migrate.aws.appliance_groups import Ports, Wanted
from asr_migrate.domain.errors import ServiceError
from asr_migrate.hosts.ports import between

ANY = "0.0.0.0/0"


def ports(push=True):
    return Ports(
        to_appliance=between("source", "appliance", architecture="modernized"),
        from_admin=between("admin", "appliance", architecture="modernized"),
        to_azure=between("appliance", "internet", architecture="modernized"),
        to_source={
            os: between("appliance", "source", architecture="modernized", os=os, push=push)
            for os in ("windows", "linux")
        },
        between_sources=between("source", "source", architecture="modernized", group=True),
    )


class Cloud:
    """A VPC with an appliance's group and instances with groups of their own."""

    def __init__(self):
        self.client = ec2.client("eu-west-1")
        self.vpc = self.client.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        made = self.client.create_subnet(VpcId=self.vpc, CidrBlock="10.20.1.0/24")
        self.subnet = made["Subnet"]["SubnetId"]
        images = self.client.describe_images(Owners=["amazon"])["Images"]
        self.image = next(row["ImageId"] for row in images if row.get("Platform") != "windows")
        self.appliance = self.group("appliance")
        self.sources = self.group("sources")

    def group(self, name):
        return self.client.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"]

    def instance(self, address, *groups):
        nic = {"DeviceIndex": 0, "SubnetId": self.subnet, "PrivateIpAddress": address, "Groups": list(groups)}
        made = self.client.run_instances(ImageId=self.image, MinCount=1, MaxCount=1, NetworkInterfaces=[nic])
        return made["Instances"][0]["InstanceId"]

    def let_in(self, group, first, last, cidr):
        rule = {"IpProtocol": "tcp", "FromPort": first, "ToPort": last, "IpRanges": [{"CidrIp": cidr}]}
        self.client.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])

    def let_nothing_out(self, group):
        rows = self.client.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"]
        self.client.revoke_security_group_egress(GroupId=group, IpPermissions=rows)

    def wanted(self, *ids, **more):
        found = security_groups.ends(self.client, ids)
        return Wanted(self.appliance, "10.20.0.20", self.vpc, sources=list(found.values()), **more)

    def ensure(self, *ids, change=True, **more):
        lacks = appliance_groups.ensure(self.client, self.wanted(*ids, **more), ports(), change=change)
        return [f"{lack.group_name} {lack.direction} {lack.ports}" for lack in lacks]


@pytest.fixture
def cloud(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.delenv("AWS_ENDPOINT_URL_EC2", raising=False)
    with mock_aws():
        yield Cloud()


def test_what_is_missing_is_added_once_for_a_group_with_many_machines(cloud):
    ids = [cloud.instance(f"10.20.1.{number}", cloud.sources) for number in (21, 22)]
    added = ["appliance inbound 443", "appliance inbound 9443", "sources inbound 22"]
    assert cloud.ensure(*ids) == added
    assert cloud.ensure(*ids) == []


def test_check_mode_adds_nothing(cloud):
    machine = cloud.instance("10.20.1.21", cloud.sources)
    first = cloud.ensure(machine, change=False)
    assert first
    assert cloud.ensure(machine, change=False) == first


def test_a_wider_rule_that_is_there_suffices_and_stays(cloud):
    machine = cloud.instance("10.20.1.21", cloud.sources)
    cloud.let_in(cloud.appliance, 0, 65535, "10.20.0.0/16")
    cloud.let_in(cloud.sources, 20, 25, "10.20.0.20/32")
    assert cloud.ensure(machine) == []
    rules = cloud.client.describe_security_groups(GroupIds=[cloud.sources])["SecurityGroups"][0]["IpPermissions"]
    assert [(rule["FromPort"], rule["ToPort"]) for rule in rules] == [(20, 25)]


def test_any_group_of_an_instance_may_let_it_through(cloud):
    other = cloud.group("other")
    machine = cloud.instance("10.20.1.21", cloud.sources, other)
    cloud.let_in(other, 22, 22, ANY)
    assert cloud.ensure(machine) == ["appliance inbound 443", "appliance inbound 9443"]


def test_groups_that_let_nothing_out_get_just_the_ways_that_are_needed(cloud):
    machine = cloud.instance("10.20.1.21", cloud.sources)
    for group in (cloud.sources, cloud.appliance):
        cloud.let_nothing_out(group)
    added = cloud.ensure(machine)
    assert {row for row in added if "outbound" in row} == {
        "appliance outbound 443",
        "appliance outbound 22",
        "sources outbound 443",
        "sources outbound 9443",
    }
    assert cloud.ensure(machine) == []


def test_machines_that_share_recovery_points_reach_each_other(cloud):
    ids = [cloud.instance(f"10.20.1.{number}", cloud.sources) for number in (21, 22)]
    cloud.ensure(*ids)
    names = [end.name for end in cloud.wanted(*ids).sources]
    assert cloud.ensure(*ids, together=[names]) == ["sources inbound 20004"]
    assert cloud.ensure(*ids, together=[names]) == []


def test_networks_of_sources_and_administrators_are_let_in_and_the_sources_groups_can_be_left_alone(cloud):
    machine = cloud.instance("10.20.1.21", cloud.sources)
    added = cloud.ensure(machine, source_cidrs=["10.20.1.0/24"], admin_cidrs=["10.20.0.0/24"], sources_too=False)
    assert added == [f"appliance inbound {port}" for port in ("443", "9443", "44368", "3389", "5986")]


def test_a_way_names_the_rule_that_each_side_lacks(cloud):
    source = cloud.instance("10.20.1.21", cloud.sources)
    target = cloud.instance("10.20.1.20", cloud.appliance)
    cloud.let_nothing_out(cloud.sources)
    ends = security_groups.ends(cloud.client, [source, target])
    known = security_groups.read_groups(cloud.client, [cloud.sources, cloud.appliance])
    texts = [lack.text for lack in known.way(ends[source], ends[target], (443, 443), "control")]
    assert texts == [
        f"security group sources ({cloud.sources}) lacks outbound TCP 443 to {cloud.appliance}",
        f"security group appliance ({cloud.appliance}) lacks inbound TCP 443 from {cloud.sources}",
    ]
    assert security_groups.end_at(cloud.client, "10.20.1.20").groups == (cloud.appliance,)
    assert security_groups.end_at(cloud.client, "10.20.1.99") is None


def test_groups_are_given_by_id_or_name_and_an_unknown_one_is_named(cloud):
    assert security_groups.ids_of(cloud.client, ["sources", cloud.appliance], cloud.vpc) == [
        cloud.sources,
        cloud.appliance,
    ]
    with pytest.raises(ServiceError, match="no security group nobody"):
        security_groups.ids_of(cloud.client, ["nobody"], cloud.vpc)


def test_a_rule_that_somebody_else_added_meanwhile_is_no_error(cloud):
    machine = cloud.instance("10.20.1.21", cloud.sources)
    known = security_groups.read_groups(cloud.client, [cloud.appliance, cloud.sources])
    lack = appliance_groups.missing(known, cloud.wanted(machine), ports())[0]
    security_groups.open_way(cloud.client, lack)
    security_groups.open_way(cloud.client, lack)
