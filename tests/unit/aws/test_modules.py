"""The modules source_info and source_power, and the filter findings, as Ansible calls them."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from ansible.errors import AnsibleFilterError
from moto import mock_aws

from asr_migrate.aws import ec2 as aws

ROOT = Path(__file__).resolve().parents[3]
BOUNDARY = "ansible_collections.asr.migrate.plugins.module_utils.boundary"


def load(monkeypatch, path):
    """Import a plugin the way Ansible finds it: its boundary lies in the collection's name space."""
    parts = BOUNDARY.split(".")
    for depth in range(1, len(parts)):
        name = ".".join(parts[:depth])
        if name not in sys.modules:
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
    boundary = ModuleType(BOUNDARY)
    boundary.main = lambda run, spec: None
    monkeypatch.setitem(sys.modules, BOUNDARY, boundary)
    spec = importlib.util.spec_from_file_location(f"plugin_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def instance(monkeypatch):
    for name, value in {
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL_EC2", raising=False)
    with mock_aws():
        ec2 = aws.client()
        image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        made = ec2.run_instances(ImageId=image, InstanceType="m5.large", MinCount=1, MaxCount=1)
        yield made["Instances"][0]["InstanceId"]


def power(monkeypatch, ids, check_mode):
    plugin = load(monkeypatch, ROOT / "plugins" / "modules" / "source_power.py")
    params = {"instance_ids": ids, "state": "stopped", "region": None, "timeout_s": 60, "wait_scale": 0.001}
    return plugin.run(params, SimpleNamespace(check_mode=check_mode))


def test_source_info_returns_the_instance_by_its_id(monkeypatch, instance):
    plugin = load(monkeypatch, ROOT / "plugins" / "modules" / "source_info.py")
    result = plugin.run({"instance_ids": [instance], "region": None}, None)
    assert (result["changed"], result["instances"][instance]["storage_interface"]) == (False, "nvme")


def test_source_info_of_nothing_asks_nothing(monkeypatch):
    plugin = load(monkeypatch, ROOT / "plugins" / "modules" / "source_info.py")
    assert plugin.run({"instance_ids": [], "region": None}, None) == {"changed": False, "instances": {}}


def test_check_mode_stops_nothing_and_lists_it(monkeypatch, instance):
    result = power(monkeypatch, [instance], check_mode=True)
    assert (result["changed"], result["stopped"]) == (True, [instance])
    assert result["writes"][0]["what"] == f"stop EC2 instance {instance}"
    assert aws.states(aws.client(), [instance]) == {instance: "running"}


def test_stopping_twice_changes_once(monkeypatch, instance):
    assert power(monkeypatch, [instance], check_mode=False)["changed"] is True
    assert power(monkeypatch, [instance], check_mode=False) == {"changed": False, "stopped": []}


MACHINE = {"name": "a", "source_id": "i-1", "wave": "w", "os": "linux", "target": {"vm_name": "a"}, "bits": 32}


def test_the_filter_returns_findings_as_plain_dictionaries(monkeypatch):
    plugin = load(monkeypatch, ROOT / "plugins" / "filter" / "findings.py")
    found = plugin.findings(MACHINE, "modernized")
    assert (found[0]["rule"], found[0]["severity"]) == ("os.64-bit", "blocker")


def test_the_filter_names_what_is_wrong_with_a_machine(monkeypatch):
    plugin = load(monkeypatch, ROOT / "plugins" / "filter" / "findings.py")
    with pytest.raises(AnsibleFilterError, match=r"machine a\.os"):
        plugin.findings(MACHINE | {"os": "plan9"}, "modernized")
    with pytest.raises(AnsibleFilterError, match="classic or modernized"):
        plugin.findings(MACHINE, "hyper")
