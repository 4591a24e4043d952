"""The appliance as the vault sees it, and waiting for it."""

import asyncio

import pytest

from asr_lab.arm.site_recovery import world_register_mobility
from asr_migrate.azure import registration_key, replication_policy, vault
from asr_migrate.azure.appliance import ApplianceReader
from asr_migrate.azure.appliance_components import components
from asr_migrate.domain.errors import DeadlineError

APPLIANCE, WEB, DB = "10.20.0.20", "10.20.1.21", "10.20.1.22"


def reader(session):
    return ApplianceReader(session.clients, session.landing_zone)


async def until_said(session, said):
    while not said:
        await session.clock.sleep(15)


async def look(session):
    return await reader(session).look()


@pytest.fixture
def vaulted(azure):
    azure.tell(lambda session: vault.ensure(session.clients, session.landing_zone))
    return azure


def test_without_a_vault_there_is_no_appliance(azure):
    seen = azure.tell(look)
    assert (seen.registered, seen.vault_exists) == (False, False)


def test_a_registered_replication_appliance_is_found_by_its_address(vaulted):
    vaulted.zone["appliance"]["name"] = "called-otherwise"
    vaulted.register_appliance()
    seen = vaulted.tell(look)
    assert seen.registered
    assert seen.healthy
    assert seen.container.endswith("replicationcontainer")
    assert seen.process_servers[0].name == "appliance"


def test_an_appliance_of_somebody_else_is_named_and_not_taken(vaulted):
    vaulted.register_appliance()
    vaulted.zone["appliance"] = {"name": "mine", "address": "10.20.0.99"}
    seen = vaulted.tell(look)
    assert (seen.registered, seen.others) == (False, ("appliance",))


def test_waiting_goes_on_by_itself_when_the_person_is_done(vaulted):
    said = []

    async def story(session):
        waiting = asyncio.create_task(reader(session).wait_registered(86400, said.append))
        await until_said(session, said)
        await asyncio.to_thread(vaulted.register_appliance)
        return await waiting

    assert vaulted.tell(story).registered
    assert said[0].startswith("appliance appliance: not registered with vault vault-new yet; 14")
    assert said[0].endswith("of 1440 minutes left")
    assert "https://appliance:44368" in said[1]
    assert "within 5 minutes" in said[1]


def test_a_wait_that_ends_says_what_is_missing_and_what_to_do(vaulted):
    async def story(session):
        await reader(session).wait_registered(60, lambda _: None)

    with pytest.raises(DeadlineError, match="not registered with vault vault-new yet after 1 minutes") as raised:
        vaulted.tell(story)
    assert raised.value.code == "ApplianceNotRegistered"
    assert "deploy_appliance" in raised.value.remedy


def test_servers_are_waited_for_by_address(vaulted):
    vaulted.register_appliance()
    vaulted.add_server(WEB)
    said = []

    async def story(session):
        waiting = asyncio.create_task(reader(session).wait_servers([WEB, DB], 86400, said.append))
        await until_said(session, said)
        await asyncio.to_thread(vaulted.add_server, DB)
        return await waiting

    seen = vaulted.tell(story)
    assert said[0].startswith(f"servers of appliance appliance: 1 of 2 servers; missing {DB}; 14")
    assert said[0].endswith("of 1440 minutes left")
    assert seen.missing([WEB, DB]) == ()
    assert len(seen.run_as_accounts) >= 1


def test_a_wait_writes_nothing(vaulted):
    vaulted.register_appliance()
    vaulted.world.log.clear()
    vaulted.tell(lambda session: reader(session).wait_registered(60, lambda _: None))
    assert vaulted.writes() == []


@pytest.fixture
def classic(vaulted, tmp_path):
    vaulted.zone["architecture"] = "classic"
    key, _ = vaulted.tell(
        lambda session: registration_key.ensure(session.clients, session.landing_zone, tmp_path / "keys")
    )
    vaulted.register_configuration_server(key.path.read_bytes())
    return vaulted


def test_a_configuration_server_registers_with_the_key_that_was_made(classic):
    seen = classic.tell(look)
    assert seen.registered
    assert seen.container.startswith("cloud_")
    assert seen.run_as_accounts


def test_a_classic_policy_is_associated_with_the_cloud_container(classic):
    async def story(session):
        clients, zone = session.clients, session.landing_zone
        await replication_policy.ensure_policy(clients, zone)
        seen = await look(session)
        first = await replication_policy.ensure_mapping(clients, zone, seen.fabric, seen.container)
        return first, await replication_policy.ensure_mapping(clients, zone, seen.fabric, seen.container)

    assert classic.tell(story) == (True, False)


def test_a_configuration_server_is_refreshed_when_asked(classic):
    async def story(session):
        return await reader(session).refresh(await look(session))

    assert classic.tell(story) is True
    assert classic.writes()[-1].endswith("/refreshProvider")


def test_a_configuration_server_knows_the_machines_whose_mobility_service_registered(classic):
    world_register_mobility(
        classic.world,
        server_address=APPLIANCE,
        passphrase="a passphrase of the test",
        host=classic.hosts.hosts[WEB],
        now=classic.clock.now(),
    )
    seen = classic.tell(lambda session: reader(session).wait_servers([WEB], 60, lambda _: None))
    assert [(server.name, server.addresses) for server in seen.servers] == [("web", (WEB,))]
    assert seen.missing([WEB, DB]) == (DB,)


def test_an_agent_that_did_not_register_is_missed_with_the_logs_to_read(classic):
    with pytest.raises(DeadlineError, match="0 of 1 servers") as raised:
        classic.tell(lambda session: reader(session).wait_servers([DB], 60, lambda _: None))
    assert "configurator_register_host_static_info.log" in raised.value.remedy


def test_every_component_has_a_health_of_its_own():
    rows = {
        "processServers": [{"name": "ps", "health": "Normal", "lastHeartbeatUtc": "2026-05-04T12:00:00Z"}],
        "marsAgents": [{"name": "mars", "health": "Critical", "healthErrors": [{"errorMessage": "no connection"}]}],
    }
    found = components(rows)
    assert [(row.kind, row.sick) for row in found] == [("process server", False), ("Recovery Services agent", True)]
    assert found[1].text == "Recovery Services agent mars is Critical (last heard of at None): no connection"


def test_a_registered_appliance_lists_its_components(vaulted):
    vaulted.register_appliance()
    seen = vaulted.tell(look)
    assert {"process server", "Site Recovery provider"} <= {row.kind for row in seen.components}
    assert seen.sick_components == ()
