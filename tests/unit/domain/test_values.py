"""Machines, landing zones, waves and clouds: what is taken, what is refused and how it is said."""

import pytest
from tests.worlds.zones import short_zone

from asr_migrate.domain.cloud import CloudSettings, PlannedWrite, short_path
from asr_migrate.domain.errors import InputError
from asr_migrate.domain.landing_zone import LandingZone
from asr_migrate.domain.machine import Machine
from asr_migrate.domain.parsing import parse
from asr_migrate.domain.wave import Wave

ZONE = short_zone(network="vnet")
MACHINE = {
    "name": "web",
    "source_id": "i-1",
    "wave": "current",
    "os": "linux",
    "target": {"vm_name": "vm-web", "tags": {"owner": "me"}},
}


def refused(model, data):
    with pytest.raises(InputError) as raised:
        parse(model, data, "asr_x")
    return raised.value


def test_a_machine_needs_little():
    machine = parse(Machine, MACHINE, "machine")
    assert machine.bits == 64
    assert machine.target.disk_type == "StandardSSD_LRS"


def test_the_azure_vm_carries_the_users_tags_and_those_that_make_it_known_again():
    tags = parse(Machine, MACHINE, "machine").target_tags
    assert tags == {"owner": "me", "asr-source-id": "i-1", "asr-wave": "current"}


def test_a_missing_option_is_named_with_its_place():
    error = refused(LandingZone, {key: value for key, value in ZONE.items() if key != "vault"})
    assert error.place == "asr_x.vault"
    assert "Add it" in error.remedy


def test_a_misspelt_option_is_named_with_its_place():
    error = refused(Machine, {**MACHINE, "target": {"vm_name": "v", "vm_sise": "x"}})
    assert error.place == "asr_x.target.vm_sise"
    assert "spelling" in error.remedy


def test_a_wrong_value_is_shown():
    error = refused(Machine, {**MACHINE, "os": "solaris"})
    assert (error.place, error.value) == ("asr_x.os", "solaris")


def test_something_that_is_no_dictionary_is_refused():
    assert "dictionary" in refused(Machine, ["web"]).message


def test_modernized_is_the_default_architecture():
    zone = parse(LandingZone, ZONE, "z")
    assert zone.architecture == "modernized"
    assert zone.architecture.provider == "InMageRcm"


def test_names_become_ids_in_the_landing_zones_group_or_the_one_they_name():
    zone = parse(LandingZone, ZONE, "z")
    assert zone.network_id().endswith("/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet")
    assert zone.network_id("hub/vnet-x").endswith(
        "/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/vnet-x"
    )
    assert zone.policy_id == f"{zone.vault_id}/replicationPolicies/p"


def test_two_machines_of_one_name_are_refused():
    zone = parse(LandingZone, ZONE, "z")
    with pytest.raises(InputError, match="share"):
        Wave.from_hosts([MACHINE, {**MACHINE, "name": "WEB", "target": {"vm_name": "other"}}], zone)


def test_two_machines_of_one_target_are_refused():
    zone = parse(LandingZone, ZONE, "z")
    with pytest.raises(InputError, match=r"asr_target\.vm_name of hosts web and db: .* 'rg/vm-web'"):
        Wave.from_hosts([MACHINE, {**MACHINE, "name": "db", "source_id": "i-2"}], zone)


def test_a_wrong_machine_is_named_in_the_error():
    zone = parse(LandingZone, ZONE, "z")
    with pytest.raises(InputError, match=r"asr_os of host web: must be 'windows' or 'linux', not 'solaris'"):
        Wave.from_hosts([{**MACHINE, "os": "solaris"}], zone)


def test_one_target_is_the_same_whether_its_resource_group_is_written_or_the_landing_zones():
    zone = parse(LandingZone, ZONE, "z")
    target = {"vm_name": "VM-WEB", "resource_group": "rg"}
    with pytest.raises(InputError, match=r"asr_target\.vm_name of hosts web and db"):
        Wave.from_hosts([MACHINE, {**MACHINE, "name": "db", "source_id": "i-2", "target": target}], zone)


