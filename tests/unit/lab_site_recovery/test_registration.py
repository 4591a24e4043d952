"""What registers itself with Site Recovery, and when it is refused."""

from dataclasses import replace

import pytest
from tests.worlds.hosts import host
from tests.worlds.vaults import PASSPHRASE

from asr_lab.arm.estate import RegistrationRefused
from asr_lab.arm.site_recovery import (
    world_add_physical_server,
    world_register_appliance,
    world_register_configuration_server,
    world_register_mobility,
)

CS = host("legacy-cs", "10.20.0.10", 10, agent="9.59.0.0")


def register(lab, key):
    return world_register_configuration_server(
        lab.world, vault_credentials_xml=key, host=CS, passphrase=PASSPHRASE, now=lab.now
    )


def refused(code):
    return pytest.raises(RegistrationRefused, match=f"^{code}:")


def test_a_configuration_server_registers_with_a_fresh_key_and_keeps_its_fabric(lab):
    key = lab.vault_key(lab.make_vault("vault-legacy"))
    assert register(lab, key) == register(lab, key)


def test_a_key_older_than_five_days_is_refused(lab):
    key = lab.vault_key(lab.make_vault("vault-legacy"))
    lab.advance(121 * 3600)
    with refused("KeyExpired"):
        register(lab, key)


@pytest.mark.parametrize(
    "change",
    [
        lambda key: b"not a key",
        lambda key: b"<Other/>",
        lambda key: key.replace(b"vault-legacy", b"vault-other"),
        lambda key: key.replace(b"<ManagementCert>M", b"<ManagementCert>A"),
        lambda key: key.replace(b"<ChannelIntegrityKey>aW50ZWdyaXR5</ChannelIntegrityKey>", b""),
    ],
    ids=["no XML", "another file", "another vault", "another certificate", "no integrity key"],
)
def test_a_key_that_is_not_the_vaults_is_refused(lab, change):
    key = lab.vault_key(lab.make_vault("vault-legacy"))
    with refused("KeyInvalid"):
        register(lab, change(key))


def test_an_integrity_key_that_the_vault_does_not_know_is_refused(lab):
    vault = lab.make_vault("vault-legacy")
    body = {"properties": {"integrityKey": "b3RoZXI=", "algorithm": "None"}}
    assert lab.ask("PUT", f"{vault}/extendedInformation/vaultExtendedInfo", body).status == 200
    with pytest.raises(RegistrationRefused, match="InvalidChannelIntegrityKeyToken"):
        register(lab, lab.vault_key(vault))


def test_a_mobility_service_shows_its_machine_with_disks(classic):
    shown = classic.lab.get(classic.machine)["properties"]
    assert shown["customDetails"]["agentInstalled"] == "Installed"
    assert shown["customDetails"]["discoveryType"] == "Physical"
    assert shown["customDetails"]["diskDetails"][0]["diskSizeInMB"] == str(40 * 1024)


@pytest.mark.parametrize(
    ("change", "code"),
    [({"passphrase": "wrong"}, "PassphraseInvalid"), ({"server_address": "10.20.0.99"}, "ServerUnreachable")],
)
def test_a_mobility_service_with_wrong_settings_is_refused(classic, change, code):
    source = classic.lab.hosts.hosts["10.20.1.12"]
    settings = {"server_address": "10.20.0.10", "passphrase": PASSPHRASE} | change
    with refused(code):
        world_register_mobility(classic.lab.world, host=source, now=classic.lab.now, **settings)


def test_a_mobility_service_behind_a_firewall_is_refused(classic):
    lab = classic.lab
    lab.hosts.blocked.add(("10.20.1.12", "10.20.0.10", 443))
    with refused("ServerUnreachable"):
        world_register_mobility(
            lab.world,
            server_address="10.20.0.10",
            passphrase=PASSPHRASE,
            host=lab.hosts.hosts["10.20.1.12"],
            now=lab.now,
        )


