"""Hyper-V hosts and VMM servers that are described in JSON."""

import pytest

from asr_lab.arm.site_recovery_hyper_v_documents import register
from asr_lab.arm.wire import ArmError

MACHINE = {"name": "sql-1", "os": "linux", "disks": [{"size_gib": 40}, {"name": "data", "size_gib": 10}]}


def test_a_host_of_a_site_is_registered_with_its_machines(bare):
    bare.make()
    document = {"site": bare.fabric, "host": "hv-1", "machines": [MACHINE]}
    made = register(bare.lab.world, document, bare.lab.now)
    bare.lab.advance(60)
    assert bare.lab.get(made["id"])["properties"]["friendlyName"] == "hv-1"
    listed = bare.lab.get(f"{bare.container}/replicationProtectableItems")["value"]
    details = listed[0]["properties"]["customDetails"]
    assert details["osDetails"]["osType"] == "Linux"
    assert [(disk["vhdName"], disk["maxSizeMB"]) for disk in details["diskDetails"]] == [
        ("sql-1", 40960),
        ("data", 10240),
    ]
    assert register(bare.lab.world, document, bare.lab.now) == made


def test_a_vmm_server_is_registered_with_its_clouds_and_networks(bare):
    document = {
        "vault": bare.vault,
        "server": "vmm-1",
        "clouds": [{"name": "Gold", "machines": [MACHINE]}],
        "networks": [{"name": "Blue", "subnets": {"blue": "10.40.1.0/24"}}],
    }
    made = register(bare.lab.world, document, bare.lab.now)
    bare.lab.advance(60)
    assert bare.lab.get(made["id"])["properties"]["customDetails"] == {"instanceType": "VMM"}
    assert bare.lab.get(f"{made['id']}/replicationNetworks")["value"][0]["properties"]["friendlyName"] == "Blue"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"machines": [{"name": "x"}]}, "disks"),
        ({"machines": [{**MACHINE, "os": "BeOS"}]}, "BeOS"),
        ({"colour": "red"}, "colour"),
        ({"site": "/nowhere"}, "/nowhere"),
    ],
)
def test_a_document_that_does_not_fit_is_refused_with_a_sentence(bare, change, told):
    bare.make()
    document = {"site": bare.fabric, "host": "hv-1", "machines": []} | change
    with pytest.raises(ArmError, match=told):
        register(bare.lab.world, document, bare.lab.now)


def test_a_server_of_a_vault_that_is_not_there_is_refused(bare):
    with pytest.raises(ArmError, match="KeyInvalid"):
        register(bare.lab.world, {"vault": "/none", "server": "vmm-1", "clouds": []}, bare.lab.now)
