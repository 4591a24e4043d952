"""EC2 as the source: what it tells, and stopping it. boto3 against moto inside this process."""

from types import SimpleNamespace

import pytest
from moto import mock_aws

from asr_migrate.aws import ec2 as aws
from asr_migrate.clock import ManualClock
from asr_migrate.domain.errors import ServiceError

REGION = "eu-west-1"


@pytest.fixture
def ec2(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL_EC2", raising=False)
    with mock_aws():
        yield aws.client()


def launch(ec2, instance_type="m5.large", count=1, data_gib=()):
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]
    disks = [{"DeviceName": image["RootDeviceName"], "Ebs": {"VolumeSize": 40}}] + [
        {"DeviceName": f"/dev/sd{chr(ord('f') + n)}", "Ebs": {"VolumeSize": size}} for n, size in enumerate(data_gib)
    ]
    made = ec2.run_instances(
        ImageId=image["ImageId"], InstanceType=instance_type, MinCount=count, MaxCount=count, BlockDeviceMappings=disks
    )
    return [instance["InstanceId"] for instance in made["Instances"]]


def test_an_instance_tells_its_disks_and_which_of_them_boots(ec2):
    (instance,) = launch(ec2, data_gib=[100, 250])
    info = aws.source_info(ec2, [instance])[instance]
    assert [(disk["size_gib"], disk["boot"]) for disk in info["disks"]] == [(40, True), (100, False), (250, False)]


def test_a_nitro_instance_shows_nvme_disks_and_an_older_one_xen_disks(ec2):
    nitro, older = launch(ec2, "m5.large") + launch(ec2, "m4.large")
    info = aws.source_info(ec2, [nitro, older])
    assert [info[name]["storage_interface"] for name in (nitro, older)] == ["nvme", "xen"]


def test_more_instances_than_a_page_are_all_described(ec2):
    instances = launch(ec2, count=aws.PAGE + 5)
    assert sorted(aws.source_info(ec2, instances)) == sorted(instances)


def test_no_instance_asks_nothing():
    assert aws.source_info(None, []) == {}


def test_an_unknown_instance_is_named_in_the_error(ec2):
    with pytest.raises(ServiceError, match="i-0123456789abcdef0") as caught:
        aws.source_info(ec2, ["i-0123456789abcdef0"])
    assert caught.value.code == "InvalidInstanceID.NotFound"
    assert caught.value.remedy


def test_stopping_stops_what_runs_and_says_which(ec2):
    first, second = launch(ec2, count=2)
    ec2.stop_instances(InstanceIds=[second])
    assert aws.stop_instances(ec2, [first, second], ManualClock()) == [first]
    assert set(aws.states(ec2, [first, second]).values()) == {"stopped"}


def test_stopping_again_changes_nothing(ec2):
    instances = launch(ec2, count=2)
    aws.stop_instances(ec2, instances, ManualClock())
    assert aws.stop_instances(ec2, instances, ManualClock()) == []


def test_a_terminated_instance_counts_as_stopped(ec2):
    (instance,) = launch(ec2)
    ec2.terminate_instances(InstanceIds=[instance])
    assert aws.stop_instances(ec2, [instance], ManualClock()) == []


class SlowEc2:
    """An EC2 whose instances need ``polls`` looks to stop."""

    def __init__(self, polls):
        self.polls = polls
        self.asked = []

    def stop_instances(self, **call):
        self.asked.append(call["InstanceIds"])

    def get_paginator(self, name):
        assert name == "describe_instances"
        return SimpleNamespace(paginate=self.describe)

    def describe(self, **call):
        state = "running" if not self.asked else "stopping" if self.polls > 0 else "stopped"
        self.polls -= bool(self.asked)
        return [
            {
                "Reservations": [
                    {"Instances": [{"InstanceId": name, "State": {"Name": state}} for name in call["InstanceIds"]]}
                ]
            }
        ]


def test_stopping_waits_until_the_instance_is_stopped():
    clock = ManualClock()
    slow = SlowEc2(polls=3)
    assert aws.stop_instances(slow, ["i-1"], clock, interval_s=15) == ["i-1"]
    assert (slow.asked, clock.monotonic()) == ([["i-1"]], 45)


def test_an_instance_that_does_not_stop_in_time_is_named():
    with pytest.raises(ServiceError, match="i-1 within 60 seconds") as caught:
        aws.stop_instances(SlowEc2(polls=99), ["i-1"], ManualClock(), timeout_s=60)
    assert caught.value.code == "StopTimeout"
