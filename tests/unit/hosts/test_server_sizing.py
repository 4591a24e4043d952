"""How large an appliance must be, by the documentation's tables."""

from pathlib import Path

import pytest
import yaml

from asr_migrate.domain.errors import InputError
from asr_migrate.hosts.server_sizing import size
from asr_migrate.hosts.server_want import ReplicationApplianceWant


@pytest.mark.parametrize(
    ("architecture", "machines", "churn_gb", "appliances", "instance_type", "cache_gib"),
    [
        ("classic", 0, None, 1, "m5.2xlarge", 300),
        ("classic", 99, 500, 1, "m5.2xlarge", 300),
        ("classic", 100, 100, 1, "c5.4xlarge", 600),
        ("classic", 20, 501, 1, "c5.4xlarge", 600),
        ("classic", 150, 1000, 1, "c5.4xlarge", 600),
        ("classic", 151, 10, 1, "c5.4xlarge", 1000),
        ("classic", 200, 2000, 1, "c5.4xlarge", 1000),
        ("classic", 201, 10, 2, "c5.4xlarge", 600),
        ("classic", 10, 2001, 2, "c5.4xlarge", 1000),
        ("modernized", 10, None, 1, "c5.4xlarge", 600),
        ("modernized", 151, None, 1, "c5.4xlarge", 1000),
        ("modernized", 401, None, 3, "c5.4xlarge", 600),
    ],
)
def test_the_table_gives_instance_type_and_cache(
    architecture, machines, churn_gb, appliances, instance_type, cache_gib
):
    found = size(architecture, machines, churn_gb)
    assert (found.appliances, found.instance_type, found.cache_gib) == (appliances, instance_type, cache_gib)


def test_the_data_volume_holds_cache_and_installation():
    small, large = size("classic", 10, 100), size("modernized", 200, 100)
    assert [volume.gib for volume in small.volumes] == [100, 640]
    assert [volume.gib for volume in large.volumes] == [80, 1040]


def test_more_than_one_appliance_is_said_with_numbers():
    found = size("modernized", 450, 3000)
    assert "450 machines with 3000 GB need 3" in found.notes[0]
    assert "about 150 machines a wave" in found.notes[0]
    assert "450 machines with 3000 GB of changes a day need 3 replication appliances" in found.text


def test_physical_cores_are_what_the_installer_of_the_modernized_appliance_counts():
    assert any("physical cores" in note for note in size("modernized", 5, 10).notes)
    assert size("classic", 5, 10).notes == ()


def test_a_size_is_plain_data_for_ansible():
    told = size("classic", 5).as_dict()
    assert told["block_devices"][1] == {
        "device_name": "/dev/xvdb",
        "ebs": {"volume_size": 640, "volume_type": "gp3", "delete_on_termination": True},
    }


@pytest.mark.parametrize(("architecture", "machines"), [("future", 1), ("classic", -1)])
def test_nonsense_is_refused(architecture, machines):
    with pytest.raises(InputError):
        size(architecture, machines)


def test_the_example_inventory_leaves_the_size_to_the_table():
    example = Path(__file__).parents[3] / "inventory" / "example" / "group_vars" / "appliances.yml"
    assert {"instance_type", "volumes"}.isdisjoint(yaml.safe_load(example.read_text("utf-8"))["asr_appliance"])


@pytest.mark.parametrize("machines", [1, 99, 150, 200])
def test_an_instance_of_the_table_has_the_cores_that_the_appliance_s_installer_counts(machines):
    assert size("modernized", machines).cores >= ReplicationApplianceWant().physical_cores
