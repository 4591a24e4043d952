"""The seeded EC2 estate, through real boto3 over HTTP."""

import boto3
import pytest

from asr_lab.aws.estate import load
from asr_lab.aws.server import Ec2

NET = "127.34.7"


@pytest.fixture(scope="module")
def ec2(tmp_path_factory):
    server = Ec2(load(), f"{NET}.1", 5000, tmp_path_factory.mktemp("ec2"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def client(ec2):
    yield boto3.client(
        "ec2",
        region_name="eu-west-1",
        endpoint_url=ec2.url,
        aws_access_key_id="asr-lab",
        aws_secret_access_key="not-checked",
    )
    ec2.reset()


def instances(client):
    pages = client.get_paginator("describe_instances").paginate()
    found = [i for page in pages for r in page["Reservations"] for i in r["Instances"]]
    return {next(tag["Value"] for tag in i["Tags"] if tag["Key"] == "Name"): i for i in found}


def test_eight_machines_have_the_addresses_of_the_estate(client):
    assert {name: i["PrivateIpAddress"] for name, i in instances(client).items()} == {
        "app-2008": "10.20.1.11",
        "app-2012": "10.20.1.12",
        "db-rhel67": "10.20.1.13",
        "old-rhel67pv": "10.20.1.14",
        "web-2022": "10.20.1.21",
        "db-rhel8": "10.20.1.22",
        "web-ubuntu22": "10.20.1.23",
        "batch-amzn2": "10.20.1.24",
    }


def test_tags_name_wave_owner_target_and_size(client):
    tags = {tag["Key"]: tag["Value"] for tag in instances(client)["app-2008"]["Tags"]}
    assert tags == {
        "Name": "app-2008",
        "asr:wave": "legacy",
        "asr:owner": "orders",
        "asr:target": "orders-app-01",
        "asr:size": "Standard_D2s_v3",
    }


@pytest.mark.parametrize(
    ("name", "platform", "details", "operation", "virtualization"),
    [
        ("app-2008", "windows", "Windows", "RunInstances:0002", "hvm"),
        ("db-rhel67", None, "Red Hat Enterprise Linux", "RunInstances:0010", "hvm"),
        ("old-rhel67pv", None, "Red Hat Enterprise Linux", "RunInstances:0010", "paravirtual"),
        ("batch-amzn2", None, "Linux/UNIX", "RunInstances", "hvm"),
    ],
)
def test_an_instance_tells_what_it_is(client, name, platform, details, operation, virtualization):
    instance = instances(client)[name]
    assert instance.get("Platform") == platform
    assert instance["PlatformDetails"] == details
    assert instance["UsageOperation"] == operation
    assert instance["VirtualizationType"] == virtualization
    assert instance["BootMode"] == "legacy-bios"


def test_volumes_have_the_sizes_of_the_estate(client):
    mapped = instances(client)["db-rhel67"]["BlockDeviceMappings"]
    volumes = client.describe_volumes(VolumeIds=[device["Ebs"]["VolumeId"] for device in mapped])["Volumes"]
    assert {volume["Attachments"][0]["Device"]: volume["Size"] for volume in volumes} == {
        "/dev/sda1": 30,
        "/dev/sdf": 100,
    }


def test_the_images_of_both_appliances_are_offered_by_amazon(client):
    for pattern in ("Windows_Server-2016-English-Full-Base-*", "Windows_Server-2022-English-Full-Base-*"):
        found = client.describe_images(Owners=["amazon"], Filters=[{"Name": "name", "Values": [pattern]}])
        assert len(found["Images"]) == 1


def test_an_unknown_image_is_refused(client):
    with pytest.raises(client.exceptions.ClientError, match="InvalidAMIID"):
        client.run_instances(ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1)


def test_a_stopped_instance_is_not_powered_on(client, ec2):
    assert ec2.powered_on("10.20.1.23")
    client.stop_instances(InstanceIds=[instances(client)["web-ubuntu22"]["InstanceId"]])
    assert not ec2.powered_on("10.20.1.23")


def test_an_appliance_is_there_once_it_was_launched(client, ec2):
    assert ec2.hardware("10.20.0.10") is None
    subnets = client.describe_subnets(Filters=[{"Name": "tag:Name", "Values": ["appliances"]}])["Subnets"]
    groups = client.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["appliance"]}])[
        "SecurityGroups"
    ]
    client.run_instances(
        ImageId="ami-00000000000002016",
        MinCount=1,
        MaxCount=1,
        InstanceType="m5.2xlarge",
        SubnetId=subnets[0]["SubnetId"],
        SecurityGroupIds=[groups[0]["GroupId"]],
        PrivateIpAddress="10.20.0.10",
        BlockDeviceMappings=[
            {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 80}},
            {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 620}},
        ],
        UserData="<powershell>Get-Disk</powershell>",
    )
    hardware = ec2.hardware("10.20.0.10")
    assert (hardware.cores, hardware.memory_mb, hardware.volumes_gib) == (8, 32768, (80, 620))
    assert hardware.user_data == "<powershell>Get-Disk</powershell>"
    told = ec2.kept()
    ec2.reset()
    ec2.take_up(told)
    assert ec2.hardware("10.20.0.10") == hardware


def test_an_instance_shows_in_its_console_what_its_machine_prints(client, ec2):
    ec2.console = {"10.20.1.11": "Windows is Ready to use"}.get
    found = client.get_console_output(InstanceId=instances(client)["app-2008"]["InstanceId"], Latest=True)
    assert found["Output"] == "Windows is Ready to use"


def test_security_groups_decide_which_ports_are_let_in(client, ec2):
    assert ec2.permits("10.20.0.10", "10.20.1.11", 445)
    assert not ec2.permits("10.20.1.12", "10.20.1.11", 445)
    assert not ec2.permits("10.20.0.10", "10.20.1.11", 9443)


def test_a_taken_port_is_an_error(ec2, tmp_path):
    with pytest.raises(OSError, match="in use"):
        Ec2(load(), f"{NET}.1", 5000, tmp_path).start()