def test_a_machine_of_another_configuration_server_is_refused(classic):
    lab = classic.lab
    other = replace(host("other-cs", "10.20.0.11", 11), agent_version="9.59.0.0")
    key = lab.vault_key(lab.make_vault("vault-other"))
    world_register_configuration_server(
        lab.world, vault_credentials_xml=key, host=other, passphrase="other", now=lab.now
    )
    with refused("AlreadyRegistered"):
        world_register_mobility(
            lab.world,
            server_address="10.20.0.11",
            passphrase="other",
            host=lab.hosts.hosts["10.20.1.12"],
            now=lab.now,
        )


def test_a_machine_that_was_added_by_hand_is_the_one_whose_mobility_service_registers(classic):
    lab = classic.lab
    body = {"properties": {"friendlyName": "db", "ipAddress": "10.20.1.13", "osType": "Linux"}}
    assert lab.do("POST", f"{classic.container}/discoverProtectableItem", body)["state"] == "Succeeded"
    source = host("db-rhel67", "10.20.1.13", 13, windows=False, agent="9.59.0.0")
    world_register_mobility(lab.world, server_address="10.20.0.10", passphrase=PASSPHRASE, host=source, now=lab.now)
    found = lab.get(f"{classic.container}/replicationProtectableItems")["value"]
    (item,) = [one for one in found if one["properties"]["customDetails"]["ipAddress"] == "10.20.1.13"]
    assert item["properties"]["friendlyName"] == "db"
    assert item["properties"]["customDetails"]["agentInstalled"] == "Installed"


def test_adding_a_known_address_by_hand_fails_with_95222(classic):
    body = {"properties": {"friendlyName": "again", "ipAddress": "10.20.1.12", "osType": "Windows"}}
    job = classic.lab.do("POST", f"{classic.container}/discoverProtectableItem", body)
    assert job["errors"][0]["serviceErrorDetails"]["code"] == "559"
    assert job["errors"][0]["providerErrorDetails"]["errorCode"] == 95222


def test_an_appliance_needs_a_vault(lab):
    with refused("KeyInvalid"):
        world_register_appliance(lab.world, vault_id="/subscriptions/x/none", host=CS, now=lab.now)


def test_a_second_appliance_joins_the_fabric_and_the_list_hides_both(modern):
    lab = modern.lab
    second = host("second", "10.20.0.21", 30)
    assert world_register_appliance(lab.world, vault_id=modern.vault, host=second, now=lab.now) == modern.fabric
    assert world_register_appliance(lab.world, vault_id=modern.vault, host=second, now=lab.now) == modern.fabric
    assert len(lab.get(modern.fabric)["properties"]["customDetails"]["processServers"]) == 2
    (listed,) = lab.get(f"{modern.vault}/replicationFabrics")["value"]
    assert listed["properties"]["customDetails"]["processServers"] == []
    assert len(lab.get(f"{modern.vault}/replicationAppliances")["value"][0]["properties"]) == 1


def test_a_server_that_does_not_answer_is_listed_when_it_does(modern):
    lab = modern.lab
    world_add_physical_server(
        lab.world,
        vault_id=modern.vault,
        address="10.20.1.22",
        account="admin",
        credential_type="LinuxServer",
        now=lab.now,
    )
    site = modern.machine.rpartition("/machines/")[0]
    lab.advance(3600)
    assert len(lab.get(f"{site}/machines", api="2023-06-06")["value"]) == 1
    lab.hosts.hosts["10.20.1.22"] = host("db-rhel8", "10.20.1.22", 22, windows=False)
    lab.advance(600)
    names = {one["properties"]["displayName"] for one in lab.get(f"{site}/machines", api="2023-06-06")["value"]}
    assert names == {"web-2022", "db-rhel8"}


def test_servers_can_be_added_only_where_an_appliance_is(lab):
    vault = lab.make_vault("vault-empty")
    with refused("NoAppliance"):
        world_add_physical_server(
            lab.world, vault_id=vault, address="10.20.1.22", account="a", credential_type="LinuxServer", now=lab.now
        )