def test_two_machines_of_one_source_are_refused():
    zone = parse(LandingZone, ZONE, "z")
    with pytest.raises(InputError, match=r"asr_source_id of hosts web and db: two machines of the wave share 'i-1'"):
        Wave.from_hosts([MACHINE, {**MACHINE, "name": "db", "target": {"vm_name": "other"}}], zone)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"probes": "80"}, "asr_probes of host web: must be a list, not '80'"),
        ({"probes": [{"port": "x"}]}, "asr_probes.0.port of host web: must be a whole number, not 'x'"),
        ({"probes": [{"port": 0}]}, "asr_probes.0.port of host web: must be at least 1, not 0"),
        ({"boot_order": 0}, "asr_boot_order of host web: must be at least 1, not 0"),
        ({"disks": [{"name": "a", "size_gib": -1}]}, "asr_disks.0.size_gib of host web: must be at least 0, not -1"),
        ({"target": "vm-web"}, "asr_target of host web: must be a dictionary, not 'vm-web'"),
        ({"target": {"vm_name": 7}}, "asr_target.vm_name of host web: must be a text, not 7"),
        ({"target": {"vm_name": "v", "tags": ["a"]}}, "asr_target.tags of host web: must be a dictionary, not ['a']"),
        ({"quiesced_at": "tomorrow"}, "wave_quiesced_at of host web: must be a date and time with a zone"),
        ({"quiesced_at": 5}, "wave_quiesced_at of host web: must be a date and time with a zone"),
        ({"quiesced_at": "2026-01-01T00:00:00"}, "wave_quiesced_at of host web: must be a date and time with a zone"),
        ({"quiesce_commands": "cmd"}, "asr_quiesce_commands of host web: must be a list of commands"),
        ({"quiesce_commands": True}, "asr_quiesce_commands of host web: must be a list of commands"),
        ({"bits": "many"}, "asr_bits of host web: must be a whole number, not 'many'"),
        ({"vm": 1}, "asr_vm of host web: is no known option"),
    ],
)
def test_what_is_wrong_is_said_by_variable_host_and_value_in_plain_words(options, told):
    with pytest.raises(InputError) as caught:
        Wave.from_hosts([{**MACHINE, **options}], parse(LandingZone, ZONE, "z"))
    assert caught.value.message.startswith(told)
    assert caught.value.message not in str(caught.value.remedy)
    assert "input" not in caught.value.message.lower()


def test_a_value_that_may_be_a_secret_is_not_shown_in_the_message():
    assert "tiger" not in refused(LandingZone, {**ZONE, "vault": ["tiger"]}).message


def test_a_long_value_is_cut():
    with pytest.raises(InputError) as caught:
        parse(LandingZone, {**ZONE, "vault": ["x" * 500]}, "asr_x", show=True)
    assert len(caught.value.message) < 200


def test_the_public_cloud_is_the_default():
    assert CloudSettings().scope == "https://management.azure.com/.default"


def test_an_address_without_tls_is_refused():
    assert "https://" in refused(CloudSettings, {"resource_manager": "http://localhost"}).message


def test_a_slash_at_the_end_of_an_address_does_not_matter():
    assert CloudSettings(resource_manager="https://localhost:8443/").scope == "https://localhost:8443/.default"


@pytest.mark.parametrize(
    ("path", "short"),
    [
        ("/subscriptions/s/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v", "vaults/v"),
        ("/subscriptions/s/resourceGroups/rg/providers/N/vaults/v/items/i/testFailover", "items/i/testFailover"),
        ("/subscriptions/s/resourceGroups/rg", "resourceGroups/rg"),
    ],
)
def test_the_short_path_names_what_is_changed(path, short):
    assert short_path(path) == short


def test_a_planned_write_reads_as_one_line():
    write = PlannedWrite("PUT", "create the vault v", "it does not exist", "vaults/v")
    assert write.line == "PUT vaults/v: create the vault v, because it does not exist"
