"""The filter that turns hosts' variables into machines."""

import importlib.util
from pathlib import Path

import pytest
from ansible.errors import AnsibleFilterError

from asr_migrate.domain.machine import Machine

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("machines_filter", ROOT / "plugins" / "filter" / "machines.py")
plugin = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(plugin)

HOST = {
    "asr_wave": "legacy",
    "asr_os": "windows",
    "asr_target": {"vm_name": "app-2012", "vm_size": "Standard_D2s_v5"},
    "ec2_instance_id": "i-0123",
    "ec2_private_ip_address": "10.20.1.12",
    "ec2_virtualization_type": "hvm",
    "ec2_architecture": "x86_64",
}


def test_ec2_facts_become_a_machine_that_the_domain_accepts():
    (made,) = plugin.machines(["app-2012"], {"app-2012": HOST})
    machine = Machine.model_validate(made)
    assert (machine.source_id, machine.addresses, machine.virtualization, machine.bits) == (
        "i-0123",
        ("10.20.1.12",),
        "hvm",
        64,
    )


def test_a_variable_wins_over_the_ec2_fact():
    (made,) = plugin.machines(["a"], {"a": HOST | {"asr_source_id": "chassis-7", "asr_virtualization": "paravirtual"}})
    assert (made["source_id"], made["virtualization"]) == ("chassis-7", "paravirtual")


def test_a_missing_variable_is_named_with_its_host():
    with pytest.raises(AnsibleFilterError, match=r"host web-1: asr_wave, asr_target is not set"):
        plugin.machines(["web-1"], {"web-1": {"asr_os": "linux"}})
