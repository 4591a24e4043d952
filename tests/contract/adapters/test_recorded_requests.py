"""The providers' requests say what recorded requests said that the real service accepted."""

import copy

import pytest
from azure.mgmt.recoveryservicessiterecovery.models import IPConfigInputDetails, VMNicInputDetails
from tests.worlds.zones import short_zone

from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.lifecycle import Verb
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.site import Site, Sweep
from asr_migrate.providers.in_mage_azure_v2 import InMageAzureV2
from asr_migrate.providers.in_mage_rcm import InMageRcm

NOT_ASKED = {"targetBootDiagnosticsStorageAccountId", "diskEncryptionSetId", "storageAccountId"}


def zone(architecture):
    return LandingZone.model_validate(short_zone(architecture=architecture))


MACHINE = Machine(
    name="web",
    source_id="i-1",
    wave="w",
    os="windows",
    addresses=("10.20.1.21",),
    run_as_account="admin",
    target={"vm_name": "vm-web", "vm_size": "Standard_B2s", "private_ip": "10.60.1.21"},
)
SITE = Site("fabric", "container", "ps", "mt", {"admin": "1"}, "/site")
RCM_SOURCE = {
    "id": "/site/machines/m",
    "properties": {"runAsAccountId": "/site/runasaccounts/r", "networkAdapters": [{"ipAddressList": ["10.20.1.21"]}]},
}
V2_SOURCE = {
    "id": "/pi/1",
    "properties": {"customDetails": {"ipAddress": "10.20.1.21", "agentInstalled": "Installed"}},
}
ITEM = {"name": "web", "id": "/item/web", "properties": {}}


def lower(body):
    """Property names without case: the service reads them so."""
    return {key.lower() for key in body}


def names_on_the_wire(model):
    """The names of a model's properties in JSON."""
    given = dict.fromkeys(model.__annotations__, "x")
    return set(model(**given).as_dict())


def details(body):
    return body["properties"]["providerSpecificDetails"]


def test_an_rcm_enable_request_has_the_recorded_properties(wire):
    ours = InMageRcm(zone("modernized")).enable(MACHINE, SITE, Sweep(sources=(RCM_SOURCE,))).body
    recorded = wire.sent("04", "PUT")
    assert set(recorded["properties"]) == set(ours["properties"])
    assert set(details(recorded)) - set(details(ours)) <= NOT_ASKED
    assert details(ours)["disksDefault"].keys() == details(recorded)["disksDefault"].keys()


@pytest.mark.parametrize("number", ["13", "18"])
def test_a_classic_enable_request_has_the_recorded_properties(wire, number):
    ours = InMageAzureV2(zone("classic")).enable(MACHINE, SITE, Sweep(sources=(V2_SOURCE,))).body
    recorded = wire.sent(number, "PUT")
    assert set(recorded["properties"]) == set(ours["properties"])
    missing = lower(details(recorded)) - lower(details(ours))
    assert missing <= {name.lower() for name in NOT_ASKED}


def test_an_rcm_test_failover_request_is_the_recorded_one(wire):
    ours = InMageRcm(zone("modernized")).act(Verb.TEST_FAILOVER, MACHINE, ITEM).body
    recorded = wire.sent("05", "POST")
    assert set(ours["properties"]) == set(recorded["properties"])
    assert set(details(ours)) == set(details(recorded))
    assert details(ours)["networkId"] == ours["properties"]["networkId"]


def test_a_test_clean_up_request_is_the_recorded_one(wire):
    ours = InMageRcm(zone("modernized")).act(Verb.CLEAN_UP_TEST, MACHINE, ITEM).body
    assert set(ours["properties"]) == set(wire.sent("06", "POST")["properties"])


def test_an_rcm_failover_request_is_the_recorded_one(wire):
    ours = InMageRcm(zone("modernized")).act(Verb.FAIL_OVER, MACHINE, ITEM).body
    recorded = wire.sent("07", "POST")
    recorded["properties"]["providerSpecificDetails"]["performShutdown"] = "false"
    assert ours == recorded


def test_a_classic_failover_request_is_the_recorded_one(wire):
    ours = InMageAzureV2(zone("classic")).act(Verb.FAIL_OVER, MACHINE, ITEM).body
    assert ours == wire.sent("21", "POST", "unplannedFailover")


@pytest.mark.parametrize("number", ["09", "22"])
def test_a_commit_request_has_no_body(wire, number):
    assert wire.sent(number, "POST") is None
    assert InMageRcm(zone("modernized")).act(Verb.COMMIT, MACHINE, ITEM).body is None


def test_an_rcm_update_request_has_recorded_properties_only(wire):
    item = {
        "name": "web",
        "properties": {
            "providerSpecificDetails": {"instanceType": "InMageRcm", "vmNics": [{"nicId": "n", "isPrimaryNic": "true"}]}
        },
    }
    ours = InMageRcm(zone("modernized")).update(MACHINE, item).body
    recorded = wire.sent("10", "PATCH")
    assert set(ours["properties"]) <= set(recorded["properties"])
    assert set(details(ours)) <= set(details(recorded))
    assert details(ours)["vmNics"][0].keys() == details(recorded)["vmNics"][0].keys()


def test_a_classic_update_request_has_recorded_properties_only(wire):
    item = next(iter(wire.resources("23", "protectionState")))
    ours = InMageAzureV2(zone("classic")).update(MACHINE, item).body
    recorded = wire.sent("23", "PATCH")
    assert set(ours["properties"]) <= set(recorded["properties"])
    assert set(details(ours)) <= set(details(recorded))

    # of 2017: recoveryVMSubnetName and replicaNicStaticIPAddress stood beside nicId; they are in ipConfigs since 2022
    (nic,), (then,) = ours["properties"]["vmNics"][:1], recorded["properties"]["vmNics"][:1]
    assert set(nic) == {"nicId", "ipConfigs", "selectionType"}
    assert set(then) == {"nicId", "recoveryVMSubnetName", "replicaNicStaticIPAddress", "selectionType"}
    assert nic["ipConfigs"][0] == {
        "isPrimary": True,
        "isSeletedForFailover": True,
        "recoverySubnetName": "a",
        "recoveryStaticIPAddress": "10.60.1.21",
    }


def test_the_adapters_of_a_classic_update_request_are_those_of_the_sdk(wire):
    item = next(iter(wire.resources("23", "protectionState")))
    ours = InMageAzureV2(zone("classic")).update(MACHINE, item).body["properties"]["vmNics"][0]
    assert set(ours) <= names_on_the_wire(VMNicInputDetails)
    assert set(ours["ipConfigs"][0]) <= names_on_the_wire(IPConfigInputDetails)


def test_the_address_of_a_recorded_adapter_is_read_as_it_was_written_then(wire):
    provider = InMageAzureV2(zone("classic"))
    item = copy.deepcopy(next(iter(wire.resources("23", "protectionState"))))
    nic = details(item)["vmNics"][0]
    nic["replicaNicStaticIPAddress"] = "10.60.1.21"
    assert "private_ip" not in provider.read(item, MACHINE, Sweep()).drift
    nic["ipConfigs"] = [{"recoveryStaticIPAddress": "10.60.1.99"}]
    assert "private_ip" in provider.read(item, MACHINE, Sweep()).drift


def test_a_classic_discovery_request_is_the_recorded_one(wire):
    ours = InMageAzureV2(zone("classic")).discover(MACHINE).body
    recorded = wire.sent("19", "POST", "discoverProtectableItem")
    assert set(ours["properties"]) == set(recorded["properties"])
